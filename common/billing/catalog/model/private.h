/* Internal to catalog/: what a catalog owns, for those who build one. */
#ifndef CM_CATALOG_PRIVATE_H
#define CM_CATALOG_PRIVATE_H

#include "base/base/arena.h"
#include "billing/catalog/model/catalog.h"

struct cm_catalog_private {
    cm_arena *arena;  /* everything of the catalog except `sources` */
    json_t **sources; /* of the payers; owned */
    size_t source_count;
    const cm_fx_rate *const *fx_index; /* by set, from, to, period */
    cm_catalog
        *base; /* owned: what a catalog with given links borrows from; NULL: nothing, or owned by somebody else */
};

/* Binary search in a list whose elements begin with `const char *id`, sorted by it. */
const void *cm_find_by_id(const void *list, size_t count, size_t size, const char *id);

#endif
