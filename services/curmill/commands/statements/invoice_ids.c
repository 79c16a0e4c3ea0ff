#include "commands/statements/invoice_ids.h"

#include "billing/export/invoice_ids.h"
#include "delivery/reading/reading.h"
#include "store/archive/archive_store.h"

#include <stdlib.h>

static bool read_chunk(const cm_archive *archive, cm_invoice_sums *sums, const cm_run_chunk *chunk, cm_error *err)
{
    cm_place place;
    cm_reader *reader = cm_delivery_read_chunk(archive, chunk, &place, err);
    if (!reader)
        return cm_fail_context(err, "%s, row %llu", chunk->name, (unsigned long long)place.row);
    bool done = cm_invoice_sums_file(sums, reader, chunk->name, err);
    cm_reader_free(reader);
    return done;
}

bool invoice_ids_load(cm_pg *pg, const cm_archive *archive, const char *run, const cm_invoice_format *format,
                      const char *currency, cm_arena *arena, cm_expected **ret, size_t *ret_count, int64_t *ret_without,
                      cm_error *err)
{
    cm_invoice_sums s = {.format = format, .currency = currency, .arena = arena};
    cm_rows *rows = NULL;
    if (!cm_pg_query(pg, "SELECT chunk FROM run_chunk WHERE run_id = $1 ORDER BY chunk", 1, (const char *[]){run},
                     &rows, err))
        return false;
    bool done = true;
    for (int i = 0; done && i < cm_rows_count(rows); i++) {
        cm_run_chunk chunk;
        done = cm_store_run_chunk(pg, run, (uint32_t)cm_rows_i64(rows, i, 0), arena, &chunk, err) &&
               read_chunk(archive, &s, &chunk, err);
    }
    cm_rows_free(rows);
    if (!done) {
        free(s.list);
        return false;
    }
    *ret = s.list;
    *ret_count = s.count;
    *ret_without = s.without;
    return true;
}
