#include "delivery/source/reports.h"

#include <stdlib.h>
#include <string.h>

struct cm_file_index {
    const cm_object **list; /* by file name, then key */
    size_t count;
};

static int compare_slices(cm_slice a, cm_slice b)
{
    size_t least = a.length < b.length ? a.length : b.length;
    int order = least ? memcmp(a.text, b.text, least) : 0;
    return order ? order : (a.length > b.length) - (a.length < b.length);
}

static int by_file(const void *a, const void *b)
{
    const cm_object *x = *(const cm_object *const *)a, *y = *(const cm_object *const *)b;
    int order = compare_slices(cm_layout_file(x->key), cm_layout_file(y->key));
    return order ? order : strcmp(x->key, y->key);
}

cm_file_index *cm_file_index_new(const cm_object *objects, size_t count, cm_arena *arena)
{
    cm_file_index *index = cm_arena_zalloc(arena, sizeof *index);
    index->list = cm_arena_alloc(arena, (count + 1) * sizeof *index->list);
    index->count = count;
    for (size_t i = 0; i < count; i++)
        index->list[i] = &objects[i];
    if (count > 1)
        qsort(index->list, count, sizeof *index->list, by_file);
    return index;
}

static size_t first_of(const cm_file_index *index, cm_slice file)
{
    size_t from = 0, to = index->count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (compare_slices(cm_layout_file(index->list[middle]->key), file) < 0)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

/* The last name before `*end`, which moves before it; empty names ("//") do not count. Length 0: there are no more. */
static cm_slice name_before(const char *key, size_t *end)
{
    while (*end > 0 && key[*end - 1] == '/')
        (*end)--;
    size_t stop = *end;
    while (*end > 0 && key[*end - 1] != '/')
        (*end)--;
    return (cm_slice){key + *end, stop - *end};
}

/* How many trailing names two paths share. */
static size_t shared_end(const char *a, const char *b)
{
    size_t count = 0, end_a = strlen(a), end_b = strlen(b);
    for (;;) {
        cm_slice x = name_before(a, &end_a), y = name_before(b, &end_b);
        if (x.length == 0 || y.length == 0 || !cm_slice_equal(x, y))
            return count;
        count++;
    }
}

static bool same_folder(const char *a, const char *b)
{
    size_t x = (size_t)(cm_layout_file(a).text - a), y = (size_t)(cm_layout_file(b).text - b);
    return x == y && memcmp(a, b, x) == 0;
}

/* The file name alone is enough in the period's own folder, or next to the manifest in a copy without period folders:
 * an assembly's folder of the same period has files with the same names and other content. */
static bool name_is_enough(const char *candidate, bool has_period, const char *manifest)
{
    cm_period period;
    if (has_period)
        return cm_layout_period_name(cm_layout_parent(candidate), &period);
    return same_folder(candidate, manifest);
}

size_t cm_file_index_find(const cm_file_index *index, const char *key, cm_period period, const char *manifest,
                          bool exact_first, const cm_object *ret[static 2])
{
    cm_slice file = cm_layout_file(key);
    size_t best = 0, count = 0;
    for (size_t i = first_of(index, file); i < index->count; i++) {
        const cm_object *candidate = index->list[i];
        if (!cm_slice_equal(cm_layout_file(candidate->key), file))
            break;
        if (exact_first && strcmp(candidate->key, key) == 0) {
            ret[0] = candidate;
            return 1;
        }
        cm_period other;
        bool has_period = cm_layout_period(candidate->key, &other);
        if (has_period && (other.year != period.year || other.month != period.month))
            continue;
        size_t shared = shared_end(candidate->key, key);
        if (shared < best || (shared == 1 && !name_is_enough(candidate->key, has_period, manifest)))
            continue;
        if (shared > best)
            count = 0;
        best = shared;
        if (count < 2)
            ret[count] = candidate;
        count++;
    }
    return count;
}
