/*
 * Provider discounts in arrears (N12): where the payer's model says so (cm_payer_model.provider_discount_arrears), the
 * distributor credits what a month earned on a later month's invoice. A ledger: earned amounts by (payer, month,
 * customer, account, product, line item type, currency), from the current run, and the months that apply them. A month
 * is applied in the first later month that is not settled, as soon as that month has a run; rows of settled months
 * never change, so a restatement adds its difference to the next open month. Always: earned(m) = applied(m) + open(m).
 * Amounts are positive when owed to the reseller. Never in a customer's document (P13).
 */
#ifndef CM_STORE_DISCOUNT_STORE_H
#define CM_STORE_DISCOUNT_STORE_H

#include "billing/statement/statement.h"
#include "platform/postgres/postgres.h"

/* Updates the ledger of every payer of the lane (NULL: all) to the current runs; a single query if nothing has changed.
 * Runs in its own transactions. */
CM_NODISCARD bool cm_store_discounts_refresh(cm_pg *pg, const char *lane, cm_error *err);
/* The same for one payer, in the caller's transaction; keeps the payer's ledger locked until it ends. Called before a
 * month is settled. */
CM_NODISCARD bool cm_store_discounts_refresh_payer(cm_pg *pg, const char *payer, cm_error *err);

/* The month is no longer settled: what it applies is computed again. In the caller's transaction. */
CM_NODISCARD bool cm_store_discounts_reopen(cm_pg *pg, const char *payer, const char *month, cm_error *err);

typedef struct cm_discounts {
    cm_discount *list; /* owned, with its texts */
    size_t count;
} cm_discounts;
/* What the invoices of (lane, month) credit to the customers (array literal), added up over payers and line item types.
 */
CM_NODISCARD bool cm_store_discounts_applied(cm_pg *pg, const char *lane, const char *month, const char *customers,
                                             cm_discounts *ret, cm_error *err);
void cm_discounts_free(cm_discounts *discounts);

#endif
