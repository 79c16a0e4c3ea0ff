/*
 * rate-engine: line.ingested -> line.rated. Reads as a checklist: settings, database, Kafka, loop.
 * It keeps no state: everything it writes follows from the batch and the run's slice of the catalog.
 */
#include "base/log/log.h"
#include "billing/aggregate/rate_batch.h"
#include "billing/batch/rated_batch.h"
#include "platform/kafka/kafka.h"
#include "platform/worker/loop.h"
#include "runs.h"

#include <stdio.h>

enum { POLL_MS = 200, ARENA_BYTES = 8 << 20 };

static const cm_setting settings[] = {{0}};

typedef struct engine {
    cm_worker worker;
    cm_loop loop;
    cm_rate_runs *runs;
    cm_arena *arena;
    char topic_out[CM_TOPIC_NAME_MAX];
    int partitions; /* of topic_out */
    cm_metric *rated, *suspended, *skipped, *bytes_in, *bytes_out, *duration, *arena_bytes;
} engine;

static void register_metrics(engine *e)
{
    e->rated = cm_counter("records_processed_total", "outcome=\"rated\"", "Lines by outcome");
    e->suspended = cm_counter("records_processed_total", "outcome=\"suspended\"", "Lines by outcome");
    e->loop.dead = cm_counter("records_dead_total", NULL, "Records sent to the dead letter topic");
    e->skipped = cm_counter("records_skipped_total", NULL, "Records of runs that are no longer wanted");
    e->bytes_in = cm_counter("bytes_in_total", NULL, "Payload bytes read");
    e->bytes_out = cm_counter("bytes_out_total", NULL, "Payload bytes written");
    e->duration = cm_histogram("batch_duration_seconds", NULL, "Rating of one batch");
    e->loop.lag = cm_gauge("lag_records", NULL, "Records not yet read, of the partitions owned");
    e->loop.oldest = cm_gauge("oldest_unread_milliseconds", NULL, "Age of the oldest unread record");
    e->arena_bytes = cm_gauge("arena_high_water_bytes", NULL, "Largest memory of one batch");
}

static bool send(engine *e, const cm_record *record, const char *run, int partition, const void *key, size_t key_length,
                 const uint8_t *bytes, size_t length, cm_error *err)
{
    size_t trace_length = 0;
    const void *trace = cm_record_header(record, "traceparent", &trace_length);
    const cm_header headers[] = {{"curmill-run", run, strlen(run)}, {"traceparent", trace, trace_length}};
    cm_metric_add(e->bytes_out, (int64_t)length);
    return cm_producer_send(e->loop.producer, e->topic_out, partition, key, key_length, bytes, length, headers,
                            trace ? 2 : 1, record->input, err);
}

/* A line that cannot be priced at all (a sum that does not fit) fails the run with its place; nothing is left hanging.
 */
static bool fail_run(engine *e, const char *run, uint32_t chunk, uint64_t row, const cm_error *why, cm_error *err)
{
    char file[32];
    cm_place place = {.row = row};
    snprintf(file, sizeof file, "chunk %u", chunk);
    cm_log_error(CM_ERROR, "run failed", why, "run", run, "file", file, "row", cm_log_i64((long long)row), NULL);
    return cm_store_run_failed(e->worker.pg, run, why->code, file, &place, why->text,
                               e->worker.clock.now(&e->worker.clock), "rate-engine", err);
}

static bool rate(engine *e, const cm_record *record, const cm_rate_run *run, const cm_line_batch *batch, cm_error *err)
{
    cm_rated_shards shards;
    uint64_t row = 0;
    int64_t began = cm_monotonic_milliseconds();
    cm_error why = {0};
    if (!cm_rate_batch(run->rater, batch, (uint32_t)run->facts.shards, e->arena, &shards, &row, &why))
        return fail_run(e, run->facts.id, batch->chunk, row, &why, err);
    int modulus = run->facts.partitions ? run->facts.partitions : e->partitions;
    for (size_t i = 0; i < shards.count; i++) {
        const uint8_t *bytes;
        size_t length;
        uint32_t shard = shards.batch[i].shard;
        cm_rated_batch_encode(&shards.batch[i], e->arena, &bytes, &length);
        if (!send(e, record, run->facts.id, (int)(shard % (uint32_t)modulus), &shard, sizeof shard, bytes, length, err))
            return false;
    }
    cm_metric_add(e->rated, (int64_t)(shards.lines - shards.suspended));
    cm_metric_add(e->suspended, (int64_t)shards.suspended);
    cm_metric_observe_us(e->duration, (cm_monotonic_milliseconds() - began) * 1000);
    return true;
}

static bool pass_end_on(engine *e, const cm_record *record, const cm_rate_run *run, const cm_chunk_end *end,
                        cm_error *err)
{
    const uint8_t *bytes;
    size_t length;
    int modulus = run->facts.partitions ? run->facts.partitions : e->partitions;
    cm_rated_end_encode(end, e->arena, &bytes, &length);
    return send(e, record, run->facts.id, (int)(end->chunk % (uint32_t)modulus), &end->chunk, sizeof end->chunk, bytes,
                length, err);
}

