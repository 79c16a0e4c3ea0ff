#include "world.h"

#include "base/log/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <xxhash.h>

static const char usual[] =
    "kind: Customer\nid: acme\nname: Acme\nreseller: northwind\nprice_book: standard\naccounts:\n"
    "  - {id: \"" ACCOUNT "\", payer: \"" TDS "\", from: 2025-01-01}\n  - {id: \"" ACCOUNT "\", payer: \"" ING
    "\", from: 2025-01-01}\n---\n"
    "kind: Customer\nid: bolt\nname: Bolt\nreseller: northwind\nprice_book: standard\naccounts:\n"
    "  - {id: \"" OTHER "\", payer: \"" TDS "\", from: 2025-01-01}\n";

static void quiet(const char *line, void *opaque)
{
    (void)line, (void)opaque;
}

void must(world *w, bool done)
{
    cr_assert(done, "%s: %s", w->err.code, w->err.text);
}

world *world_new(const char *catalog)
{
    world *w = cm_alloc(sizeof *w);
    int from, to;
    cm_instant now;
    cr_assert(cm_instant_parse(cm_slice_of("2025-07-02T00:00:00Z"), &now));
    cm_log_capture(quiet, NULL);
    w->clock = cm_clock_fixed(now);
    test_postgres_database(w->conninfo, sizeof w->conninfo);
    w->pg = cm_pg_open(w->conninfo, "test", &w->err);
    must(w, w->pg != NULL && cm_pg_migrate(w->pg, &from, &to, &w->err));
    w->arena = cm_arena_new(1 << 20);
    w->merge = cm_arena_new(1 << 16);
    w->writer = (cm_writer){.pg = w->pg, .clock = &w->clock, .lane = "tdsynnex", .catalogs = cm_catalog_cache_new()};
    world_catalog(w, catalog ? catalog : usual);
    return w;
}

void world_free(world *w)
{
    cm_catalog_cache_free(w->writer.catalogs);
    cm_arena_free(w->arena);
    cm_arena_free(w->merge);
    cm_pg_close(w->pg);
    free(w);
}

cm_writer world_replica(world *w)
{
    cm_pg *pg = cm_pg_open(w->conninfo, "replica", &w->err);
    must(w, pg != NULL);
    return (cm_writer){.pg = pg, .clock = &w->clock, .lane = "tdsynnex", .catalogs = cm_catalog_cache_new()};
}

void world_catalog(world *w, const char *yaml)
{
    json_t *canonical = test_catalog_json(yaml);
    cm_applied_catalog applied;
    must(w, cm_store_catalog_apply(w->pg, canonical, "test", "test", w->clock.now(&w->clock), true, &applied, &w->err));
    memcpy(w->catalog, applied.id, sizeof w->catalog);
    free(applied.diff);
    json_decref(canonical);
}

/* --- deliveries and runs ------------------------------------------------------------------------------------- */

static void query(world *w, const char *sql, int count, const char *const *values)
{
    must(w, cm_pg_query(w->pg, sql, count, values, NULL, &w->err));
}

static const char *lane_of(const char *payer)
{
    return strcmp(payer, ING) == 0 ? "ingram" : "tdsynnex";
}

void add_delivery(world *w, const char *payer, char digit)
{
    char id[CM_ID_HEX] = {0};
    memset(id, digit, CM_ID_HEX - 1);
    const char *values[] = {id, payer, lane_of(payer)};
    query(w,
          "INSERT INTO delivery (id, payer, lane, period, report, assembly, format, source, manifest, manifest_digest, "
          "immutable_keys, state,"
          " discovered_at) VALUES ($1, $2, $3, '2025-06', 'report', '', 'legacy', '{}', '', '', true, 'planned', "
          "'2025-07-01')",
          3, values);
    query(w,
          "INSERT INTO chunk (delivery_id, chunk, location, name, fingerprint) SELECT $1, n, 'k', 'k', 'f' FROM "
          "generate_series(1, 2) n",
          1, values);
}

const char *run_name(char digit, int number)
{
    static char names[8][CM_ID_HEX];
    static int next;
    char *name = names[next++ % 8];
    memset(name, digit, CM_ID_HEX - 1);
    name[CM_ID_HEX - 2] = (char)('0' + number);
    return name;
}

const char *add_run(world *w, const char *payer, char digit, int number)
{
    const char *run = run_name(digit, number);
    char delivery[CM_ID_HEX] = {0};
    memset(delivery, digit, CM_ID_HEX - 1);
    const char *values[] = {run, delivery, w->catalog, payer, lane_of(payer)};
    query(w,
          "INSERT INTO run (id, delivery_id, catalog_id, engine_version, payer, lane, period, shards, partitions, "
          "chunks, state, started_at)"
          " VALUES ($1, $2, $3, 'test', $4, $5, '2025-06', 2, 2, 2, 'running', '2025-07-01')",
          5, values);
    query(w, "INSERT INTO run_chunk (run_id, chunk) SELECT $1, generate_series(1, 2)", 1, values);
    query(w, "SELECT curmill_ensure_period('2025-06')", 0, NULL);
    return run;
}

