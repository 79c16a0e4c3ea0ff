#include "mock.h"

#include "base/log/log.h"
#include "base/time/time.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

cm_error err;
rd_kafka_mock_cluster_t *mock;

static rd_kafka_t *host;
static cm_config *configs[16];
static int config_count;

void must(bool ok)
{
    cr_assert(ok, "%s", err.text);
}

static void drop(const char *line, void *opaque)
{
    (void)line, (void)opaque;
}

void mock_start(int partitions)
{
    char text[256];
    if (!getenv("VERBOSE"))
        cm_log_capture(drop, NULL);
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set_log_cb(conf, NULL);
    host = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
    mock = rd_kafka_mock_cluster_new(host, 1);
    rd_kafka_mock_topic_create(mock, "in", partitions, 1);
    rd_kafka_mock_topic_create(mock, "out", 4, 1);
}

void mock_stop(void)
{
    while (config_count > 0)
        cm_config_free(configs[--config_count]);
    if (mock)
        rd_kafka_mock_cluster_destroy(mock);
    if (host)
        rd_kafka_destroy(host);
}

cm_config *settings_only(const char *all)
{
    static const cm_setting none[] = {{0}};
    static const cm_setting *const tables[] = {none, NULL};
    char copy[1024];
    char words[20][256] = {"test"};
    char *arguments[21] = {words[0]};
    int count = 1, rest, code;
    snprintf(copy, sizeof copy, "%s", all);
    for (char *word = strtok(copy, " "); word; word = strtok(NULL, " ")) {
        snprintf(words[count], sizeof words[count], "--%s", word);
        arguments[count] = words[count];
        count++;
    }
    cm_config *config = cm_config_load("test", "test", tables, count, arguments, &rest, &code, &err);
    cr_assert_not_null(config, "%s", err.text);
    configs[config_count++] = config;
    return config;
}

cm_config *settings(const char *more)
{
    char all[1024];
    snprintf(all, sizeof all, "kafka.bootstrap.servers=%s %s", rd_kafka_mock_cluster_bootstraps(mock), more);
    return settings_only(all);
}

cm_consumer *consumer_of(const char *group, const char *more)
{
    static const char *const topics[] = {"in", NULL};
    cm_consumer *consumer = cm_consumer_new(settings(more), group, topics, &err);
    cr_assert_not_null(consumer, "%s", err.text);
    return consumer;
}

cm_producer *producer_of(const char *more)
{
    cm_producer *producer = cm_producer_new(settings(more), "test", &err);
    cr_assert_not_null(producer, "%s", err.text);
    return producer;
}

void fill(int32_t partition, int count)
{
    cm_producer *producer = producer_of("");
    for (int i = 0; i < count; i++) {
        char text[16];
        int length = snprintf(text, sizeof text, "%d", i);
        must(cm_producer_send(producer, "in", partition, NULL, 0, text, (size_t)length, NULL, 0, NULL, &err));
    }
    must(cm_producer_flush(producer, 10000, &err));
    cm_producer_free(producer);
}

cm_record *next_record(cm_consumer *consumer)
{
    cm_record *record = NULL;
    for (int64_t until = cm_monotonic_milliseconds() + 10000; !record && cm_monotonic_milliseconds() < until;)
        must(cm_consumer_poll(consumer, 100, &record, &err));
    cr_assert_not_null(record, "no record within 10 s");
    return record;
}

void poll_for(cm_consumer *consumer, int ms)
{
    for (int64_t until = cm_monotonic_milliseconds() + ms; cm_monotonic_milliseconds() < until;) {
        cm_record *record;
        must(cm_consumer_poll(consumer, 50, &record, &err));
        cr_assert_null(record, "a record came");
    }
}

int64_t committed(const char *group, int32_t partition)
{
    char text[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers", rd_kafka_mock_cluster_bootstraps(mock), text, sizeof text);
    rd_kafka_conf_set(conf, "group.id", group, text, sizeof text);
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, text, sizeof text);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, "in", partition);
    rd_kafka_resp_err_t code = rd_kafka_committed(rk, list, 10000);
    cr_assert_eq(code, 0, "%s", rd_kafka_err2str(code));
    int64_t offset = list->elems[0].offset;
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_destroy(rk);
    return offset >= 0 ? offset : -1;
}

void await_committed(cm_consumer *consumer, const char *group, int32_t partition, int64_t offset)
{
    int64_t have = -2;
    for (int64_t until = cm_monotonic_milliseconds() + 15000; have != offset && cm_monotonic_milliseconds() < until;) {
        poll_for(consumer, 200);
        have = committed(group, partition);
    }
    cr_assert_eq(have, offset, "committed %ld, not %ld", (long)have, (long)offset);
}
