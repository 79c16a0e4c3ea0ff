/* Runs whose prices are no longer those of the catalog: PRICES_STALE (statements.md section 5). */
#ifndef CM_STORE_STALE_H
#define CM_STORE_STALE_H

#include "base/base/buffer.h"
#include "base/time/time.h"
#include "platform/postgres/postgres.h"

/*
 * A run is stale when its slice is not the one in force for its period; a settled or closed period: in force at its
 * settlement. Appends to `detail` which payers' runs (array literal of ids) are, and what to do; nothing if none is.
 */
CM_NODISCARD bool cm_store_runs_stale(cm_pg *pg, const char *runs, cm_instant now, cm_buffer *detail, cm_error *err);

/* Runs that count or are being rated in open months of a lane, from before there were slices, get theirs. */
CM_NODISCARD bool cm_store_run_slices_ensure(cm_pg *pg, const char *lane, cm_error *err);

#endif
