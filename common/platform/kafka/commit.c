/* Committing what is done: asynchronously by a timer, synchronously (with a time limit) when a partition is revoked. */
#include "platform/kafka/internal.h"

#include "base/log/log.h"
#include "base/time/time.h"

/* Reply to one of our commits. A failed one is repeated by the next timer: offsets are hints, nothing is lost. */
static void committed(rd_kafka_t *rk, rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t *list, void *opaque)
{
    (void)rk;
    cm_consumer *consumer = opaque;
    consumer->commits_under_way--;
    const char *first_error = code ? rd_kafka_err2name(code) : NULL;
    for (int i = 0; list && i < list->cnt; i++) {
        const rd_kafka_topic_partition_t *item = &list->elems[i];
        rd_kafka_resp_err_t why = code ? code : item->err;
        if (!why)
            continue;
        first_error = rd_kafka_err2name(why);
        cm_partition *partition = cm_tracker_find(consumer->tracker, item->topic, item->partition);
        if (partition && partition->asked == item->offset)
            partition->asked = -1;
    }
    if (first_error && cm_kafka_may_log(&consumer->last_warning_ms))
        cm_log(CM_WARN, "offsets were not committed; will be tried again", "group", consumer->group, "code",
               first_error, NULL);
}

/* Sends a commit of every partition whose committable offset moved. */
static void ask(cm_consumer *consumer)
{
    int count = 0;
    for (cm_partition *p = cm_tracker_partitions(consumer->tracker); p; p = p->next)
        count += p->committable > p->asked;
    if (count == 0)
        return;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(count);
    for (cm_partition *p = cm_tracker_partitions(consumer->tracker); p; p = p->next) {
        if (p->committable <= p->asked)
            continue;
        rd_kafka_topic_partition_list_add(list, p->topic, p->number)->offset = p->committable;
        p->asked = p->committable;
    }
    consumer->commits_under_way++;
    rd_kafka_resp_err_t code = rd_kafka_commit_queue(consumer->rk, list, consumer->commits, committed, consumer);
    if (code)
        committed(consumer->rk, code, list, consumer);
    rd_kafka_topic_partition_list_destroy(list);
}

void cm_consumer_commit_soon(cm_consumer *consumer)
{
    while (rd_kafka_queue_poll_callback(consumer->commits, 0) > 0)
        continue;
    int64_t now = cm_monotonic_milliseconds();
    if (now < consumer->next_commit_ms)
        return;
    consumer->next_commit_ms = now + 1000;
    ask(consumer);
}

void cm_consumer_commit_now(cm_consumer *consumer, int timeout_ms)
{
    int64_t until = cm_monotonic_milliseconds() + timeout_ms;
    ask(consumer);
    while (consumer->commits_under_way > 0 && cm_monotonic_milliseconds() < until)
        rd_kafka_queue_poll_callback(consumer->commits, 50);
}
