/*
 * One group of records in one transaction:
 *   the runs' rows are held (FOR SHARE), so that none of them completes, fails or is cleaned meanwhile;
 *   the batches' ids go into applied_batch: what is there already is skipped, with another digest it stops the run;
 *   charges and days of the new ones, added up per run, are appended to the run's parts; its chunks' counters advance.
 * Rows are locked in the order of their keys, so replicas wait for each other and do not deadlock.
 */
#include "writer.h"

#include "base/log/log.h"
#include "billing/aggregate/merge.h"
#include "platform/postgres/array.h"
#include "store/runs/run_store.h"
#include "store/runs/switch.h"

#include <inttypes.h>
#include <stdlib.h>

/* A record of a running run. */
typedef struct item {
    cm_apply_record *record;
    const cm_rated_batch *batch; /* or NULL */
    const cm_chunk_end *end;     /* or NULL */
    uint32_t chunk;
    bool new; /* a batch that this transaction applies */
} item;

/* A chunk that the group touches: consecutive items, and what the new ones add. */
typedef struct chunk_sum {
    const char *run;
    uint32_t chunk;
    size_t first, last;
    uint64_t lines, checksum;
    cm_cost *cost; /* in the arena */
    size_t costs;
} chunk_sum;

typedef struct group {
    cm_writer *writer;
    cm_apply_record *records;
    size_t count;
    cm_arena *arena;
    item *items; /* sorted by run, chunk, batches before ends, sequence, shard */
    size_t item_count;
    chunk_sum *chunks;
    size_t chunk_count;
    uint64_t lines, charges;
    /* set when a run must be stopped */
    const char *broken_run;
    const char *broken_code;
    char broken_text[512];
} group;

enum attempt { ATTEMPT_DONE, ATTEMPT_BROKEN, ATTEMPT_FAILED };

static bool broken(group *g, const char *run, const char *code, const char *format, ...) CM_PRINTF(4, 5);

/* A run to be stopped is a failure of this attempt without an error of its own. */
static bool broken(group *g, const char *run, const char *code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(g->broken_text, sizeof g->broken_text, format, arguments);
    va_end(arguments);
    g->broken_run = run;
    g->broken_code = code;
    return false;
}

/* --- runs ---------------------------------------------------------------------------------------------------- */

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The group's run ids, sorted, each once. */
static size_t distinct_runs(const group *g, const char **into)
{
    size_t distinct = 0;
    for (size_t i = 0; i < g->count; i++)
        into[i] = g->records[i].run;
    qsort(into, g->count, sizeof *into, by_text);
    for (size_t i = 0; i < g->count; i++) {
        if (distinct == 0 || strcmp(into[distinct - 1], into[i]) != 0)
            into[distinct++] = into[i];
    }
    return distinct;
}

static void set_outcomes(group *g, const cm_rows *rows, int row, const char *run)
{
    bool known = row >= 0, running = known && !cm_rows_null(rows, row, 1);
    for (size_t i = 0; i < g->count; i++) {
        cm_apply_record *record = &g->records[i];
        if (strcmp(record->run, run) != 0)
            continue;
        record->outcome = running ? CM_APPLY_DONE : known ? CM_APPLY_SKIPPED : CM_APPLY_UNKNOWN_RUN;
        if (known)
            continue;
        cm_error *why = cm_arena_zalloc(g->arena, sizeof *why);
        cm_fail(why, CM_ERROR_NOT_FOUND, "NO_RUN", "there is no run %s in the database", run);
        record->why = why;
    }
}

