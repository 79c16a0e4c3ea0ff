/*
 * AWS Signature Version 4, the form with an Authorization header ("AWS4-HMAC-SHA256"): source AWS General Reference,
 * "Signing AWS API requests". Own code, because libcurl 7.88 sorts and encodes query strings wrongly. Pure: no clock,
 * no I/O.
 *
 * S3 signs the path as it is sent and wants `x-amz-content-sha256` among the headers; every other service normalises
 * the path and encodes it a second time.
 */
#ifndef CM_AWS_SIGV4_H
#define CM_AWS_SIGV4_H

#include "base/base/buffer.h"
#include "base/digest/digest.h"
#include "base/time/time.h"
#include "platform/http/http.h"

#include <stdbool.h>
#include <stddef.h>

/* Secrets: never print one of these. The function that returns one says who owns the strings. */
typedef struct cm_aws_credentials {
    char *access_key_id;
    char *secret_access_key;
    char *session_token; /* NULL: none */
    cm_instant expires;  /* INT64_MAX: never */
} cm_aws_credentials;

typedef struct cm_sigv4_request {
    const char *method;
    const char *path;  /* as on the wire, "/" at least */
    const char *query; /* as on the wire, without "?"; NULL or "": none */
    const cm_http_header
        *headers; /* all are signed; host, and for S3 x-amz-content-sha256, must be among them; x-amz-date must not */
    size_t header_count;
    const char *payload_sha256; /* hex, or "UNSIGNED-PAYLOAD" */
    const char *region, *service;
    cm_instant at;
    bool normalise_path;    /* resolve "." and "..", collapse "//" */
    bool encode_path_again; /* "%20" becomes "%2520" */
} cm_sigv4_request;

enum { CM_SIGV4_DATE = 17 };

typedef struct cm_sigv4_signature {
    char date[CM_SIGV4_DATE]; /* value for the header x-amz-date */
    cm_buffer canonical_request;
    cm_buffer string_to_sign;
    char signature[CM_SHA256_HEX];
    cm_buffer authorization; /* value for the header Authorization */
} cm_sigv4_signature;

/* Free with cm_sigv4_signature_free. The session token is not added: put x-amz-security-token among the headers. */
void cm_sigv4_sign(const cm_sigv4_request *request, const cm_aws_credentials *credentials, cm_sigv4_signature *ret);
void cm_sigv4_signature_free(cm_sigv4_signature *signature);

/* Appends `text` percent-encoded by AWS's rule: only A-Z a-z 0-9 - _ . ~ are kept, and "/" if `keep_slash`. */
void cm_aws_encode(cm_buffer *into, const char *text, size_t length, bool keep_slash);
/* Undoes %XX; "+" becomes a space if `plus_is_space` (S3's encoding-type=url writes a space as "+"). Malformed escapes
 * are kept. */
void cm_aws_decode(cm_buffer *into, const char *text, size_t length, bool plus_is_space);
/* "20150830T123600Z" */
void cm_aws_basic_date(cm_instant at, char ret[static CM_SIGV4_DATE]);

#endif
