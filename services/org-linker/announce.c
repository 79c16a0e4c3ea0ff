#include "linker.h"

#include "platform/postgres/array.h"
#include "store/catalog/link_store.h"

#include "account_link.pb-c.h"

#include <stdlib.h>

enum { ROWS_AT_ONCE = 1000 };

/* --- a record ------------------------------------------------------------------------------------------------ */

static void add_part(Curmill__V1__AccountLink *message, const cm_link *link, cm_instant from, cm_instant to,
                     const cm_support_group *group, cm_arena *arena)
{
    const char *name = group ? group->id : "";
    Curmill__V1__OwnedFrom *one = message->link[message->n_link++] = cm_arena_alloc(arena, sizeof *one);
    curmill__v1__owned_from__init(one);
    one->payer = cm_arena_strndup(arena, link->payer, strlen(link->payer));
    one->customer = cm_arena_strndup(arena, link->customer->id, strlen(link->customer->id));
    one->from = from;
    one->to = to;
    one->support_plan_group = cm_arena_strndup(arena, name, strlen(name));
    one->declared_plan = cm_arena_strndup(arena, link->declared_plan, strlen(link->declared_plan));
    one->requested = link->given;
}

/* One for each time in which the link has the same group: the customer's terms may give it another from a month on. */
static void add_parts(Curmill__V1__AccountLink *message, const cm_link *link, cm_arena *arena)
{
    const cm_customer *customer = link->customer;
    cm_instant from = link->from;
    for (size_t i = 0; !link->own_group && i + 1 < customer->term_count; i++) {
        cm_instant next = customer->terms[i + 1].from;
        if (next <= from || next >= link->to ||
            customer->terms[i].support_group == customer->terms[i + 1].support_group)
            continue;
        add_part(message, link, from, next, customer->terms[i].support_group, arena);
        from = next;
    }
    const cm_support_group *last = cm_link_group(link, cm_period_of(link->to - 1));
    add_part(message, link, from, link->to, last, arena);
}

