/* Canonical text -> struct, lookups, and damaged texts. */
#include "support.h"

#include "billing/catalog/model/plans.h"
#include "billing/catalog/parse/canonical.h"
#include "billing/catalog/parse/json_reader.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

static void decimal_is(cm_decimal value, const char *expected)
{
    char text[CM_DECIMAL_TEXT];
    cm_decimal_print(value, text);
    cr_assert_str_eq(text, expected);
}

#define HEAD "kind: Customer\nid: acme\nreseller: northwind\nprice_book: standard\n"

/* rating.md section 3: an account that moves between customers, and one under two payers. */
Test(parse, links_by_payer_account_and_time)
{
    cm_catalog *catalog = catalog_of_text(
        HEAD "accounts:\n- {id: '000011112222', payer: '111122223333', from: 2025-06-01, to: 2025-07-01, support_plan: "
             "business}\n"
             "- {id: '000011112222', payer: '222233334444', from: 2025-01-01, name: Sandbox}\n"
             "- {id: '000011112223', payer: '111122223333', from: 2025-01-01}\n---\n"
             "kind: Customer\nid: zulu\nreseller: northwind\nprice_book: standard\n"
             "accounts: [{id: '000011112222', payer: '111122223333', from: 2025-07-01, support_plan_group: tds}]\n");
    size_t count;
    const cm_link *links = cm_catalog_links(catalog, "111122223333", cm_slice_of("000011112222"), &count);
    cr_assert_eq(count, 2);
    cr_assert_str_eq(links[0].customer->id, "acme");
    cr_assert_eq(links[0].to, cm_period_start((cm_period){2025, 7}));
    cr_assert_str_eq(links[0].declared_plan, "business");
    cr_assert_null(links[0].own_group);
    cr_assert_str_eq(links[1].customer->id, "zulu");
    cr_assert_eq(links[1].to, INT64_MAX);
    cr_assert_str_eq(links[1].own_group->id, "tds");
    cm_catalog_links(catalog, "222233334444", cm_slice_of("000011112222"), &count);
    cr_assert_eq(count, 1);
    cr_assert_null(cm_catalog_links(catalog, "222233334444", cm_slice_of("000011112223"), &count));
    cr_assert_eq(count, 0);
    cr_assert_null(cm_catalog_links(catalog, "111122223333", cm_slice_of("00001111222"), &count));
    cr_assert_null(cm_catalog_links(catalog, "111122223333", cm_slice_of("0000111122222"), &count));
    cr_assert_null(cm_catalog_links(catalog, "111122223333", cm_slice_of(""), &count));
    /* the slice is not NUL-terminated */
    cm_catalog_links(catalog, "111122223333", (cm_slice){"0000111122239", 12}, &count);
    cr_assert_eq(count, 1);
    cm_catalog_free(catalog);
}

Test(parse, policies)
{
    cm_catalog *catalog =
        catalog_of_text(HEAD "commitment_policy: pass_through\ncredit_policy: {mode: split, percent: 12.5}\n"
                             "refund_policy: keep\ninvoice_currency: JPY\n---\n"
                             "kind: Customer\nid: b\nreseller: northwind\nprice_book: standard\ncredit_policy: pass\n");
    const cm_customer *acme = cm_catalog_customer(catalog, "acme");
    cr_assert_eq(acme->terms->commitment_policy, CM_COMMITMENT_PASS_THROUGH);
    cr_assert_eq(acme->terms->credit_mode, CM_CREDIT_SPLIT);
    decimal_is(acme->terms->credit_percent, "12.5");
    cr_assert_eq(acme->terms->refund_policy, CM_REFUND_KEEP);
    cr_assert_eq(acme->terms->tax_count, 0);
    cr_assert_eq(cm_catalog_customer(catalog, "b")->terms->credit_mode, CM_CREDIT_PASS);
    cm_catalog_free(catalog);
}

/* N21: the default currency is USD; N18: end_customer is the default. */
Test(parse, N18_N21_defaults)
{
    cm_catalog *catalog = catalog_of_text(HEAD);
    cr_assert_str_eq(cm_catalog_customer(catalog, "acme")->terms->invoice_currency, "USD");
    cr_assert_str_eq(cm_catalog_customer(catalog, "acme")->name, "acme");
    cr_assert_str_eq(catalog->resellers[0].consolidation, "end_customer");
    cr_assert_null(cm_catalog_payer(catalog, "111122223333")->source);
    cr_assert_null(cm_catalog_payer(catalog, "111122223333")->reports);
    cr_assert_null(cm_catalog_payer(catalog, "111122223333")->buy_book);
    cm_catalog_free(catalog);
}

