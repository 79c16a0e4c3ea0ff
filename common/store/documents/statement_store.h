/*
 * Draft documents in PostgreSQL: statements are made from the current runs of a lane and period and the catalog in
 * force, and are stale when either has changed since the build (`basis`); adjustments and credit notes are created when
 * an issued document differs from the newest runs (corrections.c). Used by invoice-writer (after a switch, on a timer)
 * and by `curmill statement`.
 */
#ifndef CM_STORE_STATEMENT_STORE_H
#define CM_STORE_STATEMENT_STORE_H

#include "base/time/time.h"
#include "billing/catalog/model/catalog.h"
#include "platform/postgres/postgres.h"

/*
 * Builds the drafts of (lane, period) if they are stale, or always with `force`; one transaction under an advisory
 * lock, so that two builders do the work only once. *ret_built says whether it was done. Without a current run there is
 * nothing to build, and earlier drafts are removed. An approved document whose figures come out the same stays
 * approved and rests on the newer runs; one whose figures differ becomes a draft again (audited).
 */
CM_NODISCARD bool cm_store_statements_refresh(cm_pg *pg, cm_instant now, const char *lane, cm_period period, bool force,
                                              bool *ret_built, cm_error *err);

/* Refreshes every stale (lane, period), then the corrections that are due; lane NULL: all lanes; period NULL: all
 * periods. */
CM_NODISCARD bool cm_store_statements_refresh_all(cm_pg *pg, cm_instant now, const char *lane, const cm_period *period,
                                                  int *ret_built, cm_error *err);

/* Did a build make this document a draft again, because its figures had changed since it was approved? */
CM_NODISCARD bool cm_store_document_left_approved(cm_pg *pg, const char *id, bool *ret, cm_error *err);

/*
 * Gates of a document (statements.md section 5), computed now: array of {"code", "open", "detail"}; `open` true: it
 * does not block; the detail of a closed gate says what would open it. `document` is the stored JSON.
 */
CM_NODISCARD json_t *cm_store_statement_gates(cm_pg *pg, cm_instant now, const json_t *document, cm_error *err);

#endif
