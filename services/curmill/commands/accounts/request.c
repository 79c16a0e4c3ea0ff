/* request ...: asking, deciding, recording what happened elsewhere. Changes are compare-and-set on --version. */
#include "commands/accounts/accounts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- what they share ------------------------------------------------------------------------------------------------
 */

bool find_request(cli *c, const char *which, cm_request *ret, int *ret_exit)
{
    cm_error err = {0};
    cm_pg *pg = cli_pg(c, ret_exit);
    size_t length = strlen(which);
    bool number = length && length <= 18 && strspn(which, "0123456789") == length;
    if (!pg)
        return false;
    if (!number) {
        *ret_exit = cli_usage(c, "\"%s\" is neither the number of a request nor the 12 digits of an account", which);
        return false;
    }
    if (length == 12 ? cm_store_request_of_account(pg, NULL, which, ret, &err)
                     : cm_store_request(pg, strtoll(which, NULL, 10), ret, &err))
        return true;
    *ret_exit = cli_fail(c, &err);
    return false;
}

bool version_of(const cli *c, int64_t *ret, int *ret_exit)
{
    const char *text = cli_value(c, "version");
    size_t length = strlen(text);
    if (length && length <= 18 && strspn(text, "0123456789") == length) {
        *ret = strtoll(text, NULL, 10);
        return true;
    }
    *ret_exit = cli_usage(c, "--version is the number that `show` and `list` print, not \"%s\"", text);
    return false;
}

bool instant_of(const cli *c, const char *option, cm_instant *ret, int *ret_exit)
{
    const char *text = cli_value(c, option);
    *ret = 0;
    if (!text || cm_instant_parse(cm_slice_of(text), ret))
        return true;
    *ret_exit = cli_usage(c, "--%s is a time such as 2025-06-01T00:00:00Z, not \"%s\"", option, text);
    return false;
}

static bool billed_from_of(const cli *c, cm_instant *ret, int *ret_exit)
{
    cm_period period;
    const char *text = cli_value(c, "billed-from");
    *ret = 0;
    if (!text)
        return true;
    if (!cm_period_parse(cm_slice_of(text), &period)) {
        *ret_exit = cli_usage(c, "--billed-from is a month such as 2025-06, not \"%s\"", text);
        return false;
    }
    *ret = cm_period_start(period);
    return true;
}

json_t *query_json(cli *c, const cli_column *columns, int count, const char *sql, int values_count,
                   const char *const *values, int *ret_exit)
{
    cm_error err = {0};
    cm_rows *rows = NULL;
    cm_pg *pg = cli_pg(c, ret_exit);
    if (!pg)
        return NULL;
    if (!cm_pg_query(pg, sql, values_count, values, &rows, &err)) {
        *ret_exit = cli_fail(c, &err);
        return NULL;
    }
    cli_table *table = cli_table_new(columns, count);
    cli_table_add_rows(table, rows);
    json_t *json = cli_table_json(table);
    cli_table_free(table);
    cm_rows_free(rows);
    return json;
}

