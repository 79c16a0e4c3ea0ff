/*
 * YAML files as trees that know where everything stands: file, line and column of every node (libyaml's event API).
 * An alias is the same node as its anchor. Scalars keep their text: what it means is for the reader to say, so that a
 * decimal never passes through a double and an account id never through a number. May use: base, problems.h.
 */
#ifndef CM_CATALOG_YAML_H
#define CM_CATALOG_YAML_H

#include "base/base/arena.h"
#include "base/base/slice.h"
#include "billing/catalog/yaml/problems.h"

enum cm_yaml_kind { CM_YAML_SCALAR, CM_YAML_SEQUENCE, CM_YAML_MAPPING };

typedef struct cm_yaml_node {
    enum cm_yaml_kind kind;
    bool plain;       /* a scalar without quotes: null, true ... have their meaning */
    int line, column; /* from 1 */
    const char *file;
    cm_slice text;                     /* of a scalar; NUL-terminated, may hold any character */
    size_t count;                      /* items, or pairs */
    const struct cm_yaml_node **items; /* of a sequence; of a mapping: key, value, key, value ... */
} cm_yaml_node;

typedef struct cm_yaml_documents {
    const cm_yaml_node **list; /* free() */
    size_t count, capacity;
} cm_yaml_documents;

/*
 * Appends the documents of one file; empty ones are left out. A syntax error becomes a problem and ends the file; the
 * documents before it are kept. False if there was one.
 */
bool cm_yaml_read(cm_arena *arena, const char *file, cm_slice content, cm_yaml_documents *documents,
                  cm_catalog_problems *problems);

/* "", "~" or null without quotes: a key that is written but has no value. */
bool cm_yaml_is_null(const cm_yaml_node *node);
/* "a mapping", "a list", "a text": for messages */
const char *cm_yaml_kind_name(const cm_yaml_node *node);

#endif
