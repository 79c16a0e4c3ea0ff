/* Reading an S3 object as a stream that survives lost connections. */
#include "platform/aws/s3/s3_internal.h"

#include "base/log/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct s3_stream {
    cm_stream base;
    cm_s3 *s3;
    char *path, *what, *name; /* of the request, of error texts, "s3://bucket/key" */
    char *etag;               /* NULL until known */
    int64_t bytes;            /* of the object, -1 until known */
    int64_t offset;           /* of the next byte for the caller */
    int64_t skip;             /* bytes to drop first: the server ignored a Range */
    cm_http_exchange *exchange;
    cm_aws_attempts attempts;
} s3_stream;

static bool changed(const s3_stream *stream, const char *how, cm_error *err)
{
    return cm_fail(err, CM_ERROR_POISON, "CHANGED",
                   "%s %s; what was read so far is discarded; it will be read again when the next scan finds it",
                   stream->name, how);
}

/* "bytes 100-199/1000" begins at our offset and is of an object as long as ours. */
static bool range_fits(const s3_stream *stream, const char *header)
{
    char expected[64];
    snprintf(expected, sizeof expected, "bytes %lld-", (long long)stream->offset);
    if (!header || strncmp(header, expected, strlen(expected)) != 0)
        return false;
    const char *slash = strchr(header, '/');
    int64_t whole;
    return slash && (strcmp(slash, "/*") == 0 || (cm_s3_number(slash + 1, &whole) && whole == stream->bytes));
}

/* Checks the reply's headers: is it the object that we are reading? */
static bool check_reply(s3_stream *stream, cm_error *err)
{
    const char *etag = cm_http_reply_header(stream->exchange, "etag");
    if (etag) {
        char *now = cm_s3_etag(etag);
        bool other = stream->etag && strcmp(stream->etag, now) != 0;
        if (!stream->etag && *now)
            stream->etag = cm_strdup(now);
        free(now);
        if (other)
            return changed(stream, "is no longer the object that was listed", err);
    }
    if (cm_http_status(stream->exchange) == 206) {
        if (!range_fits(stream, cm_http_reply_header(stream->exchange, "content-range")))
            return changed(stream, "now has another length", err);
        return true;
    }
    int64_t bytes;
    stream->skip = stream->offset;
    if (!cm_s3_number(cm_http_reply_header(stream->exchange, "content-length"), &bytes))
        return true;
    if (stream->bytes >= 0 && bytes != stream->bytes)
        return changed(stream, "now has another length", err);
    stream->bytes = bytes;
    return true;
}

static bool start(s3_stream *stream, cm_error *err)
{
    cm_http_header header[2];
    size_t count = 0;
    char range[48];
    cm_buffer match = {0};
    if (stream->etag) {
        cm_buffer_printf(&match, "\"%s\"", stream->etag);
        header[count++] = (cm_http_header){"If-Match", match.data};
    }
    if (stream->offset > 0) {
        snprintf(range, sizeof range, "bytes=%lld-", (long long)stream->offset);
        header[count++] = (cm_http_header){"Range", range};
    }
    cm_aws_call call = {
        .what = stream->what, .method = "GET", .path = stream->path, .headers = header, .header_count = count};
    cm_error why = {0};
    stream->skip = 0;
    stream->exchange = cm_aws_begin(stream->s3->client, &call, &stream->attempts, &why);
    cm_buffer_free(&match);
    if (stream->exchange)
        return check_reply(stream, err);
    if (strcmp(why.code, "CHANGED") == 0)
        return changed(stream, "is no longer the object that was listed (HTTP 412)", err);
    if (stream->offset > 0 && why.class == CM_ERROR_NOT_FOUND)
        return changed(stream, "was deleted while it was being read", err);
    if (stream->offset > 0 && strstr(why.text, "HTTP 416"))
        return changed(stream, "is now shorter (HTTP 416)", err);
    if (err)
        *err = why;
    return false;
}

