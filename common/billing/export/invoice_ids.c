#include "billing/export/invoice_ids.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static cm_expected *find(cm_invoice_sums *s, cm_slice id)
{
    if (s->count && cm_slice_is(id, s->list[s->last].account))
        return &s->list[s->last];
    size_t low = 0, high = s->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const char *text = s->list[middle].account;
        int order = strncmp(text, id.text, id.length);
        if (order == 0)
            order = text[id.length] != '\0';
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    s->last = low;
    if (low < s->count && cm_slice_is(id, s->list[low].account))
        return &s->list[low];
    if (s->count == s->capacity) {
        s->capacity = s->capacity ? s->capacity * 2 : 64;
        s->list = cm_realloc(s->list, s->capacity * sizeof *s->list);
    }
    memmove(&s->list[low + 1], &s->list[low], (s->count++ - low) * sizeof *s->list);
    s->list[low] =
        (cm_expected){.account = cm_arena_strndup(s->arena, id.text, id.length), .product = "", .customer = ""};
    return &s->list[low];
}

static bool take_line(cm_invoice_sums *s, const cm_line *line, cm_slice id, cm_error *err)
{
    bool tax = cm_slice_is(line->kind.line_item_type, "Tax");
    bool derived = cm_line_is_derived(line);
    if (!id.length) {
        s->without += !derived;
        return true;
    }
    if (!cm_slice_is(line->kind.currency, s->currency))
        return cm_fail(
            err, CM_ERROR_REFUSED, "CURRENCY",
            "the invoice is in %s and the report has lines in \"%.*s\"; compare them in the report's currency",
            s->currency, CM_SLICE(line->kind.currency));
    cm_expected *x = find(s, id);
    x->charges += !derived;
    if ((!tax || s->format->with_tax) && !cm_decimal_accumulate(&x->amount, line->cost))
        return cm_fail(err, CM_ERROR_BUG, "OVERFLOW", "the sum of an invoice is too large");
    if ((tax && !cm_decimal_accumulate(&x->tax, line->cost)) ||
        (cm_slice_is(line->kind.line_item_type, "Credit") && !cm_decimal_accumulate(&x->credit, line->cost)))
        return cm_fail(err, CM_ERROR_BUG, "OVERFLOW", "the sum of an invoice is too large");
    return true;
}

static int invoice_column(const cm_reader *reader)
{
    for (int i = 0; i < cm_reader_column_count(reader); i++) {
        cm_slice name = cm_reader_column_name(reader, i);
        if (cm_slice_is(name, "bill/InvoiceId") || cm_slice_is(name, "bill_invoice_id"))
            return i;
    }
    return -1;
}

bool cm_invoice_sums_file(cm_invoice_sums *s, cm_reader *reader, const char *name, cm_error *err)
{
    cm_place place = {0};
    const cm_line *line = NULL;
    int column = invoice_column(reader);
    bool done = true;
    while (done && (done = cm_reader_next(reader, &line, &place, err)) && line)
        done = take_line(s, line, column < 0 ? (cm_slice){0} : cm_reader_column_value(reader, column), err);
    return done || cm_fail_context(err, "%s, row %" PRIu64, name, place.row);
}
