/*
 * States of billing periods (statements.md section 1): open -> estimated (first delivery) -> final (every line has an
 * invoice id) -> settled (by an operator; N10: an event, not a date) -> closed (all statements issued). One function
 * changes them; each change is audited as `period.<state>` of object `period:<payer>/<month>`.
 */
#ifndef CM_STORE_PERIOD_STORE_H
#define CM_STORE_PERIOD_STORE_H

#include "store/runs/run_store.h"

#include <jansson.h>

enum cm_period_state { CM_PERIOD_OPEN, CM_PERIOD_ESTIMATED, CM_PERIOD_FINAL, CM_PERIOD_SETTLED, CM_PERIOD_CLOSED };
const char *cm_period_state_name(enum cm_period_state state);

/* Deadlines, UTC. I13: nothing is issued before the 16th of the next month. I08: the statement of a customer that had
 * charges is due on the 20th: from the 21st, 00:00 it is overdue. */
cm_instant cm_period_earliest_issue(cm_period period);
cm_instant cm_period_overdue_from(cm_period period);

/* In the caller's transaction. A period without any delivery is open. */
CM_NODISCARD bool cm_store_period_state(cm_pg *pg, const char *payer, const char *month, enum cm_period_state *ret,
                                        cm_error *err);

/* The catalog version that a settled or closed period rests on: the one that was in force at its settlement. "": it is
 * open. */
CM_NODISCARD bool cm_store_period_settled_catalog(cm_pg *pg, const char *payer, const char *month,
                                                  char ret_id[static CM_ID_HEX], cm_error *err);

/* The only function that changes a state; in the caller's transaction, which holds the lock of (payer, period).
 * REFUSED: not an allowed change. For the state that it already has, nothing happens. */
CM_NODISCARD bool cm_store_period_change(cm_pg *pg, const char *payer, const char *lane, const char *month,
                                         enum cm_period_state to, cm_instant now, const char *by, const char *reason,
                                         cm_error *err);

/* A run has become current: estimated or final, by its lines. In the caller's transaction; not for settled and closed
 * periods. */
CM_NODISCARD bool cm_store_period_delivered(cm_pg *pg, const char *run, cm_instant now, const char *by, cm_error *err);

/* What forbids to settle (settle_check.c): array of {"code", "detail"}, the detail with what to do; empty: nothing.
 * `unacknowledged`: of cm_store_unbilled_money; NULL: that is acknowledged. */
CM_NODISCARD bool cm_store_settle_check(cm_pg *pg, const char *payer, cm_period period, const json_t *unacknowledged,
                                        cm_instant now, json_t **ret, cm_error *err);

/* A person's order about one period. */
typedef struct cm_period_order {
    const char *payer;
    cm_period period;
    const char *by, *reason;
    bool acknowledge_unbilled; /* settle: what is not billed is written into the unbilled ledger */
} cm_period_order;

/*
 * Settles a period, in its own transaction. NOT_FOUND: there is no complete run of the payer for that month. REFUSED:
 * already settled (unless there is money to acknowledge), or something forbids it: then *ret_reasons is the array of
 * cm_store_settle_check (caller: json_decref), NULL otherwise; the code is that of the first reason.
 */
CM_NODISCARD bool cm_store_period_settle_order(cm_pg *pg, cm_instant now, const cm_period_order *order,
                                               json_t **ret_reasons, cm_error *err);
/* The same with nothing to acknowledge. */
CM_NODISCARD bool cm_store_period_settle(cm_pg *pg, const char *payer, cm_period period, cm_instant now, const char *by,
                                         const char *reason, cm_error *err);

/*
 * Takes a settlement back, in its own transaction: the period is estimated or final again, a correction run becomes the
 * current one, the settlement's entries of the unbilled ledger go, and drafts and corrections are made anew. REFUSED:
 * it is not settled, or a document of the period is issued. Audited as `period.reopened`.
 */
CM_NODISCARD bool cm_store_period_reopen(cm_pg *pg, cm_instant now, const cm_period_order *order, cm_error *err);

/* After a document was issued or made void, in the same transaction: final and settled periods of the lane and month
 * whose documents are all issued or void, and whose unbilled money a person has acknowledged, are closed. Takes a lock
 * until the end of the transaction, so that two concurrent last documents see each other. */
CM_NODISCARD bool cm_store_periods_close(cm_pg *pg, const char *lane, const char *month, cm_instant now, const char *by,
                                         cm_error *err);

#endif
