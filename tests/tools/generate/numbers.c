#include "numbers.h"

#include <stdbool.h>
#include <string.h>

static sum10 divide_half_away(sum10 value, sum10 by)
{
    sum10 half = by / 2;
    return value >= 0 ? (value + half) / by : (value - half) / by;
}

dec10 dec10_clamp(dec10 v)
{
    uint64_t magnitude = v < 0 ? (uint64_t)-v : (uint64_t)v;
    uint64_t step = 1;
    for (uint64_t limit = 1000000000000000ULL; magnitude >= limit && step < 10000; limit *= 10)
        step *= 10;
    if (step == 1)
        return v;
    dec10 rounded = (dec10)((magnitude + step / 2) / step * step);
    return v < 0 ? -rounded : rounded;
}

dec10 dec10_mul(dec10 a, dec10 b)
{
    return dec10_clamp((dec10)divide_half_away((sum10)a * b, DEC10_ONE));
}

dec10 dec10_scale(dec10 a, int64_t num, int64_t den)
{
    return dec10_clamp((dec10)divide_half_away((sum10)a * num, den));
}

/* Digits of v without leading zeros, at the end of a buffer of 20; returns their count. */
static size_t digits_of(uint64_t v, char out[20])
{
    size_t n = 0;
    do {
        out[19 - n] = (char)('0' + v % 10);
        v /= 10;
        n++;
    } while (v > 0);
    return n;
}

static size_t write_scientific(const char *digits, size_t count, int exponent, char *out)
{
    char *p = out;
    *p++ = digits[0];
    *p++ = '.';
    if (count == 1)
        *p++ = '0';
    for (size_t i = 1; i < count; i++)
        *p++ = digits[i];
    *p++ = 'E';
    if (exponent < 0) {
        *p++ = '-';
        exponent = -exponent;
    }
    if (exponent >= 10)
        *p++ = (char)('0' + exponent / 10);
    *p++ = (char)('0' + exponent % 10);
    return (size_t)(p - out);
}

size_t dec10_java(dec10 v, char *out)
{
    if (v == 0) {
        memcpy(out, "0.0", 3);
        return 3;
    }
    char *p = out;
    uint64_t magnitude = v < 0 ? (uint64_t)-v : (uint64_t)v;
    if (v < 0)
        *p++ = '-';
    bool plain = magnitude >= 10000000ULL && magnitude < 100000000000000000ULL; /* 1e-3 <= |v| < 1e7 */
    if (plain) {
        uint64_t whole = magnitude / (uint64_t)DEC10_ONE, fraction = magnitude % (uint64_t)DEC10_ONE;
        char buffer[20];
        size_t n = digits_of(whole, buffer);
        memcpy(p, buffer + 20 - n, n);
        p += n;
        *p++ = '.';
        n = digits_of(fraction + (uint64_t)DEC10_ONE, buffer) - 1;
        while (n > 1 && buffer[20 - 10 + n - 1] == '0')
            n--;
        memcpy(p, buffer + 10, n);
        return (size_t)(p + n - out);
    }
    char buffer[20];
    size_t n = digits_of(magnitude, buffer);
    const char *digits = buffer + 20 - n;
    int exponent = (int)n - 1 - 10;
    while (n > 1 && digits[n - 1] == '0')
        n--;
    return (size_t)(p - out) + write_scientific(digits, n, exponent, p);
}

size_t dec10_fixed(dec10 v, char *out)
{
    char *p = out;
    uint64_t magnitude = v < 0 ? (uint64_t)-v : (uint64_t)v;
    if (v < 0)
        *p++ = '-';
    char buffer[20];
    size_t n = digits_of(magnitude / (uint64_t)DEC10_ONE, buffer);
    memcpy(p, buffer + 20 - n, n);
    p += n;
    *p++ = '.';
    digits_of(magnitude % (uint64_t)DEC10_ONE + (uint64_t)DEC10_ONE, buffer);
    memcpy(p, buffer + 10, 10);
    return (size_t)(p + 10 - out);
}

size_t sum10_plain(sum10 v, char *out)
{
    char reversed[48];
    size_t n = 0;
    unsigned __int128 magnitude = v < 0 ? (unsigned __int128)-v : (unsigned __int128)v;
    while (magnitude > 0 || n < 11) {
        reversed[n++] = (char)('0' + (int)(magnitude % 10));
        magnitude /= 10;
    }
    size_t skip = 0;
    while (skip < 10 && reversed[skip] == '0')
        skip++;
    char *p = out;
    if (v < 0)
        *p++ = '-';
    for (size_t i = n; i > skip; i--) {
        if (i == 10)
            *p++ = '.';
        *p++ = reversed[i - 1];
    }
    *p = '\0';
    return (size_t)(p - out);
}
