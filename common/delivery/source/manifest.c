/* Parses a manifest. Legacy: reportKeys, assemblyId, account, billingPeriod. CUR 2.0: dataFiles, executionId. */
#include "base/digest/digest.h"
#include "delivery/source/reports.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool bad(cm_manifest *m, const char *code, const char *text)
{
    m->error_code = code;
    m->error_text = text;
    return false;
}

static const char *text_of(const json_t *root, const char *name, cm_arena *arena)
{
    const char *value = json_string_value(json_object_get(root, name));
    return value ? cm_arena_strndup(arena, value, strlen(value)) : "";
}

/* --- the list of files ------------------------------------------------------------------------------------------- */

/* "s3://bucket/key" -> "key"; the key may contain colons and equals signs and is used unchanged. */
static const char *key_of(const char *url)
{
    if (strncmp(url, "s3://", 5) != 0)
        return url;
    const char *slash = strchr(url + 5, '/');
    return slash ? slash + 1 : "";
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool no_key_twice(cm_manifest *m, cm_arena *arena)
{
    const char **sorted = cm_arena_alloc(arena, m->count * sizeof *sorted);
    memcpy(sorted, m->keys, m->count * sizeof *sorted);
    qsort(sorted, m->count, sizeof *sorted, by_text);
    for (size_t i = 1; i < m->count; i++)
        if (strcmp(sorted[i], sorted[i - 1]) == 0)
            return bad(m, "MANIFEST_INVALID", cm_arena_printf(arena, "the manifest lists %s twice", sorted[i]));
    return true;
}

static bool read_keys(cm_manifest *m, const json_t *root, cm_arena *arena)
{
    const char *name = m->cur2 ? "dataFiles" : "reportKeys";
    const json_t *list = json_object_get(root, name);
    if (!list)
        return bad(m, "MANIFEST_INVALID", "the manifest has neither `reportKeys` (legacy) nor `dataFiles` (CUR 2.0)");
    if (!json_is_array(list))
        return bad(m, "MANIFEST_INVALID", cm_arena_printf(arena, "`%s` of the manifest is not a list", name));
    size_t count = json_array_size(list);
    if (count == 0)
        return bad(m, "MANIFEST_INVALID",
                   cm_arena_printf(arena,
                                   "`%s` of the manifest is an empty list: a delivery has at least "
                                   "one file",
                                   name));
    m->keys = cm_arena_zalloc(arena, count * sizeof *m->keys);
    for (size_t i = 0; i < count; i++) {
        const char *url = json_string_value(json_array_get(list, i));
        const char *key = url ? key_of(url) : "";
        if (cm_layout_file(key).length == 0)
            return bad(m, "MANIFEST_INVALID",
                       cm_arena_printf(arena, "entry %zu of `%s` does not name a file", i + 1, name));
        m->keys[m->count++] = cm_arena_strndup(arena, key, strlen(key));
    }
    return no_key_twice(m, arena);
}

/* --- period ------------------------------------------------------------------------------------------------------ */

/* "20191201T000000.000Z", or RFC 3339 as other writers use. */
static bool instant_of(const char *text, cm_instant *ret)
{
    if (text && strlen(text) >= 15 && strspn(text, "0123456789") == 8 && text[8] == 'T') {
        char plain[CM_INSTANT_TEXT];
        snprintf(plain, sizeof plain, "%.4s-%.2s-%.2sT%.2s:%.2s:%.2sZ", text, text + 4, text + 6, text + 9, text + 11,
                 text + 13);
        return cm_instant_parse(cm_slice_of(plain), ret);
    }
    return text && cm_instant_parse(cm_slice_of(text), ret);
}

static bool read_billing_period(cm_manifest *m, const json_t *root, cm_arena *arena)
{
    const json_t *period = json_object_get(root, "billingPeriod");
    const char *start = json_string_value(json_object_get(period, "start"));
    const char *end = json_string_value(json_object_get(period, "end"));
    cm_instant from, to;
    if (!period)
        return true; /* the path says it */
    if (!instant_of(start, &from) || !instant_of(end, &to))
        return bad(m, "MANIFEST_INVALID",
                   "`billingPeriod` of the manifest has no `start` and `end` such as 20250601T000000.000Z");
    cm_period month = cm_period_of(from);
    if (cm_period_start(month) != from || cm_period_end(month) != to)
        return bad(
            m, "MANIFEST_INVALID",
            cm_arena_printf(arena, "`billingPeriod` of the manifest, %s to %s, is not a calendar month", start, end));
    m->period = month;
    m->has_period = true;
    return true;
}

/* All files of a manifest must belong to one period, if their paths name one. */
static bool check_key_periods(cm_manifest *m, cm_arena *arena)
{
    for (size_t i = 0; i < m->count; i++) {
        cm_period period;
        char said[CM_PERIOD_TEXT];
        if (!cm_layout_period(m->keys[i], &period))
            continue;
        if (m->has_period && (period.year != m->period.year || period.month != m->period.month))
            return bad(m, "WRONG_PERIOD",
                       cm_arena_printf(arena, "the manifest is for %s and lists %s", cm_period_print(m->period, said),
                                       m->keys[i]));
        m->period = period;
        m->has_period = true;
    }
    return true;
}

/* --- format ------------------------------------------------------------------------------------------------------ */

static bool ends_with(const char *text, const char *end)
{
    size_t a = strlen(text), b = strlen(end);
    return a >= b && strcmp(text + a - b, end) == 0;
}

static bool has_column(const json_t *root, const char *wanted)
{
    size_t i;
    json_t *column;
    json_array_foreach (json_object_get(root, "columns"), i, column) {
        const char *name = json_string_value(json_object_get(column, "name"));
        if (name && strcmp(name, wanted) == 0)
            return true;
    }
    return false;
}

static bool check_format(cm_manifest *m, const json_t *root, cm_arena *arena)
{
    const char *compression = json_string_value(json_object_get(root, "compression"));
    const char *advice = "curmill reads CSV (plain, gzip or zip); configure the report as text/csv";
    if (compression && strcmp(compression, "Parquet") == 0)
        return bad(m, "UNSUPPORTED_FORMAT", cm_arena_printf(arena, "the report is in Parquet; %s", advice));
    if (has_column(root, "BilledCost") && has_column(root, "ChargeCategory"))
        return bad(m, "UNSUPPORTED_FORMAT",
                   "the export is FOCUS, which has no line item types to rate by: export table "
                   "COST_AND_USAGE_REPORT instead");
    for (size_t i = 0; i < m->count; i++) {
        const char *key = m->keys[i];
        if (ends_with(key, ".parquet"))
            return bad(m, "UNSUPPORTED_FORMAT", cm_arena_printf(arena, "%s is in Parquet; %s", key, advice));
        if (!ends_with(key, ".csv") && !ends_with(key, ".gz") && !ends_with(key, ".zip"))
            return bad(m, "UNSUPPORTED_FORMAT",
                       cm_arena_printf(arena, "%s ends in none of .csv, .csv.gz, .csv.zip; %s", key, advice));
    }
    return true;
}

/* --- all --------------------------------------------------------------------------------------------------------- */

/* The folder of an execution, "2026-04-16T15:24:15.653Z-<executionId>", shows its age; the id alone does not. */
static void read_execution(cm_manifest *m, cm_arena *arena)
{
    m->assembly = m->execution;
    size_t length = strlen(m->execution);
    if (length == 0 || m->count == 0)
        return;
    cm_slice parent = cm_layout_parent(m->keys[0]);
    if (parent.length >= length && memcmp(parent.text + parent.length - length, m->execution, length) == 0)
        m->assembly = cm_arena_strndup(arena, parent.text, parent.length);
}

static void read_object(cm_manifest *m, const json_t *root, cm_arena *arena)
{
    if (!json_is_object(root)) {
        bad(m, "MANIFEST_INVALID", "the manifest is not a JSON object");
        return;
    }
    m->cur2 = json_object_get(root, "dataFiles") && !json_object_get(root, "reportKeys");
    m->report = text_of(root, "reportName", arena);
    m->account = text_of(root, "account", arena);
    m->execution = text_of(root, "executionId", arena);
    m->assembly = text_of(root, "assemblyId", arena);
    const json_t *account = json_object_get(root, "account");
    bool done = read_keys(m, root, arena);
    if (m->cur2)
        read_execution(m, arena);
    if (done && account && !json_is_string(account))
        done = bad(m, "MANIFEST_INVALID",
                   "`account` of the manifest is not a text; account ids keep their leading zeros only as text");
    if (done && read_billing_period(m, root, arena) && check_key_periods(m, arena))
        check_format(m, root, arena);
}

void cm_manifest_read(const char *text, size_t length, cm_arena *arena, cm_manifest *ret)
{
    *ret =
        (cm_manifest){.error_code = "", .error_text = "", .report = "", .assembly = "", .execution = "", .account = ""};
    uint8_t bytes[CM_SHA256_BYTES];
    cm_sha256(text, length, bytes);
    cm_hex(bytes, sizeof bytes, ret->digest);
    json_error_t problem;
    json_t *root = json_loadb(text, length, JSON_REJECT_DUPLICATES, &problem);
    if (root)
        read_object(ret, root, arena);
    else
        bad(ret, "MANIFEST_INVALID",
            cm_arena_printf(arena, "the manifest is not JSON: line %d, column %d: %s", problem.line, problem.column,
                            problem.text));
    json_decref(root);
}
