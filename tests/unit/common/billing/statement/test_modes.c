/* Consolidation: three modes from one set of charges (N18, I01-I03; statements.md section 2). */
#include "documents.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#define COUNT(list) (sizeof(list) / sizeof *(list))
#define RATE        "kind: FxRate\nid: f\nset: reseller\nfrom: USD\nto: EUR\nperiod: 2025-06\nrate: 0.92\n---\n"

/* Resellers of the fixture's base are end_customer; this one has the customers acme and bolt. */
static char *catalog(const char *mode, const char *acme, const char *bolt)
{
    cm_buffer yaml = {0};
    cm_buffer_printf(&yaml, RATE "kind: Reseller\nid: south\nconsolidation: %s\n---\n", mode);
    const char *const ids[] = {"acme", "bolt"}, *const fields[] = {acme, bolt}, *const accounts[] = {ACCOUNT, OTHER};
    for (size_t i = 0; i < 2; i++)
        cm_buffer_printf(&yaml,
                         "kind: Customer\nid: %s\nname: The %s\nreseller: south\nprice_book: standard\n%saccounts:\n"
                         "  - {id: \"%s\", payer: \"" TDS "\", from: 2025-01-01, support_plan_group: g}\n---\n",
                         ids[i], ids[i], fields[i], accounts[i]);
    cm_buffer_text(&yaml, "kind: SupportPlanGroup\nid: g\ntype: business\n---\n");
    return cm_buffer_take(&yaml);
}

static cm_statement_charge of(const char *customer, const char *account, const char *product, const char *sell)
{
    cm_statement_charge c = charge(CM_CLASS_USAGE, product, sell);
    c.customer = customer;
    c.account = account;
    return c;
}

static cm_decimal sum_of(const built *b, const char *key)
{
    cm_decimal sum = CM_DECIMAL_ZERO;
    for (size_t i = 0; i < b->statements.count; i++)
        for (size_t n = 0; n < lines(b, i); n++)
            cr_assert(cm_decimal_accumulate(&sum, amount(line_text(b, i, n, key))));
    return sum;
}

/* N18: the exact amounts of the three add up to the same sum; in each document the lines add up to its subtotal. */
Test(modes, same_sum_in_all_three)
{
    static const char *const modes[] = {"end_customer", "semi", "full"};
    static const size_t documents[] = {2, 1, 1};
    const cm_statement_charge charges[] = {
        of("acme", ACCOUNT, "a", "10.004"), of("acme", ACCOUNT, "b", "0.003"), of("bolt", OTHER, "a", "3.3333333"),
        of("bolt", OTHER, "c", "-1.000000000000000001"), of("acme", ACCOUNT, "c", "1.000000000000000003")};
    cm_decimal exact[3];
    for (size_t m = 0; m < 3; m++) {
        char *yaml = catalog(modes[m], "invoice_currency: EUR\n", "invoice_currency: EUR\n");
        built b = build(yaml, charges, COUNT(charges));
        cr_assert_eq(b.statements.count, documents[m], "%s", modes[m]);
        exact[m] = sum_of(&b, "amount_exact");
        cr_expect(cm_decimal_equal(exact[m], exact[0]), "%s", modes[m]);
        cm_decimal subtotals = CM_DECIMAL_ZERO;
        for (size_t i = 0; i < b.statements.count; i++)
            cr_assert(cm_decimal_accumulate(&subtotals, b.statements.list[i].subtotal));
        cr_expect(cm_decimal_equal(sum_of(&b, "amount"), subtotals), "%s", modes[m]);
        built_free(&b);
        free(yaml);
    }
}

/* I02: one document, the lines of one customer after those of the other, each with its support. */
Test(modes, semi_keeps_customers)
{
    const cm_statement_charge charges[] = {of("bolt", OTHER, "a", "3"), of("acme", ACCOUNT, "z", "10"),
                                           of("acme", ACCOUNT, "b", "1")};
    char *yaml = catalog("semi", "", "");
    built b = build(yaml, charges, COUNT(charges));
    cr_assert_eq(b.statements.count, 1);
    cr_expect_str_eq(all_lines(&b, 0), "b/usage=1 z/usage=10 AWSSupport/support=1.1 a/usage=3 AWSSupport/support=0.3");
    static const char *const customers[] = {"acme", "acme", "acme", "bolt", "bolt"};
    for (size_t n = 0; n < 5; n++)
        cr_expect_str_eq(line_text(&b, 0, n, "customer"), customers[n]);
    cr_expect_str_eq(line_text(&b, 0, 0, "account"), ACCOUNT);
    cr_expect_str_eq(b.statements.list[0].customer, "");
    const json_t *names = json_object_get(b.statements.list[0].document, "customers");
    cr_assert_eq(json_array_size(names), 2);
    cr_expect_str_eq(json_string_value(json_object_get(json_array_get(names, 1), "name")), "The bolt");
    built_free(&b);
    free(yaml);
}

