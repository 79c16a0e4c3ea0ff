#include "totals.h"

#include <stdio.h>
#include <stdlib.h>

static const char *const currencies[CURRENCY_COUNT] = {"USD", "CNY"};

static size_t place(const struct totals *t, unsigned type, unsigned account, unsigned currency)
{
    return ((size_t)type * (t->world->account_count + 1) + account) * CURRENCY_COUNT + currency;
}

void totals_open(struct totals *t, const struct world *w)
{
    t->world = w;
    t->group = calloc((size_t)TYPE_COUNT * (w->account_count + 1) * CURRENCY_COUNT, sizeof *t->group);
    if (t->group == NULL) {
        fputs("generate: out of memory\n", stderr);
        exit(70);
    }
}

void totals_close(struct totals *t)
{
    free(t->group);
}

static void add_line(struct sums *s, const struct line *l)
{
    s->lines++;
    s->quantity += l->quantity;
    s->payer += l->cost;
    s->list += l->has_list && l->list_cost != 0 ? l->list_cost : l->cost;
    s->public_on_demand += l->has_list ? l->list_cost : 0;
}

static void merge(struct sums *into, const struct sums *s)
{
    into->lines += s->lines;
    into->quantity += s->quantity;
    into->payer += s->payer;
    into->list += s->list;
    into->public_on_demand += s->public_on_demand;
}

void totals_add(struct totals *t, struct chunk_totals *chunk, const struct line *l)
{
    add_line(&t->group[place(t, l->type, l->account, l->currency)], l);
    add_line(&chunk->currency[l->currency], l);
}

static void set_sums(json_t *object, unsigned currency, const struct sums *s)
{
    char text[64];
    json_object_set_new(object, "currency", json_string(currencies[currency]));
    json_object_set_new(object, "lines", json_integer((json_int_t)s->lines));
    const sum10 value[] = {s->quantity, s->payer, s->list, s->public_on_demand};
    static const char *const name[] = {"quantity", "payer", "list", "public_on_demand"};
    for (int i = 0; i < 4; i++) {
        sum10_plain(value[i], text);
        json_object_set_new(object, name[i], json_string(text));
    }
}

json_t *totals_groups(const struct totals *t)
{
    json_t *array = json_array();
    for (unsigned type = 0; type < TYPE_COUNT; type++)
        for (unsigned account = 0; account <= t->world->account_count; account++)
            for (unsigned currency = 0; currency < CURRENCY_COUNT; currency++) {
                const struct sums *s = &t->group[place(t, type, account, currency)];
                if (s->lines == 0)
                    continue;
                json_t *object = json_object();
                json_object_set_new(object, "line_item_type",
                                    json_string(type_name((enum type)type, t->world->options)));
                json_object_set_new(object, "account", json_string(t->world->account[account].id));
                set_sums(object, currency, s);
                json_array_append_new(array, object);
            }
    return array;
}

json_t *totals_by_type(const struct totals *t)
{
    json_t *array = json_array();
    for (unsigned type = 0; type < TYPE_COUNT; type++)
        for (unsigned currency = 0; currency < CURRENCY_COUNT; currency++) {
            struct sums all = {0};
            for (unsigned account = 0; account <= t->world->account_count; account++)
                merge(&all, &t->group[place(t, type, account, currency)]);
            if (all.lines == 0)
                continue;
            json_t *object = json_object();
            json_object_set_new(object, "line_item_type", json_string(type_name((enum type)type, t->world->options)));
            set_sums(object, currency, &all);
            json_array_append_new(array, object);
        }
    return array;
}

static json_t *currency_array(const struct sums all[CURRENCY_COUNT])
{
    json_t *array = json_array();
    for (unsigned currency = 0; currency < CURRENCY_COUNT; currency++) {
        if (all[currency].lines == 0)
            continue;
        json_t *object = json_object();
        set_sums(object, currency, &all[currency]);
        json_array_append_new(array, object);
    }
    return array;
}

json_t *totals_grand(const struct totals *t)
{
    struct sums all[CURRENCY_COUNT] = {0};
    for (unsigned type = 0; type < TYPE_COUNT; type++)
        for (unsigned account = 0; account <= t->world->account_count; account++)
            for (unsigned currency = 0; currency < CURRENCY_COUNT; currency++)
                merge(&all[currency], &t->group[place(t, type, account, currency)]);
    return currency_array(all);
}

json_t *totals_chunk(const struct chunk_totals *chunk)
{
    return currency_array(chunk->currency);
}
