#include "delivery.h"

#include "compress.h"
#include "random.h"
#include "rows.h"
#include "totals.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BUFFER_SIZE = 1024 * 1024, ROW_ROOM = 64 * 1024, MEMBER_ROWS = 997 };
enum chunk_kind { CHUNK_ROWS, CHUNK_HEADER_ONLY, CHUNK_EMPTY, CHUNK_ZERO_BYTES };

struct chunk {
    enum chunk_kind kind;
    uint64_t first, count;
};

struct writer {
    const struct options *options;
    struct delivery *delivery;
    struct renderer *renderer;
    struct row *row;
    struct totals totals;
    struct chunk_totals chunk_totals;
    struct sink *sink;
    char *buffer;
    size_t used;
};

static void make_folders(char *path)
{
    for (char *p = path + 1; *p != '\0'; p++) {
        if (*p != '/')
            continue;
        *p = '\0';
        if (mkdir(path, 0777) != 0 && errno != EEXIST) {
            fprintf(stderr, "generate: cannot make folder %s: %s\n", path, strerror(errno));
            exit(4);
        }
        *p = '/';
    }
}

const char *path_for(const struct options *o, const char *key)
{
    const char *path = text_format("%s/%s", o->out, key);
    char *copy = strdup(path);
    if (copy == NULL)
        exit(70);
    make_folders(copy);
    free(copy);
    return path;
}

static void flush(struct writer *w)
{
    sink_write(w->sink, w->buffer, w->used);
    w->used = 0;
}

static void put(struct writer *w, struct slice s)
{
    memcpy(w->buffer + w->used, s.p, s.n);
    w->used += s.n;
}

static void end_line(struct writer *w)
{
    put(w, slice_of(w->options->odd.crlf ? "\r\n" : "\n"));
    if (w->used > BUFFER_SIZE - ROW_ROOM)
        flush(w);
}

static void put_header(struct writer *w, const struct column_list *columns)
{
    if (w->options->odd.bom)
        put(w, slice_of("\xEF\xBB\xBF"));
    for (size_t i = 0; i < columns->count; i++) {
        if (i > 0)
            put(w, (struct slice){",", 1});
        put(w, csv_cell(columns->column[i]->name));
    }
    end_line(w);
}

static void put_cells(struct writer *w, const struct column_list *columns, size_t count)
{
    char *p = w->buffer + w->used;
    for (size_t i = 0; i < count; i++) {
        const struct column *c = columns->column[i];
        struct slice s = w->row->field[c->field];
        if (i > 0)
            *p++ = ',';
        if (s.n > 0) {
            memcpy(p, s.p, s.n);
            p += s.n;
        } else {
            for (const char *e = c->empty; *e != '\0'; e++)
                *p++ = *e;
        }
    }
    w->used = (size_t)(p - w->buffer);
}

/* The column's cell alone becomes `text`: its field is pointed elsewhere for this row, other columns of the field
 * follow. */
static void mark_invalid(struct writer *w, const char *column, const char *text)
{
    int at = columns_find(&w->delivery->columns, column);
    if (at < 0) {
        fprintf(stderr, "generate: --odd bad-number: there is no column '%s' in this format\n", column);
        exit(1);
    }
    w->row->field[w->delivery->columns.column[at]->field] = slice_of(text);
}

/* Writes row `number` (from 1 in this version) with the oddities that break a delivery. */
static void put_row(struct writer *w, const struct column_list *columns, uint64_t number)
{
    const struct odd *odd = &w->options->odd;
    struct slice *f = w->row->field;
    if (odd_applies(w->options, w->delivery->version)) {
        if (number == odd->bad_number) {
            const char *cost = is_cur2(w->options) ? "line_item_unblended_cost" : "lineItem/UnblendedCost";
            mark_invalid(w, odd->bad_number_column != NULL ? odd->bad_number_column : cost, "12.5x");
        }
        if (number == odd->wrong_payer)
            f[FIELD_PAYER] = slice_of("999999999999");
        if (number == odd->wrong_period)
            f[FIELD_PERIOD_START] = w->renderer->next_period_start;
        if (number == odd->open_quote)
            f[FIELD_DESCRIPTION] = slice_of("\"this quote is never closed");
        if (number == odd->ragged) {
            put_cells(w, columns, columns->count - 1);
            end_line(w);
            return;
        }
    }
    put_cells(w, columns, columns->count);
    if (number == odd->long_row && odd_applies(w->options, w->delivery->version))
        put(w, slice_of(",surplus"));
    end_line(w);
}

