/* The expected result of a batch, computed line by line without caching: the simplest correct code. */
#ifndef CM_TEST_NAIVE_H
#define CM_TEST_NAIVE_H

#include "billing/aggregate/rate_batch.h"

typedef struct naive {
    cm_charge *charge;
    uint32_t *charge_shard;
    size_t charges;
    cm_charge_day *day;
    uint32_t *day_shard;
    size_t days;
    struct naive_shard {
        uint64_t lines, derived_lines, checksum;
        cm_cost cost[8]; /* not sorted */
        size_t costs;
    } shard[16];
    uint64_t suspended;
} naive;

/* Texts point into the batch and the catalog. The caller frees charge, charge_shard, day, day_shard. */
void naive_rate(const cm_rater *rater, const cm_line_batch *batch, uint32_t shards, naive *ret);
void naive_free(naive *n);

#endif
