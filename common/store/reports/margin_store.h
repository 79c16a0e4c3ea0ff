/* The reseller's own view of a stored document (rating.md section 7). May use: postgres, statement, catalog_store. */
#ifndef CM_STORE_MARGIN_STORE_H
#define CM_STORE_MARGIN_STORE_H

#include "platform/postgres/postgres.h"

#include <jansson.h>

/*
 * What a document of kind `statement` earns, from the runs and the catalog that it rests on: {"id", "currency", "rate",
 * "distributor_rate", "rows", "sell", "buy", "fx", "margin", "negative"}. REFUSED for corrections, and if the document
 * that follows from its runs today is another one (credits that other months have used since).
 */
CM_NODISCARD bool cm_store_statement_margin(cm_pg *pg, const char *id, json_t **ret, cm_error *err);

#endif
