/* Rows of link_request: loading, saving, history. */
#include "store/accounts/request_internal.h"
#include "store/audit/audit.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MICROS(column) "(extract(epoch FROM " column ") * 1000000)::bigint"
/* clang-format off */
#define COLUMNS                                                                                                        \
    "id, kind, state, version, payer, lane, model, account, customer, root_email, nickname, support_plan,"             \
    " support_plan_group, sales_reference, role_arn, external_id, region, country, portal_enabled, transferred_in,"    \
    " repurposed, role_required, role_waived, role_verdict, mfa_confirmed, handshake, requested_by, approved_by, "     \
    MICROS("invited_at") ", " MICROS("remind_at") ", " MICROS("expires_at") ", " MICROS("liable_from") ", "            \
    MICROS("billed_from") ", " MICROS("billed_from_wanted") ", " MICROS("left_at") ", " MICROS("billed_until") ", "    \
    MICROS("requested_at") ", " MICROS("approved_at") ", " MICROS("activated_at") ", " MICROS("changed_at")
/* clang-format on */
enum {
    ID,
    KIND,
    STATE,
    VERSION,
    PAYER,
    LANE,
    MODEL,
    ACCOUNT,
    CUSTOMER,
    ROOT_EMAIL,
    NICKNAME,
    SUPPORT_PLAN,
    SUPPORT_PLAN_GROUP,
    SALES_REFERENCE,
    ROLE_ARN,
    EXTERNAL_ID,
    REGION,
    COUNTRY,
    PORTAL_ENABLED,
    TRANSFERRED_IN,
    REPURPOSED,
    ROLE_REQUIRED,
    ROLE_WAIVED,
    ROLE_VERDICT,
    MFA_CONFIRMED,
    HANDSHAKE,
    REQUESTED_BY,
    APPROVED_BY,
    INVITED_AT,
    REMIND_AT,
    EXPIRES_AT,
    LIABLE_FROM,
    BILLED_FROM,
    BILLED_FROM_WANTED,
    LEFT_AT,
    BILLED_UNTIL,
    REQUESTED_AT,
    APPROVED_AT,
    ACTIVATED_AT,
    CHANGED_AT
};

const char *cm_instant_or_null(cm_instant at, char into[static CM_INSTANT_TEXT])
{
    return at ? cm_instant_print(at, into) : NULL;
}

cm_instant cm_rows_instant(const cm_rows *rows, int row, int column)
{
    return cm_rows_null(rows, row, column) ? 0 : cm_rows_i64(rows, row, column);
}

#define TEXT(into, column) snprintf(into, sizeof(into), "%s", cm_rows_text(rows, 0, column))

