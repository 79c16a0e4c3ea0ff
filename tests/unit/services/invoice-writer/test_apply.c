/* Exactly once by identity (architecture.md section 4). */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void reverse(record *records, size_t count)
{
    for (size_t i = 0; i < count / 2; i++) {
        record other = records[i];
        records[i] = records[count - 1 - i];
        records[count - 1 - i] = other;
    }
}

/* The expected result of one run, added up by hand: 12 batches of 3 lines. */
static void expect_month(world *w, const char *run)
{
    char sql[256];
    cr_expect_str_eq(state(w, run), "current");
    snprintf(sql, sizeof sql,
             "SELECT concat_ws(' ', lines, suspended_lines, final_lines, complete) FROM run WHERE id = '%s'", run);
    cr_expect_str_eq(text_of(w, sql), "36 12 24 t");
    /* acme: (100+110+120) + (200+210+220) and six times the last place */
    snprintf(sql, sizeof sql,
             "SELECT concat_ws(' ', lines, payer_amount, example_chunk, example_row) FROM charge WHERE run_id = '%s'"
             " AND customer = 'acme' AND product = 'AmazonEC2'",
             run);
    cr_expect_str_eq(text_of(w, sql), "6 960.000000000000000006 1 1");
    snprintf(
        sql, sizeof sql,
        "SELECT concat_ws(' ', count(*), sum(lines), trim_scale(sum(payer_amount))) FROM charge WHERE run_id = '%s'"
        " AND currency = 'EUR'",
        run);
    cr_expect_str_eq(text_of(w, sql), "12 12 -6");
    snprintf(sql, sizeof sql, "SELECT concat_ws(' ', count(*), sum(lines)) FROM charge_day WHERE run_id = '%s'", run);
    cr_expect_str_eq(text_of(w, sql), "24 36"); /* 3 days x 2 accounts x (EC2, Odd) and 12 of their own */
}

Test(apply, any_grouping_any_order_gives_the_same)
{
    world *w = world_new(NULL);
    const char *first = NULL;
    static const size_t sizes[] = {1, 3, 5, WORLD_RECORDS};
    for (int i = 0; i < 8; i++) {
        record records[WORLD_RECORDS];
        add_delivery(w, TDS, "abcdef01"[i]);
        const char *run = add_run(w, TDS, "abcdef01"[i], 1);
        month(w, run, 1, records);
        if (i % 2)
            reverse(records, WORLD_RECORDS);
        apply_all(w, &w->writer, records, WORLD_RECORDS, sizes[i / 2]);
        expect_month(w, run);
        if (!first)
            first = strdup(fingerprint(w, run));
        cr_expect_str_eq(fingerprint(w, run), first, "group size %zu", sizes[i / 2]);
    }
    free((void *)first);
    world_free(w);
}

Test(apply, twice_is_once)
{
    world *w = world_new(NULL);
    record records[2 * WORLD_RECORDS];
    add_delivery(w, TDS, 'a');
    const char *run = add_run(w, TDS, 'a', 1);
    month(w, run, 1, records);
    memcpy(records + WORLD_RECORDS, records, sizeof records / 2);
    cr_expect_eq(apply(w, records, 3), CM_APPLY_DONE);
    cr_expect_eq(apply(w, records, 3), CM_APPLY_KNOWN);
    cr_expect_eq(number(w, "SELECT sum(applied_lines) FROM run_chunk"), 9);
    apply_all(w, &w->writer, records, 2 * WORLD_RECORDS, 2 * WORLD_RECORDS); /* each twice in one group */
    expect_month(w, run);
    cr_expect_eq(w->writer.counts.records_known, 3 + 3 + 12);
    cr_expect_eq(apply(w, records, 3), CM_APPLY_SKIPPED); /* the run is complete: late copies are dropped */
    expect_month(w, run);
    world_free(w);
}

/* A replica's life: both runs' records twice, in groups of two. */
static int replica(world *w, const record *first, const record *second)
{
    cm_error err = {0};
    cm_writer own = w->writer;
    own.pg = cm_pg_open(w->conninfo, "replica", &err);
    own.catalogs = cm_catalog_cache_new();
    bool done = own.pg != NULL;
    for (int round = 0; done && round < 2; round++)
        done = apply_all_quietly(&own, first, WORLD_RECORDS, 2, &err) &&
               apply_all_quietly(&own, second, WORLD_RECORDS, 2, &err);
    if (!done)
        fprintf(stderr, "%s\n", err.text);
    return !done;
}

