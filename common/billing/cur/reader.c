#include "billing/cur/reader.h"

#include "billing/cur/row.h"
#include "billing/cur/sniff.h"
#include "billing/cur/text.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    WINDOW_BYTES = 256 * 1024,
    WINDOW_MAX = CM_CUR_ROW_MAX + 2, /* a row and its line end */
    SCRATCH_BYTES = CM_KEY_FIELDS * CM_KEY_FIELD_MAX,
};

/* --- the window -------------------------------------------------------------------------------------------------- */

/* Moves the remaining bytes to the front and fills the rest. The window grows only for a row that is longer than it. A
 * file that is cut is read up to there first, so that its error has a row. */
static bool fill(cm_reader *reader, cm_error *err)
{
    size_t left = reader->end - reader->begin;
    if (left == reader->capacity) {
        cm_assert(reader->capacity < WINDOW_MAX);
        reader->capacity = reader->capacity * 2 < WINDOW_MAX ? reader->capacity * 2 : WINDOW_MAX;
        reader->buffer = cm_realloc(reader->buffer, reader->capacity + CM_SCAN_PADDING);
    }
    memmove(reader->buffer, reader->buffer + reader->begin, left);
    reader->begin = 0;
    reader->end = left;
    while (reader->end < reader->capacity) {
        size_t got = 0;
        cm_error why = reader->cut;
        if (why.class != CM_ERROR_NONE || !reader->stream->read(reader->stream, reader->buffer + reader->end,
                                                                reader->capacity - reader->end, &got, &why)) {
            reader->cut = why;
            if (reader->end > left && strcmp(why.code, "CUT") == 0)
                break;
            *err = why;
            return false;
        }
        if (got == 0) {
            reader->ended = true;
            break;
        }
        reader->end += got;
    }
    memset(reader->buffer + reader->end, 0, CM_SCAN_PADDING);
    return true;
}

/* The row up to the CR is known: `fields` whole ones, and the one that holds it. */
static bool fail_cr(cm_reader *reader, cm_place *ret_place, cm_error *err)
{
    const cm_row *row = &reader->row;
    uint32_t from = row->fields ? row->end[row->fields - 1] + 1 : 0;
    cm_slice before = {reader->buffer + reader->begin + from, row->length - from};
    if (reader->columns.count == 0)
        cm_text_copy_name(cm_text_strip(before), ret_place->column, sizeof ret_place->column);
    return cm_fail(
        err, CM_ERROR_POISON, "BARE_CR",
        "%s, field %u: a carriage return (CR) that is not followed by a line feed (LF); a program that writes Mac or doubled line ends has been at work: deliver the file as AWS wrote it, with LF or CR LF",
        reader->columns.count ? "the row" : "the header", row->fields + 1);
}

static bool fail_row(cm_reader *reader, enum cm_scan_result result, cm_place *ret_place, cm_error *err)
{
    uint32_t field = reader->row.fields;
    ret_place->row = reader->columns.count ? reader->rows + 1 : 0;
    ret_place->line = reader->text_line;
    if ((result == CM_SCAN_QUOTE || result == CM_SCAN_OPEN || result == CM_SCAN_CR) && field < reader->columns.count)
        cm_text_copy_name(reader->columns.name[field], ret_place->column, sizeof ret_place->column);
    switch (result) {
    case CM_SCAN_QUOTE:
        return cm_fail(
            err, CM_ERROR_POISON, "QUOTE",
            "field %u has a misplaced quote: a quoted field must begin and end with a quote, and quotes inside it are doubled (RFC 4180)",
            field + 1);
    case CM_SCAN_CR:
        return fail_cr(reader, ret_place, err);
    case CM_SCAN_OPEN:
        return cm_fail(err, CM_ERROR_POISON, "QUOTE",
                       "the quote that opens field %u is never closed; the file may have been cut off", field + 1);
    case CM_SCAN_WIDE:
        if (reader->columns.count)
            return cm_fail(err, CM_ERROR_POISON, "RAGGED", "the row has more than %d fields, the header has %u",
                           CM_CUR_COLUMNS_MAX, reader->columns.count);
        return cm_fail(err, CM_ERROR_POISON, "TOO_LONG", "the header has more than %d columns", CM_CUR_COLUMNS_MAX);
    default:
        return cm_fail(err, CM_ERROR_POISON, "TOO_LONG", "the row is longer than %d bytes", CM_CUR_ROW_MAX);
    }
}

