/*
 * 64 bytes at a time: compare with quote, comma and line feed, turn the results into bit masks, remove the parts
 * between quotes by a prefix xor of the quote bits, and write the positions of the rest. The technique is that of
 * simdjson (Langdale and Lemire, "Parsing gigabytes of JSON per second"). Whatever looks unusual (a stray quote, a CR
 * that is not the row's last byte, the end of the text) is left to the scalar scanner, so both agree by construction.
 */
#if defined(__x86_64__)
#pragma GCC target("avx2,bmi,bmi2,lzcnt,popcnt,pclmul")
#endif

#include "billing/cur/scan.h"

#if !defined(__x86_64__)

const cm_scanner *cm_scanner_avx2(void)
{
    return NULL;
}

#else

#include <immintrin.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

struct block {
    __m256i low, high;
};

static inline uint64_t equal_mask(struct block b, char c)
{
    __m256i pattern = _mm256_set1_epi8(c);
    uint32_t low = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(b.low, pattern));
    uint32_t high = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(b.high, pattern));
    return (uint64_t)high << 32 | low;
}

/* Bit i of the result is the parity of bits 0..i. */
static inline uint64_t prefix_xor(uint64_t bits)
{
    __m128i product = _mm_clmulepi64_si128(_mm_set_epi64x(0, (long long)bits), _mm_set1_epi8((char)0xff), 0);
    return (uint64_t)_mm_cvtsi128_si64(product);
}

/* Writes the positions of the eight lowest set bits (anything where there are fewer) and returns the other bits. */
static inline uint64_t put_eight(uint32_t *at, uint64_t bits, uint32_t base)
{
#pragma GCC unroll 8
    for (int i = 0; i < 8; i++) {
        at[i] = base + (uint32_t)_tzcnt_u64(bits);
        bits = _blsr_u64(bits);
    }
    return bits;
}

/* Appends the positions of all set bits. Writes in eights; the array has room for 64 more than its capacity. */
static inline uint32_t append_positions(uint32_t *end, uint32_t count, uint64_t bits, uint32_t base)
{
    uint32_t more = (uint32_t)__builtin_popcountll(bits);
    uint32_t *at = end + count;
    bits = put_eight(at, bits, base);
    if (more > 8) {
        bits = put_eight(at + 8, bits, base);
        for (uint32_t done = 16; done < more; done += 8)
            bits = put_eight(at + done, bits, base);
    }
    return count + more;
}

/* State at the beginning of a block. */
struct quotes {
    uint64_t inside;      /* all ones within a quoted field */
    uint64_t after_sep;   /* bit 0: the byte before was a separator, or the row begins */
    uint64_t after_quote; /* bit 0: the byte before closed a quoted field */
};

/* Removes what is quoted from `*comma` and `*newline`. Returns the bytes that may violate RFC 4180. */
static inline uint64_t mask_quoted(struct quotes *state, uint64_t quote, uint64_t *comma, uint64_t *newline,
                                   uint64_t *ret_quoted_newline)
{
    uint64_t inside = prefix_xor(quote) ^ state->inside;
    uint64_t opening = quote & inside, closing = quote & ~inside;
    *ret_quoted_newline = *newline & inside;
    *comma &= ~inside;
    *newline &= ~inside;
    uint64_t separator = *comma | *newline;
    uint64_t behind_separator = separator << 1 | state->after_sep;
    uint64_t behind_closing = closing << 1 | state->after_quote;
    state->inside = (uint64_t)((int64_t)inside >> 63);
    state->after_quote = closing >> 63;
    return (opening & ~(behind_separator | behind_closing)) | (behind_closing & ~(separator | opening));
}

static enum cm_scan_result scan_avx2(const char *text, size_t length, bool last, cm_row *row)
{
    struct quotes state = {.after_sep = 1};
    uint32_t fields = 0, newlines = 0;
    uint32_t *end = row->end;
    __m256i any_cr = _mm256_setzero_si256();
    const __m256i cr = _mm256_set1_epi8('\r');
    for (size_t at = 0; at < length; at += 64) {
        struct block b = {_mm256_loadu_si256((const __m256i *)(const void *)(text + at)),
                          _mm256_loadu_si256((const __m256i *)(const void *)(text + at + 32))};
        uint64_t quote = equal_mask(b, '"'), comma = equal_mask(b, ','), newline = equal_mask(b, '\n');
        any_cr = _mm256_or_si256(any_cr, _mm256_or_si256(_mm256_cmpeq_epi8(b.low, cr), _mm256_cmpeq_epi8(b.high, cr)));
        uint64_t valid = ~UINT64_C(0);
        if (at + 64 > length) {
            valid >>= 64 - (length - at);
            quote &= valid;
            comma &= valid;
            newline &= valid;
        }
        uint64_t bad = 0, quoted_newline = 0;
        if (quote | state.inside | state.after_quote)
            bad = mask_quoted(&state, quote, &comma, &newline, &quoted_newline);
        state.after_sep = (comma | newline) >> 63;
        uint64_t row_part = newline ? newline ^ (newline - 1) : ~UINT64_C(0);
        if (__builtin_expect((bad & row_part & valid) != 0, 0))
            return cm_scanner_scalar.scan(text, length, last, row);
        newlines += (uint32_t)__builtin_popcountll(quoted_newline & row_part);
        fields = append_positions(end, fields, comma & row_part, (uint32_t)at);
        if (__builtin_expect(fields >= row->capacity, 0))
            return cm_scanner_scalar.scan(text, length, last, row);
        if (newline) {
            size_t stop = at + (size_t)_tzcnt_u64(newline);
            row->consumed = (uint32_t)stop + 1;
            /* end[-1] + 1 is 0: a lone CR LF is an empty row. */
            if (stop > 0 && text[stop - 1] == '\r')
                stop--;
            if (__builtin_expect(!_mm256_testz_si256(any_cr, any_cr), 0) && memchr(text, '\r', stop))
                return cm_scanner_scalar.scan(text, length, last, row);
            end[fields++] = (uint32_t)stop;
            row->fields = fields;
            row->length = (uint32_t)stop;
            row->newlines = newlines;
            return CM_SCAN_ROW;
        }
    }
    if (last || !_mm256_testz_si256(any_cr, any_cr))
        return cm_scanner_scalar.scan(text, length, last, row);
    return CM_SCAN_MORE;
}

static uint64_t hash_avx2(const void *data, size_t length)
{
    return XXH3_64bits(data, length);
}

static const cm_scanner scanner_avx2 = {.scan = scan_avx2, .hash = hash_avx2, .name = "avx2"};

const cm_scanner *cm_scanner_avx2(void)
{
    static _Atomic int have = -1;
    if (have < 0)
        have = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2") &&
               __builtin_cpu_supports("popcnt") && __builtin_cpu_supports("pclmul");
    return have ? &scanner_avx2 : NULL;
}

#endif
