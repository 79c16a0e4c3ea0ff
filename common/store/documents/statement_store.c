/* Draft statements: finds the stale ones, rebuilds (document_build.c) and stores them. */
#include "store/documents/statement_store.h"

#include "base/log/log.h"
#include "billing/rating/rating.h"
#include "store/audit/audit.h"
#include "store/building/basis.h"
#include "store/building/document_build.h"
#include "store/catalog/catalog_store.h"
#include "store/documents/corrections.h"
#include "store/documents/trouble_store.h"
#include "store/ledgers/credit_store.h"
#include "store/ledgers/discount_store.h"

#include <stdlib.h>

#define ACTOR "statements"

/* The basis of a (lane, period): what the drafts are made from. Parameters: $1 catalog in force (a settled month has
 * its own), $2 version of the computation. */
#define BASIS(lane, period)                                                                                            \
    "left(encode(sha256(convert_to($2 || ' ' || string_agg(run_id || ' ' || coalesce(s.catalog_id, $1::text), ' '"     \
    " ORDER BY run_id)"                                                                                                \
    " || curmill_credit_basis(" lane ", " period "), 'UTF8')), 'hex'), 32)"

typedef struct building {
    cm_pg *pg;
    cm_instant now;
    const char *lane, *catalog_id;
    cm_period period;
    char month[CM_PERIOD_TEXT];
    char *runs; /* array literal of the current runs' ids */
    char basis[CM_ID_HEX];
    cm_buffer kept;    /* array literal of the present documents, without its closing brace */
    cm_buffer missing; /* customers that are not in the catalog in force */
    bool some_taken;   /* some document of the month is approved or issued */
    bool some_skipped; /* a draft was not made, because its charges are in such a document */
    bool some_credit;  /* some document of the month has used a credit */
} building;

/* --- documents --------------------------------------------------------------------------------------------------- */

/*
 * The same charges are never billed twice: another invoice currency or consolidation gives a document with another id,
 * whose charges may already be in an approved or issued one. Such a draft is not created; STATEMENT_OVERDUE reports
 * customers that have charges and no document.
 */
static bool is_taken(building *b, const cm_built_document *built, bool *ret, cm_error *err)
{
    const char *values[] = {b->lane, b->month, built->statement->source_currency, built->statement->id,
                            built->customers};
    cm_rows *rows = NULL;
    *ret = false;
    if (!b->some_taken)
        return true;
    if (!cm_pg_query(b->pg,
                     "SELECT id FROM statement WHERE lane = $1 AND period = $2 AND kind = 'statement' AND state IN "
                     "('approved', 'issued')"
                     " AND source_currency = $3 AND id <> $4 AND customers && $5::text[] LIMIT 1",
                     5, values, &rows, err))
        return false;
    *ret = cm_rows_count(rows) > 0;
    if (*ret)
        cm_log(CM_WARN, "no draft was made, because its charges are in a document that is approved or issued", "lane",
               b->lane, "period", b->month, "customers", built->customers, "document", cm_rows_text(rows, 0, 0), NULL);
    cm_rows_free(rows);
    return true;
}

static bool look_at_month(building *b, cm_error *err)
{
    const char *values[] = {b->lane, b->month};
    cm_rows *rows = NULL;
    if (!cm_pg_query(b->pg,
                     "SELECT EXISTS (SELECT FROM statement WHERE lane = $1 AND period = $2 AND kind = 'statement' AND "
                     "state IN ('approved', 'issued')),"
                     " EXISTS (SELECT FROM credit_use WHERE lane = $1 AND period = $2)",
                     2, values, &rows, err))
        return false;
    b->some_taken = cm_rows_bool(rows, 0, 0);
    b->some_credit = cm_rows_bool(rows, 0, 1);
    cm_rows_free(rows);
    return true;
}

/* --- approved documents ------------------------------------------------------------------------------------------ */

