/* Every kind of mistake, with the exact place where it is reported. */
#include "billing/catalog/check/read.h"
#include "support.h"

#include <criterion/criterion.h>
#include <stdlib.h>

struct wrong {
    const char *text, *place, *words;
};

static void expect_all(const struct wrong *cases, size_t count)
{
    for (size_t i = 0; i < count; i++)
        expect_one(cases[i].text, cases[i].place, cases[i].words);
}
#define EXPECT_ALL(cases) expect_all(cases, sizeof(cases) / sizeof(cases)[0])

#define CUSTOMER "kind: Customer\nid: acme\nreseller: northwind\nprice_book: standard\n" /* 4 lines */
#define BOOK     "kind: PriceBook\nid: b\ncurrency: USD\nversions:\n"                    /* 4 lines */
#define RULES    "  - effective_from: 2025-01-01\n    rules:\n"                          /* 2 lines */
#define REST     "      - {id: rest, priority: 1000, price: {pass: payer}}\n"

Test(problems, base_documents_are_valid)
{
    char *found = problems_of("# nothing\n");
    cr_assert_str_eq(found, "");
    free(found);
}

Test(problems, documents)
{
    static const struct wrong cases[] = {
        {"- a\n- b\n", "t.yaml:1:1", "a document must be a mapping"},
        {"id: x\n", "t.yaml:1:1", "needs a \"kind\""},
        {"kind: Resseler\nid: x\n", "t.yaml:1:7", "did you mean \"Reseller\"?"},
        {"kind: [Reseller]\nid: x\n", "t.yaml:1:7", "kind must be a single value, not a list"},
        {"kind: Reseller\nname: x\n", "t.yaml:1:1", "Reseller has no \"id\""},
        {"kind: Reseller\nid:\n", "t.yaml:2:1", "Reseller has no \"id\""},
        {"kind: Reseller\nid: 'a b'\n", "t.yaml:2:5", "\"a b\" is not an id"},
        {"kind: Reseller\nid: x\ncolour: blue\n", "t.yaml:3:1",
         "unknown key \"colour\" in Reseller \"x\"; its keys are kind, id"},
        {"kind: Reseller\nid: x\n? [a]\n: b\n", "t.yaml:3:3", "keys are single words"},
        {CUSTOMER "prise_book: b\n", "t.yaml:5:1",
         "unknown key \"prise_book\" in Customer \"acme\"; did you mean \"price_book\"?"},
        {CUSTOMER "name: A\nname: B\n", "t.yaml:6:1",
         "key \"name\" comes twice in Customer \"acme\"; the first is at "},
        {"---\n---\nkind: Reseller\nid: northwind\n", "t.yaml:4:5",
         "Reseller \"northwind\" comes twice; the first is at "},
        {"kind: Reseller\nid: x\nname: \"a\\nb\"\n", "t.yaml:3:7", "may not hold line breaks"},
        {"kind: Reseller\nid: x\nconsolidation: fully\n", "t.yaml:3:16", "did you mean \"full\"?"},
        {"kind: Reseller\nid: x\naddress: {street: y}\n", "t.yaml:3:10", "address must be a list"},
    };
    EXPECT_ALL(cases);
}

Test(problems, yaml_syntax_with_its_place_and_other_files_still_checked)
{
    char *folder = folder_new();
    cm_catalog_problems problems = {0};
    cm_error err = {0};
    folder_write(folder, "a.yaml", "kind: Reseller\nid: [x\n");
    folder_write(folder, "b.yaml", "kind: Reseller\nid: 'x y'\n");
    cr_assert_null(cm_catalog_read(folder, &problems, &err));
    cr_assert_eq(problems.errors, 2);
    cr_assert_eq(problems.list[0].line, 3);
    cr_assert(strstr(problems.list[0].text, "this is not YAML: "));
    cr_assert(strstr(problems.list[1].file, "/b.yaml"));
    cr_assert_eq(problems.list[1].line, 2);
    cr_assert_eq(problems.list[1].column, 5);
    cm_catalog_problems_free(&problems);
    folder_remove(folder);
    static const struct wrong cases[] = {
        {"kind: Reseller\n  id: x\n", "t.yaml:2:5", "this is not YAML"},
        {"kind: Reseller\nid: *x\n", "t.yaml:2:5", "*x refers to an anchor that does not exist"},
        {"kind: Reseller\nid: &x [*x]\n", "t.yaml:2:9", "*x refers to an anchor that does not exist"},
        {"kind: Reseller\nid: \"\x01\"\n", "t.yaml:2:6", "this is not YAML"},
    };
    expect_one(cases[0].text, "t.yaml:2:5", cases[0].words);
    expect_one(cases[1].text, cases[1].place, cases[1].words);
    expect_one(cases[2].text, cases[2].place, cases[2].words);
    char *found = problems_of(cases[3].text);
    cr_assert(strstr(found, cases[3].words), "%s", found);
    free(found);
}

/* References are not judged while a file is cut: what they name may stand in the part that was not read. */
Test(problems, syntax_errors_do_not_cause_others)
{
    char *found = problems_of(
        CUSTOMER "accounts: [{id: '000011112222', payer: '999999999999', from: 2025-06-01}]\n---\nkind: [\n");
    cr_assert(strstr(found, "this is not YAML"));
    cr_assert_null(strstr(found, "there is no Payer"));
    free(found);
}

