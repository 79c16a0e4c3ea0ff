/*
 * Deliveries and runs in PostgreSQL: identity, registration, failure, retry (architecture.md sections 3, 4). Channel
 * `curmill_scan` is notified when ingest-cur has something to do.
 */
#ifndef CM_STORE_RUN_STORE_H
#define CM_STORE_RUN_STORE_H

#include "billing/catalog/model/catalog.h"
#include "billing/cur/reader.h"
#include "billing/rating/rating.h"
#include "delivery/reading/reading.h"
#include "delivery/source/source.h"
#include "platform/postgres/postgres.h"

enum {
    CM_SHARDS = 16, /* default of setting `shards`, stored with each run */
};

enum cm_registration {
    CM_REGISTRATION_NEW,     /* a new delivery: a run is started */
    CM_REGISTRATION_KNOWN,   /* nothing to do */
    CM_REGISTRATION_RETRIED, /* it had failed and its files changed: a run is started */
    CM_REGISTRATION_FAILED,  /* registered (or still) as failed: see delivery.error_* */
};

typedef struct cm_registered {
    enum cm_registration what;
    char delivery[CM_ID_HEX];
    char run[CM_ID_HEX];           /* "" if no run was started */
    char superseded_by[CM_ID_HEX]; /* KNOWN: a newer delivery is current; "" otherwise */
} cm_registered;

/* Which deliveries need a copy of each of their files in the archive. */
enum cm_archive_policy {
    CM_ARCHIVE_NONE,        /* no archive is configured */
    CM_ARCHIVE_OVERWRITTEN, /* those whose files can be overwritten: reports in overwrite mode, files uploaded by hand
                             */
    CM_ARCHIVE_ALL,
};

typedef struct cm_run_settings {
    int shards, partitions; /* partitions: of line.rated, 0 = not known (taken when first published) */
    enum cm_archive_policy archive;
    /* Files of a good delivery that were written after this are left alone until they rest: in overwrite mode AWS
     * writes the files first and the manifest last. 0: they are taken as they are. */
    cm_instant resting_since;
} cm_run_settings;

/*
 * Registers what a scan found, in one transaction. Safe if many replicas do it at once (every replica runs discovery).
 * v1, v2, v1 again: v1 is KNOWN and stays superseded. A good delivery whose files changed under the same manifest (a
 * copy that went on) gives a delivery of its own, which replaces it as any newer one does. A delivery whose assembly is
 * a time stamp older than the current one's is registered as superseded at once. `source` is the definition the workers
 * open later.
 */
CM_NODISCARD bool cm_store_register(cm_pg *pg, const cm_catalog *catalog, const cm_payer *payer, const json_t *source,
                                    const cm_found_delivery *found, const cm_run_settings *settings, cm_instant now,
                                    const char *actor, cm_registered *ret, cm_error *err);

/* Rates a good delivery again (`run start`) with a catalog version (a settled period: its own) and the payer's present
 * link set: NOT_FOUND without
 * a delivery; *ret_run is the run, new or existing (same id: same run). */
CM_NODISCARD bool cm_store_run_start(cm_pg *pg, const cm_catalog *catalog, const char *payer, cm_period period,
                                     const cm_run_settings *settings, cm_instant now, const char *actor,
                                     const char *reason, char ret_run[static CM_ID_HEX], bool *ret_new, cm_error *err);

/* Texts owned by `arena`. NOT_FOUND if there is none. */
CM_NODISCARD bool cm_store_run_chunk(cm_pg *pg, const char *run, uint32_t chunk, cm_arena *arena, cm_run_chunk *ret,
                                     cm_error *err);

/* Bad input: the run fails, and the delivery with it unless it had a complete run before. Audited. `file` is the
 * chunk's name. */
CM_NODISCARD bool cm_store_run_failed(cm_pg *pg, const char *run, const char *code, const char *file,
                                      const cm_place *place, const char *text, cm_instant now, const char *actor,
                                      cm_error *err);

/* An alert of a run that is being read; the second time it stays as it is. */
CM_NODISCARD bool cm_store_run_alert(cm_pg *pg, const char *run, const char *code, const char *object,
                                     const char *detail, cm_error *err);

/* Runs of a lane whose chunk.planned records are not out yet: up to `max`. Mark them afterwards (with the partitions of
 * line.rated). In a transaction, which locks them: no other replica sees them in the meantime, otherwise every chunk
 * would be planned and read twice. */
typedef struct cm_unpublished {
    char run[CM_ID_HEX], delivery[CM_ID_HEX];
    int chunks;
} cm_unpublished;
CM_NODISCARD bool cm_store_unpublished(cm_pg *pg, const char *lane, cm_unpublished *into, int max, int *ret_count,
                                       cm_error *err);
CM_NODISCARD bool cm_store_published(cm_pg *pg, const char *run, int partitions, cm_error *err);

/* Facts about a run for rate-engine and invoice-writer. */
typedef struct cm_run {
    char id[CM_ID_HEX], delivery[CM_ID_HEX], catalog[CM_ID_HEX] /* in force when it began */,
        slice[CM_ID_HEX] /* "": an older run, rated with the whole version */,
        links[CM_ID_HEX] /* link set, "": none */, payer[16], lane[64], engine_version[128], state[16];
    cm_period period;
    int shards, partitions, chunks;
    bool complete;
} cm_run;
/* NOT_FOUND if there is none. */
CM_NODISCARD bool cm_store_run(cm_pg *pg, const char *id, cm_run *ret, cm_error *err);

/* Requests an immediate scan. */
CM_NODISCARD bool cm_store_scan_request(cm_pg *pg, const char *lane, const char *payer, const char *period,
                                        cm_instant now, int64_t *ret_id, cm_error *err);

#endif
