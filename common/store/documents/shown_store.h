/*
 * What the command line last showed of a document: `statement list`, `show`, `build` and the changes of its state, in
 * any format, whoever asked. Who approves it is told what has changed since (statements.md section 4).
 */
#ifndef CM_STORE_SHOWN_STORE_H
#define CM_STORE_SHOWN_STORE_H

#include "base/time/time.h"
#include "platform/postgres/postgres.h"

#include <jansson.h>

/* Array literals of the same length. Documents that no longer exist are left out. */
CM_NODISCARD bool cm_store_documents_shown(cm_pg *pg, const char *ids, const char *currencies, const char *subtotals,
                                           const char *totals, cm_instant now, cm_error *err);

/* {"currency", "subtotal", "total", "at"}; NULL in *ret: it was never shown. */
CM_NODISCARD bool cm_store_document_seen(cm_pg *pg, const char *id, json_t **ret, cm_error *err);

/* `detail` of the audit trail, which has the document's total: gets `shown_before` if that was another one. */
CM_NODISCARD bool cm_store_document_add_seen(cm_pg *pg, const char *id, json_t *detail, cm_error *err);

#endif
