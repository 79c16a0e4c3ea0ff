/* Adjustments and credit notes: how later figures change documents that were already issued (I01-I18,
 * statements.md). */
#ifndef CM_STORE_CORRECTIONS_H
#define CM_STORE_CORRECTIONS_H

#include "base/time/time.h"
#include "platform/postgres/postgres.h"

/* Builds the corrections of every (lane, period) that is due; lane, month NULL: all. Runs in its own transactions. */
CM_NODISCARD bool cm_store_corrections_refresh(cm_pg *pg, cm_instant now, const char *lane, const char *month,
                                               int *ret_built, cm_error *err);

#endif
