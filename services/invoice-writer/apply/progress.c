/* How far the chunks are: what the new batches add to their counters, and the control totals of those that ended. */
#include "apply/group.h"

#include "platform/postgres/array.h"

#include <inttypes.h>
#include <stdlib.h>

static bool add_cost(cm_apply_chunk *sum, const cm_cost *cost)
{
    for (size_t i = 0; i < sum->costs; i++) {
        if (strcmp(sum->cost[i].currency, cost->currency) == 0)
            return cm_decimal_accumulate(&sum->cost[i].amount, cost->amount);
    }
    sum->cost[sum->costs++] = *cost;
    return true;
}

static bool sum_chunk(cm_apply *g, cm_apply_chunk *sum, cm_error *err)
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
        sum->derived_lines += batch->derived_lines;
        sum->checksum += batch->checksum; /* modulo 2^64 */
        for (size_t c = 0; c < batch->costs; c++) {
            if (!add_cost(sum, &batch->cost[c]))
                return cm_fail(err, CM_ERROR_POISON, "OVERFLOW", "the cost of chunk %u is too large", sum->chunk);
        }
    }
    g->lines += sum->lines;
    return true;
}

/* Also finds a chunk that the run does not have. */
static bool lock_chunks(cm_apply *g, cm_error *err)
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
            cm_apply_break(g, g->chunks[i].run, "UNKNOWN_CHUNK", "the run has no chunk %u", g->chunks[i].chunk);
    }
    cm_rows_free(rows);
    return done;
}

static bool advance_chunks(cm_apply *g, cm_error *err)
{
    cm_buffer array[5] = {0}, cost[4] = {0};
    const char *values[5], *cost_values[4];
    for (size_t i = 0; i < g->chunk_count; i++) {
        const cm_apply_chunk *sum = &g->chunks[i];
        if (sum->lines == 0 && sum->derived_lines == 0 && sum->costs == 0)
            continue;
        cm_array_text(&array[0], sum->run);
        cm_array_u64(&array[1], sum->chunk);
        cm_array_u64(&array[2], sum->lines);
        cm_array_u64(&array[3], sum->checksum);
        cm_array_u64(&array[4], sum->derived_lines);
        for (size_t c = 0; c < sum->costs; c++) {
            cm_array_text(&cost[0], sum->run);
            cm_array_u64(&cost[1], sum->chunk);
            cm_array_text(&cost[2], sum->cost[c].currency);
            cm_array_decimal(&cost[3], sum->cost[c].amount);
        }
    }
    bool any = array[0].length > 0, any_cost = cost[0].length > 0;
    for (int c = 0; c < 5; c++)
        values[c] = cm_array_end(&array[c]);
    for (int c = 0; c < 4; c++)
        cost_values[c] = cm_array_end(&cost[c]);
    bool done =
        (!any ||
         cm_pg_query(g->writer->pg,
                     "UPDATE run_chunk c SET applied_lines = c.applied_lines + v.lines,"
                     " applied_derived = c.applied_derived + v.derived,"
                     " applied_checksum = mod(c.applied_checksum + v.checksum, 18446744073709551616)"
                     " FROM unnest($1::text[], $2::int[], $3::bigint[], $4::numeric[], $5::bigint[])"
                     "   v (run_id, chunk, lines, checksum, derived) WHERE c.run_id = v.run_id AND c.chunk = v.chunk",
                     5, values, NULL, err)) &&
        (!any_cost || cm_pg_query(g->writer->pg,
                                  "INSERT INTO run_chunk_cost (run_id, chunk, currency, applied)"
                                  " SELECT * FROM unnest($1::text[], $2::int[], $3::text[], $4::numeric[])"
                                  " ON CONFLICT (run_id, chunk, currency)"
                                  " DO UPDATE SET applied = run_chunk_cost.applied + excluded.applied",
                                  4, cost_values, NULL, err));
    for (int c = 0; c < 5; c++)
        cm_buffer_free(&array[c]);
    for (int c = 0; c < 4; c++)
        cm_buffer_free(&cost[c]);
    return done;
}

bool cm_apply_progress(cm_apply *g, cm_error *err)
{
    for (size_t i = 0; i < g->chunk_count; i++) {
        if (!sum_chunk(g, &g->chunks[i], err))
            return false;
    }
    return g->chunk_count == 0 || (lock_chunks(g, err) && advance_chunks(g, err));
}

