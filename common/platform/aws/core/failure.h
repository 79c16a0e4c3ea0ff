/*
 * What an AWS service answered instead of a result, and what it means for the caller.
 *
 *   error code    class      when
 *   THROTTLED     RETRY      the service asks to slow down
 *   UNAVAILABLE   RETRY      5xx, no connection, cut off
 *   CONFLICT      RETRY      somebody else changed it at the same time
 *   DENIED        RETRY      credentials or permissions: not retried at once; works again once they are fixed
 *   CONFLICT      REFUSED    there is one already, or it is in that state already
 *   CONSTRAINT    REFUSED    a limit or rule of AWS: `reason` says which
 *   NOT_FOUND     NOT_FOUND  no such bucket, key, role, account, handshake; no organization
 *   CHANGED       POISON     412: the object has changed
 *   INVALID       INVALID    anything else the service refuses
 */
#ifndef CM_AWS_FAILURE_H
#define CM_AWS_FAILURE_H

#include "platform/aws/credentials/sigv4.h"
#include "platform/http/http.h"

typedef struct cm_aws_failure {
    int status;
    char code[64];     /* "SlowDown"; "" if the answer names none (HEAD, HTML) */
    char reason[80];   /* of Organizations and Tax Settings: "ACCOUNT_NUMBER_LIMIT_EXCEEDED"; "" if none */
    char message[256]; /* the service's words, without secrets; "" if none */
    char region[32];   /* the bucket's region, if the answer names it */
    cm_instant server; /* Date header; 0: unknown */
} cm_aws_failure;

/* Reads (and does not end) an exchange with an error status. Accepts XML, JSON, HTML and an empty body. */
void cm_aws_failure_read(cm_http_exchange *exchange, const cm_aws_credentials *used, cm_aws_failure *ret);
/* The same from the parts. */
void cm_aws_failure_parse(int status, const char *type_header, const char *body, size_t length, cm_aws_failure *ret);

/* Redacts what no text may repeat; ignores NULL and single characters. */
void cm_aws_failure_redact(cm_aws_failure *failure, const char *secret);

bool cm_aws_failure_throttled(const cm_aws_failure *failure);
bool cm_aws_failure_expired(const cm_aws_failure *failure); /* the session token has expired: fetch another one */
/* The request's date is, or may be, the cause: check whether `server` differs from our clock. */
bool cm_aws_failure_skew(const cm_aws_failure *failure);
/* Returns false. `what`: "listing s3://bucket/prefix". */
bool cm_aws_fail(const cm_aws_failure *failure, const char *what, cm_error *err);

#endif
