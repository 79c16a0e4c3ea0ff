#include "store/ledgers/unbilled_store.h"

#include "base/json/json.h"
#include "store/audit/audit.h"

#include <stdlib.h>
#include <string.h>

/* --- what is unbilled -------------------------------------------------------------------------------------------- */

/* $1 payer, $2 month. An amount that has become smaller since it was acknowledged needs nobody again. */
static const char money_sql[] =
    "WITH money AS (SELECT s.account, s.reason, s.currency, sum(s.lines + s.derived_lines) AS lines, sum(s.payer_amount) AS amount"
    "   FROM newest_run n JOIN run r ON r.id = n.run_id AND (r.suspended_lines > 0 OR r.derived_lines > 0)"
    "   JOIN charge s ON s.period = $2 AND s.run_id = n.run_id WHERE n.payer = $1 AND n.period = $2 AND s.class = "
    "'suspended'"
    "   AND (s.payer_amount <> 0 OR s.list_amount <> 0 OR s.reason = 'NO_LIST_PRICE') GROUP BY 1, 2, 3),"
    " known AS (SELECT account, reason, currency, sum(amount) AS amount FROM unbilled WHERE payer = $1 AND period = $2"
    "   GROUP BY 1, 2, 3)"
    " SELECT account, reason, currency, m.lines, m.amount, CASE WHEN k.amount IS NULL THEN m.amount"
    "   WHEN sign(m.amount) IN (0, sign(k.amount)) AND abs(m.amount) <= abs(k.amount) THEN 0 ELSE m.amount - k.amount END,"
    " k.amount IS NOT NULL AND sign(m.amount) IN (0, sign(k.amount)) AND abs(m.amount) <= abs(k.amount)"
    " FROM money m LEFT JOIN known k USING (account, reason, currency) ORDER BY account, reason, currency";

bool cm_store_unbilled_money(cm_pg *pg, const char *payer, const char *month, json_t **ret, cm_error *err)
{
    cm_rows *rows = NULL;
    *ret = NULL;
    if (!cm_pg_query(pg, money_sql, 2, (const char *[]){payer, month}, &rows, err))
        return false;
    *ret = json_array();
    for (int i = 0; i < cm_rows_count(rows); i++)
        json_array_append_new(*ret, json_pack("{s:s, s:s, s:s, s:I, s:o, s:o, s:b}", "account",
                                              cm_rows_text(rows, i, 0), "reason", cm_rows_text(rows, i, 1), "currency",
                                              cm_rows_text(rows, i, 2), "lines", (json_int_t)cm_rows_i64(rows, i, 3),
                                              "amount", cm_json_decimal(cm_rows_decimal(rows, i, 4)), "unacknowledged",
                                              cm_json_decimal(cm_rows_decimal(rows, i, 5)), "acknowledged",
                                              cm_rows_bool(rows, i, 6)));
    cm_rows_free(rows);
    return true;
}

bool cm_unbilled_is_acknowledged(const json_t *money)
{
    return json_is_true(json_object_get(money, "acknowledged"));
}

void cm_unbilled_print(const json_t *money, bool unacknowledged_only, cm_buffer *ret)
{
    size_t i;
    const json_t *one;
    bool any = false;
    json_array_foreach (money, i, one) {
        if (unacknowledged_only && cm_unbilled_is_acknowledged(one))
            continue;
        cm_buffer_printf(ret, "%saccount %s: %lld lines, %s %s, %s", any ? "; " : "",
                         cm_json_member_text(one, "account"),
                         (long long)json_integer_value(json_object_get(one, "lines")),
                         cm_json_member_text(one, unacknowledged_only ? "unacknowledged" : "amount"),
                         cm_json_member_text(one, "currency"), cm_json_member_text(one, "reason"));
        any = true;
    }
}

/* --- the ledger -------------------------------------------------------------------------------------------------- */

static bool audit(cm_pg *pg, const char *payer, const char *month, const char *action, const char *detail,
                  cm_instant now, const char *by, const char *reason, cm_error *err)
{
    char object[64];
    snprintf(object, sizeof object, "period:%s/%s", payer, month);
    return cm_store_audit(pg, now, by, action, object, reason, detail, err);
}

bool cm_store_unbilled_acknowledge(cm_pg *pg, const char *payer, const char *lane, const char *month,
                                   const json_t *money, cm_instant now, const char *by, const char *reason,
                                   cm_error *err)
{
    char at[CM_INSTANT_TEXT];
    json_t *entered = json_array(), *one;
    size_t i;
    json_array_foreach (money, i, one) {
        if (!cm_unbilled_is_acknowledged(one))
            json_array_append(entered, one);
    }
    if (json_array_size(entered) == 0) {
        json_decref(entered);
        return true;
    }
    char *rows = json_dumps(entered, JSON_COMPACT);
    json_t *about = json_pack("{s:o}", "amounts", entered);
    char *detail = json_dumps(about, JSON_COMPACT);
    const char *values[] = {payer, month, lane, rows, cm_instant_print(now, at), by, reason};
    bool done = cm_pg_query(pg,
                            "INSERT INTO unbilled (payer, period, lane, account, reason, currency, amount, lines, "
                            "acknowledged_at, acknowledged_by, acknowledged_reason)"
                            " SELECT $1, $2, $3, account, reason, currency, unacknowledged, lines, $5, $6, $7"
                            " FROM jsonb_to_recordset($4::jsonb) x (account text, reason text, currency text, "
                            "unacknowledged numeric, lines bigint) ORDER BY account, reason, currency",
                            7, values, NULL, err) &&
                audit(pg, payer, month, "unbilled.acknowledged", detail, now, by, reason, err);
    free(rows);
    free(detail);
    json_decref(about);
    return done;
}

