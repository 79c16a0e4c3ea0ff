/* The reseller's own view of a stored document (rating.md section 7). */
#ifndef CM_STORE_MARGIN_STORE_H
#define CM_STORE_MARGIN_STORE_H

#include "platform/postgres/postgres.h"

#include <jansson.h>

/*
 * The margin of a document of kind `statement`, from the runs and the catalog that it was made with: {"id", "currency",
 * "rate", "distributor_rate", "rows", "sell", "buy", "fx", "margin", "negative"}. REFUSED for corrections, and if its
 * runs would give another document today (other months have used credits since).
 */
CM_NODISCARD bool cm_store_statement_margin(cm_pg *pg, const char *id, json_t **ret, cm_error *err);

#endif
