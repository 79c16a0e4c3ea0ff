/* Views as CSV: R10's columns, one row a line, then the sums (`row` says which). */
#include "base/csv/csv.h"
#include "billing/print/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS_MAX = 40 };

/* --- cells ------------------------------------------------------------------------------------------------------- */

/* Tags as "key=value;key=value", sorted; \ ; = in keys and values are escaped with a backslash. */
static void put_escaped(cm_buffer *out, const char *text)
{
    for (; *text; text++) {
        if (strchr("\\;=", *text))
            cm_buffer_char(out, '\\');
        cm_buffer_char(out, *text);
    }
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void tags_text(const json_t *tags, cm_buffer *ret)
{
    const char **keys = cm_alloc((json_object_size(tags) + 1) * sizeof *keys), *key;
    json_t *value;
    size_t count = 0;
    json_object_foreach ((json_t *)tags, key, value)
        keys[count++] = key;
    if (count)
        qsort(keys, count, sizeof *keys, by_name);
    for (size_t i = 0; i < count; i++) {
        if (i)
            cm_buffer_char(ret, ';');
        put_escaped(ret, keys[i]);
        cm_buffer_char(ret, '=');
        put_escaped(ret, cm_print_text(tags, keys[i]));
    }
    free(keys);
}

/* --- columns ----------------------------------------------------------------------------------------------------- */

/* The source of a cell's text: a key of the row, a key of the view, or a special case. */
enum from { ROW, ROW_TYPE, VIEW, CYCLE_START, CYCLE_END, CUSTOMER_NAME, TAGS, RATE, SOURCE, TIERS };

typedef struct column {
    const char *name;
    enum from from;
    const char *key;
    bool is_number;
} column;

#define HEAD                                                                                                           \
    {"row", ROW_TYPE, NULL, false}, {"document", VIEW, "id", false}, {"number", VIEW, "number", false},                \
        {"kind", VIEW, "kind", false}, {"period", VIEW, "period", false}, {"cycle_start", CYCLE_START, NULL, false},   \
        {"cycle_end", CYCLE_END, NULL, false}, {"customer", ROW, "customer", false},                                   \
    {                                                                                                                  \
        "customer_name", CUSTOMER_NAME, NULL, false                                                                    \
    }
#define LINE                                                                                                           \
    {"account", ROW, "account", false}, {"account_name", ROW, "account_name", false},                                  \
        {"product", ROW, "product", false}, {"usage_type", ROW, "usage_type", false}, {"class", ROW, "class", false},  \
        {"quantity", ROW, "quantity", true}, {"unit", ROW, "unit", false}, {"currency", VIEW, "currency", false},      \
        {"amount_exact", ROW, "amount_exact", true}, {"amount", ROW, "amount", true},                                  \
        {"source_currency", SOURCE, NULL, false}, {"exchange_rate", RATE, NULL, true},                                 \
    {                                                                                                                  \
        "tags", TAGS, NULL, false                                                                                      \
    }

static const column customer_columns[] = {
    HEAD, LINE, {"unit_price", ROW, "unit_price", true}, {"tiers", TIERS, NULL, false}, {0}};
static const column unlabelled_columns[] = {HEAD, LINE, {0}}; /* of records without labels (I09) */
static const column reseller_columns[] = {HEAD,
                                          LINE,
                                          {"step", ROW, "step", false},
                                          {"sell", ROW, "sell", true},
                                          {"buy", ROW, "buy", true},
                                          {"fx_margin", ROW, "fx", true},
                                          {"margin", ROW, "margin", true},
                                          {0}};
static const column distributor_columns[] = {HEAD,
                                             {"account", ROW, "account", false},
                                             {"product", ROW, "product", false},
                                             {"class", ROW, "class", false},
                                             {"step", ROW, "step", false},
                                             {"source_currency", VIEW, "source_currency", false},
                                             {"buy", ROW, "source_buy", true},
                                             {"currency", VIEW, "currency", false},
                                             {"distributor_rate", VIEW, "distributor_rate", true},
                                             {"paid", ROW, "paid", true},
                                             {0}};

typedef struct writing {
    const json_t *view;
    const column *column[COLUMNS_MAX];
    int count;
    size_t customer; /* the last one found, in the view's list */
    cm_buffer *out;
} writing;

/* Lines of a customer are consecutive, so the last one found is tried first. */
static const char *customer_name(writing *w, const char *id)
{
    const json_t *customers = json_object_get(w->view, "customers");
    size_t count = json_array_size(customers);
    for (size_t i = 0; i < count; i++) {
        size_t at = (w->customer + i) % count;
        if (strcmp(cm_print_text(json_array_get(customers, at), "id"), id) == 0) {
            w->customer = at;
            return cm_print_text(json_array_get(customers, at), "name");
        }
    }
    return "";
}

/* Where nothing was converted: the document's own, at the rate 1. */
static const char *source_currency(const json_t *view)
{
    const char *from = cm_print_text(json_object_get(view, "exchange_rate"), "from");
    return *from ? from : cm_print_text(view, "currency");
}

static const char *cell(writing *w, const column *c, const char *type, const json_t *row, cm_buffer *scratch)
{
    switch (c->from) {
    case ROW:
        return cm_print_text(row, c->key);
    case ROW_TYPE:
        return type;
    case VIEW:
        return cm_print_text(w->view, c->key);
    case CYCLE_START:
        return cm_print_text(json_object_get(w->view, "cycle"), "start");
    case CYCLE_END:
        return cm_print_text(json_object_get(w->view, "cycle"), "end");
    case CUSTOMER_NAME:
        return customer_name(w, cm_print_text(row, "customer"));
    case RATE:
        return cm_print_text(w->view, "rate");
    case SOURCE:
        return source_currency(w->view);
    case TIERS:
        cm_print_tiers(w->view, row, scratch);
        return cm_buffer_string(scratch);
    case TAGS:
        tags_text(json_object_get(row, "tags"), scratch);
        return cm_buffer_string(scratch);
    }
    return "";
}

static void put_row(writing *w, const char *type, const json_t *row)
{
    cm_buffer scratch = {0};
    for (int i = 0; i < w->count; i++) {
        cm_buffer_clear(&scratch);
        const char *text = cell(w, w->column[i], type, row, &scratch);
        if (i)
            cm_csv_next(w->out);
        if (w->column[i]->is_number)
            cm_csv_number(w->out, cm_slice_of(text));
        else
            cm_csv_text(w->out, cm_slice_of(text));
    }
    cm_csv_end(w->out);
    cm_buffer_free(&scratch);
}

static void put_rows(writing *w, const char *type, const json_t *rows)
{
    size_t i;
    json_t *row;
    json_array_foreach (rows, i, row)
        put_row(w, type, row);
}

/* A row that holds only a sum. */
static void put_sum(writing *w, const char *type, json_t *row)
{
    put_row(w, type, row);
    json_decref(row);
}

static void put_document(writing *w)
{
    size_t i;
    json_t *tax;
    put_rows(w, "line", json_object_get(w->view, "lines"));
    put_sum(w, "subtotal", json_pack("{s:O?}", "amount", json_object_get(w->view, "subtotal")));
    json_array_foreach (json_object_get(w->view, "tax"), i, tax)
        put_sum(w, "tax",
                json_pack("{s:O?, s:O?, s:s, s:O?}", "product", json_object_get(tax, "name"), "quantity",
                          json_object_get(tax, "percent"), "unit", "%", "amount", json_object_get(tax, "amount")));
    put_sum(w, "total", json_pack("{s:O?}", "amount", json_object_get(w->view, "total")));
}

static void put_margin(writing *w)
{
    static const char *const sums[] = {"sell", "buy", "fx", "margin"};
    const json_t *margin = json_object_get(w->view, "margin");
    if (!json_is_object(margin))
        return;
    put_rows(w, "margin", json_object_get(margin, "rows"));
    json_t *total = json_object();
    for (size_t i = 0; i < sizeof sums / sizeof *sums; i++)
        json_object_set(total, sums[i], json_object_get(margin, sums[i]));
    put_sum(w, "margin_total", total);
}

/* --- choosing ---------------------------------------------------------------------------------------------------- */

static bool choose(writing *w, const column *all, const char *const *columns, cm_error *err)
{
    if (!columns) {
        for (; all->name; all++)
            w->column[w->count++] = all;
        return true;
    }
    for (; *columns; columns++) {
        const column *one = all;
        while (one->name && strcmp(one->name, *columns) != 0)
            one++;
        if (one->name && w->count < COLUMNS_MAX) {
            w->column[w->count++] = one;
            continue;
        }
        cm_buffer names = {0};
        for (one = all; one->name; one++)
            cm_buffer_printf(&names, "%s%s", one == all ? "" : ", ", one->name);
        cm_fail(err, CM_ERROR_INVALID, "COLUMN",
                "\"%s\" is not a column of this view (or there are too many); the columns are %s", *columns,
                names.data);
        cm_buffer_free(&names);
        return false;
    }
    return true;
}

/* Credits for earlier months (N12) reduce the purchases. */
static void put_arrears(writing *w)
{
    size_t i;
    json_t *one, *arrears = json_object_get(w->view, "arrears");
    json_array_foreach (arrears, i, one) {
        const char *amount = cm_print_text(one, "amount");
        cm_buffer negative = {0};
        cm_buffer_printf(&negative, "%s%s", *amount == '-' ? "" : "-", *amount == '-' ? amount + 1 : amount);
        json_t *row = json_copy(one);
        json_object_set_new(row, "step", json_string("provider_discount_arrears"));
        json_object_set_new(row, "source_buy", json_string(negative.data));
        put_sum(w, "arrears", row);
        cm_buffer_free(&negative);
    }
    if (json_array_size(arrears))
        put_sum(w, "net", json_pack("{s:O?}", "source_buy", json_object_get(w->view, "source_net")));
}

bool cm_view_csv(const json_t *view, const char *const *columns, cm_buffer *ret, cm_error *err)
{
    const char *name = cm_print_text(view, "view");
    bool is_reseller = strcmp(name, "reseller") == 0, is_distributor = strcmp(name, "distributor") == 0;
    writing w = {.view = view, .out = ret};
    if (!choose(&w,
                is_distributor                      ? distributor_columns
                : is_reseller                       ? reseller_columns
                : json_object_get(view, "language") ? customer_columns
                                                    : unlabelled_columns,
                columns, err))
        return false;
    for (int i = 0; i < w.count; i++)
        cm_buffer_printf(ret, "%s%s", i ? "," : "", cm_say(view, w.column[i]->name));
    cm_buffer_text(ret, "\r\n");
    if (is_distributor) {
        put_rows(&w, "line", json_object_get(view, "rows"));
        put_sum(&w, "total",
                json_pack("{s:O?, s:O?}", "source_buy", json_object_get(view, "source_buy"), "paid",
                          json_object_get(view, "paid")));
        put_arrears(&w);
        return true;
    }
    put_document(&w);
    if (is_reseller)
        put_margin(&w);
    return true;
}
