/* cm_rate_batch against a plain re-computation on random batches, and how it handles figures that do not fit. */
#include "naive.h"
#include "support.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static const uint8_t run_id[CM_ID_BYTES] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

/* --- random batches ---------------------------------------------------------------------------------------------- */

static cm_decimal random_amount(random_state *random)
{
    switch (random_below(random, 6)) {
    case 0:
        return CM_DECIMAL_ZERO;
    case 1:
        return (cm_decimal){(cm_i128)(int64_t)random_next(random)};
    case 2: /* large, but thousands of them still fit */
        return (cm_decimal){(cm_i128)(int64_t)random_next(random) * 100000};
    default: /* like money: ten decimals */
        return (cm_decimal){((cm_i128)random_below(random, 2000000000) - 200000000) * 100000000};
    }
}

/* Lines as the reader gives them, through the builder and the decoder. Memory is the arena's. */
static cm_line_batch random_batch(random_state *random, const cm_catalog *catalog, uint32_t lines, uint32_t kinds,
                                  cm_arena *arena)
{
    cm_kind *kind = cm_alloc(kinds * sizeof *kind);
    for (uint32_t i = 0; i < kinds; i++)
        kind[i] = random_kind(random);
    cm_batch_builder *builder = cm_batch_builder_new(run_id, 7, lines);
    uint64_t row = random_below(random, 1000000);
    bool full = false;
    cm_error err = {0};
    for (uint32_t i = 0; i < lines; i++) {
        bool derived = random_below(random, 4) == 0; /* also the first: a batch may end between a row and its own */
        row += !derived || i == 0;
        cm_line line = {.row = row,
                        .kind = kind[random_below(random, kinds)],
                        .start = random_time(random, catalog),
                        .quantity = random_amount(random),
                        .cost = random_amount(random),
                        .list_cost = random_amount(random),
                        .checksum = derived ? 0 : random_next(random)};
        line.kind.flags |= derived ? CM_KIND_DERIVED : 0;
        cr_assert(cm_batch_builder_add(builder, &line, &full, &err), "%s", err.text);
    }
    cr_assert(full);
    const uint8_t *bytes;
    size_t length;
    uint32_t sequence;
    cm_batch_builder_take(builder, &bytes, &length, &sequence);
    uint8_t *copy = cm_arena_alloc(arena, length);
    memcpy(copy, bytes, length);
    cm_batch_builder_free(builder);
    free(kind);
    cm_ingested ingested;
    cr_assert(cm_ingested_decode(copy, length, arena, &ingested, &err), "%s", err.text);
    cr_assert(!ingested.is_end && ingested.batch.lines == lines);
    return ingested.batch;
}

/* --- comparing --------------------------------------------------------------------------------------------------- */

static bool same_layers(const cm_layers *a, const cm_layers *b)
{
    return cm_decimal_equal(a->quantity, b->quantity) && cm_decimal_equal(a->payer, b->payer) &&
           cm_decimal_equal(a->list, b->list) && cm_decimal_equal(a->buy, b->buy) && cm_decimal_equal(a->sell, b->sell);
}

static bool same_text(const cm_charge *a, const cm_charge *b)
{
    const cm_slice *x = &a->customer, *y = &b->customer;
    for (int i = 0; i < 13; i++)
        if (!cm_slice_equal(x[i], y[i]))
            return false;
    return true;
}

static const cm_charge *find_charge(const cm_rated_batch *batch, const cm_charge *key)
{
    const cm_charge *found = NULL;
    for (size_t i = 0; i < batch->charges; i++)
        if (same_text(&batch->charge[i], key)) {
            cr_assert_null(found, "a charge comes twice");
            found = &batch->charge[i];
        }
    return found;
}

static const cm_charge_day *find_day(const cm_rated_batch *batch, const cm_charge_day *key)
{
    const cm_charge_day *found = NULL;
    for (size_t i = 0; i < batch->days; i++) {
        const cm_charge_day *d = &batch->day[i];
        if (d->day == key->day && cm_slice_equal(d->account, key->account) &&
            cm_slice_equal(d->product, key->product) && cm_slice_equal(d->currency, key->currency)) {
            cr_assert_null(found, "a day comes twice");
            found = d;
        }
    }
    return found;
}

