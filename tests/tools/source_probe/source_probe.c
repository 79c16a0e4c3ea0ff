/*
 * Shows what a source holds, for the tests of sources:
 *
 *   source-probe DEFINITION list [PREFIX]            JSON list of objects
 *   source-probe DEFINITION stat KEY                 one object
 *   source-probe DEFINITION cat KEY [FINGERPRINT]    the bytes
 *   source-probe DEFINITION cats KEY...              several, one after the other, with one source
 *   source-probe DEFINITION find PAYER [PERIOD]      deliveries, as `curmill ingest` would see them
 *
 * DEFINITION is a payer's `source` mapping as JSON text. An error goes to standard error as {"class", "code", "text"},
 * exit code 1.
 */
#include "base/log/log.h"
#include "delivery/source/source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int failed(const cm_error *err)
{
    json_t *text =
        json_pack("{s:s, s:s, s:s}", "class", cm_error_class_name(err->class), "code", err->code, "text", err->text);
    json_dumpf(text, stderr, JSON_COMPACT);
    fputc('\n', stderr);
    json_decref(text);
    return 1;
}

static int print(json_t *value)
{
    json_dumpf(value, stdout, JSON_INDENT(1) | JSON_SORT_KEYS);
    fputc('\n', stdout);
    json_decref(value);
    return 0;
}

static json_t *object_json(const cm_object *object)
{
    char modified[CM_INSTANT_TEXT];
    return json_pack("{s:s, s:s, s:I, s:s}", "key", object->key, "fingerprint", object->fingerprint, "bytes",
                     (json_int_t)object->bytes, "modified", cm_instant_print(object->modified, modified));
}

static int list(cm_source *source, const char *prefix, cm_arena *arena)
{
    cm_object *objects;
    size_t count;
    cm_error err = {0};
    if (!source->type->list(source, prefix, arena, &objects, &count, &err))
        return failed(&err);
    json_t *all = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(all, object_json(&objects[i]));
    return print(all);
}

static int cat(cm_source *source, const char *key, const char *fingerprint)
{
    static char part[65536];
    size_t length;
    cm_error err = {0};
    cm_stream *stream = source->type->open_object(source, key, fingerprint, &err);
    if (!stream)
        return failed(&err);
    int exit_code = 0;
    do {
        if (!stream->read(stream, part, sizeof part, &length, &err)) {
            exit_code = failed(&err);
            break;
        }
        fwrite(part, 1, length, stdout);
    } while (length > 0);
    cm_stream_close(stream);
    return exit_code;
}

static json_t *delivery_json(const cm_found_delivery *d)
{
    char period[CM_PERIOD_TEXT];
    json_t *chunks = json_array();
    for (size_t i = 0; i < d->chunks; i++)
        json_array_append_new(chunks,
                              json_pack("{s:s?, s:s, s:s, s:s, s:I}", "key", d->chunk[i].key, "name", d->chunk[i].name,
                                        "manifest_key", d->chunk[i].manifest_key, "fingerprint",
                                        d->chunk[i].fingerprint, "bytes", (json_int_t)d->chunk[i].bytes));
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:o, s:s, s:s, s:s}", "report", d->report, "assembly",
                     d->assembly, "format", d->format, "manifest", d->manifest, "manifest_digest", d->manifest_digest,
                     "account", d->account, "period", cm_period_print(d->period, period), "immutable_keys",
                     d->immutable_keys, "chunks", chunks, "error_code", d->error_code, "error_file", d->error_file,
                     "error_text", d->error_text);
}

static int find(cm_source *source, const char *payer, const char *month, cm_arena *arena)
{
    cm_period period;
    cm_found_delivery *found;
    size_t count;
    cm_error err = {0};
    if (month && !cm_period_parse(cm_slice_of(month), &period)) {
        cm_fail(&err, CM_ERROR_INVALID, "USAGE", "\"%s\" is no period", month);
        return failed(&err);
    }
    if (!cm_reports_find(source, payer, month ? &period : NULL, NULL, arena, &found, &count, NULL, &err))
        return failed(&err);
    json_t *all = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(all, delivery_json(&found[i]));
    return print(all);
}

static int run(cm_source *source, int count, char **words, cm_arena *arena)
{
    const char *second = count > 2 ? words[2] : NULL;
    cm_object object;
    cm_error err = {0};
    if (strcmp(words[0], "list") == 0)
        return list(source, count > 1 ? words[1] : "", arena);
    if (strcmp(words[0], "stat") == 0 && count == 2)
        return source->type->stat(source, words[1], arena, &object, &err) ? print(object_json(&object)) : failed(&err);
    if (strcmp(words[0], "cat") == 0 && count >= 2)
        return cat(source, words[1], second);
    if (strcmp(words[0], "find") == 0 && count >= 2)
        return find(source, words[1], second, arena);
    if (strcmp(words[0], "cats") == 0) {
        int exit_code = 0;
        for (int i = 1; exit_code == 0 && i < count; i++)
            exit_code = cat(source, words[i], NULL);
        return exit_code;
    }
    fprintf(stderr, "usage: source-probe DEFINITION list|stat|cat|cats|find ...\n");
    return 1;
}

/* Most memory that was resident, of this program alone: getrusage would count the parent's from before exec. */
static void print_memory(void)
{
    char line[256];
    FILE *status = fopen("/proc/self/status", "r");
    while (status && fgets(line, sizeof line, status))
        if (strncmp(line, "VmHWM:", 6) == 0)
            fprintf(stderr, "max_rss_kib=%ld\n", strtol(line + 6, NULL, 10));
    if (status)
        fclose(status);
}

int main(int argc, char **argv)
{
    cm_error err = {0};
    cm_log_setup("source-probe", "", CM_DEBUG, false);
    if (argc < 3) {
        fprintf(stderr, "usage: source-probe DEFINITION list|stat|cat|cats|find ...\n");
        return 1;
    }
    json_t *definition = json_loads(argv[1], 0, NULL);
    cm_source *source = cm_source_open(definition, &err);
    json_decref(definition);
    if (!source)
        return failed(&err);
    cm_arena *arena = cm_arena_new(1 << 20);
    int exit_code = run(source, argc - 2, argv + 2, arena);
    cm_arena_free(arena);
    cm_source_close(source);
    if (getenv("SOURCE_PROBE_MEMORY"))
        print_memory();
    return exit_code;
}
