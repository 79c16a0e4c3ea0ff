/* explain: the story of one line, recomputed from the archived file with the same rating code the workers use. */
#include "cli/cli.h"
#include "commands/commands.h"

#include "billing/cur/reader.h"
#include "billing/rating/rating.h"
#include "delivery/reading/reading.h"
#include "store/archive/archive_store.h"
#include "store/catalog/link_store.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "3:17", "report-00003.csv.gz:17": the row is behind the last colon, names may hold colons. */
static bool parse_line(const char *text, char *ret_chunk, size_t size, uint64_t *ret_row)
{
    const char *colon = strrchr(text, ':');
    if (!colon || colon == text || !colon[1] || strspn(colon + 1, "0123456789") != strlen(colon + 1) ||
        strlen(colon) > 19)
        return false;
    *ret_row = strtoull(colon + 1, NULL, 10);
    snprintf(ret_chunk, size, "%.*s", (int)(colon - text), text);
    return *ret_row > 0;
}

/* The run (given or current) and the number of the chunk in it. */
static bool find_chunk(cli *c, const char *chunk, cm_arena *arena, cm_run_chunk *ret, cm_error *err)
{
    char id[CM_ID_HEX];
    if (cli_value(c, "run") && !cli_run_id(c, cli_value(c, "run"), id, err))
        return false;
    const char *values[] = {cli_value(c, "payer"), cli_value(c, "period"), cli_value(c, "run") ? id : NULL, chunk};
    cm_rows *rows = NULL;
    if (!cm_pg_query(
            c->pg_,
            "SELECT r.id, k.chunk FROM run r JOIN chunk k ON k.delivery_id = r.delivery_id"
            " WHERE r.payer = $1 AND r.period = $2 AND ($3::text IS NOT NULL AND r.id = $3"
            "   OR $3::text IS NULL AND r.id = (SELECT run_id FROM current_run WHERE payer = $1 AND period = $2))"
            " AND (k.chunk::text = $4 OR k.name = $4 OR k.location = $4) ORDER BY r.seq DESC LIMIT 1",
            4, values, &rows, err))
        return false;
    bool done =
        cm_rows_count(rows)
            ? cm_store_run_chunk(c->pg_, cm_rows_text(rows, 0, 0), (uint32_t)cm_rows_i64(rows, 0, 1), arena, ret, err)
            : cm_fail(
                  err, CM_ERROR_NOT_FOUND, "NO_CHUNK",
                  "payer %s has no file \"%s\" in its run for %s; files are numbered from 1, see `curmill run show RUN`",
                  values[0], chunk, values[1]);
    cm_rows_free(rows);
    return done;
}

static bool skip_to(cm_reader *reader, uint64_t row, const cm_line **ret, cm_error *err)
{
    cm_place place;
    do {
        if (!cm_reader_next(reader, ret, &place, err))
            return false;
    } while (*ret && (*ret)->row < row);
    return *ret || cm_fail(err, CM_ERROR_NOT_FOUND, "NO_ROW", "the file has no data row %" PRIu64, row);
}

static json_t *columns_json(cm_reader *reader)
{
    json_t *object = json_object();
    for (int i = 0; i < cm_reader_column_count(reader); i++) {
        cm_slice name = cm_reader_column_name(reader, i), value = cm_reader_column_value(reader, i);
        char key[256];
        snprintf(key, sizeof key, "%.*s", CM_SLICE(name));
        if (value.length)
            json_object_set_new(object, key, json_stringn(value.text, value.length));
    }
    return object;
}

static void add_step(void *opaque, const char *step, const char *detail)
{
    json_array_append_new(opaque, json_pack("{s:s, s:s}", "step", step, "detail", detail));
}

static json_t *decimal(cm_decimal value)
{
    char text[CM_DECIMAL_TEXT];
    cm_decimal_print(value, text);
    return json_string(text);
}

