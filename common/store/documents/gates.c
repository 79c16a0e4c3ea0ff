/*
 * What must hold before a document may be issued (statements.md section 5). Computed when a draft or approved document
 * is read, from the current runs and the catalog that the document was made with. A correction uses the newest runs of
 * the month that it corrects; only its date (TOO_EARLY) is that of its own month. TAX_HOLD: tax_gate.c.
 */
#include "base/json/json.h"
#include "billing/statement/statement.h"
#include "platform/postgres/array.h"
#include "store/catalog/link_store.h"
#include "store/documents/statement_store.h"
#include "store/documents/support_gates.h"
#include "store/runs/period_store.h"
#include "store/runs/stale.h"
#include "store/tax/tax_store.h"

#include <stdlib.h>

typedef struct gating {
    cm_pg *pg;
    cm_instant now;
    const json_t *document;
    const char *id, *lane, *month, *currency;
    const char *runs_of; /* relation of the runs that count: current_run, newest_run */
    const json_t *customers;
    cm_buffer customer_ids;             /* array literal */
    cm_period period, own_period;       /* of the charges, of the document */
    char source[16], fx_id[256], *runs; /* of the stored statement */
    const cm_catalog *catalog;
    json_t *gates;
} gating;

static void gate(const gating *g, const char *code, bool open, const char *detail)
{
    json_array_append_new(g->gates, json_pack("{s:s, s:b, s:s}", "code", code, "open", (int)open, "detail", detail));
}

/* $1 lane, $2 period, $3 customers, $4 source currency. `sql` has one %s: the runs that count. */
static bool ask(const gating *g, const char *sql, int count, cm_rows **ret, cm_error *err)
{
    const char *values[] = {g->lane, g->month, g->customer_ids.data, g->source};
    cm_buffer text = {0};
    const char *place = strstr(sql, "%s");
    cm_assert(place);
    cm_buffer_append(&text, sql, (size_t)(place - sql));
    cm_buffer_text(&text, g->runs_of);
    cm_buffer_text(&text, place + 2);
    bool done = cm_pg_query(g->pg, cm_buffer_string(&text), count, values, ret, err);
    cm_buffer_free(&text);
    return done;
}

/* --- the statement's row and its catalog ------------------------------------------------------------------------- */

/* One snapshot is cached, because the documents of a list were made with the same one. A connection has one thread, and
 * so does this cache. Payers without a run in the document use their present links: an account of the customer may be
 * under one of them. */
static const cm_catalog *snapshot_of(const gating *g, const char *id, cm_error *err)
{
    static _Thread_local cm_catalog *kept;
    static _Thread_local cm_buffer kept_links;
    cm_buffer links = {0};
    if (!cm_store_links_of_runs(g->pg, g->runs, g->lane, &links, err))
        return NULL;
    bool same =
        kept && strcmp(kept->id, id) == 0 && strcmp(cm_buffer_string(&kept_links), cm_buffer_string(&links)) == 0;
    cm_catalog *loaded;
    if (same || !cm_store_snapshot_load(g->pg, id, cm_buffer_string(&links), &loaded, err)) {
        cm_buffer_free(&links);
        return same ? kept : NULL;
    }
    cm_catalog_free(kept);
    cm_buffer_free(&kept_links);
    kept = loaded;
    kept_links = links;
    return kept;
}

static bool read_document(gating *g, cm_error *err)
{
    size_t i;
    json_t *customer;
    const json_t *corrects = json_object_get(g->document, "corrects");
    g->id = cm_json_member_text(g->document, "id");
    g->lane = cm_json_member_text(g->document, "lane");
    g->month = corrects ? cm_json_member_text(corrects, "period") : cm_json_member_text(g->document, "period");
    g->runs_of = corrects ? "newest_run" : "current_run";
    g->currency = cm_json_member_text(g->document, "currency");
    g->customers = json_object_get(g->document, "customers");
    json_array_foreach (g->customers, i, customer)
        cm_array_text(&g->customer_ids, cm_json_member_text(customer, "id"));
    cm_array_end(&g->customer_ids);
    return (cm_period_parse(cm_slice_of(g->month), &g->period) &&
            cm_period_parse(cm_slice_of(cm_json_member_text(g->document, "period")), &g->own_period)) ||
           cm_fail(err, CM_ERROR_BUG, "DOCUMENT", "document %s has no period", g->id);
}

