/* One document: rounding, tax, JSON (statements.md section 3; keys of `statement show` in the README of
 * services/curmill). */
#include "base/base/order.h"
#include "base/json/json.h"
#include "billing/catalog/model/currency.h"
#include "billing/statement/internal.h"

#include <stdlib.h>
#include <string.h>

static json_t *line_json(const cm_draft_line *line)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:o}", "customer", line->customer, "account",
                     line->account, "product", line->product, "usage_type", line->usage_type, "unit", line->unit,
                     "class", line->class, "quantity", cm_json_decimal(line->quantity), "amount_exact",
                     cm_json_decimal(line->exact), "amount", cm_json_decimal(line->rounded));
}

/* "1" if nothing had to be converted, the rate if one was used, null if it is missing. */
static json_t *rate_json(const cm_section *section)
{
    if (section->fx)
        return cm_json_decimal(section->fx->rate);
    return strcmp(section->source, section->terms->invoice_currency) == 0 ? json_string("1") : json_null();
}

static bool round_lines(cm_draft_line *lines, size_t count, int places, cm_decimal *ret_subtotal)
{
    cm_decimal *exact = cm_alloc((count + 1) * sizeof *exact), *rounded = cm_alloc((count + 1) * sizeof *rounded);
    for (size_t i = 0; i < count; i++)
        exact[i] = lines[i].exact;
    bool done = cm_round_lines_largest_remainder(exact, count, places, rounded, ret_subtotal);
    for (size_t i = 0; done && i < count; i++)
        lines[i].rounded = rounded[i];
    free(exact);
    free(rounded);
    return done;
}

/* ---- tax: of each customer's share, the shares of one tax added up, rounded once ---- */

typedef struct tax_line {
    const cm_tax *tax;
    cm_decimal base;
} tax_line;

/* `lines` are in the order of the sections. The order of taxes is that in which customers first name them. */
static bool tax_bases(const cm_section *sections, size_t count, const cm_draft_line *lines, tax_line *taxes,
                      size_t *ret_count)
{
    *ret_count = 0;
    for (size_t s = 0; s < count; s++) {
        cm_decimal share = CM_DECIMAL_ZERO;
        for (size_t i = 0; i < sections[s].lines.count; i++, lines++)
            if (!cm_decimal_accumulate(&share, lines->rounded))
                return false;
        for (size_t i = 0; i < sections[s].terms->tax_count; i++) {
            const cm_tax *tax = &sections[s].terms->taxes[i];
            size_t at = 0;
            while (at < *ret_count && (count == 1 || strcmp(taxes[at].tax->name, tax->name) != 0 ||
                                       !cm_decimal_equal(taxes[at].tax->percent, tax->percent)))
                at++;
            if (at == *ret_count)
                taxes[(*ret_count)++] = (tax_line){tax, CM_DECIMAL_ZERO};
            if (!cm_decimal_accumulate(&taxes[at].base, share))
                return false;
        }
    }
    return true;
}

/* *total grows by the taxes. */
static bool taxes_json(const cm_section *sections, size_t count, const cm_draft_line *lines, int places,
                       cm_decimal *total, json_t *ret)
{
    size_t most = 0, found;
    for (size_t s = 0; s < count; s++)
        most += sections[s].terms->tax_count;
    tax_line *taxes = cm_alloc((most + 1) * sizeof *taxes);
    bool done = tax_bases(sections, count, lines, taxes, &found);
    for (size_t i = 0; done && i < found; i++) {
        cm_decimal amount;
        done = cm_decimal_percent_round_half_away(taxes[i].base, taxes[i].tax->percent, places, &amount) &&
               cm_decimal_accumulate(total, amount);
        if (done)
            json_array_append_new(ret,
                                  json_pack("{s:s, s:o, s:o}", "name", taxes[i].tax->name, "percent",
                                            cm_json_decimal(taxes[i].tax->percent), "amount", cm_json_decimal(amount)));
    }
    free(taxes);
    return done;
}

/* ---- full: no breakdown by customer (I03) ---- */

static int by_full_key(const void *a, const void *b)
{
    const cm_draft_line *x = a, *y = b;
    if (x->step != y->step)
        return x->step < y->step ? -1 : 1;
    CM_ORDER_BY_TEXT(x->product, y->product);
    CM_ORDER_BY_TEXT(x->usage_type, y->usage_type);
    CM_ORDER_BY_TEXT(x->unit, y->unit);
    CM_ORDER_BY_TEXT(x->class, y->class);
    return 0;
}

/* Exact amounts are added after conversion, so the document's sum is that of the other modes. */
static bool merge_over_customers(cm_draft_lines *lines)
{
    size_t kept = 0;
    if (lines->count)
        qsort(lines->list, lines->count, sizeof *lines->list, by_full_key);
    for (size_t i = 0; i < lines->count; i++) {
        cm_draft_line *last = kept ? &lines->list[kept - 1] : NULL;
        if (last && by_full_key(last, &lines->list[i]) == 0) {
            if (!cm_decimal_accumulate(&last->quantity, lines->list[i].quantity) ||
                !cm_decimal_accumulate(&last->exact, lines->list[i].exact))
                return false;
        } else {
            lines->list[kept] = lines->list[i];
            lines->list[kept].customer = lines->list[kept].account = "";
            kept++;
        }
    }
    lines->count = kept;
    kept = 0;
    for (size_t i = 0; i < lines->count; i++)
        if (!cm_decimal_is_zero(lines->list[i].exact))
            lines->list[kept++] = lines->list[i];
    lines->count = kept;
    return true;
}

/* ---- the document ---- */

