/*
 * One chunk: opened, read line by line, sent batch by batch, ended with its control totals. Bad input fails the
 * delivery with file, row, column and reason; after trouble of the source the chunk is read again from its start (the
 * same batches have the same ids, so sending them twice does no harm).
 */
#include "ingest.h"

#include "base/log/log.h"
#include "billing/cur/reader.h"
#include "billing/rating/needs.h"
#include "delivery/observed/observed.h"
#include "delivery/source/source.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { WANTED_CHECK_MS = 3000, MANIFEST_MAX = 64 << 20 };

struct cm_chunk_job {
    cm_arena *arena;
    cm_input *input; /* its chunk.planned record */
    cm_run_chunk chunk;
    uint8_t run_id[CM_ID_BYTES];
    cm_source *source; /* NULL: it is read from the archive */
    cm_keeping keeping;
    cm_reader *reader;
    cm_batch_builder *builder;
    cm_observer *observer;
    uint64_t lines, rounded;
    cm_error needed; /* a column that the file lacks and a price book asks for; told once a line of usage was seen */
    cm_place needed_at;
    int64_t began_ms, wanted_checked_ms;
    bool finished;
};

static void close_reading(cm_chunk_job *job)
{
    cm_reader_free(job->reader);
    cm_batch_builder_free(job->builder);
    cm_observer_free(job->observer);
    cm_source_close(job->source);
    cm_keep_drop(&job->keeping);
    job->reader = NULL;
    job->builder = NULL;
    job->observer = NULL;
    job->source = NULL;
}

void cm_chunk_job_drop(cm_chunk_job *job)
{
    if (!job)
        return;
    close_reading(job);
    cm_arena_free(job->arena);
    free(job);
}

void cm_chunk_job_free(cm_chunk_job *job)
{
    cm_input_done(job->input);
    cm_chunk_job_drop(job);
}

/* Bad input: stored with its place, visible in `curmill delivery list`; the job ends. */
static bool fail_delivery(cm_ingest *ingest, cm_chunk_job *job, const cm_place *place, const cm_error *why,
                          cm_error *err)
{
    cm_log_error(CM_ERROR, "delivery failed", why, "run", job->chunk.run, "delivery", job->chunk.delivery, "payer",
                 job->chunk.payer, "file", job->chunk.name, "row", cm_log_i64((long long)place->row), "column",
                 place->column, NULL);
    cm_metric_add(ingest->metric.chunks_failed, 1);
    job->finished = true;
    return cm_store_run_failed(ingest->worker.pg, job->chunk.run, why->code, job->chunk.name, place, why->text,
                               cm_ingest_now(ingest), "ingest-cur", err);
}

/* Sorts an error into "this input is bad" (stored, true) and "try again / give up" (false, *err). */
static bool decide_failure(cm_ingest *ingest, cm_chunk_job *job, const cm_place *place, cm_error *err)
{
    if (err->class == CM_ERROR_RETRY || err->class == CM_ERROR_FATAL || err->class == CM_ERROR_BUG)
        return false;
    cm_error why = *err;
    if (why.class == CM_ERROR_NOT_FOUND)
        snprintf(why.code, sizeof why.code, "MISSING_FILE");
    cm_error_clear(err);
    return fail_delivery(ingest, job, place, &why, err);
}

/* The delivery's copy in the archive, else the source. NULL with *err. */
static cm_stream *open_bytes(cm_ingest *ingest, cm_chunk_job *job, cm_error *err)
{
    cm_stream *stream = NULL;
    if (!cm_keep_reread(ingest, &job->chunk, &stream, err) || stream)
        return stream;
    json_t *definition = json_loads(job->chunk.source, 0, NULL);
    job->source = definition ? cm_source_open(definition, err) : NULL;
    if (!definition)
        cm_fail(err, CM_ERROR_BUG, "SOURCE", "the stored source of delivery %s is not JSON", job->chunk.delivery);
    json_decref(definition);
    if (job->source)
        stream = job->source->type->open_object(job->source, job->chunk.location, job->chunk.fingerprint, err);
    return stream && cm_keep_begin(ingest, &job->chunk, &job->keeping, &stream, err) ? stream : NULL;
}

