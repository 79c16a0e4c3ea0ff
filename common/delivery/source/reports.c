/* Finds the deliveries of a source: one listing, then the manifest of each (report, period) that counts. */
#include "delivery/source/reports.h"
#include "delivery/source/definition.h"

#include <stdlib.h>
#include <string.h>

enum { MANIFEST_BYTES_MAX = 64 * 1024 * 1024, LISTINGS_MAX = 3 };

/* A manifest that exists. */
typedef struct candidate {
    const cm_object *object;
    cm_layout layout;
    cm_manifest manifest;
    bool read;
} candidate;

typedef struct search {
    cm_source *source;
    const char *payer;
    const cm_period *period;
    const char *const *reports;
    cm_arena *arena;
    cm_object *objects;
    size_t object_count;
    cm_file_index *files;
    candidate *list;
    size_t count;
    bool last; /* the last listing: a manifest that changed since is reported instead of listing again */
    bool stale;
} search;

/* --- reading manifests ------------------------------------------------------------------------------------------- */

static void mark_invalid(candidate *c, const char *code, const char *text)
{
    c->manifest = (cm_manifest){
        .error_code = code, .error_text = text, .report = "", .assembly = "", .execution = "", .account = ""};
}

/* False: the source is unavailable, or (search.stale) the manifest has changed since it was listed. */
static bool read_candidate(search *s, candidate *c, cm_error *err)
{
    if (c->read)
        return true;
    cm_buffer text = {0};
    cm_error why = {0};
    c->read = true;
    if (cm_source_read_expected(s->source, c->object->key, c->object->fingerprint, MANIFEST_BYTES_MAX, &text, &why)) {
        cm_manifest_read(cm_buffer_string(&text), text.length, s->arena, &c->manifest);
    } else if (strcmp(why.code, "TOO_LARGE") == 0) {
        mark_invalid(c, "MANIFEST_INVALID", cm_arena_printf(s->arena, "%s", why.text));
    } else if (strcmp(why.code, "CHANGED") == 0 || why.class == CM_ERROR_NOT_FOUND) {
        s->stale = true;
        mark_invalid(c, "MANIFEST_CHANGED",
                     cm_arena_printf(s->arena, "the manifest changes faster than it can be read: %s", why.text));
    } else {
        if (err)
            *err = why;
        cm_buffer_free(&text);
        return false;
    }
    cm_buffer_free(&text);
    return s->last || !s->stale;
}

/* --- choosing ---------------------------------------------------------------------------------------------------- */

static bool wanted(const search *s, const char *report)
{
    if (!s->reports)
        return true;
    for (const char *const *name = s->reports; *name; name++)
        if (strcmp(*name, report) == 0)
            return true;
    return false;
}

static bool same_period(cm_period a, cm_period b)
{
    return a.year == b.year && a.month == b.month;
}

/* A manifest outside any period's folder names its period itself. Without a period it belongs to the month it was
 * written in. */
static bool settle_period(search *s, candidate *c, cm_error *err)
{
    if (c->layout.has_period)
        return true;
    if (!read_candidate(s, c, err))
        return false;
    c->layout.period = c->manifest.has_period ? c->manifest.period : cm_period_of(c->object->modified);
    if (!c->manifest.has_period && !*c->manifest.error_code) {
        c->manifest.error_code = "MANIFEST_INVALID";
        c->manifest.error_text = "neither the manifest nor its path says which period it is for: keep the folder "
                                 "20250601-20250701 or BILLING_PERIOD=2025-06 above it";
    }
    return true;
}

static bool collect(search *s, cm_error *err)
{
    s->list = cm_arena_zalloc(s->arena, (s->object_count + 1) * sizeof *s->list);
    for (size_t i = 0; i < s->object_count; i++) {
        candidate *c = &s->list[s->count];
        *c = (candidate){.object = &s->objects[i]};
        if (!cm_layout_read(c->object->key, s->arena, &c->layout) || !wanted(s, c->layout.report))
            continue;
        if (!settle_period(s, c, err))
            return false;
        if (!s->period || same_period(*s->period, c->layout.period))
            s->count++;
    }
    return true;
}

static int by_age(const candidate *x, const candidate *y)
{
    const char *a = x->layout.assembly, *b = y->layout.assembly;
    if (!a || !b)
        return (a != NULL) - (b != NULL); /* the manifest in the period's own folder decides */
    if (cm_layout_is_time_stamp(a) && cm_layout_is_time_stamp(b))
        return -strcmp(a, b);
    if (x->object->modified != y->object->modified)
        return x->object->modified > y->object->modified ? -1 : 1;
    return -strcmp(a, b);
}

