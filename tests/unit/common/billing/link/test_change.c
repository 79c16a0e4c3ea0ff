/* The state machine of a link: every pair of state and event, every guard, random walks (O01-O34, accounts-and-taxes.md
 * section 1). */
#include "billing/link/link.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

/* Written from accounts-and-taxes.md and rules.md, not from the table of the code. Kind: L an account that exists,
 * C a new one. */
static const struct expected {
    const char *from, *event, *to, *kinds;
} wanted[] = {
    {"requested", "approve", "approved", "LC"}, /* O07, O19: reviewed and approved by a person */
    {"requested", "reject", "rejected", "LC"},
    {"requested", "ask_info", "info_requested", "LC"}, /* (info requested) */
    {"requested", "withdraw", "withdrawn", "LC"},
    {"info_requested", "give_info", "requested", "LC"},
    {"info_requested", "reject", "rejected", "LC"},
    {"info_requested", "withdraw", "withdrawn", "LC"},
    {"approved", "invite", "invited", "L"}, /* O20 */
    {"approved", "member_seen", "accepted", "L"},
    {"approved", "create_account", "account_created", "C"},
    {"approved", "cancel", "cancelled", "LC"},
    {"invited", "accept", "accepted", "L"},
    {"invited", "member_seen", "accepted", "L"},
    {"invited", "decline", "declined", "L"},
    {"invited", "expire", "expired", "L"}, /* O21 */
    {"invited", "cancel", "cancelled", "L"},
    {"accepted", "ask_role", "role_pending", "L"},
    {"account_created", "reset_password", "root_password_reset", "C"}, /* O12: password, then role, then plan */
    {"root_password_reset", "ask_role", "role_pending", "C"},
    {"role_pending", "activate", "active", "LC"}, /* O13 */
    {"accepted", "offboard", "offboarding", "L"},
    {"account_created", "offboard", "offboarding", "C"},
    {"root_password_reset", "offboard", "offboarding", "C"},
    {"role_pending", "offboard", "offboarding", "LC"},
    {"active", "offboard", "offboarding", "LC"},
    {"accepted", "gone", "offboarding", "L"},
    {"account_created", "gone", "offboarding", "C"},
    {"root_password_reset", "gone", "offboarding", "C"},
    {"role_pending", "gone", "offboarding", "LC"},
    {"active", "gone", "offboarding", "LC"},
    {"offboarding", "keep", "active", "LC"},
    {"offboarding", "leave", "left", "LC"},
};
enum { WANTED = sizeof wanted / sizeof *wanted };
static const char *const final_states[] = {"rejected", "withdrawn", "cancelled", "declined", "expired", "left"};

static cm_instant at(const char *text)
{
    cm_instant ret;
    cr_assert(cm_instant_parse(cm_slice_of(text), &ret), "%s", text);
    return ret;
}

static const struct expected *wanted_for(enum cm_link_kind kind, const char *from, const char *event)
{
    for (size_t i = 0; i < WANTED; i++) {
        if (strcmp(wanted[i].from, from) == 0 && strcmp(wanted[i].event, event) == 0 &&
            strchr(wanted[i].kinds, kind == CM_LINK_CREATE ? 'C' : 'L'))
            return &wanted[i];
    }
    return NULL;
}

/* Everything that guards ask for is there. */
static cm_account_link ready(enum cm_link_kind kind, enum cm_link_state state)
{
    return (cm_account_link){.kind = kind,
                             .state = state,
                             .version = 7,
                             .account = "000011112222",
                             .support_plan = "basic",
                             .role_required = true,
                             .role = CM_ROLE_VALID,
                             .mfa_confirmed = true};
}

static cm_link_cause because(enum cm_link_event event)
{
    cm_instant now = at("2025-06-10T12:00:00Z");
    return (cm_link_cause){.event = event,
                           .at = now,
                           .by = "maria",
                           .reason = "because",
                           .aws_at = now + (event == CM_LINK_INVITE ? 15 * CM_DAY : 0),
                           .account = "000033334444"};
}

