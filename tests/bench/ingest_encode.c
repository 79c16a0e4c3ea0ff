/*
 * The reading half of ingest-cur without Kafka and PostgreSQL: chunk files -> encoded LineBatches in memory, which are
 * thrown away. Prints rows, bytes, CPU seconds and the exact sum of UnblendedCost by currency; with --profile also
 * where the time goes, by running with parts left out:
 *
 *   ingest-encode --payer 123456789012 --period 2025-06 [--profile] [--repeat N] FILE...
 *
 * CPU seconds are those of this process (user and system), so a busy machine does not disturb them much.
 */
#include "billing/batch/line_batch.h"
#include "billing/cur/reader.h"
#include "delivery/observed/observed.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

struct file_stream {
    cm_stream stream;
    int fd;
};

static bool file_read(cm_stream *stream, void *into, size_t size, size_t *ret_read, cm_error *err)
{
    ssize_t got = read(((struct file_stream *)stream)->fd, into, size);
    if (got < 0)
        return cm_fail(err, CM_ERROR_RETRY, "", "cannot read: %m");
    *ret_read = (size_t)got;
    return true;
}

static void file_close(cm_stream *stream)
{
    close(((struct file_stream *)stream)->fd);
    free(stream);
}

static cm_stream *open_file(const char *path)
{
    struct file_stream *file = cm_alloc(sizeof *file);
    file->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (file->fd < 0) {
        fprintf(stderr, "ingest-encode: cannot open %s: %m\n", path);
        exit(1);
    }
    file->stream = (cm_stream){.read = file_read, .close = file_close, .local_path = path};
    return &file->stream;
}

