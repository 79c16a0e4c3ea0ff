/*
 * The layout of reports in a source, in parts: keys (layout.c), manifests (manifest.c), the location of files
 * (locate.c). reports.c puts them together. Internal to common/delivery/source. Everything is allocated from the arena
 * handed in.
 *
 * Layouts (formats.md section 1); the prefix may be absent, and a folder may hold only a part:
 *
 *   legacy, new versions  <prefix>/<report>/20250601-20250701/<assembly>/<report>-Manifest.json,
 *                         and one level up the newest one's copy
 *   legacy, overwrite     <prefix>/<report>/20250601-20250701/<report>-Manifest.json
 *   CUR 2.0               <prefix>/<export>/metadata/BILLING_PERIOD=2025-06/[<execution>/]<export>-Manifest.json
 *                         <prefix>/<export>/data/BILLING_PERIOD=2025-06/[<execution>/]<export>-00001.csv.gz
 */
#ifndef CM_SOURCE_REPORTS_H
#define CM_SOURCE_REPORTS_H

#include "delivery/source/source.h"

/* --- keys -------------------------------------------------------------------------------------------------------- */

/* One name of a path: "20250601-20250701" or "BILLING_PERIOD=2025-06". */
bool cm_layout_period_name(cm_slice name, cm_period *ret);
/* The deepest such folder in a key, not counting the file's own name. */
bool cm_layout_period(const char *key, cm_period *ret);
/* "20250307T053621Z", "2026-04-16T15:24:15.653Z-<uuid>": they sort by time. */
bool cm_layout_is_time_stamp(const char *assembly);
/* A time stamp or a UUID: the folder of one version. */
bool cm_layout_is_version(const char *name);
cm_slice cm_layout_file(const char *key);   /* after the last slash */
cm_slice cm_layout_parent(const char *key); /* name of the folder that the file is in, "" if none */

/* The parts of a manifest's key. */
typedef struct cm_layout {
    const char *report;
    bool has_period;
    cm_period period;
    const char
        *assembly; /* name of the folder below the period's; NULL: the manifest is in the period's folder itself */
} cm_layout;
/* False: not the key of a manifest. */
bool cm_layout_read(const char *key, cm_arena *arena, cm_layout *ret);

/* --- manifests --------------------------------------------------------------------------------------------------- */

typedef struct cm_manifest {
    const char *error_code, *error_text; /* "" if it can be used; the rest is filled as far as it was understood */
    bool cur2;
    const char *report; /* "" if not given */
    const char
        *assembly; /* assemblyId, or the execution: name of its folder where the data files show it, else executionId */
    const char *execution; /* executionId, "" in legacy */
    const char *account;   /* "" if not given */
    bool has_period;       /* legacy: billingPeriod; CUR 2.0: the folder of its data files */
    cm_period period;
    const char **keys; /* without s3://bucket/ */
    size_t count;
    char digest[65];
} cm_manifest;
void cm_manifest_read(const char *text, size_t length, cm_arena *arena, cm_manifest *ret);

/* --- files ------------------------------------------------------------------------------------------------------- */

typedef struct cm_file_index cm_file_index; /* objects by file name */
cm_file_index *cm_file_index_new(const cm_object *objects, size_t count, cm_arena *arena);

/*
 * Finds the object that a manifest's key refers to (architecture.md section 8): by the longest matching end of the
 * path, or by the file name in the folder of the same period. `exact_first`: an object with exactly this key wins over
 * longer ones with the same end. Files in the folder of another period never match. Returns how many fit equally well:
 * 0, 1, or 2 (for two or more; two are returned).
 */
size_t cm_file_index_find(const cm_file_index *index, const char *key, cm_period period, const char *manifest,
                          bool exact_first, const cm_object *ret[static 2]);

/* --- files that nobody would read -------------------------------------------------------------------------------- */

typedef struct cm_unlisted_search {
    const cm_object *objects;
    size_t object_count;
    const cm_found_delivery *found;
    size_t found_count;
    const cm_period *period;    /* as cm_reports_find */
    const char *const *reports; /* as cm_reports_find */
    cm_arena *arena;
} cm_unlisted_search;
void cm_reports_unlisted(const cm_unlisted_search *search, cm_unlisted *ret);

#endif
