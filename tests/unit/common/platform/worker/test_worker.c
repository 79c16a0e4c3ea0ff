#include "private_postgres.h"

#include "base/time/time.h"
#include "platform/postgres/postgres.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static cm_error err;
static char conninfo[256], output[8192];
static char log_path[64];

static void must(bool ok)
{
    cr_assert(ok, "%s", err.text);
}

static cm_pg *fresh(bool migrated)
{
    test_postgres_database(conninfo, sizeof conninfo);
    cm_pg *pg = cm_pg_open(conninfo, "test", &err);
    cr_assert_not_null(pg, "%s", err.text);
    int from, to;
    if (migrated)
        must(cm_pg_migrate(pg, &from, &to, &err));
    return pg;
}

static pid_t start(const char *database, const char *fault, int port, const char *more)
{
    char number[16];
    snprintf(log_path, sizeof log_path, "/tmp/curmill-probe-%d", (int)getpid());
    snprintf(number, sizeof number, "%d", port);
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    int fd = open(log_path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    dup2(fd, 1);
    dup2(fd, 2);
    setenv("CURMILL_FAULT", fault, 1);
    execl(PROBE, "probe", "--database", database, "--health.port", number, "--lane", "ingram", more, (char *)NULL);
    _exit(127);
}

static const char *read_output(void)
{
    memset(output, 0, sizeof output);
    int fd = open(log_path, O_RDONLY);
    if (fd >= 0) {
        cr_assert_geq(read(fd, output, sizeof output - 1), 0);
        close(fd);
    }
    return output;
}

static void wait_for(const char *text)
{
    for (int i = 0; i < 200 && !strstr(read_output(), text); i++)
        usleep(50000);
    cr_assert(strstr(output, text) != NULL, "%s", output);
}

static int ended(pid_t pid)
{
    int status = -1;
    for (int i = 0; i < 400 && waitpid(pid, &status, WNOHANG) == 0; i++)
        usleep(50000);
    read_output();
    unlink(log_path);
    return status;
}

static int free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    cr_assert_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    getsockname(fd, (struct sockaddr *)&address, &length);
    close(fd);
    return ntohs(address.sin_port);
}

static int status_of(int port, const char *path)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((uint16_t)port)};
    char text[128] = {0};
    int fd = socket(AF_INET, SOCK_STREAM, 0), code = 0;
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0) {
        int length = snprintf(text, sizeof text, "GET %s HTTP/1.0\r\n\r\n", path);
        if (write(fd, text, (size_t)length) == length && read(fd, text, sizeof text - 1) > 12)
            code = (int)strtol(text + 9, NULL, 10);
    }
    close(fd);
    return code;
}

static int64_t number(cm_pg *pg, const char *sql)
{
    cm_rows *rows;
    must(cm_pg_query(pg, sql, 0, NULL, &rows, &err));
    int64_t value = cm_rows_i64(rows, 0, 0);
    cm_rows_free(rows);
    return value;
}

Test(worker, starts_beats_is_ready_and_stops_cleanly)
{
    cm_pg *pg = fresh(true);
    int port = free_port();
    pid_t pid = start(conninfo, "", port, NULL);
    wait_for("running");
    int64_t rows = 0;
    for (int i = 0; i < 100 && rows == 0; i++, usleep(50000))
        rows = number(pg, "SELECT count(*) FROM worker WHERE name = 'probe' AND lane = 'ingram' AND version <> ''");
    cr_assert_eq(rows, 1);
    cr_assert_eq(status_of(port, "/readyz"), 200);
    cr_assert_eq(status_of(port, "/healthz"), 200);
    usleep(5600000);
    cr_assert_gt(number(pg, "SELECT extract(epoch FROM seen_at - started_at)::bigint FROM worker"),
                 3); /* it continues */
    kill(pid, SIGTERM);
    int status = ended(pid);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%d %s", status, output);
    cr_assert_eq(number(pg, "SELECT count(*) FROM worker"), 0); /* a clean exit leaves no row */
    cr_assert(strstr(output, "msg=starting") && strstr(output, "librdkafka="), "%s", output);
    cr_assert(strstr(output, "worker=probe lane=ingram") != NULL, "%s", output);
    cm_pg_close(pg);
}

