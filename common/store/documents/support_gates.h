/* The gates about support plan groups (O15, R05; rating.md section 6). In a transaction or not; nothing is written. */
#ifndef CM_STORE_SUPPORT_GATES_H
#define CM_STORE_SUPPORT_GATES_H

#include "base/base/buffer.h"
#include "billing/catalog/model/catalog.h"
#include "platform/postgres/postgres.h"

typedef struct cm_support_gate {
    const cm_catalog *catalog;
    const char *lane, *month, *customers, *source; /* array literal; currency of the charges */
    const char *runs_of;                           /* relation of the runs that count */
    cm_period period;
} cm_support_gate;

/* SUPPORT_PLAN_GROUP_MISSING: AWS charges for support on an account without a group. */
CM_NODISCARD bool cm_store_support_group_missing(cm_pg *pg, const cm_support_gate *gate, bool *ret_open,
                                                 cm_buffer *ret_detail, cm_error *err);
/* SUPPORT_PLAN_ENDED: the plan of an account's group gives no price in the month. */
CM_NODISCARD bool cm_store_support_plan_ended(cm_pg *pg, const cm_support_gate *gate, bool *ret_open,
                                              cm_buffer *ret_detail, cm_error *err);

#endif
