/* Private to common/billing/reconcile. */
#ifndef CM_RECONCILE_INTERNAL_H
#define CM_RECONCILE_INTERNAL_H

#include "billing/reconcile/reconcile.h"

/* One account and product with what both sides say. */
typedef struct cm_reconcile_group {
    const char *account, *product;
    const cm_expected *expected; /* NULL: nothing */
    const cm_invoice_row **rows; /* of the invoice */
    size_t row_count;
    cm_decimal invoiced, expecting, difference, tolerance;
} cm_reconcile_group;

/* A property of the whole invoice: one ratio that explains the large groups. */
typedef struct cm_reconcile_trend {
    bool found;
    cm_decimal ratio; /* invoiced / expected */
} cm_reconcile_trend;

/* Half a minor unit, `times` over: the largest error from rounding that many amounts. */
cm_decimal cm_reconcile_half_units(int places, int64_t times);
cm_reconcile_trend cm_reconcile_find_trend(const cm_reconcile_group *groups, size_t count);
/* The cause of a group's difference, which is beyond its tolerance. */
enum cm_reconcile_cause cm_reconcile_find_cause(const cm_reconcile_input *input, const cm_reconcile_group *group,
                                                bool account_known, const cm_reconcile_trend *trend);

#endif
