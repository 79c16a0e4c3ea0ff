/* What a file is by its first bytes, where it is not the CSV that a report should be. Internal to common/billing/cur.
 */
#ifndef CM_CUR_SNIFF_H
#define CM_CUR_SNIFF_H

#include "base/base/error.h"
#include "billing/cur/reader.h"

#include <stddef.h>

enum { CM_SNIFF_BYTES = 512 };

/* "Parquet", "a gzip file", ...: for a sentence that begins with "this is". NULL: nothing that is known by its bytes.
 */
const char *cm_sniff(const char *bytes, size_t length);

/* POISON, WRONG_FORMAT: "this is <what>; its name says csv.gz". `what` NULL: not known, or CSV without compression. */
bool cm_fail_format(cm_error *err, const char *what, enum cm_compression compression);
/* POISON, EMPTY_FILE: not one byte. */
bool cm_fail_empty(cm_error *err);

#endif
