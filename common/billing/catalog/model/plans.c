#include "billing/catalog/model/plans.h"

#include <stdlib.h>
#include <string.h>

/* Change this with the tables below: figures rated with other data are another run. */
const char *cm_support_plans_version(void)
{
    return "plans 2";
}

static const char *const type_names[] = {
    [CM_PLAN_BUSINESS] = "business",
    [CM_PLAN_PASSTHROUGH] = "passthrough",
    [CM_PLAN_DEVELOPER] = "developer",
    [CM_PLAN_BUSINESS_PUBLIC] = "business_public",
    [CM_PLAN_BUSINESS_PLUS] = "business_plus",
    [CM_PLAN_ENTERPRISE] = "enterprise",
    [CM_PLAN_BASIC] = "basic",
};
enum { TYPES = sizeof type_names / sizeof type_names[0] }; /* what a group may name as its type */

const char *cm_plan_type_name(enum cm_plan_type type)
{
    cm_assert((int)type >= 0 && type <= CM_PLAN_NAMED);
    return type == CM_PLAN_NAMED ? "plan" : type_names[type];
}

bool cm_plan_type_parse(cm_slice name, enum cm_plan_type *ret)
{
    for (size_t i = 0; i < TYPES; i++)
        if (cm_slice_is(name, type_names[i])) {
            *ret = (enum cm_plan_type)i;
            return true;
        }
    return false;
}

bool cm_plan_type_is_public(enum cm_plan_type type)
{
    return type == CM_PLAN_DEVELOPER || type == CM_PLAN_BUSINESS_PUBLIC || type == CM_PLAN_BUSINESS_PLUS ||
           type == CM_PLAN_ENTERPRISE;
}

#define WHOLE(n)                                                                                                       \
    {                                                                                                                  \
        (cm_i128)(n) * CM_DECIMAL_ONE_UNITS                                                                            \
    }
#define UP_TO(border, p)                                                                                               \
    {                                                                                                                  \
        false, WHOLE(border), WHOLE(p)                                                                                 \
    }
#define ABOVE(p)                                                                                                       \
    {                                                                                                                  \
        true, {0}, WHOLE(p)                                                                                            \
    }
#define BANDS(list) list, sizeof list / sizeof list[0]

/* 2026-01-01 and 2027-01-01, 00:00 UTC: 20454 and 20819 days after 1970-01-01. */
#define START_OF_2026 (20454 * CM_DAY)
#define START_OF_2027 (20819 * CM_DAY)

/* rating.md section 6. The legacy plans end with 2026-12. */
static const cm_plan_band developer[] = {ABOVE(3)};
static const cm_plan_band flat_tenth[] = {ABOVE(10)};
static const cm_plan_band business_public[] = {UP_TO(10000, 10), UP_TO(80000, 7), UP_TO(250000, 5), ABOVE(3)};
static const cm_plan_band business_plus[] = {UP_TO(10000, 9), UP_TO(80000, 7), UP_TO(250000, 5), ABOVE(3)};
static const cm_plan_band enterprise[] = {UP_TO(150000, 10), UP_TO(500000, 7), UP_TO(1000000, 5), ABOVE(3)};

static const cm_support_plan published[] = {
    {"developer", "USD", INT64_MIN, START_OF_2027, WHOLE(29), BANDS(developer)},
    {"business_public", "USD", INT64_MIN, START_OF_2027, WHOLE(100), BANDS(business_public)},
    {"enterprise_on_ramp", "USD", INT64_MIN, START_OF_2027, WHOLE(5500), BANDS(flat_tenth)},
    {"business_plus", "USD", START_OF_2026, INT64_MAX, WHOLE(29), BANDS(business_plus)},
    {"enterprise", "USD", INT64_MIN, INT64_MAX, WHOLE(15000), BANDS(enterprise)}, /* until a contract moves */
    {"enterprise_2026", "USD", START_OF_2026, INT64_MAX, WHOLE(5000), BANDS(enterprise)},
    {"partner_led", "USD", INT64_MIN, INT64_MAX, WHOLE(7500), BANDS(enterprise)},
};
enum { PUBLISHED = sizeof published / sizeof published[0] };

bool cm_support_plan_is_published(const char *name)
{
    for (size_t i = 0; i < PUBLISHED; i++)
        if (strcmp(published[i].name, name) == 0)
            return true;
    return false;
}

static int by_name_and_from(const void *a, const void *b)
{
    const cm_support_plan *x = a, *y = b;
    int order = strcmp(x->name, y->name);
    if (order)
        return order;
    return (x->from > y->from) - (x->from < y->from);
}

/* The parts of `plan` that no plan of `own` of its name covers; `own` is sorted. Returns how many were written. */
static size_t parts_left(const cm_support_plan *plan, const cm_support_plan *own, size_t count, cm_support_plan *into)
{
    size_t parts = 0;
    cm_instant at = plan->from;
    for (size_t i = 0; i < count && at < plan->to; i++) {
        if (strcmp(own[i].name, plan->name) != 0 || own[i].to <= at || own[i].from >= plan->to)
            continue;
        if (own[i].from > at) {
            into[parts] = *plan;
            into[parts].from = at;
            into[parts++].to = own[i].from;
        }
        at = own[i].to;
    }
    if (at < plan->to) {
        into[parts] = *plan;
        into[parts++].from = at;
    }
    return parts;
}

const cm_support_plan *cm_support_plans_merge(cm_arena *arena, const cm_support_plan *own, size_t count,
                                              size_t *ret_count)
{
    /* n intervals cut out of one leave at most n + 1 parts. */
    cm_support_plan *list = cm_arena_alloc(arena, (2 * count + PUBLISHED) * sizeof *list);
    if (count)
        memcpy(list, own, count * sizeof *list);
    qsort(list, count, sizeof *list, by_name_and_from);
    size_t total = count;
    for (size_t i = 0; i < PUBLISHED; i++)
        total += parts_left(&published[i], list, count, list + total);
    qsort(list, total, sizeof *list, by_name_and_from);
    *ret_count = total;
    return list;
}
