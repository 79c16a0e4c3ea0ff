/*
 * store-probe CONNINFO: closes months with nothing but PostgreSQL, for comparison with the oracle. One JSON object a
 * line on standard input, one answer a line on standard output ({} or {"error": code, "text": ...}). The database is
 * migrated first.
 *   {"do": "catalog", "folder"}                                             {"do": "refresh"}
 *   {"do": "run", "name", "payer", "lane", "period", "lines", "final_lines", "charges": [...]}     a complete run is
 * switched to
 *   {"do": "settle" | "reopen", "payer", "period"}                          what is unbilled is acknowledged
 *   {"do": "approve" | "issue" | "void", "id"}                              every gate that can be is overridden
 *   {"do": "margin", "id"}
 * All have "now".
 */
#include "billing/catalog/check/read.h"
#include "store/catalog/catalog_store.h"
#include "store/documents/document_store.h"
#include "store/documents/statement_store.h"
#include "store/reports/margin_store.h"
#include "store/runs/period_store.h"
#include "store/runs/switch.h"

#include <stdio.h>
#include <stdlib.h>

typedef struct probe {
    cm_pg *pg;
    const json_t *in;
    cm_instant now;
    char catalog[CM_ID_HEX];
    json_t *answer; /* NULL: {} */
} probe;

static const char *text_of(const probe *p, const char *key)
{
    const char *text = json_string_value(json_object_get(p->in, key));
    if (!text) {
        fprintf(stderr, "store-probe: %s is missing\n", key);
        exit(1);
    }
    return text;
}

static bool take_catalog(probe *p, cm_error *err)
{
    cm_catalog_problems problems = {0};
    cm_applied_catalog applied = {0};
    json_t *canonical = cm_catalog_read(text_of(p, "folder"), &problems, err);
    for (size_t i = 0; i < problems.count; i++)
        fprintf(stderr, "%s:%d: %s\n", problems.list[i].file, problems.list[i].line, problems.list[i].text);
    cm_catalog_problems_free(&problems);
    if (!canonical)
        return cm_fail(err, CM_ERROR_INVALID, "CATALOG", "the catalog has errors");
    bool done = cm_store_catalog_apply(p->pg, canonical, "test", "test", p->now, true, &applied, err);
    snprintf(p->catalog, sizeof p->catalog, "%s", applied.id);
    free(applied.diff);
    json_decref(canonical);
    return done;
}

static void id_of(const probe *p, const char *what, char ret[static CM_ID_HEX])
{
    cm_digest *digest = cm_digest_new();
    cm_digest_text(digest, what);
    cm_digest_text(digest, text_of(p, "name"));
    cm_digest_finish_id(digest, ret);
}

/* What ingest, rating and the writer would leave of a complete run. */
static bool store_run(probe *p, const char *run, const char *delivery, cm_error *err)
{
    char lines[24], final_lines[24];
    snprintf(lines, sizeof lines, "%lld", (long long)json_integer_value(json_object_get(p->in, "lines")));
    snprintf(final_lines, sizeof final_lines, "%lld",
             (long long)json_integer_value(json_object_get(p->in, "final_lines")));
    char *charges = json_dumps(json_object_get(p->in, "charges"), JSON_COMPACT);
    const char *payer = text_of(p, "payer"), *lane = text_of(p, "lane"), *period = text_of(p, "period");
    const char *of_delivery[] = {delivery, payer, lane, period, text_of(p, "name")};
    const char *of_run[] = {run, delivery, p->catalog, payer, lane, period, lines, final_lines};
    const char *of_charges[] = {period, run, charges};
    bool done =
        cm_pg_query(
            p->pg,
            "INSERT INTO delivery (id, payer, lane, period, report, assembly, format, source, manifest, "
            "manifest_digest, immutable_keys,"
            " state, discovered_at) VALUES ($1, $2, $3, $4, 'r', $5, 'legacy', '{}', '', '', true, 'planned', now())",
            5, of_delivery, NULL, err) &&
        cm_pg_query(p->pg,
                    "INSERT INTO run (id, delivery_id, catalog_id, engine_version, payer, lane, period, shards, "
                    "partitions, chunks, state, complete,"
                    " started_at, lines, final_lines) VALUES ($1, $2, $3, 'test', $4, $5, $6, 1, 1, 1, 'running', "
                    "true, now(), $7, $8)",
                    8, of_run, NULL, err) &&
        cm_pg_query(p->pg, "SELECT curmill_ensure_period($1)", 1, &period, NULL, err) &&
        cm_pg_query(
            p->pg,
            "INSERT INTO charge (period, run_id, customer, account, line_item_type, class, product, usage_type, "
            "operation, region, unit, rule,"
            " currency, reason, lines, final_lines, example_chunk, example_row, quantity, payer_amount, list_amount, "
            "buy_amount, sell_amount, link_from)"
            " SELECT $1, $2, customer, account, line_item_type, class, product, usage_type, operation, region, unit, "
            "rule, currency, reason,"
            " lines, 0, 1, 1, quantity, payer, list, buy, sell, coalesce(link_from, '') FROM jsonb_to_recordset($3::jsonb) x (customer text, "
            "account text,"
            " line_item_type text, class text, product text, usage_type text, operation text, region text, unit text, "
            "rule text, currency text,"
            " reason text, lines bigint, quantity numeric, payer numeric, list numeric, buy numeric, sell numeric, link_from text)",
            3, of_charges, NULL, err) &&
        cm_pg_query(p->pg,
                    "UPDATE run SET suspended_lines = (SELECT coalesce(sum(lines), 0) FROM charge WHERE run_id = $2 "
                    "AND class = 'suspended')"
                    " WHERE id = $2 AND period = $1",
                    2, of_charges, NULL, err);
    free(charges);
    return done;
}

