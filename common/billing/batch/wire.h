/*
 * Protocol Buffers wire format (protobuf.dev, "Encoding"): the few forms that LineBatch needs, fast. What these
 * functions write is what protobuf-c writes for the same message (tests/unit/common/billing/batch). Internal to
 * common/billing/batch. Pure.
 */
#ifndef CM_BATCH_WIRE_H
#define CM_BATCH_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "the wire format is little-endian, and so are these functions");

enum cm_wire_type { CM_WIRE_VARINT = 0, CM_WIRE_FIXED64 = 1, CM_WIRE_BYTES = 2, CM_WIRE_FIXED32 = 5 };

/* Writers may write this many bytes beyond what they return. */
enum { CM_WIRE_SLACK = 8, CM_WIRE_VARINT_MAX = 10, CM_WIRE_LENGTH_ROOM = 5 };

static inline uint64_t cm_wire_zigzag(int64_t v)
{
    return (uint64_t)v << 1 ^ (uint64_t)(v >> 63);
}

static inline int64_t cm_wire_unzigzag(uint64_t v)
{
    return (int64_t)(v >> 1 ^ (~(v & 1) + 1));
}

/* --- writing ----------------------------------------------------------------------------------------------------- */

static inline uint8_t *cm_wire_put_varint(uint8_t *at, uint64_t v)
{
    if (v < 0x80) {
        *at = (uint8_t)v;
        return at + 1;
    }
    if (__builtin_expect(v >> 56 != 0, 0)) {
        for (; v >= 0x80; v >>= 7)
            *at++ = (uint8_t)(v | 0x80);
        *at++ = (uint8_t)v;
        return at;
    }
    /* Groups of seven bits, spread to bytes without a loop. */
    unsigned bytes = (unsigned)(70 - __builtin_clzll(v)) / 7;
    v = (v & 0x000000000fffffff) | (v & 0x00fffffff0000000) << 4;
    v = (v & 0x00003fff00003fff) | (v & 0x0fffc0000fffc000) << 2;
    v = (v & 0x007f007f007f007f) | (v & 0x3f803f803f803f80) << 1;
    v |= 0x8080808080808080 & ((UINT64_C(1) << (8 * bytes - 8)) - 1);
    memcpy(at, &v, 8);
    return at + bytes;
}

static inline uint8_t *cm_wire_put_tag(uint8_t *at, uint32_t field, enum cm_wire_type type)
{
    return cm_wire_put_varint(at, field << 3 | (uint32_t)type);
}

/* A field of proto3: zero is not written. */
static inline uint8_t *cm_wire_put_number(uint8_t *at, uint32_t field, uint64_t value)
{
    return value ? cm_wire_put_varint(cm_wire_put_tag(at, field, CM_WIRE_VARINT), value) : at;
}

static inline uint8_t *cm_wire_put_bytes(uint8_t *at, uint32_t field, const void *bytes, size_t length)
{
    at = cm_wire_put_varint(cm_wire_put_tag(at, field, CM_WIRE_BYTES), length);
    memcpy(at, bytes, length);
    return at + length;
}

/* A field whose length is known at its end: write from begin's result on, then call end with both. */
static inline uint8_t *cm_wire_begin(uint8_t *at, uint32_t field)
{
    return cm_wire_put_tag(at, field, CM_WIRE_BYTES) + CM_WIRE_LENGTH_ROOM;
}

static inline uint8_t *cm_wire_end(uint8_t *content, uint8_t *end)
{
    uint8_t length_text[CM_WIRE_VARINT_MAX + CM_WIRE_SLACK];
    size_t length = (size_t)(end - content);
    uint8_t *to = content - CM_WIRE_LENGTH_ROOM;
    size_t bytes = (size_t)(cm_wire_put_varint(length_text, length) - length_text);
    memmove(to + bytes, content, length);
    memcpy(to, length_text, bytes);
    return to + bytes + length;
}

/* --- reading ----------------------------------------------------------------------------------------------------- */

typedef struct cm_wire {
    const uint8_t *at, *end;
} cm_wire;

bool cm_wire_varint_slow(cm_wire *wire, uint64_t *ret);

/* False: cut, or longer than ten bytes. */
static inline bool cm_wire_varint(cm_wire *wire, uint64_t *ret)
{
    if (__builtin_expect(wire->end - wire->at < 8, 0))
        return cm_wire_varint_slow(wire, ret);
    uint64_t v;
    memcpy(&v, wire->at, 8);
    uint64_t stops = ~v & 0x8080808080808080;
    if (__builtin_expect(stops == 0, 0))
        return cm_wire_varint_slow(wire, ret);
    v &= stops ^ (stops - 1);
    v = (v & 0x007f007f007f007f) | (v & 0x7f007f007f007f00) >> 1;
    v = (v & 0x00003fff00003fff) | (v & 0x3fff00003fff0000) >> 2;
    v = (v & 0x000000000fffffff) | (v & 0x0fffffff00000000) >> 4;
    wire->at += (__builtin_ctzll(stops) + 1) / 8;
    *ret = v;
    return true;
}

/* A field's number and type; its content follows. */
typedef struct cm_wire_field {
    uint32_t number;
    enum cm_wire_type type;
    uint64_t value;  /* VARINT, FIXED64, FIXED32 */
    cm_wire content; /* BYTES */
} cm_wire_field;

/* False at the end (wire->at == wire->end) and where the bytes are not a valid field (wire->at = NULL). Groups are
 * refused. */
bool cm_wire_next(cm_wire *wire, cm_wire_field *ret);

/* The elements of a repeated varint field, of which this is a packed part or (unpacked) one. */
size_t cm_wire_count_varints(const cm_wire_field *field);

#endif
