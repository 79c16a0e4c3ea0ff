/* statement margin: what a document earns, in the reseller's own view. Never for customers: it holds buy prices (P13).
 */
#include "cli/cli.h"

#include "store/reports/margin_store.h"

#include <stdio.h>

static void print_sum(const json_t *margin, const char *name)
{
    const char *value = json_string_value(json_object_get(margin, name));
    fprintf(stdout, "%-16s %s\n", name, value ? value : "-");
}

static int print_rows(cli *c, const json_t *margin)
{
    static const cli_column columns[] = {{"customer", CLI_TEXT}, {"account", CLI_TEXT}, {"product", CLI_TEXT},
                                         {"class", CLI_TEXT},    {"step", CLI_TEXT},    {"earned", CLI_TEXT},
                                         {"sell", CLI_DECIMAL},  {"buy", CLI_DECIMAL},  {"fx", CLI_DECIMAL},
                                         {"margin", CLI_DECIMAL}};
    enum { COLUMNS = sizeof columns / sizeof *columns };
    cli_table *table = cli_table_new(columns, COLUMNS);
    size_t i;
    const json_t *row;
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
    static const char *const sums[] = {"id", "currency", "rate", "distributor_rate", "sell", "buy", "fx", "margin"};
    size_t i;
    const json_t *row;
    if (c->format == CLI_JSON)
        return cli_json_print(margin);
    int exit_code = print_rows(c, margin);
    if (c->format == CLI_TABLE) {
        fputc('\n', stdout);
        for (i = 0; i < sizeof sums / sizeof *sums; i++)
            print_sum(margin, sums[i]);
        json_array_foreach (json_object_get(margin, "negative"), i, row)
            fprintf(
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
    json_t *margin = NULL;
    if (!c->operands && !cli_value(c, "period") && !cli_value(c, "customer"))
        return cli_usage(c, "say which: an ID, or --period with --customer (and --payer or --lane)");
    cm_rows *rows = cli_documents(c, false, c->operands ? c->operand[0] : NULL, &exit_code);
    if (!rows)
        return exit_code;
    int count = cm_rows_count(rows);
    if (count == 0)
        cm_fail(&err, CM_ERROR_NOT_FOUND, "NO_DOCUMENT",
                "no document fits; `curmill statement list` shows those that there are");
    else if (count > 1)
        cm_fail(&err, CM_ERROR_REFUSED, "SEVERAL_DOCUMENTS",
                "%d documents fit; name one by its id (`curmill statement list`)", count);
    bool done = count == 1 && cm_store_statement_margin(c->pg_, cm_rows_text(rows, 0, CLI_ID), &margin, &err);
    cm_rows_free(rows);
    return done ? print_margin(c, margin) : cli_fail(c, &err);
}