/* By report and period; the one that counts first. */
static int by_report(const void *a, const void *b)
{
    const candidate *x = a, *y = b;
    int order = strcmp(x->layout.report, y->layout.report);
    if (order == 0)
        order = x->layout.period.year - y->layout.period.year;
    if (order == 0)
        order = x->layout.period.month - y->layout.period.month;
    if (order == 0)
        order = by_age(x, y);
    return order ? order : strcmp(x->object->key, y->object->key);
}

static bool same_delivery_group(const candidate *a, const candidate *b)
{
    return strcmp(a->layout.report, b->layout.report) == 0 && same_period(a->layout.period, b->layout.period);
}

/* Two that would both count: at the same level, with the same assembly. */
static bool equally_good(const candidate *a, const candidate *b)
{
    const char *x = a->layout.assembly, *y = b->layout.assembly;
    return same_delivery_group(a, b) && (x && y ? strcmp(x, y) == 0 : x == y);
}

/* --- one delivery ------------------------------------------------------------------------------------------------ */

static void fail_delivery(cm_found_delivery *d, const char *code, const char *file, const char *text)
{
    if (*d->error_code)
        return; /* the first reason counts */
    d->error_code = code;
    d->error_file = file;
    d->error_text = text;
}

static void check_identity(const search *s, const candidate *c, cm_found_delivery *d)
{
    const cm_manifest *m = &c->manifest;
    char path[CM_PERIOD_TEXT], said[CM_PERIOD_TEXT];
    if (*m->error_code)
        fail_delivery(d, m->error_code, d->manifest, m->error_text);
    if (*m->account && s->payer && *s->payer && strcmp(m->account, s->payer) != 0)
        fail_delivery(
            d, "WRONG_PAYER", d->manifest,
            cm_arena_printf(s->arena,
                            "the manifest belongs to payer %s and the source to payer %s; correct the source in the "
                            "catalog, or remove the files from it",
                            m->account, s->payer));
    if (m->has_period && !same_period(m->period, c->layout.period))
        fail_delivery(d, "WRONG_PERIOD", d->manifest,
                      cm_arena_printf(s->arena, "the manifest is for %s and is in the folder of %s",
                                      cm_period_print(m->period, said), cm_period_print(c->layout.period, path)));
    if (*m->report && strcmp(m->report, c->layout.report) != 0)
        fail_delivery(d, "MANIFEST_INVALID", d->manifest,
                      cm_arena_printf(s->arena, "the manifest is for report \"%s\" but its file name says \"%s\"",
                                      m->report, c->layout.report));
}

static const char *missing_text(const search *s, const cm_found_delivery *d, const char *key)
{
    cm_buffer where = {0};
    char period[CM_PERIOD_TEXT];
    s->source->type->describe(s->source, &where);
    const char *text = cm_arena_printf(
        s->arena,
        "manifest %s lists %s, which is not in %s; looked for the longest ending of that "
        "path, and for %s in the folder of %s",
        d->manifest, key, cm_buffer_string(&where), cm_layout_file(key).text, cm_period_print(d->period, period));
    cm_buffer_free(&where);
    return text;
}

/* Below a folder of its own: such files are never overwritten. */
static bool below_assembly(const char *key, const cm_manifest *m)
{
    cm_slice parent = cm_layout_parent(key);
    if (parent.length == 0)
        return false;
    if (cm_slice_is(parent, m->assembly))
        return true;
    size_t length = strlen(m->execution);
    return length > 0 && parent.length >= length &&
           memcmp(parent.text + parent.length - length, m->execution, length) == 0;
}

static void find_chunk(const search *s, const candidate *c, const char *key, cm_found_delivery *d,
                       cm_found_chunk *chunk)
{
    const cm_object *found[2];
    bool s3 = s->source->type == &cm_source_s3;
    size_t count = cm_file_index_find(s->files, key, d->period, d->manifest, s3, found);
    *chunk = (cm_found_chunk){.name = cm_layout_file(key).text, .manifest_key = key, .fingerprint = ""};
    if (count == 0) {
        fail_delivery(d, "MISSING_FILE", key, missing_text(s, d, key));
    } else if (count > 1) {
        fail_delivery(d, "AMBIGUOUS_FILE", key,
                      cm_arena_printf(
                          s->arena, "manifest %s lists %s, which could be %s or %s; remove one of them from the source",
                          d->manifest, key, found[0]->key, found[1]->key));
    } else {
        chunk->key = found[0]->key;
        chunk->fingerprint = found[0]->fingerprint;
        chunk->bytes = found[0]->bytes;
        d->newest = found[0]->modified > d->newest ? found[0]->modified : d->newest;
        if (chunk->bytes == 0)
            fail_delivery(
                d, "EMPTY_FILE", chunk->name,
                cm_arena_printf(s->arena,
                                "%s has 0 bytes: a copy that broke off or is not finished (even an empty gzip "
                                "has 20 bytes); it is read as soon as it has changed",
                                chunk->key));
    }
    d->immutable_keys = d->immutable_keys && chunk->key && below_assembly(chunk->key, &c->manifest);
}

