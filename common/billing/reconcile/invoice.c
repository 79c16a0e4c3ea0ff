#include "billing/reconcile/invoice.h"

#include "base/base/buffer.h"
#include "billing/catalog/model/currency.h"

#include <csv.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIELDS_MAX = 1024, READ_BYTES = 64 * 1024 };

typedef struct reading {
    const char *path;
    const cm_invoice_format *format;
    cm_arena *arena;
    cm_invoice *invoice;
    cm_error *err;
    size_t capacity;
    bool failed, has_header;
    uint64_t row;   /* current data row */
    cm_buffer text; /* fields of the current row, each with its NUL */
    size_t start[FIELDS_MAX];
    int fields, width;
    const char *name[FIELDS_MAX];   /* header */
    int column[CM_INVOICE_COLUMNS]; /* -1: none */
    int *filter;                    /* columns of `take`, then of `leave` */
} reading;

static bool wrong(reading *r, const char *code, int column, const char *format, ...) CM_PRINTF(4, 5);
static bool wrong(reading *r, const char *code, int column, const char *format, ...)
{
    char place[512];
    va_list arguments;
    va_start(arguments, format);
    cm_fail_v(r->err, CM_ERROR_INVALID, code, format, arguments);
    va_end(arguments);
    if (column >= 0)
        snprintf(place, sizeof place, "%s, row %" PRIu64 ", column \"%s\"", r->path, r->row, r->name[column]);
    else
        snprintf(place, sizeof place, "%s, row %" PRIu64, r->path, r->row);
    r->failed = true;
    return cm_fail_context(r->err, "%s", place);
}

static const char *field(const reading *r, int column)
{
    return r->text.data + r->start[column];
}

/* --- header ------------------------------------------------------------------------------------------------------ */

static int find_column(reading *r, const char *name)
{
    int found = -1;
    for (int i = 0; i < r->width; i++) {
        if (strcmp(r->name[i], name) != 0)
            continue;
        if (found >= 0) {
            wrong(r, "INVOICE_COLUMN", -1, "the header has the column \"%s\" twice; rename one of the two", name);
            return -1;
        }
        found = i;
    }
    if (found < 0)
        wrong(
            r, "INVOICE_COLUMN", -1,
            "the header has no column \"%s\", which InvoiceFormat %s expects; correct the format in the catalog, or its delimiter",
            name, r->format->id);
    return found;
}

static void take_header(reading *r)
{
    r->has_header = true;
    r->width = r->fields;
    for (int i = 0; i < r->width; i++)
        r->name[i] = cm_arena_strndup(r->arena, field(r, i), strlen(field(r, i)));
    for (int i = 0; i < CM_INVOICE_COLUMNS; i++) {
        r->column[i] = -1;
        if (r->format->column[i] && (r->column[i] = find_column(r, r->format->column[i])) < 0)
            return;
    }
    size_t filters = r->format->take_count + r->format->leave_count;
    r->filter = cm_arena_alloc(r->arena, (filters + 1) * sizeof *r->filter);
    for (size_t i = 0; i < filters; i++) {
        const cm_text_pair *pair =
            i < r->format->take_count ? &r->format->take[i] : &r->format->leave[i - r->format->take_count];
        if ((r->filter[i] = find_column(r, pair->key)) < 0)
            return;
    }
}

/* --- rows -------------------------------------------------------------------------------------------------------- */

/* One of the values of every column of `take`, none of `leave`. */
static bool is_taken(const reading *r)
{
    const cm_invoice_format *f = r->format;
    for (size_t i = 0; i < f->take_count;) {
        bool fits = false;
        size_t k = i;
        for (; k < f->take_count && f->take[k].key == f->take[i].key; k++)
            fits |= strcmp(field(r, r->filter[k]), f->take[k].value) == 0;
        if (!fits)
            return false;
        i = k;
    }
    for (size_t i = 0; i < f->leave_count; i++)
        if (strcmp(field(r, r->filter[f->take_count + i]), f->leave[i].value) == 0)
            return false;
    return true;
}

