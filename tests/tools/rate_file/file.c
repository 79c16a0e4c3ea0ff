#include "file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct file_stream {
    cm_stream stream;
    FILE *file;
    char *path;
};

static bool file_read(cm_stream *stream, void *into, size_t size, size_t *ret_read, cm_error *err)
{
    struct file_stream *file = (struct file_stream *)stream;
    *ret_read = fread(into, 1, size, file->file);
    if (*ret_read == 0 && ferror(file->file))
        return cm_fail(err, CM_ERROR_RETRY, "READ", "%s cannot be read: %s", file->path, strerror(errno));
    return true;
}

static void file_close(cm_stream *stream)
{
    struct file_stream *file = (struct file_stream *)stream;
    fclose(file->file);
    free(file->path);
    free(file);
}

cm_stream *file_open(const char *path, cm_error *err)
{
    FILE *opened = fopen(path, "rb");
    if (!opened) {
        cm_fail(err, CM_ERROR_NOT_FOUND, "OPEN", "%s cannot be opened: %s", path, strerror(errno));
        return NULL;
    }
    struct file_stream *file = cm_alloc(sizeof *file);
    file->file = opened;
    file->path = cm_strdup(path);
    file->stream = (cm_stream){file_read, file_close, file->path};
    return &file->stream;
}
