/* Months for which a support plan group has no price (rating.md section 6; S11): what is refused, what is told. */
#include "support.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#define CUSTOMER        "kind: Customer\nid: acme\nreseller: northwind\nprice_book: standard\naccounts:\n" /* 5 lines */
#define LINK(id, dates) "  - {id: \"" id "\", payer: \"111122223333\", " dates ", support_plan_group: old}\n"
#define A               "000011112222"
#define B               "000011113333"
#define OLD(what)       "---\nkind: SupportPlanGroup\nid: old\n" what "\n"
#define PLAN(months)    "---\nkind: SupportPlan\nid: gold\n" months "\nbands: [{up_to: 10, percent: 5}, {percent: 4}]\n"

static void expect_none(const char *text)
{
    char *found = problems_of(text);
    cr_expect_str_eq(found, "", "%s: %s", text, found);
    free(found);
}

/* An account without an end may never come to the months after its plan: a warning, with the month. */
Test(support_months, an_open_end_is_told_beforehand)
{
    expect_one(CUSTOMER LINK(A, "from: 2025-01-01") OLD("type: business_public"), "t.yaml:10:7",
               "warning: SupportPlanGroup \"old\": plan business_public is not in force from 2027-01 on, and account " A
               " in the group has no end");
    expect_one(CUSTOMER LINK(A, "from: 2025-01-01") LINK(B, "from: 2025-01-01") OLD("plan: enterprise_on_ramp"),
               "t.yaml:11:7", "account " A " and 1 more account in the group have no end");
    expect_none(CUSTOMER LINK(A, "from: 2025-01-01, to: 2027-01-01") OLD("type: developer"));
    expect_none(CUSTOMER LINK(A, "from: 2025-01-01") OLD("type: business"));
    expect_none(CUSTOMER LINK(A, "from: 2026-01-01") OLD("type: business_plus"));
}

/* What the catalog says with dates is refused. */
Test(support_months, months_that_are_named)
{
    expect_one(CUSTOMER LINK(A, "from: 2027-01-01") OLD("type: business_public"), "t.yaml:6:10",
               "error: account " A
               ": plan business_public of SupportPlanGroup \"old\" is not in force from 2027-01 on");
    expect_one(CUSTOMER LINK(A, "from: 2026-06-01, to: 2027-02-01") OLD("type: developer"), "t.yaml:6:10",
               "is not in force from 2027-01 to 2027-01: there is no price");
    expect_one(CUSTOMER LINK(A, "from: 2025-11-01") OLD("type: business_plus"), "t.yaml:10:7",
               "warning: SupportPlanGroup \"old\": plan business_plus is not yet in force from 2025-11 to 2025-12, and "
               "account " A " has the group then");
    expect_one(CUSTOMER LINK(A, "from: 2026-01-01") PLAN("from: 2026-01\nto: 2026-03") OLD("plan: gold\nversions: "
                                                                                           "[{from: 2026-02, percent: "
                                                                                           "1}]"),
               "t.yaml:16:7", "warning: SupportPlanGroup \"old\": plan gold is not in force from 2026-03 on");
    expect_one(PLAN("to: 2026-03") OLD("plan: gold\nversions: [{from: 2026-03, percent: 1}]"), "t.yaml:10:19",
               "error: plan gold of SupportPlanGroup \"old\" is not in force in 2026-03");
}

/* The catalog's own data closes a gap, and can make one. */
Test(support_months, own_data)
{
    static const char account[] = CUSTOMER LINK(A, "from: 2025-01-01");
    cm_buffer text = {0};
    cm_buffer_printf(&text, "%s%s%s", account,
                     "---\nkind: SupportPlan\nid: mine\ntype: developer\nfrom: 2027-01\nbands: [{percent: 3}]\n",
                     OLD("type: developer"));
    expect_none(text.data);
    cm_buffer_free(&text);
    expect_one(CUSTOMER LINK(A, "from: 2025-01-01") PLAN("from: 2025-03") OLD("plan: gold"), "t.yaml:15:7",
               "plan gold is not yet in force from 2025-01 to 2025-02");
    expect_none(CUSTOMER LINK(
        A,
        "from: 2026-01-01") "---\nkind: SupportPlan\nid: unified_operations\nfrom: 2026-01\nminimum: 50000\nbands: [{up_to: 1000000, "
                            "percent: 10}, {percent: 6}]\n" OLD("plan: unified_operations"));
}

/* A minimum or border in another currency than the customer's prices: a warning. */
Test(support_months, currency)
{
    static const char euro[] = "kind: PriceBook\nid: euro\ncurrency: EUR\nversions:\n  - effective_from: 2025-01-01\n"
                               "    rules: [{id: rest, priority: 1, price: {pass: payer}}]\n---\n"
                               "kind: Customer\nid: acme\nreseller: northwind\nprice_book: euro\naccounts:\n"
                               "  - {id: \"" A "\", payer: \"111122223333\", from: 2025-01-01, to: 2026-01-01, "
                               "support_plan_group: old}\n";
    static const struct {
        const char *group, *words;
    } table[] = {
        {OLD("type: business_public"),
         "warning: SupportPlanGroup \"old\": plan business_public is in another currency than EUR, in which account " A
         " has its prices"},
        {OLD("type: developer"), "is in another currency than EUR"},
        {OLD("type: developer\nminimum: 20"), NULL},
        {OLD("type: business_public\npercent: 5\nminimum: 20"), NULL},
        {PLAN("currency: EUR\nminimum: 3") OLD("plan: gold"), NULL},
        {OLD("type: business\nminimum: 20"), NULL}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        cm_buffer text = {0};
        cm_buffer_printf(&text, "%s%s", euro, table[i].group);
        if (table[i].words)
            expect_one(text.data, "t.yaml:17:7", table[i].words);
        else
            expect_none(text.data);
        cm_buffer_free(&text);
    }
}

/* The canonical text keeps its form where nothing new is said, so that ids of versions stay as they were. */
Test(support_months, canonical_text)
{
    json_t *json =
        canonical_of_text("{kind: SupportPlanGroup, id: a, type: business, over: account}\n---\n"
                          "{kind: SupportPlanGroup, id: b, plan: enterprise_2026, over: group, "
                          "versions: [{from: 2026-07, percent: 9, base: {layer: payer, classes: usage}}]}\n");
    const json_t *groups = json_object_get(json, "SupportPlanGroup");
    char *a = json_dumps(json_object_get(groups, "a"), JSON_SORT_KEYS | JSON_COMPACT);
    char *b = json_dumps(json_object_get(groups, "b"), JSON_SORT_KEYS | JSON_COMPACT);
    cr_expect_str_eq(a, "{\"base\":{\"classes\":[\"bundled_discount\",\"covered_usage\",\"usage\"],\"layer\":\"sell\"},"
                        "\"percent\":\"10\",\"type\":\"business\"}");
    cr_expect_str_eq(b,
                     "{\"base\":{\"classes\":[\"bundled_discount\",\"covered_usage\",\"usage\"],\"layer\":\"sell\"},"
                     "\"over\":\"group\",\"plan\":\"enterprise_2026\",\"versions\":[{\"base\":{\"classes\":[\"usage\"],"
                     "\"layer\":\"payer\"},\"from\":\"2026-07\",\"percent\":\"9\"}]}");
    free(a);
    free(b);
    json_decref(json);
}
