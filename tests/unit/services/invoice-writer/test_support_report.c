/* AWS's own support charges against the report's support lines and the groups' fees, account by account (O10, O15,
 * O16). */
#include "world.h"

#include "store/accounts/support_charge_store.h"
#include "store/reports/support_report.h"

#include <stdio.h>
#include <string.h>

static const char catalog[] =
    "kind: Customer\nid: acme\nname: A\nreseller: northwind\nprice_book: standard\naccounts:\n"
    "  - {id: \"000000000001\", payer: \"" TDS "\", from: 2025-01-01, support_plan_group: business}\n"
    "  - {id: \"000000000002\", payer: \"" TDS "\", from: 2025-01-01, support_plan_group: business}\n"
    "  - {id: \"000000000003\", payer: \"" TDS "\", from: 2025-01-01}\n"
    "  - {id: \"000000000004\", payer: \"" TDS "\", from: 2025-01-01, support_plan_group: business}\n"
    "  - {id: \"000000000005\", payer: \"" TDS "\", from: 2025-01-01, support_plan_group: business}\n"
    "  - {id: \"000000000006\", payer: \"" TDS "\", from: 2025-01-01, support_plan_group: business}\n"
    "  - {id: \"000000000007\", payer: \"" TDS "\", from: 2025-01-01}\n"
    "  - {id: \"000000000008\", payer: \"" TDS "\", from: 2025-01-01, support_plan_group: business}\n"
    "  - {id: \"000000000009\", payer: \"" TDS "\", from: 2025-01-01}\n"
    "---\nkind: SupportPlanGroup\nid: business\ntype: business\n";

static const cm_period june = {2025, 6};
static const cm_payer payer = {.id = TDS, .lane = "tdsynnex"};

#define CHARGE(account_, class_, product_, payer_)                                                                     \
    {                                                                                                                  \
        .customer = "acme", .account = account_, .class = class_, .product = product_, .payer = payer_, .sell = "0",   \
        .buy = "0"                                                                                                     \
    }
#define USAGE(account_)                                                                                                \
    {                                                                                                                  \
        .customer = "acme", .account = account_, .class = "usage", .product = "AmazonEC2", .payer = "1000",            \
        .sell = "1000", .buy = "1000"                                                                                  \
    }

static void told(world *w, const char *account, const char *plan, const char *charge, const char *discount,
                 bool estimated)
{
    char sql[512];
    snprintf(sql, sizeof sql,
             "INSERT INTO aws_support_charge VALUES ('" TDS "', '2025-06', '%s', '%s', %s, 1000, %s, '', %s, now())",
             account, plan, charge, discount, estimated ? "true" : "false");
    must(w, cm_pg_execute(w->pg, sql, &w->err));
}

static void looked(world *w, const char *code)
{
    bool news;
    must(w, cm_store_support_look(
                w->pg,
                &(cm_support_look){.payer = TDS, .period = june, .code = code, .detail = code ? "it said no" : NULL},
                w->clock.now(&w->clock), &news, &w->err));
}

static const char *or_none(const char *text)
{
    return text ? text : "-";
}

static void on_row(void *opaque, const cm_support_row *row)
{
    cm_buffer_printf(opaque, "%s %s %s %s %s %s %s %s\n", *row->account ? row->account + 11 : "all", or_none(row->plan),
                     or_none(row->group), or_none(row->aws_charge), or_none(row->lines), or_none(row->fee),
                     or_none(row->difference), row->cause ? cm_support_cause_name(row->cause) : "ok");
}

static const char *report(world *w)
{
    static cm_buffer text;
    cm_buffer_clear(&text);
    must(w, cm_store_support_report(w->pg, &payer, june, on_row, &text, &w->err));
    return text.data;
}

static void documents(world *w)
{
    int built;
    must(w, cm_store_statements_refresh_all(w->pg, w->clock.now(&w->clock), "tdsynnex", NULL, &built, &w->err));
    cr_assert_eq(built, 1);
}

