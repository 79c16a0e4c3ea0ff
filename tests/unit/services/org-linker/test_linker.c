/* org-linker without Kafka: what reports say, link sets, months rated again, account.link (O16, P06). */
#include "desk.h"
#include "linker.h"

#include <stdlib.h>

#define SUSPENDED "('', '" NEW "', 'suspended', 'AmazonEC2', 1, 0)"
#define ACME      "('acme', '" ACCOUNT "', 'usage', 'AmazonEC2', 1, 10)"
#define SETS      "SELECT count(*) FROM link_set"
#define RUNS                                                                                                           \
    "SELECT string_agg(period || ' ' || state || ' ' || CASE links_version WHEN '' THEN 'none' ELSE 'set' END, ', ' "  \
    "ORDER BY seq) FROM run"
#define WAITING                                                                                                        \
    "SELECT coalesce(string_agg(account, ' ' ORDER BY account), 'none') FROM account_link WHERE NOT published"

typedef struct desk {
    place *p;
    cm_clock clock;
    cm_linker linker;
} desk;

static desk desk_new(void)
{
    desk d = {.p = desk_open()};
    d.clock = cm_clock_fixed(d.p->now);
    return d;
}

static cm_linker *linker_of(desk *d)
{
    d->linker = (cm_linker){
        .pg = d->p->pg, .clock = &d->clock, .lane = "tdsynnex", .catalogs = cm_catalog_cache_new(), .shards = 2};
    return &d->linker;
}

static void desk_end(desk *d)
{
    cm_catalog_cache_free(d->linker.catalogs);
    place_close(d->p);
}

/* NEW belongs to acme from June on, wherever an operator has to record it: what `request create`, `approve` and
 * `declare` do. */
static int64_t link_new(place *p, const char *from)
{
    static const bool yes = true;
    cm_catalog *catalog = NULL;
    cm_request_order order = desk_order();
    order.billed_from_wanted = at(from);
    desk_seen(p, TDS, NEW, "2025-05-18T14:00:00Z");
    int64_t id = desk_create(p, &order);
    cr_assert_str_eq(desk_step(p, id, CM_LINK_APPROVE), "");
    MUST(cm_store_catalog_load(p->pg, p->catalog, &catalog, &p->err));
    const cm_request_patch patch = {.role_waived = &yes, .mfa_confirmed = &yes};
    MUST(cm_store_request_declare(p->pg, catalog, id, desk_request(p, id).link.version, &patch, p->now, "maria",
                                  "a sandbox", NULL, &p->err));
    STATE_IS(id, "active");
    cm_catalog_free(catalog);
    return id;
}

static void look(cm_linker *linker, place *p)
{
    MUST(cm_linker_sets(linker, &p->err) && cm_linker_rerate(linker, &p->err) && cm_linker_announce(linker, &p->err));
}

static cm_observed seen(place *p, const char *assembly, uint32_t chunk, const char *first, const char *last)
{
    char sql[128];
    cm_observed o = {.chunk = chunk,
                     .payer = TDS,
                     .account = NEW,
                     .period = {2025, 6},
                     .first_usage = at(first),
                     .last_usage = at(last),
                     .lines = 1};
    snprintf(sql, sizeof sql, "SELECT id FROM delivery WHERE assembly = '%s'", assembly);
    cr_assert(cm_id_bytes(ask(p, sql), o.delivery_id));
    return o;
}

#define USAGE                                                                                                          \
    "SELECT to_char(first_usage, 'MM-DD') || ' ' || to_char(last_usage, 'MM-DD') || ' ' || "                           \
    "array_to_string(support_products, '+') || ' ' || usage_seen"                                                      \
    " FROM account_usage"

