/*
 * Adjustments and credit notes (statements.md section 4): what an issued document would say with the newest runs and
 * its own catalog, minus what it and its approved and issued corrections say, becomes a document of its own in the next
 * open period. Rates, taxes and names are those of the corrected document. The same differences give the same document.
 */
#include "store/documents/corrections.h"
#include "base/json/json.h"
#include "base/log/log.h"
#include "billing/statement/difference.h"
#include "platform/postgres/array.h"
#include "store/building/basis.h"
#include "store/building/document_build.h"
#include "store/catalog/catalog_store.h"
#include "store/catalog/link_store.h"
#include "store/documents/told.h"
#include "store/documents/trouble_store.h"
#include "store/ledgers/credit_store.h"

#include <stdlib.h>

typedef struct correcting {
    cm_pg *pg;
    const char *lane;
    cm_period period;
    char month[CM_PERIOD_TEXT];
    char *runs; /* newest, array literal */
    const char *in_force;
    const char *catalog_id;    /* being processed */
    const cm_basis *late;      /* the settled basis, for documents that did not exist when the period was settled */
    json_t *troubled;          /* "reseller/customer" whose documents of now cannot be made */
    json_t *seen;              /* ids of the documents that the charges lead to */
    const cm_statement *built; /* being processed: the document as it would be; NULL: no charges are left */
} correcting;

/* The corrected document. */
typedef struct origin {
    char id[CM_ID_HEX], number[300];
    json_t *document; /* with its lines; if it never existed: as it would be, without lines and amounts */
    const char *reseller, *customer, *customers, *payers, *runs, *currency, *source_currency, *fx_id, *catalog_id;
} origin;

/* --- the document ------------------------------------------------------------------------------------------------ */

static void correction_id(const char *corrected, int64_t nth, char ret[static CM_ID_HEX])
{
    char number[24];
    snprintf(number, sizeof number, "%lld", (long long)nth);
    cm_digest *digest = cm_digest_new();
    cm_digest_text(digest, "correction");
    cm_digest_text(digest, corrected);
    cm_digest_text(digest, number);
    cm_digest_finish_id(digest, ret);
}

/* The first month after the corrected one that is not settled for any of its payers. */
static bool next_open_period(const correcting *c, const origin *o, char ret[static CM_PERIOD_TEXT], cm_error *err)
{
    cm_period period = c->period;
    for (bool settled = true; settled;) {
        period = cm_period_next(period);
        const char *values[] = {cm_period_print(period, ret), o->payers};
        cm_rows *rows = NULL;
        if (!cm_pg_query(
                c->pg,
                "SELECT EXISTS (SELECT FROM billing_period WHERE period = $1 AND payer = ANY ($2::text[]) AND state IN ('settled', 'closed'))",
                2, values, &rows, err))
            return false;
        settled = cm_rows_bool(rows, 0, 0);
        cm_rows_free(rows);
    }
    return true;
}

static bool store(const correcting *c, const origin *o, int64_t nth, json_t *document, cm_decimal subtotal,
                  cm_decimal total, cm_error *err)
{
    char subtotal_text[CM_DECIMAL_TEXT], total_text[CM_DECIMAL_TEXT], number[24];
    char *text = json_dumps(document, JSON_COMPACT);
    cm_decimal_print(subtotal, subtotal_text);
    cm_decimal_print(total, total_text);
    snprintf(number, sizeof number, "%lld", (long long)nth);
    const char *values[] = {cm_json_member_text(document, "id"),
                            cm_json_member_text(document, "kind"),
                            o->reseller,
                            c->lane,
                            cm_json_member_text(document, "period"),
                            o->customer,
                            o->currency,
                            o->source_currency,
                            o->fx_id,
                            text,
                            o->catalog_id,
                            subtotal_text,
                            total_text,
                            o->customers,
                            o->payers,
                            o->runs,
                            o->id,
                            number};
    bool done = cm_pg_query(
        c->pg,
        "INSERT INTO statement (id, state, kind, reseller, lane, period, customer, currency, source_currency, fx_id, document,"
        " catalog_id, subtotal, total, customers, payers, runs, corrects, correction) VALUES ($1, 'draft', $2, $3, $4, $5, $6,"
        " $7, $8, $9, $10, $11, $12::numeric, $13::numeric, $14, $15, $16, $17, $18::int)"
        " ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, period = excluded.period, document = excluded.document,"
        " subtotal = excluded.subtotal, total = excluded.total, payers = excluded.payers, runs = excluded.runs"
        " WHERE statement.state = 'draft'",
        18, values, NULL, err);
    free(text);
    return done;
}

