/* The runs that the records of a group belong to. */
#include "apply/group.h"

#include "platform/postgres/array.h"

#include <stdlib.h>

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The group's run ids, sorted, each once. */
static size_t distinct_runs(const cm_apply *g, const char **into)
{
    size_t distinct = 0;
    for (size_t i = 0; i < g->count; i++)
        into[i] = g->records[i].run;
    qsort(into, g->count, sizeof *into, by_text);
    for (size_t i = 0; i < g->count; i++) {
        if (distinct == 0 || strcmp(into[distinct - 1], into[i]) != 0)
            into[distinct++] = into[i];
    }
    return distinct;
}

static void set_outcomes(cm_apply *g, const cm_rows *rows, int row, const char *run)
{
    bool known = row >= 0, running = known && !cm_rows_null(rows, row, 1);
    for (size_t i = 0; i < g->count; i++) {
        cm_apply_record *record = &g->records[i];
        if (strcmp(record->run, run) != 0)
            continue;
        record->outcome = running ? CM_APPLY_DONE : known ? CM_APPLY_SKIPPED : CM_APPLY_UNKNOWN_RUN;
        if (known)
            continue;
        cm_error *why = cm_arena_zalloc(g->arena, sizeof *why);
        cm_fail(why, CM_ERROR_NOT_FOUND, "NO_RUN", "there is no run %s in the database", run);
        record->why = why;
    }
}

bool cm_apply_hold_runs(cm_apply *g, cm_error *err)
{
    const char **runs = cm_arena_alloc(g->arena, g->count * sizeof *runs);
    size_t distinct = distinct_runs(g, runs);
    cm_buffer ids = {0};
    cm_rows *rows = NULL;
    for (size_t i = 0; i < distinct; i++)
        cm_array_text(&ids, runs[i]);
    const char *values[] = {cm_array_end(&ids)};
    bool done =
        cm_pg_query(g->writer->pg,
                    "WITH held AS MATERIALIZED (SELECT id FROM run WHERE id = ANY ($1::text[]) AND state = 'running'"
                    "   ORDER BY id FOR SHARE),"
                    " made AS MATERIALIZED (SELECT id, curmill_run_parts(id) FROM held)"
                    " SELECT r.id, m.id FROM run r LEFT JOIN made m ON m.id = r.id WHERE r.id = ANY ($1::text[])",
                    1, values, &rows, err);
    cm_buffer_free(&ids);
    if (!done)
        return false;
    for (size_t i = 0; i < distinct; i++) {
        int row = cm_rows_count(rows) - 1;
        while (row >= 0 && strcmp(cm_rows_text(rows, row, 0), runs[i]) != 0)
            row--;
        set_outcomes(g, rows, row, runs[i]);
    }
    cm_rows_free(rows);
    return true;
}
