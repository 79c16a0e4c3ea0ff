/*
 * What AWS itself says of Support plans and charges, for the present month and the one before: one look at each a day
 * until AWS's figures are final (rules O10, O16). A payer whose role may not read them, or a Billing API that does not
 * answer, is not a failure of the payer: plans are told by the report's product codes then, as before.
 */
#include "sync/internal.h"

#include "base/log/log.h"
#include "platform/aws/billing/support_charges.h"
#include "store/accounts/support_charge_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct looking {
    cm_support_told *list;
    size_t count, room;
} looking;

static cm_support_told *add(looking *l)
{
    if (l->count == l->room) {
        l->room = l->room ? 2 * l->room : 64;
        l->list = cm_realloc(l->list, l->room * sizeof *l->list);
    }
    cm_support_told *told = &l->list[l->count++];
    *told = (cm_support_told){0};
    return told;
}

static bool on_charge(void *opaque, const cm_support_charge *charge, cm_error *err)
{
    if (strlen(charge->account) != CM_AWS_ACCOUNT_ID - 1)
        return cm_fail(err, CM_ERROR_RETRY, "BAD_ACCOUNT", "AWS lists support of an account without 12 digits (N16)");
    cm_support_told *told = add(opaque);
    snprintf(told->account, sizeof told->account, "%s", charge->account);
    snprintf(told->plan, sizeof told->plan, "%s", charge->plan);
    snprintf(told->discount_type, sizeof told->discount_type, "%s", charge->discount_type);
    told->charge = charge->charge;
    told->usage_basis = charge->usage_basis;
    told->discount = charge->discount;
    told->estimated = charge->estimated;
    return true;
}

/* `over`: the month has ended, so AWS can tell of Enterprise Support too. */
static bool ask(turn *t, bool over, looking *l, cm_support_look *ret, cm_error *err)
{
    bool estimated = false;
    cm_enterprise_support e = {0};
    if (!cm_billing_support_charges(t->access, ret->period, on_charge, l, &estimated, err))
        return false;
    ret->listed = true;
    if (over && !cm_billing_enterprise_support(t->access, ret->period, &e, err))
        return false;
    if (e.there) {
        cm_support_told *told = add(l);
        snprintf(told->plan, sizeof told->plan, "%s", e.plan);
        told->charge = e.charge;
        told->usage_basis = e.usage_basis;
        told->discount = e.discount;
        told->estimated = e.estimated;
    }
    ret->final = over && !estimated && !e.estimated;
    return true;
}

static void tell(const turn *t, const cm_error *why)
{
    if (strcmp(why->code, "DENIED") == 0)
        cm_log(CM_INFO,
               "the payer's role may not read AWS's support charges: plans are told by product codes; allow "
               "billing:ListBusinessSupportAccountCharges and billing:GetEnterpriseSupportChargeSummary to have them",
               "payer", t->payer->id, NULL);
    else
        cm_log_error(CM_WARN, "AWS's support charges could not be read", why, "payer", t->payer->id, NULL);
}

/* False: no second month is asked for in this turn. */
static bool look_at(turn *t, cm_period period, bool over)
{
    bool due = false, news = false;
    if (!cm_turn_database(t, cm_store_support_look_due(t->pg, t->payer->id, period, t->now, &due, &t->database)))
        return false;
    if (!due)
        return true;
    looking l = {0};
    cm_error why = {0};
    cm_support_look look = {.payer = t->payer->id, .period = period};
    bool good = ask(t, over, &l, &look, &why);
    look.list = l.list;
    look.count = l.count;
    if (!good) {
        look.code = why.code;
        look.detail = why.text;
    }
    bool stored = cm_turn_database(t, cm_store_support_look(t->pg, &look, t->now, &news, &t->database));
    if (stored && !good && news)
        tell(t, &why);
    free(l.list);
    return stored && good;
}

bool cm_turn_support(turn *t)
{
    cm_period month = cm_period_of(t->now);
    return look_at(t, month, false) && look_at(t, cm_period_previous(month), true);
}