Test(change, every_pair_of_state_and_event)
{
    int done = 0, refused = 0;
    for (int kind = 0; kind < 2; kind++) {
        for (int from = 0; from < CM_LINK_STATES; from++) {
            for (int event = 0; event < CM_LINK_EVENTS; event++) {
                cm_account_link link = ready((enum cm_link_kind)kind, (enum cm_link_state)from), before = link;
                cm_link_cause cause = because((enum cm_link_event)event);
                cm_error err = {0};
                const struct expected *e =
                    wanted_for(link.kind, cm_link_state_name(link.state), cm_link_event_name(cause.event));
                bool changed = cm_link_change(&link, &cause, &err);
                cr_assert_eq(changed, e != NULL, "%s %s + %s: %s", cm_link_kind_name(link.kind),
                             cm_link_state_name(before.state), cm_link_event_name(cause.event), err.text);
                if (changed) {
                    cr_assert_str_eq(cm_link_state_name(link.state), e->to);
                    cr_assert_eq(link.version, 8);
                    done++;
                } else {
                    cr_assert_eq(memcmp(&link, &before, sizeof link), 0, "refused, and something changed");
                    cr_assert_eq(err.class, CM_ERROR_REFUSED);
                    cr_assert(strcmp(err.code, "LINK_STATE") == 0 || strcmp(err.code, "LINK_KIND") == 0, "%s",
                              err.code);
                    refused++;
                }
            }
        }
    }
    cr_assert_eq(done, 47); /* 15 rows for both kinds, 17 for one */
    cr_assert_eq(done + refused, 2 * 16 * 19);
}

/* Only final states have no exit; every state can be reached; final states are marked as such. */
Test(change, no_state_without_an_exit)
{
    for (int state = 0; state < CM_LINK_STATES; state++) {
        const char *name = cm_link_state_name((enum cm_link_state)state);
        bool exits = false, is_final = false, reached = state == CM_LINK_REQUESTED;
        for (size_t i = 0; i < WANTED; i++) {
            exits = exits || strcmp(wanted[i].from, name) == 0;
            reached = reached || strcmp(wanted[i].to, name) == 0;
        }
        for (size_t i = 0; i < sizeof final_states / sizeof *final_states; i++)
            is_final = is_final || strcmp(final_states[i], name) == 0;
        cr_assert_neq(exits, is_final, "%s", name);
        cr_assert_eq(cm_link_state_is_final((enum cm_link_state)state), is_final, "%s", name);
        cr_assert(reached, "%s", name);
    }
}

Test(change, no_transition_without_a_cause)
{
    for (size_t i = 0; i < WANTED; i++) {
        for (int kind = 0; kind < 2; kind++) {
            enum cm_link_state from;
            enum cm_link_event event;
            cm_error err = {0};
            cr_assert(cm_link_state_parse(wanted[i].from, &from) && cm_link_event_parse(wanted[i].event, &event));
            if (!wanted_for((enum cm_link_kind)kind, wanted[i].from, wanted[i].event))
                continue;
            cm_account_link link = ready((enum cm_link_kind)kind, from), before = link;
            cm_link_cause cause = because(event);
            cause.by = "";
            cr_assert_not(cm_link_change(&link, &cause, &err));
            cr_assert_str_eq(err.code, "NO_CAUSE");
            cause.by = "maria";
            cause.reason = NULL;
            bool needs = strstr("reject ask_info withdraw cancel offboard keep", wanted[i].event) != NULL;
            cr_assert_eq(cm_link_change(&link, &cause, &err), !needs, "%s", wanted[i].event);
            cr_assert(!needs || memcmp(&link, &before, sizeof link) == 0);
        }
    }
}

#define REFUSED(link, cause, wanted_code)                                                                              \
    do {                                                                                                               \
        cm_account_link before_ = link;                                                                                \
        cm_error err_ = {0};                                                                                           \
        cr_assert_not(cm_link_change(&link, &cause, &err_));                                                           \
        cr_assert_str_eq(err_.code, wanted_code, "%s: %s", err_.code, err_.text);                                      \
        cr_assert_eq(memcmp(&link, &before_, sizeof before_), 0);                                                      \
    } while (0)
#define DONE(link, cause)                                                                                              \
    do {                                                                                                               \
        cm_error err_ = {0};                                                                                           \
        cr_assert(cm_link_change(&link, &cause, &err_), "%s", err_.text);                                              \
    } while (0)

/* O13, O22: the role is validated first; P16: where it is not needed, or a person waives it, the link becomes active
 * without it. */
Test(change, O13_O22_P16_active_needs_the_role)
{
    cm_account_link link = ready(CM_LINK_EXISTING, CM_LINK_ROLE_PENDING);
    cm_link_cause cause = because(CM_LINK_ACTIVATE);
    link.role = CM_ROLE_UNCHECKED;
    REFUSED(link, cause, "ROLE_NOT_VALID");
    link.role = CM_ROLE_INVALID;
    REFUSED(link, cause, "ROLE_NOT_VALID");
    cm_account_link waived = link, unneeded = link;
    waived.role_waived = true;
    DONE(waived, cause);
    unneeded.role_required = false;
    DONE(unneeded, cause);
    link.role = CM_ROLE_VALID;
    DONE(link, cause);
}