static void check_costs(const cm_rated_batch *batch, const struct naive_shard *expected)
{
    cr_assert_eq(batch->costs, expected->costs);
    for (size_t i = 0; i < batch->costs; i++) {
        if (i)
            cr_assert_lt(strcmp(batch->cost[i - 1].currency, batch->cost[i].currency), 0,
                         "costs are sorted by currency");
        bool found = false;
        for (size_t j = 0; j < expected->costs; j++)
            if (strcmp(batch->cost[i].currency, expected->cost[j].currency) == 0) {
                cr_assert(cm_decimal_equal(batch->cost[i].amount, expected->cost[j].amount));
                found = true;
            }
        cr_assert(found);
    }
}

static void check_shard(const cm_rated_batch *batch, const naive *expected, size_t *charges, size_t *days)
{
    const struct naive_shard *shard = &expected->shard[batch->shard];
    cr_assert_eq(batch->lines, shard->lines);
    cr_assert_eq(batch->derived_lines, shard->derived_lines);
    cr_assert_eq(batch->checksum, shard->checksum);
    check_costs(batch, shard);
    for (size_t i = 1; i < batch->charges; i++)
        cr_assert_leq(batch->charge[i - 1].first_row, batch->charge[i].first_row,
                      "charges are in order of first appearance");
    for (size_t i = 0; i < expected->charges; i++) {
        if (expected->charge_shard[i] != batch->shard)
            continue;
        const cm_charge *want = &expected->charge[i], *got = find_charge(batch, want);
        cr_assert(got, "a charge is missing");
        cr_assert_eq(got->lines, want->lines);
        cr_assert_eq(got->derived_lines, want->derived_lines);
        cr_assert_eq(got->final_lines, want->final_lines);
        cr_assert_eq(got->first_row, want->first_row);
        cr_assert(same_layers(&got->sum, &want->sum));
        ++*charges;
    }
    for (size_t i = 0; i < expected->days; i++) {
        if (expected->day_shard[i] != batch->shard)
            continue;
        const cm_charge_day *want = &expected->day[i], *got = find_day(batch, want);
        cr_assert(got, "a day is missing");
        cr_assert_eq(got->lines, want->lines);
        cr_assert_eq(got->derived_lines, want->derived_lines);
        cr_assert(same_layers(&got->sum, &want->sum));
        ++*days;
    }
}

static void check_against(const cm_rated_shards *got, const naive *expected, const cm_line_batch *batch,
                          uint32_t shards)
{
    size_t charges = 0, days = 0, got_charges = 0, got_days = 0, with_lines = 0;
    for (uint32_t s = 0; s < shards; s++)
        with_lines += expected->shard[s].lines > 0 || expected->shard[s].derived_lines > 0;
    cr_assert_eq(got->count, with_lines, "only shards with lines");
    uint64_t lines = 0;
    for (uint32_t i = 0; i < batch->lines; i++)
        lines += !(batch->kind_of[batch->kind[i]].flags & CM_KIND_DERIVED);
    cr_assert_eq(got->lines, lines);
    cr_assert_eq(got->suspended, expected->suspended);
    for (size_t i = 0; i < got->count; i++) {
        const cm_rated_batch *b = &got->batch[i];
        cr_assert(i == 0 || got->batch[i - 1].shard < b->shard);
        cr_assert(memcmp(b->run_id, run_id, CM_ID_BYTES) == 0 && b->chunk == 7 && b->sequence == batch->sequence);
        check_shard(b, expected, &charges, &days);
        got_charges += b->charges;
        got_days += b->days;
    }
    cr_assert_eq(charges, expected->charges);
    cr_assert_eq(got_charges, expected->charges, "charges that should not be there");
    cr_assert_eq(days, expected->days);
    cr_assert_eq(got_days, expected->days, "days that should not be there");
}

