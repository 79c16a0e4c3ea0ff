/* Builder and decoder of LineBatch and ChunkEnd; bytes as protobuf-c would write them. Rules: O04, N14. */
#include "billing/batch/line_batch.h"
#include "billing/batch/wire.h"
#include "support.h"

#include "line_batch.pb-c.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

static const uint8_t run_id[CM_ID_BYTES] = "0123456789abcdef";

/* A line whose slices point into `text`. */
struct made_line {
    cm_line line;
    char text[CM_KIND_TEXTS][64];
};

static void make_line(test_random *random, uint64_t row, uint32_t kinds, struct made_line *ret)
{
    cm_slice *texts = (cm_slice *)(void *)&ret->line.kind;
    memset(ret, 0, sizeof *ret);
    uint32_t kind = test_below(random, kinds);
    for (int i = 0; i < CM_KIND_TEXTS; i++) {
        snprintf(ret->text[i], sizeof ret->text[i], "%s-%u", i % 3 ? "text" : "t\xc3\xa9xt",
                 (kind * 31 + (uint32_t)i) % (kinds / 2 + 1));
        if (i == CM_KIND_TEXTS - 1)
            snprintf(ret->text[i], sizeof ret->text[i], "%s", kind % 5 == 0 ? "" : kind % 2 ? "USD" : "CNY");
        texts[i] = cm_slice_of(ret->text[i]);
    }
    ret->line.kind.flags = kind % 4;
    ret->line.row = row;
    ret->line.start = (cm_instant)(1748736000 + test_below(random, 2592000)) * CM_SECOND -
                      (test_below(random, 50) == 0 ? INT64_MAX / 2 : 0);
    ret->line.quantity = test_decimal(random, 8);
    ret->line.quantity.units >>= 60;
    ret->line.cost =
        (cm_decimal){(cm_i128)(int64_t)(test_next(random) >> 20) * 100000000 * (test_below(random, 2) ? 1 : -1)};
    ret->line.list_cost = test_below(random, 3) ? (cm_decimal){0} : test_decimal(random, 18);
    ret->line.checksum = test_next(random);
    ret->line.rounded = test_below(random, 20) == 0;
}

static void take(cm_batch_builder *builder, uint8_t **ret_bytes, size_t *ret_length, uint32_t expected_sequence)
{
    const uint8_t *bytes;
    uint32_t sequence;
    cm_batch_builder_take(builder, &bytes, ret_length, &sequence);
    cr_assert_eq(sequence, expected_sequence);
    cr_assert(cm_batch_builder_empty(builder));
    *ret_bytes = cm_alloc(*ret_length); /* exact size, so that reading beyond it is detected */
    memcpy(*ret_bytes, bytes, *ret_length);
}

static void expect_line(const cm_line_batch *batch, uint32_t i, const cm_line *line)
{
    const cm_kind *kind = &batch->kind_of[batch->kind[i]];
    for (int t = 0; t < CM_KIND_TEXTS; t++)
        cr_assert(cm_slice_equal(cm_kind_texts(kind)[t], cm_kind_texts(&line->kind)[t]));
    cr_assert_eq(kind->flags, line->kind.flags);
    cr_assert_eq(batch->start[i], line->start);
    cr_assert(cm_decimal_equal(batch->quantity[i], line->quantity));
    cr_assert(cm_decimal_equal(batch->cost[i], line->cost));
    cr_assert(cm_decimal_equal(batch->list_cost[i], line->list_cost));
    cr_assert_eq(batch->checksum[i], line->checksum);
    cr_assert_eq(batch->first_row + i, line->row);
}

/* protobuf-c reads it, and writes the very same bytes. */
static void expect_protobuf(const uint8_t *bytes, size_t length)
{
    Curmill__V1__IngestedRecord *record = curmill__v1__ingested_record__unpack(NULL, length, bytes);
    cr_assert_not_null(record);
    cr_assert_eq(curmill__v1__ingested_record__get_packed_size(record), length);
    uint8_t *again = cm_alloc(length);
    cr_assert_eq(curmill__v1__ingested_record__pack(record, again), length);
    cr_assert_eq(memcmp(again, bytes, length), 0);
    free(again);
    curmill__v1__ingested_record__free_unpacked(record, NULL);
}

