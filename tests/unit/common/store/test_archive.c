/* What the archive must keep, and what it may remove: the sources of documents are kept (I09, R11). */
#include "place.h"

#include "delivery/reading/reading.h"
#include "store/archive/archive_store.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64];

static cm_archive *archive_open(place *p)
{
    int removed;
    snprintf(folder, sizeof folder, "/tmp/curmill-archive-XXXXXX");
    cr_assert(mkdtemp(folder) != NULL);
    cm_archive *archive = cm_archive_open(folder, &p->err);
    MUST(archive && cm_archive_prepare(archive, &removed, &p->err));
    return archive;
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *where)
{
    (void)status, (void)kind, (void)where;
    return remove(path);
}

static void archive_close(cm_archive *archive)
{
    cm_archive_close(archive);
    nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static const char *delivery_of(place *p, const char *name)
{
    static char id[CM_ID_HEX];
    char sql[256];
    snprintf(sql, sizeof sql, "SELECT delivery_id FROM run WHERE id = '%s'", run_of(name));
    snprintf(id, sizeof id, "%s", ask(p, sql));
    return id;
}

static void add_chunk(place *p, const char *delivery, uint32_t chunk, const char *location)
{
    char number[16], path[96];
    snprintf(number, sizeof number, "%u", chunk);
    snprintf(path, sizeof path, "%s", location);
    const char *values[] = {delivery, number, path};
    MUST(cm_pg_query(
        p->pg,
        "INSERT INTO chunk (delivery_id, chunk, location, name, fingerprint) VALUES ($1, $2::int, $3, 'one.csv', 'f')",
        3, values, NULL, &p->err));
}

/* As ingest-cur does it. Static. */
static const char *keep(place *p, const cm_archive *archive, const char *delivery, uint32_t chunk, const char *text)
{
    static char digest[CM_SHA256_HEX];
    cm_archived_file file = {.writer = cm_archive_begin(archive, &p->err),
                             .delivery = delivery,
                             .fingerprint = "f",
                             .digest = digest,
                             .chunk = chunk};
    MUST(file.writer && cm_archive_write(file.writer, text, strlen(text), &p->err));
    MUST(cm_archive_finish(file.writer, digest, &file.bytes, &p->err));
    MUST(cm_store_archived(p->pg, &file, &p->err));
    cm_archive_writer_free(file.writer);
    return digest;
}

static void deliver_kept(place *p, const cm_archive *archive, const char *name, const char *charges, const char *text)
{
    deliver(p, name, true, charges);
    add_chunk(p, delivery_of(p, name), 1, "one.csv");
    keep(p, archive, delivery_of(p, name), 1, text);
}

static int removable(place *p)
{
    cm_rows *rows = NULL;
    MUST(cm_store_archive_removable(p->pg, &rows, &p->err));
    int count = cm_rows_count(rows);
    cm_rows_free(rows);
    return count;
}

static int sweep(place *p, const cm_archive *archive)
{
    cm_rows *rows = NULL;
    bool released;
    int files;
    int64_t bytes;
    MUST(cm_store_archive_removable(p->pg, &rows, &p->err));
    for (int i = 0; i < cm_rows_count(rows); i++) {
        MUST(cm_store_archive_release(p->pg, cm_rows_text(rows, i, 0), p->now, "maria", "test", &released, &p->err));
        cr_assert(released);
    }
    cm_rows_free(rows);
    MUST(cm_store_archive_remove(p->pg, archive, &files, &bytes, &p->err));
    return files;
}

#define V1 "('acme', '" ACCOUNT "', 'usage', 'AmazonEC2', 1, 10), ('zenith', '" OTHER "', 'usage', 'AmazonEC2', 1, 20)"
#define V2 "('acme', '" ACCOUNT "', 'usage', 'AmazonEC2', 1, 11), ('zenith', '" OTHER "', 'usage', 'AmazonEC2', 1, 21)"

Test(archive, I09_no_run_counts_without_the_copies_of_its_delivery)
{
    place *p = place_open();
    cm_archive *archive = archive_open(p);
    deliver(p, "v1", true, V1);
    add_chunk(p, delivery_of(p, "v1"), 1, "one.csv");
    MUST(cm_pg_execute(p->pg, "UPDATE delivery SET archive = true; UPDATE run SET state = 'running'", &p->err));
    for (int i = 0; i < 2; i++) {
        const char *to = i ? "UPDATE run SET state = 'correction'" : "UPDATE run SET state = 'current'";
        cr_assert_not(cm_pg_execute(p->pg, to, &p->err));
        cr_assert_eq(p->err.class, CM_ERROR_REFUSED);
        cr_assert(strstr(p->err.text, "not in the archive"), "%s", p->err.text);
    }
    keep(p, archive, delivery_of(p, "v1"), 1, "lines");
    MUST(cm_pg_execute(p->pg, "UPDATE run SET state = 'current'", &p->err));
    archive_close(archive);
    place_close(p);
}

Test(archive, a_copy_of_other_bytes_than_planned_is_not_named)
{
    place *p = place_open();
    cm_archive *archive = archive_open(p);
    deliver(p, "v1", true, V1);
    add_chunk(p, delivery_of(p, "v1"), 1, "one.csv");
    MUST(cm_pg_execute(p->pg, "UPDATE chunk SET fingerprint = 'another'", &p->err));
    keep(p, archive, delivery_of(p, "v1"), 1, "lines");
    EXPECT("SELECT archive_digest FROM chunk", "");
    archive_close(archive);
    place_close(p);
}

Test(archive, I09_sources_of_an_issued_or_approved_document_are_never_removed)
{
    place *p = place_open();
    cm_archive *archive = archive_open(p);
    int64_t bytes;
    char digest[CM_SHA256_HEX];
    deliver_kept(p, archive, "v1", V1, "lines of v1");
    snprintf(digest, sizeof digest, "%s", ask(p, "SELECT archive_digest FROM chunk"));
    cr_assert_eq(removable(p), 0, "it is current");
    deliver_kept(p, archive, "v2", V2, "lines of v2");
    EXPECT("SELECT string_agg(state, ' ' ORDER BY seq) FROM delivery", "superseded good");
    cr_assert_eq(removable(p), 1, "nothing rests on v1");
    char sql[256]; /* as after a switch, before the next build */
    snprintf(sql, sizeof sql,
             "UPDATE statement SET runs = ARRAY['%s'], state = 'approved', approved_by = 'x', approved_at = now()"
             " WHERE customer = 'zenith'",
             run_of("v1"));
    MUST(cm_pg_execute(p->pg, sql, &p->err));
    cr_assert_eq(removable(p), 0, "zenith's approved statement rests on v1");
    cr_assert_str_empty(change(p, CM_DOCUMENT_APPROVE, "acme", NULL));
    cr_assert_str_empty(change(p, CM_DOCUMENT_ISSUE, "acme", NULL));
    cr_assert_str_empty(change(p, CM_DOCUMENT_RETURN, "zenith", NULL));
    refresh(p);
    cr_assert_eq(removable(p), 1, "no document rests on v1 any more");
    deliver_kept(p, archive, "v3", V1, "lines of v3");
    cr_assert_eq(removable(p), 1, "acme's issued statement rests on v2");
    cr_assert_eq(sweep(p, archive), 1);
    EXPECT("SELECT string_agg((archive_digest <> '')::text, ' ' ORDER BY seq) FROM delivery d JOIN chunk c ON "
           "c.delivery_id = d.id",
           "false true true");
    cr_assert_not(cm_archive_check(archive, digest, &bytes, &p->err));
    cr_assert_eq(sweep(p, archive), 0);
    EXPECT("SELECT count(*) FROM audit WHERE action = 'delivery.archive_released' AND actor = 'maria'", "1");
    archive_close(archive);
    place_close(p);
}

Test(archive, a_file_of_another_delivery_stays)
{
    place *p = place_open();
    cm_archive *archive = archive_open(p);
    int64_t bytes;
    deliver_kept(p, archive, "v1", V1, "the same in both");
    add_chunk(p, delivery_of(p, "v1"), 2, "two.csv");
    keep(p, archive, delivery_of(p, "v1"), 2, "only in v1");
    deliver_kept(p, archive, "v2", V2, "the same in both");
    cr_assert_eq(sweep(p, archive), 1);
    EXPECT("SELECT count(*) FROM archive_removal", "0");
    MUST(cm_archive_check(archive, ask(p, "SELECT archive_digest FROM chunk WHERE archive_digest <> ''"), &bytes,
                          &p->err));
    archive_close(archive);
    place_close(p);
}

/* --- reading back ------------------------------------------------------------------------------------------------ */

static void read_text(place *p, const cm_archive *archive, const cm_run_chunk *chunk, bool wanted_archived,
                      const char *wanted)
{
    char text[64];
    size_t length;
    bool archived;
    cm_stream *stream = cm_delivery_open_chunk(archive, chunk, &archived, &p->err);
    MUST(stream != NULL);
    MUST(stream->read(stream, text, sizeof text, &length, &p->err));
    cr_assert_eq(archived, wanted_archived);
    cr_assert(length == strlen(wanted) && memcmp(text, wanted, length) == 0, "%.*s", (int)length, text);
    cm_stream_close(stream);
}

static void write_source(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    cr_assert(file != NULL);
    fputs(text, file);
    fclose(file);
}

Test(archive, R11_the_copy_is_read_when_the_source_has_changed)
{
    place *p = place_open();
    cm_archive *archive = archive_open(p);
    struct stat status;
    char source[96], path[128], fingerprint[64], location[] = "one.csv";
    cm_arena *arena = cm_arena_new(4096);
    snprintf(source, sizeof source, "%s/source", folder);
    snprintf(path, sizeof path, "%s/%s", source, location);
    cr_assert_eq(mkdir(source, 0777), 0);
    write_source(path, "lines of v1");
    cr_assert_eq(stat(path, &status), 0);
    snprintf(fingerprint, sizeof fingerprint, "%lld:%lld", (long long)status.st_size,
             (long long)status.st_mtim.tv_sec * 1000000000LL + status.st_mtim.tv_nsec);

    deliver(p, "v1", true, V1);
    add_chunk(p, delivery_of(p, "v1"), 1, location);
    const char *values[] = {fingerprint, source};
    cm_run_chunk chunk;
    MUST(cm_pg_query(p->pg, "UPDATE chunk SET fingerprint = $1 RETURNING $2::text", 2, values, NULL, &p->err));
    MUST(cm_pg_query(p->pg, "UPDATE delivery SET source = jsonb_build_object('type', 'folder', 'path', $1::text)::text",
                     1, values + 1, NULL, &p->err));
    MUST(cm_store_run_chunk(p->pg, run_of("v1"), 1, arena, &chunk, &p->err));
    read_text(p, archive, &chunk, false, "lines of v1"); /* no copy: the source */

    char digest[CM_SHA256_HEX];
    cm_archived_file file = {.writer = cm_archive_begin(archive, &p->err),
                             .delivery = chunk.delivery,
                             .fingerprint = fingerprint,
                             .digest = digest,
                             .chunk = 1};
    MUST(cm_archive_write(file.writer, "lines of v1", 11, &p->err) &&
         cm_archive_finish(file.writer, digest, &file.bytes, &p->err));
    MUST(cm_store_archived(p->pg, &file, &p->err));
    cm_archive_writer_free(file.writer);
    MUST(cm_store_run_chunk(p->pg, run_of("v1"), 1, arena, &chunk, &p->err));
    write_source(path, "others of v2");
    read_text(p, archive, &chunk, true, "lines of v1");

    cr_assert_null(cm_delivery_open_chunk(NULL, &chunk, NULL, &p->err));
    cr_assert_str_eq(p->err.code, "CHANGED");
    cr_assert(strstr(p->err.text, "archive.path is not set"), "%s", p->err.text);
    int64_t bytes;
    MUST(cm_archive_remove(archive, digest, &bytes, &p->err));
    cr_assert_null(cm_delivery_open_chunk(archive, &chunk, NULL, &p->err)); /* neither has it: both are reported */
    cr_assert_str_eq(p->err.code, "CHANGED");
    cr_assert(strstr(p->err.text, digest), "%s", p->err.text);
    cm_arena_free(arena);
    archive_close(archive);
    place_close(p);
}
