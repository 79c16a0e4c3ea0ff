/* Which support plan group charges of a month belong to (rating.md section 6). */
#include "billing/statement/internal.h"

#include <string.h>

const cm_link *cm_link_of_month(const cm_catalog *catalog, const char *payer, const char *account, const char *customer,
                                cm_period period)
{
    size_t count = 0;
    const cm_link *links = cm_catalog_links(catalog, payer, cm_slice_of(account), &count);
    const cm_link *found = NULL;
    for (size_t i = 0; i < count; i++) { /* by ascending `from` */
        if (strcmp(links[i].customer->id, customer) == 0 && links[i].from < cm_period_end(period) &&
            links[i].to > cm_period_start(period))
            found = &links[i];
    }
    return found;
}

const cm_support_group *cm_group_of_charges(const cm_catalog *catalog, const char *payer, const char *account,
                                            const char *customer, const char *link_from, cm_period period)
{
    cm_instant since;
    size_t count = 0;
    if (link_from && *link_from && cm_instant_parse(cm_slice_of(link_from), &since)) {
        const cm_link *links = cm_catalog_links(catalog, payer, cm_slice_of(account), &count);
        for (size_t i = 0; i < count; i++)
            if (links[i].from <= since && since < links[i].to && strcmp(links[i].customer->id, customer) == 0)
                return cm_link_group(&links[i], period);
    }
    const cm_link *link = cm_link_of_month(catalog, payer, account, customer, period);
    return link ? cm_link_group(link, period) : NULL;
}