static bool store_draft(const correcting *c, const origin *o, int64_t nth, const json_t *difference, cm_error *err)
{
    char id[CM_ID_HEX], period[CM_PERIOD_TEXT];
    cm_decimal subtotal, total;
    bool valid = cm_json_member_decimal(difference, "subtotal", &subtotal) &&
                 cm_json_member_decimal(difference, "total", &total);
    cm_assert(valid);
    bool less = cm_decimal_compare(cm_decimal_is_zero(subtotal) ? total : subtotal, CM_DECIMAL_ZERO) < 0;
    if (!next_open_period(c, o, period, err))
        return false;
    correction_id(o->id, nth, id);
    json_t *number = *o->number ? json_string(o->number) : json_null();
    json_t *document = json_pack(
        "{s:s, s:n, s:s, s:s, s:s, s:s, s:s, s:O, s:s, s:O, s:O, s:O, s:O, s:O, s:{s:o, s:s, s:s}}", "id", id, "number",
        "kind", less ? "credit_note" : "adjustment", "state", "draft", "reseller", o->reseller, "lane", c->lane,
        "period", period, "customers", json_object_get(o->document, "customers"), "currency", o->currency, "rate",
        json_object_get(o->document, "rate"), "lines", json_object_get(difference, "lines"), "subtotal",
        json_object_get(difference, "subtotal"), "tax", json_object_get(difference, "tax"), "total",
        json_object_get(difference, "total"), "corrects", "number", number, "id", o->id, "period", c->month);
    cm_assert(document);
    bool done = store(c, o, nth, document, subtotal, total, err) &&
                cm_credit_use_correct(c->pg, id, o->id, c->built, c->lane, c->month, err);
    json_decref(document);
    return done;
}

/* A void correction stands while the newest runs say the same difference; once they say another, it is forgotten. */
static bool forget_void(const correcting *c, const origin *o, cm_error *err)
{
    return cm_pg_query(c->pg, "UPDATE statement SET waived = false WHERE corrects = $1 AND waived", 1,
                       (const char *[]){o->id}, NULL, err);
}

/* All but number `nth`. */
static bool remove_drafts(const correcting *c, const origin *o, int64_t nth, cm_error *err)
{
    char number[24];
    snprintf(number, sizeof number, "%lld", (long long)nth);
    const char *values[] = {o->id, number};
    return cm_pg_query(c->pg, "DELETE FROM statement WHERE corrects = $1 AND state = 'draft' AND correction <> $2::int",
                       2, values, NULL, err);
}

static bool note_trouble(const correcting *c, const origin *o, const cm_error *why, cm_error *err)
{
    return cm_store_trouble_save(c->pg, &(cm_trouble){c->lane, c->month, o->reseller, o->customer, o->id}, why, err);
}

/* `now`: the document as it would be; NULL: no charges are left. */
static bool correct_told(const correcting *c, const origin *o, const json_t *now, const cm_told *told, cm_error *err)
{
    cm_error why = {0};
    json_t *difference = NULL;
    bool done = true, waived = false;
    if (!cm_told_difference(told, o->id, o->currency, now, &difference, &why))
        return note_trouble(c, o, &why, err) && remove_drafts(c, o, 0, err);
    if (told->voided) {
        waived = difference && cm_difference_is_same(difference, told->voided);
        done = waived || forget_void(c, o, err);
    }
    bool made = difference && !waived;
    done = done && (!made || store_draft(c, o, told->next, difference, err)) &&
           remove_drafts(c, o, made ? told->next : 0, err);
    json_decref(difference);
    return done;
}

static bool correct(const correcting *c, const origin *o, const json_t *now, cm_error *err)
{
    cm_told told;
    bool done = cm_told_load(c->pg, o->id, o->document, &told, err) && correct_told(c, o, now, &told, err);
    cm_told_free(&told);
    return done;
}

/* --- which documents --------------------------------------------------------------------------------------------- */

/* An empty document, for charges that were never on an issued one. */
static void empty_document(json_t *document)
{
    json_t *taxes = json_object_get(document, "tax");
    json_object_set_new(document, "lines", json_array());
    json_object_set_new(document, "subtotal", json_string("0"));
    json_object_set_new(document, "total", json_string("0"));
    for (size_t i = 0; i < json_array_size(taxes); i++)
        json_object_set_new(json_array_get(taxes, i), "amount", json_string("0"));
}

