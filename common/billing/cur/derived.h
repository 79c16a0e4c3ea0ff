/*
 * Discounts that stand in the columns of a line (rating.md section 2a): a CUR 2.0 export has them there and gives
 * derived lines; a legacy report repeats its discount lines there. Internal to common/billing/cur.
 */
#ifndef CM_CUR_DERIVED_H
#define CM_CUR_DERIVED_H

#include "billing/cur/columns.h"

/* One value of the map `discount`. */
typedef struct cm_derived_part {
    const char *type; /* line item type of the derived line; static */
    cm_decimal amount;
} cm_derived_part;

/* The derived lines of the current row. */
typedef struct cm_derived {
    cm_derived_part *part; /* [capacity] */
    size_t count, capacity, next;
    bool unexplained; /* the only part is what the map does not add up to */
    cm_line line;     /* the derived line last given out */
    char *text;       /* [text_capacity], the map without the quotes of CSV */
    size_t text_capacity;
} cm_derived;

/* Which of the two a file is, by its header. */
enum cm_discount_columns cm_discount_columns_of(const cm_columns *columns);
void cm_derived_free(cm_derived *derived);

/*
 * The map of one field as it is in the file, `raw`, into the parts of `derived`; numbers with more than 18 decimals
 * are added to *rounded. False: not a JSON object of numbers (then *ret_overflow is false), or a number is too large.
 */
CM_NODISCARD bool cm_derived_parse_map(cm_derived *derived, cm_slice raw, uint32_t *rounded, bool *ret_overflow);

/*
 * What the columns say a line costs more than `cost` becomes the parts of `derived`, whose parts are the map's:
 * net - cost, else the sum of the map, else `total`. NULL: the column is empty. False: a sum does not fit an amount.
 */
CM_NODISCARD bool cm_derived_make(cm_derived *derived, cm_decimal cost, const cm_decimal *net, const cm_decimal *total);

#endif
