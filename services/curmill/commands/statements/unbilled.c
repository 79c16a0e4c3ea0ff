/* unbilled list | write-off: the ledger of money that months were settled without billing (statements.md section 1). */
#include "cli/cli.h"
#include "commands/commands.h"

#include "store/ledgers/unbilled_store.h"

#include <string.h>

#define TIME(column) "to_char(" column ", 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"

enum { COLUMNS = 17 };

/* $1 payer, $2 period, $3 id, $4 also what is billed or written off; NULL: all. */
static int print_entries(cli *c, const char *id, bool all)
{
    static const cli_column columns[COLUMNS] = {{"id", CLI_NUMBER},
                                                {"payer", CLI_TEXT},
                                                {"period", CLI_TEXT},
                                                {"lane", CLI_TEXT},
                                                {"account", CLI_TEXT},
                                                {"reason", CLI_TEXT},
                                                {"currency", CLI_TEXT},
                                                {"amount", CLI_DECIMAL},
                                                {"lines", CLI_NUMBER},
                                                {"state", CLI_TEXT},
                                                {"acknowledged_at", CLI_TEXT},
                                                {"acknowledged_by", CLI_TEXT},
                                                {"acknowledged_reason", CLI_TEXT},
                                                {"closed_at", CLI_TEXT},
                                                {"closed_by", CLI_TEXT},
                                                {"closed_reason", CLI_TEXT},
                                                {"statement", CLI_TEXT}};
    const char *values[] = {cli_value(c, "payer"), cli_value(c, "period"), id, all ? NULL : "open"};
    return cli_query_print(
        c, columns, COLUMNS,
        "SELECT id, payer, period, lane, account, reason, currency, amount, lines, state, " TIME("acknowledged_at") ", acknowledged_by, acknowledged_reason, " TIME(
            "closed_at") ", nullif(closed_by, ''), nullif(closed_reason, ''), nullif(statement_id, '')"
                         " FROM unbilled WHERE ($1::text IS NULL OR payer = $1) AND ($2::text IS NULL OR period = $2)"
                         " AND ($3::bigint IS NULL OR id = $3::bigint) AND ($4::text IS NULL OR state = $4) ORDER BY period, payer, id",
        4, values);
}

int cmd_unbilled_list(cli *c)
{
    cm_period period;
    int exit_code = 0;
    if (cli_value(c, "period") && !cli_period(c, &period, &exit_code))
        return exit_code;
    return print_entries(c, NULL, cli_switch(c, "all"));
}

int cmd_unbilled_write_off(cli *c)
{
    cm_error err = {0};
    int exit_code = 0;
    const char *id = c->operand[0];
    cm_pg *pg = cli_pg(c, &exit_code);
    if (!pg)
        return exit_code;
    if (strspn(id, "0123456789") != strlen(id) || strlen(id) > 18)
        return cli_usage(c, "ID is the number of an entry, as `curmill unbilled list` shows it, not \"%s\"", id);
    if (!cm_store_unbilled_write_off(pg, id, cli_now(c), cli_value(c, "by"), cli_value(c, "reason"), &err))
        return cli_fail(c, &err);
    return print_entries(c, id, true);
}