/* The catalog and links of the run say which columns its price books ask for. False: the database is away. */
static bool look_for_columns(cm_ingest *ingest, cm_chunk_job *job, cm_error *err)
{
    cm_run run;
    cm_error_clear(&job->needed);
    if (!cm_store_run(ingest->worker.pg, job->chunk.run, &run, err))
        return false;
    const cm_run_basis basis = {run.catalog, run.slice, run.links, run.payer};
    const cm_catalog *catalog = cm_catalog_cache_of_run(ingest->catalogs, ingest->worker.pg, &basis, err);
    cm_rater *rater = catalog ? cm_rater_new(catalog, job->chunk.payer, job->chunk.period, err) : NULL;
    if (!rater && err->class != CM_ERROR_NOT_FOUND)
        return false;
    if (!rater) {
        cm_error_clear(err); /* rate-engine tells it */
        return true;
    }
    bool complete = cm_rater_check_columns(rater, job->reader, &job->needed_at, &job->needed);
    cm_assert(complete == (job->needed.class == CM_ERROR_NONE));
    cm_rater_free(rater);
    return true;
}

static bool open_reading(cm_ingest *ingest, cm_chunk_job *job, cm_error *err)
{
    cm_place place = {0};
    cm_stream *stream = open_bytes(ingest, job, err);
    if (stream)
        job->reader = cm_reader_new(stream, cm_compression_of_name(job->chunk.name), job->chunk.payer,
                                    job->chunk.period, &place, err);
    if (!job->reader) {
        close_reading(job);
        return decide_failure(ingest, job, &place, err);
    }
    if (!look_for_columns(ingest, job, err))
        return false;
    job->builder = cm_batch_builder_new(job->run_id, job->chunk.chunk, CM_BATCH_ROWS);
    job->observer = cm_observer_new();
    job->lines = job->rounded = 0;
    job->began_ms = cm_monotonic_milliseconds();
    return true;
}

bool cm_chunk_job_begin(cm_ingest *ingest, cm_record *record, cm_chunk_job **ret_job, cm_error *err)
{
    cm_chunk_planned planned;
    cm_error why = {0};
    *ret_job = NULL;
    cm_chunk_job *job = cm_alloc(sizeof *job);
    job->arena = cm_arena_new(16 * 1024);
    job->input = record->input;
    bool known = cm_chunk_planned_decode(record->payload, record->length, &planned, &why);
    if (known) {
        char run[CM_ID_HEX];
        memcpy(job->run_id, planned.run_id, CM_ID_BYTES);
        cm_hex(planned.run_id, CM_ID_BYTES, run);
        known = cm_store_run_chunk(ingest->worker.pg, run, planned.chunk, job->arena, &job->chunk, &why);
    }
    bool done = known || cm_loop_reject(&ingest->loop, record, &why, err);
    if (!done) {
        cm_chunk_job_drop(job); /* the record stays the caller's */
        return false;
    }
    cm_record_free(record);
    if (known && job->chunk.wanted)
        *ret_job = job;
    else
        cm_chunk_job_free(job);
    return true;
}

/* In an overwritten layout the files are one delivery only if the manifest is still the one that planned them
 * (formats.md section 1). */
static bool manifest_is_unchanged(cm_chunk_job *job, cm_error *err)
{
    if (!job->source || !*job->chunk.manifest || (job->chunk.immutable_keys && !job->keeping.writer))
        return true;
    const char *text;
    size_t length;
    cm_error why = {0};
    if (!cm_source_read_small(job->source, job->chunk.manifest, MANIFEST_MAX, job->arena, &text, &length, &why)) {
        if (job->chunk.immutable_keys && why.class == CM_ERROR_NOT_FOUND)
            return true; /* its files stay what they are; there is only no copy of it */
        *err = why;
        return false;
    }
    uint8_t digest[CM_SHA256_BYTES];
    char hex[CM_SHA256_HEX];
    cm_sha256(text, length, digest);
    cm_hex(digest, CM_SHA256_BYTES, hex);
    if (strcmp(hex, job->chunk.manifest_digest) == 0) {
        job->keeping.manifest = text;
        job->keeping.manifest_length = length;
        return true;
    }
    if (job->chunk.immutable_keys)
        return true;
    return cm_fail(
        err, CM_ERROR_POISON, "MANIFEST_CHANGED",
        "manifest %s changed while its files were being read: a newer delivery replaces this one and is read at the next scan",
        job->chunk.manifest);
}

/* The file is still the one that was planned: also for readers that seek and so never saw its end as a stream. */
static bool file_is_unchanged(cm_chunk_job *job, cm_error *err)
{
    cm_object now;
    if (!job->source)
        return true;
    if (!job->source->type->stat(job->source, job->chunk.location, job->arena, &now, err))
        return false;
    if (strcmp(now.fingerprint, job->chunk.fingerprint) == 0)
        return true;
    return cm_fail(err, CM_ERROR_POISON, "CHANGED",
                   "%s changed while it was being read: it is tried again at the next scan", job->chunk.name);
}

