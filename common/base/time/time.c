#include "base/time/time.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* Days between 0000-03-01 and 1970-01-01, in the proleptic Gregorian calendar. */
enum { DAYS_TO_EPOCH = 719468, DAYS_PER_ERA = 146097 };

int32_t cm_day_from_civil(int year, int month, int day)
{
    /* The year is taken to begin in March, so that the leap day is its last; an era is 400 years. */
    int y = month <= 2 ? year - 1 : year;
    int era = (y >= 0 ? y : y - 399) / 400;
    int year_of_era = y - era * 400;
    int day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return (int32_t)(era * DAYS_PER_ERA + day_of_era - DAYS_TO_EPOCH);
}

static void civil_from_day(int64_t day, int *year, int *month, int *day_of_month)
{
    int64_t z = day + DAYS_TO_EPOCH;
    int64_t era = (z >= 0 ? z : z - (DAYS_PER_ERA - 1)) / DAYS_PER_ERA;
    int64_t day_of_era = z - era * DAYS_PER_ERA;
    int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t shifted_month = (5 * day_of_year + 2) / 153;
    *day_of_month = (int)(day_of_year - (153 * shifted_month + 2) / 5 + 1);
    *month = (int)(shifted_month < 10 ? shifted_month + 3 : shifted_month - 9);
    *year = (int)(year_of_era + era * 400 + (*month <= 2));
}

static int days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && leap ? 29 : days[month - 1];
}

/* Exactly `count` digits at text[*at]. */
static bool digits(cm_slice text, size_t *at, int count, int *ret)
{
    int value = 0;
    if (text.length - *at < (size_t)count)
        return false;
    for (int i = 0; i < count; i++) {
        char c = text.text[*at + (size_t)i];
        if (c < '0' || c > '9')
            return false;
        value = value * 10 + (c - '0');
    }
    *at += (size_t)count;
    *ret = value;
    return true;
}

static bool literal(cm_slice text, size_t *at, char c)
{
    if (*at >= text.length || text.text[*at] != c)
        return false;
    (*at)++;
    return true;
}

static bool parse_date(cm_slice text, size_t *at, int32_t *ret)
{
    int year, month, day;
    if (!digits(text, at, 4, &year) || !literal(text, at, '-') || !digits(text, at, 2, &month) ||
        !literal(text, at, '-') || !digits(text, at, 2, &day))
        return false;
    if (month < 1 || month > 12 || day < 1 || day > days_in_month(year, month))
        return false;
    *ret = cm_day_from_civil(year, month, day);
    return true;
}

/* ".123": at least one digit; digits beyond a microsecond are cut off. */
static bool parse_fraction(cm_slice text, size_t *at, int *ret)
{
    int micros = 0, scale = 100000;
    size_t start = *at;
    for (; *at < text.length && text.text[*at] >= '0' && text.text[*at] <= '9'; (*at)++) {
        micros += (text.text[*at] - '0') * scale;
        scale /= 10;
    }
    *ret = micros;
    return *at > start;
}

/* Nothing, Z, or a zero offset. */
static bool parse_zone(cm_slice text, size_t *at)
{
    if (*at == text.length || literal(text, at, 'Z') || literal(text, at, 'z'))
        return *at == text.length;
    int hours, minutes = 0;
    if (!literal(text, at, '+') && !literal(text, at, '-'))
        return false;
    if (!digits(text, at, 2, &hours))
        return false;
    if (*at < text.length && (!literal(text, at, ':') || !digits(text, at, 2, &minutes)))
        return false;
    return *at == text.length && hours == 0 && minutes == 0;
}

bool cm_instant_parse(cm_slice text, cm_instant *ret)
{
    size_t at = 0;
    int32_t day;
    int hour = 0, minute = 0, second = 0, micros = 0;
    if (!parse_date(text, &at, &day))
        return false;
    if (at < text.length) {
        if (!literal(text, &at, 'T') && !literal(text, &at, ' ') && !literal(text, &at, 't'))
            return false;
        if (!digits(text, &at, 2, &hour) || !literal(text, &at, ':') || !digits(text, &at, 2, &minute) ||
            !literal(text, &at, ':') || !digits(text, &at, 2, &second))
            return false;
        if (hour > 23 || minute > 59 || second > 59)
            return false;
        if (literal(text, &at, '.') && !parse_fraction(text, &at, &micros))
            return false;
        if (!parse_zone(text, &at))
            return false;
    }
    *ret = day * CM_DAY + (hour * 3600 + minute * 60 + second) * CM_SECOND + micros;
    return true;
}

