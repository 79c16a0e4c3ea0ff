#include "store/ledgers/credit_store.h"

#include "platform/postgres/array.h"

#include <stdlib.h>

static bool load(cm_pg *pg, const char *sql, int count, const char *const *values, cm_credit_uses *ret, cm_error *err)
{
    cm_rows *rows = NULL;
    *ret = (cm_credit_uses){0};
    if (!cm_pg_query(pg, sql, count, values, &rows, err))
        return false;
    ret->count = (size_t)cm_rows_count(rows);
    ret->list = cm_alloc((ret->count + 1) * sizeof *ret->list);
    for (size_t i = 0; i < ret->count; i++)
        ret->list[i] = (cm_credit_use){cm_strdup(cm_rows_text(rows, (int)i, 0)), cm_rows_decimal(rows, (int)i, 1)};
    cm_rows_free(rows);
    return true;
}

bool cm_credit_uses_load(cm_pg *pg, const char *lane, cm_period period, cm_credit_uses *ret, cm_error *err)
{
    char month[CM_PERIOD_TEXT];
    const char *values[] = {lane, cm_period_print(period, month)};
    return load(pg, "SELECT credit, amount FROM curmill_credit_used($1, $2) ORDER BY credit", 2, values, ret, err);
}

bool cm_credit_uses_load_but(cm_pg *pg, const char *lane, cm_period period, const char *but, cm_credit_uses *ret,
                             cm_error *err)
{
    char month[CM_PERIOD_TEXT];
    const char *values[] = {lane, cm_period_print(period, month), but};
    return load(
        pg,
        "SELECT u.credit, sum(u.amount) FROM credit_use u JOIN statement s ON s.id = u.statement_id"
        " WHERE u.lane = $1 AND s.state <> 'void' AND (u.period < $2 OR (u.period > $2 AND s.state IN "
        "('approved', 'issued')))"
        " AND (u.amount > 0 OR s.state = 'issued') AND NOT u.period = ANY ($3::text[]) GROUP BY u.credit ORDER BY u.credit",
        3, values, ret, err);
}

void cm_credit_uses_free(cm_credit_uses *uses)
{
    for (size_t i = 0; i < uses->count; i++)
        free((char *)uses->list[i].credit);
    free(uses->list);
    *uses = (cm_credit_uses){0};
}

/* Array literals of what a document uses. */
static void arrays_of(const cm_statement *statement, cm_buffer *credits, cm_buffer *amounts)
{
    char amount[CM_DECIMAL_TEXT];
    for (size_t i = 0; statement && i < statement->credit_count; i++) {
        cm_decimal_print(statement->credits[i].amount, amount);
        cm_array_text(credits, statement->credits[i].credit);
        cm_array_text(amounts, amount);
    }
}

bool cm_credit_use_save(cm_pg *pg, const cm_statement *statement, const char *lane, const char *month, cm_error *err)
{
    cm_buffer credits = {0}, amounts = {0};
    arrays_of(statement, &credits, &amounts);
    const char *values[] = {statement->id, lane, month, cm_array_end(&credits), cm_array_end(&amounts)};
    bool done = cm_pg_query(
        pg,
        "WITH gone AS (DELETE FROM credit_use u USING statement s WHERE u.statement_id = $1 AND s.id = $1 AND s.state = 'draft'"
        "   AND NOT u.credit = ANY ($4::text[]))"
        " INSERT INTO credit_use (statement_id, credit, lane, period, amount) SELECT $1, n.credit, $2, $3, n.amount"
        " FROM unnest($4::text[], $5::numeric[]) n (credit, amount) JOIN statement s ON s.id = $1 AND s.state = 'draft'"
        " ON CONFLICT (statement_id, credit) DO UPDATE SET amount = excluded.amount WHERE credit_use.amount <> excluded.amount",
        5, values, NULL, err);
    cm_buffer_free(&credits);
    cm_buffer_free(&amounts);
    return done;
}

bool cm_credit_use_correct(cm_pg *pg, const char *correction, const char *corrected, const cm_statement *now,
                           const char *lane, const char *month, cm_error *err)
{
    cm_buffer credits = {0}, amounts = {0};
    arrays_of(now, &credits, &amounts);
    const char *values[] = {correction, lane, month, cm_array_end(&credits), cm_array_end(&amounts), corrected};
    bool done = cm_pg_query(
        pg,
        "WITH before AS (SELECT u.credit, sum(u.amount) AS amount FROM credit_use u JOIN statement s ON s.id = u.statement_id"
        "   WHERE (s.id = $6 OR s.corrects = $6) AND s.id <> $1 AND s.state IN ('approved', 'issued') GROUP BY u.credit),"
        " differs AS (SELECT credit, coalesce(n.amount, 0) - coalesce(b.amount, 0) AS amount"
        "   FROM unnest($4::text[], $5::numeric[]) n (credit, amount) FULL JOIN before b USING (credit)),"
        " gone AS (DELETE FROM credit_use u USING statement s WHERE u.statement_id = $1 AND s.id = $1 AND s.state = 'draft'"
        "   AND NOT u.credit IN (SELECT credit FROM differs WHERE amount <> 0))"
        " INSERT INTO credit_use (statement_id, credit, lane, period, amount) SELECT $1, d.credit, $2, $3, d.amount"
        " FROM differs d JOIN statement s ON s.id = $1 AND s.state = 'draft' WHERE d.amount <> 0"
        " ON CONFLICT (statement_id, credit) DO UPDATE SET amount = excluded.amount",
        6, values, NULL, err);
    cm_buffer_free(&credits);
    cm_buffer_free(&amounts);
    return done;
}
