/*
 * Rates one LineBatch: each line is priced, charges and days are added up, split by account into shards. A pure
 * function of (batch, snapshot): same bytes out for the same bytes in. No I/O.
 */
#ifndef CM_AGGREGATE_RATE_BATCH_H
#define CM_AGGREGATE_RATE_BATCH_H

#include "billing/batch/rated_batch.h"
#include "billing/rating/rating.h"

typedef struct cm_rated_shards {
    cm_rated_batch *batch; /* [count]: only shards with lines, by ascending shard */
    size_t count;
    uint64_t lines, suspended; /* of the whole batch, without derived lines */
} cm_rated_shards;

/*
 * Everything returned lives in `arena` or points into `batch` and the rater's catalog.
 * POISON (OVERFLOW, CURRENCY_CODE): a price or a sum does not fit; *ret_row says at which row.
 */
CM_NODISCARD bool cm_rate_batch(const cm_rater *rater, const cm_line_batch *batch, uint32_t shards, cm_arena *arena,
                                cm_rated_shards *ret, uint64_t *ret_row, cm_error *err);

#endif
