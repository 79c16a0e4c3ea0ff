/*
 * Invitations: read what AWS has, track the state of ours, send the approved ones (O19-O21, N01). AWS forgets ended
 * invitations after 30 days; the table handshake does not.
 */
#include "sync/internal.h"

#include "base/log/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { AT_ONCE_MOST = 50 };

/* --- one handshake ----------------------------------------------------------------------------------------------- */

static bool keep_handshake(turn *t, const cm_org_handshake *h, const cm_request *r, cm_error *err)
{
    char request[24] = "", requested[CM_INSTANT_TEXT], expires[CM_INSTANT_TEXT], at[CM_INSTANT_TEXT];
    if (r)
        snprintf(request, sizeof request, "%" PRId64, r->id);
    cm_instant_print(h->requested_at ? h->requested_at : t->now, requested);
    const char *values[] = {h->id,
                            t->payer->id,
                            h->account,
                            h->email,
                            r ? request : NULL,
                            *h->action ? h->action : "INVITE",
                            h->state,
                            requested,
                            h->expires_at ? cm_instant_print(h->expires_at, expires) : NULL,
                            cm_instant_print(t->now, at),
                            cm_org_handshake_pending(h) ? NULL : at};
    return cm_pg_query(
        t->pg,
        "INSERT INTO handshake AS h (id, payer, account, email, request_id, action, state, requested_at, expires_at,"
        " first_seen, last_seen, ended_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10, $11)"
        " ON CONFLICT (id) DO UPDATE SET state = excluded.state, expires_at = excluded.expires_at,"
        " last_seen = excluded.last_seen, request_id = coalesce(h.request_id, excluded.request_id),"
        " ended_at = coalesce(h.ended_at, excluded.ended_at)",
        11, values, NULL, err);
}

static bool cause(turn *t, const cm_request *r, enum cm_link_event event, cm_instant aws_at, const char *handshake,
                  const char *reason, cm_error *err)
{
    enum cm_link_state to;
    if (!cm_link_next(r->link.kind, r->link.state, event, &to))
        return true; /* it has happened already, or a person decided otherwise */
    const cm_link_cause c = {.event = event,
                             .at = t->now,
                             .by = CM_ORG_SYNC_ACTOR,
                             .reason = reason,
                             .aws_at = aws_at,
                             .handshake = handshake};
    cm_error refused = {0};
    if (cm_store_request_change_locked(t->pg, r->id, CM_ANY_VERSION, &c, NULL, &refused))
        return true;
    if (refused.class ==
        CM_ERROR_REFUSED) { /* refused by the state machine: nothing was changed; needs manual review */
        cm_log_error(CM_WARN, "what AWS says of an invitation does not fit its request", &refused, "payer",
                     t->payer->id, NULL);
        return true;
    }
    if (err)
        *err = refused;
    return false;
}

/* When the account joined, according to AWS's list; 0: it is not a member. */
static bool joined_at(turn *t, const char *account, cm_instant *ret, cm_error *err)
{
    cm_rows *rows = NULL;
    if (!cm_pg_query(t->pg,
                     "SELECT (extract(epoch FROM coalesce(joined_at, first_seen)) * 1000000)::bigint FROM account"
                     " WHERE payer = $1 AND account = $2 AND left_at IS NULL",
                     2, (const char *[]){t->payer->id, account}, &rows, err))
        return false;
    *ret = cm_rows_count(rows) ? cm_rows_i64(rows, 0, 0) : 0;
    cm_rows_free(rows);
    return true;
}

static bool apply_end(turn *t, const cm_org_handshake *h, const cm_request *r, const char *reason, cm_error *err)
{
    static const struct {
        const char *state;
        enum cm_link_event event;
    } ends[] = {{"DECLINED", CM_LINK_DECLINE}, {"CANCELED", CM_LINK_CANCEL}, {"EXPIRED", CM_LINK_EXPIRE}};
    cm_instant joined = 0;
    if (strcmp(h->state, "ACCEPTED") ==
        0) { /* the list of accounts has the time; without the list, the next turn will have it */
        if (!joined_at(t, h->account, &joined, err))
            return false;
        return joined == 0 || cause(t, r, CM_LINK_ACCEPT, joined, NULL, reason, err);
    }
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (strcmp(h->state, ends[i].state) == 0)
            return cause(t, r, ends[i].event, 0, NULL, reason, err);
    return true; /* a state that we do not know: kept as it is */
}

/* The request of the invited account under this payer. *ret_found false: none. */
static bool find_request(turn *t, const char *account, cm_request *ret, bool *ret_found, cm_error *err)
{
    cm_error none = {0};
    *ret_found = *account && cm_store_request_of_account(t->pg, t->payer->id, account, ret, &none);
    if (*ret_found || !*account || none.class == CM_ERROR_NOT_FOUND)
        return true;
    if (err)
        *err = none;
    return false;
}

