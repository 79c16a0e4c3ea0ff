/*
 * LineBatch and ChunkEnd: a builder on ingest-cur's side, a decoder on rate-engine's. Shapes: proto/line_batch.proto.
 * Where a batch ends depends on the rows alone: after `rows_per_batch` rows, or when its texts pass CM_BATCH_TEXT_MAX
 * bytes.
 */
#ifndef CM_BATCH_LINE_BATCH_H
#define CM_BATCH_LINE_BATCH_H

#include "base/base/arena.h"
#include "base/digest/digest.h"
#include "billing/cur/line.h"

enum {
    CM_BATCH_ROWS = 8192, /* default rows of a batch; part of the identity: change only with the engine version */
    CM_BATCH_TEXT_MAX = 512 * 1024,   /* dictionary bytes after which a batch ends early */
    CM_BATCH_ENCODED_MAX = 950 * 1024 /* below the broker's default record limit; checked by assertion */
};

typedef struct cm_batch_builder cm_batch_builder;
cm_batch_builder *cm_batch_builder_new(const uint8_t run_id[static CM_ID_BYTES], uint32_t chunk,
                                       uint32_t rows_per_batch);
void cm_batch_builder_free(cm_batch_builder *builder);
/* Copies what it keeps. *ret_full: the batch must be taken before the next add. False: control total overflow (POISON
 * OVERFLOW). */
CM_NODISCARD bool cm_batch_builder_add(cm_batch_builder *builder, const cm_line *line, bool *ret_full, cm_error *err);
bool cm_batch_builder_empty(const cm_batch_builder *builder);
/* Encodes the rows so far as an IngestedRecord and begins the next batch. Bytes are owned by the builder, valid until
 * the next take. */
void cm_batch_builder_take(cm_batch_builder *builder, const uint8_t **ret_bytes, size_t *ret_length,
                           uint32_t *ret_sequence);
/* What the builder's rows say about one kind; slices are valid until the batch is taken. */
typedef struct cm_kind_seen {
    cm_slice usage_account, line_item_type, product_code;
    uint64_t lines;
    cm_instant first, last; /* usage starts */
} cm_kind_seen;
/* Every kind of the rows so far, by number, without derived lines; call it before a take. */
void cm_batch_builder_seen(cm_batch_builder *builder, void (*each)(void *opaque, const cm_kind_seen *seen),
                           void *opaque);
/* The ChunkEnd record with the control totals of all rows added. Owned by the builder. */
void cm_batch_builder_end(cm_batch_builder *builder, const uint8_t **ret_bytes, size_t *ret_length);

/* --- decoding ---------------------------------------------------------------------------------------------------- */

typedef struct cm_line_batch {
    uint8_t run_id[CM_ID_BYTES];
    uint32_t chunk, sequence;
    uint64_t first_row; /* of the first line; each line is of the next row, a derived one of the same */
    uint32_t lines, kinds;
    const cm_kind *kind_of;                        /* [kinds]; currency codes fit cm_cost (checked) */
    const uint32_t *kind;                          /* [lines], each < kinds (checked) */
    const cm_instant *start;                       /* [lines] */
    const cm_decimal *quantity, *cost, *list_cost; /* [lines] */
    const uint64_t *checksum;                      /* [lines] */
} cm_line_batch;

typedef struct cm_cost {
    char currency[8];
    cm_decimal amount;
} cm_cost;

/* What a chunk with columns of discounts has of one line item type and currency (rating.md section 2a). */
typedef struct cm_discount_sum {
    char type[40]; /* "": those that are too many or too long to be told apart */
    char currency[8];
    /* Where discounts stand in columns: derived lines, and rows whose net column is empty. */
    uint64_t derived_lines, lines_without_net;
    cm_decimal derived, without_net; /* sums of their costs */
    /* Where columns repeat them: rows whose net column is filled. */
    uint64_t lines_with_net;
    cm_decimal net_difference; /* sum of net - cost */
} cm_discount_sum;

typedef struct cm_unexplained_discount {
    uint64_t row;
    char currency[8];
    cm_decimal amount;
} cm_unexplained_discount;

enum { CM_DISCOUNT_SUMS_MAX = 64, CM_UNEXPLAINED_MAX = 20 };

typedef struct cm_chunk_end {
    uint8_t run_id[CM_ID_BYTES];
    uint32_t chunk, batches;
    uint64_t lines, derived_lines, final_lines, rounded, checksum;
    const cm_cost *cost; /* sorted by currency */
    size_t costs;
    const cm_discount_sum *discount; /* sorted by type and currency */
    size_t discounts;
    const cm_unexplained_discount *unexplained; /* the first ones */
    size_t unexplained_count;
    uint64_t unexplained_lines; /* all of them */
} cm_chunk_end;

typedef struct cm_ingested {
    bool is_end;
    cm_line_batch batch;
    cm_chunk_end end;
} cm_ingested;

/* All memory comes from `arena`. POISON (UNDECODABLE) if the bytes are not such a record or are inconsistent. */
CM_NODISCARD bool cm_ingested_decode(const void *bytes, size_t length, cm_arena *arena, cm_ingested *ret,
                                     cm_error *err);

/* chunk.planned */
typedef struct cm_chunk_planned {
    uint8_t run_id[CM_ID_BYTES], delivery_id[CM_ID_BYTES];
    uint32_t chunk;
} cm_chunk_planned;
/* Returns the length; `into` has room for 64 bytes. */
size_t cm_chunk_planned_encode(const cm_chunk_planned *planned, uint8_t into[static 64]);
CM_NODISCARD bool cm_chunk_planned_decode(const void *bytes, size_t length, cm_chunk_planned *ret, cm_error *err);

#endif
