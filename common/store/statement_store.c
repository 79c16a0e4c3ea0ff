/*
 * Draft statements: stale or not, made anew, stored. A customer's charges are read through a cursor in the order of
 * customers, so memory is bounded by the largest customer and not by the lane.
 */
#include "store/statement_store.h"

#include "base/arena.h"
#include "base/log.h"
#include "rating/rating.h"
#include "statement/statement.h"
#include "store/catalog_store.h"
#include "store/run_store.h"

#include <stdlib.h>

enum { ROWS_AT_ONCE = 2000, ARENA_BYTES = 256 * 1024 };
#define ACTOR "statements"

/* The basis of a (lane, period): what the drafts are made from. Parameters: $1 catalog, $2 version of the computation.
 */
#define BASIS                                                                                                          \
    "left(encode(sha256(convert_to($1::text || ' ' || $2 || ' ' || string_agg(run_id, ' ' ORDER BY run_id), "          \
    "'UTF8')), 'hex'), 32)"

typedef struct building {
    cm_pg *pg;
    cm_instant now;
    const char *lane, *catalog_id;
    cm_period period;
    char month[CM_PERIOD_TEXT];
    char *runs; /* array literal of the current runs' ids */
    char basis[CM_ID_HEX];
    const cm_catalog *catalog;
    cm_buffer kept;    /* array literal of the documents that are there now, without its end */
    cm_buffer missing; /* customers that the catalog in force does not have */
    cm_arena *arena;   /* of the customer in hand */
    cm_statement_charge *charge;
    size_t count, capacity;
} building;

/* --- charges of a customer ----------------------------------------------------------------------------------- */

static const char *keep(building *b, const cm_rows *rows, int row, int column)
{
    const char *text = cm_rows_text(rows, row, column);
    return cm_arena_strndup(b->arena, text, strlen(text));
}

static bool add_charge(building *b, const cm_rows *rows, int row, cm_error *err)
{
    if (b->count == b->capacity) {
        b->capacity = b->capacity ? b->capacity * 2 : 256;
        b->charge = cm_realloc(b->charge, b->capacity * sizeof *b->charge);
    }
    cm_statement_charge *c = &b->charge[b->count++];
    *c = (cm_statement_charge){
        .customer = keep(b, rows, row, 0),
        .payer = keep(b, rows, row, 1),
        .account = keep(b, rows, row, 2),
        .product = keep(b, rows, row, 3),
        .usage_type = keep(b, rows, row, 4),
        .unit = keep(b, rows, row, 5),
        .currency = keep(b, rows, row, 7),
        .quantity = cm_rows_decimal(rows, row, 8),
        .payer_amount = cm_rows_decimal(rows, row, 9),
        .list_amount = cm_rows_decimal(rows, row, 10),
        .buy_amount = cm_rows_decimal(rows, row, 11),
        .sell_amount = cm_rows_decimal(rows, row, 12),
    };
    return cm_class_parse(cm_slice_of(cm_rows_text(rows, row, 6)), &c->class) ||
           cm_fail(err, CM_ERROR_BUG, "CLASS", "a charge has the unknown class \"%s\"", cm_rows_text(rows, row, 6));
}

/* --- documents ----------------------------------------------------------------------------------------------- */

static bool store_document(building *b, const cm_statement *s, cm_error *err)
{
    char subtotal[CM_DECIMAL_TEXT], total[CM_DECIMAL_TEXT];
    char *text = json_dumps(s->document, JSON_COMPACT);
    cm_decimal_print(s->subtotal, subtotal);
    cm_decimal_print(s->total, total);
    const char *values[] = {
        s->id,    s->reseller, b->lane,       b->month, s->customer, s->currency, s->source_currency,
        s->fx_id, text,        b->catalog_id, subtotal, total};
    bool done = cm_pg_query(
        b->pg,
        "INSERT INTO statement (id, state, reseller, lane, period, customer, currency, source_currency, fx_id,"
        " document, catalog_id, subtotal, total)"
        " VALUES ($1, 'draft', $2, $3, $4, $5, $6, $7, $8, $9, $10, $11::numeric, $12::numeric)"
        " ON CONFLICT (id) DO UPDATE SET reseller = excluded.reseller, customer = excluded.customer,"
        " currency = excluded.currency, source_currency = excluded.source_currency, fx_id = excluded.fx_id,"
        " document = excluded.document, catalog_id = excluded.catalog_id, subtotal = excluded.subtotal,"
        " total = excluded.total WHERE statement.state = 'draft'"
        " AND (statement.document, statement.catalog_id, statement.fx_id) IS DISTINCT FROM"
        "   (excluded.document, excluded.catalog_id, excluded.fx_id)",
        12, values, NULL, err);
    free(text);
    cm_buffer_printf(&b->kept, "%s%s", b->kept.length ? "," : "{", s->id);
    return done;
}

