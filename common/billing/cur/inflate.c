#include "billing/cur/inflate.h"

#include "billing/cur/sniff.h"

#include <stdlib.h>
#include <string.h>

#include <isa-l.h>

enum { INPUT_BYTES = 64 * 1024 };

enum format { GZIP, RAW };

struct inflater {
    cm_stream stream;
    cm_stream *compressed;
    enum format format;
    bool begun;
    bool done;
    bool input_ended;
    bool failed;
    uint64_t left;              /* RAW: bytes still to come */
    uint32_t crc, expected_crc; /* RAW */
    struct inflate_state state;
    uint8_t input[INPUT_BYTES];
};

static bool cut(cm_error *err, const char *why)
{
    return cm_fail(err, CM_ERROR_POISON, "CUT", "the compressed file is damaged or incomplete: %s; deliver it again",
                   why);
}

/* What isal_inflate's result means; NULL for no error. */
static const char *reason(int result)
{
    switch (result) {
    case ISAL_DECOMP_OK:
    case ISAL_END_INPUT:
    case ISAL_OUT_OVERFLOW:
        return NULL;
    case ISAL_INCORRECT_CHECKSUM:
        return "its content does not match its checksum";
    case ISAL_INVALID_WRAPPER:
    case ISAL_UNSUPPORTED_METHOD:
        return "a gzip header is missing";
    default:
        return "invalid compressed data";
    }
}

/* False on an error. At the end of the input, avail_in stays 0. */
static bool refill(struct inflater *z, cm_error *err)
{
    if (z->state.avail_in || z->input_ended)
        return true;
    size_t got;
    if (!z->compressed->read(z->compressed, z->input, sizeof z->input, &got, err))
        return false;
    z->input_ended = got == 0;
    z->state.next_in = z->input;
    z->state.avail_in = (uint32_t)got;
    return true;
}

/* The first bytes say whether this is gzip at all. */
static bool begin(struct inflater *z, cm_error *err)
{
    struct inflate_state *s = &z->state;
    size_t got = 1;
    z->begun = true;
    if (z->format == RAW)
        return true;
    s->next_in = z->input;
    while (got && s->avail_in < CM_SNIFF_BYTES) {
        if (!z->compressed->read(z->compressed, z->input + s->avail_in, sizeof z->input - s->avail_in, &got, err))
            return false;
        s->avail_in += (uint32_t)got;
    }
    z->input_ended = got == 0;
    if (s->avail_in == 0)
        return cm_fail_empty(err);
    if (z->input[0] != 0x1f || (s->avail_in > 1 && z->input[1] != 0x8b))
        return cm_fail_format(err, cm_sniff((const char *)z->input, s->avail_in), CM_COMPRESSION_GZIP);
    return true;
}

/* Between two members: is there another one? Zero bytes up to the end are padding (as `gzip -d` accepts them). */
static bool next_member(struct inflater *z, cm_error *err)
{
    struct inflate_state *s = &z->state;
    bool zeros = false;
    for (;;) {
        if (!refill(z, err))
            return false;
        while (s->avail_in && *s->next_in == 0) {
            zeros = true;
            s->next_in++;
            s->avail_in--;
        }
        if (s->avail_in)
            break;
        if (z->input_ended) {
            z->done = true;
            return true;
        }
    }
    if (zeros || *s->next_in != 0x1f)
        return cut(err, "bytes after its end that are not gzip");
    isal_inflate_reset(s);
    s->crc_flag = ISAL_GZIP;
    return true;
}

/* One call of the library, which must make progress. *ret_short: the file is cut, but what came before is handed over
 * first, so that the place of the error is known. */
static bool inflate_some(struct inflater *z, size_t size, bool *ret_short, cm_error *err)
{
    struct inflate_state *s = &z->state;
    uint32_t out = s->avail_out;
    bool input_ended = z->input_ended;
    const char *why = reason(isal_inflate(s));
    if (why)
        return cut(err, why);
    if (s->block_state == ISAL_BLOCK_FINISH || !input_ended || s->avail_out != out || out == 0)
        return true;
    *ret_short = out < size;
    return *ret_short || cut(err, "its end is missing");
}

static bool fill(struct inflater *z, size_t size, cm_error *err)
{
    struct inflate_state *s = &z->state;
    bool is_short = false;
    if (!z->begun && !begin(z, err))
        return false;
    while (s->avail_out && !z->done) {
        if (!refill(z, err) || !inflate_some(z, size, &is_short, err))
            return false;
        if (is_short)
            return true;
        if (s->block_state != ISAL_BLOCK_FINISH)
            continue;
        if (z->format == RAW)
            z->done = true;
        else if (!next_member(z, err))
            return false;
    }
    return true;
}

static bool check_raw(struct inflater *z, const void *data, size_t length, cm_error *err)
{
    z->crc = crc32_gzip_refl(z->crc, data, length);
    if (length > z->left)
        return cut(err, "it contains more than its directory says");
    z->left -= length;
    if (z->done && (z->left || z->crc != z->expected_crc))
        return cut(err, "its content does not match its checksum");
    return true;
}

static bool inflater_read(cm_stream *stream, void *into, size_t size, size_t *ret_read, cm_error *err)
{
    struct inflater *z = (struct inflater *)stream;
    cm_assert(!z->failed);
    if (size > UINT32_MAX / 2)
        size = UINT32_MAX / 2;
    z->state.next_out = into;
    z->state.avail_out = (uint32_t)size;
    bool was_done = z->done;
    z->failed = !fill(z, size, err);
    if (z->failed)
        return false;
    *ret_read = size - z->state.avail_out;
    if (z->format == RAW && !was_done)
        z->failed = !check_raw(z, into, *ret_read, err);
    return !z->failed;
}

static void inflater_close(cm_stream *stream)
{
    struct inflater *z = (struct inflater *)stream;
    cm_stream_close(z->compressed);
    free(z);
}

static struct inflater *inflater_new(cm_stream *compressed, enum format format)
{
    struct inflater *z = cm_alloc(sizeof *z);
    z->stream.read = inflater_read;
    z->stream.close = inflater_close;
    z->compressed = compressed;
    z->format = format;
    isal_inflate_init(&z->state);
    z->state.crc_flag = format == GZIP ? ISAL_GZIP : ISAL_DEFLATE;
    return z;
}

cm_stream *cm_gzip_stream(cm_stream *compressed)
{
    return &inflater_new(compressed, GZIP)->stream;
}

cm_stream *cm_deflate_stream(cm_stream *compressed, uint64_t length, uint32_t crc)
{
    struct inflater *z = inflater_new(compressed, RAW);
    z->left = length;
    z->expected_crc = crc;
    return &z->stream;
}
