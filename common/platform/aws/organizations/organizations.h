/*
 * AWS Organizations (JSON 1.1, API version 2016-11-28): accounts, their parents, invitations, billing transfers.
 * Endpoint: AWS_ENDPOINT_URL_ORGANIZATIONS, AWS_ENDPOINT_URL, else AWS's. Errors and threads: aws/access.h; an account
 * without an organization has refusal code AWSOrganizationsNotInUseException (NOT_FOUND).
 *
 * Unknown values of states and kinds are kept as text. E-mail addresses, names, notes and handshake ids are marked
 * sensitive in AWS's model: do not log them.
 */
#ifndef CM_AWS_ORGANIZATIONS_H
#define CM_AWS_ORGANIZATIONS_H

#include "platform/aws/access/access.h"

enum { CM_ORG_ID = 40, CM_ORG_EMAIL = 128, CM_ORG_NAME = 128, CM_ORG_WORD = 64, CM_ORG_NOTES_MAX = 1024 };

typedef struct cm_org_organization {
    char id[CM_ORG_ID];            /* "o-..." */
    char feature_set[CM_ORG_WORD]; /* ALL, CONSOLIDATED_BILLING */
    char management_account[CM_AWS_ACCOUNT_ID];
    char management_email[CM_ORG_EMAIL];
} cm_org_organization;

typedef struct cm_org_account {
    char id[CM_AWS_ACCOUNT_ID];
    char email[CM_ORG_EMAIL], name[CM_ORG_NAME];
    char state[CM_ORG_WORD];         /* member `State`, or `Status` if that is missing, or "" if both are */
    char joined_method[CM_ORG_WORD]; /* INVITED, CREATED */
    cm_instant joined_at;            /* 0: not said */
} cm_org_account;

typedef struct cm_org_handshake {
    char id[CM_ORG_ID];
    char action[CM_ORG_WORD];            /* INVITE, TRANSFER_RESPONSIBILITY, ... */
    char state[CM_ORG_WORD];             /* REQUESTED and OPEN both mean pending; CANCELED ACCEPTED DECLINED EXPIRED */
    char organization[CM_ORG_ID];        /* who invited; "" if not said */
    char account[CM_AWS_ACCOUNT_ID];     /* who was invited: by id ... */
    char email[CM_ORG_EMAIL];            /* ... or by address */
    cm_instant requested_at, expires_at; /* expires_at is AWS's value, never computed (N01) */
} cm_org_handshake;

typedef struct cm_org_parent {
    char id[CM_ORG_NAME];   /* "r-..." or "ou-..." */
    char kind[CM_ORG_WORD]; /* ROOT, ORGANIZATIONAL_UNIT */
} cm_org_parent;

/*
 * `source` is the account whose organization's bills another one manages, `target` the one that manages them: the
 * reverse of the terms in the request for a transfer.
 */
typedef struct cm_org_transfer {
    char id[CM_ORG_ID]; /* "rt-..." */
    char name[CM_ORG_NAME + 8];
    char status[CM_ORG_WORD]; /* REQUESTED DECLINED CANCELED EXPIRED ACCEPTED WITHDRAWN */
    char source[CM_AWS_ACCOUNT_ID], target[CM_AWS_ACCOUNT_ID];
    cm_instant starts_at, ends_at; /* first instants of months; 0: open */
    char handshake[CM_ORG_ID];
} cm_org_transfer;

enum cm_org_direction { CM_ORG_INBOUND, CM_ORG_OUTBOUND };

bool cm_org_handshake_pending(const cm_org_handshake *handshake);

CM_NODISCARD bool cm_org_describe(cm_aws_access *access, cm_org_organization *ret, cm_error *err);

/* Called for every element, page by page; false stops with `err`. The record is valid during the call. */
typedef bool (*cm_org_on_account)(void *opaque, const cm_org_account *account, cm_error *err);
typedef bool (*cm_org_on_handshake)(void *opaque, const cm_org_handshake *handshake, cm_error *err);
typedef bool (*cm_org_on_transfer)(void *opaque, const cm_org_transfer *transfer, cm_error *err);
CM_NODISCARD bool cm_org_list_accounts(cm_aws_access *access, cm_org_on_account each, void *opaque, cm_error *err);
/* Invitations (action INVITE) of the caller's organization; ended ones are listed for 30 days. */
CM_NODISCARD bool cm_org_list_invitations(cm_aws_access *access, cm_org_on_handshake each, void *opaque, cm_error *err);
CM_NODISCARD bool cm_org_list_transfers(cm_aws_access *access, enum cm_org_direction direction, cm_org_on_transfer each,
                                        void *opaque, cm_error *err);

CM_NODISCARD bool cm_org_describe_account(cm_aws_access *access, const char *account, cm_org_account *ret,
                                          cm_error *err);
CM_NODISCARD bool cm_org_describe_handshake(cm_aws_access *access, const char *handshake, cm_org_handshake *ret,
                                            cm_error *err);
CM_NODISCARD bool cm_org_root(cm_aws_access *access, cm_org_parent *ret, cm_error *err);
CM_NODISCARD bool cm_org_parent_of(cm_aws_access *access, const char *child, cm_org_parent *ret, cm_error *err);
CM_NODISCARD bool cm_org_move(cm_aws_access *access, const char *account, const char *from, const char *to,
                              cm_error *err);

/*
 * Invites an account. Never sent twice: after error UNAVAILABLE or SLICE_SPENT it is unknown whether the invitation
 * exists; list the invitations before asking again. Refusals: CONFLICT with DuplicateHandshakeException (there is one
 * already), CONSTRAINT with HandshakeConstraintViolationException and its reason (ALREADY_IN_AN_ORGANIZATION,
 * ACCOUNT_NUMBER_LIMIT_EXCEEDED, HANDSHAKE_RATE_LIMIT_EXCEEDED, ...). `notes` NULL: none.
 */
CM_NODISCARD bool cm_org_invite(cm_aws_access *access, const char *account, const char *notes, cm_org_handshake *ret,
                                cm_error *err);
CM_NODISCARD bool cm_org_cancel(cm_aws_access *access, const char *handshake, cm_org_handshake *ret, cm_error *err);

#endif
