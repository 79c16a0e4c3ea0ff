#include "store/catalog/slice_store.h"

#include "billing/catalog/parse/canonical.h"
#include "billing/catalog/slice/slicer.h"
#include "store/catalog/link_store.h"

#include <stdlib.h>

/* --- writing ----------------------------------------------------------------------------------------------------- */

static bool store_slice(cm_pg *pg, cm_slicer *slicer, const char *id, const char *payer, const char *text,
                        cm_error *err)
{
    const char *values[] = {id, payer, text};
    cm_slice_book book;
    bool done =
        cm_pg_query(pg, "INSERT INTO catalog_slice (id, payer, content) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING", 3,
                    values, NULL, err);
    while (done && cm_slicer_next_book(slicer, &book)) {
        const char *contents[] = {book.id, book.text};
        done = cm_pg_query(pg, "INSERT INTO catalog_book (id, content) VALUES ($1, $2) ON CONFLICT DO NOTHING", 2,
                           contents, NULL, err);
    }
    return done;
}

/* One payer with one link set. */
static bool cut(cm_pg *pg, const char *catalog_id, cm_slicer *slicer, const char *payer, const char *links,
                char ret_id[static CM_ID_HEX], cm_error *err)
{
    cm_given_link *list = NULL;
    size_t count = 0;
    cm_arena *arena = cm_arena_new(16 * 1024);
    bool done = cm_store_link_sets(pg, links, arena, &list, &count, err);
    char *text = done ? cm_slicer_cut(slicer, payer, list, count, ret_id) : NULL;
    cm_arena_free(arena);
    const char *values[] = {catalog_id, payer, links, ret_id};
    done = done && (!text || store_slice(pg, slicer, ret_id, payer, text, err)) &&
           cm_pg_query(pg,
                       "INSERT INTO payer_slice (catalog_id, payer, links_id, slice_id) VALUES ($1, $2, $3, $4)"
                       " ON CONFLICT DO NOTHING",
                       4, values, NULL, err);
    free(text);
    return done;
}

/* Link sets that payers are rated with, beside none: of their present ones and of runs that may yet change. */
#define LINK_SETS                                                                                                      \
    "SELECT payer, links_id FROM payer_links UNION SELECT r.payer, r.links_version FROM run r LEFT JOIN"               \
    " billing_period b ON b.payer = r.payer AND b.period = r.period WHERE r.state IN ('running', 'current')"           \
    " AND coalesce(b.state, 'open') NOT IN ('settled', 'closed')"

static bool cut_all(cm_pg *pg, const char *catalog_id, cm_slicer *slicer, const cm_rows *rows, cm_error *err)
{
    char id[CM_ID_HEX];
    for (int i = 0; i < cm_rows_count(rows); i++)
        if (!cut(pg, catalog_id, slicer, cm_rows_text(rows, i, 0), cm_rows_text(rows, i, 1), id, err))
            return false;
    return true;
}

bool cm_store_slices_write(cm_pg *pg, const char *catalog_id, const json_t *canonical, cm_error *err)
{
    char id[CM_ID_HEX];
    const char *payer;
    json_t *document;
    cm_rows *rows = NULL;
    if (!cm_pg_query(pg, "SELECT payer, links_id FROM (" LINK_SETS ") x WHERE links_id <> ''", 0, NULL, &rows, err))
        return false;
    cm_slicer *slicer = cm_slicer_new(canonical);
    bool done = cut_all(pg, catalog_id, slicer, rows, err);
    json_object_foreach (json_object_get(canonical, "Payer"), payer, document)
        done = done && cut(pg, catalog_id, slicer, payer, "", id, err);
    cm_slicer_free(slicer);
    cm_rows_free(rows);
    return done;
}

static bool load_slicer(cm_pg *pg, const char *catalog_id, json_t **ret_canonical, cm_slicer **ret, cm_error *err)
{
    cm_rows *rows = NULL;
    *ret = NULL;
    *ret_canonical = NULL;
    if (!cm_pg_query(pg, "SELECT content FROM catalog_version WHERE id = $1", 1, (const char *[]){catalog_id}, &rows,
                     err))
        return false;
    if (cm_rows_count(rows))
        *ret_canonical = json_loads(cm_rows_text(rows, 0, 0), 0, NULL);
    cm_rows_free(rows);
    if (!*ret_canonical)
        return cm_fail(err, CM_ERROR_NOT_FOUND, "NO_CATALOG",
                       "there is no catalog version %s; see `curmill catalog list`", catalog_id);
    *ret = cm_slicer_new(*ret_canonical);
    return true;
}

