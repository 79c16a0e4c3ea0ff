/*
 * rate-file: catalog from YAML, files through reader, line batches, rating and rated batches (each encoded and decoded,
 * as on the way through Kafka), sums of all as JSON on standard output. Control totals are compared as the writer does.
 * Exit codes as of every program of curmill (cli.md).
 */
#include "file.h"
#include "merge.h"

#include "billing/aggregate/rate_batch.h"
#include "billing/catalog/check/read.h"
#include "billing/catalog/links/link_set.h"
#include "billing/catalog/parse/canonical.h"
#include "billing/cur/reader.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct job {
    const cm_rater *rater;
    const char *payer;
    cm_period period;
    uint32_t rows, shards;
    cm_arena *arena;
    merge *merged;
    uint64_t lines, derived_lines, suspended, final_lines, rounded;
} job;

/* What came out at the end, to be compared with the ChunkEnd. */
typedef struct chunk_sums {
    uint64_t lines, derived_lines, final_lines, checksum;
    cm_cost cost[64];
    size_t costs;
} chunk_sums;

static const char usage[] =
    "usage: rate-file --catalog DIR --payer ID --period YYYY-MM [--links FILE] [--shards N] [--rows N] FILE...\n"
    "  rates the lines of data files and prints their sums by all keys as JSON\n";

/* The links of org-linker in a file: the text of a link set (catalog/link_set.h). */
static cm_catalog *add_links(cm_catalog *catalog, const char *path, cm_error *err)
{
    char *text = NULL;
    json_t *json = json_load_file(path, 0, NULL);
    cm_arena *arena = cm_arena_new(4096);
    cm_given_link *links = NULL;
    size_t count = 0;
    cm_catalog *merged = NULL;
    text = json_dumps(json, JSON_COMPACT);
    if (!text)
        cm_fail(err, CM_ERROR_INVALID, "LINKS", "%s is no JSON", path);
    else if (cm_link_set_parse(text, arena, &links, &count, err))
        merged = cm_catalog_take_links(catalog, links, count);
    if (!merged)
        cm_catalog_free(catalog);
    cm_arena_free(arena);
    free(text);
    json_decref(json);
    return merged;
}

static cm_catalog *read_catalog(const char *folder, cm_error *err)
{
    cm_catalog_problems problems = {0};
    json_t *canonical = cm_catalog_read(folder, &problems, err);
    for (size_t i = 0; i < problems.count; i++)
        if (!problems.list[i].warning)
            fprintf(stderr, "%s:%d:%d: %s\n", problems.list[i].file, problems.list[i].line, problems.list[i].column,
                    problems.list[i].text);
    if (!canonical && problems.errors)
        cm_fail(err, CM_ERROR_INVALID, "CATALOG", "the catalog %s has %zu errors", folder, problems.errors);
    cm_catalog_problems_free(&problems);
    if (!canonical)
        return NULL;
    char *text = cm_catalog_text(canonical);
    json_decref(canonical);
    cm_catalog *catalog = cm_catalog_parse(text, err);
    free(text);
    return catalog;
}

static bool add_cost(chunk_sums *sums, const cm_cost *cost, cm_error *err)
{
    size_t i = 0;
    while (i < sums->costs && strcmp(sums->cost[i].currency, cost->currency) != 0)
        i++;
    cm_assert(i < sizeof sums->cost / sizeof sums->cost[0]);
    if (i == sums->costs) {
        sums->cost[i] = (cm_cost){0};
        snprintf(sums->cost[i].currency, sizeof sums->cost[i].currency, "%s", cost->currency);
        sums->costs++;
    }
    return cm_decimal_accumulate(&sums->cost[i].amount, cost->amount) ||
           cm_fail(err, CM_ERROR_POISON, "OVERFLOW", "the cost of a chunk does not fit an amount");
}