/* --- ends of chunks ------------------------------------------------------------------------------------------ */

static json_t *amount(cm_decimal value)
{
    char text[CM_DECIMAL_TEXT];
    cm_decimal_print(value, text);
    return json_string(text);
}

/* What the file says about its discounts, for the alerts of the run (rating.md section 2a). */
static json_t *discounts_json(const cm_chunk_end *end)
{
    if (!end->discounts)
        return json_object();
    json_t *sums = json_array(), *unexplained = json_array();
    for (size_t i = 0; i < end->discounts; i++) {
        const cm_discount_sum *s = &end->discount[i];
        json_array_append_new(sums,
                              json_pack("{s:s, s:s, s:I, s:o, s:I, s:o, s:I, s:o}", "type", s->type, "currency",
                                        s->currency, "derived_lines", (json_int_t)s->derived_lines, "derived",
                                        amount(s->derived), "lines_without_net", (json_int_t)s->lines_without_net,
                                        "without_net", amount(s->without_net), "lines_with_net",
                                        (json_int_t)s->lines_with_net, "net_difference", amount(s->net_difference)));
    }
    for (size_t i = 0; i < end->unexplained_count; i++)
        json_array_append_new(unexplained,
                              json_pack("{s:I, s:s, s:o}", "row", (json_int_t)end->unexplained[i].row, "currency",
                                        end->unexplained[i].currency, "amount", amount(end->unexplained[i].amount)));
    return json_pack("{s:o, s:o, s:I}", "sums", sums, "unexplained", unexplained, "unexplained_lines",
                     (json_int_t)end->unexplained_lines);
}

static char *text_of(json_t *json)
{
    char *text = json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS);
    cm_assert(text);
    json_decref(json);
    return text;
}

/* The control totals that ingest-cur counted. A second end must say the same. */
static bool store_end(cm_apply *g, const cm_apply_item *it, cm_error *err)
{
    const cm_chunk_end *end = it->end;
    char number[7][24];
    const uint64_t figures[] = {end->chunk,       end->batches, end->lines,        end->checksum,
                                end->final_lines, end->rounded, end->derived_lines};
    for (int i = 0; i < 7; i++)
        snprintf(number[i], sizeof number[i], "%" PRIu64, figures[i]);
    json_t *cost = json_object();
    for (size_t i = 0; i < end->costs; i++)
        json_object_set_new(cost, end->cost[i].currency, amount(end->cost[i].amount));
    char *cost_text = text_of(cost), *discounts_text = text_of(discounts_json(end));
    const char *values[] = {it->record->run, number[0], number[1], number[2], number[3],
                            number[4],       number[5], number[6], cost_text, discounts_text};
    cm_rows *rows = NULL;
    bool done = cm_pg_query(g->writer->pg,
                            "UPDATE run_chunk SET ended = true, batches = $3::int, expected_lines = $4::bigint,"
                            " expected_checksum = $5::numeric, expected_final = $6::bigint, rounded = $7::bigint,"
                            " expected_derived = $8::bigint, expected_cost = $9::jsonb, discounts = $10::jsonb"
                            " WHERE run_id = $1 AND chunk = $2::int AND (NOT ended OR"
                            " (batches, expected_lines, expected_checksum, expected_final, rounded, expected_derived,"
                            "   expected_cost, discounts) = ($3::int, $4::bigint, $5::numeric, $6::bigint, $7::bigint,"
                            "   $8::bigint, $9::jsonb, $10::jsonb))",
                            10, values, &rows, err);
    free(cost_text);
    free(discounts_text);
    if (!done)
        return false;
    if (cm_rows_affected(rows) == 0)
        done = cm_apply_break(
            g, it->record->run, "DETERMINISM_BROKEN",
            "chunk %u ended twice with different control totals: find out which worker (version) read it differently, then run `curmill run start --payer PAYER --period YYYY-MM`",
            end->chunk);
    cm_rows_free(rows);
    return done;
}

bool cm_apply_store_ends(cm_apply *g, cm_error *err)
{
    for (size_t i = 0; i < g->item_count; i++) {
        if (g->items[i].end && !store_end(g, &g->items[i], err))
            return false;
    }
    return true;
}
