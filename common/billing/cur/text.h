/* Texts of a report: unquoting, UTF-8, and showing them in messages. Internal to common/billing/cur. Pure. */
#ifndef CM_CUR_TEXT_H
#define CM_CUR_TEXT_H

#include "base/base/slice.h"

enum { CM_TEXT_SHOWN = 64 };

/* The value of a field as it is in the file (RFC 4180). `scratch` has room for raw.length bytes; the result may point
 * into it. */
cm_slice cm_text_unquote(cm_slice raw, char *scratch);

/* A number or time: quotes stripped, nothing more. */
static inline cm_slice cm_text_strip(cm_slice raw)
{
    if (raw.length >= 2 && raw.text[0] == '"')
        return (cm_slice){raw.text + 1, raw.length - 2};
    return raw;
}

/* Valid UTF-8 without NUL (RFC 3629), as PostgreSQL stores it. */
bool cm_text_is_utf8(cm_slice text);

/* The first 60 bytes, with '?' for everything except printable ASCII. Returns `into`. */
char *cm_text_shown(cm_slice text, char into[static CM_TEXT_SHOWN]);

/* A column name for a message: cut at a character to `size` - 1 bytes; not UTF-8: shown as above. */
void cm_text_copy_name(cm_slice name, char *into, size_t size);

#endif
