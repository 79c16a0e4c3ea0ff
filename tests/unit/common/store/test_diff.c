/* What changes from runs to runs: charges, steps of the month with each side's catalog, credits over months (R02;
 * rating.md sections 5, 8). */
#include "place.h"

#include "store/catalog/catalog_store.h"
#include "store/catalog/link_store.h"
#include "store/reports/diff_store.h"

#include <stdio.h>

#define ACME(group, percent)                                                                                           \
    "kind: SupportPlanGroup\nid: g\ntype: business\npercent: " percent "\n---\n"                                       \
    "kind: Customer\nid: acme\nname: Acme GmbH\nreseller: northwind\nprice_book: standard\n"                           \
    "accounts: [{id: \"" ACCOUNT "\", payer: \"" TDS "\", from: 2025-01-01" group "}]\n---\n"                          \
    "kind: Credit\nid: welcome\nname: Welcome\ncustomer: acme\namount: 150\ncurrency: USD\nfrom: 2025-06\n---\n"
#define GROUP                        ", support_plan_group: g"
#define CHARGE(class, product, sell) "('acme', '" ACCOUNT "', '" class "', '" product "', 1, " sell ")"

/* "period product currency buy>buy sell>sell suspended lines and money" of the rows, or of the totals, one a line. */
static const char *shown(const cm_diff_row *rows, size_t count)
{
    static char text[4096];
    size_t length = 0;
    text[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        const cm_diff_row *r = &rows[i];
        char figure[6][CM_DECIMAL_TEXT];
        cm_decimal_print(r->before.buy, figure[0]);
        cm_decimal_print(r->after.buy, figure[1]);
        cm_decimal_print(r->before.sell, figure[2]);
        cm_decimal_print(r->after.sell, figure[3]);
        cm_decimal_print(r->before.suspended, figure[4]);
        cm_decimal_print(r->after.suspended, figure[5]);
        length += (size_t)snprintf(text + length, sizeof text - length, "%s%s %s %s %s>%s %s>%s %lld:%s>%lld:%s\n",
                                   r->period, r->customer, r->product, r->currency, figure[0], figure[1], figure[2],
                                   figure[3], (long long)r->before.suspended_lines, figure[4],
                                   (long long)r->after.suspended_lines, figure[5]);
    }
    return text;
}

static const char *refused(place *p, const cm_diff_pair *pairs, size_t count)
{
    cm_diff diff;
    cm_error_clear(&p->err);
    cr_assert_not(cm_store_diff(p->pg, pairs, count, NULL, &diff, &p->err));
    return p->err.code;
}

/*
 * June: EC2 100 -> 110, S3 50 becomes suspended. Support: 10 % of 150 = 15 before, 20 % of 110 = 22 after. The credit
 * of 150 pays 150 before (of 165), 132 after. What July's documents use does not matter in June.
 */
Test(diff, charges_and_steps)
{
    place *p = place_open();
    place_catalog(p, ACME(GROUP, "10"));
    deliver(p, "one", true, CHARGE("usage", "AmazonEC2", "100") "," CHARGE("usage", "AmazonS3", "50"));
    place_catalog(p, ACME(GROUP, "20"));
    deliver(p, "two", true, CHARGE("usage", "AmazonEC2", "110") "," CHARGE("suspended", "AmazonS3", "50"));
    const cm_diff_pair pair = {run_of("one"), run_of("two")};
    cm_diff diff;
    MUST(cm_store_diff(p->pg, &pair, 1, NULL, &diff, &p->err));
    /* A suspended line's buy and sell are really 0; the fixture leaves them at 50. */
    cr_expect_str_eq(shown(diff.rows, diff.count), "2025-06acme AWSSupport USD 0>0 15>22 0:0>0:0\n"
                                                   "2025-06acme AmazonEC2 USD 100>110 100>110 0:0>0:0\n"
                                                   "2025-06acme AmazonS3 USD 50>50 50>50 0:0>1:50\n"
                                                   "2025-06acme Welcome USD 0>0 -150>-132 0:0>0:0\n");
    cr_expect_str_eq(shown(diff.totals, diff.totals_count), "  USD 150>160 15>50 0:0>1:50\n");
    cm_diff_free(&diff);
    /* The same run on both sides: nothing changes, and the totals show what there is. */
    const cm_diff_pair same = {run_of("two"), run_of("two")};
    MUST(cm_store_diff(p->pg, &same, 1, NULL, &diff, &p->err));
    cr_expect_eq(diff.count, 0);
    cr_expect_str_eq(shown(diff.totals, diff.totals_count), "  USD 160>160 50>50 1:50>1:50\n");
    cm_diff_free(&diff);
    place_close(p);
}

