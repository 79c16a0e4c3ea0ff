/*
 * ingest-cur: Cost and Usage Reports -> chunk.planned -> line.ingested. Reads as a checklist: settings, database,
 * Kafka, loop.
 */
#include "ingest.h"

#include "base/log/log.h"

#include <stdio.h>

enum {
    IDLE_POLL_MS = 200,
    COMMANDS_MS = 2000,
    WAITING_MAX = 64, /* planned chunks held while one is read; fetching stops there */
};

static const cm_setting settings[] = {
    {"scan.interval.seconds", CM_SETTING_INTEGER, "300", 1, 86400, NULL, false, "how often the sources are scanned"},
    {"shards", CM_SETTING_INTEGER, "16", 1, 256, NULL, false,
     "shards of a new run: upper limit of useful invoice-writer replicas"},
    {"archive.path", CM_SETTING_TEXT, "", 0, 0, NULL, false,
     "folder for copies of deliveries whose files can be overwritten; empty: none are kept. One for each database, the same for all"},
    {"archive.all", CM_SETTING_BOOLEAN, "false", 0, 0, NULL, false,
     "copies of all deliveries, also of reports that make new versions"},
    {"rerate.periods", CM_SETTING_INTEGER, "3", 0, 1000, NULL, false,
     "newest months of a payer, not settled, that are rated again when a catalog with other prices for it takes force"},
    {0},
};

static void register_metrics(cm_ingest *i)
{
    i->metric.lines = cm_counter("records_processed_total", "outcome=\"read\"", "Lines by outcome");
    i->metric.bytes_out = cm_counter("bytes_out_total", NULL, "Payload bytes written");
    i->metric.chunks_read = cm_counter("chunks_total", "outcome=\"read\"", "Chunks by outcome");
    i->metric.chunks_failed = cm_counter("chunks_total", "outcome=\"failed\"", "Chunks by outcome");
    i->loop.dead = cm_counter("records_dead_total", NULL, "Records sent to the dead letter topic");
    i->metric.scans = cm_counter("scans_total", NULL, "Scans of the sources");
    i->metric.scan_errors = cm_counter("scan_errors_total", NULL, "Sources that could not be read");
    i->metric.deliveries = cm_counter("deliveries_total", NULL, "Deliveries registered or tried again");
    i->metric.retries = cm_counter("retries_total", "dependency=\"source\"", "Retries by dependency");
    i->metric.rounded =
        cm_counter("numbers_rounded_total", NULL, "Numbers with more than 18 decimals, rounded half-even");
    i->metric.archived = cm_counter("archived_bytes_total", NULL, "Bytes of files copied to the archive");
    i->metric.accounts = cm_counter("accounts_observed_total", NULL, "Accounts of chunks, told to org-linker");
    i->metric.chunk_duration = cm_histogram("chunk_duration_seconds", NULL, "Reading of one chunk");
    i->loop.lag = cm_gauge("lag_records", NULL, "Records not yet read, of the partitions owned");
    i->loop.oldest = cm_gauge("oldest_unread_milliseconds", NULL, "Age of the oldest unread record");
}

static bool open_archive(cm_ingest *i, cm_error *err)
{
    int removed = 0;
    const char *path = cm_config_text(i->worker.config, "archive.path");
    if (!*path)
        return true;
    i->archive_policy = cm_config_boolean(i->worker.config, "archive.all") ? CM_ARCHIVE_ALL : CM_ARCHIVE_OVERWRITTEN;
    i->archive = cm_archive_open(path, err);
    if (!i->archive || !cm_archive_prepare(i->archive, &removed, err))
        return false;
    if (removed)
        cm_log(CM_INFO, "incomplete files of writers that ended were removed from the archive", "files",
               cm_log_i64(removed), NULL);
    return true;
}

static bool start(cm_ingest *i, cm_error *err)
{
    char group[CM_TOPIC_NAME_MAX];
    register_metrics(i);
    i->shards = (int)cm_config_integer(i->worker.config, "shards");
    i->catalogs = cm_catalog_cache_new();
    cm_topic_full_name(i->worker.lane, "chunk.planned", i->topic_planned);
    cm_topic_full_name(i->worker.lane, "line.ingested", i->topic_lines);
    cm_topic_full_name(i->worker.lane, "line.rated", i->topic_rated);
    cm_topic_full_name(i->worker.lane, "account.observed", i->topic_observed);
    snprintf(group, sizeof group, "curmill.%s.ingest-cur", i->worker.lane);
    if (!open_archive(i, err) || !cm_pg_listen(i->worker.pg, "curmill_scan", err))
        return false;
    i->loop.producer = cm_producer_new(i->worker.config, "ingest-cur", err);
    int partitions;
    if (!i->loop.producer || !cm_producer_partitions(i->loop.producer, i->topic_lines, &partitions, err) ||
        !cm_producer_partitions(i->loop.producer, i->topic_observed, &partitions, err))
        return false;
    i->loop.consumer = cm_consumer_new(i->worker.config, group, (const char *const[]){i->topic_planned, NULL}, err);
    return i->loop.consumer != NULL;
}

