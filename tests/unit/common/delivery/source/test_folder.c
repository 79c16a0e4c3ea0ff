/* A folder as a source: listing, links, fingerprints, a change while reading; and the definitions of both kinds of
 * source. */
#include "place.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static place p;

static void set_up(void)
{
    place_begin(&p);
}

static void tear_down(void)
{
    place_end(&p);
}

TestSuite(folder, .init = set_up, .fini = tear_down, .timeout = 30);

static size_t list(const char *prefix, cm_object **ret)
{
    size_t count;
    cm_error err = {0};
    bool done = p.source->type->list(p.source, prefix, p.arena, ret, &count, &err);
    cr_assert(done, "%s", err.text);
    return count;
}

static void make_link(const char *target, const char *key)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", p.path, key);
    cr_assert(symlink(target, path) == 0);
}

Test(folder, lists_sorted_and_below)
{
    place_write(&p, "b/c.csv", "12345");
    place_write(&p, "b.csv", "1");
    place_write(&p, "a/deep/er/x y+z=%41:\xc3\xa9.csv", "");
    place_age(&p, "b/c.csv", 1750000000);
    cm_object *objects;
    cr_assert(list("", &objects) == 3);
    cr_assert_str_eq(objects[0].key, "a/deep/er/x y+z=%41:\xc3\xa9.csv");
    cr_assert_str_eq(objects[1].key, "b.csv", "sorted bytewise, so that . comes before /");
    cr_assert_str_eq(objects[2].key, "b/c.csv");
    cr_assert_str_eq(objects[2].fingerprint, "5:1750000000123456789");
    cr_assert(objects[2].bytes == 5 && objects[2].modified == INT64_C(1750000000123456));
    cr_assert(list("b/", &objects) == 1);
    cr_assert(list("a/de", &objects) == 1);
    cr_assert(list("none", &objects) == 0);
}

Test(folder, links_are_followed_but_not_in_cycles)
{
    place_write(&p, "real/file.csv", "1");
    make_link("..", "real/up");
    make_link("real", "alias");
    make_link("nowhere", "dangling");
    make_link("self", "self");
    make_link("real/file.csv", "linked.csv");
    cm_object *objects;
    size_t count = list("", &objects);
    cr_assert(count == 3, "%zu", count);
    cr_assert_str_eq(objects[0].key, "alias/file.csv");
    cr_assert_str_eq(objects[1].key, "linked.csv");
    cr_assert_str_eq(objects[2].key, "real/file.csv");
}

Test(folder, missing_folder_may_come_back)
{
    json_t *definition = json_pack("{s:s, s:s}", "type", "folder", "path", "/nonexistent/curmill");
    cm_error err = {0};
    cm_source *source = cm_source_open(definition, &err);
    cr_assert(source != NULL);
    cm_object *objects;
    size_t count;
    cr_assert(!source->type->list(source, "", p.arena, &objects, &count, &err));
    cr_assert(err.class == CM_ERROR_RETRY && strstr(err.text, "/nonexistent/curmill"));
    cm_source_close(source);
    json_decref(definition);
}

static bool read_on(cm_stream *stream, size_t *ret_length, cm_error *err)
{
    char part[4];
    return stream->read(stream, part, sizeof part, ret_length, err);
}

Test(folder, reads_and_reports_where)
{
    place_write(&p, "a/x.csv", "123456");
    cm_error err = {0};
    cm_stream *stream = p.source->type->open_object(p.source, "a/x.csv", NULL, &err);
    cr_assert(stream != NULL);
    char path[256];
    snprintf(path, sizeof path, "%s/a/x.csv", p.path);
    cr_assert_str_eq(stream->local_path, path);
    size_t length;
    cr_assert(read_on(stream, &length, &err) && length == 4);
    cr_assert(read_on(stream, &length, &err) && length == 2);
    cr_assert(read_on(stream, &length, &err) && length == 0);
    cm_stream_close(stream);
}

Test(folder, another_file_since_listing)
{
    place_write(&p, "x.csv", "123456");
    cm_object object;
    cm_error err = {0};
    cr_assert(p.source->type->stat(p.source, "x.csv", p.arena, &object, &err));
    cm_stream *stream = p.source->type->open_object(p.source, "x.csv", object.fingerprint, &err);
    cr_assert(stream != NULL, "%s", err.text);
    cm_stream_close(stream);
    place_age(&p, "x.csv", 1000); /* same size, another time */
    cr_assert(!p.source->type->open_object(p.source, "x.csv", object.fingerprint, &err));
    cr_assert(err.class == CM_ERROR_POISON && strcmp(err.code, "CHANGED") == 0, "%s", err.text);
}

