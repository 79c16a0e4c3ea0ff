#include "compress.h"

#include <errno.h>
#include <isa-l/crc.h>
#include <isa-l/igzip_lib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OUT_SIZE = 256 * 1024 };

struct sink {
    FILE *file;
    const char *path;
    char *entry;
    enum packing packing;
    unsigned level;
    uint64_t written, taken; /* bytes of the file, bytes before packing */
    uint64_t data_start;     /* zip: where the packed bytes begin */
    uint32_t crc;
    struct isal_zstream stream;
    uint8_t *level_buffer;
    uint8_t out[OUT_SIZE];
};

static void fail(const struct sink *s, const char *what)
{
    fprintf(stderr, "generate: %s: %s: %s\n", s->path, what, strerror(errno));
    exit(4);
}

static void put(struct sink *s, const void *bytes, size_t n)
{
    if (n > 0 && fwrite(bytes, 1, n, s->file) != n)
        fail(s, "cannot write");
    s->written += n;
}

static uint32_t level_size(unsigned level)
{
    static const uint32_t sizes[] = {ISAL_DEF_LVL0_DEFAULT, ISAL_DEF_LVL1_DEFAULT, ISAL_DEF_LVL2_DEFAULT,
                                     ISAL_DEF_LVL3_DEFAULT};
    return sizes[level];
}

static void start_stream(struct sink *s)
{
    isal_deflate_init(&s->stream);
    s->stream.gzip_flag = s->packing == PACKING_GZIP ? IGZIP_GZIP : IGZIP_DEFLATE;
    s->stream.level = s->level;
    s->stream.level_buf = s->level_buffer;
    s->stream.level_buf_size = level_size(s->level);
}

static void pump(struct sink *s)
{
    do {
        s->stream.next_out = s->out;
        s->stream.avail_out = OUT_SIZE;
        if (isal_deflate(&s->stream) != COMP_OK) {
            errno = EINVAL;
            fail(s, "cannot compress");
        }
        put(s, s->out, OUT_SIZE - s->stream.avail_out);
    } while (s->stream.end_of_stream ? s->stream.internal_state.state != ZSTATE_END : s->stream.avail_in > 0);
}

static void end_stream(struct sink *s)
{
    s->stream.end_of_stream = 1;
    s->stream.avail_in = 0;
    s->stream.next_in = NULL;
    pump(s);
}

static void put_little(struct sink *s, uint64_t value, int bytes)
{
    uint8_t b[8];
    for (int i = 0; i < bytes; i++, value >>= 8)
        b[i] = (uint8_t)value;
    put(s, b, (size_t)bytes);
}

/* Fields that a zip's local header and its directory entry share (APPNOTE 4.3.7, 4.3.12): sizes follow the data (bit
 * 3). */
static void zip_common(struct sink *s, uint64_t crc, uint64_t packed, uint64_t size)
{
    put_little(s, 20, 2);     /* version needed */
    put_little(s, 8, 2);      /* sizes are in the data descriptor */
    put_little(s, 8, 2);      /* deflate */
    put_little(s, 0, 2);      /* midnight */
    put_little(s, 0x5A21, 2); /* 2025-01-01: the same bytes every time */
    put_little(s, crc, 4);
    put_little(s, packed, 4);
    put_little(s, size, 4);
    put_little(s, strlen(s->entry), 2);
    put_little(s, 0, 2);
}

static void zip_finish(struct sink *s)
{
    uint64_t packed = s->written - s->data_start;
    if (packed > UINT32_MAX || s->taken > UINT32_MAX) {
        errno = EFBIG;
        fail(s, "a zip entry may hold 4 GiB at most, take fewer --chunk-rows");
    }
    put_little(s, 0x08074b50, 4);
    put_little(s, s->crc, 4);
    put_little(s, packed, 4);
    put_little(s, s->taken, 4);
    uint64_t directory = s->written;
    put_little(s, 0x02014b50, 4);
    put_little(s, 20, 2);
    zip_common(s, s->crc, packed, s->taken);
    put_little(s, 0, 2); /* comment */
    put_little(s, 0, 2); /* disk */
    put_little(s, 0, 2);
    put_little(s, 0, 4);
    put_little(s, 0, 4); /* offset of the local header */
    put(s, s->entry, strlen(s->entry));
    uint64_t length = s->written - directory;
    put_little(s, 0x06054b50, 4);
    put_little(s, 0, 4);
    put_little(s, 1, 2);
    put_little(s, 1, 2);
    put_little(s, length, 4);
    put_little(s, directory, 4);
    put_little(s, 0, 2);
}

struct sink *sink_open(const char *path, enum packing packing, const char *entry, unsigned level)
{
    struct sink *s = calloc(1, sizeof *s);
    if (s == NULL || (s->entry = strdup(entry)) == NULL || (s->level_buffer = malloc(level_size(level) + 1)) == NULL) {
        fputs("generate: out of memory\n", stderr);
        exit(70);
    }
    s->path = path;
    s->packing = packing;
    s->level = level;
    s->file = fopen(path, "wb");
    if (s->file == NULL)
        fail(s, "cannot create");
    if (packing == PACKING_ZIP) {
        put_little(s, 0x04034b50, 4);
        zip_common(s, 0, 0, 0);
        put(s, s->entry, strlen(s->entry));
        s->data_start = s->written;
    }
    if (packing != PACKING_NONE)
        start_stream(s);
    return s;
}

void sink_write(struct sink *s, const void *bytes, size_t n)
{
    if (n == 0)
        return;
    s->taken += n;
    if (s->packing == PACKING_NONE) {
        put(s, bytes, n);
        return;
    }
    if (s->packing == PACKING_ZIP)
        s->crc = crc32_gzip_refl(s->crc, bytes, n);
    s->stream.next_in = (uint8_t *)(uintptr_t)bytes;
    s->stream.avail_in = (uint32_t)n;
    pump(s);
}

void sink_next_member(struct sink *s)
{
    if (s->packing != PACKING_GZIP)
        return;
    end_stream(s);
    start_stream(s);
}

uint64_t sink_close(struct sink *s)
{
    if (s->packing != PACKING_NONE)
        end_stream(s);
    if (s->packing == PACKING_ZIP)
        zip_finish(s);
    if (fclose(s->file) != 0)
        fail(s, "cannot write");
    uint64_t written = s->written;
    free(s->level_buffer);
    free(s->entry);
    free(s);
    return written;
}
