/*
 * Builds documents from a month's charges: reads the database, builds with billing/statement and passes on one document
 * at a time. Stores nothing. Used for drafts and corrections, and by store/reports.
 */
#ifndef CM_STORE_DOCUMENT_BUILD_H
#define CM_STORE_DOCUMENT_BUILD_H

#include "base/base/buffer.h"
#include "billing/statement/statement.h"
#include "store/ledgers/credit_store.h"

/* A document built from charges, with array literals of its sources; borrowed during the call. */
typedef struct cm_built_document {
    const cm_statement *statement;
    const char *customers, *payers, *runs;
} cm_built_document;

typedef struct cm_document_build {
    cm_pg *pg; /* in a transaction */
    const cm_catalog *catalog;
    const char *lane;
    cm_period period;
    const char *runs;        /* array literal */
    const json_t *customers; /* set of ids: only theirs; NULL: all */
    bool (*take)(void *opaque, const cm_built_document *document, cm_error *err);
    /* A customer (reseller, where it has one document for its customers: then `customer` is "") whose document cannot
     * be made; the others are. NULL: the build fails. */
    bool (*trouble)(void *opaque, const char *reseller, const char *customer, const cm_error *why, cm_error *err);
    void *opaque;
    bool with_margin;
    const cm_discount *discounts; /* for the margin (N12) */
    size_t discount_count;
    const char *charges;             /* relation with the columns of table charge; NULL: that table */
    const cm_credit_uses *used;      /* NULL: as used by the stored documents of other months */
    const cm_month_visitor *visitor; /* instead of `take`: the effects of the month's steps, without documents */
} cm_document_build;

/* Passes on every document of the runs' charges. Customers that are not in the catalog are listed in *missing (may be
 * NULL). */
CM_NODISCARD bool cm_documents_build(const cm_document_build *order, cm_buffer *missing, cm_error *err);

#endif
