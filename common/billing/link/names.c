/* Names of the enums, as used in the database, in commands and in output. */
#include "billing/link/link.h"

#include <string.h>

static const char *const kinds[] = {[CM_LINK_EXISTING] = "link", [CM_LINK_CREATE] = "create"};
static const char *const states[CM_LINK_STATES] = {
    [CM_LINK_REQUESTED] = "requested",
    [CM_LINK_INFO_REQUESTED] = "info_requested",
    [CM_LINK_APPROVED] = "approved",
    [CM_LINK_INVITED] = "invited",
    [CM_LINK_ACCEPTED] = "accepted",
    [CM_LINK_ACCOUNT_CREATED] = "account_created",
    [CM_LINK_ROOT_PASSWORD_RESET] = "root_password_reset",
    [CM_LINK_ROLE_PENDING] = "role_pending",
    [CM_LINK_ACTIVE] = "active",
    [CM_LINK_OFFBOARDING] = "offboarding",
    [CM_LINK_REJECTED] = "rejected",
    [CM_LINK_WITHDRAWN] = "withdrawn",
    [CM_LINK_CANCELLED] = "cancelled",
    [CM_LINK_DECLINED] = "declined",
    [CM_LINK_EXPIRED] = "expired",
    [CM_LINK_LEFT] = "left",
};
static const char *const events[CM_LINK_EVENTS] = {
    [CM_LINK_APPROVE] = "approve",
    [CM_LINK_REJECT] = "reject",
    [CM_LINK_ASK_INFO] = "ask_info",
    [CM_LINK_GIVE_INFO] = "give_info",
    [CM_LINK_WITHDRAW] = "withdraw",
    [CM_LINK_CANCEL] = "cancel",
    [CM_LINK_INVITE] = "invite",
    [CM_LINK_ACCEPT] = "accept",
    [CM_LINK_DECLINE] = "decline",
    [CM_LINK_EXPIRE] = "expire",
    [CM_LINK_MEMBER_SEEN] = "member_seen",
    [CM_LINK_CREATE_ACCOUNT] = "create_account",
    [CM_LINK_RESET_PASSWORD] = "reset_password",
    [CM_LINK_ASK_ROLE] = "ask_role",
    [CM_LINK_ACTIVATE] = "activate",
    [CM_LINK_OFFBOARD] = "offboard",
    [CM_LINK_GONE] = "gone",
    [CM_LINK_KEEP] = "keep",
    [CM_LINK_LEAVE] = "leave",
};
static const char *const verdicts[] = {
    [CM_ROLE_UNCHECKED] = "unchecked", [CM_ROLE_VALID] = "valid", [CM_ROLE_INVALID] = "invalid"};

static bool find(const char *const *names, int count, const char *name, int *ret)
{
    for (*ret = 0; name && *ret < count; (*ret)++) {
        if (strcmp(names[*ret], name) == 0)
            return true;
    }
    return false;
}

const char *cm_link_kind_name(enum cm_link_kind kind)
{
    return kinds[kind];
}

const char *cm_link_state_name(enum cm_link_state state)
{
    return states[state];
}

const char *cm_link_event_name(enum cm_link_event event)
{
    return events[event];
}

const char *cm_role_verdict_name(enum cm_role_verdict verdict)
{
    return verdicts[verdict];
}

bool cm_link_kind_parse(const char *name, enum cm_link_kind *ret)
{
    int which;
    bool found = find(kinds, 2, name, &which);
    *ret = found ? (enum cm_link_kind)which : CM_LINK_EXISTING;
    return found;
}

bool cm_link_state_parse(const char *name, enum cm_link_state *ret)
{
    int which;
    bool found = find(states, CM_LINK_STATES, name, &which);
    *ret = found ? (enum cm_link_state)which : CM_LINK_REQUESTED;
    return found;
}

bool cm_link_event_parse(const char *name, enum cm_link_event *ret)
{
    int which;
    bool found = find(events, CM_LINK_EVENTS, name, &which);
    *ret = found ? (enum cm_link_event)which : CM_LINK_APPROVE;
    return found;
}

bool cm_role_verdict_parse(const char *name, enum cm_role_verdict *ret)
{
    int which;
    bool found = find(verdicts, 3, name, &which);
    *ret = found ? (enum cm_role_verdict)which : CM_ROLE_UNCHECKED;
    return found;
}
