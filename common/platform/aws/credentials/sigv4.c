#include "platform/aws/credentials/sigv4.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

static const char hex_upper[] = "0123456789ABCDEF";

static bool unreserved(unsigned char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.' || c == '~';
}

static void encode_byte(cm_buffer *into, unsigned char c)
{
    cm_buffer_char(into, '%');
    cm_buffer_char(into, hex_upper[c >> 4]);
    cm_buffer_char(into, hex_upper[c & 15]);
}

void cm_aws_encode(cm_buffer *into, const char *text, size_t length, bool keep_slash)
{
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];
        if (unreserved(c) || (keep_slash && c == '/'))
            cm_buffer_char(into, (char)c);
        else
            encode_byte(into, c);
    }
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

void cm_aws_decode(cm_buffer *into, const char *text, size_t length, bool plus_is_space)
{
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '%' && i + 2 < length && hex_value(text[i + 1]) >= 0 && hex_value(text[i + 2]) >= 0) {
            cm_buffer_char(into, (char)(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2])));
            i += 2;
        } else if (plus_is_space && text[i] == '+') {
            cm_buffer_char(into, ' ');
        } else {
            cm_buffer_char(into, text[i]);
        }
    }
}

void cm_aws_basic_date(cm_instant at, char ret[static CM_SIGV4_DATE])
{
    time_t seconds = (time_t)(at / CM_SECOND);
    struct tm parts;
    gmtime_r(&seconds, &parts);
    cm_assert(strftime(ret, CM_SIGV4_DATE, "%Y%m%dT%H%M%SZ", &parts) == CM_SIGV4_DATE - 1);
}

/* --- path -------------------------------------------------------------------------------------------------------- */

/* RFC 3986 section 5.2.4, and empty segments dropped. A slash at the end stays. */
static void normalise(cm_buffer *into, const char *path)
{
    const char *at = path;
    bool folder = true; /* the result ends in a slash */
    while (*at) {
        while (*at == '/')
            at++;
        size_t length = strcspn(at, "/");
        if (length == 0)
            break;
        bool last = at[length] == '\0';
        if (length == 1 && at[0] == '.') {
            folder = true;
        } else if (length == 2 && at[0] == '.' && at[1] == '.') {
            while (into->length > 0 && into->data[into->length - 1] != '/')
                into->length--;
            if (into->length > 0)
                into->length--;
            folder = true;
        } else {
            cm_buffer_char(into, '/');
            cm_buffer_append(into, at, length);
            folder = !last;
        }
        at += length;
    }
    if (folder)
        cm_buffer_char(into, '/');
}

static void canonical_path(cm_buffer *into, const cm_sigv4_request *request)
{
    cm_buffer clean = {0};
    if (request->normalise_path)
        normalise(&clean, request->path);
    else
        cm_buffer_text(&clean, request->path);
    const char *path = cm_buffer_string(&clean);
    for (size_t i = 0; path[i]; i++) {
        unsigned char c = (unsigned char)path[i];
        if (unreserved(c) || c == '/' || (c == '%' && !request->encode_path_again))
            cm_buffer_char(into, (char)c);
        else
            encode_byte(into, c);
    }
    cm_buffer_free(&clean);
}

/* --- query ------------------------------------------------------------------------------------------------------- */

typedef struct parameter {
    char *name, *value; /* encoded */
} parameter;

static int by_name_then_value(const void *a, const void *b)
{
    const parameter *x = a, *y = b;
    int order = strcmp(x->name, y->name);
    return order ? order : strcmp(x->value, y->value);
}

/* Decodes and re-encodes, so that every spelling of a parameter gives the same text. */
static char *encoded_again(const char *text, size_t length)
{
    cm_buffer plain = {0}, encoded = {0};
    cm_aws_decode(&plain, text, length, false);
    cm_buffer_text(&encoded, ""); /* never a NULL */
    cm_aws_encode(&encoded, cm_buffer_string(&plain), plain.length, false);
    cm_buffer_free(&plain);
    return cm_buffer_take(&encoded);
}

static void canonical_query(cm_buffer *into, const char *query)
{
    if (!query || !*query)
        return;
    size_t count = 1, used = 0;
    for (const char *c = query; *c; c++)
        count += *c == '&';
    parameter *list = cm_alloc(count * sizeof *list);
    for (const char *at = query;;) {
        size_t length = strcspn(at, "&");
        const char *equals = memchr(at, '=', length);
        size_t name = equals ? (size_t)(equals - at) : length;
        if (length > 0) {
            list[used].name = encoded_again(at, name);
            list[used++].value = equals ? encoded_again(equals + 1, length - name - 1) : cm_strdup("");
        }
        if (!at[length])
            break;
        at += length + 1;
    }
    qsort(list, used, sizeof *list, by_name_then_value);
    for (size_t i = 0; i < used; i++) {
        cm_buffer_printf(into, "%s%s=%s", i ? "&" : "", list[i].name, list[i].value);
        free(list[i].name);
        free(list[i].value);
    }
    free(list);
}

/* --- headers ----------------------------------------------------------------------------------------------------- */

typedef struct sorted_header {
    const cm_http_header *header;
    size_t position;
} sorted_header;

static int by_lower_name(const void *a, const void *b)
{
    const sorted_header *x = a, *y = b;
    int order = strcasecmp(x->header->name, y->header->name);
    return order ? order : (x->position < y->position ? -1 : x->position > y->position);
}

