/* account check | organization | notifications: what breaks a rule, what AWS allows, what people should be told. */
#include "commands/accounts/accounts.h"
#include "store/audit/audit.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- check --- */

typedef struct checking {
    cli *c;
    const cm_catalog *catalog;
    cli_table *table;
} checking;

static void tell(const checking *k, const char *code, const char *rule, const char *object, const char *detail)
{
    cli_table_add(k->table, (const char *[]){code, rule, object, detail});
}

static bool is_chosen(const checking *k, const char *payer)
{
    const char *only = cli_value(k->c, "payer");
    return !only || strcmp(only, payer) == 0;
}

/* P02, and N22: one organization has one payer. */
static void check_payers(const checking *k)
{
    cm_error err = {0};
    char detail[256];
    bool judged;
    for (size_t i = 0; i < k->catalog->payer_count; i++) {
        const cm_payer *payer = &k->catalog->payers[i];
        if (!is_chosen(k, payer->id))
            continue;
        if (!cm_rule_root_domain(payer->model, true, payer->root_email, cm_catalog_distributor(k->catalog, payer->lane),
                                 &judged, &err))
            tell(k, "PAYER_ROOT_DOMAIN", "P02", payer->id, err.text);
        for (size_t j = 0; j < i; j++) {
            if (!*payer->organization || strcmp(payer->organization, k->catalog->payers[j].organization) != 0)
                continue;
            snprintf(detail, sizeof detail,
                     "organization %s is also recorded for payer %s; an organization has one payer",
                     payer->organization, k->catalog->payers[j].id);
            tell(k, "ORGANIZATION_TWICE", "N22", payer->id, detail);
        }
    }
}

/* P03 of every account that was seen. */
static bool check_members(const checking *k, cm_error *err)
{
    cm_rows *rows = NULL;
    bool judged;
    if (!cm_pg_query(k->c->pg_,
                     "SELECT payer, account, root_email FROM account WHERE root_email <> '' AND left_at IS NULL ORDER "
                     "BY payer, account COLLATE \"C\"",
                     0, NULL, &rows, err))
        return false;
    for (int i = 0; i < cm_rows_count(rows); i++) {
        cm_error why = {0};
        const cm_payer *payer = cm_catalog_payer(k->catalog, cm_rows_text(rows, i, 0));
        if (!payer || !is_chosen(k, payer->id) || strcmp(payer->id, cm_rows_text(rows, i, 1)) == 0)
            continue;
        if (!cm_rule_root_domain(payer->model, false, cm_rows_text(rows, i, 2),
                                 cm_catalog_distributor(k->catalog, payer->lane), &judged, &why))
            tell(k, "MEMBER_ROOT_DOMAIN", "P03", cm_rows_text(rows, i, 1), why.text);
    }
    cm_rows_free(rows);
    return true;
}

static void check_link(const checking *k, const cm_rows *rows, int row)
{
    const char *payer_id = cm_rows_text(rows, row, 0), *account = cm_rows_text(rows, row, 1),
               *country = cm_rows_text(rows, row, 2);
    const cm_payer *payer = cm_catalog_payer(k->catalog, payer_id);
    char detail[512];
    if (!payer || !is_chosen(k, payer_id))
        return;
    enum cm_territory_verdict verdict =
        cm_rule_territory(payer->model, cm_catalog_distributor(k->catalog, payer->lane), country, cli_now(k->c));
    snprintf(detail, sizeof detail,
             "country %s is not in the distributor's authorized territory today; the reseller is responsible", country);
    if (verdict == CM_TERRITORY_OUTSIDE)
        tell(k, "TERRITORY", "P17", account, detail);
    if (verdict == CM_TERRITORY_UNKNOWN && !*country)
        tell(
            k, "TERRITORY_UNKNOWN", "P17", account,
            "its country is not known; record it with `curmill account declare ACCOUNT --country CC --version N --by WHO --reason TEXT`");
    snprintf(detail, sizeof detail,
             "support plan %s is declared but no support plan group is assigned, so its support would be a loss",
             cm_rows_text(rows, row, 3));
    if (cm_rows_bool(rows, row, 4))
        tell(k, "SUPPORT_PLAN_GROUP_MISSING", "O15", account, detail);
    if (cm_rows_bool(rows, row, 5))
        tell(k, "ROLE_INVALID", "O13", account,
             "the role no longer works; `curmill request show ACCOUNT` names the missing action");
    if (cm_rows_bool(rows, row, 6))
        tell(k, "INVITATION_UNANSWERED", "N01", account, "its invitation has not been answered for more than 14 days");
    if (cm_rows_bool(rows, row, 7))
        tell(
            k, "MFA_NOT_CONFIRMED", "P11", account,
            "nobody has confirmed that MFA is on; do so with `curmill request activate ACCOUNT --mfa-confirmed --version N --by WHO`");
}

