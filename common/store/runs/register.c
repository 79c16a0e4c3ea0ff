/* Registration of deliveries, and inserting runs. Each is one transaction under a lock of (payer, period). */
#include "store/audit/audit.h"
#include "store/catalog/link_store.h"
#include "store/catalog/slice_store.h"
#include "store/runs/period_store.h"
#include "store/runs/run_row.h"

#include <inttypes.h>
#include <stdlib.h>

void cm_run_id(const char *delivery, const char *slice, const char *links, int attempt, char ret[static CM_ID_HEX])
{
    cm_digest *digest = cm_digest_new();
    cm_digest_text(digest, "run");
    cm_digest_text(digest, delivery);
    cm_digest_text(digest, slice);
    cm_digest_text(digest, links);
    cm_digest_text(digest, cm_engine_version());
    if (attempt) {
        char number[16];
        snprintf(number, sizeof number, "%d", attempt);
        cm_digest_text(digest, number);
    }
    cm_digest_finish_id(digest, ret);
}

static void delivery_id(const char *payer, const cm_found_delivery *found, char ret[static CM_ID_HEX])
{
    char period[CM_PERIOD_TEXT];
    cm_digest *digest = cm_digest_new();
    cm_digest_text(digest, "delivery");
    cm_digest_text(digest, payer);
    cm_digest_text(digest, found->report);
    cm_digest_text(digest, cm_period_print(found->period, period));
    cm_digest_text(digest, found->assembly);
    cm_digest_text(digest, found->manifest_digest);
    cm_digest_finish_id(digest, ret);
}

/* The files of a known delivery have other content under the same manifest: a delivery of its own, so that the one
 * before keeps what it was made of. */
static void next_content_id(const char *before, const char *files, char ret[static CM_ID_HEX])
{
    cm_digest *digest = cm_digest_new();
    cm_digest_text(digest, "content");
    cm_digest_text(digest, before);
    cm_digest_text(digest, files);
    cm_digest_finish_id(digest, ret);
}

bool cm_period_lock(cm_pg *pg, const char *payer, const char *period, cm_error *err)
{
    const char *values[] = {payer, period};
    return cm_pg_query(pg, "SELECT pg_advisory_xact_lock(hashtextextended('delivery ' || $1 || ' ' || $2, 0))", 2,
                       values, NULL, err);
}

bool cm_run_insert(cm_pg *pg, const char *delivery, const char *catalog, const char *links, int attempt,
                   const char *payer, const char *lane, cm_period period, int chunks, const cm_run_settings *settings,
                   cm_instant now, char ret_run[static CM_ID_HEX], bool *ret_new, cm_error *err)
{
    char at[CM_INSTANT_TEXT], month[CM_PERIOD_TEXT], number[4][16], slice[CM_ID_HEX];
    if (!cm_store_slice_of(pg, catalog, payer, links, slice, err))
        return false;
    if (!*slice)
        return cm_fail(err, CM_ERROR_NOT_FOUND, "UNKNOWN_PAYER",
                       "payer %s is not in catalog version %s: apply a catalog that contains it", payer, catalog);
    cm_run_id(delivery, slice, links, attempt, ret_run);
    snprintf(number[0], 16, "%d", attempt);
    snprintf(number[1], 16, "%d", settings->shards ? settings->shards : CM_SHARDS);
    snprintf(number[2], 16, "%d", settings->partitions);
    snprintf(number[3], 16, "%d", chunks);
    cm_period_print(period, month);
    const char *values[] = {ret_run,   delivery,  catalog,   cm_engine_version(),       number[0], payer, lane, month,
                            number[1], number[2], number[3], cm_instant_print(now, at), links,     slice};
    cm_rows *rows = NULL;
    if (!cm_pg_query(
            pg,
            "INSERT INTO run (id, delivery_id, catalog_id, engine_version, attempt, payer, lane, period, shards,"
            " partitions, chunks, state, started_at, links_version, slice_id)"
            " VALUES ($1, $2, $3, $4, $5::int, $6, $7, $8, $9::int, $10::int, $11::int, 'running', $12, $13, $14)"
            " ON CONFLICT DO NOTHING RETURNING id",
            14, values, &rows, err))
        return false;
    *ret_new = cm_rows_count(rows) == 1;
    cm_rows_free(rows);
    if (!*ret_new)
        return true;
    const char *chunk_values[] = {ret_run, number[3]};
    return cm_pg_query(pg, "INSERT INTO run_chunk (run_id, chunk) SELECT $1, generate_series(1, $2::int)", 2,
                       chunk_values, NULL, err) &&
           cm_pg_query(pg, "SELECT curmill_ensure_period($1)", 1, (const char *[]){month}, NULL, err) &&
           cm_pg_execute(pg, "NOTIFY curmill_scan", err);
}