/* Holds the running ones, makes the tables of their parts, and says of each record what is to be done. */
static bool hold_runs(group *g, cm_error *err)
{
    const char **runs = cm_arena_alloc(g->arena, g->count * sizeof *runs);
    size_t distinct = distinct_runs(g, runs);
    cm_buffer ids = {0};
    cm_rows *rows = NULL;
    for (size_t i = 0; i < distinct; i++)
        cm_array_text(&ids, runs[i]);
    const char *values[] = {cm_array_end(&ids)};
    bool done =
        cm_pg_query(g->writer->pg,
                    "WITH held AS MATERIALIZED (SELECT id FROM run WHERE id = ANY ($1::text[]) AND state = 'running'"
                    "   ORDER BY id FOR SHARE),"
                    " made AS MATERIALIZED (SELECT id, curmill_run_parts(id) FROM held)"
                    " SELECT r.id, m.id FROM run r LEFT JOIN made m ON m.id = r.id WHERE r.id = ANY ($1::text[])",
                    1, values, &rows, err);
    cm_buffer_free(&ids);
    if (!done)
        return false;
    for (size_t i = 0; i < distinct; i++) {
        int row = cm_rows_count(rows) - 1;
        while (row >= 0 && strcmp(cm_rows_text(rows, row, 0), runs[i]) != 0)
            row--;
        set_outcomes(g, rows, row, runs[i]);
    }
    cm_rows_free(rows);
    return true;
}

/* --- items and chunks ---------------------------------------------------------------------------------------- */

#define ORDER_BY(a, b)                                                                                                 \
    do {                                                                                                               \
        if ((a) != (b))                                                                                                \
            return (a) < (b) ? -1 : 1;                                                                                 \
    } while (0)

static int by_identity(const void *a, const void *b)
{
    const item *x = a, *y = b;
    int order = strcmp(x->record->run, y->record->run);
    if (order)
        return order;
    ORDER_BY(x->chunk, y->chunk);
    ORDER_BY(x->batch == NULL, y->batch == NULL);
    if (x->batch && y->batch) {
        ORDER_BY(x->batch->sequence, y->batch->sequence);
        ORDER_BY(x->batch->shard, y->batch->shard);
    }
    ORDER_BY(x->record, y->record);
    return 0;
}

static void list_items(group *g)
{
    g->items = cm_arena_alloc(g->arena, (g->count + 1) * sizeof *g->items);
    g->item_count = 0;
    for (size_t i = 0; i < g->count; i++) {
        const cm_rated *rated = g->records[i].rated;
        if (g->records[i].outcome != CM_APPLY_DONE)
            continue;
        g->items[g->item_count++] = (item){
            .record = &g->records[i],
            .batch = rated->is_end ? NULL : &rated->batch,
            .end = rated->is_end ? &rated->end : NULL,
            .chunk = rated->is_end ? rated->end.chunk : rated->batch.chunk,
        };
    }
    qsort(g->items, g->item_count, sizeof *g->items, by_identity);
    g->chunks = cm_arena_alloc(g->arena, (g->item_count + 1) * sizeof *g->chunks);
    g->chunk_count = 0;
    for (size_t i = 0; i < g->item_count; i++) {
        chunk_sum *last = g->chunk_count ? &g->chunks[g->chunk_count - 1] : NULL;
        if (last && last->chunk == g->items[i].chunk && strcmp(last->run, g->items[i].record->run) == 0)
            last->last = i + 1;
        else
            g->chunks[g->chunk_count++] =
                (chunk_sum){.run = g->items[i].record->run, .chunk = g->items[i].chunk, .first = i, .last = i + 1};
    }
}

/* --- identity ------------------------------------------------------------------------------------------------ */

static bool same_id(const item *a, const item *b)
{
    return a->batch && b->batch && a->chunk == b->chunk && a->batch->sequence == b->batch->sequence &&
           a->batch->shard == b->batch->shard && strcmp(a->record->run, b->record->run) == 0;
}

static bool other_digest(group *g, const item *i)
{
    return broken(
        g, i->record->run, "DETERMINISM_BROKEN",
        "chunk %u, batch %u, shard %u came twice with different content: find out which worker (version) made it, then"
        " `curmill run start`",
        i->chunk, i->batch->sequence, i->batch->shard);
}

/* Marks the first of equal ids inside the group; false: the same id with two contents. */
static bool first_of_equals(group *g)
{
    for (size_t i = 0; i < g->item_count; i++) {
        item *it = &g->items[i];
        it->new = it->batch != NULL;
        if (i == 0 || !same_id(it, it - 1))
            continue;
        if (it->record->digest != it[-1].record->digest)
            return other_digest(g, it);
        it->new = false;
        it->record->outcome = CM_APPLY_KNOWN;
    }
    return true;
}

