/* archive list | verify | sweep: the copies of deliveries that documents rest on. */
#include "cli/cli.h"
#include "commands/commands.h"

#include "store/archive/archive_store.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The archive, which these commands need. */
static const cm_archive *needed_archive(cli *c, int *ret_exit)
{
    cm_error err = {0};
    const cm_archive *archive = NULL;
    if (!cli_archive(c, &archive, ret_exit) || archive)
        return archive;
    cm_fail(
        &err, CM_ERROR_INVALID, "NO_ARCHIVE",
        "no archive is configured: give --archive.path, CURMILL_ARCHIVE_PATH or `archive.path = ...` in --config FILE, as "
        "ingest-cur has it");
    *ret_exit = cli_fail(c, &err);
    return NULL;
}

/* --- list ------------------------------------------------------------------------------------------------------ */

int cmd_archive_list(cli *c)
{
    static const cli_column columns[] = {{"delivery", CLI_TEXT},   {"payer", CLI_TEXT},   {"period", CLI_TEXT},
                                         {"report", CLI_TEXT},     {"state", CLI_TEXT},   {"files", CLI_NUMBER},
                                         {"copies", CLI_NUMBER},   {"bytes", CLI_NUMBER}, {"manifest", CLI_BOOLEAN},
                                         {"documents", CLI_NUMBER}};
    const char *values[] = {cli_value(c, "payer"), cli_value(c, "period")};
    return cli_query_print(
        c, columns, 10,
        "SELECT d.id, d.payer, d.period, d.report, d.state, count(k.chunk), count(k.chunk) FILTER (WHERE "
        "k.archive_digest <> ''),"
        " coalesce(sum(k.archive_bytes), 0), d.manifest_archived,"
        " (SELECT count(*) FROM statement s WHERE s.state IN ('approved', 'issued')"
        "   AND s.runs && ARRAY (SELECT r.id FROM run r WHERE r.delivery_id = d.id))"
        " FROM delivery d LEFT JOIN chunk k ON k.delivery_id = d.id WHERE ($1::text IS NULL OR d.payer = $1)"
        " AND ($2::text IS NULL OR d.period = $2) GROUP BY d.id ORDER BY d.seq",
        2, values);
}

/* --- verify ---------------------------------------------------------------------------------------------------- */

typedef struct verifying {
    cli *c;
    const cm_archive *archive;
    cli_table *table;
    int bad;
    cm_error err; /* the archive is away */
} verifying;

static bool verify_file(verifying *v, const cm_rows *rows, int row)
{
    cm_error why = {0};
    int64_t bytes = 0;
    char number[24];
    bool good = cm_archive_check(v->archive, cm_rows_text(rows, row, 4), &bytes, &why);
    if (!good && why.class == CM_ERROR_RETRY) {
        v->err = why;
        return false;
    }
    snprintf(number, sizeof number, "%" PRId64, bytes);
    const char *cells[] = {cm_rows_text(rows, row, 0), cm_rows_text(rows, row, 1), cm_rows_text(rows, row, 2),
                           cm_rows_text(rows, row, 3), cm_rows_text(rows, row, 4), number,
                           good ? "t" : "f",           good ? "" : why.text};
    cli_table_add(v->table, cells);
    if (!good) {
        v->bad++;
        cli_put(stderr, "curmill: delivery %s of payer %s for %s, file %s: %s\n", cells[0], cells[1], cells[2],
                cells[3], why.text);
    }
    return true;
}