Test(problems, payers_N16_P07_P08_P14)
{
    static const struct wrong cases[] = {
        {"{kind: Payer, id: '11112222333', lane: x, model: ingram, payer_kind: master, reseller: northwind}\n",
         "t.yaml:1:19", "\"11112222333\" is not an account id: it has 12 digits and is always a string, quote it"},
        {"{kind: Payer, id: 1.11122223333e11, lane: x, model: ingram, payer_kind: master, reseller: northwind}\n",
         "t.yaml:1:19", "quote it"},
        {"kind: Payer\nid: '999999999999'\nlane: X\nmodel: ingram\npayer_kind: master\nreseller: northwind\n",
         "t.yaml:3:7", "lane \"X\" must be a short name"},
        {"kind: Payer\nid: '999999999999'\nlane: x\nmodel: ingramm\npayer_kind: master\nreseller: northwind\n",
         "t.yaml:4:8", "did you mean \"ingram\"?"},
        {"kind: Payer\nid: '999999999999'\nlane: x\nmodel: ingram\npayer_kind: shared\nreseller: northwind\n",
         "t.yaml:5:13", "payer_kind for model ingram (P07, P08, P14) \"shared\" is unknown; it is one of master"},
        {"kind: Payer\nid: '999999999999'\nlane: x\nmodel: tdsynnex\npayer_kind: master\nreseller: northwind\n",
         "t.yaml:5:13", "it is one of shared, dedicated"},
        {"kind: Payer\nid: '999999999999'\nlane: x\nmodel: ingram\npayer_kind: master\nreseller: northwint\n",
         "t.yaml:6:11", "there is no Reseller \"northwint\"; did you mean \"northwind\"?"},
        {"kind: Payer\nid: '999999999999'\nlane: x\nmodel: ingram\npayer_kind: master\nreseller: northwind\nbuy_book: "
         "none-of-it\n",
         "t.yaml:7:11", "there is no PriceBook \"none-of-it\" in this catalog; add it (O02)"},
    };
    EXPECT_ALL(cases);
}

#define PAYER                                                                                                          \
    "kind: Payer\nid: '999999999999'\nlane: x\nmodel: ingram\npayer_kind: master\nreseller: northwind\n" /* 6 lines */

Test(problems, sources)
{
    static const struct wrong cases[] = {
        {PAYER "source: /data\n", "t.yaml:7:9", "source must be a mapping"},
        {PAYER "source: {path: /data}\n", "t.yaml:7:9", "source has no \"type\""},
        {PAYER "source: {type: ftp}\n", "t.yaml:7:16", "type \"ftp\" is unknown; it is one of folder, s3"},
        {PAYER "source: {type: folder}\n", "t.yaml:7:9", "source (folder) of Payer \"999999999999\" has no \"path\""},
        {PAYER "source: {type: folder, path: /x, bucket: b}\n", "t.yaml:7:34", "unknown key \"bucket\""},
        {PAYER "source: {type: s3, prefix: x}\n", "t.yaml:7:9", "has no \"bucket\""},
        {PAYER "source: {type: s3, bucket: b, buckett: c}\n", "t.yaml:7:31", "did you mean \"bucket\"?"},
        {PAYER "source: {type: s3, bucket: b, role_arn: me}\n", "t.yaml:7:41", "is not an ARN"},
        {PAYER "source: {type: s3, bucket: b, endpoint: localhost}\n", "t.yaml:7:41",
         "must begin with http:// or https://"},
        {PAYER "reports: hourly\n", "t.yaml:7:10", "reports must be a list"},
        {PAYER "reports: [b, a, b]\n", "t.yaml:7:17", "reports names \"b\" twice"},
        {PAYER "reports: {since: 2025-03}\n", "t.yaml:7:11", "unknown key \"since\""},
        {PAYER "reports: {from: 2025}\n", "t.yaml:7:17", "from \"2025\" is not a month"},
        {PAYER "reports: {from: 2025-03, none: true}\n", "t.yaml:7:10", "leave out names and from"},
        {PAYER "reports: {none: false}\n", "t.yaml:7:17", "none can only be true"},
        {PAYER "reports: [a]\nnone: true\n", "t.yaml:8:7", "leave out reports"},
    };
    EXPECT_ALL(cases);
}

Test(problems, customers_O02_N21)
{
    static const struct wrong cases[] = {
        {"kind: Customer\nid: acme\nreseller: northwind\n", "t.yaml:1:1",
         "has no \"price_book\": a customer without a price book "
         "cannot be billed, add it first (O02)"},
        {"kind: Customer\nid: acme\nreseller: northwind\nprice_book: standart\n", "t.yaml:4:13",
         "there is no PriceBook \"standart\"; did you mean \"standard\"? (O02)"},
        {CUSTOMER "invoice_currency: Euro\n", "t.yaml:5:19", "\"Euro\" is not a currency of ISO 4217"},
        {CUSTOMER "invoice_currency: usd\n", "t.yaml:5:19", "three upper-case letters"},
        {CUSTOMER "invoice_currency: ABC\n", "t.yaml:5:19", "not a currency"},
        {CUSTOMER "commitment_policy: pass_thru\n", "t.yaml:5:20", "did you mean \"pass_through\"?"},
        {CUSTOMER "refund_policy: pass\n", "t.yaml:5:16", "it is one of price_book, keep"},
        {CUSTOMER "credit_policy: split\n", "t.yaml:5:16", "split needs a percent"},
        {CUSTOMER "credit_policy: {mode: split}\n", "t.yaml:5:16", "split needs a percent"},
        {CUSTOMER "credit_policy: {mode: split, percent: 101}\n", "t.yaml:5:39", "out of range: 0 to 100"},
        {CUSTOMER "credit_policy: {mode: keep, percent: 10}\n", "t.yaml:5:38", "percent belongs to mode split"},
        {CUSTOMER "credit_policy: {mode: splitt, percent: 10}\n", "t.yaml:5:23", "did you mean \"split\"?"},
        {CUSTOMER "credit_policy: {percent: 10}\n", "t.yaml:5:16", "has no \"mode\""},
        {CUSTOMER "tax: {name: VAT, percent: 19}\n", "t.yaml:5:6", "tax must be a list"},
        {CUSTOMER "tax: [{name: VAT}]\n", "t.yaml:5:7", "tax has no \"percent\""},
        {CUSTOMER "tax: [{name: VAT, percent: 19%}]\n", "t.yaml:5:28", "\"19%\" is not a decimal number"},
        {CUSTOMER "tax: [{name: VAT, percent: 0x13}]\n", "t.yaml:5:28", "is not a decimal number"},
        {CUSTOMER "tax: [{name: VAT, percent: 1.0000000000000000001}]\n", "t.yaml:5:28", "at most 18 decimals"},
        {CUSTOMER "tax: [{name: VAT, percent: .inf}]\n", "t.yaml:5:28", "is not a decimal number"},
    };
    EXPECT_ALL(cases);
}

