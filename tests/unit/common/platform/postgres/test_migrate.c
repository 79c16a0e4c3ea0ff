#include "private_postgres.h"

#include "base/digest/digest.h"
#include "platform/postgres/migrations.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static cm_error err;
static char conninfo[256];

static void must(bool ok)
{
    cr_assert(ok, "%s", err.text);
}

static cm_pg *fresh(void)
{
    test_postgres_database(conninfo, sizeof conninfo);
    cm_pg *pg = cm_pg_open(conninfo, "test", &err);
    cr_assert_not_null(pg, "%s", err.text);
    return pg;
}

static const cm_migration three[] = {
    {1, "0001_a", "aa", "CREATE TABLE a (x int); INSERT INTO a VALUES (1);"},
    {2, "0002_b", "bb", "CREATE TABLE b (x int); SELECT pg_sleep(0.2);"},
    {3, "0003_c", "cc", "INSERT INTO a VALUES (2);"},
};

static int64_t number(cm_pg *pg, const char *sql)
{
    cm_rows *rows;
    must(cm_pg_query(pg, sql, 0, NULL, &rows, &err));
    int64_t value = cm_rows_i64(rows, 0, 0);
    cm_rows_free(rows);
    return value;
}

Test(migrate, the_real_ones)
{
    cm_pg *pg = fresh();
    int from = -1, to = -1;
    cr_assert_geq(cm_pg_schema_version(), 1);
    cr_assert_not(cm_pg_check_schema(pg, &err));
    cr_assert_eq(err.class, CM_ERROR_FATAL);
    cr_assert(strstr(err.text, "curmill migrate"), "%s", err.text);
    must(cm_pg_migrate(pg, &from, &to, &err));
    cr_assert_eq(from, 0);
    cr_assert_eq(to, cm_pg_schema_version());
    must(cm_pg_check_schema(pg, &err));
    must(cm_pg_migrate(pg, &from, &to, &err)); /* again: nothing to do */
    cr_assert_eq(from, cm_pg_schema_version());
    cr_assert_eq(number(pg, "SELECT count(*) FROM schema_version"), cm_pg_schema_version());
    cr_assert_eq(number(pg, "SELECT length(digest) FROM schema_version WHERE version = 1"), 64);
    cr_assert_eq(number(pg, "SELECT count(*) FROM worker"), 0);
    cm_pg_close(pg);
}

Test(migrate, embedded_bytes_are_the_file)
{
    for (int i = 0; i < cm_migrations_count; i++) {
        uint8_t digest[CM_SHA256_BYTES];
        char hex[CM_SHA256_HEX];
        cm_sha256(cm_migrations[i].sql, strlen(cm_migrations[i].sql), digest);
        cm_hex(digest, sizeof digest, hex);
        cr_assert_eq(cm_migrations[i].version, i + 1);
        cr_assert_str_eq(hex, cm_migrations[i].digest);
    }
}

Test(migrate, step_by_step_and_only_forward)
{
    cm_pg *pg = fresh();
    int from, to;
    must(cm_pg_migrate_list(pg, three, 1, &from, &to, &err));
    cr_assert(from == 0 && to == 1);
    must(cm_pg_migrate_list(pg, three, 3, &from, &to, &err));
    cr_assert(from == 1 && to == 3);
    cr_assert_eq(number(pg, "SELECT sum(x) FROM a"), 3);
    cr_assert_not(cm_pg_migrate_list(pg, three, 2, &from, &to, &err)); /* an older program */
    cr_assert_str_eq(err.code, "SCHEMA_NEWER", "%s", err.text);
    cr_assert_not(cm_pg_check_schema_list(pg, three, 2, &err));
    cr_assert_str_eq(err.code, "SCHEMA_NEWER");
    must(cm_pg_check_schema_list(pg, three, 3, &err));
    cm_pg_close(pg);
}

Test(migrate, changed_file_is_an_error_that_says_so)
{
    cm_pg *pg = fresh();
    int from, to;
    must(cm_pg_migrate_list(pg, three, 2, &from, &to, &err));
    cm_migration changed[3];
    memcpy(changed, three, sizeof changed);
    changed[0].digest = "dd";
    cr_assert_not(cm_pg_migrate_list(pg, changed, 3, &from, &to, &err));
    cr_assert_str_eq(err.code, "MIGRATION_CHANGED");
    cr_assert(strstr(err.text, "0001_a") && strstr(err.text, "must not change"), "%s", err.text);
    cr_assert_not(cm_pg_check_schema_list(pg, changed, 2, &err));
    cr_assert_eq(number(pg, "SELECT count(*) FROM schema_version"), 2);
    cm_pg_close(pg);
}

Test(migrate, failed_step_leaves_the_ones_before)
{
    cm_pg *pg = fresh();
    int from, to;
    const cm_migration broken[] = {three[0], {2, "0002_x", "x", "CREATE TABLE x (y int); SELECT 1/0;"}};
    cr_assert_not(cm_pg_migrate_list(pg, broken, 2, &from, &to, &err));
    cr_assert(strstr(err.text, "0002_x"), "%s", err.text);
    cr_assert_eq(number(pg, "SELECT max(version) FROM schema_version"), 1);
    cr_assert_eq(number(pg, "SELECT count(*) FROM pg_class WHERE relname = 'x'"), 0);
    cm_pg_close(pg);
}

Test(migrate, several_at_a_time_do_it_once)
{
    cm_pg *pg = fresh();
    pid_t children[4];
    for (int i = 0; i < 4; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            int from, to;
            cm_pg *own = cm_pg_open(conninfo, "child", &err);
            bool ok = own && cm_pg_migrate_list(own, three, 3, &from, &to, &err) && to == 3;
            if (!ok)
                fprintf(stderr, "%s\n", err.text);
            _exit(!ok);
        }
    }
    for (int i = 0; i < 4; i++) {
        int status;
        waitpid(children[i], &status, 0);
        cr_assert_eq(status, 0);
    }
    cr_assert_eq(number(pg, "SELECT count(*) FROM a"), 2);
    cr_assert_eq(number(pg, "SELECT count(*) FROM schema_version"), 3);
    cm_pg_close(pg);
}
