/* Why a row of a document has its amount: which terms, tiers or support plan, at which exchange rate, how it was
 * rounded. A pure function of the stored record and of the catalog version that it names. */
#ifndef CM_EXPLAIN_EXPLAIN_H
#define CM_EXPLAIN_EXPLAIN_H

#include "billing/catalog/model/catalog.h"

#include <jansson.h>

/*
 * `record`: store/documents/document_record.h. `row`: of the document's lines, from 1. Returns the keys of the line,
 * with `document`, `row`, `currency`, and `steps`: [{step, detail}] (what, terms, tiers, support, custom_charge,
 * credit, exchange, rounding). Caller: json_decref. NULL: NOT_FOUND (NO_ROW).
 */
CM_NODISCARD json_t *cm_explain_row(const json_t *record, const cm_catalog *catalog, size_t row, cm_error *err);

#endif
