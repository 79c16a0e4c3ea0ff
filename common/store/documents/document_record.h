/*
 * The sources of a document, stored inside an issued one and used for its outputs (statements.md sections 4 and 7;
 * I09): {document, settings: {catalog, runs, fx, parties, accounts, labels, remit_to}, margin, arrears, overrides,
 * approved, issued}. The outputs of common/billing/print are pure functions of it. Records of older versions lack
 * accounts, labels, remit_to and margin.
 */
#ifndef CM_STORE_DOCUMENT_RECORD_H
#define CM_STORE_DOCUMENT_RECORD_H

#include "platform/postgres/postgres.h"

#include <jansson.h>

/* Columns of a document and its stored JSON; borrowed. */
typedef struct cm_document_facts {
    const char *reseller, *lane, *currency, *source_currency, *fx_id, *catalog_id;
    const char *runs, *customers; /* array literals */
    const json_t *document;       /* with period, rate, customers, lines */
} cm_document_facts;

/* The document of the reseller in a catalog version; NULL in *ret: it has none. Borrowed, until another version is
 * asked for by this thread. */
CM_NODISCARD bool cm_document_reseller(cm_pg *pg, const char *catalog_id, const char *reseller, const json_t **ret,
                                       cm_error *err);

/* The settings as they are now: catalog, runs, fx, parties, accounts, labels, remit_to. NULL: *err. */
CM_NODISCARD json_t *cm_document_settings(cm_pg *pg, const cm_document_facts *facts, cm_error *err);

/* N12: [{customer, account, product, earned, amount}] in the source currency; empty for corrections. NULL: *err. */
CM_NODISCARD json_t *cm_document_arrears(cm_pg *pg, const cm_document_facts *facts, cm_error *err);

/* The record of a document: the stored one if it is issued, otherwise the one it would get (without approval or issue
 * if there is none yet; the document has no gates). NOT_FOUND. Caller: json_decref. */
CM_NODISCARD bool cm_store_document_record(cm_pg *pg, const char *id, json_t **ret, cm_error *err);

#endif
