/* The reseller's own view (rating.md section 7; R08, N05, P13): sums without remainder, the FX margin, one cause for
 * each loss. */
#include "documents.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#define COUNT(list) (sizeof(list) / sizeof *(list))
#define RATES                                                                                                          \
    "kind: FxRate\nid: r\nset: reseller\nfrom: USD\nto: EUR\nperiod: 2025-06\nrate: 0.9\n---\n"                        \
    "kind: FxRate\nid: d\nset: distributor\nfrom: USD\nto: EUR\nperiod: 2025-06\nrate: 0.95\n---\n"

static built build_margin(const char *yaml, const cm_statement_charge *charges, size_t count)
{
    built b = {.catalog = test_catalog(yaml)};
    cm_error err = {0};
    cm_statement_input input = {.catalog = b.catalog,
                                .lane = "tdsynnex",
                                .period = {2025, 6},
                                .charges = charges,
                                .count = count,
                                .with_margin = true};
    cr_assert(cm_statements_build_month(&input, &b.statements, &b.missing, &err), "%s", err.text);
    return b;
}

static cm_statement_charge priced(enum cm_class class, const char *product, const char *payer, const char *buy,
                                  const char *sell)
{
    cm_statement_charge c = charge(class, product, sell);
    c.payer_amount = amount(payer);
    c.buy_amount = amount(buy);
    return c;
}

static const char *sum(const built *b, const char *key)
{
    return json_string_value(json_object_get(b->statements.list[0].margin, key));
}

/* "product cause" of all losses. */
static const char *losses(const built *b)
{
    static char joined[1024];
    int length = 0;
    size_t i;
    const json_t *loss;
    joined[0] = '\0';
    json_array_foreach (json_object_get(b->statements.list[0].margin, "negative"), i, loss)
        length += snprintf(joined + length, sizeof joined - (size_t)length, "%s%s %s", i ? ", " : "",
                           json_string_value(json_object_get(loss, "product")),
                           json_string_value(json_object_get(loss, "cause")));
    return joined;
}

/* R08: paid at the distributor's rate, billed at the reseller's: 100 x 0.9 revenue, 80 x 0.95 cost, the gap of 80 x
 * 0.05 is the FX margin. */
Test(margin, fx)
{
    const cm_statement_charge charges[] = {priced(CM_CLASS_USAGE, "p", "80", "80", "100"),
                                           priced(CM_CLASS_TAX, "p", "15", "15", "0")};
    cm_buffer yaml = {0};
    char *acme = customer("acme", "invoice_currency: EUR\ntax: [{name: VAT, percent: 19}]\n", TDS, ACCOUNT, "g");
    cm_buffer_printf(&yaml, "%s" RATES "kind: SupportPlanGroup\nid: g\ntype: business\nbuy_percent: 8\n---\n", acme);
    built b = build_margin(yaml.data, charges, 2);
    cr_expect_str_eq(sum(&b, "sell"), "99");  /* with 10 of support */
    cr_expect_str_eq(sum(&b, "buy"), "79.2"); /* 80 and N05: 8 of support */
    cr_expect_str_eq(sum(&b, "fx"), "-4.4");
    cr_expect_str_eq(sum(&b, "margin"), "15.4");
    cr_expect_str_eq(sum(&b, "rate"), "0.9");
    cr_expect_str_eq(sum(&b, "distributor_rate"), "0.95");
    cr_expect_str_eq(losses(&b), "");
    built_free(&b);
    cm_buffer_free(&yaml);
    free(acme);
}