/* All but the names of its customers, which are no figures. */
static bool same_figures(const char *before, const json_t *now)
{
    json_t *x = json_loads(before, 0, NULL), *y = json_copy((json_t *)now);
    json_object_del(x, "customers");
    json_object_del(y, "customers");
    bool same = json_equal(x, y);
    json_decref(x);
    json_decref(y);
    return same;
}

static bool audit_left(building *b, const char *id, const char *reason, json_t *detail, cm_error *err)
{
    char object[64];
    char *text = json_dumps(detail, JSON_COMPACT);
    snprintf(object, sizeof object, "statement:%s", id);
    bool done = cm_store_audit(b->pg, b->now, ACTOR, "statement.returned", object, reason, text, err);
    free(text);
    json_decref(detail);
    return done;
}

/* It is for a person to approve the new figures. */
static bool leave_approved(building *b, const cm_statement *s, const char *currency, const char *subtotal,
                           const char *total, cm_error *err)
{
    cm_rows *rows = NULL;
    if (!cm_pg_query(b->pg,
                     "UPDATE statement SET state = 'draft', approved_by = NULL, approved_at = NULL WHERE id = $1 AND "
                     "state = 'approved'",
                     1, (const char *[]){s->id}, &rows, err))
        return false;
    bool left = cm_rows_affected(rows) == 1; /* otherwise it was issued a moment ago */
    cm_rows_free(rows);
    return !left || audit_left(b, s->id, "its figures have changed",
                               json_pack("{s:s, s:s, s:s, s:s, s:s, s:{s:O, s:O, s:O}}", "from", "approved", "to",
                                         "draft", "currency", currency, "subtotal", subtotal, "total", total, "now",
                                         "currency", json_object_get(s->document, "currency"), "subtotal",
                                         json_object_get(s->document, "subtotal"), "total",
                                         json_object_get(s->document, "total")),
                               err);
}

/* The same figures by newer runs or another catalog: it stays approved. A margin changes only with what it rests on. */
static bool stay_approved(building *b, const cm_built_document *built, cm_error *err)
{
    const cm_statement *s = built->statement;
    char *text = json_dumps(s->document, JSON_COMPACT), *margin = json_dumps(s->margin, JSON_COMPACT);
    const char *values[] = {s->id, text, b->catalog_id, s->fx_id, built->customers, built->payers, built->runs, margin};
    bool done = cm_pg_query(b->pg,
                            "UPDATE statement SET document = $2, catalog_id = $3, fx_id = $4, customers = $5, payers = "
                            "$6, runs = $7, margin = CASE WHEN (runs, catalog_id) = ($7::text[], $3) THEN margin ELSE "
                            "$8 END WHERE id = $1 AND state = 'approved' AND (document, catalog_id, fx_id, customers, "
                            "payers, runs) IS DISTINCT FROM ($2, $3, $4, $5::text[], $6::text[], $7::text[])",
                            8, values, NULL, err);
    free(text);
    free(margin);
    return done;
}

/* ret_stays: the document is approved, and what was built says the same. */
static bool keep_approved(building *b, const cm_built_document *built, bool *ret_stays, cm_error *err)
{
    cm_rows *rows = NULL;
    *ret_stays = false;
    if (!b->some_taken)
        return true;
    if (!cm_pg_query(b->pg,
                     "SELECT document, currency, trim_scale(subtotal), trim_scale(total) FROM statement WHERE id = $1 "
                     "AND state = 'approved'",
                     1, (const char *[]){built->statement->id}, &rows, err))
        return false;
    bool done = true, approved = cm_rows_count(rows) == 1;
    *ret_stays = approved && same_figures(cm_rows_text(rows, 0, 0), built->statement->document);
    if (approved)
        done = *ret_stays ? stay_approved(b, built, err)
                          : leave_approved(b, built->statement, cm_rows_text(rows, 0, 1), cm_rows_text(rows, 0, 2),
                                           cm_rows_text(rows, 0, 3), err);
    cm_rows_free(rows);
    return done;
}

