/* The accounts in a file: account.observed (P06, O16). */
#include "billing/catalog/model/plans.h"
#include "delivery/observed/observed.h"
#include "support.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

static const uint8_t run_id[CM_ID_BYTES] = {9};

static cm_line line_of(uint64_t row, const char *account, const char *type, const char *product, cm_instant start)
{
    cm_line line = {.row = row, .start = start};
    line.kind.usage_account = cm_slice_of(account);
    line.kind.line_item_type = cm_slice_of(type);
    line.kind.product_code = cm_slice_of(product);
    line.kind.currency = cm_slice_of("USD");
    return line;
}

static void add(cm_batch_builder *builder, cm_observer *observer, const cm_line *line)
{
    bool full;
    const uint8_t *bytes;
    size_t length;
    uint32_t sequence;
    cm_error err = {0};
    cr_assert(cm_batch_builder_add(builder, line, &full, &err), "%s", err.text);
    if (full) {
        cm_observer_take(observer, builder);
        cm_batch_builder_take(builder, &bytes, &length, &sequence);
    }
}

Test(observed, O16_P06_by_hand)
{
    cm_batch_builder *builder = cm_batch_builder_new(run_id, 1, 2);
    cm_observer *observer = cm_observer_new();
    const cm_line lines[] = {
        line_of(1, "000000000002", "Usage", "AmazonEC2", 500),
        line_of(2, "000000000001", "Usage", "AWSSupportBusiness", 300),
        line_of(3, "000000000002", "Tax", "AmazonEC2", 100),
        line_of(4, "000000000002", "DiscountedUsage", "AmazonRDS", 400),
        line_of(5, "000000000001", "Fee", "OCBPremiumSupport", 900),
        line_of(6, "000000000001", "Fee", "AWSSupportBusiness", 200),
    };
    for (size_t i = 0; i < 6; i++)
        add(builder, observer, &lines[i]);
    cm_observed *list;
    cr_assert_eq(cm_observer_list(observer, &list), 2);
    cr_expect_str_eq(list[0].account, "000000000001");
    cr_expect(list[0].lines == 3 && list[0].usage_lines == 0 && list[0].first_usage == 200 &&
              list[0].last_usage == 900);
    cr_assert_eq(list[0].support_count, 2);
    cr_expect_str_eq(list[0].support[0], "AWSSupportBusiness");
    cr_expect_str_eq(list[0].support[1], "OCBPremiumSupport");
    cr_expect(list[1].lines == 3 && list[1].usage_lines == 2 && list[1].first_usage == 100 &&
              list[1].last_usage == 500);
    cr_expect_eq(list[1].support_count, 0);
    cm_observer_free(observer);
    cm_batch_builder_free(builder);
}

/* Against a plain sum over the lines; batches of any size see the same. */
Test(observed, random_lines)
{
    enum { LINES = 5000, ACCOUNTS = 700 };
    static const char *const types[] = {"Usage", "Tax", "SavingsPlanCoveredUsage", "Credit"};
    static cm_observed want[ACCOUNTS];
    static char names[ACCOUNTS][16];
    for (uint32_t rows = 1; rows <= 8192; rows = rows * 20 + 1) {
        test_random random = {42};
        cm_batch_builder *builder = cm_batch_builder_new(run_id, 1, rows);
        cm_observer *observer = cm_observer_new();
        for (int i = 0; i < ACCOUNTS; i++) {
            snprintf(names[i], sizeof names[i], "%012d", i);
            want[i] = (cm_observed){.first_usage = INT64_MAX, .last_usage = INT64_MIN};
        }
        for (uint64_t row = 1; row <= LINES; row++) {
            uint32_t account = test_below(&random, ACCOUNTS), type = test_below(&random, 4);
            cm_line line =
                line_of(row, names[account], types[type], "AmazonEC2", (cm_instant)(test_next(&random) >> 2));
            want[account].lines++;
            want[account].usage_lines += type == 0 || type == 2;
            want[account].first_usage = line.start < want[account].first_usage ? line.start : want[account].first_usage;
            want[account].last_usage = line.start > want[account].last_usage ? line.start : want[account].last_usage;
            add(builder, observer, &line);
        }
        if (!cm_batch_builder_empty(builder))
            cm_observer_take(observer, builder);
        cm_observed *list;
        size_t count = cm_observer_list(observer, &list), at = 0;
        for (int i = 0; i < ACCOUNTS; i++) {
            if (!want[i].lines)
                continue;
            cr_assert(at < count && strcmp(list[at].account, names[i]) == 0);
            cr_assert(list[at].lines == want[i].lines && list[at].usage_lines == want[i].usage_lines &&
                      list[at].first_usage == want[i].first_usage && list[at].last_usage == want[i].last_usage);
            at++;
        }
        cr_assert_eq(at, count);
        cm_observer_free(observer);
        cm_batch_builder_free(builder);
    }
}

