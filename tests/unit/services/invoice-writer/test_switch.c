/* Which run is current: redelivery, re-rating, restarts (architecture.md section 3). */
#include "world.h"

static const hand_charge one[] = {
    {.customer = "acme", .account = ACCOUNT, .class = "usage", .product = "p", .payer = "1", .sell = "1"}};
static const hand_charge three[] = {
    {.customer = "acme", .account = ACCOUNT, .class = "usage", .product = "p", .payer = "3", .sell = "3"}};

static const char *delivery_states(world *w)
{
    return text_of(w, "SELECT string_agg(left(id, 1) || '=' || state, ' ' ORDER BY seq) FROM delivery");
}

static const char *current(world *w)
{
    return text_of(w, "SELECT run_id FROM current_run WHERE payer = '" TDS "' AND period = '2025-06'");
}

/* v1, v2, v1 again: only v2 counts. */
Test(switch_, newer_delivery_counts_whatever_completes_last)
{
    world *w = world_new(NULL);
    add_delivery(w, TDS, 'a');
    add_delivery(w, TDS, 'b');
    const char *v1 = add_run(w, TDS, 'a', 1), *v2 = add_run(w, TDS, 'b', 1);
    run_through(w, v1, one, 1);
    cr_expect_str_eq(current(w), v1);
    cr_expect_str_eq(delivery_states(w), "a=good b=planned");
    run_through(w, v2, three, 1);
    cr_expect_str_eq(current(w), v2);
    cr_expect_str_eq(delivery_states(w), "a=superseded b=good");
    cr_expect_str_eq(state(w, v1), "superseded");
    const char *again = add_run(w, TDS, 'a', 2); /* rated again, completes after v2 */
    run_through(w, again, one, 1);
    cr_expect_str_eq(state(w, again), "superseded");
    cr_expect_str_eq(current(w), v2);
    cr_expect_str_eq(delivery_states(w), "a=superseded b=good");
    cr_expect_eq(number(w, "SELECT count(*) FROM audit WHERE action = 'run.superseded'"), 1);
    cr_expect_eq(number(w, "SELECT count(*) FROM audit WHERE action = 'run.switched'"), 2);
    cr_expect_eq(number(w, "SELECT count(*) FROM charge"), 3); /* all complete runs are kept to be compared */
    world_free(w);
}

Test(switch_, older_run_on_its_way_is_superseded)
{
    world *w = world_new(NULL);
    add_delivery(w, TDS, 'a');
    add_delivery(w, TDS, 'b');
    const char *v1 = add_run(w, TDS, 'a', 1), *v2 = add_run(w, TDS, 'b', 1);
    const record part = hand_batch(w, v1, 1, 0, 0, one, 1), late = hand_batch(w, v1, 1, 1, 0, one, 1);
    cr_expect_eq(apply(w, &part, 1), CM_APPLY_DONE);
    run_through(w, v2, three, 1);
    cr_expect_str_eq(state(w, v1), "superseded");
    cr_expect_str_eq(delivery_states(w), "a=superseded b=good");
    cr_expect_eq(apply(w, &late, 1), CM_APPLY_SKIPPED);
    cr_expect_eq(number(w, "SELECT count(*) FROM pg_class WHERE relname LIKE 'charge\\_part\\_a%'"), 1);
    must(w, cm_writer_sweep(&w->writer, &w->err));
    cr_expect_eq(number(w, "SELECT count(*) FROM pg_class WHERE relname LIKE 'charge\\_part\\_%'"), 0);
    cr_expect_eq(number(w, "SELECT count(*) FROM applied_batch WHERE run_id LIKE 'a%'"), 0);
    world_free(w);
}

/* A writer is holding the older run at the moment of the switch: the next pass supersedes it. */
Test(switch_, run_that_is_being_written_is_superseded_later)
{
    world *w = world_new(NULL);
    add_delivery(w, TDS, 'a');
    add_delivery(w, TDS, 'b');
    const char *v1 = add_run(w, TDS, 'a', 1), *v2 = add_run(w, TDS, 'b', 1);
    cm_writer other = world_replica(w);
    must(w, cm_pg_begin(other.pg, &w->err));
    must(w, cm_pg_query(other.pg, "SELECT FROM run WHERE id = $1 FOR SHARE", 1, &v1, NULL, &w->err));
    run_through(w, v2, three, 1);
    cr_expect_str_eq(current(w), v2);
    cr_expect_str_eq(state(w, v1), "running");
    cm_pg_rollback(other.pg);
    must(w, cm_writer_sweep(&w->writer, &w->err));
    cr_expect_str_eq(state(w, v1), "superseded");
    cm_pg_close(other.pg);
    cm_catalog_cache_free(other.catalogs);
    world_free(w);
}

