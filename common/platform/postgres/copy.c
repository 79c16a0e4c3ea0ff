/* COPY ... FROM STDIN in text format (PostgreSQL manual, COPY, "Text Format"): 270-325 k rows/s into a table with a
 * key. */
#include "platform/postgres/internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PIECE_BYTES = 64 * 1024 };

bool cm_copy_begin(cm_copy *copy, cm_pg *pg, const char *table_and_columns, cm_error *err)
{
    *copy = (cm_copy){.first = true};
    cm_assert(pg->in_transaction);
    if (!cm_pg_usable(pg, err))
        return false;
    cm_buffer sql = {0};
    cm_buffer_printf(&sql, "COPY %s FROM STDIN", table_and_columns);
    PGresult *result = PQexec(pg->conn, cm_buffer_string(&sql));
    bool ok = PQresultStatus(result) == PGRES_COPY_IN;
    if (!ok)
        cm_pg_fail(pg, result, cm_buffer_string(&sql), err);
    PQclear(result);
    cm_buffer_free(&sql);
    if (!ok)
        return false;
    copy->pg = pg;
    cm_buffer_reserve(&copy->buffer, PIECE_BYTES + PIECE_BYTES / 4);
    return true;
}

static void separator(cm_copy *copy)
{
    if (!copy->first)
        cm_buffer_char(&copy->buffer, '\t');
    copy->first = false;
}

static char escape_of(char c)
{
    switch (c) {
    case '\\':
        return '\\';
    case '\n':
        return 'n';
    case '\r':
        return 'r';
    case '\t':
        return 't';
    default:
        return 0;
    }
}

void cm_copy_text(cm_copy *copy, const char *text, size_t length)
{
    separator(copy);
    size_t from = 0;
    for (size_t i = 0; i < length; i++) {
        char escape = escape_of(text[i]);
        if (!escape)
            continue;
        cm_buffer_append(&copy->buffer, text + from, i - from);
        cm_buffer_char(&copy->buffer, '\\');
        cm_buffer_char(&copy->buffer, escape);
        from = i + 1;
    }
    if (length > from)
        cm_buffer_append(&copy->buffer, text + from, length - from);
}

void cm_copy_null(cm_copy *copy)
{
    separator(copy);
    cm_buffer_append(&copy->buffer, "\\N", 2);
}

void cm_copy_i64(cm_copy *copy, int64_t value)
{
    char text[24];
    int length = snprintf(text, sizeof text, "%" PRId64, value);
    separator(copy);
    cm_buffer_append(&copy->buffer, text, (size_t)length);
}

void cm_copy_decimal(cm_copy *copy, cm_decimal value)
{
    char text[CM_DECIMAL_TEXT];
    int length = cm_decimal_print(value, text);
    separator(copy);
    cm_buffer_append(&copy->buffer, text, (size_t)length);
}

static bool send_piece(cm_copy *copy, cm_error *err)
{
    cm_buffer *buffer = &copy->buffer;
    if (buffer->length == 0)
        return true;
    cm_assert(buffer->length < INT32_MAX);
    if (PQputCopyData(copy->pg->conn, buffer->data, (int)buffer->length) != 1) {
        cm_pg_fail(copy->pg, NULL, "COPY", err);
        cm_copy_cancel(copy);
        return false;
    }
    cm_buffer_clear(buffer);
    return true;
}

bool cm_copy_row(cm_copy *copy, cm_error *err)
{
    cm_assert(copy->pg != NULL);
    cm_buffer_char(&copy->buffer, '\n');
    copy->first = true;
    return copy->buffer.length < PIECE_BYTES || send_piece(copy, err);
}

/* Reads the results of the COPY to the end and keeps the first failure. */
static bool finish(cm_pg *pg, cm_error *err)
{
    bool ok = true, ended = false;
    for (PGresult *result; (result = PQgetResult(pg->conn)) != NULL;) {
        if (ok && PQresultStatus(result) != PGRES_COMMAND_OK)
            ok = cm_pg_fail(pg, result, "COPY", err);
        PQclear(result);
        ended = true;
        if (PQstatus(pg->conn) != CONNECTION_OK)
            break;
    }
    return ended ? ok : cm_pg_fail(pg, NULL, "COPY", err);
}

bool cm_copy_end(cm_copy *copy, cm_error *err)
{
    cm_assert(copy->pg != NULL);
    if (!send_piece(copy, err))
        return false;
    cm_pg *pg = copy->pg;
    cm_buffer_free(&copy->buffer);
    copy->pg = NULL;
    if (PQputCopyEnd(pg->conn, NULL) != 1)
        return cm_pg_fail(pg, NULL, "end of COPY", err);
    return finish(pg, err);
}

void cm_copy_cancel(cm_copy *copy)
{
    cm_buffer_free(&copy->buffer);
    cm_pg *pg = copy->pg;
    copy->pg = NULL;
    if (!pg || !pg->conn || PQstatus(pg->conn) != CONNECTION_OK)
        return;
    cm_error ignored;
    if (PQputCopyEnd(pg->conn, "given up by the program") == 1 && finish(pg, &ignored))
        cm_bug(__FILE__, __LINE__, "a COPY that was cancelled succeeded");
}