static void one_batch(test_random *random, uint32_t lines, uint32_t kinds)
{
    cm_batch_builder *builder = cm_batch_builder_new(run_id, 3, lines);
    struct made_line *made = cm_alloc(lines * sizeof *made);
    cm_arena *arena = cm_arena_new(1 << 16);
    cm_error err = {0};
    cm_ingested record;
    uint8_t *bytes;
    size_t length;
    bool full = false;
    for (uint32_t i = 0; i < lines; i++) {
        cr_assert(!full);
        make_line(random, 77 + i, kinds, &made[i]);
        cr_assert(cm_batch_builder_add(builder, &made[i].line, &full, &err), "%s", err.text);
    }
    cr_assert(full);
    take(builder, &bytes, &length, 0);
    expect_protobuf(bytes, length);
    cr_assert(cm_ingested_decode(bytes, length, arena, &record, &err), "%s", err.text);
    cr_assert(!record.is_end);
    cr_assert_eq(record.batch.lines, lines);
    cr_assert_eq(record.batch.chunk, 3);
    cr_assert_eq(memcmp(record.batch.run_id, run_id, CM_ID_BYTES), 0);
    cr_assert_leq(record.batch.kinds, kinds);
    for (uint32_t i = 0; i < lines; i++) {
        /* Numbered by first appearance. */
        cr_assert(i == 0 ? record.batch.kind[0] == 0 : record.batch.kind[i] <= record.batch.kinds);
        expect_line(&record.batch, i, &made[i].line);
    }
    for (uint32_t a = 0; a < record.batch.kinds; a++)
        for (uint32_t b = a + 1; b < record.batch.kinds && kinds < 100; b++) {
            bool same = record.batch.kind_of[a].flags == record.batch.kind_of[b].flags;
            for (int t = 0; t < CM_KIND_TEXTS; t++)
                same = same && cm_slice_equal(cm_kind_texts(&record.batch.kind_of[a])[t],
                                              cm_kind_texts(&record.batch.kind_of[b])[t]);
            cr_assert(!same, "kinds %u and %u are the same", a, b);
        }
    cm_arena_free(arena);
    cm_batch_builder_free(builder);
    free(made);
    free(bytes);
}

Test(line_batch, round_trip_and_bytes_of_protobuf_c)
{
    test_random random = {1};
    for (int i = 0; i < 60; i++)
        one_batch(&random, 1 + test_below(&random, 300), 1 + test_below(&random, 80));
    one_batch(&random, 8192, 8000);
    one_batch(&random, 5000, 1);
}

