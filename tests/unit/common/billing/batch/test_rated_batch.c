/* RatedBatch: a round trip. */
#include "billing/batch/rated_batch.h"
#include "support.h"

#include "rated_batch.pb-c.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

static cm_slice some_text(test_random *random, cm_arena *arena)
{
    if (test_below(random, 4) == 0)
        return (cm_slice){0};
    char *text = cm_arena_printf(arena, "text %u", test_below(random, 50));
    return cm_slice_of(text);
}

static cm_layers some_layers(test_random *random, int scale)
{
    return (cm_layers){test_decimal(random, scale), test_decimal(random, 18), (cm_decimal){0}, test_decimal(random, 2),
                       test_decimal(random, scale)};
}

static cm_rated_batch some_batch(test_random *random, cm_arena *arena)
{
    static cm_cost costs[] = {{"CNY", {5}}, {"USD", {-((cm_i128)1 << 100)}}};
    cm_rated_batch b = {.run_id = "0123456789abcdef",
                        .chunk = 1 + test_below(random, 9),
                        .sequence = test_below(random, 3),
                        .shard = test_below(random, 4),
                        .lines = test_next(random),
                        .derived_lines = test_below(random, 2) * test_next(random),
                        .checksum = test_next(random),
                        .cost = costs,
                        .costs = test_below(random, 3),
                        .charges = test_below(random, 200),
                        .days = test_below(random, 60)};
    b.charge = cm_arena_zalloc(arena, (b.charges + 1) * sizeof *b.charge);
    b.day = cm_arena_zalloc(arena, (b.days + 1) * sizeof *b.day);
    int scale = (int)test_below(random, 19);
    bool parts = test_below(random, 2); /* nearly all batches have no parts of months */
    for (size_t i = 0; i < b.charges; i++) {
        cm_charge *c = &b.charge[i];
        c->link_from = parts ? some_text(random, arena) : (cm_slice){"", 0};
        cm_slice *texts[] = {&c->customer,  &c->account, &c->line_item_type, &c->class, &c->product,  &c->usage_type,
                             &c->operation, &c->region,  &c->unit,           &c->rule,  &c->currency, &c->reason};
        for (size_t t = 0; t < sizeof texts / sizeof *texts; t++)
            *texts[t] = some_text(random, arena);
        c->lines = test_next(random);
        c->derived_lines = b.derived_lines ? test_next(random) : 0;
        c->final_lines = test_next(random);
        c->first_row = test_next(random);
        c->sum = some_layers(random, scale);
    }
    for (size_t i = 0; i < b.days; i++) {
        cm_charge_day *d = &b.day[i];
        d->day = (int32_t)test_next(random);
        d->account = some_text(random, arena);
        d->product = some_text(random, arena);
        d->currency = some_text(random, arena);
        d->lines = test_next(random);
        d->derived_lines = b.derived_lines ? test_next(random) : 0;
        d->sum = some_layers(random, scale);
    }
    return b;
}

static void expect_layers(const cm_layers *a, const cm_layers *b)
{
    cr_assert_eq(memcmp(a, b, sizeof *a), 0);
}

static void expect_equal(const cm_rated_batch *a, const cm_rated_batch *b)
{
    cr_assert_eq(memcmp(a->run_id, b->run_id, CM_ID_BYTES), 0);
    cr_assert(a->chunk == b->chunk && a->sequence == b->sequence && a->shard == b->shard && a->lines == b->lines &&
              a->derived_lines == b->derived_lines && a->checksum == b->checksum);
    cr_assert(a->costs == b->costs && a->charges == b->charges && a->days == b->days);
    for (size_t i = 0; i < a->costs; i++)
        cr_assert(strcmp(a->cost[i].currency, b->cost[i].currency) == 0 &&
                  cm_decimal_equal(a->cost[i].amount, b->cost[i].amount));
    for (size_t i = 0; i < a->charges; i++) {
        const cm_charge *x = &a->charge[i], *y = &b->charge[i];
        cr_assert(cm_slice_equal(x->customer, y->customer) && cm_slice_equal(x->account, y->account));
        cr_assert(cm_slice_equal(x->line_item_type, y->line_item_type) && cm_slice_equal(x->class, y->class));
        cr_assert(cm_slice_equal(x->product, y->product) && cm_slice_equal(x->usage_type, y->usage_type));
        cr_assert(cm_slice_equal(x->operation, y->operation) && cm_slice_equal(x->region, y->region) &&
                  cm_slice_equal(x->unit, y->unit));
        cr_assert(cm_slice_equal(x->rule, y->rule) && cm_slice_equal(x->currency, y->currency) &&
                  cm_slice_equal(x->reason, y->reason) && cm_slice_equal(x->link_from, y->link_from));
        cr_assert(x->lines == y->lines && x->derived_lines == y->derived_lines && x->final_lines == y->final_lines &&
                  x->first_row == y->first_row);
        expect_layers(&x->sum, &y->sum);
    }
    for (size_t i = 0; i < a->days; i++) {
        const cm_charge_day *x = &a->day[i], *y = &b->day[i];
        cr_assert(x->day == y->day && x->lines == y->lines && x->derived_lines == y->derived_lines);
        cr_assert(cm_slice_equal(x->account, y->account) && cm_slice_equal(x->product, y->product) &&
                  cm_slice_equal(x->currency, y->currency));
        expect_layers(&x->sum, &y->sum);
    }
}

