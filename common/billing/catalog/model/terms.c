/* What holds for a customer in a month (rating.md section 8; R01, O14). */
#include "billing/catalog/model/catalog.h"

const cm_customer_terms *cm_customer_terms_in(const cm_customer *customer, cm_period period)
{
    cm_instant start = cm_period_start(period);
    size_t i = customer->term_count - 1;
    while (i > 0 && customer->terms[i].from > start)
        i--;
    return &customer->terms[i];
}

const cm_support_group *cm_link_group(const cm_link *link, cm_period period)
{
    return link->own_group ? link->own_group : cm_customer_terms_in(link->customer, period)->support_group;
}