static void put_rows(struct writer *w, const struct column_list *columns, const struct chunk *chunk)
{
    struct line line;
    for (uint64_t i = 0; i < chunk->count; i++) {
        month_line(w->delivery->month, chunk->first + i, w->delivery->version, &line);
        render(w->renderer, &line, w->row);
        totals_add(&w->totals, &w->chunk_totals, &line);
        put_row(w, columns, chunk->first + i + 1);
        if (w->options->odd.multi_member && i % MEMBER_ROWS == MEMBER_ROWS - 1) {
            flush(w);
            sink_next_member(w->sink);
        }
    }
}

static void damage(const struct options *o, unsigned version, unsigned number, const char *path, uint64_t size,
                   enum chunk_kind kind)
{
    if (kind == CHUNK_ZERO_BYTES && truncate(path, 0) != 0)
        perror(path);
    if (!odd_applies(o, version))
        return;
    if (o->odd.cut_gzip == number && truncate(path, (off_t)(size * 2 / 3)) != 0)
        perror(path);
    if (o->odd.missing_file == number && unlink(path) != 0)
        perror(path);
}

static void write_chunk(struct writer *w, unsigned number, const struct chunk *chunk)
{
    static const char *const endings[] = {".csv.gz", ".csv.zip", ".csv", ".csv.gz"};
    static const enum packing packings[] = {PACKING_GZIP, PACKING_ZIP, PACKING_NONE, PACKING_GZIP};
    const struct options *o = w->options;
    struct delivery *d = w->delivery;
    const char *key = text_format("%s/%s-%05u%s", d->data_folder, o->report, number, endings[o->format]);
    const char *path = path_for(o, key);
    struct column_list columns;
    columns_of_chunk(o, &d->columns, number - 1, &columns);
    memset(&w->chunk_totals, 0, sizeof w->chunk_totals);
    w->sink = sink_open(path, packings[o->format], text_format("%s-%05u.csv", o->report, number), o->level);
    if (chunk->kind == CHUNK_ROWS || chunk->kind == CHUNK_HEADER_ONLY)
        put_header(w, &columns);
    put_rows(w, &columns, chunk);
    flush(w);
    uint64_t size = sink_close(w->sink);
    damage(o, d->version, number, path, size, chunk->kind);
    struct chunk_file *file = &d->file[d->file_count++];
    *file = (struct chunk_file){
        .key = strdup(key), .totals = totals_chunk(&w->chunk_totals), .rows = chunk->count, .bytes = size};
}

static size_t plan_chunks(const struct options *o, uint64_t rows, struct chunk **ret_chunks)
{
    size_t count = (size_t)((rows + o->chunk_rows - 1) / o->chunk_rows), n = 0;
    struct chunk *c = calloc(count + 3, sizeof *c);
    if (c == NULL)
        exit(70);
    for (size_t i = 0; i < count; i++) {
        uint64_t first = i * o->chunk_rows;
        c[n++] = (struct chunk){CHUNK_ROWS, first, rows - first < o->chunk_rows ? rows - first : o->chunk_rows};
        if (i == 0 && o->odd.header_only_chunk)
            c[n++] = (struct chunk){.kind = CHUNK_HEADER_ONLY};
        if (i == 0 && o->odd.empty_chunk)
            c[n++] = (struct chunk){.kind = CHUNK_EMPTY};
    }
    if (o->odd.zero_byte_chunk)
        c[n++] = (struct chunk){.kind = CHUNK_ZERO_BYTES};
    *ret_chunks = c;
    return n;
}

/* When AWS made the version: spread over the month, the last one of several on the 7th of the next month. */
static int64_t version_time(const struct month *m, unsigned version)
{
    const struct world *w = m->world;
    int64_t versions = w->options->versions, span = w->end - w->start;
    int64_t at = version == versions ? w->end + 6 * 86400 : w->start + span * (int64_t)version / versions;
    return at / 86400 * 86400 + 5 * 3600 + 36 * 60 + 20 + (int64_t)version;
}

