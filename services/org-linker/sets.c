#include "linker.h"

#include "base/log.h"
#include "store/link_store.h"

#include <stdlib.h>

enum { ROWS_AT_ONCE = 2000, ARENA_BYTES = 64 * 1024 };

#define INSTANT(column) "to_char(" column ", 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"

static const char links_sql[] = "DECLARE effective_links NO SCROLL CURSOR FOR SELECT payer, account, customer, "
                                "support_plan_group, declared_plan, " INSTANT("billed_from") ", " INSTANT(
                                    "billed_until") " FROM effective_link WHERE lane = $1 ORDER BY payer COLLATE \"C\"";

/* The payer in hand. */
typedef struct gathering {
    cm_linker *linker;
    cm_arena *arena;
    char payer[32];
    cm_given_link *links;
    size_t count, capacity;
    bool changed;
} gathering;

static bool finish_payer(gathering *g, cm_error *err)
{
    bool changed;
    char id[CM_ID_HEX];
    if (!*g->payer)
        return true;
    const cm_clock *clock = g->linker->clock;
    if (!cm_store_links_set(g->linker->pg, g->payer, g->linker->lane, g->links, g->count, clock->now(clock), &changed,
                            id, err))
        return false;
    if (changed) {
        g->linker->counts.sets_changed++;
        g->changed = true;
        cm_log(CM_INFO, "links of a payer changed", "payer", g->payer, "links", id, "count",
               cm_log_i64((long long)g->count), NULL);
    }
    g->count = 0;
    g->payer[0] = '\0';
    cm_arena_reset(g->arena);
    return true;
}

static const char *keep(gathering *g, const cm_rows *rows, int row, int column)
{
    const char *text = cm_rows_text(rows, row, column);
    return cm_arena_strndup(g->arena, text, strlen(text));
}

static bool add_row(gathering *g, const cm_rows *rows, int row, cm_error *err)
{
    if (strcmp(g->payer, cm_rows_text(rows, row, 0)) != 0 && !finish_payer(g, err))
        return false;
    snprintf(g->payer, sizeof g->payer, "%s", cm_rows_text(rows, row, 0));
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

/* Payers whose last link has gone. */
static bool clear_others(gathering *g, cm_error *err)
{
    cm_rows *rows = NULL;
    if (!cm_pg_query(g->linker->pg,
                     "SELECT payer FROM payer_links p WHERE lane = $1 AND links_id <> '' AND NOT EXISTS (SELECT FROM "
                     "effective_link e"
                     " WHERE e.payer = p.payer AND e.lane = p.lane) ORDER BY payer",
                     1, (const char *[]){g->linker->lane}, &rows, err))
        return false;
    bool done = true;
    for (int i = 0; done && i < cm_rows_count(rows); i++) {
        snprintf(g->payer, sizeof g->payer, "%s", cm_rows_text(rows, i, 0));
        done = finish_payer(g, err);
    }
    cm_rows_free(rows);
    return done;
}

static bool gather(gathering *g, cm_error *err)
{
    char fetch[64];
    const char *lock = "SELECT pg_advisory_xact_lock(hashtextextended('link sets ' || $1, 0))", *lane = g->linker->lane;
    if (!cm_pg_query(g->linker->pg, lock, 1, &lane, NULL, err) ||
        !cm_pg_query(g->linker->pg, links_sql, 1, &lane, NULL, err))
        return false;
    snprintf(fetch, sizeof fetch, "FETCH %d FROM effective_links", ROWS_AT_ONCE);
    bool done = true;
    for (int taken = ROWS_AT_ONCE; done && taken == ROWS_AT_ONCE;) {
        cm_rows *rows = NULL;
        if (!cm_pg_query(g->linker->pg, fetch, 0, NULL, &rows, err))
            return false;
        taken = cm_rows_count(rows);
        for (int i = 0; done && i < taken; i++)
            done = add_row(g, rows, i, err);
        cm_rows_free(rows);
    }
    return done && finish_payer(g, err) && cm_pg_execute(g->linker->pg, "CLOSE effective_links", err) &&
           clear_others(g, err);
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
