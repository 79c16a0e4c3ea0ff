/*
 * Amounts and quantities: fixed-point, a signed 128-bit count of 10^-18 (rating.md section 1).
 *
 * Range: about +-1.7e20. Every function that could leave it returns false then; nothing wraps, nothing is approximate.
 * Addition is exact. Products and quotients go through 256 bits and are rounded ONCE, with the mode in the name. No
 * binary floating point here or anywhere near an amount. Amounts of different currencies are never added: that is the
 * caller's duty, a decimal does not know its currency. All functions are pure and thread safe.
 */
#ifndef CM_DECIMAL_DECIMAL_H
#define CM_DECIMAL_DECIMAL_H

#include "base/base/error.h"
#include "base/base/slice.h"

#include <stdint.h>

typedef __int128 cm_i128;
typedef unsigned __int128 cm_u128;

/* A struct, so that a raw integer is never mistaken for an amount. */
typedef struct cm_decimal {
    cm_i128 units; /* of 10^-18 */
} cm_decimal;

enum {
    CM_DECIMAL_SCALE = 18,
    CM_DECIMAL_TEXT = 48, /* sign, 21 digits, point, 18 digits, NUL and some spare room */
};

#define CM_DECIMAL_ONE_UNITS ((cm_i128)1000000000000000000)
#define CM_DECIMAL_ZERO      ((cm_decimal){0})

enum cm_decimal_parse_result {
    CM_DECIMAL_EXACT = 0,
    CM_DECIMAL_ROUNDED, /* had more than 18 decimals: rounded half-even, count it */
    CM_DECIMAL_EMPTY,   /* no characters at all: *ret is zero */
    CM_DECIMAL_NOT_A_NUMBER,
    CM_DECIMAL_OVERFLOW, /* a number, but it does not fit */
};

/*
 * Plain and exponent forms: "12", "-0.0", "+1.5", ".5", "5.", "4.0E-7", "1.23456789e7", "0E-10" (Java's
 * Double.toString and BigDecimal.toString, formats.md section 1). No spaces, no separators, no "NaN".
 */
enum cm_decimal_parse_result cm_decimal_parse(cm_slice text, cm_decimal *ret);
/* For catalogs and arguments: more than 18 decimals or empty are errors too. */
CM_NODISCARD bool cm_decimal_parse_strict(cm_slice text, cm_decimal *ret);

/* Plain notation without exponent and without trailing zeros: "12.5", "0", "-0.1". Returns the length. */
int cm_decimal_print(cm_decimal value, char into[static CM_DECIMAL_TEXT]);
/* With exactly `places` (0..18) decimals; the value must be a multiple of 10^-places (checked by assertion). */
int cm_decimal_print_fixed(cm_decimal value, int places, char into[static CM_DECIMAL_TEXT]);

cm_decimal cm_decimal_from_i64(int64_t whole); /* always fits */

CM_NODISCARD bool cm_decimal_add(cm_decimal a, cm_decimal b, cm_decimal *ret);      /* false: overflow */
CM_NODISCARD bool cm_decimal_subtract(cm_decimal a, cm_decimal b, cm_decimal *ret); /* false: overflow */
CM_NODISCARD bool cm_decimal_negate(cm_decimal a, cm_decimal *ret);
/* *sum += a */
CM_NODISCARD bool cm_decimal_accumulate(cm_decimal *sum, cm_decimal a);

/* a * b, rounded half-even at 10^-18. */
CM_NODISCARD bool cm_decimal_multiply_half_even(cm_decimal a, cm_decimal b, cm_decimal *ret);
/* a / b, rounded half-even at 10^-18; false also for b = 0. */
CM_NODISCARD bool cm_decimal_divide_half_even(cm_decimal a, cm_decimal b, cm_decimal *ret);
/* a * b / c, rounded half-even at 10^-18 once: fits where the result does. False also for c = 0. */
CM_NODISCARD bool cm_decimal_multiply_divide_half_even(cm_decimal a, cm_decimal b, cm_decimal c, cm_decimal *ret);
/* a * percent / 100, rounded half-even once. */
CM_NODISCARD bool cm_decimal_percent_half_even(cm_decimal a, cm_decimal percent, cm_decimal *ret);
/* a * (100 + percent) / 100, rounded half-even once (price rule `percent`). */
CM_NODISCARD bool cm_decimal_add_percent_half_even(cm_decimal a, cm_decimal percent, cm_decimal *ret);

/* To a multiple of 10^-places (0..18), half away from zero (documents, statements.md section 3). */
CM_NODISCARD bool cm_decimal_round_half_away(cm_decimal a, int places, cm_decimal *ret);
/* a * percent / 100, rounded ONCE to a multiple of 10^-places, half away from zero (tax lines). */
CM_NODISCARD bool cm_decimal_percent_round_half_away(cm_decimal a, cm_decimal percent, int places, cm_decimal *ret);
/* Largest multiple of 10^-places that is <= a. */
CM_NODISCARD bool cm_decimal_floor(cm_decimal a, int places, cm_decimal *ret);

static inline int cm_decimal_compare(cm_decimal a, cm_decimal b)
{
    return a.units < b.units ? -1 : a.units > b.units;
}

static inline bool cm_decimal_is_zero(cm_decimal a)
{
    return a.units == 0;
}

static inline bool cm_decimal_equal(cm_decimal a, cm_decimal b)
{
    return a.units == b.units;
}

#endif
