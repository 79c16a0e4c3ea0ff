/* Every operation against GMP (rating.md section 1: exact, rounded once, overflow is reported). */
#include "oracle.h"

#include <criterion/criterion.h>

enum { ROUNDS = 1000000 };

static mpz_t x, y, numerator, denominator, expected;

static void begin(void)
{
    mpz_inits(x, y, numerator, denominator, expected, NULL);
    oracle_random_seed(oracle_seed());
}

static void end(void)
{
    mpz_clears(x, y, numerator, denominator, expected, NULL);
}

TestSuite(random, .init = begin, .fini = end);

/* Compares with round(numerator / denominator) * 10^(18 - places). */
static void compare(const char *operation, cm_i128 a, cm_i128 b, int places, enum rounding rounding, bool good,
                    cm_decimal got)
{
    static mpz_t step;
    cm_i128 want = 0;
    oracle_round(expected, numerator, denominator, rounding);
    if (places < CM_DECIMAL_SCALE) {
        mpz_init(step);
        oracle_power_of_ten(step, (unsigned long)(CM_DECIMAL_SCALE - places));
        mpz_mul(expected, expected, step);
        mpz_clear(step);
    }
    bool fits = oracle_fits(expected, &want);
    if (fits == good && (!fits || want == got.units))
        return;
    cr_assert(false, "seed %lu: %s of %s and %s (units of 10^-18), %d places: got %s %s, expected %s %s", oracle_seed(),
              operation, oracle_text(a), oracle_text(b), places, good ? "" : "overflow", oracle_text(got.units),
              fits ? "" : "overflow", oracle_text(want));
}

/* For one pair in four, `b` is chosen so that a * b / divisor comes out at a bound of the range. */
static void random_pair(cm_i128 *a, cm_i128 *b, unsigned long divisor_exponent)
{
    *a = oracle_random_value();
    *b = oracle_random_value();
    if (*a == 0 || oracle_below(4) != 0)
        return;
    oracle_set(x, I128_MAX);
    mpz_add_ui(x, x, oracle_below(2));
    if (oracle_below(2))
        mpz_neg(x, x);
    oracle_power_of_ten(y, divisor_exponent);
    mpz_mul(x, x, y);
    oracle_set(y, *a);
    mpz_tdiv_q(x, x, y);
    mpz_add_ui(x, x, oracle_below(3));
    mpz_sub_ui(x, x, 1);
    cm_i128 at_bound;
    if (oracle_fits(x, &at_bound))
        *b = at_bound;
}

static void load(cm_i128 a, cm_i128 b)
{
    oracle_set(x, a);
    oracle_set(y, b);
}

Test(random, add_subtract_negate)
{
    mpz_set_ui(denominator, 1);
    for (int i = 0; i < ROUNDS; i++) {
        cm_i128 a = oracle_random_value(), b = oracle_random_value();
        if (oracle_below(4) == 0) /* the sum is at a bound */
            b = (cm_i128)((cm_u128)(a < 0 ? I128_MIN : I128_MAX) - (cm_u128)a + oracle_below(3) - 1);
        cm_decimal got = {0}, sum = {a};
        load(a, b);
        mpz_add(numerator, x, y);
        bool good = cm_decimal_add((cm_decimal){a}, (cm_decimal){b}, &got);
        compare("add", a, b, CM_DECIMAL_SCALE, HALF_EVEN, good, got);
        cr_assert(cm_decimal_accumulate(&sum, (cm_decimal){b}) == good && (!good || sum.units == got.units));
        mpz_sub(numerator, x, y);
        good = cm_decimal_subtract((cm_decimal){a}, (cm_decimal){b}, &got);
        compare("subtract", a, b, CM_DECIMAL_SCALE, HALF_EVEN, good, got);
        mpz_neg(numerator, x);
        good = cm_decimal_negate((cm_decimal){a}, &got);
        compare("negate", a, 0, CM_DECIMAL_SCALE, HALF_EVEN, good, got);
    }
}

Test(random, multiply)
{
    oracle_power_of_ten(denominator, 18);
    for (int i = 0; i < ROUNDS; i++) {
        cm_i128 a, b;
        cm_decimal got = {0};
        random_pair(&a, &b, 18);
        load(a, b);
        mpz_mul(numerator, x, y);
        bool good = cm_decimal_multiply_half_even((cm_decimal){a}, (cm_decimal){b}, &got);
        compare("multiply", a, b, CM_DECIMAL_SCALE, HALF_EVEN, good, got);
    }
}

/* One dividend in four makes a tie or a bound: a = b * (q + 1/2) / 10^18. */
static cm_i128 random_dividend(cm_i128 b)
{
    cm_i128 a;
    if (oracle_below(4) != 0)
        return oracle_random_value();
    oracle_set(x, oracle_below(2) ? I128_MAX : oracle_random_value());
    mpz_mul_2exp(x, x, 1);
    mpz_add_ui(x, x, 1);
    oracle_set(y, b);
    mpz_mul(x, x, y);
    oracle_power_of_ten(y, 18);
    mpz_mul_2exp(y, y, 1);
    mpz_tdiv_q(x, x, y);
    return oracle_fits(x, &a) ? a : oracle_random_value();
}

