/* account list | show | advise | offboard | gate | keep | leave | plans | check. */
#include "commands/accounts/accounts.h"

#include "billing/catalog/model/plans.h"
#include "billing/link/advice.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool by_payer(const cli *c, const char *payer)
{
    return !cli_value(c, "payer") || strcmp(cli_value(c, "payer"), payer) == 0;
}

/* --- list --- */

enum {
    A_PAYER,
    A_ACCOUNT,
    A_LANE,
    A_NAME,
    A_EMAIL,
    A_STATE,
    A_JOINED,
    A_FIRST,
    A_LAST,
    A_LEFT,
    A_CUSTOMER,
    A_SAID_BY,
    A_REQUEST,
    A_LINK,
    A_FROM,
    A_UNTIL,
    ACCOUNT_COLUMNS
};
static const cli_column account_columns[ACCOUNT_COLUMNS] = {
    {"payer", CLI_TEXT},      {"account", CLI_TEXT},   {"lane", CLI_TEXT},        {"name", CLI_TEXT},
    {"root_email", CLI_TEXT}, {"aws_state", CLI_TEXT}, {"joined_at", CLI_TEXT},   {"first_seen", CLI_TEXT},
    {"last_seen", CLI_TEXT},  {"left_at", CLI_TEXT},   {"customer", CLI_TEXT},    {"said_by", CLI_TEXT},
    {"request", CLI_NUMBER},  {"link", CLI_TEXT},      {"billed_from", CLI_TEXT}, {"billed_until", CLI_TEXT}};
/* clang-format off */
static const char accounts_sql[] =
    "SELECT k.payer, k.account, k.lane, a.name, a.root_email, a.aws_state, " RFC3339("a.joined_at") ","
    " " RFC3339("a.first_seen") ", " RFC3339("a.last_seen") ", " RFC3339("a.left_at") ", CASE WHEN r.state IN"
    " ('active', 'offboarding', 'left') THEN r.customer END, CASE WHEN r.state IN ('active', 'offboarding', 'left')"
    " THEN 'request' END, r.id, r.state, " RFC3339("r.billed_from") ", " RFC3339("r.billed_until") " FROM (SELECT"
    " payer, account, lane FROM account UNION SELECT payer, account, lane FROM link_request WHERE account <> '') k"
    " LEFT JOIN account a ON a.payer = k.payer AND a.account = k.account LEFT JOIN LATERAL (SELECT * FROM"
    " link_request q WHERE q.payer = k.payer AND q.account = k.account ORDER BY q.state IN ('rejected', 'withdrawn',"
    " 'cancelled', 'declined',   'expired', 'left'), q.id DESC LIMIT 1) r ON true WHERE ($1::text IS NULL OR k.payer"
    " = $1) AND ($2::text IS NULL OR k.account = $2) AND ($3::text IS NULL OR k.lane = $3) ORDER BY k.payer,"
    " k.account COLLATE \"C\"";
static const char requests_sql[] =
    "SELECT id, kind, state, version, payer, customer, support_plan, support_plan_group, CASE WHEN role_waived THEN 'waived'"
    " WHEN role_required THEN upper(role_verdict) ELSE 'not required' END, " RFC3339("liable_from") ", " RFC3339("billed_from") ", "
    RFC3339("billed_until") " FROM link_request WHERE account = $1 ORDER BY id";
/* clang-format on */

/* The catalog's word counts first: the link in force, else the next one. */
static const cm_link *catalog_link(const cm_catalog *catalog, const char *payer, const char *account, cm_instant now)
{
    size_t count;
    const cm_link *links = cm_catalog_links(catalog, payer, cm_slice_of(account), &count);
    for (size_t i = 0; i < count; i++) {
        if (links[i].to > now)
            return &links[i];
    }
    return NULL;
}

