/* Figures of a complete run that need manual review: O15, O16, P06, negative margin (rating.md sections 6, 7). */
#include "world.h"

static const char catalog[] =
    "kind: Customer\nid: acme\nname: A\nreseller: northwind\nprice_book: standard\naccounts:\n"
    "  - {id: \"000000000001\", payer: \"" TDS "\", from: 2025-01-01}\n"
    "  - {id: \"000000000002\", payer: \"" TDS "\", from: 2025-01-01, support_plan_group: business}\n"
    "  - {id: \"000000000003\", payer: \"" TDS "\", from: 2025-01-01, support_plan_group: developer}\n"
    "  - {id: \"000000000004\", payer: \"" TDS
    "\", from: 2025-01-01, support_plan_group: pass, support_plan: enterprise}\n"
    "  - {id: \"000000000005\", payer: \"" TDS
    "\", from: 2025-01-01, support_plan_group: business, support_plan: developer}\n"
    "  - {id: \"000000000006\", payer: \"" TDS
    "\", from: 2025-01-01, support_plan_group: business, support_plan: business}\n"
    "---\nkind: SupportPlanGroup\nid: business\ntype: business\n---\nkind: SupportPlanGroup\nid: developer\ntype: "
    "developer\n"
    "---\nkind: SupportPlanGroup\nid: pass\ntype: passthrough\n";

static const char *alerts(world *w, const char *code)
{
    char sql[256];
    snprintf(sql, sizeof sql,
             "SELECT string_agg(object || ': ' || detail, E'\\n' ORDER BY object) FROM alert WHERE code = '%s'", code);
    return text_of(w, sql);
}

#define CHARGE(account_, class_, product_, payer_, buy_, sell_)                                                        \
    {                                                                                                                  \
        .customer = "acme", .account = account_, .class = class_, .product = product_, .payer = payer_, .buy = buy_,   \
        .sell = sell_                                                                                                  \
    }

static void rate(world *w, const hand_charge *charges, size_t count)
{
    add_delivery(w, TDS, 'a');
    const char *run = add_run(w, TDS, 'a', 1);
    run_through(w, run, charges, count);
    cr_assert_str_eq(state(w, run), "current");
}

/* O15, O16. */
Test(alerts, support_plans)
{
    world *w = world_new(catalog);
    const hand_charge charges[] = {
        CHARGE("000000000001", "support", "AWSSupportBusiness", "100", "0", "0"),
        CHARGE("000000000002", "support", "AWSSupportBusiness", "100", "0", "0"),
        CHARGE("000000000003", "support", "AWSSupportBusiness", "100", "0", "0"),
        CHARGE("000000000004", "support", "AWSSupportBusiness", "100", "100", "100"),
        CHARGE("000000000006", "usage", "AmazonEC2", "1", "1", "1"),
    };
    rate(w, charges, 5);
    const char *missing = alerts(w, "SUPPORT_PLAN_GROUP_MISSING");
    cr_expect(strncmp(missing, "000000000001: AWSSupportBusiness is charged", 43) == 0 && !strchr(missing, '\n'), "%s",
              missing);
    cr_expect_str_eq(
        alerts(w, "SUPPORT_PLAN_DRIFT"),
        "000000000003: customer acme: declared nothing, assigned group developer (developer), observed business "
        "(AWSSupportBusiness)\n"
        "000000000004: customer acme: declared enterprise, assigned group pass (passthrough), observed business "
        "(AWSSupportBusiness)\n"
        "000000000005: customer acme: declared developer, assigned group business (business), observed nothing");
    cr_expect_str_eq(alerts(w, "NEGATIVE_MARGIN"), "");
    world_free(w);
}

/* N06, O16: a plan is changed in AWS's console; the first delivery that shows it raises the alert. An out-of-cycle bill
 * shows that there is a paid plan. */
Test(alerts, N06_a_change_of_plan_is_reported_with_the_first_delivery)
{
    world *w =
        world_new("kind: Customer\nid: acme\nname: A\nreseller: northwind\nprice_book: standard\naccounts:\n"
                  "  - {id: \"000000000001\", payer: \"" TDS "\", from: 2025-01-01, support_plan_group: basic}\n"
                  "  - {id: \"000000000002\", payer: \"" TDS "\", from: 2025-01-01, support_plan_group: business}\n"
                  "---\nkind: SupportPlanGroup\nid: basic\ntype: basic\n"
                  "---\nkind: SupportPlanGroup\nid: business\ntype: business\n");
    const hand_charge before[] = {CHARGE("000000000001", "usage", "AmazonEC2", "1", "1", "1"),
                                  CHARGE("000000000002", "support", "OCBPremiumSupport", "1", "0", "0")};
    const hand_charge after[] = {CHARGE("000000000001", "usage", "AmazonEC2", "1", "1", "1"),
                                 CHARGE("000000000001", "support", "OCBPremiumSupport", "1", "0", "0"),
                                 CHARGE("000000000002", "support", "AWSSupportEnterprise", "1", "0", "0")};
    add_delivery(w, TDS, 'a');
    add_delivery(w, TDS, 'b');
    run_through(w, add_run(w, TDS, 'a', 1), before, 2);
    cr_expect_str_eq(alerts(w, "SUPPORT_PLAN_DRIFT"), "");
    run_through(w, add_run(w, TDS, 'b', 1), after, 3);
    cr_expect_str_eq(alerts(w, "SUPPORT_PLAN_DRIFT"),
                     "000000000001: customer acme: declared nothing, assigned group basic (basic), observed paid "
                     "(OCBPremiumSupport)\n"
                     "000000000002: customer acme: declared nothing, assigned group business (business), observed "
                     "enterprise (AWSSupportEnterprise)");
    world_free(w);
}

