/* The charges of a report by AWS's InvoiceId, to compare an invoice of AWS with. Files are opened by the caller. Pure.
 */
#ifndef CM_EXPORT_INVOICE_IDS_H
#define CM_EXPORT_INVOICE_IDS_H

#include "base/base/arena.h"
#include "billing/cur/reader.h"
#include "billing/reconcile/reconcile.h"

typedef struct cm_invoice_sums {
    const cm_invoice_format *format;
    const char *currency; /* of the invoice */
    cm_arena *arena;      /* of the texts */
    cm_expected *list;    /* sorted by id (member `account`); malloc, the caller's */
    size_t count, capacity, last;
    int64_t without; /* lines that have no InvoiceId yet */
} cm_invoice_sums;

/* Adds every line of a file. REFUSED (CURRENCY): the report has another currency. Errors name the file and the row. */
CM_NODISCARD bool cm_invoice_sums_file(cm_invoice_sums *sums, cm_reader *reader, const char *name, cm_error *err);

#endif