static double cpu_seconds(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

enum { CURRENCIES = 8 };

struct counts {
    uint64_t rows, csv_bytes, encoded_bytes, batches, checksum;
    cm_cost cost[CURRENCIES];
    size_t costs;
};

static void fail(const char *path, const cm_place *place, const cm_error *err)
{
    fprintf(stderr, "ingest-encode: %s: row %llu, line %llu, column \"%s\": %s: %s\n", path,
            (unsigned long long)place->row, (unsigned long long)place->line, place->column, err->code, err->text);
    exit(1);
}

/* Decompress only. */
static void inflate_file(const char *path, struct counts *counts)
{
    static char window[256 * 1024];
    cm_error err;
    size_t got;
    cm_stream *stream = cm_decompress(open_file(path), cm_compression_of_name(path), &err);
    while (stream && stream->read(stream, window, sizeof window, &got, &err) && got)
        counts->csv_bytes += got;
    cm_stream_close(stream);
}

static void take(cm_batch_builder *builder, cm_observer *observer, struct counts *counts)
{
    const uint8_t *bytes;
    size_t length;
    uint32_t sequence;
    cm_observer_take(observer, builder);
    cm_batch_builder_take(builder, &bytes, &length, &sequence);
    counts->encoded_bytes += length;
    counts->batches++;
}

/* The exact sums by currency, from the ChunkEnd record. */
static void add_costs(cm_batch_builder *builder, struct counts *counts)
{
    const uint8_t *bytes;
    size_t length;
    cm_error err;
    cm_ingested record;
    cm_arena *arena = cm_arena_new(4096);
    cm_batch_builder_end(builder, &bytes, &length);
    if (!cm_ingested_decode(bytes, length, arena, &record, &err))
        abort();
    for (size_t i = 0; i < record.end.costs; i++) {
        const cm_cost *cost = &record.end.cost[i];
        size_t at = 0;
        while (at < counts->costs && strcmp(counts->cost[at].currency, cost->currency) != 0)
            at++;
        if (at == CURRENCIES)
            abort();
        if (at == counts->costs) {
            counts->cost[counts->costs++] = *cost;
            continue;
        }
        if (!cm_decimal_accumulate(&counts->cost[at].amount, cost->amount))
            abort();
    }
    cm_arena_free(arena);
}

static void read_file(const char *path, uint32_t chunk, const char *payer, cm_period period, bool encode,
                      struct counts *counts)
{
    static const uint8_t run_id[CM_ID_BYTES] = {1};
    cm_place place;
    cm_error err;
    const cm_line *line;
    bool full = false;
    cm_reader *reader = cm_reader_new(open_file(path), cm_compression_of_name(path), payer, period, &place, &err);
    if (!reader)
        fail(path, &place, &err);
    cm_batch_builder *builder = cm_batch_builder_new(run_id, chunk, CM_BATCH_ROWS);
    cm_observer *observer = cm_observer_new();
    for (;;) {
        if (!cm_reader_next(reader, &line, &place, &err))
            fail(path, &place, &err);
        if (!line)
            break;
        counts->rows++;
        counts->checksum += line->checksum;
        if (!encode)
            continue;
        if (!cm_batch_builder_add(builder, line, &full, &err))
            fail(path, &place, &err);
        if (full)
            take(builder, observer, counts);
    }
    if (!cm_batch_builder_empty(builder))
        take(builder, observer, counts);
    if (encode)
        add_costs(builder, counts);
    cm_observer_free(observer);
    cm_batch_builder_free(builder);
    cm_reader_free(reader);
}

static int usage(void)
{
    fprintf(stderr, "usage: ingest-encode --payer ID --period YYYY-MM [--profile] [--repeat N] FILE...\n");
    return 1;
}

enum stage { INFLATE, READ, ENCODE };

static double run(enum stage stage, char **files, int count, int repeat, const char *payer, cm_period period,
                  struct counts *ret)
{
    double best = 1e9;
    for (int r = 0; r < repeat; r++) {
        struct counts counts = {0};
        double begin = cpu_seconds();
        for (int i = 0; i < count; i++) {
            if (stage == INFLATE)
                inflate_file(files[i], &counts);
            else
                read_file(files[i], (uint32_t)i + 1, payer, period, stage == ENCODE, &counts);
        }
        double seconds = cpu_seconds() - begin;
        best = seconds < best ? seconds : best;
        *ret = counts;
    }
    return best;
}

int main(int argc, char **argv)
{
    const char *payer = NULL;
    cm_period period = {0};
    bool profile = false;
    long repeat = 1;
    int i = 1;
    for (; i < argc && strncmp(argv[i], "--", 2) == 0; i++) {
        if (strcmp(argv[i], "--profile") == 0)
            profile = true;
        else if (i + 1 < argc && strcmp(argv[i], "--payer") == 0)
            payer = argv[++i];
        else if (i + 1 < argc && strcmp(argv[i], "--repeat") == 0)
            repeat = strtol(argv[++i], NULL, 10);
        else if (i + 1 >= argc || strcmp(argv[i], "--period") != 0 || !cm_period_parse(cm_slice_of(argv[++i]), &period))
            return usage();
    }
    if (i == argc || !payer || !period.month || repeat < 1)
        return usage();
    struct counts all, none;
    double seconds = run(ENCODE, argv + i, argc - i, (int)repeat, payer, period, &all);
    struct rusage usage_now;
    getrusage(RUSAGE_SELF, &usage_now);
    printf("rows %llu batches %llu encoded_bytes %llu checksum %016llx cpu_seconds %.3f rows_per_cpu_second %.0f "
           "max_rss_kib %ld\n",
           (unsigned long long)all.rows, (unsigned long long)all.batches, (unsigned long long)all.encoded_bytes,
           (unsigned long long)all.checksum, seconds, (double)all.rows / seconds, usage_now.ru_maxrss);
    for (size_t c = 0; c < all.costs; c++) {
        char text[CM_DECIMAL_TEXT];
        cm_decimal_print(all.cost[c].amount, text);
        printf("cost %s %s\n", all.cost[c].currency, text);
    }
    if (!profile)
        return 0;
    double inflate = run(INFLATE, argv + i, argc - i, (int)repeat, payer, period, &none);
    double read = run(READ, argv + i, argc - i, (int)repeat, payer, period, &none);
    double rows = (double)all.rows / 1e9;
    run(INFLATE, argv + i, argc - i, 1, payer, period, &none);
    printf("csv_bytes %llu\n", (unsigned long long)none.csv_bytes);
    printf("inflate %.3f s, %.0f ns/row, %.0f %%\n", inflate, inflate / rows, 100 * inflate / seconds);
    printf("scan and parse %.3f s, %.0f ns/row, %.0f %%\n", read - inflate, (read - inflate) / rows,
           100 * (read - inflate) / seconds);
    printf("encode %.3f s, %.0f ns/row, %.0f %%\n", seconds - read, (seconds - read) / rows,
           100 * (seconds - read) / seconds);
    return 0;
}
