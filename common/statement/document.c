/* One document: rounding, tax, JSON (statements.md section 3; keys of `statement show` in the README of
 * services/curmill). */
#include "catalog/currency.h"
#include "statement/internal.h"

#include <stdlib.h>
#include <string.h>

static json_t *decimal_json(cm_decimal value)
{
    char text[CM_DECIMAL_TEXT];
    cm_decimal_print(value, text);
    return json_string(text);
}

static json_t *line_json(const cm_customer *customer, const cm_draft_line *line)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:o}", "customer", customer->id, "account",
                     line->account, "product", line->product, "usage_type", line->usage_type, "unit", line->unit,
                     "class", line->class, "quantity", decimal_json(line->quantity), "amount_exact",
                     decimal_json(line->exact), "amount", decimal_json(line->rounded));
}

/* "1" if nothing was to be converted, the rate if one was used, null if it is missing. */
static json_t *rate_json(const cm_customer *customer, const char *source, const cm_fx_rate *fx)
{
    if (fx)
        return decimal_json(fx->rate);
    return strcmp(source, customer->invoice_currency) == 0 ? json_string("1") : json_null();
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

/* Each tax line is total x percent, rounded once. *total grows by them. */
static bool taxes_json(const cm_customer *customer, cm_decimal subtotal, int places, cm_decimal *total, json_t *ret)
{
    for (size_t i = 0; i < customer->tax_count; i++) {
        cm_decimal amount;
        if (!cm_decimal_percent_round_half_away(subtotal, customer->taxes[i].percent, places, &amount) ||
            !cm_decimal_accumulate(total, amount))
            return false;
        json_array_append_new(ret, json_pack("{s:s, s:o, s:o}", "name", customer->taxes[i].name, "percent",
                                             decimal_json(customer->taxes[i].percent), "amount", decimal_json(amount)));
    }
    return true;
}

/* The same draft keeps its id. The source currency counts where it is another one than the document's (D14). */
static void document_id(const cm_building *b, const cm_customer *customer, const char *source, const char *currency,
                        char ret[static CM_ID_HEX])
{
    char period[CM_PERIOD_TEXT];
    cm_digest *digest = cm_digest_new();
    cm_digest_text(digest, "statement");
    cm_digest_text(digest, customer->reseller->id);
    cm_digest_text(digest, b->lane);
    cm_digest_text(digest, cm_period_print(b->period, period));
    cm_digest_text(digest, customer->id);
    cm_digest_text(digest, currency);
    if (strcmp(source, currency) != 0)
        cm_digest_text(digest, source);
    cm_digest_finish_id(digest, ret);
}

bool cm_document_make(const cm_building *b, const cm_customer *customer, const char *source, const cm_fx_rate *fx,
                      cm_draft_lines *lines, cm_statement *ret, cm_error *err)
{
    const char *currency = fx ? customer->invoice_currency : source;
    int places = cm_currency_minor_digits(currency);
    if (places < 0)
        places = 2; /* a currency that ISO 4217 does not know */
    cm_decimal subtotal, total;
    json_t *tax = json_array();
    bool done = round_lines(lines->list, lines->count, places, &subtotal);
    if (done) {
        total = subtotal;
        done = taxes_json(customer, subtotal, places, &total, tax);
    }
    if (!done) {
        json_decref(tax);
        return cm_fail(err, CM_ERROR_BUG, "OVERFLOW", "the document of customer %s in %s does not fit an amount",
                       customer->id, currency);
    }
    json_t *line_list = json_array();
    for (size_t i = 0; i < lines->count; i++)
        json_array_append_new(line_list, line_json(customer, &lines->list[i]));

    char period[CM_PERIOD_TEXT];
    document_id(b, customer, source, currency, ret->id);
    ret->source_currency = source;
    ret->fx_id = fx ? fx->id : "";
    ret->subtotal = subtotal;
    ret->total = total;
    ret->document =
        json_pack("{s:s, s:n, s:s, s:s, s:s, s:s, s:s, s:[{s:s, s:s}], s:s, s:o, s:o, s:o, s:o, s:o}", "id", ret->id,
                  "number", "kind", "statement", "state", "draft", "reseller", customer->reseller->id, "lane", b->lane,
                  "period", cm_period_print(b->period, period), "customers", "id", customer->id, "name", customer->name,
                  "currency", currency, "rate", rate_json(customer, source, fx), "lines", line_list, "subtotal",
                  decimal_json(subtotal), "tax", tax, "total", decimal_json(total));
    cm_assert(ret->document);
    ret->reseller = json_string_value(json_object_get(ret->document, "reseller"));
    ret->customer =
        json_string_value(json_object_get(json_array_get(json_object_get(ret->document, "customers"), 0), "id"));
    ret->currency = json_string_value(json_object_get(ret->document, "currency"));
    return true;
}