static int by_digest(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

typedef struct strangers {
    const char **known; /* sorted */
    size_t count;
    int64_t files, bytes;
} strangers;

static bool count_stranger(void *opaque, const char *digest, int64_t bytes)
{
    strangers *s = opaque;
    bool known = s->count && bsearch(&digest, s->known, s->count, sizeof *s->known, by_digest);
    s->files += !known;
    s->bytes += known ? 0 : bytes;
    return true;
}

/* Files that no delivery names: of a writer that was killed between placing and naming, or of another database. They do
 * no harm. */
static bool note_strangers(verifying *v, const cm_rows *rows)
{
    strangers s = {.known = cm_alloc(((size_t)cm_rows_count(rows) + 1) * sizeof *s.known)};
    for (int row = 0; row < cm_rows_count(rows); row++)
        s.known[s.count++] = cm_rows_text(rows, row, 4);
    if (s.count)
        qsort(s.known, s.count, sizeof *s.known, by_digest);
    bool done = cm_archive_each(v->archive, count_stranger, &s, &v->err);
    if (done && s.files)
        cli_note(v->c, "%" PRId64 " files with %" PRId64 " bytes in %s do not belong to any delivery of this database",
                 s.files, s.bytes, cm_archive_path(v->archive));
    free(s.known);
    return done;
}

int cmd_archive_verify(cli *c)
{
    static const cli_column columns[] = {{"delivery", CLI_TEXT}, {"payer", CLI_TEXT},  {"period", CLI_TEXT},
                                         {"file", CLI_TEXT},     {"digest", CLI_TEXT}, {"bytes", CLI_NUMBER},
                                         {"good", CLI_BOOLEAN},  {"error", CLI_TEXT}};
    int exit_code = 0;
    cm_rows *rows = NULL;
    const char *values[] = {cli_value(c, "payer"), cli_value(c, "period")};
    verifying v = {.c = c, .archive = needed_archive(c, &exit_code)};
    if (!v.archive || !cli_pg(c, &exit_code))
        return exit_code;
    if (!cm_pg_query(
            c->pg_,
            "SELECT d.id, d.payer, d.period, f.name, f.digest FROM delivery d CROSS JOIN LATERAL ("
            "   SELECT k.chunk, k.name, k.archive_digest AS digest FROM chunk k WHERE k.delivery_id = d.id AND "
            "k.archive_digest <> ''"
            "   UNION ALL SELECT 0, d.manifest, d.manifest_digest WHERE d.manifest_archived) f"
            " WHERE ($1::text IS NULL OR d.payer = $1) AND ($2::text IS NULL OR d.period = $2) ORDER BY d.seq, f.chunk",
            2, values, &rows, &v.err))
        return cli_fail(c, &v.err);
    v.table = cli_table_new(columns, 8);
    bool done = true;
    for (int row = 0; done && row < cm_rows_count(rows); row++)
        done = verify_file(&v, rows, row);
    if (done && !values[0] && !values[1])
        done = note_strangers(&v, rows);
    cm_rows_free(rows);
    if (!done) {
        cli_table_free(v.table);
        return cli_fail(c, &v.err);
    }
    cli_table_print(c, v.table);
    return v.bad ? 2 : 0;
}

/* --- sweep ----------------------------------------------------------------------------------------------------- */

/* Releases each of the deliveries; those that were meanwhile begun to be rested on are left. */
static bool release_all(cli *c, const cm_rows *rows, cli_table *table, cm_error *err)
{
    const char *by = cli_value(c, "by");
    for (int row = 0; row < cm_rows_count(rows); row++) {
        bool released = true;
        const char *cells[7];
        for (int i = 0; i < 7; i++)
            cells[i] = cm_rows_text(rows, row, i);
        if (!cli_switch(c, "dry-run") &&
            !cm_store_archive_release(c->pg_, cells[0], cli_now(c), by ? by : "archive sweep",
                                      "no document rests on it", &released, err))
            return false;
        if (released)
            cli_table_add(table, cells);
    }
    return true;
}

int cmd_archive_sweep(cli *c)
{
    static const cli_column columns[] = {{"delivery", CLI_TEXT}, {"payer", CLI_TEXT}, {"period", CLI_TEXT},
                                         {"report", CLI_TEXT},   {"state", CLI_TEXT}, {"files", CLI_NUMBER},
                                         {"bytes", CLI_NUMBER}};
    int exit_code = 0, files = 0;
    int64_t bytes = 0;
    cm_error err = {0};
    cm_rows *rows = NULL;
    const cm_archive *archive = needed_archive(c, &exit_code);
    if (!archive || !cli_pg(c, &exit_code))
        return exit_code;
    if (!cm_store_archive_removable(c->pg_, &rows, &err))
        return cli_fail(c, &err);
    cli_table *table = cli_table_new(columns, 7);
    bool done = release_all(c, rows, table, &err);
    cm_rows_free(rows);
    if (done && !cli_switch(c, "dry-run")) {
        done = cm_store_archive_remove(c->pg_, archive, &files, &bytes, &err);
        if (done)
            cli_note(c, "%d files with %" PRId64 " bytes were removed from %s", files, bytes, cm_archive_path(archive));
    }
    if (!done) {
        cli_table_free(table);
        return cli_fail(c, &err);
    }
    return cli_table_print(c, table);
}
