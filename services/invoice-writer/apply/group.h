/*
 * A group of records on its way into the database; private to this folder. apply.c calls runs, identity, parts and
 * progress in this order; those know each other through this struct only.
 */
#ifndef CM_WRITER_APPLY_GROUP_H
#define CM_WRITER_APPLY_GROUP_H

#include "writer.h"

/* A record of a running run. */
typedef struct cm_apply_item {
    cm_apply_record *record;
    const cm_rated_batch *batch; /* or NULL */
    const cm_chunk_end *end;     /* or NULL */
    uint32_t chunk;
    bool new; /* a batch that this transaction applies */
} cm_apply_item;

/* A chunk that the group touches: consecutive items, and what the new ones add. */
typedef struct cm_apply_chunk {
    const char *run;
    uint32_t chunk;
    size_t first, last;
    uint64_t lines, derived_lines, checksum;
    cm_cost *cost; /* in the arena */
    size_t costs;
} cm_apply_chunk;

typedef struct cm_apply {
    cm_writer *writer;
    cm_apply_record *records;
    size_t count;
    cm_arena *arena;
    cm_apply_item *items; /* sorted by run, chunk, batches before ends, sequence, shard */
    size_t item_count;
    cm_apply_chunk *chunks;
    size_t chunk_count;
    uint64_t lines, charges;
    /* set when a run must be stopped */
    const char *broken_run;
    const char *broken_code;
    char broken_text[512];
} cm_apply;

/* For a run that must be stopped: a failure of this attempt without an error of its own. Returns false. */
bool cm_apply_break(cm_apply *g, const char *run, const char *code, const char *format, ...) CM_PRINTF(4, 5);

/* runs.c: holds the running runs, makes the tables of their parts, and says of each record what is to be done. */
CM_NODISCARD bool cm_apply_hold_runs(cm_apply *g, cm_error *err);
/* group.c: items and chunks of the records that are to be applied. */
void cm_apply_list_items(cm_apply *g);
/* identity.c: inserts the batches' ids; what is there already is not new. */
CM_NODISCARD bool cm_apply_take_ids(cm_apply *g, cm_error *err);
/* parts.c: charges and days of the new batches are appended to the parts of their runs. */
CM_NODISCARD bool cm_apply_append_parts(cm_apply *g, cm_error *err);
/* progress.c: the counters of the chunks advance, and chunks end. */
CM_NODISCARD bool cm_apply_progress(cm_apply *g, cm_error *err);
CM_NODISCARD bool cm_apply_store_ends(cm_apply *g, cm_error *err);

#endif