/* The connection was lost: continues from there, within the budget. Bytes received in between start a new budget. */
static bool resume(s3_stream *stream, const cm_error *why, cm_error *err)
{
    cm_http_end(stream->exchange);
    stream->exchange = NULL;
    if (!stream->etag)
        return cm_fail(err, CM_ERROR_RETRY, "UNAVAILABLE",
                       "%s at byte %lld: %s; the server sends no ETag, so reading cannot continue safely", stream->what,
                       (long long)stream->offset, why->text);
    if (!cm_aws_again(stream->s3->client, &stream->attempts, why)) {
        if (err)
            *err = *why;
        return cm_fail_context(err, "%s at byte %lld", stream->what, (long long)stream->offset);
    }
    cm_log_error(CM_DEBUG, "connection broke; reading continues", why, "object", stream->name, "offset",
                 cm_log_i64(stream->offset), NULL);
    return start(stream, err);
}

static bool drop_skipped(s3_stream *stream, cm_error *err)
{
    char scratch[16384];
    while (stream->skip > 0) {
        size_t want = stream->skip < (int64_t)sizeof scratch ? (size_t)stream->skip : sizeof scratch, length;
        if (!cm_http_read(stream->exchange, scratch, want, &length, err))
            return false;
        if (length == 0)
            return cm_fail(err, CM_ERROR_RETRY, "UNAVAILABLE", "%s: the answer ended too early", stream->what);
        stream->skip -= (int64_t)length;
    }
    return true;
}

static bool read_stream(cm_stream *base, void *into, size_t size, size_t *ret_read, cm_error *err)
{
    s3_stream *stream = (s3_stream *)base;
    *ret_read = 0;
    while (stream->offset != stream->bytes) {
        cm_error why = {0};
        bool done = stream->exchange && drop_skipped(stream, &why) &&
                    cm_http_read(stream->exchange, into, size, ret_read, &why);
        if (done && *ret_read > 0) {
            stream->offset += (int64_t)*ret_read;
            stream->attempts = (cm_aws_attempts){0};
            if (stream->bytes >= 0 && stream->offset > stream->bytes)
                return changed(stream, "is now longer", err);
            return true;
        }
        if (done && stream->bytes < 0)
            return true; /* the server gave no length; curl saw the end of the last chunk */
        if (done)
            cm_fail(&why, CM_ERROR_RETRY, "UNAVAILABLE", "the answer ended after %lld of %lld bytes",
                    (long long)stream->offset, (long long)stream->bytes);
        else if (!stream->exchange)
            return cm_fail(err, CM_ERROR_RETRY, "UNAVAILABLE", "%s: ended by an earlier error", stream->what);
        if (!resume(stream, &why, err))
            return false;
    }
    if (stream->exchange) { /* lets curl see the end too, so that the connection can be used again */
        char none[1];
        size_t length;
        cm_error ignored;
        if (!cm_http_read(stream->exchange, none, sizeof none, &length, &ignored) || length > 0)
            cm_log(CM_DEBUG, "bytes after the end of an object", "object", stream->name, NULL);
        cm_http_end(stream->exchange);
        stream->exchange = NULL;
    }
    return true;
}

static void close_stream(cm_stream *base)
{
    s3_stream *stream = (s3_stream *)base;
    cm_http_end(stream->exchange);
    free(stream->path);
    free(stream->what);
    free(stream->name);
    free(stream->etag);
    free(stream);
}

cm_stream *cm_s3_open(cm_s3 *s3, const char *key, const char *etag, int64_t bytes, cm_error *err)
{
    s3_stream *stream = cm_alloc(sizeof *stream);
    stream->base = (cm_stream){read_stream, close_stream, NULL};
    stream->s3 = s3;
    stream->bytes = bytes;
    stream->etag = etag && *etag ? cm_strdup(etag) : NULL;
    cm_buffer path = {0}, text = {0};
    cm_s3_path(s3, key, &path);
    stream->path = cm_buffer_take(&path);
    cm_buffer_printf(&text, "s3://%s/%s", s3->bucket, key);
    stream->name = cm_buffer_take(&text);
    cm_buffer_printf(&text, "reading %s", stream->name);
    stream->what = cm_buffer_take(&text);
    if (!start(stream, err)) {
        close_stream(&stream->base);
        return NULL;
    }
    return &stream->base;
}
