/*
 * The content of a correction (statements.md section 4): what a document would say now minus what was told before. The
 * subtotal and each tax are differences of rounded amounts, so the documents of a month add up to the month. All
 * documents are JSON as they are stored. Pure.
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
/* *ret = amount `key` of `now` (NULL: 0) less those of the documents in `before`. */
CM_NODISCARD bool cm_difference_amount(const json_t *now, const json_t *before, const char *key, cm_decimal *ret);
/* Appends the lines to `ret`, rounded to `places` by the largest remainder, so that they add up to `subtotal`. */
CM_NODISCARD bool cm_difference_lines(const cm_difference *all, int places, cm_decimal subtotal, json_t *ret);
/* The taxes of `now` (NULL: none) less those of the documents in `before`, by name and percent; added to *total. */
CM_NODISCARD bool cm_difference_taxes(const json_t *now, const json_t *before, cm_decimal *total, json_t *ret);
/* Do two corrections say the same: in every line's exact amount, the subtotal and the taxes? */
bool cm_difference_is_same(const json_t *a, const json_t *b);
/* Less than one minor unit on every line and tax. */
bool cm_difference_is_nothing(const json_t *lines, const json_t *tax);

#endif
