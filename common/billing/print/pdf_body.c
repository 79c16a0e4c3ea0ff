/* The summary, then every line: by customer, part (usage, support, custom charges, credits), account and product. */
#include "base/base/error.h"
#include "base/decimal/decimal.h"
#include "billing/print/paper.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct body {
    cm_paper *paper;
    json_t *spans; /* customer -> [first line, end]; NULL: the lines of a customer are not consecutive */
    int digits;
    const json_t **lines; /* of the current part and customer */
    size_t count;
    cm_table table;
    cm_column columns[6];
    char amount_title[32];
} body;

static const char *say(const body *b, const char *english)
{
    return cm_say(b->paper->view, english);
}

static size_t part_of(const body *b, const json_t *line)
{
    const char *named = cm_print_text(line, "part"); /* customers read words for the classes */
    for (size_t i = 0; *named && i < CM_PARTS; i++)
        if (strcmp(named, say(b, cm_part_titles[i])) == 0)
            return i;
    return cm_part_of_class(cm_print_text(line, "class"));
}

static void add(cm_decimal *sum, const json_t *line)
{
    cm_decimal amount;
    bool fits = cm_decimal_parse_strict(cm_slice_of(cm_print_text(line, "amount")), &amount) &&
                cm_decimal_accumulate(sum, amount);
    cm_assert(fits); /* the document's own sum fits, so this one does */
}

static char *money_of(const body *b, cm_decimal sum, char into[static CM_MONEY_TEXT])
{
    char plain[CM_DECIMAL_TEXT];
    cm_decimal_print(sum, plain);
    return cm_money(plain, b->digits, into);
}

static cm_decimal sum_of(const json_t *const *lines, size_t count)
{
    cm_decimal sum = CM_DECIMAL_ZERO;
    for (size_t i = 0; i < count; i++)
        add(&sum, lines[i]);
    return sum;
}

/* Finds where the lines of each customer are, so that a document about thousands of customers is not searched for each
 * of them. */
static json_t *find_spans(const json_t *lines)
{
    json_t *spans = json_object(), *span = NULL;
    const char *last = NULL;
    for (size_t i = 0; i < json_array_size(lines); i++) {
        const char *customer = cm_print_text(json_array_get(lines, i), "customer");
        if (last && strcmp(last, customer) == 0) {
            json_integer_set(json_array_get(span, 1), (json_int_t)i + 1);
            continue;
        }
        if (json_object_get(spans, customer)) {
            json_decref(spans);
            return NULL;
        }
        span = json_pack("[I, I]", (json_int_t)i, (json_int_t)i + 1);
        json_object_set_new(spans, customer, span);
        last = customer;
    }
    return spans;
}

/* `customer` NULL: all. */
static void choose(body *b, const char *customer, size_t part)
{
    const json_t *lines = json_object_get(b->paper->view, "lines");
    size_t first = 0, end = json_array_size(lines);
    if (customer && b->spans) {
        const json_t *span = json_object_get(b->spans, customer);
        first = (size_t)json_integer_value(json_array_get(span, 0));
        end = (size_t)json_integer_value(json_array_get(span, 1)); /* 0: none */
    }
    b->count = 0;
    for (size_t i = first; i < end; i++) {
        const json_t *line = json_array_get(lines, i);
        if (part_of(b, line) == part && (!customer || strcmp(cm_print_text(line, "customer"), customer) == 0))
            b->lines[b->count++] = line;
    }
}

/* --- summary ----------------------------------------------------------------------------------------------------- */

/* Sections by customer are for documents about several customers, listed separately (I02). */
static bool has_sections(const json_t *view)
{
    size_t i;
    json_t *line;
    if (json_array_size(json_object_get(view, "customers")) < 2)
        return false;
    json_array_foreach (json_object_get(view, "lines"), i, line)
        if (*cm_print_text(line, "customer"))
            return true;
    return false;
}

static void put_sums(body *b)
{
    cm_paper *paper = b->paper;
    int x = paper->left, width = paper->right - x;
    char money[CM_MONEY_TEXT];
    size_t i;
    json_t *tax;
    cm_paper_need(paper, PT(60));
    cm_paper_rule(paper, x, paper->y, width, false);
    paper->y += PT(4);
    cm_paper_pair(paper, CM_STYLE_BOLD, x, width, say(b, "Subtotal"),
                  cm_money(cm_print_text(paper->view, "subtotal"), b->digits, money));
    json_array_foreach (json_object_get(paper->view, "tax"), i, tax) {
        cm_buffer name = {0};
        cm_buffer_printf(&name, "%s %s %%", cm_print_text(tax, "name"), cm_print_text(tax, "percent"));
        cm_paper_pair(paper, CM_STYLE_BODY, x, width, name.data,
                      cm_money(cm_print_text(tax, "amount"), b->digits, money));
        cm_buffer_free(&name);
    }
    cm_paper_need(paper, PT(24));
    cm_paper_rule(paper, x, paper->y, width, true);
    paper->y += PT(5);
    cm_buffer total = {0};
    cm_buffer_printf(&total, "%s %s", say(b, "Total in"), cm_print_text(paper->view, "currency"));
    cm_paper_pair(paper, CM_STYLE_TOTAL, x, width, total.data,
                  cm_money(cm_print_text(paper->view, "total"), b->digits, money));
    cm_buffer_free(&total);
}

