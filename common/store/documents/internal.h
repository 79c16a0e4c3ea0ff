/* Private to common/store. */
#ifndef CM_STORE_INTERNAL_H
#define CM_STORE_INTERNAL_H

#include "billing/statement/statement.h"
#include "store/ledgers/credit_store.h"
#include "store/runs/run_store.h"

/* run id = hash(delivery, catalog, links, engine [, attempt]) (architecture.md section 3). */
void cm_run_id(const char *delivery, const char *catalog, const char *links, int attempt, char ret[static CM_ID_HEX]);

/* Inserts a run for the delivery, rated with a catalog version and a link set ("": none) (and empty run_chunk rows);
 * *ret_new false: the same run is there already. In a transaction. */
CM_NODISCARD bool cm_run_insert(cm_pg *pg, const char *delivery, const char *catalog, const char *links, int attempt,
                                const char *payer, const char *lane, cm_period period, int chunks,
                                const cm_run_settings *settings, cm_instant now, char ret_run[static CM_ID_HEX],
                                bool *ret_new, cm_error *err);

/* --- documents ----------------------------------------------------------------------------------------------- */

/* A document as it follows from charges, with array literals of what it rests on; borrowed for the time of the call. */
typedef struct cm_built_document {
    const cm_statement *statement;
    const char *customers, *payers, *runs;
} cm_built_document;

typedef struct cm_document_build {
    cm_pg *pg; /* in a transaction */
    const cm_catalog *catalog;
    const char *lane;
    cm_period period;
    const char *runs; /* array literal */
    bool (*take)(void *opaque, const cm_built_document *document, cm_error *err);
    void *opaque;
    bool with_margin;
    const cm_discount *discounts; /* for the margin (N12) */
    size_t discount_count;
    const char *charges;             /* relation with the columns of table charge; NULL: that table */
    const cm_credit_uses *used;      /* NULL: what the stored documents of other months use */
    const cm_month_visitor *visitor; /* instead of `take`: what the steps of the month change, no documents */
} cm_document_build;

/* Hands over every document of the runs' charges. Customers that the catalog does not have are named in *missing (may
 * be NULL). */
CM_NODISCARD bool cm_documents_build(const cm_document_build *order, cm_buffer *missing, cm_error *err);

/* corrections.c: every (lane, period) that is due; lane, month NULL: all. Transactions of its own. */
CM_NODISCARD bool cm_store_corrections_refresh(cm_pg *pg, cm_instant now, const char *lane, const char *month,
                                               int *ret_built, cm_error *err);

#endif
