/*
 * One group of records in one transaction:
 *   the runs' rows are held (FOR SHARE), so that none of them completes, fails or is cleaned meanwhile;
 *   the batches' ids go into applied_batch: what is there already is skipped, with another digest it stops the run;
 *   charges and days of the new ones, added up per run, are appended to the run's parts; its chunks' counters advance.
 * Rows are locked in the order of their keys, so replicas wait for each other and do not deadlock.
 */
#include "apply/group.h"

#include "base/log/log.h"
#include "store/runs/run_store.h"

enum attempt { ATTEMPT_DONE, ATTEMPT_BROKEN, ATTEMPT_FAILED };

static bool steps(cm_apply *g, cm_error *err)
{
    cm_writer *w = g->writer;
    if (!cm_apply_hold_runs(g, err))
        return false;
    cm_apply_list_items(g);
    return cm_writer_step(w, "held", err) && cm_apply_take_ids(g, err) && cm_writer_step(w, "identified", err) &&
           cm_apply_append_parts(g, err) && cm_writer_step(w, "appended", err) && cm_apply_progress(g, err) &&
           cm_writer_step(w, "advanced", err) && cm_apply_store_ends(g, err) && cm_writer_step(w, "before commit", err);
}

static enum attempt attempt(cm_apply *g, cm_error *err)
{
    cm_error_clear(err);
    g->broken_run = NULL;
    g->lines = g->charges = 0;
    if (!cm_pg_begin(g->writer->pg, err))
        return ATTEMPT_FAILED;
    if (steps(g, err) && cm_writer_commit(g->writer, err))
        return cm_writer_step(g->writer, "after commit", err) ? ATTEMPT_DONE : ATTEMPT_FAILED;
    cm_pg_rollback(g->writer->pg);
    return g->broken_run && err->class == CM_ERROR_NONE ? ATTEMPT_BROKEN : ATTEMPT_FAILED;
}

static void count(const cm_apply *g)
{
    cm_writer_counts *counts = &g->writer->counts;
    counts->groups_applied++;
    counts->lines += (int64_t)g->lines;
    counts->charges_written += (int64_t)g->charges;
    for (size_t i = 0; i < g->count; i++) {
        switch (g->records[i].outcome) {
        case CM_APPLY_DONE:
            counts->records_applied++;
            break;
        case CM_APPLY_KNOWN:
            counts->records_known++;
            break;
        case CM_APPLY_SKIPPED:
            counts->records_skipped++;
            break;
        case CM_APPLY_UNKNOWN_RUN:
        case CM_APPLY_POISON:
            break; /* the dead letters are counted where they are sent */
        }
    }
}

/* A single record that PostgreSQL or the arithmetic refuses: its run can never be complete, so it fails with its
 * reason. */
static bool give_up(cm_apply *g, cm_error *err)
{
    cm_apply_record *record = &g->records[0];
    cm_error *why = cm_arena_zalloc(g->arena, sizeof *why);
    char file[32];
    uint32_t chunk = record->rated->is_end ? record->rated->end.chunk : record->rated->batch.chunk;
    *why = *err;
    snprintf(file, sizeof file, "chunk %u", chunk);
    cm_log_error(CM_ERROR, "run failed: a record cannot be stored", why, "run", record->run, "file", file, NULL);
    record->outcome = CM_APPLY_POISON;
    record->why = why;
    cm_error_clear(err);
    return cm_store_run_failed(g->writer->pg, record->run, why->code, file, NULL, why->text, cm_writer_now(g->writer),
                               CM_WRITER_NAME, err);
}

static bool apply(cm_writer *writer, cm_apply_record *records, size_t record_count, cm_arena *arena, cm_error *err)
{
    cm_apply g = {.writer = writer, .records = records, .count = record_count, .arena = arena};
    for (;;) {
        switch (attempt(&g, err)) {
        case ATTEMPT_DONE:
            count(&g);
            return true;
        case ATTEMPT_BROKEN:
            if (!cm_writer_stop_run(writer, g.broken_run, g.broken_code, g.broken_text, NULL,
                                    &writer->counts.determinism_broken, err))
                return false;
            break; /* again, without the stopped run */
        case ATTEMPT_FAILED:
            if (err->class != CM_ERROR_POISON)
                return false;
            if (record_count == 1)
                return give_up(&g, err);
            return apply(writer, records, record_count / 2, arena, err) &&
                   apply(writer, records + record_count / 2, record_count - record_count / 2, arena, err);
        }
    }
}

bool cm_apply_group(cm_writer *writer, cm_apply_record *records, size_t record_count, cm_arena *arena, cm_error *err)
{
    for (size_t i = 0; i < record_count; i++) {
        const cm_rated *rated = records[i].rated;
        cm_hex(rated->is_end ? rated->end.run_id : rated->batch.run_id, CM_ID_BYTES, records[i].run);
        records[i].why = NULL;
    }
    return record_count == 0 || apply(writer, records, record_count, arena, err);
}