/* The next row, blank or not, becomes reader->row; the one before is consumed. *ret_got = false at the end of the file.
 */
static bool read_row(cm_reader *reader, bool *ret_got, cm_place *ret_place, cm_error *err)
{
    if (reader->has_row) {
        reader->begin += reader->row.consumed;
        reader->text_line += 1 + reader->row.newlines;
        reader->has_row = false;
    }
    for (;;) {
        size_t length = reader->end - reader->begin;
        if (length == 0 && reader->ended) {
            *ret_got = false;
            return true;
        }
        if (length > 0) {
            const char *text = reader->buffer + reader->begin;
            enum cm_scan_result result = reader->scanner->scan(text, length, reader->ended, &reader->row);
            if (result == CM_SCAN_MORE && length >= WINDOW_MAX) {
                /* Too long; or, more precisely, a quote that is not closed. */
                if (reader->scanner->scan(text, length, true, &reader->row) == CM_SCAN_OPEN)
                    return fail_row(reader, CM_SCAN_OPEN, ret_place, err);
                return fail_row(reader, CM_SCAN_MORE, ret_place, err);
            }
            if (result == CM_SCAN_ROW && reader->row.length <= CM_CUR_ROW_MAX) {
                reader->has_row = *ret_got = true;
                return true;
            }
            if (result != CM_SCAN_MORE)
                return fail_row(reader, result == CM_SCAN_ROW ? CM_SCAN_MORE : result, ret_place, err);
        }
        if (!fill(reader, err)) {
            /* What came before the cut was read. */
            ret_place->row = strcmp(err->code, "CUT") == 0 && reader->columns.count ? reader->rows + 1 : 0;
            return false;
        }
    }
}

/* Fields are checked one by one only in rows that could hold one that is too long. */
static bool check_fields(cm_reader *reader, cm_place *ret_place, cm_error *err)
{
    if (reader->row.length <= CM_CUR_FIELD_MAX)
        return true;
    for (uint32_t i = 0; i < reader->row.fields; i++) {
        if (cm_reader_raw(reader, i).length <= CM_CUR_FIELD_MAX)
            continue;
        ret_place->line = reader->text_line;
        if (i < reader->columns.count)
            cm_text_copy_name(reader->columns.name[i], ret_place->column, sizeof ret_place->column);
        return cm_fail(err, CM_ERROR_POISON, "TOO_LONG", "field %u is longer than %d bytes", i + 1, CM_CUR_FIELD_MAX);
    }
    return true;
}

/* A compressed file has its own proof that it is whole. CSV has one only: that its last row has a line end. */
static bool check_end(cm_reader *reader, cm_place *ret_place, cm_error *err)
{
    const cm_row *row = &reader->row;
    if (row->consumed != row->length || reader->compression != CM_COMPRESSION_NONE)
        return true;
    ret_place->line = reader->text_line;
    if (reader->columns.count && row->fields <= reader->columns.count)
        cm_text_copy_name(reader->columns.name[row->fields - 1], ret_place->column, sizeof ret_place->column);
    return cm_fail(
        err, CM_ERROR_POISON, "CUT",
        "the file ends in field %u of its last row, without a line end: it was cut, or nobody can tell that it was not; deliver it again (or, if nothing is missing, add a line end)",
        row->fields);
}

/* --- opening ----------------------------------------------------------------------------------------------------- */

