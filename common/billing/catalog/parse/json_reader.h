/*
 * Reads JSON from front to back without building a tree: a catalog of 50,000 rules becomes structs without a second
 * copy in memory. The first error sticks: from then on every call fails, so loops end by themselves; look at `failed`
 * once at the end.
 *
 *   cm_json_enter(&r, '{');
 *   while (cm_json_key(&r, &key))
 *       ... exactly one read of the value ...
 *
 * May use: base.
 */
#ifndef CM_CATALOG_JSON_READER_H
#define CM_CATALOG_JSON_READER_H

#include "base/base/arena.h"
#include "base/base/slice.h"

#include <stdint.h>

enum { CM_JSON_DEPTH = 32 };

typedef struct cm_json_reader {
    const char *start, *at, *end;
    cm_arena *arena; /* texts with escapes are unescaped into it */
    unsigned depth;
    bool first[CM_JSON_DEPTH]; /* no element was read yet at this depth */
    bool failed;
    const char *why; /* static */
    size_t failed_at;
} cm_json_reader;

void cm_json_open(cm_json_reader *reader, cm_slice text, cm_arena *arena);
bool cm_json_fail(cm_json_reader *reader, const char *why); /* returns false */

bool cm_json_enter(cm_json_reader *reader, char bracket);    /* '{' or '[' */
bool cm_json_key(cm_json_reader *reader, cm_slice *ret_key); /* false at '}', which it takes */
bool cm_json_item(cm_json_reader *reader);                   /* false at ']', which it takes */
bool cm_json_text(cm_json_reader *reader, cm_slice *ret);
bool cm_json_integer(cm_json_reader *reader, int64_t *ret); /* no fraction, no exponent */
bool cm_json_bool(cm_json_reader *reader, bool *ret);
bool cm_json_raw(cm_json_reader *reader, cm_slice *ret); /* any value, unread: its text */
bool cm_json_end(cm_json_reader *reader);                /* nothing but white space is left */
/* Elements of the object or array that `raw` is; 0 if it is none. Counts only: use it to size an array. */
size_t cm_json_count(cm_slice raw);

#endif
