/*
 * Unsigned 256-bit products and their quotients, for the decimal functions only (not a public header).
 * A decimal is handled as sign and magnitude here: the magnitude of every cm_i128, also the smallest, fits a cm_u128.
 */
#ifndef CM_DECIMAL_WIDE_H
#define CM_DECIMAL_WIDE_H

#include "base/decimal/decimal.h"

typedef struct cm_wide {
    cm_u128 high, low;
} cm_wide;

cm_wide cm_wide_multiply(cm_u128 a, cm_u128 b);

/* numerator = *quotient * divisor + *remainder. False if the quotient does not fit 128 bits, or divisor is 0. */
bool cm_wide_divide(cm_wide numerator, cm_u128 divisor, cm_u128 *quotient, cm_u128 *remainder);

/* 10^0 .. 10^38 */
extern const cm_u128 cm_power_of_ten[39];
#define CM_TEN_18 UINT64_C(1000000000000000000)

static inline cm_u128 cm_magnitude(cm_i128 value)
{
    return value < 0 ? (cm_u128)0 - (cm_u128)value : (cm_u128)value;
}

/* False if it does not fit; the smallest value, -2^127, does. */
static inline bool cm_from_magnitude(bool negative, cm_u128 magnitude, cm_decimal *ret)
{
    const cm_u128 limit = (cm_u128)1 << 127;
    if (magnitude >= limit && !(negative && magnitude == limit))
        return false;
    ret->units = (cm_i128)(negative ? (cm_u128)0 - magnitude : magnitude);
    return true;
}

/* Whether quotient + remainder/divisor (0 <= remainder < divisor) is rounded up to the next magnitude. */
static inline bool cm_rounds_half_even(cm_u128 quotient, cm_u128 remainder, cm_u128 divisor)
{
    cm_u128 rest = divisor - remainder;
    return remainder > rest || (remainder == rest && (quotient & 1));
}

static inline bool cm_rounds_half_away(cm_u128 remainder, cm_u128 divisor)
{
    return remainder >= divisor - remainder;
}

/* high:low / divisor with high < divisor: the quotient fits 64 bits. */
static inline uint64_t cm_divide_128_64(uint64_t high, uint64_t low, uint64_t divisor, uint64_t *remainder)
{
#if defined(__x86_64__)
    /* The compiler calls a function for this, although it is one instruction. */
    uint64_t quotient;
    __asm__("divq %[divisor]" : "=a"(quotient), "=d"(*remainder) : [divisor] "r"(divisor), "a"(low), "d"(high) : "cc");
    return quotient;
#else
    cm_u128 numerator = (cm_u128)high << 64 | low;
    *remainder = (uint64_t)(numerator % divisor);
    return (uint64_t)(numerator / divisor);
#endif
}

#endif