/* The customer in hand is complete: its documents. */
static bool flush_customer(building *b, cm_error *err)
{
    cm_statements statements;
    if (b->count == 0)
        return true;
    cm_buffer missing = {0};
    if (!cm_statements_build(b->catalog, b->lane, b->period, b->charge, b->count, &statements, &missing, err))
        return false; /* nothing was added to `missing` */
    if (missing.length)
        cm_buffer_printf(&b->missing, "%s%s", b->missing.length ? ", " : "", missing.data);
    cm_buffer_free(&missing);
    bool done = true;
    for (size_t i = 0; done && i < statements.count; i++)
        done = store_document(b, &statements.list[i], err);
    cm_statements_free(&statements);
    b->count = 0;
    cm_arena_reset(b->arena);
    return done;
}

static bool take_rows(building *b, const cm_rows *rows, cm_error *err)
{
    for (int row = 0; row < cm_rows_count(rows); row++) {
        if (b->count && strcmp(b->charge[0].customer, cm_rows_text(rows, row, 0)) != 0 && !flush_customer(b, err))
            return false;
        if (!add_charge(b, rows, row, err))
            return false;
    }
    return true;
}

static bool build_all(building *b, cm_error *err)
{
    const char *values[] = {b->month, b->runs};
    char fetch[64];
    snprintf(fetch, sizeof fetch, "FETCH %d FROM statement_charges", ROWS_AT_ONCE);
    if (!cm_pg_query(
            b->pg,
            "DECLARE statement_charges NO SCROLL CURSOR FOR"
            " SELECT c.customer, r.payer, c.account, c.product, c.usage_type, c.unit, c.class, c.currency, "
            "sum(c.quantity),"
            " sum(c.payer_amount), sum(c.list_amount), sum(c.buy_amount), sum(c.sell_amount)"
            " FROM charge c JOIN run r ON r.id = c.run_id"
            " WHERE c.period = $1 AND c.run_id = ANY ($2::text[]) AND c.class <> 'suspended' AND c.customer <> ''"
            " GROUP BY c.customer, r.payer, c.account, c.product, c.usage_type, c.unit, c.class, c.currency ORDER BY "
            "c.customer",
            2, values, NULL, err))
        return false;
    for (int taken = ROWS_AT_ONCE; taken == ROWS_AT_ONCE;) {
        cm_rows *rows = NULL;
        if (!cm_pg_query(b->pg, fetch, 0, NULL, &rows, err))
            return false;
        taken = cm_rows_count(rows);
        bool done = take_rows(b, rows, err);
        cm_rows_free(rows);
        if (!done)
            return false;
    }
    return flush_customer(b, err) && cm_pg_execute(b->pg, "CLOSE statement_charges", err);
}

/* --- a build ------------------------------------------------------------------------------------------------- */

static bool remove_drafts_but_kept(building *b, cm_error *err)
{
    cm_buffer_text(&b->kept, b->kept.length ? "}" : "{}");
    const char *values[] = {b->lane, b->month, b->kept.data};
    return cm_pg_query(
        b->pg,
        "DELETE FROM statement WHERE lane = $1 AND period = $2 AND state = 'draft' AND NOT id = ANY ($3::text[])", 3,
        values, NULL, err);
}

static bool tell_missing(building *b, cm_error *err)
{
    if (b->missing.length == 0)
        return true;
    char object[128];
    cm_buffer reason = {0};
    snprintf(object, sizeof object, "lane:%s/%s", b->lane, b->month);
    cm_buffer_printf(&reason, "charges of customers that the catalog in force does not have make no statement: %s",
                     b->missing.data);
    cm_log(CM_WARN, "customers are missing in the catalog in force: their charges make no statement", "lane", b->lane,
           "period", b->month, "customers", b->missing.data, NULL);
    bool done = cm_store_audit(b->pg, b->now, ACTOR, "statement.customer_missing", object, reason.data, NULL, err);
    cm_buffer_free(&reason);
    return done;
}

static bool remember_build(building *b, cm_error *err)
{
    char at[CM_INSTANT_TEXT];
    const char *values[] = {b->lane, b->month, b->basis, cm_instant_print(b->now, at)};
    return cm_pg_query(
        b->pg,
        "INSERT INTO statement_build (lane, period, basis, built_at) VALUES ($1, $2, $3, $4) ON CONFLICT (lane, period)"
        " DO UPDATE SET basis = excluded.basis, built_at = excluded.built_at",
        4, values, NULL, err);
}

