#include "billing/export/lines.h"

#include "base/csv/csv.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* --- CSV ---------------------------------------------------------------------------------------------------------- */

/* `run` and `line` are what `explain --run --line` takes. No payer account, no other price layer, no description: AWS
 * writes its prices into it (P13). */
static const char *const columns[] = {"from",       "run",       "line",   "time", "account", "product",
                                      "usage_type", "operation", "region", "unit", "class",   "line_item_type",
                                      "quantity",   "currency",  "sell"};
enum { COLUMNS = sizeof columns / sizeof *columns, QUANTITY = 12, SELL = 14 };

static void write_row(FILE *out, const cm_slice cell[static COLUMNS])
{
    cm_buffer row = {0};
    for (int i = 0; i < COLUMNS; i++) {
        if (i)
            cm_csv_next(&row);
        if (i == QUANTITY || i == SELL)
            cm_csv_number(&row, cell[i]);
        else
            cm_csv_text(&row, cell[i]);
    }
    cm_csv_end(&row);
    fwrite(row.data, 1, row.length, out);
    cm_buffer_free(&row);
}

void cm_line_export_header(FILE *out)
{
    cm_slice cell[COLUMNS];
    for (int i = 0; i < COLUMNS; i++)
        cell[i] = cm_slice_of(columns[i]);
    write_row(out, cell);
}

static bool overflow(cm_error *err)
{
    return cm_fail(err, CM_ERROR_BUG, "OVERFLOW", "the sum of the exported lines is too large");
}

/* --- lines ------------------------------------------------------------------------------------------------------ */

/* What is known about a kind of lines (cur/line.h), as long as its decision holds. */
typedef struct kind_slot {
    bool known, own;
    cm_decision decision;
    cm_export_sum *sum;
} kind_slot;

struct cm_line_export {
    cm_line_export_order *order;
    const cm_export_file *file;
    kind_slot *slots; /* [CM_MEMO_KINDS + 1]: the last is for lines without a memo */
    uint64_t source;  /* whose numbers the slots are */
};

static kind_slot *slot_of(cm_line_export *r, const cm_line *line, cm_instant at)
{
    if (line->memo.source != r->source) {
        memset(r->slots, 0, (CM_MEMO_KINDS + 1) * sizeof *r->slots);
        r->source = line->memo.source;
    }
    kind_slot *slot = &r->slots[r->source ? line->memo.kind : CM_MEMO_KINDS];
    if (r->source && slot->known && slot->decision.valid_from <= at && at < slot->decision.valid_to)
        return slot;
    cm_decide(r->file->rater, &line->kind, at, &slot->decision, NULL, NULL);
    slot->known = true;
    slot->own = slot->decision.customer && slot->decision.reason == CM_REASON_NONE &&
                strcmp(slot->decision.customer->id, r->order->customer) == 0 &&
                cm_slice_is(line->kind.currency, r->order->currency);
    slot->sum = NULL;
    return slot;
}

/* What brings no amount is shown where it is the customer's usage. The rest, discounts, taxes and commitments that stay
 * with the reseller, would tell what the reseller pays (P13). */
static bool is_shown(enum cm_class class, cm_decimal sell)
{
    return !cm_decimal_is_zero(sell) || class == CM_CLASS_USAGE || class == CM_CLASS_COVERED_USAGE ||
           class == CM_CLASS_MARKETPLACE;
}

static void write_line(const cm_line_export *r, const cm_line *line, cm_instant at, enum cm_class class,
                       cm_decimal sell)
{
    char place[48], time[CM_INSTANT_TEXT], quantity[CM_DECIMAL_TEXT], amount[CM_DECIMAL_TEXT];
    const cm_kind *kind = &line->kind;
    snprintf(place, sizeof place, "%" PRIu32 ":%" PRIu64, r->file->chunk, line->row);
    cm_decimal_print(line->quantity, quantity);
    cm_decimal_print(sell, amount);
    const cm_slice cell[COLUMNS] = {cm_slice_of("line"),
                                    cm_slice_of(r->file->run),
                                    cm_slice_of(place),
                                    cm_slice_of(cm_instant_print(at, time)),
                                    kind->usage_account,
                                    kind->product_code,
                                    kind->usage_type,
                                    kind->operation,
                                    kind->region,
                                    kind->unit,
                                    cm_slice_of(cm_class_name(class)),
                                    kind->line_item_type,
                                    cm_slice_of(quantity),
                                    kind->currency,
                                    cm_slice_of(amount)};
    write_row(r->order->out, cell);
}

