/* Terms of customers with months (rating.md section 8). */
#include "billing/catalog/diff/diff.h"
#include "support.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#define ACME "kind: Customer\nid: acme\nreseller: northwind\nprice_book: standard\n"
#define BOOK(id, currency)                                                                                             \
    "---\nkind: PriceBook\nid: " id "\ncurrency: " currency                                                            \
    "\nversions: [{effective_from: 2025-01-01, rules: [{id: all, priority: 1, price: {pass: payer}}]}]\n"
#define MORE       BOOK("dear", "USD") "---\n{kind: SupportPlanGroup, id: none, type: basic}\n"
#define UNDER(...) "accounts:\n  - {id: '000011112222', payer: " __VA_ARGS__ "}\n"

static const cm_customer_terms *terms_in(const cm_catalog *catalog, int year, int month)
{
    return cm_customer_terms_in(cm_catalog_customer(catalog, "acme"), (cm_period){year, month});
}

static void percent_is(const cm_tax *tax, const char *percent)
{
    char text[CM_DECIMAL_TEXT];
    cm_decimal_print(tax->percent, text);
    cr_expect_str_eq(text, percent);
}

static char *canonical_text(const char *yaml)
{
    json_t *json = canonical_of_text(yaml);
    char *text = json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(json);
    return text;
}

/* An entry replaces what it names; everything else stays as it was before, not as the document says. */
Test(terms, an_entry_replaces_the_keys_that_it_names)
{
    cm_catalog *catalog = catalog_of_text(
        ACME "invoice_currency: EUR\ntax: [{name: VAT, percent: 19}]\ncredit_policy: pass\n"
             "support_plan_group: tds\n"
             "terms:\n"
             "  - {from: 2025-07, price_book: dear, tax: [{name: VAT, percent: 21}, {name: Levy, percent: 1}]}\n"
             "  - {from: 2025-09, invoice_currency: JPY, credit_policy: {mode: split, percent: 40}, "
             "refund_policy: keep}\n"
             "  - {from: 2026-01, commitment_policy: pass_through, tax: [], support_plan_group: none}\n" MORE);
    const cm_customer *acme = cm_catalog_customer(catalog, "acme");
    cr_assert_eq(acme->term_count, 4);
    cr_expect_eq(acme->terms[0].from, INT64_MIN);
    cr_expect_eq(acme->terms[1].from, cm_period_start((cm_period){2025, 7}));

    const cm_customer_terms *june = terms_in(catalog, 2025, 6), *july = terms_in(catalog, 2025, 7),
                            *august = terms_in(catalog, 2025, 8), *september = terms_in(catalog, 2025, 9),
                            *january = terms_in(catalog, 2026, 1);
    cr_expect_eq(terms_in(catalog, 1999, 1), june);
    cr_expect_eq(august, july);
    cr_expect_eq(terms_in(catalog, 2025, 12), september);
    cr_expect_eq(terms_in(catalog, 2099, 12), january);

    cr_expect_str_eq(june->price_book->id, "standard");
    cr_expect_str_eq(june->invoice_currency, "EUR");
    cr_expect_eq(june->credit_mode, CM_CREDIT_PASS);
    cr_expect_str_eq(june->support_group->id, "tds");
    cr_assert_eq(june->tax_count, 1);
    percent_is(&june->taxes[0], "19");

    cr_expect_str_eq(july->price_book->id, "dear");
    cr_expect_str_eq(july->invoice_currency, "EUR");
    cr_expect_eq(july->credit_mode, CM_CREDIT_PASS);
    cr_expect_str_eq(july->support_group->id, "tds");
    cr_assert_eq(july->tax_count, 2);
    percent_is(&july->taxes[0], "21");

    cr_expect_str_eq(september->price_book->id, "dear");
    cr_expect_str_eq(september->invoice_currency, "JPY");
    cr_expect_eq(september->credit_mode, CM_CREDIT_SPLIT);
    cr_expect_eq(september->refund_policy, CM_REFUND_KEEP);
    cr_expect_eq(september->tax_count, 2);
    cr_expect_eq(september->commitment_policy, CM_COMMITMENT_ON_DEMAND);

    cr_expect_eq(january->commitment_policy, CM_COMMITMENT_PASS_THROUGH);
    cr_expect_eq(january->credit_mode, CM_CREDIT_SPLIT);
    cr_expect_eq(january->tax_count, 0);
    cr_expect_str_eq(january->support_group->id, "none");
    cm_catalog_free(catalog);
}

