/*
 * AWS Tax Settings (rest-json, API version 2018-05-10): tax inheritance of an organization and the tax registrations of
 * its accounts. Signs as "tax". Endpoint: AWS_ENDPOINT_URL_TAXSETTINGS, AWS_ENDPOINT_URL, else AWS's. Errors and
 * threads: aws/access.h. The two inheritance calls take no account: they act on the account of the credentials.
 *
 * Registrations, names and addresses are marked sensitive in AWS's model: do not log them. Unknown values of states and
 * kinds are kept as text.
 */
#ifndef CM_AWS_TAX_SETTINGS_H
#define CM_AWS_TAX_SETTINGS_H

#include "platform/aws/access/access.h"

enum { CM_TAX_WORD = 64, CM_TAX_ID = 201, CM_TAX_LINE = 181, CM_TAX_SHORT = 61 };

typedef struct cm_tax_address { /* members that AWS did not send are "" */
    char line1[CM_TAX_LINE], line2[CM_TAX_SHORT], line3[CM_TAX_SHORT];
    char district[CM_TAX_SHORT], city[CM_TAX_SHORT], state[CM_TAX_SHORT], postal_code[CM_TAX_SHORT];
    char country[3]; /* ISO 3166 alpha-2 */
} cm_tax_address;

typedef struct cm_tax_registration {
    bool there;             /* false: the account has no tax registration, all else is empty */
    char id[CM_TAX_ID];     /* the tax registration number */
    char type[CM_TAX_WORD]; /* VAT, GST, ... */
    char legal_name[CM_TAX_ID];
    char status[CM_TAX_WORD]; /* Verified Pending Deleted Rejected */
    char status_reason[CM_TAX_WORD];
    char country[3], state[CM_TAX_SHORT]; /* jurisdiction */
    bool has_address;                     /* GetTaxRegistration only */
    cm_tax_address address;               /* the legal address */
} cm_tax_registration;

typedef struct cm_tax_account {
    char id[CM_AWS_ACCOUNT_ID];
    char name[CM_TAX_ID];
    cm_tax_registration registration;
    bool inherits;                         /* taxInheritanceDetails is present */
    char inherits_from[CM_AWS_ACCOUNT_ID]; /* "" if not said */
    char inherits_why[CM_TAX_WORD];
    bool has_address;
    cm_tax_address address;         /* the one that AWS uses, from the account's metadata */
    char address_type[CM_TAX_WORD]; /* TaxAddress BillingAddress ContactAddress */
} cm_tax_account;

#define CM_TAX_INHERITANCE_ON  "OptIn"
#define CM_TAX_INHERITANCE_OFF "OptOut"

/* "OptIn", "OptOut", another word, or "" if AWS does not say. */
CM_NODISCARD bool cm_tax_inheritance(cm_aws_access *access, char ret[static CM_TAX_WORD], cm_error *err);
/* Changes live settings of the caller's account. Code CONFLICT: a change is in progress. */
CM_NODISCARD bool cm_tax_set_inheritance(cm_aws_access *access, const char *status, cm_error *err);

/* Every account of the organization, page by page; false stops with `err`. The record is valid during the call. */
typedef bool (*cm_tax_on_account)(void *opaque, const cm_tax_account *account, cm_error *err);
CM_NODISCARD bool cm_tax_list_registrations(cm_aws_access *access, cm_tax_on_account each, void *opaque, cm_error *err);
/* `account` NULL: the caller's. Without any registration `there` is false; that is not an error. */
CM_NODISCARD bool cm_tax_registration_of(cm_aws_access *access, const char *account, cm_tax_registration *ret,
                                         cm_error *err);

#endif
