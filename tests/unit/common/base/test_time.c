/* UTC only (formats.md section 1), half-open periods. */
#include "base/time/time.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static cm_instant at(const char *text)
{
    cm_instant instant;
    cr_assert(cm_instant_parse(cm_slice_of(text), &instant), "\"%s\"", text);
    return instant;
}

Test(time, forms_of_an_instant)
{
    static const char *const same[] = {
        "2025-06-01T00:00:00Z",
        "2025-06-01T00:00:00.000Z",
        "2025-06-01T00:00:00+00:00",
        "2025-06-01 00:00:00",
        "2025-06-01 00:00:00+00",
        "2025-06-01T00:00:00-00:00",
        "2025-06-01",
        "2025-06-01t00:00:00z",
        "2025-06-01T00:00:00.0000009Z", /* finer than a microsecond: truncated */
    };
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++)
        cr_expect_eq(at(same[i]), INT64_C(1748736000) * CM_SECOND, "%s", same[i]);
    cr_expect_eq(at("1970-01-01T00:00:00.000001Z"), 1);
    cr_expect_eq(at("1970-01-01T00:00:00.5Z"), 500000);
    cr_expect_eq(at("1969-12-31T23:59:59.999999Z"), -1);
    cr_expect_eq(at("2024-02-29T23:59:59Z"), INT64_C(1709251199) * CM_SECOND);
    cr_expect_eq(at("2000-02-29"), INT64_C(951782400) * CM_SECOND);
}

Test(time, invalid_instants)
{
    static const char *const wrong[] = {
        "",
        "2025",
        "2025-06",
        "2025-6-01",
        "2025-00-01",
        "2025-13-01",
        "2025-06-00",
        "2025-06-31",
        "2025-02-29",
        "1900-02-29",
        "2025-06-01T",
        "2025-06-01T00:00",
        "2025-06-01T24:00:00Z",
        "2025-06-01T00:60:00Z",
        "2025-06-01T00:00:60Z",
        "2025-06-01T00:00:00.Z",
        "2025-06-01T00:00:00+02:00",
        "2025-06-01T00:00:00-01",
        "2025-06-01T00:00:00 Z",
        "2025-06-01T00:00:00Zx",
        "2025-06-01Z",
        "2025-06-01x00:00:00",
        " 2025-06-01",
        "2025/06/01",
        "+025-06-01",
    };
    cm_instant instant = 77;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        cr_expect_not(cm_instant_parse(cm_slice_of(wrong[i]), &instant), "\"%s\"", wrong[i]);
    cr_expect_not(cm_instant_parse((cm_slice){NULL, 0}, &instant));
    cr_assert_eq(instant, 77);
    cr_assert(cm_instant_parse((cm_slice){"2025-06-01T00:00:00Z", 10}, &instant), "only the slice is read");
}

Test(time, print)
{
    char text[CM_INSTANT_TEXT];
    cr_expect_str_eq(cm_instant_print(0, text), "1970-01-01T00:00:00Z");
    cr_expect_str_eq(cm_instant_print(-1, text), "1969-12-31T23:59:59.999999Z");
    cr_expect_str_eq(cm_instant_print(at("2025-06-30T23:59:59.12Z"), text), "2025-06-30T23:59:59.12Z");
    cr_expect_str_eq(cm_instant_print(at("2025-06-30T23:59:00Z"), text), "2025-06-30T23:59:00Z");
    cr_expect_str_eq(cm_day_print(cm_day_of(at("2024-02-29T23:59:59Z")), text), "2024-02-29");
    cr_expect_str_eq(cm_day_print(-1, text), "1969-12-31");
    cr_expect_eq(cm_day_of(-1), -1);
    cr_expect_eq(cm_day_of(CM_DAY - 1), 0);
}

/* Every day of 0001 to 9999 against the C library. */
Test(time, calendar_agrees_with_the_library)
{
    char text[CM_INSTANT_TEXT], expected[CM_INSTANT_TEXT];
    int32_t first = cm_day_from_civil(1, 1, 1), last = cm_day_from_civil(9999, 12, 31);
    cr_assert_eq(first, -719162);
    cr_assert_eq(last, 2932896);
    for (int32_t day = first; day <= last; day++) {
        time_t seconds = (time_t)day * 86400;
        struct tm fields;
        gmtime_r(&seconds, &fields);
        if (cm_day_from_civil(fields.tm_year + 1900, fields.tm_mon + 1, fields.tm_mday) != day)
            cr_assert(false, "day %d", day);
        if (day % 13 == 0) {
            snprintf(expected, sizeof expected, "%04u-%02u-%02u", (unsigned)(fields.tm_year + 1900) % 10000u,
                     (unsigned)(fields.tm_mon + 1) % 100u, (unsigned)fields.tm_mday % 100u);
            if (strcmp(cm_day_print(day, text), expected) != 0)
                cr_assert(false, "day %d: %s, expected %s", day, text, expected);
            if (at(text) != day * CM_DAY)
                cr_assert(false, "%s does not read back", text);
        }
    }
}

Test(time, periods)
{
    cm_period period;
    char text[CM_PERIOD_TEXT];
    cr_assert(cm_period_parse(cm_slice_of("2025-12"), &period));
    cr_assert(period.year == 2025 && period.month == 12);
    cr_assert_eq(cm_period_start(period), at("2025-12-01"));
    cr_assert_eq(cm_period_end(period), at("2026-01-01"));
    cr_assert_str_eq(cm_period_print(cm_period_next(period), text), "2026-01");
    cr_assert_str_eq(cm_period_print(cm_period_of(at("2025-06-30T23:59:59.999999Z")), text), "2025-06");
    cr_assert_str_eq(cm_period_print(cm_period_of(at("2025-07-01")), text), "2025-07");
    cr_assert_str_eq(cm_period_print(cm_period_of(-1), text), "1969-12");
    static const char *const wrong[] = {"", "2025", "2025-0", "2025-00", "2025-13", "2025-6", "2025-06-01", "0000-01"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        cr_expect_not(cm_period_parse(cm_slice_of(wrong[i]), &period), "\"%s\"", wrong[i]);
}

Test(time, clocks)
{
    cm_clock clock = cm_clock_fixed(42);
    cr_assert_eq(clock.now(&clock), 42);
    setenv("CURMILL_CLOCK", "2025-07-05T08:00:00Z", 1);
    clock = cm_clock_from_environment();
    cr_assert_eq(clock.now(&clock), at("2025-07-05T08:00:00Z"));
    unsetenv("CURMILL_CLOCK");
    clock = cm_clock_from_environment();
    cm_instant now = clock.now(&clock);
    cr_assert_geq(now, (cm_instant)(time(NULL) - 5) * CM_SECOND);
    cr_assert_leq(now, (cm_instant)(time(NULL) + 5) * CM_SECOND);
    int64_t before = cm_monotonic_milliseconds();
    nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    cr_assert_geq(cm_monotonic_milliseconds() - before, 19);
}

Test(time, wrong_clock_is_refused, .exit_code = 1)
{
    setenv("CURMILL_CLOCK", "yesterday", 1);
    cm_clock_from_environment();
}
