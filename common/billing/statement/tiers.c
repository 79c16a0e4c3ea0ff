/* Tiers: what the month's quantity of a rule costs (rating.md sections 4, 5). */
#include "billing/statement/internal.h"

#include "base/base/order.h"

#include <stdlib.h>
#include <string.h>

cm_statement_charge *cm_work_add(cm_work *work)
{
    if (work->count == work->capacity) {
        work->capacity = work->capacity ? work->capacity * 2 : 64;
        work->list = cm_realloc(work->list, work->capacity * sizeof *work->list);
    }
    return &work->list[work->count++];
}

/* A charge that a tiers rule decided. */
typedef struct tiered {
    const cm_rule *rule;
    const cm_statement_charge *charge;
} tiered;

/* Where a part of the amount belongs: account, payer, product, unit, class, part of the month. */
static int by_place(const tiered *x, const tiered *y)
{
    CM_ORDER_BY_TEXT(x->rule->id, y->rule->id);
    CM_ORDER_BY_TEXT(x->charge->account, y->charge->account);
    CM_ORDER_BY_TEXT(x->charge->payer, y->charge->payer);
    CM_ORDER_BY_TEXT(x->charge->product, y->charge->product);
    CM_ORDER_BY_TEXT(x->charge->unit, y->charge->unit);
    if (x->charge->class != y->charge->class)
        return (int)x->charge->class - (int)y->charge->class;
    CM_ORDER_BY_TEXT(cm_charge_link_from(x->charge), cm_charge_link_from(y->charge));
    return 0;
}

static int by_place_void(const void *a, const void *b)
{
    return by_place(a, b);
}

/* Each part of the quantity at its tier's rate, each product rounded half-even once. */
static bool graduated(const cm_rule *rule, cm_decimal quantity, cm_decimal *ret)
{
    cm_decimal lower = CM_DECIMAL_ZERO;
    for (size_t i = 0; i < rule->tier_count; i++) {
        const cm_tier *tier = &rule->tiers[i];
        bool within = tier->unbounded || cm_decimal_compare(quantity, tier->up_to) <= 0;
        cm_decimal part, price;
        if (!cm_decimal_subtract(within ? quantity : tier->up_to, lower, &part) ||
            !cm_decimal_multiply_half_even(part, tier->rate, &price) || !cm_decimal_accumulate(ret, price))
            return false;
        if (within)
            break;
        lower = tier->up_to;
    }
    return true;
}

/* A quantity of zero or less costs nothing. */
static bool amount_of(const cm_rule *rule, cm_decimal quantity, cm_decimal *ret)
{
    size_t i = 0;
    *ret = CM_DECIMAL_ZERO;
    if (cm_decimal_compare(quantity, CM_DECIMAL_ZERO) <= 0)
        return true;
    if (rule->mode == CM_TIER_GRADUATED)
        return graduated(rule, quantity, ret);
    while (!rule->tiers[i].unbounded && cm_decimal_compare(quantity, rule->tiers[i].up_to) > 0)
        i++;
    return cm_decimal_multiply_half_even(quantity, rule->tiers[i].rate, ret);
}

/*
 * The amount is divided by quantity: the running share is amount x quantity so far / total, rounded once, and each
 * place gets its increase. So the shares add up to the amount regardless of rounding, and support plans see each
 * account's part.
 */
static bool share_out(const tiered *list, size_t count, cm_work *work)
{
    cm_decimal total = CM_DECIMAL_ZERO, so_far = CM_DECIMAL_ZERO, given = CM_DECIMAL_ZERO, amount;
    for (size_t i = 0; i < count; i++)
        if (!cm_decimal_accumulate(&total, list[i].charge->quantity))
            return false;
    if (!amount_of(list[0].rule, total, &amount))
        return false;
    if (cm_decimal_is_zero(amount))
        return true;
    for (size_t first = 0, last; first < count; first = last) {
        cm_decimal quantity = CM_DECIMAL_ZERO, share, part;
        for (last = first; last < count && by_place(&list[first], &list[last]) == 0; last++)
            if (!cm_decimal_accumulate(&quantity, list[last].charge->quantity))
                return false;
        if (!cm_decimal_accumulate(&so_far, quantity) ||
            !cm_decimal_multiply_divide_half_even(amount, so_far, total, &share) ||
            !cm_decimal_subtract(share, given, &part))
            return false;
        given = share;
        const cm_statement_charge *at = list[first].charge;
        *cm_work_add(work) = (cm_statement_charge){.payer = at->payer,
                                                   .customer = at->customer,
                                                   .account = at->account,
                                                   .product = at->product,
                                                   .usage_type = list[first].rule->id,
                                                   .unit = at->unit,
                                                   .currency = at->currency,
                                                   .class = at->class,
                                                   .link_from = at->link_from,
                                                   .quantity = quantity,
                                                   .sell_amount = part};
    }
    return true;
}

static bool share_out_all(const tiered *list, size_t count, cm_work *work)
{
    bool done = true;
    for (size_t first = 0, last; done && first < count; first = last) {
        const cm_rule *rule = list[first].rule;
        for (last = first + 1; last < count && list[last].rule == rule &&
                               (rule->over == CM_TIER_OVER_CUSTOMER ||
                                strcmp(list[last].charge->account, list[first].charge->account) == 0);
             last++)
            ;
        done = share_out(list + first, last - first, work);
    }
    return done;
}

bool cm_tiers_apply(const cm_building *b, const cm_customer *customer, cm_work *work, cm_error *err)
{
    const cm_price_book *book = cm_customer_terms_in(customer, b->period)->price_book;
    if (!book || !book->has_tiers)
        return true;
    size_t count = 0, charges = work->count;
    tiered *list = cm_alloc((charges + 1) * sizeof *list);
    cm_statement_charge *before = cm_alloc((charges + 1) * sizeof *before);
    memcpy(before, work->list, charges * sizeof *before);
    for (size_t i = 0; i < charges; i++) {
        const char *rule_id = before[i].rule;
        const cm_rule *rule = rule_id && *rule_id ? cm_price_book_tiers(book, rule_id, b->period) : NULL;
        if (!rule)
            continue;
        list[count++] = (tiered){rule, &before[i]};
        work->list[i].quantity = work->list[i].sell_amount = CM_DECIMAL_ZERO;
    }
    if (count)
        qsort(list, count, sizeof *list, by_place_void);
    bool done = share_out_all(list, count, work);
    free(before);
    free(list);
    return done || cm_fail(err, CM_ERROR_BUG, "OVERFLOW", "tiers of customer %s do not fit an amount", customer->id);
}