/* Rows of accounts that fit the options, with the catalog's owner. */
static cli_table *accounts(cli *c, const cm_catalog *catalog, const char *account, int *ret_exit)
{
    cm_error err = {0};
    cm_rows *rows = NULL;
    const char *values[] = {cli_value(c, "payer"), account, cli_value(c, "lane")}, *customer = cli_value(c, "customer");
    if (!cm_pg_query(c->pg_, accounts_sql, 3, values, &rows, &err)) {
        *ret_exit = cli_fail(c, &err);
        return NULL;
    }
    cli_table *table = cli_table_new(account_columns, ACCOUNT_COLUMNS);
    for (int row = 0; row < cm_rows_count(rows); row++) {
        const char *cells[ACCOUNT_COLUMNS];
        char from[CM_INSTANT_TEXT], to[CM_INSTANT_TEXT];
        for (int i = 0; i < ACCOUNT_COLUMNS; i++)
            cells[i] = cm_rows_null(rows, row, i) ? NULL : cm_rows_text(rows, row, i);
        const cm_link *link = catalog_link(catalog, cells[A_PAYER], cells[A_ACCOUNT], cli_now(c));
        if (link) {
            cells[A_CUSTOMER] = link->customer->id, cells[A_SAID_BY] = "catalog";
            cells[A_FROM] = cm_instant_print(link->from, from),
            cells[A_UNTIL] = link->to == INT64_MAX ? NULL : cm_instant_print(link->to, to);
        }
        if ((customer && (!cells[A_CUSTOMER] || strcmp(customer, cells[A_CUSTOMER]) != 0)) ||
            (cli_switch(c, "unlinked") && cells[A_CUSTOMER]))
            continue;
        cli_table_add(table, cells);
    }
    cm_rows_free(rows);
    return table;
}

int cmd_account_list(cli *c)
{
    int exit_code = 0;
    cm_catalog *catalog = cli_catalog(c, &exit_code);
    cli_table *table = catalog ? accounts(c, catalog, NULL, &exit_code) : NULL;
    cm_catalog_free(catalog);
    return table ? cli_table_print(c, table) : exit_code;
}

int cmd_account_show(cli *c)
{
    static const cli_column requests[] = {
        {"id", CLI_NUMBER},  {"kind", CLI_TEXT},        {"state", CLI_TEXT},        {"version", CLI_NUMBER},
        {"payer", CLI_TEXT}, {"customer", CLI_TEXT},    {"support_plan", CLI_TEXT}, {"support_plan_group", CLI_TEXT},
        {"role", CLI_TEXT},  {"liable_from", CLI_TEXT}, {"billed_from", CLI_TEXT},  {"billed_until", CLI_TEXT}};
    static const cli_column gaps[] = {
        {"request", CLI_NUMBER},   {"payer", CLI_TEXT},           {"account", CLI_TEXT},       {"customer", CLI_TEXT},
        {"liable_from", CLI_TEXT}, {"billed_from", CLI_TEXT},     {"period", CLI_TEXT},        {"currency", CLI_TEXT},
        {"lines", CLI_NUMBER},     {"payer_amount", CLI_DECIMAL}, {"list_amount", CLI_DECIMAL}};
    cm_error err = {0};
    cm_rows *rows = NULL;
    int exit_code = 0;
    const char *account = c->operand[0];
    cm_catalog *catalog = cli_catalog(c, &exit_code);
    cli_table *table = catalog ? accounts(c, catalog, account, &exit_code) : NULL;
    cm_catalog_free(catalog);
    if (!table)
        return exit_code;
    json_t *payers = cli_table_json(table);
    cli_table_free(table);
    if (json_array_size(payers) == 0) {
        json_decref(payers);
        cm_fail(&err, CM_ERROR_NOT_FOUND, "NO_ACCOUNT",
                "account %s was never seen and never requested; see `curmill account list`", account);
        return cli_fail(c, &err);
    }
    json_t *object = json_pack("{s:s, s:o}", "account", account, "payers", payers);
    json_object_set_new(object, "requests", query_json(c, requests, 12, requests_sql, 1, &account, &exit_code));
    if (exit_code == 0 && !cm_store_link_gaps(c->pg_, cli_value(c, "payer"), account, &rows, &err))
        exit_code = cli_fail(c, &err);
    if (exit_code) {
        json_decref(object);
        return exit_code;
    }
    table = cli_table_new(gaps, 11);
    cli_table_add_rows(table, rows);
    json_object_set_new(object, "gap", cli_table_json(table));
    cli_table_free(table);
    cm_rows_free(rows);
    return print_object(c, object);
}

