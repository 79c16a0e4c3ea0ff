#include "platform/worker/heartbeat.h"

#include "base/log/log.h"
#include "base/time/time.h"
#include "platform/postgres/postgres.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { EVERY_S = 5, LATELY_MS = 20000, STACK_BYTES = 256 * 1024, STOP_WAIT_S = 2 };

struct cm_heartbeat {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool stop;                   /* under lock */
    char why[CM_ERROR_TEXT_MAX]; /* under lock: the last failure, "" if none */
    char instance[160];
    char *conninfo, *name, *lane;
    _Atomic int64_t turned;      /* counts turns of the main loop */
    _Atomic int64_t answered_ms; /* when the database last answered */
};

/* One beat: writes the row if the loop turned since the last one, otherwise only pings. */
static bool beat_once(cm_heartbeat *beat, cm_pg *pg, bool turned, cm_error *err)
{
    if (!turned)
        return cm_pg_ping(pg, err);
    const char *values[] = {beat->instance, beat->name, beat->lane, CURMILL_VERSION};
    return cm_pg_query(
        pg,
        "INSERT INTO worker (instance, name, lane, version, started_at, seen_at) VALUES ($1, $2, $3, $4, now(), "
        "now()) ON CONFLICT (instance) DO UPDATE SET seen_at = now()",
        4, values, NULL, err);
}

static void note(cm_heartbeat *beat, const cm_error *err)
{
    pthread_mutex_lock(&beat->lock);
    bool first = err && !*beat->why;
    snprintf(beat->why, sizeof beat->why, "%s", err ? err->text : "");
    pthread_mutex_unlock(&beat->lock);
    if (!err)
        atomic_store(&beat->answered_ms, cm_monotonic_milliseconds());
    else if (first) /* log one line for an outage, not one every five seconds */
        cm_log_error(CM_WARN, "heartbeat not written", err, NULL);
}

/* False: it is time to stop. */
static bool wait_for_next(cm_heartbeat *beat)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += EVERY_S;
    pthread_mutex_lock(&beat->lock);
    while (!beat->stop && pthread_cond_timedwait(&beat->wake, &beat->lock, &until) != ETIMEDOUT)
        continue;
    bool stop = beat->stop;
    pthread_mutex_unlock(&beat->lock);
    return !stop;
}

static void forget(cm_heartbeat *beat, cm_pg *pg)
{
    cm_error ignored;
    const char *values[] = {beat->instance};
    if (!cm_pg_query(pg, "DELETE FROM worker WHERE instance = $1", 1, values, NULL, &ignored))
        cm_log(CM_DEBUG, "heartbeat row was not removed", "error", ignored.text, NULL);
}

static void *run(void *opaque)
{
    cm_heartbeat *beat = opaque;
    cm_pg *pg = NULL;
    cm_error err;
    int64_t seen = -1;
    do {
        int64_t turned = atomic_load(&beat->turned);
        bool ok = pg || (pg = cm_pg_open(beat->conninfo, beat->name, &err));
        ok = ok && beat_once(beat, pg, turned != seen, &err);
        note(beat, ok ? NULL : &err);
        if (ok)
            seen = turned;
    } while (wait_for_next(beat));
    if (pg)
        forget(beat, pg);
    cm_pg_close(pg);
    return NULL;
}

static bool start_thread(cm_heartbeat *beat)
{
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    int code = pthread_create(&beat->thread, &attributes, run, beat);
    pthread_attr_destroy(&attributes);
    return code == 0;
}

static void release(cm_heartbeat *beat)
{
    pthread_mutex_destroy(&beat->lock);
    pthread_cond_destroy(&beat->wake);
    free(beat->conninfo);
    free(beat->name);
    free(beat->lane);
    free(beat);
}

cm_heartbeat *cm_heartbeat_start(const char *conninfo, const char *name, const char *lane, cm_error *err)
{
    char host[100] = "unknown";
    cm_heartbeat *beat = cm_alloc(sizeof *beat);
    if (gethostname(host, sizeof host - 1) != 0)
        snprintf(host, sizeof host, "unknown");
    snprintf(beat->instance, sizeof beat->instance, "%s:%d", host, (int)getpid());
    pthread_mutex_init(&beat->lock, NULL);
    pthread_cond_init(&beat->wake, NULL);
    beat->conninfo = cm_strdup(conninfo);
    beat->name = cm_strdup(name);
    beat->lane = cm_strdup(lane);
    atomic_store(&beat->answered_ms, cm_monotonic_milliseconds()); /* the caller has just opened the database */
    if (start_thread(beat))
        return beat;
    release(beat);
    cm_fail(err, CM_ERROR_FATAL, "THREAD", "the heartbeat thread cannot be started: %s", strerror(errno));
    return NULL;
}

void cm_heartbeat_turned(cm_heartbeat *beat)
{
    atomic_fetch_add_explicit(&beat->turned, 1, memory_order_relaxed);
}

bool cm_heartbeat_database(cm_heartbeat *beat, char *why, size_t size)
{
    pthread_mutex_lock(&beat->lock);
    bool ok = !*beat->why && cm_monotonic_milliseconds() - atomic_load(&beat->answered_ms) < LATELY_MS;
    if (!ok)
        snprintf(why, size, "%s", *beat->why ? beat->why : "database: no answer");
    pthread_mutex_unlock(&beat->lock);
    return ok;
}

void cm_heartbeat_stop(cm_heartbeat *beat)
{
    if (!beat)
        return;
    pthread_mutex_lock(&beat->lock);
    beat->stop = true;
    pthread_cond_signal(&beat->wake);
    pthread_mutex_unlock(&beat->lock);
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += STOP_WAIT_S;
    if (pthread_timedjoin_np(beat->thread, NULL, &until) == 0)
        release(beat);
}