/* The reader's knowledge about texts saves work but changes nothing. */
Test(line_batch, memo_does_not_change_the_bytes)
{
    enum { LINES = 3000, KINDS = 200 };
    test_random random = {5};
    cm_error err = {0};
    cm_batch_builder *plain = cm_batch_builder_new(run_id, 1, 700), *with_memo = cm_batch_builder_new(run_id, 1, 700);
    /* Numbers as a reader could give them: two for some kinds, and others after it forgot. */
    char known[400][64];
    uint32_t known_count = 0, sequence = 0;
    uint64_t source = 9;
    for (uint64_t row = 1; row <= LINES; row++) {
        struct made_line made;
        uint32_t numbers[CM_KIND_TEXTS];
        bool full_a, full_b;
        if (row % 1100 == 0) {
            source++;
            known_count = 0;
        }
        make_line(&random, row, KINDS, &made);
        cr_assert(cm_batch_builder_add(plain, &made.line, &full_a, &err));
        uint64_t hash = made.line.kind.flags;
        for (int t = 0; t < CM_KIND_TEXTS; t++) {
            uint32_t n = 0;
            while (n < known_count && strcmp(known[n], made.text[t]) != 0)
                n++;
            if (n == known_count)
                strcpy(known[known_count++], made.text[t]);
            numbers[t] = n;
            hash = hash * 401 + n;
        }
        made.line.memo = (cm_line_memo){source, 0, numbers};
        /* A kind's number: found by its texts in a table that is never reset within a source. */
        static struct {
            uint64_t source, hash;
        } seen[CM_MEMO_KINDS];
        uint32_t kind = 0;
        while (seen[kind].source == source && seen[kind].hash != hash)
            kind++;
        seen[kind].source = source;
        seen[kind].hash = hash;
        made.line.memo.kind = kind;
        cr_assert(cm_batch_builder_add(with_memo, &made.line, &full_b, &err));
        cr_assert_eq(full_a, full_b);
        if (full_a || row == LINES) {
            uint8_t *a, *b;
            size_t length_a, length_b;
            take(plain, &a, &length_a, sequence);
            take(with_memo, &b, &length_b, sequence++);
            cr_assert_eq(length_a, length_b);
            cr_assert_eq(memcmp(a, b, length_a), 0, "batch %u", sequence);
            free(a);
            free(b);
        }
    }
    cm_batch_builder_free(plain);
    cm_batch_builder_free(with_memo);
}

/* O04: the same rows give the same batches, whatever was read before. N14: control totals are exact. */
Test(line_batch, O04_N14_control_totals_of_a_chunk)
{
    test_random random = {2};
    cm_error err = {0};
    cm_batch_builder *builder = cm_batch_builder_new(run_id, 12, 100);
    cm_arena *arena = cm_arena_new(1 << 16);
    cm_ingested record;
    uint64_t checksum = 0, rounded = 0, final_lines = 0;
    cm_decimal usd = {0}, cny = {0}, none = {0};
    uint32_t batches = 0;
    for (uint64_t row = 1; row <= 1234; row++) {
        struct made_line made;
        bool full;
        make_line(&random, row, 50, &made);
        if (made.text[CM_KIND_TEXTS - 1][0] == 0)
            made.line.cost = (cm_decimal){0};
        cr_assert(cm_batch_builder_add(builder, &made.line, &full, &err));
        checksum += made.line.checksum;
        rounded += made.line.rounded;
        final_lines += made.line.kind.flags >= CM_KIND_FINAL;
        cm_decimal *sum = made.text[CM_KIND_TEXTS - 1][0] == 0     ? &none
                          : made.text[CM_KIND_TEXTS - 1][0] == 'U' ? &usd
                                                                   : &cny;
        cr_assert(cm_decimal_accumulate(sum, made.line.cost));
        if (full || row == 1234) {
            uint8_t *bytes;
            size_t length;
            take(builder, &bytes, &length, batches++);
            cr_assert(cm_ingested_decode(bytes, length, arena, &record, &err));
            cr_assert_eq(record.batch.sequence, batches - 1);
            cr_assert_eq(record.batch.first_row, (batches - 1) * 100 + 1);
            free(bytes);
        }
    }
    const uint8_t *bytes;
    size_t length;
    cm_batch_builder_end(builder, &bytes, &length);
    expect_protobuf(bytes, length);
    cr_assert(cm_ingested_decode(bytes, length, arena, &record, &err), "%s", err.text);
    cr_assert(record.is_end);
    cr_assert_eq(record.end.chunk, 12);
    cr_assert_eq(record.end.batches, 13);
    cr_assert_eq(record.end.lines, 1234);
    cr_assert_eq(record.end.checksum, checksum);
    cr_assert_eq(record.end.rounded, rounded);
    cr_assert_eq(record.end.final_lines, final_lines);
    cr_assert_eq(record.end.costs, 3);
    cr_assert_str_eq(record.end.cost[0].currency, "");
    cr_assert_str_eq(record.end.cost[1].currency, "CNY");
    cr_assert_str_eq(record.end.cost[2].currency, "USD");
    cr_assert(cm_decimal_equal(record.end.cost[0].amount, none));
    cr_assert(cm_decimal_equal(record.end.cost[1].amount, cny));
    cr_assert(cm_decimal_equal(record.end.cost[2].amount, usd));
    cm_arena_free(arena);
    cm_batch_builder_free(builder);
}

