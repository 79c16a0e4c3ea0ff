/*
 * The work is done once per kind of line where it can be (class, customer, rule), and per line only where it must
 * (amounts). Entries stay in order of first appearance, so the output is deterministic.
 */
#include "billing/aggregate/rate_batch.h"
#include "base/base/hash_index.h"

#include <xxhash.h>

enum { DAYS_OF_PERIOD = 31 };
#define NONE UINT32_MAX

/* A decision about a kind, valid for an interval of time; each kind has a short list of them, most recently used
 * first. */
typedef struct segment {
    cm_decision decision;
    uint32_t charge;    /* index of the charge it adds to, or NONE until first used */
    uint32_t suspended; /* the same for lines suspended because of their data (NO_LIST_PRICE) */
    struct segment *next;
} segment;

typedef struct kind_state {
    segment *segments;
    uint32_t triple; /* index into triples, or NONE */
} kind_state;

/* One (account, product, currency): where its days are. */
typedef struct triple {
    cm_slice account, product, currency;
    uint32_t shard;
    uint32_t day[DAYS_OF_PERIOD]; /* index into days, or NONE */
} triple;

/* A growing array in the arena; the old one is left to the arena's reset. */
typedef struct charges {
    cm_charge *list;
    uint32_t *shard;
    uint32_t count, capacity;
    cm_hash_index index;
} charges;

typedef struct rating {
    const cm_rater *rater;
    const cm_line_batch *batch;
    uint32_t shards;
    cm_arena *arena;
    kind_state *kinds;
    charges charges;
    triple *triples; /* [kinds]: there are no more triples than kinds */
    uint32_t triple_count;
    cm_hash_index triple_index;
    cm_charge_day *days;
    uint32_t *day_shard;
    uint32_t day_count, day_capacity;
    uint64_t *shard_lines, *shard_derived, *shard_checksum;
    uint64_t row; /* of the line being rated */
    int32_t first_day;
    uint64_t suspended;
} rating;

static void *grow(cm_arena *arena, const void *old, uint32_t used, uint32_t capacity, size_t size)
{
    void *new = cm_arena_alloc(arena, capacity * size);
    if (used)
        memcpy(new, old, used * size);
    return new;
}

/* --- charges ----------------------------------------------------------------------------------------------------- */

static const cm_slice *key_of(const cm_charge *charge)
{
    return &charge->customer; /* the thirteen texts come first, see rated_batch.h */
}
enum { KEY_TEXTS = 13 };
_Static_assert(offsetof(cm_charge, lines) == KEY_TEXTS * sizeof(cm_slice),
               "a charge begins with its thirteen key texts");

static uint64_t text_hash(cm_slice text, uint64_t seed)
{
    return XXH3_64bits_withSeed(text.length ? text.text : "", text.length, seed);
}

static uint64_t key_hash(const cm_charge *charge)
{
    uint64_t hash = 0;
    for (int i = 0; i < KEY_TEXTS; i++)
        hash = text_hash(key_of(charge)[i], hash + 1);
    return hash;
}

static bool key_equal(const cm_charge *a, const cm_charge *b)
{
    for (int i = 0; i < KEY_TEXTS; i++) {
        if (!cm_slice_equal(key_of(a)[i], key_of(b)[i]))
            return false;
    }
    return true;
}

static void charges_grow(rating *r)
{
    charges *c = &r->charges;
    uint32_t capacity = c->capacity ? c->capacity * 2 : 256;
    c->list = grow(r->arena, c->list, c->count, capacity, sizeof *c->list);
    c->shard = grow(r->arena, c->shard, c->count, capacity, sizeof *c->shard);
    c->capacity = capacity;
}

static bool same_charge(const void *list, uint32_t position, const void *key)
{
    return key_equal((const cm_charge *)list + position, key);
}

static uint32_t charge_find_or_add(rating *r, const cm_charge *key)
{
    charges *c = &r->charges;
    uint64_t hash = key_hash(key);
    uint32_t i = cm_hash_find(&c->index, hash, same_charge, c->list, key);
    if (i != CM_HASH_NONE)
        return i;
    if (c->count == c->capacity)
        charges_grow(r);
    cm_hash_add(&c->index, hash, c->count);
    c->list[c->count] = *key;
    c->shard[c->count] = cm_shard_of(key->account, r->shards);
    return c->count++;
}

