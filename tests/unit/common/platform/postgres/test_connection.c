#include "private_postgres.h"

#include "base/time/time.h"
#include "platform/postgres/internal.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static cm_error err;

static cm_pg *fresh(void)
{
    char conninfo[256];
    test_postgres_database(conninfo, sizeof conninfo);
    cm_pg *pg = cm_pg_open(conninfo, "test", &err);
    cr_assert_not_null(pg, "%s", err.text);
    return pg;
}

static void must(bool ok)
{
    cr_assert(ok, "%s", err.text);
}

static int64_t number(cm_pg *pg, const char *sql)
{
    cm_rows *rows;
    must(cm_pg_query(pg, sql, 0, NULL, &rows, &err));
    int64_t value = cm_rows_i64(rows, 0, 0);
    cm_rows_free(rows);
    return value;
}

/* Ends the other connection's server process, as an administrator or a failover does. */
static void kill_backend(cm_pg *of, cm_pg *by)
{
    char pid[16];
    snprintf(pid, sizeof pid, "%d", PQbackendPID(of->conn));
    const char *values[] = {pid};
    must(cm_pg_query(by, "SELECT pg_terminate_backend($1::int, 5000)", 1, values, NULL, &err));
}

static void fails(cm_pg *pg, const char *sql, enum cm_error_class class, const char *code)
{
    cm_error_clear(&err);
    cr_assert_not(cm_pg_execute(pg, sql, &err), "%s", sql);
    cr_assert_eq(err.class, class, "%s: %s %s", sql, cm_error_class_name(err.class), err.text);
    cr_assert_str_eq(err.code, code, "%s: %s", sql, err.text);
}

Test(connection, session_settings)
{
    cm_pg *pg = fresh();
    cm_rows *rows;
    must(cm_pg_query(
        pg,
        "SELECT current_setting('TimeZone'), current_setting('application_name'), current_setting('statement_timeout'),"
        " current_setting('client_encoding'), '2025-06-01 02:00+02'::timestamptz",
        0, NULL, &rows, &err));
    cr_assert_str_eq(cm_rows_text(rows, 0, 0), "UTC");
    cr_assert_str_eq(cm_rows_text(rows, 0, 1), "test");
    cr_assert_str_eq(cm_rows_text(rows, 0, 2), "0");
    cr_assert_str_eq(cm_rows_text(rows, 0, 3), "UTF8");
    cr_assert_str_eq(cm_rows_text(rows, 0, 4), "2025-06-01 00:00:00+00");
    cm_rows_free(rows);
    cm_pg_close(pg);
}

Test(connection, parameters_and_rows)
{
    cm_pg *pg = fresh();
    const char *values[] = {"it's; -- \\", NULL, "-170141183460469231731.687303715884105727", "9223372036854775807"};
    cm_rows *rows;
    must(cm_pg_query(pg, "SELECT $1::text, $2::text, $3::numeric, $4::bigint, true, 1.5::numeric(40,25), NULL::numeric",
                     4, values, &rows, &err));
    cr_assert_eq(cm_rows_count(rows), 1);
    cr_assert_str_eq(cm_rows_text(rows, 0, 0), "it's; -- \\");
    cr_assert(cm_rows_null(rows, 0, 1));
    cr_assert_str_eq(cm_rows_text(rows, 0, 1), "");
    cm_decimal least = cm_rows_decimal(rows, 0, 2);
    cr_assert(least.units == -(cm_i128)(((cm_u128)1 << 127) - 1));
    cr_assert_eq(cm_rows_i64(rows, 0, 3), INT64_MAX);
    cr_assert(cm_rows_bool(rows, 0, 4));
    cr_assert(cm_rows_decimal(rows, 0, 5).units == CM_DECIMAL_ONE_UNITS * 3 / 2);
    cr_assert(cm_decimal_is_zero(cm_rows_decimal(rows, 0, 6)));
    cm_rows_free(rows);
    must(cm_pg_execute(pg, "CREATE TABLE t (a int); INSERT INTO t VALUES (1), (2), (3)", &err));
    must(cm_pg_query(pg, "UPDATE t SET a = a + 1 WHERE a > 1", 0, NULL, &rows, &err));
    cr_assert_eq(cm_rows_affected(rows), 2);
    cm_rows_free(rows);
    cm_pg_close(pg);
}