/* One cause for each account and product that makes a loss, the first that fits; none for what earns. */
Test(margin, causes)
{
    cm_statement_charge charges[] = {
        priced(CM_CLASS_SUPPORT, "AWSSupportBusiness", "9", "9", "0"),
        priced(CM_CLASS_COMMITMENT_FEE, "b", "5", "5", "0"),
        priced(CM_CLASS_CREDIT, "c", "-5", "-5", "-9"),
        priced(CM_CLASS_USAGE, "d", "10", "10", "9"),
        priced(CM_CLASS_PROVIDER_DISCOUNT, "d", "-2", "0", "0"),
        priced(CM_CLASS_USAGE, "e", "10", "10", "9"),
        priced(CM_CLASS_USAGE, "f", "100", "100", "104"),
        priced(CM_CLASS_USAGE, "g", "10", "10", "20"),
        priced(CM_CLASS_PROVIDER_DISCOUNT, "e", "-0.5", "0", "0"),
    };
    cm_buffer yaml = {0};
    char *acme = customer("acme", "invoice_currency: EUR\n", TDS, ACCOUNT, NULL);
    cm_buffer_printf(&yaml, "%s" RATES, acme);
    built b = build_margin(yaml.data, charges, COUNT(charges));
    cr_expect_str_eq(
        losses(&b),
        "AWSSupportBusiness SUPPORT_GROUP_MISSING, b COMMITMENT_SHIFT, c CREDIT, d DISCOUNT_WITHHELD_ELSEWHERE,"
        " e PRICE_BELOW_BUY, f FX",
        "%s", losses(&b));
    built_free(&b);
    cm_buffer_free(&yaml);
    free(acme);
}

/* Eight losses among rows that earn: each is reported with its cause, and nothing else is (rating.md section 7). */
Test(margin, eight_causes_among_healthy_rows)
{
    static const struct {
        enum cm_class class;
        const char *product, *payer, *buy, *sell, *withheld;
    } injected[] = {
        {CM_CLASS_SUPPORT, "AWSSupportBusiness", "100", "100", "0", NULL}, /* no group: nobody pays it */
        {CM_CLASS_COMMITMENT_FEE, "ri-fee", "30", "30", "0", NULL},  /* the RI is paid here, its benefit is elsewhere */
        {CM_CLASS_COVERED_USAGE, "sp-covered", "8", "8", "5", NULL}, /* a Savings Plan's usage below what it costs */
        {CM_CLASS_CREDIT, "credit", "-5", "-5", "-8", NULL},         /* more passed on than AWS gave */
        {CM_CLASS_USAGE, "withheld", "10", "10", "9", "-2"},         /* 9 would pay for 10 - 2 */
        {CM_CLASS_USAGE, "old-book", "10", "10", "7", NULL},         /* the price book is older than the cost */
        {CM_CLASS_USAGE, "old-book-2", "10", "10", "7", "-1"},       /* the withheld discount does not make up for it */
        {CM_CLASS_USAGE, "thin", "100", "100", "103", NULL},         /* 3 % are less than the gap of the rates, 5 % */
    };
    static const char *const healthy[] = {"100", "90", "50", "0"};
    cm_statement_charge charges[128];
    char products[64][32];
    size_t count = 0;
    for (size_t i = 0; i < COUNT(injected); i++) {
        charges[count++] =
            priced(injected[i].class, injected[i].product, injected[i].payer, injected[i].buy, injected[i].sell);
        if (injected[i].withheld)
            charges[count++] = priced(CM_CLASS_PROVIDER_DISCOUNT, injected[i].product, injected[i].withheld, "0", "0");
    }
    for (int i = 0; i < 64;
         i++) { /* rows that earn 8 % and more, some with a discount or a fee that costs less than the rest brings */
        snprintf(products[i], sizeof products[i], "healthy-%d", i);
        charges[count++] =
            priced(i % 5 ? CM_CLASS_USAGE : CM_CLASS_MARKETPLACE, products[i], "100", healthy[i % 4], "108");
        if (i % 9 == 0)
            charges[count++] = priced(CM_CLASS_PROVIDER_DISCOUNT, products[i], "-3", "0", "0");
    }
    cm_buffer yaml = {0};
    char *acme = customer("acme", "invoice_currency: EUR\n", TDS, ACCOUNT, NULL);
    cm_buffer_printf(&yaml, "%s" RATES, acme);
    built b = build_margin(yaml.data, charges, count);
    cr_expect_str_eq(
        losses(&b),
        "AWSSupportBusiness SUPPORT_GROUP_MISSING, credit CREDIT, old-book PRICE_BELOW_BUY, old-book-2 PRICE_BELOW_BUY,"
        " ri-fee COMMITMENT_SHIFT, sp-covered COMMITMENT_SHIFT, thin FX, withheld DISCOUNT_WITHHELD_ELSEWHERE",
        "%s", losses(&b));
    built_free(&b);
    cm_buffer_free(&yaml);
    free(acme);
}

