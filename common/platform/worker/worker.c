#include "platform/worker/worker.h"

#include "base/log/log.h"
#include "platform/worker/heartbeat.h"

#include <libpq-fe.h>
#include <librdkafka/rdkafka.h>
#include <malloc.h>
#include <microhttpd.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { DATABASE_WAIT_S = 60, DATABASE_PAUSE_S = 2 };

/* --- stop signals ------------------------------------------------------------------------------------------------ */

static volatile sig_atomic_t stop_signals;

static void on_stop(int number)
{
    if (++stop_signals > 1) { /* the second signal: stop now */
        signal(number, SIG_DFL);
        raise(number);
    }
}

bool cm_worker_stopping(void)
{
    return stop_signals > 0;
}

/* Without SA_RESTART: a wait of the main thread ends when the signal comes. */
static void set_signals(void)
{
    struct sigaction action = {.sa_handler = on_stop};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
}

/* Threads created in between leave the signals to the main thread. */
static void hold_signals(sigset_t *before)
{
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, before);
}

/* --- memory ------------------------------------------------------------------------------------------------------ */

/*
 * librdkafka has a thread for each broker; with glibc's default of eight arenas a core, memory that one thread freed is
 * not used by the others. So two arenas, and fetch buffers (about 1 MB) directly from and back to the system: a slow
 * consumer of 100 KB records stays at 23 MB; with the threshold at 1 MB it reached 42 MB, and the default threshold
 * grows by itself.
 */
static void set_memory(void)
{
    mallopt(M_ARENA_MAX, 2);
    mallopt(M_MMAP_THRESHOLD, 256 * 1024);
    mallopt(M_TRIM_THRESHOLD, 2 * 1024 * 1024);
}

/* --- start ------------------------------------------------------------------------------------------------------- */

static int fail_to_start(const char *name, const cm_error *err)
{
    fprintf(stderr, "%s: %s\n", name, err->text);
    return cm_error_exit_code(err);
}

static bool load(cm_worker *worker, const char *summary, const cm_setting *own, int argc, char **argv, int *ret_exit,
                 cm_error *err)
{
    const cm_setting *const tables[] = {cm_settings_common, own, NULL};
    int rest = argc;
    *ret_exit = -1;
    worker->config = cm_config_load(worker->name, summary, tables, argc, argv, &rest, ret_exit, err);
    if (!worker->config)
        return false;
    if (*ret_exit < 0 && rest < argc)
        return cm_fail(err, CM_ERROR_INVALID, "USAGE", "unexpected argument \"%s\"; settings are given as --key value",
                       argv[rest]);
    return true;
}

static void start_log(cm_worker *worker)
{
    enum cm_log_level level = CM_INFO;
    if (!cm_log_level_parse(cm_config_text(worker->config, "log.level"), &level))
        level = CM_INFO; /* cannot happen: the setting is a choice */
    cm_log_setup(worker->name, worker->lane, level, strcmp(cm_config_text(worker->config, "log.format"), "json") == 0);
    cm_log(CM_INFO, "starting", "version", CURMILL_VERSION, "schema", cm_log_i64(cm_pg_schema_version()), "librdkafka",
           rd_kafka_version_str(), "libpq", cm_log_i64(PQlibVersion()), "libmicrohttpd", MHD_get_version(), NULL);
    cm_config_log(worker->config);
}

/* Called from the health server's thread. */
static bool is_ready(void *opaque, char *why, size_t size)
{
    cm_worker *worker = opaque;
    struct cm_heartbeat *beat = worker->heartbeat;
    if (!beat) {
        snprintf(why, size, "starting: waiting for the database");
        return false;
    }
    if (!cm_heartbeat_database(beat, why, size))
        return false;
    if (!worker->ready)
        snprintf(why, size, "not a member of the consumer group yet");
    return worker->ready;
}

/* Waits for a database that is starting; an error that waiting cannot fix ends the wait at once. */
static bool open_database(cm_worker *worker, cm_error *err)
{
    const char *conninfo = cm_config_text(worker->config, "database");
    int64_t until = cm_monotonic_milliseconds() + DATABASE_WAIT_S * 1000;
    if (!*conninfo)
        return cm_fail(err, CM_ERROR_INVALID, "SETTING",
                       "the setting `database` is empty: give a libpq connection string");
    while (!cm_worker_stopping()) {
        worker->pg = cm_pg_open(conninfo, worker->name, err);
        if (worker->pg)
            return cm_pg_check_schema(worker->pg, err);
        if (err->class != CM_ERROR_RETRY)
            return false;
        int64_t left_s = (until - cm_monotonic_milliseconds()) / 1000;
        if (left_s <= 0)
            return cm_fail_context(err, "gave up after %d s", DATABASE_WAIT_S);
        cm_log_error(CM_WARN, "waiting for the database", err, "seconds_left", cm_log_i64(left_s), NULL);
        cm_health_turned(worker->health);
        struct timespec pause = {.tv_sec = DATABASE_PAUSE_S};
        nanosleep(&pause, NULL);
    }
    return cm_fail(err, CM_ERROR_RETRY, "STOPPED", "stopped while waiting for the database");
}

static bool start_parts(cm_worker *worker, cm_error *err)
{
    sigset_t before;
    hold_signals(&before);
    worker->health = cm_health_start(cm_config_text(worker->config, "health.address"),
                                     (int)cm_config_integer(worker->config, "health.port"),
                                     CM_WORKER_LOOP_BOUND_SECONDS, is_ready, worker, err);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!worker->health || !open_database(worker, err))
        return false;
    hold_signals(&before);
    worker->heartbeat = cm_heartbeat_start(cm_config_text(worker->config, "database"), worker->name, worker->lane, err);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return worker->heartbeat != NULL;
}

int cm_worker_start(cm_worker *worker, const char *name, const char *summary, const cm_setting *own, int argc,
                    char **argv)
{
    cm_error err = {0};
    int exit_code;
    set_memory();
    memset(worker, 0, sizeof *worker);
    worker->name = name;
    if (!load(worker, summary, own, argc, argv, &exit_code, &err)) {
        cm_config_free(worker->config);
        return fail_to_start(name, &err);
    }
    if (exit_code >= 0) {
        cm_config_free(worker->config);
        return exit_code;
    }
    worker->lane = cm_config_text(worker->config, "lane");
    worker->clock = cm_clock_from_environment();
    start_log(worker);
    set_signals();
    if (start_parts(worker, &err))
        return -1;
    exit_code = cm_worker_stopping() ? 0 : cm_worker_failed(worker, &err);
    cm_worker_stop(worker);
    return exit_code;
}

/* --- running ----------------------------------------------------------------------------------------------------- */

void cm_worker_turned(cm_worker *worker)
{
    cm_health_turned(worker->health);
    cm_heartbeat_turned(worker->heartbeat);
}

void cm_worker_stop(cm_worker *worker)
{
    cm_health_stop(worker->health); /* first, because its thread uses the others */
    cm_heartbeat_stop(worker->heartbeat);
    cm_pg_close(worker->pg);
    cm_log(CM_INFO, "stopped", NULL);
    cm_config_free(worker->config);
    memset(worker, 0, sizeof *worker);
}

int cm_worker_failed(cm_worker *worker, const cm_error *err)
{
    (void)worker;
    cm_log_error(CM_ERROR, "ended by an error", err, NULL);
    return cm_error_exit_code(err);
}
