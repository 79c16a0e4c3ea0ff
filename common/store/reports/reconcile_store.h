/* What an invoice for a payer and month should say, from the current run (R11, R08). */
#ifndef CM_STORE_RECONCILE_STORE_H
#define CM_STORE_RECONCILE_STORE_H

#include "base/base/arena.h"
#include "billing/catalog/model/catalog.h"
#include "billing/reconcile/reconcile.h"
#include "platform/postgres/postgres.h"

typedef struct cm_expectation {
    cm_expected *list; /* owned; sorted by account, product; texts live in the arena */
    size_t count;
    const char *const *elsewhere; /* in the arena; sorted */
    size_t elsewhere_count;
    bool converted;
    const char *missing; /* NULL: the report is complete */
    const char *run;     /* "" if there is none */
    const char *rate;    /* of the distributor's set, "1" without conversion, "" if several */
} cm_expectation;

/*
 * By account and product, or by account, as the format says; taxes as the format says. The distributor's support
 * charges follow the groups' buy_percent (N05). REFUSED FX_MISSING: the invoice is in a currency without a FxRate of
 * the set `distributor`.
 */
CM_NODISCARD bool cm_store_expectation(cm_pg *pg, const cm_catalog *catalog, const cm_payer *payer, cm_period period,
                                       const cm_invoice_format *format, const char *currency, cm_arena *arena,
                                       cm_expectation *ret, cm_error *err);
/* Only `missing` and `run`: for AWS's own invoices, which are compared with the files. */
CM_NODISCARD bool cm_store_expectation_run(cm_pg *pg, const cm_payer *payer, cm_period period, cm_arena *arena,
                                           cm_expectation *ret, cm_error *err);
void cm_expectation_free(cm_expectation *expectation);

#endif
