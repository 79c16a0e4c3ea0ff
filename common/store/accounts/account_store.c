/* Accounts as observed in reports and by AWS Organizations. */
#include "store/accounts/request_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Requests that wait for this account to join the payer. */
static bool update_request(cm_pg *pg, const char *payer, const char *account, enum cm_link_event event,
                           cm_instant aws_at, cm_instant now, const char *by, const char *reason, cm_error *err)
{
    cm_request r;
    cm_error none = {0};
    enum cm_link_state to;
    if (!cm_store_request_of_account(pg, payer, account, &r, &none)) {
        if (none.class == CM_ERROR_NOT_FOUND)
            return true;
        if (err)
            *err = none;
        return false;
    }
    if (!cm_link_next(r.link.kind, r.link.state, event, &to))
        return true;
    const cm_link_cause cause = {.event = event, .at = now, .by = by, .reason = reason, .aws_at = aws_at};
    return cm_store_request_change_locked(pg, r.id, CM_ANY_VERSION, &cause, NULL, err);
}

/* A report shows only usage; AWS knows when the account joined, so liable_from is AWS's time. An account that is
 * already billed keeps its month. */
static bool correct_joining(cm_pg *pg, const cm_account_seen *s, cm_instant now, const char *by, cm_error *err)
{
    cm_request r;
    cm_error none = {0};
    cm_instant joined = s->joined_at;
    if (!joined)
        return true;
    if (!cm_store_request_of_account(pg, s->payer, s->account, &r, &none)) {
        if (none.class == CM_ERROR_NOT_FOUND)
            return true;
        if (err)
            *err = none;
        return false;
    }
    if (r.link.kind != CM_LINK_EXISTING || !cm_link_state_is_member(r.link.state))
        return true;
    if (!cm_request_lock(pg, r.id, &r, err) || !cm_request_not_before_last(pg, &r, &joined, err))
        return false;
    if (r.link.liable_from == joined)
        return true;
    r.link.liable_from = joined;
    if (!r.activated_at && !r.link.billed_from_wanted)
        r.link.billed_from = cm_link_billed_from(r.link.kind, joined); /* N11 */
    r.link.version++;
    return cm_request_save(pg, &r, r.link.version - 1, now, err) &&
           cm_request_history(pg, &r, "joined", cm_link_state_name(r.link.state), now, by,
                              "AWS reports when the account joined", NULL, err);
}

bool cm_store_account_seen(cm_pg *pg, const cm_account_seen *s, cm_instant now, const char *by, cm_error *err)
{
    char joined[CM_INSTANT_TEXT], first[CM_INSTANT_TEXT], last[CM_INSTANT_TEXT];
    cm_rows *rows = NULL;
    const char *values[] = {s->payer,
                            s->account,
                            s->lane,
                            s->name,
                            s->root_email,
                            s->aws_state,
                            s->joined_method,
                            cm_instant_or_null(s->joined_at, joined),
                            cm_instant_print(s->first, first),
                            cm_instant_print(s->last, last)};
    if (!cm_rule_account_id(s->account, err))
        return false;
    if (!cm_pg_query(
            pg,
            "INSERT INTO account AS a (payer, account, lane, name, root_email, aws_state, joined_method, joined_at, "
            "first_seen, last_seen)"
            " VALUES ($1, $2, $3, coalesce($4, ''), coalesce($5, ''), coalesce($6, ''), coalesce($7, ''), $8, $9, $10)"
            " ON CONFLICT (payer, account) DO UPDATE SET name = coalesce($4, a.name), root_email = coalesce($5, "
            "a.root_email),"
            " aws_state = coalesce($6, a.aws_state), joined_method = coalesce($7, a.joined_method),"
            " joined_at = coalesce($8::timestamptz, a.joined_at), first_seen = least(a.first_seen, $9::timestamptz),"
            " last_seen = greatest(a.last_seen, $10::timestamptz),"
            " left_at = CASE WHEN a.left_at < $10::timestamptz AND $6::text IS NOT NULL THEN NULL ELSE a.left_at END"
            " WHERE (coalesce($4, a.name), coalesce($5, a.root_email), coalesce($6, a.aws_state), coalesce($7, "
            "a.joined_method))"
            "   IS DISTINCT FROM (a.name, a.root_email, a.aws_state, a.joined_method) OR coalesce($8::timestamptz, "
            "a.joined_at) IS DISTINCT FROM a.joined_at"
            " OR $9::timestamptz < a.first_seen OR $10::timestamptz >= a.last_seen + interval '1 day'"
            " OR (a.left_at < $10::timestamptz AND $6::text IS NOT NULL) RETURNING 1",
            10, values, &rows, err))
        return false;
    bool changed = cm_rows_count(rows) > 0;
    cm_rows_free(rows);
    return !changed ||
           (update_request(pg, s->payer, s->account, CM_LINK_MEMBER_SEEN, s->joined_at ? s->joined_at : s->first, now,
                           by, "the account was seen under the payer", err) &&
            correct_joining(pg, s, now, by, err));
}

bool cm_store_account_gone(cm_pg *pg, const char *payer, const char *account, cm_instant left, cm_instant now,
                           const char *by, cm_error *err)
{
    char at[CM_INSTANT_TEXT];
    cm_rows *rows = NULL;
    if (!cm_pg_query(
            pg, "UPDATE account SET left_at = $3 WHERE payer = $1 AND account = $2 AND left_at IS NULL RETURNING 1", 3,
            (const char *[]){payer, account, cm_instant_print(left, at)}, &rows, err))
        return false;
    bool changed = cm_rows_count(rows) > 0;
    cm_rows_free(rows);
    return !changed || update_request(pg, payer, account, CM_LINK_GONE, left, now, by,
                                      "AWS no longer lists the account under the payer", err);
}
