/* Completeness and control totals (architecture.md section 4, point 3). */
#include "world.h"

static const hand_charge two[] = {
    {.customer = "acme", .account = ACCOUNT, .class = "usage", .product = "p", .payer = "5.5", .sell = "6"},
    {.customer = "bolt",
     .account = OTHER,
     .class = "usage",
     .product = "q",
     .currency = "EUR",
     .payer = "0.000000000000000001",
     .sell = "1"},
};

/* A run whose chunk 2 is empty and whose chunk 1 holds `two`; the end of chunk 1 says `totals`. */
static const char *run_with(world *w, const cm_chunk_end *totals)
{
    add_delivery(w, TDS, 'a');
    const char *run = add_run(w, TDS, 'a', 1);
    const record records[] = {hand_batch(w, run, 1, 0, 0, two, 2), end_of(w, run, 1, totals),
                              hand_end(w, run, 2, NULL, 0)};
    apply_all(w, &w->writer, records, 3, 3);
    return run;
}

/* What ingest-cur counts for `two`, to be changed by a test. */
static cm_chunk_end right_totals(world *w, cm_cost cost[static 4])
{
    record end = hand_end(w, run_name('a', 1), 1, two, 2);
    memcpy(cost, end.rated.end.cost, 2 * sizeof *cost);
    end.rated.end.cost = cost;
    return end.rated.end;
}

static void expect_mismatch(world *w, const char *run, const char *says)
{
    cr_expect_str_eq(state(w, run), "stopped");
    const char *reason = text_of(w, "SELECT reason FROM audit WHERE action = 'run.stopped'");
    cr_expect(strstr(reason, "CONTROL_TOTALS") && strstr(reason, says), "%s", reason);
    cr_expect_eq(w->writer.counts.control_total_mismatches, 1);
    cr_expect_eq(number(w, "SELECT count(*) FROM current_run"), 0);
    cr_expect_eq(number(w, "SELECT count(*) FROM charge"), 0);
    cr_expect_eq(number(w, "SELECT jsonb_array_length(detail -> 'figures') FROM audit WHERE action = 'run.stopped'"),
                 1);
    must(w, cm_writer_sweep(&w->writer, &w->err)); /* its parts are deleted, its counters stay for manual review */
    cr_expect_eq(number(w, "SELECT count(*) FROM pg_class WHERE relname ~ '^charge_(day_)?part_[0-9a-f]{32}$'"), 0);
    cr_expect_eq(number(w, "SELECT count(*) FROM applied_batch"), 0);
    cr_expect_eq(number(w, "SELECT applied_lines FROM run_chunk WHERE chunk = 1"), 2);
}

/* Derived lines are counted by themselves: one too few or too many is noticed, and they are in no count of lines. */
Test(complete, derived_lines)
{
    static const hand_charge charges[] = {
        {.customer = "acme", .account = ACCOUNT, .class = "usage", .product = "p", .payer = "5", .sell = "6"},
        {.customer = "acme",
         .account = ACCOUNT,
         .class = "provider_discount",
         .line_item_type = "EdpDiscount",
         .product = "p",
         .payer = "-1",
         .sell = "0",
         .derived = true}};
    for (int more = -1; more <= 1; more++) {
        world *w = world_new(NULL);
        add_delivery(w, TDS, 'a');
        const char *run = add_run(w, TDS, 'a', 1);
        record end = hand_end(w, run, 1, charges, 2);
        cm_chunk_end totals = end.rated.end;
        totals.derived_lines += (uint64_t)(int64_t)more;
        const record records[] = {hand_batch(w, run, 1, 0, 0, charges, 2), end_of(w, run, 1, &totals),
                                  hand_end(w, run, 2, NULL, 0)};
        apply_all(w, &w->writer, records, 3, 3);
        cr_expect_str_eq(state(w, run), more > 0 ? "running" : more < 0 ? "stopped" : "current");
        if (more < 0)
            cr_expect(strstr(text_of(w, "SELECT reason FROM audit WHERE action = 'run.stopped'"),
                             "derived lines expected 0, applied 1"));
        if (more == 0)
            cr_expect_str_eq(
                text_of(w, "SELECT concat_ws(' ', r.lines, r.derived_lines, r.final_lines, r.suspended_lines,"
                           " (SELECT string_agg(lines || ':' || derived_lines, ' ' ORDER BY class) FROM charge),"
                           " (SELECT string_agg(lines || ':' || derived_lines, ' ') FROM charge_day)) FROM run r"),
                "1 1 1 0 0:1 1:0 1:1");
        world_free(w);
    }
}

