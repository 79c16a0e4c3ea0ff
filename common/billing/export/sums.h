/* Sums of what is exported, by line of the document, so that both can be compared to the last digit. Pure. */
#ifndef CM_EXPORT_SUMS_H
#define CM_EXPORT_SUMS_H

#include "base/base/slice.h"
#include "base/decimal/decimal.h"

enum { CM_EXPORT_KEY = 5 }; /* account, product, usage type, unit, class */

typedef struct cm_export_sum {
    cm_slice key[CM_EXPORT_KEY];
    cm_decimal lines;  /* of lines and tiers, in the charges' currency: one line of the document */
    cm_decimal amount; /* the same in the document's currency: what was written of it so far */
    cm_decimal rows;   /* of rows that are lines of their own, each converted */
    cm_decimal wanted; /* amount_exact on the document */
} cm_export_sum;

typedef struct cm_export_sums cm_export_sums;
cm_export_sums *cm_export_sums_new(void);
void cm_export_sums_free(cm_export_sums *sums); /* NULL is allowed */
/* The sum of that key, new or there already; stays where it is. Texts are copied. */
cm_export_sum *cm_export_sums_at(cm_export_sums *sums, const cm_slice key[static CM_EXPORT_KEY]);
/* lines x rate + rows = wanted, for each; `without_account`: added up over accounts first. `rate` NULL: none was used.
 * False: BUG with the first that differs. *ret_total: the sum of `wanted`. */
CM_NODISCARD bool cm_export_sums_compare(const cm_export_sums *sums, const cm_decimal *rate, bool without_account,
                                         cm_decimal *ret_total, cm_error *err);
/* Adds to `lines`; *ret_amount: by how much that raises the line of the document, so that the parts of a line add up to
 * it to the last digit. False: overflow. */
CM_NODISCARD bool cm_export_sum_add(cm_export_sum *sum, cm_decimal amount, const cm_decimal *rate,
                                    cm_decimal *ret_amount);
/* Half-even at 10^-18, as the document's lines were. */
CM_NODISCARD bool cm_export_convert(cm_decimal amount, const cm_decimal *rate, cm_decimal *ret);

#endif
