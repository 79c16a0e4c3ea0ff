/*
 * How much of each reseller credit documents use (catalog kind Credit; rating.md section 5): stored beside the
 * documents, so that balances carry over from month to month.
 */
#ifndef CM_STORE_CREDIT_STORE_H
#define CM_STORE_CREDIT_STORE_H

#include "billing/statement/statement.h"
#include "platform/postgres/postgres.h"

typedef struct cm_credit_uses {
    cm_credit_use *list; /* owned, with its texts */
    size_t count;
} cm_credit_uses;

/* What other months have used: everything in documents of earlier months, and in approved and issued ones of later
 * months. Void documents use nothing. What a correction gives back counts once it is issued. */
CM_NODISCARD bool cm_credit_uses_load(cm_pg *pg, const char *lane, cm_period period, cm_credit_uses *ret,
                                      cm_error *err);
/* The same without what documents of the months in `but` (an array literal) use. */
CM_NODISCARD bool cm_credit_uses_load_but(cm_pg *pg, const char *lane, cm_period period, const char *but,
                                          cm_credit_uses *ret, cm_error *err);
void cm_credit_uses_free(cm_credit_uses *uses);

/* Replaces what a stored draft uses; does nothing if the document is no longer a draft. In the transaction that stores
 * it. */
CM_NODISCARD bool cm_credit_use_save(cm_pg *pg, const cm_statement *statement, const char *lane, const char *month,
                                     cm_error *err);

/*
 * The same for the correction of a document: the difference between what it would use (`now`; NULL: nothing) and what
 * it and its earlier corrections use.
 */
CM_NODISCARD bool cm_credit_use_correct(cm_pg *pg, const char *correction, const char *corrected,
                                        const cm_statement *now, const char *lane, const char *month, cm_error *err);

#endif