static bool load_row(gating *g, cm_error *err)
{
    cm_rows *rows = NULL;
    if (!cm_pg_query(g->pg, "SELECT catalog_id, source_currency, fx_id, runs FROM statement WHERE id = $1", 1,
                     (const char *[]){g->id}, &rows, err))
        return false;
    bool found = cm_rows_count(rows) == 1;
    if (found) {
        snprintf(g->source, sizeof g->source, "%s", cm_rows_text(rows, 0, 1));
        snprintf(g->fx_id, sizeof g->fx_id, "%s", cm_rows_text(rows, 0, 2));
        g->runs = cm_strdup(cm_rows_text(rows, 0, 3));
        g->catalog = snapshot_of(g, cm_rows_text(rows, 0, 0), err);
    } else {
        cm_fail(err, CM_ERROR_NOT_FOUND, "NO_STATEMENT", "statement %s no longer exists; see `curmill statement list`",
                g->id);
    }
    cm_rows_free(rows);
    return found && g->catalog;
}

/* One of the document's customers? */
static bool is_customer(const gating *g, const char *customer)
{
    for (size_t i = 0; i < json_array_size(g->customers); i++) {
        if (strcmp(cm_json_member_text(json_array_get(g->customers, i), "id"), customer) == 0)
            return true;
    }
    return false;
}

/* --- RUN_INCOMPLETE, NOT_FINAL, TOO_EARLY ------------------------------------------------------------------------ */

/* The payers that the customers have accounts under in the period, as an array literal for SQL. `reporting`: only those
 * that a report of the month comes for. */
static void payers_of_customers(const gating *g, bool reporting, cm_buffer *ret)
{
    for (size_t i = 0; i < g->catalog->payer_count; i++) {
        const cm_payer *payer = &g->catalog->payers[i];
        bool linked = false;
        for (size_t l = 0; !linked && l < g->catalog->link_count; l++) {
            const cm_link *link = &g->catalog->links[l];
            linked = strcmp(link->payer, payer->id) == 0 && link->from < cm_period_end(g->period) &&
                     link->to > cm_period_start(g->period) && is_customer(g, link->customer->id);
        }
        if (linked && strcmp(payer->lane, g->lane) == 0 && (!reporting || cm_payer_reports(payer, g->period)))
            cm_buffer_printf(ret, "%s%s", ret->length ? "," : "{", payer->id);
    }
    cm_buffer_text(ret, ret->length ? "}" : "{}");
}

/* Runs of the document that are no longer current: newer runs have overtaken an approved document. Drafts are rebuilt
 * automatically. */
static bool overtaken(const gating *g, cm_buffer *detail, cm_error *err)
{
    const char *values[] = {g->runs, g->month};
    cm_rows *rows = NULL;
    char sql[256];
    snprintf(sql, sizeof sql,
             "SELECT x.id FROM unnest($1::text[]) x (id) WHERE NOT EXISTS (SELECT FROM %s WHERE run_id = x.id AND "
             "period = $2)",
             g->runs_of);
    if (!cm_pg_query(g->pg, sql, 2, values, &rows, err))
        return false;
    if (cm_rows_count(rows))
        cm_buffer_printf(
            detail,
            "%smade from run %s, which a newer run has replaced: `curmill statement return DOCUMENT --by WHO` makes it "
            "a draft again; then approve it again",
            detail->length ? "; " : "", cm_rows_text(rows, 0, 0));
    cm_rows_free(rows);
    return true;
}

