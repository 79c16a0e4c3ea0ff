#include "billing/catalog/links/link_set.h"

#include <stdlib.h>

static int by_time(const cm_given_link *x, const cm_given_link *y)
{
    int order = (x->from > y->from) - (x->from < y->from);
    return order ? order : (x->to > y->to) - (x->to < y->to);
}

static int by_words(const cm_given_link *x, const cm_given_link *y)
{
    int order = strcmp(x->customer, y->customer);
    if (!order)
        order = strcmp(x->group, y->group);
    return order ? order : strcmp(x->declared_plan, y->declared_plan);
}

static int by_all(const void *a, const void *b)
{
    const cm_given_link *x = a, *y = b;
    int order = strcmp(x->payer, y->payer);
    if (!order)
        order = strcmp(x->account, y->account);
    if (!order)
        order = by_time(x, y);
    return order ? order : by_words(x, y);
}

static json_t *instant_json(cm_instant at)
{
    char text[CM_INSTANT_TEXT];
    return json_string(at == INT64_MAX ? "" : cm_instant_print(at, text));
}

char *cm_link_set_text(cm_given_link *links, size_t count, char ret_id[static CM_ID_HEX])
{
    ret_id[0] = '\0';
    if (!count)
        return cm_strdup("");
    qsort(links, count, sizeof *links, by_all);
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:o}", "payer", links[i].payer, "account",
                                              links[i].account, "customer", links[i].customer, "group", links[i].group,
                                              "plan", links[i].declared_plan, "from", instant_json(links[i].from), "to",
                                              instant_json(links[i].to)));
    char *text = json_dumps(list, JSON_COMPACT | JSON_SORT_KEYS);
    cm_assert(text);
    json_decref(list);
    cm_digest *digest = cm_digest_new();
    cm_digest_text(digest, "links");
    cm_digest_text(digest, text);
    cm_digest_finish_id(digest, ret_id);
    return text;
}

static bool take_text(const json_t *object, const char *key, cm_arena *arena, const char **ret)
{
    const char *text = json_string_value(json_object_get(object, key));
    *ret = text ? cm_arena_strndup(arena, text, strlen(text)) : NULL;
    return text != NULL;
}

static bool take_instant(const json_t *object, const char *key, cm_instant *ret)
{
    const char *text = json_string_value(json_object_get(object, key));
    *ret = INT64_MAX;
    return text && (!*text || cm_instant_parse(cm_slice_of(text), ret));
}

bool cm_link_set_parse(const char *text, cm_arena *arena, cm_given_link **links, size_t *count, cm_error *err)
{
    json_t *list = json_loads(*text ? text : "[]", 0, NULL);
    size_t more = json_array_size(list);
    bool good = json_is_array(list);
    cm_given_link *all = cm_arena_zalloc(arena, (*count + more + 1) * sizeof *all);
    if (*count)
        memcpy(all, *links, *count * sizeof *all);
    for (size_t i = 0; good && i < more; i++) {
        const json_t *one = json_array_get(list, i);
        cm_given_link *link = &all[*count + i];
        good = take_text(one, "payer", arena, &link->payer) && take_text(one, "account", arena, &link->account) &&
               take_text(one, "customer", arena, &link->customer) && take_text(one, "group", arena, &link->group) &&
               take_text(one, "plan", arena, &link->declared_plan) && take_instant(one, "from", &link->from) &&
               take_instant(one, "to", &link->to);
    }
    json_decref(list);
    if (!good)
        return cm_fail(err, CM_ERROR_FATAL, "LINK_SET_DAMAGED",
                       "a stored link set is damaged: restore table link_set from a backup");
    *links = all;
    *count += more;
    return true;
}

/* --- what differs -------------------------------------------------------------------------------------------- */

typedef struct differing {
    const cm_given_link *list;
    size_t count, at;
} differing;

static const char *next_account(const differing *a, const differing *b)
{
    const char *x = a->at < a->count ? a->list[a->at].account : NULL,
               *y = b->at < b->count ? b->list[b->at].account : NULL;
    return !x ? y : !y ? x : strcmp(x, y) <= 0 ? x : y;
}

/* The links of the account that still count: from `at` on, those that end before `since` left out. NULL: none is left.
 */
static const cm_given_link *take_next(differing *d, const char *account, cm_instant since)
{
    while (d->at < d->count && strcmp(d->list[d->at].account, account) == 0) {
        const cm_given_link *link = &d->list[d->at++];
        if (link->to > since)
            return link;
    }
    return NULL;
}

size_t cm_link_sets_differ(const cm_given_link *a, size_t a_count, const cm_given_link *b, size_t b_count,
                           cm_instant since, cm_arena *arena, const char *const **ret)
{
    differing x = {a, a_count, 0}, y = {b, b_count, 0};
    const char **accounts = cm_arena_alloc(arena, (a_count + b_count + 1) * sizeof *accounts), *account;
    size_t count = 0;
    while ((account = next_account(&x, &y))) {
        bool same = true;
        for (const cm_given_link *one, *other;;) {
            one = take_next(&x, account, since);
            other = take_next(&y, account, since);
            if (!one && !other)
                break;
            same = same && one && other && by_time(one, other) == 0 && by_words(one, other) == 0;
        }
        if (!same)
            accounts[count++] = account;
    }
    *ret = accounts;
    return count;
}
