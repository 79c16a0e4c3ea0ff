/* Shared by s3.c and s3_stream.c. */
#ifndef CM_AWS_S3_INTERNAL_H
#define CM_AWS_S3_INTERNAL_H

#include "platform/aws/core/client.h"
#include "platform/aws/s3/s3.h"

struct cm_s3 {
    cm_aws_client *client;
    char *bucket;
    char *root; /* "/bucket" or "": what comes before "/key" in a path */
    int page_size;
};

/* "/bucket/a%20key" */
void cm_s3_path(const cm_s3 *s3, const char *key, cm_buffer *into);
/* ETag of a reply, without quotes; "" if none. Caller frees. */
char *cm_s3_etag(const char *header);
/* A decimal number and nothing else. */
bool cm_s3_number(const char *text, int64_t *ret);

#endif
