/* Support plan groups: what a customer pays for AWS Support on its accounts (rating.md section 6; N02-N05, N19, O14;
 * S10, S11). */
#include "billing/statement/internal.h"

#include <stdlib.h>
#include <string.h>

/* What an account under a payer owes to one group. */
typedef struct account_part {
    const cm_support_group *group;
    const char *payer, *account, *currency;
    cm_decimal base, passed; /* what the fee is a percentage of; AWS's own support lines */
    cm_decimal fee, buy;
    bool done; /* fee and buy are known */
} account_part;

typedef struct parts {
    account_part *list;
    size_t count;
} parts;

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

const char *cm_charge_link_from(const cm_statement_charge *charge)
{
    return charge->link_from ? charge->link_from : "";
}

/* --- the fee -------------------------------------------------------------------------------------------------------
 */

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

/* Time that links of the group held, of the month. */
static cm_instant within(cm_period period, cm_instant from, cm_instant to)
{
    cm_instant start = cm_period_start(period), end = cm_period_end(period);
    from = from > start ? from : start;
    to = to < end ? to : end;
    return to > from ? to - from : 0;
}

/* A minimum counts for the days held of the days of the month. */
static bool minimum_for(const cm_building *b, cm_decimal minimum, cm_instant held, cm_decimal *ret)
{
    cm_instant month = within(b->period, INT64_MIN, INT64_MAX);
    return cm_decimal_multiply_divide_half_even(minimum, cm_decimal_from_i64(held), cm_decimal_from_i64(month), ret);
}

/* What the customer pays and what the reseller pays (N05) for a base; `plan` NULL: the distributor's flat percent,
 * without a minimum unless the group sets one (N02, N03). A base of zero or less owes nothing. */
static bool fee_of(const cm_building *b, const cm_support_group *group, const cm_support_plan *plan, cm_decimal base,
                   cm_instant held, cm_decimal *ret, cm_decimal *ret_buy)
{
    const cm_group_terms *terms = cm_group_terms_in(group, b->period);
    cm_decimal percent = terms->has_percent ? terms->percent : cm_decimal_from_i64(10);
    cm_decimal minimum = terms->has_minimum ? terms->minimum : plan ? plan->minimum : CM_DECIMAL_ZERO;
    *ret = *ret_buy = CM_DECIMAL_ZERO;
    if (cm_decimal_compare(base, CM_DECIMAL_ZERO) <= 0)
        return true;
    if (!(plan && !terms->has_percent ? by_bands(plan, base, ret) : cm_decimal_percent_half_even(base, percent, ret)) ||
        !minimum_for(b, minimum, held, &minimum))
        return false;
    if (cm_decimal_compare(*ret, minimum) < 0)
        *ret = minimum;
    return !terms->has_buy_percent || cm_decimal_percent_half_even(base, terms->buy_percent, ret_buy);
}

/* --- one account ---------------------------------------------------------------------------------------------------
 */

static cm_instant held_by_account(const cm_building *b, const char *customer, const account_part *p)
{
    size_t count = 0;
    cm_instant held = 0;
    const cm_link *links = cm_catalog_links(b->catalog, p->payer, cm_slice_of(p->account), &count);
    for (size_t i = 0; i < count; i++) /* they do not overlap */
        if (strcmp(links[i].customer->id, customer) == 0 && cm_link_group(&links[i], b->period) == p->group)
            held += within(b->period, links[i].from, links[i].to);
    return held;
}

/* N04, N19: AWS's own lines come back as a row where the model suppressed them; otherwise they are on the document. */
static void pass_through(const cm_building *b, account_part *p)
{
    const cm_payer *payer = cm_catalog_payer(b->catalog, p->payer);
    p->fee = p->buy = payer && payer->model->suppresses_support_lines ? p->passed : CM_DECIMAL_ZERO;
}

/* --- all accounts of a group together ------------------------------------------------------------------------------
 */

typedef struct span {
    cm_instant from, to;
} span;

static int by_from(const void *a, const void *b)
{
    const span *x = a, *y = b;
    return (x->from > y->from) - (x->from < y->from);
}

/* The time in which some account of the customer in the lane was in the group. */
static cm_instant held_by_group(const cm_building *b, const char *customer, const cm_support_group *group)
{
    span *spans = cm_alloc((b->catalog->link_count + 1) * sizeof *spans);
    size_t count = 0;
    cm_instant held = 0, until = INT64_MIN;
    for (size_t i = 0; i < b->catalog->link_count; i++) {
        const cm_link *link = &b->catalog->links[i];
        const cm_payer *payer = strcmp(link->customer->id, customer) == 0 && cm_link_group(link, b->period) == group
                                    ? cm_catalog_payer(b->catalog, link->payer)
                                    : NULL;
        if (payer && strcmp(payer->lane, b->lane) == 0)
            spans[count++] = (span){link->from, link->to};
    }
    if (count)
        qsort(spans, count, sizeof *spans, by_from);
    for (size_t i = 0; i < count; i++) {
        held += within(b->period, spans[i].from > until ? spans[i].from : until, spans[i].to);
        until = spans[i].to > until ? spans[i].to : until;
    }
    free(spans);
    return held;
}

/* The larger base; of equals the smaller account. */
static bool comes_first(const account_part *x, const account_part *y)
{
    int order = cm_decimal_compare(x->base, y->base);
    if (order == 0)
        order = strcmp(y->account, x->account);
    return order > 0 || (order == 0 && strcmp(x->payer, y->payer) < 0);
}