/* "payer * (100 + -5) / 100" */
static void describe(const cm_price_step *step, char *into, size_t size)
{
    static const char *const layers[] = {"payer", "list", "buy", "sell"};
    char number[CM_DECIMAL_TEXT];
    cm_decimal_print(step->number, number);
    switch (step->op) {
    case CM_OP_ZERO:
        snprintf(into, size, "0");
        return;
    case CM_OP_LAYER:
        snprintf(into, size, "%s", layers[step->layer]);
        return;
    case CM_OP_ADD_PERCENT:
        snprintf(into, size, "%s x (100 + %s) / 100", layers[step->layer], number);
        return;
    case CM_OP_PERCENT:
        snprintf(into, size, "%s x %s / 100", layers[step->layer], number);
        return;
    case CM_OP_RATE:
        snprintf(into, size, "quantity x %s", number);
        return;
    }
}

static json_t *story(const cm_rater *rater, const cm_line *line, cm_error *err)
{
    cm_decision decision;
    cm_priced priced;
    char time[CM_INSTANT_TEXT], buy[160], sell[160];
    json_t *steps = json_array();
    cm_instant at = cm_rater_time(rater, line->start);
    cm_decide(rater, &line->kind, at, &decision, add_step, steps);
    if (!cm_price(&decision, line->quantity, line->cost, line->list_cost, &priced, err)) {
        json_decref(steps);
        return NULL;
    }
    describe(&decision.buy, buy, sizeof buy);
    describe(&decision.sell, sell, sizeof sell);
    bool suspended = priced.reason != CM_REASON_NONE;
    return json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:s, s:s, s:o}", "time",
        cm_instant_print(at, time), "class", cm_class_name(suspended ? CM_CLASS_SUSPENDED : decision.class), "reason",
        cm_reason_name(priced.reason), "customer", decision.customer ? decision.customer->id : "", "rule",
        !suspended && decision.sell_rule ? decision.sell_rule->id : "", "buy_rule",
        !suspended && decision.buy_rule ? decision.buy_rule->id : "", "next_step", cm_reason_next_step(priced.reason),
        "quantity", decimal(line->quantity), "payer", decimal(priced.payer), "list", decimal(priced.list), "buy",
        decimal(priced.buy), "sell", decimal(priced.sell), "buy_formula", suspended ? "0" : buy, "sell_formula",
        suspended ? "0" : sell, "steps", steps);
}

static void print_facts(const json_t *explained)
{
    static const char *const facts[] = {"payer_account", "period",   "run",         "catalog",   "links",    "file",
                                        "time",          "class",    "reason",      "next_step", "customer", "rule",
                                        "buy_rule",      "quantity", "currency",    "payer",     "list",     "buy",
                                        "buy_formula",   "sell",     "sell_formula"};
    json_t *value;
    size_t i;
    for (size_t k = 0; k < sizeof facts / sizeof *facts; k++) {
        const char *text = json_string_value(json_object_get(explained, facts[k]));
        if (text && *text)
            cli_put(stdout, "%-14s %s\n", facts[k], text);
    }
    fputs("\nsteps\n", stdout);
    json_array_foreach (json_object_get(explained, "steps"), i, value)
        cli_put(stdout, "  %-6s %s\n", json_string_value(json_object_get(value, "step")),
                json_string_value(json_object_get(value, "detail")));
}

static void print_story(const json_t *explained)
{
    const char *name;
    json_t *value;
    size_t i;
    print_facts(explained);
    json_array_foreach (json_object_get(explained, "derived_lines"), i, value) {
        cli_put(stdout, "\nderived line %s\n", json_string_value(json_object_get(value, "line_item_type")));
        print_facts(value);
    }
    fputs("\ncolumns\n", stdout);
    json_object_foreach (json_object_get(explained, "columns"), name, value)
        cli_put(stdout, "  %s = %s\n", name, json_string_value(value));
}