Test(connection, error_classes)
{
    cm_pg *pg = fresh();
    must(cm_pg_execute(pg, "CREATE TABLE t (a int PRIMARY KEY CHECK (a < 9)); INSERT INTO t VALUES (1)", &err));
    fails(pg, "INSERT INTO t VALUES (1)", CM_ERROR_REFUSED, "UNIQUE_VIOLATION");
    cr_assert(strstr(err.text, "t_pkey") && strstr(err.text, "23505"), "%s", err.text);
    fails(pg, "INSERT INTO t VALUES (10)", CM_ERROR_REFUSED, "CHECK_VIOLATION");
    fails(pg, "SELEC 1", CM_ERROR_BUG, "WRONG_SQL");
    fails(pg, "SELECT * FROM nowhere", CM_ERROR_FATAL, "SCHEMA");
    cr_assert(strstr(err.text, "curmill migrate"), "%s", err.text);
    fails(pg, "SELECT 'x'::int", CM_ERROR_POISON, "DATA_EXCEPTION");
    fails(pg, "DO $$ BEGIN RAISE EXCEPTION 'no'; END $$", CM_ERROR_REFUSED, "RAISED");
    fails(pg, "DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '40001'; END $$", CM_ERROR_RETRY,
          "SERIALIZATION_FAILURE");
    fails(pg, "DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '40P01'; END $$", CM_ERROR_RETRY, "DEADLOCK");
    fails(pg, "DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '53100'; END $$", CM_ERROR_RETRY, "DISK_FULL");
    must(cm_pg_execute(pg, "SET default_transaction_read_only TO on", &err));
    fails(pg, "CREATE TABLE u ()", CM_ERROR_RETRY, "READ_ONLY");
    cm_pg_close(pg);
}

Test(connection, opening_says_why_without_the_password)
{
    cr_assert_null(cm_pg_open("host=/nonexistent-folder dbname=x password=hunter2", "test", &err));
    cr_assert_eq(err.class, CM_ERROR_RETRY);
    cr_assert(strstr(err.text, "/nonexistent-folder") && !strstr(err.text, "hunter2"), "%s", err.text);
    cr_assert_null(cm_pg_open("dbname=x password=one hunter2", "test", &err));
    cr_assert_eq(err.class, CM_ERROR_INVALID);
    cr_assert(!strstr(err.text, "hunter2"), "%s", err.text);
}

Test(transaction, commit_and_rollback)
{
    cm_pg *pg = fresh();
    must(cm_pg_execute(pg, "CREATE TABLE t (a int)", &err));
    cm_pg_rollback(pg); /* harmless outside */
    must(cm_pg_begin(pg, &err));
    must(cm_pg_execute(pg, "INSERT INTO t VALUES (1)", &err));
    must(cm_pg_commit(pg, &err));
    must(cm_pg_begin(pg, &err));
    must(cm_pg_execute(pg, "INSERT INTO t VALUES (2)", &err));
    cm_pg_rollback(pg);
    cr_assert_eq(number(pg, "SELECT sum(a) FROM t"), 1);
    /* a failed statement that the caller did not notice must not look like a commit */
    must(cm_pg_begin(pg, &err));
    cr_assert_not(cm_pg_execute(pg, "SELECT 1/0", &err));
    cr_assert_not(cm_pg_commit(pg, &err));
    cr_assert_str_eq(err.code, "TRANSACTION_ABORTED");
    must(cm_pg_begin(pg, &err)); /* usable again */
    cm_pg_rollback(pg);
    cm_pg_close(pg);
}

Test(transaction, deferred_constraint_fails_at_commit)
{
    cm_pg *pg = fresh();
    must(cm_pg_execute(pg, "CREATE TABLE t (a int UNIQUE DEFERRABLE INITIALLY DEFERRED)", &err));
    must(cm_pg_begin(pg, &err));
    must(cm_pg_execute(pg, "INSERT INTO t VALUES (1), (1)", &err));
    cr_assert_not(cm_pg_commit(pg, &err));
    cr_assert_str_eq(err.code, "UNIQUE_VIOLATION");
    cr_assert_eq(number(pg, "SELECT count(*) FROM t"), 0);
    cm_pg_close(pg);
}

Test(reconnect, idle_connection_that_died)
{
    cm_pg *pg = fresh(), *other = fresh();
    kill_backend(pg, other);
    must(cm_pg_ping(pg, &err)); /* noticed before the statement was sent */
    kill_backend(pg, other);
    must(cm_pg_begin(pg, &err));
    cr_assert_eq(number(pg, "SELECT 7"), 7);
    must(cm_pg_commit(pg, &err));
    cr_assert_str_eq(PQparameterStatus(pg->conn, "TimeZone"), "UTC"); /* session settings again */
    cm_pg_close(other);
    cm_pg_close(pg);
}

/* A process that was suspended for a long time: the server ended its transaction, the same work is done again. */
Test(reconnect, transaction_that_slept_too_long)
{
    cm_pg *pg = fresh();
    must(cm_pg_execute(pg, "SET idle_in_transaction_session_timeout TO '50ms'", &err));
    must(cm_pg_begin(pg, &err));
    must(cm_pg_execute(pg, "CREATE TABLE t (a int)", &err));
    struct timespec wait = {.tv_nsec = 300000000};
    nanosleep(&wait, NULL);
    cr_assert_not(cm_pg_execute(pg, "INSERT INTO t VALUES (1)", &err));
    cr_assert_eq(err.class, CM_ERROR_RETRY, "%s", err.text);
    cm_pg_rollback(pg);
    must(cm_pg_begin(pg, &err));
    cr_assert_eq(number(pg, "SELECT count(*) FROM pg_tables WHERE tablename = 't'"), 0);
    must(cm_pg_commit(pg, &err));
    cm_pg_close(pg);
}

