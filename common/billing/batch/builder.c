/* LineBatch, written by hand: this is the path of every line. Rare records (ChunkEnd) use protobuf-c. */
#include "base/base/hash_index.h"
#include "billing/batch/column.h"
#include "billing/batch/dictionary.h"
#include "billing/batch/discount_tally.h"
#include "billing/batch/line_batch.h"
#include "billing/batch/messages.h"
#include "billing/batch/wire.h"

#include "line_batch.pb-c.h"

#include <stdlib.h>

enum {
    SCHEMA_VERSION = 1,
    KIND_COLUMNS = CM_KIND_TEXTS + 1, /* and flags */
    FIRST_KIND_FIELD = 10,
    LINES_PER_BATCH_MAX = 65536,
    /* Upper bounds for parts of the encoded record. */
    HEAD_BYTES = 512,                 /* scalars, tags and lengths */
    TEXT_BYTES = 4,                   /* and the text itself: tag, length below 2^14 */
    KIND_BYTES = 32,                  /* ten numbers below 2^21, flags below 2^7 */
    LINE_BYTES = 3 + 10 + 3 * 16 + 8, /* kind, start, three decimals (wide), checksum */
    NEXT_BYTES = LINE_BYTES + KIND_BYTES + CM_KIND_TEXTS * (CM_KIND_TEXT_MAX + TEXT_BYTES), /* one line more */
    OUTPUT_BYTES = CM_BATCH_ENCODED_MAX + 256,
};

/* Maps a number of the reader's memo to one of this batch; valid while `stamp` equals the builder's. */
struct memo {
    uint32_t stamp, number;
};

struct kind {
    uint32_t column[KIND_COLUMNS];
    uint32_t cost; /* its currency's place in `cost` */
};

struct cm_batch_builder {
    uint8_t run_id[CM_ID_BYTES];
    uint32_t chunk, rows_per_batch, sequence;

    /* The batch being built. */
    uint64_t first_row, last_row;
    uint32_t lines, kinds;
    uint32_t *kind;
    cm_instant *start;
    cm_decimal *quantity, *cost_of, *list_cost;
    uint64_t *line_checksum;
    struct kind *kind_entry; /* [kind_capacity] */
    uint32_t kind_capacity;
    cm_hash_index kind_index;
    cm_dictionary texts;

    uint64_t memo_source;
    uint32_t memo_stamp;
    struct memo *kind_memo, *text_memo;

    /* Of the chunk. */
    uint64_t all_lines, derived_lines, final_lines, rounded, checksum;
    cm_discount_tally discounts;
    cm_cost *cost;
    uint32_t costs, cost_capacity;

    uint8_t *output;
    uint8_t *end_record;
};

cm_batch_builder *cm_batch_builder_new(const uint8_t run_id[static CM_ID_BYTES], uint32_t chunk,
                                       uint32_t rows_per_batch)
{
    cm_assert(rows_per_batch >= 1 && rows_per_batch <= LINES_PER_BATCH_MAX);
    cm_batch_builder *b = cm_alloc(sizeof *b);
    memcpy(b->run_id, run_id, CM_ID_BYTES);
    b->chunk = chunk;
    b->rows_per_batch = rows_per_batch;
    b->kind = cm_alloc(rows_per_batch * sizeof *b->kind);
    b->start = cm_alloc(rows_per_batch * sizeof *b->start);
    b->quantity = cm_alloc(rows_per_batch * sizeof *b->quantity);
    b->cost_of = cm_alloc(rows_per_batch * sizeof *b->cost_of);
    b->list_cost = cm_alloc(rows_per_batch * sizeof *b->list_cost);
    b->line_checksum = cm_alloc(rows_per_batch * sizeof *b->line_checksum);
    b->kind_capacity = 1024;
    b->kind_entry = cm_alloc(b->kind_capacity * sizeof *b->kind_entry);
    cm_dictionary_init(&b->texts, 7);
    b->kind_memo = cm_alloc(CM_MEMO_KINDS * sizeof *b->kind_memo);
    b->text_memo = cm_alloc(CM_MEMO_TEXTS * sizeof *b->text_memo);
    b->memo_stamp = 1;
    b->output = cm_realloc(NULL, OUTPUT_BYTES);
    return b;
}

