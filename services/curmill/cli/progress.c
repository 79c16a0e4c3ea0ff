/* Waiting for runs: until nothing that matches is running, then the drafts are brought up to date. */
#include "cli/cli.h"

#include "store/documents/statement_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PAUSE_US = 150000, NO_WORKER_MS = 45000 };

int64_t cli_deadline(const cli *c)
{
    const char *timeout = cli_value(c, "timeout");
    return cm_monotonic_milliseconds() + (timeout ? strtoll(timeout, NULL, 10) : 3600) * 1000;
}

typedef struct progress {
    int64_t running, done_lines, expected_chunks, ended_chunks;
} progress;

static bool look(cm_pg *pg, const cli_wait *wait, progress *ret, cm_error *err)
{
    const char *values[] = {wait->lane, wait->payer, wait->period, wait->run, wait->deliveries};
    cm_rows *rows = NULL;
    if (!cm_pg_query(
            pg,
            "SELECT count(DISTINCT r.id), coalesce(sum(k.applied_lines), 0), count(k.chunk), count(*) FILTER (WHERE k.ended)"
            " FROM run r LEFT JOIN run_chunk k ON k.run_id = r.id WHERE r.state = 'running'"
            " AND ($1::text IS NULL OR r.lane = $1) AND ($2::text IS NULL OR r.payer = $2)"
            " AND ($3::text IS NULL OR r.period = $3) AND ($4::text IS NULL OR r.id = $4)"
            " AND ($5::text[] IS NULL OR r.delivery_id = ANY ($5::text[]))",
            5, values, &rows, err))
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

static int give_up(cli *c, const char *what)
{
    cm_error err = {0};
    cm_fail(&err, CM_ERROR_RETRY, "TIMEOUT", "%s: see `curmill lag`, `curmill run list` and `curmill doctor`", what);
    return cli_fail(c, &err);
}

static bool refresh(cli *c, const cli_wait *wait, cm_error *err)
{
    cm_period period;
    int built;
    bool known = wait->period && cm_period_parse(cm_slice_of(wait->period), &period);
    return cm_store_statements_refresh_all(c->pg_, cli_now(c), wait->lane, known ? &period : NULL, &built, err);
}

int cli_wait_for_runs(cli *c, const cli_wait *wait)
{
    cm_error err = {0};
    progress p = {0}, before = {0};
    int64_t moved_ms = cm_monotonic_milliseconds();
    for (;;) {
        if (!look(c->pg_, wait, &p, &err))
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
        if (now - moved_ms > 10 * NO_WORKER_MS)
            return give_up(c, "no progress for some minutes");
        usleep(PAUSE_US);
    }
    if (!c->quiet && isatty(STDERR_FILENO))
        fputc('\n', stderr);
    return refresh(c, wait, &err) ? 0 : cli_fail(c, &err);
}
