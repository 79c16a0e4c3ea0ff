/*
 * A small thread with its own connection: it writes the worker's row while the main loop turns, and so knows for
 * /readyz whether the database answers. It is a separate thread because an unreachable database must not block the main
 * loop, and because the main thread's connection may be inside a transaction.
 */
#ifndef CM_WORKER_HEARTBEAT_H
#define CM_WORKER_HEARTBEAT_H

#include "base/base/error.h"

#include <stddef.h>

typedef struct cm_heartbeat cm_heartbeat;

CM_NODISCARD cm_heartbeat *cm_heartbeat_start(const char *conninfo, const char *name, const char *lane, cm_error *err);
void cm_heartbeat_turned(cm_heartbeat *beat); /* main loop turned; any thread */
/* True if the database answered recently; otherwise fills `why`. Any thread. */
bool cm_heartbeat_database(cm_heartbeat *beat, char *why, size_t size);
/* Removes the row. Waits at most 2 s: a thread that hangs in connect is abandoned (the process is ending). */
void cm_heartbeat_stop(cm_heartbeat *beat);

#endif