/* N12: a discount of May, credited in June, reduces June's cost, at June's rates; its own row names the month. It
 * neither hides a loss of June nor is it one where May's was too high. A discount of another customer or currency is
 * not included. */
Test(margin, N12_discounts_of_earlier_months)
{
    const cm_statement_charge charges[] = {priced(CM_CLASS_USAGE, "p", "100", "100", "90"),
                                           priced(CM_CLASS_USAGE, "q", "100", "100", "120")};
    const cm_discount discounts[] = {{"acme", ACCOUNT, "p", "USD", "2025-05", amount("20")},
                                     {"acme", ACCOUNT, "q", "USD", "2025-04", amount("-30")},
                                     {"acme", ACCOUNT, "p", "USD", "2025-04", amount("1")},
                                     {"bolt", ACCOUNT, "p", "USD", "2025-05", amount("7")},
                                     {"acme", ACCOUNT, "p", "EUR", "2025-05", amount("7")}};
    char *acme = customer("acme", "invoice_currency: EUR\n", TDS, ACCOUNT, NULL);
    cm_buffer yaml = {0};
    cm_buffer_printf(&yaml, "%s" RATES, acme);
    built b = {.catalog = test_catalog(yaml.data)};
    cm_error err = {0};
    cm_statement_input input = {.catalog = b.catalog,
                                .lane = "tdsynnex",
                                .period = {2025, 6},
                                .charges = charges,
                                .count = 2,
                                .with_margin = true,
                                .discounts = discounts,
                                .discount_count = COUNT(discounts)};
    cr_assert(cm_statements_build_month(&input, &b.statements, &b.missing, &err), "%s", err.text);
    cr_expect_str_eq(sum(&b, "sell"), "189");  /* 210 x 0.9 */
    cr_expect_str_eq(sum(&b, "buy"), "188.1"); /* (200 - 20 + 30 - 1) x 0.9 */
    cr_expect_str_eq(sum(&b, "fx"), "-10.45"); /* 209 x (0.9 - 0.95) */
    cr_expect_str_eq(sum(&b, "margin"), "-9.55");
    char *rows = json_dumps(json_object_get(b.statements.list[0].margin, "rows"), JSON_COMPACT);
    cr_expect(strstr(rows, "\"product\":\"p\",\"class\":\"provider_discount\",\"step\":\"provider_discount_arrears\","
                           "\"earned\":\"2025-04\",\"sell\":\"0\","
                           "\"buy\":\"-0.9\",\"fx\":\"0.05\",\"margin\":\"0.95\""),
              "%s", rows);
    cr_expect_eq(json_array_size(json_object_get(b.statements.list[0].margin, "rows")), 5);
    cr_expect_str_eq(losses(&b), "p PRICE_BELOW_BUY"); /* q: 108 - 90 - 5 */
    free(rows);
    built_free(&b);
    cm_buffer_free(&yaml);
    free(acme);
}

/* P13, R04: nothing of it is in the document that customers see; unless requested, it is not computed at all. */
Test(margin, is_not_in_the_document)
{
    const cm_statement_charge charges[] = {priced(CM_CLASS_USAGE, "p", "81.5", "82.5", "100"),
                                           priced(CM_CLASS_PROVIDER_DISCOUNT, "p", "-7.25", "0", "0")};
    char *acme = customer("acme", "", TDS, ACCOUNT, NULL);
    built b = build_margin(acme, charges, 2), plain = build(acme, charges, 2);
    char *bytes = json_dumps(b.statements.list[0].document, JSON_COMPACT);
    static const char *const secrets[] = {"buy", "payer", "margin", "discount", "81.5", "82.5", "7.25"};
    for (size_t i = 0; i < COUNT(secrets); i++)
        cr_expect_null(strstr(bytes, secrets[i]), "%s", secrets[i]);
    cr_expect(json_equal(b.statements.list[0].document, plain.statements.list[0].document));
    cr_expect_null(plain.statements.list[0].margin);
    free(bytes);
    built_free(&b);
    built_free(&plain);
    free(acme);
}