/* False: this process cannot go on (or must stop before the record is done). */
static bool handle(engine *e, const cm_record *record, cm_error *err)
{
    cm_ingested ingested;
    cm_error why = {0};
    cm_arena_reset(e->arena);
    cm_metric_add(e->bytes_in, (int64_t)record->length);
    if (!cm_ingested_decode(record->payload, record->length, e->arena, &ingested, &why))
        return cm_loop_reject(&e->loop, record, &why, err);
    char id[CM_ID_HEX];
    cm_hex(ingested.is_end ? ingested.end.run_id : ingested.batch.run_id, CM_ID_BYTES, id);
    const cm_rate_run *run = cm_rate_runs_get(e->runs, e->worker.pg, id, &why);
    if (!run) {
        cm_error ignored = {0};
        if (why.class == CM_ERROR_REFUSED && !fail_run(e, id, 0, 0, &why, &ignored))
            cm_log_error(CM_WARN, "the run's failure could not be stored", &ignored, "run", id, NULL);
        return cm_loop_reject(&e->loop, record, &why, err);
    }
    if (!run->rater) {
        cm_metric_add(e->skipped, 1);
        return true;
    }
    bool done =
        ingested.is_end ? pass_end_on(e, record, run, &ingested.end, err) : rate(e, record, run, &ingested.batch, err);
    cm_metric_set(e->arena_bytes, (int64_t)cm_arena_high_water(e->arena));
    return done;
}

/* The record is done again while a dependency is away. */
static bool handle_until_done(engine *e, const cm_record *record, cm_error *err)
{
    while (!handle(e, record, err)) {
        if (!cm_loop_wait(&e->loop, err))
            return false;
        if (cm_input_lost(record->input))
            return true; /* the partition is another replica's now, and so is the record */
    }
    return true;
}

/* A run sends each shard to one partition for its whole life: a topic that lost partitions cannot carry it on. */
static bool partitions_fit(engine *e, cm_error *err)
{
    char number[16];
    snprintf(number, sizeof number, "%d", e->partitions);
    cm_rows *rows = NULL;
    if (!cm_pg_query(
            e->worker.pg,
            "SELECT id, partitions FROM run WHERE lane = $1 AND state = 'running' AND partitions > $2::int ORDER BY seq LIMIT 1",
            2, (const char *[]){e->worker.lane, number}, &rows, err))
        return false;
    bool fit = cm_rows_count(rows) == 0;
    if (!fit)
        cm_fail(
            err, CM_ERROR_FATAL, "PARTITIONS",
            "topic %s has %d partitions, run %s began with %s: give the topic its partitions back, or rate the period again with `curmill run start --payer PAYER --period YYYY-MM`",
            e->topic_out, e->partitions, cm_rows_text(rows, 0, 0), cm_rows_text(rows, 0, 1));
    cm_rows_free(rows);
    return fit;
}

static bool start(engine *e, cm_error *err)
{
    char topic_in[CM_TOPIC_NAME_MAX], group[CM_TOPIC_NAME_MAX];
    cm_topic_full_name(e->worker.lane, "line.ingested", topic_in);
    cm_topic_full_name(e->worker.lane, "line.rated", e->topic_out);
    snprintf(group, sizeof group, "curmill.%s.rate-engine", e->worker.lane);
    e->arena = cm_arena_new(ARENA_BYTES);
    e->runs = cm_rate_runs_new();
    e->loop.producer = cm_producer_new(e->worker.config, "rate-engine", err);
    if (!e->loop.producer || !cm_producer_partitions(e->loop.producer, e->topic_out, &e->partitions, err) ||
        !partitions_fit(e, err))
        return false;
    e->loop.consumer = cm_consumer_new(e->worker.config, group, (const char *const[]){topic_in, NULL}, err);
    return e->loop.consumer != NULL;
}

static bool loop(engine *e, cm_error *err)
{
    while (!cm_worker_stopping()) {
        cm_record *record;
        cm_loop_turned(&e->loop);
        if (!cm_consumer_poll(e->loop.consumer, POLL_MS, &record, err) || !cm_producer_poll(e->loop.producer, 0, err))
            return false;
        if (!record)
            continue;
        bool done = handle_until_done(e, record, err);
        if (done)
            cm_input_done(record->input);
        cm_record_free(record);
        if (!done)
            return false;
    }
    return true;
}

int main(int argc, char **argv)
{
    engine e = {.loop = {.worker = &e.worker}};
    cm_error err = {0};
    int exit_code = cm_worker_start(&e.worker, "rate-engine", "prices ingested lines with a run's slice of the catalog",
                                    settings, argc, argv);
    if (exit_code >= 0)
        return exit_code;
    register_metrics(&e);
    bool done = start(&e, &err) && loop(&e, &err);
    exit_code = cm_loop_end(&e.loop, done, &err);
    cm_rate_runs_free(e.runs);
    cm_arena_free(e.arena);
    return exit_code;
}
