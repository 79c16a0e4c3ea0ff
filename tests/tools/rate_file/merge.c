#include "merge.h"

#include "base/time/time.h"

#include <stddef.h>
#include <stdlib.h>

struct merge {
    cm_arena *arena; /* never reset: holds the texts */
    cm_charge *charge;
    size_t charges, charge_capacity;
    cm_charge_day *day;
    size_t days, day_capacity;
};

static const struct {
    const char *name;
    size_t at;
} charge_keys[] = {
    {"account", offsetof(cm_charge, account)},
    {"customer", offsetof(cm_charge, customer)},
    {"line_item_type", offsetof(cm_charge, line_item_type)},
    {"class", offsetof(cm_charge, class)},
    {"product", offsetof(cm_charge, product)},
    {"usage_type", offsetof(cm_charge, usage_type)},
    {"operation", offsetof(cm_charge, operation)},
    {"region", offsetof(cm_charge, region)},
    {"unit", offsetof(cm_charge, unit)},
    {"rule", offsetof(cm_charge, rule)},
    {"reason", offsetof(cm_charge, reason)},
    {"currency", offsetof(cm_charge, currency)},
    {"link_from", offsetof(cm_charge, link_from)},
};
enum { CHARGE_KEYS = sizeof charge_keys / sizeof charge_keys[0] };
_Static_assert(CHARGE_KEYS * sizeof(cm_slice) == offsetof(cm_charge, lines), "every text of a charge is a key");

static cm_slice *charge_key(cm_charge *charge, int key)
{
    return (cm_slice *)(void *)((char *)charge + charge_keys[key].at);
}

merge *merge_new(void)
{
    merge *m = cm_alloc(sizeof *m);
    m->arena = cm_arena_new(1 << 16);
    return m;
}

void merge_free(merge *m)
{
    cm_arena_free(m->arena);
    free(m->charge);
    free(m->day);
    free(m);
}

static cm_slice kept(merge *m, cm_slice text)
{
    return (cm_slice){cm_arena_strndup(m->arena, text.length ? text.text : "", text.length), text.length};
}

void merge_add(merge *m, const cm_rated_batch *batch)
{
    while (m->charges + batch->charges > m->charge_capacity) {
        m->charge_capacity = m->charge_capacity ? 2 * m->charge_capacity : 1024;
        m->charge = cm_realloc(m->charge, m->charge_capacity * sizeof *m->charge);
    }
    for (size_t i = 0; i < batch->charges; i++) {
        cm_charge *charge = &m->charge[m->charges++];
        *charge = batch->charge[i];
        for (int key = 0; key < CHARGE_KEYS; key++)
            *charge_key(charge, key) = kept(m, *charge_key(charge, key));
    }
    while (m->days + batch->days > m->day_capacity) {
        m->day_capacity = m->day_capacity ? 2 * m->day_capacity : 1024;
        m->day = cm_realloc(m->day, m->day_capacity * sizeof *m->day);
    }
    for (size_t i = 0; i < batch->days; i++) {
        cm_charge_day *day = &m->day[m->days++];
        *day = batch->day[i];
        day->account = kept(m, day->account);
        day->product = kept(m, day->product);
        day->currency = kept(m, day->currency);
    }
}

static int text_order(cm_slice a, cm_slice b)
{
    int order = memcmp(a.text, b.text, a.length < b.length ? a.length : b.length); /* kept texts are never NULL */
    return order ? order : (a.length > b.length) - (a.length < b.length);
}

static int charge_order(const void *a, const void *b)
{
    for (int key = 0; key < CHARGE_KEYS; key++) {
        const cm_slice *x = (const cm_slice *)(const void *)((const char *)a + charge_keys[key].at);
        const cm_slice *y = (const cm_slice *)(const void *)((const char *)b + charge_keys[key].at);
        int order = text_order(*x, *y);
        if (order)
            return order;
    }
    return 0;
}

