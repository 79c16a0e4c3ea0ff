#include "delivery/reading/reading.h"

#include "delivery/source/source.h"

#include <stdlib.h>

/* A source's file that also closes its source when it is closed. */
typedef struct owning_stream {
    cm_stream base;
    cm_stream *from;
    cm_source *source;
} owning_stream;

static bool owning_read(cm_stream *base, void *into, size_t size, size_t *ret_read, cm_error *err)
{
    owning_stream *stream = (owning_stream *)base;
    return stream->from->read(stream->from, into, size, ret_read, err);
}

static void owning_close(cm_stream *base)
{
    owning_stream *stream = (owning_stream *)base;
    cm_stream_close(stream->from);
    cm_source_close(stream->source);
    free(stream);
}

static cm_stream *open_in_source(const cm_run_chunk *chunk, cm_error *err)
{
    json_t *definition = json_loads(chunk->source, 0, NULL);
    cm_source *source = definition ? cm_source_open(definition, err) : NULL;
    if (!definition)
        cm_fail(err, CM_ERROR_BUG, "SOURCE", "the stored source of delivery %s is not JSON", chunk->delivery);
    json_decref(definition);
    cm_stream *from = source ? source->type->open_object(source, chunk->location, chunk->fingerprint, err) : NULL;
    if (!from) {
        cm_source_close(source);
        return NULL;
    }
    owning_stream *stream = cm_alloc(sizeof *stream);
    *stream = (owning_stream){{owning_read, owning_close, from->local_path}, from, source};
    return &stream->base;
}

cm_stream *cm_delivery_open_chunk(const cm_archive *archive, const cm_run_chunk *chunk, bool *ret_archived,
                                  cm_error *err)
{
    cm_error missing = {0};
    bool kept = *chunk->archive_digest != '\0';
    cm_stream *stream = archive && kept ? cm_archive_read(archive, chunk->archive_digest, &missing) : NULL;
    if (ret_archived)
        *ret_archived = stream != NULL;
    if (stream)
        return stream;
    if (missing.class != CM_ERROR_NONE && missing.class != CM_ERROR_NOT_FOUND) {
        cm_fail(err, missing.class, missing.code, "file %s of delivery %s: %s", chunk->name, chunk->delivery,
                missing.text);
        return NULL;
    }
    stream = open_in_source(chunk, err);
    if (!stream && missing.class)
        cm_fail_context(err, "%s; and in its source", missing.text);
    else if (!stream && kept && !archive)
        cm_fail_context(
            err, "file %s of delivery %s has a copy in the archive, but archive.path is not set here; in its source",
            chunk->name, chunk->delivery);
    return stream;
}

cm_reader *cm_delivery_read_chunk(const cm_archive *archive, const cm_run_chunk *chunk, cm_place *ret_place,
                                  cm_error *err)
{
    *ret_place = (cm_place){0};
    cm_stream *stream = cm_delivery_open_chunk(archive, chunk, NULL, err);
    return stream
               ? cm_reader_new(stream, cm_compression_of_name(chunk->name), chunk->payer, chunk->period, ret_place, err)
               : NULL;
}
