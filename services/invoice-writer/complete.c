/*
 * A run whose chunks have all ended and whose batches are all applied: control totals are compared, its parts are
 * merged into charges, its figures are looked at, and it becomes the current run; all in one transaction that holds the
 * run's row.
 */
#include "writer.h"

#include "base/log/log.h"
#include "platform/postgres/array.h"
#include "store/runs/switch.h"

#include <inttypes.h>
#include <stdlib.h>

enum { FIGURES_IN_TEXT = 3 }; /* chunks that an alarm names; the audit has them all */

/* --- control totals ------------------------------------------------------------------------------------------ */

enum verdict { VERDICT_FAILED, VERDICT_WAIT, VERDICT_MISMATCH, VERDICT_AGREE };

typedef struct mismatch {
    cm_buffer text;  /* for people: the first few */
    json_t *figures; /* for the audit: all */
} mismatch;

static void add_figure(mismatch *m, const char *chunk, const char *what, const char *expected, const char *applied)
{
    json_array_append_new(m->figures, json_pack("{s:s, s:s, s:s, s:s}", "chunk", chunk, "what", what, "expected",
                                                expected, "applied", applied));
    if (json_array_size(m->figures) <= FIGURES_IN_TEXT)
        cm_buffer_printf(&m->text, "%schunk %s: %s expected %s, applied %s", m->text.length ? "; " : "", chunk, what,
                         expected, applied);
}

/* Lines, derived lines and checksums of each chunk. Not all there yet: wait; more than there should be does not get
 * better by waiting.
 */
static enum verdict check_line_totals(cm_pg *pg, const char *run, mismatch *m, cm_error *err)
{
    cm_rows *rows = NULL;
    if (!cm_pg_query(
            pg,
            "SELECT chunk, ended, expected_lines, applied_lines, expected_derived, applied_derived, expected_checksum,"
            " applied_checksum FROM run_chunk WHERE run_id = $1 AND (NOT ended OR expected_lines <> applied_lines"
            " OR expected_derived <> applied_derived OR expected_checksum <> applied_checksum)"
            " ORDER BY chunk",
            1, (const char *[]){run}, &rows, err))
        return VERDICT_FAILED;
    bool ended = true, missing = false, too_many = false;
    for (int i = 0; i < cm_rows_count(rows); i++) {
        bool agrees = true;
        ended = ended && cm_rows_bool(rows, i, 1);
        for (int c = 2; c <= 4; c += 2) {
            int64_t expected = cm_rows_i64(rows, i, c), applied = cm_rows_i64(rows, i, c + 1);
            missing = missing || applied < expected;
            too_many = too_many || applied > expected;
            agrees = agrees && applied == expected;
            if (applied != expected)
                add_figure(m, cm_rows_text(rows, i, 0), c == 2 ? "lines" : "derived lines", cm_rows_text(rows, i, c),
                           cm_rows_text(rows, i, c + 1));
        }
        if (agrees && cm_rows_bool(rows, i, 1))
            add_figure(m, cm_rows_text(rows, i, 0), "checksum", cm_rows_text(rows, i, 6), cm_rows_text(rows, i, 7));
    }
    bool agree = cm_rows_count(rows) == 0;
    cm_rows_free(rows);
    if (!ended || (missing && !too_many))
        return VERDICT_WAIT;
    return agree ? VERDICT_AGREE : VERDICT_MISMATCH;
}

static enum verdict check_cost_totals(cm_pg *pg, const char *run, mismatch *m, cm_error *err)
{
    cm_rows *rows = NULL;
    if (!cm_pg_query(pg,
                     "WITH e AS (SELECT chunk, key AS currency, value::numeric AS amount FROM run_chunk, "
                     "jsonb_each_text(expected_cost)"
                     "   WHERE run_id = $1),"
                     " a AS (SELECT chunk, currency, applied AS amount FROM run_chunk_cost WHERE run_id = $1)"
                     " SELECT chunk, 'cost in ' || currency, coalesce(trim_scale(e.amount), 0), "
                     "coalesce(trim_scale(a.amount), 0)"
                     " FROM e FULL JOIN a USING (chunk, currency) WHERE coalesce(e.amount, 0) <> coalesce(a.amount, 0)"
                     " ORDER BY chunk, currency",
                     1, (const char *[]){run}, &rows, err))
        return VERDICT_FAILED;
    for (int i = 0; i < cm_rows_count(rows); i++)
        add_figure(m, cm_rows_text(rows, i, 0), cm_rows_text(rows, i, 1), cm_rows_text(rows, i, 2),
                   cm_rows_text(rows, i, 3));
    bool agree = cm_rows_count(rows) == 0;
    cm_rows_free(rows);
    return agree ? VERDICT_AGREE : VERDICT_MISMATCH;
}

