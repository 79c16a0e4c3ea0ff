/* From the texts of a line and its time to a decision: customer, class, buy and sell steps (rating.md sections 3 and
 * 4). */
#include "billing/rating/internal.h"

#include "billing/catalog/model/plans.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <xxhash.h>

/* Increase it when the same line and catalog would give other figures: it changes every run's id. */
#define RATING_VERSION "2"

static char version[128];
static pthread_once_t version_once = PTHREAD_ONCE_INIT;

static void write_version(void)
{
    int length = snprintf(version, sizeof version, "rating %s; models %s; %s", RATING_VERSION,
                          cm_payer_models_version(), cm_support_plans_version());
    cm_assert(length > 0 && (size_t)length < sizeof version); /* truncated, it would no longer distinguish versions */
}

const char *cm_engine_version(void)
{
    cm_assert(pthread_once(&version_once, write_version) == 0);
    return version;
}

cm_rater *cm_rater_new(const cm_catalog *catalog, const char *payer, cm_period period, cm_error *err)
{
    const cm_payer *found = cm_catalog_payer(catalog, payer);
    if (!found) {
        cm_fail(err, CM_ERROR_NOT_FOUND, "UNKNOWN_PAYER",
                "payer %s is not in catalog version %s: apply a catalog that contains it", payer, catalog->id);
        return NULL;
    }
    cm_rater *rater = cm_alloc(sizeof *rater);
    *rater = (cm_rater){catalog, found, period, cm_period_start(period), cm_period_end(period)};
    return rater;
}

void cm_rater_free(cm_rater *rater)
{
    free(rater);
}

cm_instant cm_rater_time(const cm_rater *rater, cm_instant usage_start)
{
    if (usage_start < rater->start)
        return rater->start;
    return usage_start < rater->end ? usage_start : rater->end - 1;
}

static void suspend(const cm_deciding *d, enum cm_reason reason)
{
    d->out->class = CM_CLASS_SUSPENDED;
    d->out->reason = reason;
    d->out->buy_rule = d->out->sell_rule = NULL;
    d->out->buy = d->out->sell = (cm_price_step){CM_OP_ZERO, CM_LAYER_PAYER, CM_DECIMAL_ZERO};
}

/* Section 6: each group has its own part of the month's support. */
static bool group_changes(const cm_deciding *d, const cm_link *links, size_t count)
{
    const cm_support_group *own = cm_link_group(d->out->link, d->rater->period);
    for (size_t i = 0; i < count; i++)
        if (links[i].customer == d->out->customer && links[i].from < d->rater->end && links[i].to > d->rater->start &&
            cm_link_group(&links[i], d->rater->period) != own)
            return true;
    return false;
}

/* Section 8: the terms of the delivery's month, whatever the line's own time is. */
static void take_terms(cm_deciding *d)
{
    const cm_customer *customer = d->out->customer;
    d->terms = cm_customer_terms_in(customer, d->rater->period);
    char from[CM_PERIOD_TEXT] = "the beginning";
    if (d->terms->from != INT64_MIN)
        cm_period_print(cm_period_of(d->terms->from), from);
    cm_trace_step(d, "terms", "terms of customer %s from %s on: price book %s", customer->id, from,
                  d->terms->price_book ? d->terms->price_book->id : "none yet");
}

/* Section 3: whose line is it; the payer gets the bill, the customer is the member account's (P05). Returns the reason
 * for suspense, or NONE (then link may still be NULL: the payer's own line). */
static enum cm_reason find_link(cm_deciding *d)
{
    cm_decision *out = d->out;
    size_t count = 0;
    const cm_link *links = cm_catalog_links(d->rater->catalog, d->rater->payer->id, d->kind->usage_account, &count);
    bool later = false;
    for (size_t i = 0; i < count; i++) {
        if (links[i].to <= d->time) {
            cm_valid_from(out, links[i].to);
        } else if (links[i].from > d->time) {
            cm_valid_to(out, links[i].from);
            later = true;
        } else {
            cm_valid_from(out, links[i].from);
            cm_valid_to(out, links[i].to);
            out->link = &links[i];
            out->customer = links[i].customer;
        }
    }
    if (out->link) {
        out->group_changes = group_changes(d, links, count);
        cm_trace_step(d, "link", "account %.*s belongs to customer %s at that time%s", CM_SLICE(d->kind->usage_account),
                      out->customer->id, out->link->given ? ", by its link request (org-linker)" : "");
        take_terms(d);
        return CM_REASON_NONE;
    }
    if (cm_slice_is(d->kind->usage_account, d->rater->payer->id)) {
        cm_trace_step(d, "link", "the payer account itself, without a customer: sell is 0 (P06)");
        return CM_REASON_NONE;
    }
    cm_trace_step(d, "link", "no link of account %.*s under payer %s holds that time%s",
                  CM_SLICE(d->kind->usage_account), d->rater->payer->id, later ? "; one begins later (N11)" : "");
    return later ? CM_REASON_BEFORE_BILLED_FROM : CM_REASON_UNKNOWN_ACCOUNT;
}

