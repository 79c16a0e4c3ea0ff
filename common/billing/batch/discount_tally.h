/*
 * What a chunk says about its discounts: the sums that the alerts of a run are made of (rating.md section 2a). Internal
 * to common/billing/batch. All zero: nothing yet.
 */
#ifndef CM_BATCH_DISCOUNT_TALLY_H
#define CM_BATCH_DISCOUNT_TALLY_H

#include "billing/batch/line_batch.h"

typedef struct cm_discount_tally {
    cm_discount_sum *sum; /* [CM_DISCOUNT_SUMS_MAX] */
    size_t sums, last;
    cm_unexplained_discount unexplained[CM_UNEXPLAINED_MAX];
    size_t unexplained_count;
    uint64_t unexplained_lines;
} cm_discount_tally;

/* A line of a file with columns of discounts. False: a sum does not fit an amount. */
CM_NODISCARD bool cm_discount_tally_add(cm_discount_tally *tally, const cm_line *line);
/* By type and currency, as they are encoded. */
void cm_discount_tally_sort(cm_discount_tally *tally);
void cm_discount_tally_free(cm_discount_tally *tally);

#endif
