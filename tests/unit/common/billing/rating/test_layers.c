/* The four layers of every class under both payer models, with and without a buy book (rating.md sections 1 and 4; S5,
 * S9). */
#include "support.h"

#include <criterion/criterion.h>
#include <stdlib.h>

/*
 * Numbers of every line: payer 10, list 20, quantity 3. The sell book `standard` asks for list + 10 % (22), or payer +
 * 10 % (11) where a class has no list price; the buy book asks for payer - 10 % (9).
 */
static const struct {
    const char *type, *product, *entity;
    bool reservation;
    const char *tds, *tds_buy, *ing, *ing_buy;
} cells[] = {
    {"Tax", NULL, NULL, false, "tax - 10 0", "tax - 10 0", "tax - 10 0", "tax - 10 0"},
    {"SppDiscount", NULL, NULL, false, "provider_discount - 0 0", "provider_discount - 0 0", "provider_discount - 10 0",
     "provider_discount - 10 0"},
    {"EdpDiscount", NULL, NULL, false, "provider_discount - 0 0", "provider_discount - 0 0", "provider_discount - 10 0",
     "provider_discount - 10 0"},
    {"BundledDiscount", NULL, NULL, false, "bundled_discount rest 10 11", "bundled_discount rest 9 11",
     "bundled_discount rest 10 11", "bundled_discount rest 9 11"},
    {"Credit", NULL, NULL, false, "credit - 10 0", "credit - 10 0", "credit - 10 0", "credit - 10 0"},
    {"Refund", NULL, NULL, false, "refund rest 10 11", "refund rest 9 11", "refund rest 10 11", "refund rest 9 11"},
    {"Usage", "AWSSupportBusiness", NULL, false, "support - 0 0", "support - 0 0", "support - 10 0", "support - 10 0"},
    {"Usage", NULL, "AWS Marketplace", false, "marketplace rest 10 11", "marketplace rest 9 11",
     "marketplace rest 10 11", "marketplace rest 9 11"},
    {"DiscountedUsage", NULL, NULL, false, "covered_usage rest 10 22", "covered_usage rest 9 22",
     "covered_usage rest 10 22", "covered_usage rest 9 22"},
    {"SavingsPlanCoveredUsage", NULL, NULL, false, "covered_usage rest 10 22", "covered_usage rest 9 22",
     "covered_usage rest 10 22", "covered_usage rest 9 22"},
    {"SavingsPlanNegation", NULL, NULL, false, "commitment_offset - 10 0", "commitment_offset - 9 0",
     "commitment_offset - 10 0", "commitment_offset - 9 0"},
    {"RIFee", NULL, NULL, false, "commitment_fee - 10 0", "commitment_fee - 9 0", "commitment_fee - 10 0",
     "commitment_fee - 9 0"},
    {"Fee", NULL, NULL, true, "commitment_fee - 10 0", "commitment_fee - 9 0", "commitment_fee - 10 0",
     "commitment_fee - 9 0"},
    {"SavingsPlanUpfrontFee", NULL, NULL, false, "commitment_fee - 10 0", "commitment_fee - 9 0",
     "commitment_fee - 10 0", "commitment_fee - 9 0"},
    {"Usage", NULL, NULL, false, "usage rest 10 22", "usage rest 9 22", "usage rest 10 22", "usage rest 9 22"},
    {"Fee", NULL, NULL, false, "fee rest 10 11", "fee rest 9 11", "fee rest 10 11", "fee rest 9 11"},
    {"FlatRateSubscription", NULL, NULL, false, "fee rest 10 11", "fee rest 9 11", "fee rest 10 11", "fee rest 9 11"},
};

Test(layers, every_class_for_every_payer)
{
    char *text = customer_text("acme", "", ACCOUNT, TDS, TDS_BUY, ING, ING_BUY, NULL);
    cm_catalog *catalog = catalog_of(text);
    static const char *const payers[] = {TDS, TDS_BUY, ING, ING_BUY};
    for (size_t i = 0; i < sizeof cells / sizeof *cells; i++) {
        const char *const expected[] = {cells[i].tds, cells[i].tds_buy, cells[i].ing, cells[i].ing_buy};
        for (int p = 0; p < 4; p++) {
            test_line line = {.type = cells[i].type,
                              .product = cells[i].product,
                              .entity = cells[i].entity,
                              .flags = cells[i].reservation ? CM_KIND_RESERVATION : 0};
            test_result result = rate(catalog, payers[p], line);
            char is[256];
            cr_assert_str_eq(short_of(&result, is), expected[p], "%s under %s: %s, not %s", line.type, payers[p], is,
                             expected[p]);
            cr_assert_str_eq(result.payer, "10");
            cr_assert_str_eq(result.list, "20");
            cr_assert_str_eq(result.customer, "acme");
        }
    }
    cm_catalog_free(catalog);
    free(text);
}

