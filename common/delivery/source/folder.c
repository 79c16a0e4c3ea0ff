/*
 * Reports in a folder: {type: folder, path: /data/cur}. Keys are relative paths with "/". Links are followed, but never
 * into a folder that is already being listed.
 */
#include "delivery/source/definition.h"
#include "delivery/source/source.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DEPTH_MAX = 64, FINGERPRINT = 48 };

typedef struct folder_source {
    cm_source base;
    char *path; /* without a trailing slash; "" is the root folder */
} folder_source;

/* --- open, close ------------------------------------------------------------------------------------------------- */

static cm_source *open_folder(const json_t *definition, cm_error *err)
{
    const char *path = NULL;
    const cm_definition_key keys[] = {{"path", true, &path}, {NULL, false, NULL}};
    if (!cm_definition_read(definition, keys, err))
        return NULL;
    if (path[0] != '/') {
        cm_fail(err, CM_ERROR_INVALID, "SOURCE",
                "source: path \"%s\" must begin with /, because workers run in other folders", path);
        return NULL;
    }
    folder_source *source = cm_alloc(sizeof *source);
    source->base.type = &cm_source_folder;
    source->path = cm_strdup(path);
    for (size_t length = strlen(path); length > 0 && source->path[length - 1] == '/'; length--)
        source->path[length - 1] = '\0';
    return &source->base;
}

static void close_folder(cm_source *base)
{
    folder_source *source = (folder_source *)base;
    free(source->path);
    free(source);
}

static void describe_folder(const cm_source *base, cm_buffer *into)
{
    const char *path = ((const folder_source *)base)->path;
    cm_buffer_printf(into, "folder %s", *path ? path : "/");
}

static void fingerprint(const struct stat *status, char ret[static FINGERPRINT])
{
    snprintf(ret, FINGERPRINT, "%" PRId64 ":%" PRId64, (int64_t)status->st_size,
             (int64_t)status->st_mtim.tv_sec * INT64_C(1000000000) + status->st_mtim.tv_nsec);
}

static void describe_object(const struct stat *status, const char *key, cm_arena *arena, cm_object *ret)
{
    char text[FINGERPRINT];
    fingerprint(status, text);
    *ret = (cm_object){.key = key,
                       .fingerprint = cm_arena_strndup(arena, text, strlen(text)),
                       .bytes = status->st_size,
                       .modified = (cm_instant)status->st_mtim.tv_sec * CM_SECOND + status->st_mtim.tv_nsec / 1000};
}

/* --- list -------------------------------------------------------------------------------------------------------- */

typedef struct walk {
    cm_arena *arena;
    const char *prefix;
    cm_object *list;
    size_t count, capacity;
    cm_buffer path; /* of the current folder or file */
    size_t root;    /* length of the source's path and its slash */
    size_t depth;
    dev_t device[DEPTH_MAX]; /* of the folders that lead here, so that a link back is noticed */
    ino_t inode[DEPTH_MAX];
} walk;

static void add_file(walk *w, const struct stat *status)
{
    const char *key = w->path.data + w->root;
    if (strncmp(key, w->prefix, strlen(w->prefix)) != 0)
        return;
    if (w->count == w->capacity) {
        w->capacity = w->capacity ? w->capacity * 2 : 256;
        w->list = cm_realloc(w->list, w->capacity * sizeof *w->list);
    }
    describe_object(status, cm_arena_strndup(w->arena, key, strlen(key)), w->arena, &w->list[w->count++]);
}

/* Could a key below the current folder begin with the prefix? */
static bool may_hold(const walk *w)
{
    const char *key = w->path.data + w->root; /* ends in a slash, or is empty */
    size_t a = strlen(key), b = strlen(w->prefix);
    return strncmp(key, w->prefix, a < b ? a : b) == 0;
}

static bool walk_folder(walk *w, const struct stat *status, cm_error *err);

