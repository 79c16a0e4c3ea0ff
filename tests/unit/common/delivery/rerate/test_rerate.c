/* Files of a run rated again by several threads: sums, control totals, errors for bad files (R02). */
#include "support.h"

#include "base/base/buffer.h"
#include "delivery/rerate/rerate.h"
#include "delivery/source/source.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILES = 3, MANY = 60000, FEW = 100 };

static const char header[] =
    "bill/PayerAccountId,bill/BillingPeriodStartDate,lineItem/UsageAccountId,lineItem/LineItemType,lineItem/"
    "ProductCode,"
    "lineItem/UsageType,lineItem/UsageStartDate,lineItem/UsageAmount,lineItem/UnblendedCost,lineItem/CurrencyCode,"
    "pricing/publicOnDemandCost\n";

typedef struct world {
    const char *header; /* NULL: the usual one */
    char folder[64], source[128], name[FILES][32], fingerprint[FILES][64];
    cm_catalog *catalog;
    cm_rater *rater;
    cm_rerate_file files[FILES];
    /* what was passed on */
    uint64_t lines, told_lines;
    size_t told_files, calls;
    cm_decimal payer, sell;
    cm_error err;
} world;

/* File `f`: line n costs n/1000, its usage type is one of many, so that there are more charges than are kept. */
static void write_file(world *w, int f, int lines, const char *last)
{
    char path[128];
    struct stat st;
    snprintf(w->name[f], sizeof w->name[f], "part-%d.csv", f);
    snprintf(path, sizeof path, "%s/%s", w->folder, w->name[f]);
    FILE *file = fopen(path, "w");
    cr_assert(file);
    fputs(w->header ? w->header : header, file);
    for (int n = 1; n <= lines; n++)
        fprintf(file, TDS ",2025-06-01T00:00:00Z," ACCOUNT ",Usage,AmazonEC2,u%d,2025-06-10T00:00:00Z,1,%d.%03d,USD,\n",
                (f * 7 + n) % MANY, n / 1000, n % 1000);
    fputs(last, file);
    fclose(file);
    cr_assert_eq(stat(path, &st), 0);
    snprintf(w->fingerprint[f], sizeof w->fingerprint[f], "%lld:%lld", (long long)st.st_size,
             (long long)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec);
}

/* The sum of the checksums of the file's lines, by reading it once. */
static void count(world *w, int f)
{
    char path[128];
    cm_place place;
    const cm_line *line;
    snprintf(path, sizeof path, "%s/%s", w->folder, w->name[f]);
    json_t *definition = json_pack("{s:s, s:s}", "type", "folder", "path", w->folder);
    cm_source *source = cm_source_open(definition, &w->err);
    json_decref(definition);
    cr_assert(source, "%s", w->err.text);
    cm_stream *stream = source->type->open_object(source, w->name[f], NULL, &w->err);
    cm_reader *reader = cm_reader_new(stream, CM_COMPRESSION_NONE, TDS, june, &place, &w->err);
    cr_assert(reader, "%s", w->err.text);
    while (cm_reader_next(reader, &line, &place, &w->err) && line) {
        w->files[f].lines++;
        w->files[f].checksum += line->checksum;
    }
    cm_reader_free(reader);
    cm_source_close(source);
}

static world *world_new(int lines)
{
    world *w = cm_alloc(sizeof *w);
    snprintf(w->folder, sizeof w->folder, "/tmp/curmill-rerate-XXXXXX");
    cr_assert(mkdtemp(w->folder));
    snprintf(w->source, sizeof w->source, "{\"type\": \"folder\", \"path\": \"%s\"}", w->folder);
    char *acme = customer_text("acme", "", ACCOUNT, TDS, NULL);
    w->catalog = catalog_of(acme);
    free(acme);
    w->rater = cm_rater_new(w->catalog, TDS, june, &w->err);
    cr_assert(w->rater, "%s", w->err.text);
    for (int f = 0; f < FILES; f++) {
        write_file(w, f, lines, "");
        w->files[f] = (cm_rerate_file){.chunk = {.run = "00112233445566778899aabbccddeeff",
                                                 .delivery = "d",
                                                 .payer = TDS,
                                                 .source = w->source,
                                                 .location = w->name[f],
                                                 .name = w->name[f],
                                                 .fingerprint = w->fingerprint[f],
                                                 .manifest = "",
                                                 .archive_digest = "",
                                                 .immutable_keys = true,
                                                 .period = june,
                                                 .chunk = (uint32_t)f + 1},
                                       .rater = w->rater};
        count(w, f);
        cr_assert_eq(w->files[f].lines, (uint64_t)lines);
    }
    return w;
}

static void world_free(world *w)
{
    for (int f = 0; f < FILES; f++) {
        char path[128];
        snprintf(path, sizeof path, "%s/%s", w->folder, w->name[f]);
        unlink(path);
    }
    rmdir(w->folder);
    cm_rater_free(w->rater);
    cm_catalog_free(w->catalog);
    free(w);
}

