/* What the month adds to the lines of deliveries: with the lines' own `sell` it is everything on a document (I10:
 * detailed billing). */
#include "documents.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

static const char *rows_of(const json_t *rows)
{
    static char joined[2048];
    int length = 0;
    size_t i;
    json_t *row;
    joined[0] = '\0';
    json_array_foreach ((json_t *)rows, i, row)
        length += snprintf(joined + length, sizeof joined - (size_t)length, "%s%s/%s=%s", i ? ", " : "",
                           json_string_value(json_object_get(row, "step")),
                           json_string_value(json_object_get(row, "usage_type")),
                           json_string_value(json_object_get(row, "amount")));
    return joined;
}

/*
 * By hand, in USD, rate 0.5: 150 units of rule s3 at 0.5 up to 100, then 0.25: 50 + 12.5 = 62.5 (its charge has sell
 * 0); usage 100; business support 10 % of 100 + 62.5 = 16.25; fee 5 % of the usage, 162.5: 8.125; credit 20.
 */
Test(rows, I10_rows_and_lines_make_the_document)
{
    static const char yaml[] =
        "kind: PriceBook\nid: t\ncurrency: USD\nversions:\n  - effective_from: 2025-01-01\n    rules:\n"
        "      - {id: s3, priority: 1, match: {service: AmazonS3}, price: {tiers: [{up_to: 100, rate: 0.5}, {rate: "
        "0.25}], mode: graduated, over: account}}\n"
        "      - {id: rest, priority: 9, match: {}, price: {pass: payer}}\n---\n"
        "kind: SupportPlanGroup\nid: g\ntype: business\n---\n"
        "kind: FxRate\nid: f\nset: reseller\nfrom: USD\nto: EUR\nperiod: 2025-06\nrate: 0.5\n---\n"
        "kind: Customer\nid: acme\nreseller: northwind\nprice_book: t\ninvoice_currency: EUR\naccounts:\n"
        "  - {id: \"" ACCOUNT "\", payer: \"" TDS "\", from: 2025-01-01, support_plan_group: g}\n---\n"
        "kind: CustomCharge\nid: k\ncustomer: acme\nlane: tdsynnex\npercent: 5\nbase: {layer: sell, classes: "
        "[usage]}\nfrom: 2025-01\n---\n"
        "kind: Credit\nid: c\ncustomer: acme\nlane: tdsynnex\namount: 20\ncurrency: USD\nfrom: 2025-01\n";
    cm_statement_charge charges[] = {charge(CM_CLASS_USAGE, "AmazonEC2", "100"),
                                     charge(CM_CLASS_USAGE, "AmazonS3", "0")};
    charges[1].rule = "s3";
    charges[1].quantity = amount("150");
    built b = build(yaml, charges, 2);
    cr_assert_eq(b.statements.count, 1);
    cr_assert_null(b.statements.list[0].rows, "they are made only where they are asked for");

    cm_statements statements;
    cm_error err = {0};
    const cm_statement_input input = {.catalog = b.catalog,
                                      .lane = "tdsynnex",
                                      .period = {2025, 6},
                                      .charges = charges,
                                      .count = 2,
                                      .with_rows = true};
    cr_assert(cm_statements_build_month(&input, &statements, NULL, &err), "%s", err.text);
    cr_assert_str_eq(rows_of(statements.list[0].rows),
                     "tiers/s3=62.5, support/g=16.25, custom_charge/k=8.125, reseller_credit/c=-20");
    /* 100 of the line itself + 62.5 + 16.25 + 8.125 - 20 = 166.875 USD, at 0.5: */
    cm_decimal exact = CM_DECIMAL_ZERO;
    for (size_t n = 0; n < lines(&b, 0); n++)
        cr_assert(cm_decimal_accumulate(&exact, amount(line_text(&b, 0, n, "amount_exact"))));
    cr_assert(cm_decimal_equal(exact, amount("83.4375")));
    cm_statements_free(&statements);
    built_free(&b);
}

/* P13: a row says what the customer pays and no other price layer. */
Test(rows, P13_no_other_price_layer)
{
    static const char *const keys[] = {"customer", "step",  "account",  "product", "usage_type",
                                       "unit",     "class", "quantity", "amount"};
    char *yaml = customer("acme", "", TDS, ACCOUNT, "g");
    cm_buffer all = {0};
    cm_buffer_printf(&all, "%skind: SupportPlanGroup\nid: g\ntype: business\nbuy_percent: 7\n", yaml);
    cm_statement_charge charges[] = {charge(CM_CLASS_USAGE, "AmazonEC2", "100")};
    charges[0].buy_amount = amount("80");
    built b = build(cm_buffer_string(&all), charges, 1);
    cm_statements statements;
    cm_error err = {0};
    const cm_statement_input input = {.catalog = b.catalog,
                                      .lane = "tdsynnex",
                                      .period = {2025, 6},
                                      .charges = charges,
                                      .count = 1,
                                      .with_rows = true};
    cr_assert(cm_statements_build_month(&input, &statements, NULL, &err), "%s", err.text);
    json_t *row = json_array_get(statements.list[0].rows, 0);
    cr_assert_eq(json_object_size(row), sizeof keys / sizeof *keys);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        cr_assert(json_is_string(json_object_get(row, keys[i])), "%s", keys[i]);
    cr_assert_str_eq(json_string_value(json_object_get(row, "amount")), "10");
    cm_statements_free(&statements);
    built_free(&b);
    cm_buffer_free(&all);
    free(yaml);
}
