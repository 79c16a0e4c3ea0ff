#include "billing/cur/kinds.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <stdlib.h>

enum { KIND_SLOTS = 2 * CM_MEMO_KINDS, TEXT_SLOTS = 2 * CM_MEMO_TEXTS };

_Static_assert(CM_KINDS_KEYS > CM_KINDS_KEY_MAX, "a key always fits after forgetting");
_Static_assert(CM_KINDS_BYTES > CM_KIND_TEXTS * CM_KIND_TEXT_MAX, "the texts of a kind always fit after forgetting");

static uint64_t new_source(void)
{
    static _Atomic uint64_t last;
    return ++last;
}

void cm_kinds_init(cm_kinds *kinds)
{
    kinds->kind = cm_alloc(CM_MEMO_KINDS * sizeof *kinds->kind);
    kinds->text = cm_alloc(CM_MEMO_TEXTS * sizeof *kinds->text);
    kinds->kind_slot = cm_alloc(KIND_SLOTS * sizeof *kinds->kind_slot);
    kinds->text_slot = cm_alloc(TEXT_SLOTS * sizeof *kinds->text_slot);
    kinds->key = cm_alloc(CM_KINDS_KEYS);
    kinds->bytes = cm_alloc(CM_KINDS_BYTES);
    kinds->source = new_source();
}

void cm_kinds_free(cm_kinds *kinds)
{
    free(kinds->kind);
    free(kinds->text);
    free(kinds->kind_slot);
    free(kinds->text_slot);
    free(kinds->key);
    free(kinds->bytes);
    *kinds = (cm_kinds){0};
}

static void forget(cm_kinds *kinds)
{
    memset(kinds->kind_slot, 0, KIND_SLOTS * sizeof *kinds->kind_slot);
    memset(kinds->text_slot, 0, TEXT_SLOTS * sizeof *kinds->text_slot);
    kinds->kind_count = kinds->text_count = kinds->key_used = kinds->bytes_used = 0;
    kinds->source = new_source();
}

bool cm_kinds_has_key(const cm_kinds *kinds, const cm_known_kind *kind, const char *key, uint32_t length)
{
    return kind->key_length == length && memcmp(kinds->key + kind->key_at, key, length) == 0;
}

const cm_known_kind *cm_kinds_find(const cm_kinds *kinds, const char *key, uint32_t length, uint64_t hash)
{
    for (size_t slot = hash % KIND_SLOTS; kinds->kind_slot[slot]; slot = (slot + 1) % KIND_SLOTS) {
        const cm_known_kind *kind = &kinds->kind[kinds->kind_slot[slot] - 1];
        if (kind->hash == hash && cm_kinds_has_key(kinds, kind, key, length))
            return kind;
    }
    return NULL;
}

static uint32_t intern(cm_kinds *kinds, cm_slice text)
{
    size_t slot = XXH3_64bits(text.length ? text.text : "", text.length) % TEXT_SLOTS;
    for (; kinds->text_slot[slot]; slot = (slot + 1) % TEXT_SLOTS)
        if (cm_slice_equal(kinds->text[kinds->text_slot[slot] - 1], text))
            return kinds->text_slot[slot] - 1;
    char *copy = kinds->bytes + kinds->bytes_used;
    if (text.length)
        memcpy(copy, text.text, text.length);
    kinds->bytes_used += (uint32_t)text.length;
    kinds->text[kinds->text_count] = (cm_slice){copy, text.length};
    kinds->text_slot[slot] = ++kinds->text_count;
    return kinds->text_count - 1;
}

const cm_known_kind *cm_kinds_add(cm_kinds *kinds, const char *key, uint32_t length, uint64_t hash,
                                  const cm_slice texts[static CM_KIND_TEXTS], uint32_t flags)
{
    size_t bytes = 0;
    for (int i = 0; i < CM_KIND_TEXTS; i++) {
        cm_assert(texts[i].length <= CM_KIND_TEXT_MAX);
        bytes += texts[i].length;
    }
    cm_assert(length <= CM_KINDS_KEY_MAX);
    if (kinds->kind_count == CM_MEMO_KINDS || kinds->text_count > CM_MEMO_TEXTS - CM_KIND_TEXTS ||
        length > CM_KINDS_KEYS - kinds->key_used || bytes > CM_KINDS_BYTES - kinds->bytes_used)
        forget(kinds);
    cm_known_kind *kind = &kinds->kind[kinds->kind_count];
    *kind = (cm_known_kind){.hash = hash, .key_at = kinds->key_used, .key_length = length, .flags = flags};
    memcpy(kinds->key + kinds->key_used, key, length);
    kinds->key_used += length;
    for (int i = 0; i < CM_KIND_TEXTS; i++)
        kind->text[i] = intern(kinds, texts[i]);
    size_t slot = hash % KIND_SLOTS;
    while (kinds->kind_slot[slot])
        slot = (slot + 1) % KIND_SLOTS;
    kinds->kind_slot[slot] = ++kinds->kind_count;
    return kind;
}
