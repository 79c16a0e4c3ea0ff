/*
 * invoice-writer: line.rated -> charges, current runs, draft documents; outbox -> statement.issued. Reads as a
 * checklist: settings, database, Kafka, loop. The work itself is in writer.h; here a group of records is gathered,
 * applied, and only then given back to Kafka.
 */
#include "base/log/log.h"
#include "duty_gauges.h"
#include "platform/kafka/kafka.h"
#include "platform/outbox/outbox.h"
#include "platform/worker/loop.h"
#include "store/documents/document_outbox.h"
#include "store/documents/statement_store.h"
#include "writer.h"

#include <stdio.h>
#include <xxhash.h>

enum {
    POLL_MS = 200,
    /* A group ends with whatever comes first. */
    GROUP_RECORDS = 256,
    GROUP_BYTES = 4 << 20, /* payloads, and decoded rows */
    GROUP_MS = 250,
    GROUP_GAP_MS = 20, /* nothing came for so long */
    DECODED_ARENA_BYTES = 4 << 20,
    MERGE_ARENA_BYTES = 2 << 20,
    STATEMENTS_MS = 2000,
    SWEEP_MS = 3000,
    OUTBOX_MS = 500,
    OUTBOX_DOCUMENTS = 100, /* published at once */
};

static const cm_setting settings[] = {
    {"delivery.late.hours", CM_SETTING_INTEGER, "30", 1, 8760, NULL, false,
     "an open month without a new delivery for so long is counted as DELIVERY_LATE"},
    {"statement.message.bytes", CM_SETTING_INTEGER, "262144", 1024, 16777216, NULL, false,
     "largest message of topic statement.issued with the document inside; a larger one says where the document is"},
    {0},
};

/* A count of the core and the metric that shows it. */
typedef struct shown {
    cm_metric *metric;
    int64_t *count, last;
} shown;

typedef struct invoice_writer {
    cm_worker worker;
    cm_writer core;
    cm_loop loop;
    cm_outbox outbox;
    cm_arena *decoded, *merged;
    /* the group in hand */
    cm_record *record[GROUP_RECORDS];
    cm_rated rated[GROUP_RECORDS];
    cm_apply_record apply[GROUP_RECORDS];
    size_t count, bytes;
    int64_t next_statements_ms, next_sweep_ms, next_outbox_ms;
    shown shown[16];
    size_t shown_count;
    cm_metric *bytes_in, *incomplete, *group_duration, *commit_duration, *rebalances, *arena_bytes, *issued, *parked;
    int64_t rebalances_seen;
    duty_gauges duties;
} invoice_writer;

/* --- metrics ------------------------------------------------------------------------------------------------- */

static void show(invoice_writer *w, int64_t *count, const char *name, const char *labels, const char *help)
{
    cm_assert(w->shown_count < sizeof w->shown / sizeof *w->shown);
    w->shown[w->shown_count++] = (shown){cm_counter(name, labels, help), count, 0};
}

static void register_metrics(invoice_writer *w)
{
    cm_writer_counts *c = &w->core.counts;
    show(w, &c->lines, "lines_applied_total", NULL, "Usage lines whose charges were stored");
    show(w, &c->records_applied, "records_processed_total", "outcome=\"applied\"", "Records by outcome");
    show(w, &c->records_known, "records_processed_total", "outcome=\"known\"", "Records by outcome");
    show(w, &c->records_skipped, "records_skipped_total", NULL, "Records of runs that are no longer wanted");
    show(w, &c->charges_written, "charges_written_total", NULL, "Rows of merged charges appended");
    show(w, &c->groups_applied, "groups_applied_total", NULL, "Transactions that applied records");
    show(w, &c->runs_completed, "runs_completed_total", NULL, "Runs that became complete");
    show(w, &c->runs_switched, "runs_switched_total", NULL, "Runs that became the current one");
    show(w, &c->control_total_mismatches, "control_total_mismatches_total", NULL,
         "Runs stopped because control totals do not agree");
    show(w, &c->determinism_broken, "determinism_broken_total", NULL,
         "Runs stopped because the same id came with other content");
    show(w, &c->statements_built, "statement_builds_total", NULL, "Periods whose draft statements were rebuilt");
    w->parked = cm_counter("statements_parked_total", NULL,
                           "Issued documents that the broker did not take and that were put aside");
    w->issued = cm_counter("statements_published_total", NULL, "Issued documents published from the outbox");
    w->incomplete = cm_gauge("runs_incomplete", NULL, "Runs of the lane that are running");
    w->loop.dead = cm_counter("records_dead_total", NULL, "Records sent to the dead letter topic");
    w->bytes_in = cm_counter("bytes_in_total", NULL, "Payload bytes read");
    w->loop.retries = cm_counter("retries_total", "dependency=\"database\"", "Retries by dependency");
    w->group_duration = cm_histogram("batch_duration_seconds", NULL, "Applying of one group of records");
    w->commit_duration = cm_histogram("database_commit_duration_seconds", NULL, "COMMIT of one group");
    w->loop.lag = cm_gauge("lag_records", NULL, "Records not yet read, of the partitions owned");
    w->loop.oldest = cm_gauge("oldest_unread_milliseconds", NULL, "Age of the oldest unread record");
    w->rebalances = cm_counter("rebalances_total", NULL, "Assignments and revocations of partitions");
    w->arena_bytes = cm_gauge("arena_high_water_bytes", NULL, "Largest memory of one group");
}

