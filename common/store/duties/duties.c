#include "store/duties/internal.h"

#include <string.h>

const char *const cm_duties_by_date_codes[] = {
    "DELIVERY_LATE", "DAY_MISSING", "PAYER_SILENT", "DELIVERY_SHRANK", "DELIVERY_FAILED", "STATEMENT_OVERDUE", NULL};

bool duties_wanted(const duties *d, const char *lane, const char *payer, const char *period)
{
    const cm_duties_order *o = d->order;
    return (!o->lane || !lane || strcmp(o->lane, lane) == 0) && (!o->payer || !payer || strcmp(o->payer, payer) == 0) &&
           (!o->period || !period || strcmp(o->period, period) == 0);
}

void duties_add(const duties *d, const duty *what, const char *detail, const char *command)
{
    char since[CM_INSTANT_TEXT];
    if (!duties_wanted(d, what->lane, what->payer, what->period))
        return;
    json_t *one =
        json_pack("{s:s, s:s?, s:s?, s:s?, s:s?, s:s?, s:s, s:s, s:s}", "code", what->code, "lane", what->lane, "payer",
                  what->payer, "period", what->period, "customer", what->customer, "object", what->object, "since",
                  cm_instant_print(what->since, since), "detail", detail, "command", command);
    cm_assert(one);
    json_array_append_new(d->list, one);
}

bool duties_has_link(const cm_catalog *catalog, const char *payer, cm_period period, const cm_customer *customer)
{
    for (size_t i = 0; i < catalog->link_count; i++) {
        const cm_link *link = &catalog->links[i];
        if (strcmp(link->payer, payer) == 0 && link->from < cm_period_end(period) &&
            link->to > cm_period_start(period) && (!customer || link->customer == customer))
            return true;
    }
    return false;
}

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