/* The beginning of the link's part of the month, where the support plan group changes in it; "" otherwise. */
static cm_slice part_of_month(const rating *r, const cm_decision *decision)
{
    char text[CM_INSTANT_TEXT];
    if (!decision->group_changes)
        return (cm_slice){"", 0};
    cm_instant from = decision->link->from, start = cm_rater_time(r->rater, INT64_MIN);
    cm_instant_print(from > start ? from : start, text);
    return cm_slice_of(cm_arena_strndup(r->arena, text, strlen(text)));
}

static uint32_t charge_of(rating *r, const cm_kind *kind, const cm_decision *decision, enum cm_reason reason)
{
    bool suspended = reason != CM_REASON_NONE;
    const char *rule = !suspended && decision->sell_rule ? decision->sell_rule->id : "";
    cm_charge key = {
        .customer = cm_slice_of(decision->customer ? decision->customer->id : ""),
        .account = kind->usage_account,
        .line_item_type = kind->line_item_type,
        .class = cm_slice_of(cm_class_name(suspended ? CM_CLASS_SUSPENDED : decision->class)),
        .product = kind->product_code,
        .usage_type = kind->usage_type,
        .operation = kind->operation,
        .region = kind->region,
        .unit = kind->unit,
        .rule = cm_slice_of(rule),
        .currency = kind->currency,
        .reason = cm_slice_of(cm_reason_name(reason)),
        .link_from = part_of_month(r, decision),
        .first_row = UINT64_MAX,
    };
    return charge_find_or_add(r, &key);
}

/* --- days -------------------------------------------------------------------------------------------------------- */

static bool same_triple(const void *list, uint32_t position, const void *key)
{
    const triple *t = (const triple *)list + position;
    const cm_kind *kind = key;
    return cm_slice_equal(t->product, kind->product_code) && cm_slice_equal(t->account, kind->usage_account) &&
           cm_slice_equal(t->currency, kind->currency);
}

static uint32_t triple_of(rating *r, const cm_kind *kind)
{
    uint64_t hash = text_hash(kind->usage_account, text_hash(kind->product_code, text_hash(kind->currency, 0) + 1) + 1);
    uint32_t i = cm_hash_find(&r->triple_index, hash, same_triple, r->triples, kind);
    if (i != CM_HASH_NONE)
        return i;
    cm_hash_add(&r->triple_index, hash, r->triple_count);
    triple *t = &r->triples[r->triple_count];
    *t = (triple){
        kind->usage_account, kind->product_code, kind->currency, cm_shard_of(kind->usage_account, r->shards), {0}};
    for (int d = 0; d < DAYS_OF_PERIOD; d++)
        t->day[d] = NONE;
    return r->triple_count++;
}

static cm_charge_day *day_of(rating *r, uint32_t triple_index, cm_instant time)
{
    triple *t = &r->triples[triple_index];
    int32_t day = cm_day_of(time);
    int32_t slot = day - r->first_day;
    cm_assert(slot >= 0 && slot < DAYS_OF_PERIOD);
    if (t->day[slot] == NONE) {
        if (r->day_count == r->day_capacity) {
            uint32_t capacity = r->day_capacity ? r->day_capacity * 2 : 256;
            r->days = grow(r->arena, r->days, r->day_count, capacity, sizeof *r->days);
            r->day_shard = grow(r->arena, r->day_shard, r->day_count, capacity, sizeof *r->day_shard);
            r->day_capacity = capacity;
        }
        r->days[r->day_count] =
            (cm_charge_day){.day = day, .account = t->account, .product = t->product, .currency = t->currency};
        r->day_shard[r->day_count] = t->shard;
        t->day[slot] = r->day_count++;
    }
    return &r->days[t->day[slot]];
}

/* --- lines ------------------------------------------------------------------------------------------------------- */

