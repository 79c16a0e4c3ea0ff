/* Reminders, off-boarding gates, monthly duties, the gap. */
#include "store/accounts/offboarding_store.h"

#include "store/accounts/request_internal.h"
#include "store/audit/audit.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TIME(column) "to_char(" column ", 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"

/* --- what is due by date ----------------------------------------------------------------------------------------- */

static bool remind(cm_pg *pg, const cm_request *r, cm_instant now, cm_error *err)
{
    char body[512], until[CM_INSTANT_TEXT], sent[CM_INSTANT_TEXT];
    snprintf(body, sizeof body,
             "The invitation of account %s to payer %s (customer %s) was sent at %s and is not answered; AWS ends it "
             "at %s. Ask the account's owner to"
             " accept it, or cancel the request.",
             r->link.account, r->payer, r->customer, cm_instant_print(r->link.invited_at, sent),
             cm_instant_print(r->link.expires_at, until));
    return cm_notify_people(pg, r, "INVITATION_REMINDER", "reseller", "An invitation has waited for two weeks", body,
                            now, err);
}

/* Is it still due, now that the row is locked? */
static bool due_locked(cm_pg *pg, int64_t id, cm_instant now, const char *by, int *ret_done, cm_error *err)
{
    cm_request r;
    cm_rows *rows = NULL;
    char text[24];
    if (!cm_request_lock(pg, id, &r, err) || r.link.state != CM_LINK_INVITED)
        return err->class == CM_ERROR_NONE;
    if (r.link.expires_at && r.link.expires_at <= now) {
        const cm_link_cause cause = {
            .event = CM_LINK_EXPIRE, .at = now, .by = by, .reason = "AWS's ExpirationTimestamp has passed"};
        ++*ret_done;
        return cm_store_request_change_locked(pg, id, CM_ANY_VERSION, &cause, NULL, err);
    }
    snprintf(text, sizeof text, "%" PRId64, id);
    if (!cm_pg_query(pg, "SELECT FROM notification WHERE request_id = $1 AND code = 'INVITATION_REMINDER'", 1,
                     (const char *[]){text}, &rows, err))
        return false;
    bool reminded = cm_rows_count(rows) > 0;
    cm_rows_free(rows);
    if (reminded || now < r.link.remind_at)
        return true;
    ++*ret_done;
    return remind(pg, &r, now, err);
}

bool cm_store_requests_due(cm_pg *pg, const char *lane, cm_instant now, const char *by, int *ret_done, cm_error *err)
{
    char at[CM_INSTANT_TEXT];
    cm_rows *rows = NULL;
    *ret_done = 0;
    if (!cm_pg_query(pg,
                     "SELECT r.id FROM link_request r WHERE r.state = 'invited' AND ($1::text IS NULL OR r.lane = $1) "
                     "AND (r.expires_at <= $2 OR"
                     " (r.remind_at <= $2 AND NOT EXISTS (SELECT FROM notification n WHERE n.request_id = r.id AND "
                     "n.code = 'INVITATION_REMINDER')))"
                     " ORDER BY r.id",
                     2, (const char *[]){lane, cm_instant_print(now, at)}, &rows, err))
        return false;
    bool done = true;
    for (int i = 0; done && i < cm_rows_count(rows); i++) {
        cm_error own = {0};
        done = cm_pg_begin(pg, &own) && due_locked(pg, cm_rows_i64(rows, i, 0), now, by, ret_done, &own) &&
               cm_pg_commit(pg, &own);
        if (!done) {
            cm_pg_rollback(pg);
            if (err)
                *err = own;
        }
    }
    cm_rows_free(rows);
    return done;
}

/* --- gates --- */

static const cm_payer_gate *find_gate(const cm_payer_model *model, const char *name)
{
    for (const cm_payer_gate *gate = model->offboarding_gates; gate->code; gate++) {
        if (strcmp(gate->code, name) == 0)
            return gate;
    }
    return NULL;
}

