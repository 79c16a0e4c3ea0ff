/*
 * RatedBatch: one shard's part of a rated batch. Encoder for rate-engine, decoder for invoice-writer. Shape:
 * proto/rated_batch.proto. Entries are encoded in the order given; the caller's order must be deterministic (first
 * appearance in the batch).
 */
#ifndef CM_BATCH_RATED_BATCH_H
#define CM_BATCH_RATED_BATCH_H

#include "billing/batch/line_batch.h"

/* R04: the layers side by side. */
typedef struct cm_layers {
    cm_decimal quantity, payer, list, buy, sell;
} cm_layers;

typedef struct cm_charge {
    cm_slice customer, account, line_item_type, class, product, usage_type, operation, region, unit, rule, currency,
        reason;
    cm_slice link_from; /* where the account's support plan group changes in the month: since when this one holds */
    uint64_t lines, derived_lines, final_lines, first_row; /* `lines` without derived ones */
    cm_layers sum;
} cm_charge;

typedef struct cm_charge_day {
    int32_t day;
    cm_slice account, product, currency;
    uint64_t lines, derived_lines;
    cm_layers sum;
} cm_charge_day;

typedef struct cm_rated_batch {
    uint8_t run_id[CM_ID_BYTES];
    uint32_t chunk, sequence, shard;
    uint64_t lines, derived_lines, checksum;
    cm_cost *cost;
    size_t costs;
    cm_charge *charge;
    size_t charges;
    cm_charge_day *day;
    size_t days;
} cm_rated_batch;

typedef struct cm_rated {
    bool is_end;
    cm_rated_batch batch;
    cm_chunk_end end;
} cm_rated;

/* Bytes come from `arena`. */
void cm_rated_batch_encode(const cm_rated_batch *batch, cm_arena *arena, const uint8_t **ret_bytes, size_t *ret_length);
/* A ChunkEnd passed on as a RatedRecord. */
void cm_rated_end_encode(const cm_chunk_end *end, cm_arena *arena, const uint8_t **ret_bytes, size_t *ret_length);
CM_NODISCARD bool cm_rated_decode(const void *bytes, size_t length, cm_arena *arena, cm_rated *ret, cm_error *err);

#endif
