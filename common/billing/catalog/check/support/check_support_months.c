/*
 * Months for which a support plan group gives no price (rating.md section 6), because its plan is not in force. Months
 * after the end of a plan that the catalog names with dates are refused. Told as warnings, because their documents may
 * never be made, and wait for SUPPORT_PLAN_ENDED if they are: such months of an account without an end, months before a
 * plan begins, and a plan in another currency than the customer's prices (that of the charges only the reports tell).
 */
#include "billing/catalog/check/check.h"
#include "billing/catalog/model/plans.h"

#include <stdlib.h>
#include <string.h>

typedef struct plans {
    const cm_support_plan *list; /* by name and from */
    size_t count;
} plans;

enum trouble_kind {
    ENDED,     /* months with dates after the end */
    OPEN_END,  /* the account has no end, the plan has */
    NOT_BEGUN, /* months before the plan begins */
    CURRENCY,
};

/* One problem for each group and kind of trouble, with the number of accounts. */
typedef struct trouble {
    const cm_document *group;
    const cm_checked_link *link; /* the first */
    size_t count;
    cm_instant from, to; /* months without a price */
    enum trouble_kind kind;
} trouble;

typedef struct troubles {
    trouble *list;
    size_t count, capacity;
} troubles;

/* What the documents say, as far as months and currencies are concerned; a minimum is there, or not. */
static plans merge_plans(cm_checker *checker)
{
    size_t count = 0;
    cm_support_plan *own = cm_arena_zalloc(checker->arena, (2 * checker->index_count + 1) * sizeof *own);
    for (size_t i = 0; i < checker->index_count; i++) {
        const cm_document *document = checker->index[i];
        if (document->kind != CM_DOCUMENT_SUPPORT_PLAN || !document->unique || document->from >= document->to)
            continue;
        const char *currency = json_string_value(json_object_get(document->json, "currency"));
        const char *minimum = json_string_value(json_object_get(document->json, "minimum"));
        cm_support_plan plan = {.name = document->unique,
                                .currency = currency ? currency : "USD",
                                .from = document->from,
                                .to = document->to,
                                .minimum = cm_decimal_from_i64(minimum && strcmp(minimum, "0") != 0),
                                .count = json_array_size(json_object_get(document->json, "bands"))};
        own[count++] = plan;
        if (strcmp(document->unique, document->id) == 0)
            continue;
        plan.name = document->id; /* its type, and itself */
        own[count++] = plan;
    }
    plans merged;
    merged.list = cm_support_plans_merge(checker->arena, own, count, &merged.count);
    return merged;
}

/* Months without the plan. */
typedef struct gap {
    cm_instant from, to;
    bool not_begun; /* the plan begins after them, and has not ended before */
} gap;

/* The first of [from, to). */
static bool first_gap(const plans *all, const char *name, cm_instant from, cm_instant to, gap *ret)
{
    bool ended = false;
    for (size_t i = 0; i < all->count && from < to; i++) {
        const cm_support_plan *plan = &all->list[i];
        if (strcmp(plan->name, name) != 0)
            continue;
        if (plan->from > from) {
            *ret = (gap){from, plan->from < to ? plan->from : to, !ended};
            return true;
        }
        ended = true;
        if (plan->to > from)
            from = plan->to;
    }
    *ret = (gap){from, to, false};
    return from < to;
}

static bool says(const cm_document *group, const char *key)
{
    return json_object_get(group->json, key) != NULL;
}

/* Is an amount of the plan's own currency part of the fee? */
static bool uses_money(const cm_support_plan *plan, const cm_document *group)
{
    return (!says(group, "percent") && plan->count > 1) ||
           (!says(group, "minimum") && !cm_decimal_is_zero(plan->minimum));
}

static const char *currency_of(const cm_checker *checker, const cm_checked_link *link)
{
    const char *book = json_string_value(json_object_get(link->customer->json, "price_book"));
    const cm_document *document = book ? cm_checker_find(checker, CM_DOCUMENT_PRICE_BOOK, book) : NULL;
    return document ? json_string_value(json_object_get(document->json, "currency")) : NULL;
}

static bool other_currency(const plans *all, const cm_document *group, const cm_checked_link *link,
                           const char *currency)
{
    for (size_t i = 0; currency && i < all->count; i++) {
        const cm_support_plan *plan = &all->list[i];
        if (strcmp(plan->name, group->plan) == 0 && plan->from < link->to && plan->to > link->from &&
            strcmp(plan->currency, currency) != 0 && uses_money(plan, group))
            return true;
    }
    return false;
}

static void note(troubles *all, const trouble *new)
{
    for (size_t i = 0; i < all->count; i++) {
        trouble *old = &all->list[i];
        if (old->group != new->group || old->kind != new->kind)
            continue;
        old->count++;
        if (new->from < old->from)
            old->from = new->from;
        if (new->to > old->to)
            old->to = new->to;
        return;
    }
    all->list = cm_room(all->list, all->count, &all->capacity, sizeof *all->list);
    all->list[all->count++] = *new;
}

