/* delivery list | accept | dismiss | restore: what was delivered, and what a person decides about it. */
#include "cli/cli.h"
#include "commands/commands.h"
#include "store/runs/delivery_store.h"

#include <stdio.h>
#include <string.h>

#define TIME(column) "to_char(" column ", 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"

/* NULL: all. */
static int print_deliveries(cli *c, const char *payer, const char *period, const char *id)
{
    static const cli_column columns[] = {
        {"delivery", CLI_TEXT},   {"payer", CLI_TEXT},       {"period", CLI_TEXT},       {"report", CLI_TEXT},
        {"assembly", CLI_TEXT},   {"format", CLI_TEXT},      {"state", CLI_TEXT},        {"discovered_at", CLI_TEXT},
        {"chunks", CLI_NUMBER},   {"bytes", CLI_NUMBER},     {"attempt", CLI_NUMBER},    {"error_code", CLI_TEXT},
        {"error_file", CLI_TEXT}, {"error_row", CLI_NUMBER}, {"error_column", CLI_TEXT}, {"error", CLI_TEXT}};
    const char *values[] = {payer, period, id};
    return cli_query_print(
        c, columns, 16,
        "SELECT d.id, payer, period, report, assembly, format, state, " TIME(
            "discovered_at") ", count(k.chunk), coalesce(sum(k.bytes), 0), attempt, error_code, error_file, error_row, error_column, error_text"
                             " FROM delivery d LEFT JOIN chunk k ON k.delivery_id = d.id"
                             " WHERE ($1::text IS NULL OR payer = $1) AND ($2::text IS NULL OR period = $2)"
                             " AND ($3::text IS NULL OR d.id = $3)"
                             " GROUP BY d.id ORDER BY d.seq",
        3, values);
}

int cmd_delivery_list(cli *c)
{
    return print_deliveries(c, cli_value(c, "payer"), cli_value(c, "period"), NULL);
}

static bool decision(cli *c, char delivery[static CM_ID_HEX], cm_delivery_decision *ret, cm_error *err)
{
    *ret = (cm_delivery_decision){delivery, cli_value(c, "by"), cli_value(c, "reason"), cli_now(c)};
    return cli_delivery_id(c, c->operand[0], delivery, err);
}

/* accept, dismiss: nothing has to be rated. `done` is said with the delivery's id. */
static int decide(cli *c, bool (*store)(cm_pg *pg, const cm_delivery_decision *d, cm_error *err), const char *done)
{
    cm_error err = {0};
    int exit_code = 0;
    char delivery[CM_ID_HEX];
    cm_delivery_decision d;
    if (!cli_pg(c, &exit_code))
        return exit_code;
    if (!decision(c, delivery, &d, &err) || !store(c->pg_, &d, &err))
        return cli_fail(c, &err);
    cli_note(c, "delivery %s %s", delivery, done);
    return print_deliveries(c, NULL, NULL, delivery);
}

int cmd_delivery_accept(cli *c)
{
    return decide(c, cm_store_delivery_accept, "counts from now on");
}

int cmd_delivery_dismiss(cli *c)
{
    return decide(c, cm_store_delivery_dismiss, "is dismissed; if its files change, it is read again");
}

int cmd_delivery_restore(cli *c)
{
    cm_error err = {0};
    int exit_code = 0;
    char delivery[CM_ID_HEX], run[CM_ID_HEX];
    cm_delivery_decision d;
    cm_run_settings settings = {0};
    cm_catalog *catalog = cli_catalog(c, &exit_code);
    if (!catalog)
        return exit_code;
    bool done = decision(c, delivery, &d, &err) && cm_store_delivery_restore(c->pg_, catalog, &d, &settings, run, &err);
    cm_catalog_free(catalog);
    if (!done)
        return cli_fail(c, &err);
    cli_note(c, "delivery %s counts again as soon as its run %s is complete", delivery, run);
    if (cli_switch(c, "wait")) {
        exit_code = cli_wait_for_run(c, run);
    }
    return exit_code ? exit_code : print_deliveries(c, NULL, NULL, delivery);
}
