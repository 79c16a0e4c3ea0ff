/*
 * AWS's own word on Support plans and charges: tables aws_support_charge and aws_support_look. One look is one payer
 * and month; what a good look found replaces what was known of the month, a failed one leaves it.
 */
#ifndef CM_STORE_SUPPORT_CHARGE_STORE_H
#define CM_STORE_SUPPORT_CHARGE_STORE_H

#include "base/decimal/decimal.h"
#include "base/time/time.h"
#include "platform/postgres/postgres.h"

typedef struct cm_support_told {
    char account[16]; /* "": Enterprise Support, all enrolled accounts together */
    char plan[64];    /* as AWS calls it */
    cm_decimal charge, usage_basis, discount;
    char discount_type[64];
    bool estimated;
} cm_support_told;

typedef struct cm_support_look {
    const char *payer;
    cm_period period;
    const char *code, *detail; /* NULL: AWS answered everything */
    bool final;                /* AWS's figures do not change any more */
    bool listed;               /* `list` is what AWS has now, whatever else it did not answer */
    const cm_support_told *list;
    size_t count;
} cm_support_look;

/* Never asked, not final and asked a day ago, or AWS could not answer (a refusal waits for a day too). */
CM_NODISCARD bool cm_store_support_look_due(cm_pg *pg, const char *payer, cm_period period, cm_instant now, bool *ret,
                                            cm_error *err);
/* Runs in its own transaction. `ret_news`: no look of the payer ended with this code in the last two days (a refusal
 * is told once). */
CM_NODISCARD bool cm_store_support_look(cm_pg *pg, const cm_support_look *look, cm_instant now, bool *ret_news,
                                        cm_error *err);

/* Columns: account, plan as AWS calls it. Sorted by account; without Enterprise Support. */
CM_NODISCARD bool cm_store_support_plans(cm_pg *pg, const char *payer, cm_period period, cm_rows **ret, cm_error *err);

#endif
