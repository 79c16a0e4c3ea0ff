/*
 * org-linker: account.observed -> accounts; requests -> link sets, runs rated again, account.link. Reads as a
 * checklist: settings, database, Kafka, loop. The work itself is in linker.h; here a group of records is gathered,
 * applied, and only then given back to Kafka.
 */
#include "base/log/log.h"
#include "linker.h"
#include "platform/kafka/kafka.h"
#include "platform/worker/worker.h"
#include "store/accounts/offboarding_store.h"
#include "store/runs/run_store.h"
#include "sync/org_sync.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    POLL_MS = 200,
    GROUP_RECORDS = 256,
    GROUP_MS = 250,
    GROUP_GAP_MS = 20, /* nothing came for so long: the group is complete */
    LOOK_MS = 1000,    /* at most so often, however many notifications come */
    OUTBOX_RECORDS = 500,
    OUTBOX_FLUSH_MS = 10000,
    RETRY_PAUSE_MS = 1000,
    ARENA_BYTES = 1 << 20,
};

static const cm_setting settings[] = {
    {"links.interval.seconds", CM_SETTING_INTEGER, "10", 1, 3600, NULL, false,
     "how often links are checked without a notification"},
    {"aws.interval.seconds", CM_SETTING_INTEGER, "3600", 60, 86400, NULL, false,
     "how often AWS is asked about a payer that has `access`"},
    {"aws.slice.seconds", CM_SETTING_INTEGER, "20", 1, 300, NULL, false,
     "longest time that one payer takes before it is the next one's turn"},
    {"aws.calls.per.minute", CM_SETTING_INTEGER, "120", 1, 6000, NULL, false, "calls to AWS for one payer in a minute"},
    {"aws.invitations.per.day", CM_SETTING_INTEGER, "20", 0, 1000, NULL, false,
     "invitations of one payer within 24 hours; 0 for none"},
    {"shards", CM_SETTING_INTEGER, "16", 1, 256, NULL, false,
     "shards of a new run: upper limit of useful invoice-writer replicas"},
    {0},
};

typedef struct org_linker {
    cm_worker worker;
    cm_linker core;
    cm_producer *producer;
    cm_consumer *consumer;
    cm_org_sync_thread *aws;
    cm_arena *arena;
    char topic_in[CM_TOPIC_NAME_MAX], topic_out[CM_TOPIC_NAME_MAX];
    cm_record *record[GROUP_RECORDS];
    cm_observed observed[GROUP_RECORDS];
    size_t count;
    int64_t next_look_ms;
    bool look_wanted;
    cm_metric *processed, *dead, *accounts, *sets, *runs, *links, *published, *retries, *lag, *oldest;
} org_linker;

static void register_metrics(org_linker *o)
{
    o->processed = cm_counter("records_processed_total", "outcome=\"applied\"", "Records by outcome");
    o->dead = cm_counter("records_dead_total", NULL, "Records sent to the dead letter topic");
    o->accounts = cm_counter("accounts_changed_total", NULL, "Accounts of which a report said something new");
    o->sets = cm_counter("link_sets_changed_total", NULL, "Payers whose links changed");
    o->runs = cm_counter("runs_started_total", NULL, "Runs begun because links changed");
    o->links = cm_counter("account_links_changed_total", NULL, "Accounts whose owners changed");
    o->published = cm_counter("account_links_published_total", NULL, "Records of account.link that the broker has");
    o->retries = cm_counter("retries_total", "dependency=\"database\"", "Retries by dependency");
    o->lag = cm_gauge("lag_records", NULL, "Records not yet read, of the partitions owned");
    o->oldest = cm_gauge("oldest_unread_milliseconds", NULL, "Age of the oldest unread record");
}

static void count(cm_metric *metric, int64_t *since)
{
    cm_metric_add(metric, *since);
    *since = 0;
}

