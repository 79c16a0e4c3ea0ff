#include "billing/explain/internal.h"

#include "billing/catalog/model/currency.h"

#include <stdio.h>
#include <string.h>

static void tell_terms(const cm_explained *e)
{
    char from[CM_PERIOD_TEXT] = "the beginning";
    if (!e->terms || !e->customer)
        return;
    if (e->terms->from != INT64_MIN)
        cm_period_print(cm_period_of(e->terms->from), from);
    cm_explain_step(e, "terms", "terms of customer %s from %s on: price book %s, invoiced in %s", e->customer->id, from,
                    e->terms->price_book ? e->terms->price_book->id : "none yet", e->terms->invoice_currency);
}

static void tell_custom_charge(const cm_explained *e)
{
    const cm_custom_charge *charge = NULL;
    char number[CM_DECIMAL_TEXT];
    for (size_t i = 0; i < e->catalog->custom_charge_count; i++)
        if (strcmp(e->catalog->custom_charges[i].id, e->id) == 0)
            charge = &e->catalog->custom_charges[i];
    if (!charge)
        return;
    cm_decimal_print(charge->is_percent ? charge->percent : charge->amount, number);
    if (charge->is_percent)
        cm_explain_step(e, "custom_charge", "CustomCharge %s: %s percent of its base in this month", e->id, number);
    else
        cm_explain_step(e, "custom_charge", "CustomCharge %s: %s %s in this month", e->id, number, charge->currency);
}

static void tell_credit(const cm_explained *e)
{
    char number[CM_DECIMAL_TEXT];
    for (size_t i = 0; i < e->catalog->credit_count; i++) {
        const cm_credit *credit = &e->catalog->credits[i];
        if (strcmp(credit->id, e->id) != 0)
            continue;
        cm_decimal_print(credit->amount, number);
        cm_explain_step(e, "credit",
                        "Credit %s of %s %s: what earlier documents left of it pays this one, never below zero", e->id,
                        number, credit->currency);
    }
}

static void tell_charges(const cm_explained *e)
{
    char period[CM_PERIOD_TEXT];
    cm_period_print(e->period, period);
    cm_explain_step(
        e, "what",
        "the sum of lines of the report, each priced on its own: `curmill export lines --customer %s "
        "--period %s` prints them, `curmill explain --payer PAYER --period %s --line CHUNK:ROW` explains one",
        *cm_json_member_text(e->line, "customer") ? cm_json_member_text(e->line, "customer") : "CUSTOMER", period,
        period);
}

static void tell_what(const cm_explained *e)
{
    const char *class = cm_json_member_text(e->line, "class");
    if (strcmp(class, "custom_charge") == 0)
        tell_custom_charge(e);
    else if (strcmp(class, "reseller_credit") == 0)
        tell_credit(e);
    else if (strcmp(class, "support") == 0 && strcmp(cm_json_member_text(e->line, "product"), "AWSSupport") == 0)
        cm_explain_support(e);
    else if (!cm_explain_tiers(e))
        tell_charges(e);
}

static void tell_exchange(const cm_explained *e, const json_t *fx)
{
    const char *currency = cm_json_member_text(e->document, "currency"), *by = cm_json_member_text(fx, "set_by");
    if (!json_is_object(fx)) {
        cm_explain_step(e, "exchange",
                        json_is_null(json_object_get(e->document, "rate"))
                            ? "there is no rate yet: amounts are still in %s"
                            : "none: the charges are in %s as well",
                        currency);
        return;
    }
    cm_explain_step(e, "exchange", "from %s to %s at %s, FxRate %s%s%s%s%s", cm_json_member_text(fx, "from"),
                    cm_json_member_text(fx, "to"), cm_json_member_text(fx, "rate"), cm_json_member_text(fx, "id"),
                    *by ? ", set by " : "", by, *by ? " at " : "", cm_json_member_text(fx, "set_at"));
}

static void tell_rounding(const cm_explained *e)
{
    const char *currency = cm_json_member_text(e->document, "currency");
    int places = cm_currency_minor_digits(currency);
    cm_decimal exact, amount, nearest;
    if (places < 0)
        places = 2;
    if (!cm_json_member_decimal(e->line, "amount_exact", &exact) ||
        !cm_json_member_decimal(e->line, "amount", &amount) || !cm_decimal_round_half_away(exact, places, &nearest))
        return;
    const char *how = cm_decimal_equal(exact, amount) ? "nothing to round"
                      : cm_decimal_equal(nearest, amount)
                          ? "rounded to the nearest"
                          : "one unit beside the nearest, so that the rows add up to the "
                            "subtotal (largest remainder)";
    cm_explain_step(e, "rounding", "%s to %s %s (%d decimals): %s", cm_json_member_text(e->line, "amount_exact"),
                    cm_json_member_text(e->line, "amount"), currency, places, how);
}

/* A difference has no tiers and no plan of its own. */
static bool is_correction(const cm_explained *e)
{
    const json_t *corrects = json_object_get(e->document, "corrects");
    const char *number = cm_json_member_text(corrects, "number");
    if (!corrects)
        return false;
    cm_explain_step(e, "what", "a difference: what the month costs now, minus what document %s%s said about it",
                    *number ? number : cm_json_member_text(corrects, "id"), *number ? "" : " (never issued)");
    return true;
}

json_t *cm_explain_row(const json_t *record, const cm_catalog *catalog, size_t row, cm_error *err)
{
    const json_t *document = json_object_get(record, "document"),
                 *fx = json_object_get(json_object_get(record, "settings"), "fx");
    const json_t *lines = json_object_get(document, "lines"), *line = row ? json_array_get(lines, row - 1) : NULL;
    if (!line) {
        cm_fail(err, CM_ERROR_NOT_FOUND, "NO_ROW", "document %s has %zu rows, counted from 1; it has no row %zu",
                cm_json_member_text(document, "id"), json_array_size(lines), row);
        return NULL;
    }
    cm_explained e = {.document = document,
                      .line = line,
                      .catalog = catalog,
                      .customer = cm_catalog_customer(catalog, cm_json_member_text(line, "customer")),
                      .id = cm_json_member_text(line, "usage_type"),
                      .source = cm_json_member_text(document, "currency"),
                      .steps = json_array()};
    if (json_is_object(fx))
        e.source = cm_json_member_text(fx, "from");
    bool known = cm_period_parse(cm_slice_of(cm_json_member_text(document, "period")), &e.period);
    if (known && e.customer)
        e.terms = cm_customer_terms_in(e.customer, e.period);
    if (!is_correction(&e)) {
        tell_terms(&e);
        tell_what(&e);
    }
    tell_exchange(&e, fx);
    tell_rounding(&e);
    json_t *ret = json_pack("{s:O, s:O, s:O, s:i}", "document", json_object_get(document, "id"), "period",
                            json_object_get(document, "period"), "currency", json_object_get(document, "currency"),
                            "row", (int)row);
    json_object_update(ret, (json_t *)line);
    json_object_set_new(ret, "steps", e.steps);
    return ret;
}
