#include "platform/health/health.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static cm_error err;

static int free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    cr_assert_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    getsockname(fd, (struct sockaddr *)&address, &length);
    close(fd);
    return ntohs(address.sin_port);
}

/* Returns the status; stores the whole answer in `answer`. */
static char answer[65536];

static int ask(int port, const char *request_line)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((uint16_t)port)};
    char request[256];
    int fd = socket(AF_INET, SOCK_STREAM, 0), length = 0;
    cr_assert_eq(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    int size = snprintf(request, sizeof request, "%s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", request_line);
    cr_assert_eq(write(fd, request, (size_t)size), size);
    for (ssize_t got; (got = read(fd, answer + length, sizeof answer - 1 - (size_t)length)) > 0;)
        length += (int)got;
    answer[length] = '\0';
    close(fd);
    cr_assert_eq(strncmp(answer, "HTTP/1.1 ", 9), 0, "%s", answer);
    return (int)strtol(answer + 9, NULL, 10);
}

static _Atomic bool is_ready;

static bool ready(void *opaque, char *why, size_t size)
{
    cr_assert_str_eq(opaque, "me");
    if (!is_ready)
        snprintf(why, size, "not a member of the group yet");
    return is_ready;
}

Test(server, paths)
{
    int port = free_port();
    cm_health *health = cm_health_start("127.0.0.1", port, 30, ready, "me", &err);
    cr_assert_not_null(health, "%s", err.text);
    cm_metric_add(cm_counter("hits_total", NULL, "Hits."), 3);
    cr_assert_eq(ask(port, "GET /metrics"), 200);
    cr_assert(strstr(answer, "Content-Type: text/plain; version=0.0.4") != NULL, "%s", answer);
    cr_assert(strstr(answer, "\ncurmill_hits_total 3\n") != NULL, "%s", answer);
    cr_assert_eq(ask(port, "GET /healthz"), 200);
    cr_assert_eq(ask(port, "GET /readyz"), 503);
    cr_assert(strstr(answer, "not a member of the group yet") != NULL, "%s", answer);
    is_ready = true;
    cr_assert_eq(ask(port, "GET /readyz"), 200);
    cr_assert_eq(ask(port, "GET /"), 404);
    cr_assert(strstr(answer, "/healthz") != NULL);
    cr_assert_eq(ask(port, "POST /metrics"), 405);
    cr_assert_eq(ask(port, "HEAD /metrics"), 200);
    cr_assert(strstr(answer, "curmill_hits") == NULL);
    cm_health_stop(health);
}

Test(server, liveness_is_the_loop)
{
    int port = free_port();
    cm_health *health = cm_health_start("127.0.0.1", port, 1, ready, "me", &err);
    is_ready = false; /* an outage of something else does not matter to it */
    cr_assert_eq(ask(port, "GET /healthz"), 200);
    usleep(2100000);
    cr_assert_eq(ask(port, "GET /healthz"), 503);
    cr_assert(strstr(answer, "has not turned for 2 s; the limit is 1 s") != NULL, "%s", answer);
    cm_health_turned(health);
    cr_assert_eq(ask(port, "GET /healthz"), 200);
    cm_health_stop(health);
}

Test(server, port_in_use_is_reported)
{
    int port = free_port();
    char number[16];
    snprintf(number, sizeof number, "%d", port);
    cm_health *health = cm_health_start("127.0.0.1", port, 30, NULL, NULL, &err);
    cr_assert_not_null(health);
    cr_assert_null(cm_health_start("127.0.0.1", port, 30, NULL, NULL, &err));
    cr_assert_eq(err.class, CM_ERROR_FATAL);
    cr_assert(strstr(err.text, number) && strstr(err.text, "health.port"), "%s", err.text);
    cm_health_stop(health);
    cr_assert_null(cm_health_start("not an address", port, 30, NULL, NULL, &err));
    cr_assert_eq(err.class, CM_ERROR_INVALID, "%s", err.text);
}

Test(server, port_0_is_no_server)
{
    cm_health *health = cm_health_start("127.0.0.1", 0, 30, NULL, NULL, &err);
    cr_assert_not_null(health);
    cm_health_turned(health);
    cm_health_stop(health);
    cm_health_stop(NULL);
}