void cm_batch_builder_free(cm_batch_builder *b)
{
    if (!b)
        return;
    cm_dictionary_free(&b->texts);
    free(b->kind);
    free(b->start);
    free(b->quantity);
    free(b->cost_of);
    free(b->list_cost);
    free(b->line_checksum);
    free(b->kind_entry);
    cm_hash_free(&b->kind_index);
    free(b->kind_memo);
    free(b->text_memo);
    free(b->cost);
    cm_discount_tally_free(&b->discounts);
    free(b->output);
    free(b->end_record);
    free(b);
}

/* --- kinds ------------------------------------------------------------------------------------------------------- */

static uint32_t cost_place(cm_batch_builder *b, cm_slice currency)
{
    for (uint32_t i = 0; i < b->costs; i++)
        if (cm_slice_is(currency, b->cost[i].currency))
            return i;
    if (b->costs == b->cost_capacity) {
        b->cost_capacity = b->cost_capacity ? 2 * b->cost_capacity : 4;
        b->cost = cm_realloc(b->cost, b->cost_capacity * sizeof *b->cost);
    }
    cm_cost *cost = &b->cost[b->costs];
    cm_assert(currency.length < sizeof cost->currency);
    *cost = (cm_cost){0};
    if (currency.length)
        memcpy(cost->currency, currency.text, currency.length);
    return b->costs++;
}

static uint32_t kind_hash(const uint32_t column[static KIND_COLUMNS])
{
    uint64_t h = 0;
    for (int i = 0; i < KIND_COLUMNS; i++)
        h = (h ^ column[i]) * 0x9e3779b97f4a7c15 + (h >> 29);
    return (uint32_t)(h >> 32);
}

static uint32_t text_number(cm_batch_builder *b, const cm_line *line, int i)
{
    cm_slice text = cm_kind_texts(&line->kind)[i];
    if (!line->memo.source)
        return cm_dictionary_number(&b->texts, text);
    struct memo *memo = &b->text_memo[line->memo.text[i]];
    if (memo->stamp != b->memo_stamp)
        *memo = (struct memo){b->memo_stamp, cm_dictionary_number(&b->texts, text)};
    return memo->number;
}

static bool same_kind(const void *list, uint32_t position, const void *column)
{
    return memcmp(((const struct kind *)list)[position].column, column, KIND_COLUMNS * sizeof(uint32_t)) == 0;
}

/* The number of the line's kind, by its texts. */
static uint32_t find_kind(cm_batch_builder *b, const cm_line *line)
{
    uint32_t column[KIND_COLUMNS];
    for (int i = 0; i < CM_KIND_TEXTS; i++) {
        cm_assert(cm_kind_texts(&line->kind)[i].length <= CM_KIND_TEXT_MAX);
        column[i] = text_number(b, line, i);
    }
    column[CM_KIND_TEXTS] = line->kind.flags;
    uint64_t hash = kind_hash(column);
    uint32_t i = cm_hash_find(&b->kind_index, hash, same_kind, b->kind_entry, column);
    if (i != CM_HASH_NONE)
        return i;
    if (b->kinds == b->kind_capacity) {
        b->kind_capacity *= 2;
        b->kind_entry = cm_realloc(b->kind_entry, b->kind_capacity * sizeof *b->kind_entry);
    }
    struct kind *kind = &b->kind_entry[b->kinds];
    memcpy(kind->column, column, sizeof column);
    kind->cost = cost_place(b, line->kind.currency);
    cm_hash_add(&b->kind_index, hash, b->kinds);
    return b->kinds++;
}

static uint32_t kind_number(cm_batch_builder *b, const cm_line *line)
{
    if (!line->memo.source)
        return find_kind(b, line);
    if (line->memo.source != b->memo_source) {
        b->memo_source = line->memo.source;
        b->memo_stamp++;
    }
    struct memo *memo = &b->kind_memo[line->memo.kind];
    if (memo->stamp != b->memo_stamp)
        *memo = (struct memo){b->memo_stamp, find_kind(b, line)};
    return memo->number;
}

/* --- lines ------------------------------------------------------------------------------------------------------- */

/* Never less than the encoded record. */
static size_t most_bytes(const cm_batch_builder *b)
{
    return HEAD_BYTES + b->texts.text_bytes + (size_t)b->texts.count * TEXT_BYTES + (size_t)b->kinds * KIND_BYTES +
           (size_t)b->lines * LINE_BYTES;
}

