/* Looking for deliveries: each payer of the lane, its source, the reports in it. Registration decides what is new. */
#include "ingest.h"

#include "base/log/log.h"
#include "delivery/source/source.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { REST_MINUTES = 15 };

typedef struct scan {
    cm_ingest *ingest;
    const cm_catalog *catalog;
    const cm_period *period;
    bool requested; /* by a person, who wants it now */
    int found, new_deliveries, failed;
    json_t *errors, *notes, *ids; /* ids: of the deliveries seen */
} scan;

static const char *const registration_names[] = {
    [CM_REGISTRATION_NEW] = "new",
    [CM_REGISTRATION_KNOWN] = "known",
    [CM_REGISTRATION_RETRIED] = "tried again",
    [CM_REGISTRATION_FAILED] = "failed",
};

static bool register_one(scan *s, const cm_payer *payer, const cm_found_delivery *found, cm_error *err)
{
    cm_registered registered;
    cm_run_settings settings = {.shards = s->ingest->shards, .archive = s->ingest->archive_policy};
    if (!s->requested)
        settings.resting_since = cm_ingest_now(s->ingest) - REST_MINUTES * 60 * CM_SECOND;
    if (!cm_store_register(s->ingest->worker.pg, s->catalog, payer, payer->source, found, &settings,
                           cm_ingest_now(s->ingest), "ingest-cur", &registered, err))
        return false;
    s->found++;
    json_array_append_new(s->ids, json_string(registered.delivery));
    s->new_deliveries += registered.what == CM_REGISTRATION_NEW || registered.what == CM_REGISTRATION_RETRIED;
    s->failed += registered.what == CM_REGISTRATION_FAILED;
    char period[CM_PERIOD_TEXT];
    bool quiet = registered.what == CM_REGISTRATION_KNOWN || registered.what == CM_REGISTRATION_FAILED;
    cm_log(quiet ? CM_DEBUG : CM_INFO, "delivery seen", "outcome", registration_names[registered.what], "run",
           registered.run, "delivery", registered.delivery, "payer", payer->id, "period",
           cm_period_print(found->period, period), "report", found->report, "assembly", found->assembly, "error",
           found->error_text, NULL);
    if (!quiet)
        cm_metric_add(s->ingest->metric.deliveries, 1);
    return true;
}

/* One report counts for a payer and period: with two, one would silently replace the other at every new version. A
 * person chooses. */
static void refuse_two_reports(cm_found_delivery *found, size_t count, cm_arena *arena)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < count; j++) {
            bool same = found[i].period.year == found[j].period.year && found[i].period.month == found[j].period.month;
            if (i == j || !same || strcmp(found[i].report, found[j].report) == 0 || *found[i].error_code)
                continue;
            found[i].error_code = "TWO_REPORTS";
            found[i].error_file = found[i].manifest;
            found[i].error_text = cm_arena_printf(
                arena,
                "the source has the reports \"%s\" and \"%s\" for the same month and only one can be billed: name it in `reports` of the payer",
                found[i].report, found[j].report);
        }
    }
}

static void note_unlisted(scan *s, const cm_source *source, const cm_payer *payer, const cm_unlisted *unlisted)
{
    cm_buffer text = {0};
    if (unlisted->count == 0)
        return;
    cm_buffer_printf(&text, "payer %s: %zu file%s in ", payer->id, unlisted->count, unlisted->count == 1 ? "" : "s");
    source->type->describe(source, &text);
    cm_buffer_text(&text, unlisted->count == 1 ? " is listed by no manifest and was not read: "
                                               : " are listed by no manifest and were not read: ");
    for (size_t i = 0; i < unlisted->count && i < CM_UNLISTED_NAMED; i++)
        cm_buffer_printf(&text, "%s%s", i ? ", " : "", unlisted->key[i]);
    cm_buffer_printf(
        &text,
        "%s; put the report's manifest beside them, or bring them with `curmill ingest --payer %s --period "
        "YYYY-MM --file FILE`",
        unlisted->count > CM_UNLISTED_NAMED ? " ..." : "", payer->id);
    json_array_append_new(s->notes, json_string(cm_buffer_string(&text)));
    cm_buffer_free(&text);
}

