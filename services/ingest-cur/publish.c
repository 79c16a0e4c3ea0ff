/* chunk.planned: a run's chunks are put on the topic; the run is marked only after the broker has them all. */
#include "ingest.h"

#include "base/log/log.h"

#include <stdio.h>

enum { RUNS_AT_ONCE = 32, ACKNOWLEDGE_MS = 60000 };

static bool publish(cm_ingest *ingest, const cm_unpublished *run, cm_error *err)
{
    int partitions = 0;
    if (!cm_producer_partitions(ingest->loop.producer, ingest->topic_rated, &partitions, err))
        return false;
    cm_chunk_planned planned;
    bool ids = cm_id_bytes(run->run, planned.run_id) && cm_id_bytes(run->delivery, planned.delivery_id);
    cm_assert(ids);
    for (int chunk = 1; chunk <= run->chunks; chunk++) {
        uint8_t bytes[64];
        char key[CM_ID_HEX + 16];
        planned.chunk = (uint32_t)chunk;
        size_t length = cm_chunk_planned_encode(&planned, bytes);
        int key_length = snprintf(key, sizeof key, "%s/%d", run->run, chunk);
        cm_header header = {"curmill-run", run->run, strlen(run->run)};
        if (!cm_producer_send(ingest->loop.producer, ingest->topic_planned, -1, key, (size_t)key_length, bytes, length,
                              &header, 1, NULL, err))
            return false;
    }
    if (!cm_producer_flush(ingest->loop.producer, ACKNOWLEDGE_MS, err))
        return false;
    cm_log(CM_INFO, "run published", "run", run->run, "delivery", run->delivery, "chunks", cm_log_i64(run->chunks),
           NULL);
    return cm_store_published(ingest->worker.pg, run->run, partitions, err);
}

static bool publish_held(cm_ingest *ingest, cm_error *err)
{
    cm_unpublished runs[RUNS_AT_ONCE];
    int count = 0;
    if (!cm_store_unpublished(ingest->worker.pg, ingest->worker.lane, runs, RUNS_AT_ONCE, &count, err))
        return false;
    for (int i = 0; i < count; i++) {
        if (!publish(ingest, &runs[i], err))
            return false;
    }
    return true;
}

bool cm_publish_runs(cm_ingest *ingest, cm_error *err)
{
    bool done =
        cm_pg_begin(ingest->worker.pg, err) && publish_held(ingest, err) && cm_pg_commit(ingest->worker.pg, err);
    if (!done)
        cm_pg_rollback(ingest->worker.pg);
    return done;
}
