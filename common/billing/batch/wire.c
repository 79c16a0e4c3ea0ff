#include "billing/batch/wire.h"

bool cm_wire_varint_slow(cm_wire *wire, uint64_t *ret)
{
    uint64_t v = 0;
    for (unsigned i = 0; i < CM_WIRE_VARINT_MAX && wire->at < wire->end; i++) {
        uint8_t byte = *wire->at++;
        v |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (byte < 0x80) {
            *ret = v;
            return true;
        }
    }
    return false;
}

static bool fixed(cm_wire *wire, size_t bytes, uint64_t *ret)
{
    if ((size_t)(wire->end - wire->at) < bytes)
        return false;
    *ret = 0;
    memcpy(ret, wire->at, bytes);
    wire->at += bytes;
    return true;
}

static bool content(cm_wire *wire, cm_wire_field *ret)
{
    switch (ret->type) {
    case CM_WIRE_VARINT:
        return cm_wire_varint(wire, &ret->value);
    case CM_WIRE_FIXED64:
        return fixed(wire, 8, &ret->value);
    case CM_WIRE_FIXED32:
        return fixed(wire, 4, &ret->value);
    case CM_WIRE_BYTES:
        if (!cm_wire_varint(wire, &ret->value) || ret->value > (uint64_t)(wire->end - wire->at))
            return false;
        ret->content = (cm_wire){wire->at, wire->at + ret->value};
        wire->at += ret->value;
        return true;
    }
    return false;
}

bool cm_wire_next(cm_wire *wire, cm_wire_field *ret)
{
    uint64_t tag;
    if (!wire->at || wire->at == wire->end)
        return false;
    if (cm_wire_varint(wire, &tag) && tag >> 3 > 0 && tag >> 3 < UINT64_C(1) << 29) {
        *ret = (cm_wire_field){.number = (uint32_t)(tag >> 3), .type = (enum cm_wire_type)(tag & 7)};
        if (content(wire, ret))
            return true;
    }
    wire->at = NULL;
    return false;
}

size_t cm_wire_count_varints(const cm_wire_field *field)
{
    size_t count = 0;
    if (field->type != CM_WIRE_BYTES)
        return 1;
    for (const uint8_t *at = field->content.at; at < field->content.end; at++)
        count += *at < 0x80;
    return count;
}