/* Section 1: list is publicOnDemandCost, or payer where that is empty or zero (both come as zero). */
Test(layers, list_falls_back_to_payer)
{
    char *text = customer_text("acme", "", ACCOUNT, TDS, NULL);
    cm_catalog *catalog = catalog_of(text);
    EXPECT(catalog, TDS, "usage rest 10 11", .list = "0");
    test_result result = RATE(catalog, TDS, .list = "0", .cost = "-7.5");
    cr_assert_str_eq(result.list, "-7.5");
    result = RATE(catalog, TDS, .list = "0.000000000000000001", .cost = "0");
    cr_assert_str_eq(result.list, "0.000000000000000001");
    result = RATE(catalog, TDS, .list = "-3", .cost = "5");
    cr_assert_str_eq(result.list, "-3");
    result = RATE(catalog, TDS, .list = "0", .account = NOBODYS); /* suspended lines too */
    cr_assert_str_eq(result.list, "10");
    cm_catalog_free(catalog);
    free(text);
}

/* Section 4.4 */
Test(layers, credit_policies)
{
    static const struct {
        const char *policy, *cost, *expected;
    } policies[] = {
        {"", "-8", "credit - -8 0"},
        {"credit_policy: keep", "-8", "credit - -8 0"},
        {"credit_policy: {mode: keep}", "-8", "credit - -8 0"},
        {"credit_policy: pass", "-8", "credit - -8 -8"},
        {"credit_policy: {mode: split, percent: 50}", "-8", "credit - -8 -4"},
        {"credit_policy: {mode: split, percent: 100}", "-8", "credit - -8 -8"},
        {"credit_policy: {mode: split, percent: 0}", "-8", "credit - -8 0"},
        {"credit_policy: {mode: split, percent: 12.5}", "-8", "credit - -8 -1"},
        /* S7: rounded half-even once at the 18th decimal */
        {"credit_policy: {mode: split, percent: 50}", "-0.000000000000000001", "credit - -0.000000000000000001 0"},
        {"credit_policy: {mode: split, percent: 50}", "-0.000000000000000003",
         "credit - -0.000000000000000003 -0.000000000000000002"},
    };
    static const char *const payers[] = {TDS, TDS_BUY, ING, ING_BUY};
    for (size_t i = 0; i < sizeof policies / sizeof *policies; i++) {
        char *text = customer_text("acme", policies[i].policy, ACCOUNT, TDS, TDS_BUY, ING, ING_BUY, NULL);
        cm_catalog *catalog = catalog_of(text);
        for (int p = 0; p < 4; p++)
            EXPECT(catalog, payers[p], policies[i].expected, .type = "Credit", .cost = policies[i].cost, .list = "0");
        cm_catalog_free(catalog);
        free(text);
    }
}

/* Section 4.4: keep, or the price book (default); buy stays the buy book's. */
Test(layers, refund_policies)
{
    char *keep = customer_text("acme", "refund_policy: keep", ACCOUNT, TDS, TDS_BUY, NULL);
    char *book = customer_text("acme", "refund_policy: price_book", ACCOUNT, TDS, TDS_BUY, NULL);
    cm_catalog *catalog = catalog_of(keep);
    EXPECT(catalog, TDS, "refund - -5 0", .type = "Refund", .cost = "-5", .list = "0");
    EXPECT(catalog, TDS_BUY, "refund - -4.5 0", .type = "Refund", .cost = "-5", .list = "0");
    EXPECT(catalog, TDS, "usage rest 10 22", .type = "Usage"); /* of refunds only */
    cm_catalog_free(catalog);
    catalog = catalog_of(book);
    EXPECT(catalog, TDS_BUY, "refund rest -4.5 -5.5", .type = "Refund", .cost = "-5", .list = "0");
    cm_catalog_free(catalog);
    free(keep);
    free(book);
}

