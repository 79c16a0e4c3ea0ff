/* What the files that write alerts share. Private to alerts.c and discount_alerts.c. */
#ifndef CM_WRITER_ALERTING_H
#define CM_WRITER_ALERTING_H

#include "writer.h"

#include "store/runs/run_store.h"

typedef struct cm_alerting {
    cm_pg *pg;
    const char *run;
    cm_run facts;
    char period[CM_PERIOD_TEXT];
    const cm_catalog *catalog;
    cm_rows *told; /* AWS's own word on the month's Support plans: account, plan; sorted by account */
} cm_alerting;

CM_NODISCARD bool cm_alert_add(const cm_alerting *a, const char *code, const char *object, const char *detail,
                               cm_error *err);
/* A query with $1 run and $2 period. */
CM_NODISCARD bool cm_alert_query(const cm_alerting *a, const char *sql, cm_rows **ret, cm_error *err);

/* Discounts that stand in columns (rating.md section 2a). */
CM_NODISCARD bool cm_discount_alerts(const cm_alerting *a, cm_error *err);

#endif