/* I03: no breakdown: neither customer nor account on a line, the same product of both is one line. */
Test(modes, full_drops_customers)
{
    const cm_statement_charge charges[] = {of("bolt", OTHER, "a", "3"), of("acme", ACCOUNT, "a", "10"),
                                           of("acme", ACCOUNT, "b", "1")};
    char *yaml = catalog("full", "", "");
    built b = build(yaml, charges, COUNT(charges));
    cr_assert_eq(b.statements.count, 1);
    cr_expect_str_eq(all_lines(&b, 0), "a/usage=13 b/usage=1 AWSSupport/support=1.4");
    for (size_t n = 0; n < 3; n++) {
        cr_expect_str_eq(line_text(&b, 0, n, "customer"), "");
        cr_expect_str_eq(line_text(&b, 0, n, "account"), "");
    }
    cr_expect_str_eq(line_text(&b, 0, 0, "quantity"), "2");
    cr_expect_eq(json_array_size(json_object_get(b.statements.list[0].document, "customers")), 2);
    built_free(&b);
    free(yaml);
}

/* Documents never mix currencies, and a document has one rate: one for each pair of source and invoice currency, also
 * without a rate. */
Test(modes, one_for_each_pair_of_currencies)
{
    static const char *const expected[][2] = {{"EUR", "0.92"}, {"USD", "1"}};
    const cm_statement_charge charges[] = {of("acme", ACCOUNT, "a", "3"), of("bolt", OTHER, "a", "10")};
    for (size_t m = 0; m < 2; m++) {
        char *yaml = catalog(m ? "full" : "semi", "invoice_currency: EUR\n", "");
        built b = build(yaml, charges, COUNT(charges));
        cr_assert_eq(b.statements.count, 2);
        for (size_t i = 0; i < 2; i++) {
            cr_expect_str_eq(text(&b, i, "currency"), expected[i][0]);
            cr_expect_str_eq(text(&b, i, "rate"), expected[i][1]);
        }
        built_free(&b);
        free(yaml);
    }
    char *yaml = catalog("semi", "invoice_currency: JPY\n", "");
    built b = build(yaml, charges, COUNT(charges));
    cr_assert_eq(b.statements.count, 2); /* both in USD, one of them without its rate */
    cr_expect_str_eq(text(&b, 0, "currency"), "USD");
    cr_expect_str_eq(text(&b, 1, "currency"), "USD");
    cr_expect_str_neq(b.statements.list[0].id, b.statements.list[1].id);
    built_free(&b);
    free(yaml);
}

/* Each customer's own taxes on its share; the shares of one tax are added up and rounded once, with and without the
 * breakdown. */
Test(modes, taxes_of_each_customer)
{
    const cm_statement_charge charges[] = {of("acme", ACCOUNT, "a", "100"), of("bolt", OTHER, "a", "200")};
    for (size_t m = 0; m < 2; m++) {
        char *yaml = catalog(m ? "full" : "semi", "tax: [{name: VAT, percent: 19}]\n",
                             "tax: [{name: GST, percent: 5}, {name: VAT, percent: 19}]\n");
        built b = build(yaml, charges, COUNT(charges)); /* with support: 110 and 220 */
        char *tax = json_dumps(json_object_get(b.statements.list[0].document, "tax"), JSON_COMPACT);
        cr_expect_str_eq(
            tax,
            "[{\"name\":\"VAT\",\"percent\":\"19\",\"amount\":\"62.7\"},{\"name\":\"GST\",\"percent\":\"5\",\"amount\":\"11\"}]");
        cr_expect_str_eq(text(&b, 0, "total"), "403.7");
        free(tax);
        built_free(&b);
        free(yaml);
    }
}

/* A change of mode makes another document, and the same mode keeps its id. */
Test(modes, identity)
{
    const cm_statement_charge charges[] = {of("acme", ACCOUNT, "a", "100")};
    char *semi = catalog("semi", "", ""), *full = catalog("full", "", "");
    built one = build(semi, charges, 1), two = build(semi, charges, 1), three = build(full, charges, 1);
    cr_expect_str_eq(one.statements.list[0].id, two.statements.list[0].id);
    cr_expect_str_neq(one.statements.list[0].id, three.statements.list[0].id);
    built_free(&one);
    built_free(&two);
    built_free(&three);
    free(semi);
    free(full);
}