static int day_order(const void *a, const void *b)
{
    const cm_charge_day *x = a, *y = b;
    int order = (x->day > y->day) - (x->day < y->day);
    order = order ? order : text_order(x->account, y->account);
    order = order ? order : text_order(x->product, y->product);
    return order ? order : text_order(x->currency, y->currency);
}

static bool add_layers(cm_layers *sum, const cm_layers *more, cm_error *err)
{
    if (cm_decimal_accumulate(&sum->quantity, more->quantity) && cm_decimal_accumulate(&sum->payer, more->payer) &&
        cm_decimal_accumulate(&sum->list, more->list) && cm_decimal_accumulate(&sum->buy, more->buy) &&
        cm_decimal_accumulate(&sum->sell, more->sell))
        return true;
    return cm_fail(err, CM_ERROR_POISON, "OVERFLOW", "a sum over all files does not fit an amount");
}

static void put_amount(json_t *group, const char *name, cm_decimal amount)
{
    char text[CM_DECIMAL_TEXT];
    cm_decimal_print(amount, text);
    json_object_set_new(group, name, json_string(text));
}

static void put_sums(json_t *group, uint64_t lines, uint64_t derived_lines, const cm_layers *sum)
{
    json_object_set_new(group, "lines", json_integer((json_int_t)lines));
    json_object_set_new(group, "derived_lines", json_integer((json_int_t)derived_lines));
    put_amount(group, "quantity", sum->quantity);
    put_amount(group, "payer", sum->payer);
    put_amount(group, "list", sum->list);
    put_amount(group, "buy", sum->buy);
    put_amount(group, "sell", sum->sell);
}

static json_t *charge_json(cm_charge *charge)
{
    json_t *group = json_object();
    for (int key = 0; key < CHARGE_KEYS; key++)
        json_object_set_new(group, charge_keys[key].name,
                            json_stringn(charge_key(charge, key)->text, charge_key(charge, key)->length));
    json_object_set_new(group, "final_lines", json_integer((json_int_t)charge->final_lines));
    put_sums(group, charge->lines, charge->derived_lines, &charge->sum);
    return group;
}

static json_t *day_json(const cm_charge_day *day)
{
    char text[CM_INSTANT_TEXT];
    json_t *group = json_pack("{s:s, s:s, s:s, s:s}", "day", cm_day_print(day->day, text), "account", day->account.text,
                              "product", day->product.text, "currency", day->currency.text);
    put_sums(group, day->lines, day->derived_lines, &day->sum);
    return group;
}

static bool print_charges(merge *m, json_t *groups, cm_error *err)
{
    if (m->charges)
        qsort(m->charge, m->charges, sizeof *m->charge, charge_order);
    for (size_t i = 0, next; i < m->charges; i = next) {
        cm_charge *charge = &m->charge[i];
        for (next = i + 1; next < m->charges && charge_order(charge, &m->charge[next]) == 0; next++) {
            charge->lines += m->charge[next].lines;
            charge->derived_lines += m->charge[next].derived_lines;
            charge->final_lines += m->charge[next].final_lines;
            if (!add_layers(&charge->sum, &m->charge[next].sum, err))
                return false;
        }
        json_array_append_new(groups, charge_json(charge));
    }
    return true;
}

bool merge_groups(merge *m, json_t **ret_groups, json_t **ret_days, cm_error *err)
{
    *ret_groups = json_array();
    *ret_days = json_array();
    if (!print_charges(m, *ret_groups, err))
        return false;
    if (m->days)
        qsort(m->day, m->days, sizeof *m->day, day_order);
    for (size_t i = 0, next; i < m->days; i = next) {
        cm_charge_day *day = &m->day[i];
        for (next = i + 1; next < m->days && day_order(day, &m->day[next]) == 0; next++) {
            day->lines += m->day[next].lines;
            day->derived_lines += m->day[next].derived_lines;
            if (!add_layers(&day->sum, &m->day[next].sum, err))
                return false;
        }
        json_array_append_new(*ret_days, day_json(day));
    }
    return true;
}
