#include "store/reports/diff_store.h"

#include "base/base/hash_index.h"
#include "base/base/order.h"
#include "platform/postgres/array.h"
#include "store/building/document_build.h"
#include "store/catalog/catalog_store.h"
#include "store/catalog/link_store.h"

#include <stdlib.h>
#include <xxhash.h>

enum side { BEFORE, AFTER, SIDES };

/* A run that is compared. */
typedef struct compared {
    char id[CM_ID_HEX], payer[16], lane[64], catalog[CM_ID_HEX];
    char month[CM_PERIOD_TEXT];
    int64_t seq;
} compared;

typedef struct used_credit {
    const char *lane; /* borrowed from the runs */
    char *credit;
    cm_decimal amount;
} used_credit;

typedef struct diffing {
    cm_pg *pg;
    const cm_diff_pair *pairs;
    size_t count;
    compared *run[SIDES];          /* [count], in the order of the pairs */
    const compared *latest[SIDES]; /* whose catalog the side uses */
    const cm_catalog *edited;      /* NULL: the side after uses the catalogs of its runs */
    bool rerated;                  /* the charges after are in CM_RERATED_CHARGES */
    cm_buffer relation;            /* of the charges after, if rerated */
    cm_buffer months;              /* array literal: all that are compared */
    struct {
        used_credit *list; /* used by what was compared so far */
        size_t count;
    } used[SIDES];
    /* the current (lane, period) */
    const compared *place;
    enum side side;
    cm_catalog *catalog; /* snapshot of the current side, with the links of its runs */
    cm_diff *ret;
    size_t capacity;
    cm_hash_index index;
} diffing;

/* --- rows -------------------------------------------------------------------------------------------------------- */

static uint64_t hash_text(const char *text, uint64_t seed)
{
    return XXH3_64bits_withSeed(text, strlen(text), seed + 1);
}

static uint64_t row_hash(const cm_diff_row *row)
{
    return hash_text(
        row->lane,
        hash_text(row->period, hash_text(row->customer, hash_text(row->product, hash_text(row->currency, 0)))));
}

static int by_texts(const void *a, const void *b)
{
    const cm_diff_row *x = a, *y = b;
    CM_ORDER_BY_TEXT(x->lane, y->lane);
    CM_ORDER_BY_TEXT(x->period, y->period);
    CM_ORDER_BY_TEXT(x->customer, y->customer);
    CM_ORDER_BY_TEXT(x->product, y->product);
    return strcmp(x->currency, y->currency);
}

static bool same_row(const void *list, uint32_t position, const void *key)
{
    return by_texts((const cm_diff_row *)list + position, key) == 0;
}

static void grow(diffing *d)
{
    d->capacity = d->capacity ? d->capacity * 2 : 1024;
    d->ret->rows = cm_realloc(d->ret->rows, d->capacity * sizeof *d->ret->rows);
}

static const char *keep(diffing *d, const char *text)
{
    return cm_arena_strndup(d->ret->arena, text, strlen(text));
}

/* The figures of the current side. */
static cm_diff_figures *figures_of(diffing *d, const char *customer, const char *product, const char *currency)
{
    cm_diff *diff = d->ret;
    if (diff->count == d->capacity)
        grow(d);
    cm_diff_row key = {.lane = d->place->lane,
                       .period = d->place->month,
                       .customer = customer,
                       .product = product,
                       .currency = currency};
    uint64_t hash = row_hash(&key);
    uint32_t i = cm_hash_find(&d->index, hash, same_row, diff->rows, &key);
    if (i == CM_HASH_NONE) {
        i = (uint32_t)diff->count++;
        diff->rows[i] = (cm_diff_row){.lane = keep(d, key.lane),
                                      .period = keep(d, key.period),
                                      .customer = keep(d, customer),
                                      .product = keep(d, product),
                                      .currency = keep(d, currency)};
        cm_hash_add(&d->index, hash, i);
    }
    cm_diff_row *row = &diff->rows[i];
    return d->side == BEFORE ? &row->before : &row->after;
}