static int by_object(const void *a, const void *b)
{
    const cm_found_chunk *x = *(const cm_found_chunk *const *)a, *y = *(const cm_found_chunk *const *)b;
    return strcmp(x->key ? x->key : "", y->key ? y->key : "");
}

/* Two keys of the manifest must not lead to the same file, or its lines would count twice. */
static void check_no_file_twice(const search *s, cm_found_delivery *d)
{
    const cm_found_chunk **sorted = cm_arena_alloc(s->arena, d->chunks * sizeof *sorted);
    for (size_t i = 0; i < d->chunks; i++)
        sorted[i] = &d->chunk[i];
    qsort(sorted, d->chunks, sizeof *sorted, by_object);
    for (size_t i = 1; i < d->chunks; i++)
        if (sorted[i]->key && sorted[i - 1]->key && strcmp(sorted[i]->key, sorted[i - 1]->key) == 0)
            fail_delivery(d, "AMBIGUOUS_FILE", sorted[i]->key,
                          cm_arena_printf(s->arena, "manifest %s lists %s and %s, but only %s exists for both",
                                          d->manifest, sorted[i - 1]->manifest_key, sorted[i]->manifest_key,
                                          sorted[i]->key));
}

static bool describe(search *s, candidate *c, const candidate *rival, cm_found_delivery *d, cm_error *err)
{
    if (!read_candidate(s, c, err))
        return false;
    const cm_manifest *m = &c->manifest;
    *d = (cm_found_delivery){.report = c->layout.report,
                             .assembly = *m->assembly || !c->layout.assembly ? m->assembly : c->layout.assembly,
                             .format = m->cur2 ? "cur2" : "legacy",
                             .manifest = c->object->key,
                             .account = m->account,
                             .period = c->layout.period,
                             .immutable_keys = true,
                             .error_code = "",
                             .error_file = "",
                             .error_text = ""};
    memcpy(d->manifest_digest, m->digest, sizeof d->manifest_digest);
    if (rival)
        fail_delivery(
            d, "AMBIGUOUS_FILE", d->manifest,
            cm_arena_printf(s->arena,
                            "report %s has two manifests for one period, %s and %s; remove one of them from the "
                            "source, or limit the source to the folder of one report",
                            d->report, d->manifest, rival->object->key));
    check_identity(s, c, d);
    if (!*m->error_code && m->count > 0) {
        d->chunks = m->count;
        d->chunk = cm_arena_zalloc(s->arena, m->count * sizeof *d->chunk);
        for (size_t i = 0; i < m->count; i++)
            find_chunk(s, c, m->keys[i], d, &d->chunk[i]);
        check_no_file_twice(s, d);
    }
    d->immutable_keys = d->immutable_keys && d->chunks > 0;
    return true;
}

/* --- all --------------------------------------------------------------------------------------------------------- */

static bool find_once(search *s, cm_found_delivery **ret, size_t *ret_count, cm_error *err)
{
    if (!s->source->type->list(s->source, "", s->arena, &s->objects, &s->object_count, err) || !collect(s, err))
        return false;
    s->files = cm_file_index_new(s->objects, s->object_count, s->arena);
    if (s->count > 1)
        qsort(s->list, s->count, sizeof *s->list, by_report);
    *ret = cm_arena_zalloc(s->arena, (s->count + 1) * sizeof **ret);
    *ret_count = 0;
    for (size_t i = 0; i < s->count; i++) {
        if (i > 0 && same_delivery_group(&s->list[i - 1], &s->list[i]))
            continue; /* older, or not better than the one before */
        const candidate *rival =
            i + 1 < s->count && equally_good(&s->list[i], &s->list[i + 1]) ? &s->list[i + 1] : NULL;
        if (!describe(s, &s->list[i], rival, &(*ret)[*ret_count], err))
            return false;
        (*ret_count)++;
    }
    return true;
}

bool cm_reports_find(cm_source *source, const char *payer, const cm_period *period, const char *const *reports,
                     cm_arena *arena, cm_found_delivery **ret, size_t *ret_count, cm_unlisted *unlisted, cm_error *err)
{
    for (int listing = 1;; listing++) {
        search s = {.source = source,
                    .payer = payer,
                    .period = period,
                    .reports = reports,
                    .arena = arena,
                    .last = listing == LISTINGS_MAX};
        if (find_once(&s, ret, ret_count, err)) {
            const cm_unlisted_search rest = {s.objects, s.object_count, *ret, *ret_count, period, reports, arena};
            if (unlisted)
                cm_reports_unlisted(&rest, unlisted);
            return true;
        }
        if (!s.stale || s.last)
            return false;
    }
}