static segment *segment_at(rating *r, uint32_t kind_index, cm_instant time)
{
    kind_state *state = &r->kinds[kind_index];
    segment **link = &state->segments;
    for (segment *s = *link; s; link = &s->next, s = s->next) {
        if (time >= s->decision.valid_from && time < s->decision.valid_to) {
            *link = s->next; /* to the front */
            s->next = state->segments;
            state->segments = s;
            return s;
        }
    }
    segment *s = cm_arena_alloc(r->arena, sizeof *s);
    cm_decide(r->rater, &r->batch->kind_of[kind_index], time, &s->decision, NULL, NULL);
    s->charge = s->suspended = NONE;
    s->next = state->segments;
    state->segments = s;
    return s;
}

static bool add_layers(cm_layers *sum, cm_decimal quantity, const cm_priced *priced)
{
    return cm_decimal_accumulate(&sum->quantity, quantity) && cm_decimal_accumulate(&sum->payer, priced->payer) &&
           cm_decimal_accumulate(&sum->list, priced->list) && cm_decimal_accumulate(&sum->buy, priced->buy) &&
           cm_decimal_accumulate(&sum->sell, priced->sell);
}

static bool rate_line(rating *r, uint32_t line, cm_error *err)
{
    const cm_line_batch *batch = r->batch;
    uint32_t kind_index = batch->kind[line];
    const cm_kind *kind = &batch->kind_of[kind_index];
    cm_instant time = cm_rater_time(r->rater, batch->start[line]);
    segment *s = r->kinds[kind_index].segments;
    if (!s || time < s->decision.valid_from || time >= s->decision.valid_to)
        s = segment_at(r, kind_index, time);

    if (kind->currency.length >= sizeof(((cm_cost *)0)->currency))
        return cm_fail(err, CM_ERROR_POISON, "CURRENCY_CODE", "%.*s is not a currency code", CM_SLICE(kind->currency));
    cm_priced priced;
    if (!cm_price(&s->decision, batch->quantity[line], batch->cost[line], batch->list_cost[line], &priced, err))
        return false;
    uint32_t *index = priced.reason == s->decision.reason ? &s->charge : &s->suspended;
    if (*index == NONE)
        *index = charge_of(r, kind, &s->decision, priced.reason);
    cm_charge *charge = &r->charges.list[*index];
    bool derived = (kind->flags & CM_KIND_DERIVED) != 0;
    charge->lines += !derived; /* NOLINT(clang-analyzer-core.NullDereference): an index implies that there is a list */
    charge->derived_lines += derived;
    charge->final_lines += (kind->flags & (CM_KIND_FINAL | CM_KIND_DERIVED)) == CM_KIND_FINAL;
    if (r->row < charge->first_row)
        charge->first_row = r->row;
    r->suspended += priced.reason != CM_REASON_NONE && !derived;

    kind_state *state = &r->kinds[kind_index];
    if (state->triple == NONE)
        state->triple = triple_of(r, kind);
    cm_charge_day *day = day_of(r, state->triple, time);
    day->lines += !derived;
    day->derived_lines += derived;
    if (!add_layers(&charge->sum, batch->quantity[line], &priced) ||
        !add_layers(&day->sum, batch->quantity[line], &priced))
        return cm_fail(err, CM_ERROR_POISON, "OVERFLOW", "a sum does not fit an amount (largest about 1.7e20)");

    uint32_t shard = r->charges.shard[*index];
    r->shard_lines[shard] += !derived;
    r->shard_derived[shard] += derived;
    r->shard_checksum[shard] += batch->checksum[line];
    return true;
}

/* --- shards ------------------------------------------------------------------------------------------------------ */

static int currency_order(const cm_cost *cost, cm_slice currency)
{
    size_t length = strlen(cost->currency);
    int order = memcmp(cost->currency, currency.length ? currency.text : "",
                       length < currency.length ? length : currency.length);
    return order ? order : (length < currency.length ? -1 : length > currency.length);
}