/* O02: a book from the first terms on; before them there is none. */
Test(terms, O02_price_book_of_the_first_terms)
{
    cm_catalog *catalog = catalog_of_text("kind: Customer\nid: acme\nreseller: northwind\nspend_limit: 5\nterms:\n"
                                          "  - {from: 2025-07, price_book: dear, spend_limit: 7.5}\n" MORE);
    cr_expect_null(terms_in(catalog, 2025, 6)->price_book);
    cr_expect_str_eq(terms_in(catalog, 2025, 7)->price_book->id, "dear");
    cm_catalog_free(catalog);
}

/* A catalog without terms has the id that it always had, and a version with them is another one. */
Test(terms, canonical_text)
{
    char *without = canonical_text(ACME MORE),
         *with = canonical_text(ACME "terms: [{from: 2025-07, price_book: dear}]\n" MORE);
    cr_expect_null(strstr(without, "\"terms\""));
    cr_expect_null(strstr(without, "\"support_plan_group\""));
    cr_expect(strstr(with, "\"terms\":[{\"from\":\"2025-07\",\"price_book\":\"dear\"}]"), "%s", with);
    free(without);
    free(with);
}

/* An account's own group goes before that of the terms. */
Test(terms, O14_default_support_plan_group)
{
    cm_catalog *catalog = catalog_of_text(ACME "support_plan_group: tds\nterms: [{from: 2025-07, support_plan_group: "
                                               "none}]\naccounts:\n"
                                               "  - {id: '000000000001', payer: '111122223333', from: 2025-01-01}\n"
                                               "  - {id: '000000000002', payer: '111122223333', from: 2025-01-01, "
                                               "support_plan_group: tds}\n" MORE);
    const cm_period june = {2025, 6}, july = {2025, 7};
    cr_expect_str_eq(cm_link_group(&catalog->links[0], june)->id, "tds");
    cr_expect_str_eq(cm_link_group(&catalog->links[0], july)->id, "none");
    cr_expect_str_eq(cm_link_group(&catalog->links[1], june)->id, "tds");
    cr_expect_str_eq(cm_link_group(&catalog->links[1], july)->id, "tds");
    cm_catalog_free(catalog);
}

