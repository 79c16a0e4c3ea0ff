#include "sync/org_sync.h"

#include "base/log/log.h"
#include "platform/health/health.h"
#include "store/catalog/catalog_store.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { IDLE_MS = 2000, TROUBLE_MS = 5000, STEP_MS = 100 };

struct cm_org_sync_thread {
    pthread_t thread;
    atomic_bool stop;
    cm_org_sync_settings settings;
    cm_aws_options options;
    char *database, *lane;
    const cm_clock *clock;
    cm_metric *good, *bad, *calls, *invitations;
};

static bool stopping(void *opaque)
{
    cm_org_sync_thread *t = opaque;
    return atomic_load(&t->stop);
}

/* A wait that stopping interrupts. */
static void rest(void *opaque, int64_t milliseconds)
{
    for (int64_t left = milliseconds; left > 0 && !stopping(opaque); left -= STEP_MS) {
        int64_t now = left < STEP_MS ? left : STEP_MS;
        struct timespec pause = {0, now * 1000000};
        nanosleep(&pause, NULL);
    }
}

static void count(cm_org_sync_thread *t, const cm_org_turn *turn)
{
    cm_metric_add(*turn->code ? t->bad : t->good, 1);
    cm_metric_add(t->calls, turn->calls);
    cm_metric_add(t->invitations, turn->invited);
}

/* ret_did false: no payer was due, or there is no catalog yet. */
static bool one_turn(cm_org_sync_thread *t, cm_org_sync *sync, cm_pg *pg, cm_catalog_cache *catalogs, bool *ret_did,
                     cm_error *err)
{
    char id[CM_ID_HEX];
    cm_org_turn turn;
    cm_instant now = t->clock->now(t->clock);
    *ret_did = false;
    if (!cm_store_catalog_in_force(pg, now, id, err)) {
        if (err->class != CM_ERROR_NOT_FOUND)
            return false;
        cm_error_clear(err);
        return true;
    }
    const cm_catalog *catalog = cm_catalog_cache_get(catalogs, pg, id, err);
    if (!catalog || !cm_org_sync_step(sync, pg, catalog, t->lane, now, &turn, err))
        return false;
    *ret_did = *turn.payer != '\0';
    if (*ret_did)
        count(t, &turn);
    return true;
}

static void *run(void *opaque)
{
    cm_org_sync_thread *t = opaque;
    cm_org_sync *sync = cm_org_sync_new(&t->settings);
    cm_catalog_cache *catalogs = cm_catalog_cache_new();
    cm_pg *pg = NULL;
    while (!stopping(t)) {
        cm_error err = {0};
        bool did = false;
        if (!pg)
            pg = cm_pg_open(t->database, "org-linker aws", &err);
        if (!pg || !one_turn(t, sync, pg, catalogs, &did, &err)) {
            cm_log_error(CM_WARN, "AWS turns wait for the database", &err, NULL);
            cm_pg_close(pg);
            pg = NULL;
            rest(t, TROUBLE_MS);
        } else if (!did) {
            rest(t, IDLE_MS);
        }
    }
    cm_pg_close(pg);
    cm_catalog_cache_free(catalogs);
    cm_org_sync_free(sync);
    return NULL;
}

cm_org_sync_thread *cm_org_sync_start(const cm_org_sync_settings *settings, const char *database, const char *lane,
                                      const cm_clock *clock)
{
    cm_org_sync_thread *t = cm_alloc(sizeof *t);
    t->settings = *settings;
    if (settings->options)
        t->options = *settings->options;
    t->options.stopping = stopping;
    t->options.wait = rest;
    t->options.opaque = t;
    t->settings.options = &t->options;
    t->database = cm_strdup(database);
    t->lane = cm_strdup(lane);
    t->clock = clock;
    t->good = cm_counter("aws_turns_total", "outcome=\"good\"", "Turns of payers at AWS by outcome");
    t->bad = cm_counter("aws_turns_total", "outcome=\"failed\"", "Turns of payers at AWS by outcome");
    t->calls = cm_counter("aws_calls_total", NULL, "Calls of AWS for payers and roles");
    t->invitations = cm_counter("aws_invitations_total", NULL, "Invitations that AWS accepted");
    cm_assert(pthread_create(&t->thread, NULL, run, t) == 0);
    return t;
}

void cm_org_sync_stop(cm_org_sync_thread *thread)
{
    if (!thread)
        return;
    atomic_store(&thread->stop, true);
    pthread_join(thread->thread, NULL);
    free(thread->database);
    free(thread->lane);
    free(thread);
}
