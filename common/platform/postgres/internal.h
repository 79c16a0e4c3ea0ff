/* Shared by the files of this folder only. */
#ifndef CM_POSTGRES_INTERNAL_H
#define CM_POSTGRES_INTERNAL_H

#include "platform/postgres/postgres.h"

#include <libpq-fe.h>

enum { CM_PG_CHANNELS_MAX = 8 };

struct cm_pg {
    PGconn *conn; /* NULL while there is none */
    char *conninfo;
    char *application;
    bool in_transaction; /* between cm_pg_begin and commit or rollback, even if the connection was lost in between */
    int failed_attempts; /* to connect, in a row */
    char *channels[CM_PG_CHANNELS_MAX]; /* LISTENed to; again after a reconnect */
    int channel_count;
    bool missed; /* the connection was lost: notifications may have been lost too */
};

struct cm_rows {
    PGresult *result;
};

/* Fills err from a failed result (NULL: the connection's own error). Returns false. `doing` e.g. "COPY charge". */
bool cm_pg_fail(const cm_pg *pg, const PGresult *result, const char *doing, cm_error *err);
/* Class and code word of an SQLSTATE. */
enum cm_error_class cm_pg_classify(const char *sqlstate, const char **ret_code);
/* False with RETRY if the connection is not usable for the next statement; reconnects outside a transaction. */
bool cm_pg_usable(cm_pg *pg, cm_error *err);

#endif