Test(observed, message_round_trip_and_damage)
{
    static const char *const support[] = {"AWSSupportBusiness", "OCBPremiumSupport"};
    cm_observed one = {.chunk = 7,
                       .payer = "111122223333",
                       .account = "000011112222",
                       .period = {2025, 6},
                       .first_usage = -5,
                       .last_usage = 12345,
                       .lines = 9,
                       .usage_lines = 3,
                       .support = support,
                       .support_count = 2},
                got;
    cm_arena *arena = cm_arena_new(1024);
    const uint8_t *bytes, *again;
    size_t length, again_length;
    cm_error err = {0};
    memset(one.delivery_id, 0xab, sizeof one.delivery_id);
    cm_observed_encode(&one, arena, &bytes, &length);
    cr_assert(cm_observed_decode(bytes, length, arena, &got, &err), "%s", err.text);
    cr_expect(got.chunk == 7 && got.period.year == 2025 && got.period.month == 6 && got.first_usage == -5 &&
              got.last_usage == 12345 && got.lines == 9 && got.usage_lines == 3 && got.support_count == 2);
    cr_expect_str_eq(got.payer, "111122223333");
    cr_expect_str_eq(got.account, "000011112222");
    cr_expect_str_eq(got.support[1], "OCBPremiumSupport");
    cm_observed_encode(&got, arena, &again, &again_length);
    cr_expect(again_length == length && memcmp(again, bytes, length) == 0);
    for (size_t cut = 0; cut < length; cut++) {
        cm_error damaged = {0};
        if (!cm_observed_decode(bytes, cut, arena, &got, &damaged))
            cr_expect_str_eq(damaged.code, "UNDECODABLE");
    }
    cr_expect(!cm_observed_decode("", 0, arena, &got, &err));
    cm_arena_free(arena);
}

Test(observed, O16_plans_by_product)
{
    cr_expect_str_eq(cm_support_plan_observed(NULL, "AWSSupportBusiness"), "business");
    cr_expect_str_eq(cm_support_plan_told("AWSSupportBusiness"), "business");
    cr_expect_str_eq(cm_support_plan_told("AWSSupportDeveloper"), "developer");
    cr_expect_str_eq(cm_support_plan_told("AWSSupportEssential"), "basic");
    cr_expect_null(cm_support_plan_told("AWSSupportOfTomorrow"));
    cr_expect_str_eq(cm_support_plan_observed(NULL, "AWSSupportBusinessPlus"), "business_plus");
    cr_expect_str_eq(cm_support_plan_observed(NULL, "AWSDeveloperSupport"), "developer");
    cr_expect_str_eq(cm_support_plan_observed(NULL, "AWSSupportEnterprise"), "enterprise");
    cr_expect_str_eq(cm_support_plan_observed(NULL, "OCBPremiumSupport"), "paid");
    cr_expect_null(cm_support_plan_observed(NULL, "AWSSupport"));
    static const char *const named[] = {"AWSPremiumCare"};
    const cm_catalog catalog = {.support_products = named, .support_product_count = 1};
    cr_expect_str_eq(cm_support_plan_observed(&catalog, "awspremiumcare"), "paid");
    cr_expect_null(cm_support_plan_observed(&catalog, "AWSPremiumCareX"));
    cr_expect(cm_is_known_support_product(cm_slice_of("ocbpremiumsupport")) &&
              !cm_is_known_support_product(cm_slice_of("AmazonEC2")));
}
