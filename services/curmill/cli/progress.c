/* Waiting for runs: until nothing that matches is running, then the drafts are brought up to date. */
#include "cli/cli.h"

#include "store/documents/statement_store.h"
#include "store/runs/worker_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PAUSE_US = 150000, NO_PROGRESS_MS = 450000 };

int64_t cli_deadline(const cli *c)
{
    const char *timeout = cli_value(c, "timeout");
    return cm_monotonic_milliseconds() + (timeout ? strtoll(timeout, NULL, 10) : 3600) * 1000;
}

typedef struct progress {
    int64_t running, done_lines, expected_chunks, ended_chunks;
} progress;

/* Lanes in which nobody works, and since when each has been so without a break. */
typedef struct idle {
    cm_idle_lane lane[CM_LANES_MAX];
    int64_t since_ms[CM_LANES_MAX];
    int count;
    cm_buffer given_up; /* ",ingram,tds,": those that are no longer waited for */
    int64_t looked_ms;
} idle;

static bool look(cm_pg *pg, const cli_wait *wait, const char *but_for, progress *ret, cm_error *err)
{
    const char *values[] = {wait->lane, wait->payer, wait->period, wait->runs, wait->deliveries, but_for};
    cm_rows *rows = NULL;
    if (!cm_pg_query(
            pg,
            "SELECT count(DISTINCT r.id), coalesce(sum(k.applied_lines), 0), count(k.chunk), count(*) FILTER (WHERE k.ended)"
            " FROM run r LEFT JOIN run_chunk k ON k.run_id = r.id WHERE r.state = 'running'"
            " AND ($1::text IS NULL OR r.lane = $1) AND ($2::text IS NULL OR r.payer = $2)"
            " AND ($3::text IS NULL OR r.period = $3) AND ($4::text[] IS NULL OR r.id = ANY ($4::text[]))"
            " AND ($5::text[] IS NULL OR r.delivery_id = ANY ($5::text[]))"
            " AND r.lane <> ALL (string_to_array(trim(both ',' from $6), ','))",
            6, values, &rows, err))
        return false;
    *ret =
        (progress){cm_rows_i64(rows, 0, 0), cm_rows_i64(rows, 0, 1), cm_rows_i64(rows, 0, 2), cm_rows_i64(rows, 0, 3)};
    cm_rows_free(rows);
    return true;
}

static void show_progress(const cli *c, const progress *p)
{
    if (!c->quiet && isatty(STDERR_FILENO))
        fprintf(stderr, "\r%lld running, %lld of %lld files, %lld lines   ", (long long)p->running,
                (long long)p->ended_chunks, (long long)p->expected_chunks, (long long)p->done_lines);
}

static void end_progress(const cli *c)
{
    if (!c->quiet && isatty(STDERR_FILENO))
        fputc('\n', stderr);
}

static int give_up(cli *c, const char *what)
{
    cm_error err = {0};
    cm_fail(&err, CM_ERROR_RETRY, "TIMEOUT", "%s: see `curmill lag`, `curmill run list` and `curmill doctor`", what);
    return cli_fail(c, &err);
}

int cli_nobody_works(cli *c, const char *lane, const char *workers, const char *what)
{
    cm_error err = {0};
    if (cli_knows_lane(c, lane))
        cm_fail(&err, CM_ERROR_RETRY, "NO_WORKER",
                "no %s is alive in lane %s, so %s; start it, then the work is done (`curmill doctor`)", workers, lane,
                what);
    else
        cm_fail(&err, CM_ERROR_RETRY, "NO_WORKER",
                "no %s is alive in lane %s, which is none of the setting lanes (%s), so %s; correct `lane` in the "
                "catalog and apply it, or add the lane to the setting and start its workers (`curmill doctor`)",
                workers, lane, cm_config_text(c->config, "lanes"), what);
    return cli_fail(c, &err);
}

/* Since when a lane has been idle; now if it was not at the last look. */
static int64_t idle_since(const idle *before, const char *lane, int64_t now)
{
    for (int i = 0; i < before->count; i++)
        if (strcmp(before->lane[i].lane, lane) == 0)
            return before->since_ms[i];
    return now;
}

static bool is_given_up(const idle *known, const char *lane)
{
    char with_commas[sizeof known->lane[0].lane + 2];
    snprintf(with_commas, sizeof with_commas, ",%s,", lane);
    return strstr(cm_buffer_string(&known->given_up), with_commas) != NULL;
}

/* Says once of each lane in which nobody works that it is not waited for; *ret_exit is then that of the error. */
static bool look_for_workers(cli *c, const cli_wait *wait, idle *known, int *ret_exit, cm_error *err)
{
    int64_t now = cm_monotonic_milliseconds();
    if (known->looked_ms && now - known->looked_ms < 1000)
        return true;
    idle before = *known;
    known->looked_ms = now;
    cm_run_filter of = {wait->lane, wait->payer, wait->period, wait->runs, wait->deliveries};
    if (!cm_store_idle_lanes(c->pg_, &of, known->lane, &known->count, err))
        return false;
    for (int i = 0; i < known->count; i++) {
        const cm_idle_lane *lane = &known->lane[i];
        known->since_ms[i] = idle_since(&before, lane->lane, now);
        bool patient = cli_knows_lane(c, lane->lane) && now - known->since_ms[i] < CLI_NOBODY_MS;
        if (patient || is_given_up(known, lane->lane))
            continue;
        cm_buffer_printf(&known->given_up, "%s%s,", known->given_up.length ? "" : ",", lane->lane);
        *ret_exit = cli_nobody_works(c, lane->lane, lane->workers, "its runs are not waited for");
    }
    return true;
}

static bool refresh(cli *c, const cli_wait *wait, cm_error *err)
{
    cm_period period;
    int built;
    bool known = wait->period && cm_period_parse(cm_slice_of(wait->period), &period);
    return cm_store_statements_refresh_all(c->pg_, cli_now(c), wait->lane, known ? &period : NULL, &built, err);
}

static int wait_for(cli *c, const cli_wait *wait, idle *known)
{
    cm_error err = {0};
    progress p = {0}, before = {0};
    int exit_code = 0;
    int64_t moved_ms = cm_monotonic_milliseconds();
    for (;;) {
        if (!look_for_workers(c, wait, known, &exit_code, &err) ||
            !look(c->pg_, wait, cm_buffer_string(&known->given_up), &p, &err))
            return cli_fail(c, &err);
        if (p.running == 0)
            break;
        show_progress(c, &p);
        int64_t now = cm_monotonic_milliseconds();
        if (memcmp(&p, &before, sizeof p) != 0)
            moved_ms = now;
        before = p;
        if (now > wait->deadline_ms)
            return give_up(c, "the runs did not become complete in time");
        if (now - moved_ms > NO_PROGRESS_MS)
            return give_up(c, "no progress for some minutes");
        usleep(PAUSE_US);
    }
    end_progress(c);
    return refresh(c, wait, &err) ? exit_code : cli_fail(c, &err);
}

int cli_wait_for_runs(cli *c, const cli_wait *wait)
{
    idle known = {0};
    int exit_code = wait_for(c, wait, &known);
    cm_buffer_free(&known.given_up);
    return exit_code;
}

int cli_wait_for_run(cli *c, const char *run)
{
    char only[CM_ID_HEX + 2];
    snprintf(only, sizeof only, "{%s}", run);
    return cli_wait_for_runs(c, &(cli_wait){.runs = only, .deadline_ms = cli_deadline(c)});
}
