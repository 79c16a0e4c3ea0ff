/* The reseller's own view of a document: what it earns, by account, product, class and step, without remainder
 * (rating.md section 7; R08). */
#include "billing/statement/internal.h"

#include "base/base/order.h"
#include "base/json/json.h"

#include <stdlib.h>
#include <string.h>

/* A row of the margin, or, before merging, a single charge or line. */
typedef struct margin_part {
    const char *customer, *account, *product, *class;
    const char
        *earned; /* "2025-05": a provider discount of that month, credited in this one; "" for this month's own */
    enum cm_line_step step;
    cm_decimal source_buy,
        source_withheld; /* in the charges' currency; withheld: provider discounts that the distributor keeps */
    /* AWS's taxes: bought, but not part of the reseller's earnings, like taxes that the document adds. Not in the
     * margin. */
    bool is_tax;
    bool group_missing; /* AWS support on an account without a support plan group */
    cm_decimal sell, buy, fx,
        withheld; /* in the document's currency; fx: buy at the reseller's rate minus buy at the distributor's */
} margin_part;

struct cm_margin {
    margin_part *list;
    size_t count, capacity;
};

static margin_part *add(cm_margin *margin)
{
    if (margin->count == margin->capacity) {
        margin->capacity = margin->capacity ? margin->capacity * 2 : 64;
        margin->list = cm_realloc(margin->list, margin->capacity * sizeof *margin->list);
    }
    margin->list[margin->count] = (margin_part){.earned = ""};
    return &margin->list[margin->count++];
}

void cm_margin_free(cm_margin *margin)
{
    if (margin)
        free(margin->list);
    free(margin);
}

static bool without_group(const cm_building *b, const cm_statement_charge *charge)
{
    return charge->class == CM_CLASS_SUPPORT && !cm_group_of_charges(b->catalog, charge->payer, charge->account,
                                                                     charge->customer, charge->link_from, b->period);
}

/* N12: credits by the distributor in this month for earlier ones reduce what the reseller pays. */
static bool add_arrears(const cm_building *b, cm_section *section)
{
    for (size_t i = 0; i < b->discount_count; i++) {
        const cm_discount *discount = &b->discounts[i];
        if (strcmp(discount->customer, section->customer->id) != 0 || strcmp(discount->currency, section->source) != 0)
            continue;
        margin_part *part = add(section->margin);
        *part = (margin_part){.customer = section->customer->id,
                              .account = discount->account,
                              .product = discount->product,
                              .class = cm_class_name(CM_CLASS_PROVIDER_DISCOUNT),
                              .earned = discount->earned,
                              .step = CM_STEP_ARREARS};
        if (!cm_decimal_negate(discount->amount, &part->source_buy))
            return false;
    }
    return true;
}

bool cm_margin_begin(const cm_building *b, cm_section *section, const cm_work *work)
{
    section->margin = cm_alloc(sizeof *section->margin);
    *section->margin = (cm_margin){0};
    for (size_t i = 0; i < work->count; i++) {
        const cm_statement_charge *charge = &work->list[i];
        margin_part *part = add(section->margin);
        part->customer = charge->customer;
        part->account = charge->account;
        part->product = charge->product;
        part->class = cm_class_name(charge->class);
        part->source_buy = charge->buy_amount;
        part->is_tax = charge->class == CM_CLASS_TAX;
        part->group_missing = without_group(b, charge);
        if (charge->class == CM_CLASS_PROVIDER_DISCOUNT && cm_decimal_is_zero(charge->buy_amount) &&
            !cm_decimal_negate(charge->payer_amount, &part->source_withheld))
            return false;
    }
    for (size_t i = 0; i < section->lines.count; i++) {
        const cm_draft_line *line = &section->lines.list[i];
        if (line->step != CM_STEP_SUPPORT)
            continue;
        margin_part *part = add(section->margin);
        *part = (margin_part){.customer = line->customer,
                              .account = line->account,
                              .product = line->product,
                              .class = line->class,
                              .earned = "",
                              .step = line->step,
                              .source_buy = line->source_buy};
    }
    return add_arrears(b, section);
}

/* Rows of an account and product are consecutive. */
static int by_key(const void *a, const void *b)
{
    const margin_part *x = a, *y = b;
    CM_ORDER_BY_TEXT(x->customer, y->customer);
    CM_ORDER_BY_TEXT(x->account, y->account);
    CM_ORDER_BY_TEXT(x->product, y->product);
    if (x->is_tax != y->is_tax)
        return x->is_tax ? 1 : -1;
    if (x->step != y->step)
        return x->step < y->step ? -1 : 1;
    CM_ORDER_BY_TEXT(x->earned, y->earned);
    return strcmp(x->class, y->class);
}