Test(org_linker, O16_P06_what_reports_say)
{
    desk d = desk_new();
    place *p = d.p;
    cm_linker *linker = linker_of(&d);
    static const char *const support[] = {"AWSSupportBusiness"}, *const other[] = {"OCBPremiumSupport"};
    deliver(p, "v1", false, ACME);
    deliver(p, "v2", false, ACME);
    cm_observed list[] = {seen(p, "v1", 1, "2025-06-05", "2025-06-06"), seen(p, "v1", 2, "2025-06-03", "2025-06-04"),
                          seen(p, "v2", 1, "2025-06-04", "2025-06-20")};
    list[0].support = support;
    list[0].support_count = 1;
    list[1].support = other;
    list[1].support_count = 1;
    list[1].usage_lines = 1;
    MUST(cm_linker_observe(linker, list, 2, &p->err));
    EXPECT(USAGE, "06-03 06-06 AWSSupportBusiness+OCBPremiumSupport true");
    EXPECT("SELECT count(*) FROM account WHERE account = '" NEW "' AND first_seen = '2025-06-03'", "1");
    linker->counts.accounts_changed = 0;
    MUST(cm_linker_observe(linker, list, 2, &p->err)); /* at least once */
    cr_expect_eq(linker->counts.accounts_changed, 0);
    MUST(cm_linker_observe(linker, list + 2, 1, &p->err)); /* a newer delivery replaces */
    EXPECT(USAGE, "06-04 06-20  false");
    MUST(cm_linker_observe(linker, list, 3, &p->err)); /* v1 once more, and v2 with it in one group */
    EXPECT(USAGE, "06-04 06-20  false");
    EXPECT("SELECT count(*) FROM account_usage", "1");
    static const char *const no_text[] = {"AWSSupport\xff"}; /* main.c sets such a record aside */
    cm_observed bad = seen(p, "v2", 2, "2025-06-04", "2025-06-05");
    bad.support = no_text;
    bad.support_count = 1;
    cr_expect(!cm_linker_observe(linker, &bad, 1, &p->err) && p->err.class == CM_ERROR_POISON, "%s", p->err.text);
    cm_error_clear(&p->err);
    memset(list[0].delivery_id, 7, CM_ID_BYTES); /* of a delivery that does not exist */
    MUST(cm_linker_observe(linker, list, 1, &p->err) && cm_linker_observe(linker, NULL, 0, &p->err));
    EXPECT(USAGE, "06-04 06-20  false");
    desk_end(&d);
}

Test(org_linker, suspended_lines_are_rated_again_once)
{
    desk d = desk_new();
    place *p = d.p;
    cm_linker *linker = linker_of(&d);
    deliver_in(p, "2025-05", "may", false, ACME ", " SUSPENDED);
    deliver(p, "june", false, ACME ", " SUSPENDED);
    deliver_in(p, "2025-07", "july", false, ACME);
    look(linker, p);
    EXPECT(SETS, "0");
    link_new(p, "2025-06-01");
    look(linker, p);
    EXPECT(SETS, "1");
    /* May's reason changes from UNKNOWN_ACCOUNT to BEFORE_BILLED_FROM; in July the account has no charges */
    EXPECT(
        RUNS,
        "2025-05 current none, 2025-06 current none, 2025-07 current none, 2025-05 running set, 2025-06 running set");
    EXPECT("SELECT links_judged = links_id FROM run, payer_links WHERE period = '2025-07'", "t");
    EXPECT("SELECT actor || ': ' || reason FROM audit WHERE action = 'run.started' ORDER BY id DESC LIMIT 1",
           "org-linker: links changed of account " NEW);
    look(linker, p); /* nothing changed */
    cr_expect_eq(linker->counts.runs_started, 2);
    cr_expect_eq(linker->counts.sets_changed, 1);
    MUST(cm_pg_execute(p->pg, "UPDATE run SET state = 'failed' WHERE period = '2025-06' AND links_version <> ''",
                       &p->err));
    look(linker, p); /* needs manual review */
    cr_expect_eq(linker->counts.runs_started, 2);
    desk_end(&d);
}

