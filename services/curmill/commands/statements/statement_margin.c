/* statement margin: what a document earns, in the reseller's own view. Never for customers: it holds buy prices (P13).
 */
#include "cli/cli.h"
#include "cli/eyes.h"
#include "commands/commands.h"

#include "base/json/json.h"

#include "store/reports/margin_store.h"

#include <stdio.h>
#include <stdlib.h>

static void print_sum(const json_t *margin, const char *name)
{
    const char *value = json_string_value(json_object_get(margin, name));
    cli_put(stdout, "%-16s %s\n", name, value ? value : "-");
}

static void print_money(const json_t *margin, const char *name)
{
    char *text = cli_money(cm_json_member_text(margin, name), cm_json_member_text(margin, "currency"));
    cli_put(stdout, "%-16s %s\n", name, *text ? text : "-");
    free(text);
}

static int print_rows(cli *c, const json_t *margin)
{
    static const cli_column columns[] = {{"customer", CLI_TEXT}, {"account", CLI_TEXT}, {"product", CLI_TEXT},
                                         {"class", CLI_TEXT},    {"step", CLI_TEXT},    {"earned", CLI_TEXT},
                                         {"sell", CLI_MONEY},    {"buy", CLI_MONEY},    {"fx", CLI_MONEY},
                                         {"margin", CLI_MONEY}};
    enum { COLUMNS = sizeof columns / sizeof *columns };
    cli_table *table = cli_table_new(columns, COLUMNS);
    size_t i;
    const json_t *row;
    cli_table_currency(table, cm_json_member_text(margin, "currency"));
    json_array_foreach (json_object_get(margin, "rows"), i, row) {
        const char *cells[COLUMNS];
        for (int k = 0; k < COLUMNS; k++)
            cells[k] = json_string_value(json_object_get(row, columns[k].name));
        cli_table_add(table, cells);
    }
    return cli_table_print(c, table);
}

static int print_margin(cli *c, json_t *margin)
{
    static const char *const facts[] = {"id", "currency", "rate", "distributor_rate"};
    static const char *const sums[] = {"sell", "buy", "fx", "margin"};
    size_t i;
    const json_t *row;
    if (c->format == CLI_JSON)
        return cli_json_print(margin);
    int exit_code = print_rows(c, margin);
    if (c->format == CLI_TABLE) {
        fputc('\n', stdout);
        for (i = 0; i < sizeof facts / sizeof *facts; i++)
            print_sum(margin, facts[i]);
        for (i = 0; i < sizeof sums / sizeof *sums; i++)
            print_money(margin, sums[i]);
        json_array_foreach (json_object_get(margin, "negative"), i, row)
            cli_put(
                stdout, "negative         %s %s %s: %s, %s\n", json_string_value(json_object_get(row, "customer")),
                json_string_value(json_object_get(row, "account")), json_string_value(json_object_get(row, "product")),
                json_string_value(json_object_get(row, "margin")), json_string_value(json_object_get(row, "cause")));
    }
    json_decref(margin);
    return exit_code;
}

int cmd_statement_margin(cli *c)
{
    int exit_code = 0;
    cm_error err = {0};
    char id[CM_ID_HEX];
    json_t *margin = NULL;
    if (!cli_one_document(c, id, &exit_code))
        return exit_code;
    return cm_store_statement_margin(c->pg_, id, &margin, &err) ? print_margin(c, margin) : cli_fail(c, &err);
}
