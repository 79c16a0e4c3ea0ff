#include "sync/internal.h"

#include "base/log/log.h"
#include "platform/aws/chain/chain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

cm_org_sync *cm_org_sync_new(const cm_org_sync_settings *settings)
{
    cm_org_sync *sync = cm_alloc(sizeof *sync);
    cm_org_sync_settings *s = &sync->settings;
    *s = *settings;
    if (settings->options)
        sync->options = *settings->options;
    if (sync->options.attempts == 0)
        sync->options.attempts = 3;
    if (sync->options.stall_milliseconds == 0)
        sync->options.stall_milliseconds = 10000;
    s->every_seconds = s->every_seconds > 0 ? s->every_seconds : 3600;
    s->slice_milliseconds = s->slice_milliseconds > 0 ? s->slice_milliseconds : 20000;
    s->per_minute = s->per_minute > 0 ? s->per_minute : 120;
    s->burst = s->burst > 0 ? s->burst : 20;
    s->invitations_per_day = s->invitations_per_day == 0 ? 20 : s->invitations_per_day < 0 ? 0 : s->invitations_per_day;
    s->sessions = s->sessions > 0 ? s->sessions : 64;
    s->roles_per_turn = s->roles_per_turn > 0 ? s->roles_per_turn : 20;
    sync->base = cm_aws_provider_chain(&sync->options);
    sync->sessions = cm_aws_sessions_new(sync->base, &sync->options, (size_t)s->sessions);
    if (getrandom(&sync->random, sizeof sync->random, 0) != sizeof sync->random)
        sync->random = (uint64_t)cm_monotonic_milliseconds();
    return sync;
}

void cm_org_sync_free(cm_org_sync *sync)
{
    if (!sync)
        return;
    cm_aws_sessions_free(sync->sessions);
    cm_aws_provider_free(sync->base);
    free(sync);
}

/* The credentials must be the payer's own before anything is trusted or changed. */
static bool check_payer(turn *t)
{
    cm_error err = {0};
    enum cm_role_verdict verdict =
        cm_turn_try_role(t, t->access, t->payer->id, t->payer->model, t->missing_action, &err);
    if (verdict == CM_ROLE_VALID)
        return true;
    bool go_on = cm_turn_failed(t, &err);
    /* a missing permission that only the distributor requires does not stop the rest */
    return go_on && strcmp(t->missing_action, "sts:AssumeRole") != 0;
}

static void do_turn(turn *t)
{
    cm_buffer name = {0};
    cm_buffer_printf(&name, "payer %s", t->payer->id);
    const cm_org_sync_settings *s = &t->sync->settings;
    const char *external_id = *t->payer->external_id ? t->payer->external_id : NULL;
    cm_aws_provider *provider = cm_aws_sessions_get(t->sync->sessions, t->payer->role_arn, external_id, NULL);
    cm_aws_access_config config = {.name = name.data,
                                   .partition = cm_aws_partition_of(t->payer->role_arn),
                                   .provider = provider,
                                   .options = &t->sync->options,
                                   .per_minute = s->per_minute,
                                   .burst = s->burst,
                                   .slice_milliseconds = s->slice_milliseconds};
    t->access = cm_aws_access_new(&config);
    if (check_payer(t) && cm_turn_accounts(t) && cm_turn_invitations(t) && cm_turn_roles(t))
        (void)cm_turn_support(t);
    t->ret->calls += (int)cm_aws_access_calls(t->access);
    cm_aws_access_free(t->access);
    cm_aws_provider_free(provider);
    cm_buffer_free(&name);
    free(t->listed);
}

bool cm_org_sync_step(cm_org_sync *sync, cm_pg *pg, const cm_catalog *catalog, const char *lane, cm_instant now,
                      cm_org_turn *ret, cm_error *err)
{
    *ret = (cm_org_turn){0};
    turn t = {.sync = sync, .pg = pg, .now = now, .ret = ret};
    if (!cm_schedule_take(sync, pg, catalog, lane, now, &t.payer, err))
        return false;
    if (!t.payer)
        return true;
    snprintf(ret->payer, sizeof ret->payer, "%s", t.payer->id);
    do_turn(&t);
    if (t.first.class != CM_ERROR_NONE) {
        snprintf(ret->code, sizeof ret->code, "%s", t.first.code);
        cm_log_error(CM_WARN, "some calls to AWS failed", &t.first, "payer", ret->payer, NULL);
    }
    if (t.database_failed) { /* the lease expires by itself */
        cm_pg_rollback(pg);
        if (err)
            *err = t.database;
        return false;
    }
    return cm_schedule_give_back(&t, err);
}