/* P11: MFA on for every login. */
Test(change, P11_active_needs_mfa)
{
    cm_account_link link = ready(CM_LINK_CREATE, CM_LINK_ROLE_PENDING);
    cm_link_cause cause = because(CM_LINK_ACTIVATE);
    link.mfa_confirmed = false;
    REFUSED(link, cause, "MFA_NOT_CONFIRMED");
}

/* O14, O15: without a support plan group the margin can be negative: it is assigned when linking or creating the
 * account. */
Test(change, O14_O15_O23_active_needs_the_support_plan_group)
{
    cm_account_link link = ready(CM_LINK_EXISTING, CM_LINK_ROLE_PENDING);
    cm_link_cause cause = because(CM_LINK_ACTIVATE);
    snprintf(link.support_plan, sizeof link.support_plan, "business");
    REFUSED(link, cause, "SUPPORT_PLAN_GROUP_MISSING");
    snprintf(link.support_plan_group, sizeof link.support_plan_group, "tds-business");
    DONE(link, cause);
}

/* N23: no account leaves while a gate is closed. */
Test(change, N23_leaving_needs_open_gates)
{
    cm_account_link link = ready(CM_LINK_EXISTING, CM_LINK_OFFBOARDING);
    cm_link_cause cause = because(CM_LINK_LEAVE);
    snprintf(link.shut_gate, sizeof link.shut_gate, "BALANCE_ZERO");
    REFUSED(link, cause, "GATE_SHUT");
    link.shut_gate[0] = '\0';
    DONE(link, cause);
}

/* O12: the order of a new account: root password, then role. */
Test(change, O12_a_new_account_goes_step_by_step)
{
    static const enum cm_link_event steps[] = {CM_LINK_APPROVE, CM_LINK_CREATE_ACCOUNT, CM_LINK_RESET_PASSWORD,
                                               CM_LINK_ASK_ROLE, CM_LINK_ACTIVATE};
    cm_account_link link = ready(CM_LINK_CREATE, CM_LINK_REQUESTED);
    link.account[0] = '\0';
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        for (size_t later = i + 1; later < sizeof steps / sizeof *steps; later++) {
            cm_link_cause early = because(steps[later]);
            REFUSED(link, early, "LINK_STATE");
        }
        cm_link_cause cause = because(steps[i]);
        DONE(link, cause);
    }
    cr_assert_eq(link.state, CM_LINK_ACTIVE);
    cr_assert_str_eq(link.account, "000033334444");
}

Test(change, N16_a_new_account_has_twelve_digits)
{
    static const char *const bad[] = {NULL, "", "12345678901", "1234567890123", "12345678901x", " 12345678901"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        cm_account_link link = ready(CM_LINK_CREATE, CM_LINK_APPROVED);
        cm_link_cause cause = because(CM_LINK_CREATE_ACCOUNT);
        cause.account = bad[i];
        REFUSED(link, cause, "BAD_ACCOUNT");
    }
}

/* --- random walks ------------------------------------------------------------------------------------------------ */

