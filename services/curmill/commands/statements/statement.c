/* statement list | show | build. Drafts are brought up to date before they are shown: nobody reads a stale one. */
#include "cli/cli.h"
#include "commands/commands.h"

#include "platform/postgres/array.h"
#include "store/documents/document_store.h"
#include "store/documents/shown_store.h"
#include "store/documents/statement_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The lane to look at: --lane, or the payer's. NULL: all. `ret_lane` is owned by the caller. */
static bool choose_lane(cli *c, char **ret_lane, int *ret_exit)
{
    const char *payer = cli_value(c, "payer"), *lane = cli_value(c, "lane");
    *ret_lane = lane ? cm_strdup(lane) : NULL;
    if (!payer)
        return true;
    cm_catalog *catalog = cli_catalog(c, ret_exit);
    if (!catalog)
        return false;
    const cm_payer *found = cm_catalog_payer(catalog, payer);
    if (found && !*ret_lane)
        *ret_lane = cm_strdup(found->lane);
    if (!found) {
        cm_error err = {0};
        cm_fail(&err, CM_ERROR_NOT_FOUND, "UNKNOWN_PAYER", "payer %s is not in the catalog in force", payer);
        *ret_exit = cli_fail(c, &err);
    }
    cm_catalog_free(catalog);
    return found != NULL;
}

cm_rows *cli_documents(cli *c, bool force, const char *id, int *ret_exit)
{
    cm_error err = {0};
    cm_period period = {0};
    char *lane = NULL;
    int built = 0;
    cm_rows *rows = NULL;
    if (!cli_pg(c, ret_exit) || (cli_value(c, "period") && !cli_period(c, &period, ret_exit)) ||
        !choose_lane(c, &lane, ret_exit)) {
        free(lane);
        return NULL;
    }
    const cm_period *only = cli_value(c, "period") ? &period : NULL;
    bool done = true, rebuilt = false;
    if (force && lane && only)
        done = cm_store_statements_refresh(c->pg_, cli_now(c), lane, *only, true, &rebuilt, &err);
    done = done && cm_store_statements_refresh_all(c->pg_, cli_now(c), lane, only, &built, &err);
    /* --payer: documents that its charges are in. The customer of a document about many is "". */
    const char *values[] = {lane, cli_value(c, "period"), cli_value(c, "customer"), id, cli_value(c, "payer")};
    done =
        done &&
        cm_pg_query(
            c->pg_,
            "SELECT document, number, state, id, kind, reseller, lane, period, customer, currency, subtotal, total,"
            " cardinality(customers) FROM statement s"
            " WHERE ($1::text IS NULL OR lane = $1) AND ($2::text IS NULL OR period = $2) AND ($3::text IS NULL OR customers @> ARRAY[$3])"
            " AND ($4::text IS NULL OR starts_with(id, $4) OR number = $4) AND ($5::text IS NULL OR $5 = ANY (payers))"
            " ORDER BY period, lane COLLATE \"C\", reseller COLLATE \"C\", customer COLLATE \"C\", currency, kind DESC, id",
            5, values, &rows, &err);
    free(lane);
    if (!done)
        *ret_exit = cli_fail(c, &err);
    return done ? rows : NULL;
}

bool cli_one_document(cli *c, char ret[static CM_ID_HEX], int *ret_exit)
{
    cm_error err = {0};
    if (!c->operands && !cli_value(c, "period") && !cli_value(c, "customer")) {
        *ret_exit = cli_usage(c, "say which document: an ID, or --period with --customer (and --payer or --lane)");
        return false;
    }
    cm_rows *rows = cli_documents(c, false, c->operands ? c->operand[0] : NULL, ret_exit);
    if (!rows)
        return false;
    int count = cm_rows_count(rows);
    if (count == 0)
        cm_fail(&err, CM_ERROR_NOT_FOUND, "NO_DOCUMENT",
                "no document matches; `curmill statement list` shows all of them");
    else if (count > 1)
        cm_fail(&err, CM_ERROR_REFUSED, "SEVERAL_DOCUMENTS",
                "%d documents match; give the id of one (`curmill statement list`)", count);
    else
        snprintf(ret, CM_ID_HEX, "%s", cm_rows_text(rows, 0, CLI_ID));
    cm_rows_free(rows);
    if (count != 1)
        *ret_exit = cli_fail(c, &err);
    return count == 1;
}

static cli_table *new_table(bool reason)
{
    static const cli_column columns[] = {{"id", CLI_TEXT},        {"number", CLI_TEXT},   {"kind", CLI_TEXT},
                                         {"state", CLI_TEXT},     {"reseller", CLI_TEXT}, {"lane", CLI_TEXT},
                                         {"period", CLI_TEXT},    {"customer", CLI_TEXT}, {"currency", CLI_TEXT},
                                         {"subtotal", CLI_MONEY}, {"total", CLI_MONEY},   {"reason", CLI_TEXT}};
    return cli_table_new(columns, reason ? 12 : 11);
}