/* One text made from all fingerprints: shows whether a failed delivery's files have changed. */
static void fingerprints(const cm_found_delivery *found, char ret[static CM_ID_HEX])
{
    cm_digest *digest = cm_digest_new();
    for (size_t i = 0; i < found->chunks; i++) {
        cm_digest_text(digest, found->chunk[i].key ? found->chunk[i].key : "");
        cm_digest_text(digest, found->chunk[i].fingerprint);
    }
    cm_digest_text(digest, found->error_code);
    cm_digest_finish_id(digest, ret);
}

static bool stored_fingerprints(cm_pg *pg, const char *delivery, const char *error_code, bool failed_at_discovery,
                                char ret[static CM_ID_HEX], cm_error *err)
{
    cm_rows *rows = NULL;
    if (!cm_pg_query(pg, "SELECT location, fingerprint FROM chunk WHERE delivery_id = $1 ORDER BY chunk", 1,
                     (const char *[]){delivery}, &rows, err))
        return false;
    cm_digest *digest = cm_digest_new();
    for (int i = 0; i < cm_rows_count(rows); i++) {
        cm_digest_text(digest, cm_rows_text(rows, i, 0));
        cm_digest_text(digest, cm_rows_text(rows, i, 1));
    }
    cm_digest_text(digest, failed_at_discovery ? error_code : "");
    cm_digest_finish_id(digest, ret);
    cm_rows_free(rows);
    return true;
}

static bool insert_chunks(cm_pg *pg, const char *delivery, const cm_found_delivery *found, cm_error *err)
{
    for (size_t i = 0; i < found->chunks; i++) {
        char number[24], bytes[24];
        snprintf(number, sizeof number, "%zu", i + 1);
        snprintf(bytes, sizeof bytes, "%" PRId64, found->chunk[i].bytes);
        const char *values[] = {delivery,
                                number,
                                found->chunk[i].key ? found->chunk[i].key : "",
                                found->chunk[i].name,
                                found->chunk[i].fingerprint,
                                bytes};
        if (!cm_pg_query(
                pg,
                "INSERT INTO chunk (delivery_id, chunk, location, name, fingerprint, bytes)"
                " VALUES ($1, $2::int, $3, $4, $5, $6::bigint)"
                " ON CONFLICT (delivery_id, chunk) DO UPDATE SET location = excluded.location, name = excluded.name,"
                " fingerprint = excluded.fingerprint, bytes = excluded.bytes",
                6, values, NULL, err))
            return false;
    }
    return true;
}

/* Assembly ids that are time stamps sort by time: "20250307T053621Z", "2026-04-16T15:24:15.653Z-...". */
static bool is_time_stamp(const char *assembly)
{
    size_t digits = strspn(assembly, "0123456789");
    return (digits == 8 && assembly[8] == 'T') ||
           (digits == 4 && assembly[4] == '-' && strlen(assembly) > 24 && assembly[10] == 'T');
}