/* --- records ------------------------------------------------------------------------------------------------- */

static cm_decimal amount(const char *text)
{
    cm_decimal value = CM_DECIMAL_ZERO;
    cr_assert(!text || cm_decimal_parse_strict(cm_slice_of(text), &value), "%s", text);
    return value;
}

/* As over the wire. */
static record received(world *w, const uint8_t *bytes, size_t length)
{
    record r = {.digest = XXH3_64bits(bytes, length)};
    must(w, cm_rated_decode(bytes, length, w->arena, &r.rated, &w->err));
    return r;
}

static record batch_received(world *w, const cm_rated_batch *batch)
{
    const uint8_t *bytes;
    size_t length;
    cm_rated_batch_encode(batch, w->arena, &bytes, &length);
    return received(w, bytes, length);
}

record end_of(world *w, const char *run, uint32_t chunk, const cm_chunk_end *end)
{
    const uint8_t *bytes;
    size_t length;
    cm_chunk_end copy = *end;
    copy.chunk = chunk;
    cr_assert(cm_id_bytes(run, copy.run_id));
    cm_rated_end_encode(&copy, w->arena, &bytes, &length);
    return received(w, bytes, length);
}

static void add_cost(cm_cost *cost, size_t *costs, const char *currency, cm_decimal value)
{
    size_t i = 0;
    while (i < *costs && strcmp(cost[i].currency, currency) != 0)
        i++;
    if (i == *costs) { /* sorted by currency, as the decoder wants them */
        for (; i > 0 && strcmp(cost[i - 1].currency, currency) > 0; i--)
            cost[i] = cost[i - 1];
        cost[i] = (cm_cost){.amount = CM_DECIMAL_ZERO};
        snprintf(cost[i].currency, sizeof cost[i].currency, "%s", currency);
        (*costs)++;
    }
    cr_assert(cm_decimal_accumulate(&cost[i].amount, value));
}

static uint64_t checksum_of(const hand_charge *c)
{
    return XXH3_64bits(c->product, strlen(c->product)) | (UINT64_C(1) << 63); /* large: sums wrap around */
}

record hand_batch(world *w, const char *run, uint32_t chunk, uint32_t sequence, uint32_t shard,
                  const hand_charge *charges, size_t count)
{
    cm_rated_batch batch = {.chunk = chunk, .sequence = sequence, .shard = shard};
    cm_cost cost[8];
    cr_assert(cm_id_bytes(run, batch.run_id));
    batch.cost = cost;
    batch.charge = cm_arena_zalloc(w->arena, count * sizeof *batch.charge);
    batch.day = cm_arena_zalloc(w->arena, count * sizeof *batch.day);
    for (size_t i = 0; i < count; i++) {
        const hand_charge *c = &charges[i];
        cm_layers sum = {cm_decimal_from_i64(1), amount(c->payer), amount(c->payer), amount(c->buy ? c->buy : c->payer),
                         amount(c->sell)};
        batch.charge[batch.charges++] = (cm_charge){
            .customer = cm_slice_of(c->customer),
            .account = cm_slice_of(c->account),
            .line_item_type = cm_slice_of(c->line_item_type ? c->line_item_type : "Usage"),
            .class = cm_slice_of(c->class),
            .product = cm_slice_of(c->product),
            .unit = cm_slice_of("Hrs"),
            .currency = cm_slice_of(c->currency ? c->currency : "USD"),
            .reason = cm_slice_of(c->reason),
            .lines = !c->derived,
            .derived_lines = c->derived,
            .final_lines = !c->not_final && !c->derived,
            .first_row = sequence * 100 + i + 1,
            .sum = sum,
        };
        batch.day[batch.days++] = (cm_charge_day){.day = cm_day_from_civil(2025, 6, 1 + (int)sequence),
                                                  .account = cm_slice_of(c->account),
                                                  .product = cm_slice_of(c->product),
                                                  .currency = cm_slice_of(c->currency ? c->currency : "USD"),
                                                  .lines = !c->derived,
                                                  .derived_lines = c->derived,
                                                  .sum = sum};
        batch.lines += !c->derived;
        batch.derived_lines += c->derived;
        batch.checksum += checksum_of(c);
        add_cost(cost, &batch.costs, c->currency ? c->currency : "USD", amount(c->payer));
    }
    return batch_received(w, &batch);
}

static cm_chunk_end totals(const hand_charge *charges, size_t count, cm_cost *cost)
{
    cm_chunk_end end = {.batches = count > 0, .cost = cost};
    for (size_t i = 0; i < count; i++) {
        end.lines += !charges[i].derived;
        end.derived_lines += charges[i].derived;
        end.final_lines += !charges[i].not_final && !charges[i].derived;
        end.checksum += checksum_of(&charges[i]);
        add_cost(cost, &end.costs, charges[i].currency ? charges[i].currency : "USD", amount(charges[i].payer));
    }
    return end;
}

record hand_end(world *w, const char *run, uint32_t chunk, const hand_charge *charges, size_t count)
{
    cm_cost cost[8];
    cm_chunk_end end = totals(charges, count, cost);
    return end_of(w, run, chunk, &end);
}

