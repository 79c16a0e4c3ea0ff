/* LineBatch, read by hand and strictly; unknown fields are skipped, as protobuf requires. */
#include "billing/batch/column.h"
#include "billing/batch/line_batch.h"
#include "billing/batch/messages.h"
#include "billing/batch/wire.h"

enum {
    KIND_COLUMNS = CM_KIND_TEXTS + 1,
    FIRST_KIND_FIELD = 10,
    CURRENCY_FIELD = 19,
    FLAGS_FIELD = 20,
    KIND_FIELD = 30,
    START_FIELD = 31,
    QUANTITY_FIELD = 32,
    COST_FIELD = 33,
    LIST_FIELD = 34,
    CHECKSUM_FIELD = 35
};

/* What the first pass found, and what the second one fills. */
struct decoding {
    cm_line_batch *batch;
    size_t texts, text_bytes;
    cm_slice *text;
    char *text_at;
    size_t text_used;
    cm_kind *kind_of;
    uint32_t *kind;
    cm_instant *start;
    cm_decimal *decimals[3];
    uint64_t *checksum;
    size_t got[CHECKSUM_FIELD + 1]; /* elements of each field so far */
};

static bool take_number(uint64_t value, uint64_t most, uint64_t *ret)
{
    *ret = value;
    return value <= most;
}

static bool scan_scalar(struct decoding *d, const cm_wire_field *f, uint64_t *version, bool *run_id)
{
    cm_line_batch *batch = d->batch;
    uint64_t v = 0;
    switch (f->number) {
    case 1:
        *version = f->value;
        return f->type == CM_WIRE_VARINT;
    case 2:
        if (f->type != CM_WIRE_BYTES || f->content.end - f->content.at != CM_ID_BYTES)
            return false;
        memcpy(batch->run_id, f->content.at, CM_ID_BYTES);
        *run_id = true;
        return true;
    case 3:
    case 4:
    case 6:
        if (f->type != CM_WIRE_VARINT || !take_number(f->value, UINT32_MAX, &v))
            return false;
        *(f->number == 3 ? &batch->chunk : f->number == 4 ? &batch->sequence : &batch->lines) = (uint32_t)v;
        return true;
    case 5:
        batch->first_row = f->value;
        return f->type == CM_WIRE_VARINT;
    case 7:
        d->texts++;
        d->text_bytes += (size_t)(f->content.end - f->content.at);
        return f->type == CM_WIRE_BYTES;
    case FIRST_KIND_FIELD:
        if (f->type != CM_WIRE_VARINT && f->type != CM_WIRE_BYTES)
            return false;
        v = batch->kinds + cm_wire_count_varints(f);
        batch->kinds = (uint32_t)v;
        return v <= UINT32_MAX;
    default:
        return true;
    }
}

static bool first_pass(struct decoding *d, cm_wire wire, cm_error *err)
{
    size_t length = (size_t)(wire.end - wire.at);
    cm_wire_field field;
    uint64_t version = 0;
    bool run_id = false;
    while (cm_wire_next(&wire, &field))
        if (!scan_scalar(d, &field, &version, &run_id))
            return cm_undecodable(err, "a field of LineBatch has a wrong form");
    if (!wire.at)
        return cm_undecodable(err, "LineBatch is cut or damaged");
    if (version != 1)
        return cm_undecodable(err, "unknown schema version of LineBatch");
    if (!run_id || !d->batch->first_row || !d->batch->lines || !d->texts)
        return cm_undecodable(err, "LineBatch lacks run id, first row, lines or texts");
    /* A line takes at least nine bytes, a kind eleven, so a small record cannot cause a large allocation. */
    if (d->batch->lines > length / 9 || UINT64_MAX - d->batch->first_row < d->batch->lines)
        return cm_undecodable(err, "LineBatch has fewer lines than it says");
    if (d->batch->kinds > length / KIND_COLUMNS)
        return cm_undecodable(err, "the columns of LineBatch differ in length");
    return true;
}

