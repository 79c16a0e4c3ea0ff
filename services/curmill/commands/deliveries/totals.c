/* totals: exact sums of a run, grouped by any of the charge's keys (contract: keys and forms of the JSON). */
#include "cli/cli.h"
#include "commands/commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEYS_MAX = 12 };

static const char *const charge_keys[] = {"account",   "customer", "line_item_type", "class", "product", "usage_type",
                                          "operation", "region",   "unit",           "rule",  "currency"};
static const char *const day_keys[] = {"day", "account", "product", "currency"};

typedef struct grouping {
    const char *key[KEYS_MAX];
    int count;
    bool by_day;
} grouping;

static const char *known_key(const char *const *keys, size_t count, const char *word)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(keys[i], word) == 0)
            return keys[i];
    }
    return NULL;
}

/* -1: fine. Each key once; `currency` is always there, asked for or not. */
static int parse_keys(cli *c, char *by, grouping *ret)
{
    char *save = NULL;
    for (char *word = by ? strtok_r(by, ", ", &save) : NULL; word; word = strtok_r(NULL, ", ", &save)) {
        const char *key =
            strcmp(word, "day") == 0 ? "day" : known_key(charge_keys, sizeof charge_keys / sizeof *charge_keys, word);
        if (!key)
            return cli_usage(
                c,
                "--by takes account, customer, line_item_type, class, product, usage_type, operation, region, unit, rule, "
                "currency, or day with account and product; not \"%s\"",
                word);
        for (int i = 0; i < ret->count; i++) {
            if (ret->key[i] == key)
                return cli_usage(c, "--by names %s twice", key);
        }
        ret->by_day |= strcmp(key, "day") == 0;
        ret->key[ret->count++] = key;
    }
    for (int i = 0; ret->by_day && i < ret->count; i++) {
        if (!known_key(day_keys, sizeof day_keys / sizeof *day_keys, ret->key[i]))
            return cli_usage(c, "day goes with account and product only, not with %s", ret->key[i]);
    }
    if (!known_key(ret->key, (size_t)ret->count, "currency"))
        ret->key[ret->count++] = "currency";
    return -1;
}

/* The run asked for, or the current one. */
static bool find_run(cli *c, const char *payer, cm_period period, cm_run *ret, cm_error *err)
{
    const char *run = cli_value(c, "run");
    char month[CM_PERIOD_TEXT], id[CM_ID_HEX];
    if (run && !cli_run_id(c, run, id, err))
        return false;
    run = run ? id : NULL;
    const char *values[] = {payer, cm_period_print(period, month), run};
    cm_rows *rows = NULL;
    if (!cm_pg_query(c->pg_,
                     run ? "SELECT id FROM run WHERE id = $3 AND payer = $1 AND period = $2"
                         : "SELECT run_id FROM current_run WHERE payer = $1 AND period = $2 AND $3::text IS NULL",
                     3, values, &rows, err))
        return false;
    bool found = cm_rows_count(rows) == 1;
    bool done = found && cm_store_run(c->pg_, cm_rows_text(rows, 0, 0), ret, err);
    cm_rows_free(rows);
    if (!found && run)
        return cm_fail(err, CM_ERROR_NOT_FOUND, "NO_RUN", "payer %s has no run %s for %s; see `curmill run list`",
                       payer, run, month);
    if (!found)
        return cm_fail(
            err, CM_ERROR_NOT_FOUND, "NO_RUN",
            "payer %s has no complete run for %s yet; see `curmill run list --payer %s --period %s`, `curmill delivery list`",
            payer, month, payer, month);
    return done;
}

/* Where the sums of a run stand: of a complete one in charge, of a running one in its own parts, of one without a line
 * nowhere. */
typedef struct place {
    char from[128]; /* table and condition on $1 (run) and $2 (period) */
} place;

static bool find_place(cli *c, const cm_run *run, bool by_day, place *ret, cm_error *err)
{
    const char *base = by_day ? "charge_day" : "charge";
    char table[80];
    cm_rows *rows = NULL;
    if (run->complete) {
        snprintf(ret->from, sizeof ret->from, "%s WHERE run_id = $1 AND period = $2", base);
        return true;
    }
    snprintf(table, sizeof table, "%s_part_%s", base, run->id);
    if (!cm_pg_query(c->pg_, "SELECT to_regclass($1) IS NOT NULL", 1, (const char *[]){table}, &rows, err))
        return false;
    snprintf(ret->from, sizeof ret->from, "%s WHERE $1::text <> $2::text",
             cm_rows_bool(rows, 0, 0) ? table
             : by_day                 ? "charge_day_part"
                                      : "charge_part");
    cm_rows_free(rows);
    return true;
}