Test(reconnect, never_inside_a_transaction)
{
    cm_pg *pg = fresh(), *other = fresh();
    must(cm_pg_execute(pg, "CREATE TABLE t (a int)", &err));
    must(cm_pg_begin(pg, &err));
    must(cm_pg_execute(pg, "INSERT INTO t VALUES (1)", &err));
    kill_backend(pg, other);
    for (int i = 0; i < 2; i++) { /* each further statement is refused, none runs on a new connection by itself */
        cr_assert_not(cm_pg_execute(pg, "INSERT INTO t VALUES (2)", &err));
        cr_assert_eq(err.class, CM_ERROR_RETRY, "%s", err.text);
    }
    cr_assert_not(cm_pg_commit(pg, &err));
    cr_assert_eq(err.class, CM_ERROR_RETRY);
    cr_assert_str_neq(err.code, "COMMIT_UNKNOWN"); /* it was never sent */
    must(cm_pg_begin(pg, &err));
    must(cm_pg_execute(pg, "INSERT INTO t VALUES (4)", &err));
    must(cm_pg_commit(pg, &err));
    cr_assert_eq(number(pg, "SELECT sum(a) FROM t"), 4);
    cm_pg_close(other);
    cm_pg_close(pg);
}

Test(reconnect, connection_lost_during_commit_is_unknown)
{
    cm_pg *pg = fresh();
    /* A deferred trigger ends the server process of this very session while COMMIT runs. */
    must(cm_pg_execute(pg,
                       "CREATE TABLE t (a int);"
                       "CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
                       " PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(5); RETURN NULL; END $$;"
                       "CREATE CONSTRAINT TRIGGER die AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED FOR EACH ROW"
                       " EXECUTE FUNCTION die()",
                       &err));
    must(cm_pg_begin(pg, &err));
    must(cm_pg_execute(pg, "INSERT INTO t VALUES (1)", &err));
    cr_assert_not(cm_pg_commit(pg, &err));
    cr_assert_eq(err.class, CM_ERROR_RETRY);
    cr_assert_str_eq(err.code, "COMMIT_UNKNOWN", "%s", err.text);
    cr_assert_eq(number(pg, "SELECT count(*) FROM t"), 0);
    cm_pg_close(pg);
}

Test(reconnect, backs_off_within_a_bound)
{
    cm_pg *pg = fresh();
    char *good = pg->conninfo;
    pg->conninfo = cm_strdup("host=/nonexistent-folder dbname=x");
    PQfinish(pg->conn);
    pg->conn = NULL;
    cr_assert_not(cm_pg_ping(pg, &err)); /* the first attempt is at once */
    cr_assert_eq(err.class, CM_ERROR_RETRY);
    int64_t before = cm_monotonic_milliseconds();
    cr_assert_not(cm_pg_ping(pg, &err));
    cr_assert_not(cm_pg_ping(pg, &err));
    int64_t took = cm_monotonic_milliseconds() - before;
    cr_assert(took >= 50 + 100 && took < 2000, "%ld ms", (long)took); /* halves of 100 and 200 ms at least */
    free(pg->conninfo);
    pg->conninfo = good;
    must(cm_pg_ping(pg, &err));
    cr_assert_eq(pg->failed_attempts, 0);
    cm_pg_close(pg);
}

static bool notified_within(cm_pg *pg, int ms)
{
    for (int64_t end = cm_monotonic_milliseconds() + ms; cm_monotonic_milliseconds() < end;) {
        if (cm_pg_notified(pg))
            return true;
    }
    return false;
}

Test(notify, listen_survives_a_reconnect)
{
    char conninfo[256];
    test_postgres_database(conninfo, sizeof conninfo);
    cm_pg *pg = cm_pg_open(conninfo, "a", &err), *other = cm_pg_open(conninfo, "b", &err);
    must(cm_pg_listen(pg, "curmill_scan", &err));
    cr_assert_not(cm_pg_notified(pg));
    must(cm_pg_execute(other, "NOTIFY curmill_scan", &err));
    cr_assert(notified_within(pg, 3000));
    cr_assert_not(cm_pg_notified(pg)); /* drained */
    kill_backend(pg, other);
    must(cm_pg_ping(pg, &err));
    cr_assert(cm_pg_notified(pg)); /* one may have been missed */
    cr_assert_not(cm_pg_notified(pg));
    must(cm_pg_execute(other, "NOTIFY curmill_scan", &err));
    cr_assert(notified_within(pg, 3000));
    cm_pg_close(other);
    cm_pg_close(pg);
}