Test(org_linker, one_months_failure_does_not_block_the_others)
{
    desk d = desk_new();
    place *p = d.p;
    cm_linker *linker = linker_of(&d);
    deliver_in(p, "2025-05", "may", false, ACME ", " SUSPENDED);
    deliver(p, "june", false, ACME ", " SUSPENDED);
    MUST(cm_pg_execute(p->pg, "UPDATE delivery SET state = 'failed' WHERE period = '2025-05'", &p->err));
    link_new(p, "2025-06-01");
    look(linker, p);
    EXPECT(RUNS, "2025-05 current none, 2025-06 current none, 2025-06 running set");
    desk_end(&d);
}

Test(org_linker, a_settled_month_is_corrected_with_its_own_catalog)
{
    desk d = desk_new();
    place *p = d.p;
    cm_linker *linker = linker_of(&d);
    char settled[CM_ID_HEX];
    deliver(p, "june", true, ACME ", " SUSPENDED);
    snprintf(settled, sizeof settled, "%s", p->catalog);
    MUST(cm_store_period_settle(p->pg, TDS, (cm_period){2025, 6}, p->now, "maria", "done", &p->err));
    link_new(p, "2025-06-01");
    place_catalog(p, "kind: Customer\nid: acme\nname: Another name\nreseller: northwind\nprice_book: standard\n");
    look(linker, p);
    EXPECT(RUNS, "2025-06 current none, 2025-06 running set");
    cr_expect_str_eq(ask(p, "SELECT catalog_id FROM run ORDER BY seq DESC LIMIT 1"), settled);
    bool current;
    char run[CM_ID_HEX];
    snprintf(run, sizeof run, "%s", ask(p, "SELECT id FROM run ORDER BY seq DESC LIMIT 1"));
    MUST(cm_pg_execute(p->pg, "UPDATE run SET complete = true WHERE state = 'running'", &p->err));
    MUST(cm_pg_begin(p->pg, &p->err) && cm_store_run_switch(p->pg, run, p->now, "test", &current, &p->err) &&
         cm_pg_commit(p->pg, &p->err));
    EXPECT(RUNS, "2025-06 current none, 2025-06 correction set");
    look(linker, p);
    cr_expect_eq(linker->counts.runs_started, 1);
    desk_end(&d);
}

static int publish(cm_linker *linker, place *p)
{
    cm_rows *rows = NULL;
    MUST(cm_pg_begin(p->pg, &p->err) && cm_linker_outbox_take(linker, 100, &rows, &p->err));
    int count = cm_rows_count(rows);
    MUST(cm_linker_outbox_published(linker, rows, &p->err) && cm_pg_commit(p->pg, &p->err));
    cm_rows_free(rows);
    return count;
}

Test(org_linker, account_link_says_what_has_changed_and_nothing_else)
{
    desk d = desk_new();
    place *p = d.p;
    cm_linker *linker = linker_of(&d);
    look(linker, p); /* of the catalog: acme's, zenith's, solo's */
    EXPECT(WAITING, ACCOUNT " " OTHER " 000099990000");
    cr_expect_eq(publish(linker, p), 3);
    look(linker, p);
    EXPECT(WAITING, "none");
    link_new(p, "2025-06-01");
    look(linker, p);
    EXPECT(WAITING, NEW);
    char first[256];
    snprintf(first, sizeof first, "%s",
             ask(p, "SELECT encode(payload, 'hex') FROM account_link WHERE account = '" NEW "'"));
    publish(linker, p);
    MUST(cm_pg_execute(p->pg, "DELETE FROM account_link_basis", &p->err)); /* all is compared again: the same bytes */
    look(linker, p);
    EXPECT(WAITING, "none");
    /* another catalog without solo: nobody owns that account any more */
    place_catalog(
        p, "kind: Customer\nid: acme\nname: Acme\nreseller: northwind\nprice_book: standard\naccounts: [{id: \"" ACCOUNT
           "\", payer: \"" TDS "\", from: 2025-01-01}]\n");
    look(linker, p);
    EXPECT(WAITING, OTHER " 000099990000");
    cr_expect_str_eq(ask(p, "SELECT encode(payload, 'hex') FROM account_link WHERE account = '" NEW "'"), first);
    desk_end(&d);
}
