#include "store/runs/take_force.h"

#include "base/log/log.h"
#include "store/audit/audit.h"
#include "store/catalog/slice_store.h"
#include "store/runs/run_row.h"
#include "store/runs/stale.h"

#include <stdlib.h>

#define LOOK_AGAIN (60 * (cm_instant)1000000)

typedef struct taking {
    cm_pg *pg;
    const char *lane, *actor;
    const cm_run_settings *settings;
    cm_instant now;
    char seq[24], before[CM_ID_HEX]; /* the activation; the version that was in force before, "": not known */
    bool known;                      /* the lane has noticed it already */
    json_t *payers, *started, *older;
    cm_taken_force *ret;
} taking;

/* *ret_due false: nothing to do. */
static bool look(taking *t, bool *ret_due, cm_error *err)
{
    char at[CM_INSTANT_TEXT];
    const char *values[] = {t->lane, cm_instant_print(t->now, at)};
    cm_rows *rows = NULL;
    *ret_due = false;
    if (!cm_pg_query(
            t->pg,
            "SELECT a.seq, a.catalog_id, (extract(epoch FROM f.taken_at) * 1000000)::bigint,"
            " (SELECT (extract(epoch FROM min(in_force_from)) * 1000000)::bigint FROM catalog_activation WHERE in_force_from > $2),"
            " (SELECT b.catalog_id FROM catalog_force o JOIN catalog_activation b USING (seq) WHERE o.lane = $1 AND o.seq < a.seq"
            "  ORDER BY o.seq DESC LIMIT 1), (SELECT max(seq) FROM catalog_force WHERE lane = $1)"
            " FROM (SELECT seq, catalog_id FROM catalog_activation WHERE in_force_from <= $2 ORDER BY seq DESC LIMIT 1) a"
            " LEFT JOIN catalog_force f ON f.lane = $1 AND f.seq = a.seq",
            2, values, &rows, err))
        return false;
    t->ret->next = INT64_MAX;
    if (cm_rows_count(rows)) {
        int64_t seq = cm_rows_i64(rows, 0, 0);
        t->known = !cm_rows_null(rows, 0, 2);
        snprintf(t->seq, sizeof t->seq, "%s", cm_rows_text(rows, 0, 0));
        snprintf(t->ret->catalog, CM_ID_HEX, "%s", cm_rows_text(rows, 0, 1));
        if (!cm_rows_null(rows, 0, 3))
            t->ret->next = cm_rows_i64(rows, 0, 3);
        snprintf(t->before, sizeof t->before, "%s", cm_rows_null(rows, 0, 4) ? "" : cm_rows_text(rows, 0, 4));
        *ret_due = t->known ? t->now < cm_rows_i64(rows, 0, 2) + LOOK_AGAIN
                            : cm_rows_null(rows, 0, 5) || cm_rows_i64(rows, 0, 5) < seq;
    }
    cm_rows_free(rows);
    return true;
}

/* Deliveries with a run of another slice than the one in force, of payers whose slice the version changed. Once the
 * lane has noticed the version, only runs that began with the one before, a moment too late: what a person started with
 * another version stays. */
static bool find_changed(const taking *t, cm_rows **ret, cm_error *err)
{
    const char *values[] = {t->lane, t->ret->catalog, t->before, t->known ? "t" : "f"};
    return cm_store_run_slices_ensure(t->pg, t->lane, err) && cm_store_slices_ensure(t->pg, t->ret->catalog, err) &&
           (!*t->before || cm_store_slices_ensure(t->pg, t->before, err)) &&
           cm_pg_query(
               t->pg,
               "WITH month AS (SELECT DISTINCT d.payer, d.period FROM delivery d LEFT JOIN settled_period s ON s.payer = d.payer"
               "   AND s.period = d.period WHERE d.lane = $1 AND d.state IN ('good', 'planned') AND s.payer IS NULL),"
               " ranked AS (SELECT payer, period, row_number() OVER (PARTITION BY payer ORDER BY period DESC) AS place FROM month)"
               " SELECT DISTINCT m.payer, m.period, m.place, d.id, d.seq FROM ranked m JOIN run r ON r.payer = m.payer AND"
               "   r.period = m.period AND r.state IN ('running', 'current')"
               " JOIN delivery d ON d.id = r.delivery_id AND d.state IN ('good', 'planned')"
               " JOIN payer_slice i ON i.catalog_id = $2 AND i.payer = r.payer AND i.links_id = r.links_version"
               " LEFT JOIN payer_slice b ON b.catalog_id = $3 AND b.payer = r.payer AND b.links_id = r.links_version"
               " WHERE i.slice_id <> '' AND r.slice_id <> i.slice_id AND b.slice_id IS DISTINCT FROM i.slice_id"
               " AND (NOT $4::boolean OR r.catalog_id = $3)"
               " ORDER BY m.place, m.payer, d.seq",
               4, values, ret, err);
}

