#include "billing/batch/rated_batch.h"

#include "billing/batch/column.h"
#include "billing/batch/dictionary.h"
#include "billing/batch/messages.h"

#include "rated_batch.pb-c.h"

enum { SCHEMA_VERSION = 1 };

typedef Curmill__V1__RatedBatch message_t;

/* A column of texts: its offset in the struct, and in the message as count and array. */
struct text_column {
    size_t slice, count, array;
};
#define CHARGE_TEXT(member, field)                                                                                     \
    {                                                                                                                  \
        offsetof(cm_charge, member), offsetof(message_t, n_##field), offsetof(message_t, field)                        \
    }
#define DAY_TEXT(member, field)                                                                                        \
    {                                                                                                                  \
        offsetof(cm_charge_day, member), offsetof(message_t, n_##field), offsetof(message_t, field)                    \
    }

static const struct text_column charge_texts[] = {
    CHARGE_TEXT(customer, customer),   CHARGE_TEXT(account, account),   CHARGE_TEXT(line_item_type, line_item_type),
    CHARGE_TEXT(class, class_),        CHARGE_TEXT(product, product),   CHARGE_TEXT(usage_type, usage_type),
    CHARGE_TEXT(operation, operation), CHARGE_TEXT(region, region),     CHARGE_TEXT(unit, unit),
    CHARGE_TEXT(rule, rule),           CHARGE_TEXT(currency, currency), CHARGE_TEXT(reason, reason),
};
/* A column of its own: it is left out where all are "", as nearly always. */
static const struct text_column link_texts[] = {CHARGE_TEXT(link_from, link_from)};
static const struct text_column day_texts[] = {DAY_TEXT(account, day_account), DAY_TEXT(product, day_product),
                                               DAY_TEXT(currency, day_currency)};
enum { CHARGE_TEXTS = sizeof charge_texts / sizeof *charge_texts, DAY_TEXTS = sizeof day_texts / sizeof *day_texts };

/* A column of decimals: its offset in the struct and in the message. */
struct decimal_column {
    size_t decimal, column;
};
static const struct decimal_column charge_decimals[] = {
    {offsetof(cm_charge, sum.quantity), offsetof(message_t, quantity)},
    {offsetof(cm_charge, sum.payer), offsetof(message_t, payer)},
    {offsetof(cm_charge, sum.list), offsetof(message_t, list)},
    {offsetof(cm_charge, sum.buy), offsetof(message_t, buy)},
    {offsetof(cm_charge, sum.sell), offsetof(message_t, sell)},
};
static const struct decimal_column day_decimals[] = {
    {offsetof(cm_charge_day, sum.quantity), offsetof(message_t, day_quantity)},
    {offsetof(cm_charge_day, sum.payer), offsetof(message_t, day_payer)},
    {offsetof(cm_charge_day, sum.list), offsetof(message_t, day_list)},
    {offsetof(cm_charge_day, sum.buy), offsetof(message_t, day_buy)},
    {offsetof(cm_charge_day, sum.sell), offsetof(message_t, day_sell)},
};
enum { LAYERS = 5 };

/* The member of type `type` at `offset` bytes from `base`. */
#define MEMBER(base, offset, type) ((type *)(void *)((char *)(base) + (offset)))

/* --- encoding ---------------------------------------------------------------------------------------------------- */

static void put_texts(message_t *m, const struct text_column *columns, int count, const void *rows, size_t size,
                      size_t row_count, uint32_t *numbers[], cm_arena *arena)
{
    (void)rows, (void)size;
    for (int c = 0; c < count; c++) {
        *MEMBER(m, columns[c].count, size_t) = row_count;
        *MEMBER(m, columns[c].array, uint32_t *) = numbers[c] = cm_arena_alloc(arena, row_count * sizeof(uint32_t));
    }
}

/* Row by row, so that the dictionary is in order of first appearance. */
static void number_texts(cm_dictionary *texts, message_t *m, const struct text_column *columns, int count,
                         const void *rows, size_t size, size_t row_count, cm_arena *arena)
{
    uint32_t *numbers[CHARGE_TEXTS];
    put_texts(m, columns, count, rows, size, row_count, numbers, arena);
    for (size_t i = 0; i < row_count; i++)
        for (int c = 0; c < count; c++) {
            const cm_slice *text = (const cm_slice *)(const void *)((const char *)rows + i * size + columns[c].slice);
            numbers[c][i] = cm_dictionary_number(texts, *text);
        }
}

static void put_layers(message_t *m, const struct decimal_column columns[static LAYERS], const void *rows, size_t size,
                       size_t row_count, cm_arena *arena)
{
    for (int c = 0; c < LAYERS && row_count; c++) {
        const cm_decimal *first = (const cm_decimal *)(const void *)((const char *)rows + columns[c].decimal);
        *MEMBER(m, columns[c].column, Curmill__V1__DecimalColumn *) = cm_column_message(first, size, row_count, arena);
    }
}

static void put_charges(message_t *m, const cm_rated_batch *batch, cm_arena *arena)
{
    size_t n = batch->charges;
    m->n_charge_lines = m->n_charge_final_lines = m->n_first_row = n;
    m->charge_lines = cm_arena_alloc(arena, n * sizeof *m->charge_lines);
    m->charge_final_lines = cm_arena_alloc(arena, n * sizeof *m->charge_final_lines);
    m->first_row = cm_arena_alloc(arena, n * sizeof *m->first_row);
    for (size_t i = 0; i < n; i++) {
        m->charge_lines[i] = batch->charge[i].lines;
        m->charge_final_lines[i] = batch->charge[i].final_lines;
        m->first_row[i] = batch->charge[i].first_row;
    }
    if (batch->derived_lines) {
        m->n_charge_derived_lines = n;
        m->charge_derived_lines = cm_arena_alloc(arena, n * sizeof *m->charge_derived_lines);
        for (size_t i = 0; i < n; i++)
            m->charge_derived_lines[i] = batch->charge[i].derived_lines;
    }
    put_layers(m, charge_decimals, batch->charge, sizeof *batch->charge, n, arena);
}

static void put_days(message_t *m, const cm_rated_batch *batch, cm_arena *arena)
{
    size_t n = batch->days;
    m->n_day = m->n_day_lines = n;
    m->day = cm_arena_alloc(arena, n * sizeof *m->day);
    m->day_lines = cm_arena_alloc(arena, n * sizeof *m->day_lines);
    for (size_t i = 0; i < n; i++) {
        m->day[i] = batch->day[i].day;
        m->day_lines[i] = batch->day[i].lines;
    }
    if (batch->derived_lines) {
        m->n_day_derived_lines = n;
        m->day_derived_lines = cm_arena_alloc(arena, n * sizeof *m->day_derived_lines);
        for (size_t i = 0; i < n; i++)
            m->day_derived_lines[i] = batch->day[i].derived_lines;
    }
    put_layers(m, day_decimals, batch->day, sizeof *batch->day, n, arena);
}

static void put_dictionary(message_t *m, const cm_dictionary *texts, cm_arena *arena)
{
    m->n_text = texts->count;
    m->text = cm_arena_alloc(arena, texts->count * sizeof *m->text);
    for (uint32_t i = 0; i < texts->count; i++)
        m->text[i] = (ProtobufCBinaryData){texts->entry[i].length, texts->encoded + texts->entry[i].at};
}

static void pack(const Curmill__V1__RatedRecord *record, cm_arena *arena, const uint8_t **ret_bytes, size_t *ret_length)
{
    uint8_t *bytes = cm_arena_alloc(arena, curmill__v1__rated_record__get_packed_size(record));
    *ret_length = curmill__v1__rated_record__pack(record, bytes);
    *ret_bytes = bytes;
}

static bool has_link_texts(const cm_rated_batch *batch)
{
    for (size_t i = 0; i < batch->charges; i++)
        if (batch->charge[i].link_from.length)
            return true;
    return false;
}

void cm_rated_batch_encode(const cm_rated_batch *batch, cm_arena *arena, const uint8_t **ret_bytes, size_t *ret_length)
{
    message_t message = CURMILL__V1__RATED_BATCH__INIT;
    Curmill__V1__RatedRecord record = CURMILL__V1__RATED_RECORD__INIT;
    cm_dictionary texts;
    cm_dictionary_init(&texts, 9);
    message.schema_version = SCHEMA_VERSION;
    message.run_id = (ProtobufCBinaryData){CM_ID_BYTES, cm_arena_alloc(arena, CM_ID_BYTES)};
    memcpy(message.run_id.data, batch->run_id, CM_ID_BYTES);
    message.chunk = batch->chunk;
    message.sequence = batch->sequence;
    message.shard = batch->shard;
    message.lines = batch->lines;
    message.derived_lines = batch->derived_lines;
    message.checksum = batch->checksum;
    message.n_cost = batch->costs;
    message.cost = cm_costs_message(batch->cost, batch->costs, arena);
    number_texts(&texts, &message, charge_texts, CHARGE_TEXTS, batch->charge, sizeof *batch->charge, batch->charges,
                 arena);
    if (has_link_texts(batch))
        number_texts(&texts, &message, link_texts, 1, batch->charge, sizeof *batch->charge, batch->charges, arena);
    number_texts(&texts, &message, day_texts, DAY_TEXTS, batch->day, sizeof *batch->day, batch->days, arena);
    put_dictionary(&message, &texts, arena);
    put_charges(&message, batch, arena);
    put_days(&message, batch, arena);
    record.body_case = CURMILL__V1__RATED_RECORD__BODY_BATCH;
    record.batch = &message;
    pack(&record, arena, ret_bytes, ret_length);
    cm_dictionary_free(&texts);
}

void cm_rated_end_encode(const cm_chunk_end *end, cm_arena *arena, const uint8_t **ret_bytes, size_t *ret_length)
{
    Curmill__V1__RatedRecord record = CURMILL__V1__RATED_RECORD__INIT;
    record.body_case = CURMILL__V1__RATED_RECORD__BODY_CHUNK_END;
    record.chunk_end = cm_chunk_end_message(end, arena);
    pack(&record, arena, ret_bytes, ret_length);
}

/* --- decoding ---------------------------------------------------------------------------------------------------- */

static bool get_texts(message_t *m, const struct text_column *columns, int count, void *rows, size_t size,
                      size_t row_count)
{
    for (int c = 0; c < count; c++) {
        if (*MEMBER(m, columns[c].count, size_t) != row_count)
            return false;
        const uint32_t *number = *MEMBER(m, columns[c].array, uint32_t *);
        for (size_t i = 0; i < row_count; i++) {
            if (number[i] >= m->n_text)
                return false;
            ProtobufCBinaryData text = m->text[number[i]];
            *MEMBER(rows, i * size + columns[c].slice, cm_slice) = (cm_slice){(const char *)text.data, text.len};
        }
    }
    return true;
}

static bool get_layers(message_t *m, const struct decimal_column columns[static LAYERS], void *rows, size_t size,
                       size_t row_count)
{
    for (int c = 0; c < LAYERS; c++) {
        const Curmill__V1__DecimalColumn *column = *MEMBER(m, columns[c].column, Curmill__V1__DecimalColumn *);
        if (!cm_column_from_message(column, MEMBER(rows, columns[c].decimal, cm_decimal), size, row_count))
            return false;
    }
    return true;
}

static bool get_charges(message_t *m, cm_arena *arena, cm_rated_batch *ret)
{
    size_t n = m->n_charge_lines;
    ret->charges = n;
    ret->charge = cm_arena_alloc(arena, n * sizeof *ret->charge);
    if (m->n_charge_final_lines != n || m->n_first_row != n || m->n_charge_derived_lines != (m->derived_lines ? n : 0))
        return false;
    for (size_t i = 0; i < n; i++) {
        ret->charge[i].lines = m->charge_lines[i];
        ret->charge[i].derived_lines = m->derived_lines ? m->charge_derived_lines[i] : 0;
        ret->charge[i].final_lines = m->charge_final_lines[i];
        ret->charge[i].first_row = m->first_row[i];
    }
    for (size_t i = 0; i < n && !m->n_link_from; i++)
        ret->charge[i].link_from = (cm_slice){"", 0};
    return get_texts(m, charge_texts, CHARGE_TEXTS, ret->charge, sizeof *ret->charge, n) &&
           (!m->n_link_from || get_texts(m, link_texts, 1, ret->charge, sizeof *ret->charge, n)) &&
           get_layers(m, charge_decimals, ret->charge, sizeof *ret->charge, n);
}

static bool get_days(message_t *m, cm_arena *arena, cm_rated_batch *ret)
{
    size_t n = m->n_day;
    ret->days = n;
    ret->day = cm_arena_alloc(arena, n * sizeof *ret->day);
    if (m->n_day_lines != n || m->n_day_derived_lines != (m->derived_lines ? n : 0))
        return false;
    for (size_t i = 0; i < n; i++) {
        ret->day[i].day = m->day[i];
        ret->day[i].lines = m->day_lines[i];
        ret->day[i].derived_lines = m->derived_lines ? m->day_derived_lines[i] : 0;
    }
    return get_texts(m, day_texts, DAY_TEXTS, ret->day, sizeof *ret->day, n) &&
           get_layers(m, day_decimals, ret->day, sizeof *ret->day, n);
}

static bool decode_batch(message_t *m, cm_arena *arena, cm_rated_batch *ret, cm_error *err)
{
    if (m->schema_version != SCHEMA_VERSION)
        return cm_undecodable(err, "unknown schema version of RatedBatch");
    *ret = (cm_rated_batch){.chunk = m->chunk,
                            .sequence = m->sequence,
                            .shard = m->shard,
                            .lines = m->lines,
                            .derived_lines = m->derived_lines,
                            .checksum = m->checksum,
                            .costs = m->n_cost};
    if (!cm_run_id_from_message(m->run_id, ret->run_id))
        return cm_undecodable(err, "the run id does not have 16 bytes");
    if (!cm_costs_from_message(m->cost, m->n_cost, arena, &ret->cost, err))
        return false;
    if (!get_charges(m, arena, ret) || !get_days(m, arena, ret))
        return cm_undecodable(err, "the columns of RatedBatch contradict each other");
    return true;
}

bool cm_rated_decode(const void *bytes, size_t length, cm_arena *arena, cm_rated *ret, cm_error *err)
{
    ProtobufCAllocator allocator = cm_arena_allocator(arena);
    Curmill__V1__RatedRecord *record = curmill__v1__rated_record__unpack(&allocator, length, bytes);
    *ret = (cm_rated){0};
    if (!record)
        return cm_undecodable(err, "the record is cut or damaged");
    switch (record->body_case) {
    case CURMILL__V1__RATED_RECORD__BODY_BATCH:
        return decode_batch(record->batch, arena, &ret->batch, err);
    case CURMILL__V1__RATED_RECORD__BODY_CHUNK_END:
        ret->is_end = true;
        return cm_chunk_end_from_message(record->chunk_end, arena, &ret->end, err);
    default:
        return cm_undecodable(err, "neither RatedBatch nor ChunkEnd");
    }
}
