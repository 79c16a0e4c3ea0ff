/* discount list | show: provider discounts that the distributor credits in a later month (N12). Never for customers
 * (P13). */
#include "cli/cli.h"
#include "commands/commands.h"

#include "store/documents/statement_store.h"
#include "store/ledgers/discount_store.h"

/* The ledger as of today: the runs that count, the months that are settled. */
static cm_pg *up_to_date(cli *c, int *ret_exit)
{
    cm_error err = {0};
    cm_period period;
    cm_pg *pg = cli_pg(c, ret_exit);
    if (!pg || (cli_value(c, "period") && !cli_period(c, &period, ret_exit)))
        return NULL;
    if (cm_store_discounts_refresh(pg, NULL, &err))
        return pg;
    *ret_exit = cli_fail(c, &err);
    return NULL;
}

#define KEYS "customer, account, product, line_item_type, currency"

/* What each group of a month earned, in which months it was applied, what is open; the line is one of its run, for
 * `explain`. */
int cmd_discount_list(cli *c)
{
    static const cli_column columns[] = {{"payer", CLI_TEXT},    {"period", CLI_TEXT},     {"customer", CLI_TEXT},
                                         {"account", CLI_TEXT},  {"product", CLI_TEXT},    {"line_item_type", CLI_TEXT},
                                         {"currency", CLI_TEXT}, {"earned", CLI_MONEY},    {"applied", CLI_MONEY},
                                         {"open", CLI_MONEY},    {"applied_in", CLI_TEXT}, {"run", CLI_TEXT},
                                         {"lines", CLI_NUMBER},  {"line", CLI_TEXT}};
    int exit_code = 0;
    const char *values[] = {cli_value(c, "payer"), cli_value(c, "period")};
    if (!up_to_date(c, &exit_code))
        return exit_code;
    return cli_query_print(
        c, columns, (int)(sizeof columns / sizeof *columns),
        "WITH applied AS (SELECT payer, earned_period AS period, " KEYS ", sum(amount) AS amount,"
        "   string_agg(applied_period, ' ' ORDER BY applied_period) AS months FROM discount_applied"
        "   WHERE ($1::text IS NULL OR payer = $1) AND ($2::text IS NULL OR earned_period = $2) GROUP BY payer, "
        "earned_period, " KEYS "),"
        " earned AS (SELECT payer, period, " KEYS ", amount, lines, example_chunk, example_row FROM discount_earned"
        "   WHERE ($1::text IS NULL OR payer = $1) AND ($2::text IS NULL OR period = $2))"
        " SELECT payer, period, " KEYS
        ", coalesce(e.amount, 0), coalesce(a.amount, 0), coalesce(e.amount, 0) - coalesce(a.amount, 0),"
        " coalesce(a.months, ''), m.run_id, coalesce(e.lines, 0), e.example_chunk || ':' || e.example_row"
        " FROM earned e FULL JOIN applied a USING (payer, period, " KEYS
        ") LEFT JOIN discount_month m USING (payer, period)"
        " ORDER BY period, payer, customer COLLATE \"C\", account, product COLLATE \"C\", line_item_type COLLATE "
        "\"C\", currency",
        2, values);
}

/* What the distributor's invoice of a month credits for earlier ones. */
int cmd_discount_show(cli *c)
{
    static const cli_column columns[] = {
        {"payer", CLI_TEXT},   {"period", CLI_TEXT},  {"earned", CLI_TEXT},         {"customer", CLI_TEXT},
        {"account", CLI_TEXT}, {"product", CLI_TEXT}, {"line_item_type", CLI_TEXT}, {"currency", CLI_TEXT},
        {"amount", CLI_MONEY}, {"run", CLI_TEXT},     {"settled", CLI_BOOLEAN}};
    int exit_code = 0;
    const char *values[] = {cli_value(c, "payer"), cli_value(c, "period")};
    if (!up_to_date(c, &exit_code))
        return exit_code;
    return cli_query_print(c, columns, (int)(sizeof columns / sizeof *columns),
                           "SELECT payer, applied_period, earned_period, " KEYS
                           ", amount, run_id, curmill_is_settled(payer, applied_period)"
                           " FROM discount_applied WHERE payer = $1 AND applied_period = $2"
                           " ORDER BY earned_period, customer COLLATE \"C\", account, product COLLATE \"C\", "
                           "line_item_type COLLATE \"C\", currency",
                           2, values);
}
