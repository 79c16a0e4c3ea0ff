/* Texts that repeat thousands of times (currencies, payers, service names) are kept once, in an arena. One thread. */
#ifndef CM_CATALOG_INTERN_H
#define CM_CATALOG_INTERN_H

#include "base/base/arena.h"
#include "base/base/hash_index.h"
#include "base/base/slice.h"

typedef struct cm_intern {
    cm_arena *arena;
    const char **texts;
    uint32_t capacity, count;
    cm_hash_index index;
} cm_intern; /* {.arena = a} is empty */

/* NUL-terminated, lives as long as the arena. */
const char *cm_intern_text(cm_intern *table, cm_slice text);
void cm_intern_free(cm_intern *table); /* the table only, not the texts */

#endif
