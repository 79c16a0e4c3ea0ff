/*
 * The unbilled ledger (statements.md section 1): suspended money that a person acknowledged when a month was settled.
 * An entry stays open until a document that bills it is issued, or a person writes it off; taking the settlement back
 * takes its entries back too.
 */
#ifndef CM_STORE_UNBILLED_STORE_H
#define CM_STORE_UNBILLED_STORE_H

#include "base/time/time.h"
#include "platform/postgres/postgres.h"

#include <jansson.h>

/*
 * What the newest run of (payer, month) leaves unbilled, by account, reason and currency: array of {"account",
 * "reason", "currency", "lines", "amount", "unacknowledged"}. Lines that cost nothing in any layer are no money, except
 * where the amount is what is missing (NO_LIST_PRICE). `unacknowledged`: how much of it no entry of the ledger has; "0"
 * where a person has acknowledged it.
 */
CM_NODISCARD bool cm_store_unbilled_money(cm_pg *pg, const char *payer, const char *month, json_t **ret, cm_error *err);
bool cm_unbilled_is_acknowledged(const json_t *money); /* one of that array */
/* "account 999900001111: 3 lines, 12.5 USD, UNKNOWN_ACCOUNT; account ..." of what is not acknowledged, or of all. */
void cm_unbilled_print(const json_t *money, bool unacknowledged_only, cm_buffer *ret);

/* Enters what is not acknowledged yet. In the caller's transaction, which holds the lock of (payer, month). Audited. */
CM_NODISCARD bool cm_store_unbilled_acknowledge(cm_pg *pg, const char *payer, const char *lane, const char *month,
                                                const json_t *money, cm_instant now, const char *by, const char *reason,
                                                cm_error *err);

/* The settlement is taken back: so are its entries. In the caller's transaction. Audited if there were any. */
CM_NODISCARD bool cm_store_unbilled_take_back(cm_pg *pg, const char *payer, const char *month, cm_instant now,
                                              const char *by, const char *reason, cm_error *err);

/* A document was issued: open entries of `month` that its runs bill to its customers are billed. Array literals. */
CM_NODISCARD bool cm_store_unbilled_billed(cm_pg *pg, const char *month, const char *runs, const char *customers,
                                           const char *statement, cm_instant now, const char *by, cm_error *err);

/* In its own transaction. NOT_FOUND; REFUSED: it is billed or written off already. */
CM_NODISCARD bool cm_store_unbilled_write_off(cm_pg *pg, const char *id, cm_instant now, const char *by,
                                              const char *reason, cm_error *err);

#endif
