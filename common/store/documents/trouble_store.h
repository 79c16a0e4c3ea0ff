/* Documents that could not be made, with the reason: one customer's trouble stops nobody else (statements.md section
 * 4). */
#ifndef CM_STORE_TROUBLE_STORE_H
#define CM_STORE_TROUBLE_STORE_H

#include "base/time/time.h"
#include "platform/postgres/postgres.h"

typedef struct cm_trouble {
    const char *lane, *period;
    const char *reseller, *customer; /* customer "": the reseller's document; both "": all of the month */
    const char *corrects;            /* id of the document whose correction it is; "": a statement */
} cm_trouble;

CM_NODISCARD bool cm_store_trouble_save(cm_pg *pg, const cm_trouble *trouble, const cm_error *why, cm_error *err);
/* Before statements (or corrections) of the month are made anew. */
CM_NODISCARD bool cm_store_trouble_clear(cm_pg *pg, const char *lane, const char *period, bool corrections,
                                         cm_error *err);

#endif