/* --- charges ----------------------------------------------------------------------------------------------------- */

static const char *charges_of_side(const diffing *d)
{
    return d->rerated && d->side == AFTER ? d->relation.data : "charge";
}

static bool add_charges(diffing *d, const char *runs, cm_error *err)
{
    const char *values[] = {d->place->month, runs};
    cm_rows *rows = NULL;
    cm_buffer sql = {0};
    cm_buffer_printf(&sql,
                     "SELECT customer, product, currency, sum(buy_amount), sum(sell_amount),"
                     " coalesce(sum(payer_amount) FILTER (WHERE class = 'suspended'), 0), coalesce(sum(lines) FILTER "
                     "(WHERE class = 'suspended'), 0)"
                     " FROM %s c WHERE period = $1 AND run_id = ANY ($2::text[]) GROUP BY customer, product, currency",
                     charges_of_side(d));
    bool done = cm_pg_query(d->pg, sql.data, 2, values, &rows, err);
    cm_buffer_free(&sql);
    for (int i = 0; done && i < cm_rows_count(rows); i++) {
        cm_diff_figures *f =
            figures_of(d, cm_rows_text(rows, i, 0), cm_rows_text(rows, i, 1), cm_rows_text(rows, i, 2));
        f->suspended_lines += cm_rows_i64(rows, i, 6);
        done = (cm_decimal_accumulate(&f->buy, cm_rows_decimal(rows, i, 3)) &&
                cm_decimal_accumulate(&f->sell, cm_rows_decimal(rows, i, 4)) &&
                cm_decimal_accumulate(&f->suspended, cm_rows_decimal(rows, i, 5))) ||
               cm_fail(err, CM_ERROR_BUG, "OVERFLOW", "a sum of charges does not fit an amount");
    }
    cm_rows_free(rows);
    return done;
}

/* --- steps of the month ------------------------------------------------------------------------------------------ */

static bool take_change(void *opaque, const cm_month_change *change)
{
    cm_diff_figures *f = figures_of(opaque, change->customer, change->product, change->currency);
    return cm_decimal_accumulate(&f->buy, change->buy) && cm_decimal_accumulate(&f->sell, change->sell);
}

static bool take_credit(void *opaque, const cm_credit_use *use)
{
    diffing *d = opaque;
    used_credit **list = &d->used[d->side].list;
    size_t *count = &d->used[d->side].count;
    *list = cm_realloc(*list, (*count + 1) * sizeof **list);
    (*list)[(*count)++] = (used_credit){d->place->lane, cm_strdup(use->credit), use->amount};
    return true;
}

/* What documents outside the comparison use, and what this side's earlier months use. */
static bool load_uses(diffing *d, cm_period period, cm_credit_uses *ret, cm_error *err)
{
    if (!cm_credit_uses_load_but(d->pg, d->place->lane, period, d->months.data, ret, err))
        return false;
    cm_assert(d->place->lane);
    for (size_t i = 0; i < d->used[d->side].count; i++) {
        const used_credit *use = &d->used[d->side].list[i];
        if (strcmp(use->lane, d->place->lane) != 0)
            continue;
        ret->list = cm_realloc(ret->list, (ret->count + 1) * sizeof *ret->list);
        ret->list[ret->count++] = (cm_credit_use){cm_strdup(use->credit), use->amount};
    }
    return true;
}

static bool add_steps(diffing *d, const char *runs, cm_error *err)
{
    cm_period period;
    cm_credit_uses uses;
    bool valid = cm_period_parse(cm_slice_of(d->place->month), &period);
    cm_assert(valid);
    if (!load_uses(d, period, &uses, err))
        return false;
    const cm_month_visitor visitor = {take_change, take_credit, d};
    cm_document_build order = {.pg = d->pg,
                               .catalog = d->catalog,
                               .lane = d->place->lane,
                               .period = period,
                               .runs = runs,
                               .charges = charges_of_side(d),
                               .used = &uses,
                               .visitor = &visitor};
    bool done = cm_documents_build(&order, NULL, err);
    cm_credit_uses_free(&uses);
    return done;
}

