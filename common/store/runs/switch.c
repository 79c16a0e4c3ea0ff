/* Switching the current run; stopping, superseding and restarting runs. */
#include "store/runs/switch.h"

#include "store/audit/audit.h"
#include "store/runs/period_store.h"
#include "store/runs/run_row.h"

#include <stdlib.h>

typedef struct run_facts {
    char id[CM_ID_HEX], delivery[CM_ID_HEX], payer[32], period[CM_PERIOD_TEXT], lane[64], state[16];
    int64_t delivery_seq, run_seq, lines;
    bool complete, accepted;
} run_facts;

static const char select_facts[] =
    "SELECT r.id, r.delivery_id, r.payer, r.period, r.lane, r.state, d.seq, r.seq, r.complete, r.lines, d.accepted"
    " FROM run r JOIN delivery d ON d.id = r.delivery_id";

static void read_facts(const cm_rows *rows, run_facts *ret)
{
    snprintf(ret->id, sizeof ret->id, "%s", cm_rows_text(rows, 0, 0));
    snprintf(ret->delivery, sizeof ret->delivery, "%s", cm_rows_text(rows, 0, 1));
    snprintf(ret->payer, sizeof ret->payer, "%s", cm_rows_text(rows, 0, 2));
    snprintf(ret->period, sizeof ret->period, "%s", cm_rows_text(rows, 0, 3));
    snprintf(ret->lane, sizeof ret->lane, "%s", cm_rows_text(rows, 0, 4));
    snprintf(ret->state, sizeof ret->state, "%s", cm_rows_text(rows, 0, 5));
    ret->delivery_seq = cm_rows_i64(rows, 0, 6);
    ret->run_seq = cm_rows_i64(rows, 0, 7);
    ret->complete = cm_rows_bool(rows, 0, 8);
    ret->lines = cm_rows_i64(rows, 0, 9);
    ret->accepted = cm_rows_bool(rows, 0, 10);
}

/* ret_found false: no row. `tail` selects the row and may lock it. */
static bool load(cm_pg *pg, const char *tail, int count, const char *const *values, run_facts *ret, bool *ret_found,
                 cm_error *err)
{
    char sql[512];
    cm_rows *rows = NULL;
    *ret = (run_facts){0};
    snprintf(sql, sizeof sql, "%s %s", select_facts, tail);
    if (!cm_pg_query(pg, sql, count, values, &rows, err))
        return false;
    *ret_found = cm_rows_count(rows) > 0;
    if (*ret_found)
        read_facts(rows, ret);
    cm_rows_free(rows);
    return true;
}

static bool load_locked(cm_pg *pg, const char *run, run_facts *ret, cm_error *err)
{
    bool found;
    if (!load(pg, "WHERE r.id = $1 FOR NO KEY UPDATE OF r", 1, (const char *[]){run}, ret, &found, err))
        return false;
    return found || cm_fail(err, CM_ERROR_NOT_FOUND, "NO_RUN", "there is no run %s; see `curmill run list`", run);
}

/* The current run; the lock is the one that registration of deliveries takes too. */
static bool load_current(cm_pg *pg, const run_facts *run, run_facts *ret, bool *ret_found, cm_error *err)
{
    const char *values[] = {run->payer, run->period};
    return cm_period_lock(pg, run->payer, run->period, err) &&
           load(pg, "JOIN current_run c ON c.run_id = r.id WHERE c.payer = $1 AND c.period = $2", 2, values, ret,
                ret_found, err);
}

static bool audit_period(cm_pg *pg, const run_facts *run, const run_facts *before, cm_instant now, const char *actor,
                         const char *action, const char *reason, cm_error *err)
{
    char object[64];
    snprintf(object, sizeof object, "payer:%s/%s", run->payer, run->period);
    json_t *detail =
        json_pack("{s:s, s:s, s:s}", "run", run->id, "delivery", run->delivery, "current_before", before->id);
    char *text = json_dumps(detail, JSON_COMPACT);
    bool done = cm_store_audit(pg, now, actor, action, object, reason, text, err);
    free(text);
    json_decref(detail);
    return done;
}