/* --- advise --- */

static void add_advice(cli_table *table, const cm_advice *a)
{
    cm_buffer opens = {0};
    for (const cm_payer_capability *k = a->model->capabilities; k->name; k++) {
        if (strcmp(k->payer_kind, a->payer_kind) == 0)
            cm_buffer_printf(&opens, "%s%s", opens.length ? " " : "", k->name);
    }
    cli_table_add(table, (const char *[]){a->lane, a->payer_kind, a->payer ? a->payer->id : NULL, a->why, a->next,
                                          cm_buffer_string(&opens)});
    cm_buffer_free(&opens);
}

int cmd_account_advise(cli *c)
{
    static const cli_column columns[] = {{"lane", CLI_TEXT}, {"payer_kind", CLI_TEXT}, {"payer", CLI_TEXT},
                                         {"why", CLI_TEXT},  {"next", CLI_TEXT},       {"opens", CLI_TEXT}};
    enum { NEEDS = 64 };
    cm_error err = {0};
    cm_advice answers[CM_ADVICE_MAX];
    const char *needs[NEEDS], *organization = cli_value(c, "organization");
    cm_advice_question q = {
        .lane = cli_value(c, "lane"), .needs = needs, .need_count = (size_t)cli_values(c, "need", needs, NEEDS)};
    cm_rows *rows = NULL;
    int exit_code = 0;
    if (!cm_organization_state_parse(organization ? organization : "none", &q.organization))
        return cli_usage(c, "--organization is none, own, others or new, not \"%s\"", organization);
    for (size_t i = 0; i < q.need_count; i++) {
        if (!cm_capability_known(needs[i]))
            return cli_usage(
                c,
                "\"%s\" is not a service that a payer can offer; use control_tower, identity_center, security_hub, config, "
                "service_catalog, organizational_units, tag_policies, "
                "service_control_policies, techcare_break_fix, dashboards_as_a_service",
                needs[i]);
    }
    cm_catalog *catalog = cli_catalog(c, &exit_code);
    if (!catalog)
        return exit_code;
    q.customer = cm_catalog_customer(catalog, cli_value(c, "customer"));
    if (!q.customer)
        cm_fail(&err, CM_ERROR_NOT_FOUND, "NO_CUSTOMER",
                "the catalog has no customer \"%s\"; add the customer first (O01)", cli_value(c, "customer"));
    else if (cm_pg_query(c->pg_,
                         "SELECT DISTINCT payer, customer FROM link_request WHERE state IN ('accepted', "
                         "'account_created', 'root_password_reset',"
                         " 'role_pending', 'active', 'offboarding')",
                         0, NULL, &rows, &err)) {
        q.owner_count = (size_t)cm_rows_count(rows);
        cm_payer_owner *owners = cm_alloc((q.owner_count + 1) * sizeof *owners);
        for (int i = 0; i < cm_rows_count(rows); i++)
            owners[i] = (cm_payer_owner){cm_rows_text(rows, i, 0), cm_rows_text(rows, i, 1)};
        q.owners = owners;
        size_t count = cm_advise(catalog, &q, answers);
        cli_table *table = cli_table_new(columns, 6);
        for (size_t i = 0; i < count; i++)
            add_advice(table, &answers[i]);
        free(owners);
        cm_rows_free(rows);
        exit_code = cli_table_print(c, table);
    }
    if (err.class)
        exit_code = cli_fail(c, &err);
    cm_catalog_free(catalog);
    return exit_code;
}

