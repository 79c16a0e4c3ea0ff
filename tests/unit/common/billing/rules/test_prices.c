/* Rules R01 to R08 (rules.md): books, layers, support against negative values, currencies. */
#include "month.h"

#include <criterion/criterion.h>
#include <stdlib.h>

Test(prices, R01_price_books_are_set_per_customer)
{
    char *acme = customer_text("acme", "", ACCOUNT, TDS, NULL),
         *bolt = customer_text("bolt", "price_book: cheap", OTHER, TDS, NULL);
    cm_buffer yaml = {0};
    cm_buffer_printf(&yaml,
                     "%s%s{kind: PriceBook, id: cheap, currency: USD, versions: [{effective_from: 2025-01-01, rules: ["
                     "{id: all, priority: 1, price: {percent: -50, of: list}}]}]}",
                     acme, bolt);
    cm_catalog *catalog = catalog_of(yaml.data);
    EXPECT(catalog, TDS, "usage rest 10 22", .account = ACCOUNT);
    EXPECT(catalog, TDS, "usage all 10 10", .account = OTHER);
    cm_catalog_free(catalog);
    cm_buffer_free(&yaml);
    free(acme);
    free(bolt);
}

Test(prices, R02_a_book_can_change_at_any_time_for_lines_from_then_on)
{
    char *acme = customer_text("acme", "price_book: own", ACCOUNT, TDS, NULL);
    cm_buffer yaml = {0};
    cm_buffer_printf(&yaml,
                     "%s{kind: PriceBook, id: own, currency: USD, versions: ["
                     "{effective_from: 2025-01-01, rules: [{id: a, priority: 1, price: {pass: payer}}]}, "
                     "{effective_from: '2025-06-10T13:00:00Z', rules: [{id: b, priority: 1, price: {free: true}}]}]}",
                     acme);
    cm_catalog *catalog = catalog_of(yaml.data);
    EXPECT(catalog, TDS, "usage a 10 10", .start = "2025-06-10T12:59:59.999999Z");
    EXPECT(catalog, TDS, "usage b 10 0", .start = "2025-06-10T13:00:00Z");
    cm_catalog_free(catalog);
    cm_buffer_free(&yaml);
    free(acme);
}

/* No setting of ours changes what AWS charges or lists: both layers are the line's own under every catalog. */
Test(prices, R03_only_the_vendor_moves_base_prices)
{
    for (uint64_t seed = 1; seed <= 5; seed++) {
        cm_catalog *catalog = random_catalog(seed);
        for (int day = 1; day <= 30; day++) {
            char start[32];
            snprintf(start, sizeof start, "2025-06-%02dT05:00:00Z", day);
            test_result r = RATE(catalog, ING_BUY, .start = start, .cost = "12.5", .list = "17.25");
            cr_assert_str_eq(r.payer, "12.5");
            cr_assert_str_eq(r.list, "17.25");
        }
        cm_catalog_free(catalog);
    }
}

Test(prices, R04_vendor_reseller_and_customer_price_stand_side_by_side)
{
    char *acme = customer_text("acme", "", ACCOUNT, TDS_BUY, NULL);
    cm_catalog *catalog = catalog_of(acme);
    test_result r = RATE(catalog, TDS_BUY, .cost = "10", .list = "20");
    cr_assert_str_eq(r.payer, "10");
    cr_assert_str_eq(r.list, "20");
    cr_assert_str_eq(r.buy, "9");
    cr_assert_str_eq(r.sell, "22");
    cr_assert_str_eq(r.buy_rule, "buy-rest");
    cr_assert_str_eq(r.rule, "rest");
    cm_catalog_free(catalog);
    free(acme);
}

