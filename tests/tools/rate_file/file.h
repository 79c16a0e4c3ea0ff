/* A file of this machine as a cm_stream. */
#ifndef RATE_FILE_FILE_H
#define RATE_FILE_FILE_H

#include "base/base/stream.h"

CM_NODISCARD cm_stream *file_open(const char *path, cm_error *err);

#endif
