/* The canonical text: what changes it, what does not, and how differences are told. */
#include "billing/catalog/check/read.h"
#include "billing/catalog/diff/diff.h"
#include "billing/catalog/parse/canonical.h"
#include "support.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static char *text_of(const char *yaml)
{
    json_t *canonical = canonical_of_text(yaml);
    char *text = cm_catalog_text(canonical);
    json_decref(canonical);
    return text;
}

static void expect_same(const char *a, const char *b)
{
    char *x = text_of(a), *y = text_of(b);
    cr_assert_str_eq(x, y);
    free(x);
    free(y);
}

#define HEAD "kind: Customer\nid: acme\nreseller: northwind\nprice_book: standard\n"

Test(canonical, comments_order_and_layout_do_not_matter)
{
    expect_same(
        HEAD
        "name: Acme\ntax:\n- name: VAT\n  percent: 19.0\naccounts:\n- {id: '000011112222', payer: '111122223333', "
        "from: 2025-06-01}\n"
        "- {id: '000011112223', payer: '111122223333', from: 2025-06-01, to: 2025-07-01}\n---\nkind: Reseller\nid: z\n",
        "# a comment\n{id: z, kind: Reseller, consolidation: end_customer, name: z}\n---\n"
        "accounts:\n- {to: '2025-07-01T00:00:00Z', from: '2025-06-01T00:00:00.000Z', id: 000011112223, payer: "
        "111122223333}\n"
        "- {from: 2025-06-01, id: \"000011112222\", payer: 111122223333}\ntax: [{percent: '1.9E1', name: VAT}]\n"
        "commitment_policy: on_demand\ncredit_policy: {mode: keep}\nrefund_policy: price_book\ninvoice_currency: "
        "USD\nname: Acme\n" HEAD);
}

Test(canonical, rules_and_versions_are_sorted)
{
    expect_same("kind: PriceBook\nid: b\ncurrency: USD\nversions:\n"
                "- {effective_from: 2025-02-01, rules: [{id: x, priority: 1, match: {}, price: {free: true}}]}\n"
                "- effective_from: 2025-01-01\n  rules:\n"
                "  - {id: b, priority: 20, price: {rate: 0.50}}\n"
                "  - {id: c, priority: 30, price: {pass: payer}}\n"
                "  - {id: a, priority: 10, match: {usage_type: [EU-*, BoxUsage*], unit: Hrs}, price: {percent: -5.00, "
                "of: list}}\n",
                "kind: PriceBook\nid: b\ncurrency: USD\nversions:\n"
                "- effective_from: 2025-01-01T00:00:00Z\n  rules:\n"
                "  - {id: a, priority: 10, match: {unit: [Hrs], usage_type: [BoxUsage*, EU-*]}, price: {of: list, "
                "percent: -5}}\n"
                "  - {id: b, priority: 20, price: {rate: .5}}\n"
                "  - {id: c, priority: 30, match: {}, price: {pass: payer}}\n"
                "- {effective_from: 2025-02-01, rules: [{id: x, priority: 1, price: {free: true}}]}\n");
}

Test(canonical, anchors_are_expanded)
{
    expect_same("kind: PriceBook\nid: b\ncurrency: USD\nversions:\n- {effective_from: 2025-01-01, rules: &r [{id: x, "
                "priority: 1, price: {free: true}}]}\n"
                "- {effective_from: 2025-02-01, rules: *r}\n",
                "kind: PriceBook\nid: b\ncurrency: USD\nversions:\n- {effective_from: 2025-01-01, rules: [{id: x, "
                "priority: 1, price: {free: true}}]}\n"
                "- {effective_from: 2025-02-01, rules: [{id: x, priority: 1, price: {free: true}}]}\n");
}

/* The same documents, spread over files in another order. */
Test(canonical, files_do_not_matter)
{
    static const char *const documents[] = {
        "kind: Reseller\nid: r\n---\n",
        "kind: Reseller\nid: a\n---\n",
        "{kind: PriceBook, id: b, currency: USD, versions: [{effective_from: 2025-01-01, rules: [{id: x, priority: 1, "
        "price: {free: true}}]}]}\n---\n",
        "{kind: Customer, id: c, reseller: r, price_book: b}\n---\n",
    };
    static const int orders[][4] = {{0, 1, 2, 3}, {3, 2, 1, 0}, {2, 0, 3, 1}};
    char *first = NULL;
    for (int o = 0; o < 3; o++) {
        char *folder = folder_new();
        cm_buffer both[2] = {{0}};
        for (int i = 0; i < 4; i++)
            cm_buffer_text(&both[(i + o) % 2], documents[orders[o][i]]);
        folder_write(folder, o == 1 ? "z.yml" : "a.yaml", cm_buffer_string(&both[0]));
        folder_write(folder, "sub/m.yaml", cm_buffer_string(&both[1]));
        cm_catalog_problems problems = {0};
        cm_error err = {0};
        json_t *canonical = cm_catalog_read(folder, &problems, &err);
        cr_assert_not_null(canonical);
        char *text = cm_catalog_text(canonical);
        if (first)
            cr_assert_str_eq(text, first);
        if (!first)
            first = text;
        else
            free(text);
        json_decref(canonical);
        cm_buffer_free(&both[0]);
        cm_buffer_free(&both[1]);
        folder_remove(folder);
    }
    free(first);
}