bool cm_batch_builder_add(cm_batch_builder *b, const cm_line *line, bool *ret_full, cm_error *err)
{
    uint32_t i = b->lines;
    cm_assert(i < b->rows_per_batch);
    if (i == 0)
        b->first_row = line->row;
    bool derived = cm_line_is_derived(line);
    cm_assert(i == 0 || line->row == b->last_row + !derived);
    b->last_row = line->row;
    uint32_t kind = kind_number(b, line);
    cm_cost *cost = &b->cost[b->kind_entry[kind].cost];
    if (!cm_decimal_accumulate(&cost->amount, line->cost))
        return cm_fail(err, CM_ERROR_POISON, "OVERFLOW",
                       "the sum of the costs in %s up to this row is outside of what amounts can hold", cost->currency);
    if (line->discounts && !cm_discount_tally_add(&b->discounts, line))
        return cm_fail(err, CM_ERROR_POISON, "OVERFLOW",
                       "the sum of the discounts in %s up to this row is outside of what amounts can hold",
                       cost->currency);
    b->kind[i] = kind;
    b->start[i] = line->start;
    b->quantity[i] = line->quantity;
    b->cost_of[i] = line->cost;
    b->list_cost[i] = line->list_cost;
    b->line_checksum[i] = line->checksum;
    b->all_lines += !derived;
    b->derived_lines += derived;
    b->final_lines += (line->kind.flags & (CM_KIND_FINAL | CM_KIND_DERIVED)) == CM_KIND_FINAL;
    b->rounded += line->rounded;
    b->checksum += line->checksum;
    b->lines++;
    *ret_full = b->lines == b->rows_per_batch || b->texts.text_bytes > CM_BATCH_TEXT_MAX ||
                most_bytes(b) + NEXT_BYTES > CM_BATCH_ENCODED_MAX;
    return true;
}

bool cm_batch_builder_empty(const cm_batch_builder *b)
{
    return b->lines == 0;
}

/* --- encoding ---------------------------------------------------------------------------------------------------- */

static uint8_t *put_u32s(uint8_t *at, uint32_t field, const uint32_t *values, size_t stride, size_t count)
{
    uint8_t *content = cm_wire_begin(at, field);
    uint8_t *to = content;
    for (size_t i = 0; i < count; i++)
        to = cm_wire_put_varint(to, values[i * stride]);
    return cm_wire_end(content, to);
}

static uint8_t *put_starts(uint8_t *at, uint32_t field, const cm_instant *starts, size_t count)
{
    uint8_t *content = cm_wire_begin(at, field);
    uint8_t *to = content;
    uint64_t before = 0;
    for (size_t i = 0; i < count; i++) {
        /* Modulo 2^64, as the decoder adds. */
        to = cm_wire_put_varint(to, cm_wire_zigzag((int64_t)((uint64_t)starts[i] - before)));
        before = (uint64_t)starts[i];
    }
    return cm_wire_end(content, to);
}

static uint8_t *put_batch(const cm_batch_builder *b, uint8_t *at)
{
    at = cm_wire_put_number(at, 1, SCHEMA_VERSION);
    at = cm_wire_put_bytes(at, 2, b->run_id, CM_ID_BYTES);
    at = cm_wire_put_number(at, 3, b->chunk);
    at = cm_wire_put_number(at, 4, b->sequence);
    at = cm_wire_put_number(at, 5, b->first_row);
    at = cm_wire_put_number(at, 6, b->lines);
    memcpy(at, b->texts.encoded, b->texts.used);
    at += b->texts.used;
    for (uint32_t c = 0; c < KIND_COLUMNS; c++)
        at = put_u32s(at, FIRST_KIND_FIELD + c, &b->kind_entry[0].column[c], sizeof(struct kind) / sizeof(uint32_t),
                      b->kinds);
    at = put_u32s(at, 30, b->kind, 1, b->lines);
    at = put_starts(at, 31, b->start, b->lines);
    at = cm_column_put(at, 32, b->quantity, b->lines);
    at = cm_column_put(at, 33, b->cost_of, b->lines);
    at = cm_column_put(at, 34, b->list_cost, b->lines);
    return cm_wire_put_bytes(at, 35, b->line_checksum, b->lines * sizeof *b->line_checksum);
}