/* Closed while a payer's delivery has no complete run, while a newer run is under way or was stopped (unless the period
 * is settled: newer runs become corrections), and while the document was made from runs that are no longer current. */
static bool run_incomplete(const gating *g, cm_error *err)
{
    cm_buffer payers = {0}, detail = {0};
    payers_of_customers(g, false, &payers);
    const char *values[] = {g->month, payers.data};
    cm_rows *rows = NULL;
    bool done = cm_pg_query(
        g->pg,
        "SELECT p.payer, c.run_id IS NULL AND EXISTS (SELECT FROM delivery WHERE payer = p.payer AND period = $1),"
        " (SELECT r.id || ' is ' || r.state || CASE r.state WHEN 'held' THEN ', because its delivery shrank: accept or dismiss '"
        " || r.delivery_id || ' (`curmill delivery list`)' ELSE '' END FROM run r JOIN delivery d ON d.id = r.delivery_id"
        "   WHERE r.payer = p.payer AND r.period = $1 AND r.state IN ('running', 'held', 'stopped')"
        "   AND coalesce(b.state, 'open') NOT IN ('settled', 'closed')"
        "   AND (cr.id IS NULL OR (d.seq, r.seq) > (cd.seq, cr.seq)) ORDER BY d.seq DESC, r.seq DESC LIMIT 1)"
        " FROM unnest($2::text[]) p (payer) LEFT JOIN current_run c ON c.payer = p.payer AND c.period = $1"
        " LEFT JOIN billing_period b ON b.payer = p.payer AND b.period = $1"
        " LEFT JOIN run cr ON cr.id = c.run_id LEFT JOIN delivery cd ON cd.id = cr.delivery_id ORDER BY p.payer",
        2, values, &rows, err);
    for (int i = 0; done && i < cm_rows_count(rows); i++) {
        const char *payer = cm_rows_text(rows, i, 0);
        if (!cm_rows_null(rows, i, 2))
            cm_buffer_printf(&detail, "%spayer %s: run %s", detail.length ? "; " : "", payer, cm_rows_text(rows, i, 2));
        else if (cm_rows_bool(rows, i, 1))
            cm_buffer_printf(&detail,
                             "%spayer %s has no complete run; see `curmill delivery list --payer %s --period %s`",
                             detail.length ? "; " : "", payer, payer, g->month);
    }
    done = done && overtaken(g, &detail, err);
    if (done)
        gate(g, "RUN_INCOMPLETE", detail.length == 0,
             detail.length ? detail.data : "the current run of every payer is complete");
    cm_rows_free(rows);
    cm_buffer_free(&payers);
    cm_buffer_free(&detail);
    return done;
}

/* A payer that reports the month has no run that counts: what its lines would add to the document is not there. */
static bool delivery_missing(const gating *g, cm_error *err)
{
    cm_buffer payers = {0}, detail = {0};
    payers_of_customers(g, true, &payers);
    cm_rows *rows = NULL;
    bool done =
        cm_pg_query(g->pg,
                    "SELECT p.payer FROM unnest($2::text[]) p (payer) WHERE NOT EXISTS (SELECT FROM current_run "
                    "WHERE payer = p.payer AND period = $1) ORDER BY p.payer",
                    2, (const char *[]){g->month, payers.data}, &rows, err);
    for (int i = 0; done && i < cm_rows_count(rows); i++)
        cm_buffer_printf(&detail,
                         "%spayer %s, under which its customers have accounts, has no complete delivery for %s",
                         detail.length ? "; " : "", cm_rows_text(rows, i, 0), g->month);
    if (detail.length)
        cm_buffer_printf(&detail,
                         "; opens when it is delivered (`curmill delivery list --period %s`), or when the catalog says "
                         "that none comes: `reports: {from: MONTH}` or `none: true` of the Payer",
                         g->month);
    if (done)
        gate(g, "DELIVERY_MISSING", detail.length == 0,
             detail.length ? detail.data : "every payer of its customers has delivered");
    cm_rows_free(rows);
    cm_buffer_free(&payers);
    cm_buffer_free(&detail);
    return done;
}

