/*
 * ingest-cur: discovers deliveries, plans their chunks over Kafka, reads chunks into line batches. Private to this
 * service.
 *
 *   discover.c    looks into the payers' sources and registers what is there   (every replica may: harmless)
 *   take_force.c  a new version of the catalog: runs of the payers that it touches (once, whoever is first)
 *   publish.c     chunk.planned records of runs that have none yet             (every replica may: harmless)
 *   read_chunk.c  one chunk: open, read, encode, send; one step a batch, so that the poll loop keeps turning
 *   keep_chunk.c  its copy for the archive, written while it is read
 */
#ifndef CM_INGEST_H
#define CM_INGEST_H

#include "base/base/arena.h"
#include "billing/batch/line_batch.h"
#include "billing/cur/reader.h"
#include "platform/kafka/kafka.h"
#include "platform/worker/loop.h"
#include "store/archive/archive_store.h"
#include "store/catalog/catalog_store.h"
#include "store/runs/run_store.h"

typedef struct cm_ingest {
    cm_worker worker;
    cm_loop loop;
    cm_catalog_cache *catalogs;
    cm_arena *arena;
    char topic_planned[CM_TOPIC_NAME_MAX], topic_lines[CM_TOPIC_NAME_MAX], topic_rated[CM_TOPIC_NAME_MAX],
        topic_observed[CM_TOPIC_NAME_MAX];
    int shards;
    cm_instant next_catalog; /* when the next version that was applied takes force */
    cm_archive *archive;     /* NULL: none is set */
    enum cm_archive_policy archive_policy;
    struct {
        cm_metric *lines, *bytes_out, *chunks_read, *chunks_failed, *scans, *scan_errors, *deliveries, *retries,
            *rounded, *chunk_duration, *archived, *accounts;
    } metric;
} cm_ingest;

static inline cm_instant cm_ingest_now(const cm_ingest *ingest)
{
    return ingest->worker.clock.now(&ingest->worker.clock);
}

/* Scans payers of the lane ("" = all) for a period ("" = all). With `ret_outcome` a person asks: files that changed
 * just now are taken too. Trouble of one payer does not stop the others: it is
 * logged and told in *ret_outcome (JSON, caller decrefs; may be NULL). False: the database is away. */
CM_NODISCARD bool cm_discover(cm_ingest *ingest, const char *payer, const char *period, json_t **ret_outcome,
                              cm_error *err);
/* Does the scan requests that wait (table scan_request). */
CM_NODISCARD bool cm_discover_requested(cm_ingest *ingest, cm_error *err);

/* Runs of payers whose prices the catalog version in force changed, if it is new. */
CM_NODISCARD bool cm_take_force(cm_ingest *ingest, cm_error *err);
CM_NODISCARD bool cm_publish_runs(cm_ingest *ingest, cm_error *err);

/* The copy of a chunk for the archive; zeroed: none is made. */
typedef struct cm_keeping {
    cm_archive_writer *writer;
    const char *manifest; /* its text, where the delivery has one and it is still the delivery's; borrowed */
    size_t manifest_length;
} cm_keeping;
/* Its bytes from the archive, NULL without error where the source is to be read. */
CM_NODISCARD bool cm_keep_reread(cm_ingest *ingest, const cm_run_chunk *chunk, cm_stream **ret, cm_error *err);
/* Begins a copy where one is due: *stream (the source's) is replaced. On failure it is closed. */
CM_NODISCARD bool cm_keep_begin(cm_ingest *ingest, const cm_run_chunk *chunk, cm_keeping *keeping, cm_stream **stream,
                                cm_error *err);
/* The chunk was read to its end and found unchanged: the copy is in the archive, and named, when this returns true. */
CM_NODISCARD bool cm_keep_finish(cm_ingest *ingest, const cm_run_chunk *chunk, cm_keeping *keeping, cm_error *err);
void cm_keep_drop(cm_keeping *keeping);

/* A chunk being read. */
typedef struct cm_chunk_job cm_chunk_job;
enum cm_job_state { CM_JOB_MORE, CM_JOB_DONE, CM_JOB_ABANDONED };
/* Takes over the record if it returns true (frees it, ends its input when the job ends). NULL in *ret_job: nothing to
 * do (not wanted, set aside). */
CM_NODISCARD bool cm_chunk_job_begin(cm_ingest *ingest, cm_record *record, cm_chunk_job **ret_job, cm_error *err);
/* Reads and sends one batch. A false return is FATAL or RETRY: for RETRY the job begins again at the next step. */
CM_NODISCARD bool cm_chunk_job_step(cm_ingest *ingest, cm_chunk_job *job, enum cm_job_state *ret_state, cm_error *err);
/* The job is done with: its record's offset may be committed once everything sent is acknowledged. */
void cm_chunk_job_free(cm_chunk_job *job);
/* The process ends before the job does: nothing of it is committed. NULL allowed. */
void cm_chunk_job_drop(cm_chunk_job *job);

#endif
