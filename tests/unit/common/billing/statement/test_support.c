/* Support plan groups (rating.md section 6; N02-N05, N19, O14, O15; S10, S11). Golden values: rules.md, "Worked
 * examples" and by hand. */
#include "documents.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#define COUNT(list) (sizeof(list) / sizeof *(list))

static char *with_group(const char *group, const char *payer)
{
    cm_buffer yaml = {0};
    char *own = customer("acme", "", payer, ACCOUNT, "g");
    cm_buffer_printf(&yaml, "%skind: SupportPlanGroup\nid: g\n%s\n", own, group);
    free(own);
    return cm_buffer_take(&yaml);
}

static void expect_support(const char *group, const char *period, const cm_statement_charge *charges, size_t count,
                           const char *rows)
{
    char *yaml = with_group(group, TDS);
    built b = build_in(yaml, "tdsynnex", period, charges, count);
    cr_assert_eq(b.statements.count, 1);
    cr_expect_str_eq(support_rows(&b, 0), rows, "%s in %s: %s instead of %s", group, period, support_rows(&b, 0), rows);
    built_free(&b);
    free(yaml);
}

/* rules.md, "Worked examples": TD SYNNEX's flat 10 % without minimum (N02, N03) and AWS's public price of the same
 * usage; a base of zero owes nothing (rating.md section 6). */
Test(support, rules_table_1_10)
{
    static const struct {
        const char *usage, *business, *business_public;
    } table[] = {{"437.00", "43.7", "100"}, {"0.00", "", ""}, {"200000.00", "20000", "11900"}};
    for (size_t i = 0; i < COUNT(table); i++) {
        const cm_statement_charge charges[] = {charge(CM_CLASS_USAGE, "AmazonEC2", table[i].usage),
                                               charge(CM_CLASS_TAX, "AmazonEC2", "0")};
        expect_support("type: business", "2025-06", charges, 2, table[i].business);
        expect_support("type: business_public", "2025-06", charges, 2, table[i].business_public);
    }
}

Test(support, row)
{
    /* N19, O14: the row's content; it comes after the account's own lines, whatever their names. */
    const cm_statement_charge charges[] = {charge(CM_CLASS_USAGE, "zzz", "437.00")};
    char *yaml = with_group("type: business", TDS);
    built b = build(yaml, charges, 1);
    cr_assert_eq(lines(&b, 0), 2);
    static const char *const expected[][2] = {
        {"customer", "acme"}, {"account", ACCOUNT}, {"product", "AWSSupport"}, {"usage_type", "g"}, {"unit", ""},
        {"class", "support"}, {"quantity", "1"},    {"amount_exact", "43.7"},  {"amount", "43.7"}};
    for (size_t i = 0; i < COUNT(expected); i++)
        cr_expect_str_eq(line_text(&b, 0, 1, expected[i][0]), expected[i][1]);
    cr_expect_eq(json_object_size(line(&b, 0, 1)), COUNT(expected));
    cr_expect_str_eq(text(&b, 0, "subtotal"), "480.7");
    cr_expect_str_eq(text(&b, 0, "total"), "480.7");
    built_free(&b);
    free(yaml);
}

/* S11: bands, minimum, days of validity. */
Test(support, public_plans)
{
    static const char *const table[][4] = {
        {"developer", "2025-06", "100", "29"},
        {"developer", "2025-06", "1000", "30"},
        {"developer", "2027-01", "1000", ""},
        {"business_public", "2026-12", "999.99", "100"},
        {"business_public", "2025-06", "10000", "1000"},
        {"business_public", "2025-06", "80000", "5900"},
        {"business_public", "2025-06", "250000", "14400"},
        {"business_public", "2025-06", "300000", "15900"},
        {"business_public", "2027-01", "300000", ""},
        {"enterprise", "2025-06", "0", ""},
        {"enterprise", "2025-06", "150000", "15000"},
        {"enterprise", "2025-06", "2000000", "94500"},
    };
    for (size_t i = 0; i < COUNT(table); i++) {
        char group[64];
        const cm_statement_charge charges[] = {charge(CM_CLASS_USAGE, "AmazonEC2", table[i][2])};
        snprintf(group, sizeof group, "type: %s", table[i][0]);
        expect_support(group, table[i][1], charges, 1, table[i][3]);
    }
}

Test(support, options_of_a_group)
{
    cm_statement_charge charges[] = {charge(CM_CLASS_USAGE, "AmazonEC2", "100"),
                                     charge(CM_CLASS_FEE, "AmazonS3", "1000"),
                                     charge(CM_CLASS_BUNDLED_DISCOUNT, "AmazonEC2", "-20")};
    charges[0].list_amount = amount("150");
    static const char *const table[][2] = {
        {"type: business", "8"},
        {"type: business\npercent: 5", "4"},
        {"type: business\nminimum: 50", "50"},
        {"type: business\nbase: {layer: list}", "13"},
        {"type: business\nbase: {classes: [usage, fee]}", "110"},
        {"type: business_public\npercent: 3", "100"},
        {"type: business_public\npercent: 3\nminimum: 2", "2.4"},
        {"type: developer\nminimum: 0", "2.4"},
        {"type: basic", ""},
    };
    for (size_t i = 0; i < COUNT(table); i++)
        expect_support(table[i][0], "2025-06", charges, COUNT(charges), table[i][1]);
}