Test(terms, problems)
{
    static const char *const rows[][3] = {
        {ACME "terms: [{from: 2025-07, price_bok: dear}]\n" MORE, "t.yaml:5:25", "did you mean \"price_book\"?"},
        {ACME "terms: [{price_book: dear}]\n" MORE, "t.yaml:5:9", "has no \"from\""},
        {ACME "terms: [{from: 2025-07-15, price_book: dear}]\n" MORE, "t.yaml:5:16", "must be a month, like 2025-06"},
        {ACME "terms: [{from: 2025-07, price_book: deer}]\n" MORE, "t.yaml:5:37", "did you mean \"dear\"?"},
        {ACME "terms: [{from: 2025-07, invoice_currency: EURO}]\n", "t.yaml:5:43", "not a currency of ISO 4217"},
        {ACME "terms: [{from: 2025-07, credit_policy: split}]\n", "t.yaml:5:40", "needs a percent"},
        {ACME "terms: [{from: 2025-07, tax: [{name: VAT}]}]\n", "t.yaml:5:31", "tax has no \"percent\""},
        {ACME "terms: [{from: 2025-07, support_plan_group: tdx}]\n", "t.yaml:5:45", "did you mean \"tds\"?"},
        {ACME "terms:\n  - {from: 2025-07, price_book: dear}\n  - {from: 2025-06, price_book: standard}\n" MORE,
         "t.yaml:7:5", "2025-06 comes after 2025-07"},
        {ACME "terms:\n  - {from: 2025-07, price_book: dear}\n  - {from: 2025-07, tax: []}\n" MORE, "t.yaml:7:5",
         "each month once"},
        {ACME "terms: [{from: 2025-07}]\n", "t.yaml:5:9: warning", "replaces nothing"},
        {ACME "terms: {from: 2025-07, tax: []}\n", "t.yaml:5:8", "terms must be a list"},
        {"kind: Customer\nid: acme\nreseller: northwind\nterms: [{from: 2025-07, tax: []}, {from: 2025-08, price_book: standard}]\n",
         "t.yaml:4:8", "has no \"price_book\""},
        {ACME "spend_limit: -1\n", "t.yaml:5:14", "out of range"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        expect_one(rows[i][0], rows[i][1], rows[i][2]);
}

/* O06, R06: a payer's model forbids pass_through in the months in which it has accounts of the customer. */
Test(terms, O06_R06_pass_through_for_a_time)
{
#define PASSING_FROM_JULY                                                                                              \
    ACME "terms:\n  - {from: 2025-07, commitment_policy: pass_through}\n"                                              \
         "  - {from: 2025-10, commitment_policy: on_demand}\n"
    expect_one(PASSING_FROM_JULY UNDER("'111122223333', from: 2025-01-01"), "t.yaml:6:40", "not available (O06, R06)");
    expect_one(PASSING_FROM_JULY UNDER("'111122223333', from: 2025-09-01"), "t.yaml:6:40", "not available (O06, R06)");
    static const char *const good[] = {
        PASSING_FROM_JULY UNDER("'111122223333', from: 2025-01-01, to: 2025-07-01"),
        PASSING_FROM_JULY UNDER("'111122223333', from: 2025-10-01"),
        PASSING_FROM_JULY UNDER("'222233334444', from: 2025-01-01"),
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        char *found = problems_of(good[i]);
        cr_expect_str_eq(found, "", "%s", found);
        free(found);
    }
}

/* A credit in a currency in which only later terms sell can pay something. */
Test(terms, credit_in_the_currency_of_later_terms)
{
#define CREDIT "---\n{kind: Credit, id: c, customer: acme, lane: tdsynnex, amount: 5, currency: EUR, from: 2025-07}\n"
    char *found = problems_of(ACME UNDER("'111122223333', from: 2025-01-01") CREDIT BOOK("euro", "EUR"));
    cr_expect(strstr(found, "it will never pay anything"), "%s", found);
    free(found);
    found = problems_of(ACME "terms: [{from: 2025-07, price_book: euro}]\n" UNDER("'111122223333', from: 2025-01-01")
                            CREDIT BOOK("euro", "EUR"));
    cr_expect_str_eq(found, "", "%s", found);
    free(found);
}

Test(terms, diff)
{
    json_t *before = canonical_of_text(ACME "terms: [{from: 2025-07, price_book: dear}]\n" MORE),
           *after = canonical_of_text(ACME "terms:\n  - {from: 2025-07, price_book: standard}\n"
                                           "  - {from: 2025-08, tax: []}\n" MORE);
    cm_buffer text = {0};
    cm_catalog_diff(before, after, &text);
    cr_expect_str_eq(cm_buffer_string(&text),
                     "changed Customer acme: terms[0].price_book dear -> standard\n"
                     "changed Customer acme: terms[1] (none) -> {\"from\":\"2025-08\",\"tax\":[]}\n");
    cm_buffer_free(&text);
    json_decref(before);
    json_decref(after);
}