static bool take(void *opaque, const cm_rerate_file *file, const cm_merge *merge, cm_error *err)
{
    world *w = opaque;
    (void)err;
    cr_assert(file >= w->files && file < w->files + FILES);
    w->calls++;
    for (size_t i = 0; i < merge->charges.count; i++) {
        const cm_charge *c = &merge->charge[i].charge;
        w->lines += c->lines;
        cr_assert(c->usage_type.length > 1 && c->usage_type.text[0] == 'u');
        cr_assert(cm_slice_equal(c->customer, cm_slice_of("acme")) && c->operation.length == 0 &&
                  c->line_item_type.length == 0);
        cr_assert(cm_decimal_accumulate(&w->payer, c->sum.payer) && cm_decimal_accumulate(&w->sell, c->sum.sell));
    }
    return true;
}

static void progress(void *opaque, size_t files, uint64_t lines)
{
    world *w = opaque;
    w->told_files = files;
    w->told_lines = lines;
}

static bool rerate(world *w, int threads)
{
    const cm_rerate order = {
        .files = w->files, .count = FILES, .threads = threads, .take = take, .progress = progress, .opaque = w};
    return cm_rerate_files(&order, &w->err);
}

/* Three files of the amounts 0.001 to n/1000: 3 x n(n + 1)/2000; sell is list + 10 %, and list is the cost where there
 * is none. Many charges come in parts. */
Test(rerate, sums_by_any_number_of_threads)
{
    static const struct {
        int threads, lines;
        const char *payer, *sell;
    } table[] = {{1, FEW, "15.15", "16.665"}, {3, FEW, "15.15", "16.665"}, {2, MANY, "5400090", "5940099"}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        world *w = world_new(table[i].lines);
        char text[2][CM_DECIMAL_TEXT];
        cr_assert(rerate(w, table[i].threads), "%s", w->err.text);
        cm_decimal_print(w->payer, text[0]);
        cm_decimal_print(w->sell, text[1]);
        cr_expect_str_eq(text[0], table[i].payer);
        cr_expect_str_eq(text[1], table[i].sell);
        cr_expect_eq(w->lines, (uint64_t)FILES * (uint64_t)table[i].lines);
        cr_expect_eq(w->calls > FILES, table[i].lines == MANY);
        cr_expect(w->told_lines == w->lines && w->told_files == FILES);
        world_free(w);
    }
}

/* Exactly what the run counted must be read: neither fewer lines nor others. */
Test(rerate, control_totals)
{
    world *w = world_new(FEW);
    w->files[1].checksum++;
    cr_assert_not(rerate(w, 2));
    cr_expect_str_eq(w->err.code, "CHANGED");
    cr_expect(strstr(w->err.text, "part-1.csv") && strstr(w->err.text, TDS), "%s", w->err.text);
    world_free(w);
}

Test(rerate, another_file_of_that_name)
{
    world *w = world_new(FEW);
    write_file(w, 2, FEW, "\n");
    w->files[2].chunk.fingerprint = "1:1";
    cr_assert_not(rerate(w, 2));
    cr_expect_str_eq(w->err.code, "CHANGED");
    cr_expect(strstr(w->err.text, "part-2.csv"), "%s", w->err.text);
    world_free(w);
}

/* Bad input names file, row and column. */
Test(rerate, a_bad_row)
{
    world *w = world_new(FEW);
    write_file(w, 0, 10, TDS ",2025-06-01T00:00:00Z," ACCOUNT ",Usage,AmazonEC2,u,2025-06-10T00:00:00Z,1,zonk,USD,\n");
    cr_assert_not(rerate(w, 2));
    cr_expect_str_eq(w->err.code, "NOT_A_NUMBER");
    cr_expect(strstr(w->err.text, "part-0.csv, row 11, column lineItem/UnblendedCost"), "%s", w->err.text);
    world_free(w);
}

/* A projection without what the price book reads: never priced as if it were empty. */
Test(rerate, a_column_that_the_book_needs)
{
    world *w = world_new(FEW);
    w->header = "bill/PayerAccountId,bill/BillingPeriodStartDate,lineItem/UsageAccountId,lineItem/LineItemType,"
                "lineItem/ProductCode,lineItem/UsageType,lineItem/UsageStartDate,lineItem/UsageAmount,"
                "lineItem/UnblendedCost,lineItem/CurrencyCode,another\n";
    write_file(w, 1, FEW, "");
    cr_assert_not(rerate(w, 2));
    cr_expect_str_eq(w->err.code, "COLUMN_NEEDED");
    cr_expect(strstr(w->err.text, "part-1.csv") && strstr(w->err.text, "pricing/publicOnDemandCost") &&
                  strstr(w->err.text, "rule rest of price book standard (customer acme)"),
              "%s", w->err.text);
    world_free(w);
}

static bool refuse(void *opaque, const cm_rerate_file *file, const cm_merge *merge, cm_error *err)
{
    (void)opaque;
    (void)file;
    (void)merge;
    return cm_fail(err, CM_ERROR_RETRY, "FULL", "no more");
}

Test(rerate, the_takers_error_ends_all)
{
    world *w = world_new(FEW);
    const cm_rerate order = {.files = w->files, .count = FILES, .threads = 2, .take = refuse};
    cr_assert_not(cm_rerate_files(&order, &w->err));
    cr_expect_str_eq(w->err.code, "FULL");
    world_free(w);
}
