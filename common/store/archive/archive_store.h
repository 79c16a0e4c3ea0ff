/*
 * Deliveries and the archive: which files of a delivery have a copy there, and which copies may be removed. One lock
 * covers both recording and removing a copy, so that no copy is removed that a delivery has just started to use.
 */
#ifndef CM_STORE_ARCHIVE_STORE_H
#define CM_STORE_ARCHIVE_STORE_H

#include "base/time/time.h"
#include "platform/archive/archive.h"
#include "platform/postgres/postgres.h"

/* --- keeping ----------------------------------------------------------------------------------------------------- */

/*
 * Puts a writer's finished file in the archive and records it in the database, in its own transaction: a chunk (whose
 * row must still have the fingerprint that was read; otherwise the delivery has changed and nothing is recorded), or
 * with `chunk` 0 the manifest, if it has the delivery's digest.
 */
typedef struct cm_archived_file {
    cm_archive_writer *writer;
    const char *delivery, *fingerprint, *digest;
    uint32_t chunk;
    int64_t bytes;
} cm_archived_file;
CM_NODISCARD bool cm_store_archived(cm_pg *pg, const cm_archived_file *file, cm_error *err);

/* --- removing ---------------------------------------------------------------------------------------------------- */

/*
 * Removable copies: those of deliveries that are superseded or failed, are not being read, and are not used by any
 * document (in any state except void). Columns: id, payer, period, report, state, files, bytes; oldest first.
 */
CM_NODISCARD bool cm_store_archive_removable(cm_pg *pg, cm_rows **ret, cm_error *err);
/* Deletes the records of a removable delivery's copies, audited; *ret_released false: it is no longer removable. Runs
 * in its own transaction. */
CM_NODISCARD bool cm_store_archive_release(cm_pg *pg, const char *delivery, cm_instant now, const char *actor,
                                           const char *reason, bool *ret_released, cm_error *err);
/* Removes the released files that no record names. Runs in its own transactions. */
CM_NODISCARD bool cm_store_archive_remove(cm_pg *pg, const cm_archive *archive, int *ret_files, int64_t *ret_bytes,
                                          cm_error *err);

#endif
