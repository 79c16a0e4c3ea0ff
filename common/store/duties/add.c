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