bool cm_store_slices_ensure(cm_pg *pg, const char *catalog_id, cm_error *err)
{
    const char *values[] = {catalog_id};
    json_t *canonical;
    cm_slicer *slicer;
    cm_rows *rows = NULL;
    if (!cm_pg_query(pg,
                     "SELECT payer, links_id FROM (" LINK_SETS ") x WHERE NOT EXISTS (SELECT FROM payer_slice s"
                     " WHERE s.catalog_id = $1 AND s.payer = x.payer AND s.links_id = x.links_id)",
                     1, values, &rows, err))
        return false;
    bool done = true;
    if (cm_rows_count(rows)) {
        done = load_slicer(pg, catalog_id, &canonical, &slicer, err) && cut_all(pg, catalog_id, slicer, rows, err);
        cm_slicer_free(slicer);
        json_decref(canonical);
    }
    cm_rows_free(rows);
    return done;
}

bool cm_store_slice_of(cm_pg *pg, const char *catalog_id, const char *payer, const char *links,
                       char ret_id[static CM_ID_HEX], cm_error *err)
{
    const char *values[] = {catalog_id, payer, links};
    json_t *canonical;
    cm_slicer *slicer;
    cm_rows *rows = NULL;
    if (!cm_pg_query(pg, "SELECT slice_id FROM payer_slice WHERE catalog_id = $1 AND payer = $2 AND links_id = $3", 3,
                     values, &rows, err))
        return false;
    bool found = cm_rows_count(rows) > 0;
    snprintf(ret_id, CM_ID_HEX, "%s", found ? cm_rows_text(rows, 0, 0) : "");
    cm_rows_free(rows);
    if (found)
        return true;
    bool done =
        load_slicer(pg, catalog_id, &canonical, &slicer, err) && cut(pg, catalog_id, slicer, payer, links, ret_id, err);
    cm_slicer_free(slicer);
    json_decref(canonical);
    return done;
}

/* --- reading ----------------------------------------------------------------------------------------------------- */

static bool damaged(const char *id, cm_error *err)
{
    return cm_fail(err, CM_ERROR_FATAL, "CATALOG_DAMAGED",
                   "slice %s of the catalog, or a price book of it, is not in the database or damaged: restore tables "
                   "catalog_slice and catalog_book from a backup",
                   id);
}

/* Puts the price books in the places of their digests. */
static bool insert_books(cm_pg *pg, const char *id, json_t *slice, cm_error *err)
{
    const char *book_id, *values[] = {id};
    json_t *book, *contents = json_object();
    cm_rows *rows = NULL;
    void *next;
    bool done =
        cm_pg_query(pg,
                    "SELECT b.id, b.content FROM catalog_book b WHERE b.id IN (SELECT value FROM catalog_slice s,"
                    " jsonb_each_text(s.content::jsonb -> 'PriceBook') WHERE s.id = $1)",
                    1, values, &rows, err);
    for (int i = 0; done && i < cm_rows_count(rows); i++)
        json_object_set_new(contents, cm_rows_text(rows, i, 0), json_loads(cm_rows_text(rows, i, 1), 0, NULL));
    cm_rows_free(rows);
    json_object_foreach_safe (json_object_get(slice, "PriceBook"), next, book_id, book) {
        json_t *content = json_object_get(contents, json_string_value(book));
        done = done && (content || damaged(id, err));
        if (done)
            json_object_set(json_object_get(slice, "PriceBook"), book_id, content);
    }
    json_decref(contents);
    return done;
}

bool cm_store_slice_load(cm_pg *pg, const char *id, cm_catalog **ret, cm_error *err)
{
    cm_rows *rows = NULL;
    *ret = NULL;
    if (!cm_pg_query(pg, "SELECT content FROM catalog_slice WHERE id = $1", 1, (const char *[]){id}, &rows, err))
        return false;
    json_t *slice = cm_rows_count(rows) ? json_loads(cm_rows_text(rows, 0, 0), 0, NULL) : NULL;
    cm_rows_free(rows);
    if (!slice)
        return damaged(id, err);
    if (insert_books(pg, id, slice, err)) {
        char *text = cm_catalog_text(slice);
        *ret = cm_catalog_parse(text, err);
        free(text);
    }
    json_decref(slice);
    if (*ret)
        snprintf((*ret)->id, sizeof(*ret)->id, "%s", id);
    return *ret != NULL;
}
