/* Periods settled by a person, taken back, and closed (period_store.h). */
#include "store/audit/audit.h"
#include "store/ledgers/discount_store.h"
#include "store/ledgers/unbilled_store.h"
#include "store/runs/period_row.h"
#include "store/runs/period_store.h"
#include "store/runs/run_row.h"
#include "store/runs/switch.h"
#include <stdlib.h>

static bool lock_close(cm_pg *pg, const char *lane, const char *month, cm_error *err)
{
    const char *values[] = {lane, month};
    return cm_pg_query(pg, "SELECT pg_advisory_xact_lock(hashtextextended('period close ' || $1 || ' ' || $2, 0))", 2,
                       values, NULL, err);
}

/* --- settled by an operator, and taken back ---------------------------------------------------------------------- */

typedef struct ordering {
    cm_pg *pg;
    cm_instant now;
    const cm_period_order *order;
    char month[CM_PERIOD_TEXT], lane[64];
    enum cm_period_state state;
    bool has_run;
    json_t *reasons;
} ordering;

/* Locks the period; its lane is that of its newest delivery. */
static bool load_ordered(ordering *o, cm_error *err)
{
    const char *values[] = {o->order->payer, cm_period_print(o->order->period, o->month)};
    cm_rows *rows = NULL;
    if (!cm_period_lock(o->pg, values[0], o->month, err) ||
        !cm_store_period_state(o->pg, values[0], o->month, &o->state, err) ||
        !cm_pg_query(o->pg,
                     "SELECT lane, EXISTS (SELECT FROM current_run WHERE payer = $1 AND period = $2) FROM delivery"
                     " WHERE payer = $1 AND period = $2 ORDER BY seq DESC LIMIT 1",
                     2, values, &rows, err))
        return false;
    if (cm_rows_count(rows)) {
        snprintf(o->lane, sizeof o->lane, "%s", cm_rows_text(rows, 0, 0));
        o->has_run = cm_rows_bool(rows, 0, 1);
    }
    cm_rows_free(rows);
    return true;
}

static bool refuse_settling(const ordering *o, cm_error *err)
{
    cm_buffer text = {0};
    size_t i;
    json_t *reason;
    json_array_foreach (o->reasons, i, reason)
        cm_buffer_printf(&text, "; %s: %s", json_string_value(json_object_get(reason, "code")),
                         json_string_value(json_object_get(reason, "detail")));
    cm_fail(err, CM_ERROR_REFUSED, json_string_value(json_object_get(json_array_get(o->reasons, 0), "code")),
            "period %s of payer %s cannot be settled%s", o->month, o->order->payer, cm_buffer_string(&text));
    cm_buffer_free(&text);
    return false;
}

static bool settle_checked(ordering *o, const json_t *money, cm_error *err)
{
    const cm_period_order *order = o->order;
    bool settled = o->state >= CM_PERIOD_SETTLED;
    if (!settled && !cm_store_settle_check(o->pg, order->payer, order->period,
                                           order->acknowledge_unbilled ? NULL : money, o->now, &o->reasons, err))
        return false;
    if (json_array_size(o->reasons))
        return refuse_settling(o, err);
    if (!o->has_run)
        return cm_fail(err, CM_ERROR_NOT_FOUND, "NO_RUN",
                       "payer %s has no complete run for %s, so there is nothing to settle; see `curmill period list`",
                       order->payer, o->month);
    return lock_close(o->pg, o->lane, o->month,
                      err) && /* locked before the ledger of discounts, as the last document does */
           (settled || cm_store_period_change(o->pg, order->payer, o->lane, o->month, CM_PERIOD_SETTLED, o->now,
                                              order->by, order->reason, err)) &&
           (!order->acknowledge_unbilled || cm_store_unbilled_acknowledge(o->pg, order->payer, o->lane, o->month, money,
                                                                          o->now, order->by, order->reason, err)) &&
           cm_store_periods_close(o->pg, o->lane, o->month, o->now, order->by, err);
}

static bool settle_locked(ordering *o, cm_error *err)
{
    json_t *money = NULL, *one;
    bool new = false;
    size_t i;
    if (!load_ordered(o, err) || !cm_store_unbilled_money(o->pg, o->order->payer, o->month, &money, err))
        return false;
    json_array_foreach (money, i, one)
        new = new || !cm_unbilled_is_acknowledged(one);
    /* What a correction leaves unbilled is acknowledged by the same command. */
    bool done = o->state < CM_PERIOD_SETTLED || (o->order->acknowledge_unbilled && new)
                    ? settle_checked(o, money, err)
                    : cm_fail(err, CM_ERROR_REFUSED, "PERIOD_STATE",
                              "period %s of payer %s is already %s; nothing was done (`curmill period show --payer %s "
                              "--period %s`)",
                              o->month, o->order->payer, cm_period_state_name(o->state), o->order->payer, o->month);
    json_decref(money);
    return done;
}