int32_t cm_day_of(cm_instant at)
{
    cm_instant day = at / CM_DAY;
    return (int32_t)(at % CM_DAY < 0 ? day - 1 : day);
}

char *cm_day_print(int32_t day, char into[static CM_INSTANT_TEXT])
{
    int year, month, day_of_month;
    civil_from_day(day, &year, &month, &day_of_month);
    snprintf(into, CM_INSTANT_TEXT, "%04d-%02d-%02d", year, month, day_of_month);
    return into;
}

char *cm_instant_print(cm_instant at, char into[static CM_INSTANT_TEXT])
{
    int32_t day = cm_day_of(at);
    cm_instant rest = at - day * CM_DAY;
    int seconds = (int)(rest / CM_SECOND);
    int micros = (int)(rest % CM_SECOND);
    int year, month, day_of_month;
    civil_from_day(day, &year, &month, &day_of_month);
    int length = snprintf(into, CM_INSTANT_TEXT, "%04d-%02d-%02dT%02d:%02d:%02d", year, month, day_of_month,
                          seconds / 3600, seconds / 60 % 60, seconds % 60);
    if (micros) {
        length += snprintf(into + length, (size_t)(CM_INSTANT_TEXT - length), ".%06d", micros);
        while (into[length - 1] == '0')
            length--;
    }
    into[length] = 'Z';
    into[length + 1] = 0;
    return into;
}

bool cm_period_parse(cm_slice text, cm_period *ret)
{
    size_t at = 0;
    cm_period period;
    if (!digits(text, &at, 4, &period.year) || !literal(text, &at, '-') || !digits(text, &at, 2, &period.month))
        return false;
    if (at != text.length || period.month < 1 || period.month > 12 || period.year < 1)
        return false;
    *ret = period;
    return true;
}

char *cm_period_print(cm_period period, char into[static CM_PERIOD_TEXT])
{
    snprintf(into, CM_PERIOD_TEXT, "%04d-%02d", period.year, period.month);
    return into;
}

cm_instant cm_period_start(cm_period period)
{
    return cm_day_from_civil(period.year, period.month, 1) * CM_DAY;
}

cm_period cm_period_next(cm_period period)
{
    if (period.month == 12)
        return (cm_period){period.year + 1, 1};
    return (cm_period){period.year, period.month + 1};
}

cm_period cm_period_previous(cm_period period)
{
    if (period.month == 1)
        return (cm_period){period.year - 1, 12};
    return (cm_period){period.year, period.month - 1};
}

cm_instant cm_period_end(cm_period period)
{
    return cm_period_start(cm_period_next(period));
}

cm_period cm_period_of(cm_instant at)
{
    int day_of_month;
    cm_period period;
    civil_from_day(cm_day_of(at), &period.year, &period.month, &day_of_month);
    return period;
}

static cm_instant system_now(const cm_clock *clock)
{
    (void)clock;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * CM_SECOND + now.tv_nsec / 1000;
}

static cm_instant fixed_now(const cm_clock *clock)
{
    return clock->fixed;
}

const cm_clock cm_clock_system = {.now = system_now};

cm_clock cm_clock_fixed(cm_instant at)
{
    return (cm_clock){.now = fixed_now, .fixed = at};
}

cm_clock cm_clock_from_environment(void)
{
    const char *text = getenv("CURMILL_CLOCK");
    cm_instant at;
    if (!text || !*text)
        return cm_clock_system;
    if (!cm_instant_parse(cm_slice_of(text), &at)) {
        fprintf(stderr, "CURMILL_CLOCK is \"%s\", which is not a time in UTC such as 2025-07-05T08:00:00Z\n", text);
        exit(1);
    }
    return cm_clock_fixed(at);
}

int64_t cm_monotonic_milliseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}
