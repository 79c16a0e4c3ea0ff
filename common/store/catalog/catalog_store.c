/* Catalog versions: contents are stored once by digest, activations in order. The latest activation whose time has come
 * is in force. Every change is audited, including changes to the layout of statements (I05). */
#include "store/catalog/catalog_store.h"
#include "billing/catalog/diff/diff.h"
#include "billing/catalog/parse/canonical.h"
#include "store/audit/audit.h"
#include "store/catalog/slice_store.h"

#include <stdlib.h>

static cm_instant next_daily_apply(cm_instant now)
{
    return ((cm_instant)cm_day_of(now) + 1) * CM_DAY; /* 00:00 UTC (N14) */
}

static void content_id(const char *text, char ret[static CM_ID_HEX])
{
    cm_digest *digest = cm_digest_new();
    cm_digest_raw(digest, text, strlen(text));
    cm_digest_finish_id(digest, ret);
}

/* The latest activation, in force or not: what a new one is compared with. */
static bool latest_activation(cm_pg *pg, char ret_id[static CM_ID_HEX], cm_instant *ret_from, json_t **ret_content,
                              cm_error *err)
{
    cm_rows *rows = NULL;
    ret_id[0] = '\0';
    *ret_from = INT64_MAX;
    *ret_content = NULL;
    if (!cm_pg_query(
            pg,
            "SELECT a.catalog_id, (extract(epoch FROM a.in_force_from) * 1000000)::bigint, v.content"
            " FROM catalog_activation a JOIN catalog_version v ON v.id = a.catalog_id ORDER BY a.seq DESC LIMIT 1",
            0, NULL, &rows, err))
        return false;
    if (cm_rows_count(rows)) {
        snprintf(ret_id, CM_ID_HEX, "%s", cm_rows_text(rows, 0, 0));
        *ret_from = cm_rows_i64(rows, 0, 1);
        *ret_content = json_loads(cm_rows_text(rows, 0, 2), 0, NULL);
    }
    cm_rows_free(rows);
    return true;
}

/* R06: a rate's author is whoever applied this content first. */
static bool remember_fx_authors(cm_pg *pg, const json_t *canonical, const char *by, const char *at, cm_error *err)
{
    const char *id;
    json_t *rate;
    json_object_foreach (json_object_get(canonical, "FxRate"), id, rate) {
        const char *values[] = {id, json_string_value(json_object_get(rate, "rate")),
                                json_string_value(json_object_get(rate, "period")), by, at};
        if (values[0] && values[1] && values[2] &&
            !cm_pg_query(pg, "INSERT INTO fx_rate_set VALUES ($1, $2::numeric, $3, $4, $5) ON CONFLICT DO NOTHING", 5,
                         values, NULL, err))
            return false;
    }
    return true;
}

static bool store_version(cm_pg *pg, const char *text, const json_t *canonical, const char *by, const char *reason,
                          cm_instant now, const cm_applied_catalog *applied, cm_error *err)
{
    char at[CM_INSTANT_TEXT], from[CM_INSTANT_TEXT], object[64];
    cm_instant_print(now, at);
    cm_instant_print(applied->in_force_from, from);
    const char *version[] = {applied->id, text, at};
    const char *activation[] = {applied->id, from, at, by, reason, applied->diff};
    snprintf(object, sizeof object, "catalog:%s", applied->id);
    json_t *detail = json_pack("{s:s}", "in_force_from", from);
    char *detail_text = json_dumps(detail, 0);
    bool done =
        cm_pg_query(pg, "INSERT INTO catalog_version VALUES ($1, $2, $3) ON CONFLICT DO NOTHING", 3, version, NULL,
                    err) &&
        cm_pg_query(pg,
                    "INSERT INTO catalog_activation (catalog_id, in_force_from, applied_at, applied_by, reason, diff)"
                    " VALUES ($1, $2, $3, $4, $5, $6)",
                    6, activation, NULL, err) &&
        remember_fx_authors(pg, canonical, by, at, err) && cm_store_slices_write(pg, applied->id, canonical, err) &&
        cm_store_audit(pg, now, by, "catalog.applied", object, reason, detail_text, err) &&
        cm_pg_execute(pg, "NOTIFY curmill_scan", err); /* there may be new payers: look for their deliveries */
    free(detail_text);
    json_decref(detail);
    return done;
}

