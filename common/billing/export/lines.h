/*
 * The lines of one customer on one document, rated again from the delivery, as CSV (RFC 4180). What is written is what
 * the customer may see: its own `sell`, no other price layer (P13). Beside it, the sums by line of the document. Files
 * are opened by the caller. Memory is bounded by the kinds of lines and the lines of the document, not by the delivery.
 */
#ifndef CM_EXPORT_LINES_H
#define CM_EXPORT_LINES_H

#include "billing/cur/reader.h"
#include "billing/export/sums.h"
#include "billing/rating/rating.h"

#include <jansson.h>
#include <stdio.h>

typedef struct cm_line_export_order {
    const char *customer;
    const char *currency;                               /* of the document's charges: lines in others are not on it */
    const char *number, *document_currency, *rate_text; /* what each row says of the document; NULL: "" */
    const cm_decimal *rate;                             /* NULL: nothing was converted */
    FILE *out;
    cm_export_sums *sums;
    uint64_t lines, hidden; /* hidden: the customer's, but without an amount and not its usage */
    cm_decimal total;       /* of all that was written, in the charges' currency */
} cm_line_export_order;

/* A file of a run, and what the columns `run` and `line` say of it. */
typedef struct cm_export_file {
    cm_reader *reader;
    cm_rater *rater;
    const char *name, *run;
    uint32_t chunk;
} cm_export_file;

typedef struct cm_line_export cm_line_export;
cm_line_export *cm_line_export_new(cm_line_export_order *order); /* borrowed */
void cm_line_export_free(cm_line_export *lines);                 /* NULL is allowed */
/* Every line of the file. Errors name the file and the row; RETRY (OUTPUT): the lines could not be written. */
CM_NODISCARD bool cm_line_export_file(cm_line_export *lines, const cm_export_file *file, cm_error *err);
/* What the month added: `rows` as store/reports tells them. */
CM_NODISCARD bool cm_line_export_rows(cm_line_export_order *order, const json_t *rows, cm_error *err);
/* A correction's lines: the differences that it bills, in the document's currency; `from` is its kind. */
CM_NODISCARD bool cm_line_export_correction(cm_line_export_order *order, const char *kind, const json_t *lines,
                                            cm_error *err);
void cm_line_export_header(FILE *out);

#endif
