/*
 * Reads one chunk (file) of a report: decompress, split (RFC 4180: quotes, doubled quotes, quoted newlines, LF or CRLF,
 * optional BOM), map columns by header name, parse. Legacy names (lineItem/UsageAmount) and CUR 2.0 names
 * (line_item_usage_amount) are both known; each chunk has its own order and its own set of columns. Memory does not
 * grow with the file. Mandatory columns: payer, billing period start, usage account, line item type, product code,
 * usage type, usage start, unblended cost, currency code. All others are optional and read as empty. Discounts in
 * columns of a row give derived lines, which follow it (line.h). One thread.
 */
#ifndef CM_CUR_READER_H
#define CM_CUR_READER_H

#include "base/base/stream.h"
#include "billing/cur/line.h"
#include "billing/cur/place.h"

enum cm_compression { CM_COMPRESSION_NONE, CM_COMPRESSION_GZIP, CM_COMPRESSION_ZIP };
enum cm_compression cm_compression_of_name(const char *file_name); /* .gz, .zip, else none */

/* Limits, so that a damaged file cannot exhaust memory. */
enum {
    CM_CUR_ROW_MAX = 8 << 20, /* bytes of one row */
    CM_CUR_FIELD_MAX = 2 << 20,
    CM_CUR_COLUMNS_MAX = 4096,
};

typedef struct cm_reader cm_reader;

/*
 * Takes ownership of `stream` (also on failure). Every line's payer and billing period start must equal the expected
 * ones. An empty gzip and a file with a header only are chunks with no lines; a file of 0 bytes is none. Errors: POISON
 * with codes EMPTY_FILE, WRONG_FORMAT (what the file is, is said), EMPTY_HEADER, COLUMN_MISSING, COLUMN_TWICE,
 * TOO_LONG.
 */
CM_NODISCARD cm_reader *cm_reader_new(cm_stream *stream, enum cm_compression compression, const char *payer,
                                      cm_period period, cm_place *ret_place, cm_error *err);
void cm_reader_free(cm_reader *reader);

/*
 * *ret = NULL at the end. The line is valid until the next call. POISON with codes CUT (the file ends early or is
 * damaged; a CSV that is not compressed must end with a line end), BARE_CR, BAD_ACCOUNT, RAGGED (other number of fields
 * than the header), NOT_A_NUMBER, OVERFLOW, NOT_A_TIME, WRONG_PAYER, WRONG_PERIOD, MISSING_VALUE, QUOTE (stray quote),
 * TOO_LONG; RETRY when the stream says so. *ret_place says where.
 */
CM_NODISCARD bool cm_reader_next(cm_reader *reader, const cm_line **ret, cm_place *ret_place, cm_error *err);

/* The file has no such column (a projection), and the name that it would have there. False where there is no header. */
bool cm_reader_lacks(const cm_reader *reader, enum cm_lack lack);
/* A line of usage (Usage, DiscountedUsage ...) has been read. */
bool cm_reader_has_usage(const cm_reader *reader);
cm_slice cm_reader_lacking_name(const cm_reader *reader, enum cm_lack lack);

/* The raw row of the line last returned, and a column's value in it by header name (for `explain`); "" if absent. Valid
 * until next. */
cm_slice cm_reader_raw_row(const cm_reader *reader);
int cm_reader_column_count(const cm_reader *reader);
cm_slice cm_reader_column_name(const cm_reader *reader, int column);
cm_slice cm_reader_column_value(cm_reader *reader, int column); /* unquoted */

/* gzip (one or many members, ISA-L) or zip (libzip; one CSV member; spools to an unlinked temporary file if the stream
 * is not local). */
CM_NODISCARD cm_stream *cm_decompress(cm_stream *compressed, enum cm_compression compression, cm_error *err);

#endif
