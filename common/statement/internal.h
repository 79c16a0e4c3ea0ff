/* Private to common/statement. */
#ifndef CM_STATEMENT_INTERNAL_H
#define CM_STATEMENT_INTERNAL_H

#include "base/arena.h"
#include "statement/statement.h"

/* A line on its way to a document. Texts are borrowed from charges, catalog or the build's arena. */
typedef struct cm_draft_line {
    const char *account, *product, *usage_type, *unit, *class, *source_currency;
    bool support;            /* support rows come after the charges of a customer (S12) */
    cm_decimal quantity;
    cm_decimal source_exact; /* in source_currency */
    cm_decimal exact;        /* in the document's currency */
    cm_decimal rounded;
    const char *currency;    /* the document's */
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
    cm_arena *arena;
} cm_building;

/*
 * Section 6: adds a support row for one (payer, account, customer): `charges` are all of its charges in the period, sorted by
 * currency. S10.
 */
CM_NODISCARD bool cm_support_add_rows(const cm_building *building, const cm_customer *customer, const cm_statement_charge *const *charges,
                                      size_t count, cm_draft_lines *lines, cm_error *err);

/* The JSON of one document from its lines (all in `currency`, sorted, not yet rounded). */
CM_NODISCARD bool cm_document_make(const cm_building *building, const cm_customer *customer, const char *currency, cm_draft_line *lines,
                                   size_t count, cm_statement *ret, cm_error *err);

#endif
