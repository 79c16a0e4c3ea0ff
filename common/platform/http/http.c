#include "platform/http/http.h"

#include "base/time/time.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { HEADERS_MAX = 100, HEADER_BYTES_MAX = 8192 };

struct cm_http {
    CURLM *multi;
    size_t open; /* exchanges */
};

typedef struct reply_header {
    char *name, *value;
} reply_header;

struct cm_http_exchange {
    cm_http *http;
    CURL *easy;
    struct curl_slist *sent;
    char problem[CURL_ERROR_SIZE];
    char *address; /* scheme, host and path: safe to show */
    int status;
    reply_header header[HEADERS_MAX];
    size_t headers;
    bool headers_whole, paused, done;
    CURLcode result;
    char *buffer; /* CM_HTTP_BUFFER bytes; [from, to) is unread */
    size_t from, to;
    int64_t last_progress, started;
    int64_t stall, total;
};

static void start_curl(void)
{
    cm_assert(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
}

cm_http *cm_http_new(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, start_curl);
    cm_http *http = cm_alloc(sizeof *http);
    http->multi = curl_multi_init();
    cm_assert(http->multi);
    return http;
}

void cm_http_free(cm_http *http)
{
    if (!http)
        return;
    cm_assert(http->open == 0);
    curl_multi_cleanup(http->multi);
    free(http);
}

/* --- callbacks of curl ------------------------------------------------------------------------------------------- */

static void forget_headers(cm_http_exchange *exchange)
{
    for (size_t i = 0; i < exchange->headers; i++) {
        free(exchange->header[i].name);
        free(exchange->header[i].value);
    }
    exchange->headers = 0;
}

static char *piece(const char *text, size_t length)
{
    while (length > 0 && (*text == ' ' || *text == '\t')) {
        text++;
        length--;
    }
    while (length > 0 && strchr(" \t\r\n", text[length - 1]))
        length--;
    char *copy = cm_alloc(length + 1);
    memcpy(copy, text, length);
    return copy;
}

static size_t on_header(char *line, size_t size, size_t count, void *opaque)
{
    cm_http_exchange *exchange = opaque;
    size_t length = size * count;
    exchange->last_progress = cm_monotonic_milliseconds();
    if (length > 5 && memcmp(line, "HTTP/", 5) == 0) {
        forget_headers(exchange); /* a 100 Continue came before */
        return length;
    }
    if (length <= 2) {
        long status = 0;
        curl_easy_getinfo(exchange->easy, CURLINFO_RESPONSE_CODE, &status);
        exchange->status = (int)status;
        exchange->headers_whole = status >= 200;
        return length;
    }
    const char *colon = memchr(line, ':', length);
    if (colon && exchange->headers < HEADERS_MAX && length < HEADER_BYTES_MAX) {
        size_t name = (size_t)(colon - line);
        exchange->header[exchange->headers].name = piece(line, name);
        exchange->header[exchange->headers++].value = piece(colon + 1, length - name - 1);
    }
    return length;
}

static size_t on_body(char *data, size_t size, size_t count, void *opaque)
{
    cm_http_exchange *exchange = opaque;
    size_t length = size * count;
    exchange->last_progress = cm_monotonic_milliseconds();
    if (length > CM_HTTP_BUFFER - exchange->to && exchange->from > 0) {
        memmove(exchange->buffer, exchange->buffer + exchange->from, exchange->to - exchange->from);
        exchange->to -= exchange->from;
        exchange->from = 0;
    }
    if (length > CM_HTTP_BUFFER - exchange->to) {
        cm_assert(length <= CM_HTTP_BUFFER);
        exchange->paused = true;
        return CURL_WRITEFUNC_PAUSE;
    }
    memcpy(exchange->buffer + exchange->to, data, length);
    exchange->to += length;
    return length;
}

/* --- driving transfers ------------------------------------------------------------------------------------------- */

