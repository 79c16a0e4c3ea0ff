/* Which accounts AWS lists under the payer: who is new, who left, who moved to another payer. */
#include "sync/internal.h"

#include "platform/postgres/array.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { GROUP = 50 }; /* stored in one transaction; none is open while waiting for AWS */

typedef struct listing {
    turn *t;
    cm_org_account account[GROUP];
    size_t count;
} listing;

/* Which of the group are already stored as AWS lists them now: most, in every turn except the first. */
static bool find_known(listing *l, bool known[static GROUP], cm_error *err)
{
    cm_buffer column[6] = {0};
    char at[CM_INSTANT_TEXT];
    for (size_t i = 0; i < l->count; i++) {
        const cm_org_account *a = &l->account[i];
        const char *texts[] = {a->id,    a->name,          a->email,
                               a->state, a->joined_method, a->joined_at ? cm_instant_print(a->joined_at, at) : ""};
        for (size_t c = 0; c < 6; c++)
            cm_array_text(&column[c], texts[c]);
    }
    const char *values[8] = {l->t->payer->id, cm_instant_print(l->t->now - CM_DAY, at)};
    for (size_t c = 0; c < 6; c++)
        values[2 + c] = cm_array_end(&column[c]);
    cm_rows *rows = NULL;
    bool done =
        cm_pg_query(l->t->pg,
                    "SELECT x.n FROM unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[])"
                    " WITH ORDINALITY x (account, name, email, state, method, joined, n) JOIN account a ON a.payer = $1"
                    " AND a.account = x.account WHERE a.left_at IS NULL AND a.last_seen > $2::timestamptz"
                    " AND (a.name, a.root_email, a.aws_state, a.joined_method) = (x.name, x.email, x.state, x.method)"
                    " AND (x.joined = '' OR a.joined_at = nullif(x.joined, '')::timestamptz)",
                    8, values, &rows, err);
    for (int i = 0; done && i < cm_rows_count(rows); i++)
        known[cm_rows_i64(rows, i, 0) - 1] = true;
    cm_rows_free(rows);
    for (size_t c = 0; c < 6; c++)
        cm_buffer_free(&column[c]);
    return done;
}

static bool store_new(listing *l, const bool known[static GROUP], cm_error *err)
{
    turn *t = l->t;
    bool done = cm_pg_begin(t->pg, err);
    for (size_t i = 0; done && i < l->count; i++) {
        const cm_org_account *a = &l->account[i];
        cm_account_seen seen = {.payer = t->payer->id,
                                .lane = t->payer->lane,
                                .account = a->id,
                                .name = a->name,
                                .root_email = a->email,
                                .aws_state = a->state,
                                .joined_method = a->joined_method,
                                .joined_at = a->joined_at,
                                .first = t->now,
                                .last = t->now};
        done = known[i] || cm_store_account_seen(t->pg, &seen, t->now, CM_ORG_SYNC_ACTOR, err);
    }
    done = done && cm_pg_commit(t->pg, err);
    if (!done)
        cm_pg_rollback(t->pg);
    return done;
}

static bool store_group(listing *l, cm_error *err)
{
    bool known[GROUP] = {false}, all = true;
    bool done = l->count == 0 || find_known(l, known, &l->t->database);
    for (size_t i = 0; i < l->count; i++)
        all &= known[i];
    done = done && (all || store_new(l, known, &l->t->database));
    l->count = 0;
    if (!cm_turn_database(l->t, done))
        return cm_fail(err, CM_ERROR_RETRY, "DATABASE", "what AWS listed could not be stored");
    return true;
}

static bool on_account(void *opaque, const cm_org_account *account, cm_error *err)
{
    listing *l = opaque;
    turn *t = l->t;
    if (strlen(account->id) != CM_AWS_ACCOUNT_ID - 1)
        return cm_fail(err, CM_ERROR_POISON, "BAD_ACCOUNT",
                       "AWS lists an account whose id does not have 12 digits (N16)");
    if (t->listed_count == t->listed_room) {
        t->listed_room = t->listed_room ? 2 * t->listed_room : 64;
        t->listed = cm_realloc(t->listed, t->listed_room * sizeof *t->listed);
    }
    memcpy(t->listed[t->listed_count++], account->id, CM_AWS_ACCOUNT_ID);
    l->account[l->count++] = *account;
    return l->count < GROUP || store_group(l, err);
}

/* Accounts that AWS listed before and no longer does. Accounts known only from reports are not considered. */
static bool find_gone(turn *t)
{
    cm_rows *rows = NULL;
    /* joined elsewhere after it joined here: that is when it left; otherwise all we know is that it is gone now */
    if (!cm_turn_database(
            t, cm_pg_query(
                   t->pg,
                   "SELECT a.account, (extract(epoch FROM (SELECT min(o.joined_at) FROM account o WHERE o.account = "
                   "a.account"
                   " AND o.payer <> a.payer AND o.left_at IS NULL AND o.joined_at > a.joined_at)) * 1000000)::bigint"
                   " FROM account a WHERE a.payer = $1 AND a.left_at IS NULL AND (a.joined_at IS NOT NULL OR "
                   "a.aws_state <> '')"
                   " ORDER BY a.account",
                   1, (const char *[]){t->payer->id}, &rows, &t->database)))
        return false;
    bool done = true;
    for (int i = 0; done && i < cm_rows_count(rows); i++) {
        const char *account = cm_rows_text(rows, i, 0);
        if (cm_turn_listed(t, account))
            continue;
        cm_instant left = cm_rows_null(rows, i, 1) ? t->now : cm_rows_i64(rows, i, 1);
        done = cm_pg_begin(t->pg, &t->database) &&
               cm_store_account_gone(t->pg, t->payer->id, account, left, t->now, CM_ORG_SYNC_ACTOR, &t->database) &&
               cm_pg_commit(t->pg, &t->database);
        if (!done)
            cm_pg_rollback(t->pg);
    }
    cm_rows_free(rows);
    return cm_turn_database(t, done);
}

static bool note_organization(turn *t)
{
    char at[CM_INSTANT_TEXT];
    return cm_turn_database(
        t, cm_pg_query(
               t->pg,
               "INSERT INTO payer_organization (payer, organization, listed_at) VALUES ($1, $2, $3) ON CONFLICT (payer)"
               " DO UPDATE SET listed_at = excluded.listed_at,"
               " organization = CASE WHEN excluded.organization = '' THEN payer_organization.organization"
               "                     ELSE excluded.organization END",
               3, (const char *[]){t->payer->id, t->payer->organization, cm_instant_print(t->now, at)}, NULL,
               &t->database));
}

bool cm_turn_accounts(turn *t)
{
    listing *l = cm_alloc(sizeof *l);
    l->t = t;
    cm_error err = {0};
    bool whole = cm_org_list_accounts(t->access, on_account, l, &err) && store_group(l, &err);
    free(l);
    if (t->database_failed)
        return false;
    if (!whole)
        return cm_turn_failed(t, &err);
    if (t->listed_count > 0)
        cm_turn_listing_done(t);
    t->ret->accounts = (int)t->listed_count;
    if (!cm_turn_listed(t, t->payer->id)) { /* AWS always lists the management account, so something is wrong */
        cm_fail(&err, CM_ERROR_RETRY, "LIST_INCOMPLETE",
                "payer %s: AWS lists %zu accounts without the payer itself; no account is treated as gone",
                t->payer->id, t->listed_count);
        return cm_turn_failed(t, &err);
    }
    t->accounts_whole = true;
    return find_gone(t) && note_organization(t);
}
