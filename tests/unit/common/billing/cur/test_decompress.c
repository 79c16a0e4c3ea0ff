/* gzip and zip: members, damage, padding (RFC 1952; formats.md section 1). */
#include "support.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* Some megabytes of rows, so that blocks, windows and input buffers all end somewhere within. */
static cm_buffer report(size_t rows, uint64_t seed)
{
    cm_buffer text = {0};
    test_random random = {seed};
    cm_buffer_text(&text, HEADER "\n");
    for (size_t i = 0; i < rows; i++)
        cm_buffer_printf(&text,
                         ROW_START
                         "2025-06-%02uT%02u:00:00Z,P%u,u%u,o,%u.%u,USD,%u.%uE-%u,\"a \"\"b\"\"\n%s,\",r,,s,1,u,%s\n",
                         1 + test_below(&random, 30), test_below(&random, 24), test_below(&random, 9),
                         test_below(&random, 500), test_below(&random, 99999), test_below(&random, 99999),
                         1 + test_below(&random, 9), test_below(&random, 99999), test_below(&random, 12),
                         test_below(&random, 2) ? "" : "\r\n", test_below(&random, 9) ? "" : "arn");
    return text;
}

struct result {
    int64_t lines; /* -1: err */
    uint64_t checksum;
    cm_decimal cost;
    cm_place place;
    cm_error err;
};

static struct result read_stream(cm_stream *stream, enum cm_compression compression)
{
    struct result r = {0};
    const cm_line *line;
    cm_reader *reader = cm_reader_new(stream, compression, PAYER, (cm_period){2025, 6}, &r.place, &r.err);
    if (!reader) {
        r.lines = -1;
        return r;
    }
    bool ok;
    while ((ok = cm_reader_next(reader, &line, &r.place, &r.err)) && line) {
        r.lines++;
        r.checksum += line->checksum;
        cr_assert(cm_decimal_accumulate(&r.cost, line->cost));
    }
    if (!ok)
        r.lines = -1;
    cm_reader_free(reader);
    cr_assert_eq(test_open_streams(), 0);
    return r;
}

static struct result read_gzip(const cm_buffer *gz, size_t most, uint64_t seed)
{
    return read_stream(test_stream(gz->data, gz->length, most, seed), CM_COMPRESSION_GZIP);
}

static void expect_cut(struct result r)
{
    cr_assert_eq(r.lines, -1, "%ld lines instead of an error", r.lines);
    cr_assert_str_eq(r.err.code, "CUT", "%s: %s", r.err.code, r.err.text);
    cr_assert_eq(r.err.class, CM_ERROR_POISON);
}

Test(decompress, compression_is_told_by_the_name)
{
    cr_assert_eq(cm_compression_of_name("a-00001.csv.gz"), CM_COMPRESSION_GZIP);
    cr_assert_eq(cm_compression_of_name("a.CSV.ZIP"), CM_COMPRESSION_ZIP);
    cr_assert_eq(cm_compression_of_name("a.csv"), CM_COMPRESSION_NONE);
    cr_assert_eq(cm_compression_of_name("gz"), CM_COMPRESSION_NONE);
}

Test(decompress, same_lines_in_any_piece_size)
{
    cm_buffer text = report(20000, 3), gz = {0};
    test_gzip(&gz, text.data, text.length);
    struct result plain = read_stream(test_stream(text.data, text.length, 0, 0), CM_COMPRESSION_NONE);
    cr_assert_eq(plain.lines, 20000, "%s", plain.err.text);
    static const struct {
        size_t most;
        uint64_t seed;
    } pieces[] = {{0, 0}, {1, 0}, {7, 5}, {1000, 6}, {65536, 7}, {65537, 0}};
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        struct result r = read_gzip(&gz, pieces[i].most, pieces[i].seed);
        cr_assert_eq(r.lines, 20000, "%s", r.err.text);
        cr_assert_eq(r.checksum, plain.checksum);
        cr_assert(cm_decimal_equal(r.cost, plain.cost));
        r = read_stream(test_stream(text.data, text.length, pieces[i].most, pieces[i].seed), CM_COMPRESSION_NONE);
        cr_assert_eq(r.checksum, plain.checksum);
    }
    cm_buffer_free(&text);
    cm_buffer_free(&gz);
}