static bool take_shard(job *j, const cm_rated_batch *rated, chunk_sums *sums, cm_error *err)
{
    const uint8_t *bytes;
    size_t length;
    cm_rated decoded;
    cm_rated_batch_encode(rated, j->arena, &bytes, &length);
    if (!cm_rated_decode(bytes, length, j->arena, &decoded, err))
        return false;
    merge_add(j->merged, &decoded.batch);
    sums->lines += decoded.batch.lines;
    sums->derived_lines += decoded.batch.derived_lines;
    sums->checksum += decoded.batch.checksum;
    for (size_t i = 0; i < decoded.batch.charges; i++)
        sums->final_lines += decoded.batch.charge[i].final_lines;
    for (size_t i = 0; i < decoded.batch.costs; i++)
        if (!add_cost(sums, &decoded.batch.cost[i], err))
            return false;
    return true;
}

static bool rate_taken(job *j, cm_batch_builder *builder, chunk_sums *sums, cm_error *err)
{
    const uint8_t *bytes;
    size_t length;
    uint32_t sequence;
    cm_ingested ingested;
    cm_rated_shards shards;
    uint64_t row = 0;
    cm_arena_reset(j->arena);
    cm_batch_builder_take(builder, &bytes, &length, &sequence);
    if (!cm_ingested_decode(bytes, length, j->arena, &ingested, err))
        return false;
    if (!cm_rate_batch(j->rater, &ingested.batch, j->shards, j->arena, &shards, &row, err))
        return cm_fail_context(err, "row %llu", (unsigned long long)row);
    j->suspended += shards.suspended;
    for (size_t i = 0; i < shards.count; i++)
        if (!take_shard(j, &shards.batch[i], sums, err))
            return false;
    return true;
}

static bool compare_end(job *j, cm_batch_builder *builder, const chunk_sums *sums, cm_error *err)
{
    const uint8_t *bytes;
    size_t length;
    cm_ingested ingested;
    cm_arena_reset(j->arena);
    cm_batch_builder_end(builder, &bytes, &length);
    if (!cm_ingested_decode(bytes, length, j->arena, &ingested, err))
        return false;
    const cm_chunk_end *end = &ingested.end;
    bool same = ingested.is_end && end->lines == sums->lines && end->derived_lines == sums->derived_lines &&
                end->final_lines == sums->final_lines && end->checksum == sums->checksum && end->costs == sums->costs;
    for (size_t i = 0; same && i < end->costs; i++) {
        bool found = false;
        for (size_t k = 0; k < sums->costs; k++)
            found |= strcmp(sums->cost[k].currency, end->cost[i].currency) == 0 &&
                     cm_decimal_equal(sums->cost[k].amount, end->cost[i].amount);
        same = found;
    }
    if (!same)
        return cm_fail(err, CM_ERROR_BUG, "CONTROL_TOTALS",
                       "what was rated does not add up to the chunk's control totals");
    j->lines += end->lines;
    j->derived_lines += end->derived_lines;
    j->final_lines += end->final_lines;
    j->rounded += end->rounded;
    return true;
}

static bool rate_lines(job *j, cm_reader *reader, cm_batch_builder *builder, cm_place *place, cm_error *err)
{
    chunk_sums sums = {0};
    const cm_line *line;
    for (;;) {
        bool full = false;
        if (!cm_reader_next(reader, &line, place, err))
            return false;
        if (!line)
            break;
        place->row = line->row;
        if (!cm_batch_builder_add(builder, line, &full, err) || (full && !rate_taken(j, builder, &sums, err)))
            return false;
    }
    if (!cm_batch_builder_empty(builder) && !rate_taken(j, builder, &sums, err))
        return false;
    return compare_end(j, builder, &sums, err);
}

