#include "platform/health/internal.h"

#include "base/log/log.h"
#include "base/time/time.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netdb.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CONNECTIONS_MAX = 16, CONNECTION_TIMEOUT_S = 10, STACK_BYTES = 512 * 1024 };

struct cm_health {
    struct MHD_Daemon *daemon; /* NULL: no server */
    int bound_seconds;
    _Atomic int64_t turned_ms;
    bool (*ready)(void *opaque, char *why, size_t size);
    void *opaque;
};

/* --- answers ----------------------------------------------------------------------------------------------------- */

static enum MHD_Result answer(struct MHD_Connection *connection, unsigned status, const char *type, const char *body,
                              size_t length)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(length, (void *)(uintptr_t)body, MHD_RESPMEM_MUST_COPY);
    if (!response)
        return MHD_NO;
    MHD_add_response_header(response, "Content-Type", type);
    MHD_add_response_header(response, "Cache-Control", "no-store");
    if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
        MHD_add_response_header(response, "Allow", "GET, HEAD");
    enum MHD_Result result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result answer_text(struct MHD_Connection *connection, unsigned status, const char *text)
{
    char body[512];
    int length = snprintf(body, sizeof body, "%s\n", text);
    return answer(connection, status, "text/plain; charset=utf-8", body,
                  (size_t)length < sizeof body ? (size_t)length : sizeof body - 1);
}

static enum MHD_Result metrics(struct MHD_Connection *connection)
{
    cm_buffer text = {0};
    cm_metrics_print(&text);
    enum MHD_Result result = answer(connection, MHD_HTTP_OK, "text/plain; version=0.0.4; charset=utf-8",
                                    cm_buffer_string(&text), text.length);
    cm_buffer_free(&text);
    return result;
}

/* Liveness: the loop turned within its bound, and nothing else. */
static enum MHD_Result alive(struct MHD_Connection *connection, cm_health *health)
{
    int64_t since = (cm_monotonic_milliseconds() - atomic_load(&health->turned_ms)) / 1000;
    if (health->bound_seconds <= 0 || since <= health->bound_seconds)
        return answer_text(connection, MHD_HTTP_OK, "ok");
    char text[128];
    snprintf(text, sizeof text, "the poll loop has not turned for %lld s; the limit is %d s", (long long)since,
             health->bound_seconds);
    return answer_text(connection, MHD_HTTP_SERVICE_UNAVAILABLE, text);
}

static enum MHD_Result is_ready(struct MHD_Connection *connection, cm_health *health)
{
    char why[256] = "not ready";
    if (!health->ready || health->ready(health->opaque, why, sizeof why))
        return answer_text(connection, MHD_HTTP_OK, "ready");
    return answer_text(connection, MHD_HTTP_SERVICE_UNAVAILABLE, why);
}

static enum MHD_Result handle(void *opaque, struct MHD_Connection *connection, const char *url, const char *method,
                              const char *version, const char *upload, size_t *upload_size, void **state)
{
    (void)version, (void)upload;
    cm_health *health = opaque;
    static int seen;
    if (!*state) { /* first call: only the headers have arrived, an answer now would cut off a body */
        *state = &seen;
        return MHD_YES;
    }
    if (*upload_size > 0) {
        *upload_size = 0;
        return MHD_YES;
    }
    if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
        return answer_text(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "GET only");
    if (strcmp(url, "/metrics") == 0)
        return metrics(connection);
    if (strcmp(url, "/healthz") == 0)
        return alive(connection, health);
    if (strcmp(url, "/readyz") == 0)
        return is_ready(connection, health);
    return answer_text(connection, MHD_HTTP_NOT_FOUND, "try /metrics, /healthz or /readyz");
}

static void log_line(void *opaque, const char *format, va_list arguments)
{
    (void)opaque;
    char text[256];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    vsnprintf(text, sizeof text, format, arguments);
#pragma GCC diagnostic pop
    text[strcspn(text, "\n")] = '\0';
    cm_log(CM_DEBUG, "health server", "text", text, NULL);
}

/* --- start and stop ---------------------------------------------------------------------------------------------- */

static bool serve(cm_health *health, const char *address, int port, cm_error *err)
{
    char service[16];
    struct addrinfo hints = {.ai_flags = AI_PASSIVE | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM}, *found = NULL;
    snprintf(service, sizeof service, "%d", port);
    int code = getaddrinfo(*address ? address : NULL, service, &hints, &found);
    if (code != 0)
        return cm_fail(err, CM_ERROR_INVALID, "HEALTH_ADDRESS", "setting health.address: %s: %s", address,
                       gai_strerror(code));
    unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL | MHD_USE_ERROR_LOG;
    if (found->ai_family == AF_INET6)
        flags |= MHD_USE_IPv6;
    errno = 0;
    health->daemon = MHD_start_daemon(flags, (uint16_t)port, NULL, NULL, handle, health, MHD_OPTION_EXTERNAL_LOGGER,
                                      log_line, NULL, MHD_OPTION_SOCK_ADDR, found->ai_addr, MHD_OPTION_CONNECTION_LIMIT,
                                      CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT, CONNECTION_TIMEOUT_S,
                                      MHD_OPTION_THREAD_STACK_SIZE, (size_t)STACK_BYTES, MHD_OPTION_END);
    int saved = errno;
    freeaddrinfo(found);
    if (health->daemon)
        return true;
    return cm_fail(err, CM_ERROR_FATAL, "HEALTH_PORT",
                   "cannot listen on %s port %d: %s; change health.port or stop the process that uses the port",
                   address, port, saved ? strerror(saved) : "unknown cause");
}

cm_health *cm_health_start(const char *address, int port, int loop_bound_seconds,
                           bool (*ready)(void *opaque, char *why, size_t size), void *opaque, cm_error *err)
{
    cm_health *health = cm_alloc(sizeof *health);
    health->bound_seconds = loop_bound_seconds;
    health->ready = ready;
    health->opaque = opaque;
    cm_health_turned(health);
    if (port != 0 && !serve(health, address, port, err)) {
        free(health);
        return NULL;
    }
    return health;
}

void cm_health_turned(cm_health *health)
{
    atomic_store_explicit(&health->turned_ms, cm_monotonic_milliseconds(), memory_order_relaxed);
}

void cm_health_stop(cm_health *health)
{
    if (!health)
        return;
    if (health->daemon)
        MHD_stop_daemon(health->daemon);
    free(health);
}
