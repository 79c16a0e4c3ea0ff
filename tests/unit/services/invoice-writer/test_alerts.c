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

/* O10, O16: AWS's own word on an account's plan counts before the product code of the report, and also where the report
 * shows no support; a name that is not known does not count. */
Test(alerts, O16_plan_that_aws_itself_tells)
{
    world *w = world_new(catalog);
    const hand_charge charges[] = {
        CHARGE("000000000002", "support", "AWSSupportBusiness", "100", "0", "0"),
        CHARGE("000000000003", "support", "AWSSupportBusiness", "100", "0", "0"),
        CHARGE("000000000004", "support", "AWSSupportBusiness", "100", "100", "100"),
        CHARGE("000000000006", "usage", "AmazonEC2", "1", "1", "1"),
    };
    cm_error err = {0};
    const char *sql =
        "INSERT INTO aws_support_charge SELECT p, '2025-06', a, n, 100, 1000, 0, '', false, now() FROM (VALUES"
        " ('" TDS "', '000000000002', 'AWSSupportDeveloper'), ('" TDS "', '000000000003', 'AWSSupportDeveloper'),"
        " ('" TDS "', '000000000004', 'AWSSupportOfTomorrow'), ('" TDS "', '000000000006', 'AWSSupportEssential'),"
        " ('" TDS "', '', 'Enterprise Support'), ('other', '000000000006', 'AWSSupportDeveloper')) x (p, a, n)";
    cr_assert(cm_pg_query(w->pg, sql, 0, NULL, NULL, &err), "%s", err.text);
    rate(w, charges, 4);
    cr_expect_str_eq(
        alerts(w, "SUPPORT_PLAN_DRIFT"),
        "000000000002: customer acme: declared nothing, assigned group business (business), observed developer (AWS "
        "says AWSSupportDeveloper)\n"
        "000000000004: customer acme: declared enterprise, assigned group pass (passthrough), observed business "
        "(AWSSupportBusiness)\n"
        "000000000005: customer acme: declared developer, assigned group business (business), observed nothing\n"
        "000000000006: customer acme: declared business, assigned group business (business), observed basic (AWS says "
        "AWSSupportEssential)");
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

/* --- discounts in columns (rating.md section 2a) ----------------------------------------------------------------- */

static const char taught[] = "kind: Customer\nid: acme\nname: A\nreseller: northwind\nprice_book: standard\naccounts:\n"
                             "  - {id: \"000000000001\", payer: \"" TDS "\", from: 2025-01-01}\n"
                             "---\nkind: LineItemType\nname: GiftDiscount\nclass: provider_discount\n";

static cm_decimal money(const char *text)
{
    cm_decimal value;
    cr_assert(cm_decimal_parse_strict(cm_slice_of(text), &value));
    return value;
}

/* A run with these charges, whose chunk 1 says this about its discounts. */
static world *with_discounts(const hand_charge *charges, size_t count, cm_discount_sum *sums, size_t sum_count,
                             const cm_unexplained_discount *unexplained, size_t told, uint64_t all)
{
    world *w = world_new(taught);
    add_delivery(w, TDS, 'a');
    const char *run = add_run(w, TDS, 'a', 1);
    cm_chunk_end end = hand_end(w, run, 1, charges, count).rated.end;
    end.discount = sums;
    end.discounts = sum_count;
    end.unexplained = unexplained;
    end.unexplained_count = told;
    end.unexplained_lines = all;
    const record records[] = {hand_batch(w, run, 1, 0, 0, charges, count), end_of(w, run, 1, &end),
                              hand_end(w, run, 2, NULL, 0)};
    apply_all(w, &w->writer, records, 3, 3);
    cr_assert_str_eq(state(w, run), "current");
    return w;
}

Test(alerts, discounts_that_the_map_does_not_explain)
{
    const hand_charge charges[] = {CHARGE("000000000001", "usage", "AmazonEC2", "100", "100", "100")};
    cm_discount_sum sums[] = {{.type = "Discount", .currency = "USD", .derived_lines = 3, .derived = money("-25")}};
    const cm_unexplained_discount rows[] = {{17, "USD", money("-20")}, {4, "USD", money("-4.5")}};
    world *w = with_discounts(charges, 1, sums, 1, rows, 2, 3);
    const char *all = alerts(w, "DISCOUNT_UNEXPLAINED");
    cr_expect(strncmp(all, "1:17: file ", 11) == 0 && strstr(all, "row 17: ") && strstr(all, " -20 USD") &&
                  strstr(all, "--payer " TDS " --period 2025-06 --line 1:17`\n1:4: file ") &&
                  strstr(all, " -4.5 USD") && strstr(all, "\nmore: 1 rows more"),
              "%s", all);
    cr_expect_str_eq(alerts(w, "DISCOUNT_TWICE"), "");
    cr_expect_str_eq(alerts(w, "DISCOUNT_COLUMNS_DISAGREE"), "");
    world_free(w);
}

Test(alerts, discounts_twice)
{
    const hand_charge charges[] = {CHARGE("000000000001", "usage", "AmazonEC2", "100", "100", "100")};
    cm_discount_sum sums[] = {
        {.type = "BundledDiscount", .currency = "USD", .lines_without_net = 1, .without_net = money("-1000")},
        {.type = "EdpDiscount", .currency = "EUR", .derived_lines = 1, .derived = money("-7")},
        {.type = "EdpDiscount",
         .currency = "USD",
         .derived_lines = 2,
         .derived = money("-20"),
         .lines_without_net = 1,
         .without_net = money("-5")},
        {.type = "SppDiscount",
         .currency = "USD",
         .derived_lines = 1,
         .derived = money("-0.5"),
         .lines_without_net = 2,
         .without_net = money("-0.25")},
        {.type = "Usage", .currency = "USD", .lines_without_net = 9, .without_net = money("300")}};
    world *w = with_discounts(charges, 1, sums, 5, NULL, 0, 0);
    const char *all = alerts(w, "DISCOUNT_TWICE");
    cr_expect(strncmp(all, "USD: ", 5) == 0 && strstr(all, "-20.5 USD in columns, -5.25 USD in lines of their own") &&
                  !strchr(all, '\n'),
              "%s", all);
    cr_expect_str_eq(alerts(w, "DISCOUNT_COLUMNS_DISAGREE"), "");
    world_free(w);
}

/* Lines of every type of discount count, also of those that the catalog teaches; 0.01 is not more than 0.01. */
Test(alerts, discount_columns_that_disagree_with_lines)
{
    static const struct {
        const char *edp, *gift, *says;
    } cases[] = {{"-28.18", "-49.2", ""},
                 {"-28.17", "-49.2", ""},
                 {"-28.169999", "-49.2", "-77.38 USD in columns, -77.369999 USD in lines of their own"},
                 {"-77.4", "0", "-77.38 USD in columns, -77.4 USD in lines of their own"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        hand_charge charges[] = {
            CHARGE("000000000001", "usage", "AmazonEC2", "394", "394", "394"),
            CHARGE("000000000001", "provider_discount", "AmazonEC2", cases[i].edp, "0", "0"),
            CHARGE("000000000001", "provider_discount", "AmazonS3", cases[i].gift, "0", "0"),
        };
        charges[1].line_item_type = "EdpDiscount";
        charges[2].line_item_type = "GiftDiscount";
        cm_discount_sum sums[] = {
            {.type = "EdpDiscount", .currency = "USD", .lines_with_net = 1, .net_difference = money("28.18")},
            {.type = "GiftDiscount", .currency = "USD", .lines_with_net = 1, .net_difference = money("49.2")},
            {.type = "Usage", .currency = "USD", .lines_with_net = 1, .net_difference = money("-77.38")}};
        world *w = with_discounts(charges, 3, sums, 3, NULL, 0, 0);
        const char *all = alerts(w, "DISCOUNT_COLUMNS_DISAGREE");
        cr_expect(*cases[i].says ? strncmp(all, "USD: ", 5) == 0 && strstr(all, cases[i].says) != NULL : !*all,
                  "%s: %s", cases[i].says, all);
        cr_expect_str_eq(alerts(w, "DISCOUNT_TWICE"), "");
        world_free(w);
    }
}