static uint64_t random_state = 20250610;
static uint64_t next_random(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

static cm_account_link begin(void)
{
    cm_account_link link = ready(next_random() % 2 ? CM_LINK_CREATE : CM_LINK_EXISTING, CM_LINK_REQUESTED);
    link.version = 1;
    if (link.kind == CM_LINK_CREATE)
        link.account[0] = '\0';
    link.role = (enum cm_role_verdict)(next_random() % 3);
    link.role_waived = next_random() % 4 == 0;
    link.mfa_confirmed = next_random() % 4 != 0;
    return link;
}

static bool is_month_start(cm_instant when)
{
    return cm_period_start(cm_period_of(when)) == when;
}

static void check_invariants(const cm_account_link *link)
{
    if (cm_link_state_is_member(link->state) || link->state == CM_LINK_LEFT) {
        cr_assert(link->liable_from && link->billed_from, "%s", cm_link_state_name(link->state));
        cr_assert(is_month_start(link->billed_from));
        cr_assert_eq(strlen(link->account), 12);
        if (link->kind == CM_LINK_EXISTING)
            cr_assert(link->billed_from >= link->liable_from && link->billed_from - link->liable_from < 31 * CM_DAY);
        else
            cr_assert(link->billed_from <= link->liable_from && link->liable_from - link->billed_from < 31 * CM_DAY);
    }
    if (link->billed_until)
        cr_assert(is_month_start(link->billed_until) && link->billed_until >= link->left_at);
    if (link->state == CM_LINK_INVITED)
        cr_assert(link->remind_at == link->invited_at + 14 * CM_DAY && link->expires_at > link->invited_at);
    if (link->state == CM_LINK_LEFT)
        cr_assert(link->left_at && link->billed_until);
}

/* 100,000 steps over eight years, with Feb 29 and year ends: the history explains every state, nothing is stuck. */
Test(change, random_walks)
{
    enum { STEPS = 100000 };
    cm_account_link link = begin(), replay = link;
    cm_instant now = at("2023-12-01T00:00:00Z");
    int changes = 0, ended = 0, seen[CM_LINK_STATES] = {0}, since_change = 0;
    for (int step = 0; step < STEPS; step++) {
        cm_account_link before = link;
        cm_error err = {0};
        now += (cm_instant)(next_random() % (uint64_t)(5 * 3600)) * CM_SECOND;
        cm_link_cause cause = because((enum cm_link_event)(next_random() % CM_LINK_EVENTS));
        cause.at = now;
        cause.aws_at = cause.event == CM_LINK_INVITE ? now + 15 * CM_DAY : next_random() % 2 ? now : 0;
        if (next_random() % 8 == 0) { /* what operators and org-linker find out in the meantime */
            link.role = replay.role = (enum cm_role_verdict)(next_random() % 3);
            link.mfa_confirmed = replay.mfa_confirmed = true;
            before = link;
        }
        bool changed = cm_link_change(&link, &cause, &err);
        cr_assert_eq(memcmp(&link, &before, sizeof link) != 0, changed);
        check_invariants(&link);
        if (!changed) {
            cr_assert_lt(++since_change, 3000, "stuck in %s", cm_link_state_name(link.state));
            continue;
        }
        since_change = 0;
        changes++;
        seen[link.state]++;
        cr_assert_eq(link.version, before.version + 1);
        /* History: replaying from-state, event and their data gives the same result. */
        cr_assert(cm_link_change(&replay, &cause, &err));
        cr_assert_eq(memcmp(&replay, &link, sizeof link), 0);
        if (cm_link_state_is_final(link.state)) {
            ended++;
            link = replay = begin();
        }
    }
    for (int state = 1; state < CM_LINK_STATES; state++)
        cr_assert_gt(seen[state], 3, "%s was never seen", cm_link_state_name((enum cm_link_state)state));
    cr_assert_gt(changes, 10000);
    cr_assert_gt(ended, 1000);
    cr_assert_gt(now, at("2031-01-01T00:00:00Z"));
}

/* --- desired state (rules.md, "The last absolute value wins") ---------------------------------------------------- */

typedef struct quantity {
    int64_t version, value;
} quantity;

/* An operator's command: the whole value, with the version that was seen. */
static bool set(quantity *q, int64_t seen, int64_t value)
{
    cm_error err = {0};
    if (!cm_link_expect_version(q->version, seen, &err)) {
        cr_assert_str_eq(err.code, "VERSION_CHANGED");
        return false;
    }
    *q = (quantity){q->version + 1, value};
    return true;
}

/* The four ways two desks meet; the figures of the fourth are the source's: 9, +1 there, +2 here, -4 there, -1 here. */
Test(change, sync_scenarios_of_two_desks)
{
    /* 1. one desk alone */
    quantity q = {1, 9};
    cr_assert(set(&q, 1, 10) && q.value == 10);
    /* 2. the other desk reads, then writes: its value is final */
    quantity seen = q;
    cr_assert(set(&q, seen.version, 12) && q.value == 12);
    /* 3. both read the same; the second gets an error, nothing is lost silently */
    seen = q;
    cr_assert(set(&q, seen.version, 11));
    cr_assert_not(set(&q, seen.version, 13));
    cr_assert_eq(q.value, 11);
    /* 4. here shows 9, there made it 10: "+2" on the stale 9 is refused; on the present value it gives 12; then -4,
     * then -1: 7. */
    q = (quantity){1, 9};
    quantity here = q;
    cr_assert(set(&q, q.version, q.value + 1));
    cr_assert_not(set(&q, here.version, here.value + 2), "an increment from a stale base");
    cr_assert_eq(q.value, 10);
    here = q;
    cr_assert(set(&q, here.version, here.value + 2));
    cr_assert(set(&q, q.version, q.value - 4));
    cr_assert_not(set(&q, here.version, here.value - 1));
    here = q;
    cr_assert(set(&q, here.version, here.value - 1));
    cr_assert_eq(q.value, 7); /* 9 + 1 + 2 - 4 - 1: every step on the present value, none twice, none lost */
}