/* N10: final because AWS says so (invoice ids), or because an operator settled the period. */
static bool not_final(const gating *g, cm_error *err)
{
    const char *values[] = {g->runs};
    cm_rows *rows = NULL;
    if (!cm_pg_query(
            g->pg,
            "SELECT r.payer, r.lines - r.final_lines, coalesce(b.state, 'open') IN ('settled', 'closed'), b.changed_by "
            "FROM run r"
            " LEFT JOIN billing_period b ON b.payer = r.payer AND b.period = r.period WHERE r.id = ANY ($1::text[])"
            " AND r.lines <> r.final_lines ORDER BY r.payer",
            1, values, &rows, err))
        return false;
    cm_buffer shut = {0}, settled = {0};
    for (int i = 0; i < cm_rows_count(rows); i++) {
        const char *payer = cm_rows_text(rows, i, 0);
        if (cm_rows_bool(rows, i, 2))
            cm_buffer_printf(&settled, "; the period of payer %s is settled", payer);
        else
            cm_buffer_printf(&shut, "%spayer %s: %s lines without an invoice id", shut.length ? "; " : "", payer,
                             cm_rows_text(rows, i, 1));
    }
    if (shut.length)
        cm_buffer_printf(&shut,
                         "; opens with the final delivery of AWS, or when somebody settles the period: `curmill period "
                         "settle --payer PAYER --period %s --by WHO --reason TEXT`",
                         g->month);
    bool open = shut.length == 0;
    gate(g, "NOT_FINAL", open, !open ? shut.data : settled.length ? settled.data + 2 : "every line has an invoice id");
    cm_buffer_free(&shut);
    cm_buffer_free(&settled);
    cm_rows_free(rows);
    return true;
}

/* N09, I13: nothing is invoiced before the 15th of the next month has passed. */
static void too_early(const gating *g)
{
    char at[CM_INSTANT_TEXT], detail[96];
    cm_instant opens = cm_period_earliest_issue(g->own_period);
    snprintf(detail, sizeof detail, "%s %s", g->now >= opens ? "open since" : "opens at", cm_instant_print(opens, at));
    gate(g, "TOO_EARLY", g->now >= opens, detail);
}

/* --- PRICES_STALE ------------------------------------------------------------------------------------------------ */

static bool prices_stale(const gating *g, cm_error *err)
{
    cm_buffer detail = {0};
    bool done = cm_store_runs_stale(g->pg, g->runs, g->now, &detail, err);
    if (done)
        gate(g, "PRICES_STALE", detail.length == 0,
             detail.length ? detail.data : "every run has the prices that are in force for its month");
    cm_buffer_free(&detail);
    return done;
}

/* --- SUSPENDED, SUPPORT_PLAN_GROUP_MISSING, SUPPORT_PLAN_ENDED --------------------------------------------------- */

static bool is_linked(const gating *g, const char *payer, const char *account)
{
    for (size_t i = 0; i < json_array_size(g->customers); i++) {
        if (cm_link_of_month(g->catalog, payer, account, cm_json_member_text(json_array_get(g->customers, i), "id"),
                             g->period))
            return true;
    }
    return false;
}