/* The link's account is in the group from `from` on. */
static void look_at_group(const cm_checker *checker, const plans *all, const cm_checked_link *link, const char *id,
                          cm_instant from, cm_instant to, troubles *ret)
{
    const cm_document *group = id ? cm_checker_find(checker, CM_DOCUMENT_SUPPORT_PLAN_GROUP, id) : NULL;
    if (!group || !group->plan || from >= to)
        return;
    trouble found = {.group = group, .link = link, .count = 1};
    cm_instant begin = cm_period_start(cm_period_of(from));
    gap g;
    for (from = begin; first_gap(all, group->plan, from, to, &g); from = g.to) {
        found.from = g.from;
        found.to = g.to;
        found.kind = g.not_begun ? NOT_BEGUN : g.from > begin && g.to == INT64_MAX ? OPEN_END : ENDED;
        note(ret, &found);
    }
    if (other_currency(all, group, link, currency_of(checker, link))) {
        found.kind = CURRENCY;
        note(ret, &found);
    }
}

/* A link that names no group has those of the customer's terms. */
static void look_at(const cm_checker *checker, const plans *all, const cm_checked_link *link, troubles *ret)
{
    const json_t *customer = link->customer->json;
    const char *group = json_string_value(json_object_get(customer, "support_plan_group"));
    cm_instant at = link->from;
    size_t i;
    json_t *term;
    if (link->group) {
        look_at_group(checker, all, link, link->group, link->from, link->to, ret);
        return;
    }
    json_array_foreach (json_object_get(customer, "terms"), i, term) {
        const char *next = json_string_value(json_object_get(term, "support_plan_group"));
        const char *month = json_string_value(json_object_get(term, "from"));
        cm_period from;
        if (!next || !month || !cm_period_parse(cm_slice_of(month), &from))
            continue;
        cm_instant until = cm_period_start(from) < link->to ? cm_period_start(from) : link->to;
        look_at_group(checker, all, link, group, at, until, ret);
        at = until > at ? until : at;
        group = next;
    }
    look_at_group(checker, all, link, group, at, link->to, ret);
}

static const char *month_of(cm_instant at, char into[static CM_PERIOD_TEXT])
{
    return cm_period_print(cm_period_of(at), into);
}

/* " and 3 more accounts" */
static const char *more_accounts(cm_checker *checker, size_t count)
{
    if (count < 2)
        return "";
    return cm_arena_printf(checker->arena, " and %zu more account%s", count - 1, count == 2 ? "" : "s");
}

static void tell(cm_checker *checker, const trouble *t)
{
    char from[CM_PERIOD_TEXT], last[CM_PERIOD_TEXT];
    const char *account = t->link->account, *more = more_accounts(checker, t->count), *plan = t->group->plan;
    const char *many = t->count > 1 ? "have" : "has";
    month_of(t->from, from);
    month_of(t->to == INT64_MAX ? t->from : t->to - 1, last);
    switch (t->kind) {
    case ENDED:
        cm_wrong(
            checker, t->link->node,
            "account %s%s: plan %s of %s is not in force from %s %s%s: there is no price for support; name a group "
            "with another plan for those months, or add a SupportPlan that holds for them",
            account, more, plan, t->group->title, from, t->to == INT64_MAX ? "on" : "to ",
            t->to == INT64_MAX ? "" : last);
        break;
    case OPEN_END:
        cm_warn(checker, t->group->plan_node,
                "%s: plan %s is not in force from %s on, and account %s%s in the group %s no end: no document of those "
                "months can be issued (SUPPORT_PLAN_ENDED); end it with `to: %s-01` and give it another group from "
                "then on, or add a SupportPlan",
                t->group->title, plan, from, account, more, many, from);
        break;
    case NOT_BEGUN:
        cm_warn(checker, t->group->plan_node,
                "%s: plan %s is not yet in force from %s to %s, and account %s%s %s the group then: no document of "
                "those months can be issued (SUPPORT_PLAN_ENDED)",
                t->group->title, plan, from, last, account, more, many);
        break;
    case CURRENCY:
        cm_warn(checker, t->group->plan_node,
                "%s: plan %s is in another currency than %s, in which account %s%s %s its prices: no document with "
                "charges in %s can be issued (SUPPORT_PLAN_ENDED); add a SupportPlan in %s for a group of its own, or "
                "name another group",
                t->group->title, plan, currency_of(checker, t->link), account, more, many,
                currency_of(checker, t->link), currency_of(checker, t->link));
        break;
    }
}

/* A version names a month as an account does. */
static void look_at_versions(cm_checker *checker, const plans *all)
{
    char month[CM_PERIOD_TEXT];
    for (size_t i = 0; i < checker->index_count; i++) {
        const cm_document *group = checker->index[i];
        gap g;
        if (group->kind == CM_DOCUMENT_SUPPORT_PLAN_GROUP && group->plan && group->version_node &&
            first_gap(all, group->plan, group->from, group->from + 1, &g))
            cm_wrong(checker, group->version_node, "plan %s of %s is not in force in %s: there is no price for support",
                     group->plan, group->title, month_of(group->from, month));
    }
}

void cm_check_support_months(cm_checker *checker)
{
    troubles found = {0};
    if (checker->incomplete) /* plans may be missing */
        return;
    plans all = merge_plans(checker);
    for (size_t i = 0; i < checker->link_count; i++)
        look_at(checker, &all, &checker->links[i], &found);
    for (size_t i = 0; i < found.count; i++)
        tell(checker, &found.list[i]);
    look_at_versions(checker, &all);
    free(found.list);
}