bool cm_store_period_settle_order(cm_pg *pg, cm_instant now, const cm_period_order *order, json_t **ret_reasons,
                                  cm_error *err)
{
    ordering o = {.pg = pg, .now = now, .order = order};
    bool done = cm_pg_begin(pg, err) && settle_locked(&o, err) && cm_pg_commit(pg, err);
    if (!done)
        cm_pg_rollback(pg);
    *ret_reasons = !done && json_array_size(o.reasons) ? json_incref(o.reasons) : NULL;
    json_decref(o.reasons);
    return done;
}

bool cm_store_period_settle(cm_pg *pg, const char *payer, cm_period period, cm_instant now, const char *by,
                            const char *reason, cm_error *err)
{
    const cm_period_order order = {payer, period, by, reason, false};
    json_t *reasons;
    bool done = cm_store_period_settle_order(pg, now, &order, &reasons, err);
    json_decref(reasons);
    return done;
}

/* Documents of the period, and corrections of it in a later one. $1 payer, $2 month. */
#define OF_PERIOD                                                                                                      \
    "$1 = ANY (s.payers) AND (s.period = $2 OR s.kind <> 'statement' AND s.document::jsonb #>> '{corrects, period}' = $2)"

static bool check_reopen(const ordering *o, cm_error *err)
{
    const char *values[] = {o->order->payer, o->month};
    cm_rows *rows = NULL;
    if (o->state < CM_PERIOD_SETTLED)
        return cm_fail(err, CM_ERROR_REFUSED, "PERIOD_STATE",
                       "period %s of payer %s is %s; only a settled one can be reopened", o->month, o->order->payer,
                       cm_period_state_name(o->state));
    if (!cm_pg_query(o->pg,
                     "SELECT s.number, count(*) OVER () FROM statement s WHERE s.state = 'issued' AND " OF_PERIOD
                     " ORDER BY s.number LIMIT 1",
                     2, values, &rows, err))
        return false;
    bool done =
        cm_rows_count(rows) == 0 ||
        cm_fail(err, CM_ERROR_REFUSED, "ISSUED",
                "period %s of payer %s cannot be reopened: %s of its documents %s issued (%s); what changes now "
                "becomes a correction",
                o->month, o->order->payer, cm_rows_text(rows, 0, 1), cm_rows_i64(rows, 0, 1) == 1 ? "is" : "are",
                cm_rows_text(rows, 0, 0));
    cm_rows_free(rows);
    return done;
}

/* Approved corrections of the period become drafts, which go (renew_documents): audited. */
static bool return_corrections(const ordering *o, cm_error *err)
{
    const char *values[] = {o->order->payer, o->month};
    cm_rows *rows = NULL;
    if (!cm_pg_query(o->pg,
                     "UPDATE statement s SET state = 'draft', approved_by = NULL, approved_at = NULL WHERE s.state = "
                     "'approved' AND s.kind <> 'statement' AND $1 = ANY (s.payers) AND s.document::jsonb #>> "
                     "'{corrects, period}' = $2 RETURNING s.id",
                     2, values, &rows, err))
        return false;
    bool done = true;
    for (int i = 0; done && i < cm_rows_count(rows); i++) {
        char object[64];
        snprintf(object, sizeof object, "statement:%s", cm_rows_text(rows, i, 0));
        done = cm_store_audit(o->pg, o->now, o->order->by, "statement.returned", object,
                              "the period that it corrects was reopened", "{\"from\": \"approved\", \"to\": \"draft\"}",
                              err);
    }
    cm_rows_free(rows);
    return done;
}

/* The period's corrections go, because its drafts say all of it again; corrections of earlier months may stand in it
 * again. */
