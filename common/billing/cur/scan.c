#include "billing/cur/scan.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <string.h>

/* The line end at text[at], which is LF or CR LF: its number of bytes; 0 none, -1 not yet known. */
static int line_end(const char *text, size_t at, size_t length, bool last)
{
    if (text[at] == '\n')
        return 1;
    if (text[at] != '\r')
        return 0;
    if (at + 1 == length)
        return last ? 0 : -1;
    return text[at + 1] == '\n' ? 2 : 0;
}

/* The position after the closing quote of the quoted field that begins at text[at]; `length` + 1 if it is not
 * closed. */
static size_t quoted_end(const char *text, size_t at, size_t length, uint32_t *newlines)
{
    for (size_t i = at + 1; i < length; i++) {
        *newlines += text[i] == '\n';
        if (text[i] != '"')
            continue;
        if (i + 1 == length || text[i + 1] != '"')
            return i + 1;
        i++;
    }
    return length + 1;
}

static enum cm_scan_result finish(cm_row *row, size_t field_end, size_t consumed)
{
    row->end[row->fields++] = (uint32_t)field_end;
    row->length = (uint32_t)field_end;
    row->consumed = (uint32_t)consumed;
    return row->fields > row->capacity ? CM_SCAN_WIDE : CM_SCAN_ROW;
}

static enum cm_scan_result scan_scalar(const char *text, size_t length, bool last, cm_row *row)
{
    size_t at = 0;
    row->fields = row->newlines = 0;
    for (;;) {
        if (at < length && text[at] == '"') {
            at = quoted_end(text, at, length, &row->newlines);
            if (at > length)
                return last ? CM_SCAN_OPEN : CM_SCAN_MORE;
        } else {
            while (at < length && text[at] != ',' && text[at] != '\n' && text[at] != '"' && text[at] != '\r')
                at++;
        }
        if (at == length)
            return last ? finish(row, at, at) : CM_SCAN_MORE;
        int ends = line_end(text, at, length, last);
        if (ends < 0)
            return CM_SCAN_MORE;
        if (ends > 0)
            return finish(row, at, at + (size_t)ends);
        if (text[at] == '\r') {
            row->length = (uint32_t)at;
            return CM_SCAN_CR;
        }
        if (text[at] != ',')
            return CM_SCAN_QUOTE;
        if (row->fields >= row->capacity)
            return CM_SCAN_WIDE;
        row->end[row->fields++] = (uint32_t)at++;
    }
}

static uint64_t hash_scalar(const void *data, size_t length)
{
    return XXH3_64bits(data, length);
}

const cm_scanner cm_scanner_scalar = {.scan = scan_scalar, .hash = hash_scalar, .name = "scalar"};

const cm_scanner *cm_scanner_best(void)
{
    const cm_scanner *wide = cm_scanner_avx2();
    return wide ? wide : &cm_scanner_scalar;
}
