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

static void grow(cm_intern *table)
{
    size_t capacity = table->capacity ? table->capacity * 2 : 256;
    const char **slots = cm_alloc(capacity * sizeof *slots);
    for (size_t i = 0; i < table->capacity; i++) {
        if (!table->slots[i])
            continue;
        size_t at = hash_of(table->slots[i], strlen(table->slots[i])) & (capacity - 1);
        while (slots[at])
            at = (at + 1) & (capacity - 1);
        slots[at] = table->slots[i];
    }
    free(table->slots);
    table->slots = slots;
    table->capacity = capacity;
}

const char *cm_intern_text(cm_intern *table, cm_slice text)
{
    if (table->count * 2 >= table->capacity)
        grow(table);
    size_t at = hash_of(text.text, text.length) & (table->capacity - 1);
    for (; table->slots[at]; at = (at + 1) & (table->capacity - 1))
        if (cm_slice_is(text, table->slots[at]))
            return table->slots[at];
    table->count++;
    return table->slots[at] = cm_arena_strndup(table->arena, text.text, text.length);
}

void cm_intern_free(cm_intern *table)
{
    free(table->slots);
    *table = (cm_intern){.arena = table->arena};
}
