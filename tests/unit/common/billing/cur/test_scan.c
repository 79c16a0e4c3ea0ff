/* The two scanners against each other and against a parser that goes one byte at a time through a table of states. */
#include "billing/cur/scan.h"
#include "support.h"

#include <criterion/criterion.h>
#include <stdlib.h>

enum { CAPACITY = 40 };

static uint32_t memory_a[CAPACITY + 66], memory_b[CAPACITY + 66];

static cm_row new_row(uint32_t *memory)
{
    memory[0] = UINT32_MAX;
    return (cm_row){.end = memory + 1, .capacity = CAPACITY};
}

/* --- an independent parser: one row as a list of values ---------------------------------------------------------- */

struct parsed {
    enum cm_scan_result result;
    size_t fields, consumed, newlines;
    size_t begin[200], end[200]; /* of the raw fields */
};

static void parse(const char *text, size_t length, struct parsed *p)
{
    enum { START, PLAIN, QUOTED, CLOSED } state = START;
    size_t begin = 0;
    *p = (struct parsed){0};
    for (size_t i = 0; i <= length; i++) {
        bool end = i == length;
        char c = end ? 0 : text[i];
        size_t eol = end ? 1 : c == '\n' ? 1 : c == '\r' && text[i + 1] == '\n' ? 2 : 0;
        if (state == QUOTED) {
            if (end) {
                p->result = CM_SCAN_OPEN;
                return;
            }
            p->newlines += c == '\n';
            if (c == '"')
                state = CLOSED;
            continue;
        }
        if (state == CLOSED && c == '"' && !end) {
            state = QUOTED;
            continue;
        }
        if (eol || c == ',') {
            p->begin[p->fields] = begin;
            p->end[p->fields++] = i;
            begin = i + 1;
            state = START;
            if (eol) {
                p->consumed = end ? i : i + eol;
                p->result = p->fields > CAPACITY ? CM_SCAN_WIDE : CM_SCAN_ROW;
                return;
            }
            if (p->fields > CAPACITY) {
                p->result = CM_SCAN_WIDE;
                return;
            }
            continue;
        }
        if (c == '\r') {
            p->result = CM_SCAN_CR;
            return;
        }
        if (state == CLOSED || (c == '"' && state == PLAIN)) {
            p->result = CM_SCAN_QUOTE;
            return;
        }
        state = c == '"' ? QUOTED : PLAIN;
    }
}

static void expect_row(const cm_row *row, enum cm_scan_result result, const struct parsed *p, const char *text,
                       size_t length)
{
    cr_assert_eq(result, p->result, "result %d, expected %d for <%.*s>", result, p->result, (int)length, text);
    if (result == CM_SCAN_QUOTE || result == CM_SCAN_OPEN || result == CM_SCAN_CR)
        cr_assert_eq(row->fields, p->fields);
    if (result != CM_SCAN_ROW)
        return;
    cr_assert_eq(row->fields, p->fields, "%u fields, expected %zu in <%.*s>", row->fields, p->fields, (int)length,
                 text);
    cr_assert_eq(row->consumed, p->consumed);
    cr_assert_eq(row->newlines, p->newlines);
    for (uint32_t i = 0; i < row->fields; i++) {
        cr_assert_eq(row->end[i], p->end[i]);
        cr_assert_eq(row->end[(int64_t)i - 1] + 1, p->begin[i]);
    }
}

/* Text that is likely to be interesting: mostly right CSV, sometimes with a byte changed. */
static size_t random_csv(test_random *random, char *text, size_t most)
{
    static const char plain[] = "abcxyz0189.-/: \xc3\xa9";
    static const char quoted[] = "ab,,\n\r\",x1";
    size_t n = 0;
    uint32_t fields_left = 1 + test_below(random, CAPACITY + 2);
    uint32_t quotes = test_below(random, 4), width = 1 + test_below(random, 24);
    while (n + 2 * width + 8 < most) {
        uint32_t length = test_below(random, 3) ? test_below(random, width) : 0;
        if (test_below(random, 4) < quotes) {
            text[n++] = '"';
            for (uint32_t i = 0; i < length; i++) {
                char c = quoted[test_below(random, sizeof quoted - 1)];
                text[n++] = c;
                if (c == '"')
                    text[n++] = '"';
            }
            text[n++] = '"';
        } else {
            for (uint32_t i = 0; i < length; i++)
                text[n++] = plain[test_below(random, sizeof plain - 1)];
        }
        if (--fields_left) {
            text[n++] = ',';
            continue;
        }
        if (test_below(random, 3) == 0)
            text[n++] = '\r';
        text[n++] = '\n';
        fields_left = 1 + test_below(random, CAPACITY + 2);
    }
    if (n && test_below(random, 4) == 0)
        text[test_below(random, (uint32_t)n)] = "\",\n\rx"[test_below(random, 5)];
    return test_below(random, 3) ? n : test_below(random, (uint32_t)n + 1);
}

