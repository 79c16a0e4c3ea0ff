/*
 * One payer's way into AWS: credentials (a role's session with its external id, renewed before it ends and when AWS
 * says that it has ended, also between two pages), its own allowance of calls, its own retries, its own time. It shares
 * nothing with other payers, so one broken payer cannot use up what others need.
 *
 * Calls are limited by a token bucket: `per_minute` calls a minute, `burst` at once; a call without a token waits. Time
 * is limited by a slice: after it every call fails at once with code SLICE_SPENT (RETRY) and the caller goes on to the
 * next payer.
 *
 * Errors of every call made through an access (source of the codes: the service models' error shapes):
 *   RETRY      THROTTLED UNAVAILABLE DENIED CONFLICT (changed by somebody else at the same time) SLICE_SPENT
 *              PAGE_REPEATS
 *   NOT_FOUND  NOT_FOUND
 *   REFUSED    CONFLICT (exists already, is in that state already), CONSTRAINT (a limit or rule of AWS)
 *   INVALID    INVALID
 * cm_aws_access_refusal has AWS's own code and reason. No text holds a secret, a token, an external id, an e-mail
 * address, a name or a tax number. One thread for each access.
 */
#ifndef CM_AWS_ACCESS_H
#define CM_AWS_ACCESS_H

#include "platform/aws/core/failure.h"
#include "platform/aws/credentials/credentials.h"
#include "platform/aws/credentials/options.h"

#include <stddef.h>

enum { CM_AWS_ACCOUNT_ID = 13 };

typedef struct cm_aws_access cm_aws_access;

typedef struct cm_aws_access_config {
    const char *name;              /* for error texts: "payer 111122223333" */
    const char *partition;         /* "aws", "aws-cn", "aws-us-gov"; NULL: "aws" */
    const char *region;            /* of STS; NULL: AWS_REGION ..., else us-east-1 */
    cm_aws_provider *provider;     /* a reference is taken */
    const cm_aws_options *options; /* copied; NULL: the defaults */
    int per_minute, burst;         /* 0: 120 and 20 */
    int64_t slice_milliseconds;    /* 0: no limit */
} cm_aws_access_config;

cm_aws_access *cm_aws_access_new(const cm_aws_access_config *config); /* never NULL */
void cm_aws_access_free(cm_aws_access *access);                       /* NULL is allowed */

/* Calls made since it was opened, without the client's retries. */
size_t cm_aws_access_calls(const cm_aws_access *access);
/* AWS's refusal of the last call: code, reason, status; status 0 if the last call was not refused. Valid until the next
 * call. */
const cm_aws_failure *cm_aws_access_refusal(const cm_aws_access *access);

/* The credentials' account (STS GetCallerIdentity, which needs no permission). */
CM_NODISCARD bool cm_aws_identity(cm_aws_access *access, char ret[static CM_AWS_ACCOUNT_ID], cm_error *err);

/* Partition of a role's or any other ARN: "aws" for NULL or an invalid ARN. Static text. */
const char *cm_aws_partition_of(const char *arn);
/* Account in a role's ARN. False: it does not have 12 digits. */
bool cm_aws_account_of(const char *arn, char ret[static CM_AWS_ACCOUNT_ID]);

#endif