static bool failed(const cm_http_exchange *exchange, cm_error *err)
{
    const char *why = exchange->problem[0] ? exchange->problem : curl_easy_strerror(exchange->result);
    switch (exchange->result) {
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
        return cm_fail(err, CM_ERROR_INVALID, "INVALID", "%s: %s", exchange->address, why);
    default:
        return cm_fail(err, CM_ERROR_RETRY, "UNAVAILABLE", "%s: %s", exchange->address, why);
    }
}

static void collect(cm_http *http)
{
    int left;
    for (CURLMsg *message; (message = curl_multi_info_read(http->multi, &left));) {
        if (message->msg != CURLMSG_DONE)
            continue;
        char *private = NULL;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &private);
        cm_http_exchange *exchange = (cm_http_exchange *)(void *)private;
        exchange->done = true;
        exchange->result = message->data.result;
    }
}

/* One step: moves bytes, waits a little if nothing moved. False: this exchange timed out. */
static bool turn(cm_http_exchange *exchange, cm_error *err)
{
    int running;
    CURLMcode code = curl_multi_perform(exchange->http->multi, &running);
    if (code != CURLM_OK)
        return cm_fail(err, CM_ERROR_RETRY, "UNAVAILABLE", "%s: %s", exchange->address, curl_multi_strerror(code));
    collect(exchange->http);
    if (exchange->done || exchange->to > exchange->from)
        return true;
    int64_t now = cm_monotonic_milliseconds();
    if (now - exchange->last_progress > exchange->stall)
        return cm_fail(err, CM_ERROR_RETRY, "UNAVAILABLE", "%s: nothing received for %lld ms", exchange->address,
                       (long long)exchange->stall);
    if (exchange->total > 0 && now - exchange->started > exchange->total)
        return cm_fail(err, CM_ERROR_RETRY, "UNAVAILABLE", "%s: no answer within %lld ms", exchange->address,
                       (long long)exchange->total);
    curl_multi_poll(exchange->http->multi, NULL, 0, 100, NULL);
    return true;
}

/* --- requests ---------------------------------------------------------------------------------------------------- */

static void set_headers(cm_http_exchange *exchange, const cm_http_request *request)
{
    cm_buffer line = {0};
    bool typed = false;
    for (size_t i = 0; i < request->header_count; i++) {
        typed |= strcasecmp(request->headers[i].name, "Content-Type") == 0;
        cm_buffer_clear(&line);
        cm_buffer_printf(&line, "%s: %s", request->headers[i].name, request->headers[i].value);
        exchange->sent = curl_slist_append(exchange->sent, line.data);
    }
    exchange->sent = curl_slist_append(exchange->sent, "Expect:"); /* no waiting for 100 Continue */
    exchange->sent = curl_slist_append(exchange->sent, "Accept:");
    if (!typed) /* curl would label the body of a POST as a form */
        exchange->sent = curl_slist_append(exchange->sent, "Content-Type:");
    cm_buffer_free(&line);
    curl_easy_setopt(exchange->easy, CURLOPT_HTTPHEADER, exchange->sent);
}

static void set_body(cm_http_exchange *exchange, const cm_http_request *request)
{
    if (strcmp(request->method, "HEAD") == 0) {
        curl_easy_setopt(exchange->easy, CURLOPT_NOBODY, 1L);
        return;
    }
    if (request->body || strcmp(request->method, "GET") != 0) {
        curl_easy_setopt(exchange->easy, CURLOPT_POSTFIELDS, request->body ? request->body : "");
        curl_easy_setopt(exchange->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_length);
    }
    curl_easy_setopt(exchange->easy, CURLOPT_CUSTOMREQUEST, request->method);
}

