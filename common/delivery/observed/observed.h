/*
 * What a file of a report says about its accounts (topic account.observed, proto/account_observed.proto): collected
 * while its lines are put into batches, a few instructions per line.
 */
#ifndef CM_OBSERVED_OBSERVED_H
#define CM_OBSERVED_OBSERVED_H

#include "base/base/arena.h"
#include "billing/batch/line_batch.h"

typedef struct cm_observed {
    uint8_t delivery_id[CM_ID_BYTES];
    uint32_t chunk;
    const char *payer, *account;
    cm_period period;
    cm_instant first_usage, last_usage; /* usage starts */
    uint64_t lines, usage_lines;        /* usage_lines: of types of usage, AWS support left out (P06) */
    const char *const *support;         /* product codes of AWS support lines, sorted, each once (O16) */
    size_t support_count;
} cm_observed;

typedef struct cm_observer cm_observer;
cm_observer *cm_observer_new(void);
void cm_observer_free(cm_observer *observer); /* NULL allowed */
/* Adds the lines that the builder holds: before each cm_batch_builder_take. */
void cm_observer_take(cm_observer *observer, cm_batch_builder *builder);
/* One for each account, sorted by its name; the caller fills in delivery, chunk, payer and period. Valid as long as the
 * observer. */
size_t cm_observer_list(cm_observer *observer, cm_observed **ret);

/* Everything returned lives in `arena`. */
void cm_observed_encode(const cm_observed *observed, cm_arena *arena, const uint8_t **ret_bytes, size_t *ret_length);
/* POISON (UNDECODABLE): not such a record. */
CM_NODISCARD bool cm_observed_decode(const void *bytes, size_t length, cm_arena *arena, cm_observed *ret,
                                     cm_error *err);

#endif
