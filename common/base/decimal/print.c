#include "base/decimal/decimal.h"

#include "wide.h"

#include <string.h>

/* Writes `value` backwards, its last digit just before `end`; returns where it begins. */
static char *digits_before(char *end, uint64_t value)
{
    do {
        *--end = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    return end;
}

/* The part before the point, up to 21 digits. */
static char *integer_before(char *end, cm_u128 whole)
{
    if (whole < CM_TEN_18)
        return digits_before(end, (uint64_t)whole);
    char *begin = digits_before(end, (uint64_t)(whole % CM_TEN_18));
    while (end - begin < CM_DECIMAL_SCALE)
        *--begin = '0';
    return digits_before(begin, (uint64_t)(whole / CM_TEN_18));
}

/* With `places` decimals; the digits after them are zeros. */
static int print(cm_decimal value, int places, uint64_t fraction, cm_u128 whole, char *into)
{
    char text[CM_DECIMAL_TEXT];
    char *end = text + sizeof text, *begin = end;
    if (places) {
        begin = digits_before(end, fraction);
        while (end - begin < places)
            *--begin = '0';
        *--begin = '.';
    }
    begin = integer_before(begin, whole);
    if (value.units < 0)
        *--begin = '-';
    size_t length = (size_t)(end - begin);
    memcpy(into, begin, length);
    into[length] = 0;
    return (int)length;
}

int cm_decimal_print(cm_decimal value, char into[static CM_DECIMAL_TEXT])
{
    cm_u128 magnitude = cm_magnitude(value.units);
    cm_u128 whole = magnitude / CM_TEN_18;
    uint64_t fraction = (uint64_t)(magnitude - whole * CM_TEN_18);
    int places = fraction ? CM_DECIMAL_SCALE : 0;
    for (; places && fraction % 10 == 0; places--)
        fraction /= 10;
    return print(value, places, fraction, whole, into);
}

int cm_decimal_print_fixed(cm_decimal value, int places, char into[static CM_DECIMAL_TEXT])
{
    cm_assert(places >= 0 && places <= CM_DECIMAL_SCALE);
    cm_u128 magnitude = cm_magnitude(value.units);
    cm_u128 whole = magnitude / CM_TEN_18;
    uint64_t fraction = (uint64_t)(magnitude - whole * CM_TEN_18);
    uint64_t step = (uint64_t)cm_power_of_ten[CM_DECIMAL_SCALE - places];
    cm_assert(fraction % step == 0);
    return print(value, places, fraction / step, whole, into);
}