/* The newest runs of these payers. */
static bool runs_of(const correcting *c, const char *payers, cm_rows **ret, cm_error *err)
{
    return cm_pg_query(c->pg,
                       "SELECT coalesce(array_agg(run_id ORDER BY run_id), '{}') FROM newest_run WHERE period = $1 AND "
                       "payer = ANY ($2::text[])",
                       2, (const char *[]){c->month, payers}, ret, err);
}

/* Columns of ORIGIN_COLUMNS. */
static bool correct_issued(const correcting *c, const cm_rows *rows, int row, const cm_built_document *built,
                           cm_error *err)
{
    cm_rows *runs = NULL;
    if (!built && !runs_of(c, cm_rows_text(rows, row, 5), &runs, err))
        return false;
    origin o = {.reseller = cm_rows_text(rows, row, 2),
                .customer = cm_rows_text(rows, row, 3),
                .customers = built ? built->customers : cm_rows_text(rows, row, 4),
                .payers = built ? built->payers : cm_rows_text(rows, row, 5),
                .runs = built ? built->runs : cm_rows_text(runs, 0, 0),
                .currency = cm_rows_text(rows, row, 6),
                .source_currency = cm_rows_text(rows, row, 7),
                .fx_id = cm_rows_text(rows, row, 8),
                .catalog_id = cm_rows_text(rows, row, 9),
                .document = json_loads(cm_rows_text(rows, row, 10), 0, NULL)};
    snprintf(o.id, sizeof o.id, "%s", cm_rows_text(rows, row, 0));
    snprintf(o.number, sizeof o.number, "%s", cm_rows_text(rows, row, 1));
    cm_assert(o.document);
    if (strcmp(cm_rows_text(rows, row, 11), "issued") != 0)
        empty_document(o.document);
    bool done = correct(c, &o, built ? built->statement->document : NULL, err);
    cm_rows_free(runs);
    json_decref(o.document);
    return done;
}

#define ORIGIN_COLUMNS                                                                                                 \
    "s.id, s.number, s.reseller, s.customer, s.customers, s.payers, s.currency, s.source_currency, s.fx_id, s.catalog_id, s.document, s.state"

/* A customer whose charges came after the period was settled: all of them become an adjustment. */
static bool correct_never_made(const correcting *c, const cm_built_document *built, cm_error *err)
{
    const cm_statement *s = built->statement;
    origin o = {.reseller = s->reseller,
                .customer = s->customer,
                .customers = built->customers,
                .payers = built->payers,
                .runs = built->runs,
                .currency = s->currency,
                .source_currency = s->source_currency,
                .fx_id = s->fx_id,
                .catalog_id = c->catalog_id,
                .document = json_deep_copy(s->document)};
    snprintf(o.id, sizeof o.id, "%s", s->id);
    empty_document(o.document);
    bool done = correct(c, &o, s->document, err);
    json_decref(o.document);
    return done;
}

/* Do the document's runs differ from the current ones? Then its period was settled. */
static bool has_correction(const correcting *c, const char *runs, bool *ret, cm_error *err)
{
    const char *values[] = {runs};
    cm_rows *rows = NULL;
    if (!cm_pg_query(c->pg, "SELECT EXISTS (SELECT FROM correction_run WHERE run_id = ANY ($1::text[]))", 1, values,
                     &rows, err))
        return false;
    *ret = cm_rows_bool(rows, 0, 0);
    cm_rows_free(rows);
    return true;
}

static const char *unit_of(const char *reseller, const char *customer, char *into, size_t size)
{
    snprintf(into, size, "%s/%s", reseller, customer);
    return into;
}

/* What the newest runs say of a customer is not known: nothing of it is corrected, least of all given back. */
static bool take_trouble(void *opaque, const char *reseller, const char *customer, const cm_error *why, cm_error *err)
{
    correcting *c = opaque;
    char unit[512];
    json_object_set_new(c->troubled, unit_of(reseller, customer, unit, sizeof unit), json_true());
    return cm_store_trouble_save(c->pg, &(cm_trouble){c->lane, c->month, reseller, customer, "newest runs"}, why, err);
}

static bool is_gone(const correcting *c, const cm_rows *rows, int row)
{
    char unit[512];
    return !json_object_get(c->seen, cm_rows_text(rows, row, 0)) &&
           !json_object_get(c->troubled,
                            unit_of(cm_rows_text(rows, row, 2), cm_rows_text(rows, row, 3), unit, sizeof unit));
}

