/*
 * Requests and links in PostgreSQL (link/link.h; tables link_request, link_history, notification). Every change adds
 * one row of history (who, when, why), is audited as `request.<event>` of object `request:<id>`, and sends NOTIFY
 * curmill_accounts (payload: the payer). The view effective_link shows the links that rating uses.
 */
#ifndef CM_STORE_REQUEST_STORE_H
#define CM_STORE_REQUEST_STORE_H

#include "billing/catalog/model/catalog.h"
#include "billing/link/link.h"
#include "billing/link/rules.h"
#include "platform/postgres/postgres.h"

enum {
    CM_ANY_VERSION = -1
}; /* for workers that report what they observed; operators always name the version that they saw */

typedef struct cm_request {
    int64_t id;
    cm_account_link link;
    const cm_payer_model *model;
    char payer[CM_ACCOUNT_ID], lane[64], customer[CM_LINK_NAME_TEXT], root_email[72], nickname[208],
        sales_reference[512], role_arn[256], external_id[1232], region[104], country[8], handshake[48];
    bool portal_enabled, transferred_in, repurposed;
    char requested_by[256], approved_by[256];
    cm_instant requested_at, approved_at, activated_at, changed_at;
} cm_request;

/* What is requested. Texts: NULL or "" = not given. */
typedef struct cm_request_order {
    enum cm_link_kind kind;
    const char *payer, *account, *customer, *root_email, *nickname, *support_plan, *support_plan_group,
        *sales_reference, *role_arn, *external_id, *region, *country;
    bool portal_enabled, transferred_in;
    cm_instant billed_from_wanted; /* 0: the rule (N11) */
} cm_request_order;

/*
 * Checks a request against the catalog (and its Distributor of the lane, if there is one: P02, P03, P17) and stores it,
 * in its own transaction. REFUSED by a rule, whose id is in the text: O01 (no customer profile), O02, O03, O08-O10,
 * O14, O17, P03, P07, P17, N16; OPEN_REQUEST (the account already has one), LINK_CONTRADICTION (the catalog assigns it
 * to another customer). NOT_FOUND: no such payer.
 */
CM_NODISCARD bool cm_store_request_create(cm_pg *pg, const cm_catalog *catalog, const cm_request_order *order,
                                          cm_instant now, const char *by, const char *reason, int64_t *ret_id,
                                          cm_error *err);

CM_NODISCARD bool cm_store_request(cm_pg *pg, int64_t id, cm_request *ret, cm_error *err); /* NOT_FOUND */
/* The account's open request, otherwise its newest one. `payer` NULL: any. NOT_FOUND. */
CM_NODISCARD bool cm_store_request_of_account(cm_pg *pg, const char *payer, const char *account, cm_request *ret,
                                              cm_error *err);

/*
 * The only way to change a request: compare-and-set on `version` (CM_ANY_VERSION: whatever it is), cm_link_change,
 * history, audit, notifications. Automatic steps are done in the same transaction, each with its own row of history: an
 * approved account that is already under the payer is accepted, the role is requested, a link that lacks nothing
 * becomes active. *ret (may be NULL): the request afterwards. `_locked`: in the caller's transaction.
 */
CM_NODISCARD bool cm_store_request_change(cm_pg *pg, int64_t id, int64_t version, const cm_link_cause *cause,
                                          cm_request *ret, cm_error *err);
CM_NODISCARD bool cm_store_request_change_locked(cm_pg *pg, int64_t id, int64_t version, const cm_link_cause *cause,
                                                 cm_request *ret, cm_error *err);

/* Values to set without changing the state; absolute values, never increments. NULL: unchanged. */
typedef struct cm_request_patch {
    const char *nickname, *root_email, *support_plan, *support_plan_group, *sales_reference, *role_arn, *external_id,
        *country;
    const bool *role_waived, *mfa_confirmed, *portal_enabled;
    const cm_instant *billed_from_wanted; /* only before documents can exist: REFUSED when the link is active */
} cm_request_patch;
/* The customer changes the plan in AWS (P12); `support_plan` records what was reported (O16). Takes effect at once.
 * Runs in its own transaction. */
CM_NODISCARD bool cm_store_request_declare(cm_pg *pg, const cm_catalog *catalog, int64_t id, int64_t version,
                                           const cm_request_patch *patch, cm_instant now, const char *by,
                                           const char *reason, cm_request *ret, cm_error *err);

/* --- accounts as observed ---------------------------------------------------------------------------------------- */

typedef struct cm_account_seen {
    const char *payer, *lane, *account;
    const char *name, *root_email, *aws_state, *joined_method; /* NULL: not known (a report has none of them) */
    cm_instant joined_at;                                      /* AWS's time of joining; 0: not known */
    cm_instant first, last;                                    /* usage in a report, or the time of a listing */
} cm_account_seen;
/* Merges an observation into `account` (`first` keeps the earliest time, `last` the latest) and marks an approved or
 * invited request as a member. In the caller's transaction. If nothing is new, nothing is written or notified, except
 * `last` once a day. */
CM_NODISCARD bool cm_store_account_seen(cm_pg *pg, const cm_account_seen *seen, cm_instant now, const char *by,
                                        cm_error *err);
/* AWS no longer lists the account under the payer: its link starts off-boarding. In the caller's transaction. */
CM_NODISCARD bool cm_store_account_gone(cm_pg *pg, const char *payer, const char *account, cm_instant left,
                                        cm_instant now, const char *by, cm_error *err);

#endif
