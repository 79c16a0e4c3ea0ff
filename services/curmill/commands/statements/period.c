/* period list | show | settle | reopen. Duties by date (I08, I13) are computed from the clock of this program. */
#include "cli/cli.h"
#include "commands/commands.h"

#include "store/documents/statement_store.h"
#include "store/duties/duties.h"
#include "store/ledgers/unbilled_store.h"
#include "store/runs/period_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TIME(column) "to_char(" column ", 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"

/* Every (payer, month) that was ever delivered. */
static const char list_sql[] =
    "SELECT p.payer, p.lane, p.period, coalesce(b.state, 'open'), c.run_id, x.run_id, r.lines, r.lines - r.final_lines, r.suspended_lines,"
    " (SELECT count(*) FROM statement s WHERE s.lane = p.lane AND s.period = p.period AND p.payer = ANY (s.payers) AND s.state = 'draft'),"
    " (SELECT count(*) FROM statement s WHERE s.lane = p.lane AND s.period = p.period AND p.payer = ANY (s.payers) AND s.state = 'approved'),"
    " (SELECT count(*) FROM statement s WHERE s.lane = p.lane AND s.period = p.period AND p.payer = ANY (s.payers) AND s.state = 'issued'),"
    " 0, " TIME(
        "b.changed_at") ", b.changed_by, b.reason FROM (SELECT DISTINCT payer, lane, period FROM delivery) p"
                        " LEFT JOIN billing_period b ON b.payer = p.payer AND b.period = p.period LEFT JOIN current_run c ON c.payer = p.payer AND c.period = p.period"
                        " LEFT JOIN correction_run x ON x.payer = p.payer AND x.period = p.period LEFT JOIN run r ON r.id = c.run_id"
                        " WHERE ($1::text IS NULL OR p.payer = $1) AND ($2::text IS NULL OR p.period = $2) ORDER BY p.period, p.lane COLLATE \"C\", p.payer";
enum {
    PAYER,
    LANE,
    PERIOD,
    STATE,
    RUN,
    CORRECTION,
    LINES,
    NOT_FINAL,
    SUSPENDED,
    DRAFTS,
    APPROVED,
    ISSUED,
    MISSING_COUNT,
    CHANGED_AT,
    CHANGED_BY,
    REASON,
    LIST_COLUMNS
};

/* Brings the drafts up to date, so that counts are those of today. */
static cm_rows *load_periods(cli *c, int *ret_exit)
{
    cm_error err = {0};
    cm_period period;
    cm_rows *rows = NULL;
    int built = 0;
    const char *values[] = {cli_value(c, "payer"), cli_value(c, "period")};
    cm_pg *pg = cli_pg(c, ret_exit);
    if (!pg || (values[1] && !cli_period(c, &period, ret_exit)))
        return NULL;
    if (cm_store_statements_refresh_all(pg, cli_now(c), NULL, values[1] ? &period : NULL, &built, &err) &&
        cm_pg_query(pg, list_sql, 2, values, &rows, &err))
        return rows;
    *ret_exit = cli_fail(c, &err);
    return NULL;
}

static const char *cell(const cm_rows *rows, int row, int column)
{
    return cm_rows_null(rows, row, column) ? NULL : cm_rows_text(rows, row, column);
}

/* Customers without a statement that was due (I08), as a JSON array; NULL: none is due yet. *catalog: loaded once. */
static bool overdue(cli *c, cm_catalog **catalog, const char *payer, const char *month, json_t **ret, cm_error *err)
{
    char in_force[CM_ID_HEX];
    cm_period period;
    *ret = NULL;
    if (!cm_period_parse(cm_slice_of(month), &period) || cli_now(c) < cm_period_overdue_from(period))
        return true;
    return (*catalog || (cm_store_catalog_in_force(c->pg_, cli_now(c), in_force, err) &&
                         cm_store_catalog_load(c->pg_, in_force, catalog, err))) &&
           cm_store_overdue_customers(c->pg_, *catalog, payer, period, ret, err);
}

