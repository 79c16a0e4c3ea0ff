/*
 * Outputs of a document, each a pure function of its stored record (statements.md section 7; I09, I10;
 * store/document_record.h): first a view of it as JSON, which holds only what its reader may know, then that view as
 * CSV or PDF. Amounts are always decimals as texts.
 */
#ifndef CM_PRINT_VIEW_H
#define CM_PRINT_VIEW_H

#include "base/base/buffer.h"
#include "base/base/error.h"

#include <jansson.h>

enum cm_view {
    CM_VIEW_CUSTOMER, /* what the customer is billed; no buy, payer or provider discount anywhere (P13); issued
                         documents only (I11) */
    CM_VIEW_RESELLER, /* and what it costs and earns, rates, who approved and overrode; a document that is not issued is
                         marked so */
    CM_VIEW_DISTRIBUTOR, /* what the distributor bills for it, by account and product, and where it is paid (I14) */
    CM_VIEW_COUNT
};
extern const char *const cm_view_names[CM_VIEW_COUNT + 1]; /* "customer"; NULL-ended */

/*
 * The view of a record. Caller: json_decref. NULL: REFUSED with what to do instead (NOT_ISSUED: the customer's view of
 * a document that is not issued; NOT_RECORDED: what was bought is not stored with this document).
 */
CM_NODISCARD json_t *cm_view_make(const json_t *record, enum cm_view view, cm_error *err);

/*
 * The view as CSV (RFC 4180, CRLF, a header; R10). `columns`: NULL-ended choice in the order wanted (R09), NULL: all.
 * Texts that a spreadsheet would treat as a formula are prefixed with an apostrophe; numbers are left as they are.
 * False: INVALID, an unknown column (all are named).
 */
CM_NODISCARD bool cm_view_csv(const json_t *view, const char *const *columns, cm_buffer *ret, cm_error *err);

/* The view as PDF. The same view gives the same bytes with the same fonts and libraries: dates in it are the
 * document's. */
CM_NODISCARD bool cm_view_pdf(const json_t *view, cm_buffer *ret, cm_error *err);

#endif
