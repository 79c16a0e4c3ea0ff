/* The only function that changes the state of a link, and the table it uses. */
#include "billing/link/link.h"

#include <stdio.h>
#include <string.h>

enum for_kind { ANY, EXISTING, CREATE };

static const struct transition {
    enum cm_link_state from;
    enum cm_link_event event;
    enum cm_link_state to;
    enum for_kind kind;
} transitions[] = {
    {CM_LINK_REQUESTED, CM_LINK_APPROVE, CM_LINK_APPROVED, ANY},
    {CM_LINK_REQUESTED, CM_LINK_REJECT, CM_LINK_REJECTED, ANY},
    {CM_LINK_REQUESTED, CM_LINK_ASK_INFO, CM_LINK_INFO_REQUESTED, ANY},
    {CM_LINK_REQUESTED, CM_LINK_WITHDRAW, CM_LINK_WITHDRAWN, ANY},
    {CM_LINK_INFO_REQUESTED, CM_LINK_GIVE_INFO, CM_LINK_REQUESTED, ANY},
    {CM_LINK_INFO_REQUESTED, CM_LINK_REJECT, CM_LINK_REJECTED, ANY},
    {CM_LINK_INFO_REQUESTED, CM_LINK_WITHDRAW, CM_LINK_WITHDRAWN, ANY},
    {CM_LINK_APPROVED, CM_LINK_CANCEL, CM_LINK_CANCELLED, ANY},
    {CM_LINK_APPROVED, CM_LINK_INVITE, CM_LINK_INVITED, EXISTING},
    {CM_LINK_APPROVED, CM_LINK_MEMBER_SEEN, CM_LINK_ACCEPTED, EXISTING},
    {CM_LINK_APPROVED, CM_LINK_CREATE_ACCOUNT, CM_LINK_ACCOUNT_CREATED, CREATE},
    {CM_LINK_INVITED, CM_LINK_ACCEPT, CM_LINK_ACCEPTED, EXISTING},
    {CM_LINK_INVITED, CM_LINK_MEMBER_SEEN, CM_LINK_ACCEPTED, EXISTING},
    {CM_LINK_INVITED, CM_LINK_DECLINE, CM_LINK_DECLINED, EXISTING},
    {CM_LINK_INVITED, CM_LINK_EXPIRE, CM_LINK_EXPIRED, EXISTING},
    {CM_LINK_INVITED, CM_LINK_CANCEL, CM_LINK_CANCELLED, EXISTING},
    {CM_LINK_ACCEPTED, CM_LINK_ASK_ROLE, CM_LINK_ROLE_PENDING, EXISTING},
    {CM_LINK_ACCEPTED, CM_LINK_OFFBOARD, CM_LINK_OFFBOARDING, EXISTING},
    {CM_LINK_ACCEPTED, CM_LINK_GONE, CM_LINK_OFFBOARDING, EXISTING},
    {CM_LINK_ACCOUNT_CREATED, CM_LINK_RESET_PASSWORD, CM_LINK_ROOT_PASSWORD_RESET, CREATE},
    {CM_LINK_ACCOUNT_CREATED, CM_LINK_OFFBOARD, CM_LINK_OFFBOARDING, CREATE},
    {CM_LINK_ACCOUNT_CREATED, CM_LINK_GONE, CM_LINK_OFFBOARDING, CREATE},
    {CM_LINK_ROOT_PASSWORD_RESET, CM_LINK_ASK_ROLE, CM_LINK_ROLE_PENDING, CREATE},
    {CM_LINK_ROOT_PASSWORD_RESET, CM_LINK_OFFBOARD, CM_LINK_OFFBOARDING, CREATE},
    {CM_LINK_ROOT_PASSWORD_RESET, CM_LINK_GONE, CM_LINK_OFFBOARDING, CREATE},
    {CM_LINK_ROLE_PENDING, CM_LINK_ACTIVATE, CM_LINK_ACTIVE, ANY},
    {CM_LINK_ROLE_PENDING, CM_LINK_OFFBOARD, CM_LINK_OFFBOARDING, ANY},
    {CM_LINK_ROLE_PENDING, CM_LINK_GONE, CM_LINK_OFFBOARDING, ANY},
    {CM_LINK_ACTIVE, CM_LINK_OFFBOARD, CM_LINK_OFFBOARDING, ANY},
    {CM_LINK_ACTIVE, CM_LINK_GONE, CM_LINK_OFFBOARDING, ANY},
    {CM_LINK_OFFBOARDING, CM_LINK_KEEP, CM_LINK_ACTIVE, ANY},
    {CM_LINK_OFFBOARDING, CM_LINK_LEAVE, CM_LINK_LEFT, ANY},
};
enum { TRANSITIONS = sizeof transitions / sizeof *transitions };

