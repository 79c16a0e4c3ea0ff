/* What needs the whole month: tiers, custom charges, reseller credits (rating.md sections 4, 5). */
#include "documents.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#define COUNT(list) (sizeof(list) / sizeof *(list))

static char *with(const char *fields, const char *group, const char *more)
{
    char *acme = customer("acme", fields, TDS, ACCOUNT, group);
    cm_buffer yaml = {0};
    cm_buffer_printf(&yaml, "%s%s", acme, more);
    free(acme);
    return cm_buffer_take(&yaml);
}

/* Customer acme with book `t`, whose rule `s3` has the price; account ACCOUNT has the group g, OTHER none. */
static char *tiers(const char *price)
{
    cm_buffer yaml = {0};
    cm_buffer_printf(&yaml,
                     "kind: PriceBook\nid: t\ncurrency: USD\nversions:\n  - effective_from: 2025-01-01\n    rules:\n"
                     "      - {id: s3, priority: 1, match: {service: AmazonS3}, price: %s}\n"
                     "      - {id: rest, priority: 9, match: {}, price: {pass: payer}}\n---\n"
                     "kind: SupportPlanGroup\nid: g\ntype: business\n---\n"
                     "kind: Customer\nid: acme\nreseller: northwind\nprice_book: t\naccounts:\n"
                     "  - {id: \"" ACCOUNT "\", payer: \"" TDS "\", from: 2025-01-01, support_plan_group: g}\n"
                     "  - {id: \"" OTHER "\", payer: \"" TDS "\", from: 2025-01-01}\n---\n",
                     price);
    return cm_buffer_take(&yaml);
}

static cm_statement_charge tiered(const char *account, const char *usage_type, const char *quantity)
{
    cm_statement_charge c = charge(CM_CLASS_USAGE, "AmazonS3", "0");
    c.account = account;
    c.usage_type = usage_type;
    c.quantity = amount(quantity);
    c.rule = "s3";
    return c;
}

/* "account:usage_type quantity=amount_exact" of all lines. */
static const char *rows(const built *b)
{
    static char joined[4096];
    int length = 0;
    joined[0] = '\0';
    for (size_t n = 0; n < lines(b, 0); n++)
        length += snprintf(joined + length, sizeof joined - (size_t)length, "%s%.12s:%s %s=%s", length ? ", " : "",
                           line_text(b, 0, n, "account") + 4, line_text(b, 0, n, "usage_type"),
                           line_text(b, 0, n, "quantity"), line_text(b, 0, n, "amount_exact"));
    return joined;
}

#define TIERS "{tiers: [{up_to: 100, rate: 0.5}, {up_to: 300, rate: 0.25}, {rate: 0.1}], "

/* The month's quantity of the rule, over its charges; the border belongs to the lower tier. */
Test(month, tiers)
{
    static const struct {
        const char *mode, *quantity, *expected;
    } table[] = {
        {"graduated", "100", "11112222:s3 100=50, 11112222:g 1=5"},
        {"graduated", "300", "11112222:s3 300=100, 11112222:g 1=10"},
        {"graduated", "300.5", "11112222:s3 300.5=100.05, 11112222:g 1=10.005"},
        {"volume", "100", "11112222:s3 100=50, 11112222:g 1=5"},
        {"volume", "100.1", "11112222:s3 100.1=25.025, 11112222:g 1=2.5025"},
        {"volume", "1000", "11112222:s3 1000=100, 11112222:g 1=10"},
        {"graduated", "0", ""},
        {"volume", "-5", ""},
    };
    for (size_t i = 0; i < COUNT(table); i++) {
        char price[200];
        snprintf(price, sizeof price, TIERS "mode: %s}", table[i].mode);
        char *yaml = tiers(price);
        const cm_statement_charge charges[] = {tiered(ACCOUNT, "x", table[i].quantity)};
        built b = build(yaml, charges, 1);
        cr_expect_str_eq(rows(&b), table[i].expected, "%s %s: %s", table[i].mode, table[i].quantity, rows(&b));
        built_free(&b);
        free(yaml);
    }
}

