/*
 * Rates files of deliveries again in this process, with the reader, the batches, the rater and the merge of the
 * workers, in a few threads, one file each. Memory is bounded: charges are passed on when there are many.
 */
#ifndef CM_RERATE_RERATE_H
#define CM_RERATE_RERATE_H

#include "billing/aggregate/merge.h"
#include "billing/rating/rating.h"
#include "delivery/reading/reading.h"
#include "platform/archive/archive.h"

/* A file of a run, and what the run read in it. */
typedef struct cm_rerate_file {
    cm_run_chunk chunk;       /* texts are the caller's */
    const cm_rater *rater;    /* may be shared by files */
    uint64_t lines, checksum; /* control totals: what is read must be the same */
} cm_rerate_file;

typedef struct cm_rerate {
    const cm_rerate_file *files;
    size_t count;
    int threads;               /* at least 1 */
    const cm_archive *archive; /* copies of deliveries are read first; NULL: none is configured */
    /*
     * Charges of a file: the same key may come repeatedly, and sums add up. Never called by two threads at once, but by
     * any of them. Line item type, operation, region and the example's place are left empty, days are not added up.
     */
    bool (*take)(void *opaque, const cm_rerate_file *file, const cm_merge *merge, cm_error *err);
    /* Called from time to time, like `take`; NULL: not needed. */
    void (*progress)(void *opaque, size_t files_done, uint64_t lines_done);
    void *opaque;
} cm_rerate;

/* The first error stops everything. Errors of a file name it, and row and column if one is the cause. REFUSED
 * (CHANGED): a file differs from what the run read. */
CM_NODISCARD bool cm_rerate_files(const cm_rerate *order, cm_error *err);

#endif