/* In a transaction of its own. One month's trouble does not hold up the others. */
static bool rate_again(taking *t, const char *payer, const char *period, const char *delivery, cm_error *err)
{
    char run[CM_ID_HEX], reason[80];
    bool new_run = false;
    cm_error why = {0};
    snprintf(reason, sizeof reason, "catalog version %s took effect", t->ret->catalog);
    bool done = cm_pg_begin(t->pg, &why) && cm_period_lock(t->pg, payer, period, &why) &&
                cm_run_start_delivery(t->pg, t->ret->catalog, delivery, t->settings, t->now, t->actor, reason, run,
                                      &new_run, &why) &&
                cm_pg_commit(t->pg, &why);
    if (done) {
        json_object_set_new(t->payers, payer, json_true());
        json_array_append_new(t->started, json_string(run));
        cm_log(CM_INFO, "rated again", "run", run, "payer", payer, "period", period, "reason", reason, NULL);
        return true;
    }
    cm_pg_rollback(t->pg);
    if (why.class != CM_ERROR_NOT_FOUND && why.class != CM_ERROR_REFUSED) {
        *err = why;
        return false;
    }
    cm_log_error(CM_WARN, "a month could not be rated again", &why, "payer", payer, "period", period, NULL);
    return true;
}

static bool remember(taking *t, cm_error *err)
{
    char at[CM_INSTANT_TEXT], object[64];
    const char *values[] = {t->lane, t->seq, cm_instant_print(t->now, at)};
    cm_rows *rows = NULL;
    if (!cm_pg_begin(t->pg, err) ||
        !cm_pg_query(t->pg,
                     "INSERT INTO catalog_force (lane, seq, taken_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING", 3,
                     values, &rows, err))
        return false;
    t->ret->noticed = cm_rows_affected(rows) == 1;
    cm_rows_free(rows);
    json_t *payers = json_array();
    const char *payer;
    json_t *ignored;
    json_object_foreach (t->payers, payer, ignored)
        json_array_append_new(payers, json_string(payer));
    json_t *detail =
        json_pack("{s:s, s:o, s:O, s:O}", "lane", t->lane, "payers", payers, "runs", t->started, "older", t->older);
    char *text = json_dumps(detail, JSON_COMPACT);
    snprintf(object, sizeof object, "catalog:%s", t->ret->catalog);
    bool done =
        (!t->ret->noticed || cm_store_audit(t->pg, t->now, t->actor, "catalog.in_force", object, "", text, err)) &&
        cm_pg_commit(t->pg, err);
    free(text);
    json_decref(detail);
    return done;
}

static bool take(taking *t, int periods, cm_error *err)
{
    cm_rows *rows = NULL;
    if (!find_changed(t, &rows, err))
        return false;
    bool done = true;
    for (int i = 0; done && i < cm_rows_count(rows); i++) {
        const char *payer = cm_rows_text(rows, i, 0), *period = cm_rows_text(rows, i, 1);
        if (cm_rows_i64(rows, i, 2) <= periods)
            done = rate_again(t, payer, period, cm_rows_text(rows, i, 3), err);
        else
            json_array_append_new(t->older, json_sprintf("%s/%s", payer, period));
    }
    cm_rows_free(rows);
    t->ret->payers = (int)json_object_size(t->payers);
    t->ret->runs = (int)json_array_size(t->started);
    if (!done || t->known)
        return done;
    done = remember(t, err);
    if (!done)
        cm_pg_rollback(t->pg);
    return done;
}

static bool lock(const taking *t, const char *function, bool *ret, cm_error *err)
{
    char sql[128];
    cm_rows *rows = NULL;
    snprintf(sql, sizeof sql, "SELECT %s(hashtextextended('catalog force ' || $1, 0))", function);
    if (!cm_pg_query(t->pg, sql, 1, (const char *[]){t->lane}, &rows, err))
        return false;
    *ret = cm_rows_bool(rows, 0, 0);
    cm_rows_free(rows);
    return true;
}

bool cm_store_take_force(cm_pg *pg, const char *lane, int periods, const cm_run_settings *settings, cm_instant now,
                         const char *actor, cm_taken_force *ret, cm_error *err)
{
    bool due, locked = false, unlocked;
    *ret = (cm_taken_force){0};
    taking t = {.pg = pg, .lane = lane, .actor = actor, .settings = settings, .now = now, .ret = ret};
    if (!look(&t, &due, err) || (due && !lock(&t, "pg_try_advisory_lock", &locked, err)))
        return false;
    if (!locked)
        return true; /* nothing to do, or another replica does it */
    t.payers = json_object();
    t.started = json_array();
    t.older = json_array();
    bool done = look(&t, &due, err) && (!due || take(&t, periods, err));
    cm_error ignored = {0}; /* the lock goes with the connection at the latest */
    done = lock(&t, "pg_advisory_unlock", &unlocked, done ? err : &ignored) && done;
    json_decref(t.payers);
    json_decref(t.started);
    json_decref(t.older);
    return done;
}