static void set_up(cm_http_exchange *exchange, const cm_http_request *request)
{
    CURL *easy = exchange->easy;
    curl_easy_setopt(easy, CURLOPT_URL, request->url);
    curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)request->connect_milliseconds);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "curmill/" CURMILL_VERSION);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, exchange->problem);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, (void *)exchange);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, (void *)exchange);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, (void *)exchange);
    curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, 65536L);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    if (request->ca_bundle)
        curl_easy_setopt(easy, CURLOPT_CAINFO, request->ca_bundle);
    if (request->no_proxy)
        curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
    set_headers(exchange, request);
    set_body(exchange, request);
}

cm_http_exchange *cm_http_begin(cm_http *http, const cm_http_request *request, cm_error *err)
{
    cm_http_exchange *exchange = cm_alloc(sizeof *exchange);
    exchange->http = http;
    exchange->easy = curl_easy_init();
    cm_assert(exchange->easy);
    exchange->address = cm_alloc(strlen(request->url) + 1);
    memcpy(exchange->address, request->url, strcspn(request->url, "?"));
    exchange->buffer = cm_alloc(CM_HTTP_BUFFER);
    exchange->stall = request->stall_milliseconds > 0 ? request->stall_milliseconds : 30000;
    exchange->total = request->total_milliseconds;
    exchange->started = exchange->last_progress = cm_monotonic_milliseconds();
    set_up(exchange, request);
    cm_assert(curl_multi_add_handle(http->multi, exchange->easy) == CURLM_OK);
    http->open++;
    while (!exchange->headers_whole && !exchange->done) {
        if (!turn(exchange, err)) {
            cm_http_end(exchange);
            return NULL;
        }
    }
    if (!exchange->headers_whole) {
        if (exchange->result == CURLE_OK)
            exchange->result = CURLE_GOT_NOTHING;
        failed(exchange, err);
        cm_http_end(exchange);
        return NULL;
    }
    return exchange;
}

int cm_http_status(const cm_http_exchange *exchange)
{
    return exchange->status;
}

const char *cm_http_reply_header(const cm_http_exchange *exchange, const char *name)
{
    for (size_t i = 0; i < exchange->headers; i++)
        if (strcasecmp(exchange->header[i].name, name) == 0)
            return exchange->header[i].value;
    return NULL;
}

bool cm_http_read(cm_http_exchange *exchange, void *into, size_t size, size_t *ret_read, cm_error *err)
{
    *ret_read = 0;
    exchange->last_progress =
        cm_monotonic_milliseconds(); /* time that the caller spent elsewhere does not count as silence */
    while (exchange->to == exchange->from) {
        exchange->from = exchange->to = 0;
        if (exchange->done && exchange->result == CURLE_OK)
            return true;
        if (exchange->done)
            return failed(exchange, err);
        if (exchange->paused) {
            exchange->paused = false;
            curl_easy_pause(exchange->easy, CURLPAUSE_CONT); /* may call on_body at once */
            if (exchange->to > exchange->from)
                break;
        }
        if (!turn(exchange, err))
            return false;
    }
    size_t length = exchange->to - exchange->from;
    if (length > size)
        length = size;
    memcpy(into, exchange->buffer + exchange->from, length);
    exchange->from += length;
    *ret_read = length;
    return true;
}

bool cm_http_read_all(cm_http_exchange *exchange, size_t limit, cm_buffer *into, cm_error *err)
{
    char part[16384];
    size_t length;
    do {
        if (!cm_http_read(exchange, part, sizeof part, &length, err))
            return false;
        if (into->length + length > limit)
            return cm_fail(err, CM_ERROR_INVALID, "INVALID", "%s: the reply is longer than %zu bytes",
                           exchange->address, limit);
        cm_buffer_append(into, part, length);
    } while (length > 0);
    return true;
}

void cm_http_end(cm_http_exchange *exchange)
{
    if (!exchange)
        return;
    curl_multi_remove_handle(exchange->http->multi, exchange->easy);
    curl_easy_cleanup(exchange->easy);
    curl_slist_free_all(exchange->sent);
    exchange->http->open--;
    forget_headers(exchange);
    free(exchange->buffer);
    free(exchange->address);
    free(exchange);
}