static void lower(cm_buffer *into, const char *name)
{
    for (; *name; name++)
        cm_buffer_char(into, (char)(*name >= 'A' && *name <= 'Z' ? *name + 32 : *name));
}

/* Trimmed; runs of white space become one space. */
static void trimmed(cm_buffer *into, const char *value)
{
    bool space = false, started = false;
    for (; *value; value++) {
        if (*value == ' ' || *value == '\t' || *value == '\r' || *value == '\n') {
            space = true;
            continue;
        }
        if (space && started)
            cm_buffer_char(into, ' ');
        cm_buffer_char(into, *value);
        started = true;
        space = false;
    }
}

/* Writes "name:value\n" lines into `into` and "a;b;c" into `names`. */
static void canonical_headers(cm_buffer *into, cm_buffer *names, const cm_sigv4_request *request, const char *date)
{
    cm_http_header date_header = {"x-amz-date", date};
    size_t count = request->header_count + 1;
    sorted_header *list = cm_alloc(count * sizeof *list);
    for (size_t i = 0; i < request->header_count; i++)
        list[i] = (sorted_header){&request->headers[i], i};
    list[count - 1] = (sorted_header){&date_header, count - 1};
    qsort(list, count, sizeof *list, by_lower_name);
    for (size_t i = 0; i < count; i++) {
        bool again = i > 0 && strcasecmp(list[i].header->name, list[i - 1].header->name) == 0;
        if (again) {
            cm_buffer_char(into, ',');
        } else {
            if (i > 0) {
                cm_buffer_char(into, '\n');
                cm_buffer_char(names, ';');
            }
            lower(into, list[i].header->name);
            lower(names, list[i].header->name);
            cm_buffer_char(into, ':');
        }
        trimmed(into, list[i].header->value);
    }
    cm_buffer_char(into, '\n');
    free(list);
}

/* --- signature --------------------------------------------------------------------------------------------------- */

static void hmac(const uint8_t *key, size_t key_length, const char *text, size_t length,
                 uint8_t ret[static CM_SHA256_BYTES])
{
    unsigned int size = CM_SHA256_BYTES;
    cm_assert(HMAC(EVP_sha256(), key, (int)key_length, (const unsigned char *)text, length, ret, &size) != NULL);
}

static void signing_key(const cm_sigv4_request *request, const char *secret, const char *day,
                        uint8_t ret[static CM_SHA256_BYTES])
{
    cm_buffer start = {0};
    cm_buffer_printf(&start, "AWS4%s", secret);
    uint8_t key[CM_SHA256_BYTES], next[CM_SHA256_BYTES];
    hmac((const uint8_t *)start.data, start.length, day, strlen(day), key);
    hmac(key, sizeof key, request->region, strlen(request->region), next);
    hmac(next, sizeof next, request->service, strlen(request->service), key);
    hmac(key, sizeof key, "aws4_request", strlen("aws4_request"), ret);
    OPENSSL_cleanse(start.data, start.length);
    OPENSSL_cleanse(key, sizeof key);
    OPENSSL_cleanse(next, sizeof next);
    cm_buffer_free(&start);
}

void cm_sigv4_sign(const cm_sigv4_request *request, const cm_aws_credentials *credentials, cm_sigv4_signature *ret)
{
    *ret = (cm_sigv4_signature){0};
    cm_aws_basic_date(request->at, ret->date);
    char day[9];
    memcpy(day, ret->date, 8);
    day[8] = '\0';

    cm_buffer names = {0}, scope = {0};
    cm_buffer *canonical = &ret->canonical_request;
    cm_buffer_printf(canonical, "%s\n", request->method);
    canonical_path(canonical, request);
    cm_buffer_char(canonical, '\n');
    canonical_query(canonical, request->query);
    cm_buffer_char(canonical, '\n');
    canonical_headers(canonical, &names, request, ret->date);
    cm_buffer_printf(canonical, "\n%s\n%s", cm_buffer_string(&names), request->payload_sha256);

    uint8_t bytes[CM_SHA256_BYTES], key[CM_SHA256_BYTES];
    char hash[CM_SHA256_HEX];
    cm_sha256(canonical->data, canonical->length, bytes);
    cm_hex(bytes, sizeof bytes, hash);
    cm_buffer_printf(&scope, "%s/%s/%s/aws4_request", day, request->region, request->service);
    cm_buffer_printf(&ret->string_to_sign, "AWS4-HMAC-SHA256\n%s\n%s\n%s", ret->date, cm_buffer_string(&scope), hash);

    signing_key(request, credentials->secret_access_key, day, key);
    hmac(key, sizeof key, ret->string_to_sign.data, ret->string_to_sign.length, bytes);
    OPENSSL_cleanse(key, sizeof key);
    cm_hex(bytes, sizeof bytes, ret->signature);
    cm_buffer_printf(&ret->authorization, "AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=%s, Signature=%s",
                     credentials->access_key_id, cm_buffer_string(&scope), cm_buffer_string(&names), ret->signature);
    cm_buffer_free(&names);
    cm_buffer_free(&scope);
}

void cm_sigv4_signature_free(cm_sigv4_signature *signature)
{
    cm_buffer_free(&signature->canonical_request);
    cm_buffer_free(&signature->string_to_sign);
    cm_buffer_free(&signature->authorization);
}
