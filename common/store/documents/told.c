#include "store/documents/told.h"

#include "billing/catalog/model/currency.h"
#include "billing/statement/difference.h"

#include <stdlib.h>

static int places_of(const char *currency)
{
    int places = cm_currency_minor_digits(currency);
    return places < 0 ? 2 : places;
}

void cm_told_free(cm_told *told)
{
    json_decref(told->documents);
    json_decref(told->voided);
}

bool cm_told_load(cm_pg *pg, const char *id, json_t *document, cm_told *ret, cm_error *err)
{
    cm_rows *rows = NULL;
    *ret = (cm_told){.documents = json_array(), .next = 1};
    json_array_append(ret->documents, document);
    if (!cm_pg_query(pg,
                     "SELECT correction, document, state = 'void', waived FROM statement WHERE corrects = $1 AND state "
                     "<> 'draft' ORDER BY correction",
                     1, (const char *[]){id}, &rows, err))
        return false;
    for (int i = 0; i < cm_rows_count(rows); i++) {
        if (cm_rows_i64(rows, i, 0) == ret->next)
            ret->next++;
        if (!cm_rows_bool(rows, i, 2)) {
            json_array_append_new(ret->documents, json_loads(cm_rows_text(rows, i, 1), 0, NULL));
        } else if (cm_rows_bool(rows, i, 3)) {
            json_decref(ret->voided);
            ret->voided = json_loads(cm_rows_text(rows, i, 1), 0, NULL);
        }
    }
    cm_rows_free(rows);
    return true;
}

bool cm_told_difference(const cm_told *told, const char *id, const char *currency, const json_t *now, json_t **ret,
                        cm_error *err)
{
    cm_difference all = {0};
    cm_decimal subtotal, total = CM_DECIMAL_ZERO;
    json_t *lines = json_array(), *tax = json_array();
    *ret = NULL;
    bool done = cm_difference_add(&all, now, false);
    for (size_t i = 0; done && i < json_array_size(told->documents); i++)
        done = cm_difference_add(&all, json_array_get(told->documents, i), true);
    done = done && cm_difference_merge(&all) && cm_difference_amount(now, told->documents, "subtotal", &subtotal);
    /* Without lines only taxes can differ (by less than a unit, the subtotal of documents of before version 15). */
    if (done && (all.count || cm_decimal_is_zero(subtotal))) {
        total = subtotal;
        done = cm_difference_lines(&all, places_of(currency), subtotal, lines) &&
               cm_difference_taxes(now, told->documents, &total, tax);
    }
    if (!done)
        cm_fail(err, CM_ERROR_BUG, "OVERFLOW", "the correction of document %s does not fit an amount", id);
    else if (!cm_difference_is_nothing(lines, tax))
        *ret = json_pack("{s:o, s:O, s:O, s:o}", "subtotal", cm_json_decimal(subtotal), "lines", lines, "tax", tax,
                         "total", cm_json_decimal(total));
    free(all.list);
    json_decref(lines);
    json_decref(tax);
    return done;
}