Test(line_batch, end_of_a_chunk_without_lines)
{
    cm_batch_builder *builder = cm_batch_builder_new(run_id, 1, CM_BATCH_ROWS);
    cm_arena *arena = cm_arena_new(4096);
    cm_error err = {0};
    cm_ingested record;
    const uint8_t *bytes;
    size_t length;
    cm_batch_builder_end(builder, &bytes, &length);
    expect_protobuf(bytes, length);
    cr_assert(cm_ingested_decode(bytes, length, arena, &record, &err), "%s", err.text);
    cr_assert(record.is_end && record.end.lines == 0 && record.end.batches == 0 && record.end.costs == 0);
    cm_arena_free(arena);
    cm_batch_builder_free(builder);
}

Test(line_batch, sum_that_overflows_is_poison)
{
    cm_batch_builder *builder = cm_batch_builder_new(run_id, 1, 10);
    test_random random = {6};
    cm_error err = {0};
    bool full;
    struct made_line made;
    make_line(&random, 1, 1, &made);
    made.line.cost.units = (cm_i128)(~(cm_u128)0 >> 1);
    cr_assert(cm_batch_builder_add(builder, &made.line, &full, &err));
    made.line.row = 2;
    made.line.cost.units = 1;
    cr_assert(!cm_batch_builder_add(builder, &made.line, &full, &err));
    cr_assert_str_eq(err.code, "OVERFLOW");
    cr_assert_eq(err.class, CM_ERROR_POISON);
    cm_batch_builder_free(builder);
}

/* --- size -------------------------------------------------------------------------------------------------------- */

/* Lines that need as much space as lines can: wide decimals, every text new and long. */
static uint32_t lines_until_full(size_t text_length, bool wide, size_t *ret_length)
{
    cm_batch_builder *builder = cm_batch_builder_new(run_id, UINT32_MAX, 65536);
    cm_arena *arena = cm_arena_new(1 << 20);
    cm_error err = {0};
    cm_ingested record;
    char *text = cm_alloc(CM_KIND_TEXTS * (text_length + 16));
    uint32_t lines = 0;
    uint64_t unique = 0;
    bool full = false;
    while (!full) {
        cm_line line = {
            .row = UINT64_MAX - 100000 + lines, .start = lines % 2 ? INT64_MAX : INT64_MIN, .checksum = ~UINT64_C(0)};
        cm_slice *texts = (cm_slice *)(void *)&line.kind;
        for (int i = 0; i < CM_KIND_TEXTS; i++) {
            char *at = text + (size_t)i * (text_length + 16);
            memset(at, 'x', text_length);
            texts[i] = (cm_slice){at, text_length};
            if (i == CM_KIND_TEXTS - 1)
                texts[i] = cm_slice_of("USD");
            else if (text_length >= 8)
                for (uint64_t n = unique++, k = 0; k < 8; k++, n /= 10)
                    at[k] = (char)('0' + n % 10);
        }
        line.kind.flags = 3;
        line.quantity = line.list_cost = (cm_decimal){wide ? (cm_i128)((cm_u128)1 << 127) : 5};
        line.cost = (cm_decimal){wide && lines == 0 ? (cm_i128)1 << 126 : 1};
        cr_assert(cm_batch_builder_add(builder, &line, &full, &err), "%s", err.text);
        lines++;
    }
    uint8_t *bytes;
    take(builder, &bytes, ret_length, 0); /* asserts CM_BATCH_ENCODED_MAX */
    cr_assert(cm_ingested_decode(bytes, *ret_length, arena, &record, &err), "%s", err.text);
    cr_assert_eq(record.batch.lines, lines);
    free(bytes);
    free(text);
    cm_arena_free(arena);
    cm_batch_builder_free(builder);
    return lines;
}

