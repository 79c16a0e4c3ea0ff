#include "platform/outbox/outbox.h"

#include "base/log/log.h"

#include <stdlib.h>
#include <string.h>

enum { FLUSH_MS = 10000 };

typedef struct sending {
    const cm_outbox *outbox;
    cm_producer *producer;
    const cm_rows *rows;
    cm_receipt *receipts; /* of each row */
} sending;

static uint8_t digit(char c)
{
    return (uint8_t)(c <= '9' ? c - '0' : c - 'a' + 10); /* encode() of PostgreSQL writes small letters */
}

static void payload_of(const sending *s, int row, cm_buffer *ret)
{
    const char *hex = cm_rows_text(s->rows, row, s->outbox->payload_column);
    cm_buffer_reserve(ret, strlen(hex) / 2 + 1);
    for (; *hex; hex += 2)
        cm_buffer_char(ret, (char)(digit(hex[0]) << 4 | digit(hex[1])));
}

/* Replaces the payload. False: there is no shorter one. */
static bool shorten(const sending *s, int row, cm_buffer *payload)
{
    cm_buffer shorter = {0};
    if (!s->outbox->shorten || !s->outbox->shorten(s->outbox->owner, s->rows, row, (const uint8_t *)payload->data,
                                                   payload->length, &shorter)) {
        cm_buffer_free(&shorter);
        return false;
    }
    cm_buffer_free(payload);
    *payload = shorter;
    return true;
}

static bool send_payload(const sending *s, int row, const cm_buffer *payload, cm_error *err)
{
    const char *key = cm_rows_text(s->rows, row, s->outbox->key_column);
    bool no_value = cm_rows_null(s->rows, row, s->outbox->payload_column); /* compaction removes the key */
    const void *value = no_value ? NULL : payload->length ? payload->data : "";
    if (!s->outbox->park)
        return cm_producer_send(s->producer, s->outbox->topic, -1, key, strlen(key), value, payload->length, NULL, 0,
                                NULL, err);
    return cm_producer_send_nth(s->producer, s->outbox->topic, key, strlen(key), value, payload->length, (size_t)row,
                                err);
}

static bool send_row(const sending *s, int row, cm_error *err)
{
    cm_buffer payload = {0};
    payload_of(s, row, &payload);
    if (s->outbox->most_bytes && payload.length > s->outbox->most_bytes)
        (void)shorten(s, row, &payload);
    bool done = send_payload(s, row, &payload, err);
    cm_buffer_free(&payload);
    return done;
}

/* A refused row: alone, as its batch may have been the reason, then shortened, then parked. */
static bool retry_row(const sending *s, int row, cm_error *err)
{
    cm_buffer payload = {0};
    const cm_receipt *receipt = &s->receipts[row];
    payload_of(s, row, &payload);
    bool large = s->outbox->most_bytes && payload.length > s->outbox->most_bytes,
         shortened = large && shorten(s, row, &payload);
    bool done = send_payload(s, row, &payload, err) && cm_producer_flush(s->producer, FLUSH_MS, err);
    if (done && receipt->state == CM_RECEIPT_REFUSED && !shortened && shorten(s, row, &payload))
        done = send_payload(s, row, &payload, err) && cm_producer_flush(s->producer, FLUSH_MS, err);
    cm_buffer_free(&payload);
    if (!done || receipt->state != CM_RECEIPT_REFUSED)
        return done;
    cm_log(CM_ERROR, "a record cannot be sent and was put aside; those behind it are sent", "topic", s->outbox->topic,
           "key", cm_rows_text(s->rows, row, s->outbox->key_column), "why", receipt->why, NULL);
    return s->outbox->park(s->outbox->owner, s->rows, row, receipt->why, err);
}

static bool send_rows(const sending *s, cm_error *err)
{
    int partitions;
    /* A topic that does not exist is an error at once, not records that time out. */
    if (!cm_producer_partitions(s->producer, s->outbox->topic, &partitions, err))
        return false;
    for (int i = 0; i < cm_rows_count(s->rows); i++)
        if (!send_row(s, i, err))
            return false;
    if (!cm_producer_flush(s->producer, FLUSH_MS, err))
        return false;
    for (int i = 0; i < cm_rows_count(s->rows); i++)
        if (s->receipts[i].state == CM_RECEIPT_REFUSED && !retry_row(s, i, err))
            return false;
    return cm_producer_poll(s->producer, 0, err);
}

/* *ret_count: rows that were published, not parked. */
static bool send_all(const cm_outbox *outbox, cm_producer *producer, const cm_rows *rows, int *ret_count, cm_error *err)
{
    size_t count = (size_t)cm_rows_count(rows);
    sending s = {outbox, producer, rows, cm_alloc(count * sizeof *s.receipts)};
    memset(s.receipts, 0, count * sizeof *s.receipts);
    cm_producer_receipts(producer, s.receipts, count);
    bool done = send_rows(&s, err);
    cm_producer_receipts(producer, NULL, 0);
    *ret_count = (int)count;
    for (size_t i = 0; i < count; i++)
        *ret_count -= s.receipts[i].state == CM_RECEIPT_REFUSED;
    free(s.receipts);
    return done;
}

bool cm_outbox_publish(const cm_outbox *outbox, cm_pg *pg, cm_producer *producer, int *ret_count, cm_error *err)
{
    cm_rows *rows = NULL;
    bool done = cm_pg_begin(pg, err) && outbox->take(outbox->owner, outbox->most, &rows, err);
    int count = 0;
    if (done && rows && cm_rows_count(rows))
        done = send_all(outbox, producer, rows, &count, err) && outbox->mark(outbox->owner, rows, err);
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
    int count = 1; /* `take` may give fewer rows than `most`, where they are large */
    while (count > 0 && !cm_worker_stopping()) {
        cm_worker_turned(worker);
        if (!cm_outbox_publish(outbox, worker->pg, producer, &count, err))
            return false;
        cm_metric_add(published, count);
    }
    return true;
}