Test(support_report, O15_O16_every_account_with_its_cause)
{
    world *w = world_new(catalog);
    const hand_charge charges[] = {
        USAGE("000000000001"),
        CHARGE("000000000001", "support", "AWSSupportBusiness", "100"),
        USAGE("000000000002"),
        CHARGE("000000000002", "support", "AWSSupportBusiness", "100"),
        CHARGE("000000000002", "provider_discount", "AWSSupportBusiness", "-12"),
        CHARGE("000000000003", "support", "AWSSupportDeveloper", "29"),
        USAGE("000000000004"),
        CHARGE("000000000004", "support", "AWSSupportBusiness", "100.004"),
        USAGE("000000000005"),
        CHARGE("000000000005", "support", "AWSSupportBusiness", "90"),
        USAGE("000000000006"),
        CHARGE("000000000007", "support", "AWSSupportBusiness", "55"),
        USAGE("000000000008"),
        CHARGE("000000000009", "support", "AWSSupportEnterprise", "9000"),
        CHARGE("000000000003", "support", "AWSSupportEnterprise", "6000"),
    };
    add_delivery(w, TDS, 'a');
    run_through(w, add_run(w, TDS, 'a', 1), charges, sizeof charges / sizeof *charges);
    documents(w);
    told(w, "000000000001", "AWSSupportBusiness", "100", "0", false);
    told(w, "000000000002", "AWSSupportBusiness", "100", "-12", false);
    told(w, "000000000003", "AWSSupportDeveloper", "29", "0", false);
    told(w, "000000000004", "AWSSupportBusiness", "100", "0", false);
    told(w, "000000000005", "AWSSupportBusiness", "100", "0", true);
    told(w, "000000000006", "AWSSupportOfTomorrow", "100", "0", false);
    told(w, "", "Enterprise Support", "15000.5", "0", false);
    looked(w, NULL);
    cr_expect_str_eq(report(w), "all enterprise - 15000.5 15000 - 0.5 UNEXPLAINED\n"
                                "1 business business 100 100 100 0 ok\n"
                                "2 business business 100 88 100 12 DISCOUNT\n"
                                "3 developer - 29 29 - 0 NO_GROUP\n"
                                "4 business business 100 100.004 100 -0.004 ROUNDING\n"
                                "5 business business 100 90 100 10 ESTIMATED\n"
                                "6 AWSSupportOfTomorrow business 100 - 100 100 NOT_IN_REPORT\n"
                                "7 business - - 55 - -55 NOT_LISTED\n"
                                "8 - business - - 100 - ok\n");
    must(w, cm_pg_execute(w->pg, "DELETE FROM aws_support_charge WHERE account = ''", &w->err));
    const char *text = report(w);
    cr_expect(strstr(text, "8 - business - - 100 - FEE_ONLY\n"), "%s", text);
    cr_expect(strstr(text, "9 enterprise - - 9000 - -9000 NOT_LISTED\n"), "%s", text);
    world_free(w);
}

/* Without a run of the month every charge waits for it; what AWS never told cannot be compared, and why is said. */
Test(support_report, month_without_a_run_or_without_AWSs_word)
{
    world *w = world_new(catalog);
    cm_error err = {0};
    cr_expect(!cm_store_support_report(w->pg, &payer, june, on_row, NULL, &err));
    cr_expect(err.class == CM_ERROR_NOT_FOUND && strstr(err.text, "AWS was not asked"), "%s", err.text);
    looked(w, "DENIED");
    cr_expect(!cm_store_support_report(w->pg, &payer, june, on_row, NULL, &err));
    cr_expect(strcmp(err.code, "NOT_READ") == 0 && strstr(err.text, "it said no"), "%s", err.text);
    told(w, "000000000001", "AWSSupportBusiness", "100", "0", false);
    cr_expect_str_eq(report(w), "1 business - 100 - - 100 MISSING_DELIVERY\n");
    world_free(w);
}

/* One look a day until the month is final; AWS's troubles do not wait for a day; a refusal is news once. */
Test(support_report, when_aws_is_asked)
{
    world *w = world_new(catalog);
    cm_instant now = w->clock.now(&w->clock);
    cm_support_look look = {.payer = TDS, .period = june, .code = "DENIED", .detail = ""};
    bool due, news;
    must(w, cm_store_support_look_due(w->pg, TDS, june, now, &due, &w->err));
    cr_expect(due);
    for (int day = 0; day < 3; day++, now += CM_DAY) {
        must(w, cm_store_support_look(w->pg, &look, now, &news, &w->err));
        cr_expect_eq(news, day == 0);
        must(w, cm_store_support_look_due(w->pg, TDS, june, now + CM_DAY - CM_SECOND, &due, &w->err));
        cr_expect(!due);
        must(w, cm_store_support_look_due(w->pg, TDS, june, now + CM_DAY, &due, &w->err));
        cr_expect(due);
    }
    look.code = "UNAVAILABLE";
    must(w, cm_store_support_look(w->pg, &look, now, &news, &w->err));
    must(w, cm_store_support_look_due(w->pg, TDS, june, now, &due, &w->err));
    cr_expect(news && due);
    look = (cm_support_look){.payer = TDS, .period = june, .final = true, .listed = true};
    must(w, cm_store_support_look(w->pg, &look, now, &news, &w->err));
    must(w, cm_store_support_look_due(w->pg, TDS, june, now + 90 * CM_DAY, &due, &w->err));
    cr_expect(!due);
    world_free(w);
}
