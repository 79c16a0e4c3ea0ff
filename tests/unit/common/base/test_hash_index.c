#include "base/base/hash_index.h"

#include <criterion/criterion.h>

enum { KEYS = 5000 };

static bool same(const void *list, uint32_t position, const void *key)
{
    return ((const uint64_t *)list)[position] == *(const uint64_t *)key;
}

/* `spread` 1: every key has a hash of its own; a large one: thousands of keys share a few hashes. */
static void fill_and_find(cm_hash_index *index, uint64_t spread)
{
    static uint64_t list[KEYS];
    for (uint32_t i = 0; i < KEYS; i++) {
        uint64_t key = (uint64_t)i * 7919, hash = (key / spread) * 0x9e3779b97f4a7c15u;
        cr_assert_eq(cm_hash_find(index, hash, same, list, &key), CM_HASH_NONE);
        list[i] = key;
        cm_hash_add(index, hash, i);
    }
    for (uint32_t i = 0; i < KEYS; i++)
        cr_assert_eq(cm_hash_find(index, (list[i] / spread) * 0x9e3779b97f4a7c15u, same, list, &list[i]), i);
    uint64_t other = 1;
    cr_assert_eq(cm_hash_find(index, 0, same, list, &other), CM_HASH_NONE);
}

Test(hash_index, finds_what_was_added_while_it_grows)
{
    cm_hash_index index = {0};
    fill_and_find(&index, 1);
    cm_hash_clear(&index);
    fill_and_find(&index, 1);
    cm_hash_free(&index);
    cr_assert_eq(index.slots, 0);
}

Test(hash_index, keys_with_one_hash_are_distinguished)
{
    cm_hash_index index = {0};
    fill_and_find(&index, 7919 * 500);
    cm_hash_free(&index);
}

Test(hash_index, lives_in_an_arena)
{
    cm_arena *arena = cm_arena_new(1024);
    cm_hash_index index = {.arena = arena};
    fill_and_find(&index, 1);
    cm_hash_free(&index);
    cm_arena_free(arena);
}