/* Usage types of a rule are counted together; over an account each by itself, over a customer all: shared out by
 * quantity, to the last digit. */
Test(month, tiers_over_account_and_customer)
{
    static const struct {
        const char *over, *expected;
    } table[] = {
        {"account", "11112222:s3 150=62.5, 33334444:s3 50=25, 11112222:g 1=6.25"},
        {"customer", "11112222:s3 150=56.25, 33334444:s3 50=18.75, 11112222:g 1=5.625"},
    };
    const cm_statement_charge charges[] = {tiered(ACCOUNT, "x", "100"), tiered(OTHER, "x", "50"),
                                           tiered(ACCOUNT, "y", "50")};
    for (size_t i = 0; i < COUNT(table); i++) {
        char price[200];
        snprintf(price, sizeof price, TIERS "mode: graduated, over: %s}", table[i].over);
        char *yaml = tiers(price);
        built b = build(yaml, charges, COUNT(charges));
        cr_expect_str_eq(rows(&b), table[i].expected, "%s: %s", table[i].over, rows(&b));
        built_free(&b);
        free(yaml);
    }
}

/* Shares of an amount that thirds cannot divide still add up to it; a free charge of the rule does not count twice. */
Test(month, tier_shares_add_up)
{
    cm_statement_charge charges[] = {tiered(ACCOUNT, "x", "1"), tiered(OTHER, "x", "1"), tiered(OTHER, "x", "1"),
                                     tiered(ACCOUNT, "s3", "4")};
    charges[2].unit = "GB";
    charges[3].rule = "rest"; /* another rule's charge on the line's key: stays as it is */
    charges[3].sell_amount = amount("7");
    char *yaml = tiers("{tiers: [{rate: 0.333333333333333333}], mode: volume, over: customer}");
    built b = build(yaml, charges, COUNT(charges));
    cr_expect_str_eq(
        rows(&b),
        "11112222:s3 5=7.333333333333333333, 33334444:s3 1=0.333333333333333333, 33334444:s3 1=0.333333333333333333, "
        "11112222:g 1=0.733333333333333333",
        "%s", rows(&b));
    built_free(&b);
    free(yaml);
}

#define FIXED "kind: CustomCharge\nid: setup\nname: Set-up\ncustomer: acme\namount: 12.345\ncurrency: USD\n"

/* One-off in its month, monthly from `from` until before `to`, on documents of its lane only. */
Test(month, custom_charge_dates)
{
    static const struct {
        const char *dates, *lane, *expected;
    } table[] = {
        {"period: 2025-06\n", "tdsynnex", "p/usage=1 Set-up/custom_charge=12.35"},
        {"period: 2025-05\n", "tdsynnex", "p/usage=1"},
        {"from: 2025-06\n", "tdsynnex", "p/usage=1 Set-up/custom_charge=12.35"},
        {"from: 2025-07\n", "tdsynnex", "p/usage=1"},
        {"from: 2025-01\nto: 2025-06\n", "tdsynnex", "p/usage=1"},
        {"from: 2025-01\nto: 2025-07\n", "tdsynnex", "p/usage=1 Set-up/custom_charge=12.35"},
        {"from: 2025-06\n", "ingram", "p/usage=1"},
    };
    const cm_statement_charge charges[] = {charge(CM_CLASS_USAGE, "p", "1")};
    for (size_t i = 0; i < COUNT(table); i++) {
        char more[300];
        snprintf(more, sizeof more, FIXED "%s---\n", table[i].dates);
        char *yaml = with("", NULL, more);
        built b = build_in(yaml, table[i].lane, "2025-06", charges, 1);
        cr_expect_str_eq(all_lines(&b, 0), table[i].expected, "%zu: %s", i, all_lines(&b, 0));
        built_free(&b);
        free(yaml);
    }
}

