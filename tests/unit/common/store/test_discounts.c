/* N12: provider discounts of a month reach the reseller with a later one. Figures by hand; a year against a second,
 * plain calculation. */
#include "place.h"

#include "store/ledgers/discount_store.h"
#include "store/reports/margin_store.h"

#include <stdlib.h>

#define JULY          "2025-07"
#define AUGUST        "2025-08"
#define EARNS(amount) ", ('acme', '" ACCOUNT "', 'provider_discount', 'AmazonEC2', 1, -" amount ")"
#define USAGE(amount) "('acme', '" ACCOUNT "', 'usage', 'AmazonEC2', 1, " amount ")"
/* "<month earned> in <month applied>: <amount>" */
#define LEDGER                                                                                                         \
    "SELECT coalesce(string_agg(earned_period || ' in ' || applied_period || ': ' || amount, ', ' ORDER BY "           \
    "earned_period, applied_period), '')"                                                                              \
    " FROM discount_applied"

static void settle(place *p, cm_period period)
{
    if (p->now < cm_period_end(period)) /* a month that still runs is not settled */
        p->now = cm_period_end(period);
    MUST(cm_store_period_settle(p->pg, TDS, period, p->now, "maria", "x", &p->err));
    refresh(p);
}

static json_t *margin_of(place *p, const char *where)
{
    json_t *margin = NULL;
    MUST(cm_store_statement_margin(p->pg, id_of(p, where), &margin, &p->err));
    return margin;
}

/* Earned in June, open until July has a run, then in July's margin with its month, and never in a document. */
Test(discounts, N12_applied_in_the_following_month)
{
    place *p = place_open();
    deliver(p, "june", true, USAGE("100") EARNS("12.34"));
    EXPECT("SELECT period || ' ' || amount || ' ' || lines FROM discount_earned", "2025-06 12.34 1");
    EXPECT("SELECT run_id FROM discount_month", run_of("june"));
    EXPECT(LEDGER, "");
    json_t *margin = margin_of(p, "period = '" JUNE "'");
    cr_expect_str_eq(json_string_value(json_object_get(margin, "buy")), "100"); /* nothing of it in its own month */
    json_decref(margin);

    deliver_in(p, JULY, "july", true, USAGE("50"));
    EXPECT(LEDGER, "2025-06 in 2025-07: 12.34");
    EXPECT("SELECT run_id FROM discount_applied", run_of("june"));
    margin = margin_of(p, "period = '" JULY "'");
    char *text = json_dumps(json_object_get(margin, "rows"), JSON_COMPACT);
    cr_expect(strstr(text, "\"class\":\"provider_discount\",\"step\":\"provider_discount_arrears\",\"earned\":\"2025-"
                           "06\",\"sell\":\"0\",\"buy\":\"-12.34\","
                           "\"fx\":\"0\",\"margin\":\"12.34\""),
              "%s", text);
    cr_expect_str_eq(json_string_value(json_object_get(margin, "sell")), "50");
    cr_expect_str_eq(json_string_value(json_object_get(margin, "buy")), "37.66");
    cr_expect_str_eq(json_string_value(json_object_get(margin, "margin")), "12.34");
    EXPECT("SELECT count(*) FROM statement WHERE document LIKE '%iscount%' OR document LIKE '%12.34%' OR document LIKE "
           "'%37.66%'",
           "0"); /* P13 */
    free(text);
    json_decref(margin);
    place_close(p);
}

/* A restatement before the following month is settled replaces; after it, it adds the difference to the next open
 * month. */
Test(discounts, N12_restated_after_it_was_applied)
{
    place *p = place_open();
    deliver(p, "june", true, USAGE("100") EARNS("10"));
    deliver_in(p, JULY, "july", true, USAGE("50"));
    deliver(p, "june2", true, USAGE("100") EARNS("12"));
    EXPECT(LEDGER, "2025-06 in 2025-07: 12");
    settle(p, (cm_period){2025, 7});
    deliver(p, "june3", true, USAGE("100") EARNS("15.5"));
    EXPECT(LEDGER, "2025-06 in 2025-07: 12"); /* August has no run: 3.5 are open */
    deliver_in(p, AUGUST, "august", true, USAGE("1"));
    EXPECT(LEDGER, "2025-06 in 2025-07: 12, 2025-06 in 2025-08: 3.5");
    deliver(p, "june4", true, USAGE("100")); /* all of it is gone: taken back */
    EXPECT(LEDGER, "2025-06 in 2025-07: 12, 2025-06 in 2025-08: -12");
    cr_expect_not(
        cm_pg_execute(p->pg, "UPDATE discount_applied SET amount = 1 WHERE applied_period = '" JULY "'", &p->err));
    cr_expect(strstr(p->err.text, "settled"), "%s", p->err.text);
    place_close(p);
}