/* The identities of a run that is no longer current are not needed: its records are skipped because of its state. */
static bool forget_applied(cm_pg *pg, const char *run, cm_error *err)
{
    return cm_pg_query(pg, "DELETE FROM applied_batch WHERE run_id = $1", 1, (const char *[]){run}, NULL, err);
}

static bool supersede_run(cm_pg *pg, const run_facts *run, const char *by, cm_error *err)
{
    char reason[80];
    snprintf(reason, sizeof reason, "run %s counts", by);
    const char *values[] = {run->id, reason};
    return cm_pg_query(pg, "UPDATE run SET state = 'superseded', reason = $2 WHERE id = $1", 2, values, NULL, err) &&
           forget_applied(pg, run->id, err);
}

/* Their writers finish their group first (SKIP LOCKED); the rest is caught by the next pass or on completion. The
 * delivery `keep` is not changed. */
static bool supersede_running(cm_pg *pg, const run_facts *run, const char *keep, cm_error *err)
{
    char seq[24], reason[80];
    snprintf(seq, sizeof seq, "%lld", (long long)run->delivery_seq);
    snprintf(reason, sizeof reason, "run %s of a newer delivery is current", run->id);
    const char *values[] = {run->payer, run->period, seq, reason}, *deliveries[] = {run->payer, run->period, seq, keep};
    return cm_pg_query(
               pg,
               "WITH stale AS (SELECT r.id FROM run r JOIN delivery d ON d.id = r.delivery_id WHERE r.payer = $1"
               "   AND r.period = $2 AND r.state IN ('running', 'held') AND d.seq < $3::bigint FOR UPDATE OF r SKIP LOCKED)"
               " UPDATE run SET state = 'superseded', reason = $4 FROM stale WHERE run.id = stale.id",
               4, values, NULL, err) &&
           cm_pg_query(pg,
                       "UPDATE delivery SET state = 'superseded' WHERE payer = $1 AND period = $2 AND seq < $3::bigint"
                       " AND state IN ('planned', 'good', 'held') AND id <> $4",
                       4, deliveries, NULL, err);
}

static bool delivery_is_good(cm_pg *pg, const char *delivery, cm_error *err)
{
    return cm_pg_query(
        pg,
        "UPDATE delivery SET state = 'good', error_code = '', error_file = '', error_row = NULL, error_column = '',"
        " error_text = '' WHERE id = $1 AND state <> 'good'",
        1, (const char *[]){delivery}, NULL, err);
}

/* Issued documents are compared with the newest figures (corrections.c). `always`: even if none is issued yet. */
static bool corrections_are_due(cm_pg *pg, const run_facts *run, bool always, cm_error *err)
{
    const char *values[] = {run->lane, run->period, always ? "t" : "f"};
    return cm_pg_query(
        pg,
        "INSERT INTO correction_due (lane, period) SELECT $1, $2 WHERE $3::boolean OR EXISTS (SELECT FROM statement"
        " WHERE lane = $1 AND period = $2 AND kind = 'statement' AND state = 'issued') ON CONFLICT DO NOTHING",
        3, values, NULL, err);
}

static bool become_current(cm_pg *pg, const run_facts *run, const run_facts *before, cm_instant now, const char *actor,
                           const char *why, cm_error *err)
{
    char at[CM_INSTANT_TEXT];
    const char *values[] = {run->payer, run->period, run->lane, run->id, cm_instant_print(now, at)};
    if (*before->id && strcmp(before->id, run->id) != 0) {
        if (!supersede_run(pg, before, run->id, err))
            return false;
        if (strcmp(before->delivery, run->delivery) != 0 &&
            !cm_pg_query(pg, "UPDATE delivery SET state = 'superseded' WHERE id = $1", 1,
                         (const char *[]){before->delivery}, NULL, err))
            return false;
    }
    return cm_pg_query(pg,
                       "INSERT INTO current_run (payer, period, lane, run_id, switched_at) VALUES ($1, $2, $3, $4, $5)"
                       " ON CONFLICT (payer, period) DO UPDATE SET lane = excluded.lane, run_id = excluded.run_id,"
                       " switched_at = excluded.switched_at",
                       5, values, NULL, err) &&
           cm_pg_query(pg, "UPDATE run SET state = 'current', reason = '' WHERE id = $1", 1, (const char *[]){run->id},
                       NULL, err) &&
           supersede_running(pg, run, "", err) && delivery_is_good(pg, run->delivery, err) &&
           cm_store_period_delivered(pg, run->id, now, actor, err) && corrections_are_due(pg, run, false, err) &&
           audit_period(pg, run, before, now, actor, "run.switched", why, err);
}

