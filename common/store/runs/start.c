/* Starting runs again: `run start`, and by itself when a version of the catalog takes force (take_force.c). */
#include "store/audit/audit.h"
#include "store/catalog/link_store.h"
#include "store/runs/period_store.h"
#include "store/runs/run_row.h"
#include "store/runs/switch.h"

/* The same rating again is the same run: what is its state? */
static bool start_again(cm_pg *pg, const char *run, cm_instant now, const char *actor, const char *reason,
                        cm_error *err)
{
    cm_run facts;
    if (!cm_store_run(pg, run, &facts, err))
        return false;
    if (strcmp(facts.state, "running") == 0)
        return true;
    return facts.complete ? cm_store_run_reactivate(pg, run, now, actor, err)
                          : cm_store_run_restart(pg, run, now, actor, reason, err);
}

/* Runs of the same delivery that are still being rated in another way are no longer wanted: they would count after this
 * one. A run that a writer holds at this moment is left. */
static bool supersede_others(cm_pg *pg, const char *delivery, const char *run, cm_error *err)
{
    char reason[80];
    snprintf(reason, sizeof reason, "run %s rates its delivery again", run);
    const char *values[] = {delivery, run, reason};
    return cm_pg_query(
        pg,
        "WITH other AS (SELECT id FROM run WHERE delivery_id = $1 AND id <> $2 AND state = 'running' FOR "
        "UPDATE SKIP LOCKED) UPDATE run SET state = 'superseded', reason = $3 FROM other WHERE run.id = "
        "other.id",
        3, values, NULL, err);
}

bool cm_run_start_delivery(cm_pg *pg, const char *catalog, const char *delivery, const cm_run_settings *settings,
                           cm_instant now, const char *actor, const char *reason, char ret_run[static CM_ID_HEX],
                           bool *ret_new, cm_error *err)
{
    char object[64], links[CM_ID_HEX], settled[CM_ID_HEX];
    cm_rows *rows = NULL;
    cm_period period;
    if (!cm_pg_query(pg,
                     "SELECT payer, period, attempt, lane, (SELECT count(*) FROM chunk WHERE delivery_id = d.id) FROM "
                     "delivery d WHERE id = $1",
                     1, (const char *[]){delivery}, &rows, err))
        return false;
    const char *payer = cm_rows_text(rows, 0, 0), *month = cm_rows_text(rows, 0, 1);
    bool done = cm_period_parse(cm_slice_of(month), &period);
    cm_assert(done);
    done = cm_store_links_of_payer(pg, payer, links, err) &&
           cm_store_period_settled_catalog(pg, payer, month, settled, err) &&
           cm_run_insert(pg, delivery, *settled ? settled : catalog, links, (int)cm_rows_i64(rows, 0, 2), payer,
                         cm_rows_text(rows, 0, 3), period, (int)cm_rows_i64(rows, 0, 4), settings, now, ret_run,
                         ret_new, err) &&
           supersede_others(pg, delivery, ret_run, err);
    cm_rows_free(rows);
    if (done && !*ret_new)
        return start_again(pg, ret_run, now, actor, reason, err);
    snprintf(object, sizeof object, "run:%s", ret_run);
    return done && cm_store_audit(pg, now, actor, "run.started", object, reason, NULL, err);
}

bool cm_run_start_locked(cm_pg *pg, const cm_run_order *order, char ret_run[static CM_ID_HEX], bool *ret_new,
                         cm_error *err)
{
    char month[CM_PERIOD_TEXT];
    cm_period_print(order->period, month);
    const char *payer = order->payer, *values[] = {payer, month, order->delivery};
    cm_rows *rows = NULL;
    if (!cm_period_lock(pg, payer, month, err) ||
        !cm_pg_query(pg,
                     "SELECT id FROM delivery WHERE payer = $1 AND period = $2 AND state IN ('good', 'planned') AND "
                     "($3::text IS NULL OR id = $3) ORDER BY (state = 'good') DESC, seq DESC LIMIT 1",
                     3, values, &rows, err))
        return false;
    bool done = cm_rows_count(rows) ||
                cm_fail(err, CM_ERROR_NOT_FOUND, "NO_DELIVERY",
                        "payer %s has no usable delivery for %s; see `curmill delivery list --payer %s --period %s`",
                        payer, month, payer, month);
    done = done && cm_run_start_delivery(pg, order->catalog->id, cm_rows_text(rows, 0, 0), order->settings, order->now,
                                         order->actor, order->reason, ret_run, ret_new, err);
    cm_rows_free(rows);
    return done;
}

bool cm_store_run_start(cm_pg *pg, const cm_catalog *catalog, const char *payer, cm_period period,
                        const cm_run_settings *settings, cm_instant now, const char *actor, const char *reason,
                        char ret_run[static CM_ID_HEX], bool *ret_new, cm_error *err)
{
    const cm_run_order order = {catalog, NULL, payer, period, settings, now, actor, reason};
    bool done = cm_pg_begin(pg, err) && cm_run_start_locked(pg, &order, ret_run, ret_new, err) && cm_pg_commit(pg, err);
    if (!done)
        cm_pg_rollback(pg);
    return done;
}