int cmd_period_list(cli *c)
{
    static const cli_column columns[] = {
        {"payer", CLI_TEXT},       {"lane", CLI_TEXT},       {"period", CLI_TEXT},     {"state", CLI_TEXT},
        {"run", CLI_TEXT},         {"correction", CLI_TEXT}, {"lines", CLI_NUMBER},    {"not_final", CLI_NUMBER},
        {"suspended", CLI_NUMBER}, {"drafts", CLI_NUMBER},   {"approved", CLI_NUMBER}, {"issued", CLI_NUMBER},
        {"overdue", CLI_NUMBER},   {"changed_at", CLI_TEXT}, {"changed_by", CLI_TEXT}, {"reason", CLI_TEXT}};
    int exit_code = 0;
    cm_rows *rows = load_periods(c, &exit_code);
    if (!rows)
        return exit_code;
    cli_table *table = cli_table_new(columns, LIST_COLUMNS);
    cm_catalog *catalog = NULL;
    cm_error err = {0};
    bool done = true;
    for (int row = 0; done && row < cm_rows_count(rows); row++) {
        char count[24];
        const char *cells[LIST_COLUMNS];
        json_t *customers;
        for (int i = 0; i < LIST_COLUMNS; i++)
            cells[i] = cell(rows, row, i);
        done = overdue(c, &catalog, cells[PAYER], cells[PERIOD], &customers, &err);
        snprintf(count, sizeof count, "%zu", json_array_size(customers));
        json_decref(customers);
        cells[MISSING_COUNT] = count;
        cli_table_add(table, cells);
    }
    cm_catalog_free(catalog);
    cm_rows_free(rows);
    if (done)
        return cli_table_print(c, table);
    cli_table_free(table);
    return cli_fail(c, &err);
}

/* I08: important to generate every month; due on the 20th of the next month. */
static bool add_overdue(cli *c, json_t *alerts, cm_error *err)
{
    cm_catalog *catalog = NULL;
    const char *month = cli_value(c, "period");
    json_t *customer, *customers;
    size_t i;
    bool done = overdue(c, &catalog, cli_value(c, "payer"), month, &customers, err);
    json_array_foreach (customers, i, customer) {
        char detail[640];
        const char *id = json_string_value(customer);
        snprintf(
            detail, sizeof detail,
            "customer %.200s has no issued statement, which was due on the 20th; see `curmill statement list --period %s"
            " --customer %.200s`",
            id, month, id);
        json_array_append_new(
            alerts, json_pack("{s:s, s:s, s:s}", "code", "STATEMENT_OVERDUE", "object", id, "detail", detail));
    }
    json_decref(customers);
    cm_catalog_free(catalog);
    return done;
}

static json_t *history(cli *c, cm_error *err)
{
    char object[64];
    cm_rows *rows = NULL;
    snprintf(object, sizeof object, "period:%.16s/%.16s", cli_value(c, "payer"), cli_value(c, "period"));
    if (!cm_pg_query(
            c->pg_,
            "SELECT " TIME(
                "at") ", detail ->> 'from', detail ->> 'to', actor, reason FROM audit WHERE object = $1 AND starts_with(action, 'period.')"
                      " ORDER BY id",
            1, (const char *[]){object}, &rows, err))
        return NULL;
    json_t *list = json_array();
    for (int i = 0; i < cm_rows_count(rows); i++)
        json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s, s:s}", "at", cm_rows_text(rows, i, 0), "from",
                                              cm_rows_text(rows, i, 1), "to", cm_rows_text(rows, i, 2), "by",
                                              cm_rows_text(rows, i, 3), "reason", cm_rows_text(rows, i, 4)));
    cm_rows_free(rows);
    return list;
}

static json_t *number(const cm_rows *rows, int column)
{
    return json_integer(cm_rows_null(rows, 0, column) ? 0 : cm_rows_i64(rows, 0, column));
}

static const char *text(const json_t *object, const char *key)
{
    const char *value = json_string_value(json_object_get(object, key));
    return value ? value : "-";
}

/* For people: the same facts, one a line. Takes over `period`. */
static int print_period(json_t *period)
{
    static const char *const facts[] = {"payer", "lane",       "period",         "state",
                                        "run",   "correction", "earliest_issue", "statements_due"};
    static const char *const counts[] = {"lines", "not_final", "suspended"};
    size_t i;
    const json_t *item, *documents = json_object_get(period, "documents");
    for (i = 0; i < sizeof facts / sizeof *facts; i++)
        cli_put(stdout, "%-15s %s\n", facts[i], text(period, facts[i]));
    for (i = 0; i < sizeof counts / sizeof *counts; i++)
        cli_put(stdout, "%-15s %" JSON_INTEGER_FORMAT "\n", counts[i],
                json_integer_value(json_object_get(period, counts[i])));
    fprintf(stdout,
            "%-15s %" JSON_INTEGER_FORMAT " draft, %" JSON_INTEGER_FORMAT " approved, %" JSON_INTEGER_FORMAT
            " issued\n",
            "documents", json_integer_value(json_object_get(documents, "draft")),
            json_integer_value(json_object_get(documents, "approved")),
            json_integer_value(json_object_get(documents, "issued")));
    json_array_foreach (json_object_get(period, "unbilled"), i, item)
        fprintf(stdout, "%-15s account %s: %s %s, %s%s\n", "unbilled", text(item, "account"), text(item, "amount"),
                text(item, "currency"), text(item, "reason"),
                cm_unbilled_is_acknowledged(item) ? ", acknowledged" : "");
    json_array_foreach (json_object_get(period, "alerts"), i, item)
        cli_put(stdout, "%-15s %s %s: %s\n", "alert", text(item, "code"), text(item, "object"), text(item, "detail"));
    fputs("\nhistory\n", stdout);
    json_array_foreach (json_object_get(period, "history"), i, item)
        cli_put(stdout, "  %s  %-9s -> %-9s  %s%s%s\n", text(item, "at"), text(item, "from"), text(item, "to"),
                text(item, "by"), *text(item, "reason") ? ": " : "", text(item, "reason"));
    json_decref(period);
    return 0;
}

