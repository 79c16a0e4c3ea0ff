#include "wide.h"

#define TEN_19 ((cm_u128)UINT64_C(10000000000000000000))

const cm_u128 cm_power_of_ten[39] = {
    UINT64_C(1),
    UINT64_C(10),
    UINT64_C(100),
    UINT64_C(1000),
    UINT64_C(10000),
    UINT64_C(100000),
    UINT64_C(1000000),
    UINT64_C(10000000),
    UINT64_C(100000000),
    UINT64_C(1000000000),
    UINT64_C(10000000000),
    UINT64_C(100000000000),
    UINT64_C(1000000000000),
    UINT64_C(10000000000000),
    UINT64_C(100000000000000),
    UINT64_C(1000000000000000),
    UINT64_C(10000000000000000),
    UINT64_C(100000000000000000),
    CM_TEN_18,
    TEN_19,
    TEN_19 * 10,
    TEN_19 * 100,
    TEN_19 * 1000,
    TEN_19 * 10000,
    TEN_19 * 100000,
    TEN_19 * 1000000,
    TEN_19 * 10000000,
    TEN_19 * 100000000,
    TEN_19 * 1000000000,
    TEN_19 *UINT64_C(10000000000),
    TEN_19 *UINT64_C(100000000000),
    TEN_19 *UINT64_C(1000000000000),
    TEN_19 *UINT64_C(10000000000000),
    TEN_19 *UINT64_C(100000000000000),
    TEN_19 *UINT64_C(1000000000000000),
    TEN_19 *UINT64_C(10000000000000000),
    TEN_19 *UINT64_C(100000000000000000),
    TEN_19 *CM_TEN_18,
    TEN_19 *TEN_19,
};

cm_wide cm_wide_multiply(cm_u128 a, cm_u128 b)
{
    uint64_t a0 = (uint64_t)a, a1 = (uint64_t)(a >> 64);
    uint64_t b0 = (uint64_t)b, b1 = (uint64_t)(b >> 64);
    cm_u128 low = (cm_u128)a0 * b0;
    cm_u128 cross1 = (cm_u128)a1 * b0 + (uint64_t)(low >> 64); /* cannot overflow: (2^64-1)^2 + 2^64-1 < 2^128 */
    cm_u128 cross2 = (cm_u128)a0 * b1 + (uint64_t)cross1;
    return (cm_wide){
        .high = (cm_u128)a1 * b1 + (cross1 >> 64) + (cross2 >> 64),
        .low = cross2 << 64 | (uint64_t)low,
    };
}

/* One digit (base 2^64) of Knuth's algorithm D: *rest:next / divisor, with the top bit of divisor set and *rest <
 * divisor. */
static uint64_t divide_step(cm_u128 *rest, uint64_t next, cm_u128 divisor)
{
    uint64_t divisor1 = (uint64_t)(divisor >> 64), divisor0 = (uint64_t)divisor;
    uint64_t rest1 = (uint64_t)(*rest >> 64), rest0 = (uint64_t)*rest;
    uint64_t guess, over;
    bool over_fits = true; /* `over`, the rest of the guess, below 2^64 */
    if (rest1 >= divisor1) {
        guess = UINT64_MAX;
        over = rest0 + divisor1; /* rest1 == divisor1 here, so rest1:rest0 - guess*divisor1 = rest0 + divisor1 */
        over_fits = over >= divisor1;
    } else {
        guess = cm_divide_128_64(rest1, rest0, divisor1, &over);
    }
    /* The guess is at most 2 too large. */
    while (over_fits && (cm_u128)guess * divisor0 > ((cm_u128)over << 64 | next)) {
        guess--;
        over += divisor1;
        over_fits = over >= divisor1;
    }
    *rest = ((cm_u128)rest0 << 64 | next) - (cm_u128)guess * divisor; /* modulo 2^128: the true rest is below divisor */
    return guess;
}

bool cm_wide_divide(cm_wide numerator, cm_u128 divisor, cm_u128 *quotient, cm_u128 *remainder)
{
    if (numerator.high >= divisor)
        return false;
    if (divisor >> 64 == 0) {
        uint64_t small = (uint64_t)divisor, rest = (uint64_t)numerator.high;
        uint64_t high = cm_divide_128_64(rest, (uint64_t)(numerator.low >> 64), small, &rest);
        uint64_t low = cm_divide_128_64(rest, (uint64_t)numerator.low, small, &rest);
        *quotient = (cm_u128)high << 64 | low;
        *remainder = rest;
        return true;
    }
    int shift = __builtin_clzll((uint64_t)(divisor >> 64));
    cm_u128 rest = numerator.high;
    if (shift)
        rest = rest << shift | numerator.low >> (128 - shift);
    cm_u128 low_part = numerator.low << shift;
    uint64_t high = divide_step(&rest, (uint64_t)(low_part >> 64), divisor << shift);
    uint64_t low = divide_step(&rest, (uint64_t)low_part, divisor << shift);
    *quotient = (cm_u128)high << 64 | low;
    *remainder = rest >> shift;
    return true;
}
