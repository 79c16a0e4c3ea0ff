/*
 * What AWS itself charges each account of a payer for support (Billing API), against the support lines of the current
 * run (payer layer) and the fees of the support plan groups on the month's statements (O10, O15, O16).
 */
#ifndef CM_STORE_SUPPORT_REPORT_H
#define CM_STORE_SUPPORT_REPORT_H

#include "billing/catalog/model/catalog.h"
#include "platform/postgres/postgres.h"

enum cm_support_cause {
    CM_SUPPORT_AGREES,
    CM_SUPPORT_MISSING_DELIVERY,
    CM_SUPPORT_NOT_IN_REPORT,
    CM_SUPPORT_NOT_LISTED,
    CM_SUPPORT_DISCOUNT,
    CM_SUPPORT_ROUNDING,
    CM_SUPPORT_ESTIMATED,
    CM_SUPPORT_NO_GROUP,
    CM_SUPPORT_FEE_ONLY,
    CM_SUPPORT_UNEXPLAINED,
    CM_SUPPORT_CAUSES
};
const char *cm_support_cause_name(enum cm_support_cause cause); /* "" for AGREES */
const char *cm_support_cause_words(enum cm_support_cause cause);

typedef struct cm_support_row {
    const char *account; /* "": all accounts with Enterprise Support together, or a document without accounts */
    const char *plan;    /* business, ...; a name of AWS that is not known as it is; NULL: nothing tells it */
    const char *group, *aws_charge, *lines, *fee, *currency, *fee_currency; /* NULL: there is none */
    const char *difference;                                                 /* AWS's charge - lines; NULL: neither */
    enum cm_support_cause cause;
} cm_support_row;

/* Valid during the call; in order of accounts. */
typedef void (*cm_on_support_row)(void *opaque, const cm_support_row *row);
/* NOT_FOUND NOT_READ: AWS's word on the month is not known; the text says why. */
CM_NODISCARD bool cm_store_support_report(cm_pg *pg, const cm_payer *payer, cm_period period, cm_on_support_row each,
                                          void *opaque, cm_error *err);

#endif