/* O33: all charges of the account are on issued documents, and an operator confirms that nothing is owed. */
static bool check_balance(cm_pg *pg, const cm_request *r, const cm_gate_order *order, cm_error *err)
{
    cm_rows *rows = NULL;
    char text[CM_DECIMAL_TEXT];
    if (!order->amount)
        return cm_fail(err, CM_ERROR_REFUSED, "BALANCE_NOT_ZERO",
                       "say what is still owed to the distributor for the account: --amount; 0 opens the gate (O33)");
    if (!cm_decimal_is_zero(*order->amount)) {
        cm_decimal_print(*order->amount, text);
        return cm_fail(err, CM_ERROR_REFUSED, "BALANCE_NOT_ZERO",
                       "%s is still owed; the balance must be 0 before the account can leave (O33)", text);
    }
    if (!cm_pg_query(pg,
                     "SELECT DISTINCT c.period FROM current_run c JOIN charge h ON h.period = c.period AND h.run_id = "
                     "c.run_id WHERE c.payer = $1"
                     " AND h.account = $2 AND h.customer = $3 AND h.class <> 'suspended' AND NOT EXISTS (SELECT FROM "
                     "statement s WHERE s.lane = c.lane"
                     "   AND s.period = c.period AND s.kind = 'statement' AND s.state IN ('issued', 'void') AND "
                     "s.customers @> ARRAY[h.customer]"
                     "   AND c.payer = ANY (s.payers)) ORDER BY 1 LIMIT 1",
                     3, (const char *[]){r->payer, r->link.account, r->customer}, &rows, err))
        return false;
    bool billed =
        cm_rows_count(rows) == 0 ||
        cm_fail(err, CM_ERROR_REFUSED, "NOT_BILLED",
                "charges of %s are not on an issued document yet (O33); see `curmill statement list --period %s`",
                cm_rows_text(rows, 0, 0), cm_rows_text(rows, 0, 0));
    cm_rows_free(rows);
    return billed;
}

static bool is_item(const cm_payer_model *model, const cm_payer_gate *gate, const char *item)
{
    if (!gate->each_role)
        return !*item;
    for (const char *const *role = model->roles_to_remove; *role; role++) {
        if (strcmp(*role, item) == 0)
            return true;
    }
    return false;
}

static bool check_gate(cm_pg *pg, const cm_request *r, const cm_gate_order *order, cm_error *err)
{
    const cm_payer_gate *gate = find_gate(r->model, order->gate);
    if (r->link.state != CM_LINK_OFFBOARDING)
        return cm_fail(
            err, CM_ERROR_REFUSED, "LINK_STATE",
            "the account is %s; only an account that is leaving has gates: start with `curmill account offboard %s --version N --by WHO --reason TEXT`",
            cm_link_state_name(r->link.state), r->link.account);
    if (!gate)
        return cm_fail(err, CM_ERROR_REFUSED, "NO_GATE", "there is no gate \"%s\": see `curmill account show %s`",
                       order->gate, r->link.account);
    if (!is_item(r->model, gate, order->item))
        return cm_fail(err, CM_ERROR_REFUSED, "NO_GATE", "gate %s can only be opened %s", gate->code,
                       gate->each_role
                           ? "for one role or policy at a time, by its name: --item (`account show` lists them)"
                           : "without --item");
    if (!order->evidence || !*order->evidence)
        return cm_fail(err, CM_ERROR_REFUSED, "NO_EVIDENCE", "a gate needs evidence to open (%s): --evidence TEXT",
                       gate->what);
    if (gate->each_role && r->model->role_name && strcmp(r->model->role_name, order->item) == 0 &&
        r->link.role == CM_ROLE_VALID && *r->role_arn)
        return cm_fail(err, CM_ERROR_REFUSED, "ROLE_STILL_THERE",
                       "role %s could still be used at the last attempt; remove it first (O32)", order->item);
    return !gate->needs_zero_amount || check_balance(pg, r, order, err);
}

