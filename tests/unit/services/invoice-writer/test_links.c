/* Link sets of org-linker: which run they lead to, and how documents, gates and alerts use them (rating.md section
 * 3). */
#include "store/catalog/link_store.h"
#include "world.h"

#include <stdlib.h>

static const hand_charge suspended[] = {
    {"", "000099990000", "suspended", "AmazonEC2", "USD", "7", "0", "0", "UNKNOWN_ACCOUNT", "Usage", false, false}};
static const hand_charge billed[] = {
    {"bolt", "000099990000", "usage", "AmazonEC2", "USD", "7", "8", "7", "", "Usage", false, false}};

static cm_given_link link_of(const char *account, const char *customer)
{
    cm_instant from;
    cr_assert(cm_instant_parse(cm_slice_of("2025-06-01"), &from));
    return (cm_given_link){TDS, account, customer, "", "", from, INT64_MAX};
}

/* Makes these links the payer's; whether that changed anything. */
static bool set_links(world *w, cm_given_link *links, size_t count, char ret_id[static CM_ID_HEX])
{
    bool changed;
    must(w, cm_pg_begin(w->pg, &w->err));
    must(w,
         cm_store_links_set(w->pg, TDS, "tdsynnex", links, count, w->clock.now(&w->clock), &changed, ret_id, &w->err));
    must(w, cm_pg_commit(w->pg, &w->err));
    return changed;
}

static const char *start(world *w)
{
    static char ids[4][CM_ID_HEX];
    static int next;
    char *id = ids[next++ % 4];
    bool new_run;
    cm_catalog *catalog;
    must(w, cm_store_catalog_load(w->pg, w->catalog, &catalog, &w->err));
    must(w,
         cm_store_run_start(w->pg, catalog, TDS, (cm_period){2025, 6}, &(cm_run_settings){.shards = 2, .partitions = 2},
                            w->clock.now(&w->clock), "org-linker", "linked", id, &new_run, &w->err));
    cm_catalog_free(catalog);
    return id;
}

Test(links, another_set_is_another_run_and_none_is_the_old_one)
{
    world *w = world_new(NULL);
    char id[CM_ID_HEX], again[CM_ID_HEX];
    cm_given_link link = link_of("000099990000", "bolt");
    add_delivery(w, TDS, 'a');
    const char *without = start(w);
    run_through(w, without, suspended, 1);
    cr_expect(set_links(w, &link, 1, id));
    cr_expect_not(set_links(w, &link, 1, again));
    cr_expect_str_eq(id, again);
    const char *with = start(w);
    cr_expect_str_neq(with, without);
    cr_expect_str_eq(text_of(w, "SELECT links_version FROM run ORDER BY seq DESC LIMIT 1"), id);
    run_through(w, with, billed, 1);
    cr_expect_str_eq(start(w), with); /* nothing changed: the same run */
    cr_expect(set_links(w, NULL, 0, again));
    cr_expect_str_eq(again, "");
    cr_expect_str_eq(start(w), without);
    cr_expect_eq(number(w, "SELECT count(*) FROM run"), 2);
    cr_expect_not(cm_pg_execute(w->pg, "UPDATE link_set SET content = '[]'", &w->err)); /* immutable */
    world_free(w);
}

Test(links, documents_and_gates_read_the_runs_set)
{
    world *w = world_new(NULL);
    char id[CM_ID_HEX];
    cm_given_link links[] = {link_of("000099990000", "bolt"), link_of("000099990001", "bolt")};
    add_delivery(w, TDS, 'a');
    set_links(w, links, 2, id);
    hand_charge both[] = {billed[0], suspended[0]};
    both[1].account = "000099990001"; /* no price: suspended, and bolt's by the set alone */
    run_through(w, start(w), both, 2);
    bool built;
    must(w, cm_store_statements_refresh(w->pg, w->clock.now(&w->clock), "tdsynnex", (cm_period){2025, 6}, false, &built,
                                        &w->err));
    json_t *document = json_loads(text_of(w, "SELECT document FROM statement WHERE customer = 'bolt'"), 0, NULL);
    cr_assert(document);
    json_t *gates = cm_store_statement_gates(w->pg, w->clock.now(&w->clock), document, &w->err), *gate;
    cr_assert(gates, "%s", w->err.text);
    size_t i;
    bool shut = false;
    json_array_foreach (gates, i, gate)
        shut |= strcmp(json_string_value(json_object_get(gate, "code")), "SUSPENDED") == 0 &&
                json_is_false(json_object_get(gate, "open"));
    cr_expect(shut, "the gate SUSPENDED does not see an account that a request linked");
    json_decref(gates);
    json_decref(document);
    world_free(w);
}

Test(links, a_contradiction_is_an_alert)
{
    world *w = world_new(NULL);
    char id[CM_ID_HEX];
    cm_given_link links[] = {link_of(ACCOUNT, "bolt"), link_of(OTHER, "nobody")};
    add_delivery(w, TDS, 'a');
    set_links(w, links, 2, id);
    run_through(w, start(w), billed, 1);
    cr_expect_str_eq(
        text_of(
            w,
            "SELECT string_agg(code || ' ' || object, ', ' ORDER BY code) FROM alert WHERE starts_with(code, 'LINK_')"),
        "LINK_CONTRADICTION " ACCOUNT ", LINK_REFUSED " OTHER);
    cr_expect(strstr(text_of(w, "SELECT detail FROM alert WHERE code = 'LINK_CONTRADICTION'"),
                     "the catalog says customer acme, the link request says bolt"));
    world_free(w);
}
