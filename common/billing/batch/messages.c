#include "billing/batch/messages.h"

#include "billing/batch/column.h"

static void *allocate(void *arena, size_t bytes)
{
    return cm_arena_alloc(arena, bytes);
}

static void release(void *arena, void *memory)
{
    (void)arena, (void)memory;
}

ProtobufCAllocator cm_arena_allocator(cm_arena *arena)
{
    return (ProtobufCAllocator){.alloc = allocate, .free = release, .allocator_data = arena};
}

bool cm_undecodable(cm_error *err, const char *what)
{
    return cm_fail(err, CM_ERROR_POISON, "UNDECODABLE",
                   "not a record of this topic: %s; was it written by a newer version?", what);
}

bool cm_run_id_from_message(ProtobufCBinaryData bytes, uint8_t ret[static CM_ID_BYTES])
{
    if (bytes.len != CM_ID_BYTES)
        return false;
    memcpy(ret, bytes.data, CM_ID_BYTES);
    return true;
}

Curmill__V1__CurrencyAmount **cm_costs_message(const cm_cost *cost, size_t costs, cm_arena *arena)
{
    Curmill__V1__CurrencyAmount **list = cm_arena_alloc(arena, (costs + 1) * sizeof(Curmill__V1__CurrencyAmount *));
    for (size_t i = 0; i < costs; i++) {
        list[i] = cm_arena_alloc(arena, sizeof *list[i]);
        curmill__v1__currency_amount__init(list[i]);
        list[i]->currency = cm_arena_strndup(arena, cost[i].currency, strlen(cost[i].currency));
        list[i]->amount = (ProtobufCBinaryData){16, cm_arena_alloc(arena, 16)};
        cm_column_put_units(list[i]->amount.data, cost[i].amount);
    }
    return list;
}

bool cm_costs_from_message(Curmill__V1__CurrencyAmount *const *message, size_t costs, cm_arena *arena, cm_cost **ret,
                           cm_error *err)
{
    cm_cost *list = cm_arena_zalloc(arena, (costs + 1) * sizeof *list);
    for (size_t i = 0; i < costs; i++) {
        size_t length = strlen(message[i]->currency);
        if (length >= sizeof list[i].currency)
            return cm_undecodable(err, "a currency code is too long");
        memcpy(list[i].currency, message[i]->currency, length);
        if (!cm_column_get_units(message[i]->amount, &list[i].amount))
            return cm_undecodable(err, "an amount does not have 16 bytes");
        if (i && strcmp(list[i - 1].currency, list[i].currency) >= 0)
            return cm_undecodable(err, "currencies are not sorted");
    }
    *ret = list;
    return true;
}

Curmill__V1__ChunkEnd *cm_chunk_end_message(const cm_chunk_end *end, cm_arena *arena)
{
    Curmill__V1__ChunkEnd *message = cm_arena_alloc(arena, sizeof *message);
    curmill__v1__chunk_end__init(message);
    message->schema_version = 1;
    message->run_id = (ProtobufCBinaryData){CM_ID_BYTES, cm_arena_alloc(arena, CM_ID_BYTES)};
    memcpy(message->run_id.data, end->run_id, CM_ID_BYTES);
    message->chunk = end->chunk;
    message->batches = end->batches;
    message->lines = end->lines;
    message->final_lines = end->final_lines;
    message->rounded = end->rounded;
    message->checksum = end->checksum;
    message->n_cost = end->costs;
    message->cost = cm_costs_message(end->cost, end->costs, arena);
    return message;
}

bool cm_chunk_end_from_message(const Curmill__V1__ChunkEnd *message, cm_arena *arena, cm_chunk_end *ret, cm_error *err)
{
    cm_cost *cost = NULL;
    if (message->schema_version != 1)
        return cm_undecodable(err, "unknown schema version of ChunkEnd");
    *ret = (cm_chunk_end){.chunk = message->chunk,
                          .batches = message->batches,
                          .lines = message->lines,
                          .final_lines = message->final_lines,
                          .rounded = message->rounded,
                          .checksum = message->checksum,
                          .costs = message->n_cost};
    if (!cm_run_id_from_message(message->run_id, ret->run_id))
        return cm_undecodable(err, "the run id does not have 16 bytes");
    if (ret->final_lines > ret->lines || ret->batches > ret->lines || (ret->lines && !ret->batches))
        return cm_undecodable(err, "counts of ChunkEnd contradict each other");
    if (!cm_costs_from_message(message->cost, message->n_cost, arena, &cost, err))
        return false;
    ret->cost = cost;
    return true;
}