/*
 * The same draft keeps its id. The source currency is part of it if it differs from the document's (D14); a document of
 * several customers is named by its mode and both currencies.
 */
static void document_id(const cm_building *b, const cm_section *section, const char *mode, const char *currency,
                        char ret[static CM_ID_HEX])
{
    char period[CM_PERIOD_TEXT];
    const cm_customer *customer = section->customer;
    bool single = strcmp(mode, "end_customer") == 0;
    cm_digest *digest = cm_digest_new();
    cm_digest_text(digest, single ? "statement" : "statement of several");
    cm_digest_text(digest, customer->reseller->id);
    cm_digest_text(digest, b->lane);
    cm_digest_text(digest, cm_period_print(b->period, period));
    cm_digest_text(digest, single ? customer->id : mode);
    cm_digest_text(digest, single ? currency : section->terms->invoice_currency);
    if (!single || strcmp(section->source, currency) != 0)
        cm_digest_text(digest, section->source);
    cm_digest_finish_id(digest, ret);
}

static cm_draft_lines lines_of(const cm_section *sections, size_t count)
{
    cm_draft_lines all = {0};
    for (size_t s = 0; s < count; s++)
        for (size_t i = 0; i < sections[s].lines.count; i++)
            *cm_draft_lines_add(&all) = sections[s].lines.list[i];
    return all;
}

static json_t *lines_json(const cm_draft_lines *lines)
{
    json_t *list = json_array();
    for (size_t i = 0; i < lines->count; i++)
        json_array_append_new(list, line_json(&lines->list[i]));
    return list;
}

static json_t *customers_json(const cm_section *sections, size_t count)
{
    json_t *list = json_array();
    for (size_t s = 0; s < count; s++)
        json_array_append_new(
            list, json_pack("{s:s, s:s}", "id", sections[s].customer->id, "name", sections[s].customer->name));
    return list;
}

static void take_credits(cm_section *sections, size_t count, cm_statement *ret)
{
    ret->credits = NULL;
    ret->credit_count = 0;
    for (size_t s = 0; s < count; s++) {
        if (sections[s].credit_count == 0)
            continue;
        ret->credits = cm_realloc(ret->credits, (ret->credit_count + sections[s].credit_count) * sizeof *ret->credits);
        memcpy(ret->credits + ret->credit_count, sections[s].credits, sections[s].credit_count * sizeof *ret->credits);
        ret->credit_count += sections[s].credit_count;
    }
}

/* Lines rounded, taxes of the customers' shares, and then (full) the breakdown dropped and its lines rounded to the
 * same sum. */
static bool figures(const cm_section *sections, size_t count, const char *mode, int places, cm_draft_lines *lines,
                    json_t *tax, cm_statement *ret)
{
    cm_decimal subtotal;
    if (!round_lines(lines->list, lines->count, places, &ret->subtotal))
        return false;
    ret->total = ret->subtotal;
    if (!taxes_json(sections, count, lines->list, places, &ret->total, tax))
        return false;
    if (strcmp(mode, "full") != 0)
        return true;
    if (!merge_over_customers(lines) || !round_lines(lines->list, lines->count, places, &subtotal))
        return false;
    cm_assert(cm_decimal_equal(subtotal, ret->subtotal));
    return true;
}

bool cm_document_make(const cm_building *b, cm_section *sections, size_t count, cm_statement *ret, cm_error *err)
{
    const cm_section *first = &sections[0];
    const char *mode = first->customer->reseller->consolidation, *reseller = first->customer->reseller->id;
    const char *currency = first->fx ? first->terms->invoice_currency : first->source;
    int places = cm_currency_minor_digits(currency);
    if (places < 0)
        places = 2; /* a currency that ISO 4217 does not know */
    *ret = (cm_statement){.source_currency = first->source, .fx_id = first->fx ? first->fx->id : ""};
    json_t *tax = json_array();
    cm_draft_lines lines = lines_of(sections, count);
    if (!figures(sections, count, mode, places, &lines, tax, ret)) {
        free(lines.list);
        json_decref(tax);
        return cm_fail(err, CM_ERROR_BUG, "OVERFLOW", "the document of customer %s in %s does not fit an amount",
                       first->customer->id, currency);
    }
    char period[CM_PERIOD_TEXT];
    document_id(b, first, mode, currency, ret->id);
    take_credits(sections, count, ret);
    ret->document =
        json_pack("{s:s, s:n, s:s, s:s, s:s, s:s, s:s, s:o, s:s, s:o, s:o, s:o, s:o, s:o}", "id", ret->id, "number",
                  "kind", "statement", "state", "draft", "reseller", reseller, "lane", b->lane, "period",
                  cm_period_print(b->period, period), "customers", customers_json(sections, count), "currency",
                  currency, "rate", rate_json(first), "lines", lines_json(&lines), "subtotal",
                  cm_json_decimal(ret->subtotal), "tax", tax, "total", cm_json_decimal(ret->total));
    free(lines.list);
    cm_assert(ret->document);
    if (b->with_margin && !(ret->margin = cm_margin_json(sections, count, ret->id, currency))) {
        json_decref(ret->document);
        free(ret->credits);
        return cm_fail(err, CM_ERROR_BUG, "OVERFLOW", "the margin of customer %s does not fit an amount",
                       first->customer->id);
    }
    ret->reseller = json_string_value(json_object_get(ret->document, "reseller"));
    json_t *customer = json_array_get(json_object_get(ret->document, "customers"), 0);
    ret->customer = strcmp(mode, "end_customer") == 0 ? json_string_value(json_object_get(customer, "id")) : "";
    ret->currency = json_string_value(json_object_get(ret->document, "currency"));
    return true;
}
