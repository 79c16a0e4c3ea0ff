#include "delivery/observed/observed.h"

#include "base/base/hash_index.h"
#include "billing/catalog/model/plans.h"

#include <stdlib.h>
#include <xxhash.h>

enum { ARENA_BYTES = 16 * 1024 };

typedef struct account {
    cm_observed observed;
    const char **support;
    size_t support_capacity;
} account;

struct cm_observer {
    cm_arena *arena; /* texts */
    account *list;
    size_t count, capacity;
    cm_hash_index index;
    cm_observed *sorted;
};

cm_observer *cm_observer_new(void)
{
    cm_observer *o = cm_alloc(sizeof *o);
    o->arena = cm_arena_new(ARENA_BYTES);
    return o;
}

void cm_observer_free(cm_observer *o)
{
    if (!o)
        return;
    for (size_t i = 0; i < o->count; i++)
        free(o->list[i].support);
    cm_arena_free(o->arena);
    free(o->list);
    cm_hash_free(&o->index);
    free(o->sorted);
    free(o);
}

static bool same_account(const void *list, uint32_t position, const void *name)
{
    return cm_slice_is(*(const cm_slice *)name, ((const account *)list)[position].observed.account);
}

static account *account_of(cm_observer *o, cm_slice name)
{
    uint64_t hash = XXH3_64bits(name.length ? name.text : "", name.length);
    uint32_t i = cm_hash_find(&o->index, hash, same_account, o->list, &name);
    if (i != CM_HASH_NONE)
        return &o->list[i];
    if (o->count == o->capacity) {
        o->capacity = o->capacity ? 2 * o->capacity : 64;
        o->list = cm_realloc(o->list, o->capacity * sizeof *o->list);
    }
    cm_hash_add(&o->index, hash, (uint32_t)o->count);
    account *a = &o->list[o->count++];
    *a = (account){.observed = {.account = cm_arena_strndup(o->arena, name.length ? name.text : "", name.length),
                                .first_usage = INT64_MAX,
                                .last_usage = INT64_MIN}};
    return a;
}

/* Kept sorted; an account has one or two. */
static void see_support(cm_observer *o, account *a, cm_slice product)
{
    size_t at = 0;
    for (; at < a->observed.support_count; at++) {
        if (cm_slice_is(product, a->support[at]))
            return;
    }
    if (a->observed.support_count == a->support_capacity) {
        a->support_capacity = a->support_capacity ? 2 * a->support_capacity : 2;
        a->support = cm_realloc(a->support, a->support_capacity * sizeof *a->support);
    }
    const char *name = cm_arena_strndup(o->arena, product.text, product.length);
    for (; at && strcmp(a->support[at - 1], name) > 0; at--)
        a->support[at] = a->support[at - 1];
    a->support[at] = name;
    a->observed.support_count++;
    a->observed.support = a->support;
}

static bool is_usage(cm_slice type)
{
    enum cm_class class;
    return cm_class_of_builtin_type(type, &class) && (class == CM_CLASS_USAGE || class == CM_CLASS_COVERED_USAGE);
}

static void see(void *opaque, const cm_kind_seen *seen)
{
    cm_observer *o = opaque;
    cm_slice name = seen->usage_account;
    if (name.length) /* a text ends at the first NUL */
        name.length = strnlen(name.text, name.length);
    account *a = account_of(o, name);
    bool support = cm_is_known_support_product(seen->product_code);
    a->observed.lines += seen->lines;
    if (seen->first < a->observed.first_usage)
        a->observed.first_usage = seen->first;
    if (seen->last > a->observed.last_usage)
        a->observed.last_usage = seen->last;
    if (support)
        see_support(o, a, seen->product_code);
    else if (is_usage(seen->line_item_type))
        a->observed.usage_lines += seen->lines;
}

void cm_observer_take(cm_observer *o, cm_batch_builder *builder)
{
    cm_batch_builder_seen(builder, see, o);
}

static int by_account(const void *a, const void *b)
{
    return strcmp(((const cm_observed *)a)->account, ((const cm_observed *)b)->account);
}

size_t cm_observer_list(cm_observer *o, cm_observed **ret)
{
    free(o->sorted);
    o->sorted = cm_alloc((o->count + 1) * sizeof *o->sorted);
    for (size_t i = 0; i < o->count; i++)
        o->sorted[i] = o->list[i].observed;
    if (o->count)
        qsort(o->sorted, o->count, sizeof *o->sorted, by_account);
    *ret = o->sorted;
    return o->count;
}
