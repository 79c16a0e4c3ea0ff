/*
 * A link: which customer owns an AWS account under which payer, from request to leaving (accounts-and-taxes.md section
 * 1). Pure: no database, no AWS, the clock is a parameter. One enum of states, one function that changes them.
 *
 *   requested -> approved | rejected (a person, O07, O19), info_requested and back, withdrawn
 *   approved -> invited -> accepted | declined | expired | cancelled   (an account that exists)
 *   approved -> account_created -> root_password_reset                 (a new account, in the order of O12)
 *   accepted, root_password_reset -> role_pending -> active -> offboarding -> left
 *
 * Every state except the final ones has an exit; after a final state a new request is needed.
 */
#ifndef CM_LINK_LINK_H
#define CM_LINK_LINK_H

#include "base/time/time.h"

enum cm_link_kind {
    CM_LINK_EXISTING, /* "link": an account that exists is invited */
    CM_LINK_CREATE,   /* "create": the distributor makes a new one */
};

enum cm_link_state {
    CM_LINK_REQUESTED,
    CM_LINK_INFO_REQUESTED,
    CM_LINK_APPROVED,
    CM_LINK_INVITED,
    CM_LINK_ACCEPTED,
    CM_LINK_ACCOUNT_CREATED,
    CM_LINK_ROOT_PASSWORD_RESET,
    CM_LINK_ROLE_PENDING,
    CM_LINK_ACTIVE,
    CM_LINK_OFFBOARDING,
    CM_LINK_REJECTED, /* from here on: final */
    CM_LINK_WITHDRAWN,
    CM_LINK_CANCELLED,
    CM_LINK_DECLINED,
    CM_LINK_EXPIRED,
    CM_LINK_LEFT,
    CM_LINK_STATES
};

/* What may happen to a link. The comment says who causes it: a person with a command, or AWS as observed. */
enum cm_link_event {
    CM_LINK_APPROVE,        /* person */
    CM_LINK_REJECT,         /* person, with a reason */
    CM_LINK_ASK_INFO,       /* person, with a reason: what is missing */
    CM_LINK_GIVE_INFO,      /* person */
    CM_LINK_WITHDRAW,       /* person, with a reason: the requester no longer wants it */
    CM_LINK_CANCEL,         /* person, with a reason; or AWS: the invitation was cancelled */
    CM_LINK_INVITE,         /* AWS has the invitation; aws_at: its ExpirationTimestamp */
    CM_LINK_ACCEPT,         /* AWS; aws_at: the moment of joining */
    CM_LINK_DECLINE,        /* AWS */
    CM_LINK_EXPIRE,         /* AWS; or its ExpirationTimestamp has passed */
    CM_LINK_MEMBER_SEEN,    /* AWS or a report shows the account under the payer; aws_at: the moment of joining */
    CM_LINK_CREATE_ACCOUNT, /* the account exists; aws_at: since when */
    CM_LINK_RESET_PASSWORD, /* person: the owner has set the root password (O12) */
    CM_LINK_ASK_ROLE,       /* the instructions for the role were sent (O12) */
    CM_LINK_ACTIVATE, /* person or org-linker: role valid or not needed, MFA confirmed, support plan group assigned */
    CM_LINK_OFFBOARD, /* person, with a reason */
    CM_LINK_GONE,     /* AWS: no longer under the payer; aws_at: since when */
    CM_LINK_KEEP,     /* person, with a reason: the account stays after all */
    CM_LINK_LEAVE,    /* person or org-linker: every gate is open; aws_at: when it left */
    CM_LINK_EVENTS
};

enum cm_role_verdict { CM_ROLE_UNCHECKED, CM_ROLE_VALID, CM_ROLE_INVALID }; /* O22 */