/* "0001-1112-2223", "11112222" (a spreadsheet dropped the zeros) -> "000111122223" (N16) */
static bool take_account(reading *r, int column, const char **ret)
{
    const char *text = field(r, column);
    char digits[13];
    size_t count = 0;
    for (const char *c = text; *c; c++) {
        if (*c == '-' || *c == ' ' || *c == '\'')
            continue;
        if (*c < '0' || *c > '9' || count == 12)
            return wrong(r, "INVOICE_ACCOUNT", column, "\"%s\" is not an AWS account id (12 digits)", text);
        digits[count++] = *c;
    }
    if (count == 0)
        return wrong(
            r, "INVOICE_ACCOUNT", column,
            "the account id is missing; if the row is a total or a remark, leave out such rows with `leave` in InvoiceFormat %s",
            r->format->id);
    *ret = cm_arena_printf(r->arena, "%0*d%.*s", (int)(12 - count), 0, (int)count, digits);
    if (count == 12)
        *ret = cm_arena_strndup(r->arena, digits, 12);
    return true;
}

/* The whole digits, with or without a separator of thousands: the sign that is not the decimal one, a blank or an
 * apostrophe, the same throughout, and three digits after each. Anything else is an amount in another notation. */
static bool take_whole(const char **at, const char *end, char other, cm_buffer *plain)
{
    char separator = '\0';
    int digits = 0;
    for (; *at < end; ++*at) {
        char c = **at;
        if (c >= '0' && c <= '9') {
            cm_buffer_char(plain, c);
            digits++;
        } else if (c == other || c == ' ' || c == '\'') {
            if (separator ? c != separator || digits != 3 : digits < 1 || digits > 3)
                return false;
            separator = c;
            digits = 0;
        } else {
            break;
        }
    }
    return !separator || digits == 3;
}

/* "-1.234,56" by the format's decimal sign -> "-1234.56"; "(1.50)" is negative. */
static bool plain_amount(const char *text, char decimal, cm_buffer *plain)
{
    size_t length = strlen(text);
    while (length && text[length - 1] == ' ')
        length--;
    const char *at = text + strspn(text, " "), *end = text + length;
    bool negative = end - at > 1 && *at == '(' && end[-1] == ')';
    if (negative) {
        at++;
        end--;
    }
    if (negative || *at == '-')
        cm_buffer_char(plain, '-');
    if (!negative && (*at == '-' || *at == '+'))
        at += 1 + strspn(at + 1, " ");
    if (at >= end || !take_whole(&at, end, decimal == '.' ? ',' : '.', plain))
        return false;
    if (at < end && *at == decimal) {
        cm_buffer_char(plain, '.');
        at++;
    }
    for (; at < end; at++) {
        if (!strchr("0123456789eE+-", *at))
            return false;
        cm_buffer_char(plain, *at);
    }
    return true;
}

static bool take_amount(reading *r, int column, cm_decimal *ret)
{
    cm_buffer plain = {0};
    bool done = plain_amount(field(r, column), r->format->decimal, &plain) &&
                cm_decimal_parse_strict((cm_slice){plain.data, plain.length}, ret);
    cm_buffer_free(&plain);
    return done || wrong(r, "INVOICE_AMOUNT", column,
                         "\"%s\" is not an amount with the decimal sign '%c' and three digits after each separator of "
                         "thousands; correct `decimal` in InvoiceFormat %s, or the file",
                         field(r, column), r->format->decimal, r->format->id);
}

static bool take_currency(reading *r)
{
    const char *currency = r->format->currency;
    int column = r->column[CM_INVOICE_CURRENCY];
    if (column >= 0)
        currency = field(r, column);
    if (cm_currency_minor_digits(currency) < 0)
        return wrong(r, "INVOICE_CURRENCY", column, "\"%s\" is not a currency of ISO 4217", currency);
    if (!r->invoice->currency)
        r->invoice->currency = cm_arena_strndup(r->arena, currency, strlen(currency));
    return strcmp(r->invoice->currency, currency) == 0 ||
           wrong(r, "INVOICE_CURRENCY", column,
                 "\"%s\", but rows before it are in %s: amounts of two currencies cannot be added; split the file",
                 currency, r->invoice->currency);
}

static int by_key(const void *key, const void *pair)
{
    return strcmp(key, ((const cm_text_pair *)pair)->key);
}

static const char *product_of(const reading *r, const char *name)
{
    const cm_invoice_format *f = r->format;
    const cm_text_pair *pair =
        f->product_count ? bsearch(name, f->products, f->product_count, sizeof *f->products, by_key) : NULL;
    return pair ? pair->value : cm_arena_strndup(r->arena, name, strlen(name));
}

