/* reconcile support: AWS's own support charges, account by account, against the report and the fees (O10, O15, O16). */
#include "cli/cli.h"
#include "commands/commands.h"

#include "store/reports/support_report.h"

#include <stdio.h>

typedef struct printing {
    cli_table *table;
    bool seen[CM_SUPPORT_CAUSES];
} printing;

static void add(void *opaque, const cm_support_row *row)
{
    printing *p = opaque;
    p->seen[row->cause] = true;
    cli_table_add(p->table, (const char *[]){row->account, row->plan, row->group, row->aws_charge, row->lines, row->fee,
                                             row->difference, cm_support_cause_name(row->cause), row->currency,
                                             row->fee_currency});
}

int cmd_reconcile_support(cli *c)
{
    static const cli_column columns[] = {{"account", CLI_TEXT},       {"plan", CLI_TEXT},     {"group", CLI_TEXT},
                                         {"aws_charge", CLI_DECIMAL}, {"lines", CLI_DECIMAL}, {"fee", CLI_DECIMAL},
                                         {"difference", CLI_DECIMAL}, {"cause", CLI_TEXT},    {"currency", CLI_TEXT},
                                         {"fee_currency", CLI_TEXT}};
    cm_error err = {0};
    int exit_code = 0;
    cm_period period;
    cm_catalog *catalog = NULL;
    if (!cli_period(c, &period, &exit_code) || !cli_pg(c, &exit_code) || !(catalog = cli_catalog(c, &exit_code)))
        return exit_code;
    const cm_payer *payer = cm_catalog_payer(catalog, cli_value(c, "payer"));
    printing p = {.table = cli_table_new(columns, sizeof columns / sizeof *columns)};
    if (!payer)
        cm_fail(&err, CM_ERROR_NOT_FOUND, "NO_PAYER", "the catalog in force has no payer %s", cli_value(c, "payer"));
    if (payer && cm_store_support_report(c->pg_, payer, period, add, &p, &err)) {
        cli_table_print(c, p.table);
        for (int i = CM_SUPPORT_AGREES + 1; i < CM_SUPPORT_CAUSES; i++) {
            if (p.seen[i] && c->format == CLI_TABLE)
                cli_put(stdout, "%-17s %s\n", cm_support_cause_name((enum cm_support_cause)i),
                        cm_support_cause_words((enum cm_support_cause)i));
            if (p.seen[i] && i != CM_SUPPORT_ROUNDING)
                exit_code = 2;
        }
    } else {
        cli_table_free(p.table);
        exit_code = cli_fail(c, &err);
    }
    cm_catalog_free(catalog);
    return exit_code;
}