/* `links`: all of one account, sorted by payer and time. The packed AccountLink as hex, and its id; both in `arena`. */
static void encode(const char *lane, const char *account, const cm_link *links, size_t count, cm_arena *arena,
                   const char **ret_hex, const char **ret_id)
{
    Curmill__V1__AccountLink message = CURMILL__V1__ACCOUNT_LINK__INIT;
    message.schema_version = 1;
    message.lane = cm_arena_strndup(arena, lane, strlen(lane));
    message.account = cm_arena_strndup(arena, account, strlen(account));
    size_t parts = 0;
    for (size_t i = 0; i < count; i++)
        parts += links[i].customer->term_count;
    message.link = cm_arena_alloc(arena, (parts + 1) * sizeof *message.link);
    for (size_t i = 0; i < count; i++)
        add_parts(&message, &links[i], arena);
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
static bool compare(changes *c, const char *account, const cm_link *links, size_t count, const char *stored,
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

/* --- three-way merge by account: the catalog, the requests, what was announced ---------------------------------- */

/* Rows of a cursor, a page at a time; column 0 is the account. */
typedef struct deck {
    cm_pg *pg;
    char fetch[64];
    cm_rows *rows;
    int at;
    bool ended;
} deck;

static bool deck_open(deck *d, cm_pg *pg, const char *name, const char *declare, const char *lane, cm_error *err)
{
    *d = (deck){.pg = pg};
    snprintf(d->fetch, sizeof d->fetch, "FETCH %d FROM %s", ROWS_AT_ONCE, name);
    return cm_pg_query(pg, declare, 1, &lane, NULL, err);
}

/* The account of the card on top; NULL: none is left. */
static bool deck_top(deck *d, const char **ret, cm_error *err)
{
    if (!d->ended && (!d->rows || d->at == cm_rows_count(d->rows))) {
        cm_rows_free(d->rows);
        d->rows = NULL;
        d->at = 0;
        if (!cm_pg_query(d->pg, d->fetch, 0, NULL, &d->rows, err))
            return false;
        d->ended = cm_rows_count(d->rows) == 0;
    }
    *ret = d->ended ? NULL : cm_rows_text(d->rows, d->at, 0);
    return true;
}

#define INSTANT(column) "to_char(" column ", 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"

static const char requests_sql[] =
    "DECLARE account_requests NO SCROLL CURSOR FOR SELECT account, payer, customer, support_plan_group, "
    "declared_plan, " INSTANT("billed_from") ", " INSTANT(
        "billed_until") " FROM effective_link WHERE lane = $1 ORDER BY account COLLATE \"C\"";
static const char announced_sql[] =
    "DECLARE account_links NO SCROLL CURSOR FOR SELECT account, digest FROM account_link"
    " WHERE lane = $1 ORDER BY account COLLATE \"C\"";

typedef struct decks {
    const cm_link **own; /* of the catalog */
    size_t own_count, own_at;
    deck requests, announced;
    cm_arena *arena; /* of the account in hand */
    cm_given_link *given;
    size_t given_count, given_capacity;
} decks;

static const char *keep(decks *d, int column)
{
    const char *text = cm_rows_text(d->requests.rows, d->requests.at, column);
    return cm_arena_strndup(d->arena, text, strlen(text));
}

/* Takes the requests of the account. */
static bool take_requests(decks *d, const char *account, cm_error *err)
{
    const char *top;
    d->given_count = 0;
    while (deck_top(&d->requests, &top, err)) {
        if (!top || strcmp(top, account) != 0)
            return true;
        if (d->given_count == d->given_capacity) {
            d->given_capacity = d->given_capacity ? 2 * d->given_capacity : 8;
            d->given = cm_realloc(d->given, d->given_capacity * sizeof *d->given);
        }
        cm_given_link *link = &d->given[d->given_count++];
        *link = (cm_given_link){.account = keep(d, 0),
                                .payer = keep(d, 1),
                                .customer = keep(d, 2),
                                .group = keep(d, 3),
                                .declared_plan = keep(d, 4),
                                .to = INT64_MAX};
        bool valid =
            cm_instant_parse(cm_slice_of(keep(d, 5)), &link->from) &&
            (cm_rows_null(d->requests.rows, d->requests.at, 6) || cm_instant_parse(cm_slice_of(keep(d, 6)), &link->to));
        if (!valid)
            return cm_fail(err, CM_ERROR_BUG, "EFFECTIVE_LINK", "a link of account %s has no readable time", account);
        d->requests.at++;
    }
    return false;
}

/* The smallest account on top of any deck, in the arena; NULL: all are empty. */
static bool next_account(decks *d, const char **ret, cm_error *err)
{
    const char *top[3];
    *ret = NULL;
    top[0] = d->own_at < d->own_count ? d->own[d->own_at]->account : NULL;
    if (!deck_top(&d->requests, &top[1], err) || !deck_top(&d->announced, &top[2], err))
        return false;
    for (int i = 0; i < 3; i++) {
        if (top[i] && (!*ret || strcmp(top[i], *ret) < 0))
            *ret = top[i];
    }
    if (*ret)
        *ret = cm_arena_strndup(d->arena, *ret, strlen(*ret));
    return true;
}

static bool compare_account(changes *c, decks *d, const cm_catalog *catalog, const char *account, cm_error *err)
{
    const cm_link *merged;
    const char *top, *stored = NULL;
    size_t begin = d->own_at;
    while (d->own_at < d->own_count && strcmp(d->own[d->own_at]->account, account) == 0)
        d->own_at++;
    cm_link *own = cm_arena_alloc(d->arena, (d->own_at - begin + 1) * sizeof *own);
    for (size_t i = begin; i < d->own_at; i++)
        own[i - begin] = *d->own[i];
    if (!take_requests(d, account, err) || !deck_top(&d->announced, &top, err))
        return false;
    if (top && strcmp(top, account) == 0) {
        const char *id = cm_rows_text(d->announced.rows, d->announced.at++, 1);
        stored = cm_arena_strndup(d->arena, id, strlen(id));
    }
    size_t count = cm_links_merge(catalog, own, d->own_at - begin, d->given, d->given_count, d->arena, &merged);
    return compare(c, account, merged, count, stored, err);
}

static int by_account(const void *a, const void *b)
{
    const cm_link *x = *(const cm_link *const *)a, *y = *(const cm_link *const *)b;
    int order = strcmp(x->account, y->account);
    if (!order)
        order = strcmp(x->payer, y->payer);
    return order ? order : (x->from > y->from) - (x->from < y->from);
}

/* The catalog's links of the lane. */
static void own_links(decks *d, const cm_catalog *catalog, const char *lane)
{
    const cm_payer *payer = NULL;
    d->own = cm_alloc((catalog->link_count + 1) * sizeof *d->own);
    for (size_t i = 0; i < catalog->link_count; i++) {
        if (!payer || strcmp(payer->id, catalog->links[i].payer) != 0)
            payer = cm_catalog_payer(catalog, catalog->links[i].payer);
        if (payer && strcmp(payer->lane, lane) == 0)
            d->own[d->own_count++] = &catalog->links[i];
    }
    if (d->own_count)
        qsort(d->own, d->own_count, sizeof *d->own, by_account);
}

static bool compare_all(changes *c, decks *d, const cm_catalog *catalog, cm_error *err)
{
    for (;;) {
        const char *account;
        cm_arena_reset(d->arena);
        if (!next_account(d, &account, err))
            return false;
        if (!account)
            return write_changes(c, err);
        if (!compare_account(c, d, catalog, account, err))
            return false;
    }
}

/* Memory: the catalog, which is there anyway, a pointer to each of its links, and a page of each cursor. */
static bool announce(cm_linker *linker, const cm_catalog *catalog, const char *at, cm_error *err)
{
    changes c = {.linker = linker, .at = at, .arena = cm_arena_new(64 * 1024)};
    decks d = {.arena = cm_arena_new(16 * 1024)};
    own_links(&d, catalog, linker->lane);
    bool done = deck_open(&d.requests, linker->pg, "account_requests", requests_sql, linker->lane, err) &&
                deck_open(&d.announced, linker->pg, "account_links", announced_sql, linker->lane, err) &&
                compare_all(&c, &d, catalog, err) &&
                cm_pg_execute(linker->pg, "CLOSE account_requests; CLOSE account_links", err);
    cm_rows_free(d.requests.rows);
    cm_rows_free(d.announced.rows);
    free(d.own);
    free(d.given);
    cm_arena_free(d.arena);
    cm_buffer_free(&c.accounts);
    cm_buffer_free(&c.payloads);
    cm_buffer_free(&c.ids);
    cm_arena_free(c.arena);
    return done;
}

/* *ret_stale: the table follows from another catalog or other sets than today's. `values`: lane, catalog. */
static bool look(cm_linker *linker, const char *const *values, char ret_basis[static CM_ID_HEX], bool *ret_stale,
                 cm_error *err)
{
    cm_rows *rows = NULL;
    if (!cm_pg_query(linker->pg, "SELECT pg_advisory_xact_lock(hashtextextended('account links ' || $1, 0))", 1, values,
                     NULL, err) ||
        !cm_pg_query(linker->pg,
                     "SELECT left(encode(sha256(convert_to($2 || ' ' || coalesce((SELECT string_agg(links_id, ',' "
                     "ORDER BY links_id)"
                     " FROM payer_links WHERE lane = $1 AND links_id <> ''), ''), 'UTF8')), 'hex'), 32),"
                     " (SELECT basis FROM account_link_basis WHERE lane = $1)",
                     2, values, &rows, err))
        return false;
    snprintf(ret_basis, CM_ID_HEX, "%s", cm_rows_text(rows, 0, 0));
    *ret_stale = strcmp(ret_basis, cm_rows_text(rows, 0, 1)) != 0;
    cm_rows_free(rows);
    return true;
}

static bool announce_locked(cm_linker *linker, const char *catalog_id, const char *at, cm_error *err)
{
    char basis[CM_ID_HEX];
    bool stale;
    const char *values[] = {linker->lane, catalog_id}, *now[] = {linker->lane, basis};
    if (!look(linker, values, basis, &stale, err))
        return false;
    if (!stale)
        return true;
    const cm_catalog *catalog = cm_catalog_cache_get(linker->catalogs, linker->pg, catalog_id, err);
    return catalog && announce(linker, catalog, at, err) &&
           cm_pg_query(linker->pg,
                       "INSERT INTO account_link_basis (lane, basis) VALUES ($1, $2) ON CONFLICT (lane) DO UPDATE SET "
                       "basis = excluded.basis",
                       2, now, NULL, err);
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