static void update_metrics(org_linker *o)
{
    count(o->accounts, &o->core.counts.accounts_changed);
    count(o->sets, &o->core.counts.sets_changed);
    count(o->runs, &o->core.counts.runs_started);
    count(o->links, &o->core.counts.links_changed);
    cm_metric_set(o->lag, cm_consumer_lag_records(o->consumer));
    cm_metric_set(o->oldest, cm_consumer_oldest_unread_ms(o->consumer));
}

/* A dependency that is away is waited for, without letting go of the partitions. False: it is no such error, or the
 * process is to stop. */
static bool wait_out(org_linker *o, cm_error *err)
{
    cm_record *record;
    if (err->class != CM_ERROR_RETRY || cm_worker_stopping())
        return false;
    cm_log_error(CM_WARN, "waiting for a dependency", err, NULL);
    cm_error_clear(err);
    cm_metric_add(o->retries, 1);
    cm_worker_turned(&o->worker);
    cm_consumer_pause(o->consumer);
    if (!cm_consumer_poll(o->consumer, RETRY_PAUSE_MS, &record, err) || !cm_producer_poll(o->producer, 0, err))
        return false;
    cm_assert(!record); /* nothing is fetched while paused */
    return true;
}

/* --- a group of account.observed ------------------------------------------------------------------------------- */

static bool set_aside(org_linker *o, cm_record *record, const cm_error *why, cm_error *err)
{
    cm_log_error(CM_ERROR, "record set aside", why, "topic", record->topic, "partition", cm_log_i64(record->partition),
                 "offset", cm_log_i64(record->offset), NULL);
    while (!cm_dead_letter(o->producer, o->worker.lane, CM_LINKER_NAME, record, why, err)) {
        if (!wait_out(o, err))
            return false;
    }
    cm_metric_add(o->dead, 1);
    return true;
}

static bool gather(org_linker *o, cm_error *err)
{
    int64_t until = 0;
    o->count = 0;
    cm_arena_reset(o->arena);
    while (!cm_worker_stopping() && o->count < GROUP_RECORDS && (!o->count || cm_monotonic_milliseconds() < until)) {
        cm_record *record;
        cm_error why = {0};
        if (!cm_consumer_poll(o->consumer, o->count ? GROUP_GAP_MS : POLL_MS, &record, err))
            return false;
        if (!record)
            break;
        if (!cm_observed_decode(record->payload, record->length, o->arena, &o->observed[o->count], &why)) {
            if (!set_aside(o, record, &why, err))
                return false;
            cm_input_done(record->input);
            cm_record_free(record);
            continue;
        }
        if (o->count == 0)
            until = cm_monotonic_milliseconds() + GROUP_MS;
        o->record[o->count++] = record;
    }
    return true;
}

/* *ret_bad: the database does not take it (a text that is no UTF-8): no waiting helps. */
static bool observe(org_linker *o, const cm_observed *list, size_t count, bool *ret_bad, cm_error *err)
{
    *ret_bad = false;
    while (count && !cm_linker_observe(&o->core, list, count, err)) {
        *ret_bad = err->class == CM_ERROR_POISON || err->class == CM_ERROR_INVALID || err->class == CM_ERROR_REFUSED;
        if (*ret_bad)
            return true;
        if (!wait_out(o, err))
            return false;
    }
    return true;
}

/* A group that is not taken is done record by record: the bad one is set aside, the others count. */
static bool apply(org_linker *o, cm_error *err)
{
    bool bad;
    size_t applied = o->count;
    if (!observe(o, o->observed, o->count, &bad, err))
        return false;
    if (bad)
        cm_error_clear(err);
    for (size_t i = 0; i < o->count; i++) {
        bool set_apart = false;
        if (bad && !observe(o, &o->observed[i], 1, &set_apart, err))
            return false;
        if (set_apart) {
            cm_error why = *err;
            cm_error_clear(err);
            applied--;
            if (!set_aside(o, o->record[i], &why, err))
                return false;
        }
        cm_input_done(o->record[i]->input);
    }
    cm_metric_add(o->processed, (int64_t)applied);
    return true;
}