/* --- leaving --- */

int cmd_account_offboard(cli *c)
{
    return change_request(c, CM_LINK_OFFBOARD);
}

int cmd_account_keep(cli *c)
{
    return change_request(c, CM_LINK_KEEP);
}

int cmd_account_leave(cli *c)
{
    return change_request(c, CM_LINK_LEAVE);
}

int cmd_account_gate(cli *c)
{
    static const cli_column columns[] = {{"gate", CLI_TEXT},      {"item", CLI_TEXT},     {"rule", CLI_TEXT},
                                         {"what", CLI_TEXT},      {"open", CLI_BOOLEAN},  {"evidence", CLI_TEXT},
                                         {"opened_at", CLI_TEXT}, {"opened_by", CLI_TEXT}};
    cm_error err = {0};
    cm_request r;
    cm_rows *rows = NULL;
    cm_decimal amount;
    int64_t version;
    int exit_code = 0;
    const char *text = cli_value(c, "amount"), *item = cli_value(c, "item");
    if (text && !cm_decimal_parse_strict(cm_slice_of(text), &amount))
        return cli_usage(c, "--amount is a number, not \"%s\"", text);
    if (!version_of(c, &version, &exit_code) || !find_request(c, c->operand[0], &r, &exit_code))
        return exit_code;
    const cm_gate_order order = {c->operand[1], item ? item : "", cli_value(c, "evidence"), text ? &amount : NULL};
    if (!cm_store_gate_open(c->pg_, r.id, version, &order, cli_now(c), cli_value(c, "by"), &err) ||
        !cm_store_gates(c->pg_, &r, &rows, &err))
        return cli_fail(c, &err);
    cli_table *table = cli_table_new(columns, 8);
    cli_table_add_rows(table, rows);
    cm_rows_free(rows);
    cli_note(c, "request %" PRId64 " is at version %" PRId64 " now", r.id, version + 1);
    return cli_table_print(c, table);
}

/* --- support plans --- */

/* Of a request: what it names, otherwise what the customer's terms say. */
static const cm_support_group *group_of(const cm_catalog *catalog, const char *id, const char *customer_id,
                                        cm_period month)
{
    const cm_customer *customer = cm_catalog_customer(catalog, customer_id);
    for (size_t i = 0; i < catalog->group_count; i++) {
        if (strcmp(catalog->groups[i].id, id) == 0)
            return &catalog->groups[i];
    }
    return customer ? cm_customer_terms_in(customer, month)->support_group : NULL;
}

typedef struct planning {
    cli_table *table;
    const cm_catalog *catalog;
    const cm_rows *observed; /* payer, account, product, period */
    const cm_rows *told;     /* the same of AWS's own word; the newest month that has one */
} planning;

/* AWS's own word on the plan where there is one, otherwise what the report's product codes tell. */
static const char *observed_plan(const planning *p, const char *payer, const char *account, const char **ret_period,
                                 const char **ret_by)
{
    const char *observed = NULL;
    for (int told = 1; told >= 0 && !observed; told--) {
        const cm_rows *rows = told ? p->told : p->observed;
        for (int i = 0; i < cm_rows_count(rows); i++) {
            if (strcmp(cm_rows_text(rows, i, 0), payer) != 0 || strcmp(cm_rows_text(rows, i, 1), account) != 0)
                continue;
            const char *name = cm_rows_text(rows, i, 2);
            const char *plan = told ? cm_support_plan_told(name) : cm_support_plan_observed(p->catalog, name);
            observed = plan ? plan : observed;
            *ret_period = cm_rows_text(rows, i, 3);
            *ret_by = told ? "aws" : "report";
        }
    }
    return observed;
}

