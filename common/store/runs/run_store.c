/* Runs: facts for the workers, publishing, failing, restarting; the audit trail. Registration: register.c. */
#include "store/runs/run_store.h"
#include "store/audit/audit.h"

#include <inttypes.h>
#include <stdlib.h>

bool cm_store_run_chunk(cm_pg *pg, const char *run, uint32_t chunk, cm_arena *arena, cm_run_chunk *ret, cm_error *err)
{
    char number[16];
    snprintf(number, sizeof number, "%" PRIu32, chunk);
    const char *values[] = {run, number};
    cm_rows *rows = NULL;
    if (!cm_pg_query(
            pg,
            "SELECT r.id, d.id, r.payer, r.lane, r.catalog_id, d.source, d.manifest, d.manifest_digest, c.location, c.name,"
            " c.fingerprint, r.links_version, c.archive_digest, r.period, d.immutable_keys, r.state = 'running', r.shards, d.archive,"
            " d.manifest_archived"
            " FROM run r JOIN delivery d ON d.id = r.delivery_id JOIN chunk c ON c.delivery_id = d.id AND c.chunk = $2"
            " WHERE r.id = $1",
            2, values, &rows, err))
        return false;
    if (cm_rows_count(rows) == 0) {
        cm_rows_free(rows);
        return cm_fail(err, CM_ERROR_NOT_FOUND, "NO_CHUNK", "there is no chunk %" PRIu32 " of run %s in the database",
                       chunk, run);
    }
    const char **field[] = {&ret->run,         &ret->delivery, &ret->payer,           &ret->lane,     &ret->catalog,
                            &ret->source,      &ret->manifest, &ret->manifest_digest, &ret->location, &ret->name,
                            &ret->fingerprint, &ret->links,    &ret->archive_digest};
    for (int i = 0; i < 13; i++) {
        const char *text = cm_rows_text(rows, 0, i);
        *field[i] = cm_arena_strndup(arena, text, strlen(text));
    }
    bool valid = cm_period_parse(cm_slice_of(cm_rows_text(rows, 0, 13)), &ret->period);
    cm_assert(valid);
    ret->immutable_keys = cm_rows_bool(rows, 0, 14);
    ret->wanted = cm_rows_bool(rows, 0, 15);
    ret->shards = (int)cm_rows_i64(rows, 0, 16);
    ret->archive = cm_rows_bool(rows, 0, 17);
    ret->manifest_archived = cm_rows_bool(rows, 0, 18);
    ret->chunk = chunk;
    cm_rows_free(rows);
    return true;
}

static bool fail_in_transaction(cm_pg *pg, const char *run, const char *code, const char *file, const cm_place *place,
                                const char *text, cm_instant now, const char *actor, cm_error *err)
{
    char row[32], object[64];
    snprintf(row, sizeof row, "%" PRIu64, place ? place->row : 0);
    const char *reason[] = {run, text};
    cm_rows *rows = NULL;
    if (!cm_pg_query(
            pg,
            "UPDATE run SET state = 'failed', reason = $2 WHERE id = $1 AND state = 'running' RETURNING delivery_id", 2,
            reason, &rows, err))
        return false;
    if (cm_rows_count(rows) == 0) { /* failed already, or no longer wanted */
        cm_rows_free(rows);
        return true;
    }
    snprintf(object, sizeof object, "delivery:%s", cm_rows_text(rows, 0, 0));
    const char *values[] = {cm_rows_text(rows, 0, 0),   code, file, place && place->row ? row : NULL,
                            place ? place->column : "", text};
    bool done = cm_pg_query(pg,
                            "UPDATE delivery SET state = 'failed', error_code = $2, error_file = $3, error_row = $4,"
                            " error_column = $5, error_text = $6 WHERE id = $1 AND state = 'planned'",
                            6, values, NULL, err) &&
                cm_store_audit(pg, now, actor, "delivery.failed", object, text, NULL, err);
    cm_rows_free(rows);
    return done;
}

bool cm_store_run_failed(cm_pg *pg, const char *run, const char *code, const char *file, const cm_place *place,
                         const char *text, cm_instant now, const char *actor, cm_error *err)
{
    bool done = cm_pg_begin(pg, err) && fail_in_transaction(pg, run, code, file, place, text, now, actor, err) &&
                cm_pg_commit(pg, err);
    if (!done)
        cm_pg_rollback(pg);
    return done;
}

bool cm_store_run_alert(cm_pg *pg, const char *run, const char *code, const char *object, const char *detail,
                        cm_error *err)
{
    const char *values[] = {run, code, object, detail};
    return cm_pg_query(
        pg, "INSERT INTO alert (run_id, code, object, detail) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING", 4,
        values, NULL, err);
}