static bool renew_documents(const ordering *o, cm_error *err)
{
    const char *values[] = {o->order->payer, o->month, o->lane};
    return return_corrections(o, err) &&
           cm_pg_query(o->pg,
                       "DELETE FROM statement s WHERE s.state = 'draft' AND s.kind <> 'statement' AND $1 = ANY "
                       "(s.payers) AND s.document::jsonb #>> '{corrects, period}' = $2",
                       2, values, NULL, err) &&
           cm_pg_query(o->pg,
                       "INSERT INTO correction_due (lane, period) SELECT $3, $2 UNION SELECT s.lane, s.document::jsonb "
                       "#>> '{corrects, period}' FROM statement s WHERE s.state = 'draft' AND s.kind <> 'statement'"
                       " AND $1 = ANY (s.payers) ON CONFLICT DO NOTHING",
                       3, values, NULL, err) &&
           cm_pg_query(o->pg, "DELETE FROM statement_build WHERE lane = $1 AND period = $2", 2,
                       (const char *[]){o->lane, o->month}, NULL, err);
}

static bool reopen_locked(ordering *o, cm_error *err)
{
    const cm_period_order *order = o->order;
    enum cm_period_state to;
    const char *values[] = {order->payer, o->month};
    cm_rows *rows = NULL;
    if (!load_ordered(o, err) || !check_reopen(o, err) || !lock_close(o->pg, o->lane, o->month, err) ||
        !cm_pg_query(o->pg,
                     "SELECT r.lines > 0 AND r.lines = r.final_lines FROM newest_run n JOIN run r ON r.id = n.run_id"
                     " WHERE n.payer = $1 AND n.period = $2",
                     2, values, &rows, err))
        return false;
    to = cm_rows_count(rows) && cm_rows_bool(rows, 0, 0) ? CM_PERIOD_FINAL : CM_PERIOD_ESTIMATED;
    cm_rows_free(rows);
    return cm_period_write(o->pg, order->payer, o->lane, o->month, o->state, to, "period.reopened", o->now, order->by,
                           order->reason, err) &&
           cm_store_run_take_correction(o->pg, order->payer, o->month, o->now, order->by, err) &&
           cm_store_unbilled_take_back(o->pg, order->payer, o->month, o->now, order->by, order->reason, err) &&
           cm_store_discounts_reopen(o->pg, order->payer, o->month, err) && renew_documents(o, err);
}

bool cm_store_period_reopen(cm_pg *pg, cm_instant now, const cm_period_order *order, cm_error *err)
{
    ordering o = {.pg = pg, .now = now, .order = order};
    bool done = cm_pg_begin(pg, err) && reopen_locked(&o, err) && cm_pg_commit(pg, err);
    if (!done)
        cm_pg_rollback(pg);
    return done;
}

/* --- closed ------------------------------------------------------------------------------------------------------ */

/* Everything unbilled stands in the ledger. */
static bool is_acknowledged(cm_pg *pg, const char *payer, const char *month, bool *ret, cm_error *err)
{
    json_t *money, *one;
    size_t i;
    *ret = true;
    if (!cm_store_unbilled_money(pg, payer, month, &money, err))
        return false;
    json_array_foreach (money, i, one)
        *ret = *ret && cm_unbilled_is_acknowledged(one);
    json_decref(money);
    return true;
}

bool cm_store_periods_close(cm_pg *pg, const char *lane, const char *month, cm_instant now, const char *by,
                            cm_error *err)
{
    const char *values[] = {lane, month};
    cm_rows *rows = NULL;
    if (!lock_close(pg, lane, month, err) ||
        !cm_pg_query(
            pg,
            "SELECT b.payer FROM billing_period b WHERE b.lane = $1 AND b.period = $2 AND b.state IN ('final', "
            "'settled')"
            " AND EXISTS (SELECT FROM statement s WHERE s.lane = $1 AND s.period = $2 AND s.kind = 'statement' AND "
            "b.payer = ANY (s.payers)"
            "   AND s.state IN ('issued', 'void'))"
            " AND NOT EXISTS (SELECT FROM statement s WHERE s.lane = $1 AND s.period = $2 AND s.kind = 'statement'"
            "   AND b.payer = ANY (s.payers) AND s.state IN ('draft', 'approved'))"
            " AND NOT EXISTS (SELECT FROM statement_trouble t WHERE t.lane = $1 AND t.period = $2 AND t.corrects = '')"
            " ORDER BY b.payer",
            2, values, &rows, err))
        return false;
    bool done = true, all;
    for (int i = 0; done && i < cm_rows_count(rows); i++) {
        const char *payer = cm_rows_text(rows, i, 0);
        done = is_acknowledged(pg, payer, month, &all, err) &&
               (!all || cm_store_period_change(pg, payer, lane, month, CM_PERIOD_CLOSED, now, by,
                                               "all of its documents are issued or void", err));
    }
    cm_rows_free(rows);
    return done;
}
