#include "store/archive/archive_store.h"
#include "store/audit/audit.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* --- keeping ----------------------------------------------------------------------------------------------------- */

#define ARCHIVE_LOCK "hashtextextended('curmill archive', 0)"

static bool name_file(cm_pg *pg, const cm_archived_file *file, cm_error *err)
{
    char chunk[16], bytes[24];
    snprintf(chunk, sizeof chunk, "%" PRIu32, file->chunk);
    snprintf(bytes, sizeof bytes, "%" PRId64, file->bytes);
    const char *values[] = {file->delivery, file->digest, chunk, file->fingerprint, bytes};
    if (file->chunk)
        return cm_pg_query(pg,
                           "UPDATE chunk SET archive_digest = $2, archive_bytes = $5::bigint WHERE delivery_id = $1 "
                           "AND chunk = $3::int"
                           " AND fingerprint = $4 AND archive_digest <> $2",
                           5, values, NULL, err);
    return cm_pg_query(
        pg,
        "UPDATE delivery SET manifest_archived = true WHERE id = $1 AND manifest_digest = $2 AND NOT manifest_archived",
        2, values, NULL, err);
}

bool cm_store_archived(cm_pg *pg, const cm_archived_file *file, cm_error *err)
{
    bool done = cm_pg_begin(pg, err) &&
                cm_pg_query(pg, "SELECT pg_advisory_xact_lock_shared(" ARCHIVE_LOCK ")", 0, NULL, NULL, err) &&
                cm_archive_place(file->writer, err) && name_file(pg, file, err) && cm_pg_commit(pg, err);
    if (!done)
        cm_pg_rollback(pg);
    return done;
}

/* --- removing ---------------------------------------------------------------------------------------------------- */

/* Documents in every state except void: a draft of an old run may be about to be approved; it is rebuilt soon. */
#define REMOVABLE                                                                                                      \
    " d.state IN ('superseded', 'dismissed', 'failed') AND (d.manifest_archived OR EXISTS (SELECT FROM chunk k WHERE " \
    "k.delivery_id = d.id AND k.archive_digest <> ''))"                                                                \
    " AND NOT EXISTS (SELECT FROM run r WHERE r.delivery_id = d.id AND (r.state IN ('running', 'held', "               \
    "'current', 'correction')"                                                                                         \
    "   OR EXISTS (SELECT FROM statement s WHERE s.state <> 'void' AND r.id = ANY (s.runs))))"

bool cm_store_archive_removable(cm_pg *pg, cm_rows **ret, cm_error *err)
{
    return cm_pg_query(pg,
                       "SELECT d.id, d.payer, d.period, d.report, d.state, count(c.chunk), "
                       "coalesce(sum(c.archive_bytes), 0) FROM delivery d"
                       " LEFT JOIN chunk c ON c.delivery_id = d.id AND c.archive_digest <> '' WHERE" REMOVABLE
                       " GROUP BY d.id ORDER BY d.seq",
                       0, NULL, ret, err);
}

/* The delivery's row is locked: registration and switches wait for it. */
static bool release_held(cm_pg *pg, const char *delivery, cm_instant now, const char *actor, const char *reason,
                         bool *ret_released, cm_error *err)
{
    char object[64];
    cm_rows *rows = NULL;
    const char *values[] = {delivery};
    if (!cm_pg_query(pg, "SELECT d.manifest_digest FROM delivery d WHERE d.id = $1 AND" REMOVABLE " FOR UPDATE OF d", 1,
                     values, &rows, err))
        return false;
    *ret_released = cm_rows_count(rows) == 1;
    cm_rows_free(rows);
    if (!*ret_released)
        return true;
    snprintf(object, sizeof object, "delivery:%s", delivery);
    return cm_pg_query(pg,
                       "INSERT INTO archive_removal (digest, noted_at) SELECT manifest_digest, now() FROM delivery "
                       "WHERE id = $1 AND manifest_archived"
                       " ON CONFLICT DO NOTHING",
                       1, values, NULL, err) &&
           cm_pg_query(pg, "UPDATE delivery SET manifest_archived = false WHERE id = $1", 1, values, NULL, err) &&
           cm_pg_query(pg,
                       "UPDATE chunk SET archive_digest = '', archive_bytes = 0 WHERE delivery_id = $1 AND "
                       "archive_digest <> ''",
                       1, values, NULL, err) &&
           cm_store_audit(pg, now, actor, "delivery.archive_released", object, reason, NULL, err);
}

bool cm_store_archive_release(cm_pg *pg, const char *delivery, cm_instant now, const char *actor, const char *reason,
                              bool *ret_released, cm_error *err)
{
    bool done = cm_pg_begin(pg, err) && release_held(pg, delivery, now, actor, reason, ret_released, err) &&
                cm_pg_commit(pg, err);
    if (!done)
        cm_pg_rollback(pg);
    return done;
}

enum { REMOVE_AT_ONCE = 100 };

static bool remove_some(cm_pg *pg, const cm_archive *archive, int *ret_looked, int *ret_files, int64_t *ret_bytes,
                        cm_error *err)
{
    cm_rows *rows = NULL;
    char limit[16];
    snprintf(limit, sizeof limit, "%d", REMOVE_AT_ONCE);
    if (!cm_pg_query(pg, "SELECT pg_advisory_xact_lock(" ARCHIVE_LOCK ")", 0, NULL, NULL, err) ||
        !cm_pg_query(pg,
                     "DELETE FROM archive_removal WHERE digest IN (SELECT digest FROM archive_removal ORDER BY digest "
                     "LIMIT $1::int)"
                     " RETURNING digest, EXISTS (SELECT FROM chunk c WHERE c.archive_digest = archive_removal.digest)"
                     "   OR EXISTS (SELECT FROM delivery d WHERE d.manifest_digest = archive_removal.digest AND "
                     "d.manifest_archived)",
                     1, (const char *[]){limit}, &rows, err))
        return false;
    bool done = true;
    for (int i = 0; done && i < cm_rows_count(rows); i++) {
        int64_t bytes = 0;
        if (cm_rows_bool(rows, i, 1))
            continue; /* another delivery has the same file */
        done = cm_archive_remove(archive, cm_rows_text(rows, i, 0), &bytes, err);
        *ret_files += bytes > 0;
        *ret_bytes += bytes;
    }
    *ret_looked = cm_rows_count(rows);
    cm_rows_free(rows);
    return done;
}

bool cm_store_archive_remove(cm_pg *pg, const cm_archive *archive, int *ret_files, int64_t *ret_bytes, cm_error *err)
{
    int looked = REMOVE_AT_ONCE;
    bool done = true;
    *ret_files = 0;
    *ret_bytes = 0;
    while (done && looked == REMOVE_AT_ONCE) {
        done = cm_pg_begin(pg, err) && remove_some(pg, archive, &looked, ret_files, ret_bytes, err) &&
               cm_pg_commit(pg, err);
        if (!done)
            cm_pg_rollback(pg);
    }
    return done;
}