static bool merge(cm_margin *margin)
{
    size_t kept = 0;
    if (margin->count)
        qsort(margin->list, margin->count, sizeof *margin->list, by_key);
    for (size_t i = 0; i < margin->count; i++) {
        margin_part *last = kept ? &margin->list[kept - 1] : NULL, *part = &margin->list[i];
        if (!last || by_key(last, part) != 0) {
            margin->list[kept++] = *part;
            continue;
        }
        last->group_missing |= part->group_missing;
        if (!cm_decimal_accumulate(&last->source_buy, part->source_buy) ||
            !cm_decimal_accumulate(&last->sell, part->sell) ||
            !cm_decimal_accumulate(&last->source_withheld, part->source_withheld))
            return false;
    }
    margin->count = kept;
    return true;
}

static bool convert(cm_decimal amount, const cm_fx_rate *rate, cm_decimal *ret)
{
    *ret = amount;
    return !rate || cm_decimal_multiply_half_even(amount, rate->rate, ret);
}

bool cm_margin_finish(const cm_building *b, cm_section *section)
{
    cm_margin *margin = section->margin;
    for (size_t i = 0; i < section->lines.count; i++) {
        const cm_draft_line *line = &section->lines.list[i];
        margin_part *part = add(margin);
        *part = (margin_part){.customer = line->customer,
                              .account = line->account,
                              .product = line->product,
                              .class = line->class,
                              .earned = "",
                              .step = line->step,
                              .sell = line->exact};
    }
    if (!merge(margin))
        return false;
    if (section->fx) /* R08: a second rate, set by the distributor; without one the difference gains or loses nothing */
        section->distributor_fx =
            cm_catalog_fx(b->catalog, CM_FX_DISTRIBUTOR, section->source, section->fx->to, b->period);
    for (size_t i = 0; i < margin->count; i++) {
        margin_part *part = &margin->list[i];
        cm_decimal paid;
        if (!convert(part->source_buy, section->fx, &part->buy) ||
            !convert(part->source_withheld, section->fx, &part->withheld) ||
            !convert(part->source_buy, section->distributor_fx ? section->distributor_fx : section->fx, &paid) ||
            !cm_decimal_subtract(part->buy, paid, &part->fx))
            return false;
    }
    return true;
}

/* ---- JSON ---- */

static bool is_negative(cm_decimal value)
{
    return cm_decimal_compare(value, CM_DECIMAL_ZERO) < 0;
}

static bool class_is(const margin_part *part, enum cm_class class)
{
    return strcmp(part->class, cm_class_name(class)) == 0;
}

typedef struct margin_sums {
    cm_decimal sell, buy, fx, margin; /* margin = sell - buy + fx */
} margin_sums;

static bool sum_up(const margin_part *part, margin_sums *sums)
{
    cm_decimal margin;
    return cm_decimal_subtract(part->sell, part->buy, &margin) && cm_decimal_accumulate(&margin, part->fx) &&
           cm_decimal_accumulate(&sums->margin, margin) && cm_decimal_accumulate(&sums->sell, part->sell) &&
           cm_decimal_accumulate(&sums->buy, part->buy) && cm_decimal_accumulate(&sums->fx, part->fx);
}

static const char *const step_names[] = {"charges", "support", "custom_charge", "reseller_credit",
                                         "provider_discount_arrears"};

static json_t *row_json(const margin_part *part)
{
    margin_sums sums = {0};
    bool fits = sum_up(part, &sums);
    cm_assert(fits);
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s?, s:o, s:o, s:o, s:o, s:o}", "customer", part->customer, "account",
                     part->account, "product", part->product, "class", part->class, "step", step_names[part->step],
                     "earned", *part->earned ? part->earned : NULL, "sell", cm_json_decimal(part->sell), "buy",
                     cm_json_decimal(part->buy), "fx", cm_json_decimal(part->fx), "margin",
                     cm_json_decimal(sums.margin), "source_buy", cm_json_decimal(part->source_buy));
}

