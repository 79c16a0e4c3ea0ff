/*
 * What a document contains besides the lines of deliveries, for one of its customers: `curmill export lines` adds it to
 * the lines that it rates again, so that together they make up the document (I10, R11).
 */
#ifndef CM_STORE_LINES_STORE_H
#define CM_STORE_LINES_STORE_H

#include "billing/catalog/model/catalog.h"
#include "platform/postgres/postgres.h"

#include <jansson.h>

/* A stored document. Texts owned by `rows`. */
typedef struct cm_document_facts {
    cm_rows *rows;
    const char *id, *number /* "" until it is issued */, *state, *lane, *month, *currency, *source_currency, *catalog,
        *kind, *runs /* array literal */;
    const char *consolidation; /* the reseller's setting: "end_customer", "semi", "full" */
    cm_period period;
    json_t *document;     /* as it is shown: an issued one from its record */
    cm_catalog *catalog_; /* the snapshot that it was made with; NULL: it is a correction, made of differences */
} cm_document_facts;

/* Free with cm_document_facts_free, also after a failure. */
CM_NODISCARD bool cm_store_document_facts(cm_pg *pg, const char *id, cm_document_facts *ret, cm_error *err);
void cm_document_facts_free(cm_document_facts *facts);

/*
 * Not for corrections. *ret_rows: what the month adds for the customer (statement.h, `rows`); tiers, support and custom
 * charges are computed from the charges of the document's runs, credits are those that the document used. *ret_lines:
 * its lines as on the document: {"account", "product", "usage_type", "unit", "class", "amount_exact"}; for a document
 * without breakdown by customer (I03), the customer's share computed from its charges, without account, and its
 * credits. Caller: json_decref.
 */
CM_NODISCARD bool cm_store_customer_rows(cm_pg *pg, const cm_document_facts *facts, const char *customer,
                                         json_t **ret_rows, json_t **ret_lines, cm_error *err);

#endif