#define ACCOUNT "accounts:\n  - {id: '000011112222', payer: '111122223333', "

Test(problems, accounts_N11_N16_N20)
{
    static const struct wrong cases[] = {
        {CUSTOMER "accounts:\n  - {id: 11112222, payer: '111122223333', from: 2025-06-01}\n", "t.yaml:6:10",
         "is not an account id: it has 12 digits"},
        {CUSTOMER "accounts:\n  - {id: '000011112222', payer: '999999999999', from: 2025-06-01}\n", "t.yaml:6:33",
         "payer: there is no Payer \"999999999999\" in this catalog"},
        {CUSTOMER "accounts:\n  - {id: '000011112222', payer: '111122223334', from: 2025-06-01}\n", "t.yaml:6:33",
         "did you mean \"111122223333\"?"},
        {CUSTOMER "accounts:\n  - {id: '000011112222', payer: '111122223333'}\n", "t.yaml:6:5",
         "has no \"from\": the 1st of the month"},
        {CUSTOMER ACCOUNT "from: 2025-06-31}\n", "t.yaml:6:55", "\"2025-06-31\" is not a time"},
        {CUSTOMER ACCOUNT "from: 2025-06}\n", "t.yaml:6:55", "is not a time"},
        {CUSTOMER ACCOUNT "from: '2025-06-01T00:00:00+02:00'}\n", "t.yaml:6:55", "instant in UTC"},
        {CUSTOMER ACCOUNT "from: 2025-06-01, to: 2025-06-01}\n", "t.yaml:6:71", "to must be after from"},
        {CUSTOMER ACCOUNT "from: 2025-06-15}\n", "t.yaml:6:55", "warning"},
        {CUSTOMER ACCOUNT "from: 2025-06-01T00:00:01Z}\n", "t.yaml:6:55", "not the 1st of a month, 00:00 UTC (N11)"},
        {CUSTOMER ACCOUNT "from: 2025-06-01, support_plan_group: tdss}\n", "t.yaml:6:87",
         "there is no SupportPlanGroup \"tdss\"; did you mean \"tds\"?"},
        {CUSTOMER ACCOUNT "from: 2025-06-01, support_plan: gold}\n", "t.yaml:6:81",
         "it is one of basic, developer, business"},
        {CUSTOMER ACCOUNT "from: 2025-06-01, email: x}\n", "t.yaml:6:67",
         "unknown key \"email\" in an account of Customer"},
        {CUSTOMER "accounts: '000011112222'\n", "t.yaml:5:11", "accounts must be a list"},
        {CUSTOMER "accounts: ['000011112222']\n", "t.yaml:5:12", "an account of Customer \"acme\" must be a mapping"},
    };
    EXPECT_ALL(cases);
}

Test(problems, overlapping_links_name_both_places)
{
    expect_one(CUSTOMER ACCOUNT
               "from: 2025-06-01}\n  - {id: '000011112222', payer: '111122223333', from: 2025-05-01}\n",
               "t.yaml:6:10", "account 000011112222 under payer 111122223333 has two owners at the same time");
    char *found =
        problems_of(CUSTOMER ACCOUNT "from: 2025-06-01, to: 2025-09-01}\n---\n"
                                     "kind: Customer\nid: other\nreseller: northwind\nprice_book: standard\n" ACCOUNT
                                     "from: 2025-08-01}\n");
    cr_assert(strncmp(found, "t.yaml:13:10: error: ", 21) == 0, "%s", found);
    cr_assert(strstr(found, "Customer \"other\" here and Customer \"acme\" at /"), "%s", found);
    cr_assert(strstr(found, "t.yaml:6:10; end the one"), "%s", found);
    free(found);
    /* a short one within a long one, then a third that meets the long one only */
    found = problems_of(CUSTOMER ACCOUNT
                        "from: 2025-01-01, to: 2026-01-01}\n"
                        "  - {id: '000011112222', payer: '111122223333', from: 2025-02-01, to: 2025-03-01}\n"
                        "  - {id: '000011112222', payer: '111122223333', from: 2025-06-01}\n");
    cr_assert(strncmp(found, "t.yaml:7:10: error: ", 20) == 0 && strstr(found, "\nt.yaml:8:10: error: "), "%s", found);
    free(found);
    /* half-open intervals that meet, and the same account under two payers, are right */
    found = problems_of(CUSTOMER ACCOUNT "from: 2025-06-01, to: 2025-09-01}\n"
                                         "  - {id: '000011112222', payer: '111122223333', from: 2025-09-01}\n"
                                         "  - {id: '000011112222', payer: '222233334444', from: 2025-06-01}\n");
    cr_assert_str_eq(found, "");
    free(found);
}

