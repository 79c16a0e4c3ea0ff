/*
 * What every worker's main() does in the same way: settings, log, stop signal, database with schema check, health server.
 * `main` stays a checklist. May use: everything in common but the domain folders.
 */
#ifndef CM_WORKER_WORKER_H
#define CM_WORKER_WORKER_H

#include "base/time.h"
#include "config/config.h"
#include "health/health.h"
#include "postgres/postgres.h"

typedef struct cm_worker {
    const char *name; /* "rate-engine" */
    cm_config *config;
    const char *lane;
    cm_clock clock;
    cm_pg *pg; /* main thread's connection, schema checked */
    cm_health *health;
    _Atomic bool ready;
} cm_worker;

/* Loads settings (own table besides the common ones), sets up logs and signals, opens the database, starts health.
 * Returns -1 to go on, or the process's exit code (after --help, or an error that was printed). */
CM_NODISCARD int cm_worker_start(cm_worker *worker, const char *name, const char *summary, const cm_setting *own, int argc,
                                 char **argv);
/* True once SIGTERM or SIGINT came; a second one ends the process at once. */
bool cm_worker_stopping(void);
/* Call each turn of the loop: liveness, database heartbeat row (table worker, every 5 s). */
void cm_worker_turned(cm_worker *worker);
void cm_worker_stop(cm_worker *worker);
/* Logs the error and gives main's exit code. */
int cm_worker_failed(cm_worker *worker, const cm_error *err);

#endif
