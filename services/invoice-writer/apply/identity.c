/* Which batches are new: their ids are inserted, and a known id must come with the same digest. */
#include "apply/group.h"

#include "platform/postgres/array.h"

static bool same_id(const cm_apply_item *a, const cm_apply_item *b)
{
    return a->batch && b->batch && a->chunk == b->chunk && a->batch->sequence == b->batch->sequence &&
           a->batch->shard == b->batch->shard && strcmp(a->record->run, b->record->run) == 0;
}

static bool other_digest(cm_apply *g, const cm_apply_item *i)
{
    return cm_apply_break(
        g, i->record->run, "DETERMINISM_BROKEN",
        "chunk %u, batch %u, shard %u arrived twice with different content: find out which worker (version) made it, then run `curmill run start --payer PAYER --period YYYY-MM`",
        i->chunk, i->batch->sequence, i->batch->shard);
}

/* Marks the first of equal ids inside the group; false: the same id with two contents. */
static bool first_of_equals(cm_apply *g)
{
    for (size_t i = 0; i < g->item_count; i++) {
        cm_apply_item *it = &g->items[i];
        it->new = it->batch != NULL;
        if (i == 0 || !same_id(it, it - 1))
            continue;
        if (it->record->digest != it[-1].record->digest)
            return other_digest(g, it);
        it->new = false;
        it->record->outcome = CM_APPLY_KNOWN;
    }
    return true;
}

enum { ID_COLUMNS = 6 };

static void id_arrays(const cm_apply *g, cm_buffer array[static ID_COLUMNS], const char *values[static ID_COLUMNS])
{
    for (size_t i = 0; i < g->item_count; i++) {
        const cm_apply_item *it = &g->items[i];
        if (!it->new)
            continue;
        cm_array_text(&array[0], it->record->run);
        cm_array_u64(&array[1], it->chunk);
        cm_array_u64(&array[2], it->batch->sequence);
        cm_array_u64(&array[3], it->batch->shard);
        cm_array_i64(&array[4], (int64_t)it->record->digest);
        cm_array_u64(&array[5], it->batch->lines);
    }
    for (int c = 0; c < ID_COLUMNS; c++)
        values[c] = cm_array_end(&array[c]);
}

/* `rows`: the ids that were inserted, in the order of the items. Returns how many were there already. */
static size_t mark_inserted(cm_apply *g, const cm_rows *rows)
{
    int row = 0;
    size_t there = 0;
    for (size_t i = 0; i < g->item_count; i++) {
        cm_apply_item *it = &g->items[i];
        if (!it->new)
            continue;
        it->new = row < cm_rows_count(rows) &&
                  cm_rows_i64(rows, row, 1) == it->chunk &&cm_rows_i64(rows, row, 2) ==
                      it->batch->sequence &&cm_rows_i64(rows, row, 3) ==
                      it->batch->shard &&strcmp(cm_rows_text(rows, row, 0), it->record->run) == 0;
        row += it->new;
        if (it->new)
            continue;
        it->record->outcome = CM_APPLY_KNOWN;
        there++;
    }
    cm_assert(row == cm_rows_count(rows));
    return there;
}

/* `rows`: ids that were there already, with their digests. */
static bool compare_digests(cm_apply *g, const cm_rows *rows)
{
    for (int row = 0; row < cm_rows_count(rows); row++) {
        const cm_apply_item *it = &g->items[cm_rows_i64(rows, row, 0)];
        if ((uint64_t)cm_rows_i64(rows, row, 1) != it->record->digest)
            return other_digest(g, it);
    }
    return true;
}

/* A statement of its own: it sees what another transaction committed while the insertion waited for it. */
static bool check_known(cm_apply *g, cm_error *err)
{
    cm_buffer array[5] = {0};
    const char *values[5];
    for (size_t i = 0; i < g->item_count; i++) {
        const cm_apply_item *it = &g->items[i];
        if (!it->batch || it->new)
            continue;
        cm_array_u64(&array[0], i);
        cm_array_text(&array[1], it->record->run);
        cm_array_u64(&array[2], it->chunk);
        cm_array_u64(&array[3], it->batch->sequence);
        cm_array_u64(&array[4], it->batch->shard);
    }
    for (int c = 0; c < 5; c++)
        values[c] = cm_array_end(&array[c]);
    cm_rows *rows = NULL;
    bool done = cm_pg_query(
        g->writer->pg,
        "SELECT v.n, a.digest FROM unnest($1::int[], $2::text[], $3::int[], $4::int[], $5::int[])"
        " v (n, run_id, chunk, sequence, shard) JOIN applied_batch a USING (run_id, chunk, sequence, shard)",
        5, values, &rows, err);
    for (int c = 0; c < 5; c++)
        cm_buffer_free(&array[c]);
    if (!done)
        return false;
    done = compare_digests(g, rows);
    cm_rows_free(rows);
    return done;
}

bool cm_apply_take_ids(cm_apply *g, cm_error *err)
{
    if (!first_of_equals(g))
        return false;
    cm_buffer array[ID_COLUMNS] = {0};
    const char *values[ID_COLUMNS];
    cm_rows *rows = NULL;
    id_arrays(g, array, values);
    bool done =
        cm_pg_query(g->writer->pg,
                    "INSERT INTO applied_batch (run_id, chunk, sequence, shard, digest, lines)"
                    " SELECT * FROM unnest($1::text[], $2::int[], $3::int[], $4::int[], $5::bigint[], $6::bigint[])"
                    " ON CONFLICT DO NOTHING RETURNING run_id, chunk, sequence, shard",
                    ID_COLUMNS, values, &rows, err);
    for (int c = 0; c < ID_COLUMNS; c++)
        cm_buffer_free(&array[c]);
    if (!done)
        return false;
    size_t there = mark_inserted(g, rows);
    cm_rows_free(rows);
    return there == 0 || check_known(g, err);
}
