/*
 * Exact decimals of the generator: one cell is a count of 10^-10, a sum is 128 bits wide. No binary floating point.
 * Deliberately shares nothing with common/base/decimal, which the generated files test.
 */
#ifndef GENERATE_NUMBERS_H
#define GENERATE_NUMBERS_H

#include <stddef.h>
#include <stdint.h>

typedef int64_t dec10; /* value x 10^10; up to about 922 million */
typedef __int128 sum10;

#define DEC10_ONE ((dec10)10000000000LL)

/* Product, rounded half away from zero at 10^-10, then cut to what a double prints (dec10_clamp). */
dec10 dec10_mul(dec10 a, dec10 b);

/* a x num / den, same rounding. */
dec10 dec10_scale(dec10 a, int64_t num, int64_t den);

/* Rounds to 15 significant digits: every such decimal survives a binary double, as AWS's numbers do. */
dec10 dec10_clamp(dec10 v);

/* Java's Double.toString: 0.0, 12.5, 4.0E-7, 1.23456789E7. Writes no NUL; `out` holds 32 bytes. Returns the length. */
size_t dec10_java(dec10 v, char *out);

/* Ten fixed decimals, as CUR 2.0 prints rates: 0.0000004000. */
size_t dec10_fixed(dec10 v, char *out);

/* Plain decimal without exponent or trailing zeros, NUL-terminated; `out` holds 64 bytes. */
size_t sum10_plain(sum10 v, char *out);

#endif