/* Suspended charges of the customers' accounts: accounts with charges of theirs, or linked to them in the period. */
static bool suspended(const gating *g, cm_error *err)
{
    cm_rows *rows = NULL;
    if (!ask(
            g,
            "SELECT r.payer, s.account, s.reason, sum(s.lines + s.derived_lines), trim_scale(sum(s.payer_amount)), s.currency,"
            " EXISTS (SELECT FROM charge h WHERE h.period = $2 AND h.run_id = s.run_id AND h.customer = ANY "
            "($3::text[]) AND h.account = s.account"
            "   AND h.class <> 'suspended')"
            " FROM %s c JOIN run r ON r.id = c.run_id JOIN charge s ON s.period = $2 AND s.run_id = r.id AND s.class "
            "= 'suspended'"
            " WHERE c.lane = $1 AND c.period = $2 AND (r.suspended_lines > 0 OR r.derived_lines > 0) GROUP BY s.run_id, r.payer, s.account, "
            "s.reason, s.currency"
            " ORDER BY r.payer, s.account, s.reason, s.currency",
            3, &rows, err))
        return false;
    cm_buffer detail = {0};
    for (int i = 0; i < cm_rows_count(rows); i++) {
        const char *payer = cm_rows_text(rows, i, 0), *account = cm_rows_text(rows, i, 1);
        if (!cm_rows_bool(rows, i, 6) && !is_linked(g, payer, account))
            continue;
        cm_buffer_printf(&detail, "%saccount %s: %s lines, %s %s, %s", detail.length ? "; " : "", account,
                         cm_rows_text(rows, i, 3), cm_rows_text(rows, i, 4), cm_rows_text(rows, i, 5),
                         cm_rows_text(rows, i, 2));
    }
    bool open = detail.length == 0;
    if (!open)
        cm_buffer_text(&detail, "; fix the cause, see `curmill suspended list`");
    gate(g, "SUSPENDED", open, open ? "no line of this customer's accounts is suspended" : detail.data);
    cm_buffer_free(&detail);
    cm_rows_free(rows);
    return true;
}

/* O15, R05; rating.md section 6. */
static bool support_gates(const gating *g, cm_error *err)
{
    const cm_support_gate ask_for = {g->catalog, g->lane,    g->month, g->customer_ids.data,
                                     g->source,  g->runs_of, g->period};
    cm_buffer missing = {0}, ended = {0};
    bool has_groups, has_prices;
    bool done = cm_store_support_group_missing(g->pg, &ask_for, &has_groups, &missing, err) &&
                cm_store_support_plan_ended(g->pg, &ask_for, &has_prices, &ended, err);
    if (done) {
        gate(g, "SUPPORT_PLAN_GROUP_MISSING", has_groups, cm_buffer_string(&missing));
        gate(g, "SUPPORT_PLAN_ENDED", has_prices, cm_buffer_string(&ended));
    }
    cm_buffer_free(&missing);
    cm_buffer_free(&ended);
    return done;
}

/* --- TAX_HOLD ---------------------------------------------------------------------------------------------------- */

static bool tax_hold(const gating *g, cm_error *err)
{
    const cm_tax_gate ask_for = {g->catalog, g->lane, g->month, g->customer_ids.data, g->source, g->runs_of, g->now};
    cm_buffer detail = {0};
    bool open, done = cm_store_tax_hold(g->pg, &ask_for, &open, &detail, err);
    if (done)
        gate(g, "TAX_HOLD", open, cm_buffer_string(&detail));
    cm_buffer_free(&detail);
    return done;
}

/* --- FX_MISSING -------------------------------------------------------------------------------------------------- */

static bool fx_used(const gating *g, const char *rate, cm_error *err)
{
    char detail[512];
    cm_rows *rows = NULL;
    if (!cm_pg_query(g->pg,
                     "SELECT set_by, to_char(set_at, 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') FROM fx_rate_set"
                     " WHERE fx_id = $1 AND rate = $2::numeric AND period = $3",
                     3, (const char *[]){g->fx_id, rate, g->month}, &rows, err))
        return false;
    if (cm_rows_count(rows))
        snprintf(detail, sizeof detail, "1 %s = %s %s, rate %s, set by %s at %s", g->source, rate, g->currency,
                 g->fx_id, cm_rows_text(rows, 0, 0), cm_rows_text(rows, 0, 1));
    else
        snprintf(detail, sizeof detail, "1 %s = %s %s, rate %s", g->source, rate, g->currency, g->fx_id);
    cm_rows_free(rows);
    gate(g, "FX_MISSING", true, detail);
    return true;
}

