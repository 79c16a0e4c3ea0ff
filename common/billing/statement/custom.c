/* Custom charges and reseller credits (rating.md section 5). */
#include "billing/statement/internal.h"

#include <stdlib.h>
#include <string.h>

bool cm_custom_charge_is_due(const cm_custom_charge *charge, const char *lane, cm_period period)
{
    cm_instant month = cm_period_start(period);
    return charge->from <= month && month < charge->to && strcmp(charge->lane, lane) == 0;
}

cm_statement_charge cm_custom_charge_presence(const cm_custom_charge *charge)
{
    return (cm_statement_charge){.payer = "",
                                 .customer = charge->customer->id,
                                 .account = "",
                                 .product = "",
                                 .usage_type = "",
                                 .unit = "",
                                 .currency = charge->currency,
                                 .class = CM_CLASS_FEE};
}

static cm_draft_line row(const cm_section *section, const char *name, const char *id, const char *class,
                         enum cm_line_step step, cm_decimal amount)
{
    return (cm_draft_line){.customer = section->customer->id,
                           .payer = "",
                           .account = "",
                           .product = name,
                           .usage_type = id,
                           .unit = "",
                           .class = class,
                           .step = step,
                           .quantity = cm_decimal_from_i64(1),
                           .source_exact = amount};
}

/* Layer sell: the document's amounts before custom charges, with tiers and support. Other layers: those of the
 * charges. */
static bool base_of(const cm_custom_charge *charge, const cm_work *work, const cm_draft_lines *lines, cm_decimal *ret)
{
    enum cm_class class;
    *ret = CM_DECIMAL_ZERO;
    if (charge->base_layer != CM_LAYER_SELL) {
        for (size_t i = 0; i < work->count; i++)
            if (charge->base_class[work->list[i].class] &&
                !cm_decimal_accumulate(ret, cm_charge_layer(&work->list[i], charge->base_layer)))
                return false;
        return true;
    }
    for (size_t i = 0; i < lines->count; i++) {
        const cm_draft_line *line = &lines->list[i];
        if (line->step <= CM_STEP_SUPPORT && cm_class_parse(cm_slice_of(line->class), &class) &&
            charge->base_class[class] && !cm_decimal_accumulate(ret, line->source_exact))
            return false;
    }
    return true;
}

bool cm_custom_add_rows(const cm_building *b, const cm_section *section, const cm_work *work, cm_draft_lines *lines,
                        cm_error *err)
{
    for (size_t i = 0; i < b->catalog->custom_charge_count; i++) {
        const cm_custom_charge *charge = &b->catalog->custom_charges[i];
        cm_decimal amount = charge->amount, base;
        if (charge->customer != section->customer || !cm_custom_charge_is_due(charge, b->lane, b->period))
            continue;
        if (!charge->is_percent && strcmp(charge->currency, section->source) != 0)
            continue;
        if (charge->is_percent &&
            !(base_of(charge, work, lines, &base) && cm_decimal_percent_half_even(base, charge->percent, &amount)))
            return cm_fail(err, CM_ERROR_BUG, "OVERFLOW", "custom charge %s of customer %s does not fit an amount",
                           charge->id, section->customer->id);
        *cm_draft_lines_add(lines) = row(section, charge->name, charge->id, "custom_charge", CM_STEP_CUSTOM, amount);
    }
    return true;
}

/* ---- credits ---- */

/* Those that expire first are used first. */
static int by_expiry(const void *a, const void *b)
{
    const cm_credit *x = *(const cm_credit *const *)a, *y = *(const cm_credit *const *)b;
    int order = (x->expires > y->expires) - (x->expires < y->expires);
    if (!order)
        order = (x->from > y->from) - (x->from < y->from);
    return order ? order : strcmp(x->id, y->id);
}

static size_t usable(const cm_building *b, const cm_section *section, const cm_credit **ret)
{
    cm_instant month = cm_period_start(b->period);
    size_t count = 0;
    for (size_t i = 0; i < b->catalog->credit_count; i++) {
        const cm_credit *credit = &b->catalog->credits[i];
        if (credit->customer == section->customer && credit->from <= month && month < credit->expires &&
            strcmp(credit->lane, b->lane) == 0 && strcmp(credit->currency, section->source) == 0)
            ret[count++] = credit;
    }
    if (count)
        qsort(ret, count, sizeof *ret, by_expiry);
    return count;
}

/* The part that earlier periods left; not below zero, even if its amount has been lowered since. */
static bool balance_of(const cm_building *b, const cm_credit *credit, cm_decimal *ret)
{
    *ret = credit->amount;
    for (size_t i = 0; i < b->used_count; i++)
        if (strcmp(b->used[i].credit, credit->id) == 0 && !cm_decimal_subtract(*ret, b->used[i].amount, ret))
            return false;
    if (cm_decimal_compare(*ret, CM_DECIMAL_ZERO) < 0)
        *ret = CM_DECIMAL_ZERO;
    return true;
}

static bool use_credit(const cm_building *b, cm_section *section, const cm_credit *credit, cm_decimal *owed)
{
    cm_decimal use, negative;
    if (!balance_of(b, credit, &use))
        return false;
    if (cm_decimal_compare(use, *owed) > 0)
        use = *owed;
    if (cm_decimal_is_zero(use))
        return true;
    if (!cm_decimal_subtract(*owed, use, owed) || !cm_decimal_negate(use, &negative))
        return false;
    section->credits[section->credit_count++] = (cm_credit_use){credit->id, use};
    *cm_draft_lines_add(&section->lines) =
        row(section, credit->name, credit->id, "reseller_credit", CM_STEP_CREDIT, negative);
    return true;
}

bool cm_credit_add_rows(const cm_building *b, cm_section *section, cm_error *err)
{
    if (b->catalog->credit_count == 0)
        return true;
    const cm_credit **credits = cm_alloc(b->catalog->credit_count * sizeof *credits);
    size_t count = usable(b, section, credits);
    cm_decimal owed = CM_DECIMAL_ZERO;
    bool done = true;
    for (size_t i = 0; done && i < section->lines.count; i++)
        done = cm_decimal_accumulate(&owed, section->lines.list[i].source_exact);
    if (count)
        section->credits = cm_alloc(count * sizeof *section->credits);
    for (size_t i = 0; done && i < count && cm_decimal_compare(owed, CM_DECIMAL_ZERO) > 0; i++)
        done = use_credit(b, section, credits[i], &owed);
    free(credits);
    return done ||
           cm_fail(err, CM_ERROR_BUG, "OVERFLOW", "credits of customer %s do not fit an amount", section->customer->id);
}