static bool send(cm_ingest *ingest, cm_chunk_job *job, const uint8_t *bytes, size_t length, uint32_t sequence, bool end,
                 cm_error *err)
{
    char batch[48];
    snprintf(batch, sizeof batch, "%s/%" PRIu32 "/%s%" PRIu32, "b", job->chunk.chunk, end ? "end" : "", sequence);
    const cm_header headers[] = {{"curmill-run", job->chunk.run, strlen(job->chunk.run)},
                                 {"curmill-batch", batch, strlen(batch)}};
    struct {
        uint8_t run[CM_ID_BYTES];
        uint32_t chunk, sequence;
    } key = {.chunk = job->chunk.chunk, .sequence = end ? UINT32_MAX : sequence};
    memcpy(key.run, job->run_id, CM_ID_BYTES);
    cm_metric_add(ingest->metric.bytes_out, (int64_t)length);
    return cm_producer_send(ingest->loop.producer, ingest->topic_lines, -1, &key, sizeof key, bytes, length, headers, 2,
                            job->input, err);
}

static bool send_batch(cm_ingest *ingest, cm_chunk_job *job, cm_error *err)
{
    const uint8_t *bytes;
    size_t length;
    uint32_t sequence;
    cm_observer_take(job->observer, job->builder);
    cm_batch_builder_take(job->builder, &bytes, &length, &sequence);
    return send(ingest, job, bytes, length, sequence, false, err);
}

/* N16: a text that is not an account id tells org-linker nothing; its lines are suspended. */
static bool is_account(const char *text)
{
    return strspn(text, "0123456789") == 12 && text[12] == '\0';
}

/* Whom the file was about: account.observed. The same file gives the same records. */
static bool send_accounts(cm_ingest *ingest, cm_chunk_job *job, cm_error *err)
{
    cm_observed *list;
    cm_arena *arena = cm_arena_new(4096);
    const cm_header header = {"curmill-run", job->chunk.run, strlen(job->chunk.run)};
    size_t count = cm_observer_list(job->observer, &list);
    bool done = true;
    for (size_t i = 0; done && i < count; i++) {
        char key[32];
        const uint8_t *bytes;
        size_t length;
        if (!is_account(list[i].account))
            continue;
        list[i].payer = job->chunk.payer;
        list[i].period = job->chunk.period;
        list[i].chunk = job->chunk.chunk;
        bool id = cm_id_bytes(job->chunk.delivery, list[i].delivery_id);
        cm_assert(id);
        cm_arena_reset(arena);
        cm_observed_encode(&list[i], arena, &bytes, &length);
        int key_length = snprintf(key, sizeof key, "%s/%s", job->chunk.payer, list[i].account);
        done = cm_producer_send(ingest->loop.producer, ingest->topic_observed, -1, key, (size_t)key_length, bytes,
                                length, &header, 1, job->input, err);
        cm_metric_add(ingest->metric.accounts, 1);
    }
    cm_arena_free(arena);
    return done;
}

/* A file without lines, and columns that it lacks: a person should know. */
static bool send_alerts(cm_ingest *ingest, cm_chunk_job *job, cm_error *err)
{
    cm_pg *pg = ingest->worker.pg;
    char object[160], detail[640];
    if (job->lines == 0) {
        snprintf(detail, sizeof detail, "file %.200s holds no line: is the report empty on purpose?", job->chunk.name);
        cm_log(CM_WARN, "a file without lines", "run", job->chunk.run, "payer", job->chunk.payer, "file",
               job->chunk.name, NULL);
        return cm_store_run_alert(pg, job->chunk.run, "NO_LINES", job->chunk.name, detail, err);
    }
    bool done = true;
    for (int l = 0; done && cm_reader_has_usage(job->reader) && l < CM_LACKS; l++) {
        enum cm_lack lack = (enum cm_lack)l;
        const char *meaning = cm_reader_lacks(job->reader, lack) ? cm_lack_meaning(job->reader, lack) : NULL;
        if (!meaning)
            continue;
        snprintf(object, sizeof object, "%.*s", CM_SLICE(cm_reader_lacking_name(job->reader, lack)));
        snprintf(detail, sizeof detail, "the report has no such column (file %.200s): %s", job->chunk.name, meaning);
        done = cm_store_run_alert(pg, job->chunk.run, "COLUMN_MISSING", object, detail, err);
    }
    return done;
}