/* O04: many customers on the one master price book; R01: or each on its own. */
Test(parse, O04_R01_books_by_customer)
{
    cm_catalog *catalog =
        catalog_of_text(HEAD "---\n{kind: Customer, id: b, reseller: northwind, price_book: standard}\n---\n"
                             "{kind: Customer, id: c, reseller: northwind, price_book: own}\n---\n"
                             "{kind: PriceBook, id: own, currency: EUR, versions: [{effective_from: 2025-01-01, rules: "
                             "[{id: x, priority: 5, price: {free: true}}]}]}\n");
    cr_assert_eq(cm_catalog_customer(catalog, "acme")->terms->price_book,
                 cm_catalog_customer(catalog, "b")->terms->price_book);
    cr_assert_str_eq(cm_catalog_customer(catalog, "c")->terms->price_book->id, "own");
    cr_assert_str_eq(cm_catalog_customer(catalog, "c")->terms->price_book->currency, "EUR");
    cm_catalog_free(catalog);
}

/* R02: prices change at a time; also within a month. */
Test(parse, R02_versions_by_time)
{
    cm_catalog *catalog = catalog_of_text(
        "kind: PriceBook\nid: a\ncurrency: USD\nversions:\n"
        "- {effective_from: 2025-06-15T12:30:00Z, rules: [{id: late, priority: 1, price: {percent: 1, of: payer}}]}\n"
        "- {effective_from: 2025-01-01, rules: [{id: early, priority: 1, price: {pass: payer}}]}\n");
    const cm_price_book *book = &catalog->books[0];
    cr_assert_eq(book->count, 2);
    cr_assert_str_eq(book->versions[0].rules[0].id, "early");
    cr_assert_eq(book->versions[0].rules[0].price, CM_PRICE_PASS);
    cr_assert_eq(book->versions[0].rules[0].of, CM_LAYER_PAYER);
    cr_assert_str_eq(book->versions[1].rules[0].id, "late");
    cr_assert_eq(book->versions[1].effective_from,
                 cm_period_start((cm_period){2025, 6}) + 14 * CM_DAY + 45000 * CM_SECOND);
    cm_catalog_free(catalog);
}

Test(parse, match_keys_and_prices)
{
    cm_catalog *catalog = catalog_of_text(
        "kind: PriceBook\nid: a\ncurrency: USD\nversions:\n- effective_from: 2025-01-01\n  rules:\n"
        "  - id: all-keys\n    priority: 1\n    match: {service: [B, A], usage_type: '*BoxUsage:?', operation: "
        "RunInstances, region: eu-west-1,\n"
        "      sku: S, class: [usage, fee], line_item_type: Usage, account: '000011112222', payer: 111122223333, unit: "
        "Hrs, marketplace: true}\n"
        "    price: {rate: 0.0000000000000000015E1}\n"
        "  - {id: b, priority: 2, match: {operation: [a, b?], marketplace: false}, price: {percent: 2.5, of: buy}}\n"
        "  - {id: z, priority: 3, price: {free: true}}\n");
    const cm_rule *rules = catalog->books[0].versions[0].rules;
    for (int i = 0; i < CM_MATCH_KEYS; i++)
        cr_assert_eq(rules[0].match[i].count, i == CM_MATCH_SERVICE || i == CM_MATCH_CLASS ? 2 : 1);
    cr_assert_str_eq(rules[0].match[CM_MATCH_SERVICE].values[0], "A");
    cr_assert_str_eq(rules[0].match[CM_MATCH_SERVICE].values[1], "B");
    cr_assert(rules[0].match[CM_MATCH_USAGE_TYPE].glob);
    cr_assert_not(rules[0].match[CM_MATCH_OPERATION].glob);
    cr_assert_str_eq(rules[0].match[CM_MATCH_CLASS].values[0], "fee");
    cr_assert_str_eq(rules[0].match[CM_MATCH_PAYER].values[0], "111122223333");
    cr_assert_eq(rules[0].marketplace, 1);
    cr_assert_eq(rules[0].price, CM_PRICE_RATE);
    decimal_is(rules[0].rate, "0.000000000000000015");
    cr_assert(rules[1].match[CM_MATCH_OPERATION].glob);
    cr_assert_eq(rules[1].marketplace, 0);
    cr_assert_eq(rules[1].of, CM_LAYER_BUY);
    cr_assert_eq(rules[2].price, CM_PRICE_FREE);
    cr_assert_eq(rules[2].marketplace, -1);
    cm_catalog_free(catalog);
}

