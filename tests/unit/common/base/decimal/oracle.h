/*
 * What a decimal function must return, calculated with GMP directly from the definition: an exact rational, one
 * rounding, one comparison with the range of 128 bits. Also the random operands. One thread.
 */
#ifndef ORACLE_H
#define ORACLE_H

#include "base/decimal/decimal.h"

#include <gmp.h>

#define I128_MAX ((cm_i128)(~(cm_u128)0 >> 1))
#define I128_MIN (-I128_MAX - 1)

enum rounding { HALF_EVEN, HALF_AWAY, FLOOR };

void oracle_set(mpz_t into, cm_i128 value);
void oracle_set_u128(mpz_t into, cm_u128 value);
void oracle_power_of_ten(mpz_t into, unsigned long exponent);
/* Rounds numerator / denominator (> 0) to an integer. Returns whether it already was one. */
bool oracle_round(mpz_t into, const mpz_t numerator, const mpz_t denominator, enum rounding rounding);
/* False: outside -2^127 .. 2^127 - 1. */
bool oracle_fits(const mpz_t value, cm_i128 *ret);

/* --- random numbers: splitmix64, the same on every machine ------------------------------------------------------- */

/* CURMILL_SEED, else a fixed number; the text of a failure names it. */
uint64_t oracle_seed(void);
void oracle_random_seed(uint64_t seed);
uint64_t oracle_random(void);
uint64_t oracle_below(uint64_t limit);
cm_u128 oracle_random_bits(unsigned bits); /* 0..128 random bits */
/* Of every size; often a power of ten, a tie, a bound of 64 or 128 bits, or a neighbour of one. */
cm_i128 oracle_random_value(void);

/* Decimal text of a raw 128-bit integer, in one of four rotating buffers. */
const char *oracle_text(cm_i128 value);

#endif