/* Section 4.5, pass_through: all three at `payer`, for the account they belong to; no book is asked on the sell
 * side. */
Test(layers, commitments_pass_through)
{
    char *text = customer_text("acme", "commitment_policy: pass_through", ACCOUNT, ING, ING_BUY, NULL);
    cm_catalog *catalog = catalog_of(text);
    EXPECT(catalog, ING, "covered_usage - 10 10", .type = "DiscountedUsage");
    EXPECT(catalog, ING_BUY, "covered_usage - 9 10", .type = "DiscountedUsage");
    EXPECT(catalog, ING, "covered_usage - 0 0", .type = "DiscountedUsage", .cost = "0",
           .list = "0"); /* not NO_LIST_PRICE */
    EXPECT(catalog, ING_BUY, "covered_usage - 9 10", .type = "SavingsPlanCoveredUsage");
    EXPECT(catalog, ING_BUY, "commitment_offset - -9 -10", .type = "SavingsPlanNegation", .cost = "-10");
    EXPECT(catalog, ING_BUY, "commitment_fee - 9 10", .type = "RIFee");
    EXPECT(catalog, ING_BUY, "commitment_fee - 9 10", .type = "Fee", .flags = CM_KIND_RESERVATION);
    EXPECT(catalog, ING_BUY, "usage rest 9 22", .type = "Usage");
    EXPECT(catalog, ING, "covered_usage - 10 10", .type = "DiscountedUsage",
           .currency = "EUR"); /* S6: no book, no CURRENCY */
    cm_catalog_free(catalog);
    free(text);
}

/* O06, R06: "Pass RI optimization to customer" is not available with TD SYNNEX, so setting it is refused. */
Test(layers, pass_through_is_refused_where_the_model_forbids_it)
{
    char *text = customer_text("acme", "commitment_policy: pass_through", ACCOUNT, ING, TDS, NULL);
    char *problems = problems_of(text);
    cr_assert(strstr(problems, "error") && strstr(problems, "pass_through"), "%s", problems);
    free(problems);
    free(text);
}

/* S5: on the sell side `payer` reads list for covered usage under on_demand; `list` and `buy` are themselves, buy books
 * literal. */
Test(layers, covered_usage_reads_list_for_payer)
{
    static const struct {
        const char *price, *covered, *usage;
    } prices[] = {
        {"percent: 50, of: payer", "covered_usage all 9 30", "usage all 9 15"},
        {"percent: 50, of: list", "covered_usage all 9 30", "usage all 9 30"},
        {"percent: 50, of: buy", "covered_usage all 9 13.5", "usage all 9 13.5"},
        {"pass: payer", "covered_usage all 9 20", "usage all 9 10"},
        {"free: true", "covered_usage all 9 0", "usage all 9 0"},
    };
    char *customer = customer_text("acme", "price_book: own", ACCOUNT, ING_BUY, TDS_BUY, NULL);
    for (size_t i = 0; i < sizeof prices / sizeof *prices; i++) {
        cm_buffer text = {0};
        cm_buffer_printf(&text,
                         "%s{kind: PriceBook, id: own, currency: USD, versions: [{effective_from: 2025-01-01, rules: ["
                         "{id: all, priority: 1, price: {%s}}]}]}",
                         customer, prices[i].price);
        cm_catalog *catalog = catalog_of(text.data);
        static const char *const payers[] = {TDS_BUY, ING_BUY};
        for (int p = 0; p < 2; p++) {
            EXPECT(catalog, payers[p], prices[i].covered, .type = "DiscountedUsage");
            EXPECT(catalog, payers[p], prices[i].covered, .type = "SavingsPlanCoveredUsage");
            EXPECT(catalog, payers[p], prices[i].usage, .type = "Usage");
        }
        cm_catalog_free(catalog);
        cm_buffer_free(&text);
    }
    free(customer);
}