static void update_metrics(invoice_writer *w)
{
    for (size_t i = 0; i < w->shown_count; i++) {
        shown *s = &w->shown[i];
        if (*s->count != s->last)
            cm_metric_add(s->metric, *s->count - s->last);
        s->last = *s->count;
    }
    int64_t rebalances = cm_consumer_rebalances(w->loop.consumer);
    cm_metric_add(w->rebalances, rebalances - w->rebalances_seen);
    w->rebalances_seen = rebalances;
    cm_metric_set(w->incomplete, w->core.counts.runs_incomplete);
}

/* --- a group ------------------------------------------------------------------------------------------------- */

/* Takes the record into the group, or sets it aside if it cannot be read. */
static bool take(invoice_writer *w, cm_record *record, cm_error *err)
{
    cm_error why = {0};
    size_t i = w->count;
    cm_metric_add(w->bytes_in, (int64_t)record->length);
    if (!cm_rated_decode(record->payload, record->length, w->decoded, &w->rated[i], &why)) {
        bool done = cm_loop_reject(&w->loop, record, &why, err);
        if (done)
            cm_input_done(record->input);
        cm_record_free(record);
        return done;
    }
    w->record[i] = record;
    w->apply[i] = (cm_apply_record){.rated = &w->rated[i], .digest = XXH3_64bits(record->payload, record->length)};
    w->bytes += record->length;
    w->count++;
    return true;
}

static bool gather(invoice_writer *w, cm_error *err)
{
    int64_t until = 0;
    w->count = w->bytes = 0;
    cm_arena_reset(w->decoded);
    while (!cm_worker_stopping() && w->count < GROUP_RECORDS && w->bytes < GROUP_BYTES &&
           cm_arena_used(w->decoded) < GROUP_BYTES) {
        cm_record *record;
        if (w->count && cm_monotonic_milliseconds() >= until)
            break;
        if (!cm_consumer_poll(w->loop.consumer, w->count ? GROUP_GAP_MS : POLL_MS, &record, err))
            return false;
        if (!record)
            break;
        if (w->count == 0)
            until = cm_monotonic_milliseconds() + GROUP_MS;
        if (!take(w, record, err))
            return false;
    }
    return true;
}

static bool apply_until_done(invoice_writer *w, cm_error *err)
{
    for (;;) {
        int64_t began = cm_monotonic_milliseconds();
        cm_arena_reset(w->merged);
        if (cm_apply_group(&w->core, w->apply, w->count, w->merged, err)) {
            cm_metric_observe_us(w->group_duration, (cm_monotonic_milliseconds() - began) * 1000);
            cm_metric_observe_us(w->commit_duration, w->core.counts.commit_us);
            cm_metric_set(w->arena_bytes, (int64_t)(cm_arena_high_water(w->decoded) + cm_arena_high_water(w->merged)));
            return true;
        }
        if (!cm_loop_wait(&w->loop, err))
            return false;
    }
}

/* After the transaction: what is for the dead letters goes there, everything is given back. */
static bool give_back(invoice_writer *w, cm_error *err)
{
    for (size_t i = 0; i < w->count; i++) {
        if (w->apply[i].why && !cm_loop_dead_letter(&w->loop, w->record[i], w->apply[i].why, err))
            return false;
        cm_input_done(w->record[i]->input);
    }
    return true;
}

/* What goes wrong after the records are safe does not stop the lane: the next look does it again. */
static bool refresh_statements(invoice_writer *w, cm_error *err)
{
    int built = 0;
    w->next_statements_ms = cm_monotonic_milliseconds() + STATEMENTS_MS;
    bool done = cm_store_statements_refresh_all(w->core.pg, cm_writer_now(&w->core), w->worker.lane, NULL, &built, err);
    w->core.counts.statements_built += built;
    return cm_log_unless_fatal(done, "draft statements could not be made", err);
}

static bool handle_group(invoice_writer *w, cm_error *err)
{
    int64_t switched = w->core.counts.runs_switched;
    bool done = apply_until_done(w, err) && give_back(w, err);
    done = done && cm_log_unless_fatal(cm_complete_touched(&w->core, w->apply, w->count, err),
                                       "completeness could not be checked", err);
    if (done && w->core.counts.runs_switched != switched)
        done = refresh_statements(w, err);
    return done;
}

static void free_group(invoice_writer *w)
{
    for (size_t i = 0; i < w->count; i++)
        cm_record_free(w->record[i]);
    w->count = 0;
}

