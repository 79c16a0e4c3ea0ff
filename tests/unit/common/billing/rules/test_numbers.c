/* Rules N02 to N21 (rules.md): the hard constants, each in the code that implements it. */
#include "month.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#define BUSINESS "{kind: SupportPlanGroup, id: g, type: business}"

Test(numbers, N02_business_support_is_ten_percent_of_total_usage_flat)
{
    static const char *const usage[][2] = {{"437.00", "43.7"}, {"10", "1"}, {"200000.00", "20000"}, {"0.01", "0.001"}};
    char *yaml = with_group(TDS, BUSINESS);
    for (size_t i = 0; i < 4; i++) {
        test_line lines[] = {{.cost = usage[i][0], .list = "0"}};
        month m = close_month(yaml, TDS, lines, 1);
        cr_assert_str_eq(exact_of(&m, 0, "AWSSupport", "support"), usage[i][1]);
        month_free(&m);
    }
    /* total usage: usage, covered usage and bundled discounts, not fees, taxes or credits */
    test_line all[] = {{.cost = "100", .list = "0"},
                       {.type = "SavingsPlanCoveredUsage", .cost = "50", .list = "50"},
                       {.type = "BundledDiscount", .cost = "-20", .list = "0"},
                       {.type = "Fee", .cost = "1000", .list = "0"},
                       {.type = "Refund", .cost = "-1000", .list = "0"},
                       {.type = "Tax", .cost = "77", .list = "0"}};
    month m = close_month(yaml, TDS, all, 6);
    cr_assert_str_eq(exact_of(&m, 0, "AWSSupport", "support"), "13");
    month_free(&m);
    free(yaml);
}

Test(numbers, N03_the_monthly_minimum_does_not_apply)
{
    char *yaml = with_group(TDS, BUSINESS);
    test_line lines[] = {{.cost = "10", .list = "0"}};
    month m = close_month(yaml, TDS, lines, 1);
    cr_assert_str_eq(exact_of(&m, 0, "AWSSupport", "support"), "1"); /* not 100 */
    cr_assert_str_eq(member(&m, 0, "total"), "11");
    month_free(&m);
    free(yaml);
}

Test(numbers, N04_prorated_and_upfront_support_charges_are_disregarded)
{
    char *yaml = with_group(TDS, BUSINESS);
    test_line lines[] = {
        {.cost = "100", .list = "0"},
        {.product = "AWSSupportBusiness", .cost = "100", .list = "0"},               /* the minimum */
        {.product = "AWSSupportBusiness", .type = "Fee", .cost = "58", .list = "0"}, /* prorated, upfront */
        {.product = "AWSSupportBusiness", .type = "Refund", .cost = "0", .list = "0"}};
    for (size_t i = 1; i < 3; i++) {
        cm_catalog *catalog = catalog_of(yaml);
        test_result r = rate(catalog, TDS, lines[i]);
        cr_assert_str_eq(r.buy, "0");
        cr_assert_str_eq(r.sell, "0");
        cr_assert_str_eq(r.payer, lines[i].cost); /* still in the control totals */
        cm_catalog_free(catalog);
    }
    month m = close_month(yaml, TDS, lines, 4);
    cr_assert_str_eq(exact_of(&m, 0, "AWSSupport", "support"), "10");
    cr_assert_str_eq(exact_of(&m, 0, "AWSSupportBusiness", "support"), "");
    cr_assert_str_eq(member(&m, 0, "total"), "110");
    month_free(&m);
    free(yaml);
}

Test(numbers, N05_the_reseller_earns_on_business_support)
{
    char *yaml = with_group(TDS, "{kind: SupportPlanGroup, id: g, type: business, percent: 10, buy_percent: 9}");
    cm_catalog *catalog = catalog_of(yaml);
    const cm_group_terms *group = catalog->groups[0].terms;
    cr_assert(group->has_percent && group->has_buy_percent);
    cr_assert_gt(cm_decimal_compare(group->percent, group->buy_percent), 0);
    cr_assert(cm_decimal_equal(group->buy_percent, decimal_of("9")));
    cm_catalog_free(catalog);
    free(yaml);
}

Test(numbers, N11_billing_of_a_moved_account_begins_on_the_first)
{
    expect_warned("{kind: Customer, id: acme, reseller: northwind, price_book: standard, accounts: ["
                  "{id: '" ACCOUNT "', payer: '" TDS "', from: 2025-06-16}]}",
                  "N11");
    cm_catalog *catalog = catalog_of("{kind: Customer, id: acme, reseller: northwind, price_book: standard, accounts: ["
                                     "{id: '" ACCOUNT "', payer: '" TDS "', from: 2025-06-16}]}");
    EXPECT(catalog, TDS, "BEFORE_BILLED_FROM -", .start = "2025-06-15T23:59:59.999999Z");
    EXPECT(catalog, TDS, "usage rest 10 22", .start = "2025-06-16T00:00:00Z");
    cm_catalog_free(catalog);
}