/* P12: observed, never commanded. */
static void add_plan(const planning *p, const char *payer, const char *account, const char *customer,
                     const char *said_by, const char *declared, const cm_support_group *group)
{
    const char *period = NULL, *by = NULL, *assigned = cm_plan_of_group(group);
    const char *observed = observed_plan(p, payer, account, &period, &by);
    bool drift = cm_plan_drifts(declared, assigned, observed);
    const char *verdict = drift ? "DRIFT" : observed && !group ? "NO_GROUP" : "ok"; /* O16; O15 */
    cli_table_add(p->table, (const char *[]){payer, account, customer, said_by, declared && *declared ? declared : NULL,
                                             group ? group->id : NULL, assigned, observed, period, by, verdict});
}

int cmd_account_plans(cli *c)
{
    static const cli_column columns[] = {{"payer", CLI_TEXT},       {"account", CLI_TEXT},  {"customer", CLI_TEXT},
                                         {"said_by", CLI_TEXT},     {"declared", CLI_TEXT}, {"group", CLI_TEXT},
                                         {"assigned", CLI_TEXT},    {"observed", CLI_TEXT}, {"observed_in", CLI_TEXT},
                                         {"observed_by", CLI_TEXT}, {"verdict", CLI_TEXT}};
    cm_error err = {0};
    cm_rows *observed = NULL, *told = NULL, *links = NULL;
    int exit_code = 0;
    cm_catalog *catalog = cli_catalog(c, &exit_code);
    if (!catalog)
        return exit_code;
    /* What the newest month of each payer shows. */
    bool done =
        cm_pg_query(
            c->pg_,
            "SELECT DISTINCT c.payer, h.account, h.product, c.period FROM (SELECT payer, max(period) AS period FROM "
            "current_run GROUP BY payer) m"
            " JOIN current_run c ON c.payer = m.payer AND c.period = m.period JOIN charge h ON h.period = c.period AND "
            "h.run_id = c.run_id"
            " WHERE h.class = 'support' OR (h.class = 'suspended' AND h.product ILIKE '%support%') ORDER BY 1, 2, 3",
            0, NULL, &observed, &err) &&
        cm_pg_query(c->pg_,
                    "SELECT DISTINCT ON (payer, account) payer, account, plan, period FROM aws_support_charge"
                    " WHERE account <> '' ORDER BY payer, account, period DESC",
                    0, NULL, &told, &err) &&
        cm_pg_query(c->pg_,
                    "SELECT payer, account, customer, declared_plan, support_plan_group FROM effective_link WHERE "
                    "billed_until IS NULL ORDER BY payer,"
                    " account COLLATE \"C\"",
                    0, NULL, &links, &err);
    if (done) {
        planning p = {cli_table_new(columns, 11), catalog, observed, told};
        cm_period month = cm_period_of(cli_now(c));
        for (size_t i = 0; i < catalog->link_count; i++) {
            const cm_link *link = &catalog->links[i];
            if (by_payer(c, link->payer) && link->from <= cli_now(c) && cli_now(c) < link->to)
                add_plan(&p, link->payer, link->account, link->customer->id, "catalog", link->declared_plan,
                         cm_link_group(link, month));
        }
        for (int i = 0; i < cm_rows_count(links); i++) {
            const char *payer = cm_rows_text(links, i, 0), *account = cm_rows_text(links, i, 1);
            if (by_payer(c, payer) && !catalog_link(catalog, payer, account, cli_now(c)))
                add_plan(&p, payer, account, cm_rows_text(links, i, 2), "request", cm_rows_text(links, i, 3),
                         group_of(catalog, cm_rows_text(links, i, 4), cm_rows_text(links, i, 2), month));
        }
        cli_table_print(c, p.table);
    } else {
        exit_code = cli_fail(c, &err);
    }
    cm_rows_free(observed);
    cm_rows_free(told);
    cm_rows_free(links);
    cm_catalog_free(catalog);
    return exit_code;
}