/* O06, R06: refused with the model's own words; allowed where the model allows it. */
Test(problems, O06_R06_pass_through)
{
    expect_one(CUSTOMER "commitment_policy: pass_through\n" ACCOUNT "from: 2025-06-01}\n"
                        "  - {id: '000011112223', payer: '111122223333', from: 2025-06-01}\n",
               "t.yaml:5:20", "is not available (O06, R06); use on_demand");
    char *found = problems_of(CUSTOMER "commitment_policy: pass_through\naccounts:\n"
                                       "  - {id: '000011112222', payer: '222233334444', from: 2025-06-01}\n");
    cr_assert_str_eq(found, "");
    free(found);
    found = problems_of(CUSTOMER "commitment_policy: pass_through\naccounts:\n"
                                 "  - {id: '000011112222', payer: '111122223333', from: 2025-06-01}\n");
    cr_assert(strstr(found, cm_payer_model_find("tdsynnex")->pass_through_refusal), "%s", found);
    free(found);
}

Test(problems, P07_dedicated_payer_of_several_customers)
{
    expect_one(CUSTOMER "accounts: [{id: '000011112222', payer: '333344445555', from: 2025-06-01}]\n---\n"
                        "kind: Customer\nid: other\nreseller: northwind\nprice_book: standard\n"
                        "accounts: [{id: '000011112223', payer: '333344445555', from: 2025-06-01}]\n",
               "base.yaml:8:19",
               "warning: Payer \"333344445555\" is a dedicated payer (one customer's own organization, P07)");
}

Test(problems, books)
{
    static const struct wrong cases[] = {
        {"kind: PriceBook\nid: b\nversions:\n" RULES REST, "t.yaml:1:1", "has no \"currency\""},
        {"kind: PriceBook\nid: b\ncurrency: USD\nversions: []\n", "t.yaml:4:11", "has no version"},
        {BOOK "  - rules:\n" REST, "t.yaml:5:5",
         "has no \"effective_from\": the instant from which its prices hold (R02)"},
        {BOOK "  - effective_from: soon\n    rules:\n" REST, "t.yaml:5:21", "\"soon\" is not a time"},
        {BOOK RULES REST "  - effective_from: 2025-01-01T00:00:00Z\n    rules:\n" REST, "t.yaml:8:21",
         "two versions of PriceBook \"b\" have this effective_from; the other is at "},
        {BOOK RULES "      - {id: a, priority: 1, match: {service: AmazonEC2}, price: {free: true}}\n", "t.yaml:5:5",
         "has no catch-all rule"},
        {BOOK RULES "      - {id: a, priority: 1, match: {}, price: {rate: 2}}\n", "t.yaml:5:5",
         "rates and tiers do not match refunds"},
        {BOOK RULES "      - {id: a, priority: 1, match: {marketplace: false}, price: {free: true}}\n", "t.yaml:5:5",
         "has no catch-all rule"},
        {BOOK RULES "      - {priority: 1, match: {unit: Hrs}, price: {free: true}}\n" REST, "t.yaml:7:9",
         "a rule of PriceBook \"b\" has no \"id\""},
        {BOOK RULES "      - {id: a, match: {unit: Hrs}, price: {free: true}}\n" REST, "t.yaml:7:9",
         "has no \"priority\""},
        {BOOK RULES "      - {id: a, priority: 1.5, match: {unit: Hrs}, price: {free: true}}\n" REST, "t.yaml:7:27",
         "must be a whole number"},
        {BOOK RULES "      - {id: a, priority: 1, match: {unit: Hrs}}\n" REST, "t.yaml:7:9", "has no \"price\""},
        {BOOK RULES "      - {id: rest, priority: 1, match: {unit: Hrs}, price: {free: true}}\n" REST, "t.yaml:8:14",
         "rule id \"rest\" comes twice in one version; the other is at "},
        {BOOK RULES "      - {id: a, priority: 1000, match: {unit: Hrs}, price: {free: true}}\n" REST, "t.yaml:8:30",
         "priority 1000 comes twice in one version; the other is at "},
        {BOOK RULES REST "      - {id: a, priority: 1001, match: {unit: Hrs}, price: {free: true}}\n", "t.yaml:8:9",
         "warning: this rule is never reached"},
        {BOOK RULES "      - {id: a, priority: 1, match: {unit: Hrs}, price: {free: true}, note: x}\n" REST,
         "t.yaml:7:71", "unknown key \"note\""},
    };
    EXPECT_ALL(cases);
}

#define PRICE(p) BOOK RULES "      - {id: a, priority: 1, match: {unit: Hrs}, price: " p "}\n" REST
#define MATCH(m) BOOK RULES "      - {id: a, priority: 1, match: " m ", price: {free: true}}\n" REST

Test(problems, prices)
{
    static const struct wrong cases[] = {
        {PRICE("{}"), "t.yaml:7:57", "must have exactly one of percent, rate, pass, free, tiers; it has none"},
        {PRICE("{rate: 1, free: true}"), "t.yaml:7:57", "it has several"},
        {PRICE("5"), "t.yaml:7:57", "must be a mapping (key: value)"},
        {PRICE("{percent: 5}"), "t.yaml:7:67", "percent of what?"},
        {PRICE("{percent: 5, of: sell}"), "t.yaml:7:74", "of: sell is what this rule is to find"},
        {PRICE("{percent: 5, of: pay}"), "t.yaml:7:74", "of \"pay\" is unknown; did you mean \"payer\"?"},
        {PRICE("{percent: -100.5, of: list}"), "t.yaml:7:67", "out of range: -100 to 10000"},
        {PRICE("{percent: 10001, of: list}"), "t.yaml:7:67", "out of range"},
        {PRICE("{percent: five, of: list}"), "t.yaml:7:67", "\"five\" is not a decimal number"},
        {PRICE("{rate: -1}"), "t.yaml:7:64", "out of range"},
        {PRICE("{rate: 1, of: list}"), "t.yaml:7:71", "of belongs to percent"},
        {PRICE("{pass: list}"), "t.yaml:7:64", "only pass: payer exists"},
        {PRICE("{free: false}"), "t.yaml:7:64", "free: false says nothing"},
        {PRICE("{free: 'true'}"), "t.yaml:7:64", "free must be true or false, without quotes"},
        {PRICE("{rate: 1, mode: volume}"), "t.yaml:7:73", "mode belongs to tiers"},
        {PRICE("{procent: 5}"), "t.yaml:7:58", "x"},
    };
    expect_all(cases, sizeof cases / sizeof cases[0] - 1);
    char *found = problems_of(cases[15].text); /* two: the wrong key, and no price is left */
    cr_assert(
        strstr(found,
               "t.yaml:7:58: error: unknown key \"procent\" in price of rule \"a\" of PriceBook \"b\"; did you mean "
               "\"percent\"?"),
        "%s", found);
    free(found);
}

