/* run list | show; suspended list; audit list. */
#include "cli/cli.h"
#include "commands/commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TIME(column) "to_char(" column ", 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"

int cmd_run_list(cli *c)
{
    static const cli_column columns[] = {{"run", CLI_TEXT},
                                         {"payer", CLI_TEXT},
                                         {"period", CLI_TEXT},
                                         {"state", CLI_TEXT},
                                         {"complete", CLI_BOOLEAN},
                                         {"chunks", CLI_NUMBER},
                                         {"chunks_ended", CLI_NUMBER},
                                         {"lines", CLI_NUMBER},
                                         {"suspended_lines", CLI_NUMBER},
                                         {"eta_seconds", CLI_NUMBER},
                                         {"started_at", CLI_TEXT},
                                         {"completed_at", CLI_TEXT},
                                         {"delivery", CLI_TEXT},
                                         {"catalog", CLI_TEXT},
                                         {"reason", CLI_TEXT}};
    const char *values[] = {cli_value(c, "payer"), cli_value(c, "period")};
    /* The estimate: lines of the chunks that ended tell the size of the others. */
    return cli_query_print(
        c, columns, 15,
        "SELECT r.id, payer, period, state, complete, r.chunks, k.ended, CASE WHEN complete THEN r.lines ELSE k.applied END, suspended_lines,"
        " CASE WHEN state = 'running' AND k.ended > 0 AND k.applied > 0 THEN greatest(0,"
        "   (extract(epoch FROM now() - started_at) * (k.expected::numeric / k.ended * r.chunks - k.applied) / k.applied))::bigint END,"
        " " TIME("started_at") ", " TIME(
            "completed_at") ", delivery_id, catalog_id, reason FROM run r,"
                            " LATERAL (SELECT count(*) FILTER (WHERE ended) AS ended, coalesce(sum(applied_lines), 0) AS applied,"
                            "   coalesce(sum(expected_lines), 0) AS expected FROM run_chunk WHERE run_id = r.id) k"
                            " WHERE ($1::text IS NULL OR payer = $1) AND ($2::text IS NULL OR period = $2) ORDER BY seq",
        2, values);
}

static json_t *rows_json(cm_pg *pg, const cli_column *columns, int count, const char *sql, const char *run,
                         cm_error *err)
{
    cm_rows *rows = NULL;
    if (!cm_pg_query(pg, sql, 1, &run, &rows, err))
        return NULL;
    cli_table *table = cli_table_new(columns, count);
    cli_table_add_rows(table, rows);
    json_t *json = cli_table_json(table);
    cli_table_free(table);
    cm_rows_free(rows);
    return json;
}

int cmd_run_show(cli *c)
{
    static const cli_column chunk_columns[] = {{"chunk", CLI_NUMBER},          {"file", CLI_TEXT},
                                               {"ended", CLI_BOOLEAN},         {"lines_read", CLI_NUMBER},
                                               {"lines_applied", CLI_NUMBER},  {"checksums_equal", CLI_BOOLEAN},
                                               {"rounded", CLI_NUMBER},        {"derived_read", CLI_NUMBER},
                                               {"derived_applied", CLI_NUMBER}};
    static const cli_column cost_columns[] = {
        {"chunk", CLI_NUMBER}, {"currency", CLI_TEXT}, {"read", CLI_DECIMAL}, {"applied", CLI_DECIMAL}};
    static const cli_column alert_columns[] = {{"code", CLI_TEXT}, {"object", CLI_TEXT}, {"detail", CLI_TEXT}};
    cm_error err = {0};
    cm_run run;
    int exit_code = 0;
    cm_pg *pg = cli_pg(c, &exit_code);
    if (!pg)
        return exit_code;
    char id[CM_ID_HEX];
    if (!cli_run_id(c, c->operand[0], id, &err) || !cm_store_run(pg, id, &run, &err))
        return cli_fail(c, &err);
    json_t *chunks = rows_json(
        pg, chunk_columns, 9,
        "SELECT k.chunk, f.name, k.ended, k.expected_lines, k.applied_lines, k.expected_checksum = k.applied_checksum, k.rounded,"
        " k.expected_derived, k.applied_derived"
        " FROM run_chunk k JOIN run r ON r.id = k.run_id LEFT JOIN chunk f ON f.delivery_id = r.delivery_id AND f.chunk = k.chunk"
        " WHERE k.run_id = $1 ORDER BY k.chunk",
        run.id, &err);
    json_t *costs =
        chunks
            ? rows_json(
                  pg, cost_columns, 4,
                  "SELECT k.chunk, e.key, e.value, coalesce(a.applied, 0) FROM run_chunk k CROSS JOIN LATERAL jsonb_each_text(k.expected_cost) e"
                  " LEFT JOIN run_chunk_cost a ON a.run_id = $1 AND a.currency = e.key AND a.chunk = k.chunk"
                  " WHERE k.run_id = $1 ORDER BY 1, 2",
                  run.id, &err)
            : NULL;
    json_t *alerts =
        costs ? rows_json(pg, alert_columns, 3,
                          "SELECT code, object, detail FROM alert WHERE run_id = $1 ORDER BY 1, 2", run.id, &err)
              : NULL;
    if (!alerts) {
        json_decref(chunks);
        json_decref(costs);
        return cli_fail(c, &err);
    }
    char period[CM_PERIOD_TEXT];
    return cli_json_print(json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:i, s:o, s:o, s:o}", "run", run.id,
                                    "delivery", run.delivery, "catalog", run.catalog, "slice", run.slice, "engine",
                                    run.engine_version, "payer", run.payer, "period",
                                    cm_period_print(run.period, period), "state", run.state, "complete", run.complete,
                                    "shards", run.shards, "chunks", chunks, "control_costs", costs, "alerts", alerts));
}