Test(canonical, a_value_changes_the_id)
{
    cm_catalog *a = catalog_of_text(HEAD), *b = catalog_of_text(HEAD "name: acme\n"),
               *c = catalog_of_text(HEAD "name: Acme\n");
    cr_assert_str_eq(a->id, b->id); /* the default written out */
    cr_assert_str_neq(a->id, c->id);
    cr_assert_eq(strlen(a->id), 32);
    cm_catalog_free(a);
    cm_catalog_free(b);
    cm_catalog_free(c);
}

Test(canonical, text_survives_reading_it_as_json)
{
    json_t *canonical = canonical_of_text(HEAD "name: \"K\xc3\xa4se \\\"&\\\" \\\\ \xf0\x9f\x98\x80\"\n");
    char *text = cm_catalog_text(canonical);
    json_t *again = json_loads(text, 0, NULL);
    char *second = cm_catalog_text(again);
    cr_assert_str_eq(text, second);
    cm_error err;
    cm_catalog *catalog = cm_catalog_parse(text, &err);
    cr_assert_str_eq(cm_catalog_customer(catalog, "acme")->name, "K\xc3\xa4se \"&\" \\ \xf0\x9f\x98\x80");
    cm_catalog_free(catalog);
    free(text);
    free(second);
    json_decref(canonical);
    json_decref(again);
}

static void expect_diff(const char *before, const char *after, const char *expected)
{
    json_t *a = canonical_of_text(before), *b = canonical_of_text(after);
    cm_buffer out = {0};
    cm_catalog_diff(a, b, &out);
    cr_assert_str_eq(cm_buffer_string(&out), expected);
    cm_buffer_free(&out);
    json_decref(a);
    json_decref(b);
}

#define BOOK_OF(rules)                                                                                                 \
    "kind: PriceBook\nid: b\ncurrency: USD\nversions:\n- effective_from: 2025-01-01\n  rules:\n" rules
#define LAST "  - {id: z, priority: 99, price: {pass: payer}}\n"

Test(diff, in_words)
{
    expect_diff(HEAD, HEAD, "");
    expect_diff("# nothing\n", HEAD, "added Customer acme\n");
    expect_diff(HEAD, "kind: Reseller\nid: r\n", "removed Customer acme\nadded Reseller r\n");
    expect_diff(HEAD, HEAD "invoice_currency: EUR\ncredit_policy: {mode: split, percent: 50}\n",
                "changed Customer acme: credit_policy.mode keep -> split\n"
                "changed Customer acme: credit_policy.percent (none) -> 50\n"
                "changed Customer acme: invoice_currency USD -> EUR\n");
    expect_diff(BOOK_OF("  - {id: a, priority: 10, match: {unit: x}, price: {percent: -5, of: list}}\n" LAST),
                BOOK_OF("  - {id: a, priority: 10, match: {unit: x}, price: {percent: -4, of: list}}\n" LAST),
                "changed PriceBook b: versions[0].rules[0].price.percent -5 -> -4\n");
}

/* A rule before it does not make every later rule look changed. */
Test(diff, elements_are_recognised_by_their_id)
{
    expect_diff(BOOK_OF(LAST), BOOK_OF("  - {id: new, priority: 1, match: {unit: x}, price: {free: true}}\n" LAST),
                "changed PriceBook b: versions[0].rules[0] (none) -> "
                "{\"id\":\"new\",\"match\":{\"unit\":[\"x\"]},\"price\":{\"free\":true},\"priority\":1}\n");
    expect_diff(HEAD "accounts:\n- {id: '000011112222', payer: '111122223333', from: 2025-06-01}\n",
                HEAD "accounts:\n- {id: '000011112221', payer: '111122223333', from: 2025-06-01}\n"
                     "- {id: '000011112222', payer: '111122223333', from: 2025-06-01, support_plan_group: tds}\n",
                "changed Customer acme: accounts[000011112221] (none) -> "
                "{\"from\":\"2025-06-01T00:00:00Z\",\"id\":\"000011112221\",\"payer\":\"111122223333\"}\n"
                "changed Customer acme: accounts[000011112222].support_plan_group (none) -> tds\n");
    expect_diff(HEAD "tax: [{name: VAT, percent: 19}]\naddress: [a]\n",
                HEAD "tax: [{name: VAT, percent: 20}]\naddress: [a, b]\n",
                "changed Customer acme: address [\"a\"] -> [\"a\",\"b\"]\n"
                "changed Customer acme: tax[0].percent 19 -> 20\n");
}

Test(diff, against_nothing)
{
    json_t *canonical = canonical_of_text("# only the base\n");
    cm_buffer out = {0};
    cm_catalog_diff(NULL, canonical, &out);
    cr_assert(strstr(cm_buffer_string(&out), "added Payer 111122223333\n"));
    cr_assert(strstr(cm_buffer_string(&out), "added SupportPlanGroup tds\n"));
    cr_assert_null(strstr(cm_buffer_string(&out), "changed"));
    cm_buffer_free(&out);
    json_decref(canonical);
}