enum { ID_COLUMNS = 6 };

static void id_arrays(const group *g, cm_buffer array[static ID_COLUMNS], const char *values[static ID_COLUMNS])
{
    for (size_t i = 0; i < g->item_count; i++) {
        const item *it = &g->items[i];
        if (!it->new)
            continue;
        cm_array_text(&array[0], it->record->run);
        cm_array_u64(&array[1], it->chunk);
        cm_array_u64(&array[2], it->batch->sequence);
        cm_array_u64(&array[3], it->batch->shard);
        cm_array_i64(&array[4], (int64_t)it->record->digest);
        cm_array_u64(&array[5], it->batch->lines);
    }
    for (int c = 0; c < ID_COLUMNS; c++)
        values[c] = cm_array_end(&array[c]);
}

/* `rows`: the ids that were inserted, in the order of the items. Returns how many were there already. */
static size_t mark_inserted(group *g, const cm_rows *rows)
{
    int row = 0;
    size_t there = 0;
    for (size_t i = 0; i < g->item_count; i++) {
        item *it = &g->items[i];
        if (!it->new)
            continue;
        it->new = row < cm_rows_count(rows) &&
                  cm_rows_i64(rows, row, 1) == it->chunk &&cm_rows_i64(rows, row, 2) ==
                      it->batch->sequence &&cm_rows_i64(rows, row, 3) ==
                      it->batch->shard &&strcmp(cm_rows_text(rows, row, 0), it->record->run) == 0;
        row += it->new;
        if (it->new)
            continue;
        it->record->outcome = CM_APPLY_KNOWN;
        there++;
    }
    cm_assert(row == cm_rows_count(rows));
    return there;
}

/* `rows`: ids that were there already, with their digests. */
static bool compare_digests(group *g, const cm_rows *rows)
{
    for (int row = 0; row < cm_rows_count(rows); row++) {
        const item *it = &g->items[cm_rows_i64(rows, row, 0)];
        if ((uint64_t)cm_rows_i64(rows, row, 1) != it->record->digest)
            return other_digest(g, it);
    }
    return true;
}

/* A statement of its own: it sees what another transaction committed while the insertion waited for it. */
static bool check_known(group *g, cm_error *err)
{
    cm_buffer array[5] = {0};
    const char *values[5];
    for (size_t i = 0; i < g->item_count; i++) {
        const item *it = &g->items[i];
        if (!it->batch || it->new)
            continue;
        cm_array_u64(&array[0], i);
        cm_array_text(&array[1], it->record->run);
        cm_array_u64(&array[2], it->chunk);
        cm_array_u64(&array[3], it->batch->sequence);
        cm_array_u64(&array[4], it->batch->shard);
    }
    for (int c = 0; c < 5; c++)
        values[c] = cm_array_end(&array[c]);
    cm_rows *rows = NULL;
    bool done = cm_pg_query(
        g->writer->pg,
        "SELECT v.n, a.digest FROM unnest($1::int[], $2::text[], $3::int[], $4::int[], $5::int[])"
        " v (n, run_id, chunk, sequence, shard) JOIN applied_batch a USING (run_id, chunk, sequence, shard)",
        5, values, &rows, err);
    for (int c = 0; c < 5; c++)
        cm_buffer_free(&array[c]);
    if (!done)
        return false;
    done = compare_digests(g, rows);
    cm_rows_free(rows);
    return done;
}

static bool take_ids(group *g, cm_error *err)
{
    if (!first_of_equals(g))
        return false;
    cm_buffer array[ID_COLUMNS] = {0};
    const char *values[ID_COLUMNS];
    cm_rows *rows = NULL;
    id_arrays(g, array, values);
    bool done =
        cm_pg_query(g->writer->pg,
                    "INSERT INTO applied_batch (run_id, chunk, sequence, shard, digest, lines)"
                    " SELECT * FROM unnest($1::text[], $2::int[], $3::int[], $4::int[], $5::bigint[], $6::bigint[])"
                    " ON CONFLICT DO NOTHING RETURNING run_id, chunk, sequence, shard",
                    ID_COLUMNS, values, &rows, err);
    for (int c = 0; c < ID_COLUMNS; c++)
        cm_buffer_free(&array[c]);
    if (!done)
        return false;
    size_t there = mark_inserted(g, rows);
    cm_rows_free(rows);
    return there == 0 || check_known(g, err);
}