static enum verdict check_totals(cm_pg *pg, const char *run, mismatch *m, cm_error *err)
{
    enum verdict verdict = check_line_totals(pg, run, m, err);
    if (verdict != VERDICT_AGREE && verdict != VERDICT_MISMATCH)
        return verdict;
    enum verdict costs = check_cost_totals(pg, run, m, err);
    return costs == VERDICT_AGREE ? verdict : costs;
}

/* --- merging ------------------------------------------------------------------------------------------------- */

#define CHARGE_KEY                                                                                                     \
    "customer, account, line_item_type, class, product, usage_type, operation, region, unit, rule, currency, "         \
    "reason, link_from"
#define SUMS    "sum(quantity), sum(payer_amount), sum(list_amount), sum(buy_amount), sum(sell_amount)"
#define AMOUNTS "quantity, payer_amount, list_amount, buy_amount, sell_amount"

static bool merge_parts(cm_pg *pg, const char *run, const char *period, cm_error *err)
{
    char sql[2048];
    const char *values[] = {run, period};
    /* The example is the smallest (chunk, row): 40 bits hold any row. */
    snprintf(sql, sizeof sql,
             "INSERT INTO charge (period, run_id, " CHARGE_KEY
             ", lines, derived_lines, final_lines, example_chunk, example_row, " AMOUNTS ")"
             " SELECT $2::text, $1::text, " CHARGE_KEY ", sum(lines), sum(derived_lines), sum(final_lines),"
             " (min(example_chunk::bigint << 40 | example_row) >> 40)::int, min(example_chunk::bigint << 40 | "
             "example_row) & 1099511627775,"
             " " SUMS " FROM charge_part_%s GROUP BY " CHARGE_KEY,
             run);
    if (!cm_pg_execute(pg, "SET LOCAL work_mem = '32MB'", err) || !cm_pg_query(pg, sql, 2, values, NULL, err))
        return false;
    snprintf(sql, sizeof sql,
             "INSERT INTO charge_day (period, run_id, day, account, product, currency, lines, derived_lines, " AMOUNTS
             ")"
             " SELECT $2::text, $1::text, day, account, product, currency, sum(lines), sum(derived_lines), " SUMS
             " FROM charge_day_part_%s GROUP BY day, account, product, currency",
             run);
    return cm_pg_query(pg, sql, 2, values, NULL, err);
}

/* What was merged must be what was read, once more and for the whole run (chunk "all"). */
static enum verdict check_merged_totals(cm_pg *pg, const char *run, const char *period, mismatch *m, cm_error *err)
{
    cm_rows *rows = NULL;
    if (!cm_pg_query(pg,
                     "WITH c AS MATERIALIZED (SELECT currency, sum(lines) AS lines, sum(derived_lines) AS derived,"
                     " sum(final_lines) AS final, sum(payer_amount) AS payer"
                     "   FROM charge WHERE period = $2 AND run_id = $1 GROUP BY currency),"
                     " k AS MATERIALIZED (SELECT * FROM run_chunk WHERE run_id = $1),"
                     " e AS (SELECT key AS currency, sum(value::numeric) AS amount FROM k, "
                     "jsonb_each_text(k.expected_cost) GROUP BY key)"
                     " SELECT 'lines of charges', (SELECT coalesce(sum(expected_lines), 0) FROM k), (SELECT "
                     "coalesce(sum(lines), 0) FROM c)"
                     " UNION ALL SELECT 'lines of days', (SELECT coalesce(sum(expected_lines), 0) FROM k),"
                     "   (SELECT coalesce(sum(lines), 0) FROM charge_day WHERE period = $2 AND run_id = $1)"
                     " UNION ALL SELECT 'derived lines of charges', (SELECT coalesce(sum(expected_derived), 0) FROM k),"
                     "   (SELECT coalesce(sum(derived), 0) FROM c)"
                     " UNION ALL SELECT 'derived lines of days', (SELECT coalesce(sum(expected_derived), 0) FROM k),"
                     "   (SELECT coalesce(sum(derived_lines), 0) FROM charge_day WHERE period = $2 AND run_id = $1)"
                     " UNION ALL SELECT 'final lines', (SELECT coalesce(sum(expected_final), 0) FROM k), (SELECT "
                     "coalesce(sum(final), 0) FROM c)"
                     " UNION ALL SELECT 'cost of charges in ' || currency, coalesce(trim_scale(e.amount), 0), "
                     "coalesce(trim_scale(c.payer), 0)"
                     "   FROM e FULL JOIN c USING (currency)",
                     2, (const char *[]){run, period}, &rows, err))
        return VERDICT_FAILED;
    bool agree = true;
    for (int i = 0; i < cm_rows_count(rows); i++) {
        if (strcmp(cm_rows_text(rows, i, 1), cm_rows_text(rows, i, 2)) == 0)
            continue;
        agree = false;
        add_figure(m, "all", cm_rows_text(rows, i, 0), cm_rows_text(rows, i, 1), cm_rows_text(rows, i, 2));
    }
    cm_rows_free(rows);
    return agree ? VERDICT_AGREE : VERDICT_MISMATCH;
}

