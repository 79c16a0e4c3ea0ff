/* The process dies between any two steps: repeating the work gives the same result, nothing twice, nothing lost. */
#include "world.h"

#include <stdlib.h>

typedef struct death {
    const char *at; /* die at this step, */
    int after;      /* after so many times */
    bool died;
} death;

static bool survive(void *opaque, const char *name)
{
    death *d = opaque;
    if (d->died || strcmp(d->at, name) != 0 || d->after-- > 0)
        return true;
    d->died = true;
    return false;
}

/* One life of a worker: from the first record that was not given back, as after a restart; true if it lived to the end.
 */
static bool live(world *w, cm_writer *writer, const record *records, size_t *from)
{
    if (!cm_writer_sweep(writer, &w->err))
        return false;
    while (*from < WORLD_RECORDS) {
        cm_apply_record group[4];
        size_t count = WORLD_RECORDS - *from < 4 ? WORLD_RECORDS - *from : 4;
        for (size_t i = 0; i < count; i++)
            group[i] = (cm_apply_record){.rated = &records[*from + i].rated, .digest = records[*from + i].digest};
        if (!cm_apply_group(writer, group, count, w->merge, &w->err))
            return false;
        *from += count;
        if (!cm_complete_touched(writer, group, count, &w->err))
            return false;
    }
    return true;
}

static const char *const steps[] = {"held",         "identified", "appended", "advanced", "before commit",
                                    "after commit", "judged",     "merged",   "alerts",   "switched"};

static void die_at(const char *step, int after)
{
    world *w = world_new(NULL);
    record records[WORLD_RECORDS];
    size_t from = 0;
    death d = {step, after, false};
    add_delivery(w, TDS, 'a');
    add_delivery(w, TDS, 'b');
    const char *sure = add_run(w, TDS, 'a', 1), *run = add_run(w, TDS, 'b', 1);
    month(w, sure, 1, records);
    apply_all(w, &w->writer, records, WORLD_RECORDS, 4);
    cr_assert_str_eq(state(w, sure), "current");
    month(w, run, 1, records);

    cm_writer first = world_replica(w);
    first.step = survive;
    first.step_opaque = &d;
    bool lived = live(w, &first, records, &from);
    cr_assert(d.died && !lived, "the step \"%s\" was never reached: %s %s", step, w->err.code, w->err.text);
    cr_assert_str_eq(w->err.code, "TEST");
    cm_pg_close(first.pg); /* without warning, as the kernel would */
    cm_catalog_cache_free(first.catalogs);
    cr_expect_str_neq(state(w, run), "current", "%s", step);

    cm_writer second = world_replica(w);
    cr_assert(live(w, &second, records, &from), "%s: %s", w->err.code, w->err.text);
    must(w, cm_writer_sweep(&second, &w->err)); /* what was lost with the death: all records were given back already */
    cr_expect_str_eq(state(w, run), "current", "%s", step);
    cr_expect_str_eq(state(w, sure), "superseded");
    cr_expect_str_eq(fingerprint(w, run), fingerprint(w, sure), "%s", step);
    cr_expect_eq(number(w, "SELECT count(*) FROM audit WHERE action = 'run.switched'"), 2, "%s", step);
    cr_expect_eq(number(w, "SELECT count(*) FROM pg_class WHERE relname ~ '^charge_(day_)?part_[0-9a-f]{32}$'"), 0);
    cm_pg_close(second.pg);
    cm_catalog_cache_free(second.catalogs);
    world_free(w);
}

Test(crash, at_every_step)
{
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        die_at(steps[i], 0);
}

Test(crash, at_every_step_of_a_later_group)
{
    for (size_t i = 0; i < 6; i++) /* completion happens once */
        die_at(steps[i], 2);
}

/* Committed, but never checked: a worker that finds nothing to read completes it at its start. */
Test(crash, committed_but_not_completed)
{
    world *w = world_new(NULL);
    record records[WORLD_RECORDS];
    add_delivery(w, TDS, 'a');
    const char *run = add_run(w, TDS, 'a', 1);
    month(w, run, 1, records);
    apply(w, records, WORLD_RECORDS);
    cr_expect_str_eq(state(w, run), "running");
    cm_writer ingram = w->writer;
    ingram.lane = "ingram";
    must(w, cm_writer_sweep(&ingram, &w->err));
    cr_expect_str_eq(state(w, run), "running"); /* another lane's worker leaves it */
    must(w, cm_writer_sweep(&w->writer, &w->err));
    cr_expect_str_eq(state(w, run), "current");
    world_free(w);
}

/* The connection is cut in the middle of the transaction: RETRY, and the repeated group is complete. */
Test(crash, connection_lost)
{
    world *w = world_new(NULL);
    record records[WORLD_RECORDS];
    add_delivery(w, TDS, 'a');
    const char *run = add_run(w, TDS, 'a', 1);
    month(w, run, 1, records);
    cm_writer other = world_replica(w);
    const char *name = "replica";
    must(
        w,
        cm_pg_query(
            w->pg,
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database() AND application_name = $1",
            1, &name, NULL, &w->err));
    apply_all(w, &other, records, WORLD_RECORDS, 5);
    cr_expect_str_eq(state(w, run), "current");
    cm_pg_close(other.pg);
    cm_catalog_cache_free(other.catalogs);
    world_free(w);
}
