/* Support plan groups over time and over accounts (rating.md section 6; S10, S11): plans by name and month, a group
 * that changes inside a month, minimums for days, one fee for all accounts, dated versions. Figures by hand. */
#include "documents.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#define COUNT(list) (sizeof(list) / sizeof *(list))
#define ACME        "kind: Customer\nid: acme\nname: A\nreseller: northwind\nprice_book: standard\naccounts:\n"
#define LINK(account, dates, group)                                                                                    \
    "  - {id: \"" account "\", payer: \"" TDS "\", " dates ", support_plan_group: " group "}\n"
#define FIRST  "from: 2025-01-01, to: 2025-06-11"
#define SECOND "from: 2025-06-11"
#define SMALL  "000000000001"
#define LARGE  "000000000002"

static cm_statement_charge since(const char *link_from, const char *sell)
{
    cm_statement_charge c = charge(CM_CLASS_USAGE, "AmazonEC2", sell);
    c.link_from = link_from;
    return c;
}

static cm_statement_charge of(const char *account, const char *sell)
{
    cm_statement_charge c = charge(CM_CLASS_USAGE, "AmazonEC2", sell);
    c.account = account;
    return c;
}

static void expect(const char *yaml, const char *period, const cm_statement_charge *charges, size_t count,
                   const char *rows)
{
    built b = build_in(yaml, "tdsynnex", period, charges, count);
    cr_assert_eq(b.statements.count, 1);
    cr_expect_str_eq(support_rows(&b, 0), rows, "%s: %s instead of %s", yaml, support_rows(&b, 0), rows);
    built_free(&b);
}

/* 2025-06: g until the 11th, h from then on. 10 % of 100 and 7 % of 300; rows by group. */
Test(support_groups, S10_each_group_has_its_own_part)
{
    const cm_statement_charge charges[] = {since("2025-06-01T00:00:00Z", "100"), since("2025-06-11T00:00:00Z", "300")};
    expect(ACME LINK(ACCOUNT, FIRST, "g") LINK(ACCOUNT, SECOND, "h") "---\n"
                                                                     "kind: SupportPlanGroup\nid: g\ntype: business\n"
                                                                     "---\nkind: SupportPlanGroup\nid: h\ntype: "
                                                                     "business\npercent: 7\n",
           "2025-06", charges, 2, "10 21");
}

/* Bands are those of each part: 7,000 and 8,000 of business_public are 10 % each, 15,000 would be 1,350; its minimum
 * of 100 is 33.33... for 10 of 30 days, and 66.66... for 20, half-even at the 18th decimal. */
Test(support_groups, S10_S11_bands_and_minimum_of_each_part)
{
    const char *yaml = ACME LINK(ACCOUNT, FIRST, "g") LINK(ACCOUNT, SECOND, "h") "---\n"
                                                                                 "kind: SupportPlanGroup\nid: g\ntype: "
                                                                                 "business_public\n"
                                                                                 "---\nkind: SupportPlanGroup\nid: "
                                                                                 "h\ntype: business_public\n";
    const cm_statement_charge large[] = {since("2025-06-01T00:00:00Z", "7000"), since("2025-06-11T00:00:00Z", "8000")};
    const cm_statement_charge small[] = {since("2025-06-01T00:00:00Z", "1"), since("2025-06-11T00:00:00Z", "1")};
    const cm_statement_charge none[] = {since("2025-06-01T00:00:00Z", "0"), since("2025-06-11T00:00:00Z", "1")};
    expect(yaml, "2025-06", large, 2, "700 800");
    expect(yaml, "2025-06", small, 2, "33.333333333333333333 66.666666666666666667");
    expect(yaml, "2025-06", none, 2, "66.666666666666666667");
}

/* The days of a group are those of all its intervals; an account that joins in the month owes for the days since. */
Test(support_groups, S10_days_held)
{
    const cm_statement_charge back[] = {since("2025-06-01T00:00:00Z", "1"), since("2025-06-11T00:00:00Z", "1"),
                                        since("2025-06-16T00:00:00Z", "1")};
    const cm_statement_charge one[] = {charge(CM_CLASS_USAGE, "AmazonEC2", "1")};
    static const char groups[] = "---\nkind: SupportPlanGroup\nid: g\ntype: business\nminimum: 30\n"
                                 "---\nkind: SupportPlanGroup\nid: h\ntype: basic\n";
    cm_buffer yaml = {0};
    cm_buffer_printf(&yaml, "%s%s",
                     ACME LINK(ACCOUNT, FIRST, "g") LINK(ACCOUNT, "from: 2025-06-11, to: 2025-06-16", "h")
                         LINK(ACCOUNT, "from: 2025-06-16", "g"),
                     groups);
    expect(yaml.data, "2025-06", back, 3, "25");
    cm_buffer_free(&yaml);
    cm_buffer_printf(&yaml, "%s%s", ACME LINK(ACCOUNT, "from: 2025-06-25", "g"), groups);
    expect(yaml.data, "2025-06", one, 1, "6");
    expect(yaml.data, "2025-07", one, 1, "30");
    cm_buffer_free(&yaml);
}

