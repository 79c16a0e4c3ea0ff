#include "billing/catalog/fields/png.h"

#include <stdint.h>

/* Annex D of the standard; a logo is small, so bit by bit is fast enough. */
static uint32_t checksum(const uint8_t *bytes, size_t length)
{
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < length; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc & 1 ? UINT32_C(0xedb88320) ^ (crc >> 1) : crc >> 1;
    }
    return ~crc;
}

static uint32_t number(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static const char *header_problem(const uint8_t *data, uint32_t length)
{
    if (length != 13)
        return "its header chunk is damaged";
    uint32_t width = number(data), height = number(data + 4);
    if (width == 0 || height == 0 || width > CM_PNG_SIDE || height > CM_PNG_SIDE)
        return "it is wider or higher than 2000 pixels, or empty";
    return NULL;
}

const char *cm_png_problem(cm_slice content)
{
    static const uint8_t signature[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
    const uint8_t *bytes = (const uint8_t *)content.text;
    size_t at = sizeof signature;
    bool has_data = false;
    if (content.length < at || memcmp(bytes, signature, at) != 0)
        return "it is not a PNG";
    while (content.length - at >= 12) {
        uint32_t length = number(bytes + at);
        const uint8_t *type = bytes + at + 4, *data = bytes + at + 8;
        if (length > content.length - at - 12)
            return "it is cut short";
        if (number(data + length) != checksum(type, length + 4))
            return "a chunk of it is damaged: its checksum is another";
        if ((at == sizeof signature) != (memcmp(type, "IHDR", 4) == 0))
            return "its header chunk is not where it belongs";
        const char *problem = at == sizeof signature ? header_problem(data, length) : NULL;
        if (problem)
            return problem;
        has_data |= memcmp(type, "IDAT", 4) == 0;
        at += 12 + length;
        if (memcmp(type, "IEND", 4) == 0)
            return !has_data ? "it holds no image" : at == content.length ? NULL : "something follows its end";
    }
    return "it is cut short";
}