Test(complete, figures_of_a_complete_run)
{
    world *w = world_new(NULL);
    cm_cost cost[4];
    cm_chunk_end totals = right_totals(w, cost);
    const char *run = run_with(w, &totals);
    cr_expect_str_eq(state(w, run), "current");
    cr_expect_str_eq(
        text_of(
            w,
            "SELECT concat_ws(' ', lines, suspended_lines, final_lines, complete, completed_at IS NOT NULL) FROM run"),
        "2 0 2 t t");
    cr_expect_str_eq(text_of(w, "SELECT concat_ws(' ', lane, payer, period, run_id) FROM current_run"),
                     text_of(w, "SELECT 'tdsynnex " TDS " 2025-06 ' || id FROM run"));
    cr_expect_str_eq(text_of(w, "SELECT state FROM delivery"), "good");
    cr_expect_str_eq(text_of(w, "SELECT string_agg(payer_amount || ' ' || sell_amount || ' ' || currency, ', ' ORDER "
                                "BY product) FROM charge"),
                     "5.5 6 USD, 0.000000000000000001 1 EUR");
    cr_expect_eq(number(w, "SELECT count(*) FROM pg_class WHERE relname ~ '^charge_(day_)?part_[0-9a-f]{32}$'"), 0);
    cr_expect_eq(
        number(w, "SELECT count(*) FROM audit WHERE action = 'run.switched' AND object = 'payer:" TDS "/2025-06'"), 1);
    world_free(w);
}

Test(complete, checksum_wraps_around)
{
    world *w = world_new(NULL);
    cm_cost cost[4];
    cm_chunk_end totals = right_totals(w, cost);
    cr_assert_neq(totals.checksum, 0); /* of two values above 2^63, modulo 2^64 */
    cr_expect_str_eq(state(w, run_with(w, &totals)), "current");
    cr_expect_eq(number(w, "SELECT count(*) FROM run_chunk WHERE applied_checksum >= 18446744073709551616"), 0);
    world_free(w);
}

Test(complete, lines_missing_waits_and_then_completes)
{
    world *w = world_new(NULL);
    add_delivery(w, TDS, 'a');
    const char *run = add_run(w, TDS, 'a', 1);
    const record ends[] = {hand_end(w, run, 1, two, 2), hand_end(w, run, 2, two, 2)};
    const record batches[] = {hand_batch(w, run, 1, 0, 0, two, 1), hand_batch(w, run, 1, 0, 1, two + 1, 1),
                              hand_batch(w, run, 2, 0, 0, two, 2)};
    bool completed;
    apply_all(w, &w->writer, ends, 2, 1);
    for (int i = 0; i < 3; i++) {
        cr_expect_str_eq(state(w, run), "running");
        must(w, cm_complete_run(&w->writer, run, &completed, &w->err));
        cr_expect_not(completed);
        apply_all(w, &w->writer, &batches[i], 1, 1);
    }
    cr_expect_str_eq(state(w, run), "current");
    world_free(w);
}

Test(complete, without_an_end_it_waits)
{
    world *w = world_new(NULL);
    add_delivery(w, TDS, 'a');
    const char *run = add_run(w, TDS, 'a', 1);
    const record records[] = {hand_batch(w, run, 1, 0, 0, two, 2), hand_end(w, run, 1, two, 2)};
    apply_all(w, &w->writer, records, 2, 2);
    must(w, cm_writer_sweep(&w->writer, &w->err));
    cr_expect_str_eq(state(w, run), "running");
    cr_expect_eq(w->writer.counts.runs_incomplete, 1);
    world_free(w);
}

Test(complete, empty_run)
{
    world *w = world_new(NULL);
    add_delivery(w, TDS, 'a');
    const char *run = add_run(w, TDS, 'a', 1);
    const record ends[] = {hand_end(w, run, 1, NULL, 0), hand_end(w, run, 2, NULL, 0)};
    apply_all(w, &w->writer, ends, 2, 2);
    cr_expect_str_eq(state(w, run), "current");
    cr_expect_eq(number(w, "SELECT lines FROM run"), 0);
    world_free(w);
}