/* The assembly of the newest delivery of the same report that is good or in progress. */
static bool is_older_than_known(cm_pg *pg, const char *payer, const char *period, const cm_found_delivery *found,
                                bool *ret, cm_error *err)
{
    *ret = false;
    if (!is_time_stamp(found->assembly))
        return true;
    const char *values[] = {payer, period, found->report};
    cm_rows *rows = NULL;
    if (!cm_pg_query(
            pg,
            "SELECT assembly FROM delivery WHERE payer = $1 AND period = $2 AND report = $3 AND state IN ('planned', 'good')"
            " ORDER BY seq DESC LIMIT 1",
            3, values, &rows, err))
        return false;
    if (cm_rows_count(rows) && is_time_stamp(cm_rows_text(rows, 0, 0)))
        *ret = strcmp(found->assembly, cm_rows_text(rows, 0, 0)) < 0;
    cm_rows_free(rows);
    return true;
}

typedef struct registering {
    cm_pg *pg;
    const cm_catalog *catalog;
    const cm_payer *payer;
    const json_t *source;
    const cm_found_delivery *found;
    const cm_run_settings *settings;
    cm_instant now;
    const char *actor;
    char period[CM_PERIOD_TEXT];
    cm_registered *ret;
} registering;

/* A late change of the catalog takes effect from the next period on (rating.md section 8): a delivery for a settled
 * period is rated with the period's catalog and the links of its newest run. */
static bool basis_of_period(const registering *r, char ret_catalog[static CM_ID_HEX], char ret_links[static CM_ID_HEX],
                            cm_error *err)
{
    const char *values[] = {r->payer->id, r->period};
    cm_rows *rows = NULL;
    if (!cm_pg_query(
            r->pg,
            "SELECT b.catalog_id, newest.links_version FROM settled_period b JOIN newest_run n ON n.payer = b.payer AND n.period = b.period JOIN run newest ON newest.id = n.run_id"
            " WHERE b.payer = $1 AND b.period = $2",
            2, values, &rows, err))
        return false;
    bool settled = cm_rows_count(rows) > 0;
    snprintf(ret_catalog, CM_ID_HEX, "%s", settled ? cm_rows_text(rows, 0, 0) : r->catalog->id);
    snprintf(ret_links, CM_ID_HEX, "%s", settled ? cm_rows_text(rows, 0, 1) : "");
    cm_rows_free(rows);
    return settled || cm_store_links_of_payer(r->pg, r->payer->id, ret_links, err);
}

static bool begin_run(const registering *r, int attempt, cm_error *err)
{
    bool new_run;
    char catalog[CM_ID_HEX], links[CM_ID_HEX];
    return basis_of_period(r, catalog, links, err) &&
           cm_run_insert(r->pg, r->ret->delivery, catalog, links, attempt, r->payer->id, r->payer->lane,
                         r->found->period, (int)r->found->chunks, r->settings, r->now, r->ret->run, &new_run, err);
}

static bool audit_delivery(const registering *r, const char *action, const char *reason, cm_error *err)
{
    char object[64];
    snprintf(object, sizeof object, "delivery:%s", r->ret->delivery);
    json_t *detail = json_pack("{s:s, s:s, s:s, s:s}", "payer", r->payer->id, "period", r->period, "report",
                               r->found->report, "assembly", r->found->assembly);
    char *text = json_dumps(detail, 0);
    bool done = cm_store_audit(r->pg, r->now, r->actor, action, object, reason, text, err);
    free(text);
    json_decref(detail);
    return done;
}

/* Files without a manifest are where somebody put them. */
static bool is_archived(const registering *r)
{
    bool overwritten = !r->found->immutable_keys || !*r->found->manifest;
    return r->settings->archive == CM_ARCHIVE_ALL || (r->settings->archive == CM_ARCHIVE_OVERWRITTEN && overwritten);
}

