/*
 * A private database with a catalog, deliveries, runs, and rated records as rate-engine would send them (encoded and
 * decoded again, so digests are those of real bytes).
 */
#ifndef CM_TEST_WORLD_H
#define CM_TEST_WORLD_H

#include "catalog_fixture.h"
#include "private_postgres.h"
#include "store/documents/statement_store.h"
#include "store/runs/run_store.h"
#include "store/runs/switch.h"
#include "writer.h"

#include <criterion/criterion.h>

enum {
    WORLD_CHUNKS = 2,
    WORLD_BATCHES = 3,
    WORLD_SHARDS = 2,
    WORLD_RECORDS = WORLD_CHUNKS * (WORLD_BATCHES * WORLD_SHARDS + 1)
};

typedef struct world {
    char conninfo[256];
    cm_pg *pg;
    cm_clock clock;
    cm_writer writer;
    cm_arena *arena; /* records live here */
    cm_arena *merge;
    cm_error err;
    char catalog[CM_ID_HEX];
} world;

/* Clock at 2025-07-02T00:00:00Z; `catalog` YAML is in force; NULL: acme with ACCOUNT and bolt with OTHER under TDS and
 * ING. */
world *world_new(const char *catalog);
void world_free(world *w);
void must(world *w, bool done);                 /* fails the test with the error's text */
void world_catalog(world *w, const char *yaml); /* applied at once */
/* A second writer with a connection of its own. */
cm_writer world_replica(world *w);

/* A delivery (id: 32 times `digit`) of 2025-06 with WORLD_CHUNKS chunks; lane by payer. */
void add_delivery(world *w, const char *payer, char digit);
/* A run of it with the catalog in force; id: 31 times `digit` and `number`. Static. */
const char *add_run(world *w, const char *payer, char digit, int number);
const char *run_name(char digit, int number);

/* One charge of a handmade batch. Texts are literals. */
typedef struct hand_charge {
    const char *customer, *account, *class, *product, *currency, *payer, *sell, *buy;
    const char *reason, *line_item_type;
    bool not_final, derived;
} hand_charge;

typedef struct record {
    cm_rated rated;
    uint64_t digest;
} record;

/* A batch of these charges, one line each, and the end of its chunk with totals that fit `count` charges. */
record hand_batch(world *w, const char *run, uint32_t chunk, uint32_t sequence, uint32_t shard,
                  const hand_charge *charges, size_t count);
record hand_end(world *w, const char *run, uint32_t chunk, const hand_charge *charges, size_t count);
record end_of(world *w, const char *run, uint32_t chunk, const cm_chunk_end *end);

/* The records of a whole run: WORLD_RECORDS of them, ends last in each chunk. `variant` 1.. changes the amounts. */
void month(world *w, const char *run, int variant, record into[static WORLD_RECORDS]);

/* Applies records as one group; returns the outcome of the first. */
enum cm_apply_outcome apply(world *w, const record *records, size_t count);
/* Groups of `size`, checking completeness after each, as the worker does. */
void apply_all(world *w, cm_writer *writer, const record *records, size_t count, size_t size);
/* The same for a forked child, in which criterion's assertions hang. */
bool apply_all_quietly(cm_writer *writer, const record *records, size_t count, size_t size, cm_error *err);
/* A small run through to its end: one batch in chunk 1, chunk 2 empty. */
void run_through(world *w, const char *run, const hand_charge *charges, size_t count);

int64_t number(world *w, const char *sql);
const char *text_of(world *w, const char *sql); /* first column of the first row, "" if none; static, eight in turn */
const char *state(world *w, const char *run);
/* Every row and figure of the run's charges and days, as one digest. */
const char *fingerprint(world *w, const char *run);

#endif
