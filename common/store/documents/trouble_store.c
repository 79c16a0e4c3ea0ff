#include "store/documents/trouble_store.h"

#include "base/log/log.h"

bool cm_store_trouble_save(cm_pg *pg, const cm_trouble *trouble, const cm_error *why, cm_error *err)
{
    const char *values[] = {trouble->lane,     trouble->period, trouble->reseller, trouble->customer,
                            trouble->corrects, why->code,       why->text};
    cm_log(CM_ERROR, "a document could not be made; the others are", "lane", trouble->lane, "period", trouble->period,
           "reseller", trouble->reseller, "customer", trouble->customer, "corrects", trouble->corrects, "code",
           why->code, "text", why->text, NULL);
    return cm_pg_query(pg,
                       "INSERT INTO statement_trouble (lane, period, reseller, customer, corrects, code, reason)"
                       " VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (lane, period, reseller, customer, corrects)"
                       " DO UPDATE SET code = excluded.code, reason = excluded.reason",
                       7, values, NULL, err);
}

bool cm_store_trouble_clear(cm_pg *pg, const char *lane, const char *period, bool corrections, cm_error *err)
{
    const char *values[] = {lane, period, corrections ? "t" : "f"};
    return cm_pg_query(pg,
                       "DELETE FROM statement_trouble WHERE lane = $1 AND period = $2 AND (corrects <> '') = $3::bool",
                       3, values, NULL, err);
}
