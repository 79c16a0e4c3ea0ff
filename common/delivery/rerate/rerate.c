#include "delivery/rerate/rerate.h"

#include "billing/aggregate/rate_batch.h"
#include "billing/cur/reader.h"
#include "billing/rating/needs.h"
#include "delivery/reading/reading.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>

enum { CHARGES_MAX = 50000, ARENA_BYTES = 1 << 20, THREADS_MAX = 16, PROGRESS_MS = 250 };

typedef struct work {
    const cm_rerate *order;
    pthread_mutex_t lock; /* protects everything below, and calls of `take` and `progress` */
    size_t next, files_done;
    uint64_t lines_done;
    int64_t reported_ms;
    bool failed;
    cm_error error;
} work;

/* A file that one thread is processing. */
typedef struct reading {
    work *work;
    const cm_rerate_file *file;
    cm_arena *batch_arena; /* of the current batch */
    cm_arena *merge_arena; /* of the charges not passed on yet */
    cm_merge merge;
    cm_place place;
    uint64_t lines, checksum;
} reading;

/* --- charges ----------------------------------------------------------------------------------------------------- */

static cm_slice *texts_of(cm_charge *charge)
{
    return &charge->customer; /* the thirteen key texts come first (rated_batch.h) */
}
enum { KEY_TEXTS = 13 };
_Static_assert(offsetof(cm_charge, lines) == KEY_TEXTS * sizeof(cm_slice),
               "a charge begins with its thirteen key texts");

/* What was added lives in the batch's arena: its texts move to the merge's. */
static void keep_texts(reading *r, size_t from)
{
    for (size_t i = from; i < r->merge.charges.count; i++) {
        cm_slice *text = texts_of(&r->merge.charge[i].charge);
        for (int k = 0; k < KEY_TEXTS; k++)
            if (text[k].length)
                text[k].text = cm_arena_strndup(r->merge_arena, text[k].text, text[k].length);
    }
}

static bool hand_over(reading *r, cm_error *err)
{
    bool done = true;
    if (r->merge.charges.count) {
        pthread_mutex_lock(&r->work->lock);
        done = r->work->order->take(r->work->order->opaque, r->file, &r->merge, err);
        pthread_mutex_unlock(&r->work->lock);
    }
    cm_arena_reset(r->merge_arena);
    cm_merge_init(&r->merge, r->merge_arena);
    return done;
}

static bool add_charges(reading *r, cm_rated_batch *batch, cm_error *err)
{
    size_t known = r->merge.charges.count;
    for (size_t i = 0; i < batch->charges; i++)
        batch->charge[i].line_item_type = batch->charge[i].operation = batch->charge[i].region = (cm_slice){0};
    batch->days = 0;
    r->lines += batch->lines;
    r->checksum += batch->checksum;
    if (!cm_merge_add(&r->merge, batch, err))
        return false;
    keep_texts(r, known);
    return r->merge.charges.count < CHARGES_MAX || hand_over(r, err);
}

/* --- lines ------------------------------------------------------------------------------------------------------- */

/* False: another thread has failed. */
static bool report_progress(work *w, uint64_t lines, size_t files)
{
    pthread_mutex_lock(&w->lock);
    w->lines_done += lines;
    w->files_done += files;
    int64_t now = cm_monotonic_milliseconds();
    if (w->order->progress && (files || now - w->reported_ms >= PROGRESS_MS)) {
        w->order->progress(w->order->opaque, w->files_done, w->lines_done);
        w->reported_ms = now;
    }
    bool goes_on = !w->failed;
    pthread_mutex_unlock(&w->lock);
    return goes_on;
}

static bool rate_batch(reading *r, cm_batch_builder *builder, cm_error *err)
{
    const uint8_t *bytes;
    size_t length;
    uint32_t sequence;
    cm_ingested ingested;
    cm_rated_shards shards;
    uint64_t row = 0;
    cm_arena_reset(r->batch_arena);
    cm_batch_builder_take(builder, &bytes, &length, &sequence);
    if (!cm_ingested_decode(bytes, length, r->batch_arena, &ingested, err))
        return false;
    if (!cm_rate_batch(r->file->rater, &ingested.batch, 1, r->batch_arena, &shards, &row, err)) {
        r->place.row = row;
        return false;
    }
    for (size_t i = 0; i < shards.count; i++)
        if (!add_charges(r, &shards.batch[i], err))
            return false;
    return report_progress(r->work, shards.lines, 0) || cm_fail(err, CM_ERROR_RETRY, "GIVEN_UP", "another file failed");
}

