/*
 * A dictionary of texts in order of first appearance, kept in its encoded form: number 0 is "". Reused for one batch
 * after the other: reset, not freed. Internal to common/billing/batch. One thread.
 */
#ifndef CM_BATCH_DICTIONARY_H
#define CM_BATCH_DICTIONARY_H

#include "base/base/hash_index.h"
#include "base/base/slice.h"

#include <stdint.h>

typedef struct cm_dictionary {
    uint32_t field;   /* number of the repeated bytes field */
    uint8_t *encoded; /* every text with tag and length */
    size_t used, capacity;
    size_t text_bytes; /* of the texts alone */
    uint32_t count;
    struct cm_dictionary_entry {
        uint32_t at, length; /* in `encoded` */
    } * entry;               /* [entry_capacity] */
    uint32_t entry_capacity;
    cm_hash_index index;
} cm_dictionary;

void cm_dictionary_init(cm_dictionary *dictionary, uint32_t field);
void cm_dictionary_free(cm_dictionary *dictionary);
void cm_dictionary_reset(cm_dictionary *dictionary);
uint32_t cm_dictionary_number(cm_dictionary *dictionary, cm_slice text);

#endif