/* Decoding what was encoded gives the same batch. */
static void check_round_trip(const cm_rated_batch *batch, const uint8_t *bytes, size_t length, cm_arena *arena)
{
    cm_rated rated;
    cm_error err = {0};
    cr_assert(cm_rated_decode(bytes, length, arena, &rated, &err), "%s", err.text);
    const cm_rated_batch *b = &rated.batch;
    cr_assert(!rated.is_end && memcmp(b->run_id, batch->run_id, CM_ID_BYTES) == 0);
    cr_assert(b->chunk == batch->chunk && b->sequence == batch->sequence && b->shard == batch->shard);
    cr_assert(b->lines == batch->lines && b->derived_lines == batch->derived_lines && b->checksum == batch->checksum &&
              b->costs == batch->costs);
    for (size_t i = 0; i < b->costs; i++)
        cr_assert(strcmp(b->cost[i].currency, batch->cost[i].currency) == 0 &&
                  cm_decimal_equal(b->cost[i].amount, batch->cost[i].amount));
    cr_assert(b->charges == batch->charges && b->days == batch->days);
    for (size_t i = 0; i < b->charges; i++) {
        const cm_charge *x = &b->charge[i], *y = &batch->charge[i];
        cr_assert(same_text(x, y) && x->lines == y->lines && x->derived_lines == y->derived_lines &&
                  x->final_lines == y->final_lines && x->first_row == y->first_row && same_layers(&x->sum, &y->sum));
    }
    for (size_t i = 0; i < b->days; i++) {
        const cm_charge_day *x = &b->day[i], *y = &batch->day[i];
        cr_assert(x->day == y->day && x->lines == y->lines && x->derived_lines == y->derived_lines &&
                  cm_slice_equal(x->account, y->account) && cm_slice_equal(x->product, y->product) &&
                  cm_slice_equal(x->currency, y->currency) && same_layers(&x->sum, &y->sum));
    }
}

/* Concatenated bytes of all shards. */
static cm_buffer encode_all(const cm_rated_shards *shards, cm_arena *arena)
{
    cm_buffer out = {0};
    for (size_t i = 0; i < shards->count; i++) {
        const uint8_t *bytes;
        size_t length;
        cm_rated_batch_encode(&shards->batch[i], arena, &bytes, &length);
        check_round_trip(&shards->batch[i], bytes, length, arena);
        cm_buffer_append(&out, bytes, length);
    }
    return out;
}

static uint64_t suspended_seen, shards_seen;

static void check_batch(const cm_rater *rater, const cm_line_batch *batch, uint32_t shards)
{
    cm_arena *arena = cm_arena_new(4096), *other = cm_arena_new(1 << 20);
    memset(cm_arena_alloc(other, 1 << 19), 0x5a, 1 << 19); /* memory that is not zeroed must not matter */
    cm_arena_reset(other);
    cm_rated_shards first, second;
    uint64_t row;
    cm_error err = {0};
    naive expected;
    cr_assert(cm_rate_batch(rater, batch, shards, arena, &first, &row, &err), "%s", err.text);
    naive_rate(rater, batch, shards, &expected);
    check_against(&first, &expected, batch, shards);
    suspended_seen += first.suspended;
    shards_seen += first.count;
    naive_free(&expected);

    cr_assert(cm_rate_batch(rater, batch, shards, other, &second, &row, &err));
    cm_buffer a = encode_all(&first, arena), b = encode_all(&second, other);
    cr_assert(a.length == b.length && memcmp(a.data, b.data, a.length) == 0,
              "the same batch rated twice gives other bytes");
    cm_buffer_free(&a);
    cm_buffer_free(&b);
    cm_arena_free(arena);
    cm_arena_free(other);
}

