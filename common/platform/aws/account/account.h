/*
 * AWS Account Management (rest-json, API version 2021-02-01): an account's name and its owner's address. Endpoint:
 * AWS_ENDPOINT_URL_ACCOUNT, AWS_ENDPOINT_URL, else AWS's. Errors and threads: aws/access.h. `account` NULL: the
 * caller's; another one must be a member of the organization that the caller manages.
 *
 * Names and addresses are marked sensitive in AWS's model: do not log them.
 */
#ifndef CM_AWS_ACCOUNT_H
#define CM_AWS_ACCOUNT_H

#include "platform/aws/access/access.h"

typedef struct cm_account_information {
    char id[CM_AWS_ACCOUNT_ID];
    char name[64];
    char state[64];        /* PENDING_ACTIVATION ACTIVE SUSPENDED CLOSED, another word, or "" */
    cm_instant created_at; /* 0: not said */
} cm_account_information;

typedef struct cm_account_contact {
    char company[64], city[64], state[64], postal_code[32];
    char country[3]; /* ISO 3166 alpha-2: used by the territory check (P17) */
} cm_account_contact;

CM_NODISCARD bool cm_account_information_of(cm_aws_access *access, const char *account, cm_account_information *ret,
                                            cm_error *err);
CM_NODISCARD bool cm_account_contact_of(cm_aws_access *access, const char *account, cm_account_contact *ret,
                                        cm_error *err);

#endif
