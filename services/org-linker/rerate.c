#include "linker.h"

#include "base/log/log.h"
#include "platform/postgres/array.h"
#include "store/catalog/link_store.h"
#include "store/runs/run_store.h"

enum { RUNS_AT_ONCE = 200, ACCOUNTS_NAMED = 5 };

/* Runs that count, rated with another set than their payer's present one, and not known yet to have the same figures
 * with it. */
static const char other_sets[] =
    "SELECT r.id, r.payer, r.period, r.links_version, p.links_id, coalesce(b.catalog_id, c.catalog_id), coalesce(b.state, 'open') IN "
    "('settled', 'closed')"
    " FROM payer_links p JOIN newest_run n ON n.payer = p.payer JOIN run r ON r.id = n.run_id"
    " JOIN current_run u ON u.payer = n.payer AND u.period = n.period JOIN run c ON c.id = u.run_id"
    " LEFT JOIN billing_period b ON b.payer = n.payer AND b.period = n.period"
    " WHERE p.lane = $1 AND r.links_version <> p.links_id AND r.links_judged IS DISTINCT FROM p.links_id"
    "   AND NOT EXISTS (SELECT FROM run x WHERE x.payer = r.payer AND x.period = r.period AND x.links_version = "
    "p.links_id AND x.seq > r.seq"
    "     AND x.state IN ('running', 'failed', 'stopped'))"
    " ORDER BY r.payer, r.period LIMIT $2::int";

typedef struct month {
    const char *run, *payer, *period, *links_then, *links_now, *settled_catalog;
    bool settled;
} month;

/* Accounts whose links differ and that have charges in the run; *ret_count 0: the figures stay. Their names are
 * appended to `ret`. */
static bool affected(const cm_linker *linker, const month *m, cm_arena *arena, cm_buffer *ret, int64_t *ret_count,
                     cm_error *err)
{
    cm_given_link *then = NULL, *now = NULL;
    size_t then_count = 0, now_count = 0;
    const char *const *accounts;
    cm_period period;
    *ret_count = 0;
    bool valid = cm_period_parse(cm_slice_of(m->period), &period);
    cm_assert(valid);
    if (!cm_store_link_sets(linker->pg, m->links_then, arena, &then, &then_count, err) ||
        !cm_store_link_sets(linker->pg, m->links_now, arena, &now, &now_count, err))
        return false;
    size_t count = cm_link_sets_differ(then, then_count, now, now_count, cm_period_start(period), arena, &accounts);
    if (!count)
        return true;
    cm_buffer list = {0};
    for (size_t i = 0; i < count; i++)
        cm_array_text(&list, accounts[i]);
    const char *values[] = {m->run, m->period, cm_array_end(&list)};
    cm_rows *rows = NULL;
    bool done = cm_pg_query(linker->pg,
                            "SELECT DISTINCT account FROM charge WHERE run_id = $1 AND period = $2 AND account = ANY "
                            "($3::text[]) ORDER BY account",
                            3, values, &rows, err);
    if (done)
        *ret_count = cm_rows_count(rows);
    for (int i = 0; i < *ret_count && i < ACCOUNTS_NAMED; i++)
        cm_buffer_printf(ret, "%s%s", i ? ", " : "", cm_rows_text(rows, i, 0));
    if (*ret_count > ACCOUNTS_NAMED)
        cm_buffer_printf(ret, " and %d more", (int)*ret_count - ACCOUNTS_NAMED);
    cm_rows_free(rows);
    cm_buffer_free(&list);
    return done;
}

static bool judge(const cm_linker *linker, const month *m, cm_error *err)
{
    const char *values[] = {m->run, m->links_now};
    return cm_pg_query(linker->pg, "UPDATE run SET links_judged = $2 WHERE id = $1", 2, values, NULL, err);
}

static bool start(cm_linker *linker, const month *m, const char *accounts, cm_error *err)
{
    char catalog_id[CM_ID_HEX], run[CM_ID_HEX];
    cm_instant now = linker->clock->now(linker->clock);
    cm_period period;
    bool new_run, valid = cm_period_parse(cm_slice_of(m->period), &period);
    cm_assert(valid);
    snprintf(catalog_id, sizeof catalog_id, "%s", m->settled_catalog);
    if (!m->settled && !cm_store_catalog_in_force(linker->pg, now, catalog_id, err))
        return false;
    const cm_catalog *catalog = cm_catalog_cache_get(linker->catalogs, linker->pg, catalog_id, err);
    if (!catalog)
        return false;
    if (!cm_catalog_payer(catalog, m->payer)) /* its runs could not be rated */
        return true;
    cm_buffer reason = {0};
    cm_run_settings settings = {.shards = linker->shards};
    cm_buffer_printf(&reason, "links changed of account%s %s", strchr(accounts, ',') ? "s" : "", accounts);
    bool done = cm_store_run_start(linker->pg, catalog, m->payer, period, &settings, now, CM_LINKER_NAME, reason.data,
                                   run, &new_run, err);
    if (done) {
        linker->counts.runs_started++;
        cm_log(CM_INFO, "rated again", "run", run, "payer", m->payer, "period", m->period, "reason", reason.data, NULL);
    }
    cm_buffer_free(&reason);
    if (done || (err->class != CM_ERROR_NOT_FOUND && err->class != CM_ERROR_REFUSED))
        return done;
    /* One month's trouble (no good delivery any more) does not hold up the others; it is tried again at the next look.
     */
    cm_log_error(CM_WARN, "a month could not be rated again", err, "payer", m->payer, "period", m->period, NULL);
    cm_error_clear(err);
    return true;
}

bool cm_linker_rerate(cm_linker *linker, cm_error *err)
{
    char most[16];
    snprintf(most, sizeof most, "%d", RUNS_AT_ONCE);
    const char *values[] = {linker->lane, most};
    cm_rows *rows = NULL;
    if (!cm_pg_query(linker->pg, other_sets, 2, values, &rows, err))
        return false;
    cm_arena *arena = cm_arena_new(64 * 1024);
    bool done = true;
    for (int i = 0; done && i < cm_rows_count(rows); i++) {
        const month m = {cm_rows_text(rows, i, 0), cm_rows_text(rows, i, 1), cm_rows_text(rows, i, 2),
                         cm_rows_text(rows, i, 3), cm_rows_text(rows, i, 4), cm_rows_text(rows, i, 5),
                         cm_rows_bool(rows, i, 6)};
        int64_t count;
        cm_buffer accounts = {0};
        cm_arena_reset(arena);
        done = affected(linker, &m, arena, &accounts, &count, err) &&
               (count ? start(linker, &m, cm_buffer_string(&accounts), err) : judge(linker, &m, err));
        cm_buffer_free(&accounts);
    }
    cm_arena_free(arena);
    cm_rows_free(rows);
    return done;
}