Test(rate_batch, random_batches_are_what_their_lines_add_up_to)
{
    static const char *const payers[] = {TDS, TDS_BUY, ING, ING_BUY};
    static const uint32_t lines[] = {1, 2, 17, 300, 900};
    uint32_t batches = 0;
    for (uint64_t seed = 1; seed <= 8; seed++) {
        cm_catalog *catalog = random_catalog(seed + 500);
        random_state random = {seed};
        for (int i = 0; i < 10; i++) {
            cm_error err = {0};
            cm_rater *rater = cm_rater_new(catalog, payers[i % 4], june, &err);
            cr_assert(rater, "%s", err.text);
            cm_arena *arena = cm_arena_new(65536);
            cm_line_batch batch = random_batch(&random, catalog, lines[i % 5], 1 + random_below(&random, 120), arena);
            check_batch(rater, &batch, 1 + batches++ % 16);
            cm_arena_free(arena);
            cm_rater_free(rater);
        }
        cm_catalog_free(catalog);
    }
    cr_assert_gt(suspended_seen, 1000, "%lu", suspended_seen);
    cr_assert_gt(shards_seen, 2 * batches, "%lu", shards_seen);
}

/* Two kinds that differ only in what a charge does not show (sku, final) are one charge; so is the same line in two
 * intervals of time. */
Test(rate_batch, kinds_that_look_alike_share_a_charge)
{
    char *text = customer_text("acme", "", ACCOUNT, TDS, NULL);
    cm_catalog *catalog = catalog_of(text);
    cm_error err = {0};
    cm_rater *rater = cm_rater_new(catalog, TDS, june, &err);
    cm_kind kinds[] = {kind_of_line(&(test_line){.sku = "A"}),
                       kind_of_line(&(test_line){.sku = "B", .flags = CM_KIND_FINAL}),
                       kind_of_line(&(test_line){.sku = "A", .currency = "EUR"})};
    cm_instant day = instant_of("2025-06-10T00:00:00Z");
    cm_decimal one = decimal_of("1");
    cm_line_batch batch = {.first_row = 100,
                           .lines = 4,
                           .kinds = 3,
                           .kind_of = kinds,
                           .kind = (uint32_t[]){1, 0, 2, 1},
                           .start = (cm_instant[]){day, day + CM_DAY, day, day},
                           .quantity = (cm_decimal[]){one, one, one, one},
                           .cost = (cm_decimal[]){one, one, one, one},
                           .list_cost = (cm_decimal[]){one, one, one, one},
                           .checksum = (uint64_t[]){UINT64_MAX, 2, 3, 4}};
    cm_arena *arena = cm_arena_new(4096);
    cm_rated_shards shards;
    uint64_t row;
    cr_assert(cm_rate_batch(rater, &batch, 1, arena, &shards, &row, &err), "%s", err.text);
    cr_assert_eq(shards.count, 1);
    const cm_rated_batch *b = &shards.batch[0];
    cr_assert_eq(b->charges, 2);
    cr_assert(b->charge[0].lines == 3 && b->charge[0].final_lines == 2 && b->charge[0].first_row == 100);
    cr_assert(b->charge[1].lines == 1 && b->charge[1].first_row == 102 && cm_slice_is(b->charge[1].reason, "CURRENCY"));
    cr_assert_eq(b->days, 3);
    cr_assert_eq(b->checksum, 8); /* modulo 2^64 */
    cr_assert(b->costs == 2 && strcmp(b->cost[0].currency, "EUR") == 0);
    cr_assert_eq(shards.suspended, 1);
    cm_arena_free(arena);
    cm_rater_free(rater);
    cm_catalog_free(catalog);
    free(text);
}

/* --- what does not fit ------------------------------------------------------------------------------------------- */

