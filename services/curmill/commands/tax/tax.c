/* tax status | check | history: whether AWS taxes accounts as the distributor requires (T01-T07). */
#include "cli/cli.h"
#include "commands/commands.h"

#include "store/tax/tax_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TIME(column) "to_char(" column ", 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"

/* A verdict that is too old is STALE also while no checker runs that would say so. $1 now */
#define VERDICT(of)                                                                                                    \
    "CASE WHEN " of " NOT IN ('NOT_READABLE', 'STALE') AND p.fresh_until <= $1 THEN 'STALE' ELSE " of " END"

/* $1 now, $2 lanes and payers of the catalog: [{payer, lane, why}], why '': checked */
static const char payers_sql[] =
    "SELECT c.payer, c.lane, CASE WHEN c.why <> '' THEN 'NOT_ASKED_FOR' WHEN v.verdict IS NULL THEN 'NOT_CHECKED' "
    "ELSE " VERDICT(
        "v.verdict") " END,"
                     " nullif(p.inheritance, ''), n.accounts, n.held, p.invoices, " TIME("p.read_at") ", " TIME(
                         "p.fresh_until") ", CASE WHEN c.why <> '' THEN c.why WHEN v.verdict IS NULL THEN 'not looked "
                                          "at yet' ELSE"
                                          " concat_ws('; ', v.detail, nullif(p.problem, '')) END"
                                          " FROM jsonb_to_recordset($2::jsonb) AS c (payer text, lane text, why text)"
                                          " LEFT JOIN tax_payer p ON p.payer = c.payer LEFT JOIN tax_verdict v ON "
                                          "v.payer = c.payer AND "
                                          "v.account = c.payer"
                                          " LEFT JOIN (SELECT payer, count(*) AS accounts, count(*) FILTER (WHERE "
                                          "verdict NOT IN ('OK', "
                                          "'NOT_APPLICABLE')) AS held"
                                          "  FROM tax_verdict GROUP BY payer) n ON n.payer = c.payer ORDER BY c.lane "
                                          "COLLATE \"C\", c.payer";

static const char accounts_sql[] = "SELECT v.account, v.account = v.payer, " VERDICT("v.verdict") ", " TIME(
    "v.since") ", v.seen -> 'registration' ->> 'id', v.seen -> 'registration' ->> 'status', v.seen ->> "
               "'inherits_from', v.detail"
               " FROM tax_verdict v JOIN tax_payer p ON p.payer = v.payer WHERE v.payer = $2 ORDER BY v.account <> "
               "v.payer, v.account";

/* Which payers are checked, by the catalog in force. */
static json_t *payers_of(const cm_catalog *catalog)
{
    json_t *list = json_array();
    for (size_t i = 0; i < catalog->payer_count; i++) {
        const cm_payer *payer = &catalog->payers[i];
        const cm_distributor *distributor = cm_catalog_distributor(catalog, payer->lane);
        const char *why =
            !payer->model->payees_inherit_tax || cm_tax_is_checked(payer, distributor) ? ""
            : !distributor || !distributor->tax_profile_count
                ? "the catalog has no Distributor with tax_profiles for this lane"
                : "tax settings are not checked: the catalog gives no country and no access for this payer";
        json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "payer", payer->id, "lane", payer->lane, "why", why));
    }
    return list;
}

static const cm_payer *find_payer(const cli *c, const cm_catalog *catalog, int *ret_exit)
{
    cm_error err = {0};
    const cm_payer *payer = cm_catalog_payer(catalog, cli_value(c, "payer"));
    if (payer)
        return payer;
    cm_fail(&err, CM_ERROR_NOT_FOUND, "NO_PAYER", "payer %s is not in the catalog in force; see `curmill catalog show`",
            cli_value(c, "payer"));
    *ret_exit = cli_fail(c, &err);
    return NULL;
}

int cmd_tax_status(cli *c)
{
    static const cli_column payers[] = {
        {"payer", CLI_TEXT},       {"lane", CLI_TEXT},   {"verdict", CLI_TEXT},        {"inheritance", CLI_TEXT},
        {"accounts", CLI_NUMBER},  {"held", CLI_NUMBER}, {"vat_invoices", CLI_NUMBER}, {"read_at", CLI_TEXT},
        {"fresh_until", CLI_TEXT}, {"detail", CLI_TEXT}};
    static const cli_column accounts[] = {
        {"account", CLI_TEXT},      {"is_payer", CLI_BOOLEAN}, {"verdict", CLI_TEXT},       {"since", CLI_TEXT},
        {"registration", CLI_TEXT}, {"status", CLI_TEXT},      {"inherits_from", CLI_TEXT}, {"detail", CLI_TEXT}};
    char now[CM_INSTANT_TEXT];
    int exit_code = 0;
    cm_catalog *catalog = cli_catalog(c, &exit_code);
    if (!catalog)
        return exit_code;
    cm_instant_print(cli_now(c), now);
    const char *payer = cli_value(c, "payer");
    if (payer) {
        const char *values[] = {now, payer};
        if (find_payer(c, catalog, &exit_code))
            exit_code = cli_query_print(c, accounts, 8, accounts_sql, 2, values);
    } else {
        json_t *list = payers_of(catalog);
        char *text = json_dumps(list, JSON_COMPACT);
        const char *values[] = {now, text};
        exit_code = cli_query_print(c, payers, 10, payers_sql, 2, values);
        free(text);
        json_decref(list);
    }
    cm_catalog_free(catalog);
    return exit_code;
}

