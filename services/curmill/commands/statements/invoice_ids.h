/* Payer amounts by InvoiceId, read from the files of a run: AWS's own invoices are compared with them. Private to this
 * program. */
#ifndef INVOICE_IDS_H
#define INVOICE_IDS_H

#include "billing/reconcile/reconcile.h"
#include "cli/cli.h"

/* One for each InvoiceId, sorted; product "", `tax` is what its tax lines add up to. Lines without an id are left out
 * and counted. REFUSED if the lines are not all in `currency`. *ret is freed by the caller. */
CM_NODISCARD bool invoice_ids_load(cm_pg *pg, const cm_archive *archive, const char *run,
                                   const cm_invoice_format *format, const char *currency, cm_arena *arena,
                                   cm_expected **ret, size_t *ret_count, int64_t *ret_without, cm_error *err);

#endif
