/* Price books: versions, what rules match, what they cost (rating.md section 4, S5-S7, S15). */
#include "support.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#define CUSTOMER                                                                                                       \
    "{kind: Customer, id: acme, reseller: northwind, price_book: own, accounts: ["                                     \
    "{id: '" ACCOUNT "', payer: '" TDS "', from: 2025-01-01}, {id: '" OTHER "', payer: '" TDS "', from: 2025-01-01}, " \
    "{id: '" ACCOUNT "', payer: '" ING_BUY "', from: 2025-01-01}]}\n---\n"

static cm_catalog *with_rules(const char *rules)
{
    cm_buffer text = {0};
    cm_buffer_printf(&text,
                     CUSTOMER
                     "{kind: PriceBook, id: own, currency: USD, versions: [{effective_from: 2025-01-01, rules: [%s, "
                     "{id: rest, priority: 1000, price: {pass: payer}}]}]}",
                     rules);
    cm_catalog *catalog = catalog_of(text.data);
    cm_buffer_free(&text);
    return catalog;
}

static const struct {
    const char *price, *quantity, *cost, *list, *sell;
} prices[] = {
    {"percent: -5, of: list", "3", "10", "20", "19"},
    {"percent: 3, of: payer", "3", "10", "20", "10.3"},
    {"percent: 0, of: list", "3", "10", "20", "20"},
    {"percent: -100, of: list", "3", "10", "20", "0"},
    {"percent: 12.345, of: payer", "3", "-10", "20", "-11.2345"},
    {"percent: 5, of: list", "3", "10", "0", "10.5"}, /* list falls back to payer */
    {"rate: 0.0104", "3", "10", "20", "0.0312"},
    {"rate: 0.0104", "0", "10", "20", "0"},
    {"rate: 2", "-1.5", "10", "20", "-3"},
    {"rate: 0", "3", "10", "20", "0"},
    {"pass: payer", "3", "-1.000000000000000001", "20", "-1.000000000000000001"},
    {"free: true", "3", "10", "20", "0"},
    /* S7: once, half-even, at the 18th decimal: ties go to the even neighbour */
    {"percent: 50, of: payer", "1", "0.000000000000000001", "0", "0.000000000000000002"},
    {"percent: -50, of: payer", "1", "0.000000000000000001", "0", "0"},
    {"percent: -50, of: payer", "1", "0.000000000000000003", "0", "0.000000000000000002"},
    {"percent: -50, of: payer", "1", "-0.000000000000000003", "0", "-0.000000000000000002"},
    {"percent: -50, of: payer", "1", "-0.000000000000000005", "0", "-0.000000000000000002"},
    {"rate: 0.5", "0.000000000000000001", "10", "20", "0"},
    {"rate: 0.5", "0.000000000000000003", "10", "20", "0.000000000000000002"},
    {"rate: 0.333333333333333333", "0.333333333333333333", "10", "20", "0.111111111111111111"},
    /* just below a tie */
    {"percent: 49.9999, of: payer", "1", "0.000000000000000001", "0", "0.000000000000000001"},
};

Test(book, every_kind_of_price)
{
    for (size_t i = 0; i < sizeof prices / sizeof *prices; i++) {
        cm_buffer rules = {0};
        cm_buffer_printf(&rules, "{id: r, priority: 1, price: {%s}}", prices[i].price);
        cm_catalog *catalog = with_rules(rules.data);
        test_result result =
            RATE(catalog, TDS, .quantity = prices[i].quantity, .cost = prices[i].cost, .list = prices[i].list);
        cr_assert_str_eq(result.sell, prices[i].sell, "%s: %s, not %s", prices[i].price, result.sell, prices[i].sell);
        cr_assert_str_eq(result.rule, "r");
        cm_catalog_free(catalog);
        cm_buffer_free(&rules);
    }
}

