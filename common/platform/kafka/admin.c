#include "platform/kafka/admin_internal.h"

#include "base/log/log.h"
#include "base/time/time.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TIMEOUT_MS = 15000 };

cm_admin *cm_admin_new(const cm_config *config, cm_error *err)
{
    rd_kafka_conf_t *conf = cm_kafka_conf(config, CM_CLIENT_ADMIN, "curmill", NULL, err);
    if (!conf)
        return NULL;
    cm_admin *admin = cm_alloc(sizeof *admin);
    admin->config = config;
    admin->rk = cm_kafka_new(RD_KAFKA_PRODUCER, conf, err);
    if (!admin->rk) {
        free(admin);
        return NULL;
    }
    return admin;
}

void cm_admin_free(cm_admin *admin)
{
    if (!admin)
        return;
    rd_kafka_destroy(admin->rk);
    free(admin);
}

bool cm_admin_ping(cm_admin *admin, int timeout_ms, int *ret_brokers, cm_error *err)
{
    const struct rd_kafka_metadata *metadata;
    rd_kafka_resp_err_t code = rd_kafka_metadata(admin->rk, 0, NULL, &metadata, timeout_ms);
    if (code)
        return cm_kafka_fail(err, code, "no broker answers; check kafka.bootstrap.servers", NULL);
    *ret_brokers = metadata->broker_cnt;
    rd_kafka_metadata_destroy(metadata);
    return true;
}

bool cm_admin_partitions(cm_admin *admin, const char *topic, int *ret, cm_error *err)
{
    cm_error own;
    *ret = 0;
    if (cm_kafka_partition_count(admin->rk, topic, ret, &own) || own.class == CM_ERROR_NOT_FOUND)
        return true;
    if (err)
        *err = own;
    return false;
}

/* --- creating topics --------------------------------------------------------------------------------------------- */

static rd_kafka_NewTopic_t *definition(const cm_topic *topic, const char *name, int partitions, int replication,
                                       cm_error *err)
{
    char text[256], number[24];
    rd_kafka_NewTopic_t *created = rd_kafka_NewTopic_new(name, partitions, replication, text, sizeof text);
    if (!created) {
        cm_fail(err, CM_ERROR_INVALID, "TOPIC", "topic %s: %s", name, text);
        return NULL;
    }
    if (topic->compacted)
        rd_kafka_NewTopic_set_config(created, "cleanup.policy", "compact");
    if (topic->retention_ms >= 0) {
        snprintf(number, sizeof number, "%lld", (long long)topic->retention_ms);
        rd_kafka_NewTopic_set_config(created, "retention.ms", number);
    }
    return created;
}

static bool read_answer(rd_kafka_event_t *answer, const char *name, bool *ret_created, cm_error *err)
{
    if (rd_kafka_event_error(answer))
        return cm_kafka_fail(err, rd_kafka_event_error(answer), "create topics", rd_kafka_event_error_string(answer));
    size_t count;
    const rd_kafka_topic_result_t **results =
        rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(answer), &count);
    for (size_t i = 0; i < count; i++) {
        rd_kafka_resp_err_t code = rd_kafka_topic_result_error(results[i]);
        if (code == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) { /* somebody else created it in the meantime */
            *ret_created = false;
            return true;
        }
        if (code)
            return cm_kafka_fail(err, code, name, rd_kafka_topic_result_error_string(results[i]));
    }
    *ret_created = true;
    return true;
}

static bool create_one(cm_admin *admin, const cm_topic *topic, const char *name, int partitions, int replication,
                       bool *ret_created, cm_error *err)
{
    rd_kafka_NewTopic_t *wanted = definition(topic, name, partitions, replication, err);
    if (!wanted)
        return false;
    rd_kafka_queue_t *queue = rd_kafka_queue_new(admin->rk);
    rd_kafka_AdminOptions_t *options = rd_kafka_AdminOptions_new(admin->rk, RD_KAFKA_ADMIN_OP_CREATETOPICS);
    char text[128];
    rd_kafka_AdminOptions_set_request_timeout(options, TIMEOUT_MS, text, sizeof text);
    rd_kafka_AdminOptions_set_operation_timeout(options, TIMEOUT_MS, text, sizeof text);
    rd_kafka_CreateTopics(admin->rk, &wanted, 1, options, queue);
    rd_kafka_event_t *answer = rd_kafka_queue_poll(queue, TIMEOUT_MS + 5000);
    bool ok = answer ? read_answer(answer, name, ret_created, err)
                     : cm_fail(err, CM_ERROR_RETRY, "NO_ANSWER", "kafka: no answer when creating topic %s", name);
    if (answer)
        rd_kafka_event_destroy(answer);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_queue_destroy(queue);
    rd_kafka_NewTopic_destroy(wanted);
    return ok;
}

/* Creation is confirmed before every broker knows the topic; workers that start at once would not see it. */
static bool wait_visible(cm_admin *admin, const char *name, cm_error *err)
{
    int64_t until = cm_monotonic_milliseconds() + TIMEOUT_MS;
    for (int have = 0;;) {
        if (!cm_admin_partitions(admin, name, &have, err))
            return false;
        if (have > 0)
            return true;
        if (cm_monotonic_milliseconds() > until)
            return cm_fail(err, CM_ERROR_RETRY, "NO_ANSWER", "kafka: topic %s was created but is not visible", name);
        rd_kafka_poll(admin->rk, 100);
    }
}

bool cm_admin_create_topics(cm_admin *admin, const char *lane, int partitions, int replication, int *ret_created,
                            cm_error *err)
{
    *ret_created = 0;
    for (const cm_topic *topic = cm_topics; topic->name; topic++) {
        char name[CM_TOPIC_NAME_MAX];
        int have, want = topic->fixed_partitions ? topic->fixed_partitions : partitions;
        bool created = false;
        cm_topic_full_name(lane, topic->name, name);
        if (!cm_admin_partitions(admin, name, &have, err))
            return false;
        if (have == 0) {
            if (!create_one(admin, topic, name, want, replication, &created, err) || !wait_visible(admin, name, err))
                return false;
            *ret_created += created;
        } else if (have < want) {
            cm_log(CM_WARN, "topic has fewer partitions than the setting; it is left as it is", "topic", name, "has",
                   cm_log_i64(have), "setting", cm_log_i64(want), NULL);
        }
    }
    return true;
}
