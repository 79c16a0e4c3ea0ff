/* Which tiers gave the amount of a row (rating.md sections 4, 5). */
#include "billing/explain/internal.h"

#include <string.h>

/* The quantity of all rows that the rule counted together with this one. */
static bool month_quantity(const cm_explained *e, const cm_rule *rule, cm_decimal *ret)
{
    size_t i;
    const json_t *line;
    *ret = CM_DECIMAL_ZERO;
    json_array_foreach (json_object_get(e->document, "lines"), i, line) {
        cm_decimal quantity;
        bool counted = strcmp(cm_json_member_text(line, "usage_type"), rule->id) == 0 &&
                       strcmp(cm_json_member_text(line, "customer"), e->customer->id) == 0 &&
                       (rule->over == CM_TIER_OVER_CUSTOMER ||
                        strcmp(cm_json_member_text(line, "account"), cm_json_member_text(e->line, "account")) == 0);
        if (counted && (!cm_json_member_decimal(line, "quantity", &quantity) || !cm_decimal_accumulate(ret, quantity)))
            return false;
    }
    return true;
}

static void tell_part(const cm_explained *e, const cm_tier *tier, cm_decimal lower, cm_decimal part)
{
    char from[CM_DECIMAL_TEXT], to[CM_DECIMAL_TEXT] = "", rate[CM_DECIMAL_TEXT], quantity[CM_DECIMAL_TEXT],
                                price[CM_DECIMAL_TEXT];
    cm_decimal amount;
    if (!cm_decimal_multiply_half_even(part, tier->rate, &amount))
        return;
    cm_decimal_print(lower, from);
    if (!tier->unbounded)
        cm_decimal_print(tier->up_to, to);
    cm_decimal_print(tier->rate, rate);
    cm_decimal_print(part, quantity);
    cm_decimal_print(amount, price);
    cm_explain_step(e, "tiers", "above %s%s%s: %s x %s = %s %s", from, *to ? " up to " : "", to, quantity, rate, price,
                    e->source);
}

static bool tell_parts(const cm_explained *e, const cm_rule *rule, cm_decimal total)
{
    cm_decimal lower = CM_DECIMAL_ZERO;
    for (size_t i = 0; i < rule->tier_count; i++) {
        const cm_tier *tier = &rule->tiers[i];
        bool within = tier->unbounded || cm_decimal_compare(total, tier->up_to) <= 0;
        cm_decimal part = total;
        if (rule->mode == CM_TIER_GRADUATED && !cm_decimal_subtract(within ? total : tier->up_to, lower, &part))
            return false;
        if (within || rule->mode == CM_TIER_GRADUATED)
            tell_part(e, tier, lower, part);
        if (within)
            break;
        lower = tier->up_to;
    }
    return true;
}

bool cm_explain_tiers(const cm_explained *e)
{
    const cm_rule *rule = e->terms ? cm_price_book_tiers(e->terms->price_book, e->id, e->period) : NULL;
    cm_decimal total, own;
    char all[CM_DECIMAL_TEXT], share[CM_DECIMAL_TEXT];
    if (!rule || !month_quantity(e, rule, &total) || !cm_json_member_decimal(e->line, "quantity", &own))
        return false;
    cm_decimal_print(total, all);
    cm_decimal_print(own, share);
    cm_explain_step(e, "tiers", "rule %s of price book %s, %s, over the month's quantity of the %s: %s", rule->id,
                    e->terms->price_book->id,
                    rule->mode == CM_TIER_GRADUATED ? "graduated (each part at its own rate)"
                                                    : "volume (all of it at the rate of the tier that it reaches)",
                    rule->over == CM_TIER_OVER_CUSTOMER ? "customer" : "account", all);
    bool done = tell_parts(e, rule, total);
    if (!cm_decimal_equal(total, own))
        cm_explain_step(e, "tiers", "of that, this row has its share by quantity: %s of %s", share, all);
    return done;
}