static void free_group(org_linker *o)
{
    for (size_t i = 0; i < o->count; i++)
        cm_record_free(o->record[i]);
    o->count = 0;
}

/* --- account.link ------------------------------------------------------------------------------------------------ */

static bool send_link(org_linker *o, const cm_rows *rows, int row, cm_error *err)
{
    const char *account = cm_rows_text(rows, row, 0), *hex = cm_rows_text(rows, row, 1);
    size_t length = strlen(hex) / 2;
    uint8_t *payload = cm_alloc(length + 1);
    for (size_t i = 0; i < length; i++) { /* PostgreSQL's encode(): two small hex digits a byte */
        const char pair[3] = {hex[2 * i], hex[2 * i + 1], '\0'};
        payload[i] = (uint8_t)strtoul(pair, NULL, 16);
    }
    bool done =
        cm_producer_send(o->producer, o->topic_out, -1, account, strlen(account), payload, length, NULL, 0, NULL, err);
    free(payload);
    return done;
}

/* Sent, acknowledged, marked, in one transaction. Dying in between sends the same records once more. */
static bool publish_some(org_linker *o, int *ret_count, cm_error *err)
{
    cm_rows *rows = NULL;
    bool done = cm_pg_begin(o->core.pg, err) && cm_linker_outbox_take(&o->core, OUTBOX_RECORDS, &rows, err);
    *ret_count = done ? cm_rows_count(rows) : 0;
    for (int i = 0; done && i < *ret_count; i++)
        done = send_link(o, rows, i, err);
    if (done && *ret_count)
        done = cm_producer_flush(o->producer, OUTBOX_FLUSH_MS, err) && cm_producer_poll(o->producer, 0, err) &&
               cm_linker_outbox_published(&o->core, rows, err);
    done = done && cm_pg_commit(o->core.pg, err);
    if (!done)
        cm_pg_rollback(o->core.pg);
    else
        cm_metric_add(o->published, *ret_count);
    cm_rows_free(rows);
    return done;
}

static bool publish(org_linker *o, cm_error *err)
{
    int sent = OUTBOX_RECORDS;
    while (sent == OUTBOX_RECORDS && !cm_worker_stopping()) {
        cm_worker_turned(&o->worker);
        if (!publish_some(o, &sent, err))
            return false;
    }
    return true;
}

/* --- what is done on a schedule, and when something was notified ------------------------------------------------- */

/* What goes wrong here does not stop the lane: the next look does it again. */
static bool tolerate(bool done, const char *what, cm_error *err)
{
    if (done)
        return true;
    if (err->class == CM_ERROR_FATAL || err->class == CM_ERROR_BUG)
        return false;
    cm_log_error(err->class == CM_ERROR_RETRY ? CM_WARN : CM_ERROR, what, err, NULL);
    cm_error_clear(err);
    return true;
}

/* Invitations that are two weeks old are told of (N01), those that AWS's time has ended are at their end. */
static bool come_due(org_linker *o, cm_error *err)
{
    int done;
    return cm_store_requests_due(o->core.pg, o->worker.lane, o->core.clock->now(o->core.clock), CM_LINKER_NAME, &done,
                                 err);
}

static bool look(org_linker *o, cm_error *err)
{
    return tolerate(come_due(o, err), "invitations could not be looked over", err) &&
           tolerate(cm_linker_sets(&o->core, err), "links could not be looked over", err) &&
           tolerate(cm_linker_rerate(&o->core, err), "months could not be rated again", err) &&
           tolerate(cm_linker_announce(&o->core, err), "owners of accounts could not be compared", err) &&
           tolerate(publish(o, err), "owners of accounts could not be published", err);
}

static bool do_chores(org_linker *o, int64_t *last_look_ms, cm_error *err)
{
    int64_t now = cm_monotonic_milliseconds();
    o->look_wanted |= cm_pg_notified(o->core.pg);
    bool due = now >= o->next_look_ms || (o->look_wanted && now >= *last_look_ms + LOOK_MS);
    if (!due)
        return true;
    o->look_wanted = false;
    *last_look_ms = now;
    o->next_look_ms = now + cm_config_integer(o->worker.config, "links.interval.seconds") * 1000;
    return look(o, err);
}