static bool take_row(reading *r)
{
    cm_invoice *invoice = r->invoice;
    cm_invoice_row row = {.row = r->row, .product = ""};
    if (!take_currency(r) || !take_amount(r, r->column[CM_INVOICE_AMOUNT], &row.amount))
        return false;
    if (r->format->level == CM_INVOICE_BY_ID) {
        const char *id = field(r, r->column[CM_INVOICE_ID]);
        row.account = cm_arena_strndup(r->arena, id, strlen(id));
    } else if (!take_account(r, r->column[CM_INVOICE_ACCOUNT], &row.account)) {
        return false;
    }
    if (r->format->level == CM_INVOICE_BY_PRODUCT)
        row.product = product_of(r, field(r, r->column[CM_INVOICE_PRODUCT]));
    if (!cm_decimal_accumulate(&invoice->total, row.amount))
        return wrong(r, "INVOICE_AMOUNT", r->column[CM_INVOICE_AMOUNT], "the sum of the amounts is too large");
    if (invoice->count == r->capacity) {
        r->capacity = r->capacity ? r->capacity * 2 : 256;
        invoice->rows = cm_realloc(invoice->rows, r->capacity * sizeof *invoice->rows);
    }
    invoice->rows[invoice->count++] = row;
    return true;
}

/* --- libcsv ------------------------------------------------------------------------------------------------------ */

static void on_field(void *data, size_t length, void *opaque)
{
    reading *r = opaque;
    if (r->failed)
        return;
    if (r->fields == FIELDS_MAX) {
        r->row += r->has_header;
        wrong(r, "INVOICE_ROW", -1, "more than %d columns: is the delimiter of InvoiceFormat %s right?", FIELDS_MAX,
              r->format->id);
        return;
    }
    r->start[r->fields++] = r->text.length;
    cm_buffer_append(&r->text, length ? data : "", length);
    cm_buffer_append(&r->text, "", 1);
}

static void on_row(int end, void *opaque)
{
    reading *r = opaque;
    (void)end;
    if (!r->failed && !r->has_header) {
        take_header(r);
    } else if (!r->failed) {
        r->row++;
        if (r->fields != r->width)
            wrong(r, "INVOICE_ROW", -1, "the row has %d columns, the header has %d", r->fields, r->width);
        else if (is_taken(r))
            take_row(r);
        else
            r->invoice->left_out++;
    }
    r->fields = 0;
    cm_buffer_clear(&r->text);
}

static bool parse(reading *r, FILE *file)
{
    struct csv_parser parser;
    char *bytes = cm_alloc(READ_BYTES);
    size_t count, total = 0;
    int initialised = csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI);
    cm_assert(initialised == 0);
    csv_set_delim(&parser, (unsigned char)r->format->delimiter);
    while (!r->failed && (count = fread(bytes, 1, READ_BYTES, file)) > 0) {
        size_t mark =
            total == 0 && count >= 3 && memcmp(bytes, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0; /* also before a quote */
        total += count;
        if (total > CM_INVOICE_BYTES_MAX)
            wrong(r, "INVOICE_ROW", -1, "the file is larger than %d MiB", CM_INVOICE_BYTES_MAX >> 20);
        else if (csv_parse(&parser, bytes + mark, count - mark, on_field, on_row, r) != count - mark && !r->failed)
            wrong(r, "INVOICE_CSV", -1, "the row after this one: %s", csv_strerror(csv_error(&parser)));
    }
    if (!r->failed && ferror(file))
        wrong(r, "INVOICE_CSV", -1, "reading stopped: %s", strerror(errno));
    if (!r->failed && csv_fini(&parser, on_field, on_row, r) != 0 && !r->failed)
        wrong(r, "INVOICE_CSV", -1, "the row after this one: a quote is not closed");
    csv_free(&parser);
    free(bytes);
    return !r->failed;
}

bool cm_invoice_read(const char *path, const cm_invoice_format *format, cm_arena *arena, cm_invoice *ret, cm_error *err)
{
    reading *r = cm_alloc(sizeof *r);
    *ret = (cm_invoice){0};
    *r = (reading){.path = path, .format = format, .arena = arena, .invoice = ret, .err = err};
    FILE *file = fopen(path, "rbe");
    bool done = file ? parse(r, file) : cm_fail(err, CM_ERROR_NOT_FOUND, "NO_FILE", "%s: %s", path, strerror(errno));
    if (done && ret->count == 0)
        done = cm_fail(err, CM_ERROR_INVALID, "INVOICE_EMPTY",
                       "%s: no row to compare (%" PRIu64 " left out by InvoiceFormat %s)", path, ret->left_out,
                       format->id);
    if (file)
        fclose(file);
    cm_buffer_free(&r->text);
    free(r);
    if (!done)
        cm_invoice_free(ret);
    return done;
}

void cm_invoice_free(cm_invoice *invoice)
{
    free(invoice->rows);
    *invoice = (cm_invoice){0};
}