/* A percent reads its layer and classes; of sell, the document's amounts: with support if that class is requested. */
Test(month, custom_charge_percent)
{
    static const struct {
        const char *base, *expected;
    } table[] = {
        {"", "10"},
        {"base: {layer: sell, classes: [usage, support]}\n", "11"},
        {"base: {layer: sell, classes: fee}\n", "2"},
        {"base: {layer: payer, classes: [usage]}\n", "9"},
        {"base: {layer: list}\n", "20"},
    };
    cm_statement_charge charges[] = {charge(CM_CLASS_USAGE, "p", "100"), charge(CM_CLASS_FEE, "p", "20")};
    charges[0].payer_amount = amount("90");
    charges[0].list_amount = amount("200");
    for (size_t i = 0; i < COUNT(table); i++) {
        char more[400];
        snprintf(
            more, sizeof more,
            "kind: SupportPlanGroup\nid: g\ntype: business\n---\nkind: CustomCharge\nid: fee\ncustomer: acme\npercent: 10\nfrom: 2025-01\n%s---\n",
            table[i].base);
        char *yaml = with("", "g", more);
        built b = build(yaml, charges, 2);
        cr_assert_eq(lines(&b, 0), 4);
        cr_expect_str_eq(line_text(&b, 0, 3, "class"), "custom_charge");
        cr_expect_str_eq(line_text(&b, 0, 3, "usage_type"), "fee");
        cr_expect_str_eq(line_text(&b, 0, 3, "amount_exact"), table[i].expected);
        built_free(&b);
        free(yaml);
    }
}

/* A charge in a currency that the customer has no usage in makes a document of its own; the presence alone makes one
 * without usage. */
Test(month, custom_charge_without_usage)
{
    cm_statement_charge charges[] = {charge(CM_CLASS_USAGE, "p", "1")};
    charges[0].currency = "EUR";
    char *yaml = with("", NULL, FIXED "period: 2025-06\n---\n");
    built b = build(yaml, charges, 1);
    cr_assert_eq(b.statements.count, 2);
    cr_expect_str_eq(all_lines(&b, 1), "Set-up/custom_charge=12.35");
    cm_statement_charge presence = cm_custom_charge_presence(&b.catalog->custom_charges[0]);
    built alone = build(yaml, &presence, 1);
    cr_assert_eq(alone.statements.count, 1);
    cr_expect_str_eq(text(&alone, 0, "subtotal"), "12.35");
    built_free(&alone);
    built_free(&b);
    free(yaml);
}

/* ---- credits ---- */

static built build_used(const char *yaml, const cm_statement_charge *charges, size_t count, const char *period,
                        const char *credit, const char *used)
{
    built b = {.catalog = test_catalog(yaml)};
    cm_error err = {0};
    cm_credit_use use = {credit, amount(used)};
    cm_statement_input input = {
        .catalog = b.catalog, .lane = "tdsynnex", .charges = charges, .count = count, .used = &use, .used_count = 1};
    cr_assert(cm_period_parse(cm_slice_of(period), &input.period));
    cr_assert(cm_statements_build_month(&input, &b.statements, &b.missing, &err), "%s", err.text);
    return b;
}

#define CREDIT(id, amount, more)                                                                                       \
    "kind: Credit\nid: " id "\ncustomer: acme\namount: " amount "\ncurrency: USD\n" more "---\n"

/* The balance goes down over the months and never below zero; the document neither. */
Test(month, credit_is_carried_over)
{
    static const struct {
        const char *sell, *used_before, *line, *subtotal;
    } table[] = {
        {"100", "0", "-100", "0"},   {"200", "0", "-150", "50"},  {"100", "100", "-50", "50"},
        {"100", "150", NULL, "100"}, {"100", "151", NULL, "100"}, {"-5", "0", NULL, "-5"},
    };
    char *yaml = with("", NULL, CREDIT("k", "150", "from: 2025-06\n"));
    for (size_t i = 0; i < COUNT(table); i++) {
        const cm_statement_charge charges[] = {charge(CM_CLASS_USAGE, "p", table[i].sell)};
        built b = build_used(yaml, charges, 1, "2025-06", "k", table[i].used_before);
        const cm_statement *s = &b.statements.list[0];
        cr_expect_str_eq(text(&b, 0, "subtotal"), table[i].subtotal);
        cr_assert_eq(s->credit_count, table[i].line != NULL);
        if (table[i].line) {
            cm_decimal negative;
            cr_expect_str_eq(line_text(&b, 0, 1, "amount_exact"), table[i].line);
            cr_expect_str_eq(line_text(&b, 0, 1, "class"), "reseller_credit");
            cr_assert(cm_decimal_negate(amount(table[i].line), &negative));
            cr_expect(cm_decimal_equal(s->credits[0].amount, negative));
            cr_expect_str_eq(s->credits[0].credit, "k");
        }
        built_free(&b);
    }
    free(yaml);
}

