/* Sums of what was exported by line of the document. */
#include "commands/statements/export_lines.h"

#include <stdlib.h>
#include <string.h>

struct export_sums {
    cm_arena *arena;
    export_sum **list;
    size_t count, capacity; /* of list; slots has twice the capacity */
    size_t *slots;          /* index + 1 */
};

enum { FIRST_CAPACITY = 256 };

export_sums *export_sums_new(void)
{
    export_sums *sums = cm_alloc(sizeof *sums);
    sums->arena = cm_arena_new(64 * 1024);
    return sums;
}

void export_sums_free(export_sums *sums)
{
    if (!sums)
        return;
    cm_arena_free(sums->arena);
    free(sums->list);
    free(sums->slots);
    free(sums);
}

/* FNV-1a over the texts, each ended. */
static uint64_t hash_of(const cm_slice key[static 5])
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (int k = 0; k < 5; k++) {
        for (size_t i = 0; i < key[k].length; i++)
            hash = (hash ^ (uint8_t)key[k].text[i]) * UINT64_C(0x100000001b3);
        hash = (hash ^ 0x1ff) * UINT64_C(0x100000001b3);
    }
    return hash;
}

static bool same(const cm_slice a[static 5], const cm_slice b[static 5])
{
    for (int k = 0; k < 5; k++)
        if (!cm_slice_equal(a[k], b[k]))
            return false;
    return true;
}

static size_t *slot_of(const export_sums *sums, const cm_slice key[static 5])
{
    size_t mask = sums->capacity * 2 - 1, at = hash_of(key) & mask;
    while (sums->slots[at] && !same(sums->list[sums->slots[at] - 1]->key, key))
        at = (at + 1) & mask;
    return &sums->slots[at];
}

static void grow(export_sums *sums)
{
    sums->capacity = sums->capacity ? sums->capacity * 2 : FIRST_CAPACITY;
    sums->list = cm_realloc(sums->list, sums->capacity * sizeof *sums->list);
    free(sums->slots);
    sums->slots = cm_alloc(sums->capacity * 2 * sizeof *sums->slots);
    for (size_t i = 0; i < sums->count; i++)
        *slot_of(sums, sums->list[i]->key) = i + 1;
}

export_sum *export_sums_at(export_sums *sums, const cm_slice key[static 5])
{
    if (sums->count == sums->capacity)
        grow(sums);
    size_t *slot = slot_of(sums, key);
    if (*slot)
        return sums->list[*slot - 1];
    export_sum *sum = cm_arena_zalloc(sums->arena, sizeof *sum);
    for (int k = 0; k < 5; k++)
        sum->key[k] =
            (cm_slice){cm_arena_strndup(sums->arena, key[k].length ? key[k].text : "", key[k].length), key[k].length};
    sums->list[sums->count++] = sum;
    *slot = sums->count;
    return sum;
}

bool export_convert(cm_decimal amount, const cm_decimal *rate, cm_decimal *ret)
{
    *ret = amount;
    return !rate || cm_decimal_multiply_half_even(amount, *rate, ret);
}

static bool differs(const export_sum *sum, cm_decimal got, cm_error *err)
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

static bool compare(const export_sums *sums, const cm_decimal *rate, cm_decimal *ret_total, cm_error *err)
{
    *ret_total = CM_DECIMAL_ZERO;
    for (size_t i = 0; i < sums->count; i++) {
        const export_sum *sum = sums->list[i];
        cm_decimal got;
        if (!export_convert(sum->lines, rate, &got) || !cm_decimal_accumulate(&got, sum->rows) ||
            !cm_decimal_accumulate(ret_total, sum->wanted))
            return overflow(err);
        if (!cm_decimal_equal(got, sum->wanted))
            return differs(sum, got, err);
    }
    return true;
}

/* The document's lines were converted by account, then added up without it (I03). */
static bool merge_accounts(const export_sums *sums, const cm_decimal *rate, export_sums *into)
{
    for (size_t i = 0; i < sums->count; i++) {
        const export_sum *sum = sums->list[i];
        const cm_slice key[5] = {{"", 0}, sum->key[1], sum->key[2], sum->key[3], sum->key[4]};
        export_sum *merged = export_sums_at(into, key);
        cm_decimal converted;
        if (!export_convert(sum->lines, rate, &converted) || !cm_decimal_accumulate(&merged->rows, converted) ||
            !cm_decimal_accumulate(&merged->rows, sum->rows) || !cm_decimal_accumulate(&merged->wanted, sum->wanted))
            return false;
    }
    return true;
}

bool export_sums_compare(const export_sums *sums, const cm_decimal *rate, bool without_account, cm_decimal *ret_total,
                         cm_error *err)
{
    if (!without_account)
        return compare(sums, rate, ret_total, err);
    export_sums *merged = export_sums_new();
    bool equal = merge_accounts(sums, rate, merged) ? compare(merged, NULL, ret_total, err) : overflow(err);
    export_sums_free(merged);
    return equal;
}
