/* When a version of the catalog takes force, payers whose prices it changes are rated again (rating.md section 8). */
#include "ingest.h"

#include "base/log/log.h"
#include "store/runs/take_force.h"

bool cm_take_force(cm_ingest *ingest, cm_error *err)
{
    const cm_run_settings settings = {.shards = ingest->shards};
    const int periods = (int)cm_config_integer(ingest->worker.config, "rerate.periods");
    cm_taken_force taken;
    if (!cm_store_take_force(ingest->worker.pg, ingest->worker.lane, periods, &settings, cm_ingest_now(ingest),
                             "ingest-cur", &taken, err))
        return false;
    ingest->next_catalog = taken.next;
    if (taken.noticed)
        cm_log(CM_INFO, "a catalog version took effect", "catalog", taken.catalog, "payers_rated_again",
               cm_log_i64(taken.payers), "runs", cm_log_i64(taken.runs), NULL);
    return true;
}
