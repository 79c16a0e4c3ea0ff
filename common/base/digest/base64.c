#include "base/digest/base64.h"

#include "base/base/error.h"

#include <openssl/evp.h>
#include <stdlib.h>

void cm_base64_encode(const void *bytes, size_t length, cm_buffer *ret)
{
    char *text = cm_alloc(4 * ((length + 2) / 3) + 1);
    int written = EVP_EncodeBlock((unsigned char *)text, bytes, (int)length);
    cm_buffer_append(ret, text, (size_t)written);
    free(text);
}

static bool is_base64(cm_slice text)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t padding = 0;
    if (text.length % 4 != 0)
        return false;
    while (padding < 2 && padding < text.length && text.text[text.length - 1 - padding] == '=')
        padding++;
    for (size_t i = 0; i + padding < text.length; i++)
        if (!text.text[i] || !strchr(letters, text.text[i]))
            return false;
    return true;
}

/* EVP_DecodeBlock counts the padding as bytes of zero. */
bool cm_base64_decode(cm_slice text, cm_buffer *ret)
{
    if (!is_base64(text))
        return false;
    if (text.length == 0)
        return true;
    unsigned char *bytes = cm_alloc(text.length / 4 * 3 + 1);
    int written = EVP_DecodeBlock(bytes, (const unsigned char *)text.text, (int)text.length);
    size_t length = written < 0 ? 0 : (size_t)written;
    for (size_t i = 1; i <= 2 && i <= text.length && text.text[text.length - i] == '='; i++)
        length -= length > 0;
    if (written >= 0)
        cm_buffer_append(ret, bytes, length);
    free(bytes);
    return written >= 0;
}
