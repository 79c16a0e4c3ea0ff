#include "base/decimal/wide.h"
#include "oracle.h"

#include <criterion/criterion.h>

static cm_u128 random_u128(void)
{
    /* Words of all ones and of zeros are where the guesses of Knuth's algorithm D are wrong. */
    static const uint64_t words[] = {0, 1, UINT64_MAX, UINT64_MAX - 1, UINT64_C(1) << 63, (UINT64_C(1) << 63) - 1};
    if (oracle_below(3) == 0)
        return oracle_random_bits((unsigned)oracle_below(129));
    uint64_t high = oracle_below(3) ? words[oracle_below(6)] : oracle_random();
    uint64_t low = oracle_below(3) ? words[oracle_below(6)] : oracle_random();
    return (cm_u128)high << 64 | low;
}

Test(wide, multiply_and_divide_agree_with_gmp)
{
    mpz_t a, b, product, part, numerator, quotient, remainder;
    mpz_inits(a, b, product, part, numerator, quotient, remainder, NULL);
    oracle_random_seed(oracle_seed());
    for (int i = 0; i < 1000000; i++) {
        cm_u128 left = random_u128(), right = random_u128(), divisor = random_u128();
        oracle_set_u128(a, left);
        oracle_set_u128(b, right);
        mpz_mul(product, a, b);
        cm_wide wide = cm_wide_multiply(left, right);
        oracle_set_u128(numerator, wide.high);
        mpz_mul_2exp(numerator, numerator, 128);
        oracle_set_u128(part, wide.low);
        mpz_add(numerator, numerator, part);
        if (mpz_cmp(numerator, product) != 0)
            cr_assert(false, "seed %lu, case %d: product", oracle_seed(), i);

        /* Half of the numerators are not products but at or just below the largest that can be divided. */
        if (i & 1 && divisor)
            wide = (cm_wide){divisor - 1, random_u128()};
        oracle_set_u128(numerator, wide.high);
        mpz_mul_2exp(numerator, numerator, 128);
        oracle_set_u128(part, wide.low);
        mpz_add(numerator, numerator, part);
        cm_u128 q = 0, r = 0;
        bool good = cm_wide_divide(wide, divisor, &q, &r);
        bool expected = wide.high < divisor;
        if (good != expected)
            cr_assert(false, "seed %lu, case %d: divisible %d", oracle_seed(), i, good);
        if (!good)
            continue;
        oracle_set_u128(b, divisor);
        mpz_tdiv_qr(quotient, remainder, numerator, b);
        oracle_set_u128(a, q);
        oracle_set_u128(part, r);
        if (mpz_cmp(quotient, a) != 0 || mpz_cmp(remainder, part) != 0)
            cr_assert(false, "seed %lu, case %d: quotient or remainder", oracle_seed(), i);
    }
    mpz_clears(a, b, product, part, numerator, quotient, remainder, NULL);
}

Test(wide, table_of_powers)
{
    cm_u128 power = 1;
    for (int i = 0; i < 39; i++, power *= 10)
        cr_assert(cm_power_of_ten[i] == power, "10^%d", i);
}