static bool is_of_basis(const correcting *c, const cm_built_document *built)
{
    size_t i;
    const json_t *customer;
    json_array_foreach (json_object_get(built->statement->document, "customers"), i, customer) {
        if (!cm_basis_has(c->late, cm_json_member_text(customer, "id")))
            return false;
    }
    return true;
}

static bool take_built(void *opaque, const cm_built_document *built, cm_error *err)
{
    correcting *c = opaque;
    const char *values[] = {built->statement->id, c->lane, c->month, built->statement->source_currency,
                            built->customers};
    cm_rows *rows = NULL;
    bool corrected, done = true;
    json_object_set_new(c->seen, built->statement->id, json_true());
    c->built = built->statement;
    if (!cm_pg_query(c->pg, "SELECT " ORIGIN_COLUMNS " FROM statement s WHERE s.id = $1", 1, values, &rows, err))
        return false;
    if (cm_rows_count(rows)) {
        if (strcmp(cm_rows_text(rows, 0, 11), "issued") == 0 && strcmp(cm_rows_text(rows, 0, 9), c->catalog_id) == 0)
            done = correct_issued(c, rows, 0, built, err);
        cm_rows_free(rows);
        return done;
    }
    cm_rows_free(rows);
    if (!c->late || !is_of_basis(c, built))
        return true;
    /* Skipped if its customers have a document with another id (currency, consolidation), which is corrected with its
     * own catalog. */
    if (!has_correction(c, built->runs, &corrected, err) ||
        !cm_pg_query(
            c->pg,
            "SELECT FROM statement WHERE lane = $2 AND period = $3 AND kind = 'statement' AND source_currency = $4 AND id <> $1"
            " AND customers && $5::text[] LIMIT 1",
            5, values, &rows, err))
        return false;
    if (corrected && cm_rows_count(rows) == 0)
        done = correct_never_made(c, built, err);
    cm_rows_free(rows);
    return done;
}

/* Issued documents of this catalog that no longer have any charges. */
static bool correct_vanished(correcting *c, cm_error *err)
{
    const char *values[] = {c->lane, c->month, c->catalog_id};
    c->built = NULL;
    cm_rows *rows = NULL;
    if (!cm_pg_query(
            c->pg,
            "SELECT " ORIGIN_COLUMNS
            " FROM statement s WHERE s.lane = $1 AND s.period = $2 AND s.catalog_id = $3 AND s.kind = 'statement'"
            " AND s.state = 'issued' ORDER BY s.id",
            3, values, &rows, err))
        return false;
    bool done = true;
    for (int i = 0; done && i < cm_rows_count(rows); i++) {
        if (is_gone(c, rows, i))
            done = correct_issued(c, rows, i, NULL, err);
    }
    cm_rows_free(rows);
    return done;
}

/* Adjustments for customers that had no document (correct_never_made) and whose charges have gone again. */
static bool correct_vanished_again(correcting *c, cm_error *err)
{
    const char *values[] = {c->lane, c->month};
    cm_rows *rows = NULL;
    c->built = NULL;
    if (!cm_pg_query(
            c->pg,
            "SELECT DISTINCT ON (s.corrects) s.corrects, '', s.reseller, s.customer, s.customers, s.payers, s.currency, s.source_currency, s.fx_id,"
            " s.catalog_id, s.document, 'never made' FROM statement s WHERE s.lane = $1 AND s.corrects <> ''"
            " AND s.document::jsonb -> 'corrects' ->> 'period' = $2 AND NOT EXISTS (SELECT FROM statement o WHERE o.id = s.corrects)"
            " ORDER BY s.corrects, s.correction",
            2, values, &rows, err))
        return false;
    bool done = true;
    for (int i = 0; done && i < cm_rows_count(rows); i++) {
        if (is_gone(c, rows, i))
            done = correct_issued(c, rows, i, NULL, err);
    }
    cm_rows_free(rows);
    return done;
}

static bool correct_with(correcting *c, const char *catalog_id, const cm_basis *late, cm_error *err)
{
    cm_catalog *catalog = NULL;
    if (!cm_store_snapshot_of_runs(c->pg, catalog_id, c->runs, &catalog, err))
        return false;
    c->catalog_id = catalog_id;
    c->late = late;
    c->seen = json_object();
    c->troubled = json_object();
    cm_document_build order = {.pg = c->pg,
                               .catalog = catalog,
                               .lane = c->lane,
                               .period = c->period,
                               .runs = c->runs,
                               .take = take_built,
                               .trouble = take_trouble,
                               .opaque = c};
    bool done =
        cm_documents_build(&order, NULL, err) && correct_vanished(c, err) && (!late || correct_vanished_again(c, err));
    json_decref(c->seen);
    json_decref(c->troubled);
    cm_catalog_free(catalog);
    return done;
}

