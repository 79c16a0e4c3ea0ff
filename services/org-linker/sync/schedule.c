/* Which payer is due: table aws_turn. */
#include "sync/internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { FIRST_WAIT = 60, LONGEST_WAIT = 3600, LEASE = 600 /* seconds: far more than a slice and its last call */ };

/* Every payer of the lane with `access` gets a row; those that no longer have it lose theirs. */
static bool follow_catalog(cm_org_sync *sync, cm_pg *pg, const cm_catalog *catalog, const char *lane, const char *now,
                           cm_error *err)
{
    if (strcmp(sync->catalog, catalog->id) == 0 && strcmp(sync->lane, lane) == 0)
        return true;
    cm_buffer ids = {0};
    cm_buffer_char(&ids, '{');
    for (size_t i = 0; i < catalog->payer_count; i++)
        if (strcmp(catalog->payers[i].lane, lane) == 0 && *catalog->payers[i].role_arn)
            cm_buffer_printf(&ids, "%s%s", ids.length > 1 ? "," : "", catalog->payers[i].id);
    cm_buffer_char(&ids, '}');
    const char *values[] = {lane, ids.data, now};
    bool done =
        cm_pg_query(pg, "DELETE FROM aws_turn WHERE lane = $1 AND payer <> ALL ($2::text[])", 2, values, NULL, err) &&
        cm_pg_query(pg,
                    "INSERT INTO aws_turn (payer, lane, next_at) SELECT x, $1, $3 FROM unnest($2::text[]) x"
                    " ON CONFLICT (payer) DO UPDATE SET lane = excluded.lane WHERE aws_turn.lane <> excluded.lane",
                    3, values, NULL, err);
    cm_buffer_free(&ids);
    if (done) {
        memcpy(sync->catalog, catalog->id, sizeof sync->catalog);
        snprintf(sync->lane, sizeof sync->lane, "%s", lane);
    }
    return done;
}

static const cm_payer *payer_of(const cm_catalog *catalog, const char *id)
{
    for (size_t i = 0; i < catalog->payer_count; i++)
        if (strcmp(catalog->payers[i].id, id) == 0)
            return &catalog->payers[i];
    return NULL;
}

bool cm_schedule_take(cm_org_sync *sync, cm_pg *pg, const cm_catalog *catalog, const char *lane, cm_instant now,
                      const cm_payer **ret, cm_error *err)
{
    char at[CM_INSTANT_TEXT], until[CM_INSTANT_TEXT];
    cm_instant_print(now, at);
    cm_instant_print(now + LEASE * CM_SECOND, until);
    *ret = NULL;
    if (!follow_catalog(sync, pg, catalog, lane, at, err))
        return false;
    cm_rows *rows = NULL;
    /* A request that was approved since the last turn need not wait for an hour; a failing payer does wait. */
    if (!cm_pg_query(
            pg,
            "UPDATE aws_turn SET leased_until = $3, began_at = $2 WHERE payer = (SELECT t.payer FROM aws_turn t"
            " WHERE t.lane = $1 AND (t.leased_until IS NULL OR t.leased_until <= $2) AND (t.next_at <= $2"
            "   OR (t.failures = 0 AND EXISTS (SELECT FROM link_request r WHERE r.payer = t.payer AND r.changed_at > "
            "t.began_at"
            "     AND ((r.state = 'approved' AND r.kind = 'link') OR (r.role_verdict = 'unchecked' AND r.role_arn <> "
            "'')))))"
            " ORDER BY t.next_at, t.payer LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING payer",
            3, (const char *[]){lane, at, until}, &rows, err))
        return false;
    if (cm_rows_count(rows) > 0)
        *ret = payer_of(catalog, cm_rows_text(rows, 0, 0));
    cm_rows_free(rows);
    return true;
}

static int64_t pause_after(turn *t, int failures)
{
    if (failures == 0)
        return t->sync->settings.every_seconds;
    int64_t wait = FIRST_WAIT;
    for (int i = 1; i < failures && wait < LONGEST_WAIT; i++)
        wait *= 2;
    if (wait > LONGEST_WAIT)
        wait = LONGEST_WAIT;
    uint64_t z = t->sync->random += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    return wait / 2 +
           (int64_t)((z ^ (z >> 31)) % (uint64_t)(wait / 2 + 1)); /* spreads payers that failed at the same time */
}

bool cm_schedule_give_back(turn *t, cm_error *err)
{
    bool good = t->first.class == CM_ERROR_NONE;
    cm_rows *rows = NULL;
    if (!cm_pg_query(t->pg, "SELECT failures FROM aws_turn WHERE payer = $1", 1, (const char *[]){t->payer->id}, &rows,
                     err))
        return false;
    int failures = good || cm_rows_count(rows) == 0 ? 0 : (int)cm_rows_i64(rows, 0, 0) + 1;
    cm_rows_free(rows);
    char at[CM_INSTANT_TEXT], next[CM_INSTANT_TEXT], failed[16], calls[16], accounts[16], invited[16];
    cm_instant_print(t->now + pause_after(t, failures) * CM_SECOND, next);
    snprintf(failed, sizeof failed, "%d", failures);
    snprintf(calls, sizeof calls, "%d", t->ret->calls);
    snprintf(accounts, sizeof accounts, "%zu", t->listed_count);
    snprintf(invited, sizeof invited, "%d", t->ret->invited);
    const char *values[] = {t->payer->id,
                            cm_instant_print(t->now, at),
                            next,
                            failed,
                            t->first.code,
                            good ? t->refused.text : t->first.text,
                            t->missing_action,
                            calls,
                            accounts,
                            invited,
                            good ? "t" : "f"};
    return cm_pg_query(
        t->pg,
        "UPDATE aws_turn SET leased_until = NULL, finished_at = $2, next_at = $3, failures = $4, code = $5,"
        " detail = $6, missing_action = $7, calls = $8, accounts = $9, invited = $10,"
        " good_at = CASE WHEN $11::boolean THEN $2::timestamptz ELSE good_at END WHERE payer = $1",
        11, values, NULL, err);
}
