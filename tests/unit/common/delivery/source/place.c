#include "place.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void place_begin(place *p)
{
    *p = (place){.path = "/tmp/curmill-source-XXXXXX"};
    cr_assert(mkdtemp(p->path) != NULL);
    cm_error err = {0};
    json_t *definition = json_pack("{s:s, s:s}", "type", "folder", "path", p->path);
    p->source = cm_source_open(definition, &err);
    json_decref(definition);
    cr_assert(p->source != NULL, "%s", err.text);
    p->arena = cm_arena_new(65536);
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *where)
{
    (void)status, (void)kind, (void)where;
    return remove(path);
}

void place_end(place *p)
{
    cm_source_close(p->source);
    cm_arena_free(p->arena);
    nftw(p->path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

void place_write(place *p, const char *key, const char *content)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", p->path, key);
    for (char *slash = path + strlen(p->path) + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        mkdir(path, 0777);
        *slash = '/';
    }
    FILE *file = fopen(path, "w");
    cr_assert(file != NULL, "%s", path);
    fputs(content, file);
    fclose(file);
}

void place_age(place *p, const char *key, long seconds)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", p->path, key);
    struct timespec times[2] = {{seconds, 0}, {seconds, 123456789}};
    cr_assert(utimensat(AT_FDCWD, path, times, 0) == 0);
}

static json_t *list_of(const char *keys, const char *bucket)
{
    json_t *list = json_array();
    while (*keys) {
        size_t length = strcspn(keys, ",");
        json_array_append_new(list, json_sprintf("%s%.*s", bucket, (int)length, keys));
        keys += length + (keys[length] == ',');
    }
    return list;
}

static void write_json(place *p, const char *key, json_t *manifest)
{
    char *text = json_dumps(manifest, JSON_INDENT(1));
    place_write(p, key, text);
    free(text);
    json_decref(manifest);
}

void place_legacy(place *p, const char *key, const char *report, const char *assembly, const char *account,
                  const char *from, const char *to, const char *keys)
{
    write_json(p, key,
               json_pack("{s:s, s:s, s:s, s:s, s:s, s:{s:s, s:s}, s:s, s:o}", "assemblyId", assembly, "account",
                         account, "reportName", report, "compression", "GZIP", "contentType", "text/csv",
                         "billingPeriod", "start", from, "end", to, "bucket", "the-bucket", "reportKeys",
                         list_of(keys, "")));
}

void place_cur2(place *p, const char *key, const char *execution, const char *urls)
{
    write_json(p, key,
               json_pack("{s:s, s:s, s:[{s:s, s:s}], s:o}", "executionId", execution, "exportArn", "arn:aws:x",
                         "columns", "name", "bill_bill_type", "type", "string", "dataFiles",
                         list_of(urls, "s3://the-bucket/")));
}

void place_find(place *p, const char *payer)
{
    cm_error err = {0};
    bool done = cm_reports_find(p->source, payer, NULL, NULL, p->arena, &p->found, &p->count, NULL, &err);
    cr_assert(done, "%s", err.text);
}

const cm_found_delivery *place_only(place *p, const char *error_code, const char *word)
{
    cr_assert(p->count == 1, "%zu deliveries", p->count);
    const cm_found_delivery *d = &p->found[0];
    cr_assert(strcmp(d->error_code, error_code) == 0, "expected \"%s\", got \"%s\": %s", error_code, d->error_code,
              d->error_text);
    cr_assert(strstr(d->error_text, word) != NULL, "\"%s\" is not in: %s", word, d->error_text);
    return d;
}
