/* A new request: every rule that can be checked before somebody reviews it. */
#include "store/accounts/request_internal.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct creating {
    cm_pg *pg;
    const cm_catalog *catalog;
    const cm_request_order *order;
    const cm_payer *payer;
    const cm_customer *customer;
    const cm_distributor *distributor; /* NULL: not in the catalog */
    cm_instant now;
    char country[8];
    const char *by, *reason;
    char email[72];
    bool repurposed;
} creating;

static const char *or_empty(const char *text)
{
    return text ? text : "";
}

static bool given(const char *text)
{
    return text && *text;
}

/* P07: a dedicated payer is one customer's organization. */
static bool check_dedicated(const creating *c, cm_error *err)
{
    const cm_payer_model *model = c->payer->model;
    if (strcmp(model->standalone_kind, model->organization_kind) == 0 ||
        strcmp(c->payer->payer_kind, model->organization_kind) != 0)
        return true;
    for (size_t i = 0; i < c->catalog->link_count; i++) {
        const cm_link *link = &c->catalog->links[i];
        if (strcmp(link->payer, c->payer->id) == 0 && link->to > c->now && link->customer != c->customer)
            return cm_fail(
                err, CM_ERROR_REFUSED, "DEDICATED_PAYER",
                "payer %s is a %s payer and belongs to customer %s alone (P07); `curmill account advise --customer %s` finds another payer",
                c->payer->id, c->payer->payer_kind, link->customer->id, c->customer->id);
    }
    return true;
}

static bool check_parties(creating *c, cm_error *err)
{
    const cm_request_order *o = c->order;
    c->payer = cm_catalog_payer(c->catalog, or_empty(o->payer));
    c->distributor = c->payer ? cm_catalog_distributor(c->catalog, c->payer->lane) : NULL;
    c->customer = cm_catalog_customer(c->catalog, or_empty(o->customer));
    if (!c->payer)
        return cm_fail(err, CM_ERROR_NOT_FOUND, "NO_PAYER", "the catalog has no payer \"%s\"", or_empty(o->payer));
    if (!c->customer)
        return cm_fail(err, CM_ERROR_REFUSED, "NO_CUSTOMER",
                       "the catalog has no customer \"%s\"; add the customer before requesting an account (O01)",
                       or_empty(o->customer));
    const cm_customer_terms *terms = cm_customer_terms_in(c->customer, cm_period_of(c->now));
    if (!terms->price_book) /* the catalog's own checks keep this from happening */
        return cm_fail(err, CM_ERROR_REFUSED, "NO_PRICE_BOOK",
                       "customer %s has no price book; add one to the catalog first (O02)", c->customer->id);
    if (!given(terms->invoice_currency))
        return cm_fail(err, CM_ERROR_REFUSED, "NO_CURRENCY",
                       "customer %s has no invoice currency; add it to the catalog first (O03)", c->customer->id);
    return check_dedicated(c, err);
}

static bool check_group(const creating *c, cm_error *err)
{
    if (!given(c->order->support_plan_group))
        return true;
    for (size_t i = 0; i < c->catalog->group_count; i++) {
        if (strcmp(c->catalog->groups[i].id, c->order->support_plan_group) == 0)
            return true;
    }
    return cm_fail(err, CM_ERROR_REFUSED, "NO_SUPPORT_PLAN_GROUP",
                   "the catalog has no support plan group \"%s\" (O14): create it first", c->order->support_plan_group);
}

static bool check_fields(creating *c, cm_error *err)
{
    const cm_request_order *o = c->order;
    bool checked, create = o->kind == CM_LINK_CREATE;
    if (create && given(o->account))
        return cm_fail(err, CM_ERROR_REFUSED, "LINK_KIND",
                       "a new account has no number yet; to bring in an account that exists, link it");
    if (!create && !cm_rule_account_id(o->account, err))
        return false;
    if (!create && strcmp(o->account, o->payer) == 0)
        return cm_fail(err, CM_ERROR_REFUSED, "PAYER_ACCOUNT",
                       "%s is the payer itself; workloads do not belong in a management account (P06)", o->account);
    if ((create || given(o->nickname)) && !cm_rule_nickname(o->nickname, err)) /* O09 */
        return false;
    if ((create || given(o->root_email)) && !cm_rule_root_email(o->root_email, err)) /* O08 */
        return false;
    if (given(o->root_email) && !cm_email_normal(o->root_email, c->email, sizeof c->email))
        return cm_rule_root_email(NULL, err);
    if (create && !given(o->region))
        return cm_fail(err, CM_ERROR_REFUSED, "NO_REGION",
                       "a request needs a region, which decides who reviews it (O07): --region QUEUE");
    if (o->billed_from_wanted && cm_period_start(cm_period_of(o->billed_from_wanted)) != o->billed_from_wanted)
        return cm_fail(err, CM_ERROR_REFUSED, "BAD_MONTH",
                       "an account is billed from the first day of a month (N11); give a month such as 2025-06");
    return cm_rule_support_plan(o->support_plan, o->sales_reference, err) && check_group(c, err) &&
           (create || cm_rule_role(or_empty(o->role_arn), or_empty(o->external_id), o->account, err)) &&
           cm_rule_root_domain(c->payer->model, false, c->email, c->distributor, &checked, err);
}