/* In a transaction: stores the handshake and updates its request. *ret_cancel: it is pending and no longer wanted. */
static bool follow_locked(turn *t, const cm_org_handshake *h, const char *reason, bool *ret_cancel, cm_error *err)
{
    cm_request r;
    bool found;
    if (!find_request(t, h->account, &r, &found, err) || !keep_handshake(t, h, found ? &r : NULL, err))
        return false;
    bool ours = found && strcmp(r.handshake, h->id) == 0;
    if (cm_org_handshake_pending(h)) {
        *ret_cancel = ours && (r.link.state == CM_LINK_CANCELLED || r.link.state == CM_LINK_WITHDRAWN);
        return !found || r.link.state != CM_LINK_APPROVED ||
               cause(t, &r, CM_LINK_INVITE, h->expires_at, h->id, "the invitation is in AWS's list", err);
    }
    return !ours || apply_end(t, h, &r, reason, err);
}

static bool follow(turn *t, const cm_org_handshake *h, const char *reason, bool *ret_cancel)
{
    bool done = cm_pg_begin(t->pg, &t->database) && follow_locked(t, h, reason, ret_cancel, &t->database) &&
                cm_pg_commit(t->pg, &t->database);
    if (!done)
        cm_pg_rollback(t->pg);
    return cm_turn_database(t, done);
}

/* --- what AWS lists ---------------------------------------------------------------------------------------------- */

static bool on_invitation(void *opaque, const cm_org_handshake *h, cm_error *err)
{
    turn *t = opaque;
    bool cancel = false;
    if (!follow(t, h, "as AWS says", &cancel))
        return cm_fail(err, CM_ERROR_RETRY, "DATABASE", "an invitation could not be stored");
    if (!cancel)
        return true;
    cm_org_handshake after;
    cm_error why = {0};
    if (!cm_org_cancel(t->access, h->id, &after, &why)) {
        if (cm_turn_failed(t, &why))
            return true; /* the rest of the list is still read */
        *err = why;
        return false;
    }
    return follow(t, &after, "cancelled by a person", &cancel) ||
           cm_fail(err, CM_ERROR_RETRY, "DATABASE", "an invitation could not be stored");
}

/* Our invitations that AWS no longer lists: the list of accounts decides. */
static bool settle_vanished(turn *t)
{
    char at[CM_INSTANT_TEXT];
    cm_rows *rows = NULL;
    if (!cm_turn_database(
            t, cm_pg_query(t->pg,
                           "SELECT id, account, email, action, (extract(epoch FROM requested_at) * 1000000)::bigint,"
                           " (extract(epoch FROM expires_at) * 1000000)::bigint FROM handshake"
                           " WHERE payer = $1 AND ended_at IS NULL AND last_seen < $2 ORDER BY id",
                           2, (const char *[]){t->payer->id, cm_instant_print(t->now, at)}, &rows, &t->database)))
        return false;
    bool done = true;
    for (int i = 0; done && i < cm_rows_count(rows); i++) {
        cm_org_handshake h = {.requested_at = cm_rows_i64(rows, i, 4), .expires_at = cm_rows_i64(rows, i, 5)};
        snprintf(h.id, sizeof h.id, "%s", cm_rows_text(rows, i, 0));
        snprintf(h.account, sizeof h.account, "%s", cm_rows_text(rows, i, 1));
        snprintf(h.email, sizeof h.email, "%s", cm_rows_text(rows, i, 2));
        snprintf(h.action, sizeof h.action, "%s", cm_rows_text(rows, i, 3));
        bool member = cm_turn_listed(t, h.account), cancel = false;
        bool over = h.expires_at && h.expires_at <= t->now;
        snprintf(h.state, sizeof h.state, "%s", member ? "ACCEPTED" : over ? "EXPIRED" : "CANCELED");
        done = follow(t, &h,
                      member ? "AWS no longer lists the invitation; the account is a member"
                             : "AWS no longer lists the invitation; the account is not a member",
                      &cancel);
    }
    cm_rows_free(rows);
    return done;
}

/* Is there anything to ask AWS about? Saves a call in every quiet turn. */
static bool wanted(turn *t, bool *ret)
{
    cm_rows *rows = NULL;
    if (!cm_turn_database(t, cm_pg_query(t->pg,
                                         "SELECT EXISTS (SELECT FROM handshake WHERE payer = $1 AND ended_at IS NULL)"
                                         " OR EXISTS (SELECT FROM link_request WHERE payer = $1 AND kind = 'link'"
                                         "   AND state IN ('approved', 'invited'))",
                                         1, (const char *[]){t->payer->id}, &rows, &t->database)))
        return false;
    *ret = cm_rows_bool(rows, 0, 0);
    cm_rows_free(rows);
    return true;
}

