/* When a version takes force: which runs begin, and what the gate PRICES_STALE says (rating.md section 8, statements.md
 * section 5). */
#include "place.h"

#include "base/json/json.h"
#include "store/catalog/catalog_store.h"
#include "store/runs/take_force.h"

#include <stdlib.h>

#define CUSTOMER(id, account, payer, book)                                                                             \
    "kind: Customer\nid: " id "\nname: " id "\nreseller: northwind\nprice_book: " book "\naccounts: [{id: \"" account  \
    "\", payer: \"" payer "\", from: 2025-01-01}]\n---\n"
#define BOOK(percent)                                                                                                           \
    "kind: PriceBook\nid: other\ncurrency: USD\nversions: [{effective_from: 2025-01-01, rules: [{id: all, priority: 1, price: " \
    "{percent: " percent ", of: payer}}]}]\n"
#define CATALOG(percent)                                                                                               \
    CUSTOMER("acme", ACCOUNT, TDS, "standard") CUSTOMER("zenith", OTHER, TDS2, "other") BOOK(percent)
#define ACME   "('acme', '" ACCOUNT "', 'usage', 'AmazonEC2', 1, 10)"
#define ZENITH "('zenith', '" OTHER "', 'usage', 'AmazonEC2', 1, 10)"
#define STARTED                                                                                                                \
    "SELECT coalesce(string_agg(r.payer || ' ' || r.period, ', ' ORDER BY r.payer, r.period), '') FROM run r JOIN audit a ON " \
    "a.object = 'run:' || r.id AND a.action = 'run.started'"

static cm_taken_force take(place *p, const char *lane)
{
    const cm_run_settings settings = {.shards = 2, .partitions = 2};
    cm_taken_force taken;
    MUST(cm_store_take_force(p->pg, lane, 3, &settings, p->now, "ingest-cur", &taken, &p->err));
    return taken;
}

/* The gate's detail if it is shut, "" otherwise. Static. */
static const char *stale(place *p, const char *customer)
{
    static char text[2048];
    char sql[256];
    size_t i;
    json_t *gate;
    snprintf(sql, sizeof sql, "SELECT document FROM statement WHERE customer = '%s' AND kind = 'statement'", customer);
    json_t *document = json_loads(ask(p, sql), 0, NULL);
    cr_assert(document);
    json_t *gates = cm_store_statement_gates(p->pg, p->now, document, &p->err);
    cr_assert(gates, "%s", p->err.text);
    *text = '\0';
    json_array_foreach (gates, i, gate) {
        if (strcmp(cm_json_member_text(gate, "code"), "PRICES_STALE") == 0 &&
            !json_is_true(json_object_get(gate, "open")))
            snprintf(text, sizeof text, "%s", cm_json_member_text(gate, "detail"));
    }
    json_decref(gates);
    json_decref(document);
    return text;
}

Test(take_force, an_edit_of_three_payers_rates_exactly_three_of_twenty_again)
{
    place *p = place_open();
    for (int edited = 0; edited < 2; edited++) {
        cm_buffer yaml = {0};
        for (int i = 0; i < 20; i++) {
            cm_buffer_printf(
                &yaml,
                "kind: Payer\nid: \"5000000000%02d\"\nlane: tdsynnex\nmodel: tdsynnex\npayer_kind: shared\n"
                "reseller: northwind\n---\nkind: Customer\nid: c%02d\nname: c\nreseller: northwind\n"
                "price_book: %s\naccounts: [{id: \"6000000000%02d\", payer: \"5000000000%02d\", from: "
                "2025-01-01}]\n---\n",
                i, i, edited && i % 8 == 1 ? "other" : "standard", i, i);
        }
        cm_buffer_text(&yaml, BOOK("7"));
        place_catalog(p, yaml.data);
        cm_buffer_free(&yaml);
        for (int i = 0; !edited && i < 20; i++) {
            char payer[32], name[16], charge[96];
            snprintf(payer, sizeof payer, "5000000000%02d", i);
            snprintf(name, sizeof name, "v%d", i);
            snprintf(charge, sizeof charge, "('c%02d', '6000000000%02d', 'usage', 'AmazonEC2', 1, 10)", i, i);
            deliver_to(p, payer, JUNE, name, true, charge);
        }
        cm_taken_force taken = take(p, "tdsynnex");
        cr_expect(taken.noticed);
        cr_expect_eq(taken.payers, edited ? 3 : 0);
        cr_expect_eq(taken.runs, edited ? 3 : 0);
    }
    EXPECT(STARTED, "500000000001 2025-06, 500000000009 2025-06, 500000000017 2025-06");
    EXPECT(
        "SELECT DISTINCT a.reason = 'catalog version ' || c.catalog_id || ' took effect' FROM audit a, (SELECT catalog_id FROM "
        "catalog_activation ORDER BY seq DESC LIMIT 1) c WHERE action = 'run.started'",
        "t");

    /* Another replica, and the same one again: nothing more. */
    cm_taken_force again = take(p, "tdsynnex");
    cr_expect_not(again.noticed);
    p->now += 120 * (cm_instant)1000000;
    again = take(p, "tdsynnex");
    cr_expect_eq(again.runs, 0);
    EXPECT("SELECT count(*) FROM audit WHERE action = 'run.started'", "3");
    EXPECT("SELECT count(*) FROM audit WHERE action = 'catalog.in_force'", "2");
    EXPECT(
        "SELECT jsonb_array_length(detail -> 'payers') FROM audit WHERE action = 'catalog.in_force' ORDER BY id DESC LIMIT 1",
        "3");
    place_close(p);
}