static const cm_price_step STEP_ZERO = {CM_OP_ZERO, CM_LAYER_PAYER, {0}};
static const cm_price_step STEP_PAYER = {CM_OP_LAYER, CM_LAYER_PAYER, {0}};

/* Classes without a list price: a percent rule always uses `payer` as its basis. */
static bool has_no_list_price(enum cm_class class)
{
    return class == CM_CLASS_MARKETPLACE || class == CM_CLASS_BUNDLED_DISCOUNT || class == CM_CLASS_REFUND ||
           class == CM_CLASS_FEE;
}

static cm_price_step step_of_rule(const cm_rule *rule, enum cm_class class, bool payer_reads_list)
{
    enum cm_layer payer = payer_reads_list ? CM_LAYER_LIST : CM_LAYER_PAYER;
    switch (rule->price) {
    case CM_PRICE_PERCENT: {
        enum cm_layer of = has_no_list_price(class) ? CM_LAYER_PAYER : rule->of;
        return (cm_price_step){CM_OP_ADD_PERCENT, of == CM_LAYER_PAYER ? payer : of, rule->percent};
    }
    case CM_PRICE_RATE:
        return (cm_price_step){CM_OP_RATE, CM_LAYER_PAYER, rule->rate};
    case CM_PRICE_PASS:
        return (cm_price_step){CM_OP_LAYER, payer, CM_DECIMAL_ZERO};
    case CM_PRICE_FREE:
    case CM_PRICE_TIERS: /* by the month's quantity, when statements are built (section 5) */
        return STEP_ZERO;
    }
    cm_assert(!"a price rule without meaning");
    return STEP_ZERO;
}

static enum cm_reason by_book(const cm_deciding *d, const cm_price_book *book, enum cm_class class,
                              bool payer_reads_list, const char *side, const cm_rule **ret_rule,
                              cm_price_step *ret_step)
{
    enum cm_reason reason = CM_REASON_NONE;
    *ret_rule = cm_book_decide(d, book, class, side, &reason);
    if (!*ret_rule)
        return reason;
    *ret_step = step_of_rule(*ret_rule, class, payer_reads_list);
    if ((*ret_rule)->price == CM_PRICE_TIERS)
        cm_trace_step(d, side,
                      "rule %s has tiers: its price is computed over the month's quantity when statements are built",
                      (*ret_rule)->id);
    return reason;
}

/* Steps 2, 3 and 7 of section 4: what the reseller pays. */
static enum cm_reason decide_buy(const cm_deciding *d, enum cm_class class)
{
    const cm_payer_model *model = d->rater->payer->model;
    cm_decision *out = d->out;
    out->buy = STEP_PAYER;
    switch (class) {
    case CM_CLASS_TAX:
    case CM_CLASS_CREDIT:
        return CM_REASON_NONE;
    case CM_CLASS_PROVIDER_DISCOUNT:
        if (!model->provider_discount_is_resellers) {
            out->buy = STEP_ZERO;
            cm_trace_step(d, "buy", "the distributor credits provider discounts one month later: 0 here (N12)");
        }
        return CM_REASON_NONE;
    case CM_CLASS_SUPPORT: /* N02-N04: prorated, upfront and minimum lines are disregarded where the distributor says so
                            */
        if (model->suppresses_support_lines) {
            out->buy = STEP_ZERO;
            cm_trace_step(d, "buy",
                          "suppressed: the distributor charges the fee of the support plan group instead of "
                          "AWS's support (N02-N04)");
        }
        return CM_REASON_NONE;
    default:
        if (!d->rater->payer->buy_book)
            return CM_REASON_NONE;
        return by_book(d, d->rater->payer->buy_book, class, false, "buy", &out->buy_rule, &out->buy);
    }
}

static cm_price_step credit_step(const cm_deciding *d)
{
    const cm_customer_terms *terms = d->terms;
    char percent[CM_DECIMAL_TEXT];
    switch (terms->credit_mode) {
    case CM_CREDIT_KEEP:
        cm_trace_step(d, "sell",
                      "credit policy keep: the reseller keeps credits, so this line changes nothing for the "
                      "customer");
        return STEP_ZERO;
    case CM_CREDIT_PASS:
        cm_trace_step(d, "sell", "credit policy pass: the customer gets the credit");
        return STEP_PAYER;
    case CM_CREDIT_SPLIT:
        cm_decimal_print(terms->credit_percent, percent);
        cm_trace_step(d, "sell", "credit policy split: the customer gets %s percent of the credit", percent);
        return (cm_price_step){CM_OP_PERCENT, CM_LAYER_PAYER, terms->credit_percent};
    }
    cm_assert(!"a credit policy without meaning");
    return STEP_ZERO;
}