static bool register_new(const registering *r, const char *why, cm_error *err)
{
    bool older, bad = *r->found->error_code != '\0';
    if (!is_older_than_known(r->pg, r->payer->id, r->period, r->found, &older, err))
        return false;
    char at[CM_INSTANT_TEXT];
    char *source = json_dumps(r->source, JSON_COMPACT | JSON_SORT_KEYS);
    const char *values[] = {r->ret->delivery,
                            r->payer->id,
                            r->payer->lane,
                            r->period,
                            r->found->report,
                            r->found->assembly,
                            r->found->format,
                            source,
                            r->found->manifest,
                            r->found->manifest_digest,
                            r->found->immutable_keys ? "t" : "f",
                            bad     ? "failed"
                            : older ? "superseded"
                                    : "planned",
                            cm_instant_print(r->now, at),
                            r->found->error_code,
                            r->found->error_file,
                            r->found->error_text,
                            is_archived(r) ? "t" : "f"};
    bool done =
        cm_pg_query(
            r->pg,
            "INSERT INTO delivery (id, payer, lane, period, report, assembly, format, source, manifest,"
            " manifest_digest, immutable_keys, state, discovered_at, error_code, error_file, error_text, archive)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)",
            17, values, NULL, err) &&
        insert_chunks(r->pg, r->ret->delivery, r->found, err);
    free(source);
    if (!done)
        return false;
    if (bad) {
        r->ret->what = CM_REGISTRATION_FAILED;
        return audit_delivery(r, "delivery.failed", r->found->error_text, err);
    }
    if (older) {
        r->ret->what = CM_REGISTRATION_KNOWN;
        return audit_delivery(r, "delivery.superseded", "it is older than the delivery that is already there", err);
    }
    r->ret->what = CM_REGISTRATION_NEW;
    return audit_delivery(r, "delivery.registered", why, err) && begin_run(r, 0, err);
}

/* A delivery that failed (also if it was dismissed since) is tried again when its files (or what was wrong at
 * discovery) changed. */
static bool register_failed_before(const registering *r, const char *old_code, int attempt, bool had_run,
                                   bool dismissed, cm_error *err)
{
    char before[CM_ID_HEX], today[CM_ID_HEX], number[16];
    fingerprints(r->found, today);
    if (!stored_fingerprints(r->pg, r->ret->delivery, old_code, !had_run, before, err))
        return false;
    r->ret->what = dismissed ? CM_REGISTRATION_KNOWN : CM_REGISTRATION_FAILED;
    if (strcmp(before, today) == 0)
        return true;
    r->ret->what = CM_REGISTRATION_FAILED;
    bool bad = *r->found->error_code != '\0';
    snprintf(number, sizeof number, "%d", attempt + 1);
    const char *values[] = {r->ret->delivery,     bad ? "failed" : "planned", number,
                            r->found->error_code, r->found->error_file,       r->found->error_text};
    if (!cm_pg_query(r->pg, "DELETE FROM chunk WHERE delivery_id = $1", 1, values, NULL, err) ||
        !insert_chunks(r->pg, r->ret->delivery, r->found, err) ||
        !cm_pg_query(
            r->pg,
            "UPDATE delivery SET state = $2, attempt = $3::int, error_code = $4, error_file = $5, error_text = $6,"
            " error_row = NULL, error_column = '' WHERE id = $1",
            6, values, NULL, err))
        return false;
    if (bad)
        return audit_delivery(r, "delivery.failed", r->found->error_text, err);
    r->ret->what = CM_REGISTRATION_RETRIED;
    return audit_delivery(r, "delivery.retried", "its files changed", err) && begin_run(r, attempt + 1, err);
}

/* The newest delivery with this manifest: its files may have changed since the first one. */
static bool find_newest(const registering *r, cm_error *err)
{
    cm_rows *rows = NULL;
    const char *values[] = {r->payer->id, r->period, r->found->report, r->found->assembly, r->found->manifest_digest};
    if (!cm_pg_query(r->pg,
                     "SELECT id FROM delivery WHERE payer = $1 AND period = $2 AND report = $3 AND assembly = $4"
                     " AND manifest_digest = $5 ORDER BY seq DESC LIMIT 1",
                     5, values, &rows, err))
        return false;
    if (cm_rows_count(rows))
        snprintf(r->ret->delivery, CM_ID_HEX, "%s", cm_rows_text(rows, 0, 0));
    cm_rows_free(rows);
    return true;
}

/* Are the files all there, and one of them another one than was read? Files without a manifest are known by their
 * content. */
