/* What a person decides about deliveries: accept, dismiss, restore (statements.md section 6: DELIVERY_SHRANK). */
#include "place.h"
#include "store/catalog/catalog_store.h"
#include "store/runs/delivery_store.h"

#define LINE       "('acme', '" ACCOUNT "', 'usage', 'AmazonEC2', 1, 10)"
#define FIVE_LINES LINE ", " LINE ", " LINE ", " LINE ", " LINE
#define DELIVERIES "SELECT string_agg(state, ' ' ORDER BY seq) FROM delivery"
#define RUNS       "SELECT string_agg(state, ' ' ORDER BY seq) FROM run"

static cm_delivery_decision about(place *p, const char *name)
{
    static char id[CM_ID_HEX];
    char sql[256];
    snprintf(sql, sizeof sql, "SELECT delivery_id FROM run WHERE id = '%s'", run_of(name));
    snprintf(id, sizeof id, "%s", ask(p, sql));
    return (cm_delivery_decision){id, "maria", "the mail of AWS", p->now};
}

#define REFUSED(call, wanted)                                                                                          \
    do {                                                                                                               \
        cm_error_clear(&p->err);                                                                                       \
        cr_assert_not(call);                                                                                           \
        cr_assert_str_eq(p->err.code, wanted);                                                                         \
    } while (0)

Test(deliveries, one_with_fewer_than_half_the_lines_is_held)
{
    place *p = place_open();
    cr_assert(deliver(p, "v1", false, FIVE_LINES));
    cr_assert(deliver(p, "v2", false, LINE ", " LINE ", " LINE)); /* 3 of 5: more than half */
    EXPECT(DELIVERIES, "superseded good");
    cr_assert(deliver(p, "v3", false, LINE ", " LINE)); /* 2 of 3 */
    cr_assert(deliver(p, "v4", false, LINE));           /* 1 of 2: exactly half is not fewer than half */
    cr_assert(deliver(p, "v5", false, FIVE_LINES));
    cr_assert_not(deliver(p, "v6", false, LINE ", " LINE));
    EXPECT(DELIVERIES, "superseded superseded superseded superseded good held");
    EXPECT(RUNS, "superseded superseded superseded superseded current held");
    EXPECT("SELECT error_code FROM delivery WHERE state = 'held'", "DELIVERY_SHRANK");
    EXPECT("SELECT run_id FROM current_run", run_of("v5"));
    EXPECT("SELECT count(*) FROM audit WHERE action = 'run.held'", "1");
    place_close(p);
}

Test(deliveries, an_accepted_one_counts)
{
    place *p = place_open();
    deliver(p, "v1", false, FIVE_LINES);
    cr_assert_not(deliver(p, "v2", false, LINE));
    cm_delivery_decision v2 = about(p, "v2");
    MUST(cm_store_delivery_accept(p->pg, &v2, &p->err));
    EXPECT(DELIVERIES, "superseded good");
    EXPECT(RUNS, "superseded current");
    EXPECT("SELECT run_id FROM current_run", run_of("v2"));
    EXPECT("SELECT actor || ': ' || reason FROM audit WHERE action = 'delivery.accepted'", "maria: the mail of AWS");
    EXPECT("SELECT error_code FROM delivery WHERE state = 'good'", "");
    REFUSED(cm_store_delivery_accept(p->pg, &v2, &p->err), "DELIVERY_STATE"); /* twice */
    place_close(p);
}

Test(deliveries, a_held_one_keeps_a_document_from_being_issued)
{
    place *p = place_open();
    deliver(p, "v1", true, FIVE_LINES);
    cr_assert_str_eq(change(p, CM_DOCUMENT_APPROVE, "acme", NULL), "");
    deliver(p, "v2", true, LINE);
    cr_assert_str_eq(change(p, CM_DOCUMENT_ISSUE, "acme", NULL), "GATES_SHUT");
    json_t *reasons = NULL;
    MUST(cm_store_settle_check(p->pg, TDS, (cm_period){2025, 6}, NULL, p->now, &reasons, &p->err));
    cr_assert_str_eq(json_string_value(json_object_get(json_array_get(reasons, 0), "code")), "DELIVERY_SHRANK");
    json_decref(reasons);
    cm_delivery_decision v2 = about(p, "v2");
    MUST(cm_store_delivery_dismiss(p->pg, &v2, &p->err));
    cr_assert_str_eq(change(p, CM_DOCUMENT_ISSUE, "acme", NULL), "");
    place_close(p);
}