static bool read_request(const cm_rows *rows, cm_request *r, cm_error *err)
{
    cm_account_link *link = &r->link;
    memset(r, 0, sizeof *r);
    r->id = cm_rows_i64(rows, 0, ID);
    r->model = cm_payer_model_find(cm_rows_text(rows, 0, MODEL));
    if (!r->model || !cm_link_kind_parse(cm_rows_text(rows, 0, KIND), &link->kind) ||
        !cm_link_state_parse(cm_rows_text(rows, 0, STATE), &link->state) ||
        !cm_role_verdict_parse(cm_rows_text(rows, 0, ROLE_VERDICT), &link->role))
        return cm_fail(
            err, CM_ERROR_BUG, "BAD_REQUEST",
            "request %" PRId64
            " has a kind, state, verdict or model that this version does not know; was it written by a newer version?",
            r->id);
    link->version = cm_rows_i64(rows, 0, VERSION);
    TEXT(link->account, ACCOUNT), TEXT(link->support_plan, SUPPORT_PLAN),
        TEXT(link->support_plan_group, SUPPORT_PLAN_GROUP);
    TEXT(r->payer, PAYER), TEXT(r->lane, LANE), TEXT(r->customer, CUSTOMER), TEXT(r->root_email, ROOT_EMAIL),
        TEXT(r->nickname, NICKNAME);
    TEXT(r->sales_reference, SALES_REFERENCE), TEXT(r->role_arn, ROLE_ARN), TEXT(r->external_id, EXTERNAL_ID),
        TEXT(r->region, REGION);
    TEXT(r->country, COUNTRY), TEXT(r->handshake, HANDSHAKE), TEXT(r->requested_by, REQUESTED_BY),
        TEXT(r->approved_by, APPROVED_BY);
    r->portal_enabled = cm_rows_bool(rows, 0, PORTAL_ENABLED),
    r->transferred_in = cm_rows_bool(rows, 0, TRANSFERRED_IN);
    r->repurposed = cm_rows_bool(rows, 0, REPURPOSED), link->role_required = cm_rows_bool(rows, 0, ROLE_REQUIRED);
    link->role_waived = cm_rows_bool(rows, 0, ROLE_WAIVED), link->mfa_confirmed = cm_rows_bool(rows, 0, MFA_CONFIRMED);
    link->invited_at = cm_rows_instant(rows, 0, INVITED_AT), link->remind_at = cm_rows_instant(rows, 0, REMIND_AT);
    link->expires_at = cm_rows_instant(rows, 0, EXPIRES_AT), link->liable_from = cm_rows_instant(rows, 0, LIABLE_FROM);
    link->billed_from = cm_rows_instant(rows, 0, BILLED_FROM),
    link->billed_from_wanted = cm_rows_instant(rows, 0, BILLED_FROM_WANTED);
    link->left_at = cm_rows_instant(rows, 0, LEFT_AT), link->billed_until = cm_rows_instant(rows, 0, BILLED_UNTIL);
    r->requested_at = cm_rows_instant(rows, 0, REQUESTED_AT), r->approved_at = cm_rows_instant(rows, 0, APPROVED_AT);
    r->activated_at = cm_rows_instant(rows, 0, ACTIVATED_AT), r->changed_at = cm_rows_instant(rows, 0, CHANGED_AT);
    return true;
}

static bool load(cm_pg *pg, const char *sql, int count, const char *const *values, const char *what, cm_request *ret,
                 cm_error *err)
{
    cm_rows *rows = NULL;
    if (!cm_pg_query(pg, sql, count, values, &rows, err))
        return false;
    bool found = cm_rows_count(rows) > 0 ? read_request(rows, ret, err)
                                         : cm_fail(err, CM_ERROR_NOT_FOUND, "NO_REQUEST",
                                                   "there is no %s; see `curmill request list`", what);
    cm_rows_free(rows);
    return found;
}

static bool load_by_id(cm_pg *pg, const char *sql, int64_t id, cm_request *ret, cm_error *err)
{
    char text[24], what[48];
    snprintf(text, sizeof text, "%" PRId64, id);
    snprintf(what, sizeof what, "request %s", text);
    return load(pg, sql, 1, (const char *[]){text}, what, ret, err);
}

bool cm_store_request(cm_pg *pg, int64_t id, cm_request *ret, cm_error *err)
{
    return load_by_id(pg, "SELECT " COLUMNS " FROM link_request WHERE id = $1", id, ret, err);
}

bool cm_request_lock(cm_pg *pg, int64_t id, cm_request *ret, cm_error *err)
{
    return load_by_id(pg, "SELECT " COLUMNS " FROM link_request WHERE id = $1 FOR UPDATE", id, ret, err);
}

bool cm_store_request_of_account(cm_pg *pg, const char *payer, const char *account, cm_request *ret, cm_error *err)
{
    char what[64];
    snprintf(what, sizeof what, "request for account %.20s", account);
    return load(
        pg,
        "SELECT " COLUMNS " FROM link_request WHERE account = $1 AND ($2::text IS NULL OR payer = $2)"
        " ORDER BY state IN ('rejected', 'withdrawn', 'cancelled', 'declined', 'expired', 'left'), id DESC LIMIT 1",
        2, (const char *[]){account, payer}, what, ret, err);
}

