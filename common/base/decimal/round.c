#include "base/decimal/decimal.h"

#include "wide.h"

bool cm_decimal_round_half_away(cm_decimal a, int places, cm_decimal *ret)
{
    cm_assert(places >= 0 && places <= CM_DECIMAL_SCALE);
    cm_u128 step = cm_power_of_ten[CM_DECIMAL_SCALE - places];
    cm_u128 magnitude = cm_magnitude(a.units);
    cm_u128 remainder = magnitude % step;
    magnitude -= remainder;
    if (cm_rounds_half_away(remainder, step))
        magnitude += step; /* at most 2^127 + 10^18 */
    return cm_from_magnitude(a.units < 0, magnitude, ret);
}

bool cm_decimal_percent_round_half_away(cm_decimal a, cm_decimal percent, int places, cm_decimal *ret)
{
    cm_assert(places >= 0 && places <= CM_DECIMAL_SCALE);
    /* a * percent is a count of 10^-36; 10^-places percent is 10^(36 + 2 - places) of them: one division, one rounding.
     */
    cm_u128 divisor = cm_power_of_ten[2 * CM_DECIMAL_SCALE + 2 - places];
    cm_u128 step = cm_power_of_ten[CM_DECIMAL_SCALE - places];
    cm_wide product = cm_wide_multiply(cm_magnitude(a.units), cm_magnitude(percent.units));
    cm_u128 quotient, remainder, magnitude;
    if (!cm_wide_divide(product, divisor, &quotient, &remainder))
        return false;
    if (cm_rounds_half_away(remainder, divisor) && ++quotient == 0)
        return false;
    if (__builtin_mul_overflow(quotient, step, &magnitude))
        return false;
    return cm_from_magnitude((a.units < 0) != (percent.units < 0), magnitude, ret);
}

bool cm_decimal_floor(cm_decimal a, int places, cm_decimal *ret)
{
    cm_assert(places >= 0 && places <= CM_DECIMAL_SCALE);
    cm_i128 step = (cm_i128)cm_power_of_ten[CM_DECIMAL_SCALE - places];
    cm_i128 remainder = a.units % step;
    if (remainder < 0)
        remainder += step;
    cm_i128 result;
    if (__builtin_sub_overflow(a.units, remainder, &result))
        return false;
    ret->units = result;
    return true;
}
