/*
 * HTTP requests over libcurl, one at a time or several side by side, with the reply's body pulled by the caller:
 * nothing is read from the network faster than it is consumed (a full buffer pauses the transfer), so memory is bounded
 * by CM_HTTP_BUFFER for each exchange. Redirects are not followed. One thread for each `cm_http`.
 *
 * Errors: RETRY with code UNAVAILABLE (no connection, timeout, cut off), INVALID with code INVALID (bad address,
 * certificate refused). An HTTP status is never an error here. Texts contain the address, never a header or a body.
 */
#ifndef CM_HTTP_HTTP_H
#define CM_HTTP_HTTP_H

#include "base/base/buffer.h"
#include "base/base/error.h"

#include <stdint.h>

enum { CM_HTTP_BUFFER = 256 * 1024 };

typedef struct cm_http cm_http;                   /* keeps connections alive between requests */
typedef struct cm_http_exchange cm_http_exchange; /* a request whose reply is being read */

typedef struct cm_http_header {
    const char *name, *value;
} cm_http_header;

typedef struct cm_http_request {
    const char *method;
    const char *url; /* sent unchanged: no dots removed, nothing re-encoded */
    const cm_http_header *headers;
    size_t header_count;
    const void *body; /* borrowed until the exchange ends; NULL: none */
    size_t body_length;
    int64_t connect_milliseconds;
    int64_t stall_milliseconds; /* longest silence while the caller waits */
    int64_t total_milliseconds; /* of the whole exchange; 0: no limit */
    const char *ca_bundle;      /* file; NULL: the system's */
    bool no_proxy;              /* for link-local addresses */
} cm_http_request;

cm_http *cm_http_new(void);       /* never NULL */
void cm_http_free(cm_http *http); /* NULL is allowed; every exchange must have been ended */

/* Sends the request and waits for the reply's headers. End with cm_http_end. */
CM_NODISCARD cm_http_exchange *cm_http_begin(cm_http *http, const cm_http_request *request, cm_error *err);
int cm_http_status(const cm_http_exchange *exchange);
/* Value of a header of the reply, name without regard to case, NULL if there is none. */
const char *cm_http_reply_header(const cm_http_exchange *exchange, const char *name);
/* ret_read = 0 only at the end of a complete body. */
CM_NODISCARD bool cm_http_read(cm_http_exchange *exchange, void *into, size_t size, size_t *ret_read, cm_error *err);
/* The rest of the body, at most `limit` bytes: more is INVALID. */
CM_NODISCARD bool cm_http_read_all(cm_http_exchange *exchange, size_t limit, cm_buffer *into, cm_error *err);
void cm_http_end(cm_http_exchange *exchange); /* NULL is allowed; discards what was not read */

#endif
