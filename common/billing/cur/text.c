#include "billing/cur/text.h"

#include <stdint.h>

cm_slice cm_text_unquote(cm_slice raw, char *scratch)
{
    if (raw.length < 2 || raw.text[0] != '"')
        return raw;
    cm_slice inner = {raw.text + 1, raw.length - 2};
    if (!memchr(inner.text, '"', inner.length))
        return inner;
    size_t length = 0;
    for (size_t i = 0; i < inner.length; i++) {
        scratch[length++] = inner.text[i];
        i += inner.text[i] == '"'; /* the second one */
    }
    return (cm_slice){scratch, length};
}

/* Length of the character at text[0], 0 if it is invalid. */
static size_t character(const uint8_t *text, size_t length)
{
    uint8_t first = text[0];
    if (first < 0x80)
        return first != 0;
    size_t bytes = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4 || bytes > length)
        return 0;
    for (size_t i = 1; i < bytes; i++)
        if ((text[i] & 0xc0) != 0x80)
            return 0;
    /* Overlong forms, surrogates, beyond U+10FFFF. */
    if ((first == 0xe0 && text[1] < 0xa0) || (first == 0xed && text[1] > 0x9f) || (first == 0xf0 && text[1] < 0x90) ||
        (first == 0xf4 && text[1] > 0x8f))
        return 0;
    return bytes;
}

bool cm_text_is_utf8(cm_slice text)
{
    const uint8_t *at = (const uint8_t *)text.text;
    for (size_t i = 0; i < text.length;) {
        size_t bytes = character(at + i, text.length - i);
        if (bytes == 0)
            return false;
        i += bytes;
    }
    return true;
}

static size_t show(cm_slice text, char *into, size_t most)
{
    size_t length = text.length < most ? text.length : most;
    for (size_t i = 0; i < length; i++)
        into[i] = text.text[i] >= ' ' && text.text[i] <= '~' ? text.text[i] : '?';
    into[length] = 0;
    return length;
}

char *cm_text_shown(cm_slice text, char into[static CM_TEXT_SHOWN])
{
    size_t length = show(text, into, 60);
    if (text.length > 60)
        memcpy(into + length, "...", 4);
    return into;
}

void cm_text_copy_name(cm_slice name, char *into, size_t size)
{
    if (!cm_text_is_utf8(name)) {
        show(name, into, size - 1);
        return;
    }
    size_t length = 0;
    while (length < name.length) {
        size_t bytes = character((const uint8_t *)name.text + length, name.length - length);
        if (length + bytes >= size)
            break;
        length += bytes;
    }
    if (length)
        memcpy(into, name.text, length);
    into[length] = 0;
}
