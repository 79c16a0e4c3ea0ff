/*
 * AWS Billing (JSON 1.0, API version 2023-09-07): which Support plan each account of a payer has and what AWS charges
 * for it. Endpoint: AWS_ENDPOINT_URL_BILLING, AWS_ENDPOINT_URL, else AWS's. Errors and threads: aws/access.h.
 *
 * AWS sends all numbers as text; they become decimals and never pass through a double. A number that is not one, or
 * that is not text, gives error BAD_AMOUNT (RETRY). Plans and kinds of discounts are kept as AWS's text.
 */
#ifndef CM_AWS_SUPPORT_CHARGES_H
#define CM_AWS_SUPPORT_CHARGES_H

#include "base/decimal/decimal.h"
#include "base/time/time.h"
#include "platform/aws/access/access.h"

enum { CM_BILLING_WORD = 64, CM_BILLING_ACCOUNTS_MAX = 100000 };

typedef struct cm_support_charge {
    char account[CM_AWS_ACCOUNT_ID];
    char plan[CM_BILLING_WORD]; /* AWSSupportBusiness AWSSupportDeveloper AWSSupportEssential */
    cm_decimal charge, usage_basis;
    cm_decimal discount;                 /* zero or negative */
    char discount_type[CM_BILLING_WORD]; /* Distributor_Discount SPP_Discount, "" if there is none */
    bool estimated;                      /* the month is not final yet */
} cm_support_charge;

/*
 * Every account with a Developer or Business plan in the month, page by page; false stops with `err`. The record is
 * valid during the call. AWS has the present month (estimated) and past ones. `ret_estimated`: also set if no account
 * is listed. More than CM_BILLING_ACCOUNTS_MAX accounts give error TOO_MANY (RETRY).
 */
typedef bool (*cm_on_support_charge)(void *opaque, const cm_support_charge *charge, cm_error *err);
CM_NODISCARD bool cm_billing_support_charges(cm_aws_access *access, cm_period month, cm_on_support_charge each,
                                             void *opaque, bool *ret_estimated, cm_error *err);

typedef struct cm_enterprise_support {
    bool there;                 /* false: the payer has no Enterprise Support in the month, all else is empty */
    char plan[CM_BILLING_WORD]; /* name of the pricing plan */
    cm_decimal charge;          /* of all enrolled accounts together */
    cm_decimal usage_basis, discount;
    cm_decimal percentage; /* of the usage basis */
    cm_decimal minimum;    /* zero if AWS does not say */
    bool estimated;
} cm_enterprise_support;

/* Past months only. Having none is not an error. */
CM_NODISCARD bool cm_billing_enterprise_support(cm_aws_access *access, cm_period month, cm_enterprise_support *ret,
                                                cm_error *err);

#endif