static bool check_links(const checking *k, cm_error *err)
{
    char now[CM_INSTANT_TEXT];
    cm_rows *rows = NULL;
    cm_instant_print(cli_now(k->c), now);
    if (!cm_pg_query(k->c->pg_,
                     "SELECT payer, account, country, support_plan, support_plan <> 'basic' AND support_plan_group = "
                     "'', role_verdict = 'invalid' AND NOT role_waived,"
                     " state = 'invited' AND remind_at <= $1, state = 'role_pending' AND NOT mfa_confirmed FROM "
                     "link_request WHERE account <> ''"
                     " AND state IN ('invited', 'accepted', 'account_created', 'root_password_reset', 'role_pending', "
                     "'active') ORDER BY account COLLATE \"C\"",
                     1, (const char *[]){now}, &rows, err))
        return false;
    for (int i = 0; i < cm_rows_count(rows); i++)
        check_link(k, rows, i);
    cm_rows_free(rows);
    return true;
}

int cmd_account_check(cli *c)
{
    static const cli_column columns[] = {
        {"code", CLI_TEXT}, {"rule", CLI_TEXT}, {"object", CLI_TEXT}, {"detail", CLI_TEXT}};
    cm_error err = {0};
    int exit_code = 0;
    cm_catalog *catalog = cli_catalog(c, &exit_code);
    if (!catalog)
        return exit_code;
    checking k = {c, catalog, cli_table_new(columns, 4)};
    check_payers(&k);
    if (check_members(&k, &err) && check_links(&k, &err)) {
        exit_code = cli_table_print(c, k.table);
    } else {
        cli_table_free(k.table);
        exit_code = cli_fail(c, &err);
    }
    cm_catalog_free(catalog);
    return exit_code;
}

/* --- organization --- */

static bool number_of(const cli *c, const char *option, const char **ret, int *ret_exit)
{
    *ret = cli_value(c, option);
    if (!*ret || (**ret && strlen(*ret) <= 6 && strspn(*ret, "0123456789") == strlen(*ret)))
        return true;
    *ret_exit = cli_usage(c, "--%s is a number, not \"%s\"", option, *ret);
    return false;
}

static int set_organization(cli *c, const char *quota, const char *per_day)
{
    cm_error err = {0};
    char object[64];
    const char *payer = cli_value(c, "payer"), *by = cli_value(c, "by"), *reason = cli_value(c, "reason");
    if (!payer || !by)
        return cli_usage(c, "say which payer and who you are: --payer, --by");
    snprintf(object, sizeof object, "payer:%.16s", payer);
    json_t *detail = json_pack("{s:s?, s:s?}", "account_quota", quota, "invitations_per_day", per_day);
    char *text = json_dumps(detail, JSON_COMPACT);
    bool done =
        cm_pg_begin(c->pg_, &err) &&
        cm_pg_query(c->pg_,
                    "INSERT INTO payer_organization AS o (payer, account_quota, invitations_per_day) VALUES ($1, $2, "
                    "$3) ON CONFLICT (payer) DO UPDATE SET"
                    " account_quota = coalesce($2::int, o.account_quota), invitations_per_day = coalesce($3::int, "
                    "o.invitations_per_day)",
                    3, (const char *[]){payer, quota, per_day}, NULL, &err) &&
        cm_store_audit(c->pg_, cli_now(c), by, "organization.limits", object, reason ? reason : "", text, &err) &&
        cm_pg_commit(c->pg_, &err);
    if (!done)
        cm_pg_rollback(c->pg_);
    free(text);
    json_decref(detail);
    return done ? 0 : cli_fail(c, &err);
}

static void add_budget(cli_table *table, const cm_payer *payer, const cm_rows *rows, int row, int per_day_default)
{
    cm_invitation_budget b = {.sent = (int)cm_rows_i64(rows, row, 0),
                              .open = (int)cm_rows_i64(rows, row, 1),
                              .members = (int)cm_rows_i64(rows, row, 2),
                              .per_day = cm_rows_null(rows, row, 3) ? per_day_default : (int)cm_rows_i64(rows, row, 3),
                              .quota = cm_rows_null(rows, row, 4) ? -1 : (int)cm_rows_i64(rows, row, 4)};
    char sent[16], open[16], members[16], per_day[16], quota[16], left[16];
    cm_invitation_budget_count(&b);
    snprintf(sent, sizeof sent, "%d", b.sent), snprintf(open, sizeof open, "%d", b.open),
        snprintf(members, sizeof members, "%d", b.members);
    snprintf(per_day, sizeof per_day, "%d", b.per_day), snprintf(quota, sizeof quota, "%d", b.quota),
        snprintf(left, sizeof left, "%d", b.left);
    cli_table_add(table, (const char *[]){payer->lane, payer->id, payer->payer_kind,
                                          *payer->organization ? payer->organization : NULL, members, open,
                                          b.quota < 0 ? NULL : quota, sent, per_day, left, b.bound_by,
                                          cm_rows_null(rows, row, 5) ? NULL : cm_rows_text(rows, row, 5)});
}

