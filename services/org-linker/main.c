/*
 * org-linker: account.observed -> accounts; requests -> link sets, runs rated again, account.link. Reads as a
 * checklist: settings, database, Kafka, loop. The work itself is in linker.h; here a group of records is gathered,
 * applied, and only then given back to Kafka.
 */
#include "base/log/log.h"
#include "linker.h"
#include "platform/kafka/kafka.h"
#include "platform/outbox/outbox.h"
#include "platform/worker/loop.h"
#include "store/accounts/offboarding_store.h"
#include "store/runs/run_store.h"
#include "sync/org_sync.h"

#include <stdio.h>

enum {
    POLL_MS = 200,
    GROUP_RECORDS = 256,
    GROUP_MS = 250,
    GROUP_GAP_MS = 20, /* nothing came for so long: the group is complete */
    LOOK_MS = 1000,    /* at most so often, however many notifications come */
    OUTBOX_RECORDS = 500,
    ARENA_BYTES = 1 << 20,
};

static const cm_setting settings[] = {
    {"links.interval.seconds", CM_SETTING_INTEGER, "10", 1, 3600, NULL, false,
     "how often links are checked without a notification"},
    {"aws.interval.seconds", CM_SETTING_INTEGER, "3600", 60, 86400, NULL, false,
     "how often AWS is called for a payer that has `access`"},
    {"aws.slice.seconds", CM_SETTING_INTEGER, "20", 1, 300, NULL, false,
     "longest time for one payer before it is the next one's turn"},
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
    cm_loop loop;
    cm_outbox outbox;
    cm_org_sync_thread *aws;
    cm_arena *arena;
    char topic_in[CM_TOPIC_NAME_MAX];
    cm_record *record[GROUP_RECORDS];
    cm_observed observed[GROUP_RECORDS];
    size_t count;
    int64_t next_look_ms;
    bool look_wanted;
    cm_metric *processed, *accounts, *sets, *runs, *links, *published;
} org_linker;

static void register_metrics(org_linker *o)
{
    o->processed = cm_counter("records_processed_total", "outcome=\"applied\"", "Records by outcome");
    o->loop.dead = cm_counter("records_dead_total", NULL, "Records sent to the dead letter topic");
    o->accounts = cm_counter("accounts_changed_total", NULL, "Accounts of which a report said something new");
    o->sets = cm_counter("link_sets_changed_total", NULL, "Payers whose links changed");
    o->runs = cm_counter("runs_started_total", NULL, "Runs started because links changed");
    o->links = cm_counter("account_links_changed_total", NULL, "Accounts whose owners changed");
    o->published = cm_counter("account_links_published_total", NULL, "Records of account.link that the broker has");
    o->loop.retries = cm_counter("retries_total", "dependency=\"database\"", "Retries by dependency");
    o->loop.lag = cm_gauge("lag_records", NULL, "Records not yet read, of the partitions owned");
    o->loop.oldest = cm_gauge("oldest_unread_milliseconds", NULL, "Age of the oldest unread record");
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
}

/* --- a group of account.observed ------------------------------------------------------------------------------- */

static bool gather(org_linker *o, cm_error *err)
{
    int64_t until = 0;
    o->count = 0;
    cm_arena_reset(o->arena);
    while (!cm_worker_stopping() && o->count < GROUP_RECORDS && (!o->count || cm_monotonic_milliseconds() < until)) {
        cm_record *record;
        cm_error why = {0};
        if (!cm_consumer_poll(o->loop.consumer, o->count ? GROUP_GAP_MS : POLL_MS, &record, err))
            return false;
        if (!record)
            break;
        if (!cm_observed_decode(record->payload, record->length, o->arena, &o->observed[o->count], &why)) {
            if (!cm_loop_reject(&o->loop, record, &why, err))
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
        *ret_bad = cm_error_action(err->class, CM_FROM_INPUT) == CM_ACTION_DEAD_LETTER;
        if (*ret_bad)
            return true;
        if (!cm_loop_wait(&o->loop, err))
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
            if (!cm_loop_dead_letter(&o->loop, o->record[i], &why, err))
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

static bool take(void *o, int most, cm_rows **ret, cm_error *err)
{
    return cm_linker_outbox_take(&((org_linker *)o)->core, most, ret, err);
}

static bool mark(void *o, const cm_rows *rows, cm_error *err)
{
    return cm_linker_outbox_published(&((org_linker *)o)->core, rows, err);
}

static bool publish(org_linker *o, cm_error *err)
{
    return cm_outbox_publish_all(&o->outbox, &o->worker, o->loop.producer, o->published, err);
}

/* --- what is done on a schedule, and when something was notified ------------------------------------------------- */

/* Invitations that are two weeks old are told of (N01), those that AWS's time has ended are at their end. */
static bool come_due(org_linker *o, cm_error *err)
{
    int done;
    return cm_store_requests_due(o->core.pg, o->worker.lane, o->core.clock->now(o->core.clock), CM_LINKER_NAME, &done,
                                 err);
}

/* What goes wrong here does not stop the lane: the next look does it again. */
static bool look(org_linker *o, cm_error *err)
{
    return cm_log_unless_fatal(come_due(o, err), "invitations could not be checked", err) &&
           cm_log_unless_fatal(cm_linker_sets(&o->core, err), "links could not be checked", err) &&
           cm_log_unless_fatal(cm_linker_rerate(&o->core, err), "months could not be rated again", err) &&
           cm_log_unless_fatal(cm_linker_announce(&o->core, err), "owners of accounts could not be compared", err) &&
           cm_log_unless_fatal(publish(o, err), "owners of accounts could not be published", err);
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
        cm_loop_turned(&o->loop);
        done = do_chores(o, &last_look_ms, err) && gather(o, err) && apply(o, err) &&
               cm_producer_poll(o->loop.producer, 0, err);
        free_group(o);
        update_metrics(o);
    }
    return done;
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
    o->loop.worker = &o->worker;
    register_metrics(o);
    start_aws(o);
    o->core = (cm_linker){.pg = o->worker.pg,
                          .clock = &o->worker.clock,
                          .lane = o->worker.lane,
                          .catalogs = cm_catalog_cache_new(),
                          .shards = (int)cm_config_integer(o->worker.config, "shards")};
    o->arena = cm_arena_new(ARENA_BYTES);
    cm_topic_full_name(o->worker.lane, "account.observed", o->topic_in);
    o->outbox = (cm_outbox){
        .key_column = 0, .payload_column = 1, .most = OUTBOX_RECORDS, .take = take, .mark = mark, .owner = o};
    cm_topic_full_name(o->worker.lane, "account.link", o->outbox.topic);
    snprintf(group, sizeof group, "curmill.%s." CM_LINKER_NAME, o->worker.lane);
    if (!cm_pg_listen(o->worker.pg, "curmill_accounts", err))
        return false;
    o->loop.producer = cm_producer_new(o->worker.config, CM_LINKER_NAME, err);
    if (!o->loop.producer || !cm_producer_partitions(o->loop.producer, o->topic_in, &partitions, err) ||
        !cm_producer_partitions(o->loop.producer, o->outbox.topic, &partitions, err))
        return false;
    o->loop.consumer = cm_consumer_new(o->worker.config, group, (const char *const[]){o->topic_in, NULL}, err);
    return o->loop.consumer != NULL;
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
    exit_code = cm_loop_end(&o.loop, done, &err);
    if (o.core.catalogs)
        cm_catalog_cache_free(o.core.catalogs);
    cm_arena_free(o.arena);
    return exit_code;
}