Test(take_force, the_newest_three_open_months_and_no_other_lane)
{
    static const char *const months[] = {"2025-01", "2025-02", "2025-03", "2025-04", "2025-05", "2025-06"};
    place *p = place_open();
    place_catalog(p, CATALOG("1"));
    for (int i = 0; i < 6; i++)
        deliver_to(p, TDS2, months[i], months[i], true, ZENITH);
    MUST(cm_store_period_settle(p->pg, TDS2, (cm_period){2025, 5}, p->now, "maria", "x", &p->err));
    take(p, "tdsynnex");
    place_catalog(p, CATALOG("2"));
    cr_expect_eq(take(p, "ingram").runs, 0);
    cr_expect_eq(take(p, "tdsynnex").runs, 3);
    EXPECT(STARTED, TDS2 " 2025-03, " TDS2 " 2025-04, " TDS2 " 2025-06");
    EXPECT(
        "SELECT detail ->> 'older' FROM audit WHERE action = 'catalog.in_force' AND detail ->> 'lane' = 'tdsynnex' ORDER BY id "
        "DESC LIMIT 1",
        "[\"" TDS2 "/2025-02\", \"" TDS2 "/2025-01\"]");
    place_close(p);
}

/* At 00:00 UTC, not before; what had been started for a version that no longer counts is dropped. */
Test(take_force, a_version_that_waits_and_one_that_is_taken_back)
{
    place *p = place_open();
    cm_applied_catalog applied;
    place_catalog(p, CATALOG("1"));
    deliver_to(p, TDS2, JUNE, "v1", true, ZENITH);
    take(p, "tdsynnex");
    p->now += 3600 * (cm_instant)1000000;
    json_t *canonical = test_catalog_json(CATALOG("2"));
    MUST(cm_store_catalog_apply(p->pg, canonical, "test", "test", p->now, false, &applied, &p->err));
    free(applied.diff);
    json_decref(canonical);
    cm_taken_force taken = take(p, "tdsynnex");
    cr_expect_eq(taken.next, at("2025-07-21T00:00:00Z"));
    EXPECT(STARTED, "");
    cr_expect_str_eq(stale(p, "zenith"), "");
    p->now = taken.next;
    cr_expect_eq(take(p, "tdsynnex").runs, 1);
    EXPECT("SELECT string_agg(state, ' ' ORDER BY seq) FROM run", "current running");
    cr_expect(strstr(stale(p, "zenith"), "is being rated again"), "%s", stale(p, "zenith"));

    place_catalog(p, CATALOG("1"));
    take(p, "tdsynnex");
    EXPECT(
        "SELECT string_agg(state, ' ' ORDER BY seq) FROM run WHERE slice_id = (SELECT slice_id FROM run ORDER BY seq LIMIT 1)",
        "current running");
    EXPECT("SELECT count(*) FROM run WHERE state = 'superseded'", "1");
    cr_expect_str_eq(stale(p, "zenith"), "");
    place_close(p);
}

/* In between nothing is issued at the old price, and no word of a person opens the gate. */
Test(take_force, the_gate_is_shut_until_the_month_is_rated_again)
{
    place *p = place_open();
    place_catalog(p, CATALOG("1"));
    deliver_to(p, TDS, JUNE, "v1", true, ACME);
    deliver_to(p, TDS2, JUNE, "v2", true, ZENITH);
    cr_assert_str_eq(change(p, CM_DOCUMENT_APPROVE, "zenith", NULL), "");
    place_catalog(p, CATALOG("2"));
    refresh(p);
    cr_expect_str_eq(stale(p, "acme"), "");
    cr_expect(strstr(stale(p, "zenith"), "`curmill run start --payer " TDS2 " --period 2025-06`"), "%s",
              stale(p, "zenith"));
    cr_expect_str_eq(change(p, CM_DOCUMENT_ISSUE, "zenith", NULL), "GATES_SHUT");
    cr_expect_str_eq(change(p, CM_DOCUMENT_ISSUE, "zenith", "PRICES_STALE"), "GATES_SHUT");
    cr_expect_not(cm_store_period_settle(p->pg, TDS2, (cm_period){2025, 6}, p->now, "maria", "x", &p->err));
    cr_expect_str_eq(p->err.code, "PRICES_STALE");
    MUST(cm_store_period_settle(p->pg, TDS, (cm_period){2025, 6}, p->now, "maria", "x", &p->err));

    /* Settled: a later price does not count. */
    place_catalog(p, CUSTOMER("acme", ACCOUNT, TDS, "other") CUSTOMER("zenith", OTHER, TDS2, "other") BOOK("3"));
    refresh(p);
    cr_expect_str_eq(stale(p, "acme"), "");
    cr_expect_eq(take(p, "tdsynnex").payers, 1);
    place_close(p);
}