/* Everybody who reads charges reads them into decimals: a sum beyond their range is refused here, with a name. */
static bool check_range(cm_pg *pg, const char *run, const char *period, cm_error *err)
{
    cm_rows *rows = NULL;
    if (!cm_pg_query(pg,
                     "SELECT account, product FROM charge WHERE period = $2 AND run_id = $1 AND "
                     "greatest(abs(quantity), abs(payer_amount),"
                     " abs(list_amount), abs(buy_amount), abs(sell_amount)) > 170141183460469231731 LIMIT 1",
                     2, (const char *[]){run, period}, &rows, err))
        return false;
    bool fits = cm_rows_count(rows) == 0;
    if (!fits)
        cm_fail(err, CM_ERROR_POISON, "OVERFLOW", "the month's sum of account %s, product %s is too large",
                cm_rows_text(rows, 0, 0), cm_rows_text(rows, 0, 1));
    cm_rows_free(rows);
    return fits;
}

static bool mark_complete(cm_pg *pg, const char *run, const char *period, cm_instant now, cm_error *err)
{
    char at[CM_INSTANT_TEXT];
    return cm_pg_query(
        pg,
        "UPDATE run SET complete = true, completed_at = $3, lines = c.lines, derived_lines = c.derived,"
        " suspended_lines = c.suspended, final_lines = c.final FROM (SELECT coalesce(sum(lines), 0) AS lines,"
        "   coalesce(sum(derived_lines), 0) AS derived,"
        "   coalesce(sum(lines) FILTER (WHERE class = 'suspended'), 0) AS suspended,"
        "   coalesce(sum(final_lines), 0) AS final FROM charge WHERE period = $2 AND run_id = $1) c WHERE id = $1",
        3, (const char *[]){run, period, cm_instant_print(now, at)}, NULL, err);
}

static enum verdict merge(cm_writer *w, const char *run, const char *period, mismatch *m, cm_error *err)
{
    if (!merge_parts(w->pg, run, period, err) || !cm_writer_step(w, "merged", err))
        return VERDICT_FAILED;
    enum verdict verdict = check_merged_totals(w->pg, run, period, m, err);
    if (verdict != VERDICT_AGREE)
        return verdict;
    bool current;
    bool done = check_range(w->pg, run, period, err) && mark_complete(w->pg, run, period, cm_writer_now(w), err) &&
                cm_writer_alerts(w, run, err) && cm_writer_step(w, "alerts", err) &&
                cm_pg_query(w->pg, "SELECT curmill_drop_run_parts($1)", 1, (const char *[]){run}, NULL, err) &&
                cm_store_run_switch(w->pg, run, cm_writer_now(w), CM_WRITER_NAME, &current, err) &&
                cm_writer_step(w, "switched", err);
    if (done)
        w->counts.runs_switched += current;
    return done ? VERDICT_AGREE : VERDICT_FAILED;
}

/* --- one run ------------------------------------------------------------------------------------------------- */

/* Holds the run if it is running; makes its parts' tables if it never got a line. */
static bool hold_run(cm_pg *pg, const char *run, char period[static CM_PERIOD_TEXT], bool *ret_running, cm_error *err)
{
    cm_rows *rows = NULL;
    const char *values[] = {run};
    if (!cm_pg_query(pg, "SELECT period FROM run WHERE id = $1 AND state = 'running' FOR NO KEY UPDATE", 1, values,
                     &rows, err))
        return false;
    *ret_running = cm_rows_count(rows) == 1;
    if (*ret_running)
        snprintf(period, CM_PERIOD_TEXT, "%s", cm_rows_text(rows, 0, 0));
    cm_rows_free(rows);
    return !*ret_running ||
           (cm_pg_query(pg, "SELECT curmill_run_parts($1)", 1, values, NULL, err) &&
            cm_pg_query(pg, "SELECT curmill_ensure_period($1)", 1, (const char *[]){period}, NULL, err));
}

static enum verdict complete_held(cm_writer *w, const char *run, mismatch *m, cm_error *err)
{
    char period[CM_PERIOD_TEXT];
    bool running;
    if (!hold_run(w->pg, run, period, &running, err))
        return VERDICT_FAILED;
    enum verdict verdict = running ? check_totals(w->pg, run, m, err) : VERDICT_WAIT;
    if (verdict != VERDICT_AGREE)
        return verdict;
    verdict = cm_writer_step(w, "judged", err) ? merge(w, run, period, m, err) : VERDICT_FAILED;
    return verdict != VERDICT_AGREE || cm_writer_commit(w, err) ? verdict : VERDICT_FAILED;
}

