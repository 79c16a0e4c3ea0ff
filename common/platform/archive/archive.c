/* Reading, checking, removing: files that are in the archive. */
#include "platform/archive/internal.h"

#include "base/base/buffer.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { READ_BYTES = 256 * 1024 };

bool cm_archive_trouble(const char *path, cm_error *err)
{
    return cm_fail(err, CM_ERROR_RETRY, "ARCHIVE", "archive: %s: %s", path, strerror(errno));
}

bool cm_archive_is_digest(const char *text)
{
    return strlen(text) == CM_SHA256_HEX - 1 && strspn(text, "0123456789abcdef") == CM_SHA256_HEX - 1;
}

cm_archive *cm_archive_open(const char *path, cm_error *err)
{
    struct stat status;
    if (path[0] != '/') {
        cm_fail(err, CM_ERROR_INVALID, "ARCHIVE",
                "archive.path \"%s\" must begin with /, because workers run in other folders", path);
        return NULL;
    }
    if (stat(path, &status) != 0 || !S_ISDIR(status.st_mode)) {
        cm_fail(err, CM_ERROR_RETRY, "ARCHIVE",
                "archive.path %s is not a folder: create it (one for each database), or mount what is missing", path);
        return NULL;
    }
    cm_archive *archive = cm_alloc(sizeof *archive);
    archive->path = cm_strdup(path);
    for (size_t length = strlen(path); length > 1 && archive->path[length - 1] == '/'; length--)
        archive->path[length - 1] = '\0';
    return archive;
}

void cm_archive_close(cm_archive *archive)
{
    if (!archive)
        return;
    free(archive->path);
    free(archive);
}

const char *cm_archive_path(const cm_archive *archive)
{
    return archive->path;
}

char *cm_archive_folder_of(const cm_archive *archive, const char *digest)
{
    cm_buffer path = {0};
    cm_assert(cm_archive_is_digest(digest));
    cm_buffer_printf(&path, "%s/%.2s", archive->path, digest);
    return cm_buffer_take(&path);
}

char *cm_archive_file_of(const cm_archive *archive, const char *digest)
{
    cm_buffer path = {0};
    cm_assert(cm_archive_is_digest(digest));
    cm_buffer_printf(&path, "%s/%.2s/%s", archive->path, digest, digest);
    return cm_buffer_take(&path);
}

/* --- a stream ------------------------------------------------------------------------------------------------- */

typedef struct file_stream {
    cm_stream base;
    char *path;
    int file;
} file_stream;

static bool read_file(cm_stream *base, void *into, size_t size, size_t *ret_read, cm_error *err)
{
    file_stream *stream = (file_stream *)base;
    ssize_t length;
    *ret_read = 0;
    do
        length = read(stream->file, into, size);
    while (length < 0 && errno == EINTR);
    if (length < 0)
        return cm_archive_trouble(stream->path, err);
    *ret_read = (size_t)length;
    return true;
}

static void close_file(cm_stream *base)
{
    file_stream *stream = (file_stream *)base;
    if (stream->file >= 0)
        close(stream->file);
    free(stream->path);
    free(stream);
}

static file_stream *open_file(const cm_archive *archive, const char *digest, cm_error *err)
{
    file_stream *stream = cm_alloc(sizeof *stream);
    stream->path = cm_archive_file_of(archive, digest);
    stream->base = (cm_stream){read_file, close_file, stream->path};
    stream->file = open(stream->path, O_RDONLY | O_CLOEXEC);
    if (stream->file >= 0)
        return stream;
    if (errno == ENOENT || errno == ENOTDIR)
        cm_fail(err, CM_ERROR_NOT_FOUND, "ARCHIVE_MISSING", "archive: %s is missing; restore it from a backup",
                stream->path);
    else
        cm_archive_trouble(stream->path, err);
    close_file(&stream->base);
    return NULL;
}