static void build_sql(const grouping *g, const place *where, cm_buffer *sql)
{
    cm_buffer_text(sql, "SELECT ");
    for (int i = 0; i < g->count; i++)
        cm_buffer_printf(sql, "%s%s", g->key[i], strcmp(g->key[i], "day") == 0 ? "::text, " : ", ");
    cm_buffer_printf(
        sql,
        "sum(lines), sum(quantity), sum(payer_amount), sum(list_amount), sum(buy_amount), sum(sell_amount),"
        " sum(derived_lines) FROM %s"
        " GROUP BY ",
        where->from);
    for (int i = 0; i < g->count; i++)
        cm_buffer_printf(sql, "%s%s", i ? ", " : "", g->key[i]);
    cm_buffer_text(sql, " ORDER BY ");
    for (int i = 0; i < g->count; i++)
        cm_buffer_printf(sql, "%s%s%s", i ? ", " : "", g->key[i],
                         strcmp(g->key[i], "day") == 0 ? "" : " COLLATE \"C\"");
}

/* A table for people leaves a column of zeros out. */
static cli_table *read_groups(cli *c, const grouping *g, const cm_run *run, bool hide_derived, cm_error *err)
{
    static const cli_column sums[] = {{"lines", CLI_NUMBER},        {"quantity", CLI_DECIMAL}, {"payer", CLI_DECIMAL},
                                      {"list", CLI_DECIMAL},        {"buy", CLI_DECIMAL},      {"sell", CLI_DECIMAL},
                                      {"derived_lines", CLI_NUMBER}};
    enum { SUMS = sizeof sums / sizeof *sums };
    cli_column columns[KEYS_MAX + SUMS];
    for (int i = 0; i < g->count; i++)
        columns[i] = (cli_column){g->key[i], CLI_TEXT};
    memcpy(columns + g->count, sums, sizeof sums);
    char period[CM_PERIOD_TEXT];
    cm_buffer sql = {0};
    cm_rows *rows = NULL;
    place where;
    if (!find_place(c, run, g->by_day, &where, err))
        return NULL;
    build_sql(g, &where, &sql);
    const char *values[] = {run->id, cm_period_print(run->period, period)};
    bool done = cm_pg_query(c->pg_, cm_buffer_string(&sql), 2, values, &rows, err);
    cm_buffer_free(&sql);
    if (!done)
        return NULL;
    cli_table *table = cli_table_new(columns, g->count + SUMS - hide_derived);
    cli_table_add_rows(table, rows);
    cm_rows_free(rows);
    return table;
}

typedef struct counts {
    int64_t lines, suspended, derived;
} counts;

static bool read_counts(cli *c, const cm_run *run, counts *ret, cm_error *err)
{
    cm_rows *rows = NULL;
    place where;
    char sql[400], period[CM_PERIOD_TEXT];
    if (!find_place(c, run, false, &where, err))
        return false;
    snprintf(sql, sizeof sql,
             "SELECT coalesce(sum(lines), 0), coalesce(sum(lines) FILTER (WHERE class = 'suspended'), 0),"
             " coalesce(sum(derived_lines), 0) FROM %s",
             where.from);
    const char *values[] = {run->id, cm_period_print(run->period, period)};
    if (!cm_pg_query(c->pg_, sql, 2, values, &rows, err))
        return false;
    *ret = (counts){cm_rows_i64(rows, 0, 0), cm_rows_i64(rows, 0, 1), cm_rows_i64(rows, 0, 2)};
    cm_rows_free(rows);
    return true;
}

int cmd_totals(cli *c)
{
    cm_error err = {0};
    cm_period period = {0};
    cm_run run = {0};
    grouping g = {0};
    int exit_code = 0;
    const char *payer = cli_value(c, "payer");
    char *by = cli_value(c, "by") ? cm_strdup(cli_value(c, "by")) : NULL;
    exit_code = parse_keys(c, by, &g);
    free(by);
    if (exit_code >= 0 || !cli_period(c, &period, &exit_code) || !cli_pg(c, &exit_code))
        return exit_code;
    counts n = {0};
    if (!find_run(c, payer, period, &run, &err) || !read_counts(c, &run, &n, &err))
        return cli_fail(c, &err);
    cli_table *groups = read_groups(c, &g, &run, c->format == CLI_TABLE && n.derived == 0, &err);
    if (!groups)
        return cli_fail(c, &err);
    char month[CM_PERIOD_TEXT];
    cm_period_print(period, month);
    if (c->format != CLI_JSON) {
        char derived[48] = "";
        if (n.derived)
            snprintf(derived, sizeof derived, ", %lld derived", (long long)n.derived);
        cli_note(c, "payer %s, period %s, run %s (%s%s), %lld lines, %lld suspended%s", payer, month, run.id, run.state,
                 run.complete ? ", complete" : "", (long long)n.lines, (long long)n.suspended, derived);
        return cli_table_print(c, groups);
    }
    json_t *json =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:I, s:I, s:I, s:o}", "payer", payer, "period", month, "run",
                  run.id, "delivery", run.delivery, "catalog", run.catalog, "state", run.state, "complete",
                  run.complete, "lines", (json_int_t)n.lines, "suspended_lines", (json_int_t)n.suspended,
                  "derived_lines", (json_int_t)n.derived, "groups", cli_table_json(groups));
    cli_table_free(groups);
    return cli_json_print(json);
}