/* Tiers over the month are shared out to the parts, so that each group sees its own: 30 of 40 GB, 40 x 0.5. */
Test(support_groups, S10_tiers_before_support)
{
    cm_statement_charge charges[] = {since("2025-06-01T00:00:00Z", "0"), since("2025-06-11T00:00:00Z", "0")};
    charges[0].rule = charges[1].rule = "gb";
    charges[0].quantity = amount("30");
    charges[1].quantity = amount("10");
    expect("kind: PriceBook\nid: tiered\ncurrency: USD\nversions:\n  - effective_from: 2025-01-01\n    rules:\n"
           "      - {id: gb, priority: 1, price: {tiers: [{rate: 0.5}], mode: graduated, over: customer}}\n"
           "      - {id: rest, priority: 2, price: {pass: payer}}\n---\n"
           "kind: Customer\nid: acme\nname: A\nreseller: northwind\nprice_book: tiered\naccounts:\n" LINK(
               ACCOUNT, FIRST, "g") LINK(ACCOUNT, SECOND, "h") "---\nkind: SupportPlanGroup\nid: g\ntype: business\n"
                                                               "---\nkind: SupportPlanGroup\nid: h\ntype: business\n",
           "2025-06", charges, 2, "1.5 0.5");
}

/* One fee over the group: 10 % of 10,000 and 7 % of 5,000 are 1,350, by 12,000 : 3,000; a minimum is owed once. The
 * account with nothing to pay for has no share. */
Test(support_groups, over_the_group)
{
    static const char yaml[] = ACME LINK(SMALL, "from: 2025-01-01", "g") LINK(LARGE, "from: 2025-01-01", "g")
        LINK(ACCOUNT, "from: 2025-01-01", "g") "---\n"
                                               "kind: SupportPlanGroup\nid: g\ntype: business_public\nover: group\n";
    const cm_statement_charge charges[] = {of(SMALL, "3000"), of(LARGE, "12500"), of(ACCOUNT, "-500")};
    const cm_statement_charge minimum[] = {of(SMALL, "1"), of(LARGE, "1"), of(ACCOUNT, "1")};
    const cm_statement_charge nothing[] = {of(SMALL, "1"), of(LARGE, "1"), of(ACCOUNT, "-2")};
    /* 1,350 x 3,000 / 15,500 = 261.290322580645161290 (32...), the rest with the largest */
    expect(yaml, "2025-06", charges, 3, "261.29032258064516129 1088.70967741935483871");
    /* 100 / 3; of equal bases the smallest account takes what is left */
    expect(yaml, "2025-06", minimum, 3, "33.333333333333333334 33.333333333333333333 33.333333333333333333");
    expect(yaml, "2025-06", nothing, 3, "");
}

/* The group's minimum counts for the days on which some account was in it: 1st to 10th and 16th on, 25 of 30. */
Test(support_groups, over_the_group_days)
{
    const cm_statement_charge charges[] = {of(SMALL, "1"), of(LARGE, "1")};
    expect(ACME LINK(SMALL, FIRST, "g") LINK(LARGE, "from: 2025-06-16", "g") "---\n"
                                                                             "kind: SupportPlanGroup\nid: g\ntype: "
                                                                             "business\nminimum: 60\nover: group\n",
           "2025-06", charges, 2, "25 25");
}

/* Each version replaces what it names, from its month on. */
Test(support_groups, versions)
{
    cm_statement_charge charges[] = {charge(CM_CLASS_USAGE, "AmazonEC2", "100"),
                                     charge(CM_CLASS_FEE, "AmazonS3", "50")};
    static const char *const months[][2] = {
        {"2025-06", "10"}, {"2025-07", "9"}, {"2025-08", "25"}, {"2025-09", "25"}, {"2025-10", "13.5"}};
    for (size_t i = 0; i < COUNT(months); i++)
        expect(ACME LINK(ACCOUNT, "from: 2025-01-01", "g") "---\nkind: SupportPlanGroup\nid: g\ntype: business\n"
                                                           "versions:\n  - {from: 2025-07, percent: 9}\n"
                                                           "  - {from: 2025-08, minimum: 25}\n"
                                                           "  - {from: 2025-10, minimum: 0, base: {classes: [usage, "
                                                           "fee]}}\n",
               months[i][0], charges, COUNT(charges), months[i][1]);
}

