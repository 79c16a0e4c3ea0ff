#include "fake_http.h"

#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct inside {
    pthread_t thread;
    int listener;
    atomic_bool stop;
    const fake_answer *answers;
    size_t count;
    fake_http *server;
} inside;

static size_t content_length(const char *request)
{
    const char *header = strcasestr(request, "\r\nContent-Length:");
    return header ? strtoul(header + 17, NULL, 10) : 0;
}

static void take_request(int peer, char *into)
{
    size_t length = 0;
    while (length + 1 < FAKE_REQUEST_BYTES) {
        ssize_t got = read(peer, into + length, FAKE_REQUEST_BYTES - 1 - length);
        if (got <= 0)
            return;
        length += (size_t)got;
        into[length] = '\0';
        const char *end = strstr(into, "\r\n\r\n");
        if (end && length >= (size_t)(end + 4 - into) + content_length(into))
            return;
    }
}

static void *serve(void *opaque)
{
    inside *in = opaque;
    while (!atomic_load(&in->stop)) {
        struct pollfd wait = {in->listener, POLLIN, 0};
        if (poll(&wait, 1, 20) <= 0)
            continue;
        int peer = accept(in->listener, NULL, NULL);
        if (peer < 0)
            continue;
        size_t n = in->server->requests;
        if (n < FAKE_REQUESTS_MAX) {
            take_request(peer, in->server->request[n]);
            const char *raw =
                n < in->count ? in->answers[n].raw : "HTTP/1.1 500 No Answer Left\r\nContent-Length: 0\r\n\r\n";
            in->server->requests = n + 1;
            for (size_t at = 0, left = strlen(raw); left > 0;) {
                ssize_t sent = send(peer, raw + at, left, MSG_NOSIGNAL);
                if (sent < 0)
                    break;
                at += (size_t)sent;
                left -= (size_t)sent;
            }
        }
        shutdown(peer, SHUT_WR);
        close(peer);
    }
    return NULL;
}

void fake_http_start(fake_http *server, const fake_answer *answers, size_t count)
{
    memset(server, 0, sizeof *server);
    inside *in = calloc(1, sizeof *in);
    server->inside = in;
    in->server = server;
    in->answers = answers;
    in->count = count;
    in->listener = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    int bad = bind(in->listener, (struct sockaddr *)&at, size) || listen(in->listener, 8) ||
              getsockname(in->listener, (struct sockaddr *)&at, &size);
    assert(!bad);
    (void)bad;
    server->port = ntohs(at.sin_port);
    snprintf(server->url, sizeof server->url, "http://127.0.0.1:%d", server->port);
    pthread_create(&in->thread, NULL, serve, in);
}

void fake_http_stop(fake_http *server)
{
    inside *in = server->inside;
    atomic_store(&in->stop, 1);
    pthread_join(in->thread, NULL);
    close(in->listener);
    free(in);
}
