#include "support.h"

#include <isa-l.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zip.h>

uint64_t test_next(test_random *random)
{
    random->state ^= random->state >> 12;
    random->state ^= random->state << 25;
    random->state ^= random->state >> 27;
    return random->state * UINT64_C(0x2545f4914f6cdd1d);
}

uint32_t test_below(test_random *random, uint32_t limit)
{
    return (uint32_t)((test_next(random) >> 32) * limit >> 32);
}

struct memory_stream {
    cm_stream stream;
    char *data;
    size_t length, at, most;
    test_random random;
    bool fails;
};

static int open_streams;

int test_open_streams(void)
{
    return open_streams;
}

static bool memory_read(cm_stream *stream, void *into, size_t size, size_t *ret_read, cm_error *err)
{
    struct memory_stream *m = (struct memory_stream *)stream;
    size_t n = m->length - m->at < size ? m->length - m->at : size;
    if (m->most && n > m->most)
        n = m->most;
    if (m->random.state && n)
        n = 1 + test_below(&m->random, (uint32_t)n);
    if (n == 0 && m->fails)
        return cm_fail(err, CM_ERROR_RETRY, "", "connection reset");
    if (n)
        memcpy(into, m->data + m->at, n);
    m->at += n;
    *ret_read = n;
    return true;
}

static void memory_close(cm_stream *stream)
{
    free(((struct memory_stream *)stream)->data);
    free(stream);
    open_streams--;
}

cm_stream *test_stream(const void *data, size_t length, size_t most, uint64_t seed)
{
    struct memory_stream *m = cm_alloc(sizeof *m);
    m->stream = (cm_stream){.read = memory_read, .close = memory_close};
    m->data = cm_alloc(length + 1);
    if (length)
        memcpy(m->data, data, length);
    m->length = length;
    m->most = most;
    m->random.state = seed;
    open_streams++;
    return &m->stream;
}

cm_stream *test_failing_stream(const void *data, size_t length)
{
    cm_stream *stream = test_stream(data, length, 0, 0);
    ((struct memory_stream *)stream)->fails = true;
    return stream;
}

void test_gzip(cm_buffer *into, const void *data, size_t length)
{
    struct isal_zstream z;
    isal_deflate_stateless_init(&z);
    z.gzip_flag = IGZIP_GZIP;
    z.end_of_stream = 1;
    z.next_in = (uint8_t *)(uintptr_t)data;
    z.avail_in = (uint32_t)length;
    size_t room = length + length / 8 + 1024;
    cm_buffer_reserve(into, room);
    z.next_out = (uint8_t *)into->data + into->length;
    z.avail_out = (uint32_t)room;
    if (isal_deflate_stateless(&z) != COMP_OK)
        abort();
    into->length += room - z.avail_out;
}

char *test_zip(const char *const *names, const char *const *texts, const char *password, bool stored)
{
    char *path = cm_strdup("/tmp/curmill-test-XXXXXX");
    int fd = mkstemp(path);
    if (fd < 0)
        abort();
    close(fd);
    zip_t *archive = zip_open(path, ZIP_TRUNCATE, NULL);
    for (int i = 0; names[i]; i++) {
        zip_source_t *source = zip_source_buffer(archive, texts[i], strlen(texts[i]), 0);
        zip_int64_t index = zip_file_add(archive, names[i], source, 0);
        if (index < 0)
            abort();
        if (stored)
            zip_set_file_compression(archive, (zip_uint64_t)index, ZIP_CM_STORE, 0);
        if (password && zip_file_set_encryption(archive, (zip_uint64_t)index, ZIP_EM_AES_128, password) != 0)
            abort();
    }
    if (zip_close(archive) != 0)
        abort();
    return path;
}

cm_reader *test_reader(const char *text, size_t length, size_t most, cm_place *place, cm_error *err)
{
    return cm_reader_new(test_stream(text, length, most, 0), CM_COMPRESSION_NONE, PAYER, (cm_period){2025, 6}, place,
                         err);
}

int64_t test_read_all(const char *text, size_t length, size_t most, cm_place *place, cm_error *err)
{
    const cm_line *line;
    int64_t lines = 0;
    cm_reader *reader = test_reader(text, length, most, place, err);
    if (!reader)
        return -1;
    for (;; lines++) {
        if (!cm_reader_next(reader, &line, place, err)) {
            lines = -1;
            break;
        }
        if (!line)
            break;
    }
    cm_reader_free(reader);
    return lines;
}
