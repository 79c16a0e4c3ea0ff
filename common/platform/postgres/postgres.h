/*
 * libpq behind one struct. Errors are typed: RETRY (connection lost, serialisation failure, deadlock, shutdown),
 * REFUSED (constraint, RAISE), POISON (a value the type cannot hold: not UTF-8, out of range), BUG (wrong SQL), FATAL
 * (schema, privileges). Table: failure.c. Texts name the statement and never its parameters or the password. A lost
 * connection is re-opened by the next cm_pg_begin or cm_pg_query outside a transaction, with jittered backoff up to a
 * bound. One thread owns a connection.
 */
#ifndef CM_POSTGRES_POSTGRES_H
#define CM_POSTGRES_POSTGRES_H

#include "base/base/buffer.h"
#include "base/base/error.h"
#include "base/decimal/decimal.h"

#include <stdint.h>

typedef struct cm_pg cm_pg;
typedef struct cm_rows cm_rows;

/* `conninfo` is a libpq connection string. Sets application_name, timezone=UTC, statement/lock timeouts off; the server
 * ends a transaction that is idle for 60 s, so that a suspended process does not block the others forever. */
/* One attempt: RETRY if the server does not answer, INVALID if it is not a connection string. */
CM_NODISCARD cm_pg *cm_pg_open(const char *conninfo, const char *application, cm_error *err);
void cm_pg_close(cm_pg *pg); /* NULL allowed */
CM_NODISCARD bool cm_pg_ping(cm_pg *pg, cm_error *err);

/*
 * Runs one statement; parameters are text (NULL = SQL null), `count` of them, $1... Results are text. *ret may be NULL
 * if no rows are wanted. Outside a transaction it runs in its own.
 */
CM_NODISCARD bool cm_pg_query(cm_pg *pg, const char *sql, int count, const char *const *values, cm_rows **ret,
                              cm_error *err);
/* Several statements without parameters (migrations, BEGIN ...). */
CM_NODISCARD bool cm_pg_execute(cm_pg *pg, const char *sql, cm_error *err);
CM_NODISCARD bool cm_pg_begin(cm_pg *pg, cm_error *err);
CM_NODISCARD bool cm_pg_commit(
    cm_pg *pg,
    cm_error *err); /* RETRY with code COMMIT_UNKNOWN: it may have been committed; identities show whether it was */
void cm_pg_rollback(cm_pg *pg); /* harmless outside a transaction */

int cm_rows_count(const cm_rows *rows);
int cm_rows_affected(const cm_rows *rows);
bool cm_rows_null(const cm_rows *rows, int row, int column);
const char *cm_rows_text(const cm_rows *rows, int row, int column); /* "" for null; owned by rows */
int64_t cm_rows_i64(const cm_rows *rows, int row, int column);
bool cm_rows_bool(const cm_rows *rows, int row, int column);
/* A numeric that may be too large (a sum): false. NULL: 0. */
CM_NODISCARD bool cm_rows_decimal_fits(const cm_rows *rows, int row, int column, cm_decimal *ret);
cm_decimal cm_rows_decimal(const cm_rows *rows, int row, int column); /* numeric that must fit; assertion otherwise */
void cm_rows_free(cm_rows *rows);

/*
 * COPY table (columns) FROM STDIN in text format: rows are built in a buffer, sent in pieces of 64 KiB. Inside a
 * transaction. No other statement until cm_copy_end or cm_copy_cancel. After a failure of begin, row or end there is
 * nothing to free: roll back.
 */
typedef struct cm_copy {
    cm_pg *pg;
    cm_buffer buffer;
    bool first;
} cm_copy;
CM_NODISCARD bool cm_copy_begin(cm_copy *copy, cm_pg *pg, const char *table_and_columns, cm_error *err);
void cm_copy_text(cm_copy *copy, const char *text, size_t length); /* escaped */
void cm_copy_null(cm_copy *copy);
void cm_copy_i64(cm_copy *copy, int64_t value);
void cm_copy_decimal(cm_copy *copy, cm_decimal value);
CM_NODISCARD bool cm_copy_row(cm_copy *copy, cm_error *err); /* ends a row */
CM_NODISCARD bool cm_copy_end(cm_copy *copy, cm_error *err);
void cm_copy_cancel(cm_copy *copy); /* cancels the copy (then roll back); harmless after end or failure */

/* LISTEN/NOTIFY. cm_pg_notified: drains without blocking, true if anything came on any channel. */
CM_NODISCARD bool cm_pg_listen(cm_pg *pg, const char *channel, cm_error *err);
bool cm_pg_notified(cm_pg *pg); /* also true once after a reconnect, because something may have been missed */

/* Migrations: numbered files compiled in from deploy/postgres/migrations, forward only, under an advisory lock. */
CM_NODISCARD bool cm_pg_migrate(cm_pg *pg, int *ret_from, int *ret_to, cm_error *err);
/* FATAL, with what to do, if the schema is not the one this program was built for. */
CM_NODISCARD bool cm_pg_check_schema(cm_pg *pg, cm_error *err);
int cm_pg_schema_version(void); /* that this program was built with */

#endif
