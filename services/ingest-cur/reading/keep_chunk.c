/*
 * The copy of a chunk for the archive: its raw bytes are written on their way to the reader, so the source is read
 * once. The copy is in the archive and named in the database before the chunk's end is sent: a run that is complete has
 * all of its copies.
 */
#include "ingest.h"

#include "base/log/log.h"

static bool is_wanted(const cm_ingest *ingest, const cm_run_chunk *chunk)
{
    bool overwritten = !chunk->immutable_keys || !*chunk->manifest;
    return chunk->archive || ingest->archive_policy == CM_ARCHIVE_ALL ||
           (ingest->archive_policy == CM_ARCHIVE_OVERWRITTEN && overwritten);
}

bool cm_keep_reread(cm_ingest *ingest, const cm_run_chunk *chunk, cm_stream **ret, cm_error *err)
{
    cm_error why = {0};
    *ret = NULL;
    if (!ingest->archive || !*chunk->archive_digest)
        return true;
    *ret = cm_archive_read(ingest->archive, chunk->archive_digest, &why);
    if (*ret)
        return true;
    if (why.class == CM_ERROR_RETRY) {
        *err = why;
        return false;
    }
    /* If the source still has the file, it is copied again. */
    cm_log_error(CM_ERROR, "the copy in the archive cannot be used; the source is read again", &why, "delivery",
                 chunk->delivery, "file", chunk->name, NULL);
    return true;
}

bool cm_keep_begin(cm_ingest *ingest, const cm_run_chunk *chunk, cm_keeping *keeping, cm_stream **stream, cm_error *err)
{
    if (!is_wanted(ingest, chunk))
        return true;
    if (!ingest->archive)
        cm_fail(err, CM_ERROR_FATAL, "ARCHIVE",
                "delivery %s counts only with copies of its files in the archive, and this worker has none: set "
                "archive.path as for the other workers",
                chunk->delivery);
    else
        keeping->writer = cm_archive_begin(ingest->archive, err);
    if (keeping->writer) {
        *stream = cm_archive_tee(keeping->writer, *stream);
        return true;
    }
    cm_stream_close(*stream);
    *stream = NULL;
    return false;
}

static bool finish(cm_ingest *ingest, cm_archived_file *file, cm_error *err)
{
    char digest[CM_SHA256_HEX];
    file->digest = digest;
    if (!cm_archive_finish(file->writer, digest, &file->bytes, err) || !cm_store_archived(ingest->worker.pg, file, err))
        return false;
    cm_metric_add(ingest->metric.archived, file->bytes);
    return true;
}

static bool keep_manifest(cm_ingest *ingest, const cm_run_chunk *chunk, const cm_keeping *keeping, cm_error *err)
{
    cm_archived_file file = {.delivery = chunk->delivery, .fingerprint = ""};
    if (!keeping->manifest || chunk->manifest_archived)
        return true;
    file.writer = cm_archive_begin(ingest->archive, err);
    bool done = file.writer && cm_archive_write(file.writer, keeping->manifest, keeping->manifest_length, err) &&
                finish(ingest, &file, err);
    cm_archive_writer_free(file.writer);
    return done;
}

bool cm_keep_finish(cm_ingest *ingest, const cm_run_chunk *chunk, cm_keeping *keeping, cm_error *err)
{
    if (!keeping->writer)
        return true;
    cm_archived_file file = {.writer = keeping->writer,
                             .delivery = chunk->delivery,
                             .fingerprint = chunk->fingerprint,
                             .chunk = chunk->chunk};
    return finish(ingest, &file, err) && keep_manifest(ingest, chunk, keeping, err);
}

void cm_keep_drop(cm_keeping *keeping)
{
    cm_archive_writer_free(keeping->writer);
    *keeping = (cm_keeping){0};
}
