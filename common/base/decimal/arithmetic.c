#include "base/decimal/decimal.h"

#include "wide.h"

cm_decimal cm_decimal_from_i64(int64_t whole)
{
    return (cm_decimal){(cm_i128)whole * CM_DECIMAL_ONE_UNITS};
}

bool cm_decimal_add(cm_decimal a, cm_decimal b, cm_decimal *ret)
{
    cm_i128 sum;
    if (__builtin_add_overflow(a.units, b.units, &sum))
        return false;
    ret->units = sum;
    return true;
}

bool cm_decimal_subtract(cm_decimal a, cm_decimal b, cm_decimal *ret)
{
    cm_i128 difference;
    if (__builtin_sub_overflow(a.units, b.units, &difference))
        return false;
    ret->units = difference;
    return true;
}

bool cm_decimal_negate(cm_decimal a, cm_decimal *ret)
{
    return cm_decimal_subtract(CM_DECIMAL_ZERO, a, ret);
}

bool cm_decimal_accumulate(cm_decimal *sum, cm_decimal a)
{
    return cm_decimal_add(*sum, a, sum);
}

/* +-(a * b / divisor), half-even. */
static bool scale_half_even(bool negative, cm_u128 a, cm_u128 b, cm_u128 divisor, cm_decimal *ret)
{
    cm_u128 quotient, remainder;
    if (!cm_wide_divide(cm_wide_multiply(a, b), divisor, &quotient, &remainder))
        return false;
    if (cm_rounds_half_even(quotient, remainder, divisor) && ++quotient == 0)
        return false;
    return cm_from_magnitude(negative, quotient, ret);
}

bool cm_decimal_multiply_half_even(cm_decimal a, cm_decimal b, cm_decimal *ret)
{
    cm_u128 left = cm_magnitude(a.units), right = cm_magnitude(b.units);
    bool negative = (a.units < 0) != (b.units < 0);
    if ((left | right) >> 64 == 0) {
        cm_u128 product = left * right;
        if ((uint64_t)(product >> 64) < CM_TEN_18) {
            uint64_t rest;
            uint64_t quotient = cm_divide_128_64((uint64_t)(product >> 64), (uint64_t)product, CM_TEN_18, &rest);
            cm_u128 rounded = (cm_u128)quotient + (rest > CM_TEN_18 / 2 || (rest == CM_TEN_18 / 2 && (quotient & 1)));
            ret->units = negative ? -(cm_i128)rounded : (cm_i128)rounded;
            return true;
        }
    }
    return scale_half_even(negative, left, right, CM_TEN_18, ret);
}

bool cm_decimal_divide_half_even(cm_decimal a, cm_decimal b, cm_decimal *ret)
{
    bool negative = (a.units < 0) != (b.units < 0);
    return scale_half_even(negative, cm_magnitude(a.units), CM_TEN_18, cm_magnitude(b.units), ret);
}

bool cm_decimal_multiply_divide_half_even(cm_decimal a, cm_decimal b, cm_decimal c, cm_decimal *ret)
{
    bool negative = ((a.units < 0) != (b.units < 0)) != (c.units < 0);
    return scale_half_even(negative, cm_magnitude(a.units), cm_magnitude(b.units), cm_magnitude(c.units), ret);
}

bool cm_decimal_percent_half_even(cm_decimal a, cm_decimal percent, cm_decimal *ret)
{
    bool negative = (a.units < 0) != (percent.units < 0);
    return scale_half_even(negative, cm_magnitude(a.units), cm_magnitude(percent.units), cm_power_of_ten[20], ret);
}

bool cm_decimal_add_percent_half_even(cm_decimal a, cm_decimal percent, cm_decimal *ret)
{
    /* 100 + percent may leave the range of a decimal; its magnitude never leaves 128 bits. */
    const cm_u128 hundred = cm_power_of_ten[20];
    cm_u128 magnitude = cm_magnitude(percent.units);
    bool factor_negative = percent.units < 0 && magnitude > hundred;
    cm_u128 factor = percent.units >= 0 ? hundred + magnitude
                     : factor_negative  ? magnitude - hundred
                                        : hundred - magnitude;
    return scale_half_even((a.units < 0) != factor_negative, cm_magnitude(a.units), factor, hundred, ret);
}