#define YES "r"
#define NO  "rest"
static const struct {
    const char *match;
    test_line line;
    const char *rule;
} matches[] = {
    {"{}", {0}, YES},
    {"{service: AmazonEC2}", {0}, YES},
    {"{service: AmazonEC}", {0}, NO},
    {"{service: amazonec2}", {0}, NO}, /* S15: case matters */
    {"{service: [AmazonS3, AmazonEC2]}", {0}, YES},
    {"{service: [AmazonS3, AmazonRDS]}", {0}, NO},
    {"{service: AmazonEC2}", {.product = ""}, NO},
    {"{usage_type: 'BoxUsage:t3.micro'}", {0}, YES},
    {"{usage_type: 'BoxUsage:*'}", {0}, YES},
    {"{usage_type: '*'}", {.usage_type = ""}, YES},
    {"{usage_type: '?'}", {.usage_type = ""}, NO},
    {"{usage_type: '*micro'}", {0}, YES},
    {"{usage_type: '*.m*o'}", {0}, YES},
    {"{usage_type: '*t3*'}", {0}, YES},
    {"{usage_type: 'BoxUsage'}", {0}, NO},
    {"{usage_type: 'BoxUsage?t?.micro'}", {0}, YES},
    {"{usage_type: 'BoxUsage??t3.micro'}", {0}, NO},
    {"{usage_type: '*o?'}", {0}, NO},
    {"{usage_type: '**micro**'}", {0}, YES},
    {"{usage_type: 'boxusage:*'}", {0}, NO},
    {"{usage_type: ['EU-*', 'Box*']}", {0}, YES},
    {"{usage_type: '[B]ox*'}", {0}, NO}, /* only * and ? have a meaning */
    {"{usage_type: 'a.c'}", {.usage_type = "abc"}, NO},
    {"{usage_type: '*a*b*c'}", {.usage_type = "xaxbxcxabxc"}, YES},
    {"{usage_type: '*a*b*c'}", {.usage_type = "xaxbxcxabx"}, NO},
    {"{usage_type: 'a\\*?'}", {.usage_type = "a\\bc"}, YES},    /* a backslash matches itself */
    {"{usage_type: '*aab'}", {.usage_type = "aaab"}, YES},      /* a star tried again */
    {"{usage_type: 'x?y'}", {.usage_type = "x\xc3\xa9y"}, YES}, /* ? is one character, not one byte */
    {"{usage_type: 'x??y'}", {.usage_type = "x\xc3\xa9y"}, NO},
    {"{usage_type: '*?y'}", {.usage_type = "x\xc3\xa9y"}, YES},
    {"{operation: 'Run*'}", {0}, YES},
    {"{operation: 'Run*'}", {.operation = "CreateX"}, NO},
    {"{region: eu-west-1}", {0}, YES},
    {"{region: eu-west}", {0}, NO},
    {"{region: [us-east-1, eu-west-1]}", {0}, YES},
    {"{region: us-east-1}", {.region = ""}, NO},
    {"{sku: SKU1}", {0}, YES},
    {"{sku: [SKU2, SKU3]}", {0}, NO},
    {"{class: usage}", {0}, YES},
    {"{class: [usage, fee]}", {.type = "Fee"}, YES},
    {"{class: usage}", {.type = "Fee"}, NO},
    {"{class: covered_usage}", {.type = "DiscountedUsage"}, YES},
    {"{class: usage}", {.type = "DiscountedUsage"}, NO},
    {"{class: marketplace}", {.entity = "AWS Marketplace"}, YES},
    {"{line_item_type: Usage}", {0}, YES},
    {"{line_item_type: [Fee, SavingsPlanCoveredUsage]}", {.type = "SavingsPlanCoveredUsage"}, YES},
    {"{line_item_type: Fee}", {0}, NO},
    {"{account: '" ACCOUNT "'}", {0}, YES},
    {"{account: '" ACCOUNT "'}", {.account = OTHER}, NO},
    {"{account: ['" ACCOUNT "', '" OTHER "']}", {.account = OTHER}, YES},
    {"{payer: '" TDS "'}", {0}, YES},
    {"{payer: '" ING_BUY "'}", {0}, NO},
    {"{unit: Hrs}", {0}, YES},
    {"{unit: [GB, GB-Mo]}", {0}, NO},
    {"{marketplace: true}", {.entity = "AWS Marketplace"}, YES},
    {"{marketplace: true}", {0}, NO},
    {"{marketplace: false}", {0}, YES},
    {"{marketplace: false}", {.entity = "AWS Marketplace"}, NO},
    {"{marketplace: false}", {.entity = ""}, YES},
    /* all keys must hold */
    {"{service: AmazonEC2, region: eu-west-1, unit: Hrs, usage_type: 'Box*'}", {0}, YES},
    {"{service: AmazonEC2, region: eu-west-1, unit: GB, usage_type: 'Box*'}", {0}, NO},
};

Test(book, every_match_key)
{
    for (size_t i = 0; i < sizeof matches / sizeof *matches; i++) {
        cm_buffer rules = {0};
        cm_buffer_printf(&rules, "{id: r, priority: 1, match: %s, price: {free: true}}", matches[i].match);
        cm_catalog *catalog = with_rules(rules.data);
        test_result result = rate(catalog, TDS, matches[i].line);
        cr_assert_str_eq(result.rule, matches[i].rule, "cell %zu, %s: %s %s", i, matches[i].match, result.rule,
                         result.reason);
        cm_catalog_free(catalog);
        cm_buffer_free(&rules);
    }
}

