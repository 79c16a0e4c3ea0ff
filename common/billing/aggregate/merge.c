#include "billing/aggregate/merge.h"

#include <xxhash.h>

enum { KEY_TEXTS = 13, FIRST_CAPACITY = 256 };
_Static_assert(offsetof(cm_charge, lines) == KEY_TEXTS * sizeof(cm_slice),
               "a charge begins with its thirteen key texts");

void cm_merge_init(cm_merge *merge, cm_arena *arena)
{
    *merge = (cm_merge){.arena = arena, .charges.index.arena = arena, .days.index.arena = arena};
}

/* --- keys ---------------------------------------------------------------------------------------------------- */

static uint64_t hash_text(cm_slice text, uint64_t seed)
{
    return XXH3_64bits_withSeed(text.length ? text.text : "", text.length, seed + 1);
}

static const cm_slice *texts_of(const cm_charge *charge)
{
    return &charge->customer;
}

static uint64_t charge_hash(const cm_charge *charge)
{
    uint64_t hash = 0;
    for (int i = 0; i < KEY_TEXTS; i++)
        hash = hash_text(texts_of(charge)[i], hash);
    return hash;
}

static bool charge_equal(const cm_charge *a, const cm_charge *b)
{
    for (int i = 0; i < KEY_TEXTS; i++) {
        if (!cm_slice_equal(texts_of(a)[i], texts_of(b)[i]))
            return false;
    }
    return true;
}

static uint64_t day_hash(const cm_charge_day *day)
{
    return hash_text(day->account, hash_text(day->product, hash_text(day->currency, (uint64_t)(int64_t)day->day)));
}

static bool day_equal(const cm_charge_day *a, const cm_charge_day *b)
{
    return a->day == b->day && cm_slice_equal(a->account, b->account) && cm_slice_equal(a->product, b->product) &&
           cm_slice_equal(a->currency, b->currency);
}

/* --- tables -------------------------------------------------------------------------------------------------- */

/* Room for one more: a new list of twice the size; the old one goes with the arena. */
static void *grown(cm_arena *arena, cm_merge_table *table, const void *list, size_t size)
{
    table->capacity = table->capacity ? table->capacity * 2 : FIRST_CAPACITY;
    void *new = cm_arena_alloc(arena, table->capacity * size);
    if (table->count)
        memcpy(new, list, table->count * size);
    return new;
}

static bool same_charge(const void *list, uint32_t position, const void *key)
{
    return charge_equal(&((const cm_merged_charge *)list)[position].charge, key);
}

static bool same_day(const void *list, uint32_t position, const void *key)
{
    return day_equal((const cm_charge_day *)list + position, key);
}

static cm_merged_charge *charge_of(cm_merge *merge, const cm_charge *key, uint32_t chunk, bool *ret_new)
{
    cm_merge_table *table = &merge->charges;
    uint64_t hash = charge_hash(key);
    uint32_t i = cm_hash_find(&table->index, hash, same_charge, merge->charge, key);
    *ret_new = i == CM_HASH_NONE;
    if (!*ret_new)
        return &merge->charge[i];
    if (table->count == table->capacity)
        merge->charge = grown(merge->arena, table, merge->charge, sizeof *merge->charge);
    cm_hash_add(&table->index, hash, (uint32_t)table->count);
    merge->charge[table->count] = (cm_merged_charge){*key, chunk};
    return &merge->charge[table->count++];
}

static cm_charge_day *day_of(cm_merge *merge, const cm_charge_day *key, bool *ret_new)
{
    cm_merge_table *table = &merge->days;
    uint64_t hash = day_hash(key);
    uint32_t i = cm_hash_find(&table->index, hash, same_day, merge->day, key);
    *ret_new = i == CM_HASH_NONE;
    if (!*ret_new)
        return &merge->day[i];
    if (table->count == table->capacity)
        merge->day = grown(merge->arena, table, merge->day, sizeof *merge->day);
    cm_hash_add(&table->index, hash, (uint32_t)table->count);
    merge->day[table->count] = *key;
    return &merge->day[table->count++];
}

/* --- adding -------------------------------------------------------------------------------------------------- */

static bool add_layers(cm_layers *sum, const cm_layers *more)
{
    return cm_decimal_accumulate(&sum->quantity, more->quantity) && cm_decimal_accumulate(&sum->payer, more->payer) &&
           cm_decimal_accumulate(&sum->list, more->list) && cm_decimal_accumulate(&sum->buy, more->buy) &&
           cm_decimal_accumulate(&sum->sell, more->sell);
}

static bool add_charge(cm_merge *merge, const cm_charge *charge, uint32_t chunk)
{
    bool new;
    cm_merged_charge *merged = charge_of(merge, charge, chunk, &new);
    if (new)
        return true;
    merged->charge.lines += charge->lines;
    merged->charge.derived_lines += charge->derived_lines;
    merged->charge.final_lines += charge->final_lines;
    if (chunk < merged->chunk || (chunk == merged->chunk && charge->first_row < merged->charge.first_row)) {
        merged->chunk = chunk;
        merged->charge.first_row = charge->first_row;
    }
    return add_layers(&merged->charge.sum, &charge->sum);
}

bool cm_merge_add(cm_merge *merge, const cm_rated_batch *batch, cm_error *err)
{
    bool fits = true;
    for (size_t i = 0; fits && i < batch->charges; i++)
        fits = add_charge(merge, &batch->charge[i], batch->chunk);
    for (size_t i = 0; fits && i < batch->days; i++) {
        bool new;
        cm_charge_day *day = day_of(merge, &batch->day[i], &new);
        if (new)
            continue;
        day->lines += batch->day[i].lines;
        day->derived_lines += batch->day[i].derived_lines;
        fits = add_layers(&day->sum, &batch->day[i].sum);
    }
    return fits ||
           cm_fail(err, CM_ERROR_POISON, "OVERFLOW", "a sum of chunk %u, batch %u, shard %u does not fit an amount",
                   batch->chunk, batch->sequence, batch->shard);
}
