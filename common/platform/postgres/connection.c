/* The connection: opening, statements, transactions, reconnecting, notifications. */
#include "platform/postgres/internal.h"

#include "base/log/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

enum { BACKOFF_FIRST_MS = 100, BACKOFF_MAX_MS = 5000 };

/* Our transactions never idle for long between statements: one that does belongs to a suspended process, and others
 * wait for its locks. */
#define IDLE_IN_TRANSACTION "60s"

/* --- opening ----------------------------------------------------------------------------------------------------- */

static void notice(void *opaque, const char *text)
{
    (void)opaque;
    char line[512];
    int length = (int)strcspn(text, "\n");
    snprintf(line, sizeof line, "%.*s", length, text);
    cm_log(CM_DEBUG, "database notice", "text", line, NULL);
}

static bool run(cm_pg *pg, const char *sql, cm_error *err)
{
    PGresult *result = PQexec(pg->conn, sql);
    ExecStatusType status = PQresultStatus(result);
    bool ok = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
    if (!ok) {
        char doing[80];
        snprintf(doing, sizeof doing, "%.*s", (int)strcspn(sql, "\n"), sql);
        cm_pg_fail(pg, result, doing, err);
    }
    PQclear(result);
    return ok;
}

static bool listen_on(cm_pg *pg, const char *channel, cm_error *err)
{
    char *quoted = PQescapeIdentifier(pg->conn, channel, strlen(channel));
    if (!quoted)
        return cm_pg_fail(pg, NULL, "LISTEN", err);
    char sql[160];
    snprintf(sql, sizeof sql, "LISTEN %s", quoted);
    PQfreemem(quoted);
    return run(pg, sql, err);
}

static void drop(cm_pg *pg)
{
    if (pg->conn)
        PQfinish(pg->conn);
    pg->conn = NULL;
    pg->missed = pg->channel_count > 0;
}

static bool connect_once(cm_pg *pg, cm_error *err)
{
    /* Parameters after `dbname` would override the connection string; these are defaults, so they come before it. */
    static const char *const keys[] = {"application_name",
                                       "connect_timeout",
                                       "keepalives_idle",
                                       "keepalives_interval",
                                       "keepalives_count",
                                       "tcp_user_timeout",
                                       "dbname",
                                       "client_encoding",
                                       NULL};
    const char *const values[] = {pg->application, "10", "30", "10", "3", "60000", pg->conninfo, "UTF8", NULL};
    drop(pg);
    pg->conn = PQconnectdbParams(keys, values, 1);
    if (!pg->conn || PQstatus(pg->conn) != CONNECTION_OK) {
        const char *text = pg->conn ? PQerrorMessage(pg->conn) : "out of memory";
        cm_fail(err, CM_ERROR_RETRY, "CONNECTION_REFUSED",
                "database: cannot connect: %.*s; check the setting `database` and whether the server is running",
                (int)strcspn(text, "\n"), text);
        drop(pg);
        return false;
    }
    PQsetNoticeProcessor(pg->conn, notice, NULL);
    bool ok =
        run(pg,
            "SET timezone TO 'UTC'; SET datestyle TO 'ISO, YMD'; SET statement_timeout TO 0; SET lock_timeout TO 0; "
            "SET idle_in_transaction_session_timeout TO '" IDLE_IN_TRANSACTION "'",
            err);
    for (int i = 0; ok && i < pg->channel_count; i++)
        ok = listen_on(pg, pg->channels[i], err);
    if (!ok)
        drop(pg);
    return ok;
}

static bool valid_conninfo(const char *conninfo)
{
    PQconninfoOption *options = PQconninfoParse(conninfo, NULL); /* its error text may contain parts of a password */
    PQconninfoFree(options);
    return options != NULL;
}

cm_pg *cm_pg_open(const char *conninfo, const char *application, cm_error *err)
{
    if (!valid_conninfo(conninfo)) {
        cm_fail(err, CM_ERROR_INVALID, "DATABASE_SETTING",
                "the setting `database` is not a libpq connection string: write `host=... dbname=... user=...` or "
                "`postgresql://user@host/dbname`");
        return NULL;
    }
    cm_pg *pg = cm_alloc(sizeof *pg);
    pg->conninfo = cm_strdup(conninfo);
    pg->application = cm_strdup(application);
    if (!connect_once(pg, err)) {
        cm_pg_close(pg);
        return NULL;
    }
    return pg;
}

void cm_pg_close(cm_pg *pg)
{
    if (!pg)
        return;
    drop(pg);
    for (int i = 0; i < pg->channel_count; i++)
        free(pg->channels[i]);
    free(pg->conninfo);
    free(pg->application);
    free(pg);
}

/* --- reconnecting ------------------------------------------------------------------------------------------------ */

/* Half of the time is fixed, half random, so that many workers do not reconnect at the same moment. */
static void back_off(int failed_attempts)
{
    int shift = failed_attempts < 7 ? failed_attempts - 1 : 6;
    uint32_t bound = (uint32_t)BACKOFF_FIRST_MS << shift;
    if (bound > BACKOFF_MAX_MS)
        bound = BACKOFF_MAX_MS;
    uint32_t random = 0;
    if (getrandom(&random, sizeof random, 0) < 0)
        random = 0;
    uint32_t ms = bound / 2 + random % (bound / 2 + 1);
    struct timespec wait = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
    nanosleep(&wait, NULL); /* a signal ends it early, as intended */
}

