/* Literals of PostgreSQL arrays ('{1,2}', '{"a","b"}'): parameters for unnest(). */
#ifndef CM_POSTGRES_ARRAY_H
#define CM_POSTGRES_ARRAY_H

#include "base/base/buffer.h"
#include "base/decimal/decimal.h"

#include <inttypes.h>

static inline void cm_array_separator(cm_buffer *array)
{
    cm_buffer_char(array, array->length ? ',' : '{');
}

static inline void cm_array_text(cm_buffer *array, const char *text)
{
    cm_array_separator(array);
    cm_buffer_char(array, '"');
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            cm_buffer_char(array, '\\');
        cm_buffer_char(array, *text);
    }
    cm_buffer_char(array, '"');
}

static inline void cm_array_i64(cm_buffer *array, int64_t value)
{
    cm_array_separator(array);
    cm_buffer_printf(array, "%" PRId64, value);
}

static inline void cm_array_u64(cm_buffer *array, uint64_t value)
{
    cm_array_separator(array);
    cm_buffer_printf(array, "%" PRIu64, value);
}

static inline void cm_array_decimal(cm_buffer *array, cm_decimal value)
{
    char text[CM_DECIMAL_TEXT];
    cm_decimal_print(value, text);
    cm_array_separator(array);
    cm_buffer_text(array, text);
}

/* The finished literal; nothing may be added after it. */
static inline const char *cm_array_end(cm_buffer *array)
{
    cm_buffer_char(array, array->length ? '}' : '{');
    if (array->length == 1)
        cm_buffer_char(array, '}');
    return array->data;
}

#endif
