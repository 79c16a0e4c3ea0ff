/* The number of a document that is being issued. */
#ifndef CM_STORE_DOCUMENT_NUMBER_H
#define CM_STORE_DOCUMENT_NUMBER_H

#include "base/time/time.h"
#include "platform/postgres/postgres.h"

#include <jansson.h>

/*
 * Takes the next number of (reseller, lane, year of `now`), written as the reseller wants it (billing/number), appended
 * to `ret`. `document`: the reseller's document in the catalog, NULL: none. In the issuing transaction, which keeps the
 * series' row locked until it ends: no gap after a rollback, no number twice.
 */
CM_NODISCARD bool cm_store_document_number(cm_pg *pg, const char *reseller, const char *lane, const json_t *document,
                                           cm_instant now, cm_buffer *ret, cm_error *err);

#endif
