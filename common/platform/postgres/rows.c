/* Results of a query, as text. */
#include "platform/postgres/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int cm_rows_count(const cm_rows *rows)
{
    return PQntuples(rows->result);
}

int cm_rows_affected(const cm_rows *rows)
{
    const char *text = PQcmdTuples(rows->result);
    return *text ? (int)strtol(text, NULL, 10) : 0;
}

static void check(const cm_rows *rows, int row, int column)
{
    cm_assert(row >= 0 && row < PQntuples(rows->result));
    cm_assert(column >= 0 && column < PQnfields(rows->result));
}

bool cm_rows_null(const cm_rows *rows, int row, int column)
{
    check(rows, row, column);
    return PQgetisnull(rows->result, row, column) != 0;
}

const char *cm_rows_text(const cm_rows *rows, int row, int column)
{
    check(rows, row, column);
    return PQgetvalue(rows->result, row, column);
}

int64_t cm_rows_i64(const cm_rows *rows, int row, int column)
{
    const char *text = cm_rows_text(rows, row, column);
    if (!*text)
        return 0;
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    cm_assert(errno == 0 && *end == '\0');
    return value;
}

bool cm_rows_bool(const cm_rows *rows, int row, int column)
{
    const char *text = cm_rows_text(rows, row, column);
    cm_assert(strcmp(text, "t") == 0 || strcmp(text, "f") == 0 || *text == '\0');
    return *text == 't';
}

bool cm_rows_decimal_fits(const cm_rows *rows, int row, int column, cm_decimal *ret)
{
    *ret = CM_DECIMAL_ZERO;
    if (cm_rows_null(rows, row, column))
        return true;
    const char *text = cm_rows_text(rows, row, column);
    cm_slice slice = cm_slice_of(text);
    if (strchr(text, '.')) { /* a sum keeps the scale of its widest term: trailing zeros are not digits */
        while (slice.text[slice.length - 1] == '0')
            slice.length--;
    }
    return cm_decimal_parse(slice, ret) == CM_DECIMAL_EXACT;
}

cm_decimal cm_rows_decimal(const cm_rows *rows, int row, int column)
{
    cm_decimal value;
    bool fits = cm_rows_decimal_fits(rows, row, column, &value);
    cm_assert(fits);
    return value;
}

void cm_rows_free(cm_rows *rows)
{
    if (!rows)
        return;
    PQclear(rows->result);
    free(rows);
}