static bool read_header(cm_reader *reader, cm_place *ret_place, cm_error *err)
{
    bool got = false;
    if (!fill(reader, err))
        return false;
    if (reader->end == 0 && reader->compression == CM_COMPRESSION_NONE)
        return cm_fail_empty(err);
    const char *what = cm_sniff(reader->buffer, reader->end);
    if (what)
        return cm_fail_format(err, what, reader->compression);
    if (reader->end >= 3 && memcmp(reader->buffer, "\xef\xbb\xbf", 3) == 0)
        reader->begin = 3;
    if (!read_row(reader, &got, ret_place, err))
        return false;
    if (!got) {
        reader->at_end = true;
        return true;
    }
    ret_place->line = 1;
    if (!check_end(reader, ret_place, err) || !check_fields(reader, ret_place, err))
        return false;
    uint32_t count = reader->row.fields;
    cm_slice *names = cm_alloc(count * sizeof *names);
    char *scratch = cm_alloc(reader->row.length + 1);
    char *at = scratch;
    for (uint32_t i = 0; i < count; i++) {
        cm_slice raw = cm_reader_raw(reader, i);
        names[i] = cm_text_unquote(raw, at);
        at += raw.length;
    }
    bool ok = cm_columns_map(&reader->columns, names, count, ret_place, err);
    free(names);
    free(scratch);
    return ok;
}

static unsigned days_in(cm_period period)
{
    return (unsigned)((cm_period_end(period) - cm_period_start(period)) / CM_DAY);
}

static void set_expected(cm_reader *reader, const char *payer, cm_period period)
{
    snprintf(reader->payer, sizeof reader->payer, "%s", payer);
    reader->period_start = cm_period_start(period);
    cm_period_print(period, reader->period_text);
    snprintf(reader->month_text, sizeof reader->month_text, "%.7s-", reader->period_text);
    reader->month_days = days_in(period);
    reader->payer_field.length = reader->period_field.length = SIZE_MAX;
}

cm_reader *cm_reader_new(cm_stream *stream, enum cm_compression compression, const char *payer, cm_period period,
                         cm_place *ret_place, cm_error *err)
{
    *ret_place = (cm_place){0};
    stream = cm_decompress(stream, compression, err);
    if (!stream)
        return NULL;
    cm_reader *reader = cm_alloc(sizeof *reader);
    reader->stream = stream;
    reader->compression = compression;
    reader->scanner = cm_scanner_best();
    set_expected(reader, payer, period);
    reader->capacity = WINDOW_BYTES;
    reader->buffer = cm_realloc(NULL, reader->capacity + CM_SCAN_PADDING);
    reader->end_memory = cm_realloc(NULL, (1 + CM_CUR_COLUMNS_MAX + 64) * sizeof *reader->end_memory);
    reader->end_memory[0] = UINT32_MAX;
    reader->row.end = reader->end_memory + 1;
    reader->row.capacity = CM_CUR_COLUMNS_MAX;
    reader->text_line = 1;
    reader->key = cm_alloc(CM_KINDS_KEY_MAX);
    reader->scratch = cm_realloc(NULL, SCRATCH_BYTES);
    reader->values = cm_arena_new(0);
    cm_kinds_init(&reader->kinds);
    if (!read_header(reader, ret_place, err)) {
        cm_reader_free(reader);
        return NULL;
    }
    reader->line.discounts = cm_discount_columns_of(&reader->columns);
    *ret_place = (cm_place){0};
    return reader;
}

void cm_reader_free(cm_reader *reader)
{
    if (!reader)
        return;
    cm_stream_close(reader->stream);
    cm_columns_free(&reader->columns);
    cm_kinds_free(&reader->kinds);
    cm_derived_free(&reader->derived);
    cm_arena_free(reader->values);
    free(reader->buffer);
    free(reader->end_memory);
    free(reader->key);
    free(reader->scratch);
    free(reader);
}

/* --- reading ----------------------------------------------------------------------------------------------------- */

