#include "mock.h"

#include "base/time/time.h"

#include <criterion/criterion.h>
#include <string.h>
#include <unistd.h>

Test(consume, timer_commits_the_done_prefix_only)
{
    mock_start(1);
    fill(0, 4);
    cm_consumer *consumer = consumer_of("g", "");
    cm_record *records[4];
    for (int i = 0; i < 4; i++)
        records[i] = next_record(consumer);
    cr_assert_eq(cm_consumer_inputs_open(consumer), 4);
    cm_input_done(records[1]->input);
    cm_input_done(records[3]->input);
    poll_for(consumer, 1500);
    cr_assert_eq(committed("g", 0), -1);
    cm_input_done(records[0]->input);
    await_committed(consumer, "g", 0, 2);
    cm_input_done(records[2]->input);
    await_committed(consumer, "g", 0, 4);
    for (int i = 0; i < 4; i++)
        cm_record_free(records[i]);
    cm_consumer_close(consumer);
    mock_stop();
}

Test(consume, offset_waits_for_the_acknowledgement_of_the_output)
{
    mock_start(1);
    fill(0, 1);
    cm_consumer *consumer = consumer_of("g", "");
    cm_producer *producer = producer_of("");
    cm_record *record = next_record(consumer);
    rd_kafka_mock_broker_set_rtt(mock, 1, 0);
    must(cm_producer_send(producer, "out", 1, NULL, 0, "x", 1, NULL, 0, record->input, &err));
    must(cm_producer_send(producer, "out", 2, NULL, 0, "y", 1, NULL, 0, record->input, &err));
    cm_input_done(record->input);
    cm_record_free(record);
    poll_for(consumer, 1500); /* no delivery report was served: not safe yet */
    cr_assert_eq(committed("g", 0), -1);
    cr_assert_eq(cm_consumer_inputs_open(consumer), 1);
    must(cm_producer_flush(producer, 10000, &err));
    cr_assert_eq(cm_consumer_inputs_open(consumer), 0);
    await_committed(consumer, "g", 0, 1);
    cm_consumer_close(consumer);
    cm_producer_free(producer);
    mock_stop();
}

Test(consume, close_commits_and_the_next_one_goes_on_there)
{
    mock_start(1);
    fill(0, 5);
    cm_consumer *consumer = consumer_of("g", "");
    for (int i = 0; i < 3; i++) {
        cm_record *record = next_record(consumer);
        if (i < 2)
            cm_input_done(record->input);
        cm_record_free(record);
    }
    cm_consumer_close(consumer); /* at once, before the timer */
    cr_assert_eq(committed("g", 0), 2);
    consumer = consumer_of("g", "");
    cm_record *record = next_record(consumer);
    cr_assert_eq(record->offset, 2);
    cm_record_free(record);
    cm_consumer_close(consumer);
    mock_stop();
}

/* A second member joins: the first one's tokens are lost, finished work is committed, and both continue with disjoint
 * partitions. */
Test(consume, revoked_partitions)
{
    mock_start(4);
    for (int p = 0; p < 4; p++)
        fill(p, 2);
    cm_consumer *a = consumer_of("g", "kafka.session.timeout.ms=6000");
    cm_record *records[8];
    for (int i = 0; i < 8; i++)
        records[i] = next_record(a);
    cr_assert(cm_consumer_assigned(a));
    int done = -1;
    for (int i = 0; i < 8 && done < 0; i++)
        if (records[i]->offset == 0)
            done = i;
    cm_input_done(records[done]->input);
    int32_t done_partition = records[done]->partition;
    await_committed(a, "g", done_partition, 1); /* the mock, unlike a broker, refuses commits while members rejoin */
    int64_t before = cm_consumer_rebalances(a);
    cm_consumer *b = consumer_of("g", "");
    cm_record *of_a[8] = {NULL}, *of_b[8] = {NULL};
    int count_a = 0, count_b = 0;
    for (int64_t until = cm_monotonic_milliseconds() + 20000;
         count_a + count_b < 7 && cm_monotonic_milliseconds() < until;) {
        must(cm_consumer_poll(a, 20, &of_a[count_a], &err));
        count_a += of_a[count_a] != NULL;
        must(cm_consumer_poll(b, 20, &of_b[count_b], &err));
        count_b += of_b[count_b] != NULL;
    }
    cr_assert_gt(cm_consumer_rebalances(a), before);
    cr_assert(count_a + count_b == 7 && count_a > 0 && count_b > 0, "%d and %d records after the rebalance", count_a,
              count_b);
    cr_assert_eq(committed("g", done_partition), 1);
    for (int i = 0; i < 8; i++) {
        if (i != done) {
            cr_assert(cm_input_lost(records[i]->input));
            cm_input_done(records[i]->input); /* late: must not move any offset */
        }
        cm_record_free(records[i]);
    }
    for (int i = 0; i < count_a; i++) {
        for (int k = 0; k < count_b; k++)
            cr_assert_neq(of_a[i]->partition, of_b[k]->partition);
        cr_assert_not(cm_input_lost(of_a[i]->input));
        cm_record_free(of_a[i]);
    }
    for (int i = 0; i < count_b; i++)
        cm_record_free(of_b[i]);
    cm_consumer_close(a);
    cm_consumer_close(b);
    int64_t sum = 0;
    for (int p = 0; p < 4; p++)
        sum += committed("g", p) > 0 ? committed("g", p) : 0;
    cr_assert_eq(sum, 1);
    mock_stop();
}

