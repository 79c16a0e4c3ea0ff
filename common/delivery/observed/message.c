#include "delivery/observed/observed.h"

#include "account_observed.pb-c.h"

static bool undecodable(cm_error *err, const char *what)
{
    return cm_fail(err, CM_ERROR_POISON, "UNDECODABLE",
                   "not a record of account.observed: %s; was it written by a newer version?", what);
}

static char *text_of(cm_arena *arena, const char *text)
{
    return cm_arena_strndup(arena, text, strlen(text));
}

void cm_observed_encode(const cm_observed *observed, cm_arena *arena, const uint8_t **ret_bytes, size_t *ret_length)
{
    char period[CM_PERIOD_TEXT];
    Curmill__V1__AccountObserved message = CURMILL__V1__ACCOUNT_OBSERVED__INIT;
    message.schema_version = 1;
    message.delivery_id = (ProtobufCBinaryData){CM_ID_BYTES, cm_arena_alloc(arena, CM_ID_BYTES)};
    memcpy(message.delivery_id.data, observed->delivery_id, CM_ID_BYTES);
    message.chunk = observed->chunk;
    message.payer = text_of(arena, observed->payer);
    message.account = text_of(arena, observed->account);
    message.period = cm_period_print(observed->period, period);
    message.first_usage = observed->first_usage;
    message.last_usage = observed->last_usage;
    message.lines = observed->lines;
    message.usage_lines = observed->usage_lines;
    message.n_support_product = observed->support_count;
    message.support_product = cm_arena_alloc(arena, (observed->support_count + 1) * sizeof *message.support_product);
    for (size_t i = 0; i < observed->support_count; i++)
        message.support_product[i] = text_of(arena, observed->support[i]);
    uint8_t *bytes = cm_arena_alloc(arena, curmill__v1__account_observed__get_packed_size(&message));
    *ret_length = curmill__v1__account_observed__pack(&message, bytes);
    *ret_bytes = bytes;
}

static bool take(const Curmill__V1__AccountObserved *m, cm_arena *arena, cm_observed *ret, cm_error *err)
{
    if (m->schema_version != 1)
        return undecodable(err, "unknown schema version");
    if (m->delivery_id.len != CM_ID_BYTES)
        return undecodable(err, "the delivery id does not have 16 bytes");
    *ret = (cm_observed){.chunk = m->chunk,
                         .payer = text_of(arena, m->payer),
                         .account = text_of(arena, m->account),
                         .first_usage = m->first_usage,
                         .last_usage = m->last_usage,
                         .lines = m->lines,
                         .usage_lines = m->usage_lines,
                         .support_count = m->n_support_product};
    memcpy(ret->delivery_id, m->delivery_id.data, CM_ID_BYTES);
    if (!*ret->payer || !cm_period_parse(cm_slice_of(m->period), &ret->period) || m->first_usage > m->last_usage ||
        !m->lines)
        return undecodable(err, "no payer, no period, no lines or no time");
    const char **support = cm_arena_alloc(arena, (m->n_support_product + 1) * sizeof *support);
    for (size_t i = 0; i < m->n_support_product; i++)
        support[i] = text_of(arena, m->support_product[i]);
    ret->support = support;
    return true;
}

bool cm_observed_decode(const void *bytes, size_t length, cm_arena *arena, cm_observed *ret, cm_error *err)
{
    Curmill__V1__AccountObserved *message = curmill__v1__account_observed__unpack(NULL, length, bytes);
    if (!message)
        return undecodable(err, "damaged");
    bool done = take(message, arena, ret, err);
    curmill__v1__account_observed__free_unpacked(message, NULL);
    return done;
}
