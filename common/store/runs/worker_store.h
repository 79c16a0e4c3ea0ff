/* Which workers are alive, by their heartbeats, and what waits for one that is not. */
#ifndef CM_STORE_WORKER_STORE_H
#define CM_STORE_WORKER_STORE_H

#include "platform/postgres/postgres.h"

enum { CM_LANES_MAX = 64 };

/* Of which runs; NULL: all. */
typedef struct cm_run_filter {
    const char *lane, *payer, *period;
    const char *runs, *deliveries; /* arrays of PostgreSQL */
} cm_run_filter;

/* A lane with runs that nobody carries on. */
typedef struct cm_idle_lane {
    char lane[64], workers[96]; /* those of which none is alive: "rate-engine, invoice-writer" */
    char run[40];               /* one of its runs */
} cm_idle_lane;

/*
 * Lanes with running runs that need a worker of which none was seen for half a minute. A run needs ingest-cur and
 * rate-engine until all of its files have ended, and invoice-writer to the end. At most CM_LANES_MAX, by name.
 */
CM_NODISCARD bool cm_store_idle_lanes(cm_pg *pg, const cm_run_filter *of, cm_idle_lane into[static CM_LANES_MAX],
                                      int *ret_count, cm_error *err);
/* "ingest-cur, rate-engine": those of the three that bill of which none of the lane is alive; "": all are. */
CM_NODISCARD bool cm_store_absent_workers(cm_pg *pg, const char *lane, char ret[static 96], cm_error *err);

#endif
