/*
 * Finds elements of a list by a hash of their key: open addressing, at most half full. The list belongs to the caller;
 * the index holds positions and hashes, so it grows by itself and accesses elements only through the caller's `same`.
 *
 *   uint32_t i = cm_hash_find(&index, hash, same_name, list, &name);
 *   if (i == CM_HASH_NONE)
 *       cm_hash_add(&index, hash, i = append(list, name));
 *
 * One thread. Inline, because every usage line goes through one of these.
 */
#ifndef CM_BASE_HASH_INDEX_H
#define CM_BASE_HASH_INDEX_H

#include "base/base/arena.h"
#include "base/base/error.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { CM_HASH_FIRST_SLOTS = 512 };
#define CM_HASH_NONE UINT32_MAX

typedef struct cm_hash_slot {
    uint32_t hash, number; /* position + 1; 0: free */
} cm_hash_slot;

/* {0}, or with an arena, which then owns the slots. */
typedef struct cm_hash_index {
    cm_hash_slot *slot;
    uint32_t slots, count; /* slots: a power of two */
    cm_arena *arena;
} cm_hash_index;

static inline uint32_t cm_hash_short(uint64_t hash)
{
    return (uint32_t)(hash ^ (hash >> 32));
}

/* The position of the element whose key is `key`, or CM_HASH_NONE. `same` compares it with the element at a position.
 */
static inline uint32_t cm_hash_find(const cm_hash_index *index, uint64_t hash,
                                    bool (*same)(const void *list, uint32_t position, const void *key),
                                    const void *list, const void *key)
{
    if (!index->slots)
        return CM_HASH_NONE;
    uint32_t mask = index->slots - 1, low = cm_hash_short(hash);
    for (uint32_t at = low & mask; index->slot[at].number; at = (at + 1) & mask)
        if (index->slot[at].hash == low && same(list, index->slot[at].number - 1, key))
            return index->slot[at].number - 1;
    return CM_HASH_NONE;
}

static inline void cm_hash_put_(cm_hash_index *index, uint32_t hash, uint32_t number)
{
    uint32_t at = hash & (index->slots - 1);
    while (index->slot[at].number)
        at = (at + 1) & (index->slots - 1);
    index->slot[at] = (cm_hash_slot){hash, number};
}

static inline void cm_hash_grow_(cm_hash_index *index)
{
    cm_hash_slot *old = index->slot;
    uint32_t slots = index->slots;
    index->slots = slots ? 2 * slots : (uint32_t)CM_HASH_FIRST_SLOTS;
    size_t bytes = index->slots * sizeof *old;
    index->slot = index->arena ? cm_arena_zalloc(index->arena, bytes) : cm_alloc(bytes);
    for (uint32_t i = 0; i < slots; i++)
        if (old[i].number)
            cm_hash_put_(index, old[i].hash, old[i].number);
    if (!index->arena)
        free(old);
}

/* Adds a key that is not in the index yet, at `position` of the list. */
static inline void cm_hash_add(cm_hash_index *index, uint64_t hash, uint32_t position)
{
    if (2 * (index->count + 1) > index->slots)
        cm_hash_grow_(index);
    cm_hash_put_(index, cm_hash_short(hash), position + 1);
    index->count++;
}

/* Empties it and keeps the memory. */
static inline void cm_hash_clear(cm_hash_index *index)
{
    if (index->slot)
        memset(index->slot, 0, index->slots * sizeof *index->slot);
    index->count = 0;
}

static inline void cm_hash_free(cm_hash_index *index)
{
    if (!index->arena)
        free(index->slot);
    *index = (cm_hash_index){.arena = index->arena};
}

#endif
