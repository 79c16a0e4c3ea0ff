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

static ProtobufCBinaryData amount_message(cm_decimal amount, cm_arena *arena)
{
    ProtobufCBinaryData bytes = {16, cm_arena_alloc(arena, 16)};
    cm_column_put_units(bytes.data, amount);
    return bytes;
}

static void put_discounts(const cm_chunk_end *end, Curmill__V1__ChunkEnd *message, cm_arena *arena)
{
    message->n_discount = end->discounts;
    message->discount = cm_arena_alloc(arena, (end->discounts + 1) * sizeof(Curmill__V1__DiscountSum *));
    for (size_t i = 0; i < end->discounts; i++) {
        const cm_discount_sum *sum = &end->discount[i];
        Curmill__V1__DiscountSum *to = message->discount[i] = cm_arena_alloc(arena, sizeof *to);
        curmill__v1__discount_sum__init(to);
        to->line_item_type = cm_arena_strndup(arena, sum->type, strlen(sum->type));
        to->currency = cm_arena_strndup(arena, sum->currency, strlen(sum->currency));
        to->derived_lines = sum->derived_lines;
        to->derived = amount_message(sum->derived, arena);
        to->lines_without_net = sum->lines_without_net;
        to->without_net = amount_message(sum->without_net, arena);
        to->lines_with_net = sum->lines_with_net;
        to->net_difference = amount_message(sum->net_difference, arena);
    }
    message->unexplained_lines = end->unexplained_lines;
    message->n_unexplained = end->unexplained_count;
    message->unexplained =
        cm_arena_alloc(arena, (end->unexplained_count + 1) * sizeof(Curmill__V1__UnexplainedDiscount *));
    for (size_t i = 0; i < end->unexplained_count; i++) {
        const cm_unexplained_discount *from = &end->unexplained[i];
        Curmill__V1__UnexplainedDiscount *to = message->unexplained[i] = cm_arena_alloc(arena, sizeof *to);
        curmill__v1__unexplained_discount__init(to);
        to->row = from->row;
        to->currency = cm_arena_strndup(arena, from->currency, strlen(from->currency));
        to->amount = amount_message(from->amount, arena);
    }
}

static bool get_text(const char *text, char *into, size_t size)
{
    size_t length = strlen(text);
    if (length >= size)
        return false;
    memcpy(into, text, length + 1);
    return true;
}

static bool get_discounts(const Curmill__V1__ChunkEnd *message, cm_arena *arena, cm_chunk_end *ret)
{
    cm_discount_sum *sums = cm_arena_zalloc(arena, (message->n_discount + 1) * sizeof *sums);
    cm_unexplained_discount *unexplained = cm_arena_zalloc(arena, (message->n_unexplained + 1) * sizeof *unexplained);
    for (size_t i = 0; i < message->n_discount; i++) {
        const Curmill__V1__DiscountSum *from = message->discount[i];
        cm_discount_sum *to = &sums[i];
        to->derived_lines = from->derived_lines;
        to->lines_without_net = from->lines_without_net;
        to->lines_with_net = from->lines_with_net;
        if (!get_text(from->line_item_type, to->type, sizeof to->type) ||
            !get_text(from->currency, to->currency, sizeof to->currency) ||
            !cm_column_get_units(from->derived, &to->derived) ||
            !cm_column_get_units(from->without_net, &to->without_net) ||
            !cm_column_get_units(from->net_difference, &to->net_difference))
            return false;
    }
    for (size_t i = 0; i < message->n_unexplained; i++) {
        const Curmill__V1__UnexplainedDiscount *from = message->unexplained[i];
        unexplained[i].row = from->row;
        if (!get_text(from->currency, unexplained[i].currency, sizeof unexplained[i].currency) ||
            !cm_column_get_units(from->amount, &unexplained[i].amount))
            return false;
    }
    ret->discount = sums;
    ret->discounts = message->n_discount;
    ret->unexplained = unexplained;
    ret->unexplained_count = message->n_unexplained;
    ret->unexplained_lines = message->unexplained_lines;
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
    message->derived_lines = end->derived_lines;
    message->final_lines = end->final_lines;
    message->rounded = end->rounded;
    message->checksum = end->checksum;
    message->n_cost = end->costs;
    message->cost = cm_costs_message(end->cost, end->costs, arena);
    put_discounts(end, message, arena);
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
                          .derived_lines = message->derived_lines,
                          .final_lines = message->final_lines,
                          .rounded = message->rounded,
                          .checksum = message->checksum,
                          .costs = message->n_cost};
    if (!cm_run_id_from_message(message->run_id, ret->run_id))
        return cm_undecodable(err, "the run id does not have 16 bytes");
    if (ret->final_lines > ret->lines || ret->batches > ret->lines + ret->derived_lines ||
        ret->derived_lines > UINT64_MAX - ret->lines || (ret->lines && !ret->batches))
        return cm_undecodable(err, "counts of ChunkEnd contradict each other");
    if (!cm_costs_from_message(message->cost, message->n_cost, arena, &cost, err))
        return false;
    ret->cost = cost;
    return get_discounts(message, arena, ret) || cm_undecodable(err, "a discount of ChunkEnd is damaged");
}