static void allocate(struct decoding *d, cm_arena *arena)
{
    size_t lines = d->batch->lines;
    d->text = cm_arena_alloc(arena, d->texts * sizeof *d->text);
    d->text_at = cm_arena_alloc(arena, d->text_bytes + 1);
    d->kind_of = cm_arena_zalloc(arena, d->batch->kinds * sizeof *d->kind_of);
    d->kind = cm_arena_alloc(arena, lines * sizeof *d->kind);
    d->start = cm_arena_alloc(arena, lines * sizeof *d->start);
    for (int i = 0; i < 3; i++)
        d->decimals[i] = cm_arena_alloc(arena, lines * sizeof *d->decimals[i]);
    d->checksum = cm_arena_alloc(arena, lines * sizeof *d->checksum);
    d->batch->kind_of = d->kind_of;
    d->batch->kind = d->kind;
    d->batch->start = d->start;
    d->batch->quantity = d->decimals[0];
    d->batch->cost = d->decimals[1];
    d->batch->list_cost = d->decimals[2];
    d->batch->checksum = d->checksum;
}

/* The next element of a repeated varint field; *ret_more = false after the last. */
static inline bool element(cm_wire_field *f, uint64_t *ret, bool *ret_more)
{
    if (f->type == CM_WIRE_VARINT) {
        /* A single value, not packed; nothing follows it. */
        f->type = CM_WIRE_BYTES;
        f->content = (cm_wire){0};
        *ret_more = true;
        *ret = f->value;
        return true;
    }
    *ret_more = f->content.at < f->content.end;
    return f->type == CM_WIRE_BYTES && (!*ret_more || cm_wire_varint(&f->content, ret));
}

static bool get_kind_texts(struct decoding *d, cm_wire_field *f)
{
    size_t *got = &d->got[f->number];
    uint64_t v = 0;
    bool more;
    while (element(f, &v, &more)) {
        if (!more)
            return true;
        if (*got == d->batch->kinds)
            return false;
        cm_kind *kind = &d->kind_of[(*got)++];
        if (f->number == FLAGS_FIELD) {
            kind->flags = (uint32_t)v;
            continue;
        }
        if (v >= d->texts || (f->number == CURRENCY_FIELD && d->text[v].length >= sizeof((cm_cost *)0)->currency))
            return false;
        ((cm_slice *)(void *)kind)[f->number - FIRST_KIND_FIELD] = d->text[v];
    }
    return false;
}

static bool get_kinds(struct decoding *d, cm_wire_field *f)
{
    size_t *got = &d->got[KIND_FIELD];
    uint64_t v = 0;
    bool more;
    while (element(f, &v, &more)) {
        if (!more)
            return true;
        if (*got == d->batch->lines || v >= d->batch->kinds)
            return false;
        d->kind[(*got)++] = (uint32_t)v;
    }
    return false;
}

static bool get_starts(struct decoding *d, cm_wire_field *f)
{
    size_t *got = &d->got[START_FIELD];
    uint64_t at = *got ? (uint64_t)d->start[*got - 1] : 0, v = 0;
    bool more;
    while (element(f, &v, &more)) {
        if (!more)
            return true;
        if (*got == d->batch->lines)
            return false;
        at += (uint64_t)cm_wire_unzigzag(v);
        d->start[(*got)++] = (cm_instant)at;
    }
    return false;
}

static bool get_checksums(struct decoding *d, const cm_wire_field *f)
{
    size_t *got = &d->got[CHECKSUM_FIELD], left = d->batch->lines - *got;
    if (f->type == CM_WIRE_FIXED64 && left) {
        d->checksum[(*got)++] = f->value;
        return true;
    }
    size_t bytes = (size_t)(f->content.end - f->content.at);
    if (f->type != CM_WIRE_BYTES || bytes % 8 || bytes / 8 > left)
        return false;
    if (bytes)
        memcpy(d->checksum + *got, f->content.at, bytes);
    *got += bytes / 8;
    return true;
}

