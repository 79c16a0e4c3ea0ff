/* Files of reports that lie in a source and that no manifest lists: nobody would read them, so somebody is told. */
#include "delivery/source/reports.h"

#include <stdlib.h>
#include <string.h>

static bool is_data(const char *key)
{
    static const char *const ends[] = {".csv", ".csv.gz", ".csv.zip", ".gz", ".zip"};
    size_t length = strlen(key);
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        size_t end = strlen(ends[i]);
        if (length > end && strcasecmp(key + length - end, ends[i]) == 0)
            return true;
    }
    return false;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The files of an older version lie below their own manifest, which is not read. */
static bool below_a_version(const char *key, cm_arena *arena)
{
    for (const char *at = key, *slash; (slash = strchr(at, '/')); at = slash + 1) {
        if (cm_layout_is_version(cm_arena_strndup(arena, at, (size_t)(slash - at))))
            return true;
    }
    return false;
}

static bool is_one_of(const char *report, const char *const *reports)
{
    for (; *reports; reports++)
        if (strcmp(*reports, report) == 0)
            return true;
    return false;
}

static bool same_month(cm_period a, cm_period b)
{
    return a.year == b.year && a.month == b.month;
}

/* A manifest that could not be read, or of a report that was not asked for, may list it. */
static bool may_be_listed(const char *key, const cm_unlisted_search *s)
{
    cm_period period;
    bool has_period = cm_layout_period(key, &period);
    if (s->period && (!has_period || !same_month(period, *s->period)))
        return true;
    for (size_t i = 0; i < s->found_count; i++) {
        const cm_found_delivery *d = &s->found[i];
        if (d->chunks == 0 && (!has_period || same_month(d->period, period)))
            return true;
    }
    for (size_t i = 0; s->reports && i < s->object_count; i++) {
        cm_layout layout;
        if (cm_layout_read(s->objects[i].key, s->arena, &layout) && !is_one_of(layout.report, s->reports) &&
            (!has_period || !layout.has_period || same_month(layout.period, period)))
            return true;
    }
    return false;
}

void cm_reports_unlisted(const cm_unlisted_search *s, cm_unlisted *ret)
{
    size_t listed = 0;
    *ret = (cm_unlisted){0};
    for (size_t i = 0; i < s->found_count; i++)
        listed += s->found[i].chunks;
    const char **keys = cm_arena_alloc(s->arena, (listed + 1) * sizeof *keys);
    listed = 0;
    for (size_t i = 0; i < s->found_count; i++)
        for (size_t k = 0; k < s->found[i].chunks; k++)
            if (s->found[i].chunk[k].key)
                keys[listed++] = s->found[i].chunk[k].key;
    if (listed > 1)
        qsort(keys, listed, sizeof *keys, by_text);
    for (size_t i = 0; i < s->object_count; i++) {
        const char *key = s->objects[i].key;
        if (!is_data(key) || bsearch(&key, keys, listed, sizeof *keys, by_text) || below_a_version(key, s->arena) ||
            may_be_listed(key, s))
            continue;
        if (ret->count < CM_UNLISTED_NAMED)
            ret->key[ret->count] = key;
        ret->count++;
    }
}
