/*
 * Amazon S3 and compatible servers: list a bucket, look at an object, read it as a stream. Reading needs CM_HTTP_BUFFER
 * bytes however large the object is, continues with a Range request after a lost connection, and never mixes two
 * versions: every request after the first carries If-Match. One thread for each `cm_s3` and its streams.
 *
 * Errors: aws/failure.h. CHANGED (POISON): the object does not have the requested ETag, or changed while it was being
 * read.
 */
#ifndef CM_AWS_S3_H
#define CM_AWS_S3_H

#include "base/base/arena.h"
#include "base/base/stream.h"
#include "platform/aws/credentials/credentials.h"

typedef struct cm_s3 cm_s3;

typedef struct cm_s3_config {
    const char *bucket;
    const char *region;   /* NULL: AWS_REGION, AWS_DEFAULT_REGION, us-east-1 */
    const char *endpoint; /* NULL: AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, the region's. With an endpoint the path holds
                             the bucket. */
    cm_aws_provider *provider;     /* a reference is taken */
    const cm_aws_options *options; /* copied; NULL: the defaults */
    int page_size;                 /* of listings; 0: 1000 */
} cm_s3_config;

typedef struct cm_s3_object {
    const char *key;
    const char *etag; /* without quotes; "" if the server sends none */
    int64_t bytes;
    cm_instant modified;
} cm_s3_object;

CM_NODISCARD cm_s3 *cm_s3_new(const cm_s3_config *config, cm_error *err);
void cm_s3_free(cm_s3 *s3); /* NULL is allowed; every stream must be closed */

/* All objects whose key begins with `prefix`, all pages, sorted bytewise by key. Memory from `arena`. */
CM_NODISCARD bool cm_s3_list(cm_s3 *s3, const char *prefix, cm_arena *arena, cm_s3_object **ret, size_t *ret_count,
                             cm_error *err);
/* NOT_FOUND if there is none. `ret->key` is `key`. */
CM_NODISCARD bool cm_s3_head(cm_s3 *s3, const char *key, cm_arena *arena, cm_s3_object *ret, cm_error *err);
/* `etag` (without quotes) NULL or "": whatever is there now. `bytes`: length expected, -1: unknown. */
CM_NODISCARD cm_stream *cm_s3_open(cm_s3 *s3, const char *key, const char *etag, int64_t bytes, cm_error *err);

#endif
