#include "linker.h"

#include "postgres/array.h"
#include "store/link_store.h"

#include "account_link.pb-c.h"

#include <stdlib.h>

enum { ROWS_AT_ONCE = 1000 };

/* --- a record ------------------------------------------------------------------------------------------------ */

/* `links`: all of one account, sorted by payer and time. The packed AccountLink as hex, and its id; both in `arena`. */
static void encode(const char *lane, const char *account, const cm_link *const *links, size_t count, cm_arena *arena,
                   const char **ret_hex, const char **ret_id)
{
    Curmill__V1__AccountLink message = CURMILL__V1__ACCOUNT_LINK__INIT;
    message.schema_version = 1;
    message.lane = cm_arena_strndup(arena, lane, strlen(lane));
    message.account = cm_arena_strndup(arena, account, strlen(account));
    message.n_link = count;
    message.link = cm_arena_alloc(arena, (count + 1) * sizeof *message.link);
    for (size_t i = 0; i < count; i++) {
        Curmill__V1__OwnedFrom *one = message.link[i] = cm_arena_alloc(arena, sizeof *one);
        const char *group = links[i]->group ? links[i]->group->id : "";
        curmill__v1__owned_from__init(one);
        one->payer = cm_arena_strndup(arena, links[i]->payer, strlen(links[i]->payer));
        one->customer = cm_arena_strndup(arena, links[i]->customer->id, strlen(links[i]->customer->id));
        one->from = links[i]->from;
        one->to = links[i]->to;
        one->support_plan_group = cm_arena_strndup(arena, group, strlen(group));
        one->declared_plan = cm_arena_strndup(arena, links[i]->declared_plan, strlen(links[i]->declared_plan));
        one->requested = links[i]->given;
    }
    size_t length = curmill__v1__account_link__get_packed_size(&message);
    uint8_t *bytes = cm_arena_alloc(arena, length + 1);
    char *hex = cm_arena_alloc(arena, 2 * length + 1), *id = cm_arena_alloc(arena, CM_ID_HEX);
    curmill__v1__account_link__pack(&message, bytes);
    cm_hex(bytes, length, hex);
    cm_digest *digest = cm_digest_new();
    cm_digest_raw(digest, bytes, length);
    cm_digest_finish_id(digest, id);
    *ret_hex = hex;
    *ret_id = id;
}

/* --- what has changed ---------------------------------------------------------------------------------------- */

typedef struct changes {
    cm_linker *linker;
    const char *at;
    cm_arena *arena; /* of the rows in hand */
    cm_buffer accounts, payloads, ids;
    int count;
} changes;

static bool write_changes(changes *c, cm_error *err)
{
    if (!c->count)
        return true;
    const char *values[] = {c->linker->lane, cm_array_end(&c->accounts), cm_array_end(&c->payloads),
                            cm_array_end(&c->ids), c->at};
    bool done = cm_pg_query(c->linker->pg,
                            "INSERT INTO account_link (lane, account, payload, digest, changed_at) SELECT $1, "
                            "x.account, decode(x.payload, 'hex'), x.id, $5"
                            " FROM unnest($2::text[], $3::text[], $4::text[]) x (account, payload, id) ON CONFLICT "
                            "(lane, account) DO UPDATE"
                            " SET payload = excluded.payload, digest = excluded.digest, changed_at = "
                            "excluded.changed_at, published = false",
                            5, values, NULL, err);
    c->linker->counts.links_changed += done ? c->count : 0;
    cm_buffer_clear(&c->accounts);
    cm_buffer_clear(&c->payloads);
    cm_buffer_clear(&c->ids);
    c->count = 0;
    cm_arena_reset(c->arena);
    return done;
}

/* `stored`: the id of what is in the table, NULL for nothing. */
static bool compare(changes *c, const char *account, const cm_link *const *links, size_t count, const char *stored,
                    cm_error *err)
{
    const char *hex, *id;
    encode(c->linker->lane, account, links, count, c->arena, &hex, &id);
    if (!stored || strcmp(stored, id) != 0) {
        cm_array_text(&c->accounts, account);
        cm_array_text(&c->payloads, hex);
        cm_array_text(&c->ids, id);
        if (++c->count == ROWS_AT_ONCE)
            return write_changes(c, err);
    }
    return true;
}

static int by_account(const void *a, const void *b)
{
    const cm_link *x = *(const cm_link *const *)a, *y = *(const cm_link *const *)b;
    int order = strcmp(x->account, y->account);
    if (!order)
        order = strcmp(x->payer, y->payer);
    return order ? order : (x->from > y->from) - (x->from < y->from);
}

/* Both sides sorted by account: what the snapshot says, and what was announced. */
static bool compare_all(changes *c, const cm_link *const *links, size_t count, const cm_rows *stored, cm_error *err)
{
    size_t at = 0;
    int row = 0, rows = cm_rows_count(stored);
    bool done = true;
    while (done && (at < count || row < rows)) {
        const char *known = row < rows ? cm_rows_text(stored, row, 0) : NULL,
                   *present = at < count ? links[at]->account : NULL;
        int order = !known ? -1 : !present ? 1 : strcmp(present, known);
        const char *account = order <= 0 ? present : known;
        size_t begin = at;
        while (order <= 0 && at < count && strcmp(links[at]->account, account) == 0)
            at++;
        done = compare(c, account, links + begin, at - begin, order >= 0 ? cm_rows_text(stored, row, 1) : NULL, err);
        row += order >= 0;
    }
    return done && write_changes(c, err);
}