/* The correction run of a settled period, if there is one. */
static bool load_correction(cm_pg *pg, const run_facts *run, run_facts *ret, bool *ret_found, cm_error *err)
{
    const char *values[] = {run->payer, run->period};
    return load(pg, "JOIN correction_run c ON c.run_id = r.id WHERE c.payer = $1 AND c.period = $2", 2, values, ret,
                ret_found, err);
}

/* The period is settled: the run `present` stays current, this one shows the differences (statements.md sections 1 and
 * 4). */
static bool become_correction(cm_pg *pg, const run_facts *run, const run_facts *present, const run_facts *before,
                              cm_instant now, const char *actor, const char *why, cm_error *err)
{
    char at[CM_INSTANT_TEXT];
    const char *values[] = {run->payer, run->period, run->lane, run->id, cm_instant_print(now, at)};
    if (*before->id && strcmp(before->id, run->id) != 0) {
        const char *deliveries[] = {before->delivery, run->delivery, present->delivery};
        if (!supersede_run(pg, before, run->id, err) ||
            !cm_pg_query(pg, "UPDATE delivery SET state = 'superseded' WHERE id = $1 AND id NOT IN ($2, $3)", 3,
                         deliveries, NULL, err))
            return false;
    }
    return cm_pg_query(
               pg,
               "INSERT INTO correction_run (payer, period, lane, run_id, switched_at) VALUES ($1, $2, $3, $4, $5)"
               " ON CONFLICT (payer, period) DO UPDATE SET lane = excluded.lane, run_id = excluded.run_id,"
               " switched_at = excluded.switched_at",
               5, values, NULL, err) &&
           cm_pg_query(pg,
                       "UPDATE run SET state = 'correction', reason = 'the period was settled before' WHERE id = $1", 1,
                       (const char *[]){run->id}, NULL, err) &&
           supersede_running(pg, run, present->delivery, err) && delivery_is_good(pg, run->delivery, err) &&
           corrections_are_due(pg, run, true, err) &&
           audit_period(pg, run, present, now, actor, "run.correction", why, err);
}

/* The rating of the settled period is requested again: there is no longer a correction. */
static bool drop_correction(cm_pg *pg, const run_facts *present, cm_instant now, const char *actor, cm_error *err)
{
    run_facts correction;
    bool found;
    const char *values[] = {present->payer, present->period};
    if (!load_correction(pg, present, &correction, &found, err))
        return false;
    if (!found)
        return true;
    return supersede_run(pg, &correction, present->id, err) &&
           cm_pg_query(pg, "DELETE FROM correction_run WHERE payer = $1 AND period = $2", 2, values, NULL, err) &&
           corrections_are_due(pg, present, true, err) &&
           audit_period(pg, present, &correction, now, actor, "run.correction_dropped",
                        "the settled rating was requested again", err);
}

bool cm_store_run_take_correction(cm_pg *pg, const char *payer, const char *month, cm_instant now, const char *actor,
                                  cm_error *err)
{
    run_facts of = {0}, present, correction;
    bool found, corrected;
    const char *values[] = {payer, month};
    snprintf(of.payer, sizeof of.payer, "%s", payer);
    snprintf(of.period, sizeof of.period, "%s", month);
    if (!load_current(pg, &of, &present, &found, err) || !load_correction(pg, &of, &correction, &corrected, err))
        return false;
    return !corrected ||
           (cm_pg_query(pg, "DELETE FROM correction_run WHERE payer = $1 AND period = $2", 2, values, NULL, err) &&
            become_current(pg, &correction, &present, now, actor, "the period was reopened", err));
}

