/* Private to common/platform/archive. */
#ifndef CM_ARCHIVE_INTERNAL_H
#define CM_ARCHIVE_INTERNAL_H

#include "platform/archive/archive.h"

struct cm_archive {
    char *path; /* without a slash at the end */
};

#define CM_ARCHIVE_INCOMING "incoming"

/* RETRY with errno's text. Returns false. */
bool cm_archive_trouble(const char *path, cm_error *err);
/* "<path>/ab" and "<path>/ab/abcd..."; the caller frees. */
char *cm_archive_folder_of(const cm_archive *archive, const char *digest);
char *cm_archive_file_of(const cm_archive *archive, const char *digest);

#endif
