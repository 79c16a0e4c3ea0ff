/*
 * The lines of one customer on one document, rated again from the delivery, as CSV. What is written is what the
 * customer may see: its own `sell`, no other price layer (P13). Beside it, the sums by line of the document, so that
 * both can be compared to the last digit. Private to curmill. Memory is bounded by the kinds of lines and the lines of
 * the document, not by the delivery.
 */
#ifndef EXPORT_LINES_H
#define EXPORT_LINES_H

#include "base/base/arena.h"
#include "cli/cli.h"
#include "store/archive/archive_store.h"
#include "store/reports/lines_store.h"

#include <stdio.h>

/* --- sums: export_sums.c --------------------------------------------------------------------------------------- */

typedef struct export_sum {
    cm_slice key[5];   /* account, product, usage type, unit, class */
    cm_decimal lines;  /* of lines and tiers, in the charges' currency: one line of the document */
    cm_decimal rows;   /* of rows that are lines of their own, each converted */
    cm_decimal wanted; /* amount_exact on the document */
} export_sum;

typedef struct export_sums export_sums;
export_sums *export_sums_new(void);
void export_sums_free(export_sums *sums);
/* The sum of that key, new or there already; stays where it is. Texts are copied. */
export_sum *export_sums_at(export_sums *sums, const cm_slice key[static 5]);
/* lines x rate + rows = wanted, for each; `without_account`: added up over accounts first. `rate` NULL: none was used.
 * False: BUG with the first that differs. *ret_total: the sum of `wanted`. */
CM_NODISCARD bool export_sums_compare(const export_sums *sums, const cm_decimal *rate, bool without_account,
                                      cm_decimal *ret_total, cm_error *err);
/* Half-even at 10^-18, as the document's lines were. */
CM_NODISCARD bool export_convert(cm_decimal amount, const cm_decimal *rate, cm_decimal *ret);

/* --- lines: export_lines.c ------------------------------------------------------------------------------------- */

typedef struct export_order {
    cli *c;
    const cm_archive *archive; /* NULL: none */
    const cm_document_facts *document;
    const char *customer;
    FILE *out;
    export_sums *sums;
    uint64_t lines, hidden; /* hidden: the customer's, but without an amount and not its usage */
    cm_decimal total;       /* of all that was written, in the charges' currency */
    bool other_engine;      /* a run was rated by another version of the rating than this one */
} export_order;

/* All lines of the document's runs. */
CM_NODISCARD bool export_lines(export_order *order, cm_error *err);
/* What the month added (cm_store_customer_rows). */
CM_NODISCARD bool export_rows(export_order *order, const json_t *rows, const cm_decimal *rate, cm_error *err);
void export_header(FILE *out);

#endif
