/*
 * An invoice against what we expect it to be (R11): a distributor's against our buy layer by account and product, AWS's
 * own against the payer amounts by InvoiceId. Every difference gets a status and, if known, the cause that explains it.
 * Pure.
 *
 * Tolerance: half a minor unit of the invoice's currency for each row of the invoice, because each was rounded.
 * Differences within it count as matched.
 */
#ifndef CM_RECONCILE_RECONCILE_H
#define CM_RECONCILE_RECONCILE_H

#include "billing/reconcile/invoice.h"

enum cm_reconcile_status {
    CM_RECONCILE_MATCHED,
    CM_RECONCILE_SHORT,   /* the invoice asks for less than we expect */
    CM_RECONCILE_OVER,    /* for more */
    CM_RECONCILE_UNKNOWN, /* for something that our report does not have */
    CM_RECONCILE_STATUSES,
};
const char *cm_reconcile_status_name(enum cm_reconcile_status status); /* "matched" */

/* The first that fits, in this order; words.c describes each of them for people. */
enum cm_reconcile_cause {
    CM_CAUSE_NONE,
    CM_CAUSE_NOT_BILLED,
    CM_CAUSE_LATE_LINE,
    CM_CAUSE_SUSPENDED,
    CM_CAUSE_SUPPORT,
    CM_CAUSE_DISCOUNT,
    CM_CAUSE_CREDIT,
    CM_CAUSE_TAX,
    CM_CAUSE_DUPLICATE,
    CM_CAUSE_FX,
    CM_CAUSE_PRICE_BOOK,
    CM_CAUSE_ROUNDING,
    CM_CAUSE_OTHER_PAYER,
    CM_CAUSE_MISSING_DELIVERY,
    CM_CAUSE_UNKNOWN_ACCOUNT,
    CM_CAUSE_UNKNOWN_PRODUCT,
    CM_CAUSE_UNKNOWN_INVOICE,
    CM_CAUSE_UNEXPLAINED,
    CM_CAUSES,
};
const char *cm_reconcile_cause_name(enum cm_reconcile_cause cause);  /* "LATE_LINE"; "" for NONE */
const char *cm_reconcile_cause_words(enum cm_reconcile_cause cause); /* what it means and what to do */

/* What we know of one account and product (level account: product ""; level invoice: account is the InvoiceId). All
 * amounts are in the invoice's currency, at the distributor's rate where it is not the report's (R08). */
typedef struct cm_expected {
    const char *account, *product, *customer;
    int64_t charges;        /* number of merged charges: bounds the error from rounding each of them */
    cm_decimal amount;      /* what the invoice should say */
    cm_decimal late;        /* what the newest run has in addition to the current one */
    cm_decimal payer, list; /* the same charges by other layers */
    cm_decimal suspended;   /* payer amount of suspended lines: not in `amount` */
    cm_decimal
        support; /* payer amount of AWS's own support lines that the payer model suppresses (N04): not in `amount` */
    cm_decimal
        discount; /* provider discounts that are not in `amount`: earned in this month, credited in the next (N12) */
    cm_decimal arrears;     /* earned in earlier months and credited by this invoice: in `amount` */
    cm_decimal credit, tax; /* credit: in `amount`; tax: in it if the invoice has taxes */
    cm_decimal at_reseller_rate, at_former_rate; /* `amount` at other rates; equal to `amount` if there is none */
    bool is_support;                             /* from a support plan group's buy percent, or AWS support lines */
} cm_expected;

typedef struct cm_reconcile_input {
    const cm_invoice_format *format;
    const cm_invoice *invoice;
    const cm_expected *expected; /* sorted by account, product, each once */
    size_t count;
    const char *const *elsewhere; /* accounts that have charges under other payers of the lane in this month; sorted */
    size_t elsewhere_count;
    bool converted;      /* the invoice's currency is not the report's */
    const char *missing; /* why the report may be incomplete, NULL: it is complete */
    int places;          /* minor digits of the invoice's currency */
} cm_reconcile_input;

typedef struct cm_reconcile_item {
    const char *account, *product, *customer; /* borrowed */
    enum cm_reconcile_status status;
    enum cm_reconcile_cause cause;
    cm_decimal invoiced, expected, difference; /* invoiced - expected */
    const uint64_t *rows;                      /* of the invoice, from 1; owned by the result */
    size_t row_count;
} cm_reconcile_item;

typedef struct cm_reconciliation {
    cm_reconcile_item *items; /* sorted by account, product */
    size_t count;
    size_t counts[CM_RECONCILE_STATUSES];
    cm_decimal invoiced, expected; /* over all */
    uint64_t *rows;                /* private */
} cm_reconciliation;
void cm_reconciliation_free(cm_reconciliation *result);

/* False: overflow. */
CM_NODISCARD bool cm_reconcile(const cm_reconcile_input *input, cm_reconciliation *ret, cm_error *err);

#endif
