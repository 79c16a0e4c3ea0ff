#include "base/digest/digest.h"

#include "base/base/error.h"

#include <openssl/evp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct cm_digest {
    EVP_MD_CTX *context;
};

/* Fetched once: looking up the algorithm costs more than hashing a short text. Kept until the process ends. */
static EVP_MD *sha256;
static pthread_once_t sha256_once = PTHREAD_ONCE_INIT;

static void fetch_sha256(void)
{
    sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    cm_assert(sha256);
}

cm_digest *cm_digest_new(void)
{
    pthread_once(&sha256_once, fetch_sha256);
    cm_digest *digest = cm_alloc(sizeof *digest);
    digest->context = EVP_MD_CTX_new();
    cm_assert(digest->context);
    cm_assert(EVP_DigestInit_ex2(digest->context, sha256, NULL) == 1);
    return digest;
}

void cm_digest_raw(cm_digest *digest, const void *data, size_t length)
{
    if (length)
        cm_assert(EVP_DigestUpdate(digest->context, data, length) == 1);
}

void cm_digest_field(cm_digest *digest, const void *data, size_t length)
{
    uint8_t prefix[8];
    for (int i = 0; i < 8; i++)
        prefix[i] = (uint8_t)((uint64_t)length >> (8 * i));
    cm_digest_raw(digest, prefix, sizeof prefix);
    cm_digest_raw(digest, data, length);
}

void cm_digest_text(cm_digest *digest, const char *text)
{
    cm_digest_field(digest, text, strlen(text));
}

void cm_digest_finish(cm_digest *digest, uint8_t ret[static CM_SHA256_BYTES])
{
    unsigned int length = 0;
    cm_assert(EVP_DigestFinal_ex(digest->context, ret, &length) == 1 && length == CM_SHA256_BYTES);
    EVP_MD_CTX_free(digest->context);
    free(digest);
}

void cm_digest_finish_hex(cm_digest *digest, char ret[static CM_SHA256_HEX])
{
    uint8_t bytes[CM_SHA256_BYTES];
    cm_digest_finish(digest, bytes);
    cm_hex(bytes, sizeof bytes, ret);
}

void cm_digest_finish_id(cm_digest *digest, char ret[static CM_ID_HEX])
{
    uint8_t bytes[CM_SHA256_BYTES];
    cm_digest_finish(digest, bytes);
    cm_hex(bytes, CM_ID_BYTES, ret);
}

void cm_sha256(const void *data, size_t length, uint8_t ret[static CM_SHA256_BYTES])
{
    pthread_once(&sha256_once, fetch_sha256);
    unsigned int written = 0;
    cm_assert(EVP_Digest(length ? data : "", length, ret, &written, sha256, NULL) == 1 && written == CM_SHA256_BYTES);
}

void cm_hex(const uint8_t *bytes, size_t length, char *ret)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < length; i++) {
        ret[2 * i] = digits[bytes[i] >> 4];
        ret[2 * i + 1] = digits[bytes[i] & 15];
    }
    ret[2 * length] = 0;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

_Bool cm_id_bytes(const char *hex, uint8_t ret[static CM_ID_BYTES])
{
    for (int i = 0; i < CM_ID_BYTES; i++) {
        int high = hex_value(hex[2 * i]);
        int low = high < 0 ? -1 : hex_value(hex[2 * i + 1]);
        if (low < 0)
            return 0;
        ret[i] = (uint8_t)(high << 4 | low);
    }
    return hex[2 * CM_ID_BYTES] == 0;
}
