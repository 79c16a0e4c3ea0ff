/* Support plan groups: what a customer pays for AWS Support on an account (rating.md section 6; N02-N05, N19, O14; S10,
 * S11). */
#include "billing/statement/internal.h"

#include <stdlib.h>
#include <string.h>

const cm_link *cm_link_of_month(const cm_catalog *catalog, const char *payer, const char *account, const char *customer,
                                cm_period period)
{
    size_t count = 0;
    const cm_link *links = cm_catalog_links(catalog, payer, cm_slice_of(account), &count);
    const cm_link *found = NULL;
    for (size_t i = 0; i < count; i++) { /* by ascending `from` */
        if (strcmp(links[i].customer->id, customer) == 0 && links[i].from < cm_period_end(period) &&
            links[i].to > cm_period_start(period))
            found = &links[i];
    }
    return found;
}

cm_decimal cm_charge_layer(const cm_statement_charge *charge, enum cm_layer layer)
{
    switch (layer) {
    case CM_LAYER_PAYER:
        return charge->payer_amount;
    case CM_LAYER_LIST:
        return charge->list_amount;
    case CM_LAYER_BUY:
        return charge->buy_amount;
    case CM_LAYER_SELL:
        break;
    }
    return charge->sell_amount;
}

static bool base_of(const cm_support_group *group, const cm_statement_charge *const *charges, size_t count,
                    cm_decimal *ret)
{
    *ret = CM_DECIMAL_ZERO;
    for (size_t i = 0; i < count; i++) {
        if (group->base_class[charges[i]->class] &&
            !cm_decimal_accumulate(ret, cm_charge_layer(charges[i], group->base_layer)))
            return false;
    }
    return true;
}

/* Graduated: each band's part of the base at its own percent. Borders and percents are short decimals, so full bands
 * are exact and only the last part is rounded. A base of zero or less costs nothing here. */
static bool by_bands(const cm_support_plan *plan, cm_decimal base, cm_decimal *ret)
{
    *ret = CM_DECIMAL_ZERO;
    cm_decimal lower = CM_DECIMAL_ZERO;
    for (size_t i = 0; i < plan->count && cm_decimal_compare(base, lower) > 0; i++) {
        const cm_plan_band *band = &plan->bands[i];
        bool within = band->unbounded || cm_decimal_compare(base, band->up_to) <= 0;
        cm_decimal part, fee;
        if (!cm_decimal_subtract(within ? base : band->up_to, lower, &part) ||
            !cm_decimal_percent_half_even(part, band->percent, &fee) || !cm_decimal_accumulate(ret, fee))
            return false;
        if (within)
            break;
        lower = band->up_to;
    }
    return true;
}

static void raise_to(cm_decimal *amount, cm_decimal minimum)
{
    if (cm_decimal_compare(*amount, minimum) < 0)
        *amount = minimum;
}

/* The sum of AWS's own support lines: what a passthrough group charges where the model suppressed them. */
static bool passthrough_amount(const cm_payer *payer, const cm_statement_charge *const *charges, size_t count,
                               cm_decimal *ret)
{
    *ret = CM_DECIMAL_ZERO;
    if (!payer || !payer->model->suppresses_support_lines)
        return true;
    for (size_t i = 0; i < count; i++) {
        if (charges[i]->class == CM_CLASS_SUPPORT && !cm_decimal_accumulate(ret, charges[i]->payer_amount))
            return false;
    }
    return true;
}

/* TD SYNNEX: flat percent, no minimum unless the group sets one (N02, N03). */
static bool business_amount(const cm_support_group *group, cm_decimal base, cm_decimal *ret)
{
    cm_decimal percent = group->has_percent ? group->percent : cm_decimal_from_i64(10);
    if (!cm_decimal_percent_half_even(base, percent, ret))
        return false;
    if (group->has_minimum)
        raise_to(ret, group->minimum);
    return true;
}

/* AWS's own plans have dates and one currency: otherwise there is no such plan, and no row. */
static bool public_amount(const cm_building *b, const cm_support_group *group, const char *currency, cm_decimal base,
                          cm_decimal *ret)
{
    *ret = CM_DECIMAL_ZERO;
    const cm_support_plan *plan = cm_catalog_plan(b->catalog, group->type, cm_period_start(b->period));
    if (!plan || strcmp(plan->currency, currency) != 0)
        return true;
    if (!(group->has_percent ? cm_decimal_percent_half_even(base, group->percent, ret) : by_bands(plan, base, ret)))
        return false;
    raise_to(ret, group->has_minimum ? group->minimum : plan->minimum);
    return true;
}

static bool amount_of(const cm_building *b, const cm_support_group *group, const cm_statement_charge *const *charges,
                      size_t count, cm_decimal *ret)
{
    cm_decimal base;
    switch (group->type) {
    case CM_PLAN_BASIC:
        *ret = CM_DECIMAL_ZERO;
        return true;
    case CM_PLAN_PASSTHROUGH:
        return passthrough_amount(cm_catalog_payer(b->catalog, charges[0]->payer), charges, count, ret);
    case CM_PLAN_BUSINESS:
        return base_of(group, charges, count, &base) && business_amount(group, base, ret);
    case CM_PLAN_DEVELOPER:
    case CM_PLAN_BUSINESS_PUBLIC:
    case CM_PLAN_BUSINESS_PLUS:
    case CM_PLAN_ENTERPRISE:
        return base_of(group, charges, count, &base) && public_amount(b, group, charges[0]->currency, base, ret);
    }
    cm_assert(!"a support plan without meaning");
    return false;
}

/* N05: what the reseller pays for it: buy_percent of the base; of what is passed through, the same. */
static bool buy_of(const cm_support_group *group, const cm_statement_charge *const *charges, size_t count,
                   cm_decimal amount, cm_decimal *ret)
{
    cm_decimal base;
    *ret = group->type == CM_PLAN_PASSTHROUGH ? amount : CM_DECIMAL_ZERO;
    if (!group->has_buy_percent || group->type == CM_PLAN_PASSTHROUGH || group->type == CM_PLAN_BASIC)
        return true;
    return base_of(group, charges, count, &base) && cm_decimal_percent_half_even(base, group->buy_percent, ret);
}

bool cm_support_add_row(const cm_building *b, const cm_customer *customer, const cm_statement_charge *const *charges,
                        size_t count, cm_draft_lines *lines, cm_error *err)
{
    const cm_link *link =
        cm_link_of_month(b->catalog, charges[0]->payer, charges[0]->account, charges[0]->customer, b->period);
    const cm_support_group *group = link ? cm_link_group(link, b->period) : NULL;
    if (!group)
        return true;
    cm_decimal amount, buy;
    if (!amount_of(b, group, charges, count, &amount) || !buy_of(group, charges, count, amount, &buy))
        return cm_fail(err, CM_ERROR_BUG, "OVERFLOW", "support of account %s of customer %s does not fit an amount",
                       charges[0]->account, customer->id);
    *cm_draft_lines_add(lines) = (cm_draft_line){
        .customer = customer->id,
        .payer = charges[0]->payer,
        .account = charges[0]->account,
        .product = "AWSSupport",
        .usage_type = group->id,
        .unit = "",
        .class = cm_class_name(CM_CLASS_SUPPORT),
        .step = CM_STEP_SUPPORT,
        .quantity = cm_decimal_from_i64(1),
        .source_exact = amount,
        .source_buy = buy,
    };
    return true;
}