static bool get_decimals(struct decoding *d, const cm_wire_field *f)
{
    size_t *got = &d->got[f->number];
    if (f->type != CM_WIRE_BYTES || *got)
        return false;
    *got = d->batch->lines;
    return cm_column_get(f->content.at, (size_t)(f->content.end - f->content.at),
                         d->decimals[f->number - QUANTITY_FIELD], *got);
}

/* The dictionary may come after what refers to it, so it is read first, in a pass of its own. */
static void get_texts(struct decoding *d, cm_wire wire)
{
    cm_wire_field f;
    size_t count = 0;
    while (cm_wire_next(&wire, &f)) {
        if (f.number != 7)
            continue;
        size_t length = (size_t)(f.content.end - f.content.at);
        memcpy(d->text_at, f.content.at, length);
        d->text[count++] = (cm_slice){d->text_at, length};
        d->text_at += length;
    }
}

static bool get_field(struct decoding *d, cm_wire_field *f)
{
    if (f->number >= FIRST_KIND_FIELD && f->number <= FLAGS_FIELD)
        return get_kind_texts(d, f);
    switch (f->number) {
    case KIND_FIELD:
        return get_kinds(d, f);
    case START_FIELD:
        return get_starts(d, f);
    case QUANTITY_FIELD:
    case COST_FIELD:
    case LIST_FIELD:
        return get_decimals(d, f);
    case CHECKSUM_FIELD:
        return get_checksums(d, f);
    default:
        return true;
    }
}

static bool is_complete(const struct decoding *d)
{
    for (size_t f = FIRST_KIND_FIELD; f <= FLAGS_FIELD; f++)
        if (d->got[f] != d->batch->kinds)
            return false;
    for (size_t f = KIND_FIELD; f <= CHECKSUM_FIELD; f++)
        if (d->got[f] != d->batch->lines)
            return false;
    return true;
}

static bool decode_batch(cm_wire wire, cm_arena *arena, cm_line_batch *ret, cm_error *err)
{
    struct decoding d = {.batch = ret};
    cm_wire_field field;
    if (!first_pass(&d, wire, err))
        return false;
    allocate(&d, arena);
    get_texts(&d, wire);
    while (cm_wire_next(&wire, &field))
        if (!get_field(&d, &field))
            return cm_undecodable(err, "a column of LineBatch contradicts another");
    if (!is_complete(&d))
        return cm_undecodable(err, "the columns of LineBatch differ in length");
    return true;
}

static bool decode_end(const void *bytes, size_t length, cm_arena *arena, cm_chunk_end *ret, cm_error *err)
{
    ProtobufCAllocator allocator = cm_arena_allocator(arena);
    Curmill__V1__IngestedRecord *record = curmill__v1__ingested_record__unpack(&allocator, length, bytes);
    if (!record || record->body_case != CURMILL__V1__INGESTED_RECORD__BODY_CHUNK_END)
        return cm_undecodable(err, "damaged ChunkEnd");
    return cm_chunk_end_from_message(record->chunk_end, arena, ret, err);
}

bool cm_ingested_decode(const void *bytes, size_t length, cm_arena *arena, cm_ingested *ret, cm_error *err)
{
    cm_wire wire = {bytes, (const uint8_t *)bytes + length};
    cm_wire_field field;
    cm_wire batch = {0};
    bool end = false;
    *ret = (cm_ingested){0};
    while (bytes && cm_wire_next(&wire, &field)) {
        if (field.number == 1 && field.type == CM_WIRE_BYTES) {
            batch = field.content;
            end = false;
        } else if (field.number == 2) {
            end = true;
        }
    }
    if (bytes && !wire.at)
        return cm_undecodable(err, "the record is cut or damaged");
    if (!end && !batch.at)
        return cm_undecodable(err, "neither LineBatch nor ChunkEnd");
    ret->is_end = end;
    return end ? decode_end(bytes, length, arena, &ret->end, err) : decode_batch(batch, arena, &ret->batch, err);
}
