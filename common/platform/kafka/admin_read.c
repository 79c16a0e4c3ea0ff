/* Reading as an operator: lag of a group without joining it, and a topic from its beginning to its present end. */
#include "platform/kafka/admin_internal.h"

#include "base/time/time.h"

#include <stdlib.h>

enum { TIMEOUT_MS = 15000, SILENCE_MS = 20000 };

/* A consumer that never joins a group: partitions are assigned by hand. */
static rd_kafka_t *reader(cm_admin *admin, const char *group, cm_error *err)
{
    rd_kafka_conf_t *conf = cm_kafka_conf(admin->config, CM_CLIENT_READER, "curmill", group, err);
    if (!conf)
        return NULL;
    rd_kafka_t *rk = cm_kafka_new(RD_KAFKA_CONSUMER, conf, err);
    if (rk)
        rd_kafka_poll_set_consumer(rk);
    return rk;
}

static void close_reader(rd_kafka_t *rk)
{
    rd_kafka_destroy_flags(rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
}

/* --- lag --------------------------------------------------------------------------------------------------------- */

static bool offsets(rd_kafka_t *rk, const char *topic, rd_kafka_topic_partition_list_t *list, cm_lag *lags,
                    cm_error *err)
{
    rd_kafka_resp_err_t code = rd_kafka_committed(rk, list, TIMEOUT_MS);
    if (code)
        return cm_kafka_fail(err, code, "asking for the group's offsets", NULL);
    for (int i = 0; i < list->cnt; i++) {
        cm_lag *lag = &lags[i];
        lag->partition = list->elems[i].partition;
        lag->committed = list->elems[i].offset >= 0 ? list->elems[i].offset : -1;
        lag->oldest_unread_ms = -1;
        code = rd_kafka_query_watermark_offsets(rk, topic, lag->partition, &lag->first, &lag->end, TIMEOUT_MS);
        if (code)
            return cm_kafka_fail(err, code, "asking for the ends of the topic", NULL);
        int64_t from = lag->committed > lag->first ? lag->committed : lag->first;
        lag->lag = lag->end > from ? lag->end - from : 0;
    }
    return true;
}

/* The timestamp of the first unread record of each partition that has one, from the record itself. */
static bool oldest(rd_kafka_t *rk, const char *topic, cm_lag *lags, int count, cm_error *err)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(count);
    for (int i = 0; i < count; i++) {
        if (lags[i].lag > 0)
            rd_kafka_topic_partition_list_add(list, topic, lags[i].partition)->offset = lags[i].end - lags[i].lag;
    }
    int missing = list->cnt;
    rd_kafka_resp_err_t code = missing ? rd_kafka_assign(rk, list) : RD_KAFKA_RESP_ERR_NO_ERROR;
    rd_kafka_topic_partition_list_destroy(list);
    if (code)
        return cm_kafka_fail(err, code, "reading the oldest unread record", NULL);
    int64_t until = cm_monotonic_milliseconds() + TIMEOUT_MS;
    while (missing > 0 && cm_monotonic_milliseconds() < until) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(rk, 100);
        if (!message)
            continue;
        cm_lag *lag = message->partition >= 0 && message->partition < count ? &lags[message->partition] : NULL;
        bool end = message->err ==
                   RD_KAFKA_RESP_ERR__PARTITION_EOF; /* the rest has been deleted or compacted in the meantime */
        if (lag && lag->lag > 0 && lag->oldest_unread_ms < 0 && (end || !message->err)) {
            rd_kafka_timestamp_type_t type;
            lag->oldest_unread_ms = end ? 0 : rd_kafka_message_timestamp(message, &type);
            if (end)
                lag->lag = 0;
            missing--;
        }
        rd_kafka_message_destroy(message);
    }
    for (int i = 0; i < count; i++) {
        if (lags[i].lag == 0)
            lags[i].oldest_unread_ms = -1;
    }
    return missing == 0 ||
           cm_fail(err, CM_ERROR_RETRY, "NO_ANSWER", "kafka: the oldest unread records of %s were not received", topic);
}

bool cm_admin_lag(cm_admin *admin, const char *group, const char *topic, cm_lag **ret, size_t *ret_count, cm_error *err)
{
    int count;
    *ret = NULL;
    *ret_count = 0;
    if (!cm_kafka_partition_count(admin->rk, topic, &count, err))
        return false;
    rd_kafka_t *rk = reader(admin, group, err);
    if (!rk)
        return false;
    cm_lag *lags = cm_alloc((unsigned long)count * sizeof *lags);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(count);
    for (int i = 0; i < count; i++)
        rd_kafka_topic_partition_list_add(list, topic, i);
    bool ok = offsets(rk, topic, list, lags, err) && oldest(rk, topic, lags, count, err);
    rd_kafka_topic_partition_list_destroy(list);
    close_reader(rk);
    if (!ok) {
        free(lags);
        return false;
    }
    *ret = lags;
    *ret_count = (size_t)count;
    return true;
}

/* --- a whole topic ----------------------------------------------------------------------------------------------- */

/* Until each partition's end has been reached once, or `each` stops. */
static bool read_all(rd_kafka_t *rk, int open_partitions, bool (*each)(const cm_record *, void *), void *opaque,
                     cm_error *err)
{
    int64_t until = cm_monotonic_milliseconds() + SILENCE_MS;
    while (open_partitions > 0) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(rk, 100);
        if (!message) {
            if (cm_monotonic_milliseconds() > until)
                return cm_fail(err, CM_ERROR_RETRY, "NO_ANSWER", "kafka: nothing received for %d s", SILENCE_MS / 1000);
            continue;
        }
        until = cm_monotonic_milliseconds() + SILENCE_MS;
        if (message->err) {
            open_partitions -= message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF;
            rd_kafka_message_destroy(message);
            continue;
        }
        cm_record *record = cm_record_of(message);
        bool more = each(record, opaque);
        cm_record_free(record);
        if (!more)
            return true;
    }
    return true;
}

bool cm_admin_read(cm_admin *admin, const char *topic, bool (*each)(const cm_record *record, void *opaque),
                   void *opaque, cm_error *err)
{
    int count;
    if (!cm_kafka_partition_count(admin->rk, topic, &count, err))
        return false;
    rd_kafka_t *rk = reader(admin, "curmill.reader", err);
    if (!rk)
        return false;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(count);
    for (int i = 0; i < count; i++)
        rd_kafka_topic_partition_list_add(list, topic, i)->offset = RD_KAFKA_OFFSET_BEGINNING;
    rd_kafka_resp_err_t code = rd_kafka_assign(rk, list);
    rd_kafka_topic_partition_list_destroy(list);
    bool ok = code ? cm_kafka_fail(err, code, topic, NULL) : read_all(rk, count, each, opaque, err);
    close_reader(rk);
    return ok;
}