Test(worker, second_signal_ends_it_at_once)
{
    cm_pg *pg = fresh(true);
    pid_t pid = start(conninfo, "stay", 0, NULL);
    wait_for("running");
    kill(pid, SIGTERM);
    usleep(300000);
    cr_assert_eq(waitpid(pid, NULL, WNOHANG), 0);
    kill(pid, SIGTERM);
    int status = ended(pid);
    cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM, "%d", status);
    cm_pg_close(pg);
}

Test(worker, schema_that_it_does_not_know_is_refused)
{
    cm_pg *pg = fresh(false);
    int status = ended(start(conninfo, "", 0, NULL));
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 71, "%d %s", status, output);
    cr_assert(strstr(output, "curmill migrate") != NULL, "%s", output);
    cm_pg_close(pg);
}

Test(worker, waits_for_a_database_that_is_down_and_can_be_stopped)
{
    pid_t pid = start("host=/nonexistent-folder dbname=x password=hunter2", "", 0, NULL);
    wait_for("waiting for the database");
    cr_assert(strstr(output, "seconds_left=") && strstr(output, "/nonexistent-folder"), "%s", output);
    int64_t before = cm_monotonic_milliseconds();
    kill(pid, SIGTERM);
    int status = ended(pid);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%d %s", status, output);
    cr_assert_lt(cm_monotonic_milliseconds() - before, 1500); /* the signal ends the pause */
    cr_assert(strstr(output, "hunter2") == NULL, "%s", output);
}

Test(worker, readiness_follows_the_database_and_liveness_does_not)
{
    cm_pg *pg = fresh(true);
    int port = free_port();
    pid_t pid = start(conninfo, "", port, NULL);
    wait_for("running");
    cr_assert_eq(status_of(port, "/readyz"), 200);
    char admin[256], sql[512];
    test_postgres_admin(admin, sizeof admin);
    cm_pg *other = cm_pg_open(admin, "test", &err);
    cm_rows *rows;
    must(cm_pg_query(pg, "SELECT current_database()", 0, NULL, &rows, &err));
    char name[64];
    snprintf(name, sizeof name, "%s", cm_rows_text(rows, 0, 0));
    cm_rows_free(rows);
    cm_pg_close(pg);
    snprintf(sql, sizeof sql, "ALTER DATABASE %s ALLOW_CONNECTIONS false", name);
    must(cm_pg_execute(other, sql, &err));
    snprintf(sql, sizeof sql, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '%s'", name);
    must(cm_pg_execute(other, sql, &err));
    int code = 200;
    for (int i = 0; i < 200 && code == 200; i++, usleep(50000))
        code = status_of(port, "/readyz");
    cr_assert_eq(code, 503);
    cr_assert_eq(status_of(port, "/healthz"), 200);
    snprintf(sql, sizeof sql, "ALTER DATABASE %s ALLOW_CONNECTIONS true", name);
    must(cm_pg_execute(other, sql, &err));
    for (int i = 0; i < 300 && code != 200; i++, usleep(50000))
        code = status_of(port, "/readyz");
    cr_assert_eq(code, 200);
    kill(pid, SIGTERM);
    int status = ended(pid);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%d %s", status, output);
    cm_pg_close(other);
}

Test(worker, exit_codes_and_usage)
{
    cm_pg *pg = fresh(true);
    int status = ended(start(conninfo, "", 0, "--no.such.setting=1"));
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 1, "%d %s", status, output);
    status = ended(start(conninfo, "", 0, "surplus"));
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 1, "%d %s", status, output);
    cr_assert(strstr(output, "\"surplus\"") != NULL, "%s", output);
    status = ended(start("", "", 0, NULL));
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 1, "%d %s", status, output);
    cr_assert(strstr(output, "database") != NULL, "%s", output);
    status = ended(start(conninfo, "", 0, "--help"));
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%d %s", status, output);
    cr_assert(strstr(output, "shards") && strstr(output, "health.port"), "%s", output);
    pid_t pid = start(conninfo, "fatal", 0, NULL);
    wait_for("running");
    kill(pid, SIGINT);
    status = ended(pid);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 71, "%d %s", status, output);
    cr_assert(strstr(output, "told to fail") != NULL, "%s", output);
    cm_pg_close(pg);
}