Test(apply, three_replicas_at_once)
{
    world *w = world_new(NULL);
    record records[WORLD_RECORDS], other_records[WORLD_RECORDS];
    add_delivery(w, TDS, 'a');
    add_delivery(w, TDS2, 'b');
    const char *run = add_run(w, TDS, 'a', 1), *other = add_run(w, TDS2, 'b', 1);
    month(w, run, 1, records);
    month(w, other, 1, other_records);
    pid_t children[3];
    for (int i = 0; i < 3; i++) {
        if (i == 1)
            reverse(records, WORLD_RECORDS);
        children[i] = fork();
        if (children[i] == 0)
            _exit(i == 2 ? replica(w, other_records, records) : replica(w, records, other_records));
    }
    for (int i = 0; i < 3; i++) {
        int status;
        waitpid(children[i], &status, 0);
        cr_assert_eq(status, 0);
    }
    expect_month(w, run);
    expect_month(w, other);
    cr_expect_str_eq(fingerprint(w, run), fingerprint(w, other));
    world_free(w);
}

/* --- determinism ------------------------------------------------------------------------------------------------- */

static const hand_charge five = {
    .customer = "acme", .account = ACCOUNT, .class = "usage", .product = "p", .payer = "5", .sell = "5"};
static const hand_charge six = {
    .customer = "acme", .account = ACCOUNT, .class = "usage", .product = "p", .payer = "6", .sell = "6"};

static void expect_stopped(world *w, const char *run, const char *code, const char *says)
{
    char sql[256];
    cr_expect_str_eq(state(w, run), "stopped");
    snprintf(sql, sizeof sql, "SELECT reason FROM audit WHERE action = 'run.stopped' AND object = 'run:%s'", run);
    const char *reason = text_of(w, sql);
    cr_expect(strstr(reason, code) && strstr(reason, says), "%s", reason);
    snprintf(sql, sizeof sql, "SELECT reason FROM run WHERE id = '%s'", run);
    cr_expect_str_eq(text_of(w, sql), reason);
}

Test(apply, other_content_under_the_same_id_stops_the_run)
{
    world *w = world_new(NULL);
    add_delivery(w, TDS, 'a');
    add_delivery(w, TDS2, 'b');
    const char *run = add_run(w, TDS, 'a', 1), *other = add_run(w, TDS2, 'b', 1);
    const record first = hand_batch(w, run, 1, 0, 0, &five, 1);
    const record group[] = {hand_batch(w, other, 1, 0, 0, &five, 1), hand_batch(w, run, 1, 1, 0, &five, 1),
                            hand_batch(w, run, 1, 0, 0, &six, 1)};
    cr_expect_eq(apply(w, &first, 1), CM_APPLY_DONE);
    cr_expect_eq(apply(w, group, 3), CM_APPLY_DONE); /* the other run's record */
    expect_stopped(w, run, "DETERMINISM_BROKEN", "chunk 1, batch 0, shard 0");
    cr_expect_eq(w->writer.counts.determinism_broken, 1);
    cr_expect_str_eq(state(w, other), "running");
    cr_expect_str_eq(
        text_of(w, "SELECT string_agg(left(run_id, 1) || sequence, ' ' ORDER BY run_id, sequence) FROM applied_batch"),
        "a0 b0");
    cr_expect_eq(apply(w, &group[1], 1), CM_APPLY_SKIPPED); /* nothing more of it */
    world_free(w);
}

Test(apply, two_contents_in_one_group_stop_the_run)
{
    world *w = world_new(NULL);
    add_delivery(w, TDS, 'a');
    const char *run = add_run(w, TDS, 'a', 1);
    const record group[] = {hand_batch(w, run, 1, 0, 0, &six, 1), hand_batch(w, run, 1, 0, 0, &five, 1)};
    cr_expect_eq(apply(w, group, 2), CM_APPLY_SKIPPED);
    expect_stopped(w, run, "DETERMINISM_BROKEN", "chunk 1, batch 0, shard 0");
    cr_expect_eq(number(w, "SELECT count(*) FROM applied_batch"), 0);
    world_free(w);
}

