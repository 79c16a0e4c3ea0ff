#include "store/duties/internal.h"

#include <string.h>

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

const cm_link *duties_links(const cm_catalog *catalog, const char *payer, size_t *ret_count)
{
    size_t low = 0, high = catalog->link_count, end;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(catalog->links[middle].payer, payer) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    for (end = low; end < catalog->link_count && strcmp(catalog->links[end].payer, payer) == 0;)
        end++;
    *ret_count = end - low;
    return catalog->links + low;
}

bool duties_link_holds(const cm_link *link, cm_period period)
{
    return link->from < cm_period_end(period) && link->to > cm_period_start(period);
}

bool duties_has_link(const cm_catalog *catalog, const char *payer, cm_period period)
{
    size_t count;
    const cm_link *links = duties_links(catalog, payer, &count);
    for (size_t i = 0; i < count; i++) {
        if (duties_link_holds(&links[i], period))
            return true;
    }
    return false;
}
