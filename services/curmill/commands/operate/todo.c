/* todo: what must be done today, with the command for each. */
#include "cli/cli.h"
#include "commands/commands.h"
#include "store/catalog/link_store.h"
#include "store/documents/statement_store.h"
#include "store/duties/duties.h"

#include <stdlib.h>
#include <string.h>

/* The catalog in force with the links that org-linker has for each lane. */
static cm_catalog *catalog_with_links(cli *c, int *ret_exit)
{
    cm_error err = {0};
    cm_buffer links = {0};
    cm_catalog *with = NULL, *catalog = cli_catalog(c, ret_exit);
    if (!catalog)
        return NULL;
    bool done = true;
    for (size_t i = 0; done && i < catalog->payer_count; i++) {
        char one[CM_ID_HEX];
        done = cm_store_links_of_payer(c->pg_, catalog->payers[i].id, one, &err);
        if (done && *one)
            cm_buffer_printf(&links, "%s%s", links.length ? "," : "", one);
    }
    done = done && cm_store_snapshot_load(c->pg_, catalog->id, cm_buffer_string(&links), &with, &err);
    cm_buffer_free(&links);
    cm_catalog_free(catalog);
    if (!done)
        *ret_exit = cli_fail(c, &err);
    return done ? with : NULL;
}

static void add_row(cli_table *table, const json_t *duty)
{
    static const char *const keys[] = {"period", "code",  "lane",   "payer",  "customer",
                                       "object", "since", "detail", "command"};
    const char *cells[9];
    for (size_t i = 0; i < 9; i++)
        cells[i] = json_string_value(json_object_get(duty, keys[i]));
    cli_table_add(table, cells);
}

int cmd_todo(cli *c)
{
    static const cli_column columns[] = {{"period", CLI_TEXT}, {"code", CLI_TEXT},     {"lane", CLI_TEXT},
                                         {"payer", CLI_TEXT},  {"customer", CLI_TEXT}, {"object", CLI_TEXT},
                                         {"since", CLI_TEXT},  {"detail", CLI_TEXT},   {"command", CLI_TEXT}};
    cm_error err = {0};
    cm_period period;
    int exit_code = 0, built;
    json_t *duties = NULL, *duty;
    size_t i;
    if (cli_value(c, "period") && !cli_period(c, &period, &exit_code))
        return exit_code;
    cm_catalog *catalog = catalog_with_links(c, &exit_code);
    if (!catalog)
        return exit_code;
    const cm_duties_order order = {.catalog = catalog,
                                   .now = cli_now(c),
                                   .late_hours = cm_config_integer(c->config, "delivery.late.hours"),
                                   .lane = cli_value(c, "lane"),
                                   .payer = cli_value(c, "payer"),
                                   .period = cli_value(c, "period")};
    bool done =
        cm_store_statements_refresh_all(c->pg_, order.now, order.lane, order.period ? &period : NULL, &built, &err) &&
        cm_store_duties(c->pg_, &order, &duties, &err);
    cm_catalog_free(catalog);
    if (!done)
        return cli_fail(c, &err);
    cli_table *table = cli_table_new(columns, 9);
    json_array_foreach (duties, i, duty)
        add_row(table, duty);
    if (json_array_size(duties) == 0)
        cli_note(c, "nothing needs to be done");
    json_decref(duties);
    return cli_table_print(c, table);
}