/* --- sending ----------------------------------------------------------------------------------------------------- */

static bool budget(turn *t, cm_invitation_budget *b)
{
    char since[CM_INSTANT_TEXT];
    cm_rows *rows = NULL;
    if (!cm_turn_database(t, cm_pg_query(t->pg,
                                         "SELECT (SELECT count(*) FROM handshake WHERE payer = $1 AND requested_at > "
                                         "$2 AND state <> 'ACCEPTED'),"
                                         " (SELECT count(*) FROM handshake WHERE payer = $1 AND ended_at IS NULL),"
                                         " (SELECT invitations_per_day FROM payer_organization WHERE payer = $1),"
                                         " (SELECT account_quota FROM payer_organization WHERE payer = $1)",
                                         2, (const char *[]){t->payer->id, cm_instant_print(t->now - CM_DAY, since)},
                                         &rows, &t->database)))
        return false;
    *b = (cm_invitation_budget){.sent = (int)cm_rows_i64(rows, 0, 0),
                                .open = (int)cm_rows_i64(rows, 0, 1),
                                .members = (int)t->listed_count,
                                .per_day = cm_rows_null(rows, 0, 2) ? t->sync->settings.invitations_per_day
                                                                    : (int)cm_rows_i64(rows, 0, 2),
                                .quota = cm_rows_null(rows, 0, 3) ? -1 : (int)cm_rows_i64(rows, 0, 3)};
    cm_rows_free(rows);
    cm_invitation_budget_count(b);
    return true;
}

/* Errors that concern this one account, not the payer. */
static bool of_the_account(const cm_aws_failure *refusal)
{
    static const char *const reasons[] = {"ALREADY_IN_AN_ORGANIZATION", "ORGANIZATION_FROM_DIFFERENT_SELLER_OF_RECORD",
                                          "TARGET_ACCOUNT_VALIDATION_FAILURE", NULL};
    for (const char *const *reason = reasons; *reason; reason++)
        if (strcmp(refusal->reason, *reason) == 0)
            return true;
    return strcmp(refusal->code, "DuplicateHandshakeException") == 0; /* the next turn's listing finds it */
}

/* False: no more in this turn. */
static bool send_one(turn *t, const char *account)
{
    cm_org_handshake h;
    cm_error err = {0};
    if (!cm_org_invite(t->access, account, NULL, &h, &err)) {
        if (err.class != CM_ERROR_REFUSED || !of_the_account(cm_aws_access_refusal(t->access))) {
            (void)cm_turn_failed(t, &err);
            return false;
        }
        cm_log_error(CM_WARN, "an account cannot be invited", &err, "payer", t->payer->id, NULL);
        if (t->refused.class == CM_ERROR_NONE)
            t->refused = err;
        return true;
    }
    if (!*h.account)
        snprintf(h.account, sizeof h.account, "%s", account);
    t->ret->invited++;
    bool cancel = false;
    return follow(t, &h, "invited", &cancel);
}

static bool send_approved(turn *t)
{
    cm_invitation_budget b;
    if (!budget(t, &b))
        return false;
    cm_rows *rows = NULL;
    if (!cm_turn_database(
            t, cm_pg_query(t->pg,
                           "SELECT account FROM link_request WHERE payer = $1 AND kind = 'link' AND state = 'approved'"
                           " AND account <> '' ORDER BY approved_at, id",
                           1, (const char *[]){t->payer->id}, &rows, &t->database)))
        return false;
    int waiting = cm_rows_count(rows), most = b.left < AT_ONCE_MOST ? b.left : AT_ONCE_MOST;
    bool go_on = true;
    for (int i = 0; go_on && i < waiting && i < most; i++)
        go_on = send_one(t, cm_rows_text(rows, i, 0));
    cm_rows_free(rows);
    if (waiting > b.left)
        cm_log(CM_INFO, "invitations wait until the daily limit allows them", "payer", t->payer->id, "waiting",
               cm_log_i64(waiting - b.left), "bound_by", b.bound_by, NULL);
    return !t->database_failed;
}

bool cm_turn_invitations(turn *t)
{
    bool ask;
    if (!wanted(t, &ask))
        return false;
    if (!ask)
        return true;
    cm_error err = {0};
    bool whole = cm_org_list_invitations(t->access, on_invitation, t, &err);
    if (t->database_failed)
        return false;
    if (!whole)
        return cm_turn_failed(t, &err);
    /* Both lists are complete, so what they lack does not exist. Only then may anything be sent. */
    return !t->accounts_whole || (settle_vanished(t) && send_approved(t));
}
