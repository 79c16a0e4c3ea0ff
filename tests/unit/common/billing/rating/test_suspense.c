/* Why lines are suspended, and which reason comes first: class, link, buy, sell (S4, S6, S8). */
#include "billing/catalog/parse/canonical.h"
#include "support.h"

#include <criterion/criterion.h>

/* acme's book is in EUR and begins on the 10th; the buy book is in USD and begins on the 5th. */
static const char documents[] =
    "{kind: Customer, id: acme, reseller: northwind, price_book: euro, accounts: ["
    "{id: '" ACCOUNT "', payer: '" TDS "', from: 2025-01-01}, {id: '" ACCOUNT "', payer: '" TDS_BUY
    "', from: 2025-01-01}]}\n---\n"
    "{kind: Customer, id: bolt, reseller: northwind, price_book: dollar, refund_policy: keep, accounts: ["
    "{id: '" OTHER "', payer: '" TDS "', from: 2025-01-01}, {id: '" OTHER "', payer: '" TDS_BUY
    "', from: 2025-01-01}]}\n---\n"
    "{kind: PriceBook, id: euro, currency: EUR, versions: [{effective_from: 2025-06-10, rules: [{id: all, priority: 1, "
    "price: {pass: payer}}]}]}\n---\n"
    "{kind: PriceBook, id: dollar, currency: USD, versions: [{effective_from: 2025-06-10, rules: [{id: all, priority: "
    "1, price: {pass: payer}}]}]}\n---\n"
    "{kind: PriceBook, id: buy, currency: USD, versions: [{effective_from: 2025-06-05, rules: [{id: b, priority: 1, "
    "price: {pass: payer}}]}]}";

#define EARLY "2025-06-02T00:00:00Z"
#define LATE  "2025-06-20T00:00:00Z"

Test(suspense, the_first_reason_wins)
{
    cm_catalog *catalog = catalog_of(documents);
    /* type before link, link before buy */
    EXPECT(catalog, TDS_BUY, "UNKNOWN_LINE_TYPE -", .type = "NewType", .account = NOBODYS, .currency = "CNY");
    EXPECT(catalog, TDS_BUY, "UNKNOWN_LINE_TYPE acme", .type = "NewType", .currency = "CNY", .start = EARLY);
    EXPECT(catalog, TDS_BUY, "UNKNOWN_ACCOUNT -", .account = NOBODYS, .currency = "CNY", .start = EARLY);
    /* buy: currency before version; both before anything of the sell side */
    EXPECT(catalog, TDS_BUY, "CURRENCY acme", .currency = "EUR", .start = EARLY);
    EXPECT(catalog, TDS_BUY, "NO_PRICE acme", .currency = "USD", .start = EARLY);
    EXPECT(catalog, TDS_BUY, "NO_PRICE acme", .type = "DiscountedUsage", .list = "0", .start = EARLY);
    EXPECT(catalog, TDS_BUY, "CURRENCY bolt", .account = OTHER, .type = "DiscountedUsage", .list = "0",
           .currency = "EUR");
    /* sell: list price, then currency, then version */
    EXPECT(catalog, TDS, "NO_LIST_PRICE acme", .type = "DiscountedUsage", .list = "0",
           .start = EARLY); /* USD line, EUR book */
    EXPECT(catalog, TDS, "NO_LIST_PRICE acme", .type = "DiscountedUsage", .list = "0", .currency = "EUR",
           .start = EARLY);
    EXPECT(catalog, TDS, "NO_LIST_PRICE bolt", .account = OTHER, .type = "DiscountedUsage", .list = "0",
           .start = EARLY);
    EXPECT(catalog, TDS, "NO_LIST_PRICE bolt", .account = OTHER, .type = "DiscountedUsage", .list = "0", .start = LATE);
    EXPECT(catalog, TDS, "CURRENCY acme", .type = "DiscountedUsage", .start = EARLY);
    EXPECT(catalog, TDS, "CURRENCY acme", .start = EARLY);
    EXPECT(catalog, TDS, "CURRENCY acme", .start = LATE);
    EXPECT(catalog, TDS, "NO_PRICE bolt", .account = OTHER, .start = EARLY);
    EXPECT(catalog, TDS, "usage all 10 10", .account = OTHER, .start = LATE);
    EXPECT(catalog, TDS, "usage all 10 10", .currency = "EUR", .start = LATE);
    EXPECT(catalog, TDS_BUY, "CURRENCY acme", .start = LATE); /* buy is fine, sell is not */
    cm_catalog_free(catalog);
}

