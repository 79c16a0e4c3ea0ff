/* Reads an invoice as CSV (libcsv) by the columns that the catalog's InvoiceFormat names. */
#ifndef CM_RECONCILE_INVOICE_H
#define CM_RECONCILE_INVOICE_H

#include "base/base/arena.h"
#include "billing/catalog/model/catalog.h"

enum { CM_INVOICE_BYTES_MAX = 256 << 20 };

typedef struct cm_invoice_row {
    uint64_t row; /* data row, from 1; the header is row 0 */
    const char
        *account; /* 12 digits: zeros that a spreadsheet dropped are put back (N16). Level invoice: the InvoiceId */
    const char *product; /* product code; "" if the level has none */
    cm_decimal amount;
} cm_invoice_row;

typedef struct cm_invoice {
    cm_invoice_row *rows; /* in the file's order; texts live in the arena */
    size_t count;
    uint64_t left_out;    /* rows that `take` and `leave` of the format left out */
    const char *currency; /* one for the whole invoice */
    cm_decimal total;
} cm_invoice;

/*
 * A file with an error is rejected as a whole. INVALID, text with file, row and column: INVOICE_COLUMN (a column is
 * missing or twice), INVOICE_ROW (width), INVOICE_AMOUNT, INVOICE_ACCOUNT, INVOICE_CURRENCY (none, unknown, or several
 * in one file), INVOICE_CSV (quotes), INVOICE_EMPTY; NOT_FOUND: no such file. `ret->rows` is freed with
 * cm_invoice_free.
 */
CM_NODISCARD bool cm_invoice_read(const char *path, const cm_invoice_format *format, cm_arena *arena, cm_invoice *ret,
                                  cm_error *err);
void cm_invoice_free(cm_invoice *invoice);

#endif
