#include "oracle.h"

#include <stdlib.h>
#include <string.h>

void oracle_set_u128(mpz_t into, cm_u128 value)
{
    uint64_t words[2] = {(uint64_t)value, (uint64_t)(value >> 64)};
    mpz_import(into, 2, -1, sizeof words[0], 0, 0, words);
}

void oracle_set(mpz_t into, cm_i128 value)
{
    oracle_set_u128(into, value < 0 ? (cm_u128)0 - (cm_u128)value : (cm_u128)value);
    if (value < 0)
        mpz_neg(into, into);
}

void oracle_power_of_ten(mpz_t into, unsigned long exponent)
{
    mpz_ui_pow_ui(into, 10, exponent);
}

bool oracle_round(mpz_t into, const mpz_t numerator, const mpz_t denominator, enum rounding rounding)
{
    static mpz_t rest;
    if (!rest->_mp_d)
        mpz_init(rest);
    if (rounding == FLOOR) {
        mpz_fdiv_qr(into, rest, numerator, denominator);
        return mpz_sgn(rest) == 0;
    }
    int sign = mpz_sgn(numerator);
    mpz_tdiv_qr(into, rest, numerator, denominator); /* towards zero; the rest has the sign of the numerator */
    bool exact = mpz_sgn(rest) == 0;
    mpz_mul_2exp(rest, rest, 1);
    int half = mpz_cmpabs(rest, denominator);
    if (half > 0 || (half == 0 && (rounding == HALF_AWAY || mpz_odd_p(into)))) {
        if (sign < 0)
            mpz_sub_ui(into, into, 1);
        else
            mpz_add_ui(into, into, 1);
    }
    return exact;
}

bool oracle_fits(const mpz_t value, cm_i128 *ret)
{
    static mpz_t low, high;
    if (!low->_mp_d) {
        mpz_init_set_ui(high, 1);
        mpz_mul_2exp(high, high, 127);
        mpz_init(low);
        mpz_neg(low, high);
    }
    if (mpz_cmp(value, low) < 0 || mpz_cmp(value, high) >= 0)
        return false;
    uint64_t words[2] = {0, 0};
    mpz_export(words, NULL, -1, sizeof words[0], 0, 0, value);
    cm_u128 magnitude = (cm_u128)words[1] << 64 | words[0];
    *ret = (cm_i128)(mpz_sgn(value) < 0 ? (cm_u128)0 - magnitude : magnitude);
    return true;
}

static uint64_t state;

uint64_t oracle_seed(void)
{
    const char *text = getenv("CURMILL_SEED");
    return text && *text ? strtoull(text, NULL, 10) : 20250701;
}

void oracle_random_seed(uint64_t seed)
{
    state = seed;
}

uint64_t oracle_random(void)
{
    uint64_t z = state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

uint64_t oracle_below(uint64_t limit)
{
    return (uint64_t)(((cm_u128)oracle_random() * limit) >> 64);
}

cm_u128 oracle_random_bits(unsigned bits)
{
    cm_u128 value = (cm_u128)oracle_random() << 64 | oracle_random();
    return bits == 0 ? 0 : value >> (128 - bits);
}

static cm_i128 power_of_ten(unsigned exponent)
{
    cm_i128 power = 1;
    while (exponent--)
        power *= 10;
    return power;
}

cm_i128 oracle_random_value(void)
{
    cm_i128 nudge = (cm_i128)oracle_below(5) - 2;
    cm_u128 magnitude;
    switch (oracle_below(10)) {
    case 0: /* a power of ten or next to one */
        magnitude = (cm_u128)(power_of_ten((unsigned)oracle_below(39)) + nudge);
        break;
    case 1: /* an odd multiple of 5 * 10^n: halves of rounding steps, and of products of two such */
    case 2:
        magnitude = (cm_u128)(power_of_ten((unsigned)oracle_below(19)) * 5) * (oracle_below(1000000) * 2 + 1);
        break;
    case 3: /* bounds of 64 and 128 bits */
        magnitude = ((cm_u128)1 << (oracle_below(2) ? 127 : 64)) + (cm_u128)nudge;
        break;
    case 4: /* all kinds of powers of two */
        magnitude = ((cm_u128)1 << oracle_below(127)) + (cm_u128)nudge;
        break;
    case 5: /* an everyday amount: up to 6 digits before the point and 10 after it */
        magnitude = (cm_u128)oracle_below(UINT64_C(10000000000000000)) * 100000000;
        break;
    case 6:
        return nudge;
    default:
        magnitude = oracle_random_bits((unsigned)oracle_below(128));
    }
    return (cm_i128)(oracle_random() & 1 ? (cm_u128)0 - magnitude : magnitude);
}

const char *oracle_text(cm_i128 value)
{
    static char texts[4][48];
    static unsigned next;
    mpz_t number;
    mpz_init(number);
    oracle_set(number, value);
    char *text = texts[next++ % 4];
    mpz_get_str(text, 10, number);
    mpz_clear(number);
    return text;
}
