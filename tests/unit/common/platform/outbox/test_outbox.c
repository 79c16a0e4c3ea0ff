/* The outbox against a PostgreSQL and a mock broker: each step fails once, and nothing is lost. */
#include "platform/outbox/outbox.h"

#include "mock.h"
#include "private_postgres.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static cm_pg *pg;
static cm_producer *producer;
static cm_outbox outbox;
static bool fail_take, fail_mark, break_commit;
static char parked[200];

static bool take(void *owner, int most, cm_rows **ret, cm_error *e)
{
    char limit[16];
    snprintf(limit, sizeof limit, "%d", most);
    if (fail_take)
        return cm_fail(e, CM_ERROR_RETRY, "TAKE", "test");
    return cm_pg_query(owner,
                       "SELECT id, key, encode(payload, 'hex') FROM box WHERE NOT sent ORDER BY id LIMIT $1::int", 1,
                       (const char *[]){limit}, ret, e);
}

static bool take_nothing(void *owner, int most, cm_rows **ret, cm_error *e)
{
    (void)owner, (void)most, (void)e;
    *ret = NULL;
    return true;
}

static bool mark(void *owner, const cm_rows *rows, cm_error *e)
{
    for (int i = 0; i < cm_rows_count(rows); i++)
        if (!cm_pg_query(owner, "UPDATE box SET sent = true WHERE id = $1::int", 1,
                         (const char *[]){cm_rows_text(rows, i, 0)}, NULL, e))
            return false;
    if (fail_mark)
        return cm_fail(e, CM_ERROR_RETRY, "MARK", "test");
    /* Checked at COMMIT only: the statement itself works. */
    return !break_commit || cm_pg_query(owner, "INSERT INTO late (id) VALUES (1)", 0, NULL, NULL, e);
}

static void start(void)
{
    char database[256];
    test_postgres_database(database, sizeof database);
    pg = cm_pg_open(database, "test", &err);
    cr_assert_not_null(pg, "%s", err.text);
    must(cm_pg_execute(pg,
                       "CREATE TABLE box (id int PRIMARY KEY, key text, payload bytea, sent boolean DEFAULT false);"
                       "CREATE TABLE late (id int REFERENCES box DEFERRABLE INITIALLY DEFERRED);"
                       "INSERT INTO box VALUES (10, 'a', '\\x00ff7e'), (11, 'b', ''), (12, 'c', NULL)",
                       &err));
    mock_start(1);
    producer = producer_of("kafka.linger.ms=1 kafka.message.max.bytes=2000");
    outbox = (cm_outbox){
        .topic = "in", .key_column = 1, .payload_column = 2, .most = 2, .take = take, .mark = mark, .owner = pg};
}

static void finish(void)
{
    cm_producer_free(producer);
    cm_pg_close(pg);
    mock_stop();
}

static int unsent(void)
{
    cm_rows *rows;
    must(cm_pg_query(pg, "SELECT count(*) FROM box WHERE NOT sent", 0, NULL, &rows, &err));
    int count = (int)cm_rows_i64(rows, 0, 0);
    cm_rows_free(rows);
    return count;
}

/* Fails with that code, and everything is still there; works once the cause is gone. */
static void fails(const char *code)
{
    int count = -1;
    cr_assert_not(cm_outbox_publish(&outbox, pg, producer, &count, &err));
    cr_assert_str_eq(err.code, code, "%s", err.text);
    cr_assert_eq(count, 0);
    cr_assert_eq(unsent(), 3);
}

static void works(void)
{
    int count;
    must(cm_outbox_publish(&outbox, pg, producer, &count, &err));
    cr_assert_eq(count, 2);
    must(cm_outbox_publish(&outbox, pg, producer, &count, &err));
    cr_assert_eq(count, 1);
    cr_assert_eq(unsent(), 0);
    must(cm_outbox_publish(&outbox, pg, producer, &count, &err));
    cr_assert_eq(count, 0);
}

Test(outbox, sends_keys_and_payloads_in_order, .init = start, .fini = finish)
{
    works();
    cm_consumer *consumer = consumer_of("g", "");
    cm_record *record = next_record(consumer);
    cr_assert(record->key_length == 1 && memcmp(record->key, "a", 1) == 0);
    cr_assert(record->length == 3 && memcmp(record->payload, "\x00\xff\x7e", 3) == 0);
    cm_record_free(record);
    record = next_record(consumer);
    cr_assert(record->key_length == 1 && memcmp(record->key, "b", 1) == 0);
    cr_assert_eq(record->length, 0);
    cm_record_free(record);
    record = next_record(consumer);
    cr_assert(record->key_length == 1 && memcmp(record->key, "c", 1) == 0);
    cr_assert_null(record->payload, "NULL is a record without a value");
    cm_record_free(record);
    cm_consumer_close(consumer);
}

Test(outbox, another_replica_is_at_it, .init = start, .fini = finish)
{
    int count = -1;
    outbox.take = take_nothing;
    must(cm_outbox_publish(&outbox, pg, producer, &count, &err));
    cr_assert_eq(count, 0);
    cr_assert_eq(unsent(), 3);
}

Test(outbox, take_fails, .init = start, .fini = finish)
{
    fail_take = true;
    fails("TAKE");
    fail_take = false;
    works();
}