Test(deliveries, a_held_one_in_a_settled_period_makes_no_correction)
{
    place *p = place_open();
    deliver(p, "v1", true, FIVE_LINES);
    MUST(cm_store_period_settle(p->pg, TDS, (cm_period){2025, 6}, p->now, "maria", "x", &p->err));
    cr_assert_str_eq(change(p, CM_DOCUMENT_APPROVE, "acme", NULL), "");
    cr_assert_str_eq(change(p, CM_DOCUMENT_ISSUE, "acme", NULL), "");
    deliver(p, "v2", true, LINE);
    refresh(p);
    EXPECT("SELECT count(*) FROM statement WHERE kind = 'credit_note'", "0");
    cm_delivery_decision v2 = about(p, "v2");
    MUST(cm_store_delivery_accept(p->pg, &v2, &p->err));
    refresh(p);
    EXPECT("SELECT subtotal FROM statement WHERE kind = 'credit_note'", "-40");
    place_close(p);
}

Test(deliveries, a_newer_one_replaces_what_is_held)
{
    place *p = place_open();
    deliver(p, "v1", false, FIVE_LINES);
    deliver(p, "v2", false, LINE);
    cr_assert(deliver(p, "v3", false, FIVE_LINES));
    EXPECT(DELIVERIES, "superseded superseded good");
    EXPECT(RUNS, "superseded superseded current");
    place_close(p);
}

Test(deliveries, a_dismissed_one_is_out_of_the_way)
{
    place *p = place_open();
    deliver(p, "v1", false, FIVE_LINES);
    deliver(p, "v2", false, LINE);
    cm_delivery_decision v1 = about(p, "v1");
    REFUSED(cm_store_delivery_dismiss(p->pg, &v1, &p->err), "DELIVERY_STATE"); /* it counts */
    cm_delivery_decision v2 = about(p, "v2");
    MUST(cm_store_delivery_dismiss(p->pg, &v2, &p->err));
    EXPECT(DELIVERIES, "good dismissed");
    EXPECT(RUNS, "current superseded");
    MUST(cm_pg_execute(p->pg, "UPDATE delivery SET state = 'failed' WHERE state = 'dismissed'", &p->err));
    MUST(cm_store_delivery_dismiss(p->pg, &v2, &p->err));
    EXPECT(DELIVERIES, "good dismissed");
    place_close(p);
}

Test(deliveries, a_restored_one_counts_until_the_next_comes)
{
    place *p = place_open();
    char run[CM_ID_HEX];
    cm_catalog *catalog = NULL;
    cm_run_settings settings = {0};
    deliver(p, "v1", false, FIVE_LINES);
    deliver(p, "v2", false, LINE ", " LINE ", " LINE);
    MUST(cm_store_catalog_load(p->pg, p->catalog, &catalog, &p->err));
    cm_delivery_decision v2 = about(p, "v2");
    REFUSED(cm_store_delivery_restore(p->pg, catalog, &v2, &settings, run, &p->err), "DELIVERY_STATE");
    cm_delivery_decision v1 = about(p, "v1");
    MUST(cm_store_delivery_restore(p->pg, catalog, &v1, &settings, run, &p->err));
    /* Read and rated again: until then, the other one counts. */
    EXPECT("SELECT run_id FROM current_run", run_of("v2"));
    MUST(cm_pg_execute(p->pg, "UPDATE run SET complete = true, lines = 1 WHERE state = 'running'", &p->err));
    bool current;
    MUST(cm_pg_begin(p->pg, &p->err) && cm_store_run_switch(p->pg, run, p->now, "test", &current, &p->err) &&
         cm_pg_commit(p->pg, &p->err));
    cr_assert(current); /* a person's word: also with fewer lines */
    EXPECT("SELECT run_id FROM current_run", run);
    EXPECT("SELECT count(*) FROM audit WHERE action = 'delivery.restored' AND actor = 'maria'", "1");
    cr_assert(deliver(p, "v3", false, FIVE_LINES));
    EXPECT("SELECT run_id FROM current_run", run_of("v3"));
    cm_catalog_free(catalog);
    place_close(p);
}

Test(deliveries, one_that_nobody_knows)
{
    place *p = place_open();
    cm_delivery_decision d = {"00000000000000000000000000000000", "maria", "x", p->now};
    REFUSED(cm_store_delivery_accept(p->pg, &d, &p->err), "NO_DELIVERY");
    REFUSED(cm_store_delivery_dismiss(p->pg, &d, &p->err), "NO_DELIVERY");
    place_close(p);
}