static enum cm_reason decide_commitment(const cm_deciding *d, enum cm_class class)
{
    cm_decision *out = d->out;
    if (d->terms->commitment_policy == CM_COMMITMENT_PASS_THROUGH) {
        cm_trace_step(d, "sell", "commitment policy pass_through: payer");
        out->sell = STEP_PAYER;
        return CM_REASON_NONE;
    }
    if (class != CM_CLASS_COVERED_USAGE) {
        cm_trace_step(d, "sell", "commitment policy on_demand: offsets and fees stay with the reseller");
        return CM_REASON_NONE;
    }
    out->suspend_without_list_price = cm_slice_is(d->kind->line_item_type, "DiscountedUsage");
    return by_book(d, d->terms->price_book, class, true, "sell", &out->sell_rule, &out->sell);
}

/* S9: AWS's own line reaches the customer in one case only; the fee of the group is a row of the statement. */
static void decide_support(const cm_deciding *d)
{
    const cm_support_group *group = cm_link_group(d->out->link, d->rater->period);
    bool suppressed = d->rater->payer->model->suppresses_support_lines;
    if (!group) {
        cm_trace_step(d, "sell",
                      "support of AWS is not passed on, and the account has no support plan group that "
                      "would charge for it: 0 (O15)");
    } else if (!suppressed && group->type == CM_PLAN_PASSTHROUGH) {
        d->out->sell = STEP_PAYER;
        cm_trace_step(d, "sell", "support plan group %s passes on what AWS charges", group->id);
    } else {
        cm_trace_step(d, "sell", "suppressed: 0 here; the support row of group %s on the statement replaces it",
                      group->id);
    }
}

/* Steps 2 to 6 of section 4: what the end customer pays. */
static enum cm_reason decide_sell(const cm_deciding *d, enum cm_class class)
{
    cm_decision *out = d->out;
    out->sell = STEP_ZERO;
    if (!out->customer)
        return CM_REASON_NONE;
    switch (class) {
    case CM_CLASS_TAX:
        cm_trace_step(d, "sell", "tax of AWS is not passed on: the reseller computes its own on the statement");
        return CM_REASON_NONE;
    case CM_CLASS_PROVIDER_DISCOUNT:
        cm_trace_step(d, "sell", "provider discounts stay with the reseller");
        return CM_REASON_NONE;
    case CM_CLASS_SUPPORT:
        decide_support(d);
        return CM_REASON_NONE;
    case CM_CLASS_CREDIT:
        out->sell = credit_step(d);
        return CM_REASON_NONE;
    case CM_CLASS_COVERED_USAGE:
    case CM_CLASS_COMMITMENT_OFFSET:
    case CM_CLASS_COMMITMENT_FEE:
        return decide_commitment(d, class);
    case CM_CLASS_REFUND:
        if (d->terms->refund_policy != CM_REFUND_KEEP)
            break;
        cm_trace_step(d, "sell",
                      "refund policy keep: the reseller keeps refunds, so this line changes nothing for the "
                      "customer");
        return CM_REASON_NONE;
    default:
        break;
    }
    return by_book(d, d->terms->price_book, class, false, "sell", &out->sell_rule, &out->sell);
}

void cm_decide(const cm_rater *rater, const cm_kind *kind, cm_instant time, cm_decision *ret, cm_trace trace,
               void *opaque)
{
    cm_deciding d = {rater, kind, time, ret, NULL, trace, opaque};
    *ret = (cm_decision){.valid_from = INT64_MIN, .valid_to = INT64_MAX, .class_before = CM_CLASS_SUSPENDED};

    enum cm_class class = CM_CLASS_SUSPENDED;
    bool classified = cm_classify(rater, kind, &class);
    ret->class = ret->class_before = class;
    cm_trace_step(&d, "class", "%.*s, product %.*s: %s", CM_SLICE(kind->line_item_type), CM_SLICE(kind->product_code),
                  classified ? cm_class_name(class) : "unknown line item type");

    enum cm_reason no_link = find_link(&d); /* also for unknown types, to know whose statement is blocked (S4) */
    enum cm_reason reason = classified ? no_link : CM_REASON_UNKNOWN_LINE_TYPE;
    if (reason == CM_REASON_NONE)
        reason = decide_buy(&d, class);
    if (reason == CM_REASON_NONE)
        reason = decide_sell(&d, class);
    if (reason != CM_REASON_NONE)
        suspend(&d, reason);
}

uint32_t cm_shard_of(cm_slice account, uint32_t shards)
{
    return (uint32_t)(XXH3_64bits(account.length ? account.text : "", account.length) % shards);
}