static void put_summary(body *b)
{
    cm_paper *paper = b->paper;
    int x = paper->left, width = paper->right - x;
    char money[CM_MONEY_TEXT];
    size_t i;
    json_t *customer;
    cm_paper_need(paper, PT(60));
    cm_paper_paragraph(paper, CM_STYLE_HEADING, say(b, "Summary"));
    paper->y += PT(4);
    for (size_t part = 0; part < CM_PARTS; part++) {
        choose(b, NULL, part);
        if (b->count)
            cm_paper_pair(paper, CM_STYLE_BODY, x, width, say(b, cm_part_titles[part]),
                          money_of(b, sum_of(b->lines, b->count), money));
    }
    put_sums(b);
    paper->y += PT(16);
    if (!has_sections(paper->view))
        return;
    cm_paper_need(paper, PT(40));
    cm_paper_paragraph(paper, CM_STYLE_HEADING, say(b, "By customer, before tax"));
    paper->y += PT(4);
    json_array_foreach (json_object_get(paper->view, "customers"), i, customer) {
        cm_decimal sum = CM_DECIMAL_ZERO;
        for (size_t part = 0; part < CM_PARTS; part++) {
            choose(b, cm_print_text(customer, "id"), part);
            cm_decimal more = sum_of(b->lines, b->count);
            bool fits = cm_decimal_accumulate(&sum, more);
            cm_assert(fits);
        }
        cm_paper_pair(paper, CM_STYLE_BODY, x, width, cm_print_text(customer, "name"), money_of(b, sum, money));
    }
    paper->y += PT(16);
}

/* --- lines ------------------------------------------------------------------------------------------------------- */

static bool is_same(const json_t *a, const json_t *b, const char *key)
{
    return strcmp(cm_print_text(a, key), cm_print_text(b, key)) == 0;
}

/* Lines from `first` on with the same account (and product). */
static size_t run_of(const body *b, size_t first, bool with_product)
{
    size_t last = first + 1;
    while (last < b->count && is_same(b->lines[first], b->lines[last], "account") &&
           (!with_product || is_same(b->lines[first], b->lines[last], "product")))
        last++;
    return last;
}