/* Commands, runs to publish, and the regular look into the sources. */
typedef struct chores {
    int64_t next_commands_ms, next_scan_ms;
} chores;

static bool do_chores(cm_ingest *i, chores *due, cm_error *err)
{
    int64_t now = cm_monotonic_milliseconds();
    if (cm_pg_notified(i->worker.pg) || now >= due->next_commands_ms || cm_ingest_now(i) >= i->next_catalog) {
        due->next_commands_ms = now + COMMANDS_MS;
        if (!cm_take_force(i, err) || !cm_discover_requested(i, err) || !cm_publish_runs(i, err))
            return false;
    }
    if (now >= due->next_scan_ms) {
        due->next_scan_ms = now + cm_config_integer(i->worker.config, "scan.interval.seconds") * 1000;
        if (!cm_discover(i, "", "", NULL, err) || !cm_publish_runs(i, err))
            return false;
    }
    return true;
}

/* Planned chunks that wait their turn: small records, taken in while a file is read, so that the next begins at once.
 */
typedef struct waiting {
    cm_record *record[WAITING_MAX];
    int first, count;
} waiting;

static bool take_record(cm_ingest *i, waiting *w, bool busy, cm_error *err)
{
    cm_record *record;
    if (!cm_consumer_poll(i->loop.consumer, busy || w->count ? 0 : IDLE_POLL_MS, &record, err))
        return false;
    if (record) {
        cm_assert(w->count < WAITING_MAX);
        w->record[(w->first + w->count++) % WAITING_MAX] = record;
    }
    bool full = w->count == WAITING_MAX;
    if (full && !i->loop.full)
        cm_consumer_pause(i->loop.consumer);
    else if (i->loop.full && !full)
        cm_consumer_resume(i->loop.consumer);
    i->loop.full = full;
    return true;
}

static bool begin_next(cm_ingest *i, waiting *w, cm_chunk_job **job, cm_error *err)
{
    if (*job || !w->count)
        return true;
    if (!cm_chunk_job_begin(i, w->record[w->first], job, err))
        return false; /* it stays first in the queue */
    w->first = (w->first + 1) % WAITING_MAX;
    w->count--;
    return true;
}

static bool step_job(cm_ingest *i, cm_chunk_job **job, cm_error *err)
{
    enum cm_job_state state;
    if (!*job)
        return true;
    if (!cm_chunk_job_step(i, *job, &state, err))
        return false;
    if (state != CM_JOB_MORE) {
        cm_chunk_job_free(*job);
        *job = NULL;
    }
    return true;
}

static bool loop(cm_ingest *i, cm_error *err)
{
    chores due = {0, 0};
    waiting queue = {0};
    cm_chunk_job *job = NULL;
    bool done = true;
    while (done && !cm_worker_stopping()) {
        cm_loop_turned(&i->loop);
        done =
            (do_chores(i, &due, err) && take_record(i, &queue, job != NULL, err) && begin_next(i, &queue, &job, err) &&
             step_job(i, &job, err) && cm_producer_poll(i->loop.producer, 0, err)) ||
            cm_loop_wait(&i->loop, err);
    }
    /* What is not finished is not committed: it is read again after the restart. */
    if (job)
        cm_log(CM_INFO, "chunk abandoned at shutdown", NULL);
    cm_chunk_job_drop(job);
    for (; queue.count; queue.count--, queue.first = (queue.first + 1) % WAITING_MAX)
        cm_record_free(queue.record[queue.first]);
    return done;
}

int main(int argc, char **argv)
{
    cm_ingest i = {.loop = {.worker = &i.worker}};
    cm_error err = {0};
    int exit_code = cm_worker_start(&i.worker, "ingest-cur", "reads Cost and Usage Reports into line batches", settings,
                                    argc, argv);
    if (exit_code >= 0)
        return exit_code;
    bool done = start(&i, &err) && loop(&i, &err);
    exit_code = cm_loop_end(&i.loop, done, &err);
    cm_catalog_cache_free(i.catalogs);
    cm_archive_close(i.archive);
    return exit_code;
}
