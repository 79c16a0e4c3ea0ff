/*
 * What org-linker asks AWS, payer by payer (accounts-and-taxes.md sections 1 and 3). A turn of a payer: who are we
 * (GetCallerIdentity must be the payer), which accounts are there (ListAccounts), what became of invitations, which
 * approved requests are to be invited, which roles are to be tried. What AWS says goes into the tables account,
 * handshake, role_check and, as causes, through cm_store_request_change.
 *
 * Payers are kept apart: a turn has its own slice of time, its own allowance of calls and its own retries; a payer that
 * fails comes back later and later (1 minute, doubled up to an hour) while the others keep their turns. Turns are rows
 * of aws_turn with a lease, so several replicas share the payers and memory holds one payer's account ids at a time.
 *
 * An invitation is never sent twice: a turn sends only after it has read the whole list of invitations and stored what
 * was there, so one whose answer was lost is found again; AWS itself refuses a second one to the same account.
 *
 * Errors of AWS end in aws_turn and in the log, never here; those of the database do end here. One thread for each.
 */
#ifndef CM_ORG_SYNC_ORG_SYNC_H
#define CM_ORG_SYNC_ORG_SYNC_H

#include "base/time/time.h"
#include "billing/catalog/model/catalog.h"
#include "platform/aws/credentials/options.h"
#include "platform/postgres/postgres.h"

typedef struct cm_org_sync cm_org_sync;

typedef struct cm_org_sync_settings { /* 0: what is named */
    const cm_aws_options *options;    /* copied; NULL: the defaults, but 3 attempts and 10 s of silence */
    int64_t every_seconds;            /* between two good turns of a payer: 3600 */
    int64_t slice_milliseconds;       /* of a turn: 20000; what is not done then is done in the next one */
    int per_minute, burst;            /* calls of a payer: 120, 20 */
    int invitations_per_day;          /* of a payer without a row in payer_organization: 20; < 0: none */
    int sessions;                     /* roles' sessions kept: 64 */
    int roles_per_turn;               /* 20 */
} cm_org_sync_settings;

cm_org_sync *cm_org_sync_new(const cm_org_sync_settings *settings); /* never NULL */
void cm_org_sync_free(cm_org_sync *sync);                           /* NULL is allowed */

typedef struct cm_org_turn {
    char payer[16]; /* "": it was nobody's turn */
    int calls, accounts, invited, roles;
    char code[48]; /* "" : all went well; else the first error, as in aws_turn */
} cm_org_turn;

/* Takes the payer of the lane whose turn has come, if there is one, and does it. Payers without `access` have no turns.
 */
CM_NODISCARD bool cm_org_sync_step(cm_org_sync *sync, cm_pg *pg, const cm_catalog *catalog, const char *lane,
                                   cm_instant now, cm_org_turn *ret, cm_error *err);

/*
 * The same all the time: a thread with a database connection of its own, so that a slow AWS never holds up what else a
 * worker does. Metrics (health/health.h): aws_turns_total by outcome, aws_calls_total, aws_invitations_total. Stopping
 * waits for the call in hand, at most 10 s.
 */
typedef struct cm_org_sync_thread cm_org_sync_thread;
cm_org_sync_thread *cm_org_sync_start(const cm_org_sync_settings *settings, const char *database, const char *lane,
                                      const cm_clock *clock); /* never NULL; `clock` must live as long */
void cm_org_sync_stop(cm_org_sync_thread *thread);            /* NULL is allowed */

#endif
