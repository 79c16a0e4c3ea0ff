#include "billing/batch/dictionary.h"

#include "base/base/error.h"
#include "billing/batch/wire.h"

#include <stdlib.h>

enum { FIRST_ENTRIES = 1024 };

void cm_dictionary_init(cm_dictionary *d, uint32_t field)
{
    *d = (cm_dictionary){.field = field, .entry_capacity = FIRST_ENTRIES};
    d->entry = cm_alloc(FIRST_ENTRIES * sizeof *d->entry);
    cm_dictionary_reset(d);
}

void cm_dictionary_free(cm_dictionary *d)
{
    free(d->encoded);
    free(d->entry);
    cm_hash_free(&d->index);
    *d = (cm_dictionary){0};
}

void cm_dictionary_reset(cm_dictionary *d)
{
    d->used = d->text_bytes = d->count = 0;
    cm_hash_clear(&d->index);
    cm_dictionary_number(d, (cm_slice){0});
}

/* Good enough for texts of a report, and short: a few dozen bytes each (FNV-1a over words). */
static uint32_t hash_of(cm_slice text)
{
    uint64_t h = 0xcbf29ce484222325 ^ text.length;
    size_t at = 0;
    for (; at + 8 <= text.length; at += 8) {
        uint64_t word;
        memcpy(&word, text.text + at, 8);
        h = (h ^ word) * 0x9e3779b97f4a7c15;
        h ^= h >> 32;
    }
    for (; at < text.length; at++)
        h = (h ^ (uint8_t)text.text[at]) * 0x100000001b3;
    h *= 0x9e3779b97f4a7c15;
    return (uint32_t)(h >> 32);
}

static uint32_t append(cm_dictionary *d, cm_slice text)
{
    size_t most = text.length + 2 * (CM_WIRE_VARINT_MAX + CM_WIRE_SLACK);
    if (d->capacity - d->used < most) {
        d->capacity = (d->capacity + most) * 2;
        d->encoded = cm_realloc(d->encoded, d->capacity);
    }
    uint8_t *end = cm_wire_put_bytes(d->encoded + d->used, d->field, text.length ? text.text : "", text.length);
    d->used = (size_t)(end - d->encoded);
    d->text_bytes += text.length;
    cm_assert(d->used < UINT32_MAX);
    d->entry[d->count] = (struct cm_dictionary_entry){(uint32_t)(d->used - text.length), (uint32_t)text.length};
    return d->count++;
}

static bool same_text(const void *list, uint32_t position, const void *key)
{
    const cm_dictionary *d = list;
    const cm_slice *text = key;
    const struct cm_dictionary_entry *e = &d->entry[position];
    return e->length == text->length &&
           (text->length == 0 || memcmp(d->encoded + e->at, text->text, text->length) == 0);
}

uint32_t cm_dictionary_number(cm_dictionary *d, cm_slice text)
{
    uint64_t hash = hash_of(text);
    uint32_t i = cm_hash_find(&d->index, hash, same_text, d, &text);
    if (i != CM_HASH_NONE)
        return i;
    if (d->count == d->entry_capacity) {
        d->entry_capacity *= 2;
        d->entry = cm_realloc(d->entry, d->entry_capacity * sizeof *d->entry);
    }
    cm_hash_add(&d->index, hash, d->count);
    return append(d, text);
}
