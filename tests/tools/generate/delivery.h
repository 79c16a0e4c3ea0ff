/* One version of the report on disk: folders, chunks, manifest, and its exact totals. */
#ifndef GENERATE_DELIVERY_H
#define GENERATE_DELIVERY_H

#include "columns.h"
#include "lines.h"

#include <jansson.h>

struct chunk_file {
    char *key; /* S3 key, also the path below --out; owned */
    json_t *totals;
    uint64_t rows, bytes;
};

struct delivery {
    const struct month *month;
    unsigned version;
    const char *id;   /* assembly id, or execution folder "2026-04-16T15:24:15.653Z-<uuid>" */
    const char *uuid; /* CUR 2.0: executionId */
    const char *data_folder, *manifest_folder, *period_folder; /* keys without a slash at the end */
    const char *manifest_key;                                  /* of this version; NULL with --no-manifest */
    struct column_list columns;
    struct chunk_file *file;
    size_t file_count;
};

/* Writes the version and returns its object for the totals file (caller: json_decref). */
json_t *delivery_write(const struct month *m, unsigned version);

/* manifest.c: writes the manifest of a delivery, last of all files, as AWS does. */
void manifest_write(struct delivery *d);

/* Path below --out of a key; folders are made. Lives as long as the process. */
const char *path_for(const struct options *o, const char *key);

/* Writes JSON beside its place and renames, so that no reader sees half. */
void json_write(const json_t *object, const char *path);

#endif
