/*
 * Notifications for people (O11, O18, O20, O24, O30), as rows of `notification`. curmill sends no mail itself: it
 * provides subject and body; a person or the site's mailer sends them and marks them as sent.
 */
#include "store/accounts/request_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool cm_notify_people(cm_pg *pg, const cm_request *r, const char *code, const char *recipient, const char *subject,
                      const char *body, cm_instant now, cm_error *err)
{
    char id[24], at[CM_INSTANT_TEXT];
    snprintf(id, sizeof id, "%" PRId64, r->id);
    const char *values[] = {r->lane, id, code, recipient, subject, body, cm_instant_print(now, at)};
    return cm_pg_query(pg,
                       "INSERT INTO notification (lane, request_id, code, recipient, subject, body, made_at) VALUES "
                       "($1, $2, $3, $4, $5, $6, $7)"
                       " ON CONFLICT (request_id, code) DO UPDATE SET subject = excluded.subject, body = "
                       "excluded.body, made_at = excluded.made_at,"
                       " sent_at = NULL, sent_by = NULL",
                       7, values, NULL, err);
}

bool cm_notify_received(cm_pg *pg, const cm_request *r, const char *customer_name, cm_instant now, cm_error *err)
{
    char subject[512], body[1024];
    const char *pattern = r->model->request_subject, *hole = strstr(pattern, "%s"); /* O11 */
    if (r->link.kind == CM_LINK_CREATE)
        snprintf(subject, sizeof subject, "%.*s%.200s%s", (int)(hole - pattern), pattern, customer_name, hole + 2);
    else
        snprintf(subject, sizeof subject, "Account link request received: %s (%.200s)", r->link.account, customer_name);
    int length = snprintf(body, sizeof body,
                          "Request %" PRId64 " of %.200s for customer %.200s was received. A person reviews it next",
                          r->id, r->requested_by, customer_name);
    snprintf(body + length, sizeof body - (size_t)length, *r->region ? " (queue %.100s)." : "%s.", r->region); /* O07 */
    return cm_notify_people(pg, r, "REQUEST_RECEIVED", "reseller", subject, body, now, err);
}

static bool notify_created(cm_pg *pg, const cm_request *r, cm_instant now, cm_error *err)
{
    char body[768];
    snprintf(body, sizeof body,
             "AWS account %s was created with the root address %s. The credentials go to you: set the root password "
             "first, switch on MFA, then make the"
             " role, then choose the support plan.",
             r->link.account, r->root_email); /* O12, O18, P11 */
    if (!cm_notify_people(pg, r, "ACCOUNT_CREATED", "customer", "Your AWS account was created", body, now, err))
        return false;
    snprintf(body, sizeof body,
             "AWS account %s for customer %s was created; the end user has the credentials. Ask for a set of your own "
             "if you need one.",
             r->link.account, r->customer);
    return cm_notify_people(pg, r, "ACCOUNT_CREATED_RESELLER", "reseller", "An AWS account was created", body, now,
                            err);
}

bool cm_notify_of_event(cm_pg *pg, const cm_request *r, enum cm_link_event event, const char *reason, cm_instant now,
                        cm_error *err)
{
    char subject[256], body[1024], until[CM_INSTANT_TEXT];
    reason = reason ? reason : "";
    switch (event) {
    case CM_LINK_CREATE_ACCOUNT:
        return notify_created(pg, r, now, err);
    case CM_LINK_INVITE: /* O20, O21, O24 */
        snprintf(body, sizeof body,
                 "AWS has sent an invitation to account %s to join the organization of payer %s, on behalf of your "
                 "reseller. Please accept it within two"
                 " weeks; AWS ends it at %s.",
                 r->link.account, r->payer, cm_instant_print(r->link.expires_at, until));
        return cm_notify_people(pg, r, "INVITATION_SENT", "customer",
                                "Please accept the invitation of AWS Organizations", body, now, err);
    case CM_LINK_ASK_INFO:
    case CM_LINK_REJECT: /* I16 */
        snprintf(subject, sizeof subject, "Request %" PRId64 " %s", r->id,
                 event == CM_LINK_REJECT ? "was rejected" : "needs more information");
        snprintf(body, sizeof body, "Request %" PRId64 " for customer %s: %.700s", r->id, r->customer, reason);
        return cm_notify_people(pg, r, event == CM_LINK_REJECT ? "REQUEST_REJECTED" : "INFO_REQUESTED", "reseller",
                                subject, body, now, err);
    case CM_LINK_OFFBOARD:
    case CM_LINK_GONE: /* O30 */
        snprintf(subject, sizeof subject, "Account %s leaves payer %s", r->link.account, r->payer);
        snprintf(body, sizeof body, "Account %s of payer %s (customer %s) is to be unlinked: %.600s", r->link.account,
                 r->payer, r->customer, reason);
        return cm_notify_people(pg, r, "OFFBOARDING_BEGUN", "distributor", subject, body, now, err);
    default:
        return true;
    }
}
