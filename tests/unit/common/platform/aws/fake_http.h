/*
 * An HTTP server on loopback with answers from a script: the n-th request gets the n-th answer, in order. Requests are
 * recorded. For tests of retries, credentials and broken connections; one connection at a time.
 */
#ifndef TESTS_UNIT_AWS_FAKE_HTTP_H
#define TESTS_UNIT_AWS_FAKE_HTTP_H

#include <stddef.h>

enum { FAKE_REQUESTS_MAX = 32, FAKE_REQUEST_BYTES = 8192 };

typedef struct fake_answer {
    const char *raw; /* status line, headers, body, as sent; the connection is closed after it */
} fake_answer;

typedef struct fake_http {
    int port;
    char url[64]; /* "http://127.0.0.1:PORT" */
    size_t requests;
    char request[FAKE_REQUESTS_MAX][FAKE_REQUEST_BYTES];
    void *inside;
} fake_http;

void fake_http_start(fake_http *server, const fake_answer *answers, size_t count);
void fake_http_stop(fake_http *server); /* after it `requests` and `request` can be read */

#endif