/* --- parts --------------------------------------------------------------------------------------------------- */

static void put_slice(cm_copy *copy, cm_slice text)
{
    cm_copy_text(copy, text.length ? text.text : "", text.length);
}

static void put_layers(cm_copy *copy, const cm_layers *sum)
{
    cm_copy_decimal(copy, sum->quantity);
    cm_copy_decimal(copy, sum->payer);
    cm_copy_decimal(copy, sum->list);
    cm_copy_decimal(copy, sum->buy);
    cm_copy_decimal(copy, sum->sell);
}

static bool copy_charges(cm_pg *pg, const char *run, const cm_merge *merge, cm_error *err)
{
    char target[512];
    cm_copy copy;
    snprintf(target, sizeof target,
             "charge_part_%s (customer, account, line_item_type, class, product, usage_type, operation, region, unit, "
             "rule, currency,"
             " reason, lines, final_lines, example_chunk, example_row, quantity, payer_amount, list_amount, "
             "buy_amount, sell_amount)",
             run);
    if (!cm_copy_begin(&copy, pg, target, err))
        return false;
    for (size_t i = 0; i < merge->charges.count; i++) {
        const cm_charge *c = &merge->charge[i].charge;
        const cm_slice key[] = {c->customer,  c->account, c->line_item_type, c->class, c->product,  c->usage_type,
                                c->operation, c->region,  c->unit,           c->rule,  c->currency, c->reason};
        for (size_t k = 0; k < sizeof key / sizeof *key; k++)
            put_slice(&copy, key[k]);
        cm_copy_i64(&copy, (int64_t)c->lines);
        cm_copy_i64(&copy, (int64_t)c->final_lines);
        cm_copy_i64(&copy, merge->charge[i].chunk);
        cm_copy_i64(&copy, (int64_t)c->first_row);
        put_layers(&copy, &c->sum);
        if (!cm_copy_row(&copy, err))
            return false;
    }
    return cm_copy_end(&copy, err);
}

static bool copy_days(cm_pg *pg, const char *run, const cm_merge *merge, cm_error *err)
{
    char target[256], day[CM_INSTANT_TEXT];
    cm_copy copy;
    snprintf(target, sizeof target,
             "charge_day_part_%s (day, account, product, currency, lines, quantity, payer_amount, list_amount, "
             "buy_amount, sell_amount)",
             run);
    if (!cm_copy_begin(&copy, pg, target, err))
        return false;
    for (size_t i = 0; i < merge->days.count; i++) {
        const cm_charge_day *d = &merge->day[i];
        cm_day_print(d->day, day);
        cm_copy_text(&copy, day, strlen(day));
        put_slice(&copy, d->account);
        put_slice(&copy, d->product);
        put_slice(&copy, d->currency);
        cm_copy_i64(&copy, (int64_t)d->lines);
        put_layers(&copy, &d->sum);
        if (!cm_copy_row(&copy, err))
            return false;
    }
    return cm_copy_end(&copy, err);
}

/* The items of one run: added up, then appended. */
static bool append_run(group *g, size_t first, size_t last, cm_error *err)
{
    cm_merge merge;
    bool any = false;
    cm_merge_init(&merge, g->arena);
    for (size_t i = first; i < last; i++) {
        if (!g->items[i].new)
            continue;
        any = true;
        if (!cm_merge_add(&merge, g->items[i].batch, err))
            return false;
    }
    const char *run = g->items[first].record->run;
    g->charges += merge.charges.count;
    return !any || (copy_charges(g->writer->pg, run, &merge, err) && copy_days(g->writer->pg, run, &merge, err));
}