/* False only when the database is away; the source's trouble is noted. */
static bool scan_payer(scan *s, const cm_payer *payer, cm_error *err)
{
    cm_error trouble = {0};
    cm_arena *arena = cm_arena_new(64 * 1024);
    cm_found_delivery *found = NULL;
    cm_unlisted unlisted = {0};
    size_t count = 0;
    bool done = true;
    cm_source *source = cm_source_open(payer->source, &trouble);
    bool listed = source && cm_reports_find(source, payer->id, s->period, payer->reports, arena, &found, &count,
                                            &unlisted, &trouble);
    if (!listed) {
        cm_log_error(CM_WARN, "source could not be read", &trouble, "payer", payer->id, NULL);
        cm_metric_add(s->ingest->metric.scan_errors, 1);
        json_array_append_new(s->errors, json_sprintf("payer %s: %s", payer->id, trouble.text));
    }
    if (listed)
        note_unlisted(s, source, payer, &unlisted);
    if (listed)
        refuse_two_reports(found, count, arena);
    for (size_t i = 0; listed && done && i < count; i++)
        done = register_one(s, payer, &found[i], err);
    cm_source_close(source);
    cm_arena_free(arena);
    return done;
}

bool cm_discover(cm_ingest *ingest, const char *payer, const char *period, json_t **ret_outcome, cm_error *err)
{
    char id[CM_ID_HEX];
    cm_period month;
    scan s = {.ingest = ingest,
              .requested = ret_outcome != NULL,
              .errors = json_array(),
              .notes = json_array(),
              .ids = json_array()};
    if (*period && cm_period_parse(cm_slice_of(period), &month))
        s.period = &month;
    cm_metric_add(ingest->metric.scans, 1);
    bool done = true;
    if (cm_store_catalog_in_force(ingest->worker.pg, cm_ingest_now(ingest), id, err))
        s.catalog = cm_catalog_cache_get(ingest->catalogs, ingest->worker.pg, id, err);
    if (!s.catalog && err->class == CM_ERROR_NOT_FOUND) {
        json_array_append_new(s.errors, json_string(err->text));
        cm_error_clear(err);
    } else if (!s.catalog) {
        done = false;
    }
    for (size_t i = 0; done && s.catalog && i < s.catalog->payer_count; i++) {
        const cm_payer *one = &s.catalog->payers[i];
        bool has_source = one->source != NULL; /* a payer without one is fed by `ingest --file` */
        if (has_source && strcmp(one->lane, ingest->worker.lane) == 0 && (!*payer || strcmp(one->id, payer) == 0)) {
            done = scan_payer(&s, one, err);
            cm_worker_turned(&ingest->worker);
        }
    }
    if (ret_outcome)
        *ret_outcome = json_pack("{s:i, s:i, s:i, s:O, s:O, s:O}", "deliveries", s.found, "new", s.new_deliveries,
                                 "failed", s.failed, "errors", s.errors, "notes", s.notes, "ids", s.ids);
    json_decref(s.errors);
    json_decref(s.notes);
    json_decref(s.ids);
    return done;
}

bool cm_discover_requested(cm_ingest *ingest, cm_error *err)
{
    cm_rows *rows = NULL;
    if (!cm_pg_query(
            ingest->worker.pg,
            "SELECT id, payer, period FROM scan_request WHERE lane = $1 AND done_at IS NULL ORDER BY id LIMIT 50", 1,
            (const char *[]){ingest->worker.lane}, &rows, err))
        return false;
    bool done = true;
    for (int i = 0; done && i < cm_rows_count(rows); i++) {
        json_t *outcome = NULL;
        done = cm_discover(ingest, cm_rows_text(rows, i, 1), cm_rows_text(rows, i, 2), &outcome, err);
        if (!done)
            break;
        char at[CM_INSTANT_TEXT];
        char *text = json_dumps(outcome, JSON_COMPACT);
        const char *values[] = {cm_rows_text(rows, i, 0), cm_instant_print(cm_ingest_now(ingest), at), text};
        done =
            cm_pg_query(ingest->worker.pg,
                        "UPDATE scan_request SET done_at = $2, outcome = $3 WHERE id = $1::bigint AND done_at IS NULL",
                        3, values, NULL, err);
        free(text);
        json_decref(outcome);
    }
    cm_rows_free(rows);
    return done;
}