/* R06-R08, O03. */
static bool fx_missing(const gating *g, cm_error *err)
{
    char detail[512];
    const char *rate = json_string_value(json_object_get(g->document, "rate"));
    if (rate && *g->fx_id)
        return fx_used(g, rate, err);
    if (rate) {
        snprintf(detail, sizeof detail, "nothing to convert; the charges are in %s", g->currency);
    } else {
        const cm_customer *customer =
            cm_catalog_customer(g->catalog, cm_json_member_text(json_array_get(g->customers, 0), "id"));
        snprintf(detail, sizeof detail, "add an FxRate (set: reseller) from %s to %s for %s to the catalog", g->source,
                 customer ? cm_customer_terms_in(customer, g->period)->invoice_currency : "the invoice currency",
                 g->month);
    }
    gate(g, "FX_MISSING", rate != NULL, detail);
    return true;
}

/* --- settled months ---------------------------------------------------------------------------------------------- */

/* What only the catalog can open stays shut in a settled month, whatever is applied: its settlement comes first. */
static bool tell_settled(const gating *g, cm_error *err)
{
    static const char *const codes[] = {"SUPPORT_PLAN_GROUP_MISSING", "SUPPORT_PLAN_ENDED", "FX_MISSING"};
    const char *values[] = {g->runs};
    cm_rows *rows = NULL;
    size_t i;
    json_t *one;
    if (json_object_get(g->document, "corrects"))
        return true;
    if (!cm_pg_query(g->pg,
                     "SELECT r.payer FROM run r JOIN billing_period b ON b.payer = r.payer AND b.period = r.period"
                     " WHERE r.id = ANY ($1::text[]) AND b.state = 'settled' ORDER BY r.payer LIMIT 1",
                     1, values, &rows, err))
        return false;
    json_array_foreach (g->gates, i, one) {
        bool by_catalog = false;
        for (size_t k = 0; k < sizeof codes / sizeof *codes; k++)
            by_catalog = by_catalog || strcmp(cm_json_member_text(one, "code"), codes[k]) == 0;
        if (!cm_rows_count(rows) || !by_catalog || json_is_true(json_object_get(one, "open")))
            continue;
        cm_buffer detail = {0};
        cm_buffer_printf(&detail,
                         "%s; the month is settled and keeps its catalog version, so take the settlement back first: "
                         "`curmill period reopen --payer %s --period %s --by WHO --reason TEXT`",
                         cm_json_member_text(one, "detail"), cm_rows_text(rows, 0, 0), g->month);
        json_object_set_new(one, "detail", json_string(detail.data));
        cm_buffer_free(&detail);
    }
    cm_rows_free(rows);
    return true;
}

json_t *cm_store_statement_gates(cm_pg *pg, cm_instant now, const json_t *document, cm_error *err)
{
    gating g = {.pg = pg, .now = now, .document = document, .gates = json_array()};
    const char *state = cm_json_member_text(document, "state");
    if (strcmp(state, "draft") != 0 && strcmp(state, "approved") != 0)
        return g.gates; /* these gates no longer apply */
    bool done = read_document(&g, err) && load_row(&g, err) && run_incomplete(&g, err) && delivery_missing(&g, err) &&
                prices_stale(&g, err) && not_final(&g, err);
    if (done) {
        too_early(&g);
        done = suspended(&g, err) && support_gates(&g, err) && tax_hold(&g, err) && fx_missing(&g, err) &&
               tell_settled(&g, err);
    }
    cm_buffer_free(&g.customer_ids);
    free(g.runs);
    if (done)
        return g.gates;
    json_decref(g.gates);
    return NULL;
}