Test(problems, tiers)
{
    static const struct wrong cases[] = {
        {PRICE("{tiers: [{up_to: 10, rate: 1}], mode: graduated, over: account}"), "t.yaml:7:66",
         "the last tier may have no up_to"},
        {PRICE("{tiers: [{rate: 1}, {rate: 2}], mode: graduated}"), "t.yaml:7:66",
         "only the last tier may be without up_to"},
        {PRICE("{tiers: [{up_to: 5, rate: 1}, {up_to: 5, rate: 1}, {rate: 0}], mode: volume}"), "t.yaml:7:95",
         "up_to must grow from tier to tier"},
        {PRICE("{tiers: [{rate: 1}]}"), "t.yaml:7:65", "tiers in which mode?"},
        {PRICE("{tiers: [{rate: 1}], mode: graded}"), "t.yaml:7:84", "did you mean \"graduated\"?"},
        {PRICE("{tiers: [{rate: 1}], mode: volume, over: payer}"), "t.yaml:7:98", "over \"payer\" is unknown"},
        {PRICE("{tiers: [], mode: volume}"), "t.yaml:7:65", "tiers is empty"},
        {PRICE("{tiers: [{rate: -1}], mode: volume}"), "t.yaml:7:73", "out of range"},
        /* A month has one set of tiers for a rule. */
        {PRICE(
             "{tiers: [{rate: 1}], mode: volume}") "  - effective_from: 2025-01-15\n    rules:\n      - {id: a, priority: 1, match: {unit: Hrs}, price: {rate: 1}}\n" REST,
         "t.yaml:9:21", "tiers, which count a whole month"},
    };
    EXPECT_ALL(cases);
    char *found = problems_of(PRICE(
        "{tiers: [{up_to: 10, rate: 1}, {rate: 0.5}], mode: graduated}") "  - effective_from: 2025-02-01\n    rules:\n      - {id: a, priority: 1, match: {unit: Hrs}, price: {rate: 1}}\n" REST);
    cr_assert_str_eq(found, "");
    free(found);
    found = problems_of(BOOK RULES "      - {id: a, priority: 1, price: {tiers: [{rate: 1}], mode: volume}}\n");
    cr_assert(strstr(found, "has no catch-all rule"), "%s", found);
    free(found);
}

#define CHARGE "kind: CustomCharge\nid: c\ncustomer: acme\nlane: tdsynnex\n" /* 4 lines */
#define CREDIT "kind: Credit\nid: c\ncustomer: acme\nlane: tdsynnex\n"

Test(problems, custom_charges_and_credits)
{
#define ACME CUSTOMER "accounts: []\n---\n" /* 6 lines */
    static const struct wrong cases[] = {
        {ACME CHARGE "amount: 5\ncurrency: USD\n", "t.yaml:7:1", "needs either period (one-off: its month) or from"},
        {ACME CHARGE "amount: 5\ncurrency: USD\nperiod: 2025-06\nfrom: 2025-06\n", "t.yaml:7:1", "needs either period"},
        {ACME CHARGE "amount: 5\ncurrency: USD\nperiod: 2025-06\nto: 2025-07\n", "t.yaml:14:5", "to belongs to from"},
        {ACME CHARGE "amount: 5\ncurrency: USD\nfrom: 2025-06\nto: 2025-06\n", "t.yaml:14:5", "must be after from"},
        {ACME CHARGE "amount: 5\ncurrency: USD\nperiod: 2025-06-01\n", "t.yaml:13:9", "must be a month"},
        {ACME CHARGE "amount: 5\nperiod: 2025-06\n", "t.yaml:11:9", "amount in which currency?"},
        {ACME CHARGE "period: 2025-06\n", "t.yaml:7:1", "needs either amount and currency, or percent"},
        {ACME CHARGE "percent: 5\ncurrency: USD\nperiod: 2025-06\n", "t.yaml:12:11", "currency belongs to amount"},
        {ACME CHARGE "amount: 5\ncurrency: USD\nbase: {layer: sell}\nperiod: 2025-06\n", "t.yaml:13:7",
         "base belongs to percent"},
        {ACME "kind: CustomCharge\nid: c\ncustomer: acme\npercent: 5\nperiod: 2025-06\n", "t.yaml:7:1",
         "no account yet that would tell"},
        {ACME "kind: CustomCharge\nid: c\ncustomer: acme\nlane: tdsynex\npercent: 5\nperiod: 2025-06\n", "t.yaml:10:7",
         "no payer of this catalog has the lane \"tdsynex\""},
        {ACME CREDIT "amount: 0\ncurrency: USD\nfrom: 2025-06\n", "t.yaml:11:9", "greater than 0"},
        {ACME CREDIT "amount: 1\ncurrency: USD\nfrom: 2025-06\nexpires: 2025-05\n", "t.yaml:14:10",
         "must be after from"},
        {CREDIT "amount: 1\ncurrency: USD\nfrom: 2025-06\n", "t.yaml:3:11", "there is no Customer \"acme\""},
    };
    EXPECT_ALL(cases);
    char *found = problems_of(ACME CHARGE "percent: 5\nfrom: 2025-06\nbase: {layer: list, classes: usage}\n---\n" CREDIT
                                          "amount: 1\ncurrency: USD\nfrom: 2025-06\n");
    cr_assert_str_eq(found, "");
    free(found);
}