/* --- the outbox of issued documents -------------------------------------------------------------------------- */

static bool take_documents(void *w, int most, cm_rows **ret, cm_error *err)
{
    const cm_writer *core = &((invoice_writer *)w)->core;
    return cm_store_outbox_take(core->pg, core->lane, most, ret, err);
}

static bool mark_documents(void *w, const cm_rows *rows, cm_error *err)
{
    const cm_writer *core = &((invoice_writer *)w)->core;
    return cm_store_outbox_published(core->pg, rows, cm_writer_now(core), err);
}

static bool park_document(void *w, const cm_rows *rows, int row, const char *why, cm_error *err)
{
    cm_metric_add(((invoice_writer *)w)->parked, 1);
    return cm_store_outbox_park(((invoice_writer *)w)->core.pg, rows, row, why, err);
}

static bool refer_to_document(void *w, const cm_rows *rows, int row, const uint8_t *payload, size_t length,
                              cm_buffer *ret)
{
    (void)w, (void)rows, (void)row;
    return cm_document_by_reference(payload, length, ret);
}

static bool publish_outbox(invoice_writer *w, cm_error *err)
{
    w->next_outbox_ms = cm_monotonic_milliseconds() + OUTBOX_MS;
    return cm_log_unless_fatal(cm_outbox_publish_all(&w->outbox, &w->worker, w->loop.producer, w->issued, err),
                               "issued documents could not be published", err);
}

/* --- life ---------------------------------------------------------------------------------------------------- */

static bool do_chores(invoice_writer *w, cm_error *err)
{
    int64_t now = cm_monotonic_milliseconds();
    if (now >= w->next_sweep_ms) {
        w->next_sweep_ms = now + SWEEP_MS;
        if (!cm_log_unless_fatal(cm_writer_sweep(&w->core, err), "the lane's runs could not be checked", err))
            return false;
    }
    if (now >= w->next_outbox_ms && !publish_outbox(w, err))
        return false;
    if (!cm_log_unless_fatal(duty_gauges_update(&w->duties, &w->worker, w->core.catalogs, err),
                             "duties could not be counted", err))
        return false;
    return now < w->next_statements_ms || refresh_statements(w, err);
}

static bool loop(invoice_writer *w, cm_error *err)
{
    bool done = true;
    while (done && !cm_worker_stopping()) {
        cm_loop_turned(&w->loop);
        done = do_chores(w, err) && gather(w, err) && (w->count == 0 || handle_group(w, err)) &&
               cm_producer_poll(w->loop.producer, 0, err);
        free_group(w);
        update_metrics(w);
    }
    return done;
}

static bool start(invoice_writer *w, cm_error *err)
{
    char topic[CM_TOPIC_NAME_MAX], group[CM_TOPIC_NAME_MAX];
    w->loop.worker = &w->worker;
    register_metrics(w);
    duty_gauges_register(&w->duties, w->worker.config);
    w->core.pg = w->worker.pg;
    w->core.clock = &w->worker.clock;
    w->core.lane = w->worker.lane;
    w->core.catalogs = cm_catalog_cache_new();
    w->decoded = cm_arena_new(DECODED_ARENA_BYTES);
    w->merged = cm_arena_new(MERGE_ARENA_BYTES);
    w->outbox = (cm_outbox){.key_column = 1,
                            .payload_column = 2,
                            .most = OUTBOX_DOCUMENTS,
                            .take = take_documents,
                            .mark = mark_documents,
                            .park = park_document,
                            .shorten = refer_to_document,
                            .most_bytes = (size_t)cm_config_integer(w->worker.config, "statement.message.bytes"),
                            .owner = w};
    cm_topic_full_name(w->worker.lane, "statement.issued", w->outbox.topic);
    cm_topic_full_name(w->worker.lane, "line.rated", topic);
    snprintf(group, sizeof group, "curmill.%s." CM_WRITER_NAME, w->worker.lane);
    w->loop.producer = cm_producer_new(w->worker.config, CM_WRITER_NAME, err);
    int partitions;
    if (!w->loop.producer || !cm_producer_partitions(w->loop.producer, topic, &partitions, err))
        return false;
    w->loop.consumer = cm_consumer_new(w->worker.config, group, (const char *const[]){topic, NULL}, err);
    return w->loop.consumer != NULL;
}

int main(int argc, char **argv)
{
    static invoice_writer w; /* zeroed; too large for the stack */
    cm_error err = {0};
    int exit_code = cm_worker_start(&w.worker, CM_WRITER_NAME, "stores charges, switches runs, makes draft statements",
                                    settings, argc, argv);
    if (exit_code >= 0)
        return exit_code;
    bool done = start(&w, &err) && loop(&w, &err);
    exit_code = cm_loop_end(&w.loop, done, &err);
    if (w.core.catalogs)
        cm_catalog_cache_free(w.core.catalogs);
    cm_arena_free(w.decoded);
    cm_arena_free(w.merged);
    return exit_code;
}