static bool rate_lines(reading *r, cm_reader *reader, cm_batch_builder *builder, cm_error *err)
{
    const cm_line *line;
    for (;;) {
        bool full = false;
        if (!cm_reader_next(reader, &line, &r->place, err))
            return false;
        if (!line)
            break;
        r->place.row = line->row;
        if (!cm_batch_builder_add(builder, line, &full, err) || (full && !rate_batch(r, builder, err)))
            return false;
    }
    r->place = (cm_place){0};
    if (cm_reader_has_usage(reader) && !cm_rater_check_columns(r->file->rater, reader, &r->place, err))
        return false;
    if (!cm_batch_builder_empty(builder) && !rate_batch(r, builder, err))
        return false;
    if (r->lines != r->file->lines || r->checksum != r->file->checksum)
        return cm_fail(err, CM_ERROR_REFUSED, "CHANGED",
                       "the file is no longer the one that run %s read (%" PRIu64 " lines now, %" PRIu64 " then)",
                       r->file->chunk.run, r->lines, r->file->lines);
    return hand_over(r, err);
}

/* --- files ------------------------------------------------------------------------------------------------------- */

static bool rate_file(reading *r, cm_error *err)
{
    uint8_t run[CM_ID_BYTES];
    bool done = cm_id_bytes(r->file->chunk.run, run);
    cm_assert(done);
    r->place = (cm_place){0};
    r->lines = r->checksum = 0;
    cm_reader *reader = cm_delivery_read_chunk(r->work->order->archive, &r->file->chunk, &r->place, err);
    done = false;
    if (reader) {
        cm_batch_builder *builder = cm_batch_builder_new(run, r->file->chunk.chunk, CM_BATCH_ROWS);
        done = rate_lines(r, reader, builder, err);
        cm_batch_builder_free(builder);
        cm_reader_free(reader);
    }
    if (done)
        return true;
    if (r->place.row)
        return cm_fail_context(err, "payer %s, file %s, row %" PRIu64 "%s%s", r->file->chunk.payer, r->file->chunk.name,
                               r->place.row, *r->place.column ? ", column " : "", r->place.column);
    return cm_fail_context(err, "payer %s, file %s", r->file->chunk.payer, r->file->chunk.name);
}

static const cm_rerate_file *next_file(work *w)
{
    pthread_mutex_lock(&w->lock);
    const cm_rerate_file *file = !w->failed && w->next < w->order->count ? &w->order->files[w->next++] : NULL;
    pthread_mutex_unlock(&w->lock);
    return file;
}

static void record_failure(work *w, const cm_error *error)
{
    pthread_mutex_lock(&w->lock);
    if (!w->failed)
        w->error = *error;
    w->failed = true;
    pthread_mutex_unlock(&w->lock);
}

static void *run(void *opaque)
{
    work *w = opaque;
    reading r = {.work = w, .batch_arena = cm_arena_new(ARENA_BYTES), .merge_arena = cm_arena_new(ARENA_BYTES)};
    cm_merge_init(&r.merge, r.merge_arena);
    for (;;) {
        cm_error error = {0};
        r.file = next_file(w);
        if (!r.file)
            break;
        if (!rate_file(&r, &error)) {
            record_failure(w, &error);
            break;
        }
        (void)report_progress(w, 0, 1);
    }
    cm_arena_free(r.batch_arena);
    cm_arena_free(r.merge_arena);
    return NULL;
}

bool cm_rerate_files(const cm_rerate *order, cm_error *err)
{
    work w = {.order = order, .lock = PTHREAD_MUTEX_INITIALIZER};
    pthread_t thread[THREADS_MAX];
    int started = 0;
    cm_assert(order->threads >= 1);
    while (started + 1 < order->threads && started < THREADS_MAX &&
           pthread_create(&thread[started], NULL, run, &w) == 0)
        started++;
    run(&w); /* this thread works too, and alone if no other can be created */
    for (int i = 0; i < started; i++)
        pthread_join(thread[i], NULL);
    pthread_mutex_destroy(&w.lock);
    if (w.failed)
        *err = w.error;
    return !w.failed;
}