/* An operator's decision: the reason belongs in the history. */
static const bool needs_reason[CM_LINK_EVENTS] = {
    [CM_LINK_REJECT] = true, [CM_LINK_ASK_INFO] = true, [CM_LINK_WITHDRAW] = true,
    [CM_LINK_CANCEL] = true, [CM_LINK_OFFBOARD] = true, [CM_LINK_KEEP] = true};

bool cm_link_state_is_final(enum cm_link_state state)
{
    return state >= CM_LINK_REJECTED;
}

bool cm_link_state_is_member(enum cm_link_state state)
{
    return state >= CM_LINK_ACCEPTED && state <= CM_LINK_OFFBOARDING;
}

/* Any kind, if `kind` is ANY. */
static const struct transition *find(enum for_kind kind, enum cm_link_state from, enum cm_link_event event)
{
    for (size_t i = 0; i < TRANSITIONS; i++) {
        const struct transition *t = &transitions[i];
        if (t->from == from && t->event == event && (t->kind == ANY || kind == ANY || t->kind == kind))
            return t;
    }
    return NULL;
}

static enum for_kind kind_of(enum cm_link_kind kind)
{
    return kind == CM_LINK_CREATE ? CREATE : EXISTING;
}

bool cm_link_next(enum cm_link_kind kind, enum cm_link_state from, enum cm_link_event event, enum cm_link_state *ret)
{
    const struct transition *t = find(kind_of(kind), from, event);
    if (t)
        *ret = t->to;
    return t;
}

bool cm_link_expect_version(int64_t now, int64_t seen, cm_error *err)
{
    if (now == seen)
        return true;
    return cm_fail(
        err, CM_ERROR_REFUSED, "VERSION_CHANGED",
        "it is at version %lld now and you saw version %lld, so somebody has changed it; look at it again and use --version %lld if you still want this",
        (long long)now, (long long)seen, (long long)now);
}

/* --- what a step needs ------------------------------------------------------------------------------------------- */

static bool may_be_active(const cm_account_link *link, cm_error *err)
{
    if (link->role_required && !link->role_waived && link->role != CM_ROLE_VALID)
        return cm_fail(
            err, CM_ERROR_REFUSED, "ROLE_NOT_VALID",
            "the role of account %s is %s (O13, O22): org-linker tries it; to go on without a role, waive it (--waive-role, with a reason)",
            link->account, cm_role_verdict_name(link->role));
    if (!link->mfa_confirmed)
        return cm_fail(err, CM_ERROR_REFUSED, "MFA_NOT_CONFIRMED",
                       "MFA must be on for every login (P11): confirm it with --mfa-confirmed");
    /* O23: the plan comes with its group */
    if (!*link->support_plan_group && strcmp(link->support_plan, "basic") != 0)
        return cm_fail(
            err, CM_ERROR_REFUSED, "SUPPORT_PLAN_GROUP_MISSING",
            "account %s has the support plan %s but no support plan group, so its support would be a loss (O14, O15); assign one with `account declare --support-plan-group`",
            link->account, link->support_plan);
    return true;
}

static bool is_account(const char *account)
{
    return account && strlen(account) == 12 && strspn(account, "0123456789") == 12; /* N16 */
}