Test(switch_, payers_and_periods_are_apart)
{
    world *w = world_new(NULL);
    add_delivery(w, TDS, 'a');
    add_delivery(w, TDS2, 'b');
    const char *a = add_run(w, TDS, 'a', 1), *b = add_run(w, TDS2, 'b', 1);
    run_through(w, b, three, 1);
    run_through(w, a, one, 1);
    cr_expect_str_eq(state(w, a), "current");
    cr_expect_str_eq(state(w, b), "current");
    cr_expect_eq(number(w, "SELECT count(*) FROM current_run"), 2);
    world_free(w);
}

/* --- run start --------------------------------------------------------------------------------------------------- */

static const char *start(world *w, bool *ret_new)
{
    static char ids[4][CM_ID_HEX];
    static int next;
    char *id = ids[next++ % 4];
    cm_catalog *catalog;
    must(w, cm_store_catalog_load(w->pg, w->catalog, &catalog, &w->err));
    must(w,
         cm_store_run_start(w->pg, catalog, TDS, (cm_period){2025, 6}, &(cm_run_settings){.shards = 2, .partitions = 2},
                            w->clock.now(&w->clock), "alice", "why not", id, ret_new, &w->err));
    cm_catalog_free(catalog);
    return id;
}

Test(start, same_rating_again_counts_again)
{
    world *w = world_new(NULL);
    bool new;
    char first_catalog[CM_ID_HEX];
    memcpy(first_catalog, w->catalog, sizeof first_catalog);
    add_delivery(w, TDS, 'a');
    const char *one_run = start(w, &new);
    cr_expect(new);
    run_through(w, one_run, one, 1);
    world_catalog(
        w, "kind: Customer\nid: acme\nname: New name\nreseller: northwind\nprice_book: standard\naccounts: []\n");
    const char *two_run = start(w, &new);
    cr_expect(new);
    cr_expect_str_eq(current(w), one_run);
    run_through(w, two_run, three, 1);
    cr_expect_str_eq(current(w), two_run);
    cr_expect_str_eq(state(w, one_run), "superseded");
    memcpy(w->catalog, first_catalog, sizeof first_catalog);
    cr_expect_str_eq(start(w, &new), one_run);
    cr_expect_not(new);
    cr_expect_str_eq(current(w), one_run);
    cr_expect_str_eq(state(w, one_run), "current");
    cr_expect_str_eq(state(w, two_run), "superseded");
    cr_expect_str_eq(delivery_states(w), "a=good");
    cr_expect_str_eq(start(w, &new), one_run); /* once more: nothing */
    cr_expect_eq(number(w, "SELECT count(*) FROM audit WHERE action = 'run.switched'"), 3);
    cr_expect_str_eq(text_of(w, "SELECT actor FROM audit WHERE action = 'run.switched' ORDER BY id DESC LIMIT 1"),
                     "alice");
    world_free(w);
}

Test(start, failed_run_begins_from_nothing)
{
    world *w = world_new(NULL);
    bool new;
    add_delivery(w, TDS, 'a');
    must(w, cm_pg_execute(w->pg, "UPDATE delivery SET state = 'good'", &w->err)); /* rated before */
    const char *run = start(w, &new);
    const record records[] = {hand_batch(w, run, 1, 0, 0, one, 1), hand_end(w, run, 1, one, 1)};
    apply_all(w, &w->writer, records, 2, 2);
    must(w, cm_store_run_failed(w->pg, run, "CODE", "f", NULL, "text", 0, "test", &w->err));
    cr_expect_str_eq(start(w, &new), run);
    cr_expect_not(new);
    cr_expect_str_eq(text_of(w, "SELECT concat_ws(' ', state, published, reason) FROM run"), "running f ");
    cr_expect_str_eq(text_of(w, "SELECT concat_ws(' ', bool_or(ended), sum(applied_lines), sum(expected_lines), "
                                "sum(applied_checksum)) FROM run_chunk"),
                     "f 0 0 0");
    cr_expect_eq(number(w, "SELECT count(*) FROM applied_batch"), 0);
    cr_expect_eq(number(w, "SELECT count(*) FROM run_chunk_cost"), 0);
    run_through(w, run, one, 1);
    cr_expect_str_eq(state(w, run), "current");
    cr_expect_eq(number(w, "SELECT sum(payer_amount) FROM charge"), 1);
    cr_expect_eq(
        number(w,
               "SELECT count(*) FROM audit WHERE action = 'run.restarted' AND actor = 'alice' AND reason = 'why not'"),
        1);
    world_free(w);
}

Test(start, running_run_is_left_alone)
{
    world *w = world_new(NULL);
    bool new;
    add_delivery(w, TDS, 'a');
    const char *run = start(w, &new);
    const record batch = hand_batch(w, run, 1, 0, 0, one, 1);
    apply(w, &batch, 1);
    cr_expect_str_eq(start(w, &new), run);
    cr_expect_not(new);
    cr_expect_eq(number(w, "SELECT count(*) FROM applied_batch"), 1);
    world_free(w);
}
