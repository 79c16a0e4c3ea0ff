/* A zip archive with one CSV file, read with libzip. Internal to common/billing/cur. */
#ifndef CM_CUR_ZIP_H
#define CM_CUR_ZIP_H

#include "base/base/stream.h"

/*
 * Takes `compressed`, also on failure. Anything but a local file is spooled to an unnamed temporary file. Errors:
 * POISON with code CUT; RETRY when the temporary file cannot be written.
 */
CM_NODISCARD cm_stream *cm_zip_stream(cm_stream *compressed, cm_error *err);

#endif
