#include "billing/reconcile/internal.h"

#include <stdlib.h>
#include <string.h>

static int by_key_then_row(const void *a, const void *b)
{
    const cm_invoice_row *x = *(const cm_invoice_row *const *)a, *y = *(const cm_invoice_row *const *)b;
    int order = strcmp(x->account, y->account);
    if (!order)
        order = strcmp(x->product, y->product);
    return order ? order : (x->row > y->row) - (x->row < y->row);
}

static int compare_key(const cm_invoice_row *row, const cm_expected *expected)
{
    int order = strcmp(row->account, expected->account);
    return order ? order : strcmp(row->product, expected->product);
}

static bool same_key(const cm_invoice_row *a, const cm_invoice_row *b)
{
    return strcmp(a->account, b->account) == 0 && strcmp(a->product, b->product) == 0;
}

/* Both sides are sorted: one walk over them. Returns the number of groups, -1: overflow. */
static long make_groups(const cm_reconcile_input *input, const cm_invoice_row **sorted, cm_reconcile_group *groups)
{
    size_t row = 0, next = 0;
    long count = 0;
    while (row < input->invoice->count || next < input->count) {
        cm_reconcile_group *g = &groups[count++];
        int order = row == input->invoice->count ? 1
                    : next == input->count       ? -1
                                                 : compare_key(sorted[row], &input->expected[next]);
        *g = (cm_reconcile_group){0};
        if (order <= 0) {
            g->rows = &sorted[row];
            g->account = sorted[row]->account;
            g->product = sorted[row]->product;
            while (row < input->invoice->count && same_key(sorted[row], g->rows[0])) {
                if (!cm_decimal_accumulate(&g->invoiced, sorted[row++]->amount))
                    return -1;
                g->row_count++;
            }
        }
        if (order >= 0) {
            g->expected = &input->expected[next++];
            g->account = g->expected->account;
            g->product = g->expected->product;
            g->expecting = g->expected->amount;
        }
        /* Each row was rounded; a group without rows has one's tolerance. */
        g->tolerance = cm_reconcile_half_units(input->places, g->row_count ? (int64_t)g->row_count : 1);
        if (!cm_decimal_subtract(g->invoiced, g->expecting, &g->difference))
            return -1;
    }
    return count;
}

static bool is_matched(const cm_reconcile_group *g)
{
    cm_i128 difference = g->difference.units < 0 ? -g->difference.units : g->difference.units;
    return difference <= g->tolerance.units;
}

/* We have nothing that could be billed: no amount, and nothing that explains one. */
static bool is_unexpected(const cm_reconcile_group *g)
{
    return !g->expected || (g->expected->charges == 0 && !g->expected->is_support && cm_decimal_is_zero(g->expecting));
}

static bool account_is_known(const cm_reconcile_input *input, const char *account)
{
    size_t low = 0, high = input->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(input->expected[middle].account, account);
        if (order == 0)
            return true;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

static cm_reconcile_item classify(const cm_reconcile_input *input, const cm_reconcile_group *g,
                                  const cm_reconcile_trend *trend)
{
    cm_reconcile_item item = {.account = g->account,
                              .product = g->product,
                              .customer = g->expected ? g->expected->customer : "",
                              .invoiced = g->invoiced,
                              .expected = g->expecting,
                              .difference = g->difference,
                              .row_count = g->row_count};
    if (is_matched(g) && !(is_unexpected(g) && g->row_count && !cm_decimal_is_zero(g->invoiced)))
        return item;
    item.cause = cm_reconcile_find_cause(input, g, account_is_known(input, g->account), trend);
    item.status = is_unexpected(g)                                         ? CM_RECONCILE_UNKNOWN
                  : cm_decimal_compare(g->difference, CM_DECIMAL_ZERO) > 0 ? CM_RECONCILE_OVER
                                                                           : CM_RECONCILE_SHORT;
    return item;
}

static bool fill(const cm_reconcile_input *input, const cm_reconcile_group *groups, size_t count,
                 cm_reconciliation *ret)
{
    cm_reconcile_trend trend = cm_reconcile_find_trend(groups, count);
    uint64_t *rows = ret->rows;
    for (size_t i = 0; i < count; i++) {
        cm_reconcile_item item = classify(input, &groups[i], &trend);
        item.rows = rows;
        for (size_t k = 0; k < groups[i].row_count; k++)
            *rows++ = groups[i].rows[k]->row;
        ret->counts[item.status]++;
        ret->items[ret->count++] = item;
        if (!cm_decimal_accumulate(&ret->invoiced, item.invoiced) ||
            !cm_decimal_accumulate(&ret->expected, item.expected))
            return false;
    }
    return true;
}

bool cm_reconcile(const cm_reconcile_input *input, cm_reconciliation *ret, cm_error *err)
{
    size_t rows = input->invoice->count, room = rows + input->count + 1;
    const cm_invoice_row **sorted = cm_alloc((rows + 1) * sizeof *sorted);
    cm_reconcile_group *groups = cm_alloc(room * sizeof *groups);
    *ret = (cm_reconciliation){.items = cm_alloc(room * sizeof *ret->items),
                               .rows = cm_alloc((rows + 1) * sizeof *ret->rows)};
    for (size_t i = 0; i < rows; i++)
        sorted[i] = &input->invoice->rows[i];
    qsort(sorted, rows, sizeof *sorted, by_key_then_row);
    long count = make_groups(input, sorted, groups);
    bool done = count >= 0 && fill(input, groups, (size_t)count, ret);
    if (!done) {
        cm_fail(
            err, CM_ERROR_INVALID, "OVERFLOW",
            "the sums of the invoice are too large (more than 20 digits); is the decimal sign of its format right?");
        cm_reconciliation_free(ret);
    }
    free(groups);
    free(sorted);
    return done;
}

void cm_reconciliation_free(cm_reconciliation *result)
{
    free(result->items);
    free(result->rows);
    *result = (cm_reconciliation){0};
}