Test(support, half_even_and_never_below_zero)
{
    const cm_statement_charge tie[] = {charge(CM_CLASS_USAGE, "AmazonEC2", "0.000000000000000005"),
                                       charge(CM_CLASS_USAGE, "AmazonS3", "1")};
    const cm_statement_charge negative[] = {charge(CM_CLASS_BUNDLED_DISCOUNT, "AmazonEC2", "-20")};
    expect_support("type: business", "2025-06", tie, 2, "0.1");
    expect_support("type: business", "2025-06", negative, 1, "");
    expect_support("type: business\nminimum: 5", "2025-06", negative, 1, "");
    expect_support("type: developer", "2025-06", negative, 1, "");
    expect_support("type: business_public\nminimum: 0", "2025-06", negative, 1, "");
}

/* N04, N19: a suppressing model's support lines come back as one row; where the lines themselves have sell there is
 * none. */
Test(support, passthrough)
{
    cm_statement_charge charges[] = {charge(CM_CLASS_USAGE, "AmazonEC2", "10"),
                                     charge(CM_CLASS_SUPPORT, "AWSSupportBusiness", "0")};
    charges[1].payer_amount = amount("100");
    expect_support("type: passthrough", "2025-06", charges, 2, "100");
    expect_support("type: business", "2025-06", charges, 2, "1");

    charges[0].payer = charges[1].payer = ING;
    charges[1].sell_amount = amount("100");
    char *yaml = with_group("type: passthrough", ING);
    built b = build_in(yaml, "ingram", "2025-06", charges, 2);
    cr_expect_str_eq(all_lines(&b, 0), "AWSSupportBusiness/support=100 AmazonEC2/usage=10");
    built_free(&b);
    free(yaml);
}

/* S10: a row for each payer that the account is under; lines are merged over payers. */
Test(support, per_payer_and_account)
{
    cm_statement_charge charges[] = {charge(CM_CLASS_USAGE, "AmazonEC2", "10"),
                                     charge(CM_CLASS_USAGE, "AmazonEC2", "2000")};
    charges[0].payer = TDS2;
    const char *yaml = "kind: Customer\nid: acme\nname: A\nreseller: northwind\nprice_book: standard\naccounts:\n"
                       "  - {id: \"" ACCOUNT "\", payer: \"" TDS "\", from: 2025-01-01, support_plan_group: g}\n"
                       "  - {id: \"" ACCOUNT "\", payer: \"" TDS2 "\", from: 2025-01-01, support_plan_group: g}\n---\n"
                       "kind: SupportPlanGroup\nid: g\ntype: business_public\n";
    built b = build(yaml, charges, 2);
    cr_expect_str_eq(support_rows(&b, 0), "200 100"); /* payers in the order of their ids */
    cr_expect_str_eq(all_lines(&b, 0), "AmazonEC2/usage=2010 AWSSupport/support=200 AWSSupport/support=100");
    built_free(&b);
}

/* S10: charges that do not say when (their link did not change its group when they were rated) belong to the latest
 * link that overlaps the period; an account that moves has support with each owner. */
Test(support, latest_link)
{
    cm_statement_charge charges[] = {charge(CM_CLASS_USAGE, "AmazonEC2", "100"),
                                     charge(CM_CLASS_USAGE, "AmazonEC2", "300")};
    charges[1].customer = "bolt";
    const char *yaml =
        "kind: Customer\nid: acme\nname: A\nreseller: northwind\nprice_book: standard\naccounts:\n"
        "  - {id: \"" ACCOUNT "\", payer: \"" TDS "\", from: 2025-01-01, to: 2025-06-05, support_plan_group: h}\n"
        "  - {id: \"" ACCOUNT "\", payer: \"" TDS "\", from: 2025-06-05, to: 2025-06-15, support_plan_group: g}\n---\n"
        "kind: Customer\nid: bolt\nname: B\nreseller: northwind\nprice_book: standard\naccounts:\n"
        "  - {id: \"" ACCOUNT "\", payer: \"" TDS "\", from: 2025-06-15, support_plan_group: h}\n---\n"
        "kind: SupportPlanGroup\nid: g\ntype: business\n---\nkind: SupportPlanGroup\nid: h\ntype: business\npercent: "
        "7\n";
    built b = build(yaml, charges, 2);
    cr_assert_eq(b.statements.count, 2);
    cr_expect_str_eq(support_rows(&b, 0), "10");
    cr_expect_str_eq(support_rows(&b, 1), "21");
    built_free(&b);
}

/* Public plans are AWS's, in USD: in another currency there is no such row; the distributor's flat percent is one
 * everywhere. */
Test(support, other_currency)
{
    cm_statement_charge charges[] = {charge(CM_CLASS_USAGE, "AmazonEC2", "1000")};
    charges[0].currency = "CNY";
    expect_support("type: business_public", "2025-06", charges, 1, "");
    expect_support("type: business_public\npercent: 3", "2025-06", charges, 1, "");
    expect_support("type: business", "2025-06", charges, 1, "100");
}
