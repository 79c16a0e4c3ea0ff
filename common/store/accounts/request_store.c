/* Changing requests: compare-and-set, the state machine, automatic steps. */
#include "store/accounts/request_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char actor[] = "org-linker"; /* of automatic steps */

/* --- gates ------------------------------------------------------------------------------------------------------- */

bool cm_gates_shut(cm_pg *pg, const cm_request *r, char *into, size_t size, cm_error *err)
{
    char id[24];
    cm_rows *rows = NULL;
    snprintf(id, sizeof id, "%" PRId64, r->id);
    if (!cm_pg_query(pg, "SELECT gate, item FROM offboarding_gate WHERE request_id = $1", 1, (const char *[]){id},
                     &rows, err))
        return false;
    *into = '\0';
    for (const cm_payer_gate *gate = r->model->offboarding_gates; gate->code && !*into; gate++) {
        static const char *const whole[] = {"", NULL};
        for (const char *const *item = gate->each_role ? r->model->roles_to_remove : whole; *item && !*into; item++) {
            bool open = false;
            for (int i = 0; i < cm_rows_count(rows) && !open; i++)
                open =
                    strcmp(cm_rows_text(rows, i, 0), gate->code) == 0 && strcmp(cm_rows_text(rows, i, 1), *item) == 0;
            if (!open)
                snprintf(into, size, "%s%s%s", gate->code, **item ? " " : "", *item);
        }
    }
    cm_rows_free(rows);
    return true;
}

/* --- one step ---------------------------------------------------------------------------------------------------- */

