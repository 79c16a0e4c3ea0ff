/*
 * The numbered migrations that are compiled in, and the runner with the list as a parameter, so that a test can hand in
 * its own. Programs use cm_pg_migrate and cm_pg_check_schema of postgres/postgres.h.
 */
#ifndef CM_POSTGRES_MIGRATIONS_H
#define CM_POSTGRES_MIGRATIONS_H

#include "platform/postgres/postgres.h"

typedef struct cm_migration {
    int version;        /* 1, 2, 3 ... without a gap */
    const char *name;   /* file name without ".sql" */
    const char *digest; /* SHA-256 of the file, hex */
    const char *sql;
} cm_migration;

extern const cm_migration cm_migrations[]; /* ended by {0} */
extern const int cm_migrations_count;

CM_NODISCARD bool cm_pg_migrate_list(cm_pg *pg, const cm_migration *list, int count, int *ret_from, int *ret_to,
                                     cm_error *err);
CM_NODISCARD bool cm_pg_check_schema_list(cm_pg *pg, const cm_migration *list, int count, cm_error *err);

#endif
