/*
 * The kinds and texts that a reader has seen, of limited size: when it is full, it forgets everything and takes a new
 * `source`. A kind is found by its key: the raw bytes of its fields with their lengths, so that a line of a known kind
 * costs one lookup. Internal to common/billing/cur. One thread.
 */
#ifndef CM_CUR_KINDS_H
#define CM_CUR_KINDS_H

#include "billing/cur/line.h"

typedef struct cm_known_kind {
    uint64_t hash;
    uint32_t key_at, key_length;
    uint32_t text[CM_KIND_TEXTS]; /* numbers */
    uint32_t flags;
} cm_known_kind;

typedef struct cm_kinds {
    uint64_t source;
    cm_known_kind *kind; /* [CM_MEMO_KINDS] */
    uint32_t kind_count;
    cm_slice *text; /* [CM_MEMO_TEXTS], in `bytes` */
    uint32_t text_count;
    uint32_t *kind_slot, *text_slot; /* open addressing: number + 1, 0 is free */
    char *key;
    uint32_t key_used;
    char *bytes;
    uint32_t bytes_used;
} cm_kinds;

void cm_kinds_init(cm_kinds *kinds);
void cm_kinds_free(cm_kinds *kinds);

/* NULL: not known. 8 bytes beyond the end of `key` must be readable. */
const cm_known_kind *cm_kinds_find(const cm_kinds *kinds, const char *key, uint32_t length, uint64_t hash);
bool cm_kinds_has_key(const cm_kinds *kinds, const cm_known_kind *kind, const char *key, uint32_t length);

/* Adds a kind that was not found. May first forget all others. */
const cm_known_kind *cm_kinds_add(cm_kinds *kinds, const char *key, uint32_t length, uint64_t hash,
                                  const cm_slice texts[static CM_KIND_TEXTS], uint32_t flags);

/* Longest key and text that can be added. */
enum { CM_KINDS_KEY_MAX = 128 * 1024, CM_KINDS_KEYS = 3 << 20, CM_KINDS_BYTES = 1 << 20 };

#endif