Test(decompress, many_members_empty_ones_and_padding)
{
    cm_buffer text = report(3000, 4), gz = {0};
    struct result plain = read_stream(test_stream(text.data, text.length, 0, 0), CM_COMPRESSION_NONE);
    test_random random = {9};
    for (size_t at = 0; at < text.length;) {
        size_t n = 1 + test_below(&random, 60000);
        n = n < text.length - at ? n : text.length - at;
        test_gzip(&gz, text.data + at, n);
        if (test_below(&random, 2))
            test_gzip(&gz, "", 0);
        at += n;
    }
    for (size_t zeros = 0; zeros < 3; zeros++) {
        for (size_t most = 0; most < 200; most += 33) {
            struct result r = read_gzip(&gz, most, 0);
            cr_assert_eq(r.lines, 3000, "%s", r.err.text);
            cr_assert_eq(r.checksum, plain.checksum);
        }
        cm_buffer_append(&gz, "\0\0\0\0\0\0\0", 7);
    }
    /* Something after the padding, and something that is not a member. */
    cm_buffer_append(&gz, "\x1f\x8b", 2);
    expect_cut(read_gzip(&gz, 0, 0));
    cm_buffer_free(&gz);
    test_gzip(&gz, text.data, text.length);
    cm_buffer_append(&gz, "hello", 5);
    expect_cut(read_gzip(&gz, 0, 0));
    cm_buffer_free(&text);
    cm_buffer_free(&gz);
}

Test(decompress, empty_gzip_files_are_chunks_without_lines)
{
    cm_buffer gz = {0};
    test_gzip(&gz, "", 0);
    struct result r = read_gzip(&gz, 0, 0);
    cr_assert_eq(r.lines, 0, "%s", r.err.text);
    cm_buffer_free(&gz);
}

static void expect_code(struct result r, const char *code, const char *shown)
{
    cr_assert_eq(r.lines, -1, "%ld lines instead of an error", r.lines);
    cr_assert_str_eq(r.err.code, code, "%s: %s", r.err.code, r.err.text);
    cr_assert_eq(r.err.class, CM_ERROR_POISON);
    cr_assert_not_null(strstr(r.err.text, shown), "%s", r.err.text);
}

Test(decompress, a_file_of_0_bytes_is_no_file)
{
    expect_code(read_stream(test_stream("", 0, 0, 0), CM_COMPRESSION_GZIP), "EMPTY_FILE", "0 bytes");
    expect_code(read_stream(test_stream("", 0, 0, 0), CM_COMPRESSION_ZIP), "EMPTY_FILE", "0 bytes");
    expect_code(read_stream(test_stream("", 0, 0, 0), CM_COMPRESSION_NONE), "EMPTY_FILE", "0 bytes");
}

/* A gzip has a checksum of its own: its last row needs no line end. */
Test(decompress, the_last_row_of_a_gzip_needs_no_line_end)
{
    static const char *const texts[] = {HEADER, HEADER "\n" ROW, "\xef\xbb\xbf" HEADER "\r\n" ROW};
    for (int i = 0; i < 3; i++) {
        cm_buffer gz = {0};
        test_gzip(&gz, texts[i], strlen(texts[i]));
        struct result r = read_gzip(&gz, 0, 0);
        cr_assert_eq(r.lines, i > 0, "%s", r.err.text);
        cm_buffer_free(&gz);
    }
}

Test(decompress, the_place_of_a_cut_is_the_row_that_it_cuts)
{
    cm_buffer text = report(3000, 31), gz = {0};
    test_gzip(&gz, text.data, text.length);
    cm_buffer part = {.data = gz.data, .length = gz.length / 2};
    for (size_t most = 0; most < 3000; most += 1000) {
        struct result r = read_gzip(&part, most, 0);
        expect_cut(r);
        cr_assert(r.place.row > 1000 && r.place.row < 2000, "row %lu", r.place.row);
    }
    cm_buffer_free(&text);
    cm_buffer_free(&gz);
}