static cm_error rate_poison(const cm_line *line, uint32_t count, const char *settings, uint32_t shards,
                            uint64_t *ret_row)
{
    char *customer = customer_text("acme", settings, ACCOUNT, TDS, NULL);
    cm_buffer text = {0};
    cm_buffer_printf(
        &text,
        "%s{kind: PriceBook, id: dear, currency: USD, versions: [{effective_from: 2025-01-01, rules: ["
        "{id: r, priority: 1, match: {unit: Hrs}, price: {rate: 1000}}, {id: z, priority: 2, price: {free: true}}]}]}",
        customer);
    cm_catalog *catalog = catalog_of(text.data);
    cm_error err = {0};
    cm_rater *rater = cm_rater_new(catalog, TDS, june, &err);
    cm_kind *kinds = cm_alloc(count * sizeof *kinds);
    uint32_t *kind = cm_alloc(count * sizeof *kind);
    cm_instant *start = cm_alloc(count * sizeof *start);
    cm_decimal *numbers = cm_alloc(3 * count * sizeof *numbers);
    uint64_t *checksum = cm_alloc(count * sizeof *checksum);
    for (uint32_t i = 0; i < count; i++) {
        kinds[i] = line[i].kind;
        kind[i] = i;
        start[i] = cm_period_start(june);
        numbers[i] = line[i].quantity;
        numbers[count + i] = line[i].cost;
        numbers[2 * count + i] = line[i].list_cost;
    }
    cm_line_batch batch = {.first_row = 50,
                           .lines = count,
                           .kinds = count,
                           .kind_of = kinds,
                           .kind = kind,
                           .start = start,
                           .quantity = numbers,
                           .cost = numbers + count,
                           .list_cost = numbers + 2 * count,
                           .checksum = checksum};
    cm_arena *arena = cm_arena_new(4096);
    cm_rated_shards shards_out;
    *ret_row = 0;
    bool done = cm_rate_batch(rater, &batch, shards, arena, &shards_out, ret_row, &err);
    cr_assert_eq(done, err.class == CM_ERROR_NONE);
    cm_arena_free(arena);
    free(kinds);
    free(kind);
    free(start);
    free(numbers);
    free(checksum);
    cm_rater_free(rater);
    cm_catalog_free(catalog);
    cm_buffer_free(&text);
    free(customer);
    return err;
}

static void expect_poison(cm_error err, uint64_t row, uint64_t expected)
{
    cr_assert_eq(err.class, CM_ERROR_POISON, "%s", err.text);
    cr_assert_str_eq(err.code, "OVERFLOW");
    cr_assert_eq(row, expected, "row %lu, not %lu", row, expected);
}

/* rating.md section 6: lines of one kind before and after the account's group changes are two charges, each with the
 * instant since when its link holds. Where the group stays the same they are one. */
Test(rate_batch, S10_a_change_of_the_support_plan_group_splits_a_charge)
{
    static const char *const second[] = {"h", "g"};
    for (int i = 0; i < 2; i++) {
        cm_buffer text = {0};
        cm_buffer_printf(&text,
                         "kind: Customer\nid: acme\nreseller: northwind\nprice_book: standard\naccounts:\n"
                         "  - {id: \"" ACCOUNT "\", payer: \"" TDS
                         "\", from: 2025-01-01, to: 2025-06-11, support_plan_group: g}\n"
                         "  - {id: \"" ACCOUNT "\", payer: \"" TDS "\", from: 2025-06-11, support_plan_group: %s}\n"
                         "---\n{kind: SupportPlanGroup, id: g, type: business}\n"
                         "---\n{kind: SupportPlanGroup, id: h, type: business, percent: 7}\n",
                         second[i]);
        cm_catalog *catalog = catalog_of(text.data);
        cm_error err = {0};
        cm_rater *rater = cm_rater_new(catalog, TDS, june, &err);
        cm_kind kinds[] = {kind_of_line(&(test_line){0})};
        cm_instant change = instant_of("2025-06-11T00:00:00Z");
        cm_decimal one = decimal_of("1");
        cm_line_batch batch = {.first_row = 1,
                               .lines = 3,
                               .kinds = 1,
                               .kind_of = kinds,
                               .kind = (uint32_t[]){0, 0, 0},
                               .start = (cm_instant[]){change - 1, change, change - CM_DAY},
                               .quantity = (cm_decimal[]){one, one, one},
                               .cost = (cm_decimal[]){one, one, one},
                               .list_cost = (cm_decimal[]){one, one, one},
                               .checksum = (uint64_t[]){1, 2, 3}};
        cm_arena *arena = cm_arena_new(4096);
        cm_rated_shards shards;
        uint64_t row;
        cr_assert(cm_rate_batch(rater, &batch, 1, arena, &shards, &row, &err), "%s", err.text);
        const cm_rated_batch *b = &shards.batch[0];
        if (i == 0) {
            cr_assert_eq(b->charges, 2);
            cr_assert(b->charge[0].lines == 2 && cm_slice_is(b->charge[0].link_from, "2025-06-01T00:00:00Z"));
            cr_assert(b->charge[1].lines == 1 && cm_slice_is(b->charge[1].link_from, "2025-06-11T00:00:00Z"));
        } else {
            cr_assert(b->charges == 1 && b->charge[0].lines == 3 && cm_slice_is(b->charge[0].link_from, ""));
        }
        cm_arena_free(arena);
        cm_rater_free(rater);
        cm_catalog_free(catalog);
        cm_buffer_free(&text);
    }
}

