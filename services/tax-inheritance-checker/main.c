/*
 * tax-inheritance-checker: tax settings of AWS -> verdicts -> tax.verdict. Reads as a checklist: settings, database,
 * Kafka, loop. The work itself is in checker.h. It looks at payers on a schedule, when the catalog or the links change,
 * and when an operator asks.
 */
#include "checker.h"

#include "base/log/log.h"
#include "platform/aws/chain/chain.h"
#include "platform/kafka/kafka.h"
#include "platform/outbox/outbox.h"
#include "platform/worker/loop.h"

#include <string.h>

enum { POLL_MS = 500, ROUND_MS = 30000, OUTBOX_RECORDS = 500, SESSIONS = 256 };

static const cm_setting settings[] = {
    {"tax.check.interval.seconds", CM_SETTING_INTEGER, "21600", 1, 604800, NULL, false,
     "how often the tax settings of a payer are checked"},
    {"tax.retry.seconds", CM_SETTING_INTEGER, "300", 1, 86400, NULL, false,
     "pause before the next attempt after AWS did not answer"},
    {"tax.max.age.hours", CM_SETTING_INTEGER, "48", 1, 8760, NULL, false,
     "answers of AWS that are older give the verdict STALE"},
    {0},
};

typedef struct service {
    cm_worker worker;
    cm_tax_checker core;
    cm_tax_aws aws;
    cm_loop loop;
    cm_outbox outbox;
    char catalog[CM_ID_HEX];
    int64_t next_round_ms;
    cm_metric *looks, *failed, *changes, *published, *calls, *held, *stale;
    cm_tax_counts shown;
    int64_t calls_shown;
} service;

static void register_metrics(service *s)
{
    s->looks = cm_counter("tax_looks_total", "outcome=\"read\"", "Looks at tax settings of payers");
    s->failed = cm_counter("tax_looks_total", "outcome=\"failed\"", "Looks at tax settings of payers");
    s->changes = cm_counter("tax_verdicts_changed_total", NULL, "Verdicts of accounts that changed");
    s->published = cm_counter("tax_verdicts_published_total", NULL, "Records published from the outbox");
    s->calls = cm_counter("aws_calls_total", NULL, "Calls to AWS");
    s->held = cm_gauge("tax_accounts_held", NULL, "Accounts whose verdict holds statements");
    s->stale = cm_gauge("tax_payers_stale", NULL, "Payers whose last good answer is too old");
    s->loop.retries = cm_counter("retries_total", "dependency=\"database\"", "Retries by dependency");
}

static bool update_gauges(service *s, cm_error *err)
{
    cm_rows *rows = NULL;
    if (!cm_pg_query(s->worker.pg,
                     "SELECT count(*) FILTER (WHERE verdict NOT IN ('OK', 'NOT_APPLICABLE')),"
                     " count(*) FILTER (WHERE account = payer AND verdict = 'STALE') FROM tax_verdict WHERE lane = $1",
                     1, (const char *[]){s->worker.lane}, &rows, err))
        return false;
    cm_metric_set(s->held, cm_rows_i64(rows, 0, 0));
    cm_metric_set(s->stale, cm_rows_i64(rows, 0, 1));
    cm_rows_free(rows);
    return true;
}

static void update_counters(service *s)
{
    const cm_tax_counts *now = &s->core.counts;
    cm_metric_add(s->looks, (now->looks - now->looks_failed) - (s->shown.looks - s->shown.looks_failed));
    cm_metric_add(s->failed, now->looks_failed - s->shown.looks_failed);
    cm_metric_add(s->changes, now->changes - s->shown.changes);
    cm_metric_add(s->calls, s->aws.calls - s->calls_shown);
    s->shown = *now;
    s->calls_shown = s->aws.calls;
}

/* --- the outbox ---------------------------------------------------------------------------------------------- */

static bool take(void *opaque, int most, cm_rows **ret, cm_error *err)
{
    const service *s = opaque;
    return cm_store_tax_outbox_take(s->worker.pg, s->worker.lane, most, ret, err);
}

static bool mark(void *opaque, const cm_rows *rows, cm_error *err)
{
    const service *s = opaque;
    return cm_store_tax_outbox_published(s->worker.pg, rows, err);
}

/* --- life ---------------------------------------------------------------------------------------------------- */

static void turned(void *opaque)
{
    cm_worker_turned(&((service *)opaque)->worker);
}

static bool stopping(void *opaque)
{
    (void)opaque;
    return cm_worker_stopping();
}

