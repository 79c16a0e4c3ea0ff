/* The table of sources. To add one: a file that fills a cm_source_type, and a line in `types`. */
#include "delivery/source/definition.h"
#include "delivery/source/source.h"

#include <string.h>

static const cm_source_type *const types[] = {&cm_source_folder, &cm_source_s3};
enum { TYPES = sizeof types / sizeof *types, TRIES_WHEN_CHANGED = 3 };

const cm_source_type *cm_source_type_find(const char *name)
{
    for (size_t i = 0; i < TYPES; i++)
        if (strcmp(types[i]->name, name) == 0)
            return types[i];
    return NULL;
}

cm_source *cm_source_open(const json_t *definition, cm_error *err)
{
    const char *name = json_string_value(json_object_get(definition, "type"));
    const cm_source_type *type = name ? cm_source_type_find(name) : NULL;
    if (!type) {
        cm_fail(err, CM_ERROR_INVALID, "SOURCE", "source: type is %s%s%s; use folder or s3", name ? "\"" : "",
                name ? name : "missing", name ? "\"" : "");
        return NULL;
    }
    return type->open(definition, err);
}

void cm_source_close(cm_source *source)
{
    if (source)
        source->type->close(source);
}

bool cm_definition_read(const json_t *definition, const cm_definition_key *keys, cm_error *err)
{
    const char *name;
    json_t *value;
    json_object_foreach ((json_t *)definition, name, value) {
        if (strcmp(name, "type") == 0)
            continue;
        const cm_definition_key *key = keys;
        while (key->name && strcmp(key->name, name) != 0)
            key++;
        if (!key->name)
            return cm_fail(err, CM_ERROR_INVALID, "SOURCE", "source: unknown key `%s`", name);
        if (!json_is_string(value) || !*json_string_value(value))
            return cm_fail(err, CM_ERROR_INVALID, "SOURCE", "source: `%s` must be a text that is not empty", name);
        *key->ret = json_string_value(value);
    }
    for (const cm_definition_key *key = keys; key->name; key++)
        if (key->required && !*key->ret)
            return cm_fail(err, CM_ERROR_INVALID, "SOURCE", "source: `%s` is missing", key->name);
    return true;
}

bool cm_source_read_expected(cm_source *source, const char *key, const char *fingerprint, size_t limit, cm_buffer *into,
                             cm_error *err)
{
    cm_stream *stream = source->type->open_object(source, key, fingerprint, err);
    if (!stream)
        return false;
    char part[16384];
    size_t length = 0;
    bool done = true;
    do {
        done = stream->read(stream, part, sizeof part, &length, err);
        if (done && into->length + length > limit)
            done = cm_fail(err, CM_ERROR_POISON, "TOO_LARGE", "%s is larger than %zu bytes", key, limit);
        if (done)
            cm_buffer_append(into, part, length);
    } while (done && length > 0);
    cm_stream_close(stream);
    return done;
}

bool cm_source_read_small(cm_source *source, const char *key, size_t limit, cm_arena *arena, const char **ret_text,
                          size_t *ret_length, cm_error *err)
{
    cm_buffer text = {0};
    bool done = false;
    for (int tried = 0; !done && tried < TRIES_WHEN_CHANGED; tried++) {
        cm_error why = {0};
        cm_buffer_clear(&text);
        done = cm_source_read_expected(source, key, NULL, limit, &text, &why);
        if (done)
            break;
        if (err)
            *err = why;
        if (strcmp(why.code, "CHANGED") != 0)
            break;
    }
    if (done) {
        *ret_text = cm_arena_strndup(arena, cm_buffer_string(&text), text.length);
        *ret_length = text.length;
    }
    cm_buffer_free(&text);
    return done;
}
