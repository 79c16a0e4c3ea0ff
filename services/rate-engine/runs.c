#include "runs.h"

#include "base/time/time.h"

#include <stdlib.h>

enum { RUNS_MAX = 16, REFRESH_MS = 10000 };

typedef struct entry {
    cm_rate_run run;
    int64_t loaded_ms; /* state is asked again after REFRESH_MS: runs are superseded and fail */
    uint64_t generation;
} entry;

struct cm_rate_runs {
    entry entries[RUNS_MAX];
    int next; /* round robin replacement */
    cm_catalog_cache *catalogs;
};

cm_rate_runs *cm_rate_runs_new(void)
{
    cm_rate_runs *runs = cm_alloc(sizeof *runs);
    runs->catalogs = cm_catalog_cache_new();
    return runs;
}

static void entry_clear(entry *e)
{
    cm_rater_free(e->run.rater);
    *e = (entry){0};
}

void cm_rate_runs_free(cm_rate_runs *runs)
{
    if (!runs)
        return;
    for (int i = 0; i < RUNS_MAX; i++)
        entry_clear(&runs->entries[i]);
    cm_catalog_cache_free(runs->catalogs);
    free(runs);
}

static bool load(cm_rate_runs *runs, cm_pg *pg, const char *id, entry *e, cm_error *err)
{
    if (!cm_store_run(pg, id, &e->run.facts, err))
        return false;
    if (strcmp(e->run.facts.state, "running") != 0)
        return true;
    char month[CM_PERIOD_TEXT];
    if (strcmp(e->run.facts.engine_version, cm_engine_version()) != 0)
        return cm_fail(
            err, CM_ERROR_REFUSED, "ENGINE_CHANGED",
            "run %s was started by rating engine \"%s\" and this worker is \"%s\": `curmill run start --payer %s --period %s` rates the delivery again",
            id, e->run.facts.engine_version, cm_engine_version(), e->run.facts.payer,
            cm_period_print(e->run.facts.period, month));
    const cm_run *facts = &e->run.facts;
    const cm_run_basis basis = {facts->catalog, facts->slice, facts->links, facts->payer};
    const cm_catalog *catalog = cm_catalog_cache_of_run(runs->catalogs, pg, &basis, err);
    if (!catalog)
        return false;
    e->run.rater = cm_rater_new(catalog, e->run.facts.payer, e->run.facts.period, err);
    return e->run.rater != NULL;
}

const cm_rate_run *cm_rate_runs_get(cm_rate_runs *runs, cm_pg *pg, const char *id, cm_error *err)
{
    int64_t now = cm_monotonic_milliseconds();
    uint64_t generation = cm_catalog_cache_generation(runs->catalogs);
    entry *e = NULL;
    for (int i = 0; i < RUNS_MAX && !e; i++) {
        if (strcmp(runs->entries[i].run.facts.id, id) == 0)
            e = &runs->entries[i];
    }
    /* A run that is not wanted is asked for each time: `run start` may have begun it again since. */
    if (e && e->run.rater && e->generation == generation && now - e->loaded_ms < REFRESH_MS)
        return &e->run;
    if (!e) {
        e = &runs->entries[runs->next];
        runs->next = (runs->next + 1) % RUNS_MAX;
    }
    entry_clear(e);
    if (!load(runs, pg, id, e, err)) {
        entry_clear(e);
        return NULL;
    }
    e->loaded_ms = now;
    e->generation = cm_catalog_cache_generation(runs->catalogs);
    return &e->run;
}