/* Another catalog came in force: what payers are compared with may be other data. */
static bool catalog_changed(service *s, bool *ret, cm_error *err)
{
    char id[CM_ID_HEX] = "";
    if (!cm_store_catalog_in_force(s->worker.pg, cm_checker_now(&s->core), id, err)) {
        if (err->class != CM_ERROR_NOT_FOUND)
            return false;
        cm_error_clear(err);
        *id = 0;
    }
    *ret = strcmp(id, s->catalog) != 0;
    memcpy(s->catalog, id, sizeof s->catalog);
    return true;
}

static bool turn(service *s, cm_error *err)
{
    bool changed, told = cm_pg_notified(s->worker.pg);
    if (!cm_checker_orders(&s->core, err) || !catalog_changed(s, &changed, err))
        return false;
    if (changed || told || cm_monotonic_milliseconds() >= s->next_round_ms) {
        *s->catalog = 0; /* until the round is through */
        if (!cm_checker_round(&s->core, err) || !catalog_changed(s, &changed, err) || !update_gauges(s, err))
            return false;
        s->next_round_ms = cm_monotonic_milliseconds() + ROUND_MS;
    }
    return cm_outbox_publish_all(&s->outbox, &s->worker, s->loop.producer, s->published, err);
}

/* A schedule finer than the pause between rounds makes the pause shorter. */
static int64_t round_pause(const cm_config *config)
{
    int64_t interval = cm_config_integer(config, "tax.check.interval.seconds") * 1000,
            retry = cm_config_integer(config, "tax.retry.seconds") * 1000;
    int64_t least = interval < retry ? interval : retry;
    return least < ROUND_MS ? least : ROUND_MS;
}

static bool loop(service *s, cm_error *err)
{
    while (!cm_worker_stopping()) {
        cm_loop_turned(&s->loop);
        bool done = turn(s, err);
        update_counters(s);
        s->worker.ready = done;
        if (!done && !cm_loop_wait(&s->loop, err))
            return false;
        int64_t latest = cm_monotonic_milliseconds() + round_pause(s->worker.config);
        if (s->next_round_ms > latest)
            s->next_round_ms = latest;
        if (done && !cm_producer_poll(s->loop.producer, POLL_MS, err))
            return false;
    }
    return true;
}

static bool start(service *s, cm_error *err)
{
    int partitions;
    const cm_config *config = s->worker.config;
    s->loop.worker = &s->worker;
    register_metrics(s);
    s->outbox = (cm_outbox){
        .key_column = 1, .payload_column = 2, .most = OUTBOX_RECORDS, .take = take, .mark = mark, .owner = s};
    cm_topic_full_name(s->worker.lane, "tax.verdict", s->outbox.topic);
    cm_aws_provider *base = cm_aws_provider_chain(NULL);
    s->aws = (cm_tax_aws){cm_aws_sessions_new(base, NULL, SESSIONS), &s->worker.clock, 0};
    cm_aws_provider_free(base);
    s->core = (cm_tax_checker){.pg = s->worker.pg,
                               .clock = &s->worker.clock,
                               .lane = s->worker.lane,
                               .catalogs = cm_catalog_cache_new(),
                               .reader = cm_tax_aws_reader(&s->aws),
                               .interval = cm_config_integer(config, "tax.check.interval.seconds") * CM_SECOND,
                               .retry_after = cm_config_integer(config, "tax.retry.seconds") * CM_SECOND,
                               .max_age = cm_config_integer(config, "tax.max.age.hours") * 3600 * CM_SECOND,
                               .turned = turned,
                               .stopping = stopping,
                               .opaque = s};
    s->loop.producer = cm_producer_new(config, CM_CHECKER_NAME, err);
    return s->loop.producer && cm_producer_partitions(s->loop.producer, s->outbox.topic, &partitions, err) &&
           cm_pg_listen(s->worker.pg, "curmill_tax", err) && cm_pg_listen(s->worker.pg, "curmill_accounts", err);
}

int main(int argc, char **argv)
{
    static service s;
    cm_error err = {0};
    int exit_code =
        cm_worker_start(&s.worker, CM_CHECKER_NAME,
                        "compares the tax settings in AWS with what the distributor requires", settings, argc, argv);
    if (exit_code >= 0)
        return exit_code;
    bool done = start(&s, &err) && loop(&s, &err);
    exit_code = cm_loop_end(&s.loop, done, &err);
    if (s.core.catalogs)
        cm_catalog_cache_free(s.core.catalogs);
    cm_aws_sessions_free(s.aws.sessions);
    return exit_code;
}
