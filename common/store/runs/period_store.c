/* States of billing periods. */
#include "store/runs/period_store.h"

#include "store/audit/audit.h"
#include "store/ledgers/discount_store.h"
#include "store/ledgers/unbilled_store.h"
#include "store/runs/period_row.h"

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

bool cm_period_write(cm_pg *pg, const char *payer, const char *lane, const char *month, enum cm_period_state from,
                     enum cm_period_state to, const char *action, cm_instant now, const char *by, const char *reason,
                     cm_error *err)
{
    char at[CM_INSTANT_TEXT], object[64];
    snprintf(object, sizeof object, "period:%s/%s", payer, month);
    json_t *detail = json_pack("{s:s, s:s}", "from", names[from], "to", names[to]);
    char *text = json_dumps(detail, JSON_COMPACT);
    const char *values[] = {payer, month, lane, names[to], cm_instant_print(now, at), by, reason};
    bool done =
        cm_pg_query(
            pg,
            "INSERT INTO billing_period (payer, period, lane, state, changed_at, changed_by, reason, catalog_id)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, CASE WHEN $4 IN ('settled', 'closed') THEN (SELECT catalog_id FROM"
            "   catalog_activation WHERE in_force_from <= $5 ORDER BY seq DESC LIMIT 1) END)"
            " ON CONFLICT (payer, period) DO UPDATE SET lane = excluded.lane, state = excluded.state,"
            " changed_at = excluded.changed_at, changed_by = excluded.changed_by, reason = excluded.reason,"
            /* what settles stays; reopened, it is open again */
            " catalog_id = CASE WHEN excluded.catalog_id IS NOT NULL THEN"
            "   coalesce(billing_period.catalog_id, excluded.catalog_id) END",
            7, values, NULL, err) &&
        cm_store_audit(pg, now, by, action, object, reason, text, err);
    free(text);
    json_decref(detail);
    return done;
}

bool cm_store_period_change(cm_pg *pg, const char *payer, const char *lane, const char *month, enum cm_period_state to,
                            cm_instant now, const char *by, const char *reason, cm_error *err)
{
    enum cm_period_state from;
    char action[32];
    if (!cm_store_period_state(pg, payer, month, &from, err) || from == to)
        return from == to;
    if (allowed[from][to] && to >= CM_PERIOD_SETTLED && from < CM_PERIOD_SETTLED &&
        !cm_store_discounts_refresh_payer(pg, payer, err))
        return false; /* N12: what this month's invoice credits is settled with it */
    if (!allowed[from][to])
        return cm_fail(err, CM_ERROR_REFUSED, "PERIOD_STATE", "period %s of payer %s is %s and cannot become %s", month,
                       payer, names[from], names[to]);
    snprintf(action, sizeof action, "period.%s", names[to]);
    return cm_period_write(pg, payer, lane, month, from, to, action, now, by, reason, err);
}

bool cm_store_period_settled_catalog(cm_pg *pg, const char *payer, const char *month, char ret_id[static CM_ID_HEX],
                                     cm_error *err)
{
    cm_rows *rows = NULL;
    if (!cm_pg_query(pg, "SELECT catalog_id FROM settled_period WHERE payer = $1 AND period = $2", 2,
                     (const char *[]){payer, month}, &rows, err))
        return false;
    snprintf(ret_id, CM_ID_HEX, "%s", cm_rows_count(rows) ? cm_rows_text(rows, 0, 0) : "");
    cm_rows_free(rows);
    return true;
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
