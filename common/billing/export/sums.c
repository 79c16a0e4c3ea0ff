#include "billing/export/sums.h"

#include "base/base/arena.h"
#include "base/base/hash_index.h"

#include <stdlib.h>
#include <string.h>

struct cm_export_sums {
    cm_arena *arena;
    cm_export_sum **list;
    uint32_t count, capacity;
    cm_hash_index index;
};

enum { FIRST_CAPACITY = 256 };

cm_export_sums *cm_export_sums_new(void)
{
    cm_export_sums *sums = cm_alloc(sizeof *sums);
    sums->arena = cm_arena_new(64 * 1024);
    return sums;
}

void cm_export_sums_free(cm_export_sums *sums)
{
    if (!sums)
        return;
    cm_arena_free(sums->arena);
    free(sums->list);
    cm_hash_free(&sums->index);
    free(sums);
}

/* FNV-1a over the texts, each ended. */
static uint64_t hash_of(const cm_slice key[static CM_EXPORT_KEY])
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (int k = 0; k < CM_EXPORT_KEY; k++) {
        for (size_t i = 0; i < key[k].length; i++)
            hash = (hash ^ (uint8_t)key[k].text[i]) * UINT64_C(0x100000001b3);
        hash = (hash ^ 0x1ff) * UINT64_C(0x100000001b3);
    }
    return hash;
}

static bool same(const cm_slice a[static CM_EXPORT_KEY], const cm_slice b[static CM_EXPORT_KEY])
{
    for (int k = 0; k < CM_EXPORT_KEY; k++)
        if (!cm_slice_equal(a[k], b[k]))
            return false;
    return true;
}

static bool same_key(const void *list, uint32_t position, const void *key)
{
    return same(((cm_export_sum *const *)list)[position]->key, key);
}

cm_export_sum *cm_export_sums_at(cm_export_sums *sums, const cm_slice key[static CM_EXPORT_KEY])
{
    uint64_t hash = hash_of(key);
    uint32_t i = cm_hash_find(&sums->index, hash, same_key, sums->list, key);
    if (i != CM_HASH_NONE)
        return sums->list[i];
    if (sums->count == sums->capacity) {
        sums->capacity = sums->capacity ? sums->capacity * 2 : FIRST_CAPACITY;
        sums->list = cm_realloc(sums->list, sums->capacity * sizeof *sums->list);
    }
    cm_export_sum *sum = cm_arena_zalloc(sums->arena, sizeof *sum);
    for (int k = 0; k < CM_EXPORT_KEY; k++)
        sum->key[k] =
            (cm_slice){cm_arena_strndup(sums->arena, key[k].length ? key[k].text : "", key[k].length), key[k].length};
    cm_hash_add(&sums->index, hash, sums->count);
    sums->list[sums->count++] = sum;
    return sum;
}

bool cm_export_convert(cm_decimal amount, const cm_decimal *rate, cm_decimal *ret)
{
    *ret = amount;
    return !rate || cm_decimal_multiply_half_even(amount, *rate, ret);
}

bool cm_export_sum_add(cm_export_sum *sum, cm_decimal amount, const cm_decimal *rate, cm_decimal *ret_amount)
{
    cm_decimal now;
    if (!cm_decimal_accumulate(&sum->lines, amount) || !cm_export_convert(sum->lines, rate, &now) ||
        !cm_decimal_subtract(now, sum->amount, ret_amount))
        return false;
    sum->amount = now;
    return true;
}

static bool differs(const cm_export_sum *sum, cm_decimal got, cm_error *err)
{
    char exported[CM_DECIMAL_TEXT], wanted[CM_DECIMAL_TEXT];
    cm_decimal_print(got, exported);
    cm_decimal_print(sum->wanted, wanted);
    return cm_fail(err, CM_ERROR_BUG, "SUMS_DIFFER",
                   "the lines do not add up to the document: account \"%.*s\", product \"%.*s\", usage type \"%.*s\", "
                   "unit \"%.*s\", class %.*s is %s in the "
                   "file and %s on the document",
                   CM_SLICE(sum->key[0]), CM_SLICE(sum->key[1]), CM_SLICE(sum->key[2]), CM_SLICE(sum->key[3]),
                   CM_SLICE(sum->key[4]), exported, wanted);
}

static bool overflow(cm_error *err)
{
    return cm_fail(err, CM_ERROR_BUG, "OVERFLOW", "the sum of the exported lines is too large");
}

static bool compare(const cm_export_sums *sums, const cm_decimal *rate, cm_decimal *ret_total, cm_error *err)
{
    *ret_total = CM_DECIMAL_ZERO;
    for (size_t i = 0; i < sums->count; i++) {
        const cm_export_sum *sum = sums->list[i];
        cm_decimal got;
        if (!cm_export_convert(sum->lines, rate, &got) || !cm_decimal_accumulate(&got, sum->rows) ||
            !cm_decimal_accumulate(ret_total, sum->wanted))
            return overflow(err);
        if (!cm_decimal_equal(got, sum->wanted))
            return differs(sum, got, err);
    }
    return true;
}

/* The document's lines were converted by account, then added up without it (I03). */
static bool merge_accounts(const cm_export_sums *sums, const cm_decimal *rate, cm_export_sums *into)
{
    for (size_t i = 0; i < sums->count; i++) {
        const cm_export_sum *sum = sums->list[i];
        const cm_slice key[CM_EXPORT_KEY] = {{"", 0}, sum->key[1], sum->key[2], sum->key[3], sum->key[4]};
        cm_export_sum *merged = cm_export_sums_at(into, key);
        cm_decimal converted;
        if (!cm_export_convert(sum->lines, rate, &converted) || !cm_decimal_accumulate(&merged->rows, converted) ||
            !cm_decimal_accumulate(&merged->rows, sum->rows) || !cm_decimal_accumulate(&merged->wanted, sum->wanted))
            return false;
    }
    return true;
}

bool cm_export_sums_compare(const cm_export_sums *sums, const cm_decimal *rate, bool without_account,
                            cm_decimal *ret_total, cm_error *err)
{
    if (!without_account)
        return compare(sums, rate, ret_total, err);
    cm_export_sums *merged = cm_export_sums_new();
    bool equal = merge_accounts(sums, rate, merged) ? compare(merged, NULL, ret_total, err) : overflow(err);
    cm_export_sums_free(merged);
    return equal;
}