/* Reads all of it, and goes back to its beginning. */
static bool compare(file_stream *stream, const char *digest, int64_t *ret_bytes, cm_error *err)
{
    char hex[CM_SHA256_HEX];
    char *part = cm_alloc(READ_BYTES);
    cm_digest *sum = cm_digest_new();
    size_t length = 0;
    bool done;
    *ret_bytes = 0;
    posix_fadvise(stream->file, 0, 0, POSIX_FADV_SEQUENTIAL);
    while ((done = read_file(&stream->base, part, READ_BYTES, &length, err)) && length > 0) {
        cm_digest_raw(sum, part, length);
        *ret_bytes += (int64_t)length;
    }
    cm_digest_finish_hex(sum, hex);
    free(part);
    if (!done)
        return false;
    if (strcmp(hex, digest) != 0)
        return cm_fail(
            err, CM_ERROR_POISON, "ARCHIVE_CORRUPT",
            "archive: %s does not hold the bytes that were archived (%lld bytes, SHA-256 %s); restore the file from a backup",
            stream->path, (long long)*ret_bytes, hex);
    return lseek(stream->file, 0, SEEK_SET) == 0 || cm_archive_trouble(stream->path, err);
}

cm_stream *cm_archive_read(const cm_archive *archive, const char *digest, cm_error *err)
{
    int64_t bytes;
    file_stream *stream = open_file(archive, digest, err);
    if (!stream)
        return NULL;
    if (compare(stream, digest, &bytes, err))
        return &stream->base;
    close_file(&stream->base);
    return NULL;
}

bool cm_archive_check(const cm_archive *archive, const char *digest, int64_t *ret_bytes, cm_error *err)
{
    *ret_bytes = 0;
    file_stream *stream = open_file(archive, digest, err);
    bool good = stream && compare(stream, digest, ret_bytes, err);
    if (stream)
        close_file(&stream->base);
    return good;
}

bool cm_archive_remove(const cm_archive *archive, const char *digest, int64_t *ret_bytes, cm_error *err)
{
    struct stat status;
    char *path = cm_archive_file_of(archive, digest);
    *ret_bytes = 0;
    bool there = stat(path, &status) == 0;
    bool done = there ? unlink(path) == 0 : errno == ENOENT || errno == ENOTDIR;
    if (done && there)
        *ret_bytes = status.st_size;
    if (!done)
        cm_archive_trouble(path, err);
    free(path);
    return done;
}

/* --- all of it ------------------------------------------------------------------------------------------------ */

typedef struct walk {
    const cm_archive *archive;
    bool (*each)(void *opaque, const char *digest, int64_t bytes);
    void *opaque;
    bool ended;
} walk;

static bool walk_folder(walk *w, const char *name, cm_error *err)
{
    cm_buffer path = {0};
    cm_buffer_printf(&path, "%s/%s", w->archive->path, name);
    DIR *folder = opendir(path.data);
    bool done = folder || errno == ENOENT || cm_archive_trouble(path.data, err);
    for (struct dirent *entry; folder && !w->ended && (entry = readdir(folder));) {
        struct stat status;
        if (cm_archive_is_digest(entry->d_name) && fstatat(dirfd(folder), entry->d_name, &status, 0) == 0)
            w->ended = !w->each(w->opaque, entry->d_name, status.st_size);
    }
    if (folder)
        closedir(folder);
    cm_buffer_free(&path);
    return done;
}

bool cm_archive_each(const cm_archive *archive, bool (*each)(void *opaque, const char *digest, int64_t bytes),
                     void *opaque, cm_error *err)
{
    static const char digits[] = "0123456789abcdef";
    walk w = {archive, each, opaque, false};
    bool done = true;
    for (int i = 0; done && !w.ended && i < 256; i++) {
        const char name[] = {digits[i >> 4], digits[i & 15], '\0'};
        done = walk_folder(&w, name, err);
    }
    return done;
}
