/*
 * Which run of (payer, period) is current: one row of table current_run, switched in one transaction (architecture.md
 * section 3). Used by invoice-writer when a run is complete and by `run start`. All functions except the last run in
 * the caller's transaction. Order of locks: the run's own row, then the lock of (payer, period), then other rows.
 */
#ifndef CM_STORE_SWITCH_H
#define CM_STORE_SWITCH_H

#include "store/runs/run_store.h"

/*
 * Handles a run that has just become complete. It becomes current if its (delivery, run) is newer than the current
 * one's, which is then superseded with its delivery, and so are runs of older deliveries that are still running.
 * Otherwise it is superseded itself (v1, v2, v1 again: v2 is current). If its delivery has fewer than half the lines of
 * the newest one that is complete, and nobody has accepted that, run and delivery are held: nothing is replaced
 * (DELIVERY_SHRANK; delivery_store.h). In a settled or closed period the current run
 * does not change: a newer run becomes the period's correction (state `correction`, table correction_run), and its
 * differences become documents of their own. Audited. *ret_current: it is current now.
 */
CM_NODISCARD bool cm_store_run_switch(cm_pg *pg, const char *run, cm_instant now, const char *actor, bool *ret_current,
                                      cm_error *err);

/* `run start` of an existing run that is complete and superseded: it becomes current again, even if there are newer
 * ones; in a settled period it becomes the correction, and starting the run that the period was settled with withdraws
 * the correction. Audited. */
CM_NODISCARD bool cm_store_run_reactivate(cm_pg *pg, const char *run, cm_instant now, const char *actor, cm_error *err);

/* The period is no longer settled: its correction, if it has one, becomes the current run. Audited. */
CM_NODISCARD bool cm_store_run_take_correction(cm_pg *pg, const char *payer, const char *month, cm_instant now,
                                               const char *actor, cm_error *err);

/*
 * `run start` of an existing run that is not complete and no longer running (failed, stopped, superseded): it starts
 * again from scratch: what was applied is deleted, its chunks are published again. Audited with `reason`.
 */
CM_NODISCARD bool cm_store_run_restart(cm_pg *pg, const char *run, cm_instant now, const char *actor,
                                       const char *reason, cm_error *err);

/* Determinism or control totals are violated: a running run is stopped and needs manual review. Audited as
 * `run.stopped`; `detail` is JSON or NULL. *ret_stopped false: it was not running. */
CM_NODISCARD bool cm_store_run_stop(cm_pg *pg, const char *run, const char *code, const char *text, const char *detail,
                                    cm_instant now, const char *actor, bool *ret_stopped, cm_error *err);

/* In its own transaction: supersedes running runs of a lane whose delivery is older than the current one's (those that
 * a worker is writing to are left for the next pass). */
CM_NODISCARD bool cm_store_runs_supersede_stale(cm_pg *pg, const char *lane, int *ret_count, cm_error *err);

#endif
