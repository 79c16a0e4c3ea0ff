/* Reading the runs of a document again, file by file, for billing/export. */
#include "commands/statements/export_lines.h"

#include "delivery/reading/reading.h"
#include "store/catalog/link_store.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

/* Opens the chunk and hands it over. */
static bool read_chunk(const export_order *order, cm_line_export *lines, const cm_run_chunk *chunk, cm_rater *rater,
                       cm_error *err)
{
    cm_place place;
    char run[16];
    snprintf(run, sizeof run, "%.12s", chunk->run);
    const cm_export_file file = {.reader = cm_delivery_read_chunk(order->archive, chunk, &place, err),
                                 .rater = rater,
                                 .name = chunk->name,
                                 .run = run,
                                 .chunk = chunk->chunk};
    if (!file.reader)
        return place.row ? cm_fail_context(err, "file %s, row %" PRIu64, chunk->name, place.row)
                         : cm_fail_context(err, "file %s", chunk->name);
    bool done = cm_line_export_file(lines, &file, err);
    cm_reader_free(file.reader);
    return done;
}

static bool read_run(export_order *order, cm_line_export *lines, const char *run, int chunks, cm_error *err)
{
    cm_catalog *catalog = NULL;
    cm_rater *rater = NULL;
    bool done = true, shows = isatty(STDERR_FILENO) && !order->c->quiet;
    for (int chunk = 1; done && chunk <= chunks; chunk++) {
        cm_run_chunk facts;
        cm_arena *arena = cm_arena_new(16 * 1024);
        done = cm_store_run_chunk(order->c->pg_, run, (uint32_t)chunk, arena, &facts, err);
        if (done && !catalog)
            done = cm_store_snapshot_load(order->c->pg_, facts.catalog, facts.links, &catalog, err) &&
                   (rater = cm_rater_new(catalog, facts.payer, facts.period, err));
        if (done && shows)
            fprintf(stderr, "\rpayer %s: file %d of %d, %" PRIu64 " lines", facts.payer, chunk, chunks,
                    order->to.lines);
        done = done && read_chunk(order, lines, &facts, rater, err);
        cm_arena_free(arena);
    }
    if (shows)
        fputc('\n', stderr);
    cm_rater_free(rater);
    cm_catalog_free(catalog);
    return done;
}

bool export_lines(export_order *order, cm_error *err)
{
    cm_rows *rows = NULL;
    if (!cm_pg_query(order->c->pg_,
                     "SELECT id, chunks, engine_version FROM run WHERE id = ANY ($1::text[]) ORDER BY payer, id", 1,
                     (const char *[]){order->document->runs}, &rows, err))
        return false;
    cm_line_export *lines = cm_line_export_new(&order->to);
    bool done = true;
    for (int i = 0; done && i < cm_rows_count(rows); i++) {
        const char *run = cm_rows_text(rows, i, 0);
        order->other_engine |= strcmp(cm_rows_text(rows, i, 2), cm_engine_version()) != 0;
        done = read_run(order, lines, run, (int)cm_rows_i64(rows, i, 1), err);
    }
    cm_line_export_free(lines);
    cm_rows_free(rows);
    return done;
}