Test(line_batch, no_record_is_larger_than_a_broker_takes)
{
    size_t length;
    for (size_t text = 0; text <= CM_KIND_TEXT_MAX; text = text ? text * 2 : 8)
        for (int wide = 0; wide < 2; wide++) {
            uint32_t lines = lines_until_full(text, wide, &length);
            cr_assert_leq(length, CM_BATCH_ENCODED_MAX, "%zu bytes, %u lines of texts of %zu", length, lines, text);
            /* An ordinary batch of 8192 rows is not cut short by this. */
            cr_assert(text > 0 || lines > CM_BATCH_ROWS, "%u lines", lines);
        }
}

/* --- decoding what others could send ----------------------------------------------------------------------------- */

static uint8_t *small_batch(size_t *ret_length)
{
    test_random random = {8};
    cm_batch_builder *builder = cm_batch_builder_new(run_id, 1, 5);
    cm_error err = {0};
    uint8_t *bytes;
    bool full;
    for (uint64_t row = 1; row <= 5; row++) {
        struct made_line made;
        make_line(&random, row, 3, &made);
        cr_assert(cm_batch_builder_add(builder, &made.line, &full, &err));
    }
    take(builder, &bytes, ret_length, 0);
    cm_batch_builder_free(builder);
    return bytes;
}

static bool decodes(const void *bytes, size_t length, cm_error *err)
{
    cm_arena *arena = cm_arena_new(4096);
    cm_ingested record;
    uint8_t *exact = cm_alloc(length ? length : 1);
    memcpy(exact, bytes, length);
    bool ok = cm_ingested_decode(exact, length, arena, &record, err);
    if (!ok) {
        cr_assert_eq(err->class, CM_ERROR_POISON);
        cr_assert_str_eq(err->code, "UNDECODABLE");
    }
    cr_assert_leq(cm_arena_used(arena), 40 * length + 4096, "a record of %zu bytes took %zu", length,
                  cm_arena_used(arena));
    free(exact);
    cm_arena_free(arena);
    return ok;
}

Test(line_batch, every_cut_and_every_changed_byte_is_survived)
{
    cm_error err = {0};
    size_t length, good = 0;
    uint8_t *bytes = small_batch(&length);
    cr_assert(decodes(bytes, length, &err));
    for (size_t n = 0; n < length; n++)
        cr_assert(!decodes(bytes, n, &err), "cut to %zu of %zu bytes", n, length);
    for (size_t at = 0; at < length; at++)
        for (int bit = 0; bit < 8; bit++) {
            bytes[at] ^= (uint8_t)(1 << bit);
            good += decodes(bytes, length, &err); /* a changed number is not an inconsistency */
            bytes[at] ^= (uint8_t)(1 << bit);
        }
    cr_assert(good > 100 && good < length * 8 - 100);
    free(bytes);
}

