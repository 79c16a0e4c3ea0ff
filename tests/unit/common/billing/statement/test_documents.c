/* Documents: lines, currencies, tax, identity (statements.md sections 2, 3; R06-R08, O03; S12). */
#include "documents.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#define COUNT(list) (sizeof(list) / sizeof *(list))
#define FX(set, from, to, period, rate)                                                                                \
    "kind: FxRate\nid: f\nset: " set "\nfrom: " from "\nto: " to "\nperiod: " period "\nrate: " rate "\n---\n"

static char *joined(char *a, const char *b)
{
    cm_buffer yaml = {0};
    cm_buffer_printf(&yaml, "%s%s", a, b);
    free(a);
    return cm_buffer_take(&yaml);
}

static char *acme(const char *fields, const char *more)
{
    return joined(customer("acme", fields, TDS, ACCOUNT, NULL), more);
}

/* S12: bytewise order, neighbours merged, exact zeros left out, a free line counts in the quantity. */
Test(documents, lines_are_merged_sorted_and_zeros_left_out)
{
    cm_statement_charge charges[] = {
        charge(CM_CLASS_USAGE, "b", "1"),  charge(CM_CLASS_USAGE, "B", "1"), charge(CM_CLASS_USAGE, "a", "1"),
        charge(CM_CLASS_USAGE, "a", "1"),  charge(CM_CLASS_USAGE, "b", "0"), charge(CM_CLASS_USAGE, "c", "7"),
        charge(CM_CLASS_USAGE, "c", "-7"), charge(CM_CLASS_TAX, "b", "0"),   charge(CM_CLASS_FEE, "a", "2"),
    };
    charges[2].unit = "\xc3\xa9";
    charges[3].unit = charges[8].unit = "z";
    charges[4].quantity = cm_decimal_from_i64(5);
    char *yaml = acme("", "");
    built b = build(yaml, charges, COUNT(charges));
    cr_expect_str_eq(all_lines(&b, 0), "B/usage=1 a/fee=2 a/usage=1 a/usage=1 b/usage=1");
    cr_expect_str_eq(line_text(&b, 0, 1, "unit"), "z");
    cr_expect_str_eq(line_text(&b, 0, 3, "unit"), "\xc3\xa9");
    cr_expect_str_eq(line_text(&b, 0, 4, "quantity"), "6");
    cr_expect_str_eq(text(&b, 0, "subtotal"), "6");
    built_free(&b);
    free(yaml);
}

Test(documents, keys_are_those_of_the_contract)
{
    const cm_statement_charge charges[] = {charge(CM_CLASS_USAGE, "AmazonEC2", "1")};
    static const char *const keys[] = {"id",        "number",   "kind", "state", "reseller", "lane", "period",
                                       "customers", "currency", "rate", "lines", "subtotal", "tax",  "total"};
    char *yaml = acme("", "");
    built b = build(yaml, charges, 1);
    const json_t *document = b.statements.list[0].document;
    for (size_t i = 0; i < COUNT(keys); i++)
        cr_expect_not_null(json_object_get(document, keys[i]), "%s", keys[i]);
    cr_expect_eq(json_object_size(document), COUNT(keys));
    cr_expect_str_eq(text(&b, 0, "number"), "null");
    cr_expect_str_eq(text(&b, 0, "kind"), "statement");
    cr_expect_str_eq(text(&b, 0, "state"), "draft");
    cr_expect_str_eq(text(&b, 0, "reseller"), "northwind");
    cr_expect_eq(strlen(text(&b, 0, "id")), 32);
    built_free(&b);
    free(yaml);
}

/* The payer's own lines belong to no customer; a customer that the catalog no longer has is named and skipped. */
Test(documents, only_known_customers)
{
    cm_statement_charge charges[] = {charge(CM_CLASS_USAGE, "p", "1"), charge(CM_CLASS_USAGE, "p", "2"),
                                     charge(CM_CLASS_USAGE, "p", "4"), charge(CM_CLASS_USAGE, "p", "8")};
    charges[0].customer = "";
    charges[2].customer = charges[3].customer = "gone";
    charges[3].currency = "EUR";
    char *yaml = acme("", "");
    built b = build(yaml, charges, 4);
    cr_assert_eq(b.statements.count, 1);
    cr_expect_str_eq(text(&b, 0, "total"), "2");
    cr_expect_str_eq(cm_buffer_string(&b.missing), "gone");
    built_free(&b);
    free(yaml);
}

