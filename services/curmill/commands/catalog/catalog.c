/* catalog check | apply | list | show | diff. */
#include "billing/catalog/check/read.h"
#include "billing/catalog/diff/diff.h"
#include "cli/cli.h"
#include "commands/commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* All problems at once, one a line, as compilers do. */
static void print_problems(const cm_catalog_problems *problems)
{
    for (size_t i = 0; i < problems->count; i++) {
        const cm_catalog_problem *p = &problems->list[i];
        cli_put(stderr, "%s:%d:%d: %s: %s\n", p->file, p->line, p->column, p->warning ? "warning" : "error", p->text);
    }
}

/* The canonical content, or NULL with the exit code (2: refused). */
static json_t *read_folder(cli *c, int *ret_exit)
{
    cm_error err = {0};
    cm_catalog_problems problems = {0};
    const char **lanes = cli_lanes(c);
    json_t *canonical = cm_catalog_read_for(c->operand[0], lanes, &problems, &err);
    free(lanes);
    print_problems(&problems);
    if (!canonical && problems.errors) {
        cli_put(stderr, "curmill: %zu error%s in %s; nothing was stored\n", problems.errors,
                problems.errors == 1 ? "" : "s", c->operand[0]);
        *ret_exit = 2;
    } else if (!canonical) {
        *ret_exit = cli_fail(c, &err);
    }
    cm_catalog_problems_free(&problems);
    return canonical;
}

static size_t accounts_of(const json_t *canonical)
{
    size_t count = 0;
    const char *id;
    json_t *customer;
    json_object_foreach (json_object_get(canonical, "Customer"), id, customer)
        count += json_array_size(json_object_get(customer, "accounts"));
    return count;
}

static const char *many(size_t count)
{
    return count == 1 ? "" : "s";
}

int cmd_catalog_check(cli *c)
{
    int exit_code = 0;
    json_t *canonical = read_folder(c, &exit_code);
    if (canonical) {
        size_t payers = json_object_size(json_object_get(canonical, "Payer"));
        size_t customers = json_object_size(json_object_get(canonical, "Customer")), accounts = accounts_of(canonical);
        cli_note(c, "%s: no errors (%zu payer%s, %zu customer%s, %zu account%s)", c->operand[0], payers, many(payers),
                 customers, many(customers), accounts, many(accounts));
    }
    json_decref(canonical);
    return exit_code;
}

/* Exit code 1 with what is missing or too much; -1: fine. */
static int check_apply_options(cli *c)
{
    static const char *const only_dry[] = {"periods", "payer", "lane"};
    bool dry_run = cli_switch(c, "dry-run");
    for (size_t i = 0; !dry_run && i < 3; i++)
        if (cli_value(c, only_dry[i]))
            return cli_usage(c, "--%s can only be used with --dry-run", only_dry[i]);
    if (!dry_run && !cli_value(c, "by"))
        return cli_usage(c, "--by WHO is missing: say who does this (for the audit trail)");
    if (!dry_run && !cli_value(c, "reason"))
        return cli_usage(c, "--reason TEXT is missing: say why");
    if (dry_run && !cli_value(c, "periods"))
        return cli_usage(c, "--periods M..N is missing: give the billing periods to compare, such as 2025-05..2025-06");
    return -1;
}