/* Ascending priority, wherever the rule is in the file; the first match wins, nothing is combined. */
Test(book, priority_decides)
{
    cm_catalog *catalog = with_rules("{id: third, priority: 30, match: {service: AmazonEC2}, price: {free: true}},"
                                     "{id: first, priority: 1, match: {region: us-east-1}, price: {free: true}},"
                                     "{id: second, priority: 2, match: {unit: Hrs}, price: {percent: 100, of: payer}}");
    EXPECT(catalog, TDS, "usage second 10 20", 0);
    EXPECT(catalog, TDS, "usage first 10 0", .region = "us-east-1");
    EXPECT(catalog, TDS, "usage third 10 0", .unit = "GB");
    EXPECT(catalog, TDS, "usage rest 10 10", .unit = "GB", .product = "AmazonS3");
    cm_catalog_free(catalog);
}

/* A rate skips refunds and bundled discounts: the next rule is tried. */
Test(book, rates_skip_refunds_and_bundled_discounts)
{
    cm_catalog *catalog = with_rules("{id: rated, priority: 1, price: {rate: 7}}");
    EXPECT(catalog, TDS, "usage rated 10 21", 0);
    EXPECT(catalog, TDS, "fee rated 10 21", .type = "Fee");
    EXPECT(catalog, TDS, "marketplace rated 10 21", .entity = "AWS Marketplace");
    EXPECT(catalog, TDS, "covered_usage rated 10 21", .type = "DiscountedUsage");
    EXPECT(catalog, TDS, "refund rest 10 10", .type = "Refund");
    EXPECT(catalog, TDS, "bundled_discount rest 10 10", .type = "BundledDiscount");
    cm_catalog_free(catalog);
}

Test(book, rates_skip_refunds_on_the_buy_side_too)
{
    cm_catalog *catalog = catalog_of(
        CUSTOMER
        "{kind: PriceBook, id: own, currency: USD, versions: [{effective_from: 2025-01-01, rules: ["
        "{id: rest, priority: 1, price: {percent: 10, of: buy}}]}]}\n---\n"
        "{kind: PriceBook, id: buy, currency: USD, versions: [{effective_from: 2025-01-01, rules: ["
        "{id: rated, priority: 1, price: {rate: 2}}, {id: half, priority: 2, price: {percent: -50, of: list}}]}]}");
    test_result result = RATE(catalog, ING_BUY, .type = "Usage");
    cr_assert_str_eq(result.buy_rule, "rated");
    EXPECT(catalog, ING_BUY, "usage rest 6 6.6", 0);
    result = RATE(catalog, ING_BUY, .type = "Refund");
    cr_assert_str_eq(result.buy_rule, "half");
    EXPECT(catalog, ING_BUY, "refund rest 5 11", .type = "Refund");
    cm_catalog_free(catalog);
}

/* `of: buy` without a buy book is payer, since buy is. */
Test(book, percent_of_buy)
{
    cm_catalog *catalog = with_rules("{id: r, priority: 1, price: {percent: 20, of: buy}}");
    EXPECT(catalog, TDS, "usage r 10 12", 0);
    EXPECT(catalog, ING_BUY, "usage r 9 10.8", 0);
    EXPECT(catalog, ING_BUY, "fee r 9 12", .type = "Fee"); /* no list price: the basis is always payer */
    cm_catalog_free(catalog);
}

/* R02, N14: a version prices lines from its instant on; it is a change of the book, not of lines before it. */
static const char versions[] =
    CUSTOMER "{kind: PriceBook, id: own, currency: USD, versions: [\n"
             "  {effective_from: 2025-06-20, rules: [{id: third, priority: 1, price: {percent: 30, of: payer}}]},\n"
             "  {effective_from: 2025-06-05, rules: [{id: first, priority: 1, price: {percent: 10, of: payer}}]},\n"
             "  {effective_from: '2025-06-10T12:00:00Z', rules: [{id: second, priority: 1, price: {percent: 20, of: "
             "payer}}]}]}\n---\n"
             "{kind: PriceBook, id: buy, currency: USD, versions: [\n"
             "  {effective_from: 2025-06-10, rules: [{id: b, priority: 1, price: {percent: -50, of: payer}}]}]}";

