/*
 * Reading a delivery's file: the copy in the archive, or the source. The request is a plain struct, so this folder
 * depends on no database; store/runs fills it in.
 */
#ifndef CM_DELIVERY_READING_H
#define CM_DELIVERY_READING_H

#include "base/digest/digest.h"
#include "billing/cur/reader.h"
#include "platform/archive/archive.h"

/* What a reader of a chunk needs to know. Texts are owned by whoever filled it in. */
typedef struct cm_run_chunk {
    const char *run, *delivery, *payer, *lane, *catalog, *links /* link set, "": none */, *source, *manifest,
        *manifest_digest, *location, *name, *fingerprint;
    const char *archive_digest; /* of its copy in the archive, "" if there is none (archive_store.h) */
    cm_period period;
    bool immutable_keys, wanted;     /* wanted: the run is still running */
    bool archive, manifest_archived; /* archive: the delivery needs copies of all of its files */
    int shards;
    uint32_t chunk;
} cm_run_chunk;

/*
 * The only way to read a delivery's file again (explain, export lines, dry runs, rerating): its copy in the archive,
 * with the digest compared, otherwise the source, where it must still have its fingerprint. `archive` NULL: none is
 * configured. Errors: POISON with ARCHIVE_CORRUPT (the copy's path is named) or CHANGED; NOT_FOUND; RETRY.
 * *ret_archived (may be NULL) says which it is.
 */
CM_NODISCARD cm_stream *cm_delivery_open_chunk(const cm_archive *archive, const cm_run_chunk *chunk, bool *ret_archived,
                                               cm_error *err);
/* The same as lines; errors also of cm_reader_new. */
CM_NODISCARD cm_reader *cm_delivery_read_chunk(const cm_archive *archive, const cm_run_chunk *chunk,
                                               cm_place *ret_place, cm_error *err);

#endif