int cmd_catalog_apply(cli *c)
{
    int exit_code = check_apply_options(c);
    if (exit_code >= 0)
        return exit_code;
    exit_code = 0;
    cm_error err = {0};
    cm_applied_catalog applied = {0};
    json_t *canonical = read_folder(c, &exit_code);
    if (canonical && cli_switch(c, "dry-run")) {
        exit_code = cli_catalog_dry_run(c, canonical);
        json_decref(canonical);
        return exit_code;
    }
    cm_pg *pg = canonical ? cli_pg(c, &exit_code) : NULL;
    if (!pg) {
        json_decref(canonical);
        return exit_code;
    }
    bool done = cm_store_catalog_apply(pg, canonical, cli_value(c, "by"), cli_value(c, "reason"), cli_now(c),
                                       cli_switch(c, "now"), &applied, &err);
    json_decref(canonical);
    if (!done)
        return cli_fail(c, &err);
    char from[CM_INSTANT_TEXT];
    cm_instant_print(applied.in_force_from, from);
    if (c->format == CLI_JSON) {
        exit_code = cli_json_print(json_pack("{s:s, s:s, s:b, s:s}", "version", applied.id, "in_force_from", from,
                                             "changed", !applied.unchanged, "diff", applied.diff));
    } else {
        cli_put(stdout, "version %s, in force from %s%s\n%s", applied.id, from,
                applied.unchanged ? " (unchanged; nothing was stored)" : "", applied.unchanged ? "" : applied.diff);
    }
    free(applied.diff);
    return exit_code;
}

int cmd_catalog_list(cli *c)
{
    static const cli_column columns[] = {
        {"seq", CLI_NUMBER},      {"version", CLI_TEXT},    {"in_force_from", CLI_TEXT}, {"in_force", CLI_BOOLEAN},
        {"applied_at", CLI_TEXT}, {"applied_by", CLI_TEXT}, {"reason", CLI_TEXT}};
    char now[CM_INSTANT_TEXT];
    const char *values[] = {cm_instant_print(cli_now(c), now)};
    return cli_query_print(
        c, columns, 7,
        "SELECT seq, catalog_id, to_char(in_force_from, 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'),"
        " seq = (SELECT max(seq) FROM catalog_activation WHERE in_force_from <= $1),"
        " to_char(applied_at, 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), applied_by, reason FROM catalog_activation ORDER BY seq",
        1, values);
}

/* Content of a version by id or its beginning; the one in force without. */
static json_t *content(cli *c, const char *version, int *ret_exit)
{
    cm_error err = {0};
    char id[CM_ID_HEX];
    cm_rows *rows = NULL;
    json_t *json = NULL;
    cm_pg *pg = cli_pg(c, ret_exit);
    if (!pg)
        return NULL;
    if (!version && !cm_store_catalog_in_force(pg, cli_now(c), id, &err)) {
        *ret_exit = cli_fail(c, &err);
        return NULL;
    }
    const char *values[] = {version ? version : id};
    if (!cm_pg_query(pg, "SELECT content FROM catalog_version WHERE starts_with(id, $1) LIMIT 2", 1, values, &rows,
                     &err)) {
        *ret_exit = cli_fail(c, &err);
        return NULL;
    }
    if (cm_rows_count(rows) == 1) {
        json = json_loads(cm_rows_text(rows, 0, 0), 0, NULL);
    } else {
        cm_fail(&err, CM_ERROR_NOT_FOUND, "NO_CATALOG", "%s catalog version %s; see `curmill catalog list`",
                cm_rows_count(rows) ? "there is more than one" : "there is no", values[0]);
        *ret_exit = cli_fail(c, &err);
    }
    cm_rows_free(rows);
    return json;
}

int cmd_catalog_show(cli *c)
{
    int exit_code = 0;
    json_t *json = content(c, c->operands ? c->operand[0] : NULL, &exit_code);
    return json ? cli_json_print(json) : exit_code;
}

int cmd_catalog_diff(cli *c)
{
    int exit_code = 0;
    cm_buffer diff = {0};
    json_t *a = content(c, c->operand[0], &exit_code), *b = a ? content(c, c->operand[1], &exit_code) : NULL;
    if (a && b) {
        cm_catalog_diff(a, b, &diff);
        if (c->format == CLI_JSON) {
            json_t *lines = json_array();
            for (char *save = NULL, *line = diff.length ? strtok_r(diff.data, "\n", &save) : NULL; line;
                 line = strtok_r(NULL, "\n", &save))
                json_array_append_new(lines, json_string(line));
            cli_json_print(lines);
        } else {
            cli_put(stdout, "%s", cm_buffer_string(&diff));
        }
    }
    cm_buffer_free(&diff);
    json_decref(a);
    json_decref(b);
    return exit_code;
}