static bool reconnect(cm_pg *pg, cm_error *err)
{
    cm_error own;
    if (pg->failed_attempts > 0)
        back_off(pg->failed_attempts);
    if (!connect_once(pg, &own)) {
        pg->failed_attempts++;
        if (err)
            *err = own;
        return false;
    }
    pg->failed_attempts = 0;
    cm_log(CM_INFO, "database connection opened again", NULL);
    return true;
}

/* Reads what the server sent in the meantime, so that a closed connection is noticed before a statement is sent. */
static void read_pending(cm_pg *pg)
{
    for (int i = 0; i < 2 && PQstatus(pg->conn) == CONNECTION_OK; i++) {
        if (!PQconsumeInput(pg->conn))
            break;
    }
}

bool cm_pg_usable(cm_pg *pg, cm_error *err)
{
    if (pg->conn && !pg->in_transaction)
        read_pending(pg);
    if (pg->conn && PQstatus(pg->conn) == CONNECTION_OK)
        return true;
    if (pg->in_transaction)
        return cm_fail(err, CM_ERROR_RETRY, "CONNECTION_LOST",
                       "database: the connection was lost inside a transaction, which is rolled back; try again");
    return reconnect(pg, err);
}

/* --- statements -------------------------------------------------------------------------------------------------- */

static bool accept_result(cm_pg *pg, PGresult *result, const char *sql, cm_rows **ret, cm_error *err)
{
    ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
        char doing[100]; /* the statement's beginning: enough to find it */
        size_t length = 0;
        for (const char *p = sql; *p && length < sizeof doing - 1; p++) {
            bool space = *p == ' ' || *p == '\n' || *p == '\t';
            if (!space || (length > 0 && doing[length - 1] != ' '))
                doing[length++] = space ? ' ' : *p;
        }
        doing[length] = '\0';
        cm_pg_fail(pg, result, doing, err);
        PQclear(result);
        return false;
    }
    if (!ret) {
        PQclear(result);
        return true;
    }
    *ret = cm_alloc(sizeof **ret);
    (*ret)->result = result;
    return true;
}

bool cm_pg_query(cm_pg *pg, const char *sql, int count, const char *const *values, cm_rows **ret, cm_error *err)
{
    if (ret)
        *ret = NULL;
    if (!cm_pg_usable(pg, err))
        return false;
    PGresult *result = PQexecParams(pg->conn, sql, count, NULL, values, NULL, NULL, 0);
    return accept_result(pg, result, sql, ret, err);
}

bool cm_pg_execute(cm_pg *pg, const char *sql, cm_error *err)
{
    if (!cm_pg_usable(pg, err))
        return false;
    return accept_result(pg, PQexec(pg->conn, sql), sql, NULL, err);
}

bool cm_pg_ping(cm_pg *pg, cm_error *err)
{
    return cm_pg_query(pg, "SELECT 1", 0, NULL, NULL, err);
}

/* --- transactions ------------------------------------------------------------------------------------------------ */

bool cm_pg_begin(cm_pg *pg, cm_error *err)
{
    cm_assert(!pg->in_transaction);
    /* Repeating BEGIN is harmless: a connection that died unnoticed costs one more attempt, not an error.
     */
    for (int attempt = 0;; attempt++) {
        if (!cm_pg_usable(pg, err))
            return false;
        if (run(pg, "BEGIN", err))
            break;
        if (attempt > 0 || PQstatus(pg->conn) == CONNECTION_OK)
            return false;
    }
    pg->in_transaction = true;
    return true;
}

bool cm_pg_commit(cm_pg *pg, cm_error *err)
{
    cm_assert(pg->in_transaction);
    if (!cm_pg_usable(pg, err)) { /* lost before COMMIT was sent: it surely did not happen */
        pg->in_transaction = false;
        return false;
    }
    pg->in_transaction = false;
    PGresult *result = PQexec(pg->conn, "COMMIT");
    bool ok = PQresultStatus(result) == PGRES_COMMAND_OK;
    if (ok && strcmp(PQcmdStatus(result), "COMMIT") != 0)
        ok = cm_fail(err, CM_ERROR_BUG, "TRANSACTION_ABORTED",
                     "database: a statement of the transaction had failed, so COMMIT rolled it back");
    else if (!ok && PQstatus(pg->conn) != CONNECTION_OK)
        cm_fail(
            err, CM_ERROR_RETRY, "COMMIT_UNKNOWN",
            "database: the connection was lost during COMMIT; whether it took effect shows when the same work is done again");
    else if (!ok)
        cm_pg_fail(pg, result, "COMMIT", err);
    PQclear(result);
    return ok;
}

void cm_pg_rollback(cm_pg *pg)
{
    if (!pg->in_transaction)
        return;
    pg->in_transaction = false;
    if (!pg->conn || PQstatus(pg->conn) != CONNECTION_OK)
        return;
    cm_error err;
    if (!run(pg, "ROLLBACK", &err))
        drop(pg); /* closing the session rolls back as well */
}

/* --- notifications ----------------------------------------------------------------------------------------------- */

bool cm_pg_listen(cm_pg *pg, const char *channel, cm_error *err)
{
    cm_assert(pg->channel_count < CM_PG_CHANNELS_MAX && strlen(channel) < 64);
    if (!cm_pg_usable(pg, err) || !listen_on(pg, channel, err))
        return false;
    pg->channels[pg->channel_count++] = cm_strdup(channel);
    return true;
}

bool cm_pg_notified(cm_pg *pg)
{
    if (!pg->conn)
        return false; /* the next statement reconnects, then `missed` shows it */
    read_pending(pg);
    bool any = pg->missed;
    pg->missed = false;
    for (PGnotify *note; (note = PQnotifies(pg->conn)) != NULL; PQfreemem(note))
        any = true;
    return any;
}
