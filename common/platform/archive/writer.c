/* Writing: a private incoming file, locked as long as its writer lives, then renamed to its digest. */
#include "platform/archive/internal.h"

#include "base/base/buffer.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

struct cm_archive_writer {
    const cm_archive *archive;
    char *path; /* of the incoming file; NULL: placed */
    int file;
    cm_digest *digest;
    int64_t bytes;
    bool teed, ended; /* ended: the teed stream was read to its end */
    char hex[CM_SHA256_HEX];
};

/* --- incoming files ---------------------------------------------------------------------------------------------- */

static char *incoming_folder(const cm_archive *archive)
{
    cm_buffer path = {0};
    cm_buffer_printf(&path, "%s/" CM_ARCHIVE_INCOMING, archive->path);
    return cm_buffer_take(&path);
}

/* Nobody holds its lock: the writer is dead. */
static bool remove_if_left(int folder, const char *name)
{
    int file = openat(folder, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    bool left = file >= 0 && flock(file, LOCK_EX | LOCK_NB) == 0 && unlinkat(folder, name, 0) == 0;
    if (file >= 0)
        close(file);
    return left;
}

bool cm_archive_prepare(const cm_archive *archive, int *ret_removed, cm_error *err)
{
    char *path = incoming_folder(archive);
    *ret_removed = 0;
    DIR *folder = mkdir(path, 0750) == 0 || errno == EEXIST ? opendir(path) : NULL;
    bool done = folder && access(path, W_OK) == 0;
    if (!done)
        cm_archive_trouble(path, err);
    for (struct dirent *entry; done && (entry = readdir(folder));)
        if (entry->d_name[0] != '.')
            *ret_removed += remove_if_left(dirfd(folder), entry->d_name);
    if (folder)
        closedir(folder);
    free(path);
    return done;
}

/* Between creating a file and locking it, another process may have cleaned it up: then it no longer has a name. */
static int make_file(const char *path)
{
    struct stat status;
    int file = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
    if (file < 0 || (flock(file, LOCK_EX | LOCK_NB) == 0 && fstat(file, &status) == 0 && status.st_nlink == 1))
        return file;
    close(file);
    errno = EEXIST;
    return -1;
}

cm_archive_writer *cm_archive_begin(const cm_archive *archive, cm_error *err)
{
    uint8_t name[CM_ID_BYTES];
    char hex[CM_ID_HEX];
    cm_archive_writer *writer = cm_alloc(sizeof *writer);
    char *folder = incoming_folder(archive);
    writer->archive = archive;
    writer->file = -1;
    for (int tries = 0; writer->file < 0 && tries < 8; tries++) {
        cm_buffer path = {0};
        cm_assert(getrandom(name, sizeof name, 0) == (ssize_t)sizeof name); /* a name, never content */
        cm_hex(name, sizeof name, hex);
        cm_buffer_printf(&path, "%s/%s", folder, hex);
        free(writer->path);
        writer->path = cm_buffer_take(&path);
        writer->file = make_file(writer->path);
        if (writer->file < 0 && errno == ENOENT)
            (void)mkdir(folder, 0750);
        else if (writer->file < 0 && errno != EEXIST)
            break;
    }
    free(folder);
    if (writer->file >= 0) {
        writer->digest = cm_digest_new();
        return writer;
    }
    cm_archive_trouble(writer->path, err);
    free(writer->path);
    free(writer);
    return NULL;
}

bool cm_archive_write(cm_archive_writer *writer, const void *data, size_t length, cm_error *err)
{
    const char *at = data;
    cm_digest_raw(writer->digest, data, length);
    writer->bytes += (int64_t)length;
    while (length > 0) {
        ssize_t wrote = write(writer->file, at, length);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote < 0)
            return cm_archive_trouble(writer->path, err);
        at += wrote;
        length -= (size_t)wrote;
    }
    return true;
}

/* --- tee --------------------------------------------------------------------------------------------------------- */

typedef struct tee_stream {
    cm_stream base;
    cm_stream *from;
    cm_archive_writer *writer;
} tee_stream;

static bool tee_read(cm_stream *base, void *into, size_t size, size_t *ret_read, cm_error *err)
{
    tee_stream *tee = (tee_stream *)base;
    if (!tee->from->read(tee->from, into, size, ret_read, err))
        return false;
    tee->writer->ended |= *ret_read == 0;
    return cm_archive_write(tee->writer, into, *ret_read, err);
}

static void tee_close(cm_stream *base)
{
    tee_stream *tee = (tee_stream *)base;
    cm_stream_close(tee->from);
    free(tee);
}

cm_stream *cm_archive_tee(cm_archive_writer *writer, cm_stream *from)
{
    tee_stream *tee = cm_alloc(sizeof *tee);
    *tee = (tee_stream){{tee_read, tee_close, NULL}, from, writer};
    writer->teed = true;
    return &tee->base;
}

/* --- the end ----------------------------------------------------------------------------------------------------- */

bool cm_archive_finish(cm_archive_writer *writer, char ret_digest[static CM_SHA256_HEX], int64_t *ret_bytes,
                       cm_error *err)
{
    if (writer->teed && !writer->ended)
        return cm_fail(err, CM_ERROR_BUG, "ARCHIVE", "archive: a file to be archived was not read to its end");
    if (writer->digest)
        cm_digest_finish_hex(writer->digest, writer->hex);
    writer->digest = NULL;
    memcpy(ret_digest, writer->hex, CM_SHA256_HEX);
    *ret_bytes = writer->bytes;
    return fsync(writer->file) == 0 || cm_archive_trouble(writer->path, err);
}

/* A new name lasts when its folder is on disk. */
static bool sync_folder(const char *path, cm_error *err)
{
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool done = (folder >= 0 && fsync(folder) == 0) || cm_archive_trouble(path, err);
    if (folder >= 0)
        close(folder);
    return done;
}

bool cm_archive_place(cm_archive_writer *writer, cm_error *err)
{
    cm_assert(!writer->digest);
    char *folder = cm_archive_folder_of(writer->archive, writer->hex),
         *path = cm_archive_file_of(writer->archive, writer->hex);
    bool fresh = mkdir(folder, 0750) == 0;
    bool done = fresh || errno == EEXIST || cm_archive_trouble(folder, err);
    done =
        done && ((fchmod(writer->file, 0440) == 0 && rename(writer->path, path) == 0) || cm_archive_trouble(path, err));
    if (done) {
        free(writer->path);
        writer->path = NULL;
    }
    done = done && sync_folder(folder, err) && (!fresh || sync_folder(writer->archive->path, err));
    free(folder);
    free(path);
    return done;
}

void cm_archive_writer_free(cm_archive_writer *writer)
{
    if (!writer)
        return;
    if (writer->path)
        unlink(writer->path);
    if (writer->file >= 0)
        close(writer->file);
    if (writer->digest) {
        uint8_t unused[CM_SHA256_BYTES];
        cm_digest_finish(writer->digest, unused);
    }
    free(writer->path);
    free(writer);
}