bool cm_store_unbilled_take_back(cm_pg *pg, const char *payer, const char *month, cm_instant now, const char *by,
                                 const char *reason, cm_error *err)
{
    cm_rows *rows = NULL;
    if (!cm_pg_query(
            pg,
            "WITH gone AS (DELETE FROM unbilled WHERE payer = $1 AND period = $2 RETURNING *)"
            " SELECT count(*), jsonb_build_object('amounts', jsonb_agg(jsonb_build_object('id', id, 'account', "
            "account, 'reason', reason, 'currency', currency, 'amount', trim_scale(amount)::text, 'state', "
            "state) ORDER BY id)) FROM gone",
            2, (const char *[]){payer, month}, &rows, err))
        return false;
    bool done = cm_rows_i64(rows, 0, 0) == 0 ||
                audit(pg, payer, month, "unbilled.taken_back", cm_rows_text(rows, 0, 1), now, by, reason, err);
    cm_rows_free(rows);
    return done;
}

/* Billed: the account's charges are the customers', and no line of it is suspended for that reason any more. */
bool cm_store_unbilled_billed(cm_pg *pg, const char *month, const char *runs, const char *customers,
                              const char *statement, cm_instant now, const char *by, cm_error *err)
{
    char at[CM_INSTANT_TEXT];
    const char *values[] = {month, runs, customers, statement, cm_instant_print(now, at), by};
    return cm_pg_query(
        pg,
        "UPDATE unbilled u SET state = 'billed', statement_id = $4, closed_at = $5, closed_by = $6"
        " WHERE u.state = 'open' AND u.period = $1 AND EXISTS (SELECT FROM run r JOIN charge h ON h.period = $1 AND "
        "h.run_id = r.id WHERE r.id = ANY ($2::text[]) AND r.payer = u.payer AND h.account = u.account"
        "   AND h.currency = u.currency AND h.class <> 'suspended' AND h.customer = ANY ($3::text[]))"
        " AND NOT EXISTS (SELECT FROM run r JOIN charge h ON h.period = $1 AND h.run_id = r.id WHERE r.id = ANY "
        "($2::text[]) AND r.payer = u.payer AND h.account = u.account AND h.currency = u.currency"
        "   AND h.class = 'suspended' AND h.reason = u.reason)",
        6, values, NULL, err);
}

static bool write_off_locked(cm_pg *pg, const char *id, cm_instant now, const char *by, const char *reason,
                             cm_error *err)
{
    char at[CM_INSTANT_TEXT];
    const char *values[] = {id, cm_instant_print(now, at), by, reason};
    cm_rows *rows = NULL;
    if (!cm_pg_query(pg,
                     "SELECT state, payer, period, jsonb_build_object('id', id, 'account', account, 'reason', reason,"
                     " 'currency', currency, 'amount', trim_scale(amount)::text) FROM unbilled WHERE id = $1::bigint "
                     "FOR UPDATE",
                     1, values, &rows, err))
        return false;
    bool done;
    if (cm_rows_count(rows) == 0)
        done = cm_fail(err, CM_ERROR_NOT_FOUND, "NO_ENTRY",
                       "the unbilled ledger has no entry %s; see `curmill unbilled list`", id);
    else if (strcmp(cm_rows_text(rows, 0, 0), "open") != 0)
        done =
            cm_fail(err, CM_ERROR_REFUSED, "UNBILLED_STATE",
                    "entry %s of the unbilled ledger is %s already; nothing was done (`curmill unbilled list --all`)",
                    id, strcmp(cm_rows_text(rows, 0, 0), "billed") == 0 ? "billed" : "written off");
    else
        done = cm_pg_query(pg,
                           "UPDATE unbilled SET state = 'written_off', closed_at = $2, closed_by = $3, closed_reason "
                           "= $4 WHERE id = $1::bigint",
                           4, values, NULL, err) &&
               audit(pg, cm_rows_text(rows, 0, 1), cm_rows_text(rows, 0, 2), "unbilled.written_off",
                     cm_rows_text(rows, 0, 3), now, by, reason, err);
    cm_rows_free(rows);
    return done;
}

bool cm_store_unbilled_write_off(cm_pg *pg, const char *id, cm_instant now, const char *by, const char *reason,
                                 cm_error *err)
{
    bool done = cm_pg_begin(pg, err) && write_off_locked(pg, id, now, by, reason, err) && cm_pg_commit(pg, err);
    if (!done)
        cm_pg_rollback(pg);
    return done;
}
