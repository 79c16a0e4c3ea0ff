#include "base/base/arena.h"
#include "base/base/buffer.h"
#include "base/base/slice.h"

#include <criterion/criterion.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

Test(arena, pieces_are_aligned_and_apart)
{
    cm_arena *arena = cm_arena_new(256);
    char *pieces[500];
    for (int i = 0; i < 500; i++) {
        pieces[i] = cm_arena_alloc(arena, (size_t)i);
        cr_assert_eq((uintptr_t)pieces[i] % 16, 0u);
        memset(pieces[i], i & 255, (size_t)i);
    }
    for (int i = 0; i < 500; i++)
        for (int k = 0; k < i; k++)
            cr_assert_eq((unsigned char)pieces[i][k], i & 255, "piece %d was overwritten", i);
    cm_arena_free(arena);
    cm_arena_free(NULL);
}

Test(arena, reset_gives_back_all_but_the_first_block)
{
    cm_arena *arena = cm_arena_new(4096);
    void *first = cm_arena_alloc(arena, 100);
    cm_arena_alloc(arena, 10 << 20);
    cr_assert_geq(cm_arena_used(arena), (10u << 20) + 100);
    cm_arena_reset(arena);
    cr_assert_eq(cm_arena_used(arena), 0u);
    cr_assert_geq(cm_arena_high_water(arena), 10u << 20);
    cr_assert_eq(cm_arena_alloc(arena, 100), first, "the first block is used again");
    for (int i = 0; i < 100; i++) {
        cm_arena_reset(arena);
        memset(cm_arena_alloc(arena, 5000), 1, 5000);
    }
    cr_assert_leq(cm_arena_used(arena), 5008u);
    cm_arena_free(arena);
}

Test(arena, texts)
{
    cm_arena *arena = cm_arena_new(0);
    cr_assert_str_eq(cm_arena_strndup(arena, "payer-1", 5), "payer");
    cr_assert_str_eq(cm_arena_strndup(arena, NULL, 0), "");
    cr_assert_str_eq(cm_arena_printf(arena, "%s:%d", "chunk", 42), "chunk:42");
    char *long_text = cm_arena_printf(arena, "%05000d", 7);
    cr_assert_eq(strlen(long_text), 5000u);
    cm_arena_reset(arena);
    memset(cm_arena_alloc(arena, 64), 255, 64);
    cm_arena_reset(arena);
    const char *zeros = cm_arena_zalloc(arena, 64);
    for (int i = 0; i < 64; i++)
        cr_assert_eq(zeros[i], 0);
    cm_arena_free(arena);
}

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
Test(arena, memory_of_before_a_reset_is_poisoned)
{
    cm_arena *arena = cm_arena_new(4096);
    char *piece = cm_arena_alloc(arena, 20);
    cr_assert_not(__asan_address_is_poisoned(piece + 19));
    cr_assert(__asan_address_is_poisoned(piece + 20) || __asan_address_is_poisoned(piece + 24));
    cm_arena_reset(arena);
    cr_assert(__asan_address_is_poisoned(piece));
    cm_arena_free(arena);
}
#endif

Test(buffer, grows_and_stays_a_string)
{
    cm_buffer buffer = {0};
    cr_assert_str_eq(cm_buffer_string(&buffer), "");
    for (int i = 0; i < 10000; i++)
        cm_buffer_printf(&buffer, "%d,", i % 10);
    cr_assert_eq(buffer.length, 20000u);
    cr_assert_eq(strlen(buffer.data), 20000u);
    cr_assert_eq(memcmp(buffer.data + 19980, "0,1,2,3,4,5,6,7,8,9,", 20), 0);
    cm_buffer_clear(&buffer);
    cr_assert_str_eq(cm_buffer_string(&buffer), "");
    cm_buffer_append(&buffer, "a\0b", 3);
    cm_buffer_char(&buffer, 'c');
    cm_buffer_text(&buffer, "de");
    cr_assert_eq(buffer.length, 6u);
    cr_assert_eq(memcmp(buffer.data, "a\0bcde", 7), 0);
    cm_buffer_free(&buffer);
    cr_assert_null(buffer.data);
}

/* Lengths around the capacity, where the first attempt to format does not fit. */
Test(buffer, printf_at_every_length)
{
    for (int length = 0; length < 300; length++) {
        cm_buffer buffer = {0};
        cm_buffer_printf(&buffer, "x%0*d", length + 1, 0);
        cm_buffer_printf(&buffer, "%s", "end");
        cr_assert_eq(buffer.length, (size_t)length + 5);
        cr_assert_str_eq(buffer.data + length + 2, "end");
        cm_buffer_free(&buffer);
    }
}

Test(buffer, take_hands_the_memory_over)
{
    cm_buffer buffer = {0};
    char *text = cm_buffer_take(&buffer);
    cr_assert_str_eq(text, "");
    free(text);
    cm_buffer_text(&buffer, "x");
    text = cm_buffer_take(&buffer);
    cr_assert_str_eq(text, "x");
    cr_assert(buffer.data == NULL && buffer.length == 0 && buffer.capacity == 0);
    free(text);
}

Test(slice, compare)
{
    cr_assert(cm_slice_equal((cm_slice){NULL, 0}, cm_slice_of("")));
    cr_assert(cm_slice_is((cm_slice){"Usage,", 5}, "Usage"));
    cr_assert_not(cm_slice_is((cm_slice){"Usage", 4}, "Usage"));
    cr_assert_eq(cm_slice_of(NULL).length, 0u);
}
