/*
 * Does what org-linker does at AWS, until it is nobody's turn any more:
 *
 *   org-turn DATABASE LANE NOW [--slice MS] [--per-day N] [--stall MS] [--every S] [--thread MS] [--log]
 *
 * --thread: as a worker does it, in a thread of its own that is stopped after so long; prints {"stopped_ms": how long
 * that took}. A line of JSON for each turn; at the end {"peak_kib": memory}. Credentials and endpoints as in every
 * program.
 */
#include "base/log/log.h"
#include "store/catalog/catalog_store.h"
#include "sync/org_sync.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int failed(const cm_error *err)
{
    fprintf(stderr, "%s %s: %s\n", cm_error_class_name(err->class), err->code, err->text);
    return 1;
}

static long peak_kib(void)
{
    char line[256];
    long peak = 0;
    FILE *status = fopen("/proc/self/status", "r");
    while (status && fgets(line, sizeof line, status))
        if (strncmp(line, "VmHWM:", 6) == 0)
            peak = strtol(line + 6, NULL, 10);
    if (status)
        fclose(status);
    return peak;
}

static int run_thread(const cm_org_sync_settings *settings, const char *database, const char *lane, cm_instant now,
                      long milliseconds)
{
    cm_clock clock = cm_clock_fixed(now);
    cm_org_sync_thread *thread = cm_org_sync_start(settings, database, lane, &clock);
    struct timespec pause = {milliseconds / 1000, milliseconds % 1000 * 1000000};
    nanosleep(&pause, NULL);
    int64_t begun = cm_monotonic_milliseconds();
    cm_org_sync_stop(thread);
    printf("{\"stopped_ms\": %lld}\n", (long long)(cm_monotonic_milliseconds() - begun));
    return 0;
}

int main(int argc, char **argv)
{
    cm_error err = {0};
    cm_instant now;
    cm_aws_options options = {.attempts = 2};
    cm_org_sync_settings settings = {.options = &options, .per_minute = 60000, .burst = 1000};
    enum cm_log_level level = CM_ERROR;
    long threaded = 0;
    if (argc < 4 || !cm_instant_parse(cm_slice_of(argv[3]), &now))
        return 2;
    for (int i = 4; i < argc; i++) {
        long value = i + 1 < argc ? strtol(argv[i + 1], NULL, 10) : 0;
        if (strcmp(argv[i], "--log") == 0)
            level = CM_DEBUG;
        else if (strcmp(argv[i], "--slice") == 0)
            settings.slice_milliseconds = value;
        else if (strcmp(argv[i], "--thread") == 0)
            threaded = value;
        else if (strcmp(argv[i], "--per-day") == 0)
            settings.invitations_per_day = (int)value;
        else if (strcmp(argv[i], "--stall") == 0)
            options.stall_milliseconds = value;
        else if (strcmp(argv[i], "--every") == 0)
            settings.every_seconds = value;
    }
    cm_log_setup("org-turn", argv[2], level, false);
    if (threaded)
        return run_thread(&settings, argv[1], argv[2], now, threaded);
    char id[CM_ID_HEX];
    cm_catalog *catalog = NULL;
    cm_pg *pg = cm_pg_open(argv[1], "org-turn", &err);
    if (!pg || !cm_store_catalog_in_force(pg, now, id, &err) || !cm_store_catalog_load(pg, id, &catalog, &err))
        return failed(&err);
    cm_org_sync *sync = cm_org_sync_new(&settings);
    cm_org_turn turn;
    bool good;
    while ((good = cm_org_sync_step(sync, pg, catalog, argv[2], now, &turn, &err)) && *turn.payer) {
        printf(
            "{\"payer\": \"%s\", \"calls\": %d, \"accounts\": %d, \"invited\": %d, \"roles\": %d, \"code\": \"%s\"}\n",
            turn.payer, turn.calls, turn.accounts, turn.invited, turn.roles, turn.code);
        fflush(stdout);
    }
    cm_org_sync_free(sync);
    cm_catalog_free(catalog);
    cm_pg_close(pg);
    if (!good)
        return failed(&err);
    printf("{\"peak_kib\": %ld}\n", peak_kib());
    return 0;
}