static bool build_locked(building *b, cm_error *err)
{
    cm_catalog *catalog = NULL;
    if (!cm_store_catalog_load(b->pg, b->catalog_id, &catalog, err))
        return false;
    b->catalog = catalog;
    b->arena = cm_arena_new(ARENA_BYTES);
    bool done = build_all(b, err) && remove_drafts_but_kept(b, err) && tell_missing(b, err) && remember_build(b, err);
    cm_arena_free(b->arena);
    cm_catalog_free(catalog);
    free(b->charge);
    return done;
}

/* No run counts any more: nothing to build from. */
static bool remove_build(building *b, cm_error *err)
{
    const char *values[] = {b->lane, b->month};
    return remove_drafts_but_kept(b, err) &&
           cm_pg_query(b->pg, "DELETE FROM statement_build WHERE lane = $1 AND period = $2", 2, values, NULL, err);
}

/* *ret_stale: what is stored was made from something else. Fills runs and basis. */
static bool look_locked(building *b, bool *ret_stale, cm_error *err)
{
    const char *values[] = {b->catalog_id, cm_engine_version(), b->lane, b->month};
    cm_rows *rows = NULL;
    if (!cm_pg_query(b->pg, "SELECT pg_advisory_xact_lock(hashtextextended('statements ' || $1 || ' ' || $2, 0))", 2,
                     values + 2, NULL, err) ||
        !cm_pg_query(b->pg,
                     "SELECT " BASIS
                     ", array_agg(run_id), (SELECT basis FROM statement_build WHERE lane = $3 AND period = $4)"
                     " FROM current_run WHERE lane = $3 AND period = $4",
                     4, values, &rows, err))
        return false;
    snprintf(b->basis, sizeof b->basis, "%s", cm_rows_text(rows, 0, 0));
    b->runs = cm_strdup(cm_rows_text(rows, 0, 1));
    *ret_stale = strcmp(b->basis, cm_rows_text(rows, 0, 2)) != 0;
    cm_rows_free(rows);
    return true;
}

bool cm_store_statements_refresh(cm_pg *pg, cm_instant now, const char *lane, cm_period period, bool force,
                                 bool *ret_built, cm_error *err)
{
    char catalog_id[CM_ID_HEX];
    building b = {.pg = pg, .now = now, .lane = lane, .catalog_id = catalog_id, .period = period};
    bool stale = false;
    *ret_built = false;
    cm_period_print(period, b.month);
    bool done =
        cm_pg_begin(pg, err) && cm_store_catalog_in_force(pg, now, catalog_id, err) && look_locked(&b, &stale, err);
    if (done && (stale || force)) {
        done = *b.basis ? build_locked(&b, err) : remove_build(&b, err);
        *ret_built = done;
    }
    done = done && cm_pg_commit(pg, err);
    if (!done) {
        cm_pg_rollback(pg);
        *ret_built = false;
    }
    free(b.runs);
    cm_buffer_free(&b.kept);
    cm_buffer_free(&b.missing);
    return done;
}

/* --- every stale one ----------------------------------------------------------------------------------------- */

/* One statement; it costs nothing worth naming when all is fresh. NULL lane, period: all. */
static bool list_stale(cm_pg *pg, const char *catalog_id, const char *lane, const char *period, cm_rows **ret,
                       cm_error *err)
{
    const char *values[] = {catalog_id, cm_engine_version(), lane, period};
    return cm_pg_query(pg,
                       "WITH today AS (SELECT lane, period, " BASIS " AS basis FROM current_run GROUP BY lane, period)"
                       " SELECT lane, period FROM today t FULL JOIN statement_build b USING (lane, period)"
                       " WHERE t.basis IS DISTINCT FROM b.basis AND ($3::text IS NULL OR lane = $3) AND ($4::text IS "
                       "NULL OR period = $4)"
                       " ORDER BY lane, period",
                       4, values, ret, err);
}

bool cm_store_statements_refresh_all(cm_pg *pg, cm_instant now, const char *lane, const cm_period *period,
                                     int *ret_built, cm_error *err)
{
    char catalog_id[CM_ID_HEX], month[CM_PERIOD_TEXT];
    cm_error none = {0};
    cm_rows *rows = NULL;
    *ret_built = 0;
    if (!cm_store_catalog_in_force(pg, now, catalog_id, &none)) {
        if (err)
            *err = none;
        return none.class == CM_ERROR_NOT_FOUND; /* no catalog: no run was ever begun */
    }
    if (!list_stale(pg, catalog_id, lane, period ? cm_period_print(*period, month) : NULL, &rows, err))
        return false;
    bool done = true;
    for (int i = 0; done && i < cm_rows_count(rows); i++) {
        cm_period each;
        bool built, valid = cm_period_parse(cm_slice_of(cm_rows_text(rows, i, 1)), &each);
        cm_assert(valid);
        done = cm_store_statements_refresh(pg, now, cm_rows_text(rows, i, 0), each, false, &built, err);
        *ret_built += done && built;
    }
    cm_rows_free(rows);
    return done;
}
