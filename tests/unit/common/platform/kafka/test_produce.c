#include "mock.h"

#include "base/time/time.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static void is(const void *value, size_t length, const char *text)
{
    cr_assert_eq(length, strlen(text));
    cr_assert_eq(memcmp(value, text, length), 0);
}

Test(produce, payload_key_headers_arrive)
{
    mock_start(3);
    cm_producer *producer = producer_of("");
    const cm_header headers[] = {{"curmill-run", "r1", 2}, {"empty", NULL, 0}, {"binary", "\0\1\2", 3}};
    char payload[] = "hello";
    must(cm_producer_send(producer, "in", 2, "key", 3, payload, 5, headers, 3, NULL, &err));
    memset(payload, 'x', 5); /* it was copied */
    must(cm_producer_flush(producer, 10000, &err));
    cm_consumer *consumer = consumer_of("g", "");
    cm_record *record = next_record(consumer);
    cr_assert_str_eq(record->topic, "in");
    cr_assert_eq(record->partition, 2);
    cr_assert_eq(record->offset, 0);
    is(record->key, record->key_length, "key");
    is(record->payload, record->length, "hello");
    cr_assert_gt(record->timestamp_ms, 1600000000000);
    size_t length;
    const void *value = cm_record_header(record, "curmill-run", &length);
    is(value, length, "r1");
    cr_assert_not_null(cm_record_header(record, "empty", &length));
    cr_assert_eq(length, 0);
    cr_assert_eq(memcmp(cm_record_header(record, "binary", &length), "\0\1\2", 3), 0);
    cr_assert_eq(length, 3);
    cr_assert_null(cm_record_header(record, "none", &length));
    cm_input_done(record->input);
    cm_record_free(record);
    cm_consumer_close(consumer);
    cm_producer_free(producer);
    mock_stop();
}

/* The key alone decides the partition, as in Java clients (murmur2): "k1" .. spread, and equal keys meet. */
Test(produce, key_decides_the_partition)
{
    mock_start(4);
    cm_producer *producer = producer_of("");
    for (int i = 0; i < 40; i++) {
        char key[8];
        int length = snprintf(key, sizeof key, "k%d", i % 20);
        must(cm_producer_send(producer, "in", -1, key, (size_t)length, "x", 1, NULL, 0, NULL, &err));
    }
    must(cm_producer_flush(producer, 10000, &err));
    cm_producer_free(producer);
    cm_consumer *consumer = consumer_of("g", "");
    int32_t partition_of[20];
    bool used[4] = {false};
    memset(partition_of, -1, sizeof partition_of);
    for (int i = 0; i < 40; i++) {
        cm_record *record = next_record(consumer);
        char key[8] = "";
        memcpy(key, record->key, record->key_length);
        int number = (int)strtol(key + 1, NULL, 10);
        cr_assert(partition_of[number] < 0 || partition_of[number] == record->partition);
        partition_of[number] = record->partition;
        used[record->partition] = true;
        cm_input_done(record->input);
        cm_record_free(record);
    }
    cr_assert(used[0] && used[1] && used[2] && used[3]);
    cm_consumer_close(consumer);
    mock_stop();
}

Test(produce, full_local_queue_waits_and_loses_nothing)
{
    enum { COUNT = 2000 };
    mock_start(1);
    cm_producer *producer = producer_of("kafka.queue.buffering.max.messages=10");
    for (int i = 0; i < COUNT; i++)
        must(cm_producer_send(producer, "in", 0, NULL, 0, &i, sizeof i, NULL, 0, NULL, &err));
    must(cm_producer_flush(producer, 10000, &err));
    cm_producer_free(producer);
    cm_consumer *consumer = consumer_of("g", "");
    for (int i = 0; i < COUNT; i++) {
        cm_record *record = next_record(consumer);
        cr_assert_eq(memcmp(record->payload, &i, sizeof i), 0);
        cm_input_done(record->input);
        cm_record_free(record);
    }
    cm_consumer_close(consumer);
    mock_stop();
}

