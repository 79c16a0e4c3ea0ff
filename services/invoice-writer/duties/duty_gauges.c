#include "duty_gauges.h"

#include "store/duties/duties.h"

#include <stdio.h>
#include <string.h>

enum { EVERY_MS = 60000 };

void duty_gauges_register(duty_gauges *g, const cm_config *config)
{
    char labels[64];
    g->late_hours = cm_config_integer(config, "delivery.late.hours");
    for (int i = 0; cm_duties_by_date_codes[i]; i++) {
        cm_assert(i < DUTY_CODES_MAX);
        snprintf(labels, sizeof labels, "code=\"%s\"", cm_duties_by_date_codes[i]);
        g->gauge[i] = cm_gauge("duties", labels, "What is late or waits for a person, as `curmill todo` lists it");
    }
}

static void count(const duty_gauges *g, const json_t *duties)
{
    for (int i = 0; cm_duties_by_date_codes[i]; i++) {
        int64_t found = 0;
        for (size_t k = 0; k < json_array_size(duties); k++) {
            const char *code = json_string_value(json_object_get(json_array_get(duties, k), "code"));
            found += strcmp(code, cm_duties_by_date_codes[i]) == 0;
        }
        cm_metric_set(g->gauge[i], found);
    }
}

bool duty_gauges_update(duty_gauges *g, const cm_worker *worker, cm_catalog_cache *catalogs, cm_error *err)
{
    int64_t now_ms = cm_monotonic_milliseconds();
    if (now_ms < g->next_ms)
        return true;
    g->next_ms = now_ms + EVERY_MS;
    char id[CM_ID_HEX];
    json_t *duties = NULL;
    cm_instant now = worker->clock.now(&worker->clock);
    if (!cm_store_catalog_in_force(worker->pg, now, id, err)) {
        if (err->class != CM_ERROR_NOT_FOUND)
            return false;
        cm_error_clear(err);
        return true; /* nothing is due where there is no catalog */
    }
    const cm_catalog *catalog = cm_catalog_cache_get(catalogs, worker->pg, id, err);
    if (!catalog)
        return false;
    cm_duties_order order = {.catalog = catalog, .now = now, .late_hours = g->late_hours, .lane = worker->lane};
    bool done = cm_store_duties_by_date(worker->pg, &order, &duties, err);
    if (done)
        count(g, duties);
    json_decref(duties);
    return done;
}
