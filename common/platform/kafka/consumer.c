#include "platform/kafka/internal.h"

#include "base/log/log.h"
#include "base/time/time.h"

#include <stdlib.h>
#include <string.h>

enum { CLOSE_COMMIT_MS = 5000, CLOSE_MS = 10000, POSITION_TIMEOUT_MS = 1000, POSITION_EVERY_MS = 5000 };

/* --- start and stop ---------------------------------------------------------------------------------------------- */

static void trouble(rd_kafka_t *rk, int code, const char *reason, void *opaque)
{
    cm_consumer *consumer = opaque;
    if (code == RD_KAFKA_RESP_ERR__FATAL) {
        char text[512];
        rd_kafka_resp_err_t original = rd_kafka_fatal_error(rk, text, sizeof text);
        consumer->fatal = true;
        cm_fail(&consumer->fatal_error, CM_ERROR_FATAL, rd_kafka_err2name(original),
                "kafka: the consumer of group %s failed: %s; this process must be restarted", consumer->group, text);
        return;
    }
    if (cm_kafka_may_log(&consumer->last_warning_ms))
        cm_log(CM_WARN, "kafka consumer waits", "group", consumer->group, "code",
               rd_kafka_err2name((rd_kafka_resp_err_t)code), "text", reason, NULL);
}

static bool subscribe(cm_consumer *consumer, const char *const *topics, cm_error *err)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(4);
    for (; *topics; topics++)
        rd_kafka_topic_partition_list_add(list, *topics, RD_KAFKA_PARTITION_UA);
    rd_kafka_resp_err_t code = rd_kafka_subscribe(consumer->rk, list);
    rd_kafka_topic_partition_list_destroy(list);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR || cm_kafka_fail(err, code, "subscribe", NULL);
}

cm_consumer *cm_consumer_new(const cm_config *config, const char *group, const char *const *topics, cm_error *err)
{
    rd_kafka_conf_t *conf = cm_kafka_conf(config, CM_CLIENT_CONSUMER, group, group, err);
    if (!conf)
        return NULL;
    cm_consumer *consumer = cm_alloc(sizeof *consumer);
    rd_kafka_conf_set_opaque(conf, consumer);
    rd_kafka_conf_set_rebalance_cb(conf, cm_consumer_rebalanced);
    rd_kafka_conf_set_error_cb(conf, trouble);
    consumer->wake = cm_wake_new(conf);
    consumer->rk = cm_kafka_new(RD_KAFKA_CONSUMER, conf, err);
    if (!consumer->rk) {
        cm_wake_free(consumer->wake);
        free(consumer);
        return NULL;
    }
    rd_kafka_poll_set_consumer(consumer->rk);
    consumer->group = cm_strdup(group);
    consumer->tracker = cm_tracker_new();
    consumer->commits = rd_kafka_queue_new(consumer->rk);
    if (!subscribe(consumer, topics, err)) {
        cm_consumer_close(consumer);
        return NULL;
    }
    return consumer;
}

/* While leaving: rebalances are answered, records that still arrive are dropped (nobody has read them). */
static void leaving(cm_consumer *consumer, rd_kafka_event_t *event)
{
    if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_REBALANCE)
        cm_consumer_rebalanced(consumer->rk, rd_kafka_event_error(event), rd_kafka_event_topic_partition_list(event),
                               consumer);
    rd_kafka_event_destroy(event);
}

/* Leaves the group, with a time limit, because an unreachable broker must not keep a worker from ending. */
static bool leave(cm_consumer *consumer)
{
    rd_kafka_queue_t *queue = rd_kafka_queue_new(consumer->rk);
    rd_kafka_error_t *error = rd_kafka_consumer_close_queue(consumer->rk, queue);
    bool closed = error != NULL; /* then there is nothing to wait for */
    if (error)
        rd_kafka_error_destroy(error);
    int64_t until = cm_monotonic_milliseconds() + CLOSE_MS;
    while (!closed && cm_monotonic_milliseconds() < until) {
        rd_kafka_event_t *event = rd_kafka_queue_poll(queue, 20);
        if (event)
            leaving(consumer, event);
        closed = rd_kafka_consumer_closed(consumer->rk) != 0;
    }
    rd_kafka_queue_destroy(queue);
    return closed;
}

