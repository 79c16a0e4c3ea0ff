#include "store/catalog/link_store.h"

#include <stdlib.h>

bool cm_store_links_of_runs(cm_pg *pg, const char *runs, const char *lane, cm_buffer *ret, cm_error *err)
{
    const char *values[] = {runs, lane};
    cm_rows *rows = NULL;
    if (!cm_pg_query(pg,
                     "SELECT string_agg(DISTINCT x.id, ',' ORDER BY x.id) FROM (SELECT links_version AS id FROM run "
                     "WHERE id = ANY ($1::text[])"
                     " UNION ALL SELECT p.links_id FROM payer_links p WHERE p.lane = $2"
                     "   AND p.payer NOT IN (SELECT payer FROM run WHERE id = ANY ($1::text[]))) x WHERE x.id <> ''",
                     2, values, &rows, err))
        return false;
    cm_buffer_text(ret, cm_rows_text(rows, 0, 0));
    cm_rows_free(rows);
    return true;
}

bool cm_store_link_sets(cm_pg *pg, const char *ids, cm_arena *arena, cm_given_link **links, size_t *count,
                        cm_error *err)
{
    const char *values[] = {ids};
    cm_rows *rows = NULL;
    if (!*ids)
        return true;
    if (!cm_pg_query(pg,
                     "SELECT x.id, l.content FROM unnest(string_to_array($1, ',')) x (id) LEFT JOIN link_set l ON l.id "
                     "= x.id ORDER BY x.id",
                     1, values, &rows, err))
        return false;
    bool done = true;
    for (int i = 0; done && i < cm_rows_count(rows); i++)
        done = cm_rows_null(rows, i, 1) ? cm_fail(err, CM_ERROR_FATAL, "LINK_SET_MISSING",
                                                  "link set %s, which a run was rated with, is not in the database: "
                                                  "restore table link_set from a backup",
                                                  cm_rows_text(rows, i, 0))
                                        : cm_link_set_parse(cm_rows_text(rows, i, 1), arena, links, count, err);
    cm_rows_free(rows);
    return done;
}

bool cm_store_links_of_payer(cm_pg *pg, const char *payer, char ret_id[static CM_ID_HEX], cm_error *err)
{
    cm_rows *rows = NULL;
    ret_id[0] = '\0';
    if (!cm_pg_query(pg, "SELECT links_id FROM payer_links WHERE payer = $1", 1, (const char *[]){payer}, &rows, err))
        return false;
    if (cm_rows_count(rows))
        snprintf(ret_id, CM_ID_HEX, "%s", cm_rows_text(rows, 0, 0));
    cm_rows_free(rows);
    return true;
}

bool cm_store_links_set(cm_pg *pg, const char *payer, const char *lane, cm_given_link *links, size_t count,
                        cm_instant now, bool *ret_changed, char ret_id[static CM_ID_HEX], cm_error *err)
{
    char at[CM_INSTANT_TEXT], before[CM_ID_HEX];
    char *text = cm_link_set_text(links, count, ret_id);
    const char *set[] = {ret_id, payer, text, cm_instant_print(now, at)}, *present[] = {payer, lane, ret_id, at};
    *ret_changed = false;
    /* Registration and `run start` read it under the locks of their periods; a run that just missed it is found by
     * org-linker's next turn. */
    bool done = cm_store_links_of_payer(pg, payer, before, err);
    if (done && strcmp(before, ret_id) != 0) {
        *ret_changed = true;
        done =
            (!*ret_id ||
             cm_pg_query(
                 pg,
                 "INSERT INTO link_set (id, payer, content, made_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING", 4,
                 set, NULL, err)) &&
            cm_pg_query(
                pg,
                "INSERT INTO payer_links (payer, lane, links_id, changed_at) VALUES ($1, $2, $3, $4) ON CONFLICT "
                "(payer)"
                " DO UPDATE SET lane = excluded.lane, links_id = excluded.links_id, changed_at = excluded.changed_at",
                4, present, NULL, err);
    }
    free(text);
    return done;
}