/* Adds to the sorted list of sums by currency; the list has room. */
static bool add_cost(cm_rated_batch *out, cm_slice currency, cm_decimal amount)
{
    size_t at = 0;
    while (at < out->costs && currency_order(&out->cost[at], currency) < 0)
        at++;
    if (at == out->costs || currency_order(&out->cost[at], currency) != 0) {
        memmove(&out->cost[at + 1], &out->cost[at], (out->costs - at) * sizeof *out->cost);
        out->cost[at] = (cm_cost){0};
        memcpy(out->cost[at].currency, currency.length ? currency.text : "", currency.length);
        out->costs++;
    }
    return cm_decimal_accumulate(&out->cost[at].amount, amount);
}

static bool collect_shard(rating *r, uint32_t shard, cm_rated_batch *out, uint64_t *ret_row)
{
    *out = (cm_rated_batch){
        .chunk = r->batch->chunk,
        .sequence = r->batch->sequence,
        .shard = shard,
        .lines = r->shard_lines[shard],
        .derived_lines = r->shard_derived[shard],
        .checksum = r->shard_checksum[shard],
    };
    memcpy(out->run_id, r->batch->run_id, CM_ID_BYTES);
    uint32_t charge_count = 0, day_count = 0;
    for (uint32_t i = 0; i < r->charges.count; i++)
        charge_count += r->charges.shard[i] == shard;
    for (uint32_t i = 0; i < r->day_count; i++)
        day_count += r->day_shard[i] == shard;
    out->charge = cm_arena_alloc(r->arena, charge_count * sizeof *out->charge);
    out->day = cm_arena_alloc(r->arena, (day_count + 1) * sizeof *out->day);
    out->cost = cm_arena_alloc(r->arena, (charge_count + 1) * sizeof *out->cost);
    for (uint32_t i = 0; i < r->charges.count; i++) {
        if (r->charges.shard[i] != shard)
            continue;
        out->charge[out->charges++] = r->charges.list[i];
        if (!add_cost(out, r->charges.list[i].currency, r->charges.list[i].sum.payer)) {
            *ret_row = r->charges.list[i].first_row;
            return false;
        }
    }
    for (uint32_t i = 0; i < r->day_count; i++) {
        if (r->day_shard[i] == shard)
            out->day[out->days++] = r->days[i];
    }
    return true;
}

bool cm_rate_batch(const cm_rater *rater, const cm_line_batch *batch, uint32_t shards, cm_arena *arena,
                   cm_rated_shards *ret, uint64_t *ret_row, cm_error *err)
{
    rating r = {.rater = rater, .batch = batch, .shards = shards, .arena = arena};
    r.first_day = cm_day_of(cm_rater_time(rater, INT64_MIN));
    r.kinds = cm_arena_alloc(arena, (batch->kinds + 1) * sizeof *r.kinds);
    for (uint32_t i = 0; i < batch->kinds; i++)
        r.kinds[i] = (kind_state){NULL, NONE};
    r.triples = cm_arena_alloc(arena, (batch->kinds + 1) * sizeof *r.triples);
    r.triple_index.arena = r.charges.index.arena = arena;
    r.shard_lines = cm_arena_zalloc(arena, shards * sizeof *r.shard_lines);
    r.shard_derived = cm_arena_zalloc(arena, shards * sizeof *r.shard_derived);
    r.shard_checksum = cm_arena_zalloc(arena, shards * sizeof *r.shard_checksum);

    uint64_t lines = 0;
    for (uint32_t line = 0; line < batch->lines; line++) {
        bool derived = (batch->kind_of[batch->kind[line]].flags & CM_KIND_DERIVED) != 0;
        r.row = line ? r.row + !derived : batch->first_row;
        lines += !derived;
        if (!rate_line(&r, line, err)) {
            *ret_row = r.row;
            return false;
        }
    }
    *ret = (cm_rated_shards){
        .batch = cm_arena_alloc(arena, shards * sizeof *ret->batch), .lines = lines, .suspended = r.suspended};
    for (uint32_t shard = 0; shard < shards; shard++) {
        if ((r.shard_lines[shard] || r.shard_derived[shard]) &&
            !collect_shard(&r, shard, &ret->batch[ret->count++], ret_row))
            return cm_fail(err, CM_ERROR_POISON, "OVERFLOW", "a sum does not fit an amount (largest about 1.7e20)");
    }
    return true;
}
