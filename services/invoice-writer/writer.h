/*
 * The core of invoice-writer: decoded records -> transactions. No Kafka and no health server in here, so that tests run
 * it with a private PostgreSQL and simulate the death of the process between any two steps.
 *
 *   apply/      one group of records in one transaction (architecture.md section 4)
 *   complete.c  a run whose chunks are all there: control totals, merge of its parts, switch of the current run
 *   sweep.c     all runs of the lane: completes what is ready, removes what nobody needs
 *   alerts.c    what needs manual review in the figures of a complete run; discount_alerts.c: in its discounts
 */
#ifndef CM_WRITER_H
#define CM_WRITER_H

#include "base/time/time.h"
#include "billing/batch/rated_batch.h"
#include "platform/postgres/postgres.h"
#include "store/catalog/catalog_store.h"

#define CM_WRITER_NAME "invoice-writer"

/* What happened since the start; main() copies it to the metrics. */
typedef struct cm_writer_counts {
    int64_t lines, records_applied, records_known, records_skipped, charges_written, groups_applied;
    int64_t runs_completed, runs_switched, runs_incomplete; /* runs_incomplete: at the last look */
    int64_t control_total_mismatches, determinism_broken, statements_built;
    int64_t commit_us; /* duration of the last commit */
} cm_writer_counts;

typedef struct cm_writer {
    cm_pg *pg;
    const cm_clock *clock;
    const char *lane;
    cm_catalog_cache *catalogs;
    cm_writer_counts counts;
    /* Tests only: called between the steps; false: give up there with RETRY, as if the process had died. NULL: none. */
    bool (*step)(void *opaque, const char *name);
    void *step_opaque;
} cm_writer;

cm_instant cm_writer_now(const cm_writer *writer);
CM_NODISCARD bool cm_writer_step(const cm_writer *writer, const char *name, cm_error *err);
/* cm_pg_commit with its duration. */
CM_NODISCARD bool cm_writer_commit(cm_writer *writer, cm_error *err);
/* Stops a running run in a transaction of its own: state, audit, error in the log, counter. */
CM_NODISCARD bool cm_writer_stop_run(cm_writer *writer, const char *run, const char *code, const char *text,
                                     const char *detail, int64_t *counter, cm_error *err);

/* --- applying ------------------------------------------------------------------------------------------------ */

enum cm_apply_outcome {
    CM_APPLY_DONE,        /* applied now */
    CM_APPLY_KNOWN,       /* applied before: nothing to do */
    CM_APPLY_SKIPPED,     /* its run is not running: failed, stopped, superseded, or complete already */
    CM_APPLY_UNKNOWN_RUN, /* there is no such run: for the dead letters */
    CM_APPLY_POISON,      /* its figures cannot be stored; the run was failed: for the dead letters */
};

typedef struct cm_apply_record {
    const cm_rated *rated;
    uint64_t digest; /* XXH3-64 of the record's bytes */
    /* filled by cm_apply_group */
    char run[CM_ID_HEX];
    enum cm_apply_outcome outcome;
    const cm_error *why; /* of UNKNOWN_RUN and POISON, in the arena */
} cm_apply_record;

/*
 * Applies a group in one transaction and commits it. Doing it again does nothing. The same id with another digest stops
 * its run and the rest of the group is applied without it. RETRY: nothing happened, or it is unknown whether it did: do
 * it again. `arena` holds the group's merge and is the caller's to reset.
 */
CM_NODISCARD bool cm_apply_group(cm_writer *writer, cm_apply_record *records, size_t count, cm_arena *arena,
                                 cm_error *err);

/* --- completing ---------------------------------------------------------------------------------------------- */

/* Completes the runs of the group that are ready. One that fails for a reason of its own is logged and left. False:
 * RETRY, FATAL, BUG. */
CM_NODISCARD bool cm_complete_touched(cm_writer *writer, const cm_apply_record *records, size_t count, cm_error *err);
/* The same for all runs of the lane. */
CM_NODISCARD bool cm_complete_lane(cm_writer *writer, cm_error *err);

/* All runs of the lane, at the start and every few seconds: completes what is ready, supersedes what is stale, drops
 * the parts of runs that ended otherwise. */
CM_NODISCARD bool cm_writer_sweep(cm_writer *writer, cm_error *err);

/* Judges and completes one run. *ret_completed false: not ready, or not running, or stopped. */
CM_NODISCARD bool cm_complete_run(cm_writer *writer, const char *run, bool *ret_completed, cm_error *err);

/* Fills table alert for a run whose charges are merged; part of the caller's transaction. */
CM_NODISCARD bool cm_writer_alerts(cm_writer *writer, const char *run, cm_error *err);

#endif
