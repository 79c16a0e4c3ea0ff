/*
 * How org-linker works with AWS, payer by payer (accounts-and-taxes.md sections 1 and 3). A turn of a payer: who are we
 * (GetCallerIdentity must return the payer), which accounts exist (ListAccounts), what is the state of invitations,
 * which approved requests need an invitation, which roles need a check, what AWS charges each account for support.
 * AWS's answers go into the tables account, handshake, role_check, aws_support_charge and, as causes, through
 * cm_store_request_change.
 *
 * Payers are kept apart: a turn has its own slice of time, its own allowance of calls and its own retries; a payer that
 * fails is retried at growing intervals (1 minute, doubled up to an hour) while the others keep their turns. Turns are
 * rows of aws_turn with a lease, so several replicas share the payers and memory holds one payer's account ids at a
 * time.
 *
 * An invitation is never sent twice: a turn sends only after it has read and stored the whole list of invitations, so
 * one whose answer was lost is found again; AWS itself refuses a second one to the same account.
 *
 * Errors of AWS are kept in aws_turn and in the log and are not returned; errors of the database are. One thread for
 * each object.
 */
#ifndef CM_ORG_SYNC_ORG_SYNC_H
#define CM_ORG_SYNC_ORG_SYNC_H

#include "base/time/time.h"
#include "billing/catalog/model/catalog.h"
#include "platform/aws/credentials/options.h"
#include "platform/postgres/postgres.h"

typedef struct cm_org_sync cm_org_sync;

typedef struct cm_org_sync_settings { /* 0: the default given here */
    const cm_aws_options *options;    /* copied; NULL: the defaults, but 3 attempts and 10 s of silence */
    int64_t every_seconds;            /* between two good turns of a payer: 3600 */
    int64_t slice_milliseconds;       /* of a turn: 20000; the rest is done in the next turn */
    int per_minute, burst;            /* calls of a payer: 120, 20 */
    int invitations_per_day;          /* of a payer without a row in payer_organization: 20; < 0: none */
    int sessions;                     /* roles' sessions kept: 64 */
    int roles_per_turn;               /* 20 */
} cm_org_sync_settings;

cm_org_sync *cm_org_sync_new(const cm_org_sync_settings *settings); /* never NULL */
void cm_org_sync_free(cm_org_sync *sync);                           /* NULL is allowed */

typedef struct cm_org_turn {
    char payer[16]; /* "": no payer was due */
    int calls, accounts, invited, roles;
    char code[48]; /* "": everything succeeded; otherwise the first error, as in aws_turn */
} cm_org_turn;

/* Runs the turn of the lane's next due payer, if there is one. Payers without `access` have no turns. */
CM_NODISCARD bool cm_org_sync_step(cm_org_sync *sync, cm_pg *pg, const cm_catalog *catalog, const char *lane,
                                   cm_instant now, cm_org_turn *ret, cm_error *err);

/*
 * Runs turns continuously, in a thread with its own database connection, so that a slow AWS never blocks the rest of
 * the worker. Metrics (health/health.h): aws_turns_total by outcome, aws_calls_total, aws_invitations_total. Stopping
 * waits for the current call, at most 10 s.
 */
typedef struct cm_org_sync_thread cm_org_sync_thread;
cm_org_sync_thread *cm_org_sync_start(const cm_org_sync_settings *settings, const char *database, const char *lane,
                                      const cm_clock *clock); /* never NULL; `clock` must live as long */
void cm_org_sync_stop(cm_org_sync_thread *thread);            /* NULL is allowed */

#endif
