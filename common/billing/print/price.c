/* Unit prices and tier steps, as far as a document's record tells them. */
#include "base/decimal/decimal.h"
#include "billing/print/internal.h"

#include <string.h>

enum { DIGITS_MOST = 8 }; /* significant digits of a price that is one number, and not the average of several */

static size_t significant_digits(const char *decimal)
{
    size_t count = 0;
    for (; *decimal; decimal++)
        count += *decimal >= '0' && *decimal <= '9' && (count || *decimal != '0');
    return count;
}

static cm_decimal magnitude(cm_decimal value)
{
    cm_decimal negative;
    return cm_decimal_compare(value, CM_DECIMAL_ZERO) < 0 && cm_decimal_negate(value, &negative) ? negative : value;
}

/* Within 10^-9 of the amount: reports round the cost of each line to ten decimals. */
static bool gives(cm_decimal price, cm_decimal quantity, cm_decimal amount)
{
    cm_decimal product, difference, allowed, billionth;
    return cm_decimal_parse_strict(cm_slice_of("0.000000001"), &billionth) &&
           cm_decimal_multiply_half_even(price, quantity, &product) &&
           cm_decimal_subtract(product, amount, &difference) &&
           cm_decimal_multiply_half_even(amount, billionth, &allowed) &&
           cm_decimal_compare(magnitude(difference), magnitude(allowed)) <= 0;
}

/* The shortest number that gives the amount; false: there is none as short as a price is. */
static bool one_price(cm_decimal amount, cm_decimal quantity, cm_decimal *ret)
{
    cm_decimal exact;
    char text[CM_DECIMAL_TEXT];
    if (cm_decimal_is_zero(quantity) || cm_decimal_is_zero(amount) ||
        !cm_decimal_divide_half_even(amount, quantity, &exact))
        return false;
    for (int places = 0; places <= 18; places++) {
        if (!cm_decimal_round_half_away(exact, places, ret))
            return false;
        cm_decimal_print(*ret, text);
        if (significant_digits(text) > DIGITS_MOST)
            return false;
        if (gives(*ret, quantity, amount))
            return true;
    }
    return false;
}

void cm_print_unit_price(json_t *line, const json_t *document)
{
    cm_decimal amount, quantity, rate, price;
    char text[CM_DECIMAL_TEXT];
    const char *factor = cm_print_text(document, "rate");
    if (!*cm_print_text(line, "unit") ||
        !cm_decimal_parse_strict(cm_slice_of(cm_print_text(line, "amount_exact")), &amount) ||
        !cm_decimal_parse_strict(cm_slice_of(cm_print_text(line, "quantity")), &quantity) ||
        !cm_decimal_parse_strict(cm_slice_of(*factor ? factor : "1"), &rate) || cm_decimal_is_zero(rate))
        return;
    /* A price is short in its own currency; converted it may be long. */
    if (!cm_decimal_divide_half_even(amount, rate, &amount) || !one_price(amount, quantity, &price) ||
        !cm_decimal_multiply_half_even(price, rate, &price))
        return;
    cm_decimal_print(price, text);
    json_object_set_new(line, "unit_price", json_string(text));
}

void cm_print_tiers(const json_t *view, const json_t *line, cm_buffer *ret)
{
    const json_t *rule = json_object_get(line, "tiers"), *tiers = json_object_get(rule, "steps");
    const char *currency = cm_print_text(rule, "currency");
    size_t i;
    json_t *tier;
    json_array_foreach (tiers, i, tier) {
        const char *up_to = cm_print_text(tier, "up_to"), *rate = cm_print_text(tier, "rate");
        cm_buffer_text(ret, i ? "; " : "");
        if (*up_to)
            cm_buffer_printf(ret, "%s %s: %s %s", cm_say(view, "up to"), up_to, rate, currency);
        else
            cm_buffer_printf(ret, "%s: %s %s", cm_say(view, "above"), rate, currency);
    }
}
