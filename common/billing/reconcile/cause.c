/*
 * Why an invoice differs. A cause is named only if it explains the difference to within the invoice's own rounding
 * (ROUNDING: to within rounding every charge by itself), so causes are never guessed: without one, a difference is
 * UNEXPLAINED.
 */
#include "billing/reconcile/internal.h"

#include <stdlib.h>
#include <string.h>

static cm_decimal absolute(cm_decimal value)
{
    return value.units < 0 ? (cm_decimal){-value.units} : value;
}

static bool within(cm_decimal a, cm_decimal b, cm_decimal tolerance)
{
    cm_decimal difference;
    return cm_decimal_subtract(a, b, &difference) && cm_decimal_compare(absolute(difference), tolerance) <= 0;
}

/* The difference equals that amount: billed although not expected, or, if `taken`, missing although expected. */
static bool is_amount(const cm_reconcile_group *g, cm_decimal amount, bool either_sign)
{
    cm_decimal negative;
    return !cm_decimal_is_zero(amount) &&
           (within(g->difference, amount, g->tolerance) ||
            (either_sign && cm_decimal_negate(amount, &negative) && within(g->difference, negative, g->tolerance)));
}

/* The invoice has another of our figures, which is far enough from the expected one to tell them apart. */
static bool is_other_figure(const cm_reconcile_group *g, cm_decimal figure)
{
    cm_decimal distance, enough = {g->tolerance.units * 4};
    return cm_decimal_subtract(figure, g->expecting, &distance) && cm_decimal_compare(absolute(distance), enough) > 0 &&
           within(g->invoiced, figure, g->tolerance);
}

/* --- DUPLICATE: the same amount more than once, and without the copies it matches --- */

static int by_amount(const void *a, const void *b)
{
    return cm_decimal_compare(*(const cm_decimal *)a, *(const cm_decimal *)b);
}

static bool is_duplicate(const cm_reconcile_group *g)
{
    if (g->row_count < 2)
        return false;
    cm_decimal *amounts = cm_alloc(g->row_count * sizeof *amounts), copies = CM_DECIMAL_ZERO;
    bool found = false;
    for (size_t i = 0; i < g->row_count; i++)
        amounts[i] = g->rows[i]->amount;
    qsort(amounts, g->row_count, sizeof *amounts, by_amount);
    for (size_t i = 1; i < g->row_count; i++) {
        if (!cm_decimal_equal(amounts[i], amounts[i - 1]))
            continue;
        found |= is_amount(g, amounts[i], false);
        if (!cm_decimal_accumulate(&copies, amounts[i]))
            break;
    }
    free(amounts);
    return found || is_amount(g, copies, false);
}

/* --- one ratio for the whole invoice --- */

/* Only groups whose ratio is exact enough to be compared: the expected amount is at least 2000 tolerances. */
static bool is_large(const cm_reconcile_group *g)
{
    cm_decimal least;
    return g->row_count && g->tolerance.units < INT64_MAX * (cm_i128)1000000 &&
           cm_decimal_multiply_half_even(g->tolerance, cm_decimal_from_i64(2000), &least) &&
           cm_decimal_compare(absolute(g->expecting), least) >= 0;
}

static bool fits_ratio(const cm_reconcile_group *g, cm_decimal ratio, cm_decimal slack)
{
    cm_decimal figure, more, room = g->tolerance;
    return cm_decimal_multiply_half_even(g->expecting, ratio, &figure) &&
           cm_decimal_multiply_half_even(absolute(g->expecting), slack, &more) && cm_decimal_accumulate(&room, more) &&
           within(g->invoiced, figure, room);
}

cm_reconcile_trend cm_reconcile_find_trend(const cm_reconcile_group *groups, size_t count)
{
    cm_reconcile_trend trend = {0};
    const cm_reconcile_group *largest = NULL;
    size_t off = 0, fitting = 0;
    for (size_t i = 0; i < count; i++)
        if (is_large(&groups[i]) &&
            (!largest || cm_decimal_compare(absolute(groups[i].expecting), absolute(largest->expecting)) > 0))
            largest = &groups[i];
    cm_decimal slack;
    if (!largest || !cm_decimal_divide_half_even(largest->invoiced, largest->expecting, &trend.ratio) ||
        !cm_decimal_divide_half_even(largest->tolerance, absolute(largest->expecting), &slack))
        return trend;
    if (within(largest->invoiced, largest->expecting, largest->tolerance))
        return trend;
    for (size_t i = 0; i < count; i++) {
        if (!is_large(&groups[i]))
            continue;
        off++;
        fitting += fits_ratio(&groups[i], trend.ratio, slack);
    }
    trend.found = fitting >= 3 && fitting * 5 >= off * 4;
    return trend;
}

static bool fits_trend(const cm_reconcile_group *g, const cm_reconcile_trend *trend)
{
    cm_decimal slack = {10000000000000}; /* 0.00001: the precision of the ratio */
    return trend->found && g->row_count && g->expected && fits_ratio(g, trend->ratio, slack);
}

