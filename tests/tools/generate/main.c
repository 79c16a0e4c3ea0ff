/*
 * generate: seeded AWS Cost and Usage Reports of any size, with their exact totals and a catalog that matches.
 * See README.md beside this file, and --help.
 */
#include "catalog.h"
#include "delivery.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static json_t *describe(const struct options *o)
{
    static const char *const formats[] = {"legacy-gz", "legacy-zip", "legacy-csv", "cur2-gz"};
    json_t *t = json_object();
    json_object_set_new(t, "payer", json_string(o->payer));
    json_object_set_new(t, "period", json_string(o->period));
    json_object_set_new(t, "report", json_string(o->report));
    json_object_set_new(t, "format", json_string(formats[o->format]));
    json_object_set_new(t, "layout", json_string(o->layout == LAYOUT_NEW ? "new" : "overwrite"));
    json_object_set_new(t, "model", json_string(o->model == MODEL_INGRAM ? "ingram" : "tdsynnex"));
    json_object_set_new(t, "seed", json_integer((json_int_t)o->seed));
    return t;
}

static void tell(const struct options *o, const json_t *version, const struct timespec *from)
{
    if (o->quiet)
        return;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    long long ms = (long long)(now.tv_sec - from->tv_sec) * 1000 + (now.tv_nsec - from->tv_nsec) / 1000000;
    json_int_t lines = json_integer_value(json_object_get(version, "lines"));
    fprintf(stderr, "version %lld: %lld lines in %zu chunk(s), %lld ms, %lld lines/s\n",
            (long long)json_integer_value(json_object_get(version, "version")), (long long)lines,
            json_array_size(json_object_get(version, "chunks")), ms, ms > 0 ? (long long)lines * 1000 / ms : 0);
}

int main(int argc, char **argv)
{
    static struct options options;
    int code = options_parse(argc, argv, &options);
    if (code >= 0)
        return code;
    struct world *world = calloc(1, sizeof *world);
    struct month *month = calloc(1, sizeof *month);
    if (world == NULL || month == NULL)
        return 70;
    world_build(world, &options);
    month_plan(month, world);
    (void)path_for(&options, "folder"); /* makes --out */
    json_t *totals = describe(&options), *versions = json_array();
    for (unsigned version = 1; version <= options.versions; version++) {
        if (options.only_version != 0 && version != options.only_version)
            continue;
        struct timespec from;
        clock_gettime(CLOCK_MONOTONIC, &from);
        json_t *description = delivery_write(month, version);
        tell(&options, description, &from);
        json_array_append_new(versions, description);
    }
    json_object_set_new(totals, "versions", versions);
    if (options.totals != NULL)
        json_write(totals, options.totals);
    if (options.catalog != NULL)
        catalog_write(world);
    json_decref(totals);
    free(month);
    free(world);
    text_free_all();
    return 0;
}