/* Classes without a list price: percent always uses payer as its basis, in buy books too (section 4.6). */
Test(layers, classes_without_a_list_price)
{
    static const test_line lines[] = {{.type = "Usage", .entity = "AWS Marketplace"},
                                      {.type = "BundledDiscount"},
                                      {.type = "Refund"},
                                      {.type = "Fee"}};
    static const char *const of[] = {"list", "payer", "buy"};
    char *customer = customer_text("acme", "price_book: own", ACCOUNT, TDS_BUY, NULL);
    for (int o = 0; o < 3; o++) {
        cm_buffer text = {0};
        cm_buffer_printf(&text,
                         "%s{kind: PriceBook, id: own, currency: USD, versions: [{effective_from: 2025-01-01, rules: ["
                         "{id: all, priority: 1, price: {percent: 50, of: %s}}]}]}\n---\n"
                         "{kind: PriceBook, id: buy, currency: USD, versions: [{effective_from: 2025-01-01, rules: ["
                         "{id: buy-all, priority: 1, price: {percent: -20, of: list}}]}]}",
                         customer, of[o]);
        cm_catalog *catalog = catalog_of(text.data);
        for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
            test_result result = rate(catalog, TDS_BUY, lines[i]);
            cr_assert_str_eq(result.buy, "8", "%s of %s", lines[i].type, of[o]);
            cr_assert_str_eq(result.sell, "15", "%s of %s", lines[i].type, of[o]);
            cr_assert_str_eq(result.buy_rule, "buy-all");
        }
        test_result usage = RATE(catalog, TDS_BUY, .type = "Usage");
        cr_assert_str_eq(usage.buy, "16"); /* list 20 - 20 % */
        cr_assert_str_eq(usage.sell, o == 0 ? "30" : o == 1 ? "15" : "24");
        cm_catalog_free(catalog);
        cm_buffer_free(&text);
    }
    free(customer);
}

/* S9; N04, N19: AWS's support lines under both models for each group that a link may name. */
Test(layers, support_lines_by_group)
{
    static const struct {
        const char *group, *tds, *ing;
    } groups[] = {
        {NULL, "support - 0 0", "support - 10 0"}, /* O15: without a group the negative margin is real and is shown */
        {"{kind: SupportPlanGroup, id: g, type: business}", "support - 0 0", "support - 10 0"},
        {"{kind: SupportPlanGroup, id: g, type: passthrough}", "support - 0 0", "support - 10 10"},
        {"{kind: SupportPlanGroup, id: g, type: basic}", "support - 0 0", "support - 10 0"},
        {"{kind: SupportPlanGroup, id: g, type: enterprise}", "support - 0 0", "support - 10 0"},
        {"{kind: SupportPlanGroup, id: g, type: developer}", "support - 0 0", "support - 10 0"},
    };
    static const char *const products[] = {"AWSSupportBusiness", "AWSDeveloperSupport", "ocbpremiumsupport"};
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++) {
        cm_buffer text = {0};
        const char *name = groups[i].group ? ", support_plan_group: g" : "";
        cm_buffer_printf(&text,
                         "{kind: Customer, id: acme, reseller: northwind, price_book: standard, accounts: ["
                         "{id: '" ACCOUNT "', payer: '" TDS_BUY "', from: 2025-01-01%s}, "
                         "{id: '" ACCOUNT "', payer: '" ING_BUY "', from: 2025-01-01%s}]}\n---\n%s\n",
                         name, name, groups[i].group ? groups[i].group : "");
        cm_catalog *catalog = catalog_of(text.data);
        for (int p = 0; p < 3; p++) {
            EXPECT(catalog, TDS_BUY, groups[i].tds, .product = products[p]);
            EXPECT(catalog, ING_BUY, groups[i].ing, .product = products[p]);
        }
        cm_catalog_free(catalog);
        cm_buffer_free(&text);
    }
}

/* The group is that of the link in force, not of the account. */
Test(layers, support_follows_the_link_in_force)
{
    cm_catalog *catalog =
        catalog_of("{kind: SupportPlanGroup, id: g, type: passthrough}\n---\n"
                   "{kind: Customer, id: acme, reseller: northwind, price_book: standard, accounts: ["
                   "{id: '" ACCOUNT "', payer: '" ING "', from: 2025-01-01, to: 2025-06-15}, "
                   "{id: '" ACCOUNT "', payer: '" ING "', from: 2025-06-15, support_plan_group: g}]}");
    EXPECT(catalog, ING, "support - 10 0", .product = "AWSSupportBusiness", .start = "2025-06-14T23:59:59.999999Z");
    EXPECT(catalog, ING, "support - 10 10", .product = "AWSSupportBusiness", .start = "2025-06-15T00:00:00Z");
    cm_catalog_free(catalog);
}
