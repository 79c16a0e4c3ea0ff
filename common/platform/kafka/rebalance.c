/* Partitions are assigned and revoked (eager protocol: all are revoked, then all are assigned again). */
#include "platform/kafka/internal.h"

#include "base/log/log.h"
#include "base/time/time.h"

#include <stdio.h>

enum { COMMIT_AT_REVOKE_MS = 3000 };

/* "line.rated.v1[0,3,5]" shortened to fit a log line. */
static void describe(const rd_kafka_topic_partition_list_t *list, char *into, size_t size)
{
    int used = 0;
    *into = '\0';
    for (int i = 0; i < list->cnt && used >= 0 && (size_t)used + 16 < size; i++)
        used += snprintf(into + used, size - (size_t)used, "%s%d", i ? "," : "", list->elems[i].partition);
}

static void log_change(const cm_consumer *consumer, const char *what, const rd_kafka_topic_partition_list_t *list)
{
    char partitions[256];
    describe(list, partitions, sizeof partitions);
    cm_log(CM_INFO, what, "group", consumer->group, "count", cm_log_i64(list->cnt), "partitions", partitions, NULL);
}

static void report(const cm_consumer *consumer, const char *doing, rd_kafka_resp_err_t code)
{
    if (code)
        cm_log(CM_WARN, "kafka rebalance", "group", consumer->group, "doing", doing, "error", rd_kafka_err2str(code),
               NULL);
}

static void assign(cm_consumer *consumer, rd_kafka_topic_partition_list_t *list)
{
    int64_t now_ms = cm_clock_system.now(&cm_clock_system) / 1000;
    for (int i = 0; i < list->cnt; i++)
        cm_tracker_assign(consumer->tracker, list->elems[i].topic, list->elems[i].partition)->assigned_ms = now_ms;
    report(consumer, "assign", rd_kafka_assign(consumer->rk, list));
    if (consumer->paused)
        rd_kafka_pause_partitions(consumer->rk, list);
    consumer->assigned = true;
    consumer->next_position_ms = 0;
    log_change(consumer, "partitions assigned", list);
}

static void revoke(cm_consumer *consumer, const rd_kafka_topic_partition_list_t *list)
{
    bool lost = rd_kafka_assignment_lost(consumer->rk) != 0;
    if (!lost) /* a lost partition may belong to another consumer by now */
        cm_consumer_commit_now(consumer, COMMIT_AT_REVOKE_MS);
    for (int i = 0; i < list->cnt; i++)
        cm_tracker_revoke(consumer->tracker, list->elems[i].topic, list->elems[i].partition);
    report(consumer, "unassign", rd_kafka_assign(consumer->rk, NULL));
    if (lost)
        consumer->assigned = false;
    log_change(consumer, lost ? "partitions lost" : "partitions revoked", list);
}

void cm_consumer_rebalanced(rd_kafka_t *rk, rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t *list,
                            void *opaque)
{
    cm_consumer *consumer = opaque;
    consumer->rebalances++;
    if (code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
        assign(consumer, list);
    } else if (code == RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS) {
        revoke(consumer, list);
    } else {
        report(consumer, "rebalance", code);
        rd_kafka_assign(rk, NULL);
    }
}