static bool rate_file(job *j, const char *path, uint32_t chunk, cm_error *err)
{
    static const uint8_t run_id[CM_ID_BYTES] = {0};
    cm_place place = {0};
    cm_stream *stream = file_open(path, err);
    if (!stream)
        return false;
    bool done = false;
    cm_reader *reader = cm_reader_new(stream, cm_compression_of_name(path), j->payer, j->period, &place, err);
    if (reader) {
        cm_batch_builder *builder = cm_batch_builder_new(run_id, chunk, j->rows);
        done = rate_lines(j, reader, builder, &place, err);
        cm_batch_builder_free(builder);
        cm_reader_free(reader);
    }
    return done || cm_fail_context(err, "%s, row %llu, column \"%s\": %s", path, (unsigned long long)place.row,
                                   place.column, err->code);
}

static bool print(const job *j, cm_error *err)
{
    json_t *groups, *days;
    char period[CM_PERIOD_TEXT];
    bool done = merge_groups(j->merged, &groups, &days, err);
    json_t *all =
        json_pack("{s:s, s:s, s:b, s:I, s:I, s:I, s:I, s:I, s:o, s:o}", "payer", j->payer, "period",
                  cm_period_print(j->period, period), "complete", 1, "lines", (json_int_t)j->lines, "suspended_lines",
                  (json_int_t)j->suspended, "derived_lines", (json_int_t)j->derived_lines, "final_lines",
                  (json_int_t)j->final_lines, "rounded", (json_int_t)j->rounded, "groups", groups, "days", days);
    if (done)
        json_dumpf(all, stdout, JSON_COMPACT);
    json_decref(all);
    return done;
}

static bool run(const char *folder, const char *links, job *j, char **files, int count, cm_error *err)
{
    cm_catalog *catalog = read_catalog(folder, err);
    if (catalog && links)
        catalog = add_links(catalog, links, err);
    if (!catalog)
        return false;
    cm_rater *rater = cm_rater_new(catalog, j->payer, j->period, err);
    bool done = rater != NULL;
    j->rater = rater;
    for (int i = 0; done && i < count; i++)
        done = rate_file(j, files[i], (uint32_t)i + 1, err);
    done = done && print(j, err);
    cm_rater_free(rater);
    cm_catalog_free(catalog);
    return done;
}

static bool read_number(const char *text, uint32_t most, uint32_t *ret)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);
    *ret = (uint32_t)value;
    return *text && !*end && value >= 1 && value <= most;
}

int main(int count, char **arguments)
{
    static const struct option options[] = {
        {"catalog", 1, NULL, 'c'}, {"payer", 1, NULL, 'p'}, {"period", 1, NULL, 'm'}, {"shards", 1, NULL, 's'},
        {"rows", 1, NULL, 'r'},    {"links", 1, NULL, 'l'}, {NULL, 0, NULL, 0}};
    const char *catalog = NULL, *links = NULL;
    job j = {.rows = CM_BATCH_ROWS, .shards = 16};
    bool good = true, has_period = false;
    for (int option; (option = getopt_long(count, arguments, "", options, NULL)) != -1;) {
        if (option == 'c')
            catalog = optarg;
        else if (option == 'l')
            links = optarg;
        else if (option == 'p')
            j.payer = optarg;
        else if (option == 'm')
            good &= has_period = cm_period_parse(cm_slice_of(optarg), &j.period);
        else if (option == 's')
            good &= read_number(optarg, 1024, &j.shards);
        else if (option == 'r')
            good &= read_number(optarg, 65536, &j.rows);
        else
            good = false;
    }
    if (!good || !catalog || !j.payer || !has_period) {
        fputs(usage, stderr);
        return 1;
    }
    cm_error err = {0};
    j.arena = cm_arena_new(1 << 20);
    j.merged = merge_new();
    bool done = run(catalog, links, &j, arguments + optind, count - optind, &err);
    merge_free(j.merged);
    cm_arena_free(j.arena);
    if (!done)
        fprintf(stderr, "rate-file: %s\n", err.text);
    return done ? 0 : cm_error_exit_code(&err);
}
