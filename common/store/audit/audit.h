/*
 * The audit trail: who changed what, when and why. A row is written in the transaction of the change that it records,
 * and never changed.
 */
#ifndef CM_STORE_AUDIT_H
#define CM_STORE_AUDIT_H

#include "base/time/time.h"
#include "platform/postgres/postgres.h"

/* `detail` is JSON or NULL. */
CM_NODISCARD bool cm_store_audit(cm_pg *pg, cm_instant now, const char *actor, const char *action, const char *object,
                                 const char *reason, const char *detail, cm_error *err);

#endif