static bool alarm_mismatch(cm_writer *w, const char *run, const mismatch *m, cm_error *err)
{
    cm_buffer text = {0};
    json_t *detail = json_pack("{s:O}", "figures", m->figures);
    char *detail_text = json_dumps(detail, JSON_COMPACT);
    size_t figures = json_array_size(m->figures);
    cm_buffer_printf(&text, "control totals do not agree: %s", cm_buffer_string(&m->text));
    if (figures > FIGURES_IN_TEXT)
        cm_buffer_printf(&text, "; and %zu more, see `curmill audit list --object run:%s`", figures - FIGURES_IN_TEXT,
                         run);
    bool done = cm_writer_stop_run(w, run, "CONTROL_TOTALS", cm_buffer_string(&text), detail_text,
                                   &w->counts.control_total_mismatches, err);
    cm_buffer_free(&text);
    json_decref(detail);
    free(detail_text);
    return done;
}

bool cm_complete_run(cm_writer *w, const char *run, bool *ret_completed, cm_error *err)
{
    mismatch m = {.figures = json_array()};
    *ret_completed = false;
    cm_error_clear(err);
    enum verdict verdict = cm_pg_begin(w->pg, err) ? complete_held(w, run, &m, err) : VERDICT_FAILED;
    if (verdict != VERDICT_AGREE)
        cm_pg_rollback(w->pg);
    bool done = verdict != VERDICT_FAILED;
    if (verdict == VERDICT_MISMATCH)
        done = alarm_mismatch(w, run, &m, err);
    if (verdict == VERDICT_AGREE) {
        *ret_completed = true;
        w->counts.runs_completed++;
        cm_log(CM_INFO, "run complete", "run", run, NULL);
    }
    if (verdict == VERDICT_FAILED && err->class == CM_ERROR_POISON) /* no figure of this run can be used */
        done = cm_writer_stop_run(w, run, err->code, err->text, NULL, &w->counts.control_total_mismatches, err);
    cm_buffer_free(&m.text);
    json_decref(m.figures);
    return done;
}

/* --- which runs ---------------------------------------------------------------------------------------------- */

#define READY                                                                                                          \
    " AND NOT EXISTS (SELECT FROM run_chunk c WHERE c.run_id = r.id AND NOT c.ended)"                                  \
    " AND (NOT EXISTS (SELECT FROM run_chunk c WHERE c.run_id = r.id AND (c.applied_lines < c.expected_lines"          \
    "     OR c.applied_derived < c.expected_derived))"                                                                 \
    "   OR EXISTS (SELECT FROM run_chunk c WHERE c.run_id = r.id AND (c.applied_lines > c.expected_lines"              \
    "     OR c.applied_derived > c.expected_derived)))"

/* RETRY, FATAL and BUG concern everything; what concerns one run is logged, and the others go on. */
static bool complete_each(cm_writer *w, const cm_rows *rows, cm_error *err)
{
    for (int i = 0; i < cm_rows_count(rows); i++) {
        const char *run = cm_rows_text(rows, i, 0);
        bool completed;
        if (cm_complete_run(w, run, &completed, err))
            continue;
        if (err->class == CM_ERROR_RETRY || err->class == CM_ERROR_FATAL || err->class == CM_ERROR_BUG)
            return false;
        cm_log_error(CM_ERROR, "the run could not be completed", err, "run", run, NULL);
    }
    return true;
}

bool cm_complete_touched(cm_writer *w, const cm_apply_record *records, size_t count, cm_error *err)
{
    cm_buffer runs = {0};
    for (size_t i = 0; i < count; i++) {
        bool touched = records[i].outcome == CM_APPLY_DONE || records[i].outcome == CM_APPLY_KNOWN;
        if (touched && (i == 0 || strcmp(records[i].run, records[i - 1].run) != 0))
            cm_array_text(&runs, records[i].run);
    }
    if (runs.length == 0)
        return true;
    const char *values[] = {cm_array_end(&runs)};
    cm_rows *rows = NULL;
    bool done = cm_pg_query(w->pg, "SELECT r.id FROM run r WHERE r.id = ANY ($1::text[]) AND r.state = 'running'" READY,
                            1, values, &rows, err);
    cm_buffer_free(&runs);
    done = done && complete_each(w, rows, err);
    cm_rows_free(rows);
    return done;
}

bool cm_complete_lane(cm_writer *w, cm_error *err)
{
    cm_rows *rows = NULL;
    const char *values[] = {w->lane};
    if (!cm_pg_query(w->pg, "SELECT r.id FROM run r WHERE r.lane = $1 AND r.state = 'running'" READY " ORDER BY r.seq",
                     1, values, &rows, err))
        return false;
    bool done = complete_each(w, rows, err);
    cm_rows_free(rows);
    return done;
}