int cmd_tax_history(cli *c)
{
    static const cli_column columns[] = {{"at", CLI_TEXT},       {"payer", CLI_TEXT},   {"account", CLI_TEXT},
                                         {"previous", CLI_TEXT}, {"verdict", CLI_TEXT}, {"detail", CLI_TEXT}};
    int exit_code = 0;
    const char *limit = cli_value(c, "limit");
    const char *values[] = {cli_value(c, "payer"), cli_value(c, "account"), limit ? limit : "200"};
    if (strspn(values[2], "0123456789") != strlen(values[2]) || strlen(values[2]) > 9)
        return cli_usage(c, "--limit %s is not a number", values[2]);
    if (!cli_pg(c, &exit_code))
        return exit_code;
    return cli_query_print(
        c, columns, 6,
        "SELECT at, payer, account, previous, verdict, detail FROM (SELECT id, " TIME(
            "at") " AS at, payer, account, previous, verdict, detail"
                  " FROM tax_history WHERE ($1::text IS NULL OR payer = $1) AND ($2::text IS NULL OR account = $2)"
                  " ORDER BY id DESC LIMIT $3) x ORDER BY id",
        3, values);
}

/* --- check --------------------------------------------------------------------------------------------------- */

static enum cm_error_class class_of(const char *name)
{
    for (int i = CM_ERROR_RETRY; i <= CM_ERROR_BUG; i++) {
        if (strcmp(cm_error_class_name((enum cm_error_class)i), name) == 0)
            return (enum cm_error_class)i;
    }
    return CM_ERROR_REFUSED;
}

static const char *part(const json_t *result, const char *which, const char *key)
{
    const char *text = json_string_value(json_object_get(json_object_get(result, which), key));
    return text && *text ? text : NULL;
}

static int show(cli *c, const char *payer, const json_t *result)
{
    static const cli_column columns[] = {{"payer", CLI_TEXT},       {"verdict_before", CLI_TEXT},
                                         {"verdict", CLI_TEXT},     {"inheritance_before", CLI_TEXT},
                                         {"inheritance", CLI_TEXT}, {"verdicts_changed", CLI_NUMBER},
                                         {"detail", CLI_TEXT}};
    cm_error err = {0};
    char changed[24];
    const char *last = json_object_get(result, "after") ? "after" : "before",
               *error = json_string_value(json_object_get(result, "error"));
    json_int_t count = json_integer_value(json_object_get(json_object_get(result, "before"), "changed"));
    if (json_object_get(result, "after"))
        count += json_integer_value(json_object_get(json_object_get(result, "after"), "changed"));
    snprintf(changed, sizeof changed, "%lld", (long long)count);
    if (json_object_get(result, "before")) {
        const char *values[] = {payer,
                                part(result, "before", "verdict"),
                                part(result, last, "verdict"),
                                part(result, "before", "inheritance"),
                                part(result, last, "inheritance"),
                                changed,
                                part(result, last, "detail")};
        cli_table *table = cli_table_new(columns, 7);
        cli_table_add(table, values);
        cli_table_print(c, table);
    }
    if (!error)
        return 0;
    cm_fail(&err,
            class_of(json_string_value(json_object_get(result, "class"))
                         ? json_string_value(json_object_get(result, "class"))
                         : ""),
            "TAX_CHECK", "%s", error);
    return cli_fail(c, &err);
}

static int wait_for(cli *c, const cm_payer *payer, int64_t id)
{
    const struct timespec pause = {.tv_nsec = 100 * 1000 * 1000};
    const char *timeout = cli_value(c, "timeout");
    int64_t until = timeout ? cli_deadline(c) : cm_monotonic_milliseconds() + 90 * 1000;
    char number[24];
    snprintf(number, sizeof number, "%lld", (long long)id);
    for (;;) {
        cm_error err = {0};
        cm_rows *rows = NULL;
        if (!cm_pg_query(c->pg_, "SELECT result FROM tax_request WHERE id = $1 AND state <> 'asked'", 1,
                         (const char *[]){number}, &rows, &err))
            return cli_fail(c, &err);
        json_t *result = cm_rows_count(rows) ? json_loads(cm_rows_text(rows, 0, 0), 0, NULL) : NULL;
        cm_rows_free(rows);
        if (result) {
            int exit_code = show(c, payer->id, result);
            json_decref(result);
            return exit_code;
        }
        if (cm_monotonic_milliseconds() >= until) {
            cm_fail(
                &err, CM_ERROR_RETRY, "TIMEOUT",
                "tax-inheritance-checker of lane %s has not answered yet; is it running (`curmill doctor`)? The order remains; see `curmill tax status`",
                payer->lane);
            return cli_fail(c, &err);
        }
        nanosleep(&pause, NULL);
    }
}

int cmd_tax_check(cli *c)
{
    cm_error err = {0};
    int exit_code = 0;
    int64_t id;
    bool fix = cli_switch(c, "fix");
    const char *by = cli_value(c, "by"), *reason = cli_value(c, "reason");
    if (fix && (!by || !reason))
        return cli_usage(c, "--fix changes the tax settings in AWS; say who and why with --by and --reason");
    cm_catalog *catalog = cli_catalog(c, &exit_code);
    const cm_payer *payer = catalog ? find_payer(c, catalog, &exit_code) : NULL;
    if (payer && !cm_store_tax_ask(c->pg_, payer->id, payer->lane, fix, by ? by : "operator", reason ? reason : "",
                                   cli_now(c), &id, &err))
        exit_code = cli_fail(c, &err);
    else if (payer)
        exit_code = wait_for(c, payer, id);
    cm_catalog_free(catalog);
    return exit_code;
}