static bool walk_entry(walk *w, const char *name, cm_error *err)
{
    size_t length = w->path.length;
    struct stat status;
    cm_buffer_text(&w->path, name);
    bool done = true;
    if (stat(w->path.data, &status) != 0) {
        /* gone since it was listed, or a dangling or circular link: ignored */
        if (errno != ENOENT && errno != ELOOP && errno != ENOTDIR)
            done = cm_fail(err, CM_ERROR_RETRY, "UNAVAILABLE", "%s: %s", w->path.data, strerror(errno));
    } else if (S_ISREG(status.st_mode)) {
        add_file(w, &status);
    } else if (S_ISDIR(status.st_mode)) {
        cm_buffer_char(&w->path, '/');
        if (may_hold(w))
            done = walk_folder(w, &status, err);
    }
    w->path.length = length;
    w->path.data[length] = '\0';
    return done;
}

static bool walk_folder(walk *w, const struct stat *status, cm_error *err)
{
    for (size_t i = 0; i < w->depth; i++)
        if (w->device[i] == status->st_dev && w->inode[i] == status->st_ino)
            return true; /* a link to a folder above */
    if (w->depth == DEPTH_MAX)
        return cm_fail(err, CM_ERROR_INVALID, "SOURCE", "%s: folders are nested deeper than %d", w->path.data,
                       DEPTH_MAX);
    DIR *folder = opendir(w->path.data);
    if (!folder && errno == ENOENT && w->depth > 0)
        return true;
    if (!folder)
        return cm_fail(err, CM_ERROR_RETRY, "UNAVAILABLE", "%s: %s", w->path.data, strerror(errno));
    w->device[w->depth] = status->st_dev;
    w->inode[w->depth++] = status->st_ino;
    bool done = true;
    errno = 0;
    for (struct dirent *entry; done && (entry = readdir(folder)); errno = 0)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            done = walk_entry(w, entry->d_name, err);
    if (done && errno)
        done = cm_fail(err, CM_ERROR_RETRY, "UNAVAILABLE", "%s: %s", w->path.data, strerror(errno));
    w->depth--;
    closedir(folder);
    return done;
}

static int by_key(const void *a, const void *b)
{
    return strcmp(((const cm_object *)a)->key, ((const cm_object *)b)->key);
}

static bool list_folder(cm_source *base, const char *prefix, cm_arena *arena, cm_object **ret, size_t *ret_count,
                        cm_error *err)
{
    folder_source *source = (folder_source *)base;
    walk w = {.arena = arena, .prefix = prefix};
    struct stat status;
    cm_buffer_printf(&w.path, "%s/", source->path);
    w.root = w.path.length;
    bool done = stat(w.path.data, &status) == 0;
    if (!done)
        cm_fail(err, CM_ERROR_RETRY, "UNAVAILABLE", "%s: %s", w.path.data, strerror(errno));
    done = done && walk_folder(&w, &status, err);
    if (done) {
        if (w.count > 1)
            qsort(w.list, w.count, sizeof *w.list, by_key);
        *ret = cm_arena_alloc(arena, (w.count + 1) * sizeof *w.list);
        if (w.count > 0)
            memcpy(*ret, w.list, w.count * sizeof *w.list);
        *ret_count = w.count;
    }
    free(w.list);
    cm_buffer_free(&w.path);
    return done;
}

/* --- one object -------------------------------------------------------------------------------------------------- */

/* A key never leaves the folder with "..". */
static char *path_of(const folder_source *source, const char *key, cm_error *err)
{
    for (const char *at = key;; at++) {
        size_t length = strcspn(at, "/");
        if (length == 2 && at[0] == '.' && at[1] == '.') {
            cm_fail(err, CM_ERROR_POISON, "BAD_KEY", "%s: a key must not contain \"..\"", key);
            return NULL;
        }
        at += length;
        if (!*at)
            break;
    }
    cm_buffer path = {0};
    cm_buffer_printf(&path, "%s/%s", source->path, key);
    return cm_buffer_take(&path);
}

