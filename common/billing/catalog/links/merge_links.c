/* The links of a catalog with those of org-linker beside them. */
#include "billing/catalog/links/link_set.h"
#include "billing/catalog/model/private.h"

#include <stdlib.h>

typedef struct merging {
    const cm_catalog *base;
    cm_arena *arena;
    cm_link *link; /* the result */
    size_t count, capacity;
    cm_link_problem *problem;
    size_t problems, problem_capacity;
} merging;

/* Room for one more; the older, smaller copies stay in the arena until the catalog goes. */
static void *room(cm_arena *arena, void *list, size_t count, size_t *capacity, size_t size)
{
    if (count < *capacity)
        return list;
    size_t more = *capacity ? 2 * *capacity : 16;
    void *grown = cm_arena_alloc(arena, more * size);
    if (count)
        memcpy(grown, list, count * size);
    *capacity = more;
    return grown;
}

static void add_link(merging *m, const cm_link *link)
{
    m->link = room(m->arena, m->link, m->count, &m->capacity, sizeof *m->link);
    m->link[m->count++] = *link;
}

static void add_problem(merging *m, const char *code, const cm_given_link *given, cm_instant from, cm_instant to,
                        const char *detail)
{
    m->problem = room(m->arena, m->problem, m->problems, &m->problem_capacity, sizeof *m->problem);
    m->problem[m->problems++] = (cm_link_problem){code,
                                                  cm_arena_strndup(m->arena, given->payer, strlen(given->payer)),
                                                  cm_arena_strndup(m->arena, given->account, strlen(given->account)),
                                                  detail,
                                                  from,
                                                  to};
}

static const char *until(cm_instant to, char into[static CM_INSTANT_TEXT])
{
    if (to == INT64_MAX)
        return "open end";
    return cm_instant_print(to, into);
}

static void contradiction(merging *m, const cm_given_link *given, const cm_link *other, cm_instant from, cm_instant to)
{
    char begin[CM_INSTANT_TEXT], end[CM_INSTANT_TEXT];
    add_problem(
        m, "LINK_CONTRADICTION", given, from, to,
        cm_arena_printf(
            m->arena, "from %s to %s %s says customer %s, the link request says %s: %s counts; correct one of them",
            cm_instant_print(from, begin), until(to, end), other->given ? "another link request" : "the catalog",
            other->customer->id, given->customer, other->customer->id));
}

/* The given link as one of the catalog; false: it cannot be used, and why is told. */
static bool translate(merging *m, const cm_given_link *given, cm_link *ret)
{
    const cm_payer *payer = cm_catalog_payer(m->base, given->payer);
    const cm_customer *customer = cm_catalog_customer(m->base, given->customer);
    if (!payer)
        return false; /* no run of it can be rated with this catalog */
    if (!customer) {
        add_problem(m, "LINK_REFUSED", given, given->from, given->to,
                    cm_arena_printf(m->arena,
                                    "org-linker says customer %s, whom the catalog does not have: add the customer, "
                                    "then `curmill run start --payer %s --period YYYY-MM`",
                                    given->customer, payer->id));
        return false;
    }
    *ret = (cm_link){.payer = payer->id,
                     .account = cm_arena_strndup(m->arena, given->account, strlen(given->account)),
                     .customer = customer,
                     .declared_plan = cm_arena_strndup(m->arena, given->declared_plan, strlen(given->declared_plan)),
                     .given = true};
    if (*given->group) {
        ret->own_group = cm_find_by_id(m->base->groups, m->base->group_count, sizeof *m->base->groups, given->group);
        if (!ret->own_group)
            add_problem(
                m, "LINK_GROUP_MISSING", given, given->from, given->to,
                cm_arena_printf(
                    m->arena,
                    "org-linker names the support plan group %s, which the catalog does not have: linked without one",
                    given->group));
    }
    return true;
}

static int by_from(const void *a, const void *b)
{
    const cm_link *x = a, *y = b;
    return (x->from > y->from) - (x->from < y->from);
}

/* Adds the parts of [from, to) that the links of the account so far ([first, taken), by time) leave free. */
static void add_free_parts(merging *m, size_t first, size_t taken, const cm_given_link *given, cm_link part,
                           cm_instant from, cm_instant to)
{
    cm_instant at = from;
    for (size_t i = first; i < taken && at < to; i++) {
        cm_link held = m->link[i];
        if (held.to <= at || held.from >= to)
            continue;
        if (held.customer != part.customer)
            contradiction(m, given, &held, held.from > at ? held.from : at, held.to < to ? held.to : to);
        part.from = at;
        part.to = held.from;
        if (part.to > part.from)
            add_link(m, &part);
        at = held.to;
    }
    part.from = at;
    part.to = to;
    if (part.to > part.from)
        add_link(m, &part);
}

/* O06, R06 */
static bool refuses(const cm_payer_model *model, const cm_customer_terms *terms)
{
    return terms->commitment_policy == CM_COMMITMENT_PASS_THROUGH && !model->allows_pass_through;
}