static bool take_run(probe *p, cm_error *err)
{
    char run[CM_ID_HEX], delivery[CM_ID_HEX];
    bool current = false;
    id_of(p, "run", run);
    id_of(p, "delivery", delivery);
    bool done = cm_pg_begin(p->pg, err) && store_run(p, run, delivery, err) &&
                cm_store_run_switch(p->pg, run, p->now, "test", &current, err) && cm_pg_commit(p->pg, err);
    if (!done)
        cm_pg_rollback(p->pg);
    p->answer = json_pack("{s:s, s:b}", "run", run, "current", current);
    return done;
}

static bool change(probe *p, enum cm_document_change what, cm_error *err)
{
    static const char *const overrides[] = {"NOT_FINAL", "TOO_EARLY", "SUSPENDED", "SUPPORT_PLAN_GROUP_MISSING"};
    const cm_document_order order = {
        text_of(p, "id"), what,      "maria",
        "test",           overrides, what == CM_DOCUMENT_ISSUE ? sizeof overrides / sizeof *overrides : 0};
    json_t *shut = NULL;
    bool done = cm_store_document_change(p->pg, p->now, &order, &shut, err);
    json_decref(shut);
    return done;
}

static bool change_period(probe *p, const char *what, cm_period period, cm_error *err)
{
    const cm_period_order order = {text_of(p, "payer"), period, "maria", "test", true};
    json_t *reasons = NULL;
    bool done = strcmp(what, "reopen") == 0 ? cm_store_period_reopen(p->pg, p->now, &order, err)
                                            : cm_store_period_settle_order(p->pg, p->now, &order, &reasons, err);
    json_decref(reasons);
    return done;
}

static bool act(probe *p, cm_error *err)
{
    const char *what = text_of(p, "do");
    cm_period period;
    int built;
    if (!cm_instant_parse(cm_slice_of(text_of(p, "now")), &p->now))
        return cm_fail(err, CM_ERROR_INVALID, "NOW", "now is no instant");
    if (strcmp(what, "catalog") == 0)
        return take_catalog(p, err);
    if (strcmp(what, "run") == 0)
        return take_run(p, err);
    if (strcmp(what, "refresh") == 0)
        return cm_store_statements_refresh_all(p->pg, p->now, NULL, NULL, &built, err);
    if (strcmp(what, "settle") == 0 || strcmp(what, "reopen") == 0)
        return cm_period_parse(cm_slice_of(text_of(p, "period")), &period) && change_period(p, what, period, err);
    if (strcmp(what, "approve") == 0)
        return change(p, CM_DOCUMENT_APPROVE, err);
    if (strcmp(what, "issue") == 0)
        return change(p, CM_DOCUMENT_ISSUE, err);
    if (strcmp(what, "void") == 0)
        return change(p, CM_DOCUMENT_VOID, err);
    if (strcmp(what, "margin") == 0)
        return cm_store_statement_margin(p->pg, text_of(p, "id"), &p->answer, err);
    return cm_fail(err, CM_ERROR_INVALID, "DO", "unknown: %s", what);
}

static void answer(probe *p, bool done, const cm_error *err)
{
    if (!done) {
        json_decref(p->answer);
        p->answer = json_pack("{s:s, s:s}", "error", err->code, "text", err->text);
    }
    if (!p->answer)
        p->answer = json_object();
    json_dumpf(p->answer, stdout, JSON_COMPACT);
    fputc('\n', stdout);
    fflush(stdout);
    json_decref(p->answer);
    p->answer = NULL;
}

int main(int argc, char **argv)
{
    cm_error err = {0};
    probe p = {0};
    int from, to;
    if (argc != 2) {
        fprintf(stderr, "usage: store-probe CONNINFO < commands\n");
        return 1;
    }
    p.pg = cm_pg_open(argv[1], "store-probe", &err);
    if (!p.pg || !cm_pg_migrate(p.pg, &from, &to, &err)) {
        fprintf(stderr, "store-probe: %s\n", err.text);
        cm_pg_close(p.pg);
        return 1;
    }
    json_t *line;
    while ((line = json_loadf(stdin, JSON_DISABLE_EOF_CHECK, NULL))) {
        p.in = line;
        cm_error_clear(&err);
        answer(&p, act(&p, &err), &err);
        json_decref(line);
    }
    cm_pg_close(p.pg);
    return 0;
}
