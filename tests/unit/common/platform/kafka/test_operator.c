#include "mock.h"

#include "base/time/time.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static void is(const cm_record *record, const char *header, const char *text)
{
    size_t length;
    const void *value = cm_record_header(record, header, &length);
    cr_assert_not_null(value, "%s", header);
    cr_assert(length == strlen(text) && memcmp(value, text, length) == 0, "%s: %.*s", header, (int)length,
              (const char *)value);
}

static bool check_letter(const cm_record *record, void *opaque)
{
    is(record, "curmill-topic", "in");
    is(record, "curmill-partition", "0");
    is(record, "curmill-offset", "0");
    is(record, "curmill-worker", "rate-engine");
    is(record, "curmill-error-class", "POISON");
    is(record, "curmill-error-code", "BAD_BYTES");
    is(record, "curmill-error-text", "not a LineBatch");
    is(record, "curmill-run", "r7");
    cr_assert(record->length == 3 && memcmp(record->payload, "\0\xff!", 3) == 0);
    cr_assert(record->key_length == 1 && memcmp(record->key, "k", 1) == 0);
    ++*(int *)opaque;
    return true;
}

Test(dead_letter, raw_bytes_headers_and_reason)
{
    mock_start(1);
    rd_kafka_mock_topic_create(mock, "curmill.tdsynnex.dead-letter.v1", 1, 1);
    cm_producer *producer = producer_of("");
    const cm_header header = {"curmill-run", "r7", 2};
    must(cm_producer_send(producer, "in", 0, "k", 1, "\0\xff!", 3, &header, 1, NULL, &err));
    must(cm_producer_flush(producer, 10000, &err));
    cm_consumer *consumer = consumer_of("g", "");
    cm_record *record = next_record(consumer);
    cm_error why;
    cm_fail(&why, CM_ERROR_POISON, "BAD_BYTES", "not a LineBatch");
    must(cm_dead_letter(producer, "tdsynnex", "rate-engine", record, &why, &err));
    cm_input_done(record->input);
    cm_record_free(record);
    cr_assert_eq(cm_consumer_inputs_open(consumer), 1); /* the offset waits for the dead letter */
    must(cm_producer_flush(producer, 10000, &err));
    cr_assert_eq(cm_consumer_inputs_open(consumer), 0);
    cm_consumer_close(consumer);
    cr_assert_eq(committed("g", 0), 1);
    cm_producer_free(producer);
    int count = 0;
    cm_admin *admin = cm_admin_new(settings(""), &err);
    must(cm_admin_read(admin, "curmill.tdsynnex.dead-letter.v1", check_letter, &count, &err));
    cr_assert_eq(count, 1);
    cm_admin_free(admin);
    mock_stop();
}

static bool until_five(const cm_record *record, void *opaque)
{
    (void)record;
    return ++*(int *)opaque < 5;
}

static bool all(const cm_record *record, void *opaque)
{
    (void)record;
    ++*(int *)opaque;
    return true;
}

Test(operator, reads_a_topic_to_its_end_or_until_enough)
{
    mock_start(3);
    fill(0, 4);
    fill(2, 7);
    int count = 0;
    cm_admin *admin = cm_admin_new(settings(""), &err);
    must(cm_admin_read(admin, "in", all, &count, &err));
    cr_assert_eq(count, 11);
    count = 0;
    must(cm_admin_read(admin, "in", until_five, &count, &err));
    cr_assert_eq(count, 5);
    cm_admin_free(admin);
    mock_stop();
}

Test(operator, ping_and_partitions)
{
    int brokers = 0, count = -1;
    mock_start(3);
    cm_admin *admin = cm_admin_new(settings(""), &err);
    must(cm_admin_ping(admin, 5000, &brokers, &err));
    cr_assert_eq(brokers, 1);
    must(cm_admin_partitions(admin, "in", &count, &err));
    cr_assert_eq(count, 3);
    rd_kafka_mock_topic_set_error(mock, "out", RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
    must(cm_admin_partitions(admin, "out", &count, &err));
    cr_assert_eq(count, 0); /* not an error here */
    rd_kafka_mock_broker_set_down(mock, 1);
    cr_assert_not(cm_admin_ping(admin, 500, &brokers, &err));
    cr_assert_eq(err.class, CM_ERROR_RETRY);
    cm_admin_free(admin);
    mock_stop();
}

Test(operator, lag_of_a_group_that_nobody_runs)
{
    mock_start(3);
    fill(0, 10);
    fill(1, 4);
    cm_consumer *consumer = consumer_of("g", "");
    for (int i = 0; i < 14; i++) { /* all of partition 1, six of partition 0 */
        cm_record *record = next_record(consumer);
        if (record->partition == 1 || record->offset < 6)
            cm_input_done(record->input);
        cm_record_free(record);
    }
    cm_consumer_close(consumer);
    cm_admin *admin = cm_admin_new(settings(""), &err);
    cm_lag *lags;
    size_t count;
    int64_t now_ms = cm_clock_system.now(&cm_clock_system) / 1000;
    must(cm_admin_lag(admin, "g", "in", &lags, &count, &err));
    cr_assert_eq(count, 3);
    cr_assert(lags[0].committed == 6 && lags[0].end == 10 && lags[0].lag == 4);
    cr_assert(lags[0].oldest_unread_ms > now_ms - 60000 && lags[0].oldest_unread_ms <= now_ms);
    cr_assert(lags[1].committed == 4 && lags[1].lag == 0 && lags[1].oldest_unread_ms == -1);
    cr_assert(lags[2].committed == -1 && lags[2].end == 0 && lags[2].lag == 0);
    free(lags);
    must(cm_admin_lag(admin, "never-ran", "in", &lags, &count, &err));
    cr_assert(lags[0].committed == -1 && lags[0].lag == 10 && lags[0].oldest_unread_ms > 0);
    free(lags);
    cm_admin_free(admin);
    mock_stop();
}