/* P06: usage in the management account; its tax and its zero lines do not count. */
Test(alerts, payer_usage)
{
    world *w = world_new(catalog);
    hand_charge charges[] = {CHARGE(TDS, "usage", "AmazonEC2", "2.5", "2.5", "0"),
                             CHARGE(TDS, "tax", "AmazonS3", "1", "1", "0"),
                             CHARGE("000000000001", "usage", "AmazonEC2", "1", "1", "1")};
    charges[0].customer = charges[1].customer = "";
    rate(w, charges, 3);
    cr_expect_str_eq(alerts(w, "PAYER_USAGE"), TDS
                     "/AmazonEC2: 1 lines of usage in the management account, 2.5 USD: workloads do not belong there");
    cr_expect_str_eq(alerts(w, "NEGATIVE_MARGIN"), ""); /* the reseller's own cost */
    world_free(w);
}

Test(alerts, negative_margin_and_its_cause)
{
    world *w = world_new(catalog);
    const hand_charge charges[] = {
        CHARGE("000000000001", "usage", "Good", "10", "10", "11"),
        CHARGE("000000000001", "tax", "Good", "5", "5", "0"),
        CHARGE("000000000001", "usage", "Below", "10", "10", "9"),
        CHARGE("000000000001", "covered_usage", "Shift", "0", "10", "9"),
        CHARGE("000000000001", "credit", "Credit", "-10", "-10", "-12"),
        CHARGE("000000000001", "usage", "Discount", "10", "10", "9"),
        CHARGE("000000000001", "provider_discount", "Discount", "-3", "0", "0"),
        CHARGE("000000000001", "support", "AWSSupportBusiness", "100", "100", "0"),
        CHARGE("000000000002", "support", "AWSSupportBusiness", "100", "100",
               "0"), /* has a group: settled on the statement */
    };
    rate(w, charges, sizeof charges / sizeof *charges);
    cr_expect_str_eq(alerts(w, "NEGATIVE_MARGIN"),
                     "000000000001/AWSSupportBusiness: SUPPORT_GROUP_MISSING: sell - buy = -100 USD\n"
                     "000000000001/Below: PRICE_BELOW_BUY: sell - buy = -1 USD\n"
                     "000000000001/Credit: CREDIT: sell - buy = -2 USD\n"
                     "000000000001/Discount: DISCOUNT_WITHHELD_ELSEWHERE: sell - buy = -1 USD\n"
                     "000000000001/Shift: COMMITMENT_SHIFT: sell - buy = -1 USD");
    world_free(w);
}

/* A file that lies twice in a delivery counts twice: somebody should know. */
Test(alerts, two_files_with_the_same_lines)
{
    world *w = world_new(catalog);
    const hand_charge charges[] = {CHARGE("000000000001", "usage", "AmazonEC2", "7.5", "7.5", "7.5"),
                                   CHARGE("000000000001", "usage", "AmazonS3", "0.5", "0.5", "0.5")};
    const record records[] = {
        hand_batch(w, run_name('a', 1), 1, 0, 0, charges, 2), hand_end(w, run_name('a', 1), 1, charges, 2),
        hand_batch(w, run_name('a', 1), 2, 0, 0, charges, 2), hand_end(w, run_name('a', 1), 2, charges, 2)};
    add_delivery(w, TDS, 'a');
    const char *run = add_run(w, TDS, 'a', 1);
    apply_all(w, &w->writer, records, 4, 4);
    cr_assert_str_eq(state(w, run), "current");
    cr_expect_eq(number(w, "SELECT count(*) FROM alert WHERE code = 'SAME_CONTENT'"), 1);
    const char *told = alerts(w, "SAME_CONTENT");
    cr_expect(strstr(told, "the same 2 lines as ") && strstr(told, "8 USD twice"), "%s", told);
    /* Other lines, and two files without lines, are no copies. */
    add_delivery(w, TDS, 'b');
    run_through(w, add_run(w, TDS, 'b', 1), charges, 2);
    cr_expect_eq(number(w, "SELECT count(*) FROM alert WHERE code = 'SAME_CONTENT'"), 1);
    world_free(w);
}
