#include "base/decimal/decimal.h"

#include "wide.h"

/* Every run of this many digits fits 64 bits. */
enum { DIGITS_64 = 19 };

/* Far beyond what leading or trailing zeros of any text can compensate, and far from overflow in sums. */
#define EXPONENT_LIMIT INT64_C(1000000000000000)

/* A number read from text: +-(mantissa + dropped) * 10^exponent, where 0 <= dropped < 1. */
struct scanned {
    bool negative;
    cm_u128 mantissa;
    int64_t exponent;
    int first_dropped; /* first digit of `dropped` */
    bool more_dropped; /* whether a later one is not zero */
};

static inline bool is_digit(char c)
{
    return (unsigned char)(c - '0') <= 9;
}

/* What follows E: sign and digits up to the end of the text. */
static bool scan_exponent(const char *at, const char *end, int64_t *ret)
{
    bool negative = false;
    int64_t value = 0;
    if (at < end && (*at == '+' || *at == '-'))
        negative = *at++ == '-';
    if (at == end)
        return false;
    for (; at < end; at++) {
        if (!is_digit(*at))
            return false;
        if (value < EXPONENT_LIMIT)
            value = value * 10 + (*at - '0');
        if (value > EXPONENT_LIMIT)
            value = EXPONENT_LIMIT;
    }
    *ret = negative ? -value : value;
    return true;
}

/* Text of any length. Takes digits as long as they fit 128 bits, then only their effect on rounding. */
static bool scan_long(const char *at, const char *end, struct scanned *ret)
{
    const cm_u128 room = (~(cm_u128)0 - 9) / 10;
    struct scanned s = {0};
    int64_t decimals = 0, dropped = 0, exponent = 0;
    bool any = false, after_point = false;
    if (at < end && (*at == '+' || *at == '-'))
        s.negative = *at++ == '-';
    for (; at < end; at++) {
        if (*at == '.' && !after_point) {
            after_point = true;
            continue;
        }
        if (!is_digit(*at))
            break;
        any = true;
        decimals += after_point;
        unsigned digit = (unsigned)(*at - '0');
        if (s.mantissa <= room) {
            s.mantissa = s.mantissa * 10 + digit;
            continue;
        }
        if (dropped++ == 0)
            s.first_dropped = (int)digit;
        else
            s.more_dropped |= digit != 0;
    }
    if (!any)
        return false;
    if (at < end && ((*at != 'e' && *at != 'E') || !scan_exponent(at + 1, end, &exponent)))
        return false;
    s.exponent = exponent - decimals + dropped;
    *ret = s;
    return true;
}

/* Converts the result of scan_long to the precision of 10^-18. */
static enum cm_decimal_parse_result round_scanned(const struct scanned *s, cm_decimal *ret)
{
    int64_t shift = s->exponent + CM_DECIMAL_SCALE;
    cm_u128 magnitude = s->mantissa;
    bool dropped = s->first_dropped || s->more_dropped;
    bool up = false, inexact = dropped;
    if (magnitude == 0)
        return CM_DECIMAL_EXACT; /* *ret is zero already; "0E-10", "0E+400" */
    if (shift > 0) {
        /* Digits were dropped only after a mantissa of 3.4e37 or more, so they do not matter here: it overflows. */
        if (shift > 38 || __builtin_mul_overflow(magnitude, cm_power_of_ten[shift], &magnitude))
            return CM_DECIMAL_OVERFLOW;
    } else if (shift == 0) {
        up = s->first_dropped > 5 || (s->first_dropped == 5 && (s->more_dropped || (magnitude & 1)));
    } else if (shift >= -38) {
        cm_u128 divisor = cm_power_of_ten[-shift];
        cm_u128 remainder = magnitude % divisor;
        magnitude /= divisor;
        inexact = dropped || remainder;
        up = cm_rounds_half_even(magnitude, remainder, divisor) || (dropped && remainder == divisor / 2);
    } else {
        magnitude = 0; /* the mantissa is below 3.5e38, so this is less than half of 10^-18 */
        inexact = true;
    }
    if (!cm_from_magnitude(s->negative, magnitude + up, ret))
        return CM_DECIMAL_OVERFLOW;
    return inexact ? CM_DECIMAL_ROUNDED : CM_DECIMAL_EXACT;
}

static enum cm_decimal_parse_result parse_long(const char *at, const char *end, cm_decimal *ret)
{
    struct scanned scanned;
    if (!scan_long(at, end, &scanned))
        return CM_DECIMAL_NOT_A_NUMBER;
    return round_scanned(&scanned, ret);
}

enum cm_decimal_parse_result cm_decimal_parse(cm_slice text, cm_decimal *ret)
{
    *ret = CM_DECIMAL_ZERO;
    if (text.length == 0)
        return CM_DECIMAL_EMPTY;
    const char *at = text.text, *end = at + text.length;
    /* Nearly every number of a report is short: 64 bits hold its digits, and no rounding is needed. */
    if (text.length > DIGITS_64)
        return parse_long(at, end, ret);
    bool negative = *at == '-';
    if (negative || *at == '+')
        at++;
    uint64_t mantissa = 0;
    const char *first = at;
    for (; at < end && is_digit(*at); at++)
        mantissa = mantissa * 10 + (uint64_t)(*at - '0');
    int64_t digits = at - first, shift = CM_DECIMAL_SCALE;
    if (at < end && *at == '.') {
        first = ++at;
        for (; at < end && is_digit(*at); at++)
            mantissa = mantissa * 10 + (uint64_t)(*at - '0');
        digits += at - first;
        shift -= at - first;
    }
    if (digits == 0)
        return CM_DECIMAL_NOT_A_NUMBER;
    if (at < end) {
        int64_t exponent;
        if ((*at != 'e' && *at != 'E') || !scan_exponent(at + 1, end, &exponent))
            return CM_DECIMAL_NOT_A_NUMBER;
        shift += exponent;
    }
    if (shift < 0 || shift > CM_DECIMAL_SCALE)
        return parse_long(text.text, end, ret);
    /* Below 10^19 * 10^18. */
    cm_i128 units = (cm_i128)((cm_u128)mantissa * (uint64_t)cm_power_of_ten[shift]);
    ret->units = negative ? -units : units;
    return CM_DECIMAL_EXACT;
}

bool cm_decimal_parse_strict(cm_slice text, cm_decimal *ret)
{
    cm_decimal value;
    if (cm_decimal_parse(text, &value) != CM_DECIMAL_EXACT)
        return false;
    *ret = value;
    return true;
}
