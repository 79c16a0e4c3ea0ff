/*
 * A client of one AWS service: signs, sends, retries with full jitter within a budget, corrects the clock, renews
 * credentials once, and turns refusals into typed errors (aws/failure.h). One thread for each client; providers are
 * shared.
 *
 * What is retried (AWS SDK "standard" mode): HTTP 5xx, the throttling codes, timeouts, lost connections. The wait
 * before attempt n is random in [0, min(5 s, 100 ms * 2^n)]. A client has 100 retries to spend and earns one back with
 * each call that succeeds at once, so that a broken endpoint is not overloaded with a payer's retries.
 */
#ifndef CM_AWS_CLIENT_H
#define CM_AWS_CLIENT_H

#include "platform/aws/core/failure.h"
#include "platform/aws/credentials/credentials.h"
#include "platform/aws/credentials/options.h"
#include "platform/http/http.h"

typedef struct cm_aws_client cm_aws_client;

typedef struct cm_aws_client_config {
    const char *service;           /* signing name: "s3", "sts" */
    const char *region;            /* signing region */
    const char *endpoint;          /* "https://s3.eu-west-1.amazonaws.com", with a port or a path if needed */
    cm_aws_provider *provider;     /* a reference is taken; NULL: requests are not signed */
    const cm_aws_options *options; /* copied; NULL: the defaults */
} cm_aws_client_config;

/* NULL: the endpoint is not an http or https address (INVALID). */
CM_NODISCARD cm_aws_client *cm_aws_client_new(const cm_aws_client_config *config, cm_error *err);
void cm_aws_client_free(cm_aws_client *client); /* NULL is allowed */

typedef struct cm_aws_call {
    const char *what; /* for error texts: "listing s3://bucket/prefix" */
    const char *method;
    const char *path, *query;      /* encoded as they are to be sent; query NULL: none */
    const cm_http_header *headers; /* signed */
    size_t header_count;
    const void *body;
    size_t body_length;
    bool whole_is_short; /* an answer that takes longer than a minute is a failure */
    const char *secret;  /* of the request: redacted where the service repeats it; NULL: none */
    bool once;           /* never retried once the service may have carried it out: only after a refusal */
} cm_aws_call;

/* Attempts made so far, so that a caller who continues after a lost connection stays within one budget. Initially
 * {0}. */
typedef struct cm_aws_attempts {
    int made;
    int64_t waited;
    bool clock_corrected, credentials_renewed;
} cm_aws_attempts;

/* An exchange with a success status (2xx), its body unread; the caller ends it. */
CM_NODISCARD cm_http_exchange *cm_aws_begin(cm_aws_client *client, const cm_aws_call *call, cm_aws_attempts *attempts,
                                            cm_error *err);
/* After a failure of class RETRY (not DENIED): waits and returns true, or returns false if the budget is spent. */
bool cm_aws_again(cm_aws_client *client, cm_aws_attempts *attempts, const cm_error *why);
/* The whole exchange: reads the body into `into` (cleared first), at most `limit` bytes. */
CM_NODISCARD bool cm_aws_perform(cm_aws_client *client, const cm_aws_call *call, size_t limit, cm_buffer *into,
                                 cm_error *err);

/* The service's refusal of the last call, status 0 if it was not refused. Valid until the next call. */
const cm_aws_failure *cm_aws_client_refusal(const cm_aws_client *client);

/* AWS_ENDPOINT_URL_<service in capitals>, AWS_ENDPOINT_URL, or NULL. */
const char *cm_aws_endpoint_override(const cm_aws_options *options, const char *service);
/* "amazonaws.com", "amazonaws.com.cn" */
const char *cm_aws_domain(const char *region);

#endif