/* A month that was settled before its following one: the correction run counts for what it earned. */
Test(discounts, N12_a_correction_run_counts)
{
    place *p = place_open();
    deliver(p, "june", true, USAGE("100") EARNS("10"));
    settle(p, (cm_period){2025, 6});
    cr_assert_not(deliver(p, "june2", true, USAGE("100") EARNS("11")));
    EXPECT("SELECT amount FROM discount_earned", "11");
    deliver_in(p, JULY, "july", true, USAGE("50"));
    EXPECT(LEDGER, "2025-06 in 2025-07: 11");
    place_close(p);
}

/* The account belongs to another customer after all: what the first one was given is taken back. */
Test(discounts, N12_an_account_moves)
{
    place *p = place_open();
    deliver(p, "june", true, USAGE("100") EARNS("10"));
    deliver_in(p, JULY, "july", true, USAGE("50"));
    settle(p, (cm_period){2025, 7});
    deliver_in(p, AUGUST, "august", true, USAGE("1"));
    deliver(p, "june2", true,
            "('zenith', '" ACCOUNT "', 'usage', 'AmazonEC2', 1, 100), ('zenith', '" ACCOUNT
            "', 'provider_discount', 'AmazonEC2', 1, -10)");
    EXPECT("SELECT string_agg(customer || ' ' || applied_period || ' ' || amount, ', ' ORDER BY applied_period, "
           "customer) FROM discount_applied",
           "acme 2025-07 10, acme 2025-08 -10, zenith 2025-08 10");
    place_close(p);
}

/* Which model is in arrears is the model's own field: here the reseller holds the payer, and the discount came with the
 * line. */
Test(discounts, N12_not_where_the_payer_is_the_resellers)
{
    place *p = place_open();
    deliver_to(p, ING, JUNE, "june", true, USAGE("100") EARNS("10"));
    deliver_to(p, ING, JULY, "july", true, USAGE("100") EARNS("10"));
    EXPECT("SELECT count(*) FROM discount_earned", "0");
    EXPECT("SELECT string_agg(due_period || '|' || pending, ', ') FROM discount_month", "|false, |false");
    EXPECT(LEDGER, "");
    place_close(p);
}

/* Settling includes what a run that has just become current earned: nothing is settled without it. */
Test(discounts, N12_settling_refreshes_first)
{
    place *p = place_open();
    deliver_in(p, JULY, "july", true, USAGE("50"));
    deliver(p, "june", true, USAGE("100") EARNS("10"));
    MUST(cm_pg_execute(p->pg, "DELETE FROM discount_applied; DELETE FROM discount_month; DELETE FROM discount_earned",
                       &p->err)); /* as after an upgrade */
    p->now = at("2025-08-12T00:00:00Z");
    MUST(cm_store_period_settle(p->pg, TDS, (cm_period){2025, 7}, p->now, "maria", "x", &p->err));
    EXPECT(LEDGER, "2025-06 in 2025-07: 10");
    place_close(p);
}

/* --- a year ------------------------------------------------------------------------------------------------------ */

enum { MONTHS = 14, GROUPS = 4, STEPS = 90 }; /* groups: two accounts, each of one customer or the other in a month */

typedef struct year {
    int earned[MONTHS][GROUPS], applied[MONTHS][MONTHS][GROUPS]; /* cents; [earned in][applied in] */
    bool has_run[MONTHS], settled[MONTHS];
    unsigned seed;
} year;

static cm_period month_of(int m)
{
    return (cm_period){2025 + m / 12, m % 12 + 1};
}

static const char *month_text(int m)
{
    static char text[2][CM_PERIOD_TEXT];
    static int next;
    return cm_period_print(month_of(m), text[next++ % 2]);
}