/* An account without a country of its own takes its customer's. False: the database failed. */
static bool country_of_customer(const creating *c, char *into, size_t size, cm_error *err)
{
    cm_rows *rows = NULL;
    if (!cm_pg_query(c->pg,
                     "SELECT content::jsonb -> 'Customer' -> $2 ->> 'country' FROM catalog_version WHERE id = $1", 2,
                     (const char *[]){c->catalog->id, c->customer->id}, &rows, err))
        return false;
    snprintf(into, size, "%s", cm_rows_count(rows) ? cm_rows_text(rows, 0, 0) : "");
    cm_rows_free(rows);
    return true;
}

/* P17: the countries where the distributor may sell. */
static bool check_territory(creating *c, cm_error *err)
{
    char own[8];
    const char *country = or_empty(c->order->country);
    if (!*country) {
        if (!country_of_customer(c, own, sizeof own, err))
            return false;
        country = own;
    }
    if (*country &&
        (strlen(country) != 2 || !isalpha((unsigned char)country[0]) || !isalpha((unsigned char)country[1])))
        return cm_fail(err, CM_ERROR_REFUSED, "BAD_COUNTRY",
                       "\"%.20s\" is not a country; write two letters such as DE (ISO 3166)", country);
    for (size_t i = 0; country[i]; i++)
        c->country[i] = (char)(country[i] & ~0x20);
    switch (cm_rule_territory(c->payer->model, c->distributor, c->country, c->now)) {
    case CM_TERRITORY_OUTSIDE:
        return cm_fail(err, CM_ERROR_REFUSED, "TERRITORY",
                       "country %s is not in the distributor's authorized territory today (P17)", c->country);
    case CM_TERRITORY_UNKNOWN:
        return !c->distributor || c->distributor->territory_count == 0 ||
               cm_fail(
                   err, CM_ERROR_REFUSED, "NO_COUNTRY",
                   "the account's country decides whether the distributor may sell there (P17): --country, such as DE");
    default:
        return true;
    }
}

bool cm_request_mail_unused(cm_pg *pg, const char *email, const char *account, int64_t own, cm_error *err)
{
    char id[24];
    cm_rows *rows = NULL;
    if (!*email)
        return true;
    snprintf(id, sizeof id, "%" PRId64, own);
    if (!cm_pg_query(pg,
                     "SELECT 'account ' || account FROM account WHERE lower(root_email) = $1 AND account <> $2"
                     " UNION ALL SELECT 'request ' || id FROM link_request WHERE root_email = $1 AND (account = '' OR "
                     "account <> $2)"
                     " AND id <> $3 AND state NOT IN ('rejected', 'withdrawn', 'cancelled') LIMIT 1",
                     3, (const char *[]){email, account, id}, &rows, err))
        return false;
    bool unused =
        cm_rows_count(rows) == 0 ||
        cm_fail(
            err, CM_ERROR_REFUSED, "ROOT_EMAIL_USED",
            "%s is already the root address of %s; a root address must be unique and never used with Amazon or AWS before (O08)",
            email, cm_rows_text(rows, 0, 0));
    cm_rows_free(rows);
    return unused;
}

/* The catalog is desired state too: it must not name another customer for the same time. */
static bool check_catalog(creating *c, cm_error *err)
{
    size_t count;
    if (c->order->kind == CM_LINK_CREATE)
        return true;
    for (size_t p = 0; p < c->catalog->payer_count; p++) {
        const cm_link *links =
            cm_catalog_links(c->catalog, c->catalog->payers[p].id, cm_slice_of(c->order->account), &count);
        for (size_t i = 0; i < count; i++) {
            if (links[i].customer == c->customer)
                continue;
            c->repurposed = true;
            if (links[i].to > c->now && strcmp(links[i].payer, c->payer->id) == 0)
                return cm_fail(err, CM_ERROR_REFUSED, "LINK_CONTRADICTION",
                               "the catalog says that account %s belongs to customer %s: end that entry (`to`) first, "
                               "or leave it there",
                               c->order->account, links[i].customer->id);
        }
    }
    return true;
}

