#include "billing/catalog/model/plans.h"

#include <stdlib.h>
#include <string.h>

/* Change this with the tables below: figures rated with other data are another run. */
const char *cm_support_plans_version(void)
{
    return "plans 1";
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

const char *cm_plan_type_name(enum cm_plan_type type)
{
    cm_assert((int)type >= 0 && (size_t)type < sizeof type_names / sizeof type_names[0]);
    return type_names[type];
}

bool cm_plan_type_parse(cm_slice name, enum cm_plan_type *ret)
{
    for (size_t i = 0; i < sizeof type_names / sizeof type_names[0]; i++)
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

/* rating.md section 6; the legacy plans end 2027-01-01. */
static const cm_plan_band developer[] = {ABOVE(3)};
static const cm_plan_band business_public[] = {UP_TO(10000, 10), UP_TO(80000, 7), UP_TO(250000, 5), ABOVE(3)};
static const cm_plan_band business_plus[] = {UP_TO(10000, 9), UP_TO(80000, 6), UP_TO(250000, 4), ABOVE(3)};
static const cm_plan_band enterprise[] = {UP_TO(150000, 10), UP_TO(500000, 7), UP_TO(1000000, 5), ABOVE(3)};

static const cm_support_plan published[] = {
    {CM_PLAN_DEVELOPER, "USD", INT64_MIN, START_OF_2027, WHOLE(29), BANDS(developer)},
    {CM_PLAN_BUSINESS_PUBLIC, "USD", INT64_MIN, START_OF_2027, WHOLE(100), BANDS(business_public)},
    {CM_PLAN_BUSINESS_PLUS, "USD", START_OF_2026, INT64_MAX, WHOLE(29), BANDS(business_plus)},
    {CM_PLAN_ENTERPRISE, "USD", INT64_MIN, INT64_MAX, WHOLE(15000), BANDS(enterprise)},
};
enum { PUBLISHED = sizeof published / sizeof published[0] };

static int by_type_and_from(const void *a, const void *b)
{
    const cm_support_plan *x = a, *y = b;
    if (x->type != y->type)
        return x->type < y->type ? -1 : 1;
    return (x->from > y->from) - (x->from < y->from);
}

/* The parts of `plan` that no plan of `own` of its type covers; `own` is sorted. Returns how many were written. */
static size_t parts_left(const cm_support_plan *plan, const cm_support_plan *own, size_t count, cm_support_plan *into)
{
    size_t parts = 0;
    cm_instant at = plan->from;
    for (size_t i = 0; i < count && at < plan->to; i++) {
        if (own[i].type != plan->type || own[i].to <= at || own[i].from >= plan->to)
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
    qsort(list, count, sizeof *list, by_type_and_from);
    size_t total = count;
    for (size_t i = 0; i < PUBLISHED; i++)
        total += parts_left(&published[i], list, count, list + total);
    qsort(list, total, sizeof *list, by_type_and_from);
    *ret_count = total;
    return list;
}
