/* The one policy for errors of workers, and what waits and dead letters do with a worker and a broker that are real. */
#include "platform/worker/loop.h"

#include "base/log/log.h"
#include "base/time/time.h"
#include "mock.h"
#include "private_postgres.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

static cm_worker worker;
static cm_loop loop;
static char lines[4096];

static void keep(const char *line, void *opaque)
{
    (void)opaque;
    strncat(lines, line, sizeof lines - strlen(lines) - 1);
}

static void start(void)
{
    static const cm_setting none[] = {{0}};
    char database[256], brokers[256];
    test_postgres_database(database, sizeof database);
    cm_pg *pg = cm_pg_open(database, "test", &err);
    int from, to;
    cr_assert(pg && cm_pg_migrate(pg, &from, &to, &err), "%s", err.text);
    cm_pg_close(pg);
    mock_start(1);
    rd_kafka_mock_topic_create(mock, "curmill.ingram.dead-letter.v1", 1, 1);
    snprintf(brokers, sizeof brokers, "%s", rd_kafka_mock_cluster_bootstraps(mock));
    char *arguments[] = {"probe", "--database", database, "--kafka.bootstrap.servers",
                         brokers, "--lane",     "ingram", "--health.port",
                         "0",     NULL};
    cr_assert_eq(cm_worker_start(&worker, "probe", "does nothing", none, 9, arguments), -1);
    cm_log_capture(keep, NULL);
    loop = (cm_loop){.worker = &worker,
                     .producer = producer_of("kafka.linger.ms=1"),
                     .consumer = consumer_of("g", ""),
                     .retries = cm_counter("retries_total", NULL, "r"),
                     .dead = cm_counter("records_dead_total", NULL, "d")};
}

static void finish(void)
{
    cm_log_capture(NULL, NULL);
    mock_stop();
}

static const struct row {
    enum cm_error_class class;
    enum cm_error_action input, task, elsewhere;
} rows[] = {
    {CM_ERROR_RETRY, CM_ACTION_WAIT, CM_ACTION_LOG, CM_ACTION_WAIT},
    {CM_ERROR_POISON, CM_ACTION_DEAD_LETTER, CM_ACTION_LOG, CM_ACTION_END},
    {CM_ERROR_INVALID, CM_ACTION_DEAD_LETTER, CM_ACTION_LOG, CM_ACTION_END},
    {CM_ERROR_REFUSED, CM_ACTION_DEAD_LETTER, CM_ACTION_LOG, CM_ACTION_END},
    {CM_ERROR_NOT_FOUND, CM_ACTION_DEAD_LETTER, CM_ACTION_LOG, CM_ACTION_END},
    {CM_ERROR_FENCED, CM_ACTION_DROP, CM_ACTION_DROP, CM_ACTION_END},
    {CM_ERROR_FATAL, CM_ACTION_END, CM_ACTION_END, CM_ACTION_END},
    {CM_ERROR_BUG, CM_ACTION_END, CM_ACTION_END, CM_ACTION_END},
};
enum { ROWS = sizeof rows / sizeof *rows };

Test(worker_loop, policy_has_one_row_for_each_class)
{
    cr_assert_eq(ROWS, CM_ERROR_BUG, "every class but NONE has a row");
    for (int i = 0; i < ROWS; i++) {
        const char *name = cm_error_class_name(rows[i].class);
        cr_expect_eq(cm_error_action(rows[i].class, CM_FROM_INPUT), rows[i].input, "%s of an input", name);
        cr_expect_eq(cm_error_action(rows[i].class, CM_FROM_TASK), rows[i].task, "%s of a task", name);
        cr_expect_eq(cm_error_action(rows[i].class, CM_FROM_ELSEWHERE), rows[i].elsewhere, "%s of elsewhere", name);
    }
}

Test(worker_loop, scheduled_task_goes_on_unless_fatal)
{
    cm_log_capture(keep, NULL);
    for (int i = 0; i < ROWS; i++) {
        *lines = 0;
        cm_fail(&err, rows[i].class, "TEST", "test");
        bool go_on = cm_log_unless_fatal(false, "task failed", &err);
        cr_expect_eq(go_on, rows[i].task != CM_ACTION_END, "%s", cm_error_class_name(rows[i].class));
        cr_expect_eq(err.class, go_on ? CM_ERROR_NONE : rows[i].class);
        cr_expect_eq(strstr(lines, "task failed") != NULL, rows[i].task == CM_ACTION_LOG);
    }
    cm_log_capture(NULL, NULL);
    cr_assert(cm_log_unless_fatal(true, "task failed", &err));
}