/* S12: one for each customer with a charge, even if everything is free. */
Test(documents, empty_one)
{
    const cm_statement_charge charges[] = {charge(CM_CLASS_TAX, "p", "0")};
    char *yaml = acme("invoice_currency: EUR\ntax: [{name: VAT, percent: 19}]\n",
                      FX("reseller", "USD", "EUR", "2025-06", "0.92"));
    built b = build(yaml, charges, 1);
    cr_assert_eq(b.statements.count, 1);
    cr_expect_eq(lines(&b, 0), 0);
    cr_expect_str_eq(text(&b, 0, "currency"), "EUR");
    cr_expect_str_eq(text(&b, 0, "rate"), "0.92");
    cr_expect_str_eq(text(&b, 0, "total"), "0");
    built_free(&b);
    free(yaml);
}

/* statements.md section 3: the minor unit is the document's currency's. */
Test(documents, minor_units)
{
    static const struct {
        const char *currency, *fx, *subtotal, *tax, *total;
    } table[] = {{"USD", "", "33.33", "6.33", "39.66"},
                 {"JPY", FX("reseller", "USD", "JPY", "2025-06", "150.25"), "5008", "952", "5960"},
                 {"KWD", FX("reseller", "USD", "KWD", "2025-06", "0.30725"), "10.241", "1.946", "12.187"}};
    const cm_statement_charge charges[] = {charge(CM_CLASS_USAGE, "p", "33.33")};
    for (size_t i = 0; i < COUNT(table); i++) {
        char fields[128];
        snprintf(fields, sizeof fields, "invoice_currency: %s\ntax: [{name: VAT, percent: 19}]\n", table[i].currency);
        char *yaml = acme(fields, table[i].fx);
        built b = build(yaml, charges, 1);
        cr_expect_str_eq(text(&b, 0, "currency"), table[i].currency);
        cr_expect_str_eq(text(&b, 0, "subtotal"), table[i].subtotal);
        const json_t *tax = json_array_get(json_object_get(b.statements.list[0].document, "tax"), 0);
        cr_expect_str_eq(json_string_value(json_object_get(tax, "amount")), table[i].tax);
        cr_expect_str_eq(text(&b, 0, "total"), table[i].total);
        built_free(&b);
        free(yaml);
    }
}

/* Each tax line is total x percent, half away from zero: 0.005 and 0.009975 of 0.10. */
Test(documents, taxes_round_each)
{
    static const char *const table[][3] = {{"0.10", "0.01", "0.12"}, {"-0.10", "-0.01", "-0.12"}};
    for (size_t i = 0; i < 2; i++) {
        const cm_statement_charge charges[] = {charge(CM_CLASS_REFUND, "p", table[i][0])};
        char *yaml = acme("tax: [{name: A, percent: 5}, {name: B, percent: 9.975}]\n", "");
        built b = build(yaml, charges, 1);
        const json_t *tax = json_object_get(b.statements.list[0].document, "tax");
        for (size_t t = 0; t < 2; t++)
            cr_expect_str_eq(json_string_value(json_object_get(json_array_get(tax, t), "amount")), table[i][1]);
        cr_expect_str_eq(text(&b, 0, "total"), table[i][2]);
        built_free(&b);
        free(yaml);
    }
}

