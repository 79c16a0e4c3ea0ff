/* Snapshots: catalog versions with the links of runs (link_store.h). */
#include "store/catalog/catalog_store.h"
#include "store/catalog/link_store.h"

bool cm_store_snapshot_load(cm_pg *pg, const char *catalog_id, const char *links, cm_catalog **ret, cm_error *err)
{
    if (!cm_store_catalog_load(pg, catalog_id, ret, err))
        return false;
    if (!*links)
        return true;
    cm_given_link *list = NULL;
    size_t count = 0;
    cm_arena *arena = cm_arena_new(16 * 1024);
    bool done = cm_store_link_sets(pg, links, arena, &list, &count, err);
    if (done) {
        *ret = cm_catalog_take_links(*ret, list, count);
    } else {
        cm_catalog_free(*ret);
        *ret = NULL;
    }
    cm_arena_free(arena);
    return done;
}

bool cm_store_snapshot_of_runs(cm_pg *pg, const char *catalog_id, const char *runs, cm_catalog **ret, cm_error *err)
{
    cm_buffer links = {0};
    *ret = NULL;
    bool done = cm_store_links_of_runs(pg, runs, NULL, &links, err) &&
                cm_store_snapshot_load(pg, catalog_id, cm_buffer_string(&links), ret, err);
    cm_buffer_free(&links);
    return done;
}
