/*
 * Publishes the rows of an outbox table to a topic: at least once, in the order in which they are taken.
 *
 * One transaction takes some rows, sends them, waits until the broker has acknowledged all of them, marks them as
 * published and commits. A failure at any step rolls back, so every row is still there and is sent again next time.
 *
 * With `park`, no row holds up those behind it: one that the broker refuses for what it is (too large) is sent once
 * more alone, then as what `shorten` makes of it, and else it is parked with the error while the others are published.
 */
#ifndef CM_PLATFORM_OUTBOX_H
#define CM_PLATFORM_OUTBOX_H

#include "base/base/buffer.h"
#include "platform/health/health.h"
#include "platform/kafka/kafka.h"
#include "platform/postgres/postgres.h"
#include "platform/worker/worker.h"

typedef struct cm_outbox {
    char topic[CM_TOPIC_NAME_MAX];  /* full name */
    int key_column, payload_column; /* of the rows; the payload is hex (encode()), NULL: a record without a value */
    int most;                       /* rows of one transaction */
    /* *ret NULL or empty: nothing to publish, or another replica is at it. The caller frees the rows. */
    bool (*take)(void *owner, int most, cm_rows **ret, cm_error *err);
    bool (*mark)(void *owner, const cm_rows *rows, cm_error *err); /* all rows are published, but those parked before */
    bool (*park)(void *owner, const cm_rows *rows, int row, const char *why, cm_error *err); /* NULL: a refusal fails */
    /* Appends a payload that refers to the content instead of carrying it. False: there is none. NULL: never. */
    bool (*shorten)(void *owner, const cm_rows *rows, int row, const uint8_t *payload, size_t length, cm_buffer *ret);
    size_t most_bytes; /* longer payloads are shortened at once; 0: no limit */
    void *owner;
} cm_outbox;

/* One transaction on `pg`, which `take` and `mark` use too. *ret_count: rows published; 0 on failure. */
CM_NODISCARD bool cm_outbox_publish(const cm_outbox *outbox, cm_pg *pg, cm_producer *producer, int *ret_count,
                                    cm_error *err);
/* Until the table is empty or the process is to stop. `published` counts the rows. */
CM_NODISCARD bool cm_outbox_publish_all(const cm_outbox *outbox, cm_worker *worker, cm_producer *producer,
                                        cm_metric *published, cm_error *err);

#endif