static const char *yes_no(bool yes)
{
    return yes ? "true" : "false";
}

bool cm_request_save(cm_pg *pg, const cm_request *r, int64_t before, cm_instant now, cm_error *err)
{
    const cm_account_link *link = &r->link;
    char id[24], version[24], old[24], at[11][CM_INSTANT_TEXT];
    cm_rows *rows = NULL;
    snprintf(id, sizeof id, "%" PRId64, r->id), snprintf(version, sizeof version, "%" PRId64, link->version);
    snprintf(old, sizeof old, "%" PRId64, before);
    const char *values[] = {id,
                            old,
                            version,
                            cm_link_state_name(link->state),
                            link->account,
                            link->support_plan,
                            link->support_plan_group,
                            r->root_email,
                            r->nickname,
                            r->sales_reference,
                            r->role_arn,
                            r->external_id,
                            r->country,
                            r->handshake,
                            yes_no(r->portal_enabled),
                            yes_no(link->role_waived),
                            cm_role_verdict_name(link->role),
                            yes_no(link->mfa_confirmed),
                            cm_instant_or_null(link->invited_at, at[0]),
                            cm_instant_or_null(link->remind_at, at[1]),
                            cm_instant_or_null(link->expires_at, at[2]),
                            cm_instant_or_null(link->liable_from, at[3]),
                            cm_instant_or_null(link->billed_from, at[4]),
                            cm_instant_or_null(link->billed_from_wanted, at[5]),
                            cm_instant_or_null(link->left_at, at[6]),
                            cm_instant_or_null(link->billed_until, at[7]),
                            cm_instant_or_null(r->approved_at, at[8]),
                            r->approved_by,
                            cm_instant_or_null(r->activated_at, at[9]),
                            cm_instant_print(now, at[10])};
    if (!cm_pg_query(pg,
                     "UPDATE link_request SET version = $3, state = $4, account = $5, support_plan = $6, "
                     "support_plan_group = $7, root_email = $8,"
                     " nickname = $9, sales_reference = $10, role_arn = $11, external_id = $12, country = $13, "
                     "handshake = $14, portal_enabled = $15,"
                     " role_waived = $16, role_verdict = $17, mfa_confirmed = $18, invited_at = $19, remind_at = $20, "
                     "expires_at = $21,"
                     " liable_from = $22, billed_from = $23, billed_from_wanted = $24, left_at = $25, billed_until = "
                     "$26, approved_at = $27,"
                     " approved_by = $28, activated_at = $29, changed_at = $30 WHERE id = $1 AND version = $2",
                     sizeof values / sizeof *values, values, &rows, err))
        return false;
    bool written = cm_rows_affected(rows) == 1;
    cm_rows_free(rows);
    cm_assert(written); /* the row is locked */
    return true;
}

/* I17, I18: the event and the resulting state. */
bool cm_request_history(cm_pg *pg, const cm_request *r, const char *event, const char *from, cm_instant now,
                        const char *by, const char *reason, const char *detail, cm_error *err)
{
    char id[24], version[24], at[CM_INSTANT_TEXT], action[48], object[48];
    snprintf(id, sizeof id, "%" PRId64, r->id), snprintf(version, sizeof version, "%" PRId64, r->link.version);
    snprintf(action, sizeof action, "request.%s", event), snprintf(object, sizeof object, "request:%s", id);
    const char *values[] = {id,
                            version,
                            cm_instant_print(now, at),
                            by,
                            event,
                            from,
                            cm_link_state_name(r->link.state),
                            reason ? reason : "",
                            detail ? detail : "{}"};
    return cm_pg_query(
               pg,
               "INSERT INTO link_history (request_id, version, at, actor, event, from_state, to_state, reason, detail)"
               " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
               9, values, NULL, err) &&
           cm_store_audit(pg, now, by, action, object, reason ? reason : "", detail, err);
}
