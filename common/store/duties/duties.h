/*
 * What must be done today (statements.md section 6): what does not come, what waits for a person, what is due. From the
 * catalog and the database at an instant; nothing is stored. Also about payers and customers of which nothing ever
 * arrived, because the catalog knows them.
 */
#ifndef CM_STORE_DUTIES_H
#define CM_STORE_DUTIES_H

#include "billing/catalog/model/catalog.h"
#include "platform/postgres/postgres.h"

#include <jansson.h>

typedef struct cm_duties_order {
    const cm_catalog *catalog; /* in force, with the links of org-linker where there are any */
    cm_instant now;
    int64_t late_hours; /* delivery.late.hours */
    const char *lane;   /* NULL: all */
    const char *payer;  /* NULL: all */
    const char *period; /* "2025-06"; NULL: all that are looked at */
} cm_duties_order;

enum { CM_DELIVERY_LATE_HOURS = 30, CM_DUTIES_MONTHS = 3 };

/*
 * Array of {"code", "lane", "payer", "period", "customer", "object", "since", "detail", "command"}; texts, null where
 * a key does not apply. `since`: from when it is due, RFC 3339. `command` is what to type, as printed. Ordered by
 * period, code, payer, customer. Months of payers that do not exist yet are looked for among the newest
 * CM_DUTIES_MONTHS.
 */
CM_NODISCARD bool cm_store_duties(cm_pg *pg, const cm_duties_order *order, json_t **ret, cm_error *err);
/* Only what does not come or is overdue: DELIVERY_LATE, DAY_MISSING, PAYER_SILENT, DELIVERY_SHRANK, DELIVERY_FAILED,
 * STATEMENT_OVERDUE. For metrics: no document is looked at. */
CM_NODISCARD bool cm_store_duties_by_date(cm_pg *pg, const cm_duties_order *order, json_t **ret, cm_error *err);
/* The codes of cm_store_duties_by_date, NULL-ended. */
extern const char *const cm_duties_by_date_codes[];

/* STATEMENT_OVERDUE of one payer and month: ids of the customers, sorted, as a JSON array. */
CM_NODISCARD bool cm_store_overdue_customers(cm_pg *pg, const cm_catalog *catalog, const char *payer, cm_period period,
                                             json_t **ret, cm_error *err);

#endif
