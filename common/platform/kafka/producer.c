#include "platform/kafka/internal.h"

#include "base/log/log.h"
#include "base/time/time.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TOPICS_MAX = 16, PARTITIONS_FRESH_MS = 60000, METADATA_TIMEOUT_MS = 10000 };

struct known_topic {
    char name[CM_TOPIC_NAME_MAX];
    int partitions;
    int64_t until_ms;
};

struct cm_producer {
    rd_kafka_t *rk;
    int message_timeout_ms;
    bool closing;
    bool lost; /* a record was permanently lost, or the idempotent producer is in its fatal state */
    cm_error loss;
    int64_t last_warning_ms;
    cm_receipt *receipts; /* of the caller */
    size_t receipt_count;
    uint32_t receipt_turn; /* of cm_producer_receipts: reports of earlier ones are ignored */
    struct known_topic topics[TOPICS_MAX];
};

/* --- callbacks: run inside send, poll, flush and free ------------------------------------------------------------ */

/* What travels with a record is an input token, or turn and number of a receipt, which are odd numbers. */
static void *ticket_of(uint32_t turn, size_t nth)
{
    return (void *)((uintptr_t)turn << 32 | (uintptr_t)nth << 1 | 1);
}

static bool is_ticket(const void *opaque)
{
    return ((uintptr_t)opaque & 1) != 0;
}

static bool is_refusal(rd_kafka_resp_err_t code)
{
    return code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE || code == RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE ||
           code == RD_KAFKA_RESP_ERR_INVALID_RECORD;
}

/* False: the failure is no refusal of the record. */
static bool take_ticket(cm_producer *producer, const void *ticket, rd_kafka_resp_err_t code)
{
    uint32_t turn = (uint32_t)((uintptr_t)ticket >> 32);
    size_t nth = ((uintptr_t)ticket & UINT32_MAX) >> 1;
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR && !is_refusal(code))
        return false;
    if (turn == producer->receipt_turn && nth < producer->receipt_count)
        producer->receipts[nth] = code == RD_KAFKA_RESP_ERR_NO_ERROR
                                      ? (cm_receipt){CM_RECEIPT_STORED, NULL}
                                      : (cm_receipt){CM_RECEIPT_REFUSED, rd_kafka_err2str(code)};
    return true;
}

static void delivered(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque)
{
    (void)rk;
    cm_producer *producer = opaque;
    bool good = message->err == RD_KAFKA_RESP_ERR_NO_ERROR, ticket = is_ticket(message->_private);
    if (ticket && take_ticket(producer, message->_private, message->err))
        return;
    if (!good && !producer->lost && !producer->closing) {
        producer->lost = true;
        cm_fail(
            &producer->loss, CM_ERROR_FATAL, rd_kafka_err2name(message->err),
            "kafka: a record for %s was not delivered: %s; this process must be restarted and then processes its input again",
            rd_kafka_topic_name(message->rkt), rd_kafka_err2str(message->err));
    }
    if (message->_private && !ticket)
        cm_input_acknowledged(message->_private, good);
}

static void trouble(rd_kafka_t *rk, int code, const char *reason, void *opaque)
{
    cm_producer *producer = opaque;
    if (code == RD_KAFKA_RESP_ERR__FATAL) {
        char text[512];
        rd_kafka_resp_err_t original = rd_kafka_fatal_error(rk, text, sizeof text);
        producer->lost = true;
        cm_fail(
            &producer->loss, CM_ERROR_FATAL, rd_kafka_err2name(original),
            "kafka: the idempotent producer failed: %s; this process must be restarted and then processes its input again",
            text);
        return;
    }
    if (cm_kafka_may_log(&producer->last_warning_ms))
        cm_log(CM_WARN, "kafka producer waits", "code", rd_kafka_err2name((rd_kafka_resp_err_t)code), "text", reason,
               NULL);
}

/* --- start and stop ---------------------------------------------------------------------------------------------- */

static int message_timeout(const rd_kafka_conf_t *conf)
{
    char value[32] = "300000";
    size_t size = sizeof value;
    if (rd_kafka_conf_get(conf, "message.timeout.ms", value, &size) != RD_KAFKA_CONF_OK)
        return 300000;
    long ms = strtol(value, NULL, 10);
    return ms > 0 && ms < INT32_MAX ? (int)ms : INT32_MAX; /* 0 means no limit */
}

cm_producer *cm_producer_new(const cm_config *config, const char *client_id, cm_error *err)
{
    rd_kafka_conf_t *conf = cm_kafka_conf(config, CM_CLIENT_PRODUCER, client_id, NULL, err);
    if (!conf)
        return NULL;
    cm_producer *producer = cm_alloc(sizeof *producer);
    rd_kafka_conf_set_opaque(conf, producer);
    rd_kafka_conf_set_dr_msg_cb(conf, delivered);
    rd_kafka_conf_set_error_cb(conf, trouble);
    producer->message_timeout_ms = message_timeout(conf);
    producer->rk = cm_kafka_new(RD_KAFKA_PRODUCER, conf, err);
    if (!producer->rk) {
        free(producer);
        return NULL;
    }
    return producer;
}