/* ret: the period was settled, so the current run does not change. */
static bool is_settled(cm_pg *pg, const run_facts *run, bool found_current, bool *ret, cm_error *err)
{
    enum cm_period_state state;
    if (!cm_store_period_state(pg, run->payer, run->period, &state, err))
        return false;
    *ret = found_current && state >= CM_PERIOD_SETTLED;
    return true;
}

/* Complete, but a newer run is already current. */
static bool stay_behind(cm_pg *pg, const run_facts *run, const run_facts *before, cm_instant now, const char *actor,
                        cm_error *err)
{
    bool other = strcmp(run->delivery, before->delivery) != 0;
    const char *values[] = {run->delivery};
    return supersede_run(pg, run, before->id, err) &&
           (!other ||
            cm_pg_query(pg, "UPDATE delivery SET state = 'superseded' WHERE id = $1 AND state IN ('planned', 'good')",
                        1, values, NULL, err)) &&
           audit_period(pg, run, before, now, actor, "run.superseded", "it was complete only after a newer run", err);
}

/* DELIVERY_SHRANK (statements.md section 6): more likely half a report than half a month. A person decides. */
static bool shrank(const run_facts *run, const run_facts *before)
{
    return *before->id && !run->accepted && strcmp(run->delivery, before->delivery) != 0 &&
           run->lines < before->lines - run->lines;
}

/* Complete, but it waits for `delivery accept`: what counts stays as it is. */
static bool hold(cm_pg *pg, const run_facts *run, const run_facts *before, cm_instant now, const char *actor,
                 cm_error *err)
{
    char text[512];
    snprintf(text, sizeof text,
             "it has %lld lines, fewer than half of the %lld lines of the delivery that counts, so nothing was "
             "replaced. If it is right: `curmill delivery accept %s --by WHO --reason TEXT`; if not: `curmill delivery "
             "dismiss %s --by WHO --reason TEXT`",
             (long long)run->lines, (long long)before->lines, run->delivery, run->delivery);
    return cm_pg_query(pg, "UPDATE run SET state = 'held', reason = 'DELIVERY_SHRANK' WHERE id = $1", 1,
                       (const char *[]){run->id}, NULL, err) &&
           cm_pg_query(
               pg,
               "UPDATE delivery SET state = 'held', error_code = 'DELIVERY_SHRANK', error_file = '', error_row = NULL,"
               " error_column = '', error_text = $2 WHERE id = $1",
               2, (const char *[]){run->delivery, text}, NULL, err) &&
           audit_period(pg, run, before, now, actor, "run.held", text, err);
}

bool cm_store_run_switch(cm_pg *pg, const char *run, cm_instant now, const char *actor, bool *ret_current,
                         cm_error *err)
{
    run_facts new, present, correction = {0};
    bool found, settled, corrected = false;
    *ret_current = false;
    if (!load_locked(pg, run, &new, err) || !load_current(pg, &new, &present, &found, err) ||
        !is_settled(pg, &new, found, &settled, err) ||
        (settled && !load_correction(pg, &new, &correction, &corrected, err)))
        return false;
    cm_assert(new.complete);
    const run_facts *newest = corrected ? &correction : &present;
    bool newer = !found || new.delivery_seq > newest->delivery_seq ||
                 (new.delivery_seq == newest->delivery_seq &&new.run_seq > newest->run_seq);
    if (!newer)
        return stay_behind(pg, &new, newest, now, actor, err);
    if (shrank(&new, newest))
        return hold(pg, &new, newest, now, actor, err);
    if (settled)
        return become_correction(pg, &new, &present, &correction, now, actor, "", err);
    *ret_current = true;
    return become_current(pg, &new, &present, now, actor, "", err);
}

bool cm_store_run_reactivate(cm_pg *pg, const char *run, cm_instant now, const char *actor, cm_error *err)
{
    run_facts again, present, correction = {0};
    bool found, settled, corrected;
    if (!load_locked(pg, run, &again, err) || !load_current(pg, &again, &present, &found, err) ||
        !is_settled(pg, &again, found, &settled, err) ||
        (settled && !load_correction(pg, &again, &correction, &corrected, err)))
        return false;
    if (!again.complete)
        return cm_fail(err, CM_ERROR_REFUSED, "RUN_INCOMPLETE",
                       "run %s is not complete; only a complete run can become current", run);
    if (strcmp(present.id, again.id) == 0)
        return !settled || drop_correction(pg, &present, now, actor, err);
    if (settled)
        return become_correction(pg, &again, &present, &correction, now, actor, "the same rating was requested again",
                                 err);
    return become_current(pg, &again, &present, now, actor, "the same rating was requested again", err);
}

