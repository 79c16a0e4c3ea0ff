/* What was told of a month before, and the difference to what is true now (statements.md section 4). */
#ifndef CM_STORE_TOLD_H
#define CM_STORE_TOLD_H

#include "base/json/json.h"
#include "platform/postgres/postgres.h"

typedef struct cm_told {
    json_t *documents; /* array: the corrected document, then its approved and issued corrections */
    json_t *voided;    /* the last void one, while nothing else was said since; NULL: none */
    int64_t next;      /* the next free number of a correction */
} cm_told;

/* `document`: the corrected one, whose id is `id`. Freed with cm_told_free, also after a failure. */
CM_NODISCARD bool cm_told_load(cm_pg *pg, const char *id, json_t *document, cm_told *ret, cm_error *err);
void cm_told_free(cm_told *told);
/* What `now` says (NULL: nothing) minus what was told: *ret has the keys subtotal, lines, tax, total (caller:
 * json_decref); NULL: there is nothing to correct. False: an amount does not fit. */
CM_NODISCARD bool cm_told_difference(const cm_told *told, const char *id, const char *currency, const json_t *now,
                                     json_t **ret, cm_error *err);

#endif