Test(random, divide)
{
    mpz_t ten_18;
    mpz_init(ten_18);
    oracle_power_of_ten(ten_18, 18);
    for (int i = 0; i < ROUNDS; i++) {
        cm_i128 b = oracle_random_value(), a = random_dividend(b);
        cm_decimal got = {0};
        bool good = cm_decimal_divide_half_even((cm_decimal){a}, (cm_decimal){b}, &got);
        if (b == 0) {
            cr_assert_not(good, "division by zero is refused");
            continue;
        }
        load(a, b);
        mpz_mul(numerator, x, ten_18);
        if (b < 0)
            mpz_neg(numerator, numerator);
        mpz_abs(denominator, y);
        compare("divide", a, b, CM_DECIMAL_SCALE, HALF_EVEN, good, got);
    }
    mpz_clear(ten_18);
}

Test(random, multiply_divide)
{
    for (int i = 0; i < ROUNDS / 4; i++) {
        cm_i128 a, b, c = oracle_random_value();
        cm_decimal got = {0};
        random_pair(&a, &b, 18);
        bool good = cm_decimal_multiply_divide_half_even((cm_decimal){a}, (cm_decimal){b}, (cm_decimal){c}, &got);
        if (c == 0) {
            cr_assert_not(good, "division by zero is refused");
            continue;
        }
        load(a, b);
        mpz_mul(numerator, x, y);
        oracle_set(denominator, c);
        if (c < 0)
            mpz_neg(numerator, numerator);
        mpz_abs(denominator, denominator);
        compare("multiply and divide", a, b, CM_DECIMAL_SCALE, HALF_EVEN, good, got);
    }
}

Test(random, percent_half_even)
{
    oracle_power_of_ten(denominator, 20);
    for (int i = 0; i < ROUNDS; i++) {
        cm_i128 a, b;
        cm_decimal got = {0};
        random_pair(&a, &b, 20);
        load(a, b);
        mpz_mul(numerator, x, y);
        bool good = cm_decimal_percent_half_even((cm_decimal){a}, (cm_decimal){b}, &got);
        compare("percent", a, b, CM_DECIMAL_SCALE, HALF_EVEN, good, got);
    }
}

Test(random, add_percent_half_even)
{
    mpz_t hundred;
    mpz_init(hundred);
    oracle_power_of_ten(hundred, 20);
    mpz_set(denominator, hundred);
    for (int i = 0; i < ROUNDS; i++) {
        cm_i128 a, b;
        cm_decimal got = {0};
        random_pair(&a, &b, 20);
        if (oracle_below(4) == 0) { /* around -100 percent, and an everyday discount */
            cm_i128 percent = oracle_below(2) ? -100 : -(cm_i128)oracle_below(100);
            b = percent * CM_DECIMAL_ONE_UNITS + (cm_i128)oracle_below(3) - 1;
        }
        load(a, b);
        mpz_add(y, y, hundred);
        mpz_mul(numerator, x, y);
        bool good = cm_decimal_add_percent_half_even((cm_decimal){a}, (cm_decimal){b}, &got);
        compare("add percent", a, b, CM_DECIMAL_SCALE, HALF_EVEN, good, got);
    }
    mpz_clear(hundred);
}

Test(random, round_and_floor)
{
    for (int i = 0; i < ROUNDS; i++) {
        cm_i128 a = oracle_random_value();
        int places = (int)oracle_below(19);
        cm_decimal got = {0};
        oracle_power_of_ten(denominator, (unsigned long)(18 - places));
        oracle_set(numerator, a);
        bool good = cm_decimal_round_half_away((cm_decimal){a}, places, &got);
        compare("round half away", a, 0, places, HALF_AWAY, good, got);
        good = cm_decimal_floor((cm_decimal){a}, places, &got);
        compare("floor", a, 0, places, FLOOR, good, got);
    }
}

/* The exact product is rounded once: 2.5 % of an amount must not be rounded at 10^-18 first. */
Test(random, percent_round_half_away)
{
    for (int i = 0; i < ROUNDS; i++) {
        cm_i128 a, b;
        cm_decimal got = {0};
        int places = oracle_below(2) ? 2 : (int)oracle_below(19);
        random_pair(&a, &b, 20);
        oracle_power_of_ten(denominator, (unsigned long)(38 - places));
        load(a, b);
        mpz_mul(numerator, x, y);
        bool good = cm_decimal_percent_round_half_away((cm_decimal){a}, (cm_decimal){b}, places, &got);
        compare("percent, round half away", a, b, places, HALF_AWAY, good, got);
    }
}