/* A newer writer adds fields to both messages; a simpler one does not pack. */
Test(line_batch, unknown_fields_are_skipped_and_unpacked_ones_read)
{
    size_t length;
    cm_error err = {0};
    uint8_t *bytes = small_batch(&length), buffer[4096];
    Curmill__V1__IngestedRecord *record = curmill__v1__ingested_record__unpack(NULL, length, bytes);
    cr_assert_not_null(record);
    uint8_t *content = cm_wire_begin(buffer, 1), *at = content;
    at = cm_wire_put_number(at, 99, 1234567);
    at += curmill__v1__line_batch__pack(record->batch, at);
    at = cm_wire_put_bytes(at, 101, "a later thing", 13);
    *at++ = 0x85, *at++ = 0x07; /* field 112, 32 bits */
    memcpy(at, "abcd", 4), at += 4;
    uint8_t *end = cm_wire_end(content, at);
    end = cm_wire_put_number(end, 77, 5);
    cr_assert(decodes(buffer, (size_t)(end - buffer), &err), "%s", err.text);

    /* The last column in single values instead of one packed field. */
    uint64_t checksum[5];
    memcpy(checksum, record->batch->checksum, sizeof checksum);
    record->batch->n_checksum = 0;
    content = cm_wire_begin(buffer, 1);
    at = content + curmill__v1__line_batch__pack(record->batch, content);
    for (int i = 0; i < 5; i++) {
        at = cm_wire_put_tag(at, 35, CM_WIRE_FIXED64);
        memcpy(at, &checksum[i], 8), at += 8;
    }
    end = cm_wire_end(content, at);
    cr_assert(decodes(buffer, (size_t)(end - buffer), &err), "%s", err.text);
    record->batch->n_checksum = 5;

    uint32_t kind[5];
    memcpy(kind, record->batch->kind, sizeof kind);
    record->batch->n_kind = 0;
    content = cm_wire_begin(buffer, 1);
    at = content + curmill__v1__line_batch__pack(record->batch, content);
    for (int i = 0; i < 5; i++)
        at = cm_wire_put_varint(cm_wire_put_tag(at, 30, CM_WIRE_VARINT), kind[i]);
    end = cm_wire_end(content, at);
    cr_assert(decodes(buffer, (size_t)(end - buffer), &err), "%s", err.text);
    record->batch->n_kind = 5;
    curmill__v1__ingested_record__free_unpacked(record, NULL);
    free(bytes);
}

enum { TOO_HIGH, TOO_SHORT, VERSION, RUN_ID, FIRST_ROW, LINE_COUNT, LINES, TEXT_INDEX, NO_TEXT, CURRENCY, CASES };

Test(line_batch, contradictions_are_found)
{
    for (int c = 0; c < CASES; c++) {
        size_t length;
        cm_error err = {0};
        uint8_t *bytes = small_batch(&length);
        Curmill__V1__IngestedRecord *record = curmill__v1__ingested_record__unpack(NULL, length, bytes);
        Curmill__V1__LineBatch *b = record->batch;
        size_t texts = b->n_text;
        switch (c) {
        case TOO_HIGH:
            b->kind[2] = (uint32_t)b->n_flags;
            break;
        case TOO_SHORT:
            b->n_region--;
            break;
        case VERSION:
            b->schema_version = 2;
            break;
        case RUN_ID:
            b->run_id.len = 15;
            break;
        case FIRST_ROW:
            b->first_row = 0;
            break;
        case LINE_COUNT:
            b->lines = 6;
            break;
        case LINES:
            b->lines = 60000;
            break;
        case TEXT_INDEX:
            b->sku[0] = (uint32_t)b->n_text;
            break;
        case NO_TEXT:
            b->n_text = 0;
            break;
        case CURRENCY:
            free(b->text[b->currency[0]].data);
            b->text[b->currency[0]] = (ProtobufCBinaryData){8, (uint8_t *)strdup("DOLLARS!")};
            break;
        }
        uint8_t again[4096];
        size_t n = curmill__v1__ingested_record__pack(record, again);
        cr_assert(!decodes(again, n, &err), "case %d", c);
        b->n_text = texts;
        b->n_region += c == TOO_SHORT;
        curmill__v1__ingested_record__free_unpacked(record, NULL);
        free(bytes);
    }
    cm_error err = {0};
    cr_assert(!decodes("", 0, &err));
    cr_assert(!decodes("\x78\x01", 2, &err), "neither a batch nor an end");
}

Test(line_batch, rows_must_follow_each_other, .exit_code = 70)
{
    cm_batch_builder *builder = cm_batch_builder_new(run_id, 1, 5);
    test_random random = {8};
    cm_error err = {0};
    bool full;
    struct made_line made;
    make_line(&random, 1, 3, &made);
    cr_assert(cm_batch_builder_add(builder, &made.line, &full, &err));
    made.line.row = 3;
    (void)!cm_batch_builder_add(builder, &made.line, &full, &err);
}