Test(apply, other_control_totals_stop_the_run)
{
    world *w = world_new(NULL);
    add_delivery(w, TDS, 'a');
    const char *run = add_run(w, TDS, 'a', 1);
    const record five_end = hand_end(w, run, 1, &five, 1), six_end = hand_end(w, run, 1, &six, 1);
    cr_expect_eq(apply(w, &five_end, 1), CM_APPLY_DONE);
    cr_expect_eq(apply(w, &five_end, 1), CM_APPLY_DONE); /* the same again: nothing */
    cr_expect_str_eq(state(w, run), "running");
    cr_expect_eq(apply(w, &six_end, 1), CM_APPLY_SKIPPED);
    expect_stopped(w, run, "DETERMINISM_BROKEN", "chunk 1 ended twice");
    world_free(w);
}

Test(apply, chunk_that_the_run_does_not_have_stops_it)
{
    world *w = world_new(NULL);
    add_delivery(w, TDS, 'a');
    const char *run = add_run(w, TDS, 'a', 1);
    const record stray = hand_batch(w, run, 3, 0, 0, &five, 1);
    cr_expect_eq(apply(w, &stray, 1), CM_APPLY_SKIPPED);
    expect_stopped(w, run, "UNKNOWN_CHUNK", "no chunk 3");
    world_free(w);
}

/* --- records that are not applied -------------------------------------------------------------------------------- */

Test(apply, runs_that_are_not_running)
{
    world *w = world_new(NULL);
    static const char *const states[] = {"failed", "superseded", "stopped", "current"};
    for (int i = 0; i < 4; i++) {
        char sql[128];
        add_delivery(w, TDS, (char)('a' + i));
        const char *run = add_run(w, TDS, (char)('a' + i), 1);
        snprintf(sql, sizeof sql, "UPDATE run SET state = '%s' WHERE id = '%s'", states[i], run);
        must(w, cm_pg_execute(w->pg, sql, &w->err));
        const record batch = hand_batch(w, run, 1, 0, 0, &five, 1);
        cr_expect_eq(apply(w, &batch, 1), CM_APPLY_SKIPPED);
    }
    cr_expect_eq(w->writer.counts.records_skipped, 4);
    const record unknown = hand_batch(w, run_name('e', 1), 1, 0, 0, &five, 1);
    cm_apply_record group = {.rated = &unknown.rated};
    must(w, cm_apply_group(&w->writer, &group, 1, w->merge, &w->err));
    cr_expect_eq(group.outcome, CM_APPLY_UNKNOWN_RUN);
    cr_assert_not_null(group.why);
    cr_expect_str_eq(group.why->code, "NO_RUN");
    cr_expect_eq(number(w, "SELECT count(*) FROM applied_batch"), 0);
    world_free(w);
}

/* Texts that PostgreSQL does not accept, sums that do not fit: the run fails with its reason, the others in the group
 * continue. */
Test(apply, poison_fails_its_run_only)
{
    world *w = world_new(NULL);
    hand_charge bad = five, huge = five;
    bad.product = "\xff";
    huge.payer = "170141183460469231731";
    add_delivery(w, TDS, 'a');
    add_delivery(w, TDS2, 'b');
    const char *run = add_run(w, TDS, 'a', 1), *other = add_run(w, TDS2, 'b', 1);
    const record group[] = {hand_batch(w, other, 1, 0, 0, &five, 1), hand_batch(w, run, 1, 0, 0, &five, 1),
                            hand_batch(w, run, 1, 1, 0, &bad, 1), hand_batch(w, other, 1, 1, 0, &five, 1)};
    cr_expect_eq(apply(w, group, 4), CM_APPLY_DONE);
    cr_expect_str_eq(state(w, run), "failed");
    cr_expect_str_eq(text_of(w, "SELECT error_file || ' ' || error_code FROM delivery WHERE payer = '" TDS "'"),
                     "chunk 1 DATA_EXCEPTION");
    cr_expect_str_eq(state(w, other), "running");
    cr_expect_eq(number(w, "SELECT applied_lines FROM run_chunk WHERE chunk = 1 AND run_id LIKE 'b%'"), 2);
    /* two that fit one by one: not added up in memory, and refused when the month's sum is made */
    const record large[] = {hand_batch(w, other, 1, 2, 0, &huge, 1), hand_batch(w, other, 1, 3, 0, &huge, 1)};
    cr_expect_eq(apply(w, large, 2), CM_APPLY_DONE);
    cr_expect_str_eq(state(w, other), "running");
    world_free(w);
}