static bool append_parts(group *g, cm_error *err)
{
    for (size_t first = 0, last; first < g->item_count; first = last) {
        for (last = first + 1;
             last < g->item_count && strcmp(g->items[last].record->run, g->items[first].record->run) == 0; last++)
            ;
        if (!append_run(g, first, last, err))
            return false;
    }
    return true;
}

/* --- progress ------------------------------------------------------------------------------------------------ */

static bool add_cost(chunk_sum *sum, const cm_cost *cost)
{
    for (size_t i = 0; i < sum->costs; i++) {
        if (strcmp(sum->cost[i].currency, cost->currency) == 0)
            return cm_decimal_accumulate(&sum->cost[i].amount, cost->amount);
    }
    sum->cost[sum->costs++] = *cost;
    return true;
}

static bool sum_chunk(group *g, chunk_sum *sum, cm_error *err)
{
    size_t room = 0;
    for (size_t i = sum->first; i < sum->last; i++)
        room += g->items[i].new ? g->items[i].batch->costs : 0;
    sum->cost = cm_arena_alloc(g->arena, (room + 1) * sizeof *sum->cost);
    for (size_t i = sum->first; i < sum->last; i++) {
        const cm_rated_batch *batch = g->items[i].batch;
        if (!g->items[i].new)
            continue;
        sum->lines += batch->lines;
        sum->checksum += batch->checksum; /* modulo 2^64 */
        for (size_t c = 0; c < batch->costs; c++) {
            if (!add_cost(sum, &batch->cost[c]))
                return cm_fail(err, CM_ERROR_POISON, "OVERFLOW", "the cost of chunk %u does not fit an amount",
                               sum->chunk);
        }
    }
    g->lines += sum->lines;
    return true;
}

/* Also finds a chunk that the run does not have. */
static bool lock_chunks(group *g, cm_error *err)
{
    cm_buffer run = {0}, chunk = {0};
    cm_rows *rows = NULL;
    for (size_t i = 0; i < g->chunk_count; i++) {
        cm_array_text(&run, g->chunks[i].run);
        cm_array_u64(&chunk, g->chunks[i].chunk);
    }
    const char *values[] = {cm_array_end(&run), cm_array_end(&chunk)};
    bool done =
        cm_pg_query(g->writer->pg,
                    "SELECT c.run_id, c.chunk FROM run_chunk c JOIN unnest($1::text[], $2::int[]) v (run_id, chunk)"
                    " ON c.run_id = v.run_id AND c.chunk = v.chunk ORDER BY c.run_id, c.chunk FOR UPDATE OF c",
                    2, values, &rows, err);
    cm_buffer_free(&run);
    cm_buffer_free(&chunk);
    if (!done)
        return false;
    for (size_t i = 0, row = 0; done && i < g->chunk_count; i++, row++) {
        done = row < (size_t)cm_rows_count(rows) && strcmp(cm_rows_text(rows, (int)row, 0), g->chunks[i].run) == 0 &&
               cm_rows_i64(rows, (int)row, 1) == g->chunks[i].chunk;
        if (!done)
            broken(g, g->chunks[i].run, "UNKNOWN_CHUNK", "the run has no chunk %u", g->chunks[i].chunk);
    }
    cm_rows_free(rows);
    return done;
}