/* The first that fits (rating.md section 7), for the rows of one account and product. */
static bool cause_of(const margin_part *list, size_t count, const margin_sums *sums, const char **ret)
{
    bool group_missing = false;
    cm_decimal shift = CM_DECIMAL_ZERO, credit = CM_DECIMAL_ZERO, withheld = CM_DECIMAL_ZERO, plain, with_discount;
    for (size_t i = 0; i < count; i++) {
        cm_decimal own;
        if (list[i].step == CM_STEP_ARREARS)
            continue;
        if (!cm_decimal_subtract(list[i].sell, list[i].buy, &own) ||
            !cm_decimal_accumulate(&withheld, list[i].withheld))
            return false;
        group_missing |= list[i].group_missing && is_negative(own);
        if ((class_is(&list[i], CM_CLASS_COVERED_USAGE) || class_is(&list[i], CM_CLASS_COMMITMENT_OFFSET) ||
             class_is(&list[i], CM_CLASS_COMMITMENT_FEE)) &&
            !cm_decimal_accumulate(&shift, own))
            return false;
        if ((class_is(&list[i], CM_CLASS_CREDIT) || list[i].step == CM_STEP_CREDIT) &&
            !cm_decimal_accumulate(&credit, own))
            return false;
    }
    if (!cm_decimal_subtract(sums->sell, sums->buy, &plain) || !cm_decimal_add(plain, withheld, &with_discount))
        return false;
    *ret = group_missing         ? "SUPPORT_GROUP_MISSING"
           : is_negative(shift)  ? "COMMITMENT_SHIFT"
           : is_negative(credit) ? "CREDIT"
           : !cm_decimal_is_zero(withheld) && is_negative(plain) && !is_negative(with_discount)
               ? "DISCOUNT_WITHHELD_ELSEWHERE"
           : is_negative(plain) ? "PRICE_BELOW_BUY"
                                : "FX";
    return true;
}

/* Judged by the month's own charges: a credit for another month neither hides a loss nor makes one. */
static bool negative_json(const cm_margin *margin, json_t *ret)
{
    for (size_t first = 0, last; first < margin->count; first = last) {
        const margin_part *head = &margin->list[first];
        margin_sums sums = {0};
        const char *cause;
        for (last = first; last < margin->count && strcmp(margin->list[last].account, head->account) == 0 &&
                           strcmp(margin->list[last].product, head->product) == 0;
             last++)
            if (!margin->list[last].is_tax && margin->list[last].step != CM_STEP_ARREARS &&
                !sum_up(&margin->list[last], &sums))
                return false;
        if (!is_negative(sums.margin))
            continue;
        if (!cause_of(head, last - first, &sums, &cause))
            return false;
        json_array_append_new(ret, json_pack("{s:s, s:s, s:s, s:o, s:s}", "customer", head->customer, "account",
                                             head->account, "product", head->product, "margin",
                                             cm_json_decimal(sums.margin), "cause", cause));
    }
    return true;
}

/* The distributor's bill: in the charges' currency, and in the document's at the distributor's rate. */
static bool bought_json(const cm_margin *margin, json_t *ret, cm_decimal *source_sum, cm_decimal *sum)
{
    for (size_t i = 0; i < margin->count; i++) {
        const margin_part *part = &margin->list[i];
        cm_decimal paid;
        if (cm_decimal_is_zero(part->source_buy))
            continue;
        if (!cm_decimal_subtract(part->buy, part->fx, &paid) || !cm_decimal_accumulate(source_sum, part->source_buy) ||
            !cm_decimal_accumulate(sum, paid))
            return false;
        json_array_append_new(ret, json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:o}", "customer", part->customer,
                                             "account", part->account, "product", part->product, "class", part->class,
                                             "step", step_names[part->step], "source_buy",
                                             cm_json_decimal(part->source_buy), "paid", cm_json_decimal(paid)));
    }
    return true;
}

json_t *cm_margin_json(const cm_section *sections, size_t count, const char *id, const char *currency)
{
    json_t *rows = json_array(), *negative = json_array(), *bought = json_array();
    cm_decimal source_buy = CM_DECIMAL_ZERO, paid = CM_DECIMAL_ZERO;
    margin_sums sums = {0};
    bool fits = true;
    for (size_t s = 0; fits && s < count; s++) {
        const cm_margin *margin = sections[s].margin;
        for (size_t i = 0; fits && i < margin->count; i++) {
            const margin_part *part = &margin->list[i];
            if (part->is_tax)
                continue;
            fits = sum_up(part, &sums);
            if (fits && !(cm_decimal_is_zero(part->sell) && cm_decimal_is_zero(part->buy)))
                json_array_append_new(rows, row_json(part));
        }
        fits = fits && negative_json(margin, negative) && bought_json(margin, bought, &source_buy, &paid);
    }
    if (!fits) {
        json_decref(rows);
        json_decref(negative);
        json_decref(bought);
        return NULL;
    }
    const cm_section *first = &sections[0];
    return json_pack(
        "{s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:s, s:o, s:o, s:o}", "id", id, "currency", currency,
        "rate", first->fx ? cm_json_decimal(first->fx->rate) : json_string("1"), "distributor_rate",
        first->distributor_fx ? cm_json_decimal(first->distributor_fx->rate) : json_null(), "rows", rows, "sell",
        cm_json_decimal(sums.sell), "buy", cm_json_decimal(sums.buy), "fx", cm_json_decimal(sums.fx), "margin",
        cm_json_decimal(sums.margin), "negative", negative, "source_currency", first->source, "bought", bought,
        "source_buy", cm_json_decimal(source_buy), "paid", cm_json_decimal(paid));
}
