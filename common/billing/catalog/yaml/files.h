/* The files of a catalog folder. Internal to catalog/. */
#ifndef CM_CATALOG_FILES_H
#define CM_CATALOG_FILES_H

#include "base/base/arena.h"
#include "base/base/error.h"
#include "base/base/slice.h"

typedef struct cm_files {
    const char **paths; /* "<folder>/<path below it>", sorted bytewise; free(); the texts are in the arena */
    size_t count, capacity;
} cm_files;

/* *.yaml and *.yml below `folder`, at any depth; names that begin with a point are left out. */
CM_NODISCARD bool cm_files_find(cm_arena *arena, const char *folder, cm_files *ret, cm_error *err);
/* The whole file; caller frees ret->text. */
CM_NODISCARD bool cm_file_read(const char *path, size_t limit, cm_slice *ret, cm_error *err);

#endif