static void put_line(const body *b, const json_t *line, const char *description)
{
    char quantity[CM_MONEY_TEXT], money[CM_MONEY_TEXT], class[CM_MONEY_TEXT];
    const char *amount = cm_money(cm_print_text(line, "amount"), b->digits, money);
    const char *cells[6] = {description, cm_class_label(cm_print_text(line, "class"), class),
                            cm_quantity(cm_print_text(line, "quantity"), quantity), cm_print_text(line, "unit"),
                            amount};
    cm_buffer tiers = {0};
    if (b->table.count == 6) {
        cells[4] = cm_print_text(line, "unit_price");
        cells[5] = amount;
    }
    cm_paper_row(b->paper, &b->table, CM_STYLE_BODY, cells);
    cm_print_tiers(b->paper->view, line, &tiers);
    if (tiers.length)
        cm_paper_paragraph(b->paper, CM_STYLE_SMALL, tiers.data);
    cm_buffer_free(&tiers);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void put_tags(body *b, const json_t *tags)
{
    const char **keys = cm_alloc((json_object_size(tags) + 1) * sizeof *keys), *key;
    json_t *value;
    cm_buffer text = {0};
    size_t count = 0;
    json_object_foreach ((json_t *)tags, key, value)
        keys[count++] = key;
    if (count)
        qsort(keys, count, sizeof *keys, by_text);
    for (size_t i = 0; i < count; i++)
        cm_buffer_printf(&text, "%s%s: %s", i ? "  \xc2\xb7  " : "", keys[i], cm_print_text(tags, keys[i]));
    if (count)
        cm_paper_paragraph(b->paper, CM_STYLE_SMALL, text.data);
    cm_buffer_free(&text);
    free(keys);
}

static void put_account_head(body *b, size_t first, size_t last)
{
    cm_paper *paper = b->paper;
    const json_t *line = b->lines[first];
    const char *account = cm_print_text(line, "account"), *name = cm_print_text(line, "account_name");
    char money[CM_MONEY_TEXT];
    cm_buffer title = {0};
    cm_paper_need(paper, PT(46)); /* with its first product and line */
    paper->y += PT(4);
    cm_buffer_printf(&title, "%s %s%s%s", say(b, "Account"), account, *name ? "  \xc2\xb7  " : "", name);
    cm_paper_pair(paper, CM_STYLE_BOLD, paper->left, paper->right - paper->left, title.data,
                  money_of(b, sum_of(b->lines + first, last - first), money));
    put_tags(b, json_object_get(line, "tags"));
    cm_paper_rule(paper, paper->left, paper->y, paper->right - paper->left, false);
    paper->y += PT(3);
    cm_buffer_free(&title);
}

static void put_product(body *b, size_t first, size_t last)
{
    cm_paper *paper = b->paper;
    char money[CM_MONEY_TEXT];
    cm_paper_need(paper, PT(26));
    cm_paper_pair(paper, CM_STYLE_LABEL, paper->left, paper->right - paper->left,
                  cm_print_text(b->lines[first], "product"),
                  last - first > 1 ? money_of(b, sum_of(b->lines + first, last - first), money) : "");
    for (size_t i = first; i < last; i++)
        put_line(b, b->lines[i], cm_print_text(b->lines[i], "usage_type"));
    paper->y += PT(3);
}

/* Names of custom charges and credits. */
static void put_named(body *b)
{
    for (size_t i = 0; i < b->count; i++)
        put_line(b, b->lines[i], cm_print_text(b->lines[i], "product"));
}

static void put_part(body *b, size_t part)
{
    cm_paper *paper = b->paper;
    char money[CM_MONEY_TEXT];
    if (b->count == 0)
        return;
    paper->table = NULL;
    cm_paper_need(paper, PT(90));
    cm_paper_pair(paper, CM_STYLE_HEADING, paper->left, paper->right - paper->left, say(b, cm_part_titles[part]),
                  money_of(b, sum_of(b->lines, b->count), money));
    paper->y += PT(4);
    cm_paper_table(paper, &b->table);
    if (part >= CM_PART_CHARGES)
        put_named(b);
    for (size_t first = 0, last; part < CM_PART_CHARGES && first < b->count; first = last) {
        last = run_of(b, first, false);
        if (*cm_print_text(b->lines[first], "account"))
            put_account_head(b, first, last);
        for (size_t one = first, next; one < last; one = next) {
            next = run_of(b, one, true);
            put_product(b, one, next);
        }
    }
    paper->table = NULL;
    paper->y += PT(12);
}

static void put_customer(body *b, const json_t *customer)
{
    cm_buffer title = {0};
    cm_paper_need(b->paper, PT(120));
    cm_buffer_printf(&title, "%s (%s)", cm_print_text(customer, "name"), cm_print_text(customer, "id"));
    cm_paper_paragraph(b->paper, CM_STYLE_TOTAL, title.data);
    cm_paper_rule(b->paper, b->paper->left, b->paper->y + PT(2), b->paper->right - b->paper->left, true);
    b->paper->y += PT(8);
    cm_buffer_free(&title);
    for (size_t part = 0; part < CM_PARTS; part++) {
        choose(b, cm_print_text(customer, "id"), part);
        put_part(b, part);
    }
}

static void set_up(body *b, cm_paper *paper)
{
    bool has_prices = json_object_get(paper->view, "language"); /* customers, not on records of before (I09) */
    int word = PT(has_prices ? 66 : 88), price = has_prices ? PT(70) : 0,
        fixed = word + PT(84) + PT(62) + price + PT(84);
    b->paper = paper;
    b->spans = find_spans(json_object_get(paper->view, "lines"));
    b->digits = (int)json_integer_value(json_object_get(paper->view, "minor_digits"));
    b->lines = cm_alloc((json_array_size(json_object_get(paper->view, "lines")) + 1) * sizeof *b->lines);
    snprintf(b->amount_title, sizeof b->amount_title, "%s (%s)", say(b, "Amount"),
             cm_print_text(paper->view, "currency"));
    b->columns[0] = (cm_column){say(b, "Description"), paper->right - paper->left - fixed, CM_ALIGN_LEFT};
    b->columns[1] = (cm_column){say(b, "Class"), word, CM_ALIGN_LEFT};
    b->columns[2] = (cm_column){say(b, "Quantity"), PT(84), CM_ALIGN_RIGHT};
    b->columns[3] = (cm_column){say(b, "Unit"), PT(62), CM_ALIGN_LEFT};
    b->columns[4] = (cm_column){say(b, "Unit price"), price, CM_ALIGN_RIGHT};
    b->columns[has_prices ? 5 : 4] = (cm_column){b->amount_title, PT(84), CM_ALIGN_RIGHT};
    b->table = (cm_table){b->columns, has_prices ? 6 : 5};
}

void cm_print_body(cm_paper *paper)
{
    body b = {0};
    size_t i;
    json_t *customer;
    set_up(&b, paper);
    put_summary(&b);
    if (has_sections(paper->view)) {
        json_array_foreach (json_object_get(paper->view, "customers"), i, customer)
            put_customer(&b, customer);
    } else {
        for (size_t part = 0; part < CM_PARTS; part++) {
            choose(&b, NULL, part);
            put_part(&b, part);
        }
    }
    cm_paper_paragraph(
        paper, CM_STYLE_SMALL,
        say(&b,
            "Amounts are rounded so that they add up to the subtotal. Quantities are shown with at most six decimals."));
    json_decref(b.spans);
    free(b.lines);
}