Test(produce, record_that_cannot_be_delivered_is_fatal_and_its_input_is_never_committed)
{
    mock_start(1);
    fill(0, 1);
    cm_consumer *consumer = consumer_of("g", "");
    cm_producer *producer = producer_of("kafka.message.timeout.ms=1000");
    cm_record *record = next_record(consumer);
    /* By the answer to the record, not to the question where the topic is: that one ends librdkafka 2.8.0 (Debian 13)
     * with SIGSEGV. */
    rd_kafka_mock_push_request_errors(mock, 0 /* Produce */, 1, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
    must(cm_producer_send(producer, "out", 0, NULL, 0, "x", 1, NULL, 0, record->input, &err));
    cm_input_done(record->input);
    cm_record_free(record);
    bool ok = true;
    for (int i = 0; i < 100 && ok; i++)
        ok = cm_producer_poll(producer, 100, &err);
    cr_assert_not(ok);
    cr_assert_eq(err.class, CM_ERROR_FATAL, "%s", err.text);
    cr_assert_not(cm_producer_flush(producer, 100, &err)); /* stays so */
    poll_for(consumer, 1500);
    cm_consumer_close(consumer);
    cm_producer_free(producer);
    cr_assert_eq(committed("g", 0), -1);
    mock_stop();
}

Test(produce, flush_says_how_many_are_missing)
{
    mock_start(1);
    cm_producer *producer = producer_of("");
    must(cm_producer_send(producer, "in", 0, NULL, 0, "x", 1, NULL, 0, NULL, &err));
    must(cm_producer_flush(producer, 10000, &err));
    rd_kafka_mock_broker_set_down(mock, 1);
    must(cm_producer_send(producer, "in", 0, NULL, 0, "x", 1, NULL, 0, NULL, &err));
    cr_assert_not(cm_producer_flush(producer, 300, &err));
    cr_assert_eq(err.class, CM_ERROR_RETRY);
    cr_assert(strstr(err.text, "1 records") != NULL, "%s", err.text);
    rd_kafka_mock_broker_set_up(mock, 1);
    must(cm_producer_flush(producer, 15000, &err)); /* the same record arrives when the broker is back */
    cm_producer_free(producer);
    mock_stop();
}

Test(produce, broker_that_comes_back_is_found_quickly)
{
    mock_start(1);
    cm_producer *producer = producer_of("");
    must(cm_producer_send(producer, "in", 0, NULL, 0, "x", 1, NULL, 0, NULL, &err));
    must(cm_producer_flush(producer, 10000, &err));
    rd_kafka_mock_broker_set_down(mock, 1);
    must(cm_producer_send(producer, "in", 0, NULL, 0, "x", 1, NULL, 0, NULL, &err));
    cr_assert_not(cm_producer_flush(producer, 6000, &err));
    rd_kafka_mock_broker_set_up(mock, 1);
    int64_t before = cm_monotonic_milliseconds();
    must(cm_producer_flush(producer, 20000, &err));
    int64_t took = cm_monotonic_milliseconds() - before;
    cr_assert_lt(took, 4000, "%ld ms", (long)took); /* librdkafka's own default waits up to 10 s */
    cm_producer_free(producer);
    mock_stop();
}

Test(produce, transient_errors_of_the_broker_are_repeated)
{
    mock_start(1);
    cm_producer *producer = producer_of("");
    rd_kafka_mock_push_request_errors(mock, 0 /* Produce */, 3, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
                                      RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT, RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS);
    must(cm_producer_send(producer, "in", 0, NULL, 0, "x", 1, NULL, 0, NULL, &err));
    must(cm_producer_flush(producer, 15000, &err));
    cm_producer_free(producer);
    mock_stop();
}

Test(produce, partition_count)
{
    int count = 0;
    mock_start(5);
    cm_producer *producer = producer_of("");
    must(cm_producer_partitions(producer, "in", &count, &err));
    cr_assert_eq(count, 5);
    rd_kafka_mock_topic_set_error(mock, "in", RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
    count = 0;
    must(cm_producer_partitions(producer, "in", &count, &err)); /* from memory */
    cr_assert_eq(count, 5);
    rd_kafka_mock_topic_set_error(mock, "out", RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
    cr_assert_not(cm_producer_partitions(producer, "out", &count, &err));
    cr_assert_eq(err.class, CM_ERROR_NOT_FOUND, "%s", err.text);
    cr_assert(strstr(err.text, "out") != NULL);
    cm_producer_free(producer);
    mock_stop();
}

Test(produce, free_without_flush_releases_the_tokens) /* the sanitizer sees a leak */
{
    mock_start(1);
    fill(0, 1);
    cm_consumer *consumer = consumer_of("g", "");
    cm_producer *producer = producer_of("");
    cm_record *record = next_record(consumer);
    rd_kafka_mock_broker_set_down(mock, 1);
    for (int i = 0; i < 5; i++)
        must(cm_producer_send(producer, "out", 0, NULL, 0, "x", 1, NULL, 0, record->input, &err));
    cm_input_done(record->input);
    cm_record_free(record);
    int64_t before = cm_monotonic_milliseconds();
    cm_consumer_close(consumer);
    cm_producer_free(producer);
    int64_t took = cm_monotonic_milliseconds() - before;
    cr_assert_lt(took, 25000, "%ld ms", (long)took); /* SIGTERM without a broker ends within a pod's grace period */
    mock_stop();
}
