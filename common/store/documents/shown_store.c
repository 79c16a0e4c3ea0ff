#include "store/documents/shown_store.h"

#include "base/json/json.h"

bool cm_store_documents_shown(cm_pg *pg, const char *ids, const char *currencies, const char *subtotals,
                              const char *totals, cm_instant now, cm_error *err)
{
    char at[CM_INSTANT_TEXT];
    const char *values[] = {ids, currencies, subtotals, totals, cm_instant_print(now, at)};
    return cm_pg_query(pg,
                       "INSERT INTO statement_shown (statement_id, currency, subtotal, total, shown_at)"
                       " SELECT x.id, x.currency, x.subtotal, x.total, $5 FROM unnest($1::text[], $2::text[], "
                       "$3::numeric[], $4::numeric[]) x (id, currency, subtotal, total) JOIN statement s ON s.id = x.id"
                       " WHERE s.state IN ('draft', 'approved') ORDER BY x.id"
                       " ON CONFLICT (statement_id) DO UPDATE SET currency = excluded.currency, subtotal = "
                       "excluded.subtotal, total = excluded.total, shown_at = excluded.shown_at",
                       5, values, NULL, err);
}

bool cm_store_document_seen(cm_pg *pg, const char *id, json_t **ret, cm_error *err)
{
    cm_rows *rows = NULL;
    *ret = NULL;
    if (!cm_pg_query(pg,
                     "SELECT currency, subtotal, total, to_char(shown_at, 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') FROM "
                     "statement_shown WHERE statement_id = $1",
                     1, (const char *[]){id}, &rows, err))
        return false;
    if (cm_rows_count(rows))
        *ret = json_pack("{s:s, s:o, s:o, s:s}", "currency", cm_rows_text(rows, 0, 0), "subtotal",
                         cm_json_decimal(cm_rows_decimal(rows, 0, 1)), "total",
                         cm_json_decimal(cm_rows_decimal(rows, 0, 2)), "at", cm_rows_text(rows, 0, 3));
    cm_rows_free(rows);
    return true;
}

bool cm_store_document_add_seen(cm_pg *pg, const char *id, json_t *detail, cm_error *err)
{
    json_t *seen;
    if (!cm_store_document_seen(pg, id, &seen, err))
        return false;
    if (seen && !json_equal(json_object_get(seen, "total"), json_object_get(detail, "total")))
        json_object_set(detail, "shown_before", seen);
    json_decref(seen);
    return true;
}