static const char *plain(const json_t *value, char into[static 32])
{
    if (json_is_integer(value))
        snprintf(into, 32, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    return json_is_integer(value)  ? into
           : json_is_true(value)   ? "yes"
           : json_is_false(value)  ? "no"
           : json_is_string(value) ? json_string_value(value)
                                   : "-";
}

/* One line a member; a list of objects: a line each, its members separated by two spaces. */
int print_object(const cli *c, json_t *object)
{
    const char *key, *inner;
    json_t *value, *cell;
    size_t i;
    char number[32];
    if (c->format == CLI_JSON)
        return cli_json_print(object);
    if (c->format == CLI_CSV) {
        static const cli_column columns[] = {{"key", CLI_TEXT}, {"value", CLI_TEXT}};
        cli_table *table = cli_table_new(columns, 2);
        json_object_foreach (object, key, value) {
            char *text = json_is_object(value) || json_is_array(value) ? json_dumps(value, JSON_COMPACT) : NULL;
            cli_table_add(table, (const char *[]){key, text ? text : json_is_null(value) ? "" : plain(value, number)});
            free(text);
        }
        json_decref(object);
        return cli_table_print(c, table);
    }
    json_object_foreach (object, key, value) {
        if (json_is_object(value))
            continue;
        if (!json_is_array(value)) {
            cli_put(stdout, "%-20s %s\n", key, plain(value, number));
            continue;
        }
        cli_put(stdout, "%s\n", key);
        for (i = 0; i < json_array_size(value); i++) {
            fputs(" ", stdout);
            json_object_foreach (json_array_get(value, i), inner, cell)
                cli_put(stdout, " %s=%s", inner, plain(cell, number));
            fputc('\n', stdout);
        }
    }
    json_decref(object);
    return 0;
}

/* --- list, show --- */

static const cli_column request_columns[] = {{"id", CLI_NUMBER},          {"kind", CLI_TEXT},
                                             {"state", CLI_TEXT},         {"version", CLI_NUMBER},
                                             {"lane", CLI_TEXT},          {"payer", CLI_TEXT},
                                             {"account", CLI_TEXT},       {"customer", CLI_TEXT},
                                             {"nickname", CLI_TEXT},      {"root_email", CLI_TEXT},
                                             {"region", CLI_TEXT},        {"country", CLI_TEXT},
                                             {"support_plan", CLI_TEXT},  {"support_plan_group", CLI_TEXT},
                                             {"role", CLI_TEXT},          {"mfa_confirmed", CLI_BOOLEAN},
                                             {"repurposed", CLI_BOOLEAN}, {"portal_enabled", CLI_BOOLEAN},
                                             {"invited_at", CLI_TEXT},    {"expires_at", CLI_TEXT},
                                             {"liable_from", CLI_TEXT},   {"billed_from", CLI_TEXT},
                                             {"billed_until", CLI_TEXT},  {"requested_at", CLI_TEXT},
                                             {"requested_by", CLI_TEXT},  {"approved_by", CLI_TEXT},
                                             {"changed_at", CLI_TEXT}};
enum { REQUEST_COLUMNS = sizeof request_columns / sizeof *request_columns };
#define FINAL "('rejected', 'withdrawn', 'cancelled', 'declined', 'expired', 'left')"
/* clang-format off */
static const char request_sql[] =
    "SELECT id, kind, state, version, lane, payer, account, customer, nickname, root_email, region, country, support_plan,"
    " support_plan_group, CASE WHEN role_waived THEN 'waived' WHEN role_required THEN upper(role_verdict) ELSE 'not required' END,"
    " mfa_confirmed, repurposed, portal_enabled, " RFC3339("invited_at") ", " RFC3339("expires_at") ", " RFC3339("liable_from") ", "
    RFC3339("billed_from") ", " RFC3339("billed_until") ", " RFC3339("requested_at") ", requested_by, approved_by, "
    RFC3339("changed_at") " FROM link_request WHERE ($1::bigint IS NULL OR id = $1) AND ($2::text IS NULL OR payer = $2)"
    " AND ($3::text IS NULL OR customer = $3) AND ($4::text IS NULL OR state = $4) AND ($5::text IS NULL OR region = $5)"
    " AND ($6::text IS NULL OR lane = $6) AND ($7::text IS NULL OR account = $7)"
    " AND ($8::text IS NULL OR state NOT IN " FINAL ") ORDER BY id";
static const char handshakes_sql[] =
    "SELECT id, state, " RFC3339("requested_at") ", " RFC3339("expires_at") ", " RFC3339("ended_at")
    " FROM handshake WHERE request_id = $1 ORDER BY requested_at";
static const char roles_sql[] =
    "SELECT role_arn, upper(verdict), missing_action, detail, " RFC3339("checked_at") ", " RFC3339("next_check_at")
    " FROM role_check WHERE request_id = $1 ORDER BY id DESC LIMIT 5";
static const char history_sql[] =
    "SELECT version, " RFC3339("at") ", actor, event, from_state, to_state, reason FROM link_history WHERE request_id = $1 ORDER BY version";
/* clang-format on */

int print_requests(cli *c, const request_filter *f)
{
    const char *values[] = {f->id,     f->payer, f->customer, f->state,
                            f->region, f->lane,  f->account,  f->open ? "open" : NULL};
    return cli_query_print(c, request_columns, REQUEST_COLUMNS, request_sql, 8, values);
}

int print_request(cli *c, int64_t id)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRId64, id);
    return print_requests(c, &(request_filter){.id = text});
}

