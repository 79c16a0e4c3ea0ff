/* The archive of deliveries: complete files or none, reads return what was written (R11: what was billed can be
 * reconciled later). */
#include "platform/archive/archive.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* sha256sum of "abc" and of nothing (FIPS 180-4, examples). */
#define ABC   "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static char folder[64];
static cm_archive *archive;
static cm_error err;

#define MUST(call) cr_assert((call), "%s", err.text)

static void begin(void)
{
    int removed;
    snprintf(folder, sizeof folder, "/tmp/curmill-archive-XXXXXX");
    cr_assert(mkdtemp(folder) != NULL);
    archive = cm_archive_open(folder, &err);
    MUST(archive != NULL);
    MUST(cm_archive_prepare(archive, &removed, &err));
    cr_assert_eq(removed, 0);
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *where)
{
    (void)status, (void)kind, (void)where;
    return remove(path);
}

static void end(void)
{
    cm_archive_close(archive);
    nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

TestSuite(archive, .init = begin, .fini = end);

static int files_in(const char *name)
{
    char path[256];
    int count = 0;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    DIR *open = opendir(path);
    for (struct dirent *entry; open && (entry = readdir(open));)
        count += entry->d_name[0] != '.';
    if (open)
        closedir(open);
    return count;
}

static const char *path_of(const char *digest)
{
    static char path[256];
    snprintf(path, sizeof path, "%s/%.2s/%s", folder, digest, digest);
    return path;
}

static void put(const char *text, char digest[static CM_SHA256_HEX])
{
    int64_t bytes;
    cm_archive_writer *writer = cm_archive_begin(archive, &err);
    MUST(writer != NULL);
    MUST(cm_archive_write(writer, text, strlen(text), &err));
    MUST(cm_archive_finish(writer, digest, &bytes, &err));
    cr_assert_eq(bytes, (int64_t)strlen(text));
    MUST(cm_archive_place(writer, &err));
    cm_archive_writer_free(writer);
}

/* A stream of `left` bytes 'x', that may fail after them. */
typedef struct source {
    cm_stream base;
    size_t left;
    bool fails;
    bool *closed;
} source;

static bool source_read(cm_stream *base, void *into, size_t size, size_t *ret_read, cm_error *e)
{
    source *s = (source *)base;
    *ret_read = s->left < size ? s->left : size;
    if (!*ret_read && s->fails)
        return cm_fail(e, CM_ERROR_POISON, "CHANGED", "changed");
    memset(into, 'x', *ret_read);
    s->left -= *ret_read;
    return true;
}

static void source_close(cm_stream *base)
{
    *((source *)base)->closed = true;
    free(base);
}

static cm_stream *source_of(size_t bytes, bool fails, bool *closed)
{
    source *s = cm_alloc(sizeof *s);
    *s = (source){{source_read, source_close, "/a/local/file"}, bytes, fails, closed};
    return &s->base;
}

static bool read_all(cm_stream *stream, size_t *ret_bytes)
{
    char part[5000];
    size_t length = 1;
    *ret_bytes = 0;
    while (length > 0) {
        if (!stream->read(stream, part, sizeof part, &length, &err))
            return false;
        *ret_bytes += length;
    }
    return true;
}

Test(archive, a_file_is_stored_under_its_digest)
{
    char digest[CM_SHA256_HEX], text[16];
    size_t length;
    struct stat status;
    put("abc", digest);
    cr_assert_str_eq(digest, ABC);
    cr_assert_eq(stat(path_of(ABC), &status), 0);
    cr_assert_eq(status.st_mode & 0777, 0440);
    cr_assert_eq(files_in("incoming"), 0);
    cm_stream *stream = cm_archive_read(archive, digest, &err);
    MUST(stream != NULL);
    cr_assert_str_eq(stream->local_path, path_of(ABC));
    MUST(stream->read(stream, text, sizeof text, &length, &err));
    cr_assert(length == 3 && memcmp(text, "abc", 3) == 0);
    cm_stream_close(stream);
    put("", digest);
    cr_assert_str_eq(digest, EMPTY);
    put("abc", digest); /* the same again */
    cr_assert_eq(files_in("ba"), 1);
}

Test(archive, a_tee_gives_and_keeps_the_same_bytes)
{
    char digest[CM_SHA256_HEX], wanted[CM_SHA256_HEX];
    enum { BYTES = 1000003 };
    bool closed = false;
    size_t got;
    int64_t bytes;
    cm_archive_writer *writer = cm_archive_begin(archive, &err);
    cm_stream *tee = cm_archive_tee(writer, source_of(BYTES, false, &closed));
    cr_assert_null(tee->local_path, "a reader that seeks would go round the copy");
    MUST(read_all(tee, &got));
    cr_assert_eq(got, BYTES);
    cm_stream_close(tee);
    cr_assert(closed);
    MUST(cm_archive_finish(writer, digest, &bytes, &err));
    cr_assert_eq(files_in("incoming"), 1, "it counts only when it is placed");
    MUST(cm_archive_place(writer, &err));
    cm_archive_writer_free(writer);
    char *all = cm_alloc(BYTES);
    uint8_t sum[CM_SHA256_BYTES];
    memset(all, 'x', BYTES);
    cm_sha256(all, BYTES, sum);
    cm_hex(sum, sizeof sum, wanted);
    free(all);
    cr_assert_str_eq(digest, wanted);
    MUST(cm_archive_check(archive, digest, &bytes, &err));
    cr_assert_eq(bytes, BYTES);
}

Test(archive, partial_files_never_count)
{
    char digest[CM_SHA256_HEX];
    bool closed = false;
    int64_t bytes;
    size_t got;
    cm_archive_writer *writer = cm_archive_begin(archive, &err);
    cm_stream *tee = cm_archive_tee(writer, source_of(9000, true, &closed));
    cr_assert_not(read_all(tee, &got));
    cm_stream_close(tee);
    cr_assert_not(cm_archive_finish(writer, digest, &bytes, &err));
    cr_assert_eq(err.class, CM_ERROR_BUG);
    cm_archive_writer_free(writer);
    cr_assert_eq(files_in("incoming"), 0);
}

Test(archive, what_a_killed_writer_left_is_removed_and_what_a_living_one_writes_is_not)
{
    int removed, ready[2];
    char byte;
    cr_assert_eq(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        cm_archive_writer *writer = cm_archive_begin(archive, &err);
        if (writer && cm_archive_write(writer, "half", 4, &err))
            (void)!write(ready[1], "x", 1);
        pause();
    }
    cr_assert_eq(read(ready[0], &byte, 1), 1);
    cm_archive_writer *own = cm_archive_begin(archive, &err);
    MUST(cm_archive_prepare(archive, &removed, &err));
    cr_assert_eq(removed, 0);
    cr_assert_eq(files_in("incoming"), 2);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    MUST(cm_archive_prepare(archive, &removed, &err));
    cr_assert_eq(removed, 1);
    cr_assert_eq(files_in("incoming"), 1);
    cm_archive_writer_free(own);
    cr_assert_eq(files_in("incoming"), 0);
}

Test(archive, R11_one_changed_byte_is_detected_before_any_byte_is_returned)
{
    char digest[CM_SHA256_HEX];
    int64_t bytes;
    put("abc", digest);
    cr_assert_eq(chmod(path_of(ABC), 0640), 0);
    int file = open(path_of(ABC), O_WRONLY);
    cr_assert_eq(pwrite(file, "B", 1, 1), 1);
    close(file);
    cr_assert_null(cm_archive_read(archive, ABC, &err));
    cr_assert_eq(err.class, CM_ERROR_POISON);
    cr_assert_str_eq(err.code, "ARCHIVE_CORRUPT");
    cr_assert(strstr(err.text, path_of(ABC)), "%s", err.text);
    cr_assert_not(cm_archive_check(archive, ABC, &bytes, &err));
    put("abc", digest); /* written again, it is intact again */
    MUST(cm_archive_check(archive, ABC, &bytes, &err));
}

Test(archive, a_missing_file_and_a_missing_folder_differ)
{
    cr_assert_null(cm_archive_read(archive, ABC, &err));
    cr_assert_eq(err.class, CM_ERROR_NOT_FOUND);
    cr_assert_str_eq(err.code, "ARCHIVE_MISSING");
    cr_assert_null(cm_archive_open("/nowhere/at/all", &err));
    cr_assert_eq(err.class, CM_ERROR_RETRY);
    cr_assert_null(cm_archive_open("relative", &err));
    cr_assert_eq(err.class, CM_ERROR_INVALID);
}

static bool count_one(void *opaque, const char *digest, int64_t bytes)
{
    int *sums = opaque;
    cr_assert(cm_archive_is_digest(digest));
    sums[0]++;
    sums[1] += (int)bytes;
    return true;
}

Test(archive, files_are_listed_and_removed)
{
    char digest[CM_SHA256_HEX];
    int sums[2] = {0, 0};
    int64_t bytes;
    put("abc", digest);
    put("abcd", digest);
    MUST(cm_archive_each(archive, count_one, sums, &err));
    cr_assert(sums[0] == 2 && sums[1] == 7);
    MUST(cm_archive_remove(archive, ABC, &bytes, &err));
    cr_assert_eq(bytes, 3);
    MUST(cm_archive_remove(archive, ABC, &bytes, &err));
    cr_assert_eq(bytes, 0);
    cr_assert_null(cm_archive_read(archive, ABC, &err));
}
