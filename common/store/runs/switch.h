/*
 * Which run of (payer, period) counts: one row of table current_run, switched in one transaction (architecture.md
 * section 3). Used by invoice-writer when a run is complete and by `run start`. All functions but the last are parts of
 * the caller's transaction. Order of locks: the run's own row, then the lock of (payer, period), then other rows. May
 * use: postgres, run_store.h.
 */
#ifndef CM_STORE_SWITCH_H
#define CM_STORE_SWITCH_H

#include "store/runs/run_store.h"

/*
 * A run that has just become complete. It is made the current one if its (delivery, run) is newer than the present
 * one's: the former is superseded with its delivery, and so are runs of older deliveries that are still running.
 * Otherwise it is superseded itself (v1, v2, v1 again: v2 counts). In a settled or closed period nothing new becomes
 * current: a newer run becomes the period's correction (state `correction`, table correction_run), and what it changes
 * becomes documents of their own. Audited. *ret_current: it counts now.
 */
CM_NODISCARD bool cm_store_run_switch(cm_pg *pg, const char *run, cm_instant now, const char *actor, bool *ret_current,
                                      cm_error *err);

/* `run start` of a run that is there already, complete and superseded: it counts again, whatever is newer; in a settled
 * period it becomes the correction, and the run that the period was settled with takes the correction back. Audited. */
CM_NODISCARD bool cm_store_run_reactivate(cm_pg *pg, const char *run, cm_instant now, const char *actor, cm_error *err);

/*
 * `run start` of a run that is there, not complete and no longer running (failed, stopped, superseded): it begins again
 * from nothing: what was applied is forgotten, its chunks are published again. Audited with `reason`.
 */
CM_NODISCARD bool cm_store_run_restart(cm_pg *pg, const char *run, cm_instant now, const char *actor,
                                       const char *reason, cm_error *err);

/* Determinism or control totals are broken: a running run is stopped, a person must look. Audited as `run.stopped`;
 * `detail` is JSON or NULL. *ret_stopped false: it was not running. */
CM_NODISCARD bool cm_store_run_stop(cm_pg *pg, const char *run, const char *code, const char *text, const char *detail,
                                    cm_instant now, const char *actor, bool *ret_stopped, cm_error *err);

/* A transaction of its own: running runs of a lane whose delivery is older than the current one's (those that a worker
 * is just writing to are left for the next time). */
CM_NODISCARD bool cm_store_runs_supersede_stale(cm_pg *pg, const char *lane, int *ret_count, cm_error *err);

#endif