/* Approved documents that the charges no longer lead to: no charges, another currency or consolidation. */
static bool leave_unbuilt(building *b, bool *ret_left, cm_error *err)
{
    cm_rows *rows = NULL;
    cm_buffer kept = {0};
    cm_buffer_printf(&kept, "%s}", b->kept.length ? b->kept.data : "{");
    const char *values[] = {b->lane, b->month, kept.data};
    bool done = cm_pg_query(b->pg,
                            "UPDATE statement SET state = 'draft', approved_by = NULL, approved_at = NULL WHERE lane = "
                            "$1 AND period = $2 AND kind = 'statement' AND state = 'approved' AND NOT id = ANY "
                            "($3::text[]) RETURNING id, currency, trim_scale(subtotal), trim_scale(total)",
                            3, values, &rows, err);
    cm_buffer_free(&kept);
    *ret_left = cm_rows_count(rows) > 0;
    for (int i = 0; done && i < cm_rows_count(rows); i++)
        done = audit_left(b, cm_rows_text(rows, i, 0), "its charges now lead to another document, or to none",
                          json_pack("{s:s, s:s, s:s, s:s, s:s}", "from", "approved", "to", "draft", "currency",
                                    cm_rows_text(rows, i, 1), "subtotal", cm_rows_text(rows, i, 2), "total",
                                    cm_rows_text(rows, i, 3)),
                          err);
    cm_rows_free(rows);
    return done;
}

bool cm_store_document_left_approved(cm_pg *pg, const char *id, bool *ret, cm_error *err)
{
    cm_rows *rows = NULL;
    if (!cm_pg_query(pg,
                     "SELECT action = 'statement.returned' AND actor = '" ACTOR "' FROM audit WHERE object = "
                     "'statement:' || $1 ORDER BY id DESC LIMIT 1",
                     1, &id, &rows, err))
        return false;
    *ret = cm_rows_count(rows) && cm_rows_bool(rows, 0, 0);
    cm_rows_free(rows);
    return true;
}

/* Only drafts are rebuilt: approved documents are frozen, void ones will not be issued, issued ones never change. */
static bool store_document(void *opaque, const cm_built_document *built, cm_error *err)
{
    building *b = opaque;
    const cm_statement *s = built->statement;
    bool taken, stays;
    if (!is_taken(b, built, &taken, err) || taken) {
        b->some_skipped = b->some_skipped || taken;
        return taken;
    }
    if (!keep_approved(b, built, &stays, err))
        return false;
    if (stays) {
        cm_buffer_printf(&b->kept, "%s%s", b->kept.length ? "," : "{", s->id);
        return true;
    }
    char subtotal[CM_DECIMAL_TEXT], total[CM_DECIMAL_TEXT];
    char *text = json_dumps(s->document, JSON_COMPACT), *margin = json_dumps(s->margin, JSON_COMPACT);
    cm_decimal_print(s->subtotal, subtotal);
    cm_decimal_print(s->total, total);
    const char *values[] = {
        s->id, s->reseller,   b->lane,  b->month, s->customer,      s->currency,   s->source_currency, s->fx_id,
        text,  b->catalog_id, subtotal, total,    built->customers, built->payers, built->runs,        margin};
    bool done =
        cm_pg_query(
            b->pg,
            "INSERT INTO statement (id, state, reseller, lane, period, customer, currency, source_currency, fx_id,"
            " document, catalog_id, subtotal, total, customers, payers, runs, margin)"
            " VALUES ($1, 'draft', $2, $3, $4, $5, $6, $7, $8, $9, $10, $11::numeric, $12::numeric, $13, $14, $15, $16)"
            " ON CONFLICT (id) DO UPDATE SET reseller = excluded.reseller, customer = excluded.customer,"
            " currency = excluded.currency, source_currency = excluded.source_currency, fx_id = excluded.fx_id,"
            " document = excluded.document, catalog_id = excluded.catalog_id, subtotal = excluded.subtotal,"
            " total = excluded.total, customers = excluded.customers, payers = excluded.payers, runs = excluded.runs, "
            "margin = excluded.margin"
            " WHERE statement.state = 'draft' AND (statement.document, statement.catalog_id, statement.fx_id, "
            "statement.customers,"
            "   statement.payers, statement.runs, statement.margin) IS DISTINCT FROM (excluded.document, "
            "excluded.catalog_id, "
            "excluded.fx_id,"
            "   excluded.customers, excluded.payers, excluded.runs, excluded.margin)",
            16, values, NULL, err) &&
        ((s->credit_count == 0 && !b->some_credit) || cm_credit_use_save(b->pg, s, b->lane, b->month, err));
    free(text);
    free(margin);
    cm_buffer_printf(&b->kept, "%s%s", b->kept.length ? "," : "{", s->id);
    return done;
}