/* From its month until before `expires`; credits that expire first are used first; they also pay custom charges; then
 * conversion, rounding, tax. */
Test(month, credit_order)
{
    const cm_statement_charge charges[] = {charge(CM_CLASS_USAGE, "p", "100")};
    char *yaml = with(
        "invoice_currency: EUR\ntax: [{name: VAT, percent: 10}]\n", NULL,
        CREDIT("late", "1000", "from: 2025-01\n") CREDIT("soon", "30", "from: 2025-01\nexpires: 2025-07\n")
            CREDIT("gone", "30", "from: 2025-01\nexpires: 2025-06\n") CREDIT("coming", "30", "from: 2025-07\n") FIXED
        "period: 2025-06\n---\nkind: FxRate\nid: f\nset: reseller\nfrom: USD\nto: EUR\nperiod: 2025-06\nrate: 0.5\n---\n");
    built b = build_used(yaml, charges, 1, "2025-06", "late", "950");
    cr_expect_str_eq(all_lines(&b, 0),
                     "p/usage=50 Set-up/custom_charge=6.17 soon/reseller_credit=-15 late/reseller_credit=-25", "%s",
                     all_lines(&b, 0));
    cr_expect_str_eq(text(&b, 0, "subtotal"), "16.17");
    cr_expect_str_eq(text(&b, 0, "total"), "17.79");
    cr_assert_eq(b.statements.list[0].credit_count, 2);
    cr_expect_str_eq(b.statements.list[0].credits[0].credit, "soon");
    built_free(&b);
    free(yaml);
}

/* The same credits are used in every consolidation: a credit never pays another customer's charges (N18). */
Test(month, credits_stay_with_their_customer)
{
    static const char *const modes[] = {"end_customer", "semi", "full"};
    cm_statement_charge charges[] = {charge(CM_CLASS_USAGE, "p", "100"), charge(CM_CLASS_USAGE, "p", "40")};
    charges[1].customer = "bolt";
    charges[1].account = OTHER;
    for (size_t m = 0; m < 3; m++) {
        char yaml[1000];
        snprintf(yaml, sizeof yaml,
                 "kind: Reseller\nid: south\nconsolidation: %s\n---\n"
                 "kind: Customer\nid: acme\nreseller: south\nprice_book: standard\naccounts: [{id: \"" ACCOUNT
                 "\", payer: \"" TDS "\", from: 2025-01-01}]\n---\n"
                 "kind: Customer\nid: bolt\nreseller: south\nprice_book: standard\naccounts: [{id: \"" OTHER
                 "\", payer: \"" TDS "\", from: 2025-01-01}]\n---\n" CREDIT("k", "500", "from: 2025-06\n"),
                 modes[m]);
        built b = build(yaml, charges, 2);
        cm_decimal sum = CM_DECIMAL_ZERO;
        size_t used = 0;
        for (size_t i = 0; i < b.statements.count; i++) {
            cr_assert(cm_decimal_accumulate(&sum, b.statements.list[i].subtotal));
            used += b.statements.list[i].credit_count;
        }
        cr_expect(cm_decimal_equal(sum, amount("40")), "%s", modes[m]);
        cr_expect_eq(used, 1);
        built_free(&b);
    }
}
