/* `statement show` as a table: head, lines (by customer, where the document is about several), sums, gates. */
#include "cli/cli.h"

#include "base/json/json.h"
#include "cli/eyes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void print_field(const json_t *document, const char *name)
{
    const json_t *value = json_object_get(document, name);
    cli_put(stdout, "%-10s %s\n", name, json_is_string(value) ? json_string_value(value) : "-");
}

static void print_money(const json_t *document, const char *label, const char *amount, const char *note)
{
    char *text = cli_money(amount, cm_json_member_text(document, "currency"));
    cli_put(stdout, "%-10s %s%s\n", label, text, note);
    free(text);
}

static void print_head(const json_t *document)
{
    static const char *const head[] = {"id",   "number", "kind",     "state", "reseller",
                                       "lane", "period", "currency", "rate"};
    const json_t *corrects = json_object_get(document, "corrects");
    size_t i;
    json_t *customer;
    for (size_t k = 0; k < sizeof head / sizeof *head; k++)
        print_field(document, head[k]);
    if (corrects) {
        const char *number = cm_json_member_text(corrects, "number");
        cli_put(stdout, "%-10s %s of %s\n", "corrects", *number ? number : "(no document was made)",
                cm_json_member_text(corrects, "period"));
    }
    json_array_foreach (json_object_get(document, "customers"), i, customer)
        cli_put(stdout, "%-10s %s (%s)\n", "customer", cm_json_member_text(customer, "name"),
                cm_json_member_text(customer, "id"));
    fputc('\n', stdout);
}

/* Lines of a customer (NULL: all) and what their amounts add up to. */
static void print_lines(cli *c, const json_t *document, const char *customer, cm_decimal *ret_sum)
{
    static const cli_column columns[] = {
        {"account", CLI_TEXT}, {"product", CLI_TEXT},     {"usage_type", CLI_TEXT},      {"unit", CLI_TEXT},
        {"class", CLI_TEXT},   {"quantity", CLI_DECIMAL}, {"amount_exact", CLI_DECIMAL}, {"amount", CLI_MONEY}};
    enum { COLUMNS = sizeof columns / sizeof *columns };
    cli_table *table = cli_table_new(columns, COLUMNS);
    size_t i;
    json_t *line;
    *ret_sum = CM_DECIMAL_ZERO;
    cli_table_currency(table, cm_json_member_text(document, "currency"));
    json_array_foreach (json_object_get(document, "lines"), i, line) {
        const char *cells[COLUMNS];
        cm_decimal amount;
        if (customer && strcmp(cm_json_member_text(line, "customer"), customer) != 0)
            continue;
        for (int k = 0; k < COLUMNS; k++)
            cells[k] = cm_json_member_text(line, columns[k].name);
        cli_table_add(table, cells);
        bool fits = cm_decimal_parse_strict(cm_slice_of(cm_json_member_text(line, "amount")), &amount) &&
                    cm_decimal_accumulate(ret_sum, amount);
        cm_assert(fits); /* the document's own sum fits */
    }
    cli_table_print(c, table);
}

/* I02: a section with a subtotal for each; I03: lines that name no customer have none. */
static bool has_sections(const json_t *document)
{
    const json_t *lines = json_object_get(document, "lines");
    return json_array_size(json_object_get(document, "customers")) > 1 && json_array_size(lines) &&
           *cm_json_member_text(json_array_get(lines, 0), "customer");
}

static void print_sections(cli *c, const json_t *document)
{
    size_t i;
    json_t *customer;
    json_array_foreach (json_object_get(document, "customers"), i, customer) {
        cm_decimal sum;
        char text[CM_DECIMAL_TEXT];
        cli_put(stdout, "%s (%s)\n", cm_json_member_text(customer, "name"), cm_json_member_text(customer, "id"));
        print_lines(c, document, cm_json_member_text(customer, "id"), &sum);
        cm_decimal_print(sum, text);
        char *money = cli_money(text, cm_json_member_text(document, "currency"));
        cli_put(stdout, "subtotal of %s  %s\n\n", cm_json_member_text(customer, "id"), money);
        free(money);
    }
}

void cli_document_table(cli *c, const json_t *document)
{
    cm_decimal sum;
    size_t i;
    json_t *item;
    print_head(document);
    if (has_sections(document)) {
        print_sections(c, document);
    } else {
        print_lines(c, document, NULL, &sum);
        fputc('\n', stdout);
    }
    print_money(document, "subtotal", cm_json_member_text(document, "subtotal"), "");
    json_array_foreach (json_object_get(document, "tax"), i, item) {
        char percent[64];
        snprintf(percent, sizeof percent, " (%s %%)", cm_json_member_text(item, "percent"));
        print_money(document, cm_json_member_text(item, "name"), cm_json_member_text(item, "amount"), percent);
    }
    print_money(document, "total", cm_json_member_text(document, "total"), "");
    fputs("\ngates\n", stdout);
    json_array_foreach (json_object_get(document, "gates"), i, item)
        cli_put(stdout, "  %-28s %-7s %s\n", cm_json_member_text(item, "code"),
                json_is_true(json_object_get(item, "open")) ? "ok" : "BLOCKED", cm_json_member_text(item, "detail"));
}
