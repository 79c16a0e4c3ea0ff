/*
 * One line per event to standard error, logfmt by default, JSON by switch; fixed fields first: time level worker lane,
 * then msg, then the event's own fields. Thread safe.
 *
 *   cm_log(CM_INFO, "delivery registered", "payer", payer, "period", period, NULL);
 *
 * Keys and values are `const char *`, ended by NULL; a NULL value is printed as "". Never pass a secret.
 */
#ifndef CM_BASE_LOG_H
#define CM_BASE_LOG_H

#include "base/base/error.h"

enum cm_log_level { CM_DEBUG, CM_INFO, CM_WARN, CM_ERROR, CM_SILENT /* cm_log_setup only: nothing is logged */ };

void cm_log_setup(const char *worker, const char *lane, enum cm_log_level level, bool json);
CM_NODISCARD bool cm_log_level_parse(const char *name, enum cm_log_level *ret); /* debug info warn error */
void cm_log(enum cm_log_level level, const char *msg, ...) __attribute__((sentinel));
/* msg plus fields class, code, error taken from `err` */
void cm_log_error(enum cm_log_level level, const char *msg, const cm_error *err, ...) __attribute__((sentinel));

/* Text of a number for a log field, in one of 16 rotating thread-local buffers. */
const char *cm_log_i64(long long value);
/* Captures the log lines of a test: called instead of writing if set (NULL: standard error again). */
void cm_log_capture(void (*sink)(const char *line, void *opaque), void *opaque);

#endif