/* Each batch holds charges that others have too, and one of its own; two currencies; amounts with 18 decimals. */
void month(world *w, const char *run, int variant, record into[static WORLD_RECORDS])
{
    size_t n = 0;
    for (uint32_t chunk = 1; chunk <= WORLD_CHUNKS; chunk++) {
        hand_charge all[WORLD_BATCHES * WORLD_SHARDS * 3];
        size_t count = 0;
        for (uint32_t batch = 0; batch < WORLD_BATCHES; batch++) {
            for (uint32_t shard = 0; shard < WORLD_SHARDS; shard++) {
                hand_charge *c = &all[count];
                const char *account = shard ? OTHER : ACCOUNT, *customer = shard ? "bolt" : "acme";
                char *money =
                    cm_arena_printf(w->arena, "%u.00000000000000000%d", chunk * 100 + batch * 10 + shard, variant);
                char *own = cm_arena_printf(w->arena, "Own%u%u%u", chunk, batch, shard);
                c[0] = (hand_charge){.customer = customer,
                                     .account = account,
                                     .class = "usage",
                                     .product = "AmazonEC2",
                                     .payer = money,
                                     .sell = money};
                c[1] = (hand_charge){.customer = customer,
                                     .account = account,
                                     .class = "usage",
                                     .product = own,
                                     .currency = "EUR",
                                     .payer = "-0.5",
                                     .sell = "1"};
                c[2] = (hand_charge){.customer = "",
                                     .account = account,
                                     .class = "suspended",
                                     .product = "Odd",
                                     .payer = "2",
                                     .reason = "UNKNOWN_LINE_TYPE",
                                     .not_final = true};
                into[n++] = hand_batch(w, run, chunk, batch, shard, c, 3);
                count += 3;
            }
        }
        into[n++] = hand_end(w, run, chunk, all, count);
    }
    cr_assert_eq(n, WORLD_RECORDS);
}

/* --- applying ------------------------------------------------------------------------------------------------ */

static void fill(cm_apply_record *group, const record *records, size_t count)
{
    cm_assert(count <= 64);
    for (size_t i = 0; i < count; i++)
        group[i] = (cm_apply_record){.rated = &records[i].rated, .digest = records[i].digest};
}

enum cm_apply_outcome apply(world *w, const record *records, size_t count)
{
    cm_apply_record group[64];
    fill(group, records, count);
    cm_arena_reset(w->merge);
    must(w, cm_apply_group(&w->writer, group, count, w->merge, &w->err));
    return group[0].outcome;
}

bool apply_all_quietly(cm_writer *writer, const record *records, size_t count, size_t size, cm_error *err)
{
    cm_apply_record group[64];
    cm_arena *arena = cm_arena_new(1 << 16);
    int attempts = 0;
    bool done = true;
    for (size_t first = 0; done && first < count;) {
        size_t some = count - first < size ? count - first : size;
        fill(group, records + first, some);
        cm_arena_reset(arena);
        if (cm_apply_group(writer, group, some, arena, err) && cm_complete_touched(writer, group, some, err))
            first += some;
        else
            done = err->class == CM_ERROR_RETRY && ++attempts < 20;
    }
    cm_arena_free(arena);
    return done;
}

void apply_all(world *w, cm_writer *writer, const record *records, size_t count, size_t size)
{
    must(w, apply_all_quietly(writer, records, count, size, &w->err));
}

void run_through(world *w, const char *run, const hand_charge *charges, size_t count)
{
    const record records[] = {hand_batch(w, run, 1, 0, 0, charges, count), hand_end(w, run, 1, charges, count),
                              hand_end(w, run, 2, NULL, 0)};
    apply_all(w, &w->writer, records, 3, 3);
}

/* --- looking ------------------------------------------------------------------------------------------------- */

const char *text_of(world *w, const char *sql)
{
    static char texts[8][4096];
    static int next;
    char *text = texts[next++ % 8];
    cm_rows *rows;
    must(w, cm_pg_query(w->pg, sql, 0, NULL, &rows, &w->err));
    snprintf(text, sizeof texts[0], "%s", cm_rows_count(rows) ? cm_rows_text(rows, 0, 0) : "");
    cm_rows_free(rows);
    return text;
}

int64_t number(world *w, const char *sql)
{
    return strtoll(text_of(w, sql), NULL, 10);
}

const char *state(world *w, const char *run)
{
    char sql[128];
    snprintf(sql, sizeof sql, "SELECT state FROM run WHERE id = '%s'", run);
    return text_of(w, sql);
}

const char *fingerprint(world *w, const char *run)
{
    char sql[512];
    snprintf(sql, sizeof sql,
             "SELECT md5((SELECT string_agg((to_jsonb(c) - 'run_id')::text, ' ' ORDER BY (to_jsonb(c) - "
             "'run_id')::text) FROM charge c"
             " WHERE run_id = '%s') || (SELECT string_agg((to_jsonb(d) - 'run_id')::text, ' ' ORDER BY (to_jsonb(d) - "
             "'run_id')::text)"
             " FROM charge_day d WHERE run_id = '%s'))",
             run, run);
    return text_of(w, sql);
}
