/* A growing byte buffer that is also a NUL-terminated string. Not thread safe. */
#ifndef CM_BASE_BUFFER_H
#define CM_BASE_BUFFER_H

#include <stddef.h>

typedef struct cm_buffer {
    char *data; /* NUL-terminated once anything was appended; owned */
    size_t length;
    size_t capacity;
} cm_buffer; /* {0} is an empty buffer */

void cm_buffer_free(cm_buffer *buffer);  /* back to {0} */
void cm_buffer_clear(cm_buffer *buffer); /* length 0, memory kept */
void cm_buffer_reserve(cm_buffer *buffer, size_t more);
void cm_buffer_append(cm_buffer *buffer, const void *data, size_t length);
void cm_buffer_text(cm_buffer *buffer, const char *text);
void cm_buffer_char(cm_buffer *buffer, char c);
void cm_buffer_printf(cm_buffer *buffer, const char *format, ...) __attribute__((format(printf, 2, 3)));
const char *cm_buffer_string(const cm_buffer *buffer); /* "" if empty, valid until the next change */
char *cm_buffer_take(cm_buffer *buffer);               /* caller frees; buffer is {0} again */

#endif