int cmd_request_list(cli *c)
{
    enum cm_link_state state;
    const char *named = cli_value(c, "state");
    if (named && !cm_link_state_parse(named, &state))
        return cli_usage(c, "there is no state \"%s\"", named);
    return print_requests(c, &(request_filter){.payer = cli_value(c, "payer"),
                                               .customer = cli_value(c, "customer"),
                                               .state = named,
                                               .region = cli_value(c, "region"),
                                               .lane = cli_value(c, "lane"),
                                               .open = cli_switch(c, "open")});
}

/* What may be done next, by whom it may: events that the state machine takes. */
static json_t *next_events(const cm_account_link *link)
{
    json_t *list = json_array();
    enum cm_link_state to;
    for (int event = 0; event < CM_LINK_EVENTS; event++) {
        if (cm_link_next(link->kind, link->state, (enum cm_link_event)event, &to))
            json_array_append_new(list, json_pack("{s:s, s:s}", "event", cm_link_event_name((enum cm_link_event)event),
                                                  "leads_to", cm_link_state_name(to)));
    }
    return list;
}

static json_t *gates_json(cli *c, const cm_request *r, int *ret_exit)
{
    static const cli_column columns[] = {{"gate", CLI_TEXT},      {"item", CLI_TEXT},     {"rule", CLI_TEXT},
                                         {"what", CLI_TEXT},      {"open", CLI_BOOLEAN},  {"evidence", CLI_TEXT},
                                         {"opened_at", CLI_TEXT}, {"opened_by", CLI_TEXT}};
    cm_error err = {0};
    cm_rows *rows = NULL;
    if (r->link.state != CM_LINK_OFFBOARDING && r->link.state != CM_LINK_LEFT)
        return json_array();
    if (!cm_store_gates(c->pg_, r, &rows, &err)) {
        *ret_exit = cli_fail(c, &err);
        return NULL;
    }
    cli_table *table = cli_table_new(columns, 8);
    cli_table_add_rows(table, rows);
    json_t *json = cli_table_json(table);
    cli_table_free(table);
    cm_rows_free(rows);
    return json;
}

int cmd_request_show(cli *c)
{
    static const cli_column history[] = {{"version", CLI_NUMBER}, {"at", CLI_TEXT},   {"by", CLI_TEXT},
                                         {"event", CLI_TEXT},     {"from", CLI_TEXT}, {"to", CLI_TEXT},
                                         {"reason", CLI_TEXT}};
    static const cli_column handshakes[] = {{"id", CLI_TEXT},
                                            {"state", CLI_TEXT},
                                            {"requested_at", CLI_TEXT},
                                            {"expires_at", CLI_TEXT},
                                            {"ended_at", CLI_TEXT}};
    static const cli_column roles[] = {{"role_arn", CLI_TEXT}, {"verdict", CLI_TEXT},    {"missing_action", CLI_TEXT},
                                       {"detail", CLI_TEXT},   {"checked_at", CLI_TEXT}, {"next_check_at", CLI_TEXT}};
    cm_request r;
    int exit_code = 0;
    char id[24];
    if (!find_request(c, c->operand[0], &r, &exit_code))
        return exit_code;
    snprintf(id, sizeof id, "%" PRId64, r.id);
    const char *values[] = {id, NULL, NULL, NULL, NULL, NULL, NULL, NULL};
    json_t *list = query_json(c, request_columns, REQUEST_COLUMNS, request_sql, 8, values, &exit_code);
    json_t *object = list ? json_incref(json_array_get(list, 0)) : NULL;
    json_decref(list);
    if (!object)
        return exit_code;
    json_object_set_new(object, "role_arn", json_string(r.role_arn));
    json_object_set_new(object, "external_id_set", json_boolean(*r.external_id));
    json_object_set_new(object, "handshakes", query_json(c, handshakes, 5, handshakes_sql, 1, values, &exit_code));
    json_object_set_new(object, "role_checks", query_json(c, roles, 6, roles_sql, 1, values, &exit_code));
    json_object_set_new(object, "gates", gates_json(c, &r, &exit_code));
    json_object_set_new(object, "next", next_events(&r.link));
    json_object_set_new(object, "history", query_json(c, history, 7, history_sql, 1, values, &exit_code));
    if (exit_code) {
        json_decref(object);
        return exit_code;
    }
    return print_object(c, object);
}

