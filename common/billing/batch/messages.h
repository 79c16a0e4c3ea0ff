/* Shared by the decoders and encoders of both records. Internal to common/billing/batch. */
#ifndef CM_BATCH_MESSAGES_H
#define CM_BATCH_MESSAGES_H

#include "billing/batch/line_batch.h"

#include "line_batch.pb-c.h"

/* Hands out the arena's memory; nothing is freed singly. */
ProtobufCAllocator cm_arena_allocator(cm_arena *arena);

Curmill__V1__ChunkEnd *cm_chunk_end_message(const cm_chunk_end *end, cm_arena *arena);
CM_NODISCARD bool cm_chunk_end_from_message(const Curmill__V1__ChunkEnd *message, cm_arena *arena, cm_chunk_end *ret,
                                            cm_error *err);

Curmill__V1__CurrencyAmount **cm_costs_message(const cm_cost *cost, size_t costs, cm_arena *arena);
CM_NODISCARD bool cm_costs_from_message(Curmill__V1__CurrencyAmount *const *message, size_t costs, cm_arena *arena,
                                        cm_cost **ret, cm_error *err);

/* POISON, UNDECODABLE. Returns false. */
bool cm_undecodable(cm_error *err, const char *what);

CM_NODISCARD bool cm_run_id_from_message(ProtobufCBinaryData bytes, uint8_t ret[static CM_ID_BYTES]);

#endif