Test(decompress, what_a_compressed_file_is_not_is_said_by_name)
{
    static const char csv[] = HEADER "\n" ROW "\n", parquet[] = "PAR1\x15\x04\x15\x10";
    expect_code(read_stream(test_stream(csv, sizeof csv - 1, 0, 0), CM_COMPRESSION_GZIP), "WRONG_FORMAT", "csv.gz");
    expect_code(read_stream(test_stream(csv, sizeof csv - 1, 1, 0), CM_COMPRESSION_ZIP), "WRONG_FORMAT", "csv.zip");
    expect_code(read_stream(test_stream(parquet, sizeof parquet - 1, 1, 0), CM_COMPRESSION_GZIP), "WRONG_FORMAT",
                "this is Parquet");
    expect_code(read_stream(test_stream(parquet, sizeof parquet - 1, 0, 0), CM_COMPRESSION_ZIP), "WRONG_FORMAT",
                "this is Parquet");
    cm_buffer gz = {0}, twice = {0};
    test_gzip(&gz, csv, sizeof csv - 1);
    expect_code(read_stream(test_stream(gz.data, gz.length, 0, 0), CM_COMPRESSION_ZIP), "WRONG_FORMAT", "a gzip file");
    test_gzip(&twice, gz.data, gz.length);
    expect_code(read_gzip(&twice, 0, 0), "WRONG_FORMAT", "a gzip file");
    cm_buffer_free(&gz);
    cm_buffer_free(&twice);
    test_gzip(&gz, "<html><body>Sign in</body></html>\n", 34);
    expect_code(read_gzip(&gz, 0, 0), "WRONG_FORMAT", "HTML");
    cm_buffer_free(&gz);
}

Test(decompress, every_cut_is_found)
{
    cm_buffer text = report(40, 5), gz = {0};
    test_gzip(&gz, text.data, text.length);
    for (size_t length = 1; length < gz.length; length++) {
        cm_buffer part = {.data = gz.data, .length = length};
        expect_cut(read_gzip(&part, length % 3 ? 0 : 5, 0));
    }
    cm_buffer_free(&text);
    cm_buffer_free(&gz);
}

Test(decompress, every_changed_byte_is_found)
{
    cm_buffer text = report(40, 6), gz = {0};
    test_gzip(&gz, text.data, text.length);
    /* From the compressed data on; the header's time and system bytes do not matter. */
    for (size_t at = 10; at < gz.length; at++) {
        gz.data[at] = (char)(gz.data[at] ^ 0x20);
        struct result r = read_gzip(&gz, 0, 0);
        cr_assert_eq(r.lines, -1, "byte %zu changed, and nobody noticed", at);
        cr_assert_eq(r.err.class, CM_ERROR_POISON);
        gz.data[at] = (char)(gz.data[at] ^ 0x20);
    }
    cm_buffer_free(&text);
    cm_buffer_free(&gz);
}

Test(decompress, a_stream_that_fails_is_a_retry_not_a_cut)
{
    cm_buffer text = report(100, 8), gz = {0};
    test_gzip(&gz, text.data, text.length);
    struct result r = read_stream(test_failing_stream(gz.data, gz.length / 2), CM_COMPRESSION_GZIP);
    cr_assert_eq(r.lines, -1);
    cr_assert_eq(r.err.class, CM_ERROR_RETRY);
    cm_buffer_free(&text);
    cm_buffer_free(&gz);
}

/* --- zip --------------------------------------------------------------------------------------------------------- */

static cm_buffer slurp(const char *path)
{
    cm_buffer bytes = {0};
    char piece[4096];
    FILE *file = fopen(path, "rb");
    for (size_t n; (n = fread(piece, 1, sizeof piece, file)) > 0;)
        cm_buffer_append(&bytes, piece, n);
    fclose(file);
    return bytes;
}

static struct result read_zip(const char *path, bool local)
{
    cm_buffer bytes = slurp(path);
    cm_stream *stream = test_stream(bytes.data, bytes.length, 1000, 0);
    stream->local_path = local ? path : NULL;
    struct result r = read_stream(stream, CM_COMPRESSION_ZIP);
    cm_buffer_free(&bytes);
    return r;
}

static void with_zip(const char *const *names, const char *const *texts, const char *password, const char *code,
                     const char *shown)
{
    char *path = test_zip(names, texts, password, false);
    struct result r = read_zip(path, true);
    cr_assert_eq(r.lines, -1);
    cr_assert_str_eq(r.err.code, code, "%s", r.err.text);
    cr_assert_not_null(strstr(r.err.text, shown), "%s", r.err.text);
    unlink(path);
    free(path);
}

