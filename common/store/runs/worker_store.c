#include "store/runs/worker_store.h"

#include <stdio.h>

/* Heartbeats come every five seconds (platform/worker/heartbeat.c). */
#define NOT_ALIVE(worker, lane)                                                                                        \
    "NOT EXISTS (SELECT FROM worker a WHERE a.name = " worker " AND a.lane = " lane                                    \
    " AND a.seen_at > now() - interval '30 seconds')"
#define WORKERS "(VALUES (1, 'ingest-cur'), (2, 'rate-engine'), (3, 'invoice-writer')) AS w (place, name)"

bool cm_store_idle_lanes(cm_pg *pg, const cm_run_filter *of, cm_idle_lane into[static CM_LANES_MAX], int *ret_count,
                         cm_error *err)
{
    cm_rows *rows = NULL;
    const char *values[] = {of->lane, of->payer, of->period, of->runs, of->deliveries};
    if (!cm_pg_query(
            pg,
            "SELECT lane, string_agg(name, ', ' ORDER BY place), min(run) FROM ("
            "  SELECT r.lane, w.place, w.name, min(r.id) AS run FROM run r, " WORKERS
            "  WHERE r.state = 'running' AND ($1::text IS NULL OR r.lane = $1) AND ($2::text IS NULL OR r.payer = $2)"
            "  AND ($3::text IS NULL OR r.period = $3) AND ($4::text[] IS NULL OR r.id = ANY ($4::text[]))"
            "  AND ($5::text[] IS NULL OR r.delivery_id = ANY ($5::text[])) AND (w.name = 'invoice-writer'"
            "    OR EXISTS (SELECT FROM run_chunk k WHERE k.run_id = r.id AND NOT k.ended))"
            "  AND " NOT_ALIVE("w.name", "r.lane") " GROUP BY 1, 2, 3) x GROUP BY lane ORDER BY lane",
            5, values, &rows, err))
        return false;
    *ret_count = cm_rows_count(rows) < CM_LANES_MAX ? cm_rows_count(rows) : CM_LANES_MAX;
    for (int i = 0; i < *ret_count; i++) {
        snprintf(into[i].lane, sizeof into[i].lane, "%s", cm_rows_text(rows, i, 0));
        snprintf(into[i].workers, sizeof into[i].workers, "%s", cm_rows_text(rows, i, 1));
        snprintf(into[i].run, sizeof into[i].run, "%s", cm_rows_text(rows, i, 2));
    }
    cm_rows_free(rows);
    return true;
}

bool cm_store_absent_workers(cm_pg *pg, const char *lane, char ret[static 96], cm_error *err)
{
    cm_rows *rows = NULL;
    if (!cm_pg_query(pg,
                     "SELECT coalesce(string_agg(name, ', ' ORDER BY place), '') FROM " WORKERS
                     " WHERE " NOT_ALIVE("w.name", "$1"),
                     1, &lane, &rows, err))
        return false;
    snprintf(ret, 96, "%s", cm_rows_text(rows, 0, 0));
    cm_rows_free(rows);
    return true;
}
