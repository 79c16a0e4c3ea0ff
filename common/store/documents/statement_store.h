/*
 * Draft documents in PostgreSQL: statements are made from the current runs of a lane and period and the catalog in
 * force, stale when either is another one than the build's `basis`; adjustments and credit notes are made when an
 * issued document is not what the newest runs say (corrections.c). Used by invoice-writer (after a switch, on a timer)
 * and by `curmill statement`. May use: postgres, statement, catalog_store.
 */
#ifndef CM_STORE_STATEMENT_STORE_H
#define CM_STORE_STATEMENT_STORE_H

#include "base/time/time.h"
#include "billing/catalog/model/catalog.h"
#include "platform/postgres/postgres.h"

/*
 * Builds the drafts of (lane, period) if they are stale, or always with `force`; one transaction under an advisory
 * lock, so that two builders do the work once. *ret_built says whether it built. No current run: nothing to build,
 * drafts of before are removed.
 */
CM_NODISCARD bool cm_store_statements_refresh(cm_pg *pg, cm_instant now, const char *lane, cm_period period, bool force,
                                              bool *ret_built, cm_error *err);

/* Refreshes every stale (lane, period) of a lane, then the corrections that are due; lane NULL: of all lanes; period
 * NULL: every period. */
CM_NODISCARD bool cm_store_statements_refresh_all(cm_pg *pg, cm_instant now, const char *lane, const cm_period *period,
                                                  int *ret_built, cm_error *err);

/*
 * Gates of a document (statements.md section 5), computed now: array of {"code", "open", "detail"}; `open` true:
 * nothing holds it up; the detail of a shut gate says what would open it. `document` is the stored JSON.
 */
CM_NODISCARD json_t *cm_store_statement_gates(cm_pg *pg, cm_instant now, const json_t *document, cm_error *err);

#endif