void cm_producer_free(cm_producer *producer)
{
    if (!producer)
        return;
    producer->closing = true;
    /* Unflushed records are dropped; their delivery reports release the input tokens. */
    rd_kafka_purge(producer->rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    for (int i = 0; i < 50 && rd_kafka_outq_len(producer->rk) > 0; i++)
        rd_kafka_poll(producer->rk, 20);
    rd_kafka_destroy(producer->rk);
    free(producer);
}

static bool intact(const cm_producer *producer, cm_error *err)
{
    if (!producer->lost)
        return true;
    if (err)
        *err = producer->loss;
    return false;
}

/* --- sending ----------------------------------------------------------------------------------------------------- */

static rd_kafka_headers_t *headers_of(const cm_header *headers, size_t count)
{
    if (count == 0)
        return NULL;
    rd_kafka_headers_t *list = rd_kafka_headers_new(count);
    for (size_t i = 0; i < count; i++) {
        const void *value = headers[i].length ? headers[i].value : "";
        rd_kafka_resp_err_t code = rd_kafka_header_add(list, headers[i].name, -1, value, (ssize_t)headers[i].length);
        cm_assert(code == RD_KAFKA_RESP_ERR_NO_ERROR);
    }
    return list;
}

struct outgoing {
    const char *topic;
    int32_t partition;
    const void *key;
    size_t key_length;
    const void *payload;
    size_t length;
    void *opaque; /* input token or ticket */
};

/* One attempt. The headers are taken only if it succeeds. */
static rd_kafka_resp_err_t produce(cm_producer *producer, const struct outgoing *out, rd_kafka_headers_t *headers,
                                   char *text, size_t size)
{
    rd_kafka_vu_t parts[8];
    size_t count = 0;
    parts[count++] = (rd_kafka_vu_t){.vtype = RD_KAFKA_VTYPE_TOPIC, .u.cstr = out->topic};
    parts[count++] = (rd_kafka_vu_t){.vtype = RD_KAFKA_VTYPE_PARTITION,
                                     .u.i32 = out->partition < 0 ? RD_KAFKA_PARTITION_UA : out->partition};
    parts[count++] = (rd_kafka_vu_t){.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY};
    parts[count++] =
        (rd_kafka_vu_t){.vtype = RD_KAFKA_VTYPE_VALUE, .u.mem = {(void *)(uintptr_t)out->payload, out->length}};
    parts[count++] = (rd_kafka_vu_t){.vtype = RD_KAFKA_VTYPE_OPAQUE, .u.ptr = out->opaque};
    if (out->key)
        parts[count++] =
            (rd_kafka_vu_t){.vtype = RD_KAFKA_VTYPE_KEY, .u.mem = {(void *)(uintptr_t)out->key, out->key_length}};
    if (headers)
        parts[count++] = (rd_kafka_vu_t){.vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = headers};
    rd_kafka_error_t *error = rd_kafka_produceva(producer->rk, parts, count);
    if (!error)
        return RD_KAFKA_RESP_ERR_NO_ERROR;
    rd_kafka_resp_err_t code = rd_kafka_error_code(error);
    snprintf(text, size, "%s", rd_kafka_error_string(error));
    rd_kafka_error_destroy(error);
    return code;
}

/* Waits while the local queue is full. */
static rd_kafka_resp_err_t produce_when_there_is_room(cm_producer *producer, const struct outgoing *out,
                                                      rd_kafka_headers_t *headers, char *text, size_t size)
{
    rd_kafka_resp_err_t code;
    int64_t until = cm_monotonic_milliseconds() + producer->message_timeout_ms;
    while ((code = produce(producer, out, headers, text, size)) == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
        rd_kafka_poll(producer->rk, 50);
        if (producer->lost || cm_monotonic_milliseconds() > until)
            break;
    }
    return code;
}

static bool cannot_send(const cm_producer *producer, const struct outgoing *out, rd_kafka_resp_err_t code,
                        const char *text, cm_error *err)
{
    char doing[CM_TOPIC_NAME_MAX + 64];
    if (!intact(producer, err))
        return false;
    snprintf(doing, sizeof doing, "sending %zu bytes to %s", out->length, out->topic);
    return cm_kafka_fail(err, code, doing, text);
}

bool cm_producer_send(cm_producer *producer, const char *topic, int32_t partition, const void *key, size_t key_length,
                      const void *payload, size_t length, const cm_header *headers, size_t header_count,
                      cm_input *because, cm_error *err)
{
    struct outgoing out = {topic, partition, key, key_length, payload, length, because};
    rd_kafka_headers_t *list = headers_of(headers, header_count);
    char text[256] = "";
    rd_kafka_poll(producer->rk, 0);
    /* Counted before it is sent: its report may come while the queue is full. */
    if (because)
        cm_input_consequence(because);
    rd_kafka_resp_err_t code = produce_when_there_is_room(producer, &out, list, text, sizeof text);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        return intact(producer, err);
    if (list)
        rd_kafka_headers_destroy(list);
    if (because)
        cm_input_acknowledged(because, true); /* nothing is pending: the caller gets the error and decides */
    return cannot_send(producer, &out, code, text, err);
}

void cm_producer_receipts(cm_producer *producer, cm_receipt *receipts, size_t count)
{
    producer->receipts = receipts;
    producer->receipt_count = count;
    producer->receipt_turn++;
}

bool cm_producer_send_nth(cm_producer *producer, const char *topic, const void *key, size_t key_length,
                          const void *payload, size_t length, size_t nth, cm_error *err)
{
    struct outgoing out = {topic, -1, key, key_length, payload, length, ticket_of(producer->receipt_turn, nth)};
    char text[256] = "";
    cm_assert(nth < producer->receipt_count);
    producer->receipts[nth] = (cm_receipt){0};
    rd_kafka_poll(producer->rk, 0);
    rd_kafka_resp_err_t code = produce_when_there_is_room(producer, &out, NULL, text, sizeof text);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR || take_ticket(producer, out.opaque, code))
        return intact(producer, err);
    return cannot_send(producer, &out, code, text, err);
}

