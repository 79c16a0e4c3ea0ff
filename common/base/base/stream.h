/* A stream of bytes that somebody opened: a file, an S3 object, a decompressor. Read once, forwards. One thread. */
#ifndef CM_BASE_STREAM_H
#define CM_BASE_STREAM_H

#include "base/base/error.h"

#include <stddef.h>

typedef struct cm_stream cm_stream;
struct cm_stream {
    /* Fills up to `size` bytes, *ret_read = 0 at the end only. */
    bool (*read)(cm_stream *stream, void *into, size_t size, size_t *ret_read, cm_error *err);
    void (*close)(cm_stream *stream); /* frees the stream itself */
    const char *local_path;           /* if the bytes are a local file, else NULL (zip needs to seek) */
};

static inline void cm_stream_close(cm_stream *stream)
{
    if (stream)
        stream->close(stream);
}

#endif