/* --- a lane and period ------------------------------------------------------------------------------------------- */

static bool same_place(const compared *a, const compared *b)
{
    return strcmp(a->lane, b->lane) == 0 && strcmp(a->month, b->month) == 0;
}

/* Adds the current runs of payers outside the comparison. */
static bool add_others(diffing *d, cm_buffer *runs, cm_error *err)
{
    cm_buffer payers = {0};
    for (size_t i = 0; i < d->count; i++)
        if (same_place(&d->run[BEFORE][i], d->place))
            cm_array_text(&payers, d->run[BEFORE][i].payer);
    const char *values[] = {d->place->lane, d->place->month, cm_array_end(&payers)};
    cm_rows *rows = NULL;
    bool done = cm_pg_query(
        d->pg, "SELECT run_id FROM current_run WHERE lane = $1 AND period = $2 AND NOT payer = ANY ($3::text[])", 3,
        values, &rows, err);
    for (int i = 0; done && i < cm_rows_count(rows); i++)
        cm_array_text(runs, cm_rows_text(rows, i, 0));
    cm_rows_free(rows);
    cm_buffer_free(&payers);
    return done;
}

/* The edited catalog with the links that other payers' runs have and those that new runs of the rated payers get. */
static bool edited_snapshot(diffing *d, const char *others, cm_error *err)
{
    cm_given_link *list = NULL;
    size_t count = 0;
    cm_buffer links = {0};
    cm_arena *arena = cm_arena_new(16 * 1024);
    bool done = cm_store_links_of_runs(d->pg, others, d->place->lane, &links, err) &&
                cm_store_link_sets(d->pg, cm_buffer_string(&links), arena, &list, &count, err);
    if (done)
        d->catalog = cm_catalog_with_links(d->edited, NULL, list, count);
    cm_arena_free(arena);
    cm_buffer_free(&links);
    return done;
}

static void own_runs(const diffing *d, cm_buffer *runs)
{
    for (size_t i = 0; i < d->count; i++)
        if (same_place(&d->run[BEFORE][i], d->place))
            cm_array_text(runs, d->run[d->side][i].id);
}

static bool add_side(diffing *d, enum side side, cm_error *err)
{
    cm_buffer own = {0}, others = {0}, all = {0};
    d->side = side;
    own_runs(d, &own);
    own_runs(d, &all);
    bool done = add_charges(d, cm_array_end(&own), err) && add_others(d, &all, err) && add_others(d, &others, err);
    const char *runs = cm_array_end(&all);
    if (done && d->rerated && side == AFTER)
        done = edited_snapshot(d, cm_array_end(&others), err);
    else
        done = done && cm_store_snapshot_of_runs(d->pg, d->latest[side]->catalog, runs, &d->catalog, err);
    done = done && add_steps(d, runs, err);
    cm_catalog_free(d->catalog);
    d->catalog = NULL;
    cm_buffer_free(&own);
    cm_buffer_free(&others);
    cm_buffer_free(&all);
    return done;
}

/* In order of months, so that credits carry over. */
static int by_place(const void *a, const void *b)
{
    const compared *x = *(const compared *const *)a, *y = *(const compared *const *)b;
    CM_ORDER_BY_TEXT(x->lane, y->lane);
    return strcmp(x->month, y->month);
}

static bool add_places(diffing *d, cm_error *err)
{
    const compared **places = cm_alloc((d->count + 1) * sizeof *places);
    bool done = true;
    for (size_t i = 0; i < d->count; i++)
        places[i] = &d->run[BEFORE][i];
    if (d->count)
        qsort(places, d->count, sizeof *places, by_place);
    for (size_t i = 0; done && i < d->count; i++) {
        d->place = places[i];
        if (i == 0 || !same_place(places[i], places[i - 1]))
            done = add_side(d, BEFORE, err) && add_side(d, AFTER, err);
    }
    free(places);
    return done;
}

