/* What the steps of the month change, without documents: the difference between a customer's charges and its lines
 * before foreign exchange. */
#include "documents.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#define COUNT(list) (sizeof(list) / sizeof *(list))

typedef struct seen {
    const char *product;
    cm_decimal buy, sell;
} seen;

typedef struct sums {
    seen list[16];
    size_t count;
    char credits[256];
    bool overflow; /* says so at the first change */
} sums;

static bool take(void *opaque, const cm_month_change *change)
{
    sums *s = opaque;
    size_t i = 0;
    cr_assert_str_eq(change->customer, "acme");
    cr_assert_str_eq(change->currency, "USD");
    while (i < s->count && strcmp(s->list[i].product, change->product) != 0)
        i++;
    if (i == s->count)
        s->list[s->count++] = (seen){.product = change->product};
    return !s->overflow && cm_decimal_accumulate(&s->list[i].buy, change->buy) &&
           cm_decimal_accumulate(&s->list[i].sell, change->sell);
}

static bool take_credit(void *opaque, const cm_credit_use *use)
{
    sums *s = opaque;
    char text[CM_DECIMAL_TEXT];
    cm_decimal_print(use->amount, text);
    size_t length = strlen(s->credits);
    snprintf(s->credits + length, sizeof s->credits - length, "%s %s", use->credit, text);
    return true;
}

/* Products are borrowed from charges and catalog, which live on. */
static bool visit(const cm_catalog *catalog, const cm_statement_charge *charges, size_t count, sums *s, cm_error *err)
{
    cm_period june;
    cr_assert(cm_period_parse(cm_slice_of("2025-06"), &june));
    const cm_statement_input input = {
        .catalog = catalog, .lane = "tdsynnex", .period = june, .charges = charges, .count = count};
    const cm_month_visitor visitor = {take, take_credit, s};
    return cm_statements_visit_month(&input, &visitor, err);
}

static void expect(const sums *s, const char *product, const char *buy, const char *sell)
{
    char text[2][CM_DECIMAL_TEXT];
    size_t i = 0;
    while (i < s->count && strcmp(s->list[i].product, product) != 0)
        i++;
    cr_assert_lt(i, s->count, "nothing is reported for %s", product);
    cm_decimal_print(s->list[i].buy, text[0]);
    cm_decimal_print(s->list[i].sell, text[1]);
    cr_expect(strcmp(text[0], buy) == 0 && strcmp(text[1], sell) == 0, "%s: buy %s, sell %s; expected %s, %s", product,
              text[0], text[1], buy, sell);
}

static const char month[] =
    "kind: PriceBook\nid: t\ncurrency: USD\nversions:\n  - effective_from: 2025-01-01\n    rules:\n"
    "      - {id: s3, priority: 1, match: {service: AmazonS3}, price: {tiers: [{rate: 0.5}], mode: volume, over: "
    "account}}\n"
    "      - {id: rest, priority: 9, match: {}, price: {pass: payer}}\n---\n"
    "kind: SupportPlanGroup\nid: g\ntype: business\npercent: %s\nbuy_percent: 9\n---\n"
    "kind: Customer\nid: acme\nreseller: northwind\ninvoice_currency: EUR\nprice_book: t\naccounts:\n"
    "  - {id: \"" ACCOUNT "\", payer: \"" TDS "\", from: 2025-01-01, support_plan_group: g}\n---\n"
    "kind: CustomCharge\nid: fee\nname: Fee\ncustomer: acme\namount: 7\ncurrency: USD\nfrom: 2025-01\n---\n"
    "kind: Credit\nid: gift\nname: Gift\ncustomer: acme\namount: 20\ncurrency: USD\nfrom: 2025-01\n";

static cm_catalog *catalog_with(const char *percent)
{
    char yaml[2048];
    snprintf(yaml, sizeof yaml, month, percent);
    return test_catalog(yaml);
}

/*
 * EC2 100 as it is: no change. S3: 200 hours at 0.5 = 100 by the tier, 0 before. Support: 10 % of 200 = 20, which costs
 * 9 % = 18. Fee 7, credit -20. The invoice currency does not matter, nor does the charge of a customer that is not in
 * the catalog.
 */
Test(visit, what_each_step_changes)
{
    cm_catalog *catalog = catalog_with("10");
    cm_statement_charge charges[] = {charge(CM_CLASS_USAGE, "AmazonEC2", "100"),
                                     charge(CM_CLASS_USAGE, "AmazonS3", "0"), charge(CM_CLASS_USAGE, "AmazonS3", "5")};
    charges[0].rule = "rest";
    charges[1].rule = "s3";
    charges[1].quantity = amount("200");
    charges[2].customer = "gone";
    sums s = {0};
    cm_error err = {0};
    cr_assert(visit(catalog, charges, COUNT(charges), &s, &err), "%s", err.text);
    expect(&s, "AmazonEC2", "0", "0");
    expect(&s, "AmazonS3", "0", "100");
    expect(&s, "AWSSupport", "18", "20");
    expect(&s, "Fee", "0", "7");
    expect(&s, "Gift", "0", "-20");
    cr_expect_str_eq(s.credits, "gift 20");
    cm_catalog_free(catalog);
}

/* N05: support that the customer gets for nothing has no line, but its price to the reseller is reported. */
Test(visit, N05_free_support_has_a_cost)
{
    cm_catalog *catalog = catalog_with("0");
    cm_statement_charge charges[] = {charge(CM_CLASS_USAGE, "AmazonEC2", "100")};
    sums s = {0};
    cm_error err = {0};
    cr_assert(visit(catalog, charges, 1, &s, &err), "%s", err.text);
    expect(&s, "AWSSupport", "9", "0");
    cm_catalog_free(catalog);
}

Test(visit, overflow_is_an_error)
{
    cm_catalog *catalog = catalog_with("10");
    cm_statement_charge charges[] = {charge(CM_CLASS_USAGE, "AmazonEC2", "100")};
    sums s = {.overflow = true};
    cm_error err = {0};
    cr_assert_not(visit(catalog, charges, 1, &s, &err));
    cr_assert_str_eq(err.code, "OVERFLOW");
    cm_catalog_free(catalog);
}