int cmd_period_show(cli *c)
{
    cm_error err = {0};
    cm_period period;
    int exit_code = 0;
    char earliest[CM_INSTANT_TEXT], due[CM_INSTANT_TEXT];
    cm_rows *rows = load_periods(c, &exit_code);
    if (!rows || !cli_period(c, &period, &exit_code))
        return exit_code;
    if (cm_rows_count(rows) == 0) {
        cm_rows_free(rows);
        cm_fail(&err, CM_ERROR_NOT_FOUND, "NO_PERIOD",
                "nothing was delivered for payer %s in %s; see `curmill period list`", cli_value(c, "payer"),
                cli_value(c, "period"));
        return cli_fail(c, &err);
    }
    json_t *alerts = json_array(), *past = history(c, &err), *unbilled = NULL;
    if (!past || !add_overdue(c, alerts, &err) ||
        !cm_store_unbilled_money(c->pg_, cli_value(c, "payer"), cli_value(c, "period"), &unbilled, &err)) {
        json_decref(alerts);
        json_decref(past);
        cm_rows_free(rows);
        return cli_fail(c, &err);
    }
    cm_day_print(cm_day_of(cm_period_overdue_from(period)) - 1, due);
    json_t *json =
        json_pack("{s:s, s:s, s:s, s:s, s:s?, s:s?, s:o, s:o, s:o, s:{s:o, s:o, s:o}, s:s, s:s, s:o, s:o, s:o}",
                  "payer", cell(rows, 0, PAYER), "lane", cell(rows, 0, LANE), "period", cell(rows, 0, PERIOD), "state",
                  cell(rows, 0, STATE), "run", cell(rows, 0, RUN), "correction", cell(rows, 0, CORRECTION), "lines",
                  number(rows, LINES), "not_final", number(rows, NOT_FINAL), "suspended", number(rows, SUSPENDED),
                  "documents", "draft", number(rows, DRAFTS), "approved", number(rows, APPROVED), "issued",
                  number(rows, ISSUED), "earliest_issue", cm_instant_print(cm_period_earliest_issue(period), earliest),
                  "statements_due", due, "unbilled", unbilled, "alerts", alerts, "history", past);
    cm_assert(json);
    cm_rows_free(rows);
    return c->format == CLI_TABLE ? print_period(json) : cli_json_print(json);
}

static void tell_reasons(const cli *c, const json_t *reasons)
{
    size_t i;
    const json_t *reason;
    fprintf(stderr, "curmill: period %s of payer %s cannot be settled:\n", cli_value(c, "period"),
            cli_value(c, "payer"));
    json_array_foreach (reasons, i, reason)
        fprintf(stderr, "  %-16s %s\n", text(reason, "code"), text(reason, "detail"));
}

int cmd_period_settle(cli *c)
{
    cm_error err = {0};
    int exit_code = 0;
    json_t *reasons = NULL;
    cm_period_order order = {.payer = cli_value(c, "payer"),
                             .by = cli_value(c, "by"),
                             .reason = cli_value(c, "reason"),
                             .acknowledge_unbilled = cli_switch(c, "acknowledge-unbilled")};
    cm_pg *pg = cli_pg(c, &exit_code);
    if (!pg || !cli_period(c, &order.period, &exit_code))
        return exit_code;
    if (cm_store_period_settle_order(pg, cli_now(c), &order, &reasons, &err))
        return cmd_period_show(c);
    if (!reasons)
        return cli_fail(c, &err);
    tell_reasons(c, reasons);
    json_decref(reasons);
    return cm_error_exit_code(&err);
}

int cmd_period_reopen(cli *c)
{
    cm_error err = {0};
    int exit_code = 0;
    cm_period_order order = {
        .payer = cli_value(c, "payer"), .by = cli_value(c, "by"), .reason = cli_value(c, "reason")};
    cm_pg *pg = cli_pg(c, &exit_code);
    if (!pg || !cli_period(c, &order.period, &exit_code))
        return exit_code;
    return cm_store_period_reopen(pg, cli_now(c), &order, &err) ? cmd_period_show(c) : cli_fail(c, &err);
}