static void expect_change_while_reading(const char *then, long age)
{
    place_write(&p, "x.csv", "123456");
    place_age(&p, "x.csv", 1000);
    cm_error err = {0};
    cm_stream *stream = p.source->type->open_object(p.source, "x.csv", NULL, &err);
    cr_assert(stream != NULL);
    size_t length;
    cr_assert(read_on(stream, &length, &err) && length == 4);
    place_write(&p, "x.csv", then);
    if (age)
        place_age(&p, "x.csv", age);
    bool done = true;
    for (int i = 0; done && i < 10; i++)
        done = read_on(stream, &length, &err) && length > 0;
    cr_assert(err.class == CM_ERROR_POISON && strcmp(err.code, "CHANGED") == 0, "after \"%s\": %s", then, err.text);
    cm_stream_close(stream);
}

Test(folder, change_while_reading)
{
    expect_change_while_reading("123456789", 0);    /* grew */
    expect_change_while_reading("1", 0);            /* shrank */
    expect_change_while_reading("abcdef", 0);       /* overwritten */
    expect_change_while_reading("123456789", 1000); /* grew, time set back */
}

Test(folder, missing_and_forbidden_keys)
{
    cm_object object;
    cm_error err = {0};
    cr_assert(!p.source->type->stat(p.source, "none.csv", p.arena, &object, &err) && err.class == CM_ERROR_NOT_FOUND);
    cr_assert(!p.source->type->open_object(p.source, "none/x.csv", NULL, &err) && err.class == CM_ERROR_NOT_FOUND);
    place_write(&p, "folder/x.csv", "");
    cr_assert(!p.source->type->open_object(p.source, "folder", NULL, &err) && err.class == CM_ERROR_NOT_FOUND);
    const char *out[] = {"../etc/passwd", "a/../../b", "..", "a/.."};
    for (size_t i = 0; i < 4; i++)
        cr_assert(!p.source->type->open_object(p.source, out[i], NULL, &err) && strcmp(err.code, "BAD_KEY") == 0, "%s",
                  out[i]);
    place_write(&p, "a..b/..c", "fine");
    cm_stream *stream = p.source->type->open_object(p.source, "a..b/..c", NULL, &err);
    cr_assert(stream != NULL);
    cm_stream_close(stream);
}

Test(folder, small_files_whole)
{
    const char *text;
    size_t length;
    cm_error err = {0};
    place_write(&p, "m.json", "{\"a\":1}");
    cr_assert(cm_source_read_small(p.source, "m.json", 7, p.arena, &text, &length, &err));
    cr_assert(length == 7 && strcmp(text, "{\"a\":1}") == 0);
    cr_assert(!cm_source_read_small(p.source, "m.json", 6, p.arena, &text, &length, &err) &&
              strcmp(err.code, "TOO_LARGE") == 0);
    cr_assert(!cm_source_read_small(p.source, "n.json", 6, p.arena, &text, &length, &err) &&
              err.class == CM_ERROR_NOT_FOUND);
}

Test(folder, definitions)
{
    struct {
        const char *json, *word;
    } bad[] = {
        {"{}", "missing"},
        {"{\"type\":\"ftp\"}", "ftp"},
        {"{\"type\":\"folder\"}", "`path` is missing"},
        {"{\"type\":\"folder\",\"path\":\"data\"}", "begin with /"},
        {"{\"type\":\"folder\",\"path\":\"\"}", "not empty"},
        {"{\"type\":\"folder\",\"path\":\"/x\",\"bucket\":\"b\"}", "unknown key `bucket`"},
        {"{\"type\":\"s3\"}", "`bucket` is missing"},
        {"{\"type\":\"s3\",\"bucket\":5}", "must be a text"},
        {"{\"type\":\"s3\",\"bucket\":\"b\",\"external_id\":\"x\"}", "`role_arn` is not"},
        {"{\"type\":\"s3\",\"bucket\":\"b\",\"endpoint\":\"host\"}", "not an address"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        cm_error err = {0};
        json_t *definition = json_loads(bad[i].json, 0, NULL);
        cr_assert(definition && !cm_source_open(definition, &err), "%s", bad[i].json);
        cr_assert(err.class == CM_ERROR_INVALID && strstr(err.text, bad[i].word), "%s: %s", bad[i].json, err.text);
        json_decref(definition);
    }
    cr_assert(cm_source_type_find("folder") == &cm_source_folder && cm_source_type_find("s3") == &cm_source_s3);
    cr_assert(cm_source_type_find("x") == NULL);
}
