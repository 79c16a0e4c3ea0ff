#include "billing/catalog/yaml/files.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { DEPTH_LIMIT = 32, FILES_LIMIT = 100000 };

static bool is_yaml(const char *name)
{
    const char *point = strrchr(name, '.');
    return point && (strcmp(point, ".yaml") == 0 || strcmp(point, ".yml") == 0);
}

static bool find_below(cm_arena *arena, const char *folder, int depth, cm_files *ret, cm_error *err);

static bool take_entry(cm_arena *arena, const char *folder, const char *name, int depth, cm_files *ret, cm_error *err)
{
    struct stat info;
    size_t length = strlen(folder);
    bool slash = length > 0 && folder[length - 1] == '/';
    const char *path = cm_arena_printf(arena, "%s%s%s", folder, slash ? "" : "/", name);
    if (stat(path, &info) != 0)
        return cm_fail(err, CM_ERROR_INVALID, "CATALOG_UNREADABLE", "%s: %s", path, strerror(errno));
    if (S_ISDIR(info.st_mode))
        return find_below(arena, path, depth + 1, ret, err);
    if (!S_ISREG(info.st_mode) || !is_yaml(name))
        return true;
    if (ret->count >= FILES_LIMIT)
        return cm_fail(err, CM_ERROR_INVALID, "CATALOG_TOO_LARGE",
                       "%s: more than %d files; is this the catalog's folder?", folder, FILES_LIMIT);
    if (ret->count == ret->capacity) {
        ret->capacity = ret->capacity ? ret->capacity * 2 : 64;
        ret->paths = cm_realloc(ret->paths, ret->capacity * sizeof *ret->paths);
    }
    ret->paths[ret->count++] = path;
    return true;
}

static bool find_below(cm_arena *arena, const char *folder, int depth, cm_files *ret, cm_error *err)
{
    if (depth > DEPTH_LIMIT)
        return cm_fail(err, CM_ERROR_INVALID, "CATALOG_UNREADABLE",
                       "%s: more than %d folders deep; does a link point back to a folder above it?", folder,
                       DEPTH_LIMIT);
    DIR *directory = opendir(folder);
    if (!directory)
        return cm_fail(err, errno == ENOENT ? CM_ERROR_NOT_FOUND : CM_ERROR_INVALID, "CATALOG_UNREADABLE",
                       "%s: %s; the catalog is a folder of *.yaml files", folder, strerror(errno));
    bool done = true;
    const struct dirent *entry;
    while (done && (errno = 0, entry = readdir(directory)))
        if (entry->d_name[0] != '.')
            done = take_entry(arena, folder, entry->d_name, depth, ret, err);
    if (done && errno)
        done = cm_fail(err, CM_ERROR_INVALID, "CATALOG_UNREADABLE", "%s: %s", folder, strerror(errno));
    closedir(directory);
    return done;
}

static int by_path(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

bool cm_files_find(cm_arena *arena, const char *folder, cm_files *ret, cm_error *err)
{
    if (!find_below(arena, folder, 0, ret, err))
        return false;
    if (ret->count)
        qsort(ret->paths, ret->count, sizeof *ret->paths, by_path);
    return true;
}

bool cm_file_read(const char *path, size_t limit, cm_slice *ret, cm_error *err)
{
    FILE *file = fopen(path, "rbe");
    if (!file)
        return cm_fail(err, CM_ERROR_INVALID, "CATALOG_UNREADABLE", "%s: %s", path, strerror(errno));
    char *text = NULL;
    size_t length = 0, capacity = 0, got;
    do {
        if (length + 1 >= capacity) {
            capacity = capacity ? capacity * 2 : 16384;
            text = cm_realloc(text, capacity);
        }
        got = fread(text + length, 1, capacity - length - 1, file);
        length += got;
    } while (got > 0 && length <= limit);
    bool failed = ferror(file) != 0;
    fclose(file);
    if (failed || length > limit) {
        free(text);
        return failed ? cm_fail(err, CM_ERROR_INVALID, "CATALOG_UNREADABLE", "%s: reading it failed", path)
                      : cm_fail(err, CM_ERROR_INVALID, "CATALOG_TOO_LARGE", "%s: larger than %zu bytes: split it", path,
                                limit);
    }
    text[length] = 0;
    *ret = (cm_slice){text, length};
    return true;
}
