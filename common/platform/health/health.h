/*
 * /metrics, /healthz, /readyz on one port (libmicrohttpd), and the metrics behind them (Prometheus text format, prefix
 * curmill_). Liveness is only "the poll loop turned within its bound", never the broker or the database (operations.md
 * section 2). Metrics are registered once at start and updated by any thread (atomics). Never money as floats: counters
 * are integers, durations are histograms fed with microseconds and printed in seconds by integer arithmetic.
 */
#ifndef CM_HEALTH_HEALTH_H
#define CM_HEALTH_HEALTH_H

#include "base/base/error.h"

#include <stddef.h>
#include <stdint.h>

typedef struct cm_metric cm_metric;

/* Gauges are shown once they have been set. `labels`: "outcome=\"rated\"" or NULL. Names without prefix; the same name
 * with other labels shares HELP and TYPE. Never freed before exit. */
cm_metric *cm_counter(const char *name, const char *labels, const char *help);
cm_metric *cm_gauge(const char *name, const char *labels, const char *help);
cm_metric *cm_histogram(const char *name, const char *labels, const char *help); /* of durations */
/* label="value" with the value escaped (backslash, quote, newline); returns `into`. */
char *cm_label(const char *name, const char *value, char *into, size_t size);
void cm_metric_add(cm_metric *metric, int64_t delta);
void cm_metric_set(cm_metric *metric, int64_t value);
void cm_metric_observe_us(cm_metric *metric, int64_t microseconds);
void cm_metric_drop(cm_metric *metric); /* not shown until set again (a partition that is no longer owned) */

typedef struct cm_health cm_health;
/* `ready` is called on each /readyz from the server's thread: return true, or fill `why`. Port 0: no server (but still
 * returns an object). */
CM_NODISCARD cm_health *cm_health_start(const char *address, int port, int loop_bound_seconds,
                                        bool (*ready)(void *opaque, char *why, size_t size), void *opaque,
                                        cm_error *err);
void cm_health_turned(cm_health *health); /* the poll loop turned */
void cm_health_stop(cm_health *health);

#endif