/* S6: whenever a book is asked, whatever the amount; never where no book is asked. */
Test(suspense, currency_matters_where_a_book_is_asked)
{
    cm_catalog *catalog = catalog_of(documents);
    EXPECT(catalog, TDS, "CURRENCY bolt", .account = OTHER, .currency = "CNY", .cost = "0", .list = "0",
           .quantity = "0");
    EXPECT(catalog, TDS, "CURRENCY bolt", .account = OTHER, .currency = "");
    EXPECT(catalog, TDS, "CURRENCY bolt", .account = OTHER, .currency = "usd");
    EXPECT(catalog, TDS, "CURRENCY bolt", .account = OTHER, .currency = "USDX");
    EXPECT(catalog, TDS, "tax - 10 0", .type = "Tax", .currency = "CNY", .start = EARLY);
    EXPECT(catalog, TDS_BUY, "tax - 10 0", .type = "Tax", .currency = "CNY", .start = EARLY);
    EXPECT(catalog, TDS_BUY, "provider_discount - 0 0", .type = "Discount", .currency = "CNY", .start = EARLY);
    EXPECT(catalog, TDS_BUY, "credit - 10 0", .type = "Credit", .currency = "CNY", .start = EARLY);
    EXPECT(catalog, TDS_BUY, "support - 0 0", .product = "AWSSupportBusiness", .currency = "CNY", .start = EARLY);
    EXPECT(catalog, TDS, "commitment_fee - 10 0", .type = "RIFee", .currency = "CNY", .start = EARLY);
    EXPECT(catalog, TDS, "commitment_offset - 10 0", .type = "SavingsPlanNegation", .currency = "CNY", .start = EARLY);
    EXPECT(catalog, TDS_BUY, "CURRENCY acme", .type = "RIFee", .currency = "CNY");
    EXPECT(catalog, TDS, "refund - 10 0", .account = OTHER, .type = "Refund", .currency = "CNY",
           .start = EARLY); /* keep */
    EXPECT(catalog, TDS, "CURRENCY acme", .type = "Refund", .currency = "CNY");
    EXPECT(catalog, TDS, "usage - 10 0", .account = TDS, .currency = "CNY",
           .start = EARLY); /* no customer, no buy book */
    cm_catalog_free(catalog);
}

/* S8: class covered_usage, type DiscountedUsage, a quantity, no list price. */
Test(suspense, no_list_price)
{
    cm_catalog *catalog = catalog_of(documents);
#define ROW(expected, ...) EXPECT(catalog, TDS, expected, .account = OTHER, .start = LATE, __VA_ARGS__)
    ROW("NO_LIST_PRICE bolt", .type = "DiscountedUsage", .list = "0");
    ROW("NO_LIST_PRICE bolt", .type = "DiscountedUsage", .list = "0", .cost = "0");
    ROW("NO_LIST_PRICE bolt", .type = "DiscountedUsage", .list = "0", .quantity = "-0.000000000000000001");
    ROW("covered_usage all 10 10", .type = "DiscountedUsage", .list = "0", .quantity = "0");
    ROW("covered_usage all 10 0.000000000000000001", .type = "DiscountedUsage", .list = "0.000000000000000001");
    ROW("covered_usage all 10 10", .type = "SavingsPlanCoveredUsage", .list = "0");
    ROW("usage all 10 10", .type = "Usage", .list = "0");
    ROW("marketplace all 10 10", .type = "DiscountedUsage", .list = "0", .entity = "AWS Marketplace");
    ROW("support - 0 0", .type = "DiscountedUsage", .list = "0", .product = "AWSSupportBusiness");
#undef ROW
    /* customer known only: the payer's own lines belong to no customer */
    EXPECT(catalog, TDS, "covered_usage - 10 0", .account = TDS, .type = "DiscountedUsage", .list = "0");
    cm_catalog_free(catalog);
}

/* D9: a damaged snapshot, where no rule matches, suspends; `apply` refuses to make one. */
Test(suspense, no_rule_matches)
{
    cm_error err = {0};
    cm_catalog *catalog = cm_catalog_parse(
        "{\"Customer\":{\"acme\":{\"accounts\":[{\"from\":\"2025-01-01T00:00:00Z\",\"id\":\"" ACCOUNT
        "\",\"payer\":\"" TDS "\"}],"
        "\"commitment_policy\":\"on_demand\",\"credit_policy\":{\"mode\":\"keep\"},\"invoice_currency\":\"USD\","
        "\"name\":\"acme\","
        "\"price_book\":\"own\",\"refund_policy\":\"price_book\",\"reseller\":\"northwind\",\"tax\":[]}},"
        "\"Payer\":{\"" TDS
        "\":{\"lane\":\"tdsynnex\",\"model\":\"tdsynnex\",\"payer_kind\":\"shared\",\"reseller\":\"northwind\"}},"
        "\"PriceBook\":{\"own\":{\"currency\":\"USD\",\"versions\":[{\"effective_from\":\"2025-01-01T00:00:00Z\","
        "\"rules\":[{\"id\":"
        "\"r\",\"match\":{},\"price\":{\"rate\":\"1\"},\"priority\":1}]}]}},"
        "\"Reseller\":{\"northwind\":{\"consolidation\":\"end_customer\",\"name\":\"northwind\"}}}",
        &err);
    cr_assert(catalog, "%s", err.text);
    EXPECT(catalog, TDS, "usage r 10 3", 0);
    EXPECT(catalog, TDS, "NO_PRICE acme", .type = "Refund");
    EXPECT(catalog, TDS, "NO_PRICE acme", .type = "BundledDiscount");
    cm_catalog_free(catalog);
}

/* Every reason has a name and advice on what to do. */
Test(suspense, reasons_say_what_to_do)
{
    static const char *const names[] = {
        "", "UNKNOWN_LINE_TYPE", "UNKNOWN_ACCOUNT", "BEFORE_BILLED_FROM", "NO_LIST_PRICE", "CURRENCY", "NO_PRICE"};
    for (int reason = CM_REASON_NONE; reason <= CM_REASON_NO_PRICE; reason++) {
        cr_assert_str_eq(cm_reason_name((enum cm_reason)reason), names[reason]);
        cr_assert_eq(cm_reason_next_step((enum cm_reason)reason)[0] == 0, reason == CM_REASON_NONE);
    }
}