/* --- PRICE_BOOK --- */

/* The invoice is the payer amount and a round percentage (of 0.1), which is not ours; only where a tenth of a percent
 * is far more than rounding. */
static bool is_round_percent(const cm_reconcile_group *g)
{
    cm_decimal ratio, percent, rounded, figure, payer = g->expected->payer;
    cm_decimal least = {g->tolerance.units * 100000};
    if (cm_decimal_compare(absolute(payer), least) < 0 || !cm_decimal_divide_half_even(g->invoiced, payer, &ratio) ||
        !cm_decimal_subtract(ratio, cm_decimal_from_i64(1), &percent) ||
        !cm_decimal_round_half_away(percent, 3, &rounded) || !cm_decimal_add(rounded, cm_decimal_from_i64(1), &ratio) ||
        !cm_decimal_multiply_half_even(payer, ratio, &figure))
        return false;
    return is_other_figure(g, figure);
}

/* --- ROUNDING --- */

/* The largest error from rounding every charge by itself, and every row; never more than a thousandth of the amount. */
static bool is_rounding(const cm_reconcile_input *input, const cm_reconcile_group *g)
{
    cm_decimal bound = cm_reconcile_half_units(input->places, g->expected->charges), thousandth;
    if (!cm_decimal_accumulate(&bound, g->tolerance))
        return false;
    thousandth = (cm_decimal){absolute(g->expecting).units / 1000 + g->tolerance.units * 2};
    return cm_decimal_compare(absolute(g->difference), bound) <= 0 &&
           cm_decimal_compare(absolute(g->difference), thousandth) <= 0;
}

/* --- all of them --- */

static int by_text(const void *key, const void *element)
{
    return strcmp(key, *(const char *const *)element);
}

/* None of our charges matches the row's account, product or InvoiceId. */
static enum cm_reconcile_cause unknown_cause(const cm_reconcile_input *input, const cm_reconcile_group *g,
                                             bool account_known)
{
    if (input->elsewhere_count &&
        bsearch(g->account, input->elsewhere, input->elsewhere_count, sizeof *input->elsewhere, by_text) &&
        !account_known)
        return CM_CAUSE_OTHER_PAYER;
    if (input->missing)
        return CM_CAUSE_MISSING_DELIVERY;
    if (input->format->level == CM_INVOICE_BY_ID)
        return CM_CAUSE_UNKNOWN_INVOICE;
    return account_known ? CM_CAUSE_UNKNOWN_PRODUCT : CM_CAUSE_UNKNOWN_ACCOUNT;
}

static bool is_fx(const cm_reconcile_input *input, const cm_reconcile_group *g, const cm_reconcile_trend *trend)
{
    return input->converted && (fits_trend(g, trend) || is_other_figure(g, g->expected->at_reseller_rate) ||
                                is_other_figure(g, g->expected->at_former_rate));
}

static bool is_price_book(const cm_reconcile_input *input, const cm_reconcile_group *g, const cm_reconcile_trend *trend)
{
    return (!input->converted && fits_trend(g, trend)) || is_other_figure(g, g->expected->payer) ||
           is_other_figure(g, g->expected->list);
}

enum cm_reconcile_cause cm_reconcile_find_cause(const cm_reconcile_input *input, const cm_reconcile_group *group,
                                                bool account_known, const cm_reconcile_trend *trend)
{
    const cm_reconcile_group *g = group;
    const cm_expected *e = g->expected;
    bool over = cm_decimal_compare(g->difference, CM_DECIMAL_ZERO) > 0;
    if (!e)
        return unknown_cause(input, g, account_known);
    bool with_tax = input->format->with_tax;
    return is_amount(g, e->late, false)                                        ? CM_CAUSE_LATE_LINE
           : is_amount(g, e->suspended, false)                                 ? CM_CAUSE_SUSPENDED
           : is_amount(g, e->support, false) || e->is_support                  ? CM_CAUSE_SUPPORT
           : g->row_count == 0                                                 ? CM_CAUSE_NOT_BILLED
           : is_amount(g, e->discount, true) || is_amount(g, e->arrears, true) ? CM_CAUSE_DISCOUNT
           : is_amount(g, e->credit, true)                                     ? CM_CAUSE_CREDIT
           : is_amount(g, e->tax, with_tax)                                    ? CM_CAUSE_TAX
           : is_duplicate(g)                                                   ? CM_CAUSE_DUPLICATE
           : is_fx(input, g, trend)                                            ? CM_CAUSE_FX
           : is_price_book(input, g, trend)                                    ? CM_CAUSE_PRICE_BOOK
           : is_rounding(input, g)                                             ? CM_CAUSE_ROUNDING
           : is_round_percent(g)                                               ? CM_CAUSE_PRICE_BOOK
           : input->missing && over                                            ? CM_CAUSE_MISSING_DELIVERY
                                                                               : CM_CAUSE_UNEXPLAINED;
}
