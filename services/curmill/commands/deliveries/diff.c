/* run diff; how a difference is printed, there and by `catalog apply --dry-run`. */
#include "cli/cli.h"
#include "commands/commands.h"

#include "store/reports/diff_store.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXTS = 5, COLUMNS = TEXTS + 10 };

static const cli_column columns[COLUMNS] = {{"lane", CLI_TEXT},
                                            {"period", CLI_TEXT},
                                            {"customer", CLI_TEXT},
                                            {"product", CLI_TEXT},
                                            {"currency", CLI_TEXT},
                                            {"buy_before", CLI_DECIMAL},
                                            {"buy_after", CLI_DECIMAL},
                                            {"buy_change", CLI_DECIMAL},
                                            {"sell_before", CLI_DECIMAL},
                                            {"sell_after", CLI_DECIMAL},
                                            {"sell_change", CLI_DECIMAL},
                                            {"suspended_lines_before", CLI_NUMBER},
                                            {"suspended_lines_after", CLI_NUMBER},
                                            {"suspended_before", CLI_DECIMAL},
                                            {"suspended_after", CLI_DECIMAL}};

/* Both fit, so their difference does unless they are of the size of all money there is: then it is not told. */
static const char *difference(cm_decimal before, cm_decimal after, char into[static CM_DECIMAL_TEXT])
{
    cm_decimal change;
    if (!cm_decimal_subtract(after, before, &change))
        return NULL;
    cm_decimal_print(change, into);
    return into;
}

/* `customer` instead of the row's, if it is given. */
static void add_row(cli_table *table, const cm_diff_row *row, const char *customer, int first)
{
    char buy[3][CM_DECIMAL_TEXT], sell[3][CM_DECIMAL_TEXT], suspended[2][CM_DECIMAL_TEXT], lines[2][24];
    cm_decimal_print(row->before.buy, buy[0]);
    cm_decimal_print(row->after.buy, buy[1]);
    cm_decimal_print(row->before.sell, sell[0]);
    cm_decimal_print(row->after.sell, sell[1]);
    cm_decimal_print(row->before.suspended, suspended[0]);
    cm_decimal_print(row->after.suspended, suspended[1]);
    snprintf(lines[0], sizeof lines[0], "%" PRId64, row->before.suspended_lines);
    snprintf(lines[1], sizeof lines[1], "%" PRId64, row->after.suspended_lines);
    const char *values[COLUMNS] = {row->lane,
                                   row->period,
                                   customer ? customer : row->customer,
                                   row->product,
                                   row->currency,
                                   buy[0],
                                   buy[1],
                                   difference(row->before.buy, row->after.buy, buy[2]),
                                   sell[0],
                                   sell[1],
                                   difference(row->before.sell, row->after.sell, sell[2]),
                                   lines[0],
                                   lines[1],
                                   suspended[0],
                                   suspended[1]};
    cli_table_add(table, values + first);
}

static json_t *rows_json(const cm_diff_row *rows, size_t count, int first)
{
    cli_table *table = cli_table_new(columns + first, COLUMNS - first);
    for (size_t i = 0; i < count; i++)
        add_row(table, &rows[i], NULL, first);
    json_t *json = cli_table_json(table);
    cli_table_free(table);
    return json;
}

json_t *cli_diff_rows(const cm_diff *diff)
{
    return rows_json(diff->rows, diff->count, 0);
}

json_t *cli_diff_totals(const cm_diff *diff)
{
    return rows_json(diff->totals, diff->totals_count, TEXTS - 1);
}

void cli_diff_print(const cli *c, const cm_diff *diff)
{
    cli_table *table = cli_table_new(columns, COLUMNS);
    for (size_t i = 0; i < diff->count; i++)
        add_row(table, &diff->rows[i], NULL, 0);
    for (size_t i = 0; c->format == CLI_TABLE && i < diff->totals_count; i++)
        add_row(table, &diff->totals[i], "(total)", 0);
    cli_table_print(c, table);
}

/* --- run diff ------------------------------------------------------------------------------------------------ */

enum { RUNS_MAX = 256 };

/* "A1,A2": the words; cuts `text` up. */
static size_t split(char *text, const char **ret)
{
    size_t count = 0;
    for (char *save = NULL, *id = strtok_r(text, ",", &save); id && count < RUNS_MAX; id = strtok_r(NULL, ",", &save))
        ret[count++] = id;
    return count;
}

/* Whole ids for what was typed. */
static bool complete(cli *c, const char **ids, size_t count, char (*into)[CM_ID_HEX], cm_error *err)
{
    for (size_t i = 0; i < count; i++) {
        if (!cli_run_id(c, ids[i], into[i], err))
            return false;
        ids[i] = into[i];
    }
    return true;
}

/* Which run of the other side is of the same payer and period? Ids by the place they are at. */
static bool places_of(cm_pg *pg, const char *const *runs, size_t count, char (*ret)[32], cm_error *err)
{
    for (size_t i = 0; i < count; i++) {
        cm_run run;
        char month[CM_PERIOD_TEXT];
        if (!cm_store_run(pg, runs[i], &run, err))
            return false;
        snprintf(ret[i], sizeof ret[i], "%s %s", run.payer, cm_period_print(run.period, month));
    }
    return true;
}

static bool pair_up(cm_pg *pg, const char *const *before, const char *const *after, size_t count, cm_diff_pair *ret,
                    cm_error *err)
{
    char(*places)[32] = cm_alloc(2 * count * sizeof *places);
    bool done = places_of(pg, before, count, places, err) && places_of(pg, after, count, places + count, err);
    for (size_t i = 0; done && i < count; i++) {
        size_t k = 0;
        while (k < count && strcmp(places[i], places[count + k]) != 0)
            k++;
        /* None: the store says what is unlike. */
        ret[i] = (cm_diff_pair){before[i], after[k < count ? k : i]};
    }
    free(places);
    return done;
}

static json_t *ids_json(const char *const *ids, size_t count)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, json_string(ids[i]));
    return list;
}

int cmd_run_diff(cli *c)
{
    cm_error err = {0};
    cm_diff diff;
    const char *before[RUNS_MAX], *after[RUNS_MAX];
    cm_diff_pair pairs[RUNS_MAX];
    int exit_code = 0;
    cm_pg *pg = cli_pg(c, &exit_code);
    if (!pg)
        return exit_code;
    char *texts[2] = {cm_strdup(c->operand[0]), cm_strdup(c->operand[1])};
    static char whole[2][RUNS_MAX][CM_ID_HEX];
    size_t count = split(texts[0], before), others = split(texts[1], after);
    if (count == 0 || count != others) {
        exit_code = cli_usage(c, "give as many runs after as before, separated by commas; there are %zu and %zu", count,
                              others);
    } else if (!complete(c, before, count, whole[0], &err) || !complete(c, after, count, whole[1], &err) ||
               !pair_up(pg, before, after, count, pairs, &err) || !cm_store_diff(pg, pairs, count, NULL, &diff, &err)) {
        exit_code = cli_fail(c, &err);
    } else {
        if (c->format == CLI_JSON)
            cli_json_print(json_pack("{s:o, s:o, s:o, s:o}", "before", ids_json(before, count), "after",
                                     ids_json(after, count), "rows", cli_diff_rows(&diff), "totals",
                                     cli_diff_totals(&diff)));
        else
            cli_diff_print(c, &diff);
        cm_diff_free(&diff);
    }
    free(texts[0]);
    free(texts[1]);
    return exit_code;
}