Test(parse, support_products)
{
    cm_catalog *catalog = catalog_of_text("{kind: SupportProduct, id: AWSPremiumCare}\n---\n"
                                          "{kind: SupportProduct, id: AWSCare}\n");
    cr_assert_eq(catalog->support_product_count, 2);
    cr_assert_str_eq(catalog->support_products[0], "AWSCare");
    cr_assert_str_eq(catalog->support_products[1], "AWSPremiumCare");
    cr_assert(cm_is_support_product(catalog, cm_slice_of("awspremiumCARE")));
    cr_assert_not(cm_is_support_product(catalog, cm_slice_of("AWSPremium")));
    cm_catalog_free(catalog);
}

Test(parse, line_types)
{
    cm_catalog *catalog = catalog_of_text("{kind: LineItemType, name: NewDiscount, class: provider_discount}\n---\n"
                                          "{kind: LineItemType, name: AFee, class: fee}\n---\n"
                                          "{kind: LineItemType, id: some-id, name: BFee, class: fee}\n---\n"
                                          "{kind: LineItemType, id: CFee, class: fee}\n");
    cr_assert_eq(catalog->line_type_count, 4);
    cr_assert_str_eq(catalog->line_types[0].name, "AFee");
    cr_assert_str_eq(catalog->line_types[1].name, "BFee"); /* an id beside the name says nothing */
    cr_assert_str_eq(catalog->line_types[2].name, "CFee"); /* alone it is the name */
    cr_assert_eq(catalog->line_types[3].class, CM_CLASS_PROVIDER_DISCOUNT);
    cm_catalog_free(catalog);
}

/* Any cut and any changed byte of a good text is refused or gives a catalog: nothing crashes. */
Test(parse, damaged_texts_are_fatal_or_harmless)
{
    json_t *canonical =
        canonical_of_text(HEAD "tax: [{name: VAT, percent: 19}]\n"
                               "accounts: [{id: '000011112222', payer: '111122223333', from: 2025-06-01}]\n");
    char *text = cm_catalog_text(canonical);
    size_t length = strlen(text);
    cm_error err;
    size_t refused = 0;
    for (size_t cut = 0; cut < length; cut++) {
        char saved = text[cut];
        text[cut] = 0;
        cm_catalog *catalog = cm_catalog_parse(text, &err);
        cr_assert_null(catalog, "cut at %zu", cut);
        cr_assert_eq(err.class, CM_ERROR_FATAL);
        cr_assert_str_eq(err.code, "CATALOG_DAMAGED");
        text[cut] = saved;
    }
    for (size_t at = 0; at < length; at++)
        for (const char *with = "{}[]\",:0\\x"; *with; with++) {
            char saved = text[at];
            text[at] = *with;
            cm_catalog *catalog = cm_catalog_parse(text, &err);
            refused += catalog == NULL;
            cm_catalog_free(catalog);
            text[at] = saved;
        }
    cr_assert_gt(refused, length);
    free(text);
    json_decref(canonical);
}

Test(parse, what_another_version_wrote_is_refused)
{
    static const char *const texts[] = {
        "",
        "[]",
        "{\"Budget\":{}}",
        "{\"Reseller\":{\"r\":{\"name\":\"r\"}}}",
        "{\"Reseller\":{\"r\":{\"name\":\"r\",\"consolidation\":\"full\",\"colour\":\"blue\"}}}",
        "{\"Reseller\":{\"r\":{\"name\":\"r\",\"consolidation\":\"full\"}},\"Reseller\":{}}",
        "{\"Reseller\":{\"s\":{\"name\":\"r\",\"consolidation\":\"full\"},\"r\":{\"name\":\"r\",\"consolidation\":"
        "\"full\"}}}",
        "{\"Reseller\":{}} x",
        "{\"FxRate\":{\"f\":{\"set\":\"reseller\",\"from\":\"USD\",\"to\":\"EUR\",\"period\":\"2025-06\",\"rate\":1}}}",
    };
    cm_error err;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        cr_assert_null(cm_catalog_parse(texts[i], &err), "%s", texts[i]);
        cr_assert_eq(err.class, CM_ERROR_FATAL);
    }
    cm_catalog *empty = cm_catalog_parse("{}", &err);
    cr_assert_not_null(empty);
    cm_catalog_free(empty);
}

Test(parse, id_is_the_sha256_of_the_text)
{
    cm_error err;
    cm_catalog *empty = cm_catalog_parse("{}", &err);
    cr_assert_str_eq(empty->id, "44136fa355b3678a1146ad16f7e8649e");
    cm_catalog_free(empty);
}

