/*
 * When a version of the catalog takes force (rating.md section 8): every payer whose slice it changed is rated again
 * for its newest periods that are not settled. Older open ones wait for `run start`; their gate PRICES_STALE says so.
 */
#ifndef CM_STORE_TAKE_FORCE_H
#define CM_STORE_TAKE_FORCE_H

#include "store/runs/run_store.h"

typedef struct cm_taken_force {
    bool noticed;            /* it is new to this lane */
    char catalog[CM_ID_HEX]; /* in force; "": none */
    int payers, runs;        /* rated again by this call, runs that began */
    cm_instant next;         /* when the next version takes force; INT64_MAX: none was applied */
} cm_taken_force;

/*
 * Any replica may call it at any time, at best when something was applied and at `next`; it is one query when there is
 * nothing to do. Runs are named by what they rate, a lock lets one replica of a lane work at a time, and a row for lane
 * and activation says that it is done: one audit entry `catalog.in_force`. For a minute it looks again, for deliveries
 * that were registered with the version before at the same time.
 */
CM_NODISCARD bool cm_store_take_force(cm_pg *pg, const char *lane, int periods, const cm_run_settings *settings,
                                      cm_instant now, const char *actor, cm_taken_force *ret, cm_error *err);

#endif