Test(problems, matches)
{
    static const struct wrong cases[] = {
        {MATCH("{services: AmazonEC2}"), "t.yaml:7:38", "did you mean \"service\"?"},
        {MATCH("{service: Amazon*}"), "t.yaml:7:47", "* and ? have a meaning in usage_type and operation only"},
        {MATCH("{sku: 'A?'}"), "t.yaml:7:43", "compared as it is written"},
        {MATCH("{class: usgae}"), "t.yaml:7:45", "class \"usgae\" is unknown; did you mean \"usage\"?"},
        {MATCH("{class: suspended}"), "t.yaml:7:45", "is unknown"},
        {MATCH("{account: 123}"), "t.yaml:7:47", "12 digits"},
        {MATCH("{unit: []}"), "t.yaml:7:44", "is an empty list"},
        {MATCH("{unit: }"), "t.yaml:7:44", "a match key without a value"},
        {MATCH("{unit: [a, a]}"), "t.yaml:7:48", "unit names \"a\" twice"},
        {MATCH("{unit: {a: b}}"), "t.yaml:7:44", "unit must be a list or a single value, not a mapping"},
        {MATCH("{marketplace: yes}"), "t.yaml:7:51", "marketplace must be true or false"},
    };
    EXPECT_ALL(cases);
}

/* A book that is somebody's buy book may not read `buy`, also if a customer uses it as well. */
Test(problems, buy_books_read_list_and_payer_only)
{
#define READS_BUY BOOK RULES "      - {id: a, priority: 1, price: {percent: 5, of: buy}}\n---\n"
    char *found = problems_of(READS_BUY "kind: Customer\nid: acme\nreseller: northwind\nprice_book: b\n");
    cr_assert_str_eq(found, "");
    free(found);
    expect_one(
        READS_BUY "kind: Customer\nid: acme\nreseller: northwind\nprice_book: b\n---\n" PAYER "buy_book: b\n",
        "t.yaml:7:54",
        "rule \"a\" of PriceBook \"b\" reads the layer buy, but Payer \"999999999999\" uses this book as its buy book");
}

Test(problems, support_groups_and_plans)
{
    static const struct wrong cases[] = {
        {"kind: SupportPlanGroup\nid: g\n", "t.yaml:1:1", "has no \"type\""},
        {"kind: SupportPlanGroup\nid: g\ntype: buisness\n", "t.yaml:3:7", "did you mean \"business\"?"},
        {"kind: SupportPlanGroup\nid: g\ntype: business\npercent: -1\n", "t.yaml:4:10", "out of range"},
        {"kind: SupportPlanGroup\nid: g\ntype: business\nbuy_percent: 11\n", "t.yaml:4:14", "makes a loss (N05)"},
        {"kind: SupportPlanGroup\nid: g\ntype: basic\npercent: 1\n", "t.yaml:4:10",
         "percent has no effect on a group of type basic"},
        {"kind: SupportPlanGroup\nid: g\ntype: business\nbase: {layer: cost}\n", "t.yaml:4:15",
         "layer \"cost\" is unknown"},
        {"kind: SupportPlanGroup\nid: g\ntype: business\nbase: {classes: [usage, use]}\n", "t.yaml:4:25",
         "classes \"use\" is unknown"},
        {"kind: SupportPlanGroup\nid: g\ntype: business\nbase: {classes: []}\n", "t.yaml:4:17",
         "a percentage of nothing"},
        {"kind: SupportPlanGroup\nid: g\ntype: developer\nplan: enterprise\n", "t.yaml:4:7", "has a type and a plan"},
        {"kind: SupportPlanGroup\nid: g\nplan: gold\n", "t.yaml:3:7", "there is no SupportPlan \"gold\""},
        {"kind: SupportPlanGroup\nid: g\nplan: unified_operations\n", "t.yaml:3:7",
         "there is no SupportPlan \"unified_operations\""},
        {"kind: SupportPlanGroup\nid: g\ntype: business\nover: customer\n", "t.yaml:4:7",
         "over \"customer\" is unknown"},
        {"kind: SupportPlanGroup\nid: g\ntype: basic\nover: group\n", "t.yaml:4:7",
         "over has no effect on a group of type basic"},
        {"kind: SupportPlanGroup\nid: g\ntype: business\nversions: [{percent: 9}]\n", "t.yaml:4:12", "has no \"from\""},
        {"kind: SupportPlanGroup\nid: g\ntype: business\nversions: [{from: 2025-07-01, percent: 9}]\n", "t.yaml:4:19",
         "from must be a month, like 2026-07"},
        {"kind: SupportPlanGroup\nid: g\ntype: business\nversions: [{from: 2025-08}, {from: 2025-08}]\n", "t.yaml:4:36",
         "in the order of their months"},
        {"kind: SupportPlanGroup\nid: g\ntype: business\nbuy_percent: 9\nversions: [{from: 2025-08, percent: 8, "
         "buy_percent: 8.5}]\n",
         "t.yaml:5:53", "makes a loss (N05)"},
        {"kind: SupportPlan\nid: p\nfrom: 2026-01-15\nbands: [{percent: 3}]\n", "t.yaml:3:7",
         "from must be a month, like 2027-01"},
        {"kind: SupportPlan\nid: developer\ntype: enterprise\nbands: [{percent: 3}]\n", "t.yaml:2:5",
         "developer is one of AWS's plans"},
        {"kind: SupportPlan\nid: p\ntype: business\nbands: [{percent: 3}]\n", "t.yaml:3:7",
         "it is one of developer, business_public"},
        {"kind: SupportPlan\nid: p\ntype: developer\n", "t.yaml:1:1", "has no \"bands\""},
        {"kind: SupportPlan\nid: p\ntype: developer\nbands: []\n", "t.yaml:4:8", "bands is empty"},
        {"kind: SupportPlan\nid: p\ntype: developer\nbands: [{percent: 3}, {percent: 4}]\n", "t.yaml:4:9",
         "only the last band"},
        {"kind: SupportPlan\nid: p\ntype: developer\nbands: [{percent: 3, up_to: 5}]\n", "t.yaml:4:9",
         "the last band may have no up_to"},
        {"kind: SupportPlan\nid: p\ntype: developer\nbands: [{percent: 3, up_to: 5}, {percent: 3, up_to: 5}, {percent: "
         "1}]\n",
         "t.yaml:4:53", "up_to must grow"},
        {"kind: SupportPlan\nid: p\ntype: developer\nfrom: 2026-01-01\nto: 2025-01-01\nbands: [{percent: 3}]\n",
         "t.yaml:5:5", "to must be after from"},
        {"kind: SupportPlan\nid: p\ntype: developer\nto: 2026-01-01\nbands: [{percent: 3}]\n---\n"
         "kind: SupportPlan\nid: q\ntype: developer\nfrom: 2025-01-01\nbands: [{percent: 3}]\n",
         "t.yaml:8:5", "SupportPlan \"q\" and SupportPlan \"p\" at "},
    };
    EXPECT_ALL(cases);
}

