#include "billing/catalog/parse/intern.h"

#include "base/base/error.h"

#include <stdint.h>
#include <stdlib.h>

/* FNV-1a */
static uint64_t hash_of(const char *text, size_t length)
{
    uint64_t hash = 14695981039346656037u;
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)text[i]) * 1099511628211u;
    return hash;
}

static bool same_text(const void *list, uint32_t position, const void *key)
{
    const char *const *texts = list;
    return cm_slice_is(*(const cm_slice *)key, texts[position]);
}

const char *cm_intern_text(cm_intern *table, cm_slice text)
{
    uint64_t hash = hash_of(text.text, text.length);
    uint32_t i = cm_hash_find(&table->index, hash, same_text, table->texts, &text);
    if (i != CM_HASH_NONE)
        return table->texts[i];
    if (table->count == table->capacity) {
        table->capacity = table->capacity ? table->capacity * 2 : 256;
        table->texts = cm_realloc(table->texts, table->capacity * sizeof *table->texts);
    }
    cm_hash_add(&table->index, hash, table->count);
    return table->texts[table->count++] = cm_arena_strndup(table->arena, text.text, text.length);
}

void cm_intern_free(cm_intern *table)
{
    cm_hash_free(&table->index);
    free(table->texts);
    *table = (cm_intern){.arena = table->arena};
}