Test(chunk_planned, round_trip_and_damage)
{
    cm_chunk_planned planned = {.chunk = UINT32_MAX}, got;
    cm_error err = {0};
    uint8_t bytes[64];
    memcpy(planned.run_id, "run-run-run-run!", 16);
    memcpy(planned.delivery_id, "delivery-id-0123", 16);
    size_t length = cm_chunk_planned_encode(&planned, bytes);
    cr_assert_leq(length, 64);
    cr_assert(cm_chunk_planned_decode(bytes, length, &got, &err));
    cr_assert_eq(memcmp(&planned, &got, sizeof got), 0);
    for (size_t n = 0; n < length; n++)
        cr_assert(!cm_chunk_planned_decode(bytes, n, &got, &err), "cut to %zu", n);
    cr_assert_str_eq(err.code, "UNDECODABLE");
}

/* --- derived lines and what a chunk says about its discounts (rating.md section 2a) --------------------------------
 */

static void add_discount_line(cm_batch_builder *builder, uint64_t row, const char *type, int cost, const cm_line *more)
{
    bool full;
    cm_error err = {0};
    cm_line line = *more;
    line.row = row;
    line.kind = (cm_kind){.usage_account = cm_slice_of("1"),
                          .line_item_type = cm_slice_of(type),
                          .currency = cm_slice_of("USD"),
                          .flags = more->kind.flags | CM_KIND_FINAL};
    line.cost = cm_decimal_from_i64(cost);
    line.checksum = more->kind.flags & CM_KIND_DERIVED ? 0 : 5;
    cr_assert(cm_batch_builder_add(builder, &line, &full, &err), "%s", err.text);
}

static void expect_sum(const cm_discount_sum *sum, const char *type, uint64_t derived_lines, int derived,
                       uint64_t lines_without_net, int without_net, uint64_t lines_with_net, int net_difference)
{
    cr_expect_str_eq(sum->type, type);
    cr_expect_str_eq(sum->currency, "USD");
    cr_expect(sum->derived_lines == derived_lines && sum->lines_without_net == lines_without_net &&
                  sum->lines_with_net == lines_with_net,
              "%s", type);
    cr_expect(cm_decimal_equal(sum->derived, cm_decimal_from_i64(derived)) &&
                  cm_decimal_equal(sum->without_net, cm_decimal_from_i64(without_net)) &&
                  cm_decimal_equal(sum->net_difference, cm_decimal_from_i64(net_difference)),
              "%s", type);
}

static void no_derived_kind(void *opaque, const cm_kind_seen *seen)
{
    *(uint64_t *)opaque += seen->lines;
    cr_assert(cm_slice_is(seen->line_item_type, "Usage") || cm_slice_is(seen->line_item_type, "EdpDiscount"));
    cr_assert_eq(seen->lines, 2);
}