static bool note_trouble(void *opaque, const char *reseller, const char *customer, const cm_error *why, cm_error *err)
{
    const building *b = opaque;
    return cm_store_trouble_save(b->pg, &(cm_trouble){b->lane, b->month, reseller, customer, ""}, why, err);
}

/* --- a build ----------------------------------------------------------------------------------------------------- */

static bool remove_drafts_but_kept(building *b, cm_error *err)
{
    cm_buffer_text(&b->kept, b->kept.length ? "}" : "{}");
    const char *values[] = {b->lane, b->month, b->kept.data};
    return cm_pg_query(b->pg,
                       "DELETE FROM statement WHERE lane = $1 AND period = $2 AND kind = 'statement' AND state = "
                       "'draft' AND NOT id = ANY ($3::text[])",
                       3, values, NULL, err);
}

static bool report_missing(building *b, cm_error *err)
{
    if (b->missing.length == 0)
        return true;
    char object[128];
    cm_buffer reason = {0};
    snprintf(object, sizeof object, "lane:%s/%s", b->lane, b->month);
    cm_buffer_printf(&reason, "no statement is made for customers that the catalog in force does not have: %s",
                     b->missing.data);
    cm_log(CM_WARN, "customers with charges are missing from the catalog in force; no statement is made for them",
           "lane", b->lane, "period", b->month, "customers", b->missing.data, NULL);
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

static bool build_with(building *b, const cm_basis *basis, cm_error *err)
{
    b->catalog_id = basis->id;
    cm_document_build order = {.pg = b->pg,
                               .catalog = basis->catalog,
                               .customers = basis->customers,
                               .lane = b->lane,
                               .period = b->period,
                               .runs = b->runs,
                               .take = store_document,
                               .trouble = note_trouble,
                               .opaque = b,
                               .with_margin = true};
    return cm_documents_build(&order, &b->missing, err);
}

static bool build_all(building *b, const cm_bases *bases, cm_error *err)
{
    bool done = cm_store_trouble_clear(b->pg, b->lane, b->month, false, err);
    b->missing.length = b->kept.length = 0;
    for (size_t i = 0; done && i < bases->count; i++)
        done = build_with(b, &bases->list[i], err);
    return done;
}

static bool build_locked(building *b, cm_error *err)
{
    cm_bases bases;
    bool left = false, done = cm_store_bases(b->pg, b->lane, b->period, b->runs, b->catalog_id, &bases, err) &&
                              look_at_month(b, err) && build_all(b, &bases, err) &&
                              (!b->some_taken || leave_unbuilt(b, &left, err));
    if (done && left && b->some_skipped) /* its charges are free now */
        done = build_all(b, &bases, err);
    cm_bases_free(&bases);
    return done && remove_drafts_but_kept(b, err) && report_missing(b, err) && remember_build(b, err);
}

/* There is no longer a current run: nothing to build from. */
static bool remove_build(building *b, cm_error *err)
{
    const char *values[] = {b->lane, b->month};
    return remove_drafts_but_kept(b, err) && cm_store_trouble_clear(b->pg, b->lane, b->month, false, err) &&
           cm_pg_query(b->pg, "DELETE FROM statement_build WHERE lane = $1 AND period = $2", 2, values, NULL, err);
}

/* ret_stale: the stored drafts have another basis. Fills runs and basis. */
static bool check_stale_locked(building *b, bool *ret_stale, cm_error *err)
{
    const char *values[] = {b->catalog_id, cm_engine_version(), b->lane, b->month};
    cm_rows *rows = NULL;
    if (!cm_pg_query(b->pg, "SELECT pg_advisory_xact_lock(hashtextextended('statements ' || $1 || ' ' || $2, 0))", 2,
                     values + 2, NULL, err) ||
        !cm_pg_query(
            b->pg,
            "SELECT " BASIS(
                "$3",
                "$4") ", array_agg(run_id), (SELECT basis FROM statement_build WHERE lane = $3 AND period = $4)"
                      " FROM current_run c LEFT JOIN settled_period s USING (payer, period) WHERE c.lane = $3 AND period = $4",
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
    bool done = cm_pg_begin(pg, err) && cm_store_catalog_in_force(pg, now, catalog_id, err) &&
                check_stale_locked(&b, &stale, err);
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

/* --- every stale one --------------------------------------------------------------------------------------------- */

/* One SQL statement, cheap when everything is fresh. NULL lane, period: all. */
static bool list_stale(cm_pg *pg, const char *catalog_id, const char *lane, const char *period, cm_rows **ret,
                       cm_error *err)
{
    const char *values[] = {catalog_id, cm_engine_version(), lane, period};
    return cm_pg_query(
        pg,
        "WITH today AS (SELECT lane, period, " BASIS(
            "lane",
            "period") " AS basis FROM current_run c LEFT JOIN settled_period s USING (payer, period) GROUP BY lane, period)"
                      " SELECT lane, period FROM today t FULL JOIN statement_build b USING (lane, period)"
                      " WHERE t.basis IS DISTINCT FROM b.basis AND ($3::text IS NULL OR lane = $3) AND "
                      "($4::text IS NULL OR period = $4)"
                      " ORDER BY lane, period",
        4, values, ret, err);
}

/* A month that cannot be built at all leaves the others alone; what the database says is everybody's trouble. */
static bool refresh_apart(cm_pg *pg, cm_instant now, const char *lane, const char *month, bool *ret_built,
                          cm_error *err)
{
    cm_period period;
    cm_error why = {0};
    bool valid = cm_period_parse(cm_slice_of(month), &period);
    cm_assert(valid);
    if (cm_store_statements_refresh(pg, now, lane, period, false, ret_built, &why))
        return true;
    if (why.class != CM_ERROR_RETRY && why.class != CM_ERROR_FATAL)
        return cm_store_trouble_save(pg, &(cm_trouble){lane, month, "", "", ""}, &why, err);
    if (err)
        *err = why;
    return false;
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
        return none.class == CM_ERROR_NOT_FOUND; /* no catalog: no run was ever started */
    }
    if (!list_stale(pg, catalog_id, lane, period ? cm_period_print(*period, month) : NULL, &rows, err))
        return false;
    bool done = true;
    for (int i = 0; done && i < cm_rows_count(rows); i++) {
        bool built;
        done = refresh_apart(pg, now, cm_rows_text(rows, i, 0), cm_rows_text(rows, i, 1), &built, err);
        *ret_built += done && built;
    }
    cm_rows_free(rows);
    return done && cm_store_corrections_refresh(pg, now, lane, period ? month : NULL, ret_built, err) &&
           cm_store_discounts_refresh(pg, lane, err);
}
