#include "private_postgres.h"

#include "platform/postgres/internal.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static cm_error err;

static void must(bool ok)
{
    cr_assert(ok, "%s", err.text);
}

static cm_pg *fresh(void)
{
    char conninfo[256];
    test_postgres_database(conninfo, sizeof conninfo);
    cm_pg *pg = cm_pg_open(conninfo, "test", &err);
    cr_assert_not_null(pg, "%s", err.text);
    must(cm_pg_execute(pg, "CREATE TABLE t (n bigint PRIMARY KEY, s text, d numeric)", &err));
    return pg;
}

static int64_t number(cm_pg *pg, const char *sql)
{
    cm_rows *rows;
    must(cm_pg_query(pg, sql, 0, NULL, &rows, &err));
    int64_t value = cm_rows_i64(rows, 0, 0);
    cm_rows_free(rows);
    return value;
}

Test(copy, every_character_comes_back)
{
    cm_pg *pg = fresh();
    char all[300];
    size_t length = 0;
    for (int c = 1; c < 128; c++)
        all[length++] = (char)c;
    length += (size_t)snprintf(all + length, sizeof all - length, "\\N\\.\\\\\t\n\r\xc3\xa9");
    cm_copy copy;
    must(cm_pg_begin(pg, &err));
    must(cm_copy_begin(&copy, pg, "t (n, s, d)", &err));
    cm_copy_i64(&copy, INT64_MIN);
    cm_copy_text(&copy, all, length);
    cm_copy_decimal(&copy, (cm_decimal){-CM_DECIMAL_ONE_UNITS / 8});
    must(cm_copy_row(&copy, &err));
    cm_copy_i64(&copy, 2);
    cm_copy_null(&copy);
    cm_copy_null(&copy);
    must(cm_copy_row(&copy, &err));
    cm_copy_i64(&copy, 3);
    cm_copy_text(&copy, "", 0);
    cm_copy_decimal(&copy, CM_DECIMAL_ZERO);
    must(cm_copy_row(&copy, &err));
    must(cm_copy_end(&copy, &err));
    must(cm_pg_commit(pg, &err));
    cm_rows *rows;
    must(cm_pg_query(pg, "SELECT n, s, d FROM t ORDER BY n", 0, NULL, &rows, &err));
    cr_assert_eq(cm_rows_count(rows), 3);
    cr_assert_eq(cm_rows_i64(rows, 0, 0), INT64_MIN);
    cr_assert_eq(strlen(cm_rows_text(rows, 0, 1)), length);
    cr_assert_eq(memcmp(cm_rows_text(rows, 0, 1), all, length), 0);
    cr_assert_str_eq(cm_rows_text(rows, 0, 2), "-0.125");
    cr_assert(cm_rows_null(rows, 1, 1) && cm_rows_null(rows, 1, 2));
    cr_assert(!cm_rows_null(rows, 2, 1));
    cr_assert_str_eq(cm_rows_text(rows, 2, 1), "");
    cm_rows_free(rows);
    cm_pg_close(pg);
}

Test(copy, many_pieces)
{
    enum { ROWS = 20000 };
    cm_pg *pg = fresh();
    cm_copy copy;
    char text[64];
    memset(text, 'x', sizeof text);
    must(cm_pg_begin(pg, &err));
    must(cm_copy_begin(&copy, pg, "t (n, s)", &err));
    size_t largest = 0;
    for (int i = 0; i < ROWS; i++) {
        cm_copy_i64(&copy, i);
        cm_copy_text(&copy, text, sizeof text);
        must(cm_copy_row(&copy, &err));
        if (copy.buffer.capacity > largest)
            largest = copy.buffer.capacity;
    }
    must(cm_copy_end(&copy, &err));
    must(cm_pg_commit(pg, &err));
    cr_assert_eq(number(pg, "SELECT count(*) FROM t"), ROWS);
    cr_assert_eq(number(pg, "SELECT sum(n) FROM t"), (int64_t)ROWS * (ROWS - 1) / 2);
    cr_assert_lt(largest, 256 * 1024); /* does not grow with the number of rows */
    cm_pg_close(pg);
}

Test(copy, failure_is_typed_and_leaves_the_connection_usable)
{
    cm_pg *pg = fresh();
    cm_copy copy;
    must(cm_pg_begin(pg, &err));
    must(cm_copy_begin(&copy, pg, "t (n)", &err));
    for (int i = 0; i < 2; i++) {
        cm_copy_i64(&copy, 1);
        must(cm_copy_row(&copy, &err));
    }
    cr_assert_not(cm_copy_end(&copy, &err));
    cr_assert_str_eq(err.code, "UNIQUE_VIOLATION", "%s", err.text);
    cm_pg_rollback(pg);
    must(cm_pg_begin(pg, &err));
    must(cm_copy_begin(&copy, pg, "t (n, s)", &err));
    cm_copy_i64(&copy, 1);
    cm_copy_text(&copy, "\xff", 1); /* not UTF-8 */
    must(cm_copy_row(&copy, &err));
    cr_assert_not(cm_copy_end(&copy, &err));
    cr_assert_eq(err.class, CM_ERROR_POISON, "%s", err.text);
    cm_pg_rollback(pg);
    must(cm_pg_begin(pg, &err));
    cr_assert_not(cm_copy_begin(&copy, pg, "nowhere (n)", &err));
    cr_assert_eq(err.class, CM_ERROR_FATAL);
    cm_pg_rollback(pg);
    cr_assert_eq(number(pg, "SELECT count(*) FROM t"), 0);
    cm_pg_close(pg);
}

Test(copy, cancelled_leaves_nothing)
{
    cm_pg *pg = fresh();
    cm_copy copy;
    must(cm_pg_begin(pg, &err));
    must(cm_copy_begin(&copy, pg, "t (n)", &err));
    cm_copy_i64(&copy, 1);
    must(cm_copy_row(&copy, &err));
    cm_copy_cancel(&copy);
    cm_copy_cancel(&copy); /* harmless */
    cm_pg_rollback(pg);
    cr_assert_eq(number(pg, "SELECT count(*) FROM t"), 0);
    cm_pg_close(pg);
}

Test(copy, lost_connection_is_retry)
{
    cm_pg *pg = fresh();
    char conninfo[256], pid[16];
    test_postgres_admin(conninfo, sizeof conninfo);
    cm_pg *other = cm_pg_open(conninfo, "test", &err);
    cm_copy copy;
    must(cm_pg_begin(pg, &err));
    must(cm_copy_begin(&copy, pg, "t (n)", &err));
    snprintf(pid, sizeof pid, "%d", PQbackendPID(pg->conn));
    const char *values[] = {pid};
    must(cm_pg_query(other, "SELECT pg_terminate_backend($1::int, 5000)", 1, values, NULL, &err));
    bool ok = true;
    for (int i = 0; ok && i < 100000; i++) {
        cm_copy_i64(&copy, i);
        ok = cm_copy_row(&copy, &err);
    }
    if (ok)
        ok = cm_copy_end(&copy, &err);
    cr_assert_not(ok);
    cr_assert_eq(err.class, CM_ERROR_RETRY, "%s %s", cm_error_class_name(err.class), err.text);
    cm_pg_rollback(pg);
    must(cm_pg_ping(pg, &err));
    cm_pg_close(other);
    cm_pg_close(pg);
}