void cm_consumer_close(cm_consumer *consumer)
{
    if (!consumer)
        return;
    cm_consumer_commit_now(consumer, CLOSE_COMMIT_MS);
    bool closed = leave(consumer);
    if (!closed)
        cm_log(CM_WARN, "left the group without an answer from the broker", "group", consumer->group, NULL);
    rd_kafka_queue_destroy(consumer->commits);
    rd_kafka_destroy_flags(consumer->rk, closed ? 0 : RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    cm_tracker_free(consumer->tracker);
    cm_wake_free(consumer->wake);
    free(consumer->group);
    free(consumer);
}

/* --- reading ----------------------------------------------------------------------------------------------------- */

cm_record *cm_record_of(rd_kafka_message_t *message)
{
    cm_record *record = cm_alloc(sizeof *record);
    rd_kafka_timestamp_type_t type;
    record->topic = rd_kafka_topic_name(message->rkt);
    record->partition = message->partition;
    record->offset = message->offset;
    record->timestamp_ms = rd_kafka_message_timestamp(message, &type);
    record->key = message->key;
    record->key_length = message->key_len;
    record->payload = message->payload;
    record->length = message->len;
    record->message = message;
    return record;
}

void cm_record_free(cm_record *record)
{
    if (!record)
        return;
    rd_kafka_message_destroy(record->message);
    free(record);
}

const void *cm_record_header(const cm_record *record, const char *name, size_t *ret_length)
{
    rd_kafka_headers_t *headers;
    const void *value;
    *ret_length = 0;
    if (rd_kafka_message_headers(record->message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR ||
        rd_kafka_header_get_last(headers, name, &value, ret_length) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return NULL;
    return value;
}

/* A message that is an error: returns false only if the caller must know. */
static bool accept_event(cm_consumer *consumer, const rd_kafka_message_t *message, cm_error *err)
{
    cm_error own;
    const char *text = message->payload ? rd_kafka_message_errstr(message) : NULL;
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
        return true;
    cm_kafka_fail(&own, message->err, "reading", text);
    if (own.class == CM_ERROR_FATAL) {
        if (err)
            *err = own;
        return false;
    }
    /* Leadership changes, a topic that does not exist yet, a late poll: librdkafka recovers by itself. */
    if (cm_kafka_may_log(&consumer->last_warning_ms))
        cm_log_error(CM_WARN, "kafka consumer waits", &own, "group", consumer->group, NULL);
    return true;
}

bool cm_consumer_poll(cm_consumer *consumer, int timeout_ms, cm_record **ret, cm_error *err)
{
    *ret = NULL;
    cm_consumer_commit_soon(consumer);
    rd_kafka_message_t *message = rd_kafka_consumer_poll(consumer->rk, timeout_ms);
    if (consumer->fatal) {
        if (message)
            rd_kafka_message_destroy(message);
        if (err)
            *err = consumer->fatal_error;
        return false;
    }
    if (!message)
        return true;
    if (message->err) {
        bool ok = accept_event(consumer, message, err);
        rd_kafka_message_destroy(message);
        return ok;
    }
    cm_wake_after_record(consumer->wake, consumer->rk);
    cm_record *record = cm_record_of(message);
    record->input = cm_tracker_read(consumer->tracker, record->topic, record->partition, record->offset);
    cm_partition *partition = cm_tracker_find(consumer->tracker, record->topic, record->partition);
    if (partition)
        partition->last_timestamp_ms = record->timestamp_ms;
    *ret = record;
    return true;
}

int cm_consumer_inputs_open(const cm_consumer *consumer)
{
    return cm_tracker_open(consumer->tracker);
}

/* --- pausing ----------------------------------------------------------------------------------------------------- */

static void pause_all(cm_consumer *consumer, bool paused)
{
    rd_kafka_topic_partition_list_t *list;
    if (consumer->paused == paused)
        return;
    consumer->paused = paused; /* the rebalance pauses partitions assigned in the meantime */
    if (rd_kafka_assignment(consumer->rk, &list) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return;
    rd_kafka_resp_err_t code =
        paused ? rd_kafka_pause_partitions(consumer->rk, list) : rd_kafka_resume_partitions(consumer->rk, list);
    if (code)
        cm_log(CM_WARN, "kafka pause", "group", consumer->group, "error", rd_kafka_err2str(code), NULL);
    rd_kafka_topic_partition_list_destroy(list);
}

void cm_consumer_pause(cm_consumer *consumer)
{
    pause_all(consumer, true);
}

void cm_consumer_resume(cm_consumer *consumer)
{
    pause_all(consumer, false);
}

/* --- lag --------------------------------------------------------------------------------------------------------- */

bool cm_consumer_assigned(const cm_consumer *consumer)
{
    return consumer->assigned && !consumer->fatal;
}

int64_t cm_consumer_rebalances(const cm_consumer *consumer)
{
    return consumer->rebalances;
}

/* Before the first record of a partition was read, its position is the group's committed offset: requested at most
 * every 5 s. */
static void find_positions(cm_consumer *consumer)
{
    int64_t now = cm_monotonic_milliseconds();
    if (now < consumer->next_position_ms)
        return;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(8);
    for (cm_partition *p = cm_tracker_partitions(consumer->tracker); p; p = p->next) {
        if (p->position < 0)
            rd_kafka_topic_partition_list_add(list, p->topic, p->number);
    }
    if (list->cnt > 0) {
        consumer->next_position_ms = now + POSITION_EVERY_MS;
        if (rd_kafka_committed(consumer->rk, list, POSITION_TIMEOUT_MS) == RD_KAFKA_RESP_ERR_NO_ERROR) {
            for (int i = 0; i < list->cnt; i++) {
                const rd_kafka_topic_partition_t *item = &list->elems[i];
                cm_partition *p = cm_tracker_find(consumer->tracker, item->topic, item->partition);
                if (p && !item->err)
                    p->position = item->offset >= 0 ? item->offset : 0;
            }
        }
    }
    rd_kafka_topic_partition_list_destroy(list);
}

/* Unread records of the partition, -1 unknown. Local: from the last fetch. */
static int64_t partition_lag(cm_consumer *consumer, const cm_partition *partition)
{
    int64_t low, high;
    if (partition->position < 0 ||
        rd_kafka_get_watermark_offsets(consumer->rk, partition->topic, partition->number, &low, &high) ||
        high == RD_KAFKA_OFFSET_INVALID)
        return -1;
    int64_t from = low > partition->position ? low : partition->position;
    return high > from ? high - from : 0;
}

int64_t cm_consumer_lag_records(cm_consumer *consumer)
{
    int64_t sum = 0;
    find_positions(consumer);
    for (cm_partition *p = cm_tracker_partitions(consumer->tracker); p; p = p->next) {
        int64_t lag = partition_lag(consumer, p);
        if (lag < 0)
            return -1;
        sum += lag;
    }
    return consumer->assigned ? sum : -1;
}

int64_t cm_consumer_oldest_unread_ms(cm_consumer *consumer)
{
    int64_t oldest = 0, now_ms = cm_clock_system.now(&cm_clock_system) / 1000;
    for (cm_partition *p = cm_tracker_partitions(consumer->tracker); p; p = p->next) {
        int64_t since = p->last_timestamp_ms >= 0 ? p->last_timestamp_ms : p->assigned_ms;
        if (partition_lag(consumer, p) > 0 && now_ms - since > oldest)
            oldest = now_ms - since;
    }
    return oldest;
}