Test(json_reader, escapes)
{
    cm_arena *arena = cm_arena_new(0);
    cm_json_reader reader;
    cm_slice text;
    cm_json_open(&reader, cm_slice_of(" \"a\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e4\\u20AC\\ud83d\\ude00\" "), arena);
    cr_assert(cm_json_text(&reader, &text) && cm_json_end(&reader));
    cr_assert(cm_slice_is(text, "a\"\\/\b\f\n\r\t\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"));
    static const char *const bad[] = {"\"\\u0000\"", "\"\\ud83d\"", "\"\\udc00\"", "\"\\x\"", "\"\\u12\"",
                                      "\"a",         "\"a\\",       "\"\n\"",      "a"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        cm_json_open(&reader, cm_slice_of(bad[i]), arena);
        cr_assert_not(cm_json_text(&reader, &text), "%s", bad[i]);
        cr_assert(reader.failed && reader.why);
    }
    cm_arena_free(arena);
}

Test(json_reader, numbers_and_counts)
{
    static const struct {
        const char *text;
        bool good;
        int64_t value;
    } cases[] = {
        {"0", true, 0},
        {"-12", true, -12},
        {"999999999999999999", true, 999999999999999999},
        {"1000000000000000000", false, 0},
        {"1.5", false, 0},
        {"1e3", false, 0},
        {"", false, 0},
        {"-", false, 0},
        {"\"1\"", false, 0},
    };
    cm_json_reader reader;
    int64_t value;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cm_json_open(&reader, cm_slice_of(cases[i].text), NULL);
        cr_assert_eq(cm_json_integer(&reader, &value), cases[i].good, "%s", cases[i].text);
        if (cases[i].good)
            cr_assert_eq(value, cases[i].value);
    }
    cr_assert_eq(cm_json_count(cm_slice_of("[1, \"]\", {\"a\":[1,2]}, []]")), 4);
    cr_assert_eq(cm_json_count(cm_slice_of("{\"a\\\"\":1,\"b\":[{},{}]}")), 2);
    cr_assert_eq(cm_json_count(cm_slice_of("{}")), 0);
    cr_assert_eq(cm_json_count(cm_slice_of("12")), 0);
}

/* Deep nesting is refused, not followed. */
Test(json_reader, depth)
{
    char text[200];
    memset(text, '[', sizeof text - 1);
    text[sizeof text - 1] = 0;
    cm_json_reader reader;
    cm_json_open(&reader, cm_slice_of(text), NULL);
    int depth = 0;
    while (cm_json_enter(&reader, '['))
        depth++;
    cr_assert_eq(depth, CM_JSON_DEPTH - 1);
}

/* A large catalog: every element is found, in good time (the sanitizers make this several times slower). */
Test(parse, large)
{
    enum { CUSTOMERS = 500, ACCOUNTS = 20, RULES = 3000 };
    cm_buffer yaml = {0};
    cm_buffer_text(&yaml,
                   "kind: PriceBook\nid: big\ncurrency: USD\nversions:\n- effective_from: 2025-01-01\n  rules:\n");
    for (int i = 0; i < RULES; i++)
        cm_buffer_printf(&yaml,
                         "  - {id: r%d, priority: %d, match: {service: S%d, usage_type: 'U%d*'}, price: {percent: "
                         "-%d.5, of: list}}\n",
                         i, i, i % 50, i, i % 90);
    cm_buffer_printf(&yaml, "  - {id: rest, priority: %d, price: {pass: payer}}\n", RULES);
    for (int i = 0; i < CUSTOMERS; i++) {
        cm_buffer_printf(&yaml, "---\nkind: Customer\nid: c%d\nreseller: northwind\nprice_book: big\naccounts:\n", i);
        for (int j = 0; j < ACCOUNTS; j++)
            cm_buffer_printf(&yaml, "- {id: '%012d', payer: '111122223333', from: 2025-01-01}\n", i * ACCOUNTS + j);
    }
    cm_catalog *catalog = catalog_of_text(cm_buffer_string(&yaml));
    cr_assert_eq(catalog->customer_count, CUSTOMERS);
    cr_assert_eq(catalog->link_count, CUSTOMERS * ACCOUNTS);
    cr_assert_eq(catalog->books[0].versions[0].count, RULES + 1);
    for (int i = 0; i < CUSTOMERS * ACCOUNTS; i++) {
        char account[16], customer[16];
        size_t count;
        snprintf(account, sizeof account, "%012d", i);
        snprintf(customer, sizeof customer, "c%d", i / ACCOUNTS);
        const cm_link *link = cm_catalog_links(catalog, "111122223333", cm_slice_of(account), &count);
        cr_assert_eq(count, 1);
        cr_assert_str_eq(link->customer->id, customer);
        cr_assert_eq(link->customer, cm_catalog_customer(catalog, customer));
    }
    cm_catalog_free(catalog);
    cm_buffer_free(&yaml);
}