Test(decompress, zip_stored_and_deflated_local_and_not)
{
    cm_buffer text = report(5000, 12);
    struct result plain = read_stream(test_stream(text.data, text.length, 0, 0), CM_COMPRESSION_NONE);
    const char *names[] = {"readme.txt", "report-00001.csv", NULL}, *texts[] = {"hello", text.data, NULL};
    for (int stored = 0; stored < 2; stored++) {
        char *path = test_zip(names, texts, NULL, stored);
        for (int local = 0; local < 2; local++) {
            struct result r = read_zip(path, local);
            cr_assert_eq(r.lines, 5000, "%s", r.err.text);
            cr_assert_eq(r.checksum, plain.checksum);
        }
        unlink(path);
        free(path);
    }
    cm_buffer_free(&text);
}

Test(decompress, zip_must_hold_one_csv)
{
    const char *two[] = {"a.csv", "b.csv", NULL}, *none[] = {"a.txt", "b.json", NULL}, *one[] = {"a.csv", NULL};
    const char *texts[] = {HEADER "\n", HEADER "\n", NULL};
    with_zip(two, texts, NULL, "ZIP", "a.csv, b.csv");
    with_zip(none, texts, NULL, "ZIP", "no .csv");
    with_zip(one, texts, "secret", "ZIP", "encrypted");
    const char *sheet[] = {"[Content_Types].xml", "xl/workbook.xml", NULL};
    with_zip(sheet, texts, NULL, "WRONG_FORMAT", "spreadsheet");
}

Test(decompress, damaged_zip)
{
    cm_buffer text = report(300, 13);
    const char *names[] = {"a.csv", NULL}, *texts[] = {text.data, NULL};
    for (int stored = 0; stored < 2; stored++) {
        char *path = test_zip(names, texts, NULL, stored);
        cm_buffer bytes = slurp(path);
        for (size_t at = 200; at < bytes.length - 100; at += 97) {
            bytes.data[at] = (char)(bytes.data[at] ^ 1);
            struct result r = read_stream(test_stream(bytes.data, bytes.length, 0, 0), CM_COMPRESSION_ZIP);
            cr_assert_eq(r.lines, -1, "byte %zu changed, and nobody noticed", at);
            cr_assert_eq(r.err.class, CM_ERROR_POISON);
            bytes.data[at] = (char)(bytes.data[at] ^ 1);
        }
        expect_cut(read_stream(test_stream(bytes.data, bytes.length / 2, 0, 0), CM_COMPRESSION_ZIP));
        cm_buffer_free(&bytes);
        unlink(path);
        free(path);
    }
    cm_buffer_free(&text);
}

/* --- memory ------------------------------------------------------------------------------------------------------ */

/* Gives the same megabyte of rows again and again. */
struct endless {
    cm_stream stream;
    cm_buffer text;
    size_t header, at;
    uint64_t left;
};

static bool endless_read(cm_stream *stream, void *into, size_t size, size_t *ret_read, cm_error *err)
{
    struct endless *e = (struct endless *)stream;
    (void)err;
    if (e->at == e->text.length && e->left && e->left--)
        e->at = e->header;
    size_t n = e->text.length - e->at < size ? e->text.length - e->at : size;
    memcpy(into, e->text.data + e->at, n);
    e->at += n;
    *ret_read = n;
    return true;
}

static void endless_close(cm_stream *stream)
{
    cm_buffer_free(&((struct endless *)stream)->text);
    free(stream);
}

Test(decompress, memory_does_not_grow_with_the_file)
{
    struct rusage before, after;
    struct endless *e = cm_alloc(sizeof *e);
    e->text = report(5000, 21);
    e->header = sizeof HEADER;
    e->left = 100;
    e->stream = (cm_stream){.read = endless_read, .close = endless_close};
    getrusage(RUSAGE_SELF, &before);
    struct result r = read_stream(&e->stream, CM_COMPRESSION_NONE);
    getrusage(RUSAGE_SELF, &after);
    cr_assert_eq(r.lines, 101 * 5000);
    long grown = after.ru_maxrss - before.ru_maxrss;
#ifndef __SANITIZE_ADDRESS__
    cr_assert(grown < 8 * 1024, "%ld KiB more after %ld lines", grown, r.lines);
#else
    cr_assert(grown < 64 * 1024, "%ld KiB more after %ld lines", grown, r.lines);
#endif
}
