/* States of billing periods. */
#include "store/runs/period_store.h"

#include "store/audit/audit.h"
#include "store/ledgers/discount_store.h"

#include <stdlib.h>

static const char *const names[] = {[CM_PERIOD_OPEN] = "open",
                                    [CM_PERIOD_ESTIMATED] = "estimated",
                                    [CM_PERIOD_FINAL] = "final",
                                    [CM_PERIOD_SETTLED] = "settled",
                                    [CM_PERIOD_CLOSED] = "closed"};
enum { STATES = sizeof names / sizeof *names };

/* From (row) to (column). A newer delivery may again have lines without an invoice id: final -> estimated. */
static const bool allowed[STATES][STATES] = {
    [CM_PERIOD_OPEN] = {[CM_PERIOD_ESTIMATED] = true, [CM_PERIOD_FINAL] = true},
    [CM_PERIOD_ESTIMATED] = {[CM_PERIOD_FINAL] = true, [CM_PERIOD_SETTLED] = true},
    [CM_PERIOD_FINAL] = {[CM_PERIOD_ESTIMATED] = true, [CM_PERIOD_SETTLED] = true, [CM_PERIOD_CLOSED] = true},
    [CM_PERIOD_SETTLED] = {[CM_PERIOD_CLOSED] = true},
};

const char *cm_period_state_name(enum cm_period_state state)
{
    return names[state];
}

cm_instant cm_period_earliest_issue(cm_period period)
{
    return cm_period_end(period) + 15 * CM_DAY;
}

cm_instant cm_period_overdue_from(cm_period period)
{
    return cm_period_end(period) + 20 * CM_DAY;
}

bool cm_store_period_state(cm_pg *pg, const char *payer, const char *month, enum cm_period_state *ret, cm_error *err)
{
    cm_rows *rows = NULL;
    *ret = CM_PERIOD_OPEN;
    if (!cm_pg_query(pg, "SELECT state FROM billing_period WHERE payer = $1 AND period = $2", 2,
                     (const char *[]){payer, month}, &rows, err))
        return false;
    for (int state = 0; cm_rows_count(rows) && state < STATES; state++) {
        if (strcmp(names[state], cm_rows_text(rows, 0, 0)) == 0)
            *ret = (enum cm_period_state)state;
    }
    cm_rows_free(rows);
    return true;
}

bool cm_store_period_change(cm_pg *pg, const char *payer, const char *lane, const char *month, enum cm_period_state to,
                            cm_instant now, const char *by, const char *reason, cm_error *err)
{
    enum cm_period_state from;
    char at[CM_INSTANT_TEXT], object[64], action[32];
    if (!cm_store_period_state(pg, payer, month, &from, err) || from == to)
        return from == to;
    if (allowed[from][to] && to >= CM_PERIOD_SETTLED && from < CM_PERIOD_SETTLED &&
        !cm_store_discounts_refresh_payer(pg, payer, err))
        return false; /* N12: what this month's invoice credits is settled with it */
    if (!allowed[from][to])
        return cm_fail(err, CM_ERROR_REFUSED, "PERIOD_STATE", "period %s of payer %s is %s and cannot become %s", month,
                       payer, names[from], names[to]);
    snprintf(object, sizeof object, "period:%s/%s", payer, month);
    snprintf(action, sizeof action, "period.%s", names[to]);
    json_t *detail = json_pack("{s:s, s:s}", "from", names[from], "to", names[to]);
    char *text = json_dumps(detail, JSON_COMPACT);
    const char *values[] = {payer, month, lane, names[to], cm_instant_print(now, at), by, reason};
    bool done =
        cm_pg_query(
            pg,
            "INSERT INTO billing_period (payer, period, lane, state, changed_at, changed_by, reason)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (payer, period) DO UPDATE SET lane = excluded.lane,"
            " state = excluded.state, changed_at = excluded.changed_at, changed_by = excluded.changed_by,"
            " reason = excluded.reason",
            7, values, NULL, err) &&
        cm_store_audit(pg, now, by, action, object, reason, text, err);
    free(text);
    json_decref(detail);
    return done;
}