static bool advance_chunks(group *g, cm_error *err)
{
    cm_buffer array[4] = {0}, cost[4] = {0};
    const char *values[4], *cost_values[4];
    for (size_t i = 0; i < g->chunk_count; i++) {
        const chunk_sum *sum = &g->chunks[i];
        if (sum->lines == 0 && sum->costs == 0)
            continue;
        cm_array_text(&array[0], sum->run);
        cm_array_u64(&array[1], sum->chunk);
        cm_array_u64(&array[2], sum->lines);
        cm_array_u64(&array[3], sum->checksum);
        for (size_t c = 0; c < sum->costs; c++) {
            cm_array_text(&cost[0], sum->run);
            cm_array_u64(&cost[1], sum->chunk);
            cm_array_text(&cost[2], sum->cost[c].currency);
            cm_array_decimal(&cost[3], sum->cost[c].amount);
        }
    }
    bool any = array[0].length > 0, any_cost = cost[0].length > 0;
    for (int c = 0; c < 4; c++) {
        values[c] = cm_array_end(&array[c]);
        cost_values[c] = cm_array_end(&cost[c]);
    }
    bool done =
        (!any ||
         cm_pg_query(
             g->writer->pg,
             "UPDATE run_chunk c SET applied_lines = c.applied_lines + v.lines,"
             " applied_checksum = mod(c.applied_checksum + v.checksum, 18446744073709551616)"
             " FROM unnest($1::text[], $2::int[], $3::bigint[], $4::numeric[]) v (run_id, chunk, lines, checksum)"
             " WHERE c.run_id = v.run_id AND c.chunk = v.chunk",
             4, values, NULL, err)) &&
        (!any_cost || cm_pg_query(g->writer->pg,
                                  "INSERT INTO run_chunk_cost (run_id, chunk, currency, applied)"
                                  " SELECT * FROM unnest($1::text[], $2::int[], $3::text[], $4::numeric[])"
                                  " ON CONFLICT (run_id, chunk, currency)"
                                  " DO UPDATE SET applied = run_chunk_cost.applied + excluded.applied",
                                  4, cost_values, NULL, err));
    for (int c = 0; c < 4; c++) {
        cm_buffer_free(&array[c]);
        cm_buffer_free(&cost[c]);
    }
    return done;
}

static bool progress(group *g, cm_error *err)
{
    for (size_t i = 0; i < g->chunk_count; i++) {
        if (!sum_chunk(g, &g->chunks[i], err))
            return false;
    }
    return g->chunk_count == 0 || (lock_chunks(g, err) && advance_chunks(g, err));
}

/* --- ends of chunks ------------------------------------------------------------------------------------------ */

