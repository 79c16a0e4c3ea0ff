/* Rules P05 to P14 and O02 to O15 (rules.md): payers, accounts, what must exist before a line can be billed. */
#include "month.h"

#include <criterion/criterion.h>
#include <stdlib.h>

Test(accounts, P05_the_payer_gets_the_bill_for_its_members)
{
    /* cost is the payer's, the customer is the member account's */
    char *yaml = with_group(TDS, NULL);
    cm_catalog *catalog = catalog_of(yaml);
    test_result r = RATE(catalog, TDS, .account = ACCOUNT);
    cr_assert_str_eq(r.payer, "10");
    cr_assert_str_eq(r.customer, "acme");
    cr_assert_str_eq(r.decision.link->payer, TDS);
    cr_assert_str_eq(r.decision.link->account, ACCOUNT);
    cm_catalog_free(catalog);
    free(yaml);
}

Test(accounts, P06_usage_in_the_management_account_is_nobodys_but_not_lost)
{
    char *yaml = with_group(TDS, NULL);
    cm_catalog *catalog = catalog_of(yaml);
    EXPECT(catalog, TDS, "usage - 10 0", .account = TDS);
    EXPECT(catalog, TDS_BUY, "usage - 9 0", .account = TDS_BUY);
    cm_catalog_free(catalog);
    free(yaml);
}

Test(accounts, P07_a_dedicated_payer_is_one_customers)
{
    expect_warned("{kind: Customer, id: acme, reseller: northwind, price_book: standard, accounts: ["
                  "{id: '" ACCOUNT "', payer: '" TDS_BUY "', from: 2025-01-01}]}\n---\n"
                  "{kind: Customer, id: bolt, reseller: northwind, price_book: standard, accounts: ["
                  "{id: '" OTHER "', payer: '" TDS_BUY "', from: 2025-01-01}]}",
                  "P07");
    expect_refused(
        "{kind: Payer, id: '999999999999', lane: ingram, model: ingram, payer_kind: dedicated, reseller: northwind}",
        "payer_kind");
}

Test(accounts, P14_with_ingram_the_partner_holds_a_master_payer)
{
    expect_refused(
        "{kind: Payer, id: '999999999999', lane: tdsynnex, model: tdsynnex, payer_kind: master, reseller: northwind}",
        "payer_kind");
    /* what reaches the partner's own payer is the partner's: discounts and AWS's support lines stay in buy */
    char *yaml = with_group(ING, NULL);
    cm_catalog *catalog = catalog_of(yaml);
    cr_assert_str_eq(cm_catalog_payer(catalog, ING)->payer_kind, "master");
    EXPECT(catalog, ING, "provider_discount - -3 0", .type = "SppDiscount", .cost = "-3", .list = "0");
    EXPECT(catalog, ING, "support - 10 0", .product = "AWSSupportEnterprise");
    cm_catalog_free(catalog);
    free(yaml);
}

Test(accounts, O02_a_price_book_must_exist_first)
{
    expect_refused("{kind: Customer, id: acme, reseller: northwind}", "O02");
    expect_refused("{kind: Customer, id: acme, reseller: northwind, price_book: absent}", "O02");
}

Test(accounts, O03_the_invoice_currency_is_the_customers_own)
{
    cm_buffer yaml = {0};
    char *euro = customer_text("acme", "invoice_currency: EUR", ACCOUNT, TDS, NULL);
    char *yen = customer_text("bolt", "invoice_currency: JPY", OTHER, TDS, NULL);
    cm_buffer_printf(&yaml,
                     "%s%s{kind: FxRate, id: e, set: reseller, from: USD, to: EUR, period: 2025-06, rate: 0.92}\n---\n"
                     "{kind: FxRate, id: y, set: reseller, from: USD, to: JPY, period: 2025-06, rate: 145}",
                     euro, yen);
    test_line lines[] = {{.list = "100"}, {.account = OTHER, .list = "100"}};
    month m = close_month(yaml.data, TDS, lines, 2);
    cr_assert_eq(m.statements.count, 2);
    cr_assert_str_eq(member(&m, 0, "currency"), "EUR");
    cr_assert_str_eq(member(&m, 0, "total"), "101.2"); /* 110 x 0.92 */
    cr_assert_str_eq(member(&m, 1, "currency"), "JPY");
    cr_assert_str_eq(member(&m, 1, "total"), "15950");
    month_free(&m);
    cm_buffer_free(&yaml);
    free(euro);
    free(yen);
}

