/* What forbids to settle a period (statements.md section 1): settling is a promise that the month is complete. */
#include "store/ledgers/unbilled_store.h"
#include "store/runs/period_store.h"
#include "store/runs/stale.h"

typedef struct checking {
    cm_pg *pg;
    const char *payer, *month;
    json_t *reasons;
} checking;

static void refuse(const checking *c, const char *code, const char *detail)
{
    json_array_append_new(c->reasons, json_pack("{s:s, s:s}", "code", code, "detail", detail));
}

/* In UTC, as AWS counts months. */
static void still_running(const checking *c, cm_period period, cm_instant now)
{
    char ends[CM_INSTANT_TEXT], detail[128];
    if (now >= cm_period_end(period))
        return;
    snprintf(detail, sizeof detail, "%s is still running; it ends at %s", c->month,
             cm_instant_print(cm_period_end(period), ends));
    refuse(c, "PERIOD_RUNNING", detail);
}

/* The newest delivery, unless it was older than a known one when it came. */
static bool newest_delivery(const checking *c, cm_error *err)
{
    cm_rows *rows = NULL;
    cm_buffer detail = {0};
    if (!cm_pg_query(c->pg,
                     "SELECT id, state, error_file, error_text FROM delivery WHERE payer = $1 AND period = $2"
                     " AND state NOT IN ('superseded', 'dismissed') ORDER BY seq DESC LIMIT 1",
                     2, (const char *[]){c->payer, c->month}, &rows, err))
        return false;
    const char *state = cm_rows_count(rows) ? cm_rows_text(rows, 0, 1) : "";
    if (strcmp(state, "failed") == 0) {
        cm_buffer_printf(&detail, "the newest delivery %s failed", cm_rows_text(rows, 0, 0));
        if (*cm_rows_text(rows, 0, 2))
            cm_buffer_printf(&detail, " (%s)", cm_rows_text(rows, 0, 2));
        cm_buffer_printf(
            &detail,
            ": %s; deliver it again, or say that it is not to count: `curmill delivery dismiss %s --by WHO --reason "
            "TEXT`",
            cm_rows_text(rows, 0, 3), cm_rows_text(rows, 0, 0));
        refuse(c, "DELIVERY_FAILED", detail.data);
    } else if (strcmp(state, "planned") == 0) {
        cm_buffer_printf(&detail,
                         "the newest delivery %s is being read; wait for `curmill run list --payer %s --period %s`",
                         cm_rows_text(rows, 0, 0), c->payer, c->month);
        refuse(c, "DELIVERY_UNREAD", detail.data);
    } else if (strcmp(state, "held") == 0) {
        cm_buffer_printf(&detail, "the newest delivery %s waits for a decision: %s", cm_rows_text(rows, 0, 0),
                         cm_rows_text(rows, 0, 3));
        refuse(c, "DELIVERY_SHRANK", detail.data);
    }
    cm_rows_free(rows);
    cm_buffer_free(&detail);
    return true;
}

/* A newer run would become a correction a moment later. */
static bool newer_run(const checking *c, cm_error *err)
{
    cm_rows *rows = NULL;
    cm_buffer detail = {0};
    if (!cm_pg_query(c->pg,
                     "SELECT r.id FROM current_run c JOIN run cr ON cr.id = c.run_id JOIN delivery cd ON cd.id = "
                     "cr.delivery_id JOIN run r ON r.payer = c.payer AND r.period = c.period AND r.state = 'running'"
                     " JOIN delivery d ON d.id = r.delivery_id WHERE c.payer = $1 AND c.period = $2 AND (d.seq, r.seq) "
                     "> (cd.seq, cr.seq) ORDER BY r.seq DESC LIMIT 1",
                     2, (const char *[]){c->payer, c->month}, &rows, err))
        return false;
    if (cm_rows_count(rows)) {
        cm_buffer_printf(&detail,
                         "run %s of a newer delivery or catalog is still running; wait until it is complete (`curmill "
                         "run list --payer %s --period %s`)",
                         cm_rows_text(rows, 0, 0), c->payer, c->month);
        refuse(c, "RUN_INCOMPLETE", detail.data);
    }
    cm_rows_free(rows);
    cm_buffer_free(&detail);
    return true;
}

/* What is settled keeps its prices. */
static bool stale(const checking *c, cm_instant now, cm_error *err)
{
    cm_rows *rows = NULL;
    cm_buffer detail = {0};
    if (!cm_pg_query(c->pg, "SELECT ARRAY[run_id] FROM current_run WHERE payer = $1 AND period = $2", 2,
                     (const char *[]){c->payer, c->month}, &rows, err))
        return false;
    bool done = !cm_rows_count(rows) || cm_store_runs_stale(c->pg, cm_rows_text(rows, 0, 0), now, &detail, err);
    if (done && detail.length)
        refuse(c, "PRICES_STALE", detail.data);
    cm_rows_free(rows);
    cm_buffer_free(&detail);
    return done;
}

static void unbilled(const checking *c, const json_t *money)
{
    cm_buffer detail = {0};
    cm_unbilled_print(money, true, &detail);
    if (detail.length) {
        cm_buffer_printf(
            &detail,
            "; this money is suspended or without an owner and would not be billed: fix the cause (`curmill "
            "suspended list --payer %s --period %s`), or add --acknowledge-unbilled, with the reason in "
            "--reason",
            c->payer, c->month);
        refuse(c, "UNBILLED", detail.data);
    }
    cm_buffer_free(&detail);
}

bool cm_store_settle_check(cm_pg *pg, const char *payer, cm_period period, const json_t *unacknowledged, cm_instant now,
                           json_t **ret, cm_error *err)
{
    char month[CM_PERIOD_TEXT];
    checking c = {pg, payer, cm_period_print(period, month), json_array()};
    still_running(&c, period, now);
    bool done = newest_delivery(&c, err) && newer_run(&c, err) && stale(&c, now, err);
    if (done && unacknowledged)
        unbilled(&c, unacknowledged);
    *ret = done ? c.reasons : NULL;
    if (!done)
        json_decref(c.reasons);
    return done;
}
