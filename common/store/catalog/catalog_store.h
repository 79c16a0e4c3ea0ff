/* Catalog versions in PostgreSQL: immutable contents and activations (rating.md section 8, N14). */
#ifndef CM_STORE_CATALOG_STORE_H
#define CM_STORE_CATALOG_STORE_H

#include "billing/catalog/model/catalog.h"
#include "platform/postgres/postgres.h"

typedef struct cm_applied_catalog {
    char id[CM_ID_HEX];
    cm_instant in_force_from;
    bool unchanged; /* the latest activation already has this content (and takes effect no later): nothing was stored */
    char *diff;     /* against the latest activation; owned by the caller (free) */
} cm_applied_catalog;

/* Stores the content (once) and an activation: from the next 00:00 UTC, or `now` with `at_once`. Also records who set
 * each FX rate first (R06). Audited. */
CM_NODISCARD bool cm_store_catalog_apply(cm_pg *pg, const json_t *canonical, const char *by, const char *reason,
                                         cm_instant now, bool at_once, cm_applied_catalog *ret, cm_error *err);

/* The result that applying would have; nothing is stored. */
CM_NODISCARD bool cm_store_catalog_preview(cm_pg *pg, const json_t *canonical, cm_instant now, bool at_once,
                                           cm_applied_catalog *ret, cm_error *err);

/* The version in force at `now`. NOT_FOUND: none; the text says whether one takes effect later. */
CM_NODISCARD bool cm_store_catalog_in_force(cm_pg *pg, cm_instant now, char ret_id[static CM_ID_HEX], cm_error *err);

/* Loads and parses a version by its id or a unique prefix of it. The caller frees it. */
CM_NODISCARD bool cm_store_catalog_load(cm_pg *pg, const char *id, cm_catalog **ret, cm_error *err);

/* A small cache of parsed versions and slices by id, for workers. */
typedef struct cm_catalog_cache cm_catalog_cache;
cm_catalog_cache *cm_catalog_cache_new(void);
void cm_catalog_cache_free(cm_catalog_cache *cache);
/* Owned by the cache, valid until CM_CATALOG_CACHE_MAX other versions have been requested. */
enum { CM_CATALOG_CACHE_MAX = 4, CM_SLICE_CACHE_MAX = 32 };
CM_NODISCARD const cm_catalog *cm_catalog_cache_get(cm_catalog_cache *cache, cm_pg *pg, const char *id, cm_error *err);
/* What a run is rated with: its payer's slice (`slice` "": an older run, the whole version) with its link set ("":
 * none); `links` of the result are those of the payer. However large the catalog is, only the slice is loaded. Owned by
 * the cache, too. */
typedef struct cm_run_basis {
    const char *catalog, *slice, *links, *payer;
} cm_run_basis;
CM_NODISCARD const cm_catalog *cm_catalog_cache_of_run(cm_catalog_cache *cache, cm_pg *pg, const cm_run_basis *run,
                                                       cm_error *err);
/* Increases when an entry is evicted: whatever was derived from older entries must be dropped too. */
uint64_t cm_catalog_cache_generation(const cm_catalog_cache *cache);

#endif
