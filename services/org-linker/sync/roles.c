/* Does the role of an account work: can it be assumed with its external id, is it in the right account, has it every
 * permission (O13, O22, O25-O27). */
#include "sync/internal.h"

#include "base/log/log.h"
#include "platform/aws/access/probe.h"
#include "store/accounts/role_store.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum cm_role_verdict cm_turn_try_role(turn *t, cm_aws_access *access, const char *account, const cm_payer_model *model,
                                      char missing[static 96], cm_error *err)
{
    char is[CM_AWS_ACCOUNT_ID];
    (void)t;
    missing[0] = '\0';
    if (!cm_aws_identity(access, is, err)) {
        if (strcmp(err->code, "DENIED") != 0)
            return CM_ROLE_UNCHECKED;
        snprintf(missing, 96,
                 "sts:AssumeRole"); /* a wrong external id, a wrong principal and a missing role look the same */
        return CM_ROLE_INVALID;
    }
    if (strcmp(is, account) != 0) {
        snprintf(missing, 96, "sts:AssumeRole");
        cm_fail(err, CM_ERROR_REFUSED, "WRONG_ACCOUNT",
                "the credentials belong to account %s and not to %s: set the role of %s", is, account, account);
        return CM_ROLE_INVALID;
    }
    for (const cm_payer_permission *p = model->permissions; p && p->action; p++) {
        enum cm_aws_verdict verdict = cm_aws_probe(access, p->action, err);
        if (verdict == CM_AWS_UNKNOWN)
            return CM_ROLE_UNCHECKED;
        if (verdict == CM_AWS_REFUSED) {
            snprintf(missing, 96, "%s", p->action);
            cm_fail_context(err, "permission %s is missing (%s)", p->action, p->purpose);
            return CM_ROLE_INVALID;
        }
    }
    return CM_ROLE_VALID;
}

/* False: the turn should end. */
static bool check_one(turn *t, int64_t id)
{
    cm_request r;
    if (!cm_turn_database(t, cm_store_request(t->pg, id, &r, &t->database)))
        return false;
    cm_buffer name = {0};
    cm_buffer_printf(&name, "account %s", r.link.account);
    const char *external_id = *r.external_id ? r.external_id : NULL;
    cm_aws_provider *provider = cm_aws_sessions_get(t->sync->sessions, r.role_arn, external_id, NULL);
    cm_aws_access_config config = {.name = name.data,
                                   .partition = cm_aws_partition_of(r.role_arn),
                                   .provider = provider,
                                   .options = &t->sync->options,
                                   .per_minute = t->sync->settings.per_minute,
                                   .burst = t->sync->settings.burst};
    cm_aws_access *access = cm_aws_access_new(&config);
    cm_error why = {0};
    char missing[96];
    enum cm_role_verdict verdict = cm_turn_try_role(t, access, r.link.account, r.model, missing, &why);
    t->ret->calls += (int)cm_aws_access_calls(access);
    cm_aws_access_free(access);
    cm_aws_provider_free(provider);
    cm_buffer_free(&name);
    if (verdict == CM_ROLE_UNCHECKED) { /* a problem of AWS is not a verdict on the role */
        cm_log_error(CM_WARN, "a role could not be tried", &why, "account", r.link.account, NULL);
        return true;
    }
    t->ret->roles++;
    cm_role_tried tried = {.request = id,
                           .role_arn = r.role_arn,
                           .external_id = r.external_id,
                           .verdict = verdict,
                           .missing_action = missing,
                           .detail = why.text};
    return cm_turn_database(t, cm_store_role_tried(t->pg, &tried, t->now, CM_ORG_SYNC_ACTOR, &t->database));
}

bool cm_turn_roles(turn *t)
{
    int64_t due[64];
    int most = t->sync->settings.roles_per_turn < 64 ? t->sync->settings.roles_per_turn : 64, count;
    if (!cm_turn_database(t, cm_store_roles_due(t->pg, t->payer->id, t->now, most, due, &count, &t->database)))
        return false;
    int64_t ends = cm_monotonic_milliseconds() + t->sync->settings.slice_milliseconds;
    for (int i = 0; i < count && cm_monotonic_milliseconds() < ends; i++)
        if (!check_one(t, due[i]))
            return false;
    return true;
}
