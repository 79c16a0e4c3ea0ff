/*
 * The archive of deliveries: files under the SHA-256 of their bytes, so that the sources of documents survive when a
 * new delivery overwrites a report (architecture.md section 5: a line is explained from the archived delivery; I09,
 * R11).
 *
 *   <path>/ab/abcdef...        a whole file, 0440, never changed
 *   <path>/incoming/...        being written; leftovers of dead writers are removed when another one starts
 *
 * A file appears by an atomic rename after fsync, so there are never partial files. Several processes, on several
 * machines, may write the same file: the last rename wins, with the same bytes. The database decides what may be
 * removed (store/archive/archive_store.h). One thread for each writer and stream; a cm_archive may be shared.
 */
#ifndef CM_ARCHIVE_ARCHIVE_H
#define CM_ARCHIVE_ARCHIVE_H

#include "base/base/stream.h"
#include "base/digest/digest.h"

#include <stdint.h>

typedef struct cm_archive cm_archive;

/* INVALID if `path` does not begin with "/"; RETRY if the folder does not exist (an unmounted volume). */
CM_NODISCARD cm_archive *cm_archive_open(const char *path, cm_error *err);
void cm_archive_close(cm_archive *archive); /* NULL allowed */
const char *cm_archive_path(const cm_archive *archive);
/* For writers: creates the folder for incoming files and removes what dead writers left in it. RETRY if it cannot be
 * written. */
CM_NODISCARD bool cm_archive_prepare(const cm_archive *archive, int *ret_removed, cm_error *err);

/* --- writing ----------------------------------------------------------------------------------------------------- */

typedef struct cm_archive_writer cm_archive_writer;
CM_NODISCARD cm_archive_writer *cm_archive_begin(const cm_archive *archive, cm_error *err);
CM_NODISCARD bool cm_archive_write(cm_archive_writer *writer, const void *data, size_t length, cm_error *err);
/* A stream that passes on the bytes of `from` (which it takes over) and also writes them. Close it before freeing the
 * writer. */
cm_stream *cm_archive_tee(cm_archive_writer *writer, cm_stream *from);
/* Completes the file: flushes it to disk and computes its digest. BUG if a stream of cm_archive_tee was not read to its
 * end. */
CM_NODISCARD bool cm_archive_finish(cm_archive_writer *writer, char ret_digest[static CM_SHA256_HEX],
                                    int64_t *ret_bytes, cm_error *err);
/* After finish: the file is in the archive. */
CM_NODISCARD bool cm_archive_place(cm_archive_writer *writer, cm_error *err);
/* Frees the writer; a file that was not placed is removed. NULL allowed. */
void cm_archive_writer_free(cm_archive_writer *writer);

/* --- reading ----------------------------------------------------------------------------------------------------- */

/*
 * A stream of the file's bytes, whose digest is compared before the first byte is returned. NOT_FOUND with code
 * ARCHIVE_MISSING; POISON with code ARCHIVE_CORRUPT and the file's path; RETRY.
 */
CM_NODISCARD cm_stream *cm_archive_read(const cm_archive *archive, const char *digest, cm_error *err);
/* Reads the file and compares its digest; the same errors. */
CM_NODISCARD bool cm_archive_check(const cm_archive *archive, const char *digest, int64_t *ret_bytes, cm_error *err);
/* ret_bytes 0: there was no such file. */
CM_NODISCARD bool cm_archive_remove(const cm_archive *archive, const char *digest, int64_t *ret_bytes, cm_error *err);
/* Calls `each` for every file until it returns false. */
CM_NODISCARD bool cm_archive_each(const cm_archive *archive,
                                  bool (*each)(void *opaque, const char *digest, int64_t bytes), void *opaque,
                                  cm_error *err);
bool cm_archive_is_digest(const char *text);

#endif