bool cm_store_unpublished(cm_pg *pg, const char *lane, cm_unpublished *into, int max, int *ret_count, cm_error *err)
{
    char limit[16];
    snprintf(limit, sizeof limit, "%d", max);
    const char *values[] = {lane, limit};
    cm_rows *rows = NULL;
    *ret_count = 0;
    if (!cm_pg_query(pg,
                     "SELECT id, delivery_id, chunks FROM run WHERE lane = $1 AND NOT published AND state = 'running'"
                     " ORDER BY seq LIMIT $2::int FOR NO KEY UPDATE SKIP LOCKED",
                     2, values, &rows, err))
        return false;
    for (int i = 0; i < cm_rows_count(rows); i++) {
        cm_unpublished *one = &into[(*ret_count)++];
        snprintf(one->run, sizeof one->run, "%s", cm_rows_text(rows, i, 0));
        snprintf(one->delivery, sizeof one->delivery, "%s", cm_rows_text(rows, i, 1));
        one->chunks = (int)cm_rows_i64(rows, i, 2);
    }
    cm_rows_free(rows);
    return true;
}

bool cm_store_published(cm_pg *pg, const char *run, int partitions, cm_error *err)
{
    char number[16];
    snprintf(number, sizeof number, "%d", partitions);
    const char *values[] = {run, number};
    return cm_pg_query(
        pg,
        "UPDATE run SET published = true, partitions = CASE WHEN partitions = 0 THEN $2::int ELSE partitions END"
        " WHERE id = $1",
        2, values, NULL, err);
}

bool cm_store_run(cm_pg *pg, const char *id, cm_run *ret, cm_error *err)
{
    const char *values[] = {id};
    cm_rows *rows = NULL;
    if (!cm_pg_query(
            pg,
            "SELECT id, delivery_id, catalog_id, payer, lane, engine_version, state, period, shards, partitions, chunks,"
            " complete, links_version, slice_id FROM run WHERE id = $1",
            1, values, &rows, err))
        return false;
    if (cm_rows_count(rows) == 0) {
        cm_rows_free(rows);
        return cm_fail(err, CM_ERROR_NOT_FOUND, "NO_RUN", "there is no run %s; see `curmill run list`", id);
    }
    *ret = (cm_run){0};
    snprintf(ret->id, sizeof ret->id, "%s", cm_rows_text(rows, 0, 0));
    snprintf(ret->delivery, sizeof ret->delivery, "%s", cm_rows_text(rows, 0, 1));
    snprintf(ret->catalog, sizeof ret->catalog, "%s", cm_rows_text(rows, 0, 2));
    snprintf(ret->payer, sizeof ret->payer, "%s", cm_rows_text(rows, 0, 3));
    snprintf(ret->lane, sizeof ret->lane, "%s", cm_rows_text(rows, 0, 4));
    snprintf(ret->engine_version, sizeof ret->engine_version, "%s", cm_rows_text(rows, 0, 5));
    snprintf(ret->state, sizeof ret->state, "%s", cm_rows_text(rows, 0, 6));
    bool valid = cm_period_parse(cm_slice_of(cm_rows_text(rows, 0, 7)), &ret->period);
    cm_assert(valid);
    ret->shards = (int)cm_rows_i64(rows, 0, 8);
    ret->partitions = (int)cm_rows_i64(rows, 0, 9);
    ret->chunks = (int)cm_rows_i64(rows, 0, 10);
    ret->complete = cm_rows_bool(rows, 0, 11);
    snprintf(ret->links, sizeof ret->links, "%s", cm_rows_text(rows, 0, 12));
    snprintf(ret->slice, sizeof ret->slice, "%s", cm_rows_text(rows, 0, 13));
    cm_rows_free(rows);
    return true;
}

bool cm_store_scan_request(cm_pg *pg, const char *lane, const char *payer, const char *period, cm_instant now,
                           int64_t *ret_id, cm_error *err)
{
    char at[CM_INSTANT_TEXT];
    const char *values[] = {lane, payer ? payer : "", period ? period : "", cm_instant_print(now, at)};
    cm_rows *rows = NULL;
    if (!cm_pg_query(
            pg,
            "WITH request AS (INSERT INTO scan_request (lane, payer, period, requested_at) VALUES ($1, $2, $3, $4)"
            " RETURNING id) SELECT id, pg_notify('curmill_scan', $1) FROM request",
            4, values, &rows, err))
        return false;
    *ret_id = cm_rows_i64(rows, 0, 0);
    cm_rows_free(rows);
    return true;
}
