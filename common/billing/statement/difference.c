#include "billing/statement/difference.h"

#include "billing/statement/statement.h"

#include <stdlib.h>
#include <string.h>

static const char *const key_names[] = {"customer", "account", "product", "usage_type", "unit", "class"};
enum { KEYS = sizeof key_names / sizeof *key_names };

static int by_key(const void *a, const void *b)
{
    const cm_difference_line *x = a, *y = b;
    for (int i = 0; i < KEYS; i++) {
        int order = strcmp(cm_json_member_text(x->line, key_names[i]), cm_json_member_text(y->line, key_names[i]));
        if (order)
            return order;
    }
    return 0;
}

bool cm_difference_add(cm_difference *all, const json_t *document, bool minus)
{
    size_t i;
    const json_t *line, *lines = json_object_get(document, "lines");
    for (i = 0; i < json_array_size(lines); i++) {
        line = json_array_get(lines, i);
        if (all->count == all->capacity) {
            all->capacity = all->capacity ? all->capacity * 2 : 256;
            all->list = cm_realloc(all->list, all->capacity * sizeof *all->list);
        }
        cm_difference_line *e = &all->list[all->count++];
        e->line = line;
        if (!cm_json_member_decimal(line, "quantity", &e->quantity) ||
            !cm_json_member_decimal(line, "amount_exact", &e->exact))
            return false;
        if (minus && (!cm_decimal_negate(e->quantity, &e->quantity) || !cm_decimal_negate(e->exact, &e->exact)))
            return false;
    }
    return true;
}

/* Merges equal keys into one line; drops lines without a difference in money. */
bool cm_difference_merge(cm_difference *all)
{
    size_t kept = 0;
    if (all->count)
        qsort(all->list, all->count, sizeof *all->list, by_key);
    for (size_t i = 0; i < all->count; i++) {
        cm_difference_line *last = kept ? &all->list[kept - 1] : NULL;
        if (last && by_key(last, &all->list[i]) == 0) {
            if (!cm_decimal_accumulate(&last->quantity, all->list[i].quantity) ||
                !cm_decimal_accumulate(&last->exact, all->list[i].exact))
                return false;
        } else {
            all->list[kept++] = all->list[i];
        }
    }
    all->count = kept;
    kept = 0;
    for (size_t i = 0; i < all->count; i++) {
        if (!cm_decimal_is_zero(all->list[i].exact))
            all->list[kept++] = all->list[i];
    }
    all->count = kept;
    return true;
}

/* --- amounts of the correction ----------------------------------------------------------------------------------- */

bool cm_difference_amount(const json_t *now, const json_t *before, const char *key, cm_decimal *ret)
{
    size_t i;
    json_t *document;
    *ret = CM_DECIMAL_ZERO;
    if (now && !cm_json_member_decimal(now, key, ret))
        return false;
    json_array_foreach ((json_t *)before, i, document) {
        cm_decimal told;
        if (!cm_json_member_decimal(document, key, &told) || !cm_decimal_subtract(*ret, told, ret))
            return false;
    }
    return true;
}

bool cm_difference_lines(const cm_difference *all, int places, cm_decimal subtotal, json_t *ret)
{
    cm_decimal *exact = cm_alloc((all->count + 1) * sizeof *exact),
               *rounded = cm_alloc((all->count + 1) * sizeof *rounded);
    for (size_t i = 0; i < all->count; i++)
        exact[i] = all->list[i].exact;
    bool done = cm_round_lines_to_total(exact, all->count, places, subtotal, rounded);
    for (size_t i = 0; done && i < all->count; i++) {
        json_t *line = json_deep_copy(all->list[i].line);
        json_object_set_new(line, "quantity", cm_json_decimal(all->list[i].quantity));
        json_object_set_new(line, "amount_exact", cm_json_decimal(exact[i]));
        json_object_set_new(line, "amount", cm_json_decimal(rounded[i]));
        json_array_append_new(ret, line);
    }
    free(exact);
    free(rounded);
    return done;
}

