#include "platform/outbox/outbox.h"

#include <stdlib.h>
#include <string.h>

enum { FLUSH_MS = 10000 };

static uint8_t digit(char c)
{
    return (uint8_t)(c <= '9' ? c - '0' : c - 'a' + 10); /* encode() of PostgreSQL writes small letters */
}

static bool send_row(const cm_outbox *outbox, cm_producer *producer, const cm_rows *rows, int row, cm_error *err)
{
    const char *key = cm_rows_text(rows, row, outbox->key_column);
    const char *hex = cm_rows_text(rows, row, outbox->payload_column);
    bool no_value = cm_rows_null(rows, row, outbox->payload_column); /* compaction removes the key */
    size_t length = strlen(hex) / 2;
    uint8_t *payload = cm_alloc(length + 1);
    for (size_t i = 0; i < length; i++)
        payload[i] = (uint8_t)(digit(hex[2 * i]) << 4 | digit(hex[2 * i + 1]));
    bool done = cm_producer_send(producer, outbox->topic, -1, key, strlen(key), no_value ? NULL : payload, length, NULL,
                                 0, NULL, err);
    free(payload);
    return done;
}

static bool send_rows(const cm_outbox *outbox, cm_producer *producer, const cm_rows *rows, cm_error *err)
{
    int partitions;
    /* A topic that does not exist is an error at once, not records that time out. */
    if (!cm_producer_partitions(producer, outbox->topic, &partitions, err))
        return false;
    for (int i = 0; i < cm_rows_count(rows); i++)
        if (!send_row(outbox, producer, rows, i, err))
            return false;
    return cm_producer_flush(producer, FLUSH_MS, err) && cm_producer_poll(producer, 0, err);
}

bool cm_outbox_publish(const cm_outbox *outbox, cm_pg *pg, cm_producer *producer, int *ret_count, cm_error *err)
{
    cm_rows *rows = NULL;
    bool done = cm_pg_begin(pg, err) && outbox->take(outbox->owner, outbox->most, &rows, err);
    int count = done && rows ? cm_rows_count(rows) : 0;
    if (count)
        done = send_rows(outbox, producer, rows, err) && outbox->mark(outbox->owner, rows, err);
    done = done && cm_pg_commit(pg, err);
    if (!done)
        cm_pg_rollback(pg);
    cm_rows_free(rows);
    *ret_count = done ? count : 0;
    return done;
}

bool cm_outbox_publish_all(const cm_outbox *outbox, cm_worker *worker, cm_producer *producer, cm_metric *published,
                           cm_error *err)
{
    int count = outbox->most;
    while (count == outbox->most && !cm_worker_stopping()) {
        cm_worker_turned(worker);
        if (!cm_outbox_publish(outbox, worker->pg, producer, &count, err))
            return false;
        cm_metric_add(published, count);
    }
    return true;
}
