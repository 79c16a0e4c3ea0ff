/* account report | duties | gap: what is due to distributors by the month, and what joining in mid-month costs. */
#include "commands/accounts/accounts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int cmd_account_gap(cli *c)
{
    static const cli_column columns[] = {
        {"request", CLI_NUMBER},   {"payer", CLI_TEXT},           {"account", CLI_TEXT},       {"customer", CLI_TEXT},
        {"liable_from", CLI_TEXT}, {"billed_from", CLI_TEXT},     {"period", CLI_TEXT},        {"currency", CLI_TEXT},
        {"lines", CLI_NUMBER},     {"payer_amount", CLI_DECIMAL}, {"list_amount", CLI_DECIMAL}};
    cm_error err = {0};
    cm_rows *rows = NULL;
    int exit_code = 0;
    cm_pg *pg = cli_pg(c, &exit_code);
    if (!pg)
        return exit_code;
    if (!cm_store_link_gaps(pg, cli_value(c, "payer"), c->operands ? c->operand[0] : NULL, &rows, &err))
        return cli_fail(c, &err);
    cli_table *table = cli_table_new(columns, 11);
    cli_table_add_rows(table, rows);
    cm_rows_free(rows);
    return cli_table_print(c, table);
}

/* --- duties --- */

typedef struct submission {
    bool done;
    cm_instant at;
    char when[CM_INSTANT_TEXT], by[256];
    char *content; /* owned */
} submission;

static bool load_submission(cm_pg *pg, const char *payer, const char *month, const char *duty, submission *ret,
                            cm_error *err)
{
    cm_rows *rows = NULL;
    *ret = (submission){0};
    if (!cm_pg_query(pg,
                     "SELECT (extract(epoch FROM submitted_at) * 1000000)::bigint, submitted_by, content FROM "
                     "end_user_report WHERE payer = $1 AND period = $2 AND duty = $3",
                     3, (const char *[]){payer, month, duty}, &rows, err))
        return false;
    if (cm_rows_count(rows)) {
        ret->done = true;
        ret->at = cm_rows_i64(rows, 0, 0);
        cm_instant_print(ret->at, ret->when);
        snprintf(ret->by, sizeof ret->by, "%s", cm_rows_text(rows, 0, 1));
        ret->content = cm_strdup(cm_rows_text(rows, 0, 2));
    }
    cm_rows_free(rows);
    return true;
}

static bool add_duties(cli *c, cli_table *table, const cm_payer *payer, cm_period period, cm_error *err)
{
    char month[CM_PERIOD_TEXT], due[CM_INSTANT_TEXT];
    cm_period_print(period, month);
    for (const cm_payer_duty *duty = payer->model->duties; duty->code; duty++) {
        submission s;
        if (!load_submission(c->pg_, payer->id, month, duty->code, &s, err))
            return false;
        enum cm_duty_state state = cm_duty_state_of(duty, period, s.at, cli_now(c));
        cli_table_add(table,
                      (const char *[]){payer->id, payer->lane, month, duty->code, duty->rule, cm_duty_state_name(state),
                                       cm_day_print(cm_day_of(cm_duty_due(duty, period)) - 1, due),
                                       s.done ? s.when : NULL, s.done ? s.by : NULL, duty->what});
        free(s.content);
    }
    return true;
}

int cmd_account_duties(cli *c)
{
    static const cli_column columns[] = {{"payer", CLI_TEXT}, {"lane", CLI_TEXT},         {"period", CLI_TEXT},
                                         {"duty", CLI_TEXT},  {"rule", CLI_TEXT},         {"state", CLI_TEXT},
                                         {"due", CLI_TEXT},   {"submitted_at", CLI_TEXT}, {"submitted_by", CLI_TEXT},
                                         {"what", CLI_TEXT}};
    cm_error err = {0};
    cm_period period;
    int exit_code = 0;
    cm_catalog *catalog = cli_period(c, &period, &exit_code) ? cli_catalog(c, &exit_code) : NULL;
    if (!catalog)
        return exit_code;
    cli_table *table = cli_table_new(columns, 10);
    bool done = true;
    for (size_t i = 0; done && i < catalog->payer_count; i++) {
        if (!cli_value(c, "payer") || strcmp(cli_value(c, "payer"), catalog->payers[i].id) == 0)
            done = add_duties(c, table, &catalog->payers[i], period, &err);
    }
    cm_catalog_free(catalog);
    if (done)
        return cli_table_print(c, table);
    cli_table_free(table);
    return cli_fail(c, &err);
}

/* --- report --- */

static const cli_column report_columns[] = {{"month", CLI_TEXT},
                                            {"payer", CLI_TEXT},
                                            {"account", CLI_TEXT},
                                            {"account_name", CLI_TEXT},
                                            {"kind", CLI_TEXT},
                                            {"since", CLI_TEXT},
                                            {"customer", CLI_TEXT},
                                            {"customer_name", CLI_TEXT},
                                            {"customer_domain", CLI_TEXT},
                                            {"customer_address", CLI_TEXT},
                                            {"country", CLI_TEXT}};
enum { REPORT_COLUMNS = sizeof report_columns / sizeof *report_columns };

static void csv_field(cm_buffer *csv, const char *text)
{
    if (!text[strcspn(text, ",\"\r\n")]) {
        cm_buffer_text(csv, text);
        return;
    }
    cm_buffer_char(csv, '"');
    for (; *text; text++) {
        if (*text == '"')
            cm_buffer_char(csv, '"');
        cm_buffer_char(csv, *text);
    }
    cm_buffer_char(csv, '"');
}