/* The master price book is AWS's own: every price is based on the layers that come with the line. */
Test(accounts, O04_prices_are_based_on_the_master_price_book)
{
    char *yaml = customer_text("acme", "", ACCOUNT, TDS, NULL);
    cm_catalog *catalog = catalog_of(yaml);
    EXPECT(catalog, TDS, "usage rest 10 22", .cost = "10", .list = "20");
    EXPECT(catalog, TDS, "usage rest 10 33", .cost = "10", .list = "30");
    EXPECT(catalog, TDS, "usage rest 10 11", .cost = "10", .list = "0");
    cm_catalog_free(catalog);
    free(yaml);
    expect_refused("{kind: PriceBook, id: own, currency: USD, versions: [{effective_from: 2025-01-01, rules: ["
                   "{id: all, priority: 1, price: {percent: 5, of: sell}}]}]}",
                   "sell");
}

Test(accounts, O06_ri_benefits_cannot_be_passed_on_with_td_synnex)
{
    char *tds = customer_text("acme", "commitment_policy: pass_through", ACCOUNT, TDS, NULL);
    expect_refused(tds, "O06");
    char *ing = customer_text("acme", "commitment_policy: pass_through", ACCOUNT, ING, NULL);
    cm_catalog *catalog = catalog_of(ing);
    EXPECT(catalog, ING, "covered_usage - 4 4", .type = "DiscountedUsage", .cost = "4", .list = "20");
    cm_catalog_free(catalog);
    free(tds);
    free(ing);
}

Test(accounts, O14_the_support_plan_group_is_set_for_each_account)
{
    cm_catalog *catalog = catalog_of(
        "{kind: SupportPlanGroup, id: g, type: business}\n---\n{kind: SupportPlanGroup, id: h, type: basic}\n---\n"
        "{kind: Customer, id: acme, reseller: northwind, price_book: standard, accounts: ["
        "{id: '" ACCOUNT "', payer: '" TDS "', from: 2025-01-01, support_plan_group: g}, "
        "{id: '" OTHER "', payer: '" TDS "', from: 2025-01-01, support_plan_group: h}, "
        "{id: '000011114444', payer: '" TDS "', from: 2025-01-01}]}");
    cr_assert_str_eq(RATE(catalog, TDS, .account = ACCOUNT).decision.link->own_group->id, "g");
    cr_assert_str_eq(RATE(catalog, TDS, .account = OTHER).decision.link->own_group->id, "h");
    cr_assert_null(RATE(catalog, TDS, .account = "000011114444").decision.link->own_group);
    cm_catalog_free(catalog);
    expect_refused("{kind: Customer, id: acme, reseller: northwind, price_book: standard, accounts: ["
                   "{id: '" ACCOUNT "', payer: '" TDS "', from: 2025-01-01, support_plan_group: absent}]}",
                   "absent");
}

/* Without a group the customer pays no support: with ingram the reseller's loss is shown as it is; the gate blocks
 * issuing. */
Test(accounts, O15_without_a_group_the_margin_can_be_negative)
{
    test_line lines[] = {{.cost = "100", .list = "0"}, {.product = "AWSSupportBusiness", .cost = "30", .list = "0"}};
    char *yaml = with_group(ING, NULL);
    cm_catalog *catalog = catalog_of(yaml);
    EXPECT(catalog, ING, "support - 30 0", .product = "AWSSupportBusiness", .cost = "30", .list = "0");
    cm_catalog_free(catalog);
    month m = close_month(yaml, ING, lines, 2);
    cr_assert_str_eq(exact_of(&m, 0, "AWSSupport", "support"), "");
    cr_assert_str_eq(exact_of(&m, 0, "AWSSupportBusiness", "support"), "");
    cr_assert_str_eq(member(&m, 0, "total"), "100");
    month_free(&m);
    free(yaml);
}