/* The plain way: every month from the beginning. */
static void calculate(year *y)
{
    for (int m = 0; m < MONTHS; m++) {
        int target = m + 1;
        while (target < MONTHS && y->settled[target])
            target++;
        for (int g = 0; g < GROUPS; g++) {
            int rest = y->earned[m][g];
            for (int a = 0; a < MONTHS; a++) {
                if (!y->settled[a])
                    y->applied[m][a][g] = 0;
                rest -= y->applied[m][a][g];
            }
            if (target < MONTHS && y->has_run[target])
                y->applied[m][target][g] = rest;
        }
    }
}

static void deliver_month(place *p, year *y, int m, int nth)
{
    char name[32];
    cm_buffer charges = {0};
    snprintf(name, sizeof name, "%d-%d", m, nth);
    cm_buffer_text(&charges, USAGE("1") ", " USAGE("1")); /* never fewer than half the lines: it would be held */
    memset(y->earned[m], 0, sizeof y->earned[m]);
    for (int account = 0; account < 2; account++) {
        int group = 2 * account + rand_r(&y->seed) % 2, cents = rand_r(&y->seed) % 5 ? rand_r(&y->seed) % 100000 : 0;
        y->earned[m][group] = cents;
        if (cents)
            cm_buffer_printf(&charges, ", ('%s', '%s', 'provider_discount', 'AmazonS3', 1, -%d.%02d)",
                             group % 2 ? "zenith" : "acme", account ? OTHER : ACCOUNT, cents / 100, cents % 100);
    }
    y->has_run[m] = true;
    deliver_in(p, month_text(m), name, true, charges.data);
    cm_buffer_free(&charges);
}

static void compare(place *p, const year *y, int step)
{
    cm_buffer sql = {0};
    cm_buffer_text(&sql, "WITH want (e, a, customer, account, amount) AS (VALUES ('', '', '', '', 0::numeric)");
    for (int m = 0; m < MONTHS; m++)
        for (int a = 0; a < MONTHS; a++)
            for (int g = 0; g < GROUPS; g++)
                if (y->applied[m][a][g])
                    cm_buffer_printf(&sql, ", ('%s', '%s', '%s', '%s', %d / 100.0)", month_text(m), month_text(a),
                                     g % 2 ? "zenith" : "acme", g / 2 ? OTHER : ACCOUNT, y->applied[m][a][g]);
    cm_buffer_text(&sql,
                   "), got AS (SELECT earned_period, applied_period, customer, account, amount FROM discount_applied)"
                   " SELECT (SELECT count(*) FROM (TABLE want EXCEPT TABLE got) x) || ' ' || (SELECT count(*) FROM "
                   "(TABLE got EXCEPT TABLE want) x)");
    const char *got = ask(p, sql.data);
    cr_assert_str_eq(got, "1 0", "step %d: %s", step, got); /* the empty row */
    cm_buffer_free(&sql);
}

/* N12, the whole year: deliveries, restatements, moves and settlements in any order. Earned = applied + open for every
 * month, and nothing is open where the month that applies it has a run. */
Test(discounts, N12_a_year_of_restatements_and_moves, .timeout = 120)
{
    place *p = place_open();
    year y = {.seed = 20250601};
    int restated_after_settlement = 0;
    for (int step = 0; step < STEPS; step++) {
        int m = step < MONTHS ? step : rand_r(&y.seed) % MONTHS;
        if (step < MONTHS || rand_r(&y.seed) % 3) {
            restated_after_settlement += m + 1 < MONTHS && y.settled[m + 1];
            deliver_month(p, &y, m, step);
        } else if (y.has_run[m] && !y.settled[m] && m < MONTHS - 2) {
            y.settled[m] = true;
            settle(p, month_of(m));
        }
        calculate(&y);
        compare(p, &y, step);
        EXPECT("SELECT count(*) FROM discount_month d WHERE curmill_discount_target(d.payer, d.due_period) <> ''"
               " AND (SELECT coalesce(sum(amount), 0) FROM discount_earned e WHERE (e.payer, e.period) = (d.payer, "
               "d.period))"
               " <> (SELECT coalesce(sum(amount), 0) FROM discount_applied a WHERE (a.payer, a.earned_period) = "
               "(d.payer, d.period))",
               "0");
    }
    cr_assert_gt(restated_after_settlement, 10);
    EXPECT("SELECT count(*) > 0 FROM discount_applied WHERE amount < 0", "t");
    EXPECT("SELECT count(*) FROM discount_month WHERE NOT pending AND applied_to = '' AND due_period = ''", "0");
    place_close(p);
}