/* "`curmill run start --payer PAYER --period YYYY-MM`" with the row's payer, month and account. */
static const char *with_values(const char *text, const char *const *cells, cm_buffer *into)
{
    static const struct {
        const char *word;
        int cell;
    } words[] = {{"--payer PAYER", 0}, {"--period YYYY-MM", 1}, {"account link ACCOUNT", 3}};
    cm_buffer_free(into);
    while (*text) {
        size_t k = 0;
        while (k < sizeof words / sizeof *words && strncmp(text, words[k].word, strlen(words[k].word)) != 0)
            k++;
        if (k == sizeof words / sizeof *words) {
            cm_buffer_char(into, *text++);
            continue;
        }
        cm_buffer_printf(into, "%.*s%s", (int)(strrchr(words[k].word, ' ') + 1 - words[k].word), words[k].word,
                         cells[words[k].cell]);
        text += strlen(words[k].word);
    }
    return cm_buffer_string(into);
}

int cmd_suspended_list(cli *c)
{
    static const cli_column columns[] = {
        {"payer", CLI_TEXT},    {"period", CLI_TEXT},          {"reason", CLI_TEXT},         {"account", CLI_TEXT},
        {"customer", CLI_TEXT}, {"line_item_type", CLI_TEXT},  {"product", CLI_TEXT},        {"currency", CLI_TEXT},
        {"lines", CLI_NUMBER},  {"payer_amount", CLI_DECIMAL}, {"list_amount", CLI_DECIMAL}, {"example", CLI_TEXT},
        {"next_step", CLI_TEXT}};
    cm_error err = {0};
    int exit_code = 0;
    cm_rows *rows = NULL;
    const char *values[] = {cli_value(c, "payer"), cli_value(c, "period")};
    cm_pg *pg = cli_pg(c, &exit_code);
    if (!pg)
        return exit_code;
    if (!cm_pg_query(
            pg,
            "SELECT r.payer, r.period, x.reason, x.account, x.customer, x.line_item_type, x.product, x.currency, sum(x.lines),"
            " sum(x.payer_amount), sum(x.list_amount), (min(ARRAY[x.example_chunk, x.example_row]))[1] || ':' ||"
            " (min(ARRAY[x.example_chunk, x.example_row]))[2] FROM current_run r"
            " JOIN charge x ON x.run_id = r.run_id AND x.period = r.period WHERE x.class = 'suspended'"
            " AND ($1::text IS NULL OR r.payer = $1) AND ($2::text IS NULL OR r.period = $2)"
            " GROUP BY 1, 2, 3, 4, 5, 6, 7, 8 ORDER BY 1, 2, 3, 4, x.customer COLLATE \"C\", x.line_item_type COLLATE \"C\","
            " x.product COLLATE \"C\", 8",
            2, values, &rows, &err))
        return cli_fail(c, &err);
    cli_table *table = cli_table_new(columns, 13);
    cm_buffer next = {0};
    for (int i = 0; i < cm_rows_count(rows); i++) {
        const char *cells[13];
        for (int k = 0; k < 12; k++)
            cells[k] = cm_rows_text(rows, i, k);
        cells[12] = "";
        for (int reason = CM_REASON_NONE + 1; reason <= CM_REASON_NO_PRICE; reason++) {
            if (strcmp(cm_reason_name((enum cm_reason)reason), cells[2]) == 0)
                cells[12] = with_values(cm_reason_next_step((enum cm_reason)reason), cells, &next);
        }
        cli_table_add(table, cells);
    }
    cm_buffer_free(&next);
    cm_rows_free(rows);
    return cli_table_print(c, table);
}

int cmd_audit_list(cli *c)
{
    static const cli_column columns[] = {{"id", CLI_NUMBER},   {"at", CLI_TEXT},     {"actor", CLI_TEXT},
                                         {"action", CLI_TEXT}, {"object", CLI_TEXT}, {"reason", CLI_TEXT},
                                         {"detail", CLI_TEXT}};
    const char *limit = cli_value(c, "limit");
    const char *values[] = {cli_value(c, "object"), limit ? limit : "200"};
    if (strspn(values[1], "0123456789") != strlen(values[1]) || !*values[1] || strlen(values[1]) > 9)
        return cli_usage(c, "--limit is a number, not \"%s\"", values[1]);
    return cli_query_print(
        c, columns, 7,
        "SELECT * FROM (SELECT id, " TIME(
            "at") ", actor, action, object, reason, detail::text FROM audit"
                  " WHERE $1::text IS NULL OR starts_with(object, $1) ORDER BY id DESC LIMIT $2::int) x ORDER BY id",
        2, values);
}