const char *cm_link_kind_name(enum cm_link_kind kind);    /* "link", "create" */
const char *cm_link_state_name(enum cm_link_state state); /* "role_pending" */
const char *cm_link_event_name(enum cm_link_event event); /* "member_seen" */
const char *cm_role_verdict_name(enum cm_role_verdict verdict);
CM_NODISCARD bool cm_link_kind_parse(const char *name, enum cm_link_kind *ret);
CM_NODISCARD bool cm_link_state_parse(const char *name, enum cm_link_state *ret);
CM_NODISCARD bool cm_link_event_parse(const char *name, enum cm_link_event *ret);
CM_NODISCARD bool cm_role_verdict_parse(const char *name, enum cm_role_verdict *ret);
bool cm_link_state_is_final(enum cm_link_state state);
/* In this state AWS bills the account to the payer, whoever pays in the end. */
bool cm_link_state_is_member(enum cm_link_state state);

enum { CM_ACCOUNT_ID = 13, CM_LINK_PLAN_TEXT = 24, CM_LINK_NAME_TEXT = 104 };

/* What the state machine needs to know about a request. Instants: 0 = not known. */
typedef struct cm_account_link {
    enum cm_link_kind kind;
    enum cm_link_state state;
    int64_t version; /* increases by one with every change; commands name the version that the operator saw */
    char account[CM_ACCOUNT_ID]; /* "" until a new account exists */
    char support_plan[CM_LINK_PLAN_TEXT];
    char support_plan_group[CM_LINK_NAME_TEXT]; /* "": none */
    bool role_required, role_waived;            /* P16; waived: by a person, with a reason */
    enum cm_role_verdict role;
    bool mfa_confirmed; /* P11 */
    char shut_gate[64]; /* off-boarding: name of a closed gate, "" = all open (N23) */
    cm_instant invited_at;
    cm_instant remind_at;          /* N01, O21: 14 days after the invitation, an operator's reminder */
    cm_instant expires_at;         /* AWS's ExpirationTimestamp, which decides */
    cm_instant liable_from;        /* AWS's time of joining */
    cm_instant billed_from;        /* N11 */
    cm_instant billed_from_wanted; /* an operator's choice, the 1st of a month; 0 = the rule */
    cm_instant left_at;
    cm_instant billed_until; /* exclusive: the end of the month in which it left */
} cm_account_link;

typedef struct cm_link_cause {
    enum cm_link_event event;
    cm_instant at;  /* now */
    const char *by; /* never empty: every change has a cause */
    const char *reason;
    cm_instant aws_at;     /* AWS's own time, 0 = not known */
    const char *account;   /* CREATE_ACCOUNT: its 12 digits */
    const char *handshake; /* INVITE: its id, kept by the store */
} cm_link_cause;

/*
 * The only function that changes a state. REFUSED, with nothing changed: not an allowed change (code LINK_STATE),
 * another kind of request (LINK_KIND), no actor or no reason (NO_CAUSE), or a prerequisite is missing (ROLE_NOT_VALID,
 * MFA_NOT_CONFIRMED, SUPPORT_PLAN_GROUP_MISSING, GATE_SHUT, NOT_EXPIRED, NO_EXPIRY, BAD_ACCOUNT).
 */
CM_NODISCARD bool cm_link_change(cm_account_link *link, const cm_link_cause *cause, cm_error *err);

/* The state that an event leads to, regardless of the guards; false: none. For tables and help. */
bool cm_link_next(enum cm_link_kind kind, enum cm_link_state from, enum cm_link_event event, enum cm_link_state *ret);

/* Compare-and-set: REFUSED (VERSION_CHANGED) if the operator saw another version. Patches hold whole values, never
 * increments (rules.md, "The last absolute value wins"). */
CM_NODISCARD bool cm_link_expect_version(int64_t now, int64_t seen, cm_error *err);

/* --- dates, UTC --- */
cm_instant cm_link_reminder(cm_instant invited_at); /* N01: 14 days */
/* N11: the 1st of the month after a moved account joined (the time itself if it joined at a month's first instant). A
 * new account has no former payer: its first month counts in full. */
cm_instant cm_link_billed_from(enum cm_link_kind kind, cm_instant joined);
/* The month in which it left is billed in full: AWS charges the payer up to the minute of leaving. */
cm_instant cm_link_billed_until(cm_instant left);
/* When a role is checked again: a valid one after a day, an invalid one after an hour, doubled with each failure in a
 * row up to a day. */
cm_instant cm_role_next_check(enum cm_role_verdict verdict, int failures, cm_instant checked_at);

#endif
