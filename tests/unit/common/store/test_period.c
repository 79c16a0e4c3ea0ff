/* States of periods (statements.md section 1; N10, I08, I09, I13). */
#include "place.h"

#define STATE "SELECT state FROM billing_period WHERE payer = '" TDS "' AND period = '" JUNE "'"
#define TRAIL                                                                                                          \
    "SELECT string_agg(action || ' by ' || actor, ', ' ORDER BY id) FROM audit WHERE starts_with(action, 'period.')"

static const cm_period june = {2025, 6};

Test(period, from_open_to_closed_with_events)
{
    place *p = place_open();
    enum cm_period_state state;
    MUST(cm_store_period_state(p->pg, TDS, JUNE, &state, &p->err));
    cr_assert_eq(state, CM_PERIOD_OPEN);
    cr_assert(deliver(p, "v1", false, "('acme', '" ACCOUNT "', 'usage', 'AmazonEC2', 1, 10)"));
    EXPECT(STATE, "estimated");
    cr_assert(deliver(p, "v2", true, "('acme', '" ACCOUNT "', 'usage', 'AmazonEC2', 1, 12)"));
    EXPECT(STATE, "final");
    cr_assert(deliver(p, "v3", false, "('acme', '" ACCOUNT "', 'usage', 'AmazonEC2', 1, 13)")); /* AWS takes it back */
    EXPECT(STATE, "estimated");
    MUST(cm_store_period_settle(p->pg, TDS, june, p->now, "maria", "the distributor's mail of the 12th",
                                &p->err)); /* N10: an event, not a date */
    EXPECT(STATE, "settled");
    cr_assert_str_eq(change(p, CM_DOCUMENT_APPROVE, "acme", NULL), "");
    cr_assert_str_eq(change(p, CM_DOCUMENT_ISSUE, "acme", NULL), "");
    EXPECT(STATE, "closed");
    EXPECT(
        TRAIL,
        "period.estimated by test, period.final by test, period.estimated by test, period.settled by maria, period.closed by maria");
    EXPECT("SELECT reason FROM audit WHERE action = 'period.settled'", "the distributor's mail of the 12th");
    place_close(p);
}

Test(period, settling_is_refused_without_a_complete_run)
{
    place *p = place_open();
    cr_assert_not(cm_store_period_settle(p->pg, TDS, june, p->now, "maria", "x", &p->err));
    cr_assert_eq(p->err.class, CM_ERROR_NOT_FOUND);
    deliver(p, "v1", false, "('acme', '" ACCOUNT "', 'usage', 'AmazonEC2', 1, 10)");
    MUST(cm_pg_execute(
        p->pg,
        "INSERT INTO run (id, delivery_id, catalog_id, engine_version, attempt, payer, lane, period, shards, partitions, chunks, state,"
        " started_at) SELECT 'under way', delivery_id, catalog_id, 'test', 1, payer, lane, period, 1, 1, 1, 'running', now() FROM run",
        &p->err));
    cr_assert_not(cm_store_period_settle(p->pg, TDS, june, p->now, "maria", "x", &p->err));
    cr_assert_str_eq(p->err.code, "RUN_INCOMPLETE");
    MUST(cm_pg_execute(p->pg, "UPDATE run SET state = 'failed' WHERE id = 'under way'", &p->err));
    MUST(cm_store_period_settle(p->pg, TDS, june, p->now, "maria", "x", &p->err));
    cr_assert_not(cm_store_period_settle(p->pg, TDS, june, p->now, "maria", "x", &p->err));
    cr_assert_eq(p->err.class, CM_ERROR_REFUSED);
    place_close(p);
}

Test(period, later_runs_than_settling_never_become_current)
{
    place *p = place_open();
    char was[CM_ID_HEX];
    deliver(p, "v1", true, "('acme', '" ACCOUNT "', 'usage', 'AmazonEC2', 1, 10)");
    snprintf(was, sizeof was, "%s", run_of("v1"));
    MUST(cm_store_period_settle(p->pg, TDS, june, p->now, "maria", "x", &p->err));
    cr_assert_not(deliver(p, "v2", true, "('acme', '" ACCOUNT "', 'usage', 'AmazonEC2', 1, 99)"));
    EXPECT("SELECT run_id FROM current_run", was);
    EXPECT("SELECT string_agg(state, ' ' ORDER BY seq) FROM run", "current correction");
    EXPECT("SELECT run_id FROM newest_run", run_of("v2"));
    EXPECT("SELECT subtotal FROM statement", "10"); /* I09: static */
    cr_assert_not(deliver(p, "v3", true, "('acme', '" ACCOUNT "', 'usage', 'AmazonEC2', 1, 98)"));
    EXPECT("SELECT string_agg(state, ' ' ORDER BY seq) FROM run", "current superseded correction");
    EXPECT("SELECT string_agg(state, ' ' ORDER BY seq) FROM delivery", "good superseded good");
    EXPECT(STATE, "settled");

    /* `run start` with the period's settled catalog withdraws the correction. */
    MUST(cm_pg_begin(p->pg, &p->err) && cm_store_run_reactivate(p->pg, was, p->now, "maria", &p->err) &&
         cm_pg_commit(p->pg, &p->err));
    EXPECT("SELECT run_id FROM newest_run", was);
    EXPECT("SELECT string_agg(state, ' ' ORDER BY seq) FROM run", "current superseded superseded");
    place_close(p);
}

Test(period, no_way_back_from_settled)
{
    place *p = place_open();
    deliver(p, "v1", true, "('acme', '" ACCOUNT "', 'usage', 'AmazonEC2', 1, 10)");
    MUST(cm_store_period_settle(p->pg, TDS, june, p->now, "maria", "x", &p->err));
    for (int to = CM_PERIOD_OPEN; to <= CM_PERIOD_FINAL; to++) {
        cr_assert_not(
            cm_store_period_change(p->pg, TDS, "tdsynnex", JUNE, (enum cm_period_state)to, p->now, "x", "", &p->err));
        cr_assert_str_eq(p->err.code, "PERIOD_STATE");
    }
    place_close(p);
}

/* I13: invoices after the 15th; I08: a statement every month, due on the 20th. */
Test(period, duties_by_date)
{
    cr_assert_eq(cm_period_earliest_issue(june), at("2025-07-16T00:00:00Z"));
    cr_assert_eq(cm_period_overdue_from(june), at("2025-07-21T00:00:00Z"));
    cr_assert_eq(cm_period_earliest_issue((cm_period){2025, 12}), at("2026-01-16T00:00:00Z"));
    cr_assert_eq(cm_period_overdue_from((cm_period){2024, 1}), at("2024-02-21T00:00:00Z"));
}