Test(outbox, topic_is_missing, .init = start, .fini = finish)
{
    rd_kafka_mock_topic_set_error(mock, "gone", RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
    snprintf(outbox.topic, sizeof outbox.topic, "gone");
    fails("NO_TOPIC");
    snprintf(outbox.topic, sizeof outbox.topic, "in");
    works();
}

Test(outbox, send_fails, .init = start, .fini = finish)
{
    must(cm_pg_execute(pg, "UPDATE box SET payload = decode(repeat('00', 5000), 'hex') WHERE id = 11", &err));
    int count = -1;
    cr_assert_not(cm_outbox_publish(&outbox, pg, producer, &count, &err));
    cr_assert(strstr(err.text, "5000 bytes") != NULL, "%s", err.text);
    cr_assert_eq(count, 0);
    cr_assert_eq(unsent(), 3); /* also the row that was sent before it */
    must(cm_pg_execute(pg, "UPDATE box SET payload = '' WHERE id = 11", &err));
    works();
}

/* --- with `park`, no row holds up the others --- */

static bool park(void *owner, const cm_rows *rows, int row, const char *why, cm_error *e)
{
    (void)owner, (void)e;
    size_t length = strlen(parked);
    snprintf(parked + length, sizeof parked - length, "%s: %s;", cm_rows_text(rows, row, 0), why);
    return true;
}

static bool shorten(void *owner, const cm_rows *rows, int row, const uint8_t *payload, size_t length, cm_buffer *ret)
{
    (void)owner, (void)rows, (void)row, (void)payload;
    cm_buffer_printf(ret, "%zu bytes", length);
    return true;
}

static void expect_records(const char *const *wanted, size_t count)
{
    cm_consumer *consumer = consumer_of("g", "");
    for (size_t i = 0; i < count; i++) {
        cm_record *record = next_record(consumer);
        cr_assert_eq(record->length, strlen(wanted[i]), "record %zu has %zu bytes", i, record->length);
        cr_assert(memcmp(record->payload, wanted[i], record->length) == 0);
        cm_record_free(record);
    }
    cm_consumer_close(consumer);
}

static void three_rows(const char *second)
{
    char sql[300];
    snprintf(sql, sizeof sql, "UPDATE box SET payload = 'x'; UPDATE box SET payload = %s WHERE id = 11", second);
    must(cm_pg_execute(pg, sql, &err));
    outbox.most = 3;
    outbox.park = park;
    *parked = '\0';
}

Test(outbox, a_row_that_is_too_large_is_parked, .init = start, .fini = finish)
{
    int count;
    three_rows("decode(repeat('00', 5000), 'hex')");
    must(cm_outbox_publish(&outbox, pg, producer, &count, &err));
    cr_assert_eq(count, 2);
    cr_assert_str_eq(parked, "11: Broker: Message size too large;");
    expect_records((const char *const[]){"x", "x"}, 2);
}

Test(outbox, a_row_that_is_too_large_is_shortened, .init = start, .fini = finish)
{
    int count;
    three_rows("decode(repeat('00', 5000), 'hex')");
    outbox.shorten = shorten;
    must(cm_outbox_publish(&outbox, pg, producer, &count, &err));
    cr_assert_eq(count, 3);
    cr_assert_str_eq(parked, "");
    expect_records((const char *const[]){"x", "x", "5000 bytes"}, 3); /* it goes out after the others of its turn */
}

Test(outbox, a_row_above_the_limit_is_shortened_at_once, .init = start, .fini = finish)
{
    int count;
    three_rows("decode(repeat('00', 1000), 'hex')");
    outbox.shorten = shorten;
    outbox.most_bytes = 999;
    must(cm_outbox_publish(&outbox, pg, producer, &count, &err));
    cr_assert_eq(count, 3);
    expect_records((const char *const[]){"x", "1000 bytes", "x"}, 3);
}

/* The broker refuses a whole batch for one record of it: the others are sent alone. */
Test(outbox, the_broker_refuses, .init = start, .fini = finish)
{
    int count;
    three_rows("'y'");
    rd_kafka_mock_push_request_errors(mock, 0 /* Produce */, 1, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
    must(cm_outbox_publish(&outbox, pg, producer, &count, &err));
    cr_assert_eq(count, 3);
    cr_assert_str_eq(parked, "");
    expect_records((const char *const[]){"x", "y", "x"}, 3);
}

Test(outbox, the_broker_refuses_one_for_ever, .init = start, .fini = finish)
{
    int count;
    three_rows("'y'");
    rd_kafka_mock_push_request_errors(mock, 0 /* Produce */, 2, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE,
                                      RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
    must(cm_outbox_publish(&outbox, pg, producer, &count, &err));
    cr_assert_eq(count, 2);
    cr_assert_str_eq(parked, "10: Broker: Message size too large;");
    expect_records((const char *const[]){"y", "x"}, 2);
}

Test(outbox, flush_fails, .init = start, .fini = finish)
{
    int partitions;
    must(cm_producer_partitions(producer, "in", &partitions,
                                &err)); /* cached: the broker is only away for the records */
    rd_kafka_mock_broker_set_down(mock, 1);
    fails("NOT_ACKNOWLEDGED");
    rd_kafka_mock_broker_set_up(mock, 1);
    works();
}

Test(outbox, mark_fails, .init = start, .fini = finish)
{
    fail_mark = true;
    fails("MARK");
    fail_mark = false;
    works();
}

Test(outbox, commit_fails, .init = start, .fini = finish)
{
    break_commit = true;
    fails("FOREIGN_KEY_VIOLATION");
    break_commit = false;
    works();
}
