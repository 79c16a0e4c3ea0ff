/* The runs that are being rated: facts and rater by run id, loaded from PostgreSQL once. One thread. */
#ifndef CM_RATE_RUNS_H
#define CM_RATE_RUNS_H

#include "billing/rating/rating.h"
#include "store/catalog/catalog_store.h"
#include "store/runs/run_store.h"

typedef struct cm_rate_run {
    cm_run facts;
    cm_rater *rater; /* NULL: not to be rated (no longer running) */
} cm_rate_run;

typedef struct cm_rate_runs cm_rate_runs;
cm_rate_runs *cm_rate_runs_new(void);
void cm_rate_runs_free(cm_rate_runs *runs);
/* NOT_FOUND: no such run. REFUSED (ENGINE_CHANGED): it was begun by another version of the rating. Valid until the next
 * call. */
CM_NODISCARD const cm_rate_run *cm_rate_runs_get(cm_rate_runs *runs, cm_pg *pg, const char *id, cm_error *err);

#endif
