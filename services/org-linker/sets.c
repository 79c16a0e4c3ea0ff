#include "linker.h"

#include "base/log/log.h"
#include "store/catalog/link_store.h"

#include <stdlib.h>

enum { ARENA_BYTES = 64 * 1024 };

#define INSTANT(column) "to_char(" column ", 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"

static const char links_sql[] = "SELECT payer, account, customer, support_plan_group, declared_plan, " INSTANT(
    "billed_from") ", " INSTANT("billed_until") " FROM effective_link WHERE lane = $1 AND payer = $2";

/* Payers of the lane with a request that is new or was changed: a request is never removed, and its version counts its
 * changes. */
static const char changed_sql[] =
    "SELECT n.payer, n.seen FROM (SELECT payer, count(*) || ' ' || sum(version) AS seen FROM link_request WHERE lane = "
    "$1 GROUP BY payer) n"
    " LEFT JOIN link_look l ON l.lane = $1 AND l.payer = n.payer WHERE n.seen IS DISTINCT FROM l.seen ORDER BY n.payer";

/* The payer in hand. */
typedef struct gathering {
    cm_linker *linker;
    cm_arena *arena;
    const char *payer;
    cm_given_link *links;
    size_t count, capacity;
} gathering;

static const char *keep(gathering *g, const cm_rows *rows, int row, int column)
{
    const char *text = cm_rows_text(rows, row, column);
    return cm_arena_strndup(g->arena, text, strlen(text));
}

static bool add_row(gathering *g, const cm_rows *rows, int row, cm_error *err)
{
    if (g->count == g->capacity) {
        g->capacity = g->capacity ? 2 * g->capacity : 256;
        g->links = cm_realloc(g->links, g->capacity * sizeof *g->links);
    }
    cm_given_link *link = &g->links[g->count++];
    *link = (cm_given_link){.payer = keep(g, rows, row, 0),
                            .account = keep(g, rows, row, 1),
                            .customer = keep(g, rows, row, 2),
                            .group = keep(g, rows, row, 3),
                            .declared_plan = keep(g, rows, row, 4),
                            .to = INT64_MAX};
    bool valid = cm_instant_parse(cm_slice_of(cm_rows_text(rows, row, 5)), &link->from) &&
                 (cm_rows_null(rows, row, 6) || cm_instant_parse(cm_slice_of(cm_rows_text(rows, row, 6)), &link->to));
    return valid || cm_fail(err, CM_ERROR_BUG, "EFFECTIVE_LINK",
                            "the link of account %s under payer %s has no readable time", link->account, link->payer);
}

static bool store_set(gathering *g, cm_error *err)
{
    bool changed;
    char id[CM_ID_HEX];
    cm_linker *linker = g->linker;
    if (!cm_store_links_set(linker->pg, g->payer, linker->lane, g->links, g->count, linker->clock->now(linker->clock),
                            &changed, id, err))
        return false;
    if (changed) {
        linker->counts.sets_changed++;
        cm_log(CM_INFO, "links of a payer changed", "payer", g->payer, "links", id, "count",
               cm_log_i64((long long)g->count), NULL);
    }
    return true;
}

/* `seen`: as of changed_sql. A change that comes in between is in the set already, and looked at once more. */
static bool look_at(gathering *g, const char *seen, cm_error *err)
{
    const char *values[] = {g->linker->lane, g->payer, seen};
    cm_rows *rows = NULL;
    g->count = 0;
    cm_arena_reset(g->arena);
    bool done = cm_pg_query(g->linker->pg, links_sql, 2, values, &rows, err);
    for (int i = 0; done && i < cm_rows_count(rows); i++)
        done = add_row(g, rows, i, err);
    cm_rows_free(rows);
    return done && store_set(g, err) &&
           cm_pg_query(g->linker->pg,
                       "INSERT INTO link_look (lane, payer, seen) VALUES ($1, $2, $3) ON CONFLICT (lane, payer) DO "
                       "UPDATE SET seen = excluded.seen",
                       3, values, NULL, err);
}

static bool gather(gathering *g, cm_error *err)
{
    const char *lock = "SELECT pg_advisory_xact_lock(hashtextextended('link sets ' || $1, 0))", *lane = g->linker->lane;
    cm_rows *rows = NULL;
    if (!cm_pg_query(g->linker->pg, lock, 1, &lane, NULL, err) ||
        !cm_pg_query(g->linker->pg, changed_sql, 1, &lane, &rows, err))
        return false;
    bool done = true;
    for (int i = 0; done && i < cm_rows_count(rows); i++) {
        g->payer = cm_rows_text(rows, i, 0);
        done = look_at(g, cm_rows_text(rows, i, 1), err);
    }
    cm_rows_free(rows);
    return done;
}

bool cm_linker_sets(cm_linker *linker, cm_error *err)
{
    gathering g = {.linker = linker, .arena = cm_arena_new(ARENA_BYTES)};
    bool done = cm_pg_begin(linker->pg, err) && gather(&g, err) && cm_pg_commit(linker->pg, err);
    if (!done)
        cm_pg_rollback(linker->pg);
    cm_arena_free(g.arena);
    free(g.links);
    return done;
}
