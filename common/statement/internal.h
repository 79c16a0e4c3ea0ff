/* Private to common/statement. */
#ifndef CM_STATEMENT_INTERNAL_H
#define CM_STATEMENT_INTERNAL_H

#include "statement/statement.h"

/* A line on its way to a document. Texts are borrowed from charges and catalog. */
typedef struct cm_draft_line {
    const char *payer, *account, *product, *usage_type, *unit, *class;
    bool support; /* support rows come after the charges of a customer (S12) */
    cm_decimal quantity;
    cm_decimal source_exact; /* in the charges' currency */
    cm_decimal exact;        /* in the document's currency */
    cm_decimal rounded;
} cm_draft_line;

typedef struct cm_draft_lines {
    cm_draft_line *list; /* malloc */
    size_t count, capacity;
} cm_draft_lines;
cm_draft_line *cm_draft_lines_add(cm_draft_lines *lines);

/* What a build shares between its steps. */
typedef struct cm_building {
    const cm_catalog *catalog;
    const char *lane;
    cm_period period;
} cm_building;

/* Section 6: adds the support row of one (payer, account, customer), if its link names a group; `charges` are all of
 * its charges in the period in one currency (S10). */
CM_NODISCARD bool cm_support_add_row(const cm_building *building, const cm_customer *customer,
                                     const cm_statement_charge *const *charges, size_t count, cm_draft_lines *lines,
                                     cm_error *err);

/* One document from its lines (sorted, converted, not yet rounded). `fx` is the rate that was used, NULL: none was
 * needed or there is none. */
CM_NODISCARD bool cm_document_make(const cm_building *building, const cm_customer *customer, const char *source,
                                   const cm_fx_rate *fx, cm_draft_lines *lines, cm_statement *ret, cm_error *err);

#endif
