/*
 * Reports in S3: {type: s3, bucket, prefix, region, role_arn, external_id, endpoint}. Keys are whole S3 keys; only
 * those below the folder `prefix` are listed. Fingerprint: "size:etag". Credentials: the process's chain, or the role
 * that the payer's account grants us.
 */
#include "platform/aws/s3/s3.h"
#include "delivery/source/definition.h"
#include "delivery/source/source.h"
#include "platform/aws/chain/chain.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct s3_source {
    cm_source base;
    cm_s3 *s3;
    char *bucket;
    char *prefix; /* "" or with a slash at the end */
} s3_source;

static cm_source *open_s3(const json_t *definition, cm_error *err)
{
    const char *bucket = NULL, *prefix = "", *region = NULL, *role = NULL, *external_id = NULL, *endpoint = NULL;
    const cm_definition_key keys[] = {
        {"bucket", true, &bucket},  {"prefix", false, &prefix},           {"region", false, &region},
        {"role_arn", false, &role}, {"external_id", false, &external_id}, {"endpoint", false, &endpoint},
        {NULL, false, NULL}};
    if (!cm_definition_read(definition, keys, err))
        return NULL;
    if (external_id && !role) {
        cm_fail(err, CM_ERROR_INVALID, "SOURCE", "source: `external_id` is given and `role_arn` is not");
        return NULL;
    }
    cm_aws_provider *provider = cm_aws_provider_shared(role, external_id, region);
    cm_s3_config config = {.bucket = bucket, .region = region, .endpoint = endpoint, .provider = provider};
    cm_s3 *s3 = cm_s3_new(&config, err);
    cm_aws_provider_free(provider);
    if (!s3)
        return NULL;
    s3_source *source = cm_alloc(sizeof *source);
    source->base.type = &cm_source_s3;
    source->s3 = s3;
    source->bucket = cm_strdup(bucket);
    cm_buffer folder = {0};
    while (*prefix == '/')
        prefix++;
    cm_buffer_text(&folder, prefix);
    if (folder.length > 0 && folder.data[folder.length - 1] != '/')
        cm_buffer_char(&folder, '/');
    source->prefix = cm_buffer_take(&folder);
    return &source->base;
}

static void close_s3(cm_source *base)
{
    s3_source *source = (s3_source *)base;
    cm_s3_free(source->s3);
    free(source->bucket);
    free(source->prefix);
    free(source);
}

static void describe_s3(const cm_source *base, cm_buffer *into)
{
    const s3_source *s3 = (const s3_source *)base;
    cm_buffer_printf(into, "s3://%s/%s", s3->bucket, s3->prefix);
}

static void describe_object(const cm_s3_object *object, cm_arena *arena, cm_object *ret)
{
    *ret = (cm_object){.key = object->key,
                       .bytes = object->bytes,
                       .modified = object->modified,
                       .fingerprint = cm_arena_printf(arena, "%" PRId64 ":%s", object->bytes, object->etag)};
}

static bool list_s3(cm_source *base, const char *prefix, cm_arena *arena, cm_object **ret, size_t *ret_count,
                    cm_error *err)
{
    s3_source *source = (s3_source *)base;
    cm_s3_object *list = NULL;
    size_t count = 0, used = 0;
    size_t asked = strlen(prefix), own = strlen(source->prefix);
    bool inside = strncmp(prefix, source->prefix, asked < own ? asked : own) == 0;
    if (inside && !cm_s3_list(source->s3, asked > own ? prefix : source->prefix, arena, &list, &count, err))
        return false;
    *ret = cm_arena_alloc(arena, (count + 1) * sizeof **ret);
    for (size_t i = 0; i < count; i++) {
        size_t length = strlen(list[i].key);
        if (length > 0 && list[i].key[length - 1] != '/') /* consoles mark folders with empty objects */
            describe_object(&list[i], arena, &(*ret)[used++]);
    }
    *ret_count = used;
    return true;
}

static bool stat_s3(cm_source *base, const char *key, cm_arena *arena, cm_object *ret, cm_error *err)
{
    cm_s3_object object;
    if (!cm_s3_head(((s3_source *)base)->s3, cm_arena_strndup(arena, key, strlen(key)), arena, &object, err))
        return false;
    describe_object(&object, arena, ret);
    return true;
}

static cm_stream *open_object(cm_source *base, const char *key, const char *fingerprint, cm_error *err)
{
    const char *colon = fingerprint ? strchr(fingerprint, ':') : NULL;
    int64_t bytes = colon ? strtoll(fingerprint, NULL, 10) : -1;
    return cm_s3_open(((s3_source *)base)->s3, key, colon ? colon + 1 : NULL, bytes, err);
}

const cm_source_type cm_source_s3 = {"s3", open_s3, close_s3, list_s3, stat_s3, open_object, describe_s3};
