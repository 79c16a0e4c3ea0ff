/*
 * Adds up the rated batches of one run before they are written: entries with equal keys become one. Bounded by what is
 * added: the caller limits a group. Everything lives in the caller's arena; texts are borrowed from the batches.
 */
#ifndef CM_AGGREGATE_MERGE_H
#define CM_AGGREGATE_MERGE_H

#include "base/base/hash_index.h"
#include "billing/batch/rated_batch.h"

typedef struct cm_merged_charge {
    cm_charge charge; /* first_row: of the example, the smallest (chunk, row) */
    uint32_t chunk;   /* of the example */
} cm_merged_charge;

typedef struct cm_merge_table {
    cm_hash_index index;
    size_t capacity, count;
} cm_merge_table;

typedef struct cm_merge {
    cm_arena *arena;
    cm_merged_charge *charge; /* in order of first appearance */
    cm_charge_day *day;
    cm_merge_table charges, days;
} cm_merge;

void cm_merge_init(cm_merge *merge, cm_arena *arena);
/* POISON (OVERFLOW): a sum does not fit; the merge must not be used any more. */
CM_NODISCARD bool cm_merge_add(cm_merge *merge, const cm_rated_batch *batch, cm_error *err);

#endif
