#include "billing/batch/discount_tally.h"

#include <stdlib.h>

static bool is(const cm_discount_sum *sum, cm_slice type, cm_slice currency)
{
    return cm_slice_is(type, sum->type) && cm_slice_is(currency, sum->currency);
}

static cm_discount_sum *find_or_add(cm_discount_tally *t, cm_slice type, cm_slice currency, size_t room)
{
    if (t->last < t->sums && is(&t->sum[t->last], type, currency))
        return &t->sum[t->last];
    size_t i = 0;
    while (i < t->sums && !is(&t->sum[i], type, currency))
        i++;
    if (i == t->sums) {
        if (i >= room)
            return NULL;
        t->sum[t->sums++] = (cm_discount_sum){0};
        if (type.length)
            memcpy(t->sum[i].type, type.text, type.length);
        if (currency.length)
            memcpy(t->sum[i].currency, currency.text, currency.length);
    }
    t->last = i;
    return &t->sum[i];
}

/* Types of which there are too many share one entry of their currency: half of the room is kept for those. */
static cm_discount_sum *sum_of(cm_discount_tally *t, const cm_kind *kind)
{
    cm_discount_sum *sum = NULL;
    if (!t->sum)
        t->sum = cm_alloc(CM_DISCOUNT_SUMS_MAX * sizeof *t->sum);
    if (kind->line_item_type.length < sizeof sum->type &&
        !memchr(kind->line_item_type.text, 0, kind->line_item_type.length))
        sum = find_or_add(t, kind->line_item_type, kind->currency, CM_DISCOUNT_SUMS_MAX / 2);
    if (!sum)
        sum = find_or_add(t, (cm_slice){0}, kind->currency, CM_DISCOUNT_SUMS_MAX);
    return sum;
}

bool cm_discount_tally_add(cm_discount_tally *t, const cm_line *line)
{
    cm_decimal difference;
    cm_discount_sum *sum = sum_of(t, &line->kind);
    if (!sum)
        return true; /* more currencies than there is room for: none of a real report */
    if (cm_line_is_derived(line)) {
        if (line->unexplained) {
            if (t->unexplained_count < CM_UNEXPLAINED_MAX) {
                cm_unexplained_discount *u = &t->unexplained[t->unexplained_count++];
                *u = (cm_unexplained_discount){.row = line->row, .amount = line->cost};
                memcpy(u->currency, sum->currency, sizeof u->currency);
            }
            t->unexplained_lines++;
        }
        sum->derived_lines++;
        return cm_decimal_accumulate(&sum->derived, line->cost);
    }
    if (line->discounts == CM_DISCOUNTS_IN_COLUMNS) {
        if (line->has_net)
            return true;
        sum->lines_without_net++;
        return cm_decimal_accumulate(&sum->without_net, line->cost);
    }
    if (!line->has_net)
        return true;
    sum->lines_with_net++;
    return cm_decimal_subtract(line->net, line->cost, &difference) &&
           cm_decimal_accumulate(&sum->net_difference, difference);
}

static int by_type_and_currency(const void *a, const void *b)
{
    const cm_discount_sum *x = a, *y = b;
    int order = strcmp(x->type, y->type);
    return order ? order : strcmp(x->currency, y->currency);
}

void cm_discount_tally_sort(cm_discount_tally *t)
{
    if (t->sums)
        qsort(t->sum, t->sums, sizeof *t->sum, by_type_and_currency);
    t->last = 0;
}

void cm_discount_tally_free(cm_discount_tally *t)
{
    free(t->sum);
    *t = (cm_discount_tally){0};
}
