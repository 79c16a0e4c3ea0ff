#include "platform/kafka/internal.h"

#include "base/time/time.h"

#include <stdlib.h>

enum { EVERY_MS = 10, TEXT_MAX = 1024 };

/* The credentials of the settings, "" if there are none. */
struct cm_wake {
    int64_t last_ms;
    char user[TEXT_MAX], password[TEXT_MAX];
};

static bool get(const rd_kafka_conf_t *conf, const char *name, char into[static TEXT_MAX])
{
    size_t size = 0;
    into[0] = '\0';
    if (rd_kafka_conf_get(conf, name, NULL, &size) != RD_KAFKA_CONF_OK)
        return true; /* not set */
    return size <= TEXT_MAX && rd_kafka_conf_get(conf, name, into, &size) == RD_KAFKA_CONF_OK;
}

struct cm_wake *cm_wake_new(const rd_kafka_conf_t *conf)
{
    size_t size = 0;
    if (rd_kafka_conf_get(conf, "fetch.queue.backoff.ms", NULL, &size) == RD_KAFKA_CONF_OK)
        return NULL;
    struct cm_wake *wake = cm_alloc(sizeof *wake);
    if (get(conf, "sasl.username", wake->user) && get(conf, "sasl.password", wake->password))
        return wake;
    cm_wake_free(wake); /* longer than any real one: only slower, not wrong */
    return NULL;
}

void cm_wake_free(struct cm_wake *wake)
{
    free(wake);
}

void cm_wake_after_record(struct cm_wake *wake, rd_kafka_t *rk)
{
    if (!wake)
        return;
    int64_t now = cm_monotonic_milliseconds();
    if (now - wake->last_ms < EVERY_MS)
        return;
    wake->last_ms = now;
    /* The one public call that wakes all broker threads of a consumer. Setting the same credentials again changes
     * nothing. */
    rd_kafka_error_t *error = rd_kafka_sasl_set_credentials(rk, wake->user, wake->password);
    if (error)
        rd_kafka_error_destroy(error);
}
