#include "billing/batch/messages.h"

#include "chunk_planned.pb-c.h"

size_t cm_chunk_planned_encode(const cm_chunk_planned *planned, uint8_t into[static 64])
{
    Curmill__V1__ChunkPlanned message = CURMILL__V1__CHUNK_PLANNED__INIT;
    uint8_t run_id[CM_ID_BYTES], delivery_id[CM_ID_BYTES];
    memcpy(run_id, planned->run_id, CM_ID_BYTES);
    memcpy(delivery_id, planned->delivery_id, CM_ID_BYTES);
    message.schema_version = 1;
    message.run_id = (ProtobufCBinaryData){CM_ID_BYTES, run_id};
    message.delivery_id = (ProtobufCBinaryData){CM_ID_BYTES, delivery_id};
    message.chunk = planned->chunk;
    cm_assert(curmill__v1__chunk_planned__get_packed_size(&message) <= 64);
    return curmill__v1__chunk_planned__pack(&message, into);
}

bool cm_chunk_planned_decode(const void *bytes, size_t length, cm_chunk_planned *ret, cm_error *err)
{
    Curmill__V1__ChunkPlanned *message = curmill__v1__chunk_planned__unpack(NULL, length, bytes);
    if (!message)
        return cm_undecodable(err, "damaged ChunkPlanned");
    *ret = (cm_chunk_planned){.chunk = message->chunk};
    bool ok = message->schema_version == 1 && message->chunk > 0 &&
              cm_run_id_from_message(message->run_id, ret->run_id) &&
              cm_run_id_from_message(message->delivery_id, ret->delivery_id);
    curmill__v1__chunk_planned__free_unpacked(message, NULL);
    return ok ||
           cm_undecodable(err, "ChunkPlanned with an unknown schema version, without a chunk or with damaged ids");
}