bool cm_producer_poll(cm_producer *producer, int timeout_ms, cm_error *err)
{
    rd_kafka_poll(producer->rk, timeout_ms);
    return intact(producer, err);
}

bool cm_producer_flush(cm_producer *producer, int timeout_ms, cm_error *err)
{
    int64_t until = cm_monotonic_milliseconds() + timeout_ms;
    /* In short steps, so that a loss ends the wait. */
    for (;;) {
        int64_t left = until - cm_monotonic_milliseconds();
        rd_kafka_resp_err_t code = rd_kafka_flush(producer->rk, left > 200 ? 200 : left > 0 ? (int)left : 0);
        if (!intact(producer, err))
            return false;
        if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
            return true;
        if (left <= 0)
            return cm_fail(err, CM_ERROR_RETRY, "NOT_ACKNOWLEDGED",
                           "kafka: %d records were not acknowledged within %d ms; is the broker up?",
                           rd_kafka_outq_len(producer->rk), timeout_ms);
    }
}

/* --- metadata ---------------------------------------------------------------------------------------------------- */

static struct known_topic *slot_of(cm_producer *producer, const char *topic)
{
    struct known_topic *oldest = &producer->topics[0];
    for (int i = 0; i < TOPICS_MAX; i++) {
        struct known_topic *known = &producer->topics[i];
        if (strcmp(known->name, topic) == 0)
            return known;
        if (known->until_ms < oldest->until_ms)
            oldest = known;
    }
    oldest->until_ms = 0;
    snprintf(oldest->name, sizeof oldest->name, "%s", topic);
    return oldest;
}

bool cm_kafka_partition_count(rd_kafka_t *rk, const char *topic, int *ret, cm_error *err)
{
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_topic_t *handle = rd_kafka_topic_new(rk, topic, NULL);
    rd_kafka_resp_err_t code = rd_kafka_metadata(rk, 0, handle, &metadata, METADATA_TIMEOUT_MS);
    rd_kafka_topic_destroy(handle);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        char doing[CM_TOPIC_NAME_MAX + 32];
        snprintf(doing, sizeof doing, "asking for topic %s", topic);
        return cm_kafka_fail(err, code, doing, NULL);
    }
    bool found = metadata->topic_cnt == 1 && metadata->topics[0].err == RD_KAFKA_RESP_ERR_NO_ERROR &&
                 metadata->topics[0].partition_cnt > 0;
    rd_kafka_resp_err_t why =
        metadata->topic_cnt == 1 ? metadata->topics[0].err : RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
    *ret = found ? metadata->topics[0].partition_cnt : 0;
    rd_kafka_metadata_destroy(metadata);
    if (found)
        return true;
    if (why == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART || why == RD_KAFKA_RESP_ERR_NO_ERROR)
        return cm_fail(err, CM_ERROR_NOT_FOUND, "NO_TOPIC",
                       "kafka: topic %s does not exist; create it with `curmill topic create`", topic);
    return cm_kafka_fail(err, why, topic, NULL);
}

bool cm_producer_partitions(cm_producer *producer, const char *topic, int *ret, cm_error *err)
{
    struct known_topic *known = slot_of(producer, topic);
    int64_t now = cm_monotonic_milliseconds();
    if (known->until_ms <= now) {
        known->until_ms = 0;
        if (!cm_kafka_partition_count(producer->rk, topic, &known->partitions, err))
            return false;
        known->until_ms = now + PARTITIONS_FRESH_MS;
    }
    *ret = known->partitions;
    return true;
}
