/* Nothing waits for work that nobody will do: runs whose workers are not alive, by the heartbeats in table worker. */
#include "place.h"
#include "store/runs/worker_store.h"

#define RUNNING(id, lane)                                                                                              \
    "INSERT INTO run (id, delivery_id, catalog_id, engine_version, payer, lane, period, shards, partitions, chunks, "  \
    "state, started_at) SELECT '" id "', d.id, c.id, 't', '111122223333', '" lane "', '" JUNE                          \
    "', 1, 1, 1, 'running', now() FROM (SELECT id FROM delivery LIMIT 1) d, (SELECT id FROM catalog_version LIMIT 1) " \
    "c"
#define CHUNK(run, ended) "INSERT INTO run_chunk (run_id, chunk, ended) VALUES ('" run "', 1, " ended ")"
#define ALIVE(name, lane, seconds)                                                                                     \
    "INSERT INTO worker (instance, name, lane, version, started_at, seen_at) VALUES ('" name lane "', '" name          \
    "', '" lane "', '1', now(), now() - interval '" seconds " seconds')"

static void tell(place *p, const char *sql)
{
    MUST(cm_pg_query(p->pg, sql, 0, NULL, NULL, &p->err));
}

static void expect_idle(place *p, const cm_run_filter *of, int count, const char *lane, const char *workers)
{
    cm_idle_lane found[CM_LANES_MAX];
    int got = -1;
    MUST(cm_store_idle_lanes(p->pg, of, found, &got, &p->err));
    cr_assert_eq(got, count, "%d lanes, not %d", got, count);
    if (!count)
        return;
    cr_assert_str_eq(found[0].lane, lane);
    cr_assert_str_eq(found[0].workers, workers);
}

Test(workers, a_lane_is_idle_while_one_of_its_workers_is_not_alive)
{
    place *p = place_open();
    cm_run_filter all = {0};
    deliver(p, "v1", false, "('acme', '" ACCOUNT "', 'usage', 'AmazonEC2', 1, 10)");
    expect_idle(p, &all, 0, "", ""); /* no run is running */
    tell(p, RUNNING("r1", "tds"));
    tell(p, CHUNK("r1", "false"));
    expect_idle(p, &all, 1, "tds", "ingest-cur, rate-engine, invoice-writer");
    tell(p, ALIVE("rate-engine", "tds", "2"));
    tell(p, ALIVE("invoice-writer", "ingram", "2")); /* of another lane */
    tell(p, ALIVE("ingest-cur", "tds", "31"));       /* too long ago */
    expect_idle(p, &all, 1, "tds", "ingest-cur, invoice-writer");
    tell(p, "UPDATE run_chunk SET ended = true WHERE run_id = 'r1'"); /* everything is read and rated */
    expect_idle(p, &all, 1, "tds", "invoice-writer");
    tell(p, ALIVE("invoice-writer", "tds", "2"));
    expect_idle(p, &all, 0, "", "");
    place_close(p);
}

Test(workers, only_runs_that_are_asked_for)
{
    place *p = place_open();
    deliver(p, "v1", false, "('acme', '" ACCOUNT "', 'usage', 'AmazonEC2', 1, 10)");
    tell(p, RUNNING("r1", "ingram"));
    tell(p, RUNNING("r2", "tds"));
    expect_idle(p, &(cm_run_filter){0}, 2, "ingram", "invoice-writer");
    expect_idle(p, &(cm_run_filter){.lane = "tds"}, 1, "tds", "invoice-writer");
    expect_idle(p, &(cm_run_filter){.runs = "{r2,r3}"}, 1, "tds", "invoice-writer");
    expect_idle(p, &(cm_run_filter){.payer = "111122223333", .period = JUNE}, 2, "ingram", "invoice-writer");
    expect_idle(p, &(cm_run_filter){.period = "2025-05"}, 0, "", "");
    expect_idle(p, &(cm_run_filter){.payer = "222233334444"}, 0, "", "");
    expect_idle(p, &(cm_run_filter){.deliveries = "{}"}, 0, "", "");
    place_close(p);
}

Test(workers, those_of_a_lane_that_are_absent)
{
    place *p = place_open();
    char absent[96];
    MUST(cm_store_absent_workers(p->pg, "ingram", absent, &p->err));
    cr_assert_str_eq(absent, "ingest-cur, rate-engine, invoice-writer");
    tell(p, ALIVE("ingest-cur", "ingram", "2"));
    tell(p, ALIVE("invoice-writer", "ingram", "2"));
    MUST(cm_store_absent_workers(p->pg, "ingram", absent, &p->err));
    cr_assert_str_eq(absent, "rate-engine");
    tell(p, ALIVE("rate-engine", "ingram", "2"));
    MUST(cm_store_absent_workers(p->pg, "ingram", absent, &p->err));
    cr_assert_str_eq(absent, "");
    place_close(p);
}
