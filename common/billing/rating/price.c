/* Applying a decision to the numbers of a line (rating.md sections 1 and 4; S7). Each product is rounded half-even
 * once. `payer` and `list` are the line's own figures (R03), `buy` and `sell` are computed from them (O04, R04). */
#include "billing/rating/internal.h"

typedef struct line_numbers {
    cm_decimal quantity;
    cm_decimal layer[4]; /* by enum cm_layer */
} line_numbers;

static bool apply(const cm_price_step *step, const line_numbers *numbers, cm_decimal *ret)
{
    switch (step->op) {
    case CM_OP_ZERO:
        *ret = CM_DECIMAL_ZERO;
        return true;
    case CM_OP_LAYER:
        *ret = numbers->layer[step->layer];
        return true;
    case CM_OP_ADD_PERCENT:
        return cm_decimal_add_percent_half_even(numbers->layer[step->layer], step->number, ret);
    case CM_OP_PERCENT:
        return cm_decimal_percent_half_even(numbers->layer[step->layer], step->number, ret);
    case CM_OP_RATE:
        return cm_decimal_multiply_half_even(numbers->quantity, step->number, ret);
    }
    cm_assert(!"a price step without meaning");
    return false;
}

bool cm_price(const cm_decision *decision, cm_decimal quantity, cm_decimal cost, cm_decimal list_cost, cm_priced *ret,
              cm_error *err)
{
    line_numbers numbers = {.quantity = quantity};
    numbers.layer[CM_LAYER_PAYER] = cost;
    numbers.layer[CM_LAYER_LIST] = cm_decimal_is_zero(list_cost) ? cost : list_cost;

    *ret = (cm_priced){.payer = cost, .list = numbers.layer[CM_LAYER_LIST], .reason = decision->reason};
    if (decision->suspend_without_list_price && cm_decimal_is_zero(list_cost) && !cm_decimal_is_zero(quantity))
        ret->reason = CM_REASON_NO_LIST_PRICE; /* takes precedence over the sell book (S4) */
    if (ret->reason != CM_REASON_NONE)
        return true;

    if (!apply(&decision->buy, &numbers, &ret->buy))
        return cm_fail(err, CM_ERROR_POISON, "OVERFLOW", "the buy price does not fit an amount (largest about 1.7e20)");
    numbers.layer[CM_LAYER_BUY] = ret->buy;
    if (!apply(&decision->sell, &numbers, &ret->sell))
        return cm_fail(err, CM_ERROR_POISON, "OVERFLOW",
                       "the sell price does not fit an amount (largest about 1.7e20)");
    return true;
}
