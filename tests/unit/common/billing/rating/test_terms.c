/* A line is priced with the terms of its delivery's month (rating.md section 8). */
#include "support.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#define DEAR                                                                                                           \
    "kind: PriceBook\nid: dear\ncurrency: USD\nversions: [{effective_from: 2025-01-01, rules: [{id: dear, "            \
    "priority: 1, price: {percent: 100, of: list}}]}]\n---\n"                                                          \
    "{kind: SupportPlanGroup, id: through, type: passthrough}\n---\n"                                                  \
    "{kind: SupportPlanGroup, id: none, type: basic}\n---\n"

/* Customer acme under ING; the entry of terms begins in `month`. */
static cm_catalog *with_terms(const char *settings, const char *month, const char *entry)
{
    char all[512];
    snprintf(all, sizeof all, "price_book: standard, %s%sterms: [{from: %s, %s}]", settings, *settings ? ", " : "",
             month, entry);
    char *own = customer_text("acme", all, ACCOUNT, ING, NULL);
    cm_buffer text = {0};
    cm_buffer_printf(&text, "%s%s", DEAR, own);
    cm_catalog *catalog = catalog_of(cm_buffer_string(&text));
    cm_buffer_free(&text);
    free(own);
    return catalog;
}

/* The line in the delivery of 2025-06, with terms that begin in that month, in the one before, and in the next. */
static void expect_change(const char *settings, const char *entry, test_line line, const char *before,
                          const char *after)
{
    static const char *const months[] = {"2025-07", "2025-06", "2025-05"};
    for (int i = 0; i < 3; i++) {
        char got[256];
        cm_catalog *catalog = with_terms(settings, months[i], entry);
        test_result result = rate(catalog, ING, line);
        cr_expect_str_eq(short_of(&result, got), i ? after : before, "{from: %s, %s}: %s", months[i], entry, got);
        cm_catalog_free(catalog);
    }
}

Test(terms, R01_price_book)
{
    expect_change("", "price_book: dear", (test_line){0}, "usage rest 10 22", "usage dear 10 40");
}

/* O02: before the first terms that name a book there is no price, and what needs none is rated all the same. */
Test(terms, O02_no_book_yet)
{
    cm_catalog *catalog =
        catalog_of(DEAR "{kind: Customer, id: acme, reseller: northwind, terms: [{from: 2025-07, "
                        "price_book: dear}], accounts: [{id: '" ACCOUNT "', payer: '" ING "', from: 2025-01-01}]}\n");
    EXPECT(catalog, ING, "NO_PRICE acme", .type = "Usage");
    EXPECT(catalog, ING, "credit - -8 0", .type = "Credit", .cost = "-8");
    cm_catalog_free(catalog);
}

/* A line whose own time is in the month after belongs to the delivery's month all the same. */
Test(terms, the_month_is_the_deliverys)
{
    expect_change("", "price_book: dear", (test_line){.start = "2025-07-03T00:00:00Z"}, "usage rest 10 22",
                  "usage dear 10 40");
    expect_change("", "price_book: dear", (test_line){.start = "2025-05-03T00:00:00Z"}, "usage rest 10 22",
                  "usage dear 10 40");
}

Test(terms, O06_commitment_policy)
{
    const test_line covered = {.type = "DiscountedUsage"};
    expect_change("", "commitment_policy: pass_through", covered, "covered_usage rest 10 22", "covered_usage - 10 10");
    expect_change("commitment_policy: pass_through", "commitment_policy: on_demand", covered, "covered_usage - 10 10",
                  "covered_usage rest 10 22");
    expect_change("", "price_book: dear", covered, "covered_usage rest 10 22", "covered_usage dear 10 40");
}

Test(terms, credit_and_refund_policies)
{
    expect_change("credit_policy: pass", "credit_policy: {mode: split, percent: 25}",
                  (test_line){.type = "Credit", .cost = "-8"}, "credit - -8 -8", "credit - -8 -2");
    expect_change("", "refund_policy: keep", (test_line){.type = "Refund", .cost = "-8"}, "refund rest -8 -8.8",
                  "refund - -8 0");
}

/* AWS's own support lines are passed on where the account's group says so: by default that of the terms. */
Test(terms, O14_default_support_plan_group)
{
    const test_line support = {.product = "AWSSupportBusiness"};
    expect_change("", "support_plan_group: through", support, "support - 10 0", "support - 10 10");
    expect_change("support_plan_group: through", "support_plan_group: none", support, "support - 10 10",
                  "support - 10 0");
}

static void keep_terms(void *opaque, const char *step, const char *detail)
{
    if (strcmp(step, "terms") == 0)
        snprintf(opaque, 256, "%s", detail);
}

/* `curmill explain` says by which terms. */
Test(terms, explained)
{
    static const char *const rows[][2] = {
        {"2025-07", "terms of customer acme from the beginning on: price book standard"},
        {"2025-06", "terms of customer acme from 2025-06 on: price book dear"}};
    for (int i = 0; i < 2; i++) {
        char told[256] = "";
        cm_error err = {0};
        cm_decision decision;
        cm_catalog *catalog = with_terms("", rows[i][0], "price_book: dear");
        cm_rater *rater = cm_rater_new(catalog, ING, june, &err);
        cr_assert(rater, "%s", err.text);
        cm_kind kind = kind_of_line(&(test_line){0});
        cm_decide(rater, &kind, instant_of("2025-06-10"), &decision, keep_terms, told);
        cr_expect_str_eq(told, rows[i][1]);
        cm_rater_free(rater);
        cm_catalog_free(catalog);
    }
}
