/* Writing the state of a period. Internal to store/runs; all others go through cm_store_period_change. */
#ifndef CM_STORE_PERIOD_ROW_H
#define CM_STORE_PERIOD_ROW_H

#include "store/runs/period_store.h"

/* Whether the change is allowed is not looked at. Audited as `action`. In the caller's transaction. */
CM_NODISCARD bool cm_period_write(cm_pg *pg, const char *payer, const char *lane, const char *month,
                                  enum cm_period_state from, enum cm_period_state to, const char *action,
                                  cm_instant now, const char *by, const char *reason, cm_error *err);

#endif
