/*
 * Migrations: forward only, each in its own transaction and under one advisory lock, so that several `curmill migrate`
 * at a time do each step once. Applied migrations are recorded with their digests: an applied file never changes.
 */
#include "platform/postgres/migrations.h"

#include "base/log/log.h"

#include <stdio.h>
#include <string.h>

/* pg_advisory_lock key: "curmill" as a number. */
#define LOCK_KEY "27995157016702060"

static const cm_migration *find(const cm_migration *list, int count, int64_t version)
{
    return version >= 1 && version <= count ? &list[version - 1] : NULL;
}

/* ret = highest applied version, 0 for an empty database. Checks that the applied migrations are the ones that this
 * program knows. */
static bool applied(cm_pg *pg, const cm_migration *list, int count, int *ret, cm_error *err)
{
    *ret = 0;
    cm_rows *rows;
    if (!cm_pg_query(pg, "SELECT to_regclass('schema_version') IS NOT NULL", 0, NULL, &rows, err))
        return false;
    bool exists = cm_rows_bool(rows, 0, 0);
    cm_rows_free(rows);
    if (!exists)
        return true;
    if (!cm_pg_query(pg, "SELECT version, name, digest FROM schema_version ORDER BY version", 0, NULL, &rows, err))
        return false;
    bool ok = true;
    for (int row = 0; ok && row < cm_rows_count(rows); row++) {
        int64_t version = cm_rows_i64(rows, row, 0);
        const cm_migration *known = find(list, count, version);
        if (version != row + 1)
            ok = cm_fail(err, CM_ERROR_FATAL, "SCHEMA_GAP",
                         "schema_version has no row %d before %s: it was changed by hand; restore the row", row + 1,
                         cm_rows_text(rows, row, 1));
        else if (!known)
            ok = cm_fail(
                err, CM_ERROR_FATAL, "SCHEMA_NEWER",
                "the database has schema version %s and this program knows versions up to %d: use the newer program",
                cm_rows_text(rows, cm_rows_count(rows) - 1, 0), count);
        else if (strcmp(known->digest, cm_rows_text(rows, row, 2)) != 0)
            ok = cm_fail(
                err, CM_ERROR_FATAL, "MIGRATION_CHANGED",
                "migration %s was applied with digest %.12s, but this program has it with %.12s: an applied migration must not change; restore the file and write a new migration (a database without data worth keeping can be dropped and migrated again)",
                known->name, cm_rows_text(rows, row, 2), known->digest);
        else
            *ret = (int)version;
    }
    cm_rows_free(rows);
    return ok;
}

static bool apply(cm_pg *pg, const cm_migration *migration, cm_error *err)
{
    char version[16];
    snprintf(version, sizeof version, "%d", migration->version);
    const char *values[] = {version, migration->name, migration->digest};
    return cm_pg_execute(pg, migration->sql, err) &&
           cm_pg_query(pg, "INSERT INTO schema_version (version, name, applied_at, digest) VALUES ($1, $2, now(), $3)",
                       3, values, NULL, err);
}

/* One step in one transaction: lock, read the database's version, apply the next migration. *ret = the version after
 * it. */
static bool step(cm_pg *pg, const cm_migration *list, int count, int *ret_before, int *ret_after, cm_error *err)
{
    if (!cm_pg_begin(pg, err))
        return false;
    bool ok = cm_pg_execute(pg, "SELECT pg_advisory_xact_lock(" LOCK_KEY ")", err) &&
              cm_pg_execute(pg,
                            "CREATE TABLE IF NOT EXISTS schema_version (version int PRIMARY KEY, name text NOT NULL, "
                            "applied_at timestamptz NOT NULL, digest text NOT NULL)",
                            err) &&
              applied(pg, list, count, ret_before, err);
    const cm_migration *next = NULL;
    if (ok && *ret_before < count) {
        next = &list[*ret_before];
        cm_assert(next->version == *ret_before + 1);
        ok = apply(pg, next, err) || cm_fail_context(err, "migration %s", next->name);
    }
    ok = ok && cm_pg_commit(pg, err);
    if (!ok) {
        cm_pg_rollback(pg);
        return false;
    }
    if (next)
        cm_log(CM_INFO, "migration applied", "migration", next->name, NULL);
    *ret_after = next ? next->version : *ret_before;
    return true;
}

bool cm_pg_migrate_list(cm_pg *pg, const cm_migration *list, int count, int *ret_from, int *ret_to, cm_error *err)
{
    int before;
    *ret_from = *ret_to = 0;
    for (bool first = true;; first = false) {
        if (!step(pg, list, count, &before, ret_to, err))
            return false;
        if (first)
            *ret_from = before;
        if (*ret_to == before)
            return true;
    }
}

bool cm_pg_check_schema_list(cm_pg *pg, const cm_migration *list, int count, cm_error *err)
{
    int version;
    if (!applied(pg, list, count, &version, err))
        return false;
    if (version < count)
        return cm_fail(err, CM_ERROR_FATAL, "SCHEMA_OLDER",
                       "the database has schema version %d and this program needs %d: run `curmill migrate`", version,
                       count);
    return true;
}

bool cm_pg_migrate(cm_pg *pg, int *ret_from, int *ret_to, cm_error *err)
{
    return cm_pg_migrate_list(pg, cm_migrations, cm_migrations_count, ret_from, ret_to, err);
}

bool cm_pg_check_schema(cm_pg *pg, cm_error *err)
{
    return cm_pg_check_schema_list(pg, cm_migrations, cm_migrations_count, err);
}

int cm_pg_schema_version(void)
{
    return cm_migrations_count;
}
