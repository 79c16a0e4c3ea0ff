/*
 * The content of a correction (statements.md section 4): the lines of a document as it would be now, minus those of the
 * documents before, rounded once, and its taxes. All documents are JSON as they are stored. Pure.
 */
#ifndef CM_STATEMENT_DIFFERENCE_H
#define CM_STATEMENT_DIFFERENCE_H

#include "base/json/json.h"

typedef struct cm_difference_line {
    const json_t *line; /* borrowed from its document */
    cm_decimal quantity, exact;
} cm_difference_line;

typedef struct cm_difference {
    cm_difference_line *list; /* malloc */
    size_t count, capacity;
} cm_difference; /* {0} */

/* Adds or subtracts a document's lines. False: a line is damaged or does not fit. */
CM_NODISCARD bool cm_difference_add(cm_difference *all, const json_t *document, bool minus);
/* Merges equal keys into one line; drops lines without a difference in money. False: a sum does not fit. */
CM_NODISCARD bool cm_difference_merge(cm_difference *all);
/* Appends the lines to `ret`, rounded to `places` by the largest remainder. */
CM_NODISCARD bool cm_difference_lines(const cm_difference *all, int places, json_t *ret, cm_decimal *ret_subtotal);
/* Taxes of a document of one customer: subtotal x percent, with the percents of `document`; added to *total. */
CM_NODISCARD bool cm_difference_own_taxes(const json_t *document, cm_decimal subtotal, int places, cm_decimal *total,
                                          json_t *ret);
/* Taxes of a document of many customers (I02, I03): those of `now` less those of each document in `before`. */
CM_NODISCARD bool cm_difference_shared_taxes(const json_t *now, const json_t *before, cm_decimal *total, json_t *ret);
/* Less than one minor unit on every line and tax. */
bool cm_difference_is_nothing(const json_t *lines, const json_t *tax);

#endif
