#include "private_postgres.h"

#include "platform/postgres/postgres.h"

#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[128];
static char bin[256];
static pid_t server;

/* The newest server below Debian's folder of them: /usr/lib/postgresql/17/bin. */
static bool find_newest(void)
{
    glob_t found;
    long newest = 0;
    if (glob("/usr/lib/postgresql/*/bin/initdb", 0, NULL, &found) == 0) {
        for (size_t i = 0; i < found.gl_pathc; i++) {
            long version = strtol(found.gl_pathv[i] + strlen("/usr/lib/postgresql/"), NULL, 10);
            newest = version > newest ? version : newest;
        }
        globfree(&found);
    }
    snprintf(bin, sizeof bin, "/usr/lib/postgresql/%ld/bin", newest);
    return newest > 0;
}

static bool find_bin(void)
{
    const char *set = getenv("POSTGRES_BIN");
    if (set) {
        snprintf(bin, sizeof bin, "%s", set);
        return true;
    }
    FILE *pipe = popen("pg_config --bindir 2>/dev/null", "r");
    if (pipe) {
        if (fgets(bin, sizeof bin, pipe))
            bin[strcspn(bin, "\n")] = '\0';
        pclose(pipe);
    }
    char path[300];
    snprintf(path, sizeof path, "%s/initdb", bin);
    return (*bin && access(path, X_OK) == 0) || find_newest();
}

/* PostgreSQL refuses to run as root: the child becomes the user `postgres`. */
static void drop_root(void)
{
    if (geteuid() != 0)
        return;
    const struct passwd *user = getpwnam("postgres");
    if (!user || initgroups(user->pw_name, user->pw_gid) != 0 || setgid(user->pw_gid) != 0 || setuid(user->pw_uid) != 0)
        _exit(126);
}

/* argv[0] becomes the whole path: from version 16 on the programs find each other by it. */
static pid_t spawn(const char *program, char *argv[])
{
    char path[300];
    snprintf(path, sizeof path, "%s/%s", bin, program);
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    drop_root();
    prctl(PR_SET_PDEATHSIG, SIGQUIT);
    if (getppid() != parent)
        _exit(125);
    char log[200];
    snprintf(log, sizeof log, "%s/%s.log", folder, program);
    int fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    int null = open("/dev/null", O_RDONLY);
    dup2(null, 0);
    dup2(fd, 1);
    dup2(fd, 2);
    if (chdir(folder) != 0)
        _exit(124);
    argv[0] = path;
    execv(path, argv);
    _exit(127);
}

static int removed(const char *path, const struct stat *status, int kind, struct FTW *ftw)
{
    (void)status, (void)kind, (void)ftw;
    return remove(path);
}

static void show_log(const char *program)
{
    char command[256];
    snprintf(command, sizeof command, "tail -n 20 %s/%s.log >&2", folder, program);
    if (system(command) != 0)
        perror(command);
}

bool test_postgres_start(void)
{
    const char *tmp = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%s/curmill-pg-XXXXXX", tmp && strlen(tmp) < 60 ? tmp : "/tmp");
    if (!find_bin() || !mkdtemp(folder))
        return false;
    if (geteuid() == 0) {
        const struct passwd *user = getpwnam("postgres");
        if (!user || chown(folder, user->pw_uid, user->pw_gid) != 0)
            return false;
    }
    char data[160];
    snprintf(data, sizeof data, "%s/data", folder);
    char *initdb[] = {"initdb", "-D", data,   "-U",         "curmill",   "-A",
                      "trust",  "-E", "UTF8", "--locale=C", "--no-sync", NULL};
    int status = -1;
    if (waitpid(spawn("initdb", initdb), &status, 0) < 0 || status != 0) {
        show_log("initdb");
        return false;
    }
    char *postgres[] = {"postgres",
                        "-D",
                        data,
                        "-k",
                        folder,
                        "-c",
                        "listen_addresses=",
                        "-c",
                        "fsync=off",
                        "-c",
                        "full_page_writes=off",
                        "-c",
                        "synchronous_commit=off",
                        "-c",
                        "max_connections=40",
                        "-c",
                        "shared_buffers=16MB",
                        NULL};
    server = spawn("postgres", postgres);
    setenv("PRIVATE_POSTGRES", folder, 1);
    char admin[256];
    test_postgres_admin(admin, sizeof admin);
    for (int i = 0; i < 300 && waitpid(server, &status, WNOHANG) == 0; i++) {
        cm_error err;
        cm_pg *pg = cm_pg_open(admin, "fixture", &err);
        if (pg) {
            cm_pg_close(pg);
            return true;
        }
        usleep(100000);
    }
    show_log("postgres");
    return false;
}

void test_postgres_stop(void)
{
    if (server > 0) {
        kill(server, SIGINT); /* fast shutdown */
        waitpid(server, NULL, 0);
        server = 0;
    }
    if (*folder)
        nftw(folder, removed, 16, FTW_DEPTH | FTW_PHYS);
}

/* Criterion runs each test in a new process: the server's location is passed in the environment. */
static const char *where(void)
{
    const char *set = getenv("PRIVATE_POSTGRES");
    return set ? set : "/nowhere";
}

void test_postgres_admin(char *into, size_t size)
{
    snprintf(into, size, "host=%s user=curmill dbname=postgres", where());
}

void test_postgres_database(char *into, size_t size)
{
    static int count;
    char admin[256], sql[128];
    test_postgres_admin(admin, sizeof admin);
    snprintf(sql, sizeof sql, "CREATE DATABASE t%d_%d", (int)getpid(), ++count);
    cm_error err;
    cm_pg *pg = cm_pg_open(admin, "fixture", &err);
    if (!pg || !cm_pg_execute(pg, sql, &err)) {
        fprintf(stderr, "%s\n", err.text);
        abort();
    }
    cm_pg_close(pg);
    snprintf(into, size, "host=%s user=curmill dbname=t%d_%d", where(), (int)getpid(), count);
}
