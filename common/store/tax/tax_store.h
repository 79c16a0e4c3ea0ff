/*
 * Tax settings in PostgreSQL: what AWS reported, verdicts with their history, the outbox of `tax.verdict`, requests of
 * operators, and the gate TAX_HOLD. Used by tax-inheritance-checker, by `curmill tax` and by the gates of documents.
 */
#ifndef CM_STORE_TAX_STORE_H
#define CM_STORE_TAX_STORE_H

#include "billing/tax/tax.h"
#include "platform/postgres/postgres.h"

/* The last check of a payer; instants are INT64_MIN if there was none. */
typedef struct cm_tax_state {
    bool there;
    char basis[CM_ID_HEX];
    cm_instant tried_at, read_at, fresh_until;
    bool failed; /* the last check got no answer */
} cm_tax_state;
CM_NODISCARD bool cm_store_tax_state(cm_pg *pg, const char *payer, cm_tax_state *ret, cm_error *err);

/* Digest of the data that a payer's settings are compared with. */
void cm_tax_basis(const cm_payer *payer, const cm_distributor *distributor, char ret[static CM_ID_HEX]);

typedef struct cm_tax_look {
    const cm_payer *payer;
    const char *basis;
    const cm_tax_findings *findings;
    const cm_tax_seen *seen;     /* NULL: nothing was read */
    const char *problem;         /* why nothing was read; NULL: it was */
    cm_instant now, fresh_until; /* fresh_until: of the data that was read */
    size_t invoices;
} cm_tax_look;
/*
 * Stores a check in one transaction: verdicts, and for each changed one a history row and a record in the outbox.
 * Accounts that AWS no longer lists lose their verdict. Unchanged verdicts are not published. *ret_changed: the number
 * of changed verdicts.
 */
CM_NODISCARD bool cm_store_tax_look(cm_pg *pg, const cm_tax_look *look, int *ret_changed, cm_error *err);
/* Payers of the lane that are no longer checked (all except `checked`, an array literal) lose their verdicts. */
CM_NODISCARD bool cm_store_tax_forget(cm_pg *pg, const char *lane, const char *checked, cm_instant now, cm_error *err);

/* In a transaction, which keeps other publishers of the lane out until it ends (*ret NULL: another one is publishing).
 * Columns: id, account, payload as hex (null: gone). */
CM_NODISCARD bool cm_store_tax_outbox_take(cm_pg *pg, const char *lane, int most, cm_rows **ret, cm_error *err);
CM_NODISCARD bool cm_store_tax_outbox_published(cm_pg *pg, const cm_rows *rows, cm_error *err);

/* An operator's request: check now; with `fix`, switch inheritance on first. Audited as `tax.fix_asked`. */
CM_NODISCARD bool cm_store_tax_ask(cm_pg *pg, const char *payer, const char *lane, bool fix, const char *by,
                                   const char *reason, cm_instant now, int64_t *ret_id, cm_error *err);
/* Completes a request. `result`: JSON. A change in AWS is audited as `tax.inheritance_switched_on`. */
CM_NODISCARD bool cm_store_tax_answer(cm_pg *pg, int64_t id, bool good, const json_t *result, bool switched,
                                      cm_instant now, cm_error *err);

/*
 * TAX_HOLD of a document (statements.md section 5; T05): closed while AWS taxes charges of its customers differently
 * from what the distributor requires, or while that is unknown. `runs_of`: current_run or newest_run; `customers`:
 * array literal.
 */
typedef struct cm_tax_gate {
    const cm_catalog *catalog; /* that the document was made with */
    const char *lane, *month, *customers, *currency, *runs_of;
    cm_instant now;
} cm_tax_gate;
CM_NODISCARD bool cm_store_tax_hold(cm_pg *pg, const cm_tax_gate *gate, bool *ret_open, cm_buffer *ret_detail,
                                    cm_error *err);

#endif