static void name_delivery(struct delivery *d)
{
    const struct world *w = d->month->world;
    const struct options *o = w->options;
    int64_t t = version_time(d->month, d->version);
    int y, mon, day, second = (int)(t % 86400);
    civil_of(t / 86400, &y, &mon, &day);
    char uuid[37];
    uuid_of(mix2(w->seed, 0xe8ec + d->version), uuid);
    d->uuid = text_format("%s", uuid);
    bool fresh = o->layout == LAYOUT_NEW;
    if (is_cur2(o)) {
        d->id = text_format("%04d-%02d-%02dT%02d:%02d:%02d.653Z-%s", y, mon, day, second / 3600, second / 60 % 60,
                            second % 60, uuid);
        const char *tail = fresh ? text_format("/%s", d->id) : "";
        d->data_folder = text_format("%s/%s/data/BILLING_PERIOD=%s%s", o->prefix, o->report, o->period, tail);
        d->manifest_folder = text_format("%s/%s/metadata/BILLING_PERIOD=%s%s", o->prefix, o->report, o->period, tail);
        d->period_folder = d->manifest_folder;
    } else {
        d->id = text_format("%04d%02d%02dT%02d%02d%02dZ", y, mon, day, second / 3600, second / 60 % 60, second % 60);
        int end_y, end_m, end_d;
        civil_of(w->end / 86400, &end_y, &end_m, &end_d);
        d->period_folder =
            text_format("%s/%s/%04d%02d01-%04d%02d01", o->prefix, o->report, o->year, o->month, end_y, end_m);
        d->data_folder = d->manifest_folder = fresh ? text_format("%s/%s", d->period_folder, d->id) : d->period_folder;
    }
}

void json_write(const json_t *object, const char *path)
{
    const char *beside = text_format("%s.tmp", path);
    if (json_dump_file(object, beside, JSON_INDENT(2)) != 0 || rename(beside, path) != 0) {
        fprintf(stderr, "generate: cannot write %s: %s\n", path, strerror(errno));
        exit(4);
    }
}

static json_t *describe(struct delivery *d, const struct totals *totals, uint64_t rows)
{
    const struct options *o = d->month->world->options;
    json_t *object = json_object(), *chunks = json_array();
    json_object_set_new(object, "version", json_integer(d->version));
    json_object_set_new(object, "id", json_string(d->id));
    json_object_set_new(object, "manifest", d->manifest_key != NULL ? json_string(d->manifest_key) : json_null());
    json_object_set_new(object, "final", json_boolean(d->version == o->versions && !o->not_final));
    json_object_set_new(object, "lines", json_integer((json_int_t)rows));
    json_object_set_new(object, "columns", json_integer((json_int_t)d->columns.count));
    json_object_set_new(object, "grand", totals_grand(totals));
    json_object_set_new(object, "by_type", totals_by_type(totals));
    json_object_set_new(object, "groups", totals_groups(totals));
    for (size_t i = 0; i < d->file_count; i++) {
        json_t *chunk = json_object();
        json_object_set_new(chunk, "file", json_string(d->file[i].key));
        json_object_set_new(chunk, "lines", json_integer((json_int_t)d->file[i].rows));
        json_object_set_new(chunk, "bytes", json_integer((json_int_t)d->file[i].bytes));
        json_object_set_new(chunk, "sums", d->file[i].totals);
        free(d->file[i].key);
        json_array_append_new(chunks, chunk);
    }
    json_object_set_new(object, "chunks", chunks);
    return object;
}

json_t *delivery_write(const struct month *m, unsigned version)
{
    const struct options *o = m->world->options;
    struct delivery d = {.month = m, .version = version};
    struct writer w = {.options = o, .delivery = &d};
    name_delivery(&d);
    columns_of_version(o, version, &d.columns);
    uint64_t rows = month_rows(m, version);
    struct chunk *chunks;
    size_t count = plan_chunks(o, rows, &chunks);
    d.file = calloc(count + 1, sizeof *d.file);
    w.renderer = malloc(sizeof *w.renderer);
    w.row = malloc(sizeof *w.row);
    w.buffer = malloc(BUFFER_SIZE);
    if (d.file == NULL || w.renderer == NULL || w.row == NULL || w.buffer == NULL)
        exit(70);
    renderer_open(w.renderer, m, version);
    totals_open(&w.totals, m->world);
    for (size_t i = 0; i < count; i++)
        write_chunk(&w, (unsigned)i + 1, &chunks[i]);
    if (!o->no_manifest)
        manifest_write(&d);
    json_t *description = describe(&d, &w.totals, rows);
    totals_close(&w.totals);
    free(w.buffer);
    free(w.row);
    free(w.renderer);
    free(d.file);
    free(chunks);
    return description;
}