/* The control totals that ingest-cur counted. A second end must say the same. */
static bool store_end(group *g, const item *it, cm_error *err)
{
    const cm_chunk_end *end = it->end;
    char number[6][24], amount[CM_DECIMAL_TEXT];
    const uint64_t figures[] = {end->chunk, end->batches, end->lines, end->checksum, end->final_lines, end->rounded};
    for (int i = 0; i < 6; i++)
        snprintf(number[i], sizeof number[i], "%" PRIu64, figures[i]);
    json_t *cost = json_object();
    for (size_t i = 0; i < end->costs; i++) {
        cm_decimal_print(end->cost[i].amount, amount);
        json_object_set_new(cost, end->cost[i].currency, json_string(amount));
    }
    char *cost_text = json_dumps(cost, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(cost);
    const char *values[] = {it->record->run, number[0], number[1], number[2],
                            number[3],       number[4], number[5], cost_text};
    cm_rows *rows = NULL;
    bool done = cm_pg_query(g->writer->pg,
                            "UPDATE run_chunk SET ended = true, batches = $3::int, expected_lines = $4::bigint,"
                            " expected_checksum = $5::numeric, expected_final = $6::bigint, rounded = $7::bigint,"
                            " expected_cost = $8::jsonb WHERE run_id = $1 AND chunk = $2::int AND (NOT ended OR"
                            " (batches, expected_lines, expected_checksum, expected_final, rounded, expected_cost) ="
                            " ($3::int, $4::bigint, $5::numeric, $6::bigint, $7::bigint, $8::jsonb))",
                            8, values, &rows, err);
    free(cost_text);
    if (!done)
        return false;
    if (cm_rows_affected(rows) == 0)
        done = broken(g, it->record->run, "DETERMINISM_BROKEN",
                      "chunk %u ended twice with different control totals: find out which worker (version) read it "
                      "differently, then"
                      " `curmill run start`",
                      end->chunk);
    cm_rows_free(rows);
    return done;
}

static bool store_ends(group *g, cm_error *err)
{
    for (size_t i = 0; i < g->item_count; i++) {
        if (g->items[i].end && !store_end(g, &g->items[i], err))
            return false;
    }
    return true;
}

/* --- the transaction ----------------------------------------------------------------------------------------- */

static bool steps(group *g, cm_error *err)
{
    cm_writer *w = g->writer;
    if (!hold_runs(g, err))
        return false;
    list_items(g);
    return cm_writer_step(w, "held", err) && take_ids(g, err) && cm_writer_step(w, "identified", err) &&
           append_parts(g, err) && cm_writer_step(w, "appended", err) && progress(g, err) &&
           cm_writer_step(w, "advanced", err) && store_ends(g, err) && cm_writer_step(w, "before commit", err);
}

static enum attempt attempt(group *g, cm_error *err)
{
    cm_error_clear(err);
    g->broken_run = NULL;
    g->lines = g->charges = 0;
    if (!cm_pg_begin(g->writer->pg, err))
        return ATTEMPT_FAILED;
    if (steps(g, err) && cm_writer_commit(g->writer, err))
        return cm_writer_step(g->writer, "after commit", err) ? ATTEMPT_DONE : ATTEMPT_FAILED;
    cm_pg_rollback(g->writer->pg);
    return g->broken_run && err->class == CM_ERROR_NONE ? ATTEMPT_BROKEN : ATTEMPT_FAILED;
}

static void count(const group *g)
{
    cm_writer_counts *counts = &g->writer->counts;
    counts->groups_applied++;
    counts->lines += (int64_t)g->lines;
    counts->charges_written += (int64_t)g->charges;
    for (size_t i = 0; i < g->count; i++) {
        switch (g->records[i].outcome) {
        case CM_APPLY_DONE:
            counts->records_applied++;
            break;
        case CM_APPLY_KNOWN:
            counts->records_known++;
            break;
        case CM_APPLY_SKIPPED:
            counts->records_skipped++;
            break;
        case CM_APPLY_UNKNOWN_RUN:
        case CM_APPLY_POISON:
            break; /* the dead letters are counted where they are sent */
        }
    }
}

/* A single record that PostgreSQL or the arithmetic refuses: its run can never be complete, so it fails with its
 * reason. */
static bool give_up(group *g, cm_error *err)
{
    cm_apply_record *record = &g->records[0];
    cm_error *why = cm_arena_zalloc(g->arena, sizeof *why);
    char file[32];
    uint32_t chunk = record->rated->is_end ? record->rated->end.chunk : record->rated->batch.chunk;
    *why = *err;
    snprintf(file, sizeof file, "chunk %u", chunk);
    cm_log_error(CM_ERROR, "run failed: a record cannot be stored", why, "run", record->run, "file", file, NULL);
    record->outcome = CM_APPLY_POISON;
    record->why = why;
    cm_error_clear(err);
    return cm_store_run_failed(g->writer->pg, record->run, why->code, file, NULL, why->text, cm_writer_now(g->writer),
                               CM_WRITER_NAME, err);
}

static bool apply(cm_writer *writer, cm_apply_record *records, size_t record_count, cm_arena *arena, cm_error *err)
{
    group g = {.writer = writer, .records = records, .count = record_count, .arena = arena};
    for (;;) {
        switch (attempt(&g, err)) {
        case ATTEMPT_DONE:
            count(&g);
            return true;
        case ATTEMPT_BROKEN:
            if (!cm_writer_stop_run(writer, g.broken_run, g.broken_code, g.broken_text, NULL,
                                    &writer->counts.determinism_broken, err))
                return false;
            break; /* again, without the stopped run */
        case ATTEMPT_FAILED:
            if (err->class != CM_ERROR_POISON)
                return false;
            if (record_count == 1)
                return give_up(&g, err);
            return apply(writer, records, record_count / 2, arena, err) &&
                   apply(writer, records + record_count / 2, record_count - record_count / 2, arena, err);
        }
    }
}

bool cm_apply_group(cm_writer *writer, cm_apply_record *records, size_t record_count, cm_arena *arena, cm_error *err)
{
    for (size_t i = 0; i < record_count; i++) {
        const cm_rated *rated = records[i].rated;
        cm_hex(rated->is_end ? rated->end.run_id : rated->batch.run_id, CM_ID_BYTES, records[i].run);
        records[i].why = NULL;
    }
    return record_count == 0 || apply(writer, records, record_count, arena, err);
}
