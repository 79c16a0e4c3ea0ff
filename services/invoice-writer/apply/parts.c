/* The charges and days of the new batches, added up for each run, appended to its parts. */
#include "apply/group.h"

#include "billing/aggregate/merge.h"

static void put_slice(cm_copy *copy, cm_slice text)
{
    cm_copy_text(copy, text.length ? text.text : "", text.length);
}

static void put_layers(cm_copy *copy, const cm_layers *sum)
{
    cm_copy_decimal(copy, sum->quantity);
    cm_copy_decimal(copy, sum->payer);
    cm_copy_decimal(copy, sum->list);
    cm_copy_decimal(copy, sum->buy);
    cm_copy_decimal(copy, sum->sell);
}

static bool copy_charges(cm_pg *pg, const char *run, const cm_merge *merge, cm_error *err)
{
    char target[512];
    cm_copy copy;
    snprintf(
        target, sizeof target,
        "charge_part_%s (customer, account, line_item_type, class, product, usage_type, operation, region, unit, "
        "rule, currency,"
        " reason, link_from, lines, derived_lines, final_lines, example_chunk, example_row, quantity, payer_amount, list_amount, "
        "buy_amount, sell_amount)",
        run);
    if (!cm_copy_begin(&copy, pg, target, err))
        return false;
    for (size_t i = 0; i < merge->charges.count; i++) {
        const cm_charge *c = &merge->charge[i].charge;
        const cm_slice key[] = {c->customer,   c->account,   c->line_item_type, c->class, c->product,
                                c->usage_type, c->operation, c->region,         c->unit,  c->rule,
                                c->currency,   c->reason,    c->link_from};
        for (size_t k = 0; k < sizeof key / sizeof *key; k++)
            put_slice(&copy, key[k]);
        cm_copy_i64(&copy, (int64_t)c->lines);
        cm_copy_i64(&copy, (int64_t)c->derived_lines);
        cm_copy_i64(&copy, (int64_t)c->final_lines);
        cm_copy_i64(&copy, merge->charge[i].chunk);
        cm_copy_i64(&copy, (int64_t)c->first_row);
        put_layers(&copy, &c->sum);
        if (!cm_copy_row(&copy, err))
            return false;
    }
    return cm_copy_end(&copy, err);
}

static bool copy_days(cm_pg *pg, const char *run, const cm_merge *merge, cm_error *err)
{
    char target[256], day[CM_INSTANT_TEXT];
    cm_copy copy;
    snprintf(
        target, sizeof target,
        "charge_day_part_%s (day, account, product, currency, lines, derived_lines, quantity, payer_amount, list_amount, "
        "buy_amount, sell_amount)",
        run);
    if (!cm_copy_begin(&copy, pg, target, err))
        return false;
    for (size_t i = 0; i < merge->days.count; i++) {
        const cm_charge_day *d = &merge->day[i];
        cm_day_print(d->day, day);
        cm_copy_text(&copy, day, strlen(day));
        put_slice(&copy, d->account);
        put_slice(&copy, d->product);
        put_slice(&copy, d->currency);
        cm_copy_i64(&copy, (int64_t)d->lines);
        cm_copy_i64(&copy, (int64_t)d->derived_lines);
        put_layers(&copy, &d->sum);
        if (!cm_copy_row(&copy, err))
            return false;
    }
    return cm_copy_end(&copy, err);
}

/* The items of one run: added up, then appended. */
static bool append_run(cm_apply *g, size_t first, size_t last, cm_error *err)
{
    cm_merge merge;
    bool any = false;
    cm_merge_init(&merge, g->arena);
    for (size_t i = first; i < last; i++) {
        if (!g->items[i].new)
            continue;
        any = true;
        if (!cm_merge_add(&merge, g->items[i].batch, err))
            return false;
    }
    const char *run = g->items[first].record->run;
    g->charges += merge.charges.count;
    return !any || (copy_charges(g->writer->pg, run, &merge, err) && copy_days(g->writer->pg, run, &merge, err));
}

bool cm_apply_append_parts(cm_apply *g, cm_error *err)
{
    for (size_t first = 0, last; first < g->item_count; first = last) {
        for (last = first + 1;
             last < g->item_count && strcmp(g->items[last].record->run, g->items[first].record->run) == 0; last++)
            ;
        if (!append_run(g, first, last, err))
            return false;
    }
    return true;
}
