/* Base64 (RFC 4648 section 4, with padding), for bytes in JSON. */
#ifndef CM_BASE_BASE64_H
#define CM_BASE_BASE64_H

#include "base/base/buffer.h"
#include "base/base/slice.h"

/* Appends the text of the bytes. */
void cm_base64_encode(const void *bytes, size_t length, cm_buffer *ret);
/* Appends the bytes; false if the text is not base64 (then *ret is unchanged). */
_Bool cm_base64_decode(cm_slice text, cm_buffer *ret);

#endif
