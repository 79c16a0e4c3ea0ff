#include "store/duties/internal.h"

#include <string.h>

const char *const cm_duties_by_date_codes[] = {
    "DELIVERY_LATE", "DAY_MISSING", "PAYER_SILENT", "DELIVERY_SHRANK", "DELIVERY_FAILED", "STATEMENT_OVERDUE", NULL};

/* --- order ------------------------------------------------------------------------------------------------------- */

static const char *text(const json_t *one, const char *key)
{
    const char *value = json_string_value(json_object_get(one, key));
    return value ? value : "";
}

static int by_period_and_code(const void *a, const void *b)
{
    static const char *const keys[] = {"period", "code", "payer", "customer", "object"};
    const json_t *x = *(json_t *const *)a, *y = *(json_t *const *)b;
    int order = 0;
    for (size_t i = 0; order == 0 && i < sizeof keys / sizeof *keys; i++)
        order = strcmp(text(x, keys[i]), text(y, keys[i]));
    return order;
}

static json_t *sorted(json_t *list)
{
    size_t count = json_array_size(list);
    json_t **items = cm_alloc((count + 1) * sizeof *items), *ret = json_array();
    for (size_t i = 0; i < count; i++)
        items[i] = json_array_get(list, i);
    qsort(items, count, sizeof *items, by_period_and_code);
    for (size_t i = 0; i < count; i++)
        json_array_append(ret, items[i]);
    free(items);
    json_decref(list);
    return ret;
}

static bool collect(cm_pg *pg, const cm_duties_order *order, bool all, json_t **ret, cm_error *err)
{
    duties d = {pg, order, json_array()};
    bool done = duties_arrivals(&d, err) && duties_overdue(&d, err) && (!all || duties_closing(&d, err));
    if (!done) {
        json_decref(d.list);
        return false;
    }
    *ret = sorted(d.list);
    return true;
}

bool cm_store_duties(cm_pg *pg, const cm_duties_order *order, json_t **ret, cm_error *err)
{
    return collect(pg, order, true, ret, err);
}

bool cm_store_duties_by_date(cm_pg *pg, const cm_duties_order *order, json_t **ret, cm_error *err)
{
    return collect(pg, order, false, ret, err);
}