int cmd_account_organization(cli *c)
{
    static const cli_column columns[] = {{"lane", CLI_TEXT},
                                         {"payer", CLI_TEXT},
                                         {"payer_kind", CLI_TEXT},
                                         {"organization", CLI_TEXT},
                                         {"members", CLI_NUMBER},
                                         {"open_invitations", CLI_NUMBER},
                                         {"account_quota", CLI_NUMBER},
                                         {"sent_in_24_hours", CLI_NUMBER},
                                         {"invitations_per_day", CLI_NUMBER},
                                         {"may_be_sent_now", CLI_NUMBER},
                                         {"bound_by", CLI_TEXT},
                                         {"listed_at", CLI_TEXT}};
    enum { PER_DAY = 20 }; /* AWS's documented limit */
    cm_error err = {0};
    const char *quota, *per_day;
    char since[CM_INSTANT_TEXT];
    int exit_code = 0;
    if (!number_of(c, "account-quota", &quota, &exit_code) ||
        !number_of(c, "invitations-per-day", &per_day, &exit_code) || !cli_pg(c, &exit_code))
        return exit_code;
    if ((quota || per_day) && (exit_code = set_organization(c, quota, per_day)) != 0)
        return exit_code;
    cm_catalog *catalog = cli_catalog(c, &exit_code);
    if (!catalog)
        return exit_code;
    cm_instant_print(cli_now(c) - CM_DAY, since);
    cli_table *table = cli_table_new(columns, 12);
    bool done = true;
    for (size_t i = 0; done && i < catalog->payer_count; i++) {
        const cm_payer *payer = &catalog->payers[i];
        cm_rows *rows = NULL;
        if (cli_value(c, "payer") && strcmp(cli_value(c, "payer"), payer->id) != 0)
            continue;
        done = cm_pg_query(
            c->pg_,
            "SELECT (SELECT count(*) FROM handshake WHERE payer = $1 AND requested_at > $2 AND state <> 'ACCEPTED'),"
            " (SELECT count(*) FROM handshake WHERE payer = $1 AND ended_at IS NULL), (SELECT count(*) FROM account "
            "WHERE payer = $1 AND left_at IS NULL),"
            " o.invitations_per_day, o.account_quota, " RFC3339(
                "o.listed_at") " FROM (SELECT) x LEFT JOIN payer_organization o ON o.payer = $1",
            2, (const char *[]){payer->id, since}, &rows, &err);
        if (done)
            add_budget(table, payer, rows, 0, PER_DAY);
        cm_rows_free(rows);
    }
    cm_catalog_free(catalog);
    if (done)
        return cli_table_print(c, table);
    cli_table_free(table);
    return cli_fail(c, &err);
}

/* --- notifications --- */

static int mark_sent(cli *c, const char *id)
{
    cm_error err = {0};
    cm_rows *rows = NULL;
    char at[CM_INSTANT_TEXT];
    const char *by = cli_value(c, "by");
    if (!by)
        return cli_usage(c, "--sent needs --by WHO");
    if (strspn(id, "0123456789") != strlen(id) || !*id || strlen(id) > 18)
        return cli_usage(c, "--sent is the number that `account notifications` prints, not \"%s\"", id);
    if (!cm_pg_query(c->pg_,
                     "UPDATE notification SET sent_at = $2, sent_by = $3 WHERE id = $1 AND sent_at IS NULL RETURNING 1",
                     3, (const char *[]){id, cm_instant_print(cli_now(c), at), by}, &rows, &err))
        return cli_fail(c, &err);
    bool marked = cm_rows_count(rows) > 0;
    cm_rows_free(rows);
    if (marked)
        return 0;
    cm_fail(&err, CM_ERROR_NOT_FOUND, "NO_NOTIFICATION", "there is no unsent notification %s", id);
    return cli_fail(c, &err);
}

int cmd_account_notifications(cli *c)
{
    static const cli_column columns[] = {{"id", CLI_NUMBER},   {"lane", CLI_TEXT},      {"request", CLI_NUMBER},
                                         {"code", CLI_TEXT},   {"recipient", CLI_TEXT}, {"subject", CLI_TEXT},
                                         {"body", CLI_TEXT},   {"made_at", CLI_TEXT},   {"sent_at", CLI_TEXT},
                                         {"sent_by", CLI_TEXT}};
    int exit_code = 0;
    const char *sent = cli_value(c, "sent"), *values[] = {cli_switch(c, "all") ? "all" : NULL};
    if (!cli_pg(c, &exit_code) || (sent && (exit_code = mark_sent(c, sent)) != 0))
        return exit_code;
    return cli_query_print(
        c, columns, 10,
        "SELECT id, lane, request_id, code, recipient, subject, body, " RFC3339("made_at") ", " RFC3339(
            "sent_at") ", sent_by FROM notification"
                       " WHERE sent_at IS NULL OR $1::text IS NOT NULL ORDER BY id",
        1, values);
}