/* --- each kind of mismatch --------------------------------------------------------------------------------------- */

Test(mismatch, more_lines_than_read)
{
    world *w = world_new(NULL);
    cm_cost cost[4];
    cm_chunk_end totals = right_totals(w, cost);
    totals.lines = totals.final_lines = 1;
    expect_mismatch(w, run_with(w, &totals), "chunk 1: lines expected 1, applied 2");
    world_free(w);
}

Test(mismatch, checksum)
{
    world *w = world_new(NULL);
    cm_cost cost[4];
    cm_chunk_end totals = right_totals(w, cost);
    totals.checksum++;
    expect_mismatch(w, run_with(w, &totals), "chunk 1: checksum expected ");
    world_free(w);
}

Test(mismatch, cost_by_the_last_place)
{
    world *w = world_new(NULL);
    cm_cost cost[4];
    cm_chunk_end totals = right_totals(w, cost);
    cr_assert_str_eq(cost[1].currency, "USD");
    cost[1].amount.units++;
    expect_mismatch(w, run_with(w, &totals), "chunk 1: cost in USD expected 5.500000000000000001, applied 5.5");
    world_free(w);
}

Test(mismatch, currency_that_was_not_read)
{
    world *w = world_new(NULL);
    cm_cost cost[4];
    cm_chunk_end totals = right_totals(w, cost);
    totals.costs = 1;
    expect_mismatch(w, run_with(w, &totals), "chunk 1: cost in USD expected 0, applied 5.5");
    world_free(w);
}

Test(mismatch, missing_currency)
{
    world *w = world_new(NULL);
    cm_cost cost[4];
    cm_chunk_end totals = right_totals(w, cost);
    cost[2] = (cm_cost){.currency = "ZAR", .amount = cm_decimal_from_i64(3)};
    totals.costs = 3;
    expect_mismatch(w, run_with(w, &totals), "chunk 1: cost in ZAR expected 3, applied 0");
    world_free(w);
}

Test(mismatch, currency_without_cost_is_none)
{
    world *w = world_new(NULL);
    cm_cost cost[4];
    cm_chunk_end totals = right_totals(w, cost);
    cost[2] = (cm_cost){.currency = "ZAR", .amount = CM_DECIMAL_ZERO};
    totals.costs = 3;
    cr_expect_str_eq(state(w, run_with(w, &totals)), "current");
    world_free(w);
}

Test(mismatch, final_lines)
{
    world *w = world_new(NULL);
    cm_cost cost[4];
    cm_chunk_end totals = right_totals(w, cost);
    totals.final_lines = 1;
    expect_mismatch(w, run_with(w, &totals), "chunk all: final lines expected 1, applied 2");
    world_free(w);
}

/* The batch's own sums agree with what was read, its rows do not: the merged sums are checked again. */
Test(mismatch, rows_that_are_not_their_batch)
{
    world *w = world_new(NULL);
    add_delivery(w, TDS, 'a');
    const char *run = add_run(w, TDS, 'a', 1);
    record records[] = {hand_batch(w, run, 1, 0, 0, two, 2), hand_end(w, run, 1, two, 2), hand_end(w, run, 2, NULL, 0)};
    records[0].rated.batch.charge[0].sum.payer.units++;
    apply_all(w, &w->writer, records, 3, 3);
    expect_mismatch(w, run, "chunk all: cost of charges in USD expected 5.5, applied 5.500000000000000001");
    world_free(w);
}

Test(mismatch, month_beyond_all_amounts)
{
    world *w = world_new(NULL);
    hand_charge huge = two[0];
    huge.payer = "1";
    huge.sell = "170141183460469231731";
    add_delivery(w, TDS, 'a');
    const char *run = add_run(w, TDS, 'a', 1);
    const hand_charge both[] = {huge, huge};
    const record records[] = {hand_batch(w, run, 1, 0, 0, &huge, 1), hand_batch(w, run, 1, 1, 0, &huge, 1),
                              hand_end(w, run, 1, both, 2), hand_end(w, run, 2, NULL, 0)};
    apply_all(w, &w->writer, records, 4, 4);
    cr_expect_str_eq(state(w, run), "stopped");
    cr_expect(strstr(text_of(w, "SELECT reason FROM run"), "OVERFLOW: the month's sum of account " ACCOUNT), "%s",
              text_of(w, "SELECT reason FROM run"));
    world_free(w);
}
