#include "naive.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static void add(cm_decimal *sum, cm_decimal value)
{
    cr_assert(!__builtin_add_overflow(sum->units, value.units, &sum->units));
}

static void add_all(cm_layers *sum, cm_decimal quantity, const cm_priced *priced)
{
    add(&sum->quantity, quantity);
    add(&sum->payer, priced->payer);
    add(&sum->list, priced->list);
    add(&sum->buy, priced->buy);
    add(&sum->sell, priced->sell);
}

static bool same_charge(const cm_charge *a, const cm_charge *b)
{
    return cm_slice_equal(a->customer, b->customer) && cm_slice_equal(a->account, b->account) &&
           cm_slice_equal(a->line_item_type, b->line_item_type) && cm_slice_equal(a->class, b->class) &&
           cm_slice_equal(a->product, b->product) && cm_slice_equal(a->usage_type, b->usage_type) &&
           cm_slice_equal(a->operation, b->operation) && cm_slice_equal(a->region, b->region) &&
           cm_slice_equal(a->unit, b->unit) && cm_slice_equal(a->rule, b->rule) &&
           cm_slice_equal(a->currency, b->currency) && cm_slice_equal(a->reason, b->reason) &&
           cm_slice_equal(a->link_from, b->link_from);
}

static cm_charge *charge_for(naive *n, const cm_charge *key, uint32_t shard)
{
    for (size_t i = 0; i < n->charges; i++)
        if (same_charge(&n->charge[i], key))
            return &n->charge[i];
    n->charge[n->charges] = *key;
    n->charge_shard[n->charges] = shard;
    return &n->charge[n->charges++];
}

static cm_charge_day *day_for(naive *n, const cm_kind *kind, int32_t day, uint32_t shard)
{
    for (size_t i = 0; i < n->days; i++) {
        cm_charge_day *d = &n->day[i];
        if (d->day == day && cm_slice_equal(d->account, kind->usage_account) &&
            cm_slice_equal(d->product, kind->product_code) && cm_slice_equal(d->currency, kind->currency))
            return d;
    }
    n->day[n->days] = (cm_charge_day){
        .day = day, .account = kind->usage_account, .product = kind->product_code, .currency = kind->currency};
    n->day_shard[n->days] = shard;
    return &n->day[n->days++];
}

static void add_cost(struct naive_shard *shard, cm_slice currency, cm_decimal cost)
{
    for (size_t i = 0; i < shard->costs; i++)
        if (cm_slice_is(currency, shard->cost[i].currency)) {
            add(&shard->cost[i].amount, cost);
            return;
        }
    cm_cost *new = &shard->cost[shard->costs++];
    *new = (cm_cost){.amount = cost};
    memcpy(new->currency, currency.text, currency.length);
}

/* Since when the line's link holds in the month; "" unless its account has several groups. */
static cm_slice since(const cm_rater *rater, const cm_decision *d)
{
    static char kept[64][CM_INSTANT_TEXT];
    static size_t count;
    char text[CM_INSTANT_TEXT];
    cm_instant start = cm_rater_time(rater, INT64_MIN);
    if (!d->group_changes)
        return cm_slice_of("");
    cm_instant_print(d->link->from > start ? d->link->from : start, text);
    for (size_t i = 0; i < count; i++)
        if (strcmp(kept[i], text) == 0)
            return cm_slice_of(kept[i]);
    cr_assert_lt(count, sizeof kept / sizeof *kept);
    memcpy(kept[count], text, sizeof text);
    return cm_slice_of(kept[count++]);
}

static void add_line(const cm_rater *rater, const cm_line_batch *batch, uint32_t i, uint64_t row, uint32_t shards,
                     naive *n)
{
    const cm_kind *kind = &batch->kind_of[batch->kind[i]];
    cm_instant time = cm_rater_time(rater, batch->start[i]);
    cm_decision d;
    cm_priced priced;
    cm_error err = {0};
    cm_decide(rater, kind, time, &d, NULL, NULL);
    cr_assert(cm_price(&d, batch->quantity[i], batch->cost[i], batch->list_cost[i], &priced, &err));
    bool suspended = priced.reason != CM_REASON_NONE;
    cm_charge key = {
        .customer = cm_slice_of(d.customer ? d.customer->id : ""),
        .account = kind->usage_account,
        .line_item_type = kind->line_item_type,
        .class = cm_slice_of(suspended ? "suspended" : cm_class_name(d.class)),
        .product = kind->product_code,
        .usage_type = kind->usage_type,
        .operation = kind->operation,
        .region = kind->region,
        .unit = kind->unit,
        .rule = cm_slice_of(!suspended && d.sell_rule ? d.sell_rule->id : ""),
        .currency = kind->currency,
        .reason = cm_slice_of(cm_reason_name(priced.reason)),
        .link_from = since(rater, &d),
        .first_row = row,
    };
    uint32_t shard = cm_shard_of(kind->usage_account, shards);
    cr_assert_lt(shard, shards);
    cm_charge *charge = charge_for(n, &key, shard);
    if (kind->flags & CM_KIND_DERIVED) {
        charge->derived_lines++;
    } else {
        charge->lines++;
        charge->final_lines += (kind->flags & CM_KIND_FINAL) ? 1 : 0;
    }
    add_all(&charge->sum, batch->quantity[i], &priced);
    cm_charge_day *day = day_for(n, kind, cm_day_of(time), shard);
    *(kind->flags & CM_KIND_DERIVED ? &day->derived_lines : &day->lines) += 1;
    add_all(&day->sum, batch->quantity[i], &priced);
    *(kind->flags & CM_KIND_DERIVED ? &n->shard[shard].derived_lines : &n->shard[shard].lines) += 1;
    n->shard[shard].checksum += batch->checksum[i];
    add_cost(&n->shard[shard], kind->currency, batch->cost[i]);
    n->suspended += suspended && !(kind->flags & CM_KIND_DERIVED);
}

void naive_rate(const cm_rater *rater, const cm_line_batch *batch, uint32_t shards, naive *ret)
{
    *ret = (naive){.charge = cm_alloc(batch->lines * sizeof(cm_charge)),
                   .charge_shard = cm_alloc(batch->lines * sizeof(uint32_t)),
                   .day = cm_alloc(batch->lines * sizeof(cm_charge_day)),
                   .day_shard = cm_alloc(batch->lines * sizeof(uint32_t))};
    uint64_t row = batch->first_row;
    for (uint32_t i = 0; i < batch->lines; i++) {
        if (i && !(batch->kind_of[batch->kind[i]].flags & CM_KIND_DERIVED))
            row++;
        add_line(rater, batch, i, row, shards, ret);
    }
}

void naive_free(naive *n)
{
    free(n->charge);
    free(n->charge_shard);
    free(n->day);
    free(n->day_shard);
}
