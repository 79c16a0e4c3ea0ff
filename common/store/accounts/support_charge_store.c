#include "store/accounts/support_charge_store.h"

#include "platform/postgres/array.h"

bool cm_store_support_look_due(cm_pg *pg, const char *payer, cm_period period, cm_instant now, bool *ret, cm_error *err)
{
    char month[CM_PERIOD_TEXT], day_ago[CM_INSTANT_TEXT];
    cm_rows *rows = NULL;
    const char *values[] = {payer, cm_period_print(period, month), cm_instant_print(now - CM_DAY, day_ago)};
    if (!cm_pg_query(pg,
                     "SELECT 1 FROM aws_support_look WHERE payer = $1 AND period = $2"
                     " AND (final OR (code IN ('', 'DENIED') AND looked_at > $3::timestamptz))",
                     3, values, &rows, err))
        return false;
    *ret = cm_rows_count(rows) == 0;
    cm_rows_free(rows);
    return true;
}

enum { COLUMNS = 7 };

static bool replace_charges(cm_pg *pg, const cm_support_look *look, const char *month, const char *at, cm_error *err)
{
    cm_buffer column[COLUMNS] = {0};
    char number[3][CM_DECIMAL_TEXT];
    for (size_t i = 0; i < look->count; i++) {
        const cm_support_told *told = &look->list[i];
        cm_decimal_print(told->charge, number[0]);
        cm_decimal_print(told->usage_basis, number[1]);
        cm_decimal_print(told->discount, number[2]);
        const char *texts[COLUMNS] = {told->account,
                                      told->plan,
                                      number[0],
                                      number[1],
                                      number[2],
                                      told->discount_type,
                                      told->estimated ? "t" : "f"};
        for (size_t c = 0; c < COLUMNS; c++)
            cm_array_text(&column[c], texts[c]);
    }
    const char *values[3 + COLUMNS] = {look->payer, month, at};
    for (size_t c = 0; c < COLUMNS; c++)
        values[3 + c] = cm_array_end(&column[c]);
    bool done =
        cm_pg_query(pg, "DELETE FROM aws_support_charge WHERE payer = $1 AND period = $2", 2, values, NULL, err) &&
        cm_pg_query(pg,
                    "INSERT INTO aws_support_charge (payer, period, seen_at, account, plan, charge, "
                    "usage_basis, discount, discount_type, estimated)"
                    " SELECT $1, $2, $3::timestamptz, x.* FROM unnest($4::text[], $5::text[], $6::numeric[],"
                    " $7::numeric[], $8::numeric[], $9::text[], $10::boolean[]) x"
                    " ON CONFLICT DO NOTHING", /* AWS's list moved between two pages */
                    3 + COLUMNS, values, NULL, err);
    for (size_t c = 0; c < COLUMNS; c++)
        cm_buffer_free(&column[c]);
    return done;
}

static bool note_look(cm_pg *pg, const cm_support_look *look, const char *month, const char *at, bool *ret_news,
                      cm_error *err)
{
    cm_rows *rows = NULL;
    const char *values[] = {look->payer,
                            month,
                            at,
                            look->code ? NULL : at,
                            look->final ? "t" : "f",
                            look->code ? look->code : "",
                            look->detail ? look->detail : ""};
    if (!cm_pg_query(pg,
                     "WITH known AS (SELECT 1 FROM aws_support_look WHERE payer = $1 AND code = $6"
                     " AND looked_at > $3::timestamptz - interval '2 days')"
                     " INSERT INTO aws_support_look AS l (payer, period, looked_at, good_at, final, code, detail)"
                     " VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (payer, period) DO UPDATE SET"
                     " looked_at = excluded.looked_at, good_at = coalesce(excluded.good_at, l.good_at),"
                     " final = excluded.final, code = excluded.code, detail = excluded.detail"
                     " RETURNING NOT EXISTS (SELECT FROM known)",
                     7, values, &rows, err))
        return false;
    *ret_news = cm_rows_bool(rows, 0, 0);
    cm_rows_free(rows);
    return true;
}

bool cm_store_support_look(cm_pg *pg, const cm_support_look *look, cm_instant now, bool *ret_news, cm_error *err)
{
    char month[CM_PERIOD_TEXT], at[CM_INSTANT_TEXT];
    cm_period_print(look->period, month);
    cm_instant_print(now, at);
    bool done = cm_pg_begin(pg, err) && (!look->listed || replace_charges(pg, look, month, at, err)) &&
                note_look(pg, look, month, at, ret_news, err) && cm_pg_commit(pg, err);
    if (!done)
        cm_pg_rollback(pg);
    return done;
}

bool cm_store_support_plans(cm_pg *pg, const char *payer, cm_period period, cm_rows **ret, cm_error *err)
{
    char month[CM_PERIOD_TEXT];
    const char *values[] = {payer, cm_period_print(period, month)};
    return cm_pg_query(pg,
                       "SELECT account, plan FROM aws_support_charge WHERE payer = $1 AND period = $2 AND account <> ''"
                       " ORDER BY account COLLATE \"C\"",
                       2, values, ret, err);
}