static char *detail_of(const cm_request *r, const cm_link_cause *cause)
{
    char at[CM_INSTANT_TEXT];
    json_t *detail = json_object();
    if (cause->aws_at)
        json_object_set_new(detail, "aws_at", json_string(cm_instant_print(cause->aws_at, at)));
    if (cause->handshake)
        json_object_set_new(detail, "handshake", json_string(cause->handshake));
    if (*r->link.account)
        json_object_set_new(detail, "account", json_string(r->link.account));
    char *text = json_dumps(detail, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(detail);
    return text;
}

bool cm_request_not_before_last(cm_pg *pg, const cm_request *r, cm_instant *joined, cm_error *err)
{
    cm_rows *rows = NULL;
    if (!cm_pg_query(
            pg,
            "SELECT (extract(epoch FROM max(left_at)) * 1000000)::bigint FROM link_request WHERE payer = $1 AND "
            "account = $2 AND state = 'left'",
            2, (const char *[]){r->payer, r->link.account}, &rows, err))
        return false;
    if (cm_rows_instant(rows, 0, 0) > *joined)
        *joined = cm_rows_instant(rows, 0, 0);
    cm_rows_free(rows);
    return true;
}

static bool step(cm_pg *pg, cm_request *r, const cm_link_cause *given, cm_error *err)
{
    cm_link_cause own = *given;
    const cm_link_cause *cause = &own;
    if ((own.event == CM_LINK_ACCEPT || own.event == CM_LINK_MEMBER_SEEN) && own.aws_at &&
        !cm_request_not_before_last(pg, r, &own.aws_at, err))
        return false;
    int64_t before = r->link.version;
    enum cm_link_state from = r->link.state;
    if (cause->event == CM_LINK_LEAVE && !cm_gates_shut(pg, r, r->link.shut_gate, sizeof r->link.shut_gate, err))
        return false;
    if (!cm_link_change(&r->link, cause, err))
        return false;
    if (cause->event == CM_LINK_APPROVE) {
        r->approved_at = cause->at;
        snprintf(r->approved_by, sizeof r->approved_by, "%s", cause->by);
    }
    if (cause->event == CM_LINK_ACTIVATE)
        r->activated_at = cause->at;
    if (cause->handshake)
        snprintf(r->handshake, sizeof r->handshake, "%s", cause->handshake);
    char *detail = detail_of(r, cause);
    bool done = cm_request_save(pg, r, before, cause->at, err) &&
                cm_request_history(pg, r, cm_link_event_name(cause->event), cm_link_state_name(from), cause->at,
                                   cause->by, cause->reason, detail, err) &&
                cm_notify_of_event(pg, r, cause->event, cause->reason, cause->at, err);
    free(detail);
    return done;
}

/* An account that is under the payer already needs no invitation. *ret_joined: AWS's time of joining, otherwise the
 * first time the account was seen. */
static bool is_member(cm_pg *pg, const cm_request *r, bool *ret_member, cm_instant *ret_joined, cm_error *err)
{
    cm_rows *rows = NULL;
    if (!cm_pg_query(pg,
                     "SELECT (extract(epoch FROM coalesce(joined_at, first_seen)) * 1000000)::bigint FROM account "
                     "WHERE payer = $1 AND account = $2"
                     " AND left_at IS NULL",
                     2, (const char *[]){r->payer, r->link.account}, &rows, err))
        return false;
    *ret_member = cm_rows_count(rows) > 0;
    *ret_joined = *ret_member ? cm_rows_i64(rows, 0, 0) : 0;
    cm_rows_free(rows);
    return true;
}

bool cm_request_settle(cm_pg *pg, cm_request *r, cm_instant now, cm_error *err)
{
    for (;;) {
        cm_link_cause cause = {.at = now, .by = actor};
        cm_account_link probe = r->link;
        bool member = false;
        switch (r->link.state) {
        case CM_LINK_APPROVED:
            if (r->link.kind == CM_LINK_EXISTING && !is_member(pg, r, &member, &cause.aws_at, err))
                return false;
            if (!member)
                return true;
            cause.event = CM_LINK_MEMBER_SEEN, cause.reason = "the account is under the payer already";
            break;
        case CM_LINK_ACCEPTED:
        case CM_LINK_ROOT_PASSWORD_RESET:
            cause.event = CM_LINK_ASK_ROLE;
            cause.reason = r->link.role_required ? "the role has to be created and tried"
                                                 : "no role is needed, because the payer was not transferred in (P16)";
            break;
        case CM_LINK_ROLE_PENDING:
            cause.event = CM_LINK_ACTIVATE, cause.reason = "nothing is missing";
            if (!cm_link_change(&probe, &cause, NULL))
                return true;
            break;
        default:
            return true;
        }
        if (!step(pg, r, &cause, err))
            return false;
    }
}

bool cm_store_request_change_locked(cm_pg *pg, int64_t id, int64_t version, const cm_link_cause *cause, cm_request *ret,
                                    cm_error *err)
{
    cm_request r;
    if (!cm_request_lock(pg, id, &r, err) ||
        (version != CM_ANY_VERSION && !cm_link_expect_version(r.link.version, version, err)) ||
        !step(pg, &r, cause, err) || !cm_request_settle(pg, &r, cause->at, err)) {
        if (err && err->class == CM_ERROR_REFUSED)
            cm_fail_context(err, "request %" PRId64, id);
        return false;
    }
    if (ret)
        *ret = r;
    return true;
}

bool cm_store_request_change(cm_pg *pg, int64_t id, int64_t version, const cm_link_cause *cause, cm_request *ret,
                             cm_error *err)
{
    bool done = cm_pg_begin(pg, err) && cm_store_request_change_locked(pg, id, version, cause, ret, err) &&
                cm_pg_commit(pg, err);
    if (!done)
        cm_pg_rollback(pg);
    return done;
}

/* --- patches ----------------------------------------------------------------------------------------------------- */

/* Applies a changed text; sets *changed. */
static void patch_text(char *into, size_t size, const char *value, const char *name, json_t *detail)
{
    if (!value || strcmp(into, value) == 0)
        return;
    json_object_set_new(detail, name, json_pack("{s:s, s:s}", "from", into, "to", value));
    snprintf(into, size, "%s", value);
}

static void patch_bool(bool *into, const bool *value, const char *name, json_t *detail)
{
    if (!value || *into == *value)
        return;
    json_object_set_new(detail, name, json_pack("{s:b, s:b}", "from", *into, "to", *value));
    *into = *value;
}

static bool check_patch(const cm_catalog *catalog, const cm_request *r, const cm_request_patch *w, cm_instant now,
                        const char *reason, cm_error *err)
{
    const char *plan = w->support_plan ? w->support_plan : r->link.support_plan;
    const char *sales = w->sales_reference ? w->sales_reference : r->sales_reference;
    if (cm_link_state_is_final(r->link.state))
        return cm_fail(err, CM_ERROR_REFUSED, "LINK_STATE",
                       "the request is %s and can no longer be changed; create a new one",
                       cm_link_state_name(r->link.state));
    if ((w->nickname && !cm_rule_nickname(w->nickname, err)) ||
        (w->root_email && *w->root_email && !cm_rule_root_email(w->root_email, err)) ||
        !cm_rule_support_plan(plan, sales, err))
        return false;
    if (w->support_plan_group && *w->support_plan_group) {
        bool found = false;
        for (size_t i = 0; i < catalog->group_count && !found; i++)
            found = strcmp(catalog->groups[i].id, w->support_plan_group) == 0;
        if (!found)
            return cm_fail(err, CM_ERROR_REFUSED, "NO_SUPPORT_PLAN_GROUP",
                           "the catalog has no support plan group \"%s\" (O14)", w->support_plan_group);
    }
    if ((w->role_arn || w->external_id) &&
        !cm_rule_role(w->role_arn ? w->role_arn : r->role_arn, w->external_id ? w->external_id : r->external_id,
                      r->link.account, err))
        return false;
    bool checked;
    const cm_distributor *distributor = cm_catalog_distributor(catalog, r->lane);
    if (w->root_email && !cm_rule_root_domain(r->model, false, w->root_email, distributor, &checked, err)) /* P03 */
        return false;
    if (w->country && cm_rule_territory(r->model, distributor, w->country, now) == CM_TERRITORY_OUTSIDE)
        return cm_fail(err, CM_ERROR_REFUSED, "TERRITORY",
                       "country %s is not in the distributor's authorized territory today (P17)", w->country);
    if (w->role_waived && *w->role_waived && !(reason && *reason))
        return cm_fail(err, CM_ERROR_REFUSED, "NO_CAUSE", "say why the role is waived: --reason TEXT");
    if (w->billed_from_wanted && r->activated_at)
        return cm_fail(
            err, CM_ERROR_REFUSED, "LINK_ACTIVE",
            "the account is active; the month from which it is billed can no longer be changed, because documents may rest on it");
    return true;
}

static bool declare_locked(cm_pg *pg, const cm_catalog *catalog, cm_request *r, int64_t version,
                           const cm_request_patch *w, cm_instant now, const char *by, const char *reason, cm_error *err)
{
    char email[sizeof r->root_email], day[CM_INSTANT_TEXT];
    int64_t before = r->link.version;
    if (!cm_link_expect_version(before, version, err) || !check_patch(catalog, r, w, now, reason, err))
        return false;
    if (w->root_email && !cm_email_normal(w->root_email, email, sizeof email))
        return cm_rule_root_email(w->root_email, err);
    if (w->root_email && !cm_request_mail_unused(pg, email, r->link.account, r->id, err))
        return false;
    json_t *detail = json_object();
    bool new_role = (w->role_arn && strcmp(w->role_arn, r->role_arn) != 0) ||
                    (w->external_id && strcmp(w->external_id, r->external_id) != 0);
    patch_text(r->nickname, sizeof r->nickname, w->nickname, "nickname", detail);
    patch_text(r->root_email, sizeof r->root_email, w->root_email ? email : NULL, "root_email", detail);
    patch_text(r->link.support_plan, sizeof r->link.support_plan, w->support_plan, "support_plan", detail);
    patch_text(r->link.support_plan_group, sizeof r->link.support_plan_group, w->support_plan_group,
               "support_plan_group", detail);
    patch_text(r->sales_reference, sizeof r->sales_reference, w->sales_reference, "sales_reference", detail);
    patch_text(r->role_arn, sizeof r->role_arn, w->role_arn, "role_arn", detail);
    patch_text(r->country, sizeof r->country, w->country, "country", detail);
    patch_bool(&r->link.role_waived, w->role_waived, "role_waived", detail);
    patch_bool(&r->link.mfa_confirmed, w->mfa_confirmed, "mfa_confirmed", detail);
    patch_bool(&r->portal_enabled, w->portal_enabled, "portal_enabled", detail);
    if (new_role) { /* O22: the role was never tried */
        snprintf(r->external_id, sizeof r->external_id, "%s", w->external_id ? w->external_id : r->external_id);
        json_object_set_new(detail, "role_verdict",
                            json_string(cm_role_verdict_name(r->link.role = CM_ROLE_UNCHECKED)));
    }
    if (w->billed_from_wanted && *w->billed_from_wanted != r->link.billed_from_wanted) {
        r->link.billed_from_wanted = *w->billed_from_wanted;
        if (r->link.liable_from)
            r->link.billed_from = r->link.billed_from_wanted ? r->link.billed_from_wanted
                                                             : cm_link_billed_from(r->link.kind, r->link.liable_from);
        json_object_set_new(detail, "billed_from_wanted",
                            json_string(cm_instant_print(r->link.billed_from_wanted, day)));
    }
    bool done = true;
    if (json_object_size(detail)) {
        char *text = json_dumps(detail, JSON_COMPACT | JSON_SORT_KEYS);
        r->link.version++;
        done = cm_request_save(pg, r, before, now, err) &&
               cm_request_history(pg, r, "declare", cm_link_state_name(r->link.state), now, by, reason, text, err) &&
               cm_request_settle(pg, r, now, err);
        free(text);
    }
    json_decref(detail);
    return done;
}

bool cm_store_request_declare(cm_pg *pg, const cm_catalog *catalog, int64_t id, int64_t version,
                              const cm_request_patch *patch, cm_instant now, const char *by, const char *reason,
                              cm_request *ret, cm_error *err)
{
    cm_request r;
    bool done = cm_pg_begin(pg, err) && cm_request_lock(pg, id, &r, err);
    if (done && !declare_locked(pg, catalog, &r, version, patch, now, by, reason, err)) {
        done = false;
        if (err && err->class == CM_ERROR_REFUSED)
            cm_fail_context(err, "request %" PRId64, id);
    }
    done = done && cm_pg_commit(pg, err);
    if (!done)
        cm_pg_rollback(pg);
    if (done && ret)
        *ret = r;
    return done;
}