cli_table *cli_documents_table(void)
{
    return new_table(false);
}

/* A document about several has no customer: a table says how many there are. */
void cli_documents_add(const cli *c, cli_table *table, const cm_rows *rows, int row)
{
    char several[40];
    static const enum cli_document from[] = {CLI_ID,       CLI_SERIAL,   CLI_KIND,   CLI_STATE,
                                             CLI_RESELLER, CLI_LANE,     CLI_PERIOD, CLI_CUSTOMER,
                                             CLI_CURRENCY, CLI_SUBTOTAL, CLI_TOTAL};
    const char *cells[12] = {NULL};
    for (int i = 0; i < 11; i++)
        cells[i] = cm_rows_null(rows, row, (int)from[i]) ? NULL : cm_rows_text(rows, row, (int)from[i]);
    if (c->format == CLI_TABLE && !*cm_rows_text(rows, row, CLI_CUSTOMER)) {
        snprintf(several, sizeof several, "(%d customers)", (int)cm_rows_i64(rows, row, CLI_CUSTOMERS));
        cells[7] = several;
    }
    cli_table_add(table, cells);
}

/* Those that could not be made, with the reason. */
static cm_rows *troubles(cli *c, int *ret_exit)
{
    cm_error err = {0};
    cm_rows *rows = NULL;
    char *lane = NULL;
    if (!choose_lane(c, &lane, ret_exit))
        return NULL;
    const char *values[] = {lane, cli_value(c, "period"), cli_value(c, "customer")};
    if (!cm_pg_query(
            c->pg_,
            "SELECT CASE corrects WHEN '' THEN 'statement' ELSE 'correction' END, reseller, lane, period, customer, reason"
            " FROM statement_trouble WHERE ($1::text IS NULL OR lane = $1) AND ($2::text IS NULL OR period = $2)"
            " AND ($3::text IS NULL OR customer IN ($3, '')) ORDER BY period, lane COLLATE \"C\", reseller COLLATE \"C\","
            " customer COLLATE \"C\", corrects",
            3, values, &rows, &err))
        *ret_exit = cli_fail(c, &err);
    free(lane);
    return rows;
}

bool cli_documents_shown(cli *c, const cm_rows *rows, cm_error *err)
{
    cm_buffer ids = {0}, currencies = {0}, subtotals = {0}, totals = {0};
    for (int row = 0; row < cm_rows_count(rows); row++) {
        cm_array_text(&ids, cm_rows_text(rows, row, CLI_ID));
        cm_array_text(&currencies, cm_rows_text(rows, row, CLI_CURRENCY));
        cm_array_text(&subtotals, cm_rows_text(rows, row, CLI_SUBTOTAL));
        cm_array_text(&totals, cm_rows_text(rows, row, CLI_TOTAL));
    }
    bool done = cm_store_documents_shown(c->pg_, cm_array_end(&ids), cm_array_end(&currencies),
                                         cm_array_end(&subtotals), cm_array_end(&totals), cli_now(c), err);
    cm_buffer_free(&ids);
    cm_buffer_free(&currencies);
    cm_buffer_free(&subtotals);
    cm_buffer_free(&totals);
    return done;
}

static int print_list(cli *c, const cm_rows *rows)
{
    int exit_code = 0;
    cm_error err = {0};
    cm_rows *stopped = troubles(c, &exit_code);
    if (!stopped)
        return exit_code;
    cli_table *table = new_table(c->format != CLI_TABLE || cm_rows_count(stopped));
    for (int row = 0; row < cm_rows_count(rows); row++)
        cli_documents_add(c, table, rows, row);
    for (int row = 0; row < cm_rows_count(stopped); row++)
        cli_table_add(table, (const char *[]){NULL, NULL, cm_rows_text(stopped, row, 0), "stopped",
                                              cm_rows_text(stopped, row, 1), cm_rows_text(stopped, row, 2),
                                              cm_rows_text(stopped, row, 3), cm_rows_text(stopped, row, 4), NULL, NULL,
                                              NULL, cm_rows_text(stopped, row, 5)});
    cm_rows_free(stopped);
    exit_code = cli_table_print(c, table);
    return cli_documents_shown(c, rows, &err) ? exit_code : cli_fail(c, &err);
}

int cmd_statement_list(cli *c)
{
    int exit_code = 0;
    cm_rows *rows = cli_documents(c, false, NULL, &exit_code);
    if (!rows)
        return exit_code;
    exit_code = print_list(c, rows);
    cm_rows_free(rows);
    return exit_code;
}