Test(worker_loop, rejects_a_record_by_the_class_of_its_error, .init = start, .fini = finish)
{
    fill(0, 1);
    cm_record *record = next_record(loop.consumer);
    int dead = 0;
    for (int i = 0; i < ROWS; i++) {
        const char *name = cm_error_class_name(rows[i].class);
        cm_error why = {0};
        cm_fail(&why, rows[i].class, "TEST", "test");
        *lines = 0;
        cm_error_clear(&err);
        bool dealt_with = cm_loop_reject(&loop, record, &why, &err);
        bool letter = rows[i].input == CM_ACTION_DEAD_LETTER;
        dead += letter;
        cr_expect_eq(dealt_with, letter || rows[i].input == CM_ACTION_DROP, "%s", name);
        cr_expect_eq(err.class, dealt_with ? CM_ERROR_NONE : rows[i].class, "%s", name);
        cr_expect_eq(strstr(lines, "record set aside") != NULL, letter, "%s: %s", name, lines);
    }
    must(cm_producer_flush(loop.producer, 10000, &err));
    cm_input_done(record->input);
    await_committed(loop.consumer, "g", 0, 1);
    cm_record_free(record);
    const char *const letters[] = {"curmill.ingram.dead-letter.v1", NULL};
    cm_consumer *reader = cm_consumer_new(settings(""), "letters", letters, &err);
    cr_assert_not_null(reader, "%s", err.text);
    while (dead-- > 0)
        cm_record_free(next_record(reader));
    poll_for(reader, 300); /* and no more */
    cm_consumer_close(reader);
    cr_assert_eq(cm_loop_end(&loop, true, &err), 0);
}

Test(worker_loop, wait_keeps_partitions_and_fetches_nothing, .init = start, .fini = finish)
{
    fill(0, 2);
    cm_record *record = next_record(loop.consumer);
    int64_t rebalances = cm_consumer_rebalances(loop.consumer), began = cm_monotonic_milliseconds();
    cm_fail(&err, CM_ERROR_RETRY, "TEST", "away");
    must(cm_loop_wait(&loop, &err));
    int64_t took = cm_monotonic_milliseconds() - began;
    cr_assert(took >= 900 && took < 5000, "%ld ms", (long)took);
    cr_assert_eq(err.class, CM_ERROR_NONE);
    cr_assert(strstr(lines, "waiting for a dependency") != NULL, "%s", lines);
    cr_assert_eq(cm_consumer_rebalances(loop.consumer), rebalances);
    cr_assert_not(cm_input_lost(record->input));
    loop.full = true; /* the worker itself can take no more: still paused after the wait */
    cm_loop_turned(&loop);
    poll_for(loop.consumer, 300);
    loop.full = false;
    cm_fail(&err, CM_ERROR_RETRY, "TEST", "away");
    must(cm_loop_wait(&loop, &err));
    cm_loop_turned(&loop);
    cm_record *second = next_record(loop.consumer); /* fetched again */
    cr_assert_eq(second->offset, 1);
    cm_record_free(record);
    cm_record_free(second);
    cr_assert_eq(cm_loop_end(&loop, true, &err), 0);
}

Test(worker_loop, only_retry_is_waited_for, .init = start, .fini = finish)
{
    for (int i = 0; i < ROWS; i++) {
        if (rows[i].elsewhere == CM_ACTION_WAIT)
            continue;
        cm_fail(&err, rows[i].class, "TEST", "test");
        cr_expect_not(cm_loop_wait(&loop, &err));
        cr_expect_eq(err.class, rows[i].class);
    }
    cm_fail(&err, CM_ERROR_BUG, "TEST", "test");
    cr_assert_eq(cm_loop_end(&loop, false, &err), 70);
}

Test(worker_loop, stop_signal_ends_a_wait_with_exit_code_0, .init = start, .fini = finish)
{
    raise(SIGTERM);
    cm_fail(&err, CM_ERROR_RETRY, "TEST", "away");
    cr_assert_not(cm_loop_wait(&loop, &err));
    cr_assert_eq(cm_loop_end(&loop, false, &err), 0);
}

Test(worker_loop, stop_signal_hides_no_fatal_error, .init = start, .fini = finish)
{
    raise(SIGTERM);
    cm_fail(&err, CM_ERROR_FATAL, "TEST", "gone");
    cr_assert_eq(cm_loop_end(&loop, false, &err), 71);
    cr_assert(strstr(lines, "ended by an error") != NULL, "%s", lines);
}
