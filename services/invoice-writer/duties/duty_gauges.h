/* The gauges `duties{code=...}`: how many duties of each kind are due in the lane (store/duties/duties.h). */
#ifndef DUTY_GAUGES_H
#define DUTY_GAUGES_H

#include "platform/health/health.h"
#include "platform/worker/worker.h"
#include "store/catalog/catalog_store.h"

enum { DUTY_CODES_MAX = 16 };

typedef struct duty_gauges {
    cm_metric *gauge[DUTY_CODES_MAX]; /* in the order of cm_duties_by_date_codes */
    int64_t late_hours, next_ms;
} duty_gauges;

void duty_gauges_register(duty_gauges *g, const cm_config *config);
/* Counts once a minute. */
CM_NODISCARD bool duty_gauges_update(duty_gauges *g, const cm_worker *worker, cm_catalog_cache *catalogs,
                                     cm_error *err);

#endif