/* With the catalogs of issued documents, except those that follow. */
static bool correct_early(correcting *c, const cm_bases *bases, cm_error *err)
{
    const char *values[] = {c->lane, c->month};
    cm_rows *rows = NULL;
    if (!cm_pg_query(
            c->pg,
            "SELECT DISTINCT catalog_id FROM statement WHERE lane = $1 AND period = $2 AND kind = 'statement' AND "
            "state = 'issued' ORDER BY 1",
            2, values, &rows, err))
        return false;
    bool done = true;
    for (int i = 0; done && i < cm_rows_count(rows); i++) {
        bool follows = false;
        for (size_t k = 0; k < bases->count; k++)
            follows = follows || (bases->list[k].settled && strcmp(bases->list[k].id, cm_rows_text(rows, i, 0)) == 0);
        done = follows || correct_with(c, cm_rows_text(rows, i, 0), NULL, err);
    }
    cm_rows_free(rows);
    return done;
}

/* With the catalogs of issued documents, then with those that payers were settled with (for charges without any
 * document, too). */
static bool correct_all(correcting *c, cm_error *err)
{
    const char *values[] = {c->lane, c->month};
    cm_bases bases = {0};
    cm_rows *rows = NULL;
    if (!cm_store_trouble_clear(c->pg, c->lane, c->month, true, err) ||
        !cm_pg_query(c->pg, "SELECT array_agg(run_id ORDER BY run_id) FROM newest_run WHERE lane = $1 AND period = $2",
                     2, values, &rows, err))
        return false;
    c->runs = cm_strdup(cm_rows_null(rows, 0, 0) ? "{}" : cm_rows_text(rows, 0, 0));
    cm_rows_free(rows);
    bool done =
        cm_store_bases(c->pg, c->lane, c->period, c->runs, c->in_force, &bases, err) && correct_early(c, &bases, err);
    for (size_t k = 0; done && k < bases.count; k++)
        done = !bases.list[k].settled || correct_with(c, bases.list[k].id, &bases.list[k], err);
    cm_bases_free(&bases);
    return done;
}

/* --- due --------------------------------------------------------------------------------------------------------- */

static bool refresh_one(cm_pg *pg, cm_instant now, const char *lane, const char *month, bool *ret_done, cm_error *err)
{
    char in_force[CM_ID_HEX];
    correcting c = {.pg = pg, .lane = lane, .in_force = in_force};
    const char *values[] = {lane, month};
    cm_rows *rows = NULL;
    bool valid = cm_period_parse(cm_slice_of(month), &c.period);
    cm_assert(valid);
    cm_period_print(c.period, c.month);
    bool done = cm_pg_begin(pg, err) && cm_store_catalog_in_force(pg, now, in_force, err) &&
                cm_pg_query(pg, "DELETE FROM correction_due WHERE lane = $1 AND period = $2", 2, values, &rows, err);
    *ret_done = done && cm_rows_affected(rows) == 1; /* otherwise another builder was faster */
    cm_rows_free(rows);
    done = done && (!*ret_done || correct_all(&c, err)) && cm_pg_commit(pg, err);
    if (!done)
        cm_pg_rollback(pg);
    free(c.runs);
    return done;
}

bool cm_store_corrections_refresh(cm_pg *pg, cm_instant now, const char *lane, const char *month, int *ret_built,
                                  cm_error *err)
{
    const char *values[] = {lane, month};
    cm_rows *rows = NULL;
    if (!cm_pg_query(
            pg,
            "SELECT lane, period FROM correction_due WHERE ($1::text IS NULL OR lane = $1) AND ($2::text IS NULL OR period = $2)"
            " ORDER BY lane, period",
            2, values, &rows, err))
        return false;
    bool done = true, built;
    for (int i = 0; done && i < cm_rows_count(rows); i++) {
        done = refresh_one(pg, now, cm_rows_text(rows, i, 0), cm_rows_text(rows, i, 1), &built, err);
        *ret_built += done && built;
    }
    cm_rows_free(rows);
    return done;
}
