/*
 * Deliveries and the archive: which file of a delivery has a copy there, and what may be removed. A copy is placed and
 * named under one lock, removed under the same, so that nothing is removed that a delivery has just begun to rest on.
 * May use: archive, source, cur, run_store.h.
 */
#ifndef CM_STORE_ARCHIVE_STORE_H
#define CM_STORE_ARCHIVE_STORE_H

#include "base/time/time.h"
#include "platform/archive/archive.h"
#include "platform/postgres/postgres.h"

/* --- keeping --------------------------------------------------------------------------------------------------- */

/*
 * Places what a writer finished and names it in the database, in a transaction of its own: a chunk (the row must still
 * have the fingerprint that was read; otherwise the delivery is another one meanwhile and nothing is named), or with
 * `chunk` 0 the manifest, if it has the delivery's digest.
 */
typedef struct cm_archived_file {
    cm_archive_writer *writer;
    const char *delivery, *fingerprint, *digest;
    uint32_t chunk;
    int64_t bytes;
} cm_archived_file;
CM_NODISCARD bool cm_store_archived(cm_pg *pg, const cm_archived_file *file, cm_error *err);

/* --- removing -------------------------------------------------------------------------------------------------- */

/*
 * What may be removed: copies of deliveries that are superseded or failed, are not being read, and on which no document
 * rests (whatever its state, but void). Columns: id, payer, period, report, state, files, bytes; oldest first.
 */
CM_NODISCARD bool cm_store_archive_removable(cm_pg *pg, cm_rows **ret, cm_error *err);
/* Takes the names of a removable delivery's copies away, audited; *ret_released false: it is not removable any more.
 * Transaction of its own. */
CM_NODISCARD bool cm_store_archive_release(cm_pg *pg, const char *delivery, cm_instant now, const char *actor,
                                           const char *reason, bool *ret_released, cm_error *err);
/* Removes the files that were released and that nothing names. Transactions of its own. */
CM_NODISCARD bool cm_store_archive_remove(cm_pg *pg, const cm_archive *archive, int *ret_files, int64_t *ret_bytes,
                                          cm_error *err);

#endif
