/* Inserting a run, for a new delivery or for rerating. Internal to store/runs. */
#ifndef CM_STORE_RUN_ROW_H
#define CM_STORE_RUN_ROW_H

#include "store/runs/run_store.h"

/* run id = hash(delivery, slice, links, engine [, attempt]) (architecture.md section 3). */
void cm_run_id(const char *delivery, const char *slice, const char *links, int attempt, char ret[static CM_ID_HEX]);

/* Inserts a run for the delivery, rated with the payer's slice of a catalog version and a link set ("": none) (and
 * empty run_chunk rows); *ret_new false: the same run already exists. NOT_FOUND: the version does not have the payer.
 * In a transaction. */
CM_NODISCARD bool cm_run_insert(cm_pg *pg, const char *delivery, const char *catalog, const char *links, int attempt,
                                const char *payer, const char *lane, cm_period period, int chunks,
                                const cm_run_settings *settings, cm_instant now, char ret_run[static CM_ID_HEX],
                                bool *ret_new, cm_error *err);

/* `run start`, in a transaction. The same rating again is the same run: it is made current, or begins again. */
typedef struct cm_run_order {
    const cm_catalog *catalog;
    const char *delivery; /* NULL: the one that counts, else the newest that is being read */
    const char *payer;
    cm_period period;
    const cm_run_settings *settings;
    cm_instant now;
    const char *actor, *reason;
} cm_run_order;
CM_NODISCARD bool cm_run_start_locked(cm_pg *pg, const cm_run_order *order, char ret_run[static CM_ID_HEX],
                                      bool *ret_new, cm_error *err);

/* Rates a delivery again with a catalog version (a settled period: its own) and its payer's present links, in a
 * transaction that holds the lock of (payer, period). Other runs of it that are still being rated are superseded. */
CM_NODISCARD bool cm_run_start_delivery(cm_pg *pg, const char *catalog, const char *delivery,
                                        const cm_run_settings *settings, cm_instant now, const char *actor,
                                        const char *reason, char ret_run[static CM_ID_HEX], bool *ret_new,
                                        cm_error *err);

/* Until the end of the transaction. */
CM_NODISCARD bool cm_period_lock(cm_pg *pg, const char *payer, const char *month, cm_error *err);

#endif