static bool announce_snapshot(cm_linker *linker, const cm_catalog *snapshot, const char *at, cm_error *err)
{
    changes c = {.linker = linker, .at = at, .arena = cm_arena_new(64 * 1024)};
    const cm_link **links = cm_alloc((snapshot->link_count + 1) * sizeof *links);
    const cm_payer *payer = NULL;
    size_t count = 0;
    for (size_t i = 0; i < snapshot->link_count; i++) {
        if (!payer || strcmp(payer->id, snapshot->links[i].payer) != 0)
            payer = cm_catalog_payer(snapshot, snapshot->links[i].payer);
        if (payer && strcmp(payer->lane, linker->lane) == 0)
            links[count++] = &snapshot->links[i];
    }
    if (count)
        qsort(links, count, sizeof *links, by_account);
    cm_rows *stored = NULL;
    bool done = cm_pg_query(linker->pg,
                            "SELECT account, digest FROM account_link WHERE lane = $1 ORDER BY account COLLATE \"C\"",
                            1, (const char *[]){linker->lane}, &stored, err) &&
                compare_all(&c, links, count, stored, err);
    cm_rows_free(stored);
    free(links);
    cm_buffer_free(&c.accounts);
    cm_buffer_free(&c.payloads);
    cm_buffer_free(&c.ids);
    cm_arena_free(c.arena);
    return done;
}

/* *ret_stale: the table follows from another catalog or other sets than today's. `values`: lane, catalog. */
static bool look(cm_linker *linker, const char *const *values, char ret_basis[static CM_ID_HEX], cm_buffer *sets,
                 bool *ret_stale, cm_error *err)
{
    cm_rows *rows = NULL;
    if (!cm_pg_query(linker->pg, "SELECT pg_advisory_xact_lock(hashtextextended('account links ' || $1, 0))", 1, values,
                     NULL, err) ||
        !cm_pg_query(linker->pg,
                     "SELECT s.ids, left(encode(sha256(convert_to($2 || ' ' || s.ids, 'UTF8')), 'hex'), 32), (SELECT "
                     "basis FROM account_link_basis"
                     " WHERE lane = $1) FROM (SELECT coalesce(string_agg(links_id, ',' ORDER BY links_id), '') AS ids "
                     "FROM payer_links WHERE lane = $1"
                     "   AND links_id <> '') s",
                     2, values, &rows, err))
        return false;
    cm_buffer_text(sets, cm_rows_text(rows, 0, 0));
    snprintf(ret_basis, CM_ID_HEX, "%s", cm_rows_text(rows, 0, 1));
    *ret_stale = strcmp(ret_basis, cm_rows_text(rows, 0, 2)) != 0;
    cm_rows_free(rows);
    return true;
}

static bool announce_locked(cm_linker *linker, const char *catalog_id, const char *at, cm_error *err)
{
    char basis[CM_ID_HEX];
    bool stale;
    cm_buffer sets = {0};
    cm_catalog *snapshot = NULL;
    const char *values[] = {linker->lane, catalog_id}, *now[] = {linker->lane, basis};
    bool done = look(linker, values, basis, &sets, &stale, err);
    if (done && stale)
        done = cm_store_snapshot_load(linker->pg, catalog_id, cm_buffer_string(&sets), &snapshot, err) &&
               announce_snapshot(linker, snapshot, at, err) &&
               cm_pg_query(linker->pg,
                           "INSERT INTO account_link_basis (lane, basis) VALUES ($1, $2) ON CONFLICT (lane) DO UPDATE "
                           "SET basis = excluded.basis",
                           2, now, NULL, err);
    cm_catalog_free(snapshot);
    cm_buffer_free(&sets);
    return done;
}

bool cm_linker_announce(cm_linker *linker, cm_error *err)
{
    char catalog_id[CM_ID_HEX], at[CM_INSTANT_TEXT];
    cm_error none = {0};
    cm_instant now = linker->clock->now(linker->clock);
    if (!cm_store_catalog_in_force(linker->pg, now, catalog_id, &none)) {
        if (err)
            *err = none;
        return none.class == CM_ERROR_NOT_FOUND; /* nothing is known of anybody yet */
    }
    bool done = cm_pg_begin(linker->pg, err) && announce_locked(linker, catalog_id, cm_instant_print(now, at), err) &&
                cm_pg_commit(linker->pg, err);
    if (!done)
        cm_pg_rollback(linker->pg);
    return done;
}

/* --- outbox -------------------------------------------------------------------------------------------------- */

bool cm_linker_outbox_take(cm_linker *linker, int most, cm_rows **ret, cm_error *err)
{
    char limit[16];
    snprintf(limit, sizeof limit, "%d", most);
    const char *values[] = {linker->lane, limit};
    /* A row stays locked until its record is acknowledged: of one account no newer record can go out before it. */
    return cm_pg_query(linker->pg,
                       "SELECT account, encode(payload, 'hex') FROM account_link WHERE lane = $1 AND NOT published "
                       "ORDER BY account LIMIT $2::int"
                       " FOR UPDATE SKIP LOCKED",
                       2, values, ret, err);
}

bool cm_linker_outbox_published(cm_linker *linker, const cm_rows *rows, cm_error *err)
{
    cm_buffer accounts = {0};
    for (int i = 0; i < cm_rows_count(rows); i++)
        cm_array_text(&accounts, cm_rows_text(rows, i, 0));
    const char *values[] = {linker->lane, cm_array_end(&accounts)};
    bool done = cm_pg_query(linker->pg,
                            "UPDATE account_link SET published = true WHERE lane = $1 AND account = ANY ($2::text[])",
                            2, values, NULL, err);
    cm_buffer_free(&accounts);
    return done;
}
