/* Caches parsed catalog versions and slices, with and without the links of runs, for workers. */
#include "store/catalog/catalog_store.h"

#include "store/catalog/link_store.h"
#include "store/catalog/slice_store.h"

#include <stdlib.h>

enum { LINKED_MAX = 64 };

typedef struct cached {
    cm_catalog *base;
    uint64_t used;
    struct linked {
        char links[CM_ID_HEX];
        cm_catalog *catalog; /* borrows from base */
    } linked[LINKED_MAX];
    int count;
} cached;

typedef bool load_catalog(cm_pg *pg, const char *id, cm_catalog **ret, cm_error *err);

/* Versions are few and large, slices many and small. */
struct cm_catalog_cache {
    cached version[CM_CATALOG_CACHE_MAX], slice[CM_SLICE_CACHE_MAX];
    uint64_t clock, generation;
};

cm_catalog_cache *cm_catalog_cache_new(void)
{
    return cm_alloc(sizeof(cm_catalog_cache));
}

static void forget_linked(cached *entry)
{
    while (entry->count)
        cm_catalog_free(entry->linked[--entry->count].catalog);
}

static void forget_all(cached *entry, int count)
{
    for (int i = 0; i < count; i++) {
        forget_linked(&entry[i]);
        cm_catalog_free(entry[i].base);
    }
}

void cm_catalog_cache_free(cm_catalog_cache *cache)
{
    if (!cache)
        return;
    forget_all(cache->version, CM_CATALOG_CACHE_MAX);
    forget_all(cache->slice, CM_SLICE_CACHE_MAX);
    free(cache);
}

static cached *get_from(cm_catalog_cache *cache, cached *list, int count, load_catalog *load, cm_pg *pg, const char *id,
                        cm_error *err)
{
    cached *oldest = &list[0];
    for (int i = 0; i < count; i++) {
        cached *entry = &list[i];
        if (entry->base && strcmp(entry->base->id, id) == 0) {
            entry->used = ++cache->clock;
            return entry;
        }
        if (!entry->base || (oldest->base && entry->used < oldest->used))
            oldest = entry;
    }
    cm_catalog *loaded;
    if (!load(pg, id, &loaded, err))
        return NULL;
    if (oldest->base) {
        forget_linked(oldest);
        cm_catalog_free(oldest->base);
        cache->generation++;
    }
    oldest->base = loaded;
    oldest->used = ++cache->clock;
    return oldest;
}

static cached *get(cm_catalog_cache *cache, cm_pg *pg, const char *id, cm_error *err)
{
    return get_from(cache, cache->version, CM_CATALOG_CACHE_MAX, cm_store_catalog_load, pg, id, err);
}

const cm_catalog *cm_catalog_cache_get(cm_catalog_cache *cache, cm_pg *pg, const char *id, cm_error *err)
{
    const cached *entry = get(cache, pg, id, err);
    return entry ? entry->base : NULL;
}

const cm_catalog *cm_catalog_cache_of_run(cm_catalog_cache *cache, cm_pg *pg, const cm_run_basis *run, cm_error *err)
{
    const char *links = run->links;
    cached *entry = *run->slice
                        ? get_from(cache, cache->slice, CM_SLICE_CACHE_MAX, cm_store_slice_load, pg, run->slice, err)
                        : get(cache, pg, run->catalog, err);
    if (!entry || !*links)
        return entry ? entry->base : NULL;
    for (int i = 0; i < entry->count; i++) {
        if (strcmp(entry->linked[i].links, links) == 0)
            return entry->linked[i].catalog;
    }
    cm_given_link *list = NULL;
    size_t count = 0;
    cm_arena *arena = cm_arena_new(16 * 1024);
    const cm_catalog *made = NULL;
    if (cm_store_link_sets(pg, links, arena, &list, &count, err)) {
        if (entry->count == LINKED_MAX) {
            forget_linked(entry);
            cache->generation++;
        }
        struct linked *linked = &entry->linked[entry->count++];
        snprintf(linked->links, sizeof linked->links, "%s", links);
        made = linked->catalog = cm_catalog_with_links(entry->base, run->payer, list, count);
    }
    cm_arena_free(arena);
    return made;
}

uint64_t cm_catalog_cache_generation(const cm_catalog_cache *cache)
{
    return cache->generation;
}
