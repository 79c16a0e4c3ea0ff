#include "base/base/arena.h"

#include "base/base/error.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Under the address sanitizer, memory that is not handed out is poisoned, so a pointer used after a reset is found. */
#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#define POISON(address, bytes)   ASAN_POISON_MEMORY_REGION(address, bytes)
#define UNPOISON(address, bytes) ASAN_UNPOISON_MEMORY_REGION(address, bytes)
#else
#define POISON(address, bytes)   ((void)0)
#define UNPOISON(address, bytes) ((void)0)
#endif

enum { ALIGNMENT = 16, SMALLEST_BLOCK = 1024, LARGEST_STEP = 8 << 20 };

struct block {
    struct block *next;
    size_t size; /* of bytes[] */
    _Alignas(ALIGNMENT) char bytes[];
};

struct cm_arena {
    struct block *first;   /* kept across resets */
    struct block *current; /* the newest; first <- ... <- current through next */
    size_t used_in_current;
    size_t used;
    size_t high_water;
};

static struct block *block_new(size_t size, struct block *next)
{
    cm_assert(size < SIZE_MAX / 4);
    /* Not cm_alloc: zeroing a block would cost as much as filling it. */
    struct block *block = cm_realloc(NULL, sizeof *block + size);
    block->next = next;
    block->size = size;
    POISON(block->bytes, size);
    return block;
}

static void block_free(struct block *block)
{
    UNPOISON(block->bytes, block->size);
    free(block);
}

cm_arena *cm_arena_new(size_t first_block)
{
    cm_arena *arena = cm_alloc(sizeof *arena);
    arena->first = block_new(first_block < SMALLEST_BLOCK ? SMALLEST_BLOCK : first_block, NULL);
    arena->current = arena->first;
    return arena;
}

static void free_all_but_first(cm_arena *arena)
{
    while (arena->current != arena->first) {
        struct block *next = arena->current->next;
        block_free(arena->current);
        arena->current = next;
    }
}

void cm_arena_free(cm_arena *arena)
{
    if (!arena)
        return;
    free_all_but_first(arena);
    block_free(arena->first);
    free(arena);
}

static void grow(cm_arena *arena, size_t bytes)
{
    size_t size = arena->current->size * 2;
    if (size > LARGEST_STEP)
        size = LARGEST_STEP;
    if (size < bytes)
        size = bytes;
    arena->current = block_new(size, arena->current);
    arena->used_in_current = 0;
}

void *cm_arena_alloc(cm_arena *arena, size_t bytes)
{
    cm_assert(bytes < SIZE_MAX / 4);
    size_t rounded = (bytes + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    if (rounded == 0)
        rounded = ALIGNMENT;
    if (rounded > arena->current->size - arena->used_in_current)
        grow(arena, rounded);
    char *memory = arena->current->bytes + arena->used_in_current;
    arena->used_in_current += rounded;
    arena->used += rounded;
    if (arena->used > arena->high_water)
        arena->high_water = arena->used;
    UNPOISON(memory, bytes);
    return memory;
}

void *cm_arena_zalloc(cm_arena *arena, size_t bytes)
{
    void *memory = cm_arena_alloc(arena, bytes);
    memset(memory, 0, bytes);
    return memory;
}

char *cm_arena_strndup(cm_arena *arena, const char *text, size_t length)
{
    char *copy = cm_arena_alloc(arena, length + 1);
    if (length)
        memcpy(copy, text, length);
    copy[length] = 0;
    return copy;
}

char *cm_arena_printf(cm_arena *arena, const char *format, ...)
{
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    cm_assert(length >= 0);
    char *text = cm_arena_alloc(arena, (size_t)length + 1);
    vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    return text;
}

void cm_arena_reset(cm_arena *arena)
{
    free_all_but_first(arena);
    arena->used_in_current = 0;
    arena->used = 0;
    POISON(arena->first->bytes, arena->first->size);
}

size_t cm_arena_used(const cm_arena *arena)
{
    return arena->used;
}

size_t cm_arena_high_water(const cm_arena *arena)
{
    return arena->high_water;
}
