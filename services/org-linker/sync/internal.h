/* Internal to services/org-linker/sync: one turn of one payer. */
#ifndef CM_ORG_SYNC_INTERNAL_H
#define CM_ORG_SYNC_INTERNAL_H

#include "platform/aws/access/sessions.h"
#include "platform/aws/organizations/organizations.h"
#include "store/accounts/request_store.h"
#include "sync/org_sync.h"

#define CM_ORG_SYNC_ACTOR "org-linker"

struct cm_org_sync {
    cm_org_sync_settings settings;
    cm_aws_options options;
    cm_aws_provider *base;
    cm_aws_sessions *sessions;
    char catalog[CM_ID_HEX], lane[64]; /* whose payers have rows in aws_turn */
    uint64_t random;
};

typedef struct turn {
    cm_org_sync *sync;
    cm_pg *pg;
    const cm_payer *payer;
    cm_instant now;
    cm_aws_access *access;
    cm_org_turn *ret;
    /* accounts that AWS listed, in order after the whole list was read */
    char (*listed)[CM_AWS_ACCOUNT_ID];
    size_t listed_count, listed_room;
    bool accounts_whole;
    bool database_failed; /* the turn ends; `database` has the reason */
    cm_error database;
    cm_error first;   /* first error of AWS; class NONE: none */
    cm_error refused; /* an account that cannot be invited: for a person to resolve, not a problem of the payer; class
                         NONE: none */
    char missing_action[96];
} turn;

/* Keeps the first error of AWS. False: the turn should end (throttled, unavailable, out of time, no credentials). */
bool cm_turn_failed(turn *t, const cm_error *err);
/* False if the database failed: use as `return cm_turn_database(t, cm_pg_query(..., &t->database))`. */
bool cm_turn_database(turn *t, bool done);
void cm_turn_listing_done(turn *t);                      /* the whole list was read */
bool cm_turn_listed(const turn *t, const char *account); /* after that only */

/* Each returns false when the turn should end. */
bool cm_turn_accounts(turn *t);
bool cm_turn_invitations(turn *t);
bool cm_turn_roles(turn *t);
bool cm_turn_support(turn *t);

/* Can the role be assumed, does it belong to the account, does it give each permission? Verdict UNCHECKED: AWS could
 * not be asked, `err` says why. `missing` (96 bytes) names the action, `detail` says more. */
enum cm_role_verdict cm_turn_try_role(turn *t, cm_aws_access *access, const char *account, const cm_payer_model *model,
                                      char missing[static 96], cm_error *err);

/* schedule.c. *ret NULL: no payer is due. */
CM_NODISCARD bool cm_schedule_take(cm_org_sync *sync, cm_pg *pg, const cm_catalog *catalog, const char *lane,
                                   cm_instant now, const cm_payer **ret, cm_error *err);
CM_NODISCARD bool cm_schedule_give_back(turn *t, cm_error *err);

#endif