#define FX(set, from, to, period, rate)                                                                                \
    "kind: FxRate\nid: f\nset: " set "\nfrom: " from "\nto: " to "\nperiod: " period "\nrate: " rate "\n"

Test(problems, fx_rates_R06_R08)
{
    static const struct wrong cases[] = {
        {FX("bank", "USD", "EUR", "2025-06", "1"), "t.yaml:3:6", "it is one of reseller, distributor"},
        {FX("reseller", "USD", "USD", "2025-06", "1"), "t.yaml:5:5", "the same currency"},
        {FX("reseller", "US", "EUR", "2025-06", "1"), "t.yaml:4:7", "not a currency"},
        {FX("reseller", "USD", "EUR", "2025-13", "1"), "t.yaml:6:9", "period must be a month"},
        {FX("reseller", "USD", "EUR", "2025-06-01", "1"), "t.yaml:6:9", "period must be a month"},
        {FX("reseller", "USD", "EUR", "2025-06", "0"), "t.yaml:7:7", "greater than 0"},
        {FX("reseller", "USD", "EUR", "2025-06", "-1"), "t.yaml:7:7", "out of range"},
        {FX("reseller", "USD", "EUR", "2025-06",
            "1") "---\nkind: FxRate\nid: g\nset: reseller\nfrom: USD\nto: EUR\nperiod: 2025-06\nrate: 2\n",
         "t.yaml:10:5", "FxRate \"g\" repeats what FxRate \"f\" at "},
    };
    EXPECT_ALL(cases);
}

Test(problems, line_item_types)
{
    static const struct wrong cases[] = {
        {"kind: SupportProduct\n", "t.yaml:1:1", "has no \"id\""},
        {"{kind: SupportProduct, id: P, class: support}\n", "t.yaml:1:31", "\"class\""},
        {"{kind: SupportProduct, id: P}\n---\n{kind: SupportProduct, id: P}\n", "t.yaml:3:28",
         "SupportProduct \"P\" comes twice"},
        {"kind: LineItemType\nclass: fee\n", "t.yaml:1:1", "LineItemType has no \"name\""},
        {"kind: LineItemType\nid: Usage\nclass: fee\n", "t.yaml:2:5", "\"Usage\" is built in"},
        {"kind: LineItemType\nname: Usage\nclass: fee\n", "t.yaml:2:7",
         "\"Usage\" is built in (class usage) and cannot be redefined"},
        {"kind: LineItemType\nname: NewDiscount\nclass: discount\n", "t.yaml:3:8", "class \"discount\" is unknown"},
        {"kind: LineItemType\nname: NewDiscount\n", "t.yaml:1:1", "has no \"class\""},
        {"{kind: LineItemType, name: N, class: fee}\n---\n{kind: LineItemType, name: N, class: fee}\n", "t.yaml:3:28",
         "LineItemType \"N\" comes twice"},
    };
    EXPECT_ALL(cases);
}

Test(problems, all_at_once_and_sorted)
{
    char *found = problems_of_alone(
        "kind: Customer\nid: acme\nreseller: r\nprice_book: b\ninvoice_currency: EURO\n"
        "accounts:\n  - {id: 1, payer: '111122223333', from: 2025-06-15}\n  - {id: '000011112222', payer: "
        "'111122223333', from: 2025-06-01, to: 2025-01-01}\n---\nkind: Reseler\n");
    const char *at[] = {"t.yaml:5:19:", "t.yaml:7:10:", "t.yaml:8:71:", "t.yaml:10:7:"};
    const char *line = found;
    for (size_t i = 0; i < sizeof at / sizeof at[0]; i++) {
        cr_assert(line && strncmp(line, at[i], strlen(at[i])) == 0, "%s expected in\n%s", at[i], found);
        line = strchr(line, '\n') + 1;
    }
    cr_assert_eq(*line, 0, "%s", found);
    free(found);
}