/* --- asking --- */

static int ask(cli *c, enum cm_link_kind kind, const char *account)
{
    cm_error err = {0};
    int exit_code = 0;
    int64_t id;
    cm_instant billed_from;
    const char *payer = cli_value(c, "payer");
    cm_catalog *catalog = billed_from_of(c, &billed_from, &exit_code) ? cli_catalog(c, &exit_code) : NULL;
    if (!catalog)
        return exit_code;
    const cm_payer *found = cm_catalog_payer(catalog, payer);
    const cm_request_order order = {.kind = kind,
                                    .payer = payer,
                                    .account = account,
                                    .customer = cli_value(c, "customer"),
                                    .root_email = cli_value(c, "root-email"),
                                    .nickname = cli_value(c, "nickname"),
                                    .support_plan = cli_value(c, "support-plan"),
                                    .support_plan_group = cli_value(c, "support-plan-group"),
                                    .sales_reference = cli_value(c, "sales-reference"),
                                    .role_arn = cli_value(c, "role-arn"),
                                    .external_id = cli_value(c, "external-id"),
                                    .region = cli_value(c, "region"),
                                    .country = cli_value(c, "country"),
                                    .portal_enabled = cli_switch(c, "portal"),
                                    .transferred_in = cli_switch(c, "transferred-in"),
                                    .billed_from_wanted = billed_from};
    bool done = true;
    if (cli_switch(c, "pass-ri-benefit") && found) /* O06 */
        done =
            found->model->allows_pass_through
                ? cm_fail(
                      &err, CM_ERROR_REFUSED, "CATALOG",
                      "RI benefits are passed on by the customer's commitment_policy in the catalog, not by a request")
                : cm_fail(&err, CM_ERROR_REFUSED, "PASS_THROUGH", "%s (O06)", found->model->pass_through_refusal);
    const char *reason = cli_value(c, "reason");
    done = done && cm_store_request_create(c->pg_, catalog, &order, cli_now(c), cli_value(c, "by"),
                                           reason ? reason : "", &id, &err);
    if (done && found && !cm_catalog_distributor(catalog, found->lane))
        cli_note(
            c,
            "the catalog has no Distributor of lane %s: root domains (P02, P03) and territories (P17) were not checked",
            found->lane);
    cm_catalog_free(catalog);
    return done ? print_request(c, id) : cli_fail(c, &err);
}

int cmd_request_create(cli *c)
{
    return ask(c, CM_LINK_CREATE, NULL);
}

int cmd_account_link(cli *c)
{
    return ask(c, CM_LINK_EXISTING, c->operand[0]);
}

/* --- deciding --- */

static int change(cli *c, const cm_link_cause *cause)
{
    cm_error err = {0};
    cm_request r;
    int exit_code = 0;
    int64_t version;
    if (!version_of(c, &version, &exit_code) || !find_request(c, c->operand[0], &r, &exit_code))
        return exit_code;
    if (!cm_store_request_change(c->pg_, r.id, version, cause, NULL, &err))
        return cli_fail(c, &err);
    return print_request(c, r.id);
}

int change_request(cli *c, enum cm_link_event event)
{
    int exit_code = 0;
    cm_instant aws_at = 0;
    if (event == CM_LINK_LEAVE && !instant_of(c, "at", &aws_at, &exit_code))
        return exit_code;
    return change(c, &(cm_link_cause){.event = event,
                                      .at = cli_now(c),
                                      .by = cli_value(c, "by"),
                                      .reason = cli_value(c, "reason"),
                                      .aws_at = aws_at});
}

int cmd_request_approve(cli *c)
{
    return change_request(c, CM_LINK_APPROVE);
}

int cmd_request_reject(cli *c)
{
    return change_request(c, CM_LINK_REJECT);
}

int cmd_request_info(cli *c)
{
    return change_request(c, CM_LINK_ASK_INFO);
}

int cmd_request_answer(cli *c)
{
    return change_request(c, CM_LINK_GIVE_INFO);
}

int cmd_request_withdraw(cli *c)
{
    return change_request(c, CM_LINK_WITHDRAW);
}

