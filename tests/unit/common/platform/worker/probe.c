/* A worker without work: loops until it is told to stop. CURMILL_FAULT=stuck: stops turning; =stay: ignores the first
 * signal. */
#include "platform/worker/worker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    static const cm_setting own[] = {
        {.key = "shards", .type = CM_SETTING_INTEGER, .default_value = "1", .help = "number"}, {0}};
    const char *fault = getenv("CURMILL_FAULT");
    cm_worker worker;
    int exit_code = cm_worker_start(&worker, "probe", "does nothing", own, argc, argv);
    if (exit_code >= 0)
        return exit_code;
    bool stay = fault && strcmp(fault, "stay") == 0;
    worker.ready = true;
    printf("running\n");
    fflush(stdout);
    while (stay || !cm_worker_stopping()) {
        cm_worker_turned(&worker);
        usleep(20000);
    }
    cm_error err;
    if (fault && strcmp(fault, "fatal") == 0) {
        cm_fail(&err, CM_ERROR_FATAL, "TEST", "told to fail");
        exit_code = cm_worker_failed(&worker, &err);
    } else {
        exit_code = 0;
    }
    cm_worker_stop(&worker);
    return exit_code;
}