Test(prices, R05_a_support_plan_prevents_a_negative_value)
{
    test_line lines[] = {{.cost = "1000", .list = "0"}, {.product = "AWSSupportBusiness", .cost = "93", .list = "0"}};
    char *with = with_group(ING, "{kind: SupportPlanGroup, id: g, type: passthrough}"),
         *without = with_group(ING, NULL);
    cm_catalog *covered = catalog_of(with), *bare = catalog_of(without);
    EXPECT(covered, ING, "support - 93 93", .product = "AWSSupportBusiness", .cost = "93", .list = "0"); /* margin 0 */
    EXPECT(bare, ING, "support - 93 0", .product = "AWSSupportBusiness", .cost = "93", .list = "0"); /* margin -93 */
    cm_catalog_free(covered);
    cm_catalog_free(bare);
    month m = close_month(with, ING, lines, 2);
    cr_assert_str_eq(member(&m, 0, "total"), "1093"); /* once: the lines themselves, no row beside them */
    month_free(&m);
    free(with);
    free(without);
}

static char *in_euro(const char *rates)
{
    char *acme = customer_text("acme", "invoice_currency: EUR", ACCOUNT, TDS, NULL);
    cm_buffer yaml = {0};
    cm_buffer_printf(&yaml, "%s%s", acme, rates);
    free(acme);
    return cm_buffer_take(&yaml);
}

#define RATE_OF(id, set, period, rate)                                                                                 \
    "{kind: FxRate, id: " id ", set: " set ", from: USD, to: EUR, period: " period ", rate: " rate "}\n---\n"

Test(prices, R06_the_billing_rate_is_a_persons_input)
{
    test_line lines[] = {{.list = "100"}};
    static const char *const rates[][4] = {
        {RATE_OF("a", "reseller", "2025-06", "0.92"), "EUR", "0.92", "101.2"},
        {RATE_OF("a", "reseller", "2025-06", "0.5"), "EUR", "0.5", "55"},
        {RATE_OF("a", "reseller", "2025-05", "0.92"), "USD", "null", "110"}, /* of another month: none is guessed */
        {"", "USD", "null", "110"},
    };
    for (size_t i = 0; i < 4; i++) {
        char *yaml = in_euro(rates[i][0]);
        month m = close_month(yaml, TDS, lines, 1);
        cr_assert_str_eq(member(&m, 0, "currency"), rates[i][1]);
        cr_assert_str_eq(member(&m, 0, "rate"), rates[i][2]);
        cr_assert_str_eq(member(&m, 0, "total"), rates[i][3]);
        month_free(&m);
        free(yaml);
    }
}

Test(prices, R07_the_currency_is_on_the_statement)
{
    test_line lines[] = {{.list = "100"}};
    char *yaml = in_euro(RATE_OF("a", "reseller", "2025-06", "0.92"));
    month m = close_month(yaml, TDS, lines, 1);
    cr_assert_str_eq(m.statements.list[0].currency, "EUR");
    cr_assert_str_eq(m.statements.list[0].source_currency, "USD");
    cr_assert_str_eq(m.statements.list[0].fx_id, "a");
    month_free(&m);
    free(yaml);
}

Test(prices, R08_the_distributors_rate_is_another_one)
{
    test_line lines[] = {{.list = "100"}};
    char *both = in_euro(RATE_OF("a", "reseller", "2025-06", "0.92") RATE_OF("b", "distributor", "2025-06", "0.95"));
    month m = close_month(both, TDS, lines, 1);
    cr_assert_str_eq(member(&m, 0, "rate"), "0.92");
    const cm_fx_rate *distributor = cm_catalog_fx(m.catalog, CM_FX_DISTRIBUTOR, "USD", "EUR", june);
    cr_assert(distributor && cm_decimal_equal(distributor->rate, decimal_of("0.95")));
    month_free(&m);
    char *one = in_euro(RATE_OF("b", "distributor", "2025-06", "0.95"));
    m = close_month(one, TDS, lines, 1);
    cr_assert_str_eq(member(&m, 0, "rate"), "null"); /* never in place of the reseller's */
    month_free(&m);
    free(both);
    free(one);
}