/* By bases; what rounding leaves goes to the largest. A base of zero or less has no share. */
static bool share_out(parts *all, const cm_support_group *group, cm_decimal fee, cm_decimal buy)
{
    cm_decimal total = CM_DECIMAL_ZERO, left = fee, left_buy = buy;
    account_part *largest = NULL;
    for (size_t i = 0; i < all->count; i++) {
        account_part *p = &all->list[i];
        if (p->group == group && cm_decimal_compare(p->base, CM_DECIMAL_ZERO) > 0 &&
            !cm_decimal_accumulate(&total, p->base))
            return false;
    }
    for (size_t i = 0; i < all->count; i++) {
        account_part *p = &all->list[i];
        if (p->group != group || cm_decimal_compare(p->base, CM_DECIMAL_ZERO) <= 0)
            continue;
        if (!cm_decimal_multiply_divide_half_even(fee, p->base, total, &p->fee) ||
            !cm_decimal_multiply_divide_half_even(buy, p->base, total, &p->buy) ||
            !cm_decimal_subtract(left, p->fee, &left) || !cm_decimal_subtract(left_buy, p->buy, &left_buy))
            return false;
        if (!largest || comes_first(p, largest))
            largest = p;
    }
    return !largest || (cm_decimal_accumulate(&largest->fee, left) && cm_decimal_accumulate(&largest->buy, left_buy));
}

static bool charge_group(const cm_building *b, const char *customer, parts *all, const cm_support_group *group,
                         const cm_support_plan *plan)
{
    cm_decimal base = CM_DECIMAL_ZERO, fee, buy;
    for (size_t i = 0; i < all->count; i++) {
        if (all->list[i].group != group)
            continue;
        all->list[i].done = true;
        if (!cm_decimal_accumulate(&base, all->list[i].base))
            return false;
    }
    return fee_of(b, group, plan, base, held_by_group(b, customer, group), &fee, &buy) &&
           share_out(all, group, fee, buy);
}

/* --- rows ----------------------------------------------------------------------------------------------------------
 */

static bool charge_part(const cm_building *b, const char *customer, parts *all, account_part *p)
{
    const cm_support_plan *plan;
    if (p->done || p->group->type == CM_PLAN_BASIC)
        return true;
    if (p->group->type == CM_PLAN_PASSTHROUGH) {
        pass_through(b, p);
        return true;
    }
    if (!cm_group_plan(b->catalog, p->group, b->period, p->currency, &plan, NULL))
        return true; /* the document waits for SUPPORT_PLAN_ENDED */
    if (p->group->over_group)
        return charge_group(b, customer, all, p->group, plan);
    return fee_of(b, p->group, plan, p->base, held_by_account(b, customer, p), &p->fee, &p->buy);
}

static bool add_charge(const cm_building *b, const cm_statement_charge *charge, account_part *p)
{
    const cm_group_terms *terms = cm_group_terms_in(p->group, b->period);
    return (!terms->base_class[charge->class] ||
            cm_decimal_accumulate(&p->base, cm_charge_layer(charge, terms->base_layer))) &&
           (charge->class != CM_CLASS_SUPPORT || cm_decimal_accumulate(&p->passed, charge->payer_amount));
}

/* The charges of one payer and account: each to the group that held at its time. */
static bool add_account(const cm_building *b, const cm_statement_charge *const *charges, size_t count, parts *all)
{
    const cm_support_group *latest =
        cm_group_of_charges(b->catalog, charges[0]->payer, charges[0]->account, charges[0]->customer, "", b->period);
    size_t first = all->count;
    for (size_t i = 0; i < count; i++) {
        const cm_statement_charge *c = charges[i];
        const char *since = cm_charge_link_from(c);
        const cm_support_group *group =
            *since ? cm_group_of_charges(b->catalog, c->payer, c->account, c->customer, since, b->period) : latest;
        size_t at = first;
        if (!group)
            continue;
        while (at < all->count && all->list[at].group != group)
            at++;
        if (at == all->count)
            all->list[all->count++] =
                (account_part){.group = group, .payer = c->payer, .account = c->account, .currency = c->currency};
        if (!add_charge(b, c, &all->list[at]))
            return false;
    }
    return true;
}

static void add_row(const cm_customer *customer, const account_part *p, cm_draft_lines *lines)
{
    *cm_draft_lines_add(lines) = (cm_draft_line){
        .customer = customer->id,
        .payer = p->payer,
        .account = p->account,
        .product = "AWSSupport",
        .usage_type = p->group->id,
        .unit = "",
        .class = cm_class_name(CM_CLASS_SUPPORT),
        .step = CM_STEP_SUPPORT,
        .quantity = cm_decimal_from_i64(1),
        .source_exact = p->fee,
        .source_buy = p->buy,
    };
}

bool cm_support_add_rows(const cm_building *b, const cm_customer *customer, const cm_statement_charge *const *charges,
                         size_t count, cm_draft_lines *lines, cm_error *err)
{
    parts all = {.list = cm_alloc((count + 1) * sizeof *all.list)};
    bool fits = true;
    for (size_t first = 0, last; fits && first < count; first = last) {
        for (last = first + 1; last < count && strcmp(charges[last]->payer, charges[first]->payer) == 0 &&
                               strcmp(charges[last]->account, charges[first]->account) == 0;
             last++)
            ;
        fits = add_account(b, charges + first, last - first, &all);
    }
    for (size_t i = 0; fits && i < all.count; i++)
        fits = charge_part(b, customer->id, &all, &all.list[i]);
    for (size_t i = 0; fits && i < all.count; i++)
        add_row(customer, &all.list[i], lines);
    free(all.list);
    return fits ||
           cm_fail(err, CM_ERROR_BUG, "OVERFLOW", "support of customer %s does not fit an amount", customer->id);
}