/* RFC 4180: the form in which it is kept and submitted. */
static void report_csv(const cm_rows *rows, cm_buffer *csv)
{
    for (int i = 0; i < REPORT_COLUMNS; i++)
        cm_buffer_printf(csv, "%s%s", i ? "," : "", report_columns[i].name);
    cm_buffer_text(csv, "\r\n");
    for (int row = 0; row < cm_rows_count(rows); row++) {
        for (int i = 0; i < REPORT_COLUMNS; i++) {
            cm_buffer_text(csv, i ? "," : "");
            csv_field(csv, cm_rows_text(rows, row, i));
        }
        cm_buffer_text(csv, "\r\n");
    }
}

static const cm_payer_duty *find_duty(const cm_payer_model *model, const char *code)
{
    for (const cm_payer_duty *duty = model->duties; duty->code; duty++) {
        if (code ? strcmp(duty->code, code) == 0 : duty->has_accounts)
            return duty;
    }
    return NULL;
}

/* The payer of the options, or the only one that has the duty. */
static const cm_payer *payer_with_duty(cli *c, const cm_catalog *catalog, const cm_payer_duty **ret_duty, cm_error *err)
{
    const char *wanted = cli_value(c, "payer"), *code = cli_value(c, "duty");
    const cm_payer *found = NULL;
    for (size_t i = 0; i < catalog->payer_count; i++) {
        const cm_payer *payer = &catalog->payers[i];
        const cm_payer_duty *duty = find_duty(payer->model, code);
        if (!duty || (wanted && strcmp(payer->id, wanted) != 0))
            continue;
        if (found) {
            cm_fail(
                err, CM_ERROR_INVALID, "SAY_PAYER",
                "several payers have this duty; choose one with --payer (see `curmill account duties --period YYYY-MM`)");
            return NULL;
        }
        found = payer, *ret_duty = duty;
    }
    if (!found)
        cm_fail(err, CM_ERROR_NOT_FOUND, "NO_DUTY",
                "%s%s has no such duty; see `curmill account duties --period YYYY-MM`", wanted ? "payer " : "no payer",
                wanted ? wanted : "");
    return found;
}

static int print_report(cli *c, const cm_payer *payer, cm_period period, const cm_payer_duty *duty, const cm_rows *rows,
                        const char *csv, submission *s)
{
    char month[CM_PERIOD_TEXT], due[CM_INSTANT_TEXT];
    const char *state = cm_duty_state_name(cm_duty_state_of(duty, period, s->at, cli_now(c)));
    bool changed = s->done && duty->has_accounts && strcmp(s->content, csv) != 0;
    cm_day_print(cm_day_of(cm_duty_due(duty, period)) - 1, due);
    cli_table *table = cli_table_new(report_columns, REPORT_COLUMNS);
    cli_table_add_rows(table, rows);
    if (c->format != CLI_JSON) {
        cli_note(c, "%s of payer %s: %s, due %s%s%s%s", duty->code, payer->id, state, due,
                 s->done ? ", submitted by " : "", s->by, changed ? "; the accounts have changed since" : "");
        return cli_table_print(c, table);
    }
    json_t *accounts = cli_table_json(table);
    cli_table_free(table);
    json_t *object = json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:o?, s:o?, s:b, s:o}", "payer", payer->id, "period", cm_period_print(period, month),
        "duty", duty->code, "state", state, "due", due, "submitted_at", s->done ? json_string(s->when) : json_null(),
        "submitted_by", s->done ? json_string(s->by) : json_null(), "changed_since", changed, "accounts", accounts);
    return cli_json_print(object);
}

static int report(cli *c, const cm_catalog *catalog, cm_period period)
{
    cm_error err = {0};
    cm_rows *rows = NULL;
    cm_buffer csv = {0};
    submission s = {0};
    char month[CM_PERIOD_TEXT];
    const cm_payer_duty *duty = NULL;
    const cm_payer *payer = payer_with_duty(c, catalog, &duty, &err);
    const char *by = cli_value(c, "by"), *reason = cli_value(c, "reason");
    cm_period_print(period, month);
    bool done = payer && cm_store_new_accounts(c->pg_, catalog->id, payer->id, period, &rows, &err);
    if (done) {
        report_csv(rows, &csv);
        if (cli_switch(c, "submitted"))
            done = cm_store_duty_submitted(c->pg_, payer->id, period, duty, duty->has_accounts ? csv.data : "",
                                           duty->has_accounts ? cm_rows_count(rows) : 0, cli_now(c), by,
                                           reason ? reason : "", &err);
        done = done && load_submission(c->pg_, payer->id, month, duty->code, &s, &err);
    }
    int exit_code = done                            ? print_report(c, payer, period, duty, rows, csv.data, &s)
                    : err.class == CM_ERROR_INVALID ? cli_usage(c, "%s", err.text)
                                                    : cli_fail(c, &err);
    cm_rows_free(rows);
    cm_buffer_free(&csv);
    free(s.content);
    return exit_code;
}

int cmd_account_report(cli *c)
{
    cm_period period;
    int exit_code = 0;
    if (cli_switch(c, "submitted") && !cli_value(c, "by"))
        return cli_usage(c, "--submitted needs --by WHO");
    cm_catalog *catalog = cli_period(c, &period, &exit_code) ? cli_catalog(c, &exit_code) : NULL;
    if (!catalog)
        return exit_code;
    exit_code = report(c, catalog, period);
    cm_catalog_free(catalog);
    return exit_code;
}