static bool take_line(cm_line_export *r, const cm_line *line, cm_error *err)
{
    cm_priced priced;
    cm_line_export_order *order = r->order;
    cm_instant at = cm_rater_time(r->file->rater, line->start);
    kind_slot *slot = slot_of(r, line, at);
    if (!slot->own)
        return true;
    if (!cm_price(&slot->decision, line->quantity, line->cost, line->list_cost, &priced, err))
        return false;
    if (priced.reason != CM_REASON_NONE)
        return true; /* suspended: on no document yet */
    enum cm_class class = slot->decision.class;
    if (!is_shown(class, priced.sell)) {
        order->hidden++;
        return true;
    }
    if (!slot->sum) {
        const cm_slice key[CM_EXPORT_KEY] = {line->kind.usage_account, line->kind.product_code, line->kind.usage_type,
                                             line->kind.unit, cm_slice_of(cm_class_name(class))};
        slot->sum = cm_export_sums_at(order->sums, key);
    }
    if (!cm_decimal_accumulate(&slot->sum->lines, priced.sell) || !cm_decimal_accumulate(&order->total, priced.sell))
        return overflow(err);
    order->lines++;
    write_line(r, line, at, class, priced.sell);
    return true;
}

static bool in_file(const cm_export_file *file, const cm_place *place, cm_error *err)
{
    return place->row ? cm_fail_context(err, "file %s, row %" PRIu64, file->name, place->row)
                      : cm_fail_context(err, "file %s", file->name);
}

cm_line_export *cm_line_export_new(cm_line_export_order *order)
{
    cm_line_export *r = cm_alloc(sizeof *r);
    r->order = order;
    r->slots = cm_alloc((CM_MEMO_KINDS + 1) * sizeof *r->slots);
    return r;
}

void cm_line_export_free(cm_line_export *r)
{
    if (!r)
        return;
    free(r->slots);
    free(r);
}

bool cm_line_export_file(cm_line_export *r, const cm_export_file *file, cm_error *err)
{
    cm_place place;
    const cm_line *line = NULL;
    bool done = true;
    r->file = file;
    r->source = 0;
    memset(r->slots, 0, (CM_MEMO_KINDS + 1) * sizeof *r->slots);
    do {
        if (!cm_reader_next(file->reader, &line, &place, err))
            done = in_file(file, &place, err);
        else if (line)
            done = take_line(r, line, err) || cm_fail_context(err, "file %s, row %" PRIu64, file->name, line->row);
    } while (done && line);
    r->file = NULL;
    return done && (!ferror(r->order->out) ||
                    cm_fail(err, CM_ERROR_RETRY, "OUTPUT", "the lines could not be written: is the disk full?"));
}

/* --- what the month adds ------------------------------------------------------------------------------------------ */

static cm_slice text_of(const json_t *row, const char *key)
{
    return cm_slice_of(json_string_value(json_object_get(row, key)));
}

static bool export_row(cm_line_export_order *order, const json_t *row, const cm_decimal *rate, cm_error *err)
{
    cm_decimal amount, converted;
    cm_slice step = text_of(row, "step");
    const cm_slice key[CM_EXPORT_KEY] = {text_of(row, "account"), text_of(row, "product"), text_of(row, "usage_type"),
                                         text_of(row, "unit"), text_of(row, "class")};
    const cm_slice cell[COLUMNS] = {step,
                                    {0},
                                    {0},
                                    {0},
                                    key[0],
                                    key[1],
                                    key[2],
                                    {0},
                                    {0},
                                    key[3],
                                    key[4],
                                    {0},
                                    text_of(row, "quantity"),
                                    cm_slice_of(order->currency),
                                    text_of(row, "amount")};
    cm_export_sum *sum = cm_export_sums_at(order->sums, key);
    bool valid = cm_decimal_parse_strict(text_of(row, "amount"), &amount);
    cm_assert(valid);
    if (!cm_export_convert(amount, rate, &converted) || !cm_decimal_accumulate(&order->total, amount) ||
        !(cm_slice_is(step, "tiers") ? cm_decimal_accumulate(&sum->lines, amount)
                                     : cm_decimal_accumulate(&sum->rows, converted)))
        return overflow(err);
    write_row(order->out, cell);
    return true;
}

bool cm_line_export_rows(cm_line_export_order *order, const json_t *rows, const cm_decimal *rate, cm_error *err)
{
    size_t i;
    json_t *row;
    bool done = true;
    json_array_foreach ((json_t *)rows, i, row)
        done = done && export_row(order, row, rate, err);
    return done;
}