Test(problems, folders)
{
    cm_catalog_problems problems = {0};
    cm_error err = {0};
    cr_assert_null(cm_catalog_read("/nonexistent-curmill", &problems, &err));
    cr_assert_eq(err.class, CM_ERROR_NOT_FOUND);
    char *folder = folder_new();
    folder_write(folder, "readme.txt", "kind: nonsense");
    folder_write(folder, ".hidden.yaml", "kind: nonsense");
    cr_assert_null(cm_catalog_read(folder, &problems, &err));
    cr_assert_str_eq(err.code, "CATALOG_EMPTY");
    folder_write(folder, "a.yaml", "# only a comment\n---\n");
    cr_assert_null(cm_catalog_read(folder, &problems, &err));
    cr_assert_str_eq(err.code, "CATALOG_EMPTY");
    folder_write(folder, "deep/er.yml", "kind: Reseller\nid: r\n");
    json_t *canonical = cm_catalog_read(folder, &problems, &err);
    cr_assert_not_null(canonical);
    cr_assert_eq(problems.count, 0);
    json_decref(canonical);
    folder_remove(folder);
}

/* Changed bytes, lost and doubled lines of a good catalog: a list of problems or a catalog that loads, never anything
 * else. */
Test(problems, whatever_is_written_is_refused_or_loads)
{
    static const char good[] = CUSTOMER
        "tax: [{name: VAT, percent: 19}]\n" ACCOUNT "from: 2025-06-01}\n---\n" BOOK RULES
        "      - {id: a, priority: 1, match: {unit: [Hrs, x], usage_type: 'U*'}, price: &p {percent: 5, of: list}}\n"
        "      - {id: b, priority: 2, match: {marketplace: true}, price: *p}\n" REST "---\n" PAYER
        "source: {type: s3, bucket: b}\n---\n" FX(
            "reseller", "USD", "EUR", "2025-06",
            "1.1") "---\nkind: SupportPlan\nid: p\ntype: developer\nbands: [{up_to: 5, percent: 4}, {percent: 3}]\n";
    static const char bytes[] = "{}[]:,-&*'\"#\n \t0a~|>!%@\\";
    uint64_t state = 1;
    size_t refused = 0;
    char *folder = folder_new();
    for (int round = 0; round < 3000; round++) {
        char text[sizeof good];
        memcpy(text, good, sizeof good);
        for (int change = 0; change < 1 + round % 3; change++) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            text[(state >> 33) % (sizeof good - 1)] = bytes[(state >> 20) % (sizeof bytes - 1)];
        }
        cm_catalog_problems problems = {0};
        cm_error err = {0};
        folder_write(folder, "base.yaml", base_documents);
        folder_write(folder, "t.yaml", text);
        json_t *canonical = cm_catalog_read(folder, &problems, &err);
        cr_assert_eq(err.class, CM_ERROR_NONE, "%s for\n%s", err.text, text);
        cr_assert_eq(canonical == NULL, problems.errors > 0);
        refused += canonical == NULL;
        json_decref(canonical);
        cm_catalog_problems_free(&problems);
    }
    cr_assert(refused > 1000 && refused < 3000, "%zu refused", refused);
    folder_remove(folder);
}

/* A credit pays charges before conversion: in a currency that none of them has it would only lie there. A warning, no
 * error. */
Test(problems, credits_that_pay_nothing)
{
#define OF_EUR                                                                                                         \
    "kind: PriceBook\nid: euro\ncurrency: EUR\nversions:\n  - effective_from: 2025-01-01\n    rules:\n      - {id: a, priority: 1, price: {pass: payer}}\n---\n"
#define PAYS(currency)                                                                                                 \
    "---\nkind: Credit\nid: c\ncustomer: acme\nlane: tdsynnex\namount: 5\ncurrency: " currency "\nfrom: 2025-06\n"
#define HAS CUSTOMER "invoice_currency: EUR\n" ACCOUNT "from: 2025-06-01}\n"
    expect_one(
        HAS PAYS("EUR"), "t.yaml:10:5",
        "warning: Credit \"c\" is in EUR, but the charges of Customer \"acme\" are in USD (its price book \"standard\")");
    static const char *const right[] = {
        HAS PAYS("USD"),
        HAS PAYS(
            "EUR") "---\nkind: CustomCharge\nid: k\ncustomer: acme\nlane: tdsynnex\namount: 5\ncurrency: EUR\nperiod: 2025-06\n",
        OF_EUR "kind: Customer\nid: acme\nreseller: northwind\nprice_book: euro\n" ACCOUNT
               "from: 2025-06-01}\n" PAYS("EUR"),
        CUSTOMER
        "commitment_policy: pass_through\naccounts: [{id: '000011112222', payer: '222233334444', from: 2025-06-01}]\n"
        "---\nkind: Credit\nid: c\ncustomer: acme\namount: 5\ncurrency: EUR\nfrom: 2025-06\n", /* what is passed through
                                                                                                  asks no book */
    };
    for (size_t i = 0; i < sizeof right / sizeof *right; i++) {
        char *found = problems_of(right[i]);
        cr_expect_str_eq(found, "", "%s", found);
        free(found);
    }
    /* The price book is in the credit's currency, but what the payer bills passes a buy book in another one. */
    expect_one(
        "kind: Payer\nid: '444433332222'\nlane: euro\nmodel: ingram\npayer_kind: master\nreseller: northwind\nbuy_book: standard\n---\n" OF_EUR
        "kind: Customer\nid: acme\nreseller: northwind\nprice_book: euro\naccounts: [{id: '000011112222', payer: '444433332222', from: 2025-06-01}]\n"
        "---\nkind: Credit\nid: c\ncustomer: acme\namount: 5\ncurrency: EUR\nfrom: 2025-06\n",
        "t.yaml:24:5", "no payer of Customer \"acme\" in its lane bills in that currency");
}