/* --- the runs ---------------------------------------------------------------------------------------------------- */

static bool load_run(cm_pg *pg, const char *id, compared *ret, cm_error *err)
{
    cm_rows *rows = NULL;
    if (!cm_pg_query(pg, "SELECT id, payer, lane, catalog_id, period, seq, complete FROM run WHERE id = $1", 1,
                     (const char *[]){id}, &rows, err))
        return false;
    bool done = true;
    if (cm_rows_count(rows) == 0) {
        done = cm_fail(err, CM_ERROR_NOT_FOUND, "NO_RUN", "there is no run %s; see `curmill run list`", id);
    } else if (!cm_rows_bool(rows, 0, 6)) {
        done = cm_fail(err, CM_ERROR_REFUSED, "RUN_INCOMPLETE",
                       "run %s is not complete; only complete runs can be compared", id);
    } else {
        snprintf(ret->id, sizeof ret->id, "%s", cm_rows_text(rows, 0, 0));
        snprintf(ret->payer, sizeof ret->payer, "%s", cm_rows_text(rows, 0, 1));
        snprintf(ret->lane, sizeof ret->lane, "%s", cm_rows_text(rows, 0, 2));
        snprintf(ret->catalog, sizeof ret->catalog, "%s", cm_rows_text(rows, 0, 3));
        snprintf(ret->month, sizeof ret->month, "%s", cm_rows_text(rows, 0, 4));
        ret->seq = cm_rows_i64(rows, 0, 5);
    }
    cm_rows_free(rows);
    return done;
}

static bool load_pair(diffing *d, size_t i, cm_error *err)
{
    const cm_diff_pair *pair = &d->pairs[i];
    compared *before = &d->run[BEFORE][i], *after = &d->run[AFTER][i];
    if (!load_run(d->pg, pair->before, before, err))
        return false;
    if (!pair->after)
        *after = *before;
    else if (!load_run(d->pg, pair->after, after, err))
        return false;
    if (strcmp(before->payer, after->payer) != 0 || strcmp(before->month, after->month) != 0)
        return cm_fail(
            err, CM_ERROR_REFUSED, "RUNS_UNLIKE",
            "run %s belongs to payer %s and %s, run %s to payer %s and %s; only runs of the same payer and period can be compared",
            before->id, before->payer, before->month, after->id, after->payer, after->month);
    for (size_t k = 0; k < i; k++) {
        if (strcmp(d->run[BEFORE][k].payer, before->payer) == 0 && strcmp(d->run[BEFORE][k].month, before->month) == 0)
            return cm_fail(err, CM_ERROR_REFUSED, "RUNS_UNLIKE",
                           "payer %s and %s would be compared twice; name one run on each side", before->payer,
                           before->month);
    }
    cm_array_text(&d->months, before->month);
    return true;
}

static void find_latest(diffing *d, enum side side)
{
    d->latest[side] = &d->run[side][0];
    for (size_t i = 1; i < d->count; i++)
        if (d->run[side][i].seq > d->latest[side]->seq)
            d->latest[side] = &d->run[side][i];
}

/* Current charges of the payers that are not rerated, and new charges of the others. */
static void describe_rerated(diffing *d)
{
    cm_buffer replaced = {0};
    for (size_t i = 0; i < d->count; i++)
        cm_array_text(&replaced, d->run[BEFORE][i].id); /* hex digits */
    cm_buffer_printf(
        &d->relation,
        "(SELECT * FROM charge WHERE NOT run_id = ANY ('%s'::text[]) UNION ALL SELECT * FROM " CM_RERATED_CHARGES ")",
        cm_array_end(&replaced));
    cm_buffer_free(&replaced);
}