/* Adds what can be used of `given`: not the months whose terms its payer refuses. */
static void add_given(merging *m, size_t first, const cm_given_link *given)
{
    cm_link link;
    size_t taken = m->count, next;
    if (!translate(m, given, &link))
        return;
    const cm_payer_model *model = cm_catalog_payer(m->base, link.payer)->model;
    const cm_customer *customer = link.customer;
    for (size_t i = 0; i < customer->term_count; i = next) {
        bool refused = refuses(model, &customer->terms[i]);
        for (next = i + 1; next < customer->term_count && refuses(model, &customer->terms[next]) == refused;)
            next++;
        cm_instant from = customer->terms[i].from,
                   to = next < customer->term_count ? customer->terms[next].from : INT64_MAX;
        from = from > given->from ? from : given->from;
        to = to < given->to ? to : given->to;
        if (from >= to)
            continue;
        if (refused)
            add_problem(m, "LINK_REFUSED", given, from, to,
                        cm_arena_printf(m->arena, "customer %s has commitment_policy pass_through, and %s (O06, R06)",
                                        customer->id, model->pass_through_refusal));
        else
            add_free_parts(m, first, taken, given, link, from, to);
    }
    if (m->count > taken)
        qsort(&m->link[first], m->count - first, sizeof *m->link, by_from);
}

static int order_of(const char *payer, const char *account, const char *other_payer, const char *other_account)
{
    int order = strcmp(payer, other_payer);
    return order ? order : strcmp(account, other_account);
}

static int by_payer_account_from(const void *a, const void *b)
{
    const cm_given_link *x = *(const cm_given_link *const *)a, *y = *(const cm_given_link *const *)b;
    int order = order_of(x->payer, x->account, y->payer, y->account);
    if (!order)
        order = (x->from > y->from) - (x->from < y->from);
    if (!order)
        order = strcmp(x->customer, y->customer);
    return order ? order : (x < y ? -1 : x > y);
}

/* Both lists are sorted: merges them account by account. */
static void merge(merging *m, const cm_link *own, size_t own_count, const cm_given_link *const *given,
                  size_t given_count)
{
    size_t i = 0, g = 0;
    m->capacity = own_count + given_count + 16;
    m->link = cm_arena_alloc(m->arena, m->capacity * sizeof *m->link);
    while (g < given_count) {
        const char *payer = given[g]->payer, *account = given[g]->account;
        for (; i < own_count && order_of(own[i].payer, own[i].account, payer, account) < 0; i++)
            add_link(m, &own[i]);
        size_t first = m->count;
        for (; i < own_count && order_of(own[i].payer, own[i].account, payer, account) == 0; i++)
            add_link(m, &own[i]);
        for (; g < given_count && order_of(given[g]->payer, given[g]->account, payer, account) == 0; g++)
            add_given(m, first, given[g]);
    }
    for (; i < own_count; i++)
        add_link(m, &own[i]);
}

/* Links of one payer, or of all (NULL), in the order of the merge. */
static const cm_given_link **sort_given(cm_arena *arena, const char *payer, const cm_given_link *links, size_t count,
                                        size_t *ret_count)
{
    const cm_given_link **sorted = cm_arena_alloc(arena, (count + 1) * sizeof *sorted);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (!payer || strcmp(links[i].payer, payer) == 0)
            sorted[kept++] = &links[i];
    if (kept)
        qsort(sorted, kept, sizeof *sorted, by_payer_account_from);
    *ret_count = kept;
    return sorted;
}

size_t cm_links_merge(const cm_catalog *base, const cm_link *own, size_t own_count, const cm_given_link *links,
                      size_t count, cm_arena *arena, const cm_link **ret)
{
    merging m = {.base = base, .arena = arena};
    const cm_given_link **sorted = sort_given(arena, NULL, links, count, &count);
    merge(&m, own, own_count, sorted, count);
    *ret = m.link;
    return m.count;
}

static size_t first_of_payer(const cm_catalog *base, const char *payer)
{
    size_t low = 0, high = base->link_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(base->links[middle].payer, payer) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

cm_catalog *cm_catalog_with_links(const cm_catalog *base, const char *payer, const cm_given_link *links, size_t count)
{
    cm_arena *arena = cm_arena_new(4096);
    cm_catalog *catalog = cm_arena_alloc(arena, sizeof *catalog);
    struct cm_catalog_private *private = cm_arena_zalloc(arena, sizeof *private);
    *catalog = *base;
    private->arena = arena;
    private->fx_index = ((const struct cm_catalog_private *)base->private_)->fx_index;
    catalog->private_ = private;

    size_t kept;
    const cm_given_link **sorted = sort_given(arena, payer, links, count, &kept);
    size_t begin = payer ? first_of_payer(base, payer) : 0, end = base->link_count;
    if (payer)
        for (end = begin; end < base->link_count && strcmp(base->links[end].payer, payer) == 0;)
            end++;
    merging m = {.base = base, .arena = arena};
    merge(&m, base->links + begin, end - begin, sorted, kept);
    catalog->links = m.link;
    catalog->link_count = m.count;
    catalog->link_problems = m.problem;
    catalog->link_problem_count = m.problems;
    return catalog;
}

cm_catalog *cm_catalog_take_links(cm_catalog *base, const cm_given_link *links, size_t count)
{
    cm_catalog *catalog = cm_catalog_with_links(base, NULL, links, count);
    ((struct cm_catalog_private *)catalog->private_)->base = base;
    return catalog;
}
