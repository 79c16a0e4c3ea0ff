/*
 * What every worker's main() has in common: settings, log, stop signal, database with schema check, health server.
 * `main` stays a checklist.
 */
#ifndef CM_WORKER_WORKER_H
#define CM_WORKER_WORKER_H

#include "base/config/config.h"
#include "base/time/time.h"
#include "platform/health/health.h"
#include "platform/postgres/postgres.h"

/* Liveness: a loop that has not called cm_worker_turned for this long is dead. Call it between the steps of long work,
 * too. */
enum { CM_WORKER_LOOP_BOUND_SECONDS = 120 };

typedef struct cm_worker {
    const char *name; /* "rate-engine" */
    cm_config *config;
    const char *lane;
    cm_clock clock;
    cm_pg *pg; /* main thread's connection, schema checked */
    cm_health *health;
    _Atomic bool ready; /* set when the consumer group is joined, cleared when it is lost: for /readyz */
    struct cm_heartbeat *_Atomic heartbeat; /* private */
} cm_worker;

/* Loads settings (own table besides the common ones), sets up memory limits, logs and signals, starts health, opens the
 * database (waits up to 60 s for one that is down, then exit code 4), checks its schema, starts the heartbeat.
 * Returns -1 to go on, or the process's exit code (after --help, or an error that was printed). */
CM_NODISCARD int cm_worker_start(cm_worker *worker, const char *name, const char *summary, const cm_setting *own,
                                 int argc, char **argv);
/* True after SIGTERM or SIGINT; a second one ends the process at once. */
bool cm_worker_stopping(void);
/* Call each turn of the loop (cheap): liveness, and the heartbeat row (table worker), which a separate thread writes
 * every 5 s while the loop turns. */
void cm_worker_turned(cm_worker *worker);
void cm_worker_stop(cm_worker *worker);
/* Logs the error and returns main's exit code. */
int cm_worker_failed(cm_worker *worker, const cm_error *err);

#endif