static bool open_locked(cm_pg *pg, int64_t id, int64_t version, const cm_gate_order *order, cm_instant now,
                        const char *by, cm_error *err)
{
    cm_request r;
    char text[24], at[CM_INSTANT_TEXT];
    if (!cm_request_lock(pg, id, &r, err) || !cm_link_expect_version(r.link.version, version, err) ||
        !check_gate(pg, &r, order, err))
        return false;
    snprintf(text, sizeof text, "%" PRId64, id);
    const char *values[] = {text, order->gate, order->item, order->evidence, cm_instant_print(now, at), by};
    json_t *detail =
        json_pack("{s:s, s:s, s:s}", "gate", order->gate, "item", order->item, "evidence", order->evidence);
    char *json = json_dumps(detail, JSON_COMPACT | JSON_SORT_KEYS);
    r.link.version++;
    bool done =
        cm_pg_query(pg,
                    "INSERT INTO offboarding_gate (request_id, gate, item, evidence, opened_at, opened_by) VALUES ($1, "
                    "$2, $3, $4, $5, $6)"
                    " ON CONFLICT (request_id, gate, item) DO UPDATE SET evidence = excluded.evidence, opened_at = "
                    "excluded.opened_at,"
                    " opened_by = excluded.opened_by",
                    6, values, NULL, err) &&
        cm_request_save(pg, &r, r.link.version - 1, now, err) &&
        cm_request_history(pg, &r, "gate", cm_link_state_name(r.link.state), now, by, order->evidence, json, err);
    free(json);
    json_decref(detail);
    return done;
}

bool cm_store_gate_open(cm_pg *pg, int64_t request, int64_t version, const cm_gate_order *order, cm_instant now,
                        const char *by, cm_error *err)
{
    bool done = cm_pg_begin(pg, err) && open_locked(pg, request, version, order, now, by, err) && cm_pg_commit(pg, err);
    if (!done)
        cm_pg_rollback(pg);
    return done;
}

bool cm_store_gates(cm_pg *pg, const cm_request *r, cm_rows **ret, cm_error *err)
{
    json_t *list = json_array();
    char id[24];
    for (const cm_payer_gate *gate = r->model->offboarding_gates; gate->code; gate++) {
        static const char *const whole[] = {"", NULL};
        for (const char *const *item = gate->each_role ? r->model->roles_to_remove : whole; *item; item++)
            json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s}", "gate", gate->code, "item", *item, "rule",
                                                  gate->rule, "what", gate->what));
    }
    char *text = json_dumps(list, JSON_COMPACT);
    snprintf(id, sizeof id, "%" PRId64, r->id);
    bool done = cm_pg_query(
        pg,
        "SELECT m.value ->> 'gate', m.value ->> 'item', m.value ->> 'rule', m.value ->> 'what', g.gate IS NOT NULL, "
        "g.evidence, " TIME("g.opened_at") ", g.opened_by FROM jsonb_array_elements($2) WITH ORDINALITY m (value, n) "
                                           "LEFT JOIN offboarding_gate g ON"
                                           " g.request_id = $1 AND g.gate = m.value ->> 'gate' AND g.item = m.value "
                                           "->> 'item' ORDER BY m.n",
        2, (const char *[]){id, text}, ret, err);
    free(text);
    json_decref(list);
    return done;
}

/* --- monthly duties --- */

/* clang-format off */
static const char new_accounts_sql[] =
    "WITH c AS MATERIALIZED (SELECT content::jsonb -> 'Customer' AS customers FROM catalog_version WHERE id = $5)"
    " SELECT $2::text, r.payer, r.account, coalesce(nullif(a.name, ''), r.nickname), CASE WHEN r.repurposed THEN 'repurposed' ELSE 'new' END, "
    TIME("r.liable_from") ", r.customer, c.customers -> r.customer ->> 'name',"
    " split_part(coalesce(nullif(r.root_email, ''), a.root_email, ''), '@', 2), (SELECT string_agg(line, '; ' ORDER BY n) FROM"
    "   jsonb_array_elements_text(c.customers -> r.customer -> 'address') WITH ORDINALITY l (line, n)), r.country FROM link_request r"
    " LEFT JOIN account a ON a.payer = r.payer AND a.account = r.account LEFT JOIN c ON true WHERE r.payer = $1 AND r.liable_from >= $3"
    " AND r.liable_from < $4 ORDER BY r.account COLLATE \"C\", r.id";
