/* A piece of text owned by somebody else; not NUL-terminated. */
#ifndef CM_BASE_SLICE_H
#define CM_BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

typedef struct cm_slice {
    const char *text; /* may be NULL if length is 0 */
    size_t length;
} cm_slice;

static inline cm_slice cm_slice_of(const char *text)
{
    return (cm_slice){text, text ? strlen(text) : 0};
}

static inline bool cm_slice_equal(cm_slice a, cm_slice b)
{
    return a.length == b.length && (a.length == 0 || memcmp(a.text, b.text, a.length) == 0);
}

static inline bool cm_slice_is(cm_slice a, const char *text)
{
    return cm_slice_equal(a, cm_slice_of(text));
}

/* printf("%.*s", CM_SLICE(s)) */
#define CM_SLICE(s) (int)(s).length, (s).length ? (s).text : ""

#endif