Test(rate_batch, a_price_that_does_not_fit_names_its_row)
{
    cm_kind usage = kind_of_line(&(test_line){0});
    cm_line lines[3] = {{.kind = usage, .quantity = decimal_of("1")},
                        {.kind = usage, .quantity = decimal_of("100000000000000000000")},
                        {.kind = usage, .quantity = decimal_of("1")}};
    uint64_t row;
    cm_error err = rate_poison(lines, 3, "price_book: dear", 4, &row);
    expect_poison(err, row, 51);
    lines[1].quantity = decimal_of("100000000000000000"); /* x 1000 fits */
    err = rate_poison(lines, 3, "price_book: dear", 4, &row);
    cr_assert_eq(err.class, CM_ERROR_NONE);
}

Test(rate_batch, a_sum_that_does_not_fit_names_the_row_that_broke_it)
{
    cm_kind usage = kind_of_line(&(test_line){.unit = "GB"}),
            other = kind_of_line(&(test_line){.unit = "GB", .usage_type = "B"});
    cm_decimal much = decimal_of("100000000000000000000");
    uint64_t row;
    cm_error err;
    cm_line quantity[3] = {{.kind = usage, .quantity = much}, {.kind = usage}, {.kind = usage, .quantity = much}};
    err = rate_poison(quantity, 3, "price_book: dear", 1, &row);
    expect_poison(err, row, 52);
    cm_line cost[2] = {{.kind = usage, .cost = much}, {.kind = usage, .cost = much}};
    err = rate_poison(cost, 2, "price_book: dear", 1, &row);
    expect_poison(err, row, 51);
    cm_line list[2] = {{.kind = usage, .list_cost = much}, {.kind = usage, .list_cost = much}};
    err = rate_poison(list, 2, "price_book: dear", 1, &row);
    expect_poison(err, row, 51);
    /* two charges that fit, one day that does not */
    cm_line day[2] = {{.kind = usage, .list_cost = much}, {.kind = other, .list_cost = much}};
    err = rate_poison(day, 2, "price_book: dear", 1, &row);
    expect_poison(err, row, 51);
    /* charges and days that fit, but not the shard's cost */
    cm_kind product = kind_of_line(&(test_line){.unit = "GB", .product = "AmazonS3"});
    cm_line shard[2] = {{.kind = usage, .cost = much}, {.kind = product, .cost = much}};
    err = rate_poison(shard, 2, "price_book: dear", 1, &row);
    expect_poison(err, row, 51);
}

/* The same line and account is always in the same shard, whatever else is in the batch; every shard is used. */
Test(rate_batch, shards_depend_on_the_account_alone)
{
    bool used[16] = {false};
    for (int i = 0; i < 400; i++) {
        char account[13];
        snprintf(account, sizeof account, "%012d", i * 7919);
        uint32_t shard = cm_shard_of(cm_slice_of(account), 16);
        cr_assert_lt(shard, 16);
        cr_assert_eq(shard, cm_shard_of((cm_slice){account, 12}, 16));
        cr_assert_eq(cm_shard_of(cm_slice_of(account), 1), 0);
        used[shard] = true;
    }
    for (int i = 0; i < 16; i++)
        cr_assert(used[i]);
    cr_assert_lt(cm_shard_of((cm_slice){NULL, 0}, 3), 3); /* a line without an account */
    /* stored runs are split by it: the numbers must not change with a new version */
    cr_assert_eq(cm_shard_of(cm_slice_of(ACCOUNT), 1u << 16), 30855);
}