/* Plans by name: those of AWS and one's own. */
Test(support_groups, S11_plans_by_name)
{
    static const struct {
        const char *group, *period, *usage, *row;
    } table[] = {
        {"plan: enterprise_on_ramp", "2026-12", "60000", "6000"},
        {"plan: enterprise_on_ramp", "2026-12", "100", "5500"},
        {"type: business_plus", "2026-02", "100", "29"},
        {"type: business_plus", "2026-02", "300000", "15800"}, /* 900 + 4,900 + 8,500 + 1,500 */
        {"plan: enterprise_2026", "2026-02", "100", "5000"},
        {"plan: enterprise_2026", "2026-02", "200000", "18500"},
        {"plan: partner_led", "2026-02", "100", "7500"},
        {"plan: business_public", "2026-12", "20000", "1700"},
        {"plan: gold", "2026-02", "200", "12"},
        {"plan: gold", "2026-02", "10", "5"},
        {"plan: gold\nminimum: 1", "2026-02", "10", "1"},
    };
    for (size_t i = 0; i < COUNT(table); i++) {
        const cm_statement_charge charges[] = {charge(CM_CLASS_USAGE, "AmazonEC2", table[i].usage)};
        cm_buffer yaml = {0};
        cm_buffer_printf(
            &yaml,
            "%s%s%s\n---\nkind: SupportPlan\nid: gold\nfrom: 2026-02\nto: 2027-01\nminimum: 5\n"
            "bands: [{up_to: 100, percent: 8}, {percent: 4}]\n",
            ACME LINK(ACCOUNT, "from: 2026-02-01, to: 2027-01-01", "g") "---\nkind: SupportPlanGroup\nid: ", "g\n",
            table[i].group);
        expect(yaml.data, table[i].period, charges, 1, table[i].row);
        cm_buffer_free(&yaml);
    }
}

/* 20,000 in the last month of the legacy plans and in the first after them. */
Test(support_groups, S11_the_end_of_the_legacy_plans)
{
    static const char *const table[][2] = {{"business_public", "1700"}, {"developer", "600"}};
    const cm_statement_charge charges[] = {charge(CM_CLASS_USAGE, "AmazonEC2", "20000")};
    for (size_t i = 0; i < COUNT(table); i++) {
        cm_buffer yaml = {0}, why = {0};
        cm_buffer_printf(
            &yaml, "%s%s\n",
            ACME LINK(ACCOUNT, "from: 2025-01-01", "g") "---\nkind: SupportPlanGroup\nid: g\ntype: ", table[i][0]);
        expect(yaml.data, "2026-12", charges, 1, table[i][1]);
        built b = build_in(yaml.data, "tdsynnex", "2027-01", charges, 1);
        const cm_support_plan *plan;
        cr_expect(cm_group_plan(b.catalog, &b.catalog->groups[0], (cm_period){2026, 12}, "USD", &plan, &why));
        cr_expect_not(cm_group_plan(b.catalog, &b.catalog->groups[0], (cm_period){2027, 1}, "USD", &plan, &why));
        cr_expect(strstr(why.data, "ended with 2026-12 and is not in force in 2027-01"), "%s", why.data);
        built_free(&b);
        cm_buffer_free(&why);
        cm_buffer_free(&yaml);
    }
}

/* A plan's money is its own currency's; where the group sets percent and minimum itself, nothing of it is used. */
Test(support_groups, currency_of_the_plan)
{
    static const struct {
        const char *group;
        bool usable;
    } table[] = {{"type: business_public", false},
                 {"type: business_public\npercent: 3", false},
                 {"type: business_public\npercent: 3\nminimum: 2", true},
                 {"type: developer\nminimum: 2", true},
                 {"type: business", true}};
    for (size_t i = 0; i < COUNT(table); i++) {
        cm_buffer yaml = {0}, why = {0};
        const cm_support_plan *plan;
        cm_buffer_printf(&yaml, "kind: SupportPlanGroup\nid: g\n%s\n", table[i].group);
        cm_catalog *catalog = test_catalog(yaml.data);
        cr_expect_eq(cm_group_plan(catalog, &catalog->groups[0], (cm_period){2025, 6}, "CNY", &plan, &why),
                     table[i].usable, "%s", table[i].group);
        cr_expect_eq(strstr(cm_buffer_string(&why), "is in USD and the charges are in CNY") == NULL, table[i].usable);
        cm_catalog_free(catalog);
        cm_buffer_free(&why);
        cm_buffer_free(&yaml);
    }
}
