/* Reading a payer's `source` mapping. Internal to common/delivery/source. */
#ifndef CM_SOURCE_DEFINITION_H
#define CM_SOURCE_DEFINITION_H

#include "base/base/buffer.h"
#include "base/base/error.h"
#include "delivery/source/source.h"

#include <jansson.h>

typedef struct cm_definition_key {
    const char *name; /* NULL ends the table */
    bool required;
    const char **ret; /* borrowed from the definition; untouched if absent */
} cm_definition_key;

/* INVALID: unknown key, missing key, value that is not a text. */
CM_NODISCARD bool cm_definition_read(const json_t *definition, const cm_definition_key *keys, cm_error *err);

/* cm_source_read_small, but for the object with this fingerprint (NULL: any), tried once. */
CM_NODISCARD bool cm_source_read_expected(cm_source *source, const char *key, const char *fingerprint, size_t limit,
                                          cm_buffer *into, cm_error *err);

#endif