/* clang-format on */

bool cm_store_new_accounts(cm_pg *pg, const char *catalog_id, const char *payer, cm_period period, cm_rows **ret,
                           cm_error *err)
{
    char month[CM_PERIOD_TEXT], from[CM_INSTANT_TEXT], to[CM_INSTANT_TEXT];
    const char *values[] = {payer, cm_period_print(period, month), cm_instant_print(cm_period_start(period), from),
                            cm_instant_print(cm_period_end(period), to), catalog_id};
    return cm_pg_query(pg, new_accounts_sql, 5, values, ret, err);
}

static bool submit_locked(cm_pg *pg, const char *const *values, cm_instant now, const char *by, const char *reason,
                          cm_error *err)
{
    cm_rows *rows = NULL;
    char object[64], action[64], detail[64];
    if (!cm_pg_query(
            pg,
            "INSERT INTO end_user_report (payer, period, duty, content, accounts, submitted_at, submitted_by, reason)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING RETURNING 1",
            8, values, &rows, err))
        return false;
    bool stored = cm_rows_count(rows) > 0 || cm_fail(err, CM_ERROR_REFUSED, "ALREADY_SUBMITTED",
                                                     "%s of payer %s for %s was already submitted; nothing was done",
                                                     values[2], values[0], values[1]);
    cm_rows_free(rows);
    snprintf(object, sizeof object, "payer:%s/%s", values[0], values[1]),
        snprintf(action, sizeof action, "%s.submitted", values[2]);
    snprintf(detail, sizeof detail, "{\"accounts\":%s}", values[4]);
    return stored && cm_store_audit(pg, now, by, action, object, reason, detail, err);
}

bool cm_store_duty_submitted(cm_pg *pg, const char *payer, cm_period period, const cm_payer_duty *duty,
                             const char *content, int accounts, cm_instant now, const char *by, const char *reason,
                             cm_error *err)
{
    char month[CM_PERIOD_TEXT], count[16], at[CM_INSTANT_TEXT];
    snprintf(count, sizeof count, "%d", accounts);
    const char *values[] = {payer, cm_period_print(period, month), duty->code, content,
                            count, cm_instant_print(now, at),      by,         reason};
    bool done = cm_pg_begin(pg, err) && submit_locked(pg, values, now, by, reason, err) && cm_pg_commit(pg, err);
    if (!done)
        cm_pg_rollback(pg);
    return done;
}

/* --- the gap --- */

bool cm_store_link_gaps(cm_pg *pg, const char *payer, const char *account, cm_rows **ret, cm_error *err)
{
    return cm_pg_query(pg,
                       "SELECT r.id, r.payer, r.account, r.customer, " TIME("r.liable_from") ", " TIME(
                           "r.billed_from") ", g.period, g.currency, g.lines, g.payer, g.list"
                                            " FROM link_request r LEFT JOIN LATERAL (SELECT c.period, h.currency, "
                                            "sum(h.lines) AS lines, sum(h.payer_amount) AS payer,"
                                            "   sum(h.list_amount) AS list FROM current_run c JOIN charge h ON "
                                            "h.period = c.period AND h.run_id = c.run_id WHERE c.payer = r.payer"
                                            "   AND h.account = r.account AND h.customer = '' AND c.period >= "
                                            "to_char(r.liable_from, 'YYYY-MM')"
                                            "   AND c.period < to_char(r.billed_from, 'YYYY-MM') GROUP BY c.period, "
                                            "h.currency) g ON true"
                                            " WHERE r.billed_from > r.liable_from AND ($1::text IS NULL OR r.payer = "
                                            "$1) AND ($2::text IS NULL OR r.account = $2)"
                                            " ORDER BY r.payer, r.account COLLATE \"C\", r.id, g.period, g.currency",
                       2, (const char *[]){payer, account}, ret, err);
}
