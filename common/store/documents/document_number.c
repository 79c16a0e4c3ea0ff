#include "store/documents/document_number.h"

#include "billing/number/number.h"

#include <stdio.h>
#include <string.h>

static bool is_taken(const char *code, const cm_rows *rows, const json_t *series)
{
    const char *lane;
    json_t *value;
    for (int i = 0; i < cm_rows_count(rows); i++)
        if (strcmp(cm_rows_text(rows, i, 1), code) == 0)
            return true;
    json_object_foreach ((json_t *)series, lane, value)
        if (strcmp(json_string_value(value), code) == 0)
            return true;
    return false;
}

/* The series of a lane that has none in the catalog: the next free letter, for good. `series`: those of the catalog. */
static bool own_series(cm_pg *pg, const char *reseller, const char *lane, const json_t *series,
                       char ret[static CM_NUMBER_SERIES_MAX + 1], cm_error *err)
{
    const char *values[] = {reseller, lane, ret};
    cm_rows *rows = NULL;
    if (!cm_pg_query(pg, "SELECT pg_advisory_xact_lock(hashtextextended('document series ' || $1, 0))", 1, values, NULL,
                     err) ||
        !cm_pg_query(pg, "SELECT lane, code FROM document_series_code WHERE reseller = $1", 1, values, &rows, err))
        return false;
    bool known = false;
    for (int i = 0; !known && i < cm_rows_count(rows); i++) {
        known = strcmp(cm_rows_text(rows, i, 0), lane) == 0;
        if (known)
            snprintf(ret, CM_NUMBER_SERIES_MAX + 1, "%s", cm_rows_text(rows, i, 1));
    }
    for (int nth = 0; !known && (nth == 0 || is_taken(ret, rows, series)); nth++)
        cm_number_series(nth, ret);
    cm_rows_free(rows);
    return known || cm_pg_query(pg, "INSERT INTO document_series_code VALUES ($1, $2, $3)", 3, values, NULL, err);
}

static bool next_in_series(cm_pg *pg, const char *reseller, const char *lane, int year, int64_t *ret, cm_error *err)
{
    char number[16];
    snprintf(number, sizeof number, "%d", year);
    const char *values[] = {reseller, lane, number};
    cm_rows *rows = NULL;
    if (!cm_pg_query(
            pg,
            "INSERT INTO document_series (reseller, lane, year, last) VALUES ($1, $2, $3::int, 1) ON CONFLICT (reseller, lane, year)"
            " DO UPDATE SET last = document_series.last + 1 RETURNING last",
            3, values, &rows, err))
        return false;
    *ret = cm_rows_i64(rows, 0, 0);
    cm_rows_free(rows);
    return true;
}

bool cm_store_document_number(cm_pg *pg, const char *reseller, const char *lane, const json_t *document, cm_instant now,
                              cm_buffer *ret, cm_error *err)
{
    char own[CM_NUMBER_SERIES_MAX + 1] = "";
    int64_t nth;
    int year = cm_period_of(now).year;
    const json_t *given = json_object_get(document, "series");
    const char *pattern = json_string_value(json_object_get(document, "document_number")),
               *series = json_string_value(json_object_get(given, lane));
    if ((!series && !own_series(pg, reseller, lane, given, own, err)) ||
        !next_in_series(pg, reseller, lane, year, &nth, err))
        return false;
    cm_number_print(pattern ? pattern : CM_NUMBER_PATTERN, reseller, series ? series : own, year, nth, ret);
    return true;
}