Test(consume, pause_stops_and_resume_goes_on_where_it_was)
{
    mock_start(1);
    fill(0, 100);
    cm_consumer *consumer = consumer_of("g", "");
    cm_record *record = next_record(consumer);
    cm_consumer_pause(consumer);
    poll_for(consumer, 700); /* 99 records are in the local queue, none is delivered */
    cm_consumer_resume(consumer);
    for (int i = 0; i < 100; i++) {
        cr_assert_eq(record->offset, i);
        cm_input_done(record->input);
        cm_record_free(record);
        if (i < 99)
            record = next_record(consumer);
    }
    cm_consumer_close(consumer);
    cr_assert_eq(committed("g", 0), 100);
    mock_stop();
}

Test(consume, lag_counts_what_was_not_read)
{
    mock_start(2);
    fill(0, 10);
    cm_consumer *consumer = consumer_of("g", "");
    cr_assert_eq(cm_consumer_lag_records(consumer), -1); /* not assigned yet */
    cr_assert_not(cm_consumer_assigned(consumer));
    cm_record *record = next_record(consumer);
    cm_input_done(record->input);
    cm_record_free(record);
    int64_t lag = -1;
    for (int i = 0; i < 50 && lag < 0; i++) { /* the end of the empty partition comes with its first fetch */
        cm_consumer_pause(consumer);
        poll_for(consumer, 100);
        cm_consumer_resume(consumer);
        lag = cm_consumer_lag_records(consumer);
    }
    cr_assert_eq(lag, 9, "%ld", (long)lag);
    cr_assert_gt(cm_consumer_oldest_unread_ms(consumer), 0);
    for (int i = 1; i < 10; i++) {
        record = next_record(consumer);
        cm_input_done(record->input);
        cm_record_free(record);
    }
    cr_assert_eq(cm_consumer_lag_records(consumer), 0);
    cr_assert_eq(cm_consumer_oldest_unread_ms(consumer), 0);
    cm_consumer_close(consumer);
    mock_stop();
}

/* A commit that the broker refused is repeated. */
Test(consume, failed_commit_is_repeated)
{
    mock_start(1);
    fill(0, 1);
    cm_consumer *consumer = consumer_of("g", "");
    cm_record *record = next_record(consumer);
    rd_kafka_mock_push_request_errors(mock, 8 /* OffsetCommit */, 1, RD_KAFKA_RESP_ERR_OFFSET_METADATA_TOO_LARGE);
    cm_input_done(record->input);
    cm_record_free(record);
    await_committed(consumer, "g", 0, 1);
    cm_consumer_close(consumer);
    mock_stop();
}

Test(consume, broker_away_and_back)
{
    mock_start(1);
    fill(0, 2);
    cm_consumer *consumer = consumer_of("g", "");
    cm_record *record = next_record(consumer);
    cm_input_done(record->input);
    cm_record_free(record);
    record = next_record(consumer);
    cm_input_done(record->input);
    cm_record_free(record);
    rd_kafka_mock_broker_set_down(mock, 1);
    poll_for(consumer, 2000); /* no error for the caller */
    rd_kafka_mock_broker_set_up(mock, 1);
    fill(0, 1);
    record = next_record(consumer);
    cr_assert_eq(record->offset, 2);
    cm_input_done(record->input);
    cm_record_free(record);
    cm_consumer_close(consumer);
    cr_assert_eq(committed("g", 0), 3);
    mock_stop();
}

/* A small local queue must not stall a consumer: librdkafka 2.0.2 by itself checks once a second (10 records here). */
Test(consume, small_local_queue_is_filled_again_at_once)
{
    enum { COUNT = 300 };
    static char payload[20000];
    mock_start(1);
    cm_producer *producer = producer_of("kafka.batch.size=40000");
    for (int i = 0; i < COUNT; i++)
        must(cm_producer_send(producer, "in", 0, NULL, 0, payload, sizeof payload, NULL, 0, NULL, &err));
    must(cm_producer_flush(producer, 10000, &err));
    cm_producer_free(producer);
    cm_consumer *consumer =
        consumer_of("g", "kafka.queued.max.messages.kbytes=200 kafka.fetch.message.max.bytes=40000");
    int64_t began = 0;
    for (int i = 0; i < COUNT; i++) {
        cm_record *record = next_record(consumer);
        began = began ? began : cm_monotonic_milliseconds();
        cm_input_done(record->input);
        cm_record_free(record);
        usleep(2000);
    }
    int64_t took = cm_monotonic_milliseconds() - began;
    cr_assert_lt(took, 8000, "%ld ms", (long)took);
    cm_consumer_close(consumer);
    mock_stop();
}