Test(line_batch, derived_lines_are_counted_by_themselves)
{
    const cm_line row = {.discounts = CM_DISCOUNTS_IN_COLUMNS, .has_net = true};
    const cm_line without_net = {.discounts = CM_DISCOUNTS_IN_COLUMNS};
    const cm_line derived = {.discounts = CM_DISCOUNTS_IN_COLUMNS, .kind.flags = CM_KIND_DERIVED};
    cm_line unexplained = derived;
    unexplained.unexplained = true;
    cm_batch_builder *builder = cm_batch_builder_new(run_id, 3, 100);
    cm_arena *arena = cm_arena_new(1 << 16);
    cm_error err = {0};
    cm_ingested record;
    uint8_t *bytes;
    const uint8_t *end;
    size_t length;
    uint64_t seen = 0;
    add_discount_line(builder, 7, "Usage", 100, &row);
    add_discount_line(builder, 7, "EdpDiscount", -9, &derived);
    add_discount_line(builder, 7, "SppDiscount", -1, &derived);
    add_discount_line(builder, 8, "EdpDiscount", -4, &without_net);
    add_discount_line(builder, 9, "Usage", 50, &without_net);
    add_discount_line(builder, 9, "Discount", -5, &unexplained);
    add_discount_line(builder, 10, "EdpDiscount", -6, &row);
    cm_batch_builder_seen(builder, no_derived_kind, &seen);
    cr_assert_eq(seen, 4);
    take(builder, &bytes, &length, 0);
    expect_protobuf(bytes, length);
    cr_assert(cm_ingested_decode(bytes, length, arena, &record, &err), "%s", err.text);
    cr_assert(record.batch.first_row == 7 && record.batch.lines == 7);
    cm_batch_builder_end(builder, &end, &length);
    cr_assert(cm_ingested_decode(end, length, arena, &record, &err), "%s", err.text);
    const cm_chunk_end *e = &record.end;
    cr_assert(e->lines == 4 && e->derived_lines == 3 && e->final_lines == 4 && e->checksum == 20 && e->batches == 1);
    cr_assert(cm_decimal_equal(e->cost[0].amount, cm_decimal_from_i64(125)), "derived lines are in the cost");
    cr_assert_eq(e->discounts, 4);
    expect_sum(&e->discount[0], "Discount", 1, -5, 0, 0, 0, 0);
    expect_sum(&e->discount[1], "EdpDiscount", 1, -9, 1, -4, 0, 0);
    expect_sum(&e->discount[2], "SppDiscount", 1, -1, 0, 0, 0, 0);
    expect_sum(&e->discount[3], "Usage", 0, 0, 1, 50, 0, 0);
    cr_assert(e->unexplained_count == 1 && e->unexplained_lines == 1 && e->unexplained[0].row == 9);
    cr_assert(cm_decimal_equal(e->unexplained[0].amount, cm_decimal_from_i64(-5)));
    free(bytes);
    cm_arena_free(arena);
    cm_batch_builder_free(builder);
}

/* A legacy report: rows with a net value only. More types than are told apart are one; many unexplained rows are
 * counted. */
Test(line_batch, discounts_that_columns_repeat)
{
    const cm_line without_net = {.discounts = CM_DISCOUNTS_REPEATED};
    cm_line with_net = {.discounts = CM_DISCOUNTS_REPEATED, .has_net = true, .net = cm_decimal_from_i64(1)};
    cm_line unexplained = {.discounts = CM_DISCOUNTS_IN_COLUMNS, .unexplained = true, .kind.flags = CM_KIND_DERIVED};
    cm_batch_builder *builder = cm_batch_builder_new(run_id, 3, 1000);
    cm_arena *arena = cm_arena_new(1 << 16);
    cm_error err = {0};
    cm_ingested record;
    uint8_t *bytes;
    const uint8_t *end;
    size_t length;
    uint64_t row = 1, told = 0;
    for (int i = 0; i < 100; i++) {
        char type[24];
        snprintf(type, sizeof type, "type %02d", i);
        add_discount_line(builder, row++, type, 10, &without_net);
        add_discount_line(builder, row++, type, 10, &with_net);
    }
    for (int i = 0; i < 30; i++)
        add_discount_line(builder, row - 1, "Discount", -1, &unexplained);
    take(builder, &bytes, &length, 0);
    cm_batch_builder_end(builder, &end, &length);
    cr_assert(cm_ingested_decode(end, length, arena, &record, &err), "%s", err.text);
    const cm_chunk_end *e = &record.end;
    cr_assert_eq(e->discounts, CM_DISCOUNT_SUMS_MAX / 2 + 1);
    expect_sum(&e->discount[0], "", 30, -30, 0, 0, 100 - CM_DISCOUNT_SUMS_MAX / 2,
               -9 * (100 - CM_DISCOUNT_SUMS_MAX / 2));
    expect_sum(&e->discount[1], "type 00", 0, 0, 0, 0, 1, -9);
    for (size_t i = 0; i < e->discounts; i++)
        told += e->discount[i].lines_with_net;
    cr_assert_eq(told, 100);
    cr_assert(e->unexplained_count == CM_UNEXPLAINED_MAX && e->unexplained_lines == 30);
    free(bytes);
    cm_arena_free(arena);
    cm_batch_builder_free(builder);
}