void cm_batch_builder_take(cm_batch_builder *b, const uint8_t **ret_bytes, size_t *ret_length, uint32_t *ret_sequence)
{
    cm_assert(b->lines > 0);
    cm_assert(most_bytes(b) <= CM_BATCH_ENCODED_MAX);
    uint8_t *content = cm_wire_begin(b->output, 1);
    uint8_t *end = cm_wire_end(content, put_batch(b, content));
    *ret_bytes = b->output;
    *ret_length = (size_t)(end - b->output);
    *ret_sequence = b->sequence++;
    cm_assert(*ret_length <= CM_BATCH_ENCODED_MAX);
    b->lines = b->kinds = 0;
    b->memo_stamp++;
    cm_hash_clear(&b->kind_index);
    cm_dictionary_reset(&b->texts);
}

static cm_slice text_of(const cm_batch_builder *b, uint32_t number)
{
    const struct cm_dictionary_entry *entry = &b->texts.entry[number];
    return (cm_slice){(const char *)b->texts.encoded + entry->at, entry->length};
}

void cm_batch_builder_seen(cm_batch_builder *b, void (*each)(void *opaque, const cm_kind_seen *seen), void *opaque)
{
    enum { USAGE_ACCOUNT, LINE_ITEM_TYPE, PRODUCT_CODE }; /* as in cm_kind */
    cm_kind_seen *seen = cm_alloc((b->kinds + 1) * sizeof *seen);
    for (uint32_t k = 0; k < b->kinds; k++)
        seen[k] = (cm_kind_seen){.first = INT64_MAX, .last = INT64_MIN};
    for (uint32_t i = 0; i < b->lines; i++) {
        cm_kind_seen *of = &seen[b->kind[i]];
        of->lines++;
        of->first = b->start[i] < of->first ? b->start[i] : of->first;
        of->last = b->start[i] > of->last ? b->start[i] : of->last;
    }
    for (uint32_t k = 0; k < b->kinds; k++) {
        const uint32_t *column = b->kind_entry[k].column;
        if (column[CM_KIND_TEXTS] & CM_KIND_DERIVED)
            continue;
        seen[k].usage_account = text_of(b, column[USAGE_ACCOUNT]);
        seen[k].line_item_type = text_of(b, column[LINE_ITEM_TYPE]);
        seen[k].product_code = text_of(b, column[PRODUCT_CODE]);
        each(opaque, &seen[k]);
    }
    free(seen);
}

static int by_currency(const void *a, const void *b)
{
    return strcmp(((const cm_cost *)a)->currency, ((const cm_cost *)b)->currency);
}

void cm_batch_builder_end(cm_batch_builder *b, const uint8_t **ret_bytes, size_t *ret_length)
{
    cm_assert(b->lines == 0);
    cm_chunk_end end = {.chunk = b->chunk,
                        .batches = b->sequence,
                        .lines = b->all_lines,
                        .derived_lines = b->derived_lines,
                        .final_lines = b->final_lines,
                        .rounded = b->rounded,
                        .checksum = b->checksum,
                        .cost = b->cost,
                        .costs = b->costs,
                        .discount = b->discounts.sum,
                        .discounts = b->discounts.sums,
                        .unexplained = b->discounts.unexplained,
                        .unexplained_count = b->discounts.unexplained_count,
                        .unexplained_lines = b->discounts.unexplained_lines};
    cm_discount_tally_sort(&b->discounts);
    memcpy(end.run_id, b->run_id, CM_ID_BYTES);
    if (b->costs)
        qsort(b->cost, b->costs, sizeof *b->cost, by_currency);
    cm_arena *arena = cm_arena_new(1024);
    Curmill__V1__IngestedRecord record = CURMILL__V1__INGESTED_RECORD__INIT;
    record.body_case = CURMILL__V1__INGESTED_RECORD__BODY_CHUNK_END;
    record.chunk_end = cm_chunk_end_message(&end, arena);
    free(b->end_record);
    b->end_record = cm_alloc(curmill__v1__ingested_record__get_packed_size(&record));
    *ret_length = curmill__v1__ingested_record__pack(&record, b->end_record);
    *ret_bytes = b->end_record;
    cm_arena_free(arena);
}