bool cm_store_run_restart(cm_pg *pg, const char *run, cm_instant now, const char *actor, const char *reason,
                          cm_error *err)
{
    run_facts facts;
    char object[64], at[CM_INSTANT_TEXT];
    const char *values[] = {run, cm_instant_print(now, at)};
    if (!load_locked(pg, run, &facts, err))
        return false;
    if (facts.complete || strcmp(facts.state, "running") == 0)
        return cm_fail(err, CM_ERROR_REFUSED, "RUN_STATE",
                       "run %s is %s; only a run that failed or was stopped can be started again", run, facts.state);
    snprintf(object, sizeof object, "run:%s", run);
    return cm_pg_query(pg, "SELECT curmill_drop_run_parts($1)", 1, values, NULL, err) && forget_applied(pg, run, err) &&
           cm_pg_query(pg, "DELETE FROM run_chunk_cost WHERE run_id = $1", 1, values, NULL, err) &&
           cm_pg_query(
               pg,
               "UPDATE run_chunk SET ended = false, batches = 0, expected_lines = 0, expected_checksum = 0, "
               "expected_final = 0,"
               " rounded = 0, applied_lines = 0, applied_checksum = 0, expected_derived = 0, applied_derived = 0,"
               " expected_cost = '{}', discounts = '{}' WHERE run_id = $1",
               1, values, NULL, err) &&
           cm_pg_query(
               pg, "UPDATE run SET state = 'running', published = false, reason = '', started_at = $2 WHERE id = $1", 2,
               values, NULL, err) &&
           cm_store_audit(pg, now, actor, "run.restarted", object, reason, NULL, err) &&
           cm_pg_execute(pg, "NOTIFY curmill_scan", err);
}

bool cm_store_run_stop(cm_pg *pg, const char *run, const char *code, const char *text, const char *detail,
                       cm_instant now, const char *actor, bool *ret_stopped, cm_error *err)
{
    char object[64], reason[CM_ERROR_TEXT_MAX + 64];
    cm_rows *rows = NULL;
    snprintf(object, sizeof object, "run:%s", run);
    snprintf(reason, sizeof reason, "%s: %s", code, text);
    const char *values[] = {run, reason};
    *ret_stopped = false;
    if (!cm_pg_query(pg, "UPDATE run SET state = 'stopped', reason = $2 WHERE id = $1 AND state = 'running'", 2, values,
                     &rows, err))
        return false;
    *ret_stopped = cm_rows_affected(rows) == 1;
    cm_rows_free(rows);
    return !*ret_stopped || cm_store_audit(pg, now, actor, "run.stopped", object, reason, detail, err);
}

bool cm_store_runs_supersede_stale(cm_pg *pg, const char *lane, int *ret_count, cm_error *err)
{
    cm_rows *rows = NULL;
    const char *values[] = {lane};
    *ret_count = 0;
    if (!cm_pg_query(
            pg,
            "WITH stale AS (SELECT r.id, c.run_id AS current FROM run r JOIN delivery d ON d.id = r.delivery_id"
            "   JOIN current_run c ON c.payer = r.payer AND c.period = r.period"
            "   JOIN run cr ON cr.id = c.run_id JOIN delivery cd ON cd.id = cr.delivery_id"
            "   WHERE r.lane = $1 AND r.state = 'running' AND d.seq < cd.seq FOR UPDATE OF r SKIP LOCKED)"
            " UPDATE run SET state = 'superseded', reason = 'run ' || stale.current || ' of a newer delivery counts'"
            " FROM stale WHERE run.id = stale.id",
            1, values, &rows, err))
        return false;
    *ret_count = cm_rows_affected(rows);
    cm_rows_free(rows);
    return true;
}