Test(book, version_in_force_at_the_time_of_the_line)
{
    cm_catalog *catalog = catalog_of(versions);
    EXPECT(catalog, TDS, "NO_PRICE acme", .start = "2025-06-04T23:59:59.999999Z"); /* S6 */
    EXPECT(catalog, TDS, "NO_PRICE acme", .start = "2025-01-01T00:00:00Z");
    EXPECT(catalog, TDS, "usage first 10 11", .start = "2025-06-05T00:00:00Z");
    EXPECT(catalog, TDS, "usage first 10 11", .start = "2025-06-10T11:59:59.999999Z");
    EXPECT(catalog, TDS, "usage second 10 12", .start = "2025-06-10T12:00:00Z");
    EXPECT(catalog, TDS, "usage second 10 12", .start = "2025-06-19T23:59:59.999999Z");
    EXPECT(catalog, TDS, "usage third 10 13", .start = "2025-06-20T00:00:00Z");
    EXPECT(catalog, TDS, "usage third 10 13", .start = "2030-01-01T00:00:00Z");
    /* the buy book has versions of its own */
    EXPECT(catalog, ING_BUY, "NO_PRICE acme", .start = "2025-06-09T23:59:59.999999Z");
    EXPECT(catalog, ING_BUY, "usage first 5 11", .start = "2025-06-10T00:00:00Z");
    EXPECT(catalog, ING_BUY, "usage second 5 12", .start = "2025-06-10T12:00:00Z");
    cm_catalog_free(catalog);
}

/* R01: books are per customer; R04: three layers side by side on each line. */
Test(book, each_customer_has_its_own_book)
{
    cm_catalog *catalog =
        catalog_of("{kind: Customer, id: acme, reseller: northwind, price_book: own, accounts: [{id: '" ACCOUNT
                   "', payer: '" TDS_BUY "', from: 2025-01-01}]}\n---\n"
                   "{kind: Customer, id: bolt, reseller: northwind, price_book: standard, accounts: [{id: '" OTHER
                   "', payer: '" TDS_BUY "', from: 2025-01-01}]}\n---\n"
                   "{kind: PriceBook, id: own, currency: USD, versions: [{effective_from: 2025-01-01, rules: [{id: "
                   "cheap, priority: 1, price: {percent: -1, of: list}}]}]}");
    EXPECT(catalog, TDS_BUY, "usage cheap 9 19.8", 0);
    EXPECT(catalog, TDS_BUY, "usage rest 9 22", .account = OTHER);
    cm_catalog_free(catalog);
}

/* Overflow is reported, not wrapped: POISON names it, and the caller (rate_batch) knows the row. */
Test(book, a_price_that_does_not_fit)
{
    cm_catalog *catalog = with_rules("{id: r, priority: 1, price: {rate: 1000}}");
    cm_error err = {0};
    cm_rater *rater = cm_rater_new(catalog, TDS, june, &err);
    cm_kind kind = kind_of_line(&(test_line){0});
    cm_decision decision;
    cm_priced priced;
    cm_decide(rater, &kind, instant_of("2025-06-10T00:00:00Z"), &decision, NULL, NULL);
    cr_assert(cm_price(&decision, decimal_of("100000000000000000"), decimal_of("1"), decimal_of("1"), &priced, &err));
    cr_assert_not(
        cm_price(&decision, decimal_of("1000000000000000000"), decimal_of("1"), decimal_of("1"), &priced, &err));
    cr_assert_eq(err.class, CM_ERROR_POISON);
    cr_assert_str_eq(err.code, "OVERFLOW");
    cm_rater_free(rater);
    cm_catalog_free(catalog);
}

static void collect(void *opaque, const char *step, const char *detail)
{
    cm_buffer_printf(opaque, "%s: %s\n", step, detail);
}

/* `explain` reports every step: class, link, each rule that was tried. */
Test(book, trace_names_every_rule_that_was_tried)
{
    cm_catalog *catalog = with_rules("{id: no, priority: 1, match: {unit: GB}, price: {free: true}},"
                                     "{id: yes, priority: 2, match: {unit: Hrs}, price: {free: true}}");
    cm_error err = {0};
    cm_rater *rater = cm_rater_new(catalog, ING_BUY, june, &err);
    cm_kind kind = kind_of_line(&(test_line){0});
    cm_decision decision;
    cm_buffer said = {0};
    cm_decide(rater, &kind, instant_of("2025-06-10T00:00:00Z"), &decision, collect, &said);
    static const char *const order[] = {"class: Usage, product AmazonEC2: usage",
                                        "link: account " ACCOUNT " belongs to customer acme",
                                        "buy: book buy, version effective from 2025-01-01T00:00:00Z",
                                        "buy: rule buy-rest (priority 1000): matches",
                                        "sell: book own",
                                        "sell: rule no (priority 1): no match",
                                        "sell: rule yes (priority 2): matches"};
    const char *at = said.data;
    for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
        at = strstr(at, order[i]);
        cr_assert(at, "\"%s\" is missing or out of order in:\n%s", order[i], said.data);
    }
    cr_assert_null(strstr(said.data, "rest (priority 1000): no match\nsell"),
                   "rules after the first match are not tried");
    cm_buffer_free(&said);
    cm_rater_free(rater);
    cm_catalog_free(catalog);
}
