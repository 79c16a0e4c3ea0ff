#include "base/base/buffer.h"

#include "base/base/error.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void cm_buffer_free(cm_buffer *buffer)
{
    free(buffer->data);
    *buffer = (cm_buffer){0};
}

void cm_buffer_clear(cm_buffer *buffer)
{
    buffer->length = 0;
    if (buffer->data)
        buffer->data[0] = 0;
}

void cm_buffer_reserve(cm_buffer *buffer, size_t more)
{
    cm_assert(more < SIZE_MAX / 4 && buffer->length < SIZE_MAX / 4);
    size_t needed = buffer->length + more + 1;
    if (needed <= buffer->capacity)
        return;
    size_t capacity = buffer->capacity ? buffer->capacity * 2 : 64;
    if (capacity < needed)
        capacity = needed;
    buffer->data = cm_realloc(buffer->data, capacity);
    buffer->capacity = capacity;
    buffer->data[buffer->length] = 0;
}

void cm_buffer_append(cm_buffer *buffer, const void *data, size_t length)
{
    cm_buffer_reserve(buffer, length);
    if (length)
        memcpy(buffer->data + buffer->length, data, length);
    buffer->length += length;
    buffer->data[buffer->length] = 0;
}

void cm_buffer_text(cm_buffer *buffer, const char *text)
{
    cm_buffer_append(buffer, text, strlen(text));
}

void cm_buffer_char(cm_buffer *buffer, char c)
{
    cm_buffer_append(buffer, &c, 1);
}

void cm_buffer_printf(cm_buffer *buffer, const char *format, ...)
{
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    size_t room = buffer->capacity > buffer->length ? buffer->capacity - buffer->length : 0;
    int length = vsnprintf(room ? buffer->data + buffer->length : NULL, room, format, arguments);
    va_end(arguments);
    cm_assert(length >= 0);
    if ((size_t)length >= room) {
        cm_buffer_reserve(buffer, (size_t)length);
        vsnprintf(buffer->data + buffer->length, (size_t)length + 1, format, again);
    }
    va_end(again);
    buffer->length += (size_t)length;
}

const char *cm_buffer_string(const cm_buffer *buffer)
{
    return buffer->data ? buffer->data : "";
}

char *cm_buffer_take(cm_buffer *buffer)
{
    char *data = buffer->data ? buffer->data : cm_strdup("");
    *buffer = (cm_buffer){0};
    return data;
}