static void put_text(json_t *object, const char *key, cm_slice text)
{
    json_object_set_new(object, key, json_stringn(text.length ? text.text : "", text.length));
}

/* The derived lines of the row just read (rating.md section 2a), as a list: each with its own story. */
static json_t *derived_json(const cm_rater *rater, cm_reader *reader, cm_error *err)
{
    cm_place place;
    const cm_line *line = NULL;
    json_t *list = json_array(), *one = NULL;
    bool done;
    while ((done = cm_reader_next(reader, &line, &place, err)) && line && cm_line_is_derived(line) &&
           (done = (one = story(rater, line, err)) != NULL)) {
        put_text(one, "line_item_type", line->kind.line_item_type);
        put_text(one, "currency", line->kind.currency);
        json_array_append_new(list, one);
    }
    if (done)
        return list;
    json_decref(list);
    return NULL;
}

static bool explain(cli *c, const cm_archive *archive, const cm_run_chunk *chunk, uint64_t row, json_t **ret,
                    cm_error *err)
{
    cm_place place;
    cm_catalog *catalog = NULL;
    cm_rater *rater = NULL;
    const cm_line *line = NULL;
    *ret = NULL;
    cm_reader *reader = cm_delivery_read_chunk(archive, chunk, &place, err);
    if (reader && skip_to(reader, row, &line, err) &&
        cm_store_snapshot_load(c->pg_, chunk->catalog, chunk->links, &catalog, err))
        rater = cm_rater_new(catalog, chunk->payer, chunk->period, err);
    if (rater)
        *ret = story(rater, line, err);
    if (*ret) {
        char period[CM_PERIOD_TEXT];
        json_object_set_new(*ret, "payer_account", json_string(chunk->payer));
        json_object_set_new(*ret, "period", json_string(cm_period_print(chunk->period, period)));
        json_object_set_new(*ret, "run", json_string(chunk->run));
        json_object_set_new(*ret, "catalog", json_string(chunk->catalog));
        if (*chunk->links)
            json_object_set_new(*ret, "links", json_string(chunk->links));
        json_object_set_new(*ret, "file", json_string(chunk->name));
        json_object_set_new(*ret, "chunk", json_integer((json_int_t)chunk->chunk));
        json_object_set_new(*ret, "row", json_integer((json_int_t)row));
        put_text(*ret, "currency", line->kind.currency);
        json_object_set_new(*ret, "columns", columns_json(reader));
        json_t *derived = derived_json(rater, reader, err);
        if (derived)
            json_object_set_new(*ret, "derived_lines", derived);
        else
            json_decref(*ret), *ret = NULL;
    }
    cm_rater_free(rater);
    cm_catalog_free(catalog);
    cm_reader_free(reader);
    return *ret != NULL;
}

int cmd_explain(cli *c)
{
    cm_error err = {0};
    cm_period period;
    int exit_code = 0;
    char chunk_name[512];
    uint64_t row;
    if (!parse_line(cli_value(c, "line"), chunk_name, sizeof chunk_name, &row))
        return cli_usage(c, "--line is CHUNK:ROW, such as 1:4711 or report-00001.csv.gz:4711, not \"%s\"",
                         cli_value(c, "line"));
    const cm_archive *archive;
    if (!cli_period(c, &period, &exit_code) || !cli_pg(c, &exit_code) || !cli_archive(c, &archive, &exit_code))
        return exit_code;
    cm_arena *arena = cm_arena_new(16 * 1024);
    cm_run_chunk chunk;
    json_t *explained = NULL;
    if (!find_chunk(c, chunk_name, arena, &chunk, &err) || !explain(c, archive, &chunk, row, &explained, &err)) {
        exit_code = cli_fail(c, &err);
    } else if (c->format == CLI_JSON) {
        exit_code = cli_json_print(explained);
    } else {
        print_story(explained);
        json_decref(explained);
    }
    cm_arena_free(arena);
    return exit_code;
}