/* R06, R07, O03: each line's exact amount x rate, half-even at 10^-18. */
Test(documents, conversion)
{
    const cm_statement_charge charges[] = {charge(CM_CLASS_USAGE, "a", "10.01"),
                                           charge(CM_CLASS_USAGE, "x", "0.000000000000000003")};
    char *yaml = acme("invoice_currency: EUR\n", FX("reseller", "USD", "EUR", "2025-06", "0.92"));
    built b = build(yaml, charges, 2);
    cr_assert_eq(b.statements.count, 1);
    cr_expect_str_eq(text(&b, 0, "rate"), "0.92");
    cr_expect_str_eq(text(&b, 0, "subtotal"), "9.21");
    cr_expect_str_eq(line_text(&b, 0, 0, "amount_exact"), "9.2092");
    cr_expect_str_eq(line_text(&b, 0, 1, "amount_exact"), "0.000000000000000003"); /* 2.76 of the last place */
    cr_expect_str_eq(b.statements.list[0].fx_id, "f");
    built_free(&b);
    free(yaml);
}

/* R08: the distributor's rate is another set, other months are other rates. The draft stays in its source currency,
 * rate null. */
Test(documents, missing_rate)
{
    static const char *const without[] = {"", FX("distributor", "USD", "EUR", "2025-06", "0.92"),
                                          FX("reseller", "USD", "EUR", "2025-05", "0.92"),
                                          FX("reseller", "EUR", "USD", "2025-06", "1.1")};
    const cm_statement_charge charges[] = {charge(CM_CLASS_USAGE, "a", "10.01")};
    for (size_t i = 0; i < COUNT(without); i++) {
        char *yaml = acme("invoice_currency: EUR\n", without[i]);
        built b = build(yaml, charges, 1);
        cr_expect_str_eq(text(&b, 0, "currency"), "USD");
        cr_expect_str_eq(text(&b, 0, "rate"), "null");
        cr_expect_str_eq(text(&b, 0, "subtotal"), "10.01");
        built_free(&b);
        free(yaml);
    }
}

/* One document for each source currency: amounts of different currencies are never added, and the rate is always one
 * number. */
Test(documents, one_for_each_source_currency)
{
    cm_statement_charge charges[] = {charge(CM_CLASS_USAGE, "a", "10"), charge(CM_CLASS_CREDIT, "a", "-7"),
                                     charge(CM_CLASS_USAGE, "a", "5")};
    charges[1].currency = "CNY";
    charges[2].currency = "EUR";
    char *yaml = acme("invoice_currency: EUR\n", FX("reseller", "USD", "EUR", "2025-06", "0.5"));
    built b = build(yaml, charges, 3);
    cr_assert_eq(b.statements.count, 3);
    static const char *const expected[][4] = {
        {"CNY", "null", "-7", "CNY"}, {"EUR", "1", "5", "EUR"}, {"EUR", "0.5", "5", "USD"}};
    for (size_t i = 0; i < 3; i++) {
        cr_expect_str_eq(text(&b, i, "currency"), expected[i][0]);
        cr_expect_str_eq(text(&b, i, "rate"), expected[i][1]);
        cr_expect_str_eq(text(&b, i, "total"), expected[i][2]);
        cr_expect_str_eq(b.statements.list[i].source_currency, expected[i][3]);
    }
    cr_expect_str_neq(b.statements.list[1].id, b.statements.list[2].id); /* both in EUR, two sources */
    built_free(&b);
    free(yaml);
}

/* The same draft keeps its id whatever its figures are; the order in which charges come does not matter. */
Test(documents, deterministic)
{
    cm_statement_charge charges[] = {charge(CM_CLASS_USAGE, "a", "10.004"), charge(CM_CLASS_USAGE, "b", "0.004"),
                                     charge(CM_CLASS_FEE, "c", "1"), charge(CM_CLASS_USAGE, "a", "3")};
    char *yaml = acme("", "");
    built one = build(yaml, charges, 4);
    cm_statement_charge turned[] = {charges[3], charges[2], charges[1], charges[0]};
    built two = build(yaml, turned, 4);
    cr_expect(json_equal(one.statements.list[0].document, two.statements.list[0].document));
    built three = build(yaml, charges, 1);
    cr_expect_str_eq(one.statements.list[0].id, three.statements.list[0].id);
    built_free(&one);
    built_free(&two);
    built_free(&three);
    free(yaml);
}
