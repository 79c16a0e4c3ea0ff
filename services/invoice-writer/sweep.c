/* Looks over all runs of the lane, at the start and every few seconds. */
#include "writer.h"

#include "base/log/log.h"
#include "store/runs/switch.h"

/* The parts of one run that ended otherwise than complete. */
static bool drop_parts(cm_pg *pg, const char *run, cm_error *err)
{
    cm_rows *rows = NULL;
    const char *values[] = {run};
    bool done = cm_pg_begin(pg, err) &&
                cm_pg_query(pg, "SELECT FROM run WHERE id = $1 AND state <> 'running' FOR NO KEY UPDATE", 1, values,
                            &rows, err);
    if (done && cm_rows_count(rows) == 1)
        done = cm_pg_query(pg, "SELECT curmill_drop_run_parts($1)", 1, values, NULL, err) &&
               cm_pg_query(pg, "DELETE FROM applied_batch WHERE run_id = $1", 1, values, NULL, err);
    cm_rows_free(rows);
    done = done && cm_pg_commit(pg, err);
    if (!done)
        cm_pg_rollback(pg);
    return done;
}

static bool drop_unwanted_parts(cm_writer *w, cm_error *err)
{
    cm_rows *rows = NULL;
    const char *values[] = {w->lane};
    if (!cm_pg_query(w->pg,
                     "SELECT r.id FROM pg_class c JOIN run r ON c.relname = 'charge_part_' || r.id"
                     " WHERE c.relname LIKE 'charge\\_part\\_%' AND c.relnamespace = current_schema()::regnamespace"
                     " AND r.lane = $1 AND r.state <> 'running'",
                     1, values, &rows, err))
        return false;
    bool done = true;
    for (int i = 0; done && i < cm_rows_count(rows); i++) {
        done = drop_parts(w->pg, cm_rows_text(rows, i, 0), err);
        if (done)
            cm_log(CM_INFO, "the applied part of a run that is no longer wanted was removed", "run",
                   cm_rows_text(rows, i, 0), NULL);
    }
    cm_rows_free(rows);
    return done;
}

static bool count_incomplete(cm_writer *w, cm_error *err)
{
    cm_rows *rows = NULL;
    if (!cm_pg_query(w->pg, "SELECT count(*) FROM run WHERE lane = $1 AND state = 'running'", 1,
                     (const char *[]){w->lane}, &rows, err))
        return false;
    w->counts.runs_incomplete = cm_rows_i64(rows, 0, 0);
    cm_rows_free(rows);
    return true;
}

bool cm_writer_sweep(cm_writer *w, cm_error *err)
{
    int stale;
    return cm_complete_lane(w, err) && cm_store_runs_supersede_stale(w->pg, w->lane, &stale, err) &&
           drop_unwanted_parts(w, err) && count_incomplete(w, err);
}