static bool files_changed(const registering *r, bool *ret, cm_error *err)
{
    cm_rows *rows = NULL;
    const cm_found_delivery *found = r->found;
    *ret = false;
    if (!*found->manifest)
        return true;
    if (!cm_pg_query(r->pg, "SELECT fingerprint FROM chunk WHERE delivery_id = $1 ORDER BY chunk", 1,
                     (const char *[]){r->ret->delivery}, &rows, err))
        return false;
    bool there = (size_t)cm_rows_count(rows) == found->chunks, changed = false;
    for (size_t i = 0; there && i < found->chunks; i++) {
        there = found->chunk[i].key != NULL;
        changed = changed || strcmp(found->chunk[i].fingerprint, cm_rows_text(rows, (int)i, 0)) != 0;
    }
    cm_rows_free(rows);
    bool rests = !r->settings->resting_since || found->newest <= r->settings->resting_since;
    *ret = there && changed && rests;
    return true;
}

static bool register_known(const registering *r, const char *state, const char *current, cm_error *err)
{
    bool changed = false;
    r->ret->what = CM_REGISTRATION_KNOWN;
    if (strcmp(state, "superseded") == 0)
        snprintf(r->ret->superseded_by, CM_ID_HEX, "%s", current);
    /* While it is planned its own reading finds out. */
    bool was_read = strcmp(state, "good") == 0 || strcmp(state, "held") == 0;
    if (was_read && !files_changed(r, &changed, err))
        return false;
    if (!changed)
        return true;
    char files[CM_ID_HEX], before[CM_ID_HEX];
    fingerprints(r->found, files);
    snprintf(before, sizeof before, "%s", r->ret->delivery);
    next_content_id(before, files, r->ret->delivery);
    return register_new(r, "its files changed after they were read", err);
}

static bool register_locked(const registering *r, cm_error *err)
{
    cm_rows *rows = NULL;
    if (!cm_period_lock(r->pg, r->payer->id, r->period, err) || !find_newest(r, err) ||
        !cm_pg_query(
            r->pg,
            "SELECT d.state, d.error_code, d.attempt, EXISTS (SELECT FROM run WHERE delivery_id = d.id AND attempt = d.attempt),"
            " coalesce((SELECT r.delivery_id FROM current_run c JOIN run r ON r.id = c.run_id"
            "   WHERE c.payer = d.payer AND c.period = d.period AND r.delivery_id <> d.id), '')"
            " FROM delivery d WHERE d.id = $1",
            1, (const char *[]){r->ret->delivery}, &rows, err))
        return false;
    bool done, failed = false, dismissed = false;
    if (cm_rows_count(rows)) {
        failed = strcmp(cm_rows_text(rows, 0, 0), "failed") == 0;
        dismissed = strcmp(cm_rows_text(rows, 0, 0), "dismissed") == 0;
    }
    if (cm_rows_count(rows) == 0) {
        done = register_new(r, "", err);
    } else if (failed || dismissed) {
        done = register_failed_before(r, cm_rows_text(rows, 0, 1), (int)cm_rows_i64(rows, 0, 2),
                                      cm_rows_bool(rows, 0, 3), dismissed, err);
    } else {
        done = register_known(r, cm_rows_text(rows, 0, 0), cm_rows_text(rows, 0, 4), err);
    }
    cm_rows_free(rows);
    return done;
}

bool cm_store_register(cm_pg *pg, const cm_catalog *catalog, const cm_payer *payer, const json_t *source,
                       const cm_found_delivery *found, const cm_run_settings *settings, cm_instant now,
                       const char *actor, cm_registered *ret, cm_error *err)
{
    *ret = (cm_registered){0};
    registering r = {pg, catalog, payer, source, found, settings, now, actor, {0}, ret};
    cm_period_print(found->period, r.period);
    delivery_id(payer->id, found, ret->delivery);
    bool done = cm_pg_begin(pg, err) && register_locked(&r, err) && cm_pg_commit(pg, err);
    if (!done)
        cm_pg_rollback(pg);
    return done;
}