static bool missing_or_unavailable(const char *path, int problem, cm_error *err)
{
    if (problem == ENOENT || problem == ENOTDIR)
        return cm_fail(err, CM_ERROR_NOT_FOUND, "NOT_FOUND", "%s does not exist", path);
    return cm_fail(err, CM_ERROR_RETRY, "UNAVAILABLE", "%s: %s", path, strerror(problem));
}

static bool stat_object(cm_source *base, const char *key, cm_arena *arena, cm_object *ret, cm_error *err)
{
    char *path = path_of((folder_source *)base, key, err);
    if (!path)
        return false;
    struct stat status;
    bool done = stat(path, &status) == 0 || missing_or_unavailable(path, errno, err);
    if (done && !S_ISREG(status.st_mode))
        done = cm_fail(err, CM_ERROR_NOT_FOUND, "NOT_FOUND", "%s is not a file", path);
    if (done)
        describe_object(&status, cm_arena_strndup(arena, key, strlen(key)), arena, ret);
    free(path);
    return done;
}

typedef struct file_stream {
    cm_stream base;
    char *path;
    int file;
    int64_t read;
    char fingerprint[FINGERPRINT];
} file_stream;

/* Is the open file still the one with our fingerprint? */
static bool same_file(const file_stream *stream, const char *when, cm_error *err)
{
    struct stat status;
    char now[FINGERPRINT];
    if (fstat(stream->file, &status) != 0)
        return cm_fail(err, CM_ERROR_RETRY, "UNAVAILABLE", "%s: %s", stream->path, strerror(errno));
    fingerprint(&status, now);
    if (strcmp(now, stream->fingerprint) == 0)
        return true;
    return cm_fail(err, CM_ERROR_POISON, "CHANGED",
                   "%s changed %s (size:mtime was %s, is %s); it will be read again when the next scan finds it",
                   stream->path, when, stream->fingerprint, now);
}

static bool read_file(cm_stream *base, void *into, size_t size, size_t *ret_read, cm_error *err)
{
    file_stream *stream = (file_stream *)base;
    ssize_t length;
    *ret_read = 0;
    do
        length = read(stream->file, into, size);
    while (length < 0 && errno == EINTR);
    if (length < 0)
        return cm_fail(err, CM_ERROR_RETRY, "UNAVAILABLE", "%s: %s", stream->path, strerror(errno));
    stream->read += length;
    *ret_read = (size_t)length;
    if (length > 0)
        return true;
    if (!same_file(stream, "while it was being read", err))
        return false;
    if (stream->read != strtoll(stream->fingerprint, NULL, 10))
        return cm_fail(err, CM_ERROR_POISON, "CHANGED", "%s changed while it was being read: %lld bytes came",
                       stream->path, (long long)stream->read);
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

static bool open_file(file_stream *stream, const char *expected, cm_error *err)
{
    struct stat status;
    stream->file = open(stream->path, O_RDONLY | O_CLOEXEC);
    if (stream->file < 0 || fstat(stream->file, &status) != 0)
        return missing_or_unavailable(stream->path, errno, err);
    if (!S_ISREG(status.st_mode))
        return cm_fail(err, CM_ERROR_NOT_FOUND, "NOT_FOUND", "%s is not a file", stream->path);
    posix_fadvise(stream->file, 0, 0, POSIX_FADV_SEQUENTIAL);
    if (!expected || !*expected) {
        fingerprint(&status, stream->fingerprint);
        return true;
    }
    snprintf(stream->fingerprint, sizeof stream->fingerprint, "%s", expected);
    return same_file(stream, "since it was listed", err);
}

static cm_stream *open_object(cm_source *base, const char *key, const char *expected, cm_error *err)
{
    char *path = path_of((folder_source *)base, key, err);
    if (!path)
        return NULL;
    file_stream *stream = cm_alloc(sizeof *stream);
    stream->base = (cm_stream){read_file, close_file, path};
    stream->path = path;
    stream->file = -1;
    if (open_file(stream, expected, err))
        return &stream->base;
    close_file(&stream->base);
    return NULL;
}

const cm_source_type cm_source_folder = {"folder",    open_folder, close_folder,   list_folder,
                                         stat_object, open_object, describe_folder};