static const json_t *tax_named(const json_t *taxes, const json_t *like)
{
    for (size_t i = 0; i < json_array_size(taxes); i++) {
        const json_t *tax = json_array_get(taxes, i);
        if (strcmp(cm_json_member_text(tax, "name"), cm_json_member_text(like, "name")) == 0 &&
            strcmp(cm_json_member_text(tax, "percent"), cm_json_member_text(like, "percent")) == 0)
            return tax;
    }
    return NULL;
}

bool cm_difference_taxes(const json_t *now, const json_t *before, cm_decimal *total, json_t *ret)
{
    json_t *names = json_array(); /* every (name, percent) once, in order of appearance */
    for (size_t d = 0; d <= json_array_size(before); d++) {
        const json_t *taxes = json_object_get(d == 0 ? now : json_array_get(before, d - 1), "tax");
        for (size_t i = 0; i < json_array_size(taxes); i++) {
            if (!tax_named(names, json_array_get(taxes, i)))
                json_array_append(names, json_array_get(taxes, i));
        }
    }
    bool done = true;
    for (size_t i = 0; done && i < json_array_size(names); i++) {
        const json_t *name = json_array_get(names, i), *tax = tax_named(json_object_get(now, "tax"), name);
        cm_decimal amount = CM_DECIMAL_ZERO, part;
        done = !tax || cm_json_member_decimal(tax, "amount", &amount);
        for (size_t d = 0; done && d < json_array_size(before); d++) {
            const json_t *old = tax_named(json_object_get(json_array_get(before, d), "tax"), name);
            done = !old || (cm_json_member_decimal(old, "amount", &part) && cm_decimal_negate(part, &part) &&
                            cm_decimal_accumulate(&amount, part));
        }
        done = done && cm_decimal_accumulate(total, amount);
        json_array_append_new(ret, json_pack("{s:s, s:s, s:o}", "name", cm_json_member_text(name, "name"), "percent",
                                             cm_json_member_text(name, "percent"), "amount", cm_json_decimal(amount)));
    }
    json_decref(names);
    return done;
}

static bool same_texts(const json_t *a, const json_t *b, const char *const *keys, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(cm_json_member_text(a, keys[i]), cm_json_member_text(b, keys[i])) != 0)
            return false;
    return true;
}

static bool same_lines(const json_t *a, const json_t *b)
{
    size_t count = json_array_size(a);
    if (count != json_array_size(b))
        return false;
    for (size_t i = 0; i < count; i++) { /* both in the order of their keys */
        const json_t *x = json_array_get(a, i), *y = json_array_get(b, i);
        if (!same_texts(x, y, key_names, KEYS) || !same_texts(x, y, (const char *[]){"amount_exact"}, 1))
            return false;
    }
    return true;
}

/* The next tax from `at` that is not 0; NULL: none. */
static const json_t *next_tax(const json_t *list, size_t *at)
{
    while (*at < json_array_size(list)) {
        const json_t *one = json_array_get(list, (*at)++);
        if (strcmp(cm_json_member_text(one, "amount"), "0") != 0)
            return one;
    }
    return NULL;
}

static bool same_taxes(const json_t *a, const json_t *b)
{
    static const char *const keys[] = {"name", "percent", "amount"};
    size_t i = 0, j = 0;
    const json_t *x, *y;
    do {
        x = next_tax(a, &i);
        y = next_tax(b, &j);
        if (!x != !y || (x && !same_texts(x, y, keys, 3)))
            return false;
    } while (x);
    return true;
}

bool cm_difference_is_same(const json_t *a, const json_t *b)
{
    return same_texts(a, b, (const char *[]){"subtotal"}, 1) &&
           same_lines(json_object_get(a, "lines"), json_object_get(b, "lines")) &&
           same_taxes(json_object_get(a, "tax"), json_object_get(b, "tax"));
}

/* Less than one minor unit on every line and tax: no document is created; a later one includes it, once it has
 * grown. */
bool cm_difference_is_nothing(const json_t *lines, const json_t *tax)
{
    const json_t *lists[] = {lines, tax};
    for (int list = 0; list < 2; list++) {
        for (size_t i = 0; i < json_array_size(lists[list]); i++) {
            if (strcmp(cm_json_member_text(json_array_get(lists[list], i), "amount"), "0") != 0)
                return false;
        }
    }
    return true;
}