int cmd_request_cancel(cli *c)
{
    return change_request(c, CM_LINK_CANCEL);
}

/* Where the distributor sends invitations and makes accounts itself (O19, O20), a person tells what happened. */
int cmd_request_record(cli *c)
{
    static const enum cm_link_event recordable[] = {CM_LINK_INVITE,         CM_LINK_ACCEPT,      CM_LINK_DECLINE,
                                                    CM_LINK_EXPIRE,         CM_LINK_MEMBER_SEEN, CM_LINK_CREATE_ACCOUNT,
                                                    CM_LINK_RESET_PASSWORD, CM_LINK_GONE};
    enum cm_link_event event;
    int exit_code = 0;
    cm_instant aws_at, expires;
    bool known = cm_link_event_parse(c->operand[1], &event), found = false;
    for (size_t i = 0; known && i < sizeof recordable / sizeof *recordable; i++)
        found = found || recordable[i] == event;
    if (!found)
        return cli_usage(c,
                         "\"%s\" cannot be recorded; use invite, accept, decline, expire, member_seen, create_account, "
                         "reset_password, gone",
                         c->operand[1]);
    if (!instant_of(c, "at", &aws_at, &exit_code) || !instant_of(c, "expires", &expires, &exit_code))
        return exit_code;
    return change(c, &(cm_link_cause){.event = event,
                                      .at = cli_now(c),
                                      .by = cli_value(c, "by"),
                                      .reason = cli_value(c, "reason"),
                                      .aws_at = event == CM_LINK_INVITE ? expires : aws_at,
                                      .account = cli_value(c, "account"),
                                      .handshake = event == CM_LINK_INVITE ? cli_value(c, "handshake") : NULL});
}

static int declare(cli *c, bool activate)
{
    static const bool yes = true;
    cm_error err = {0};
    cm_request r;
    int exit_code = 0;
    int64_t version;
    cm_instant billed_from;
    const char *reason = cli_value(c, "reason");
    if (!version_of(c, &version, &exit_code) || !billed_from_of(c, &billed_from, &exit_code) ||
        !find_request(c, c->operand[0], &r, &exit_code))
        return exit_code;
    cm_catalog *catalog = cli_catalog(c, &exit_code);
    if (!catalog)
        return exit_code;
    const cm_request_patch patch = {.nickname = cli_value(c, "nickname"),
                                    .root_email = cli_value(c, "root-email"),
                                    .support_plan = cli_value(c, "support-plan"),
                                    .support_plan_group = cli_value(c, "support-plan-group"),
                                    .sales_reference = cli_value(c, "sales-reference"),
                                    .role_arn = cli_value(c, "role-arn"),
                                    .external_id = cli_value(c, "external-id"),
                                    .country = cli_value(c, "country"),
                                    .role_waived = cli_switch(c, "waive-role") ? &yes : NULL,
                                    .mfa_confirmed = cli_switch(c, "mfa-confirmed") ? &yes : NULL,
                                    .portal_enabled = cli_switch(c, "portal") ? &yes : NULL,
                                    .billed_from_wanted = billed_from ? &billed_from : NULL};
    bool done = cm_store_request_declare(c->pg_, catalog, r.id, version, &patch, cli_now(c), cli_value(c, "by"),
                                         reason ? reason : "", &r, &err);
    cm_catalog_free(catalog);
    /* It becomes active by itself when nothing is missing; if something is, the answer says what. */
    if (done && activate && r.link.state == CM_LINK_ROLE_PENDING)
        done = cm_store_request_change(
            c->pg_, r.id, r.link.version,
            &(cm_link_cause){.event = CM_LINK_ACTIVATE, .at = cli_now(c), .by = cli_value(c, "by"), .reason = reason},
            &r, &err);
    return done ? print_request(c, r.id) : cli_fail(c, &err);
}

int cmd_request_declare(cli *c)
{
    return declare(c, false);
}

/* Confirms and activates in one. */
int cmd_request_activate(cli *c)
{
    cm_request r;
    int exit_code = 0;
    if (!find_request(c, c->operand[0], &r, &exit_code))
        return exit_code;
    if (r.link.state != CM_LINK_ROLE_PENDING)
        return change_request(c, CM_LINK_ACTIVATE); /* says why not */
    return declare(c, true);
}
