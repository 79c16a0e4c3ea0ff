/* A row of the window and the values in it: reader.c moves the window, row.c parses. Internal to common/billing/cur. */
#ifndef CM_CUR_ROW_H
#define CM_CUR_ROW_H

#include "base/base/arena.h"
#include "base/base/stream.h"
#include "billing/cur/derived.h"
#include "billing/cur/kinds.h"
#include "billing/cur/place.h"
#include "billing/cur/scan.h"

/* Fields of a kind's key: its ten texts and the older region column. */
enum { CM_KEY_FIELDS = CM_COLUMN_OLD_REGION + 1, CM_KEY_FIELD_MAX = 2 * CM_KIND_TEXT_MAX + 2, CM_ACCEPTED_MAX = 64 };

/* The raw bytes of a field that was valid, to compare with the next row's. */
typedef struct cm_accepted {
    char text[CM_ACCEPTED_MAX + 8];
    size_t length; /* SIZE_MAX: none yet */
} cm_accepted;

typedef struct cm_reader cm_reader;
struct cm_reader {
    cm_stream *stream;
    const cm_scanner *scanner;
    char payer[32];
    cm_instant period_start;
    char period_text[CM_PERIOD_TEXT];
    char month_text[16]; /* "2025-06-", the prefix of a usage start in the period */
    unsigned month_days;

    /* The window: [begin, end) of `buffer` is not consumed yet. */
    char *buffer;
    size_t capacity; /* without CM_SCAN_PADDING */
    size_t begin, end;
    bool ended; /* the stream has ended */
    enum cm_compression compression;
    cm_error cut; /* told when everything before it was read */
    bool failed, at_end;

    cm_row row; /* the row at `begin`, once it was read */
    bool has_usage;
    uint32_t *end_memory;
    uint64_t rows;      /* data rows given out */
    uint64_t text_line; /* line of the text on which the row at `begin` begins */
    bool has_row;

    cm_columns columns;
    cm_line line;
    cm_kinds kinds;
    const cm_known_kind *kind; /* of the line before, or NULL */
    cm_accepted payer_field, period_field;
    char *key; /* of the row's kind */
    uint32_t key_length;
    cm_derived derived;
    char *scratch;    /* [CM_KEY_FIELDS * CM_KEY_FIELD_MAX], for unquoted texts of a new kind */
    cm_arena *values; /* of cm_reader_column_value */
};

/* Field i of the row as it is in the file. i == fields gives an empty field. */
static inline cm_slice cm_reader_raw(const cm_reader *reader, uint32_t i)
{
    uint32_t from = reader->row.end[(int64_t)i - 1] + 1;
    return (cm_slice){reader->buffer + reader->begin + from, reader->row.end[i] - from};
}

/* Fills reader->line from the row. False: POISON, with the column in *ret_place. */
CM_NODISCARD bool cm_reader_parse_row(cm_reader *reader, cm_place *ret_place, cm_error *err);
/* Reads the row's columns of discounts, where reader->line.discounts says that it has some. */
CM_NODISCARD bool cm_reader_parse_discounts(cm_reader *reader, cm_place *ret_place, cm_error *err);
/* The next derived line of the row, or NULL. Valid until the next row or derived line. */
const cm_line *cm_reader_derived(cm_reader *reader);

#endif
