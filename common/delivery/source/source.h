/*
 * Where reports come from: a small table of functions (list deliveries, open a file), one implementation a folder or
 * S3; and report layouts (legacy CUR in both layouts, CUR 2.0 in both layouts) on top of it. A third source is one file
 * and one line in registry.c. One thread per source object.
 */
#ifndef CM_SOURCE_SOURCE_H
#define CM_SOURCE_SOURCE_H

#include "base/base/arena.h"
#include "base/base/buffer.h"
#include "base/base/stream.h"
#include "base/time/time.h"

#include <jansson.h>
#include <stdint.h>

typedef struct cm_source cm_source;

/* One file of a source. Strings are owned by the arena given to the listing. */
typedef struct cm_object {
    const char *key;         /* path relative to the folder, or the full S3 key */
    const char *fingerprint; /* "size:mtime_ns" or "size:etag": changes when the content changes */
    int64_t bytes;
    cm_instant modified; /* when the content was last written; 0: unknown */
} cm_object;

typedef struct cm_source_type {
    const char *name; /* "folder", "s3" */
    /* `definition`: the payer's `source` mapping as JSON (see rating.md section 8). INVALID: says which key. */
    cm_source *(*open)(const json_t *definition, cm_error *err);
    void (*close)(cm_source *source);
    /* All objects whose key begins with `prefix` ("" = all), sorted bytewise by key. RETRY when unreachable, refused or
     * without credentials: what a person can fix elsewhere is never the input's fault. */
    bool (*list)(cm_source *source, const char *prefix, cm_arena *arena, cm_object **ret, size_t *ret_count,
                 cm_error *err);
    /* NOT_FOUND if there is none. */
    bool (*stat)(cm_source *source, const char *key, cm_arena *arena, cm_object *ret, cm_error *err);
    /* If `fingerprint` is given and the object has changed: POISON, code CHANGED. A change while reading: the
     * same from read(), at the end of the stream at the latest. A reader that uses `local_path` instead calls stat()
     * afterwards. Close the stream before the source. */
    cm_stream *(*open_object)(cm_source *source, const char *key, const char *fingerprint, cm_error *err);
    /* Appends the location for people: "folder /data/cur", "s3://bucket/prefix/". */
    void (*describe)(const cm_source *source, cm_buffer *into);
} cm_source_type;

struct cm_source {
    const cm_source_type *type;
    /* implementations embed this as their first member */
};

extern const cm_source_type cm_source_folder;
extern const cm_source_type cm_source_s3;
/* NULL if unknown. */
const cm_source_type *cm_source_type_find(const char *name);
CM_NODISCARD cm_source *cm_source_open(const json_t *definition, cm_error *err);
void cm_source_close(cm_source *source);
/* Reads a small object (a manifest) whole into the arena, at most `limit` bytes, with its fingerprint. */
CM_NODISCARD bool cm_source_read_small(cm_source *source, const char *key, size_t limit, cm_arena *arena,
                                       const char **ret_text, size_t *ret_length, cm_error *err);

/* --- reports ----------------------------------------------------------------------------------------------------- */

typedef struct cm_found_chunk {
    const char *key;          /* object key in the source; NULL: the manifest's key is missing there */
    const char *name;         /* file name for people */
    const char *manifest_key; /* from the manifest */
    const char *fingerprint;  /* "" if missing */
    int64_t bytes;
} cm_found_chunk;

/* One delivery present in a source: the newest of a (report, period), according to its manifest. */
typedef struct cm_found_delivery {
    const char *report;       /* report or export name */
    const char *assembly;     /* assembly id or execution id */
    const char *format;       /* "legacy" | "cur2" */
    const char *manifest;     /* key of the manifest */
    char manifest_digest[65]; /* sha256 hex of the manifest's bytes */
    const char *account;      /* payer from the manifest, "" if not given (CUR 2.0) */
    cm_period period;
    cm_instant newest;   /* when the last of its files was written; 0: unknown */
    bool immutable_keys; /* files are below an assembly folder and are never overwritten */
    cm_found_chunk *chunk;
    size_t chunks;
    /* A delivery that cannot be taken: "" or a code (MANIFEST_INVALID, MISSING_FILE, AMBIGUOUS_FILE, WRONG_PAYER,
     * WRONG_PERIOD, UNSUPPORTED_FORMAT (Parquet), MANIFEST_CHANGED) with file and text. The delivery is registered as
     * failed. */
    const char *error_code, *error_file, *error_text;
} cm_found_delivery;

/* Files that look like those of a report and that no manifest lists. */
enum { CM_UNLISTED_NAMED = 3 };
typedef struct cm_unlisted {
    size_t count;
    const char *key[CM_UNLISTED_NAMED]; /* the first of them */
} cm_unlisted;

/*
 * Finds every delivery of the source, optionally only of `period` (NULL = all) and of the report names given
 * (NULL-ended; NULL = all), for the payer. Order: by report, period. Only the newest assembly of a (report, period) is
 * returned: the one that the top-level manifest points at, or without one the newest assembly folder. Memory from
 * `arena`. `unlisted` may be NULL.
 */
CM_NODISCARD bool cm_reports_find(cm_source *source, const char *payer, const cm_period *period,
                                  const char *const *reports, cm_arena *arena, cm_found_delivery **ret,
                                  size_t *ret_count, cm_unlisted *unlisted, cm_error *err);

#endif