int cmd_statement_build(cli *c)
{
    int exit_code = 0;
    if (!cli_value(c, "period"))
        return cli_usage(c, "--period is missing: give the month to build");
    if (!cli_value(c, "payer") && !cli_value(c, "lane")) { /* every lane of the settings, forced */
        cm_error err = {0};
        cm_period period;
        if (!cli_period(c, &period, &exit_code) || !cli_pg(c, &exit_code))
            return exit_code;
        char *lanes = cm_strdup(cm_config_text(c->config, "lanes")), *save = NULL;
        bool done = true, built;
        for (char *lane = strtok_r(lanes, ", ", &save); done && lane; lane = strtok_r(NULL, ", ", &save))
            done = cm_store_statements_refresh(c->pg_, cli_now(c), lane, period, true, &built, &err);
        free(lanes);
        if (!done)
            return cli_fail(c, &err);
    }
    cm_rows *rows = cli_documents(c, true, NULL, &exit_code);
    if (!rows)
        return exit_code;
    exit_code = print_list(c, rows);
    cm_rows_free(rows);
    return exit_code;
}

/* The document as it is shown; NULL: the exit code is set. What is issued comes from its record: the same bytes each
 * time. */
static json_t *shown_document(cli *c, const cm_rows *rows, int *ret_exit)
{
    cm_error err = {0};
    json_t *document = NULL;
    if (strcmp(cm_rows_text(rows, 0, CLI_STATE), "issued") == 0) {
        if (!cm_store_document_issued(c->pg_, cm_rows_text(rows, 0, CLI_ID), &document, &err))
            *ret_exit = cli_fail(c, &err);
        return document;
    }
    document = json_loads(cm_rows_text(rows, 0, CLI_DOCUMENT), 0, NULL);
    cm_assert(document);
    json_object_set_new(document, "state", json_string(cm_rows_text(rows, 0, CLI_STATE)));
    json_t *gates = cm_store_statement_gates(c->pg_, cli_now(c), document, &err);
    if (!gates) {
        json_decref(document);
        *ret_exit = cli_fail(c, &err);
        return NULL;
    }
    json_object_set_new(document, "gates", gates);
    return document;
}

static int print_document(cli *c, const cm_rows *rows)
{
    int exit_code = 0;
    json_t *document = shown_document(c, rows, &exit_code);
    if (!document)
        return exit_code;
    if (c->format == CLI_JSON)
        return cli_json_print(document);
    if (c->format == CLI_TABLE) {
        cli_document_table(c, document);
    } else { /* csv: the lines */
        static const cli_column columns[] = {
            {"customer", CLI_TEXT}, {"account", CLI_TEXT}, {"product", CLI_TEXT},     {"usage_type", CLI_TEXT},
            {"unit", CLI_TEXT},     {"class", CLI_TEXT},   {"quantity", CLI_DECIMAL}, {"amount_exact", CLI_DECIMAL},
            {"amount", CLI_MONEY}};
        cli_table *table = cli_table_new(columns, 9);
        size_t i;
        json_t *item;
        json_array_foreach (json_object_get(document, "lines"), i, item) {
            const char *cells[9];
            for (int k = 0; k < 9; k++)
                cells[k] = json_string_value(json_object_get(item, columns[k].name));
            cli_table_add(table, cells);
        }
        cli_table_print(c, table);
    }
    json_decref(document);
    return 0;
}

int cmd_statement_show(cli *c)
{
    int exit_code = 0;
    cm_error err = {0};
    if (!c->operands && !cli_value(c, "period") && !cli_value(c, "customer"))
        return cli_usage(c, "say which document: an ID, or --period with --customer (and --payer or --lane)");
    cm_rows *rows = cli_documents(c, false, c->operands ? c->operand[0] : NULL, &exit_code);
    if (!rows)
        return exit_code;
    if (cm_rows_count(rows) == 1) {
        exit_code = print_document(c, rows);
        if (exit_code == 0 && !cli_documents_shown(c, rows, &err))
            exit_code = cli_fail(c, &err);
    } else if (cm_rows_count(rows) == 0) {
        cm_fail(&err, CM_ERROR_NOT_FOUND, "NO_STATEMENT", "there is no such document; see `curmill statement list`");
        exit_code = cli_fail(c, &err);
    } else {
        cm_buffer which = {0};
        for (int i = 0; i < cm_rows_count(rows) && i < 10; i++)
            cm_buffer_printf(&which, "\n  %s  %s  %s  %s  %s", cm_rows_text(rows, i, 3), cm_rows_text(rows, i, 6),
                             cm_rows_text(rows, i, 7), cm_rows_text(rows, i, 8), cm_rows_text(rows, i, 9));
        exit_code = cli_usage(
            c,
            "%d documents match; give the id of one, or narrow the choice by --period, --customer, --payer, --lane:%s",
            cm_rows_count(rows), cm_buffer_string(&which));
        cm_buffer_free(&which);
    }
    cm_rows_free(rows);
    return exit_code;
}
