/*
 * What the calendar and the payer model require of links and payers: reminders, off-boarding gates (N23, O30-O34, P18),
 * monthly duties (N07, N08, O28), and the gap between liable and billed (N11). The columns of each result are listed at
 * its function.
 */
#ifndef CM_STORE_OFFBOARDING_STORE_H
#define CM_STORE_OFFBOARDING_STORE_H

#include "store/accounts/request_store.h"

/*
 * Handles what has come due in a lane (NULL: all): an invitation that is 14 days old (one notification; N01), an
 * invitation whose ExpirationTimestamp has passed (expired). Runs one transaction for each request. Call it
 * periodically; *ret_done counts the requests that were handled.
 */
CM_NODISCARD bool cm_store_requests_due(cm_pg *pg, const char *lane, cm_instant now, const char *by, int *ret_done,
                                        cm_error *err);

/*
 * An operator opens a gate and gives evidence; compare-and-set. REFUSED: NO_GATE (the model has no gate of that name,
 * or the gate needs one of its roles as item), LINK_STATE (not off-boarding), NO_EVIDENCE, BALANCE_NOT_ZERO (O33:
 * `amount` is required and must be zero), NOT_BILLED (O33: charges of the account are on no issued document),
 * ROLE_STILL_THERE (O32: the role could still be used at the last attempt). Runs in its own transaction.
 */
typedef struct cm_gate_order {
    const char *gate, *item; /* item: "" except for gates with roles */
    const char *evidence;
    const cm_decimal *amount; /* NULL: not given */
} cm_gate_order;
CM_NODISCARD bool cm_store_gate_open(cm_pg *pg, int64_t request, int64_t version, const cm_gate_order *order,
                                     cm_instant now, const char *by, cm_error *err);

/* gate, item, rule, what, open (t, f), evidence, opened_at, opened_by: every gate of a request. The caller frees the
 * result. */
CM_NODISCARD bool cm_store_gates(cm_pg *pg, const cm_request *request, cm_rows **ret, cm_error *err);

/* O28: month, payer, account, account_name, kind (new, repurposed), since, customer, customer_name, customer_domain,
 * customer_address, country: accounts that joined the payer, or changed customer, in that month, sorted by account.
 * Names and addresses come from the catalog version. */
CM_NODISCARD bool cm_store_new_accounts(cm_pg *pg, const char *catalog_id, const char *payer, cm_period period,
                                        cm_rows **ret, cm_error *err);

/* An operator records that a duty was done; `content` is stored as it was submitted. REFUSED (ALREADY_SUBMITTED) a
 * second time. Audited. */
CM_NODISCARD bool cm_store_duty_submitted(cm_pg *pg, const char *payer, cm_period period, const cm_payer_duty *duty,
                                          const char *content, int accounts, cm_instant now, const char *by,
                                          const char *reason, cm_error *err);

/*
 * The gap (N11): request, payer, account, customer, liable_from, billed_from, period, currency, lines, payer_amount,
 * list_amount: what AWS charged the payer for the account in months before billed_from, which nobody is billed for.
 * Exact sums over current runs, one row for each currency and month; accounts without such charges have one row with
 * nulls. Filters NULL: all.
 */
CM_NODISCARD bool cm_store_link_gaps(cm_pg *pg, const char *payer, const char *account, cm_rows **ret, cm_error *err);

#endif