/* June's 100 leave 50 of the credit for July, 120 leave 30; July's own charges do not change. The same in the other
 * order. */
Test(diff, credits_are_carried_over_on_each_side)
{
    place *p = place_open();
    place_catalog(p, ACME("", "10"));
    deliver_in(p, "2025-06", "june", true, CHARGE("usage", "AmazonEC2", "100"));
    deliver_in(p, "2025-07", "july", true, CHARGE("usage", "AmazonEC2", "80"));
    deliver_in(p, "2025-06", "june again", true, CHARGE("usage", "AmazonEC2", "120"));
    deliver_in(p, "2025-07", "july again", true, CHARGE("usage", "AmazonEC2", "80"));
    const cm_diff_pair pairs[] = {{run_of("july"), run_of("july again")}, {run_of("june"), run_of("june again")}};
    cm_diff diff;
    MUST(cm_store_diff(p->pg, pairs, 2, NULL, &diff, &p->err));
    cr_expect_str_eq(shown(diff.rows, diff.count), "2025-06acme AmazonEC2 USD 100>120 100>120 0:0>0:0\n"
                                                   "2025-06acme Welcome USD 0>0 -100>-120 0:0>0:0\n"
                                                   "2025-07acme Welcome USD 0>0 -50>-30 0:0>0:0\n");
    cm_diff_free(&diff);
    place_close(p);
}

/* Rerated charges are in a table of the session; nothing of it stays, and the run's own charges do not change. */
Test(diff, charges_rated_again_with_an_edited_catalog)
{
    place *p = place_open();
    place_catalog(p, ACME(GROUP, "10"));
    deliver(p, "one", true, CHARGE("usage", "AmazonEC2", "100"));
    cm_catalog *edited = test_catalog(ACME(GROUP, "11"));
    MUST(cm_store_rerated_begin(p->pg, &p->err) && cm_store_rerated_begin(p->pg, &p->err));
    char sql[256];
    snprintf(sql, sizeof sql, "INSERT INTO " CM_RERATED_CHARGES " SELECT * FROM charge WHERE run_id = '%s'",
             run_of("one"));
    MUST(cm_pg_execute(p->pg, sql, &p->err));
    MUST(cm_pg_execute(p->pg, "UPDATE " CM_RERATED_CHARGES " SET sell_amount = 99.5", &p->err));
    const cm_diff_pair pair = {run_of("one"), NULL};
    cm_diff diff;
    MUST(cm_store_diff(p->pg, &pair, 1, edited, &diff, &p->err));
    /* 10 % of 100, 11 % of 99.5; the credit pays it all. */
    cr_expect_str_eq(shown(diff.rows, diff.count), "2025-06acme AWSSupport USD 0>0 10>10.945 0:0>0:0\n"
                                                   "2025-06acme AmazonEC2 USD 100>100 100>99.5 0:0>0:0\n"
                                                   "2025-06acme Welcome USD 0>0 -110>-110.445 0:0>0:0\n");
    cm_diff_free(&diff);
    EXPECT("SELECT trim_scale(sum(sell_amount)) FROM charge", "100");
    cm_catalog_free(edited);
    place_close(p);
}

/* The lane's other payers keep their charges on both sides: the customer's month is one. */
Test(diff, other_payers_count_on_both_sides)
{
    place *p = place_open();
    place_catalog(p, ACME("", "10"));
    deliver(p, "one", true, CHARGE("usage", "AmazonEC2", "100"));
    deliver(p, "two", true, CHARGE("usage", "AmazonEC2", "90"));
    MUST(cm_pg_execute(p->pg,
                       "INSERT INTO run (id, delivery_id, catalog_id, engine_version, payer, lane, period, shards, "
                       "partitions, chunks, state, complete, started_at)"
                       " SELECT repeat('f', 32), delivery_id, catalog_id, 'test', '" TDS2
                       "', lane, period, 1, 1, 1, 'current', true, started_at FROM run"
                       " WHERE state = 'current';"
                       "INSERT INTO current_run VALUES ('" TDS2 "', '2025-06', 'tdsynnex', repeat('f', 32), now());"
                       "INSERT INTO charge SELECT c.period, repeat('f', 32), customer, account, line_item_type, class, "
                       "product, usage_type, operation, region, unit,"
                       " rule, currency, c.reason, c.lines, c.final_lines, example_chunk, example_row, 1, 55, 55, 55, "
                       "55 FROM charge c JOIN run r ON r.id = c.run_id"
                       " AND r.payer = '" TDS "' AND r.state = 'current'",
                       &p->err));
    const cm_diff_pair pair = {run_of("one"), run_of("two")};
    cm_diff diff;
    MUST(cm_store_diff(p->pg, &pair, 1, NULL, &diff, &p->err));
    /* The credit of 150 is used up by 155 before; 145 after. The other payer's 55 are in no row. */
    cr_expect_str_eq(shown(diff.rows, diff.count), "2025-06acme AmazonEC2 USD 100>90 100>90 0:0>0:0\n"
                                                   "2025-06acme Welcome USD 0>0 -150>-145 0:0>0:0\n");
    cm_diff_free(&diff);
    place_close(p);
}