static bool check(const cm_account_link *link, const cm_link_cause *cause, cm_error *err)
{
    switch (cause->event) {
    case CM_LINK_INVITE:
        return cause->aws_at > cause->at ||
               cm_fail(
                   err, CM_ERROR_REFUSED, "NO_EXPIRY",
                   "an invitation needs the time at which AWS lets it expire (ExpirationTimestamp), in the future: --expires");
    case CM_LINK_EXPIRE:
        return cause->aws_at || cause->at >= link->expires_at ||
               cm_fail(
                   err, CM_ERROR_REFUSED, "NOT_EXPIRED",
                   "the invitation is open until its ExpirationTimestamp; it can expire only then, or when AWS reports it");
    case CM_LINK_CREATE_ACCOUNT:
        return is_account(cause->account) ||
               cm_fail(err, CM_ERROR_REFUSED, "BAD_ACCOUNT", "give the new account's 12 digits with --account (N16)");
    case CM_LINK_ACTIVATE:
    case CM_LINK_KEEP:
        return may_be_active(link, err);
    case CM_LINK_LEAVE:
        return !*link->shut_gate ||
               cm_fail(
                   err, CM_ERROR_REFUSED, "GATE_SHUT",
                   "account %s cannot leave while gate %s is closed (N23); open it with evidence: `curmill account gate %s %s --evidence TEXT --version N --by WHO`",
                   link->account, link->shut_gate, link->account, link->shut_gate);
    default:
        return true;
    }
}

/* --- the change -------------------------------------------------------------------------------------------------- */

static void join(cm_account_link *link, cm_instant joined)
{
    link->liable_from = joined;
    link->billed_from = link->billed_from_wanted ? link->billed_from_wanted : cm_link_billed_from(link->kind, joined);
}

static void leave(cm_account_link *link, cm_instant left)
{
    link->left_at = left;
    link->billed_until = cm_link_billed_until(left);
}

static void apply(cm_account_link *link, const cm_link_cause *cause, enum cm_link_state to)
{
    cm_instant at = cause->aws_at ? cause->aws_at : cause->at;
    link->state = to;
    link->version++;
    switch (cause->event) {
    case CM_LINK_INVITE:
        link->invited_at = cause->at;
        link->remind_at = cm_link_reminder(cause->at);
        link->expires_at = cause->aws_at;
        break;
    case CM_LINK_CREATE_ACCOUNT:
        snprintf(link->account, sizeof link->account, "%s", cause->account);
        join(link, at);
        break;
    case CM_LINK_ACCEPT:
    case CM_LINK_MEMBER_SEEN:
        join(link, at);
        break;
    case CM_LINK_GONE:
        leave(link, at);
        break;
    case CM_LINK_LEAVE:
        if (!link->left_at || cause->aws_at)
            leave(link, at);
        break;
    case CM_LINK_KEEP:
        link->left_at = link->billed_until = 0;
        break;
    default:
        break;
    }
}

bool cm_link_change(cm_account_link *link, const cm_link_cause *cause, cm_error *err)
{
    const struct transition *t = find(kind_of(link->kind), link->state, cause->event);
    if (!t && find(ANY, link->state, cause->event))
        return cm_fail(err, CM_ERROR_REFUSED, "LINK_KIND", "`%s` does not apply to a request of kind %s",
                       cm_link_event_name(cause->event), cm_link_kind_name(link->kind));
    if (!t)
        return cm_fail(err, CM_ERROR_REFUSED, "LINK_STATE", "`%s` is not possible for a request that is %s%s",
                       cm_link_event_name(cause->event), cm_link_state_name(link->state),
                       cm_link_state_is_final(link->state) ? "; it has ended, create a new one" : "");
    if (!cause->by || !*cause->by)
        return cm_fail(err, CM_ERROR_REFUSED, "NO_CAUSE", "say who does this (`%s`): --by WHO",
                       cm_link_event_name(cause->event));
    if (needs_reason[cause->event] && (!cause->reason || !*cause->reason))
        return cm_fail(err, CM_ERROR_REFUSED, "NO_CAUSE", "`%s` needs a reason: --reason TEXT",
                       cm_link_event_name(cause->event));
    if (!check(link, cause, err))
        return false;
    apply(link, cause, t->to);
    return true;
}