Test(rated_batch, round_trip)
{
    test_random random = {31};
    for (int i = 0; i < 300; i++) {
        cm_arena *arena = cm_arena_new(1 << 16);
        cm_error err = {0};
        const uint8_t *bytes;
        size_t length;
        cm_rated got;
        cm_rated_batch batch = some_batch(&random, arena);
        cm_rated_batch_encode(&batch, arena, &bytes, &length);
        cr_assert(cm_rated_decode(bytes, length, arena, &got, &err), "%s", err.text);
        cr_assert(!got.is_end);
        expect_equal(&batch, &got.batch);
        cm_arena_free(arena);
    }
}

Test(rated_batch, end_of_a_chunk_is_passed_on)
{
    cm_arena *arena = cm_arena_new(4096);
    cm_cost cost[] = {{"USD", {-7}}};
    cm_chunk_end end = {.run_id = "0123456789abcdef",
                        .chunk = 2,
                        .batches = 3,
                        .lines = 9,
                        .final_lines = 4,
                        .rounded = 1,
                        .checksum = UINT64_MAX,
                        .derived_lines = 8,
                        .cost = cost,
                        .costs = 1,
                        .discount = (cm_discount_sum[]){{"", "", 1, 0, {-5}, {0}, 0, {0}},
                                                        {"EdpDiscount", "USD", 2, 3, {4}, {-5}, 6, {7}}},
                        .discounts = 2,
                        .unexplained = (cm_unexplained_discount[]){{17, "USD", {-9}}},
                        .unexplained_count = 1,
                        .unexplained_lines = 30};
    cm_error err = {0};
    const uint8_t *bytes;
    size_t length;
    cm_rated got;
    cm_rated_end_encode(&end, arena, &bytes, &length);
    cr_assert(cm_rated_decode(bytes, length, arena, &got, &err), "%s", err.text);
    cr_assert(got.is_end);
    cr_assert(got.end.chunk == 2 && got.end.batches == 3 && got.end.lines == 9 && got.end.final_lines == 4 &&
              got.end.rounded == 1);
    cr_assert_eq(got.end.checksum, UINT64_MAX);
    cr_assert(got.end.costs == 1 && got.end.cost[0].amount.units == -7);
    cr_assert_eq(got.end.derived_lines, 8);
    cr_assert_eq(got.end.discounts, 2);
    for (size_t i = 0; i < 2; i++) {
        const cm_discount_sum *a = &end.discount[i], *b = &got.end.discount[i];
        cr_assert_str_eq(a->type, b->type);
        cr_assert_str_eq(a->currency, b->currency);
        cr_assert(a->derived_lines == b->derived_lines && a->lines_without_net == b->lines_without_net &&
                  a->lines_with_net == b->lines_with_net);
        cr_assert(a->derived.units == b->derived.units && a->without_net.units == b->without_net.units &&
                  a->net_difference.units == b->net_difference.units);
    }
    cr_assert(got.end.unexplained_count == 1 && got.end.unexplained_lines == 30);
    cr_assert(got.end.unexplained[0].row == 17 && got.end.unexplained[0].amount.units == -9);
    cr_assert_str_eq(got.end.unexplained[0].currency, "USD");
    cm_arena_free(arena);
}

Test(rated_batch, cuts_and_contradictions)
{
    test_random random = {32};
    cm_arena *arena = cm_arena_new(1 << 16);
    cm_error err = {0};
    const uint8_t *bytes;
    size_t length;
    cm_rated got;
    cm_rated_batch batch = some_batch(&random, arena);
    while (batch.charges < 3 || batch.days < 3)
        batch = some_batch(&random, arena);
    batch.charges = batch.days = 3;
    cm_rated_batch_encode(&batch, arena, &bytes, &length);
    for (size_t n = 0; n < length; n++) {
        cr_assert(!cm_rated_decode(bytes, n, arena, &got, &err), "cut to %zu of %zu", n, length);
        cr_assert_str_eq(err.code, "UNDECODABLE");
    }
    Curmill__V1__RatedRecord *record = curmill__v1__rated_record__unpack(NULL, length, bytes);
    uint8_t *again = cm_alloc(length + 64);
    for (int c = 0; c < 7; c++) {
        Curmill__V1__RatedBatch b = *record->batch;
        uint32_t index[] = {0, (uint32_t)b.n_text, 0};
        switch (c) {
        case 0:
            b.n_charge_lines--;
            break;
        case 1:
            b.reason = index;
            break;
        case 2:
            b.n_day_product--;
            break;
        case 3:
            b.schema_version = 9;
            break;
        case 4:
            b.sell = NULL;
            break;
        case 5:
            b.day_currency = index;
            break;
        case 6:
            b.run_id.len = 3;
            break;
        }
        Curmill__V1__RatedRecord changed = *record;
        changed.batch = &b;
        size_t n = curmill__v1__rated_record__pack(&changed, again);
        cr_assert(!cm_rated_decode(again, n, arena, &got, &err), "case %d", c);
    }
    curmill__v1__rated_record__free_unpacked(record, NULL);
    free(again);
    cm_arena_free(arena);
}
