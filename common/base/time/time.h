/*
 * Instants are microseconds since 1970-01-01T00:00:00Z, always UTC (formats.md section 1). Days are days since
 * 1970-01-01. The clock is a parameter (`cm_clock`), so that tests can set it.
 */
#ifndef CM_BASE_TIME_H
#define CM_BASE_TIME_H

#include "base/base/error.h"
#include "base/base/slice.h"

#include <stdbool.h>
#include <stdint.h>

typedef int64_t cm_instant;
#define CM_SECOND ((cm_instant)1000000)
#define CM_DAY    (86400 * CM_SECOND)

enum { CM_INSTANT_TEXT = 32 };

/* RFC 3339 ("2025-06-01T00:00:00.000Z", offset "+00:00"), "2025-06-01 00:00:00", and a date alone. No other zone. */
CM_NODISCARD bool cm_instant_parse(cm_slice text, cm_instant *ret);
/* "2025-06-01T00:00:00Z", with a fraction only if there is one. Returns `into`. */
char *cm_instant_print(cm_instant at, char into[static CM_INSTANT_TEXT]);

/* A billing period: a calendar month in UTC, half-open (N13). */
typedef struct cm_period {
    int year;
    int month; /* 1..12 */
} cm_period;

enum { CM_PERIOD_TEXT = 16 };
CM_NODISCARD bool cm_period_parse(cm_slice text, cm_period *ret); /* "2025-06" */
char *cm_period_print(cm_period period, char into[static CM_PERIOD_TEXT]);
cm_instant cm_period_start(cm_period period);
cm_instant cm_period_end(cm_period period); /* exclusive: the 1st of the next month */
cm_period cm_period_next(cm_period period);
cm_period cm_period_previous(cm_period period);
cm_period cm_period_of(cm_instant at);

int32_t cm_day_of(cm_instant at);                                   /* floor, also before 1970 */
char *cm_day_print(int32_t day, char into[static CM_INSTANT_TEXT]); /* "2025-06-01" */
int32_t cm_day_from_civil(int year, int month, int day);

/* The clock of a program: the machine's, or the one that CURMILL_CLOCK (an RFC 3339 instant) sets for tests. */
typedef struct cm_clock {
    cm_instant (*now)(const struct cm_clock *clock);
    cm_instant fixed; /* for cm_clock_fixed */
} cm_clock;
extern const cm_clock cm_clock_system;
cm_clock cm_clock_fixed(cm_instant at);
cm_clock cm_clock_from_environment(void); /* CURMILL_CLOCK, else the system's */

int64_t cm_monotonic_milliseconds(void); /* for timeouts and durations only */

#endif
