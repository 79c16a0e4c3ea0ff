/* Which payer, and why. */
#include "billing/link/advice.h"

#include <stdio.h>
#include <string.h>

bool cm_organization_state_parse(const char *name, enum cm_organization_state *ret)
{
    static const char *const names[] = {[CM_ORGANIZATION_NONE] = "none",
                                        [CM_ORGANIZATION_OWN] = "own",
                                        [CM_ORGANIZATION_OTHERS] = "others",
                                        [CM_ORGANIZATION_NEW] = "new"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(names[i], name) == 0) {
            *ret = (enum cm_organization_state)i;
            return true;
        }
    }
    return false;
}

bool cm_capability_known(const char *name)
{
    for (size_t i = 0; cm_payer_models[i]; i++) {
        for (const cm_payer_capability *c = cm_payer_models[i]->capabilities; c->name; c++) {
            if (strcmp(c->name, name) == 0)
                return true;
        }
    }
    return false;
}

/* A capability that only the payer kind for organizations gives (P09, P10); NULL: none is needed. */
static const cm_payer_capability *needed(const cm_payer_model *model, const cm_advice_question *q)
{
    for (size_t i = 0; i < q->need_count; i++) {
        for (const cm_payer_capability *c = model->capabilities; c->name; c++) {
            if (strcmp(c->name, q->needs[i]) == 0 && strcmp(c->payer_kind, model->organization_kind) == 0)
                return c;
        }
    }
    return NULL;
}

static bool has_others(const cm_catalog *catalog, const cm_payer *payer, const cm_advice_question *q, bool *ret_own)
{
    bool others = false;
    *ret_own = false;
    for (size_t i = 0; i < catalog->link_count; i++) {
        if (strcmp(catalog->links[i].payer, payer->id) != 0)
            continue;
        *ret_own = *ret_own || catalog->links[i].customer == q->customer;
        others = others || catalog->links[i].customer != q->customer;
    }
    for (size_t i = 0; i < q->owner_count; i++) {
        if (strcmp(q->owners[i].payer, payer->id) != 0)
            continue;
        bool own = strcmp(q->owners[i].customer, q->customer->id) == 0;
        *ret_own = *ret_own || own;
        others = others || !own;
    }
    return others;
}

/* P07: a dedicated payer belongs to one customer; prefer its own to an empty one. Shared and master payers: prefer the
 * reseller's own. */
static const cm_payer *choose(const cm_catalog *catalog, const char *lane, const char *kind, bool exclusive,
                              const cm_advice_question *q)
{
    const cm_payer *best = NULL;
    int best_rank = 0;
    for (size_t i = 0; i < catalog->payer_count; i++) {
        const cm_payer *payer = &catalog->payers[i];
        bool own;
        if (strcmp(payer->lane, lane) != 0 || strcmp(payer->payer_kind, kind) != 0)
            continue;
        bool others = has_others(catalog, payer, q, &own);
        if (exclusive && (others || payer->reseller != q->customer->reseller))
            continue;
        int rank = 1 + (own ? 2 : 0) + (payer->reseller == q->customer->reseller ? 4 : 0);
        if (rank > best_rank)
            best = payer, best_rank = rank;
    }
    return best;
}

static void explain(cm_advice *a, bool by_organization, const cm_payer_capability *capability,
                    const cm_advice_question *q)
{
    const char *which = by_organization ? a->model->organization_why : a->model->standalone_why;
    if (capability && q->organization != CM_ORGANIZATION_OWN)
        snprintf(a->why, sizeof a->why, "%s: %s needs a %s payer", capability->rule, capability->name,
                 capability->payer_kind);
    else
        snprintf(a->why, sizeof a->why, "%s", which);
    int length = 0;
    if (!a->payer)
        length =
            snprintf(a->next, sizeof a->next,
                     "ask the distributor of lane %s for a %s payer for customer %s and add it to the catalog; then ",
                     a->lane, a->payer_kind, q->customer->id);
    switch (q->organization) {
    case CM_ORGANIZATION_NEW:
        snprintf(
            a->next + length, sizeof a->next - (size_t)length,
            "`curmill request create --payer %s --customer %s --support-plan PLAN --root-email MAIL --by WHO`: a new root "
            "address, never used with AWS (O08)",
            a->payer ? a->payer->id : "PAYER", q->customer->id);
        break;
    case CM_ORGANIZATION_OTHERS:
        snprintf(a->next + length, sizeof a->next - (size_t)length,
                 "the account must be free to leave its present organization (a payment method of its own; its billing "
                 "history stays there), then "
                 "`curmill account link ACCOUNT --payer %s --customer %s --support-plan PLAN --by WHO`",
                 a->payer ? a->payer->id : "PAYER", q->customer->id);
        break;
    default:
        snprintf(a->next + length, sizeof a->next - (size_t)length,
                 "`curmill account link ACCOUNT --payer %s --customer %s --support-plan PLAN --by WHO`",
                 a->payer ? a->payer->id : "PAYER", q->customer->id);
    }
}

size_t cm_advise(const cm_catalog *catalog, const cm_advice_question *q, cm_advice into[static CM_ADVICE_MAX])
{
    size_t count = 0;
    for (size_t i = 0; i < catalog->payer_count && count < CM_ADVICE_MAX; i++) {
        const cm_payer *payer = &catalog->payers[i];
        bool advised = false;
        for (size_t j = 0; j < count; j++)
            advised = advised || strcmp(into[j].lane, payer->lane) == 0;
        if (advised || (q->lane && strcmp(q->lane, payer->lane) != 0))
            continue;
        cm_advice *a = &into[count++];
        *a = (cm_advice){.model = payer->model, .lane = payer->lane};
        const cm_payer_capability *capability = needed(a->model, q);
        bool by_organization = q->organization == CM_ORGANIZATION_OWN || capability;
        a->payer_kind = by_organization ? a->model->organization_kind : a->model->standalone_kind;
        bool exclusive = by_organization && strcmp(a->model->organization_kind, a->model->standalone_kind) != 0;
        a->payer = choose(catalog, a->lane, a->payer_kind, exclusive, q);
        explain(a, by_organization, capability, q);
    }
    return count;
}
