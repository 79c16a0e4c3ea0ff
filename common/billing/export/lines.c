#include "billing/export/lines.h"

#include "base/csv/csv.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* --- CSV ---------------------------------------------------------------------------------------------------------- */

/* `run` and `line` are what `explain --run --line` takes. No payer account, no other price layer, no description: AWS
 * writes its prices into it (P13). */
static const char *const columns[] = {"from", "run", "line", "time", "account", "product", "usage_type", "operation",
                                      "region", "unit", "class", "line_item_type", "quantity", "currency", "sell",
                                      /* of the document */
                                      "number", "document_currency", "rate", "amount"};
enum { COLUMNS = sizeof columns / sizeof *columns, QUANTITY = 12, SELL = 14, RATE = 17, AMOUNT = 18 };

static void write_row(FILE *out, const cm_slice cell[static COLUMNS])
{
    cm_buffer row = {0};
    for (int i = 0; i < COLUMNS; i++) {
        if (i)
            cm_csv_next(&row);
        if (i == QUANTITY || i == SELL || i == RATE || i == AMOUNT)
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

static cm_slice text_or_none(const char *text)
{
    return text ? cm_slice_of(text) : (cm_slice){0};
}

static void write_line(const cm_line_export *r, const cm_line *line, cm_instant at, enum cm_class class,
                       cm_decimal sell, cm_decimal converted)
{
    char place[48], time[CM_INSTANT_TEXT], quantity[CM_DECIMAL_TEXT], amount[CM_DECIMAL_TEXT],
        on_document[CM_DECIMAL_TEXT];
    const cm_kind *kind = &line->kind;
    snprintf(place, sizeof place, "%" PRIu32 ":%" PRIu64, r->file->chunk, line->row);
    cm_decimal_print(line->quantity, quantity);
    cm_decimal_print(sell, amount);
    cm_decimal_print(converted, on_document);
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
                                    cm_slice_of(amount),
                                    text_or_none(r->order->number),
                                    text_or_none(r->order->document_currency),
                                    text_or_none(r->order->rate_text),
                                    cm_slice_of(on_document)};
    write_row(r->order->out, cell);
}

static bool take_line(cm_line_export *r, const cm_line *line, cm_error *err)
{
    cm_priced priced;
    cm_decimal converted;
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
    if (!cm_export_sum_add(slot->sum, priced.sell, order->rate, &converted) ||
        !cm_decimal_accumulate(&order->total, priced.sell))
        return overflow(err);
    order->lines++;
    write_line(r, line, at, class, priced.sell, converted);
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

/* `currency` and `sell` of a row that stands in the charges' currency; `amount` in the document's. */
static void write_month_row(const cm_line_export_order *order, cm_slice step, const cm_slice key[static CM_EXPORT_KEY],
                            cm_slice quantity, cm_slice sell, cm_slice amount)
{
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
                                    quantity,
                                    sell.length ? cm_slice_of(order->currency) : (cm_slice){0},
                                    sell,
                                    text_or_none(order->number),
                                    text_or_none(order->document_currency),
                                    text_or_none(order->rate_text),
                                    amount};
    write_row(order->out, cell);
}

static bool export_row(cm_line_export_order *order, const json_t *row, cm_error *err)
{
    char on_document[CM_DECIMAL_TEXT];
    cm_decimal amount, converted;
    cm_slice step = text_of(row, "step");
    const cm_slice key[CM_EXPORT_KEY] = {text_of(row, "account"), text_of(row, "product"), text_of(row, "usage_type"),
                                         text_of(row, "unit"), text_of(row, "class")};
    cm_export_sum *sum = cm_export_sums_at(order->sums, key);
    bool valid = cm_decimal_parse_strict(text_of(row, "amount"), &amount);
    cm_assert(valid);
    if (!cm_decimal_accumulate(&order->total, amount) ||
        !(cm_slice_is(step, "tiers")
              ? cm_export_sum_add(sum, amount, order->rate, &converted)
              : cm_export_convert(amount, order->rate, &converted) && cm_decimal_accumulate(&sum->rows, converted)))
        return overflow(err);
    cm_decimal_print(converted, on_document);
    write_month_row(order, step, key, text_of(row, "quantity"), text_of(row, "amount"), cm_slice_of(on_document));
    return true;
}

bool cm_line_export_correction(cm_line_export_order *order, const char *kind, const json_t *lines, cm_error *err)
{
    size_t i;
    json_t *line;
    json_array_foreach ((json_t *)lines, i, line) {
        const cm_slice key[CM_EXPORT_KEY] = {text_of(line, "account"), text_of(line, "product"),
                                             text_of(line, "usage_type"), text_of(line, "unit"),
                                             text_of(line, "class")};
        cm_decimal amount;
        bool valid = cm_decimal_parse_strict(text_of(line, "amount_exact"), &amount);
        cm_assert(valid);
        if (strcmp(json_string_value(json_object_get(line, "customer")), order->customer) != 0)
            continue;
        if (!cm_decimal_accumulate(&order->total, amount))
            return overflow(err);
        order->lines++;
        write_month_row(order, cm_slice_of(kind), key, text_of(line, "quantity"), (cm_slice){0},
                        text_of(line, "amount_exact"));
    }
    return true;
}

bool cm_line_export_rows(cm_line_export_order *order, const json_t *rows, cm_error *err)
{
    size_t i;
    json_t *row;
    bool done = true;
    json_array_foreach ((json_t *)rows, i, row)
        done = done && export_row(order, row, err);
    return done;
}
