/* What a support plan group says in a month (rating.md section 6). */
#include "billing/catalog/model/plans.h"

#include <string.h>

const cm_support_plan *cm_catalog_plan(const cm_catalog *catalog, const char *name, cm_instant at)
{
    for (size_t i = 0; i < catalog->plan_count; i++) {
        const cm_support_plan *plan = &catalog->plans[i];
        if (strcmp(plan->name, name) == 0 && plan->from <= at && at < plan->to)
            return plan;
    }
    return NULL;
}

const cm_group_terms *cm_group_terms_in(const cm_support_group *group, cm_period period)
{
    size_t i = group->term_count - 1;
    while (i > 0 && group->terms[i].from > cm_period_start(period))
        i--;
    return &group->terms[i];
}

/* The end of the last time that the plan holds before `at`, or INT64_MIN; whether it begins later. */
static cm_instant ended(const cm_catalog *catalog, const char *name, cm_instant at, bool *ret_later)
{
    cm_instant end = INT64_MIN;
    *ret_later = false;
    for (size_t i = 0; i < catalog->plan_count; i++) {
        const cm_support_plan *plan = &catalog->plans[i];
        if (strcmp(plan->name, name) != 0)
            continue;
        if (plan->to <= at && plan->to > end)
            end = plan->to;
        *ret_later |= plan->from > at;
    }
    return end;
}

static void why_not_in_force(const cm_catalog *catalog, const char *name, cm_period period, cm_buffer *why)
{
    char month[CM_PERIOD_TEXT], last[CM_PERIOD_TEXT];
    bool later;
    cm_instant end = ended(catalog, name, cm_period_start(period), &later);
    cm_period_print(period, month);
    if (end != INT64_MIN)
        cm_buffer_printf(why, "plan %s ended with %s and is not in force in %s", name,
                         cm_period_print(cm_period_previous(cm_period_of(end)), last), month);
    else if (later)
        cm_buffer_printf(why, "plan %s is not yet in force in %s", name, month);
    else
        cm_buffer_printf(why, "the bands of plan %s are not known", name);
}

/* Is an amount of money of the plan used: a border of its bands, its minimum? */
static bool uses_money(const cm_support_plan *plan, const cm_group_terms *terms)
{
    return (!terms->has_percent && plan->count > 1) || (!terms->has_minimum && !cm_decimal_is_zero(plan->minimum));
}

bool cm_group_plan(const cm_catalog *catalog, const cm_support_group *group, cm_period period, const char *currency,
                   const cm_support_plan **ret, cm_buffer *ret_why)
{
    *ret = NULL;
    if (!group->plan)
        return true;
    const cm_support_plan *plan = cm_catalog_plan(catalog, group->plan, cm_period_start(period));
    if (!plan) {
        if (ret_why)
            why_not_in_force(catalog, group->plan, period, ret_why);
        return false;
    }
    if (strcmp(plan->currency, currency) != 0 && uses_money(plan, cm_group_terms_in(group, period))) {
        if (ret_why)
            cm_buffer_printf(ret_why, "plan %s is in %s and the charges are in %s", group->plan, plan->currency,
                             currency);
        return false;
    }
    *ret = plan;
    return true;
}