/* An account that org-linker gives to acme with a support group: a new run has that link, in the dry run as in a real
 * one. */
Test(diff, links_of_org_linker_are_those_of_a_new_run)
{
    place *p = place_open();
    place_catalog(
        p, "kind: SupportPlanGroup\nid: g\ntype: business\npercent: 10\n---\n"
           "kind: Customer\nid: acme\nname: Acme GmbH\nreseller: northwind\nprice_book: standard\naccounts: []\n---\n");
    deliver(p, "one", true, CHARGE("usage", "AmazonEC2", "100"));
    cm_given_link link = {TDS, ACCOUNT, "acme", "g", "", at("2025-01-01T00:00:00Z"), INT64_MAX};
    bool changed;
    char links[CM_ID_HEX], sql[512];
    MUST(cm_pg_begin(p->pg, &p->err) &&
         cm_store_links_set(p->pg, TDS, "tdsynnex", &link, 1, p->now, &changed, links, &p->err) &&
         cm_pg_commit(p->pg, &p->err));
    cm_catalog *edited;
    MUST(cm_store_catalog_load(p->pg, p->catalog, &edited, &p->err));
    MUST(cm_store_rerated_begin(p->pg, &p->err));
    snprintf(sql, sizeof sql, "INSERT INTO " CM_RERATED_CHARGES " SELECT * FROM charge WHERE run_id = '%s'",
             run_of("one"));
    MUST(cm_pg_execute(p->pg, sql, &p->err));
    const cm_diff_pair dry = {run_of("one"), NULL};
    cm_diff diff;
    MUST(cm_store_diff(p->pg, &dry, 1, edited, &diff, &p->err));
    cr_expect_str_eq(shown(diff.rows, diff.count), "2025-06acme AWSSupport USD 0>0 0>10 0:0>0:0\n");
    cm_diff_free(&diff);
    deliver(p, "two", true, CHARGE("usage", "AmazonEC2", "100"));
    snprintf(sql, sizeof sql, "UPDATE run SET links_version = '%s' WHERE id = '%s'", links, run_of("two"));
    MUST(cm_pg_execute(p->pg, sql, &p->err));
    const cm_diff_pair real = {run_of("one"), run_of("two")};
    MUST(cm_store_diff(p->pg, &real, 1, NULL, &diff, &p->err));
    cr_expect_str_eq(shown(diff.rows, diff.count), "2025-06acme AWSSupport USD 0>0 0>10 0:0>0:0\n");
    cm_diff_free(&diff);
    cm_catalog_free(edited);
    place_close(p);
}

Test(diff, what_cannot_be_compared)
{
    place *p = place_open();
    deliver(p, "one", true, CHARGE("usage", "AmazonEC2", "100"));
    deliver(p, "two", true, CHARGE("usage", "AmazonEC2", "100"));
    deliver_in(p, "2025-07", "july", true, CHARGE("usage", "AmazonEC2", "100"));
    cr_expect_str_eq(refused(p, (const cm_diff_pair[]){{run_of("one"), run_of("july")}}, 1), "RUNS_UNLIKE");
    cr_expect_str_eq(
        refused(p, (const cm_diff_pair[]){{run_of("one"), run_of("two")}, {run_of("two"), run_of("one")}}, 2),
        "RUNS_UNLIKE");
    cr_expect_str_eq(refused(p, (const cm_diff_pair[]){{run_of("one"), run_of("never")}}, 1), "NO_RUN");
    MUST(cm_pg_execute(p->pg, "UPDATE run SET complete = false WHERE state = 'superseded'", &p->err));
    cr_expect_str_eq(refused(p, (const cm_diff_pair[]){{run_of("one"), run_of("two")}}, 1), "RUN_INCOMPLETE");
    place_close(p);
}
