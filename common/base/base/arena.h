/*
 * Arena: memory that is allocated piece by piece and released all at once (reset, not free). One arena per batch: reset
 * it after each. Not thread safe.
 */
#ifndef CM_BASE_ARENA_H
#define CM_BASE_ARENA_H

#include <stddef.h>

typedef struct cm_arena cm_arena;

/* `first_block` bytes are kept across resets. */
cm_arena *cm_arena_new(size_t first_block);
void cm_arena_free(cm_arena *arena); /* NULL is allowed */

/* 16-byte aligned, not zeroed, never NULL, valid until reset. */
void *cm_arena_alloc(cm_arena *arena, size_t bytes);
void *cm_arena_zalloc(cm_arena *arena, size_t bytes);                     /* zeroed */
char *cm_arena_strndup(cm_arena *arena, const char *text, size_t length); /* adds a NUL */
char *cm_arena_printf(cm_arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Forgets everything; keeps up to `first_block` bytes, so memory does not stay at the size of the largest batch. */
void cm_arena_reset(cm_arena *arena);
size_t cm_arena_used(const cm_arena *arena);
size_t cm_arena_high_water(const cm_arena *arena); /* largest `used` ever, for /metrics */

#endif
