#include "platform/aws/s3/s3.h"

#include "platform/aws/core/xml.h"
#include "platform/aws/s3/s3_internal.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE_BYTES_MAX = 16 * 1024 * 1024 };

/* A name that the certificate of a host name cannot cover goes into the path. */
static bool fits_host(const char *bucket)
{
    return strspn(bucket, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(bucket);
}

cm_s3 *cm_s3_new(const cm_s3_config *config, cm_error *err)
{
    cm_aws_options options = config->options ? *config->options : (cm_aws_options){0};
    const char *region = cm_aws_region(&options, config->region);
    const char *override =
        config->endpoint && *config->endpoint ? config->endpoint : cm_aws_endpoint_override(&options, "s3");
    bool in_path = override || !fits_host(config->bucket);
    cm_buffer endpoint = {0};
    if (override)
        cm_buffer_text(&endpoint, override);
    else
        cm_buffer_printf(&endpoint, "https://%s%ss3.%s.%s", in_path ? "" : config->bucket, in_path ? "" : ".", region,
                         cm_aws_domain(region));
    cm_aws_client_config client = {"s3", region, endpoint.data, config->provider, &options};
    cm_s3 *s3 = cm_alloc(sizeof *s3);
    s3->client = cm_aws_client_new(&client, err);
    cm_buffer_free(&endpoint);
    if (!s3->client) {
        free(s3);
        return NULL;
    }
    cm_buffer root = {0};
    if (in_path)
        cm_buffer_char(&root, '/');
    if (in_path)
        cm_aws_encode(&root, config->bucket, strlen(config->bucket), false);
    s3->root = cm_strdup(cm_buffer_string(&root));
    cm_buffer_free(&root);
    s3->bucket = cm_strdup(config->bucket);
    s3->page_size = config->page_size > 0 ? config->page_size : 1000;
    return s3;
}

void cm_s3_free(cm_s3 *s3)
{
    if (!s3)
        return;
    cm_aws_client_free(s3->client);
    free(s3->bucket);
    free(s3->root);
    free(s3);
}

void cm_s3_path(const cm_s3 *s3, const char *key, cm_buffer *into)
{
    cm_buffer_printf(into, "%s/", s3->root);
    cm_aws_encode(into, key, strlen(key), true);
}

char *cm_s3_etag(const char *header)
{
    if (!header)
        return cm_strdup("");
    size_t length = strlen(header);
    bool quoted = length >= 2 && header[0] == '"' && header[length - 1] == '"';
    char *etag = cm_strdup(header + quoted);
    if (quoted)
        etag[length - 2] = '\0';
    return etag;
}

bool cm_s3_number(const char *text, int64_t *ret)
{
    if (!text || !*text || strspn(text, "0123456789") != strlen(text))
        return false;
    errno = 0;
    *ret = strtoll(text, NULL, 10);
    return errno == 0;
}

/* --- listing ----------------------------------------------------------------------------------------------------- */

typedef struct page {
    cm_arena *arena;
    cm_s3_object *list; /* of all pages */
    size_t count, capacity;
    cm_s3_object next; /* being read */
    bool size_known, truncated, encoded, wrong;
    cm_buffer token;
} page;

static void finish_object(page *p)
{
    if (!p->next.key || !p->size_known) {
        p->wrong = true;
        return;
    }
    if (!p->next.etag)
        p->next.etag = "";
    if (p->count == p->capacity) {
        p->capacity = p->capacity ? p->capacity * 2 : 256;
        p->list = cm_realloc(p->list, p->capacity * sizeof *p->list);
    }
    p->list[p->count++] = p->next;
    p->next = (cm_s3_object){0};
    p->size_known = false;
}

static void on_element(void *opaque, const char *path, const char *text)
{
    page *p = opaque;
    if (strcmp(path, "ListBucketResult/Contents/Key") == 0) {
        p->next.key = cm_arena_strndup(p->arena, text, strlen(text));
    } else if (strcmp(path, "ListBucketResult/Contents/ETag") == 0) {
        char *etag = cm_s3_etag(text);
        p->next.etag = cm_arena_strndup(p->arena, etag, strlen(etag));
        free(etag);
    } else if (strcmp(path, "ListBucketResult/Contents/Size") == 0) {
        p->size_known = cm_s3_number(text, &p->next.bytes);
    } else if (strcmp(path, "ListBucketResult/Contents/LastModified") == 0) {
        if (!cm_instant_parse(cm_slice_of(text), &p->next.modified))
            p->next.modified = 0;
    } else if (strcmp(path, "ListBucketResult/Contents") == 0) {
        finish_object(p);
    } else if (strcmp(path, "ListBucketResult/IsTruncated") == 0) {
        p->truncated = strcmp(text, "true") == 0;
    } else if (strcmp(path, "ListBucketResult/EncodingType") == 0) {
        p->encoded = strcmp(text, "url") == 0;
    } else if (strcmp(path, "ListBucketResult/NextContinuationToken") == 0) {
        cm_buffer_clear(&p->token);
        cm_buffer_text(&p->token, text);
    }
}

/* Keys look like "a+key%2Bwith%20both" if the server accepted encoding-type=url; it says so once, maybe after them. */
static void decode_keys(page *p, size_t from)
{
    cm_buffer key = {0};
    for (size_t i = from; i < p->count && p->encoded; i++) {
        cm_buffer_clear(&key);
        cm_aws_decode(&key, p->list[i].key, strlen(p->list[i].key), true);
        p->list[i].key = cm_arena_strndup(p->arena, cm_buffer_string(&key), key.length);
    }
    cm_buffer_free(&key);
}

static bool list_page(cm_s3 *s3, const char *prefix, const char *token, const char *what, page *p, cm_buffer *answer,
                      cm_error *err)
{
    cm_buffer query = {0}, path = {0};
    if (token)
        cm_buffer_text(&query, "continuation-token=");
    if (token)
        cm_aws_encode(&query, token, strlen(token), false);
    cm_buffer_printf(&query, "%sencoding-type=url&list-type=2&max-keys=%d&prefix=", token ? "&" : "", s3->page_size);
    cm_aws_encode(&query, prefix, strlen(prefix), false);
    cm_buffer_text(&path, *s3->root ? s3->root : "/");
    cm_aws_call call = {.what = what, .method = "GET", .path = path.data, .query = query.data, .whole_is_short = true};
    size_t from = p->count;
    p->truncated = p->encoded = false;
    cm_buffer_clear(&p->token);
    bool done = cm_aws_perform(s3->client, &call, PAGE_BYTES_MAX, answer, err) &&
                cm_xml_read(cm_buffer_string(answer), answer->length, on_element, p, err);
    if (done && p->wrong)
        done = cm_fail(err, CM_ERROR_RETRY, "UNAVAILABLE", "%s: the answer has an object without key or size", what);
    cm_buffer_free(&query);
    cm_buffer_free(&path);
    if (done)
        decode_keys(p, from);
    return done;
}

static int by_key(const void *a, const void *b)
{
    return strcmp(((const cm_s3_object *)a)->key, ((const cm_s3_object *)b)->key);
}

bool cm_s3_list(cm_s3 *s3, const char *prefix, cm_arena *arena, cm_s3_object **ret, size_t *ret_count, cm_error *err)
{
    page p = {.arena = arena};
    cm_buffer token = {0}, answer = {0}, what = {0};
    cm_buffer_printf(&what, "listing s3://%s/%s", s3->bucket, prefix);
    bool done, more = false;
    do {
        done = list_page(s3, prefix, more ? token.data : NULL, what.data, &p, &answer, err);
        bool forward = p.token.length > 0 && strcmp(cm_buffer_string(&token), p.token.data) != 0;
        if (done && p.truncated && !forward)
            done = cm_fail(err, CM_ERROR_RETRY, "UNAVAILABLE",
                           "%s: the server says that the list continues but not where", what.data);
        more = p.truncated;
        cm_buffer_clear(&token);
        cm_buffer_text(&token, cm_buffer_string(&p.token));
    } while (done && more);
    if (done) {
        if (p.count > 1)
            qsort(p.list, p.count, sizeof *p.list, by_key);
        *ret = cm_arena_alloc(arena, (p.count + 1) * sizeof *p.list);
        if (p.count > 0)
            memcpy(*ret, p.list, p.count * sizeof *p.list);
        *ret_count = p.count;
    }
    free(p.list);
    cm_buffer_free(&p.token);
    cm_buffer_free(&token);
    cm_buffer_free(&answer);
    cm_buffer_free(&what);
    return done;
}

/* --- one object -------------------------------------------------------------------------------------------------- */

bool cm_s3_head(cm_s3 *s3, const char *key, cm_arena *arena, cm_s3_object *ret, cm_error *err)
{
    cm_buffer path = {0}, what = {0};
    cm_s3_path(s3, key, &path);
    cm_buffer_printf(&what, "looking at s3://%s/%s", s3->bucket, key);
    cm_aws_call call = {.what = what.data, .method = "HEAD", .path = path.data, .whole_is_short = true};
    cm_aws_attempts attempts = {0};
    cm_http_exchange *exchange = cm_aws_begin(s3->client, &call, &attempts, err);
    bool done = exchange != NULL;
    if (done) {
        *ret = (cm_s3_object){.key = key};
        char *etag = cm_s3_etag(cm_http_reply_header(exchange, "etag"));
        ret->etag = cm_arena_strndup(arena, etag, strlen(etag));
        free(etag);
        const char *modified = cm_http_reply_header(exchange, "last-modified");
        time_t at = modified ? curl_getdate(modified, NULL) : -1;
        ret->modified = at > 0 ? (cm_instant)at * CM_SECOND : 0;
        if (!cm_s3_number(cm_http_reply_header(exchange, "content-length"), &ret->bytes))
            done = cm_fail(err, CM_ERROR_RETRY, "UNAVAILABLE", "%s: the answer has no Content-Length", what.data);
    }
    cm_http_end(exchange);
    cm_buffer_free(&path);
    cm_buffer_free(&what);
    return done;
}