static bool load_all(diffing *d, const cm_catalog *edited, cm_error *err)
{
    for (int side = 0; side < SIDES; side++)
        d->run[side] = cm_alloc((d->count + 1) * sizeof *d->run[side]);
    for (size_t i = 0; i < d->count; i++)
        if (!load_pair(d, i, err))
            return false;
    cm_array_end(&d->months);
    d->rerated = edited != NULL;
    d->edited = edited;
    if (d->rerated)
        describe_rerated(d);
    find_latest(d, BEFORE);
    find_latest(d, AFTER);
    return true;
}

/* --- result ------------------------------------------------------------------------------------------------------ */

static bool is_changed(const cm_diff_row *row)
{
    return !cm_decimal_equal(row->before.buy, row->after.buy) || !cm_decimal_equal(row->before.sell, row->after.sell) ||
           !cm_decimal_equal(row->before.suspended, row->after.suspended) ||
           row->before.suspended_lines != row->after.suspended_lines;
}

static bool add_figures(cm_diff_figures *sum, const cm_diff_figures *more)
{
    sum->suspended_lines += more->suspended_lines;
    return cm_decimal_accumulate(&sum->buy, more->buy) && cm_decimal_accumulate(&sum->sell, more->sell) &&
           cm_decimal_accumulate(&sum->suspended, more->suspended);
}

/* Sorts, adds up, and keeps only what changes. */
static bool finish(cm_diff *diff, cm_error *err)
{
    size_t kept = 0;
    bool fits = true;
    if (diff->count)
        qsort(diff->rows, diff->count, sizeof *diff->rows, by_texts);
    for (size_t i = 0; fits && i < diff->count; i++) {
        const cm_diff_row *row = &diff->rows[i];
        size_t t = 0;
        while (t < diff->totals_count && strcmp(diff->totals[t].currency, row->currency) != 0)
            t++;
        if (t == diff->totals_count) {
            diff->totals = cm_realloc(diff->totals, ++diff->totals_count * sizeof *diff->totals);
            diff->totals[t] =
                (cm_diff_row){.lane = "", .period = "", .customer = "", .product = "", .currency = row->currency};
        }
        fits = add_figures(&diff->totals[t].before, &row->before) && add_figures(&diff->totals[t].after, &row->after);
        if (is_changed(row))
            diff->rows[kept++] = *row;
    }
    diff->count = kept;
    if (diff->totals_count)
        qsort(diff->totals, diff->totals_count, sizeof *diff->totals, by_texts);
    return fits || cm_fail(err, CM_ERROR_BUG, "OVERFLOW", "a total does not fit an amount");
}

void cm_diff_free(cm_diff *diff)
{
    cm_arena_free(diff->arena);
    free(diff->rows);
    free(diff->totals);
    *diff = (cm_diff){0};
}

static void release(diffing *d)
{
    for (int side = 0; side < SIDES; side++) {
        for (size_t i = 0; i < d->used[side].count; i++)
            free(d->used[side].list[i].credit);
        free(d->used[side].list);
        free(d->run[side]);
    }
    cm_buffer_free(&d->relation);
    cm_buffer_free(&d->months);
    cm_hash_free(&d->index);
}

bool cm_store_diff(cm_pg *pg, const cm_diff_pair *pairs, size_t count, const cm_catalog *edited, cm_diff *ret,
                   cm_error *err)
{
    *ret = (cm_diff){.arena = cm_arena_new(64 * 1024)};
    diffing d = {.pg = pg, .pairs = pairs, .count = count, .ret = ret};
    bool done = cm_pg_begin(pg, err) &&
                cm_pg_execute(pg, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY", err) &&
                load_all(&d, edited, err) && add_places(&d, err) && finish(ret, err);
    cm_pg_rollback(pg); /* nothing was written */
    release(&d);
    if (!done)
        cm_diff_free(ret);
    return done;
}

bool cm_store_rerated_begin(cm_pg *pg, cm_error *err)
{
    return cm_pg_execute(pg,
                         "SET client_min_messages = warning; DROP TABLE IF EXISTS " CM_RERATED_CHARGES
                         "; CREATE TEMP TABLE rerated_charge (LIKE charge INCLUDING DEFAULTS)",
                         err);
}