/* Fills everything except the id. */
static bool compare_with_latest(cm_pg *pg, const json_t *canonical, cm_instant now, bool at_once,
                                cm_applied_catalog *ret, cm_error *err)
{
    char latest[CM_ID_HEX];
    cm_instant latest_from;
    json_t *latest_content;
    if (!latest_activation(pg, latest, &latest_from, &latest_content, err))
        return false;
    ret->in_force_from = at_once ? now : next_daily_apply(now);
    cm_buffer diff = {0};
    cm_catalog_diff(latest_content, canonical, &diff);
    ret->diff = cm_strdup(cm_buffer_string(&diff));
    cm_buffer_free(&diff);
    json_decref(latest_content);
    if (strcmp(latest, ret->id) == 0 && latest_from <= ret->in_force_from) {
        ret->unchanged = true;
        ret->in_force_from = latest_from;
    }
    return true;
}

static bool apply_locked(cm_pg *pg, const char *text, const json_t *canonical, const char *by, const char *reason,
                         cm_instant now, bool at_once, cm_applied_catalog *ret, cm_error *err)
{
    return cm_pg_execute(pg, "LOCK TABLE catalog_activation IN SHARE ROW EXCLUSIVE MODE", err) &&
           compare_with_latest(pg, canonical, now, at_once, ret, err) &&
           (ret->unchanged || store_version(pg, text, canonical, by, reason, now, ret, err));
}

bool cm_store_catalog_preview(cm_pg *pg, const json_t *canonical, cm_instant now, bool at_once, cm_applied_catalog *ret,
                              cm_error *err)
{
    *ret = (cm_applied_catalog){0};
    char *text = cm_catalog_text(canonical);
    content_id(text, ret->id);
    free(text);
    return compare_with_latest(pg, canonical, now, at_once, ret, err);
}

bool cm_store_catalog_apply(cm_pg *pg, const json_t *canonical, const char *by, const char *reason, cm_instant now,
                            bool at_once, cm_applied_catalog *ret, cm_error *err)
{
    *ret = (cm_applied_catalog){0};
    char *text = cm_catalog_text(canonical);
    content_id(text, ret->id);
    bool done = cm_pg_begin(pg, err) && apply_locked(pg, text, canonical, by, reason, now, at_once, ret, err) &&
                cm_pg_commit(pg, err);
    free(text);
    if (!done) {
        cm_pg_rollback(pg);
        free(ret->diff);
        ret->diff = NULL;
    }
    return done;
}

bool cm_store_catalog_in_force(cm_pg *pg, cm_instant now, char ret_id[static CM_ID_HEX], cm_error *err)
{
    char at[CM_INSTANT_TEXT];
    const char *values[] = {cm_instant_print(now, at)};
    cm_rows *rows = NULL;
    if (!cm_pg_query(
            pg,
            "SELECT (SELECT catalog_id FROM catalog_activation WHERE in_force_from <= $1 ORDER BY seq DESC LIMIT 1),"
            " (SELECT to_char(min(in_force_from), 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') FROM catalog_activation"
            "   WHERE in_force_from > $1)",
            1, values, &rows, err))
        return false;
    bool found = !cm_rows_null(rows, 0, 0);
    if (found)
        snprintf(ret_id, CM_ID_HEX, "%s", cm_rows_text(rows, 0, 0));
    else if (!cm_rows_null(rows, 0, 1))
        cm_fail(
            err, CM_ERROR_NOT_FOUND, "NO_CATALOG",
            "no catalog is in force yet; the one that was applied takes force at %s. To use it at once, apply it again with --now",
            cm_rows_text(rows, 0, 1));
    else
        cm_fail(err, CM_ERROR_NOT_FOUND, "NO_CATALOG",
                "there is no catalog yet: run `curmill catalog apply DIR --by WHO --reason TEXT --now`");
    cm_rows_free(rows);
    return found;
}

bool cm_store_catalog_load(cm_pg *pg, const char *id, cm_catalog **ret, cm_error *err)
{
    *ret = NULL;
    const char *values[] = {id};
    cm_rows *rows = NULL;
    if (!cm_pg_query(pg, "SELECT id, content FROM catalog_version WHERE starts_with(id, $1) LIMIT 2", 1, values, &rows,
                     err))
        return false;
    if (cm_rows_count(rows) == 0 || !*id)
        cm_fail(err, CM_ERROR_NOT_FOUND, "NO_CATALOG", "there is no catalog version %s; see `curmill catalog list`",
                id);
    else if (cm_rows_count(rows) > 1)
        cm_fail(err, CM_ERROR_NOT_FOUND, "AMBIGUOUS",
                "more than one catalog version begins with %s; give more characters", id);
    else
        *ret = cm_catalog_parse(cm_rows_text(rows, 0, 1), err);
    cm_rows_free(rows);
    return *ret != NULL;
}