bool cm_store_period_delivered(cm_pg *pg, const char *run, cm_instant now, const char *by, cm_error *err)
{
    cm_rows *rows = NULL;
    enum cm_period_state state;
    if (!cm_pg_query(pg, "SELECT payer, lane, period, lines > 0 AND lines = final_lines FROM run WHERE id = $1", 1,
                     (const char *[]){run}, &rows, err))
        return false;
    const char *payer = cm_rows_text(rows, 0, 0), *month = cm_rows_text(rows, 0, 2);
    bool done = cm_store_period_state(pg, payer, month, &state, err);
    if (done && state <= CM_PERIOD_FINAL)
        done =
            cm_store_period_change(pg, payer, cm_rows_text(rows, 0, 1), month,
                                   cm_rows_bool(rows, 0, 3) ? CM_PERIOD_FINAL : CM_PERIOD_ESTIMATED, now, by, "", err);
    cm_rows_free(rows);
    return done;
}

static bool lock_close(cm_pg *pg, const char *lane, const char *month, cm_error *err)
{
    const char *values[] = {lane, month};
    return cm_pg_query(pg, "SELECT pg_advisory_xact_lock(hashtextextended('period close ' || $1 || ' ' || $2, 0))", 2,
                       values, NULL, err);
}

/* --- settled by an operator -------------------------------------------------------------------------------------- */

static bool settle_locked(cm_pg *pg, const char *payer, const char *month, cm_instant now, const char *by,
                          const char *reason, cm_error *err)
{
    const char *values[] = {payer, month};
    enum cm_period_state state;
    cm_rows *rows = NULL;
    if (!cm_pg_query(pg, "SELECT pg_advisory_xact_lock(hashtextextended('delivery ' || $1 || ' ' || $2, 0))", 2, values,
                     NULL, err) ||
        !cm_store_period_state(pg, payer, month, &state, err) ||
        !cm_pg_query(pg,
                     "SELECT c.lane, (SELECT r.id FROM run r JOIN delivery d ON d.id = r.delivery_id WHERE r.payer = "
                     "$1 AND r.period = $2"
                     "   AND r.state = 'running' AND (d.seq, r.seq) > (cd.seq, cr.seq) LIMIT 1) FROM current_run c"
                     " JOIN run cr ON cr.id = c.run_id JOIN delivery cd ON cd.id = cr.delivery_id WHERE c.payer = $1 "
                     "AND c.period = $2",
                     2, values, &rows, err))
        return false;
    bool done;
    if (cm_rows_count(rows) == 0)
        done = cm_fail(err, CM_ERROR_NOT_FOUND, "NO_RUN",
                       "payer %s has no complete run for %s, so there is nothing to settle; see `curmill period list`",
                       payer, month);
    else if (state >= CM_PERIOD_SETTLED)
        done = cm_fail(err, CM_ERROR_REFUSED, "PERIOD_STATE",
                       "period %s of payer %s is already %s; nothing was done (`curmill period show`)", month, payer,
                       names[state]);
    else if (!cm_rows_null(rows, 0, 1))
        done = cm_fail(
            err, CM_ERROR_REFUSED, "RUN_INCOMPLETE",
            "run %s of a newer delivery or catalog is still running; wait until it is complete (`curmill run list`), then settle",
            cm_rows_text(rows, 0, 1));
    else
        done = lock_close(pg, cm_rows_text(rows, 0, 0), month,
                          err) && /* locked before the ledger of discounts, as the last document does */
               cm_store_period_change(pg, payer, cm_rows_text(rows, 0, 0), month, CM_PERIOD_SETTLED, now, by, reason,
                                      err) &&
               cm_store_periods_close(pg, cm_rows_text(rows, 0, 0), month, now, by, err);
    cm_rows_free(rows);
    return done;
}

bool cm_store_period_settle(cm_pg *pg, const char *payer, cm_period period, cm_instant now, const char *by,
                            const char *reason, cm_error *err)
{
    char month[CM_PERIOD_TEXT];
    cm_period_print(period, month);
    bool done = cm_pg_begin(pg, err) && settle_locked(pg, payer, month, now, by, reason, err) && cm_pg_commit(pg, err);
    if (!done)
        cm_pg_rollback(pg);
    return done;
}

/* --- closed ------------------------------------------------------------------------------------------------------ */

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
            "   AND b.payer = ANY (s.payers) AND s.state IN ('draft', 'approved')) ORDER BY b.payer",
            2, values, &rows, err))
        return false;
    bool done = true;
    for (int i = 0; done && i < cm_rows_count(rows); i++)
        done = cm_store_period_change(pg, cm_rows_text(rows, i, 0), lane, month, CM_PERIOD_CLOSED, now, by,
                                      "all of its documents are issued or void", err);
    cm_rows_free(rows);
    return done;
}