static void compare_at(const cm_scanner *scanner, const char *text, size_t length)
{
    struct parsed p;
    cm_row row = new_row(memory_a);
    parse(text, length, &p);
    expect_row(&row, scanner->scan(text, length, true, &row), &p, text, length);
}

/* For a part of the text, both must give the same result: that of the whole text, or MORE. */
static void compare_part(const cm_scanner *one, const cm_scanner *other, const char *text, size_t length, size_t part)
{
    cm_row a = new_row(memory_a), b = new_row(memory_b);
    char *copy = malloc(part + CM_SCAN_PADDING);
    memcpy(copy, text, part);
    memset(copy + part, '"', CM_SCAN_PADDING); /* what follows must not matter */
    enum cm_scan_result result = one->scan(copy, part, false, &a);
    cr_assert_eq(result, other->scan(copy, part, false, &b), "<%.*s>", (int)part, text);
    if (result != CM_SCAN_MORE) {
        struct parsed p;
        parse(text, length, &p);
        expect_row(&a, result, &p, text, length);
        expect_row(&b, result, &p, text, length);
    }
    free(copy);
}

Test(scan, rfc4180_random_rows)
{
    enum { MOST = 3000, CASES = 6000 };
    const cm_scanner *wide = cm_scanner_avx2();
    test_random random = {20250601};
    char *text = malloc(MOST + 2 * CM_SCAN_PADDING);
    unsigned results[CM_SCAN_WIDE + 1] = {0};
    for (int i = 0; i < CASES; i++) {
        size_t length = random_csv(&random, text, 64 + test_below(&random, MOST - 64));
        for (int k = 0; k < CM_SCAN_PADDING; k++)
            text[length + (size_t)k] = "\",\n"[test_below(&random, 3)];
        for (size_t at = 0; at < length;) {
            struct parsed p;
            parse(text + at, length - at, &p);
            results[p.result]++;
            compare_at(&cm_scanner_scalar, text + at, length - at);
            if (wide) {
                compare_at(wide, text + at, length - at);
                size_t most = p.consumed ? p.consumed + 2 : length - at;
                size_t part = 1 + test_below(&random, (uint32_t)most);
                compare_part(&cm_scanner_scalar, wide, text + at, length - at, part < length - at ? part : length - at);
            }
            if (p.result != CM_SCAN_ROW)
                break;
            at += p.consumed;
        }
    }
    free(text);
    for (int r = 0; r <= CM_SCAN_WIDE; r++)
        cr_assert(r == CM_SCAN_MORE || results[r] > 50, "result %d was seen %u times only", r, results[r]);
}

Test(scan, every_position_of_a_quote_in_a_block)
{
    char text[256 + CM_SCAN_PADDING];
    for (size_t at = 0; at < 200; at++) {
        memset(text, 'a', sizeof text);
        for (size_t i = 7; i < 200; i += 8)
            text[i] = ',';
        text[200] = '\n';
        text[at] = '"';
        compare_at(&cm_scanner_scalar, text, 201);
        if (cm_scanner_avx2())
            compare_at(cm_scanner_avx2(), text, 201);
        for (size_t close = at + 1; close < 200; close++) {
            char kept = text[close];
            text[close] = '"';
            compare_at(&cm_scanner_scalar, text, 201);
            if (cm_scanner_avx2())
                compare_at(cm_scanner_avx2(), text, 201);
            text[close] = kept;
        }
    }
}

/* A CR anywhere in a row that is not the one before its LF, and quoted ones, which are text. */
Test(scan, every_position_of_a_cr)
{
    char text[320 + CM_SCAN_PADDING];
    for (int crlf = 0; crlf < 2; crlf++)
        for (int quoted = 0; quoted < 2; quoted++)
            for (size_t at = 0; at <= 198; at++) {
                memset(text, 'a', sizeof text);
                for (size_t i = 7; i < 200; i += 8)
                    text[i] = ',';
                if (quoted)
                    text[56] = text[142] = '"'; /* from behind one comma to before another */
                text[199] = crlf ? '\r' : 'a';
                text[200] = '\n';
                text[at] = '\r';
                compare_at(&cm_scanner_scalar, text, 201);
                if (cm_scanner_avx2())
                    compare_at(cm_scanner_avx2(), text, 201);
            }
}

Test(scan, hashes_are_equal)
{
    test_random random = {7};
    char bytes[2000];
    if (!cm_scanner_avx2())
        return;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)test_next(&random);
    for (size_t length = 0; length < sizeof bytes; length += 1 + length / 16)
        cr_assert_eq(cm_scanner_scalar.hash(bytes, length), cm_scanner_avx2()->hash(bytes, length));
    /* A value of the XXH3 reference implementation (seed 0, no bytes): what is stored must not change. */
    cr_assert_eq(cm_scanner_best()->hash("", 0), UINT64_C(0x2d06800538d394c2));
}