Test(numbers, N13_the_cycle_is_the_calendar_month)
{
    cm_period december = {2025, 12}, january = cm_period_next(december);
    cr_assert(january.year == 2026 && january.month == 1);
    cr_assert_eq(cm_period_end(december), cm_period_start(january));
    cr_assert_eq(cm_period_start(june), instant_of("2025-06-01T00:00:00Z"));
    cr_assert_eq(cm_period_end(june), instant_of("2025-07-01T00:00:00Z"));
    /* usage that AWS dates outside of its bill's month belongs to the bill's month (S2) */
    char *yaml = with_group(TDS, NULL);
    test_line lines[] = {{.start = "2025-05-31T23:00:00Z", .list = "0"},
                         {.start = "2025-07-02T00:00:00Z", .list = "0"}};
    month m = close_month(yaml, TDS, lines, 2);
    cr_assert_str_eq(member(&m, 0, "period"), "2025-06");
    cr_assert_str_eq(member(&m, 0, "total"), "20");
    month_free(&m);
    free(yaml);
}

/* The daily instant of a catalog version is enforced by the store; a book's own versions count from theirs (R02). */
Test(numbers, N14_a_change_of_prices_counts_from_midnight_utc)
{
    cm_catalog *catalog =
        catalog_of("{kind: Customer, id: acme, reseller: northwind, price_book: own, accounts: [{id: '" ACCOUNT
                   "', payer: '" TDS "', from: 2025-01-01}]}\n---\n"
                   "{kind: PriceBook, id: own, currency: USD, versions: ["
                   "{effective_from: 2025-01-01, rules: [{id: old, priority: 1, price: {percent: 10, of: payer}}]}, "
                   "{effective_from: 2025-06-12, rules: [{id: new, priority: 1, price: {percent: 20, of: payer}}]}]}");
    EXPECT(catalog, TDS, "usage old 10 11", .start = "2025-06-11T23:59:59.999999Z");
    EXPECT(catalog, TDS, "usage new 10 12", .start = "2025-06-12T00:00:00Z");
    cm_catalog_free(catalog);
}

Test(numbers, N16_account_numbers_have_twelve_digits)
{
    static const char *const wrong[] = {"00001111222", "0000111122223", "00001111222x", "0000 1111222"};
    for (size_t i = 0; i < 4; i++) {
        cm_buffer yaml = {0};
        cm_buffer_printf(&yaml,
                         "{kind: Customer, id: acme, reseller: northwind, price_book: standard, accounts: ["
                         "{id: '%s', payer: '" TDS "', from: 2025-01-01}]}",
                         wrong[i]);
        expect_refused(yaml.data, "12 digits");
        cm_buffer_free(&yaml);
    }
    /* leading zeros are part of the number */
    char *yaml = with_group(TDS, NULL);
    cm_catalog *catalog = catalog_of(yaml);
    EXPECT(catalog, TDS, "usage all 10 10", .account = "000011112222");
    EXPECT(catalog, TDS, "UNKNOWN_ACCOUNT -", .account = "11112222");
    cm_catalog_free(catalog);
    free(yaml);
}

Test(numbers, N19_passthrough_and_business_are_the_distributors_group_types)
{
    test_line lines[] = {{.cost = "1000", .list = "0"}, {.product = "AWSSupportBusiness", .cost = "93", .list = "0"}};
    static const char *const groups[][2] = {{"{kind: SupportPlanGroup, id: g, type: business}", "100"},
                                            {"{kind: SupportPlanGroup, id: g, type: passthrough}", "93"}};
    for (size_t i = 0; i < 2; i++) {
        char *yaml = with_group(TDS, groups[i][0]);
        month m = close_month(yaml, TDS, lines, 2);
        cr_assert_str_eq(exact_of(&m, 0, "AWSSupport", "support"), groups[i][1]);
        month_free(&m);
        free(yaml);
    }
    expect_refused("{kind: SupportPlanGroup, id: g, type: gold}", "type");
}

Test(numbers, N21_the_currency_is_usd_unless_said)
{
    char *yaml = with_group(TDS, NULL);
    test_line lines[] = {{.list = "0"}};
    month m = close_month(yaml, TDS, lines, 1);
    cr_assert_str_eq(cm_catalog_customer(m.catalog, "acme")->terms->invoice_currency, "USD");
    cr_assert_str_eq(member(&m, 0, "currency"), "USD");
    cr_assert_str_eq(member(&m, 0, "rate"), "1");
    month_free(&m);
    free(yaml);
}