static bool finish(cm_ingest *ingest, cm_chunk_job *job, cm_error *err)
{
    const uint8_t *bytes;
    size_t length;
    cm_place nowhere = {0};
    if (!file_is_unchanged(job, err) || !manifest_is_unchanged(job, err))
        return decide_failure(ingest, job, &nowhere, err);
    /* Before the end is sent: without it no run counts, so none counts without its copy. */
    if (!cm_keep_finish(ingest, &job->chunk, &job->keeping, err))
        return false;
    if ((!cm_batch_builder_empty(job->builder) && !send_batch(ingest, job, err)) || !send_accounts(ingest, job, err))
        return false;
    if (!send_alerts(ingest, job, err))
        return false;
    cm_batch_builder_end(job->builder, &bytes, &length);
    if (!send(ingest, job, bytes, length, 0, true, err))
        return false;
    int64_t took = cm_monotonic_milliseconds() - job->began_ms;
    cm_metric_add(ingest->metric.chunks_read, 1);
    cm_metric_add(ingest->metric.rounded, (int64_t)job->rounded);
    cm_metric_observe_us(ingest->metric.chunk_duration, took * 1000);
    cm_log(CM_INFO, "chunk read", "run", job->chunk.run, "payer", job->chunk.payer, "file", job->chunk.name, "lines",
           cm_log_i64((long long)job->lines), "milliseconds", cm_log_i64(took), NULL);
    job->finished = true;
    return true;
}

/* A row makes no sense because the file was replaced while it was read: the change is the reason, not the row. */
static bool decide_bad_row(cm_ingest *ingest, cm_chunk_job *job, const cm_place *place, cm_error *err)
{
    cm_error changed = {0};
    cm_place nowhere = {0};
    bool same =
        err->class != CM_ERROR_POISON || (file_is_unchanged(job, &changed) && manifest_is_unchanged(job, &changed));
    if (same || (changed.class != CM_ERROR_POISON && changed.class != CM_ERROR_NOT_FOUND))
        return decide_failure(ingest, job, place, err);
    *err = changed;
    return decide_failure(ingest, job, &nowhere, err);
}

/* Reads lines until a batch is full and sent, or the chunk ends. */
static bool read_batch(cm_ingest *ingest, cm_chunk_job *job, cm_error *err)
{
    bool full = false;
    uint64_t before = job->lines;
    while (!full) {
        const cm_line *line;
        cm_place place = {0};
        if (!cm_reader_next(job->reader, &line, &place, err))
            return decide_bad_row(ingest, job, &place, err);
        if (!line)
            break;
        job->lines += !cm_line_is_derived(line);
        job->rounded += line->rounded;
        place.row = line->row;
        if (!cm_batch_builder_add(job->builder, line, &full, err))
            return decide_bad_row(ingest, job, &place, err);
    }
    cm_metric_add(ingest->metric.lines, (int64_t)(job->lines - before));
    if (job->needed.class && cm_reader_has_usage(job->reader))
        return fail_delivery(ingest, job, &job->needed_at, &job->needed, err);
    return full ? send_batch(ingest, job, err) : finish(ingest, job, err);
}

/* A run that was superseded or failed meanwhile need not be read to its end. */
static bool still_wanted(cm_ingest *ingest, cm_chunk_job *job, bool *ret, cm_error *err)
{
    int64_t now = cm_monotonic_milliseconds();
    *ret = true;
    if (now - job->wanted_checked_ms < WANTED_CHECK_MS)
        return true;
    job->wanted_checked_ms = now;
    cm_run run;
    if (!cm_store_run(ingest->worker.pg, job->chunk.run, &run, err))
        return false;
    *ret = strcmp(run.state, "running") == 0;
    return true;
}

bool cm_chunk_job_step(cm_ingest *ingest, cm_chunk_job *job, enum cm_job_state *ret_state, cm_error *err)
{
    bool wanted;
    *ret_state = CM_JOB_ABANDONED;
    if (cm_input_lost(job->input))
        return true;
    if (!still_wanted(ingest, job, &wanted, err))
        return false;
    if (!wanted)
        return true;
    bool done = (job->reader || open_reading(ingest, job, err)) && (job->finished || read_batch(ingest, job, err));
    if (!done) {
        close_reading(job); /* RETRY: from the start */
        cm_metric_add(ingest->metric.retries, 1);
        return false;
    }
    *ret_state = job->finished ? CM_JOB_DONE : CM_JOB_MORE;
    return true;
}
