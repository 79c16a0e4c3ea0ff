/*
 * What a person decides about a delivery (statements.md section 6): that one which shrank counts, that one is not
 * looked at any further, that an earlier one counts again. Each is one transaction, audited with who and why.
 */
#ifndef CM_STORE_DELIVERY_STORE_H
#define CM_STORE_DELIVERY_STORE_H

#include "store/runs/run_store.h"

typedef struct cm_delivery_decision {
    const char *delivery; /* whole id */
    const char *by, *reason;
    cm_instant now;
} cm_delivery_decision;

/* A held delivery counts from now on: its run becomes current, or the correction of a settled period.
 * REFUSED (DELIVERY_STATE): it is not held. NOT_FOUND. */
CM_NODISCARD bool cm_store_delivery_accept(cm_pg *pg, const cm_delivery_decision *d, cm_error *err);

/* A failed or held delivery is not to count: it is no longer reported, and nothing waits for it. If its files change,
 * it is read again like one that failed. REFUSED (DELIVERY_STATE): it is neither. NOT_FOUND. */
CM_NODISCARD bool cm_store_delivery_dismiss(cm_pg *pg, const cm_delivery_decision *d, cm_error *err);

/* An earlier delivery becomes the newest of its payer and period and is rated with `catalog`; when that run is
 * complete, it counts, whatever its size. What is delivered later replaces it as usual. *ret_run is its run, new or
 * existing. REFUSED (DELIVERY_STATE): it counts already, or was never replaced. NOT_FOUND. */
CM_NODISCARD bool cm_store_delivery_restore(cm_pg *pg, const cm_catalog *catalog, const cm_delivery_decision *d,
                                            const cm_run_settings *settings, char ret_run[static CM_ID_HEX],
                                            cm_error *err);

#endif