static bool loop(org_linker *o, cm_error *err)
{
    int64_t last_look_ms = 0;
    bool done = true;
    while (done && !cm_worker_stopping()) {
        cm_worker_turned(&o->worker);
        done = do_chores(o, &last_look_ms, err) && gather(o, err) && apply(o, err) &&
               cm_producer_poll(o->producer, 0, err);
        free_group(o);
        cm_consumer_resume(o->consumer); /* after a wait */
        o->worker.ready = cm_consumer_assigned(o->consumer);
        update_metrics(o);
    }
    return done || cm_worker_stopping();
}

/* AWS is asked by a thread of its own: however slow it is, reports and links do not wait for it. */
static void start_aws(org_linker *o)
{
    const cm_config *config = o->worker.config;
    const int per_day = (int)cm_config_integer(config, "aws.invitations.per.day");
    const cm_org_sync_settings wish = {.every_seconds = cm_config_integer(config, "aws.interval.seconds"),
                                       .slice_milliseconds = cm_config_integer(config, "aws.slice.seconds") * 1000,
                                       .per_minute = (int)cm_config_integer(config, "aws.calls.per.minute"),
                                       .invitations_per_day = per_day > 0 ? per_day : -1};
    o->aws = cm_org_sync_start(&wish, cm_config_text(config, "database"), o->worker.lane, &o->worker.clock);
}

static bool start(org_linker *o, cm_error *err)
{
    char group[CM_TOPIC_NAME_MAX];
    int partitions;
    register_metrics(o);
    start_aws(o);
    o->core = (cm_linker){.pg = o->worker.pg,
                          .clock = &o->worker.clock,
                          .lane = o->worker.lane,
                          .catalogs = cm_catalog_cache_new(),
                          .shards = (int)cm_config_integer(o->worker.config, "shards")};
    o->arena = cm_arena_new(ARENA_BYTES);
    cm_topic_full_name(o->worker.lane, "account.observed", o->topic_in);
    cm_topic_full_name(o->worker.lane, "account.link", o->topic_out);
    snprintf(group, sizeof group, "curmill.%s." CM_LINKER_NAME, o->worker.lane);
    if (!cm_pg_listen(o->worker.pg, "curmill_accounts", err))
        return false;
    o->producer = cm_producer_new(o->worker.config, CM_LINKER_NAME, err);
    if (!o->producer || !cm_producer_partitions(o->producer, o->topic_in, &partitions, err) ||
        !cm_producer_partitions(o->producer, o->topic_out, &partitions, err))
        return false;
    o->consumer = cm_consumer_new(o->worker.config, group, (const char *const[]){o->topic_in, NULL}, err);
    return o->consumer != NULL;
}

int main(int argc, char **argv)
{
    static org_linker o; /* zeroed; too large for the stack */
    cm_error err = {0};
    int exit_code =
        cm_worker_start(&o.worker, CM_LINKER_NAME,
                        "knows whose account it is and has months rated again when that changes", settings, argc, argv);
    if (exit_code >= 0)
        return exit_code;
    bool done = start(&o, &err) && loop(&o, &err);
    cm_org_sync_stop(o.aws);
    cm_error flush = {0};
    if (o.producer && !cm_producer_flush(o.producer, 10000, &flush))
        cm_log_error(CM_WARN, "not everything was acknowledged: it is done again after the restart", &flush, NULL);
    cm_consumer_close(o.consumer);
    cm_producer_free(o.producer);
    if (o.core.catalogs)
        cm_catalog_cache_free(o.core.catalogs);
    cm_arena_free(o.arena);
    exit_code = done ? 0 : cm_worker_failed(&o.worker, &err);
    cm_worker_stop(&o.worker);
    return exit_code;
}