static bool fail_ragged(cm_reader *reader, uint64_t line, uint32_t fields, cm_place *ret_place, cm_error *err)
{
    ret_place->line = line;
    if (fields == 0)
        return cm_fail(err, CM_ERROR_POISON, "RAGGED", "a blank line between rows; the header has %u fields",
                       reader->columns.count);
    return cm_fail(err, CM_ERROR_POISON, "RAGGED", "the row has %u fields, the header has %u", fields,
                   reader->columns.count);
}

/* The next row that is not blank. Blank lines are allowed only at the end of the file. */
static bool next_data_row(cm_reader *reader, bool *ret_got, cm_place *ret_place, cm_error *err)
{
    uint64_t blank_line = 0;
    for (;;) {
        if (!read_row(reader, ret_got, ret_place, err))
            return false;
        if (!*ret_got)
            return true;
        if (reader->row.length > 0)
            break;
        if (!blank_line)
            blank_line = reader->text_line;
    }
    ret_place->row = reader->rows + 1;
    if (blank_line)
        return fail_ragged(reader, blank_line, 0, ret_place, err);
    if (!check_end(reader, ret_place, err))
        return false;
    if (reader->row.fields != reader->columns.count)
        return fail_ragged(reader, reader->text_line, reader->row.fields, ret_place, err);
    return check_fields(reader, ret_place, err);
}

static bool next(cm_reader *reader, const cm_line **ret, cm_place *ret_place, cm_error *err)
{
    bool got = false;
    if (reader->line.discounts && (*ret = cm_reader_derived(reader)))
        return true;
    if (!next_data_row(reader, &got, ret_place, err))
        return false;
    if (!got) {
        reader->at_end = true;
        *ret = NULL;
        return true;
    }
    /* The field of columns that this file does not have. */
    reader->row.end[reader->row.fields] = reader->row.end[reader->row.fields - 1] + 1;
    if (!cm_reader_parse_row(reader, ret_place, err) ||
        (reader->line.discounts && !cm_reader_parse_discounts(reader, ret_place, err))) {
        ret_place->line = reader->text_line;
        return false;
    }
    reader->rows++;
    *ret = &reader->line;
    return true;
}

bool cm_reader_next(cm_reader *reader, const cm_line **ret, cm_place *ret_place, cm_error *err)
{
    cm_assert(!reader->failed);
    *ret_place = (cm_place){0};
    if (reader->at_end) {
        *ret = NULL;
        return true;
    }
    if (cm_arena_used(reader->values))
        cm_arena_reset(reader->values);
    reader->failed = !next(reader, ret, ret_place, err);
    if (!reader->failed)
        ret_place->row = 0;
    return !reader->failed;
}

bool cm_reader_lacks(const cm_reader *reader, enum cm_lack lack)
{
    return cm_columns_lack(&reader->columns, lack);
}

bool cm_reader_has_usage(const cm_reader *reader)
{
    return reader->has_usage;
}

cm_slice cm_reader_lacking_name(const cm_reader *reader, enum cm_lack lack)
{
    return cm_columns_lacking_name(&reader->columns, lack);
}

/* --- the raw row ------------------------------------------------------------------------------------------------- */

cm_slice cm_reader_raw_row(const cm_reader *reader)
{
    if (!reader->has_row)
        return (cm_slice){0};
    return (cm_slice){reader->buffer + reader->begin, reader->row.length};
}

int cm_reader_column_count(const cm_reader *reader)
{
    return (int)reader->columns.count;
}

cm_slice cm_reader_column_name(const cm_reader *reader, int column)
{
    if (column < 0 || column >= cm_reader_column_count(reader))
        return (cm_slice){0};
    return reader->columns.name[column];
}

cm_slice cm_reader_column_value(cm_reader *reader, int column)
{
    if (column < 0 || column >= cm_reader_column_count(reader) || !reader->has_row)
        return (cm_slice){0};
    cm_slice raw = cm_reader_raw(reader, (uint32_t)column);
    return cm_text_unquote(raw, raw.length && raw.text[0] == '"' ? cm_arena_alloc(reader->values, raw.length) : NULL);
}