static bool check_open(creating *c, cm_error *err)
{
    cm_request other;
    cm_error none = {0};
    cm_rows *rows = NULL;
    if (c->order->kind == CM_LINK_CREATE)
        return true;
    if (cm_store_request_of_account(c->pg, NULL, c->order->account, &other, &none)) {
        if (!cm_link_state_is_final(other.link.state))
            return cm_fail(
                err, CM_ERROR_REFUSED, "OPEN_REQUEST",
                "account %s has request %" PRId64 " (payer %s, customer %s), which is %s: end that one first",
                c->order->account, other.id, other.payer, other.customer, cm_link_state_name(other.link.state));
    } else if (none.class != CM_ERROR_NOT_FOUND) {
        if (err)
            *err = none;
        return false;
    }
    if (!cm_pg_query(
            c->pg, "SELECT FROM link_request WHERE account = $1 AND customer <> $2 AND liable_from IS NOT NULL LIMIT 1",
            2, (const char *[]){c->order->account, c->customer->id}, &rows, err))
        return false;
    c->repurposed = c->repurposed || cm_rows_count(rows) > 0; /* O28 */
    cm_rows_free(rows);
    return true;
}

static bool insert(creating *c, int64_t *ret_id, cm_error *err)
{
    const cm_request_order *o = c->order;
    char at[CM_INSTANT_TEXT], wanted[CM_INSTANT_TEXT];
    cm_rows *rows = NULL;
    const char *values[] = {cm_link_kind_name(o->kind),
                            c->payer->id,
                            c->payer->lane,
                            c->payer->model->name,
                            or_empty(o->account),
                            c->customer->id,
                            c->email,
                            or_empty(o->nickname),
                            o->support_plan,
                            or_empty(o->support_plan_group),
                            or_empty(o->sales_reference),
                            or_empty(o->role_arn),
                            or_empty(o->external_id),
                            or_empty(o->region),
                            c->country,
                            o->portal_enabled ? "true" : "false",
                            o->transferred_in ? "true" : "false",
                            c->repurposed ? "true" : "false",
                            cm_rule_role_required(c->payer->model, o->transferred_in) ? "true" : "false",
                            cm_instant_or_null(o->billed_from_wanted, wanted),
                            cm_instant_print(c->now, at),
                            c->by};
    if (!cm_pg_query(c->pg,
                     "INSERT INTO link_request (kind, state, payer, lane, model, account, customer, root_email, "
                     "nickname, support_plan, support_plan_group,"
                     " sales_reference, role_arn, external_id, region, country, portal_enabled, transferred_in, "
                     "repurposed, role_required,"
                     " billed_from_wanted, requested_at, requested_by, changed_at) VALUES ($1, 'requested', $2, $3, "
                     "$4, $5, $6, $7, $8, $9, $10, $11, $12,"
                     " $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $21) RETURNING id",
                     sizeof values / sizeof *values, values, &rows, err))
        return false;
    *ret_id = cm_rows_i64(rows, 0, 0);
    cm_rows_free(rows);
    return true;
}

static bool create_locked(creating *c, int64_t *ret_id, cm_error *err)
{
    cm_request r;
    if (!cm_pg_query(c->pg, "SELECT pg_advisory_xact_lock(hashtextextended('curmill request ' || $1, 0))", 1,
                     (const char *[]){or_empty(c->order->account)}, NULL, err) ||
        !cm_request_mail_unused(c->pg, c->email, or_empty(c->order->account), 0, err) || !check_catalog(c, err) ||
        !check_open(c, err) || !insert(c, ret_id, err) || !cm_store_request(c->pg, *ret_id, &r, err))
        return false;
    return cm_request_history(c->pg, &r, "request", "", c->now, c->by, c->reason, NULL, err) &&
           cm_notify_received(c->pg, &r, c->customer->name, c->now, err);
}

bool cm_store_request_create(cm_pg *pg, const cm_catalog *catalog, const cm_request_order *order, cm_instant now,
                             const char *by, const char *reason, int64_t *ret_id, cm_error *err)
{
    creating c = {.pg = pg, .catalog = catalog, .order = order, .now = now, .by = by, .reason = reason};
    if (!given(by))
        return cm_fail(err, CM_ERROR_REFUSED, "NO_CAUSE", "say who makes the request: --by WHO");
    if (!check_parties(&c, err) || !check_fields(&c, err) || !check_territory(&c, err))
        return false;
    bool done = cm_pg_begin(pg, err) && create_locked(&c, ret_id, err) && cm_pg_commit(pg, err);
    if (!done)
        cm_pg_rollback(pg);
    return done;
}
