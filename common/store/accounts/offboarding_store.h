/*
 * What the calendar and the payer model ask of links and payers: reminders, off-boarding gates (N23, O30-O34, P18),
 * monthly duties (N07, N08, O28), and the gap between liable and billed (N11). Columns of answers are named where they
 * are made. May use: postgres, catalog, link.
 */
#ifndef CM_STORE_OFFBOARDING_STORE_H
#define CM_STORE_OFFBOARDING_STORE_H

#include "store/accounts/request_store.h"

/*
 * What has come due by the clock, for a lane (NULL: all): an invitation is 14 days old (a notification, once; N01), its
 * ExpirationTimestamp has passed (expired). Transactions of its own, one a request. Call it now and then; *ret_done
 * counts what was done.
 */
CM_NODISCARD bool cm_store_requests_due(cm_pg *pg, const char *lane, cm_instant now, const char *by, int *ret_done,
                                        cm_error *err);

/*
 * A person opens a gate with its evidence; compare-and-set. REFUSED: NO_GATE (the model has none of that name, or it
 * needs one of its roles as item), LINK_STATE (not off-boarding), NO_EVIDENCE, BALANCE_NOT_ZERO (O33: `amount` is
 * wanted and must be zero), NOT_BILLED (O33: charges of the account are on no issued document), ROLE_STILL_THERE (O32:
 * the role could still be used at the last try). A transaction of its own.
 */
typedef struct cm_gate_order {
    const char *gate, *item; /* item: "" but for gates with roles */
    const char *evidence;
    const cm_decimal *amount; /* NULL: not said */
} cm_gate_order;
CM_NODISCARD bool cm_store_gate_open(cm_pg *pg, int64_t request, int64_t version, const cm_gate_order *order,
                                     cm_instant now, const char *by, cm_error *err);

/* gate, item, rule, what, open (t, f), evidence, opened_at, opened_by: every gate of a request. The caller frees. */
CM_NODISCARD bool cm_store_gates(cm_pg *pg, const cm_request *request, cm_rows **ret, cm_error *err);

/* O28: month, payer, account, account_name, kind (new, repurposed), since, customer, customer_name, customer_domain,
 * customer_address, country: accounts that joined the payer, or got another customer, in that month. By account. Names
 * and addresses are those of the catalog version. */
CM_NODISCARD bool cm_store_new_accounts(cm_pg *pg, const char *catalog_id, const char *payer, cm_period period,
                                        cm_rows **ret, cm_error *err);

/* A person says that a duty was done; `content` is kept as it was submitted. REFUSED (ALREADY_SUBMITTED) a second time.
 * Audited. */
CM_NODISCARD bool cm_store_duty_submitted(cm_pg *pg, const char *payer, cm_period period, const cm_payer_duty *duty,
                                          const char *content, int accounts, cm_instant now, const char *by,
                                          const char *reason, cm_error *err);

/*
 * The gap (N11): request, payer, account, customer, liable_from, billed_from, period, currency, lines, payer_amount,
 * list_amount: what AWS charged the payer for the account in months before billed_from, which is billed to nobody. Sums
 * of current runs, exact, a row a currency and month; accounts without such charges have one row with nulls. Filters
 * NULL: all.
 */
CM_NODISCARD bool cm_store_link_gaps(cm_pg *pg, const char *payer, const char *account, cm_rows **ret, cm_error *err);

#endif
