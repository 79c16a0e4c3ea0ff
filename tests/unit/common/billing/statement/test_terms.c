/* A document uses the terms of its month, whenever it is made (rating.md section 8). */
#include "documents.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#define TERMS                                                                                                          \
    "tax: [{name: VAT, percent: 10}]\n"                                                                                \
    "terms:\n"                                                                                                         \
    "  - {from: 2025-06, invoice_currency: EUR, tax: [{name: VAT, percent: 20}], support_plan_group: g}\n"             \
    "  - {from: 2025-07, tax: [], support_plan_group: h}\n"
#define MORE                                                                                                           \
    "{kind: SupportPlanGroup, id: g, type: business}\n---\n"                                                           \
    "{kind: SupportPlanGroup, id: h, type: business, percent: 4}\n---\n"                                               \
    "{kind: FxRate, id: june, set: reseller, from: USD, to: EUR, period: 2025-06, rate: 0.5}\n---\n"                   \
    "{kind: FxRate, id: july, set: reseller, from: USD, to: EUR, period: 2025-07, rate: 0.8}\n---\n"

static char *yaml_of(const char *fields, const char *group)
{
    char *own = customer("acme", fields, TDS, ACCOUNT, group);
    cm_buffer yaml = {0};
    cm_buffer_printf(&yaml, "%s%s", own, MORE);
    free(own);
    return cm_buffer_take(&yaml);
}

/* 100 USD of usage in each of three months: before, USD and 10 %; June, 110 USD with support at 0.5 EUR and 20 %;
 * July, 104 USD at 0.8 EUR without tax. */
Test(terms, currency_tax_and_default_support_group)
{
    static const char *const rows[][5] = {
        {"2025-05", "USD", "1", "100", "110"},
        {"2025-06", "EUR", "0.5", "55", "66"},
        {"2025-07", "EUR", "0.8", "83.2", "83.2"},
        {"2026-03", "USD", "null", "104", "104"}, /* July's terms still hold; there is no rate */
    };
    char *yaml = yaml_of(TERMS, NULL);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const cm_statement_charge charges[] = {charge(CM_CLASS_USAGE, "AmazonEC2", "100")};
        built b = build_in(yaml, "tdsynnex", rows[i][0], charges, 1);
        cr_assert_eq(b.statements.count, 1);
        cr_expect_str_eq(text(&b, 0, "currency"), rows[i][1], "%s", rows[i][0]);
        cr_expect_str_eq(text(&b, 0, "rate"), rows[i][2], "%s", rows[i][0]);
        cr_expect_str_eq(text(&b, 0, "subtotal"), rows[i][3], "%s", rows[i][0]);
        cr_expect_str_eq(text(&b, 0, "total"), rows[i][4], "%s", rows[i][0]);
        built_free(&b);
    }
    free(yaml);
}

/* O14: an account's own group stays, whatever the terms' default is. */
Test(terms, O14_an_accounts_own_group_goes_first)
{
    char *yaml = yaml_of(TERMS, "h");
    const cm_statement_charge charges[] = {charge(CM_CLASS_USAGE, "AmazonEC2", "100")};
    built b = build(yaml, charges, 1);
    cr_expect_str_eq(line_text(&b, 0, 1, "usage_type"), "h");
    cr_expect_str_eq(support_rows(&b, 0), "2");
    built_free(&b);
    free(yaml);
}

/* Tiers are those of the book of the month: 10 GB at 2, then at 3. */
Test(terms, tiers_of_the_months_book)
{
#define TIERS(id, rate)                                                                                                \
    "{kind: PriceBook, id: " id ", currency: USD, versions: [{effective_from: 2025-01-01, rules: ["                    \
    "{id: s3, priority: 1, match: {service: AmazonS3}, price: {tiers: [{rate: " rate "}], mode: volume, "              \
    "over: account}}, {id: rest, priority: 9, price: {pass: payer}}]}]}\n---\n"
    static const char *const rows[][2] = {{"2025-05", "0"}, {"2025-06", "20"}, {"2025-07", "30"}};
    char *own = customer("acme", "terms: [{from: 2025-06, price_book: two}, {from: 2025-07, price_book: three}]\n", TDS,
                         ACCOUNT, NULL);
    cm_buffer yaml = {0};
    cm_buffer_printf(&yaml, "%s%s%s", own, TIERS("two", "2"), TIERS("three", "3"));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cm_statement_charge used = charge(CM_CLASS_USAGE, "AmazonS3", "0");
        used.quantity = amount("10");
        used.rule = "s3";
        built b = build_in(cm_buffer_string(&yaml), "tdsynnex", rows[i][0], &used, 1);
        cr_assert_eq(b.statements.count, 1);
        cr_expect_str_eq(text(&b, 0, "total"), rows[i][1], "%s: %s", rows[i][0], text(&b, 0, "total"));
        built_free(&b);
    }
    cm_buffer_free(&yaml);
    free(own);
}
