#include "place.h"

#include "store/catalog/catalog_store.h"

#include <stdio.h>
#include <stdlib.h>

static const char customers[] =
    "kind: Customer\nid: acme\nname: Acme GmbH\nreseller: northwind\ninvoice_currency: USD\nprice_book: standard\n"
    "tax: [{name: VAT, percent: 19}]\naccounts: [{id: \"" ACCOUNT "\", payer: \"" TDS "\", from: 2025-01-01}]\n---\n"
    "kind: Customer\nid: zenith\nname: Zenith\nreseller: northwind\ninvoice_currency: USD\nprice_book: standard\n"
    "accounts: [{id: \"" OTHER "\", payer: \"" TDS "\", from: 2025-01-01}]\n";

cm_instant at(const char *text)
{
    cm_instant ret;
    cr_assert(cm_instant_parse(cm_slice_of(text), &ret), "%s", text);
    return ret;
}

void place_catalog(place *p, const char *yaml)
{
    cm_applied_catalog applied;
    json_t *canonical = test_catalog_json(yaml);
    MUST(cm_store_catalog_apply(p->pg, canonical, "test", "test", p->now, true, &applied, &p->err));
    snprintf(p->catalog, sizeof p->catalog, "%s", applied.id);
    free(applied.diff);
    json_decref(canonical);
}

place *place_open(void)
{
    place *p = cm_alloc(sizeof *p);
    int from, to;
    test_postgres_database(p->conninfo, sizeof p->conninfo);
    p->now = at("2025-07-20T00:00:00Z");
    p->pg = cm_pg_open(p->conninfo, "test", &p->err);
    cr_assert(p->pg, "%s", p->err.text);
    MUST(cm_pg_migrate(p->pg, &from, &to, &p->err));
    place_catalog(p, customers);
    return p;
}

void place_close(place *p)
{
    cm_pg_close(p->pg);
    free(p);
}

const char *ask(place *p, const char *sql)
{
    static char text[4096];
    cm_rows *rows = NULL;
    MUST(cm_pg_query(p->pg, sql, 0, NULL, &rows, &p->err));
    snprintf(text, sizeof text, "%s", cm_rows_count(rows) ? cm_rows_text(rows, 0, 0) : "(no row)");
    cm_rows_free(rows);
    return text;
}

static const char *id_from(const char *what, const char *name)
{
    static char ids[8][CM_ID_HEX];
    static int next;
    char *id = ids[next++ % 8];
    cm_digest *digest = cm_digest_new();
    cm_digest_text(digest, what);
    cm_digest_text(digest, name);
    cm_digest_finish_id(digest, id);
    return id;
}

const char *run_of(const char *name)
{
    return id_from("run", name);
}

bool deliver_to(place *p, const char *payer, const char *month, const char *name, bool final, const char *charges)
{
    const char *run = run_of(name);
    const char *lane = strcmp(payer, ING) == 0 ? "ingram" : "tdsynnex";
    const char *delivery[] = {id_from("delivery", name), payer, name, month, lane};
    const char *values[] = {run, delivery[0], p->catalog, payer, final ? "1" : "0", month, lane};
    cm_buffer sql = {0};
    bool current;
    MUST(cm_pg_query(
        p->pg,
        "INSERT INTO delivery (id, payer, lane, period, report, assembly, format, source, manifest, manifest_digest, "
        "immutable_keys, state,"
        " discovered_at) VALUES ($1, $2, $5, $4, 'r', $3, 'legacy', '{}', '', '', true, 'planned', '2025-07-01')",
        5, delivery, NULL, &p->err));
    MUST(cm_pg_query(p->pg,
                     "INSERT INTO run (id, delivery_id, catalog_id, engine_version, payer, lane, period, shards, "
                     "partitions, chunks, state, complete,"
                     " started_at) VALUES ($1, $2, $3, 'test', $4, $7, $6, 1, 1, 1, 'running', true, '2025-07-01') "
                     "RETURNING $5::text",
                     7, values, NULL, &p->err));
    MUST(cm_pg_query(p->pg, "SELECT curmill_ensure_period($1)", 1, values + 5, NULL, &p->err));
    cm_buffer_printf(
        &sql,
        "INSERT INTO charge SELECT '%s', '%s', x.customer, x.account, 'Usage', x.class, x.product, 'u', '', '', 'h', "
        "'rest', 'USD',"
        " CASE x.class WHEN 'suspended' THEN 'NO_PRICE' ELSE '' END, 1, %s, 1, 1, x.quantity, x.sell, x.sell,"
        " CASE x.class WHEN 'provider_discount' THEN 0 ELSE x.sell END, CASE x.class WHEN 'provider_discount' THEN 0 "
        "ELSE x.sell END"
        " FROM (VALUES %s) x (customer, account, class, product, quantity, sell)",
        month, run, values[4], charges);
    MUST(cm_pg_execute(p->pg, sql.data, &p->err));
    cm_buffer_free(&sql);
    MUST(cm_pg_query(p->pg,
                     "UPDATE run SET lines = c.n, final_lines = c.f, suspended_lines = c.s FROM (SELECT count(*) n, "
                     "sum(final_lines) f,"
                     " count(*) FILTER (WHERE class = 'suspended') s FROM charge WHERE run_id = $1) c WHERE id = $1",
                     1, values, NULL, &p->err));
    MUST(cm_pg_begin(p->pg, &p->err) && cm_store_run_switch(p->pg, run, p->now, "test", &current, &p->err) &&
         cm_pg_commit(p->pg, &p->err));
    refresh(p);
    return current;
}

bool deliver_in(place *p, const char *month, const char *name, bool final, const char *charges)
{
    return deliver_to(p, TDS, month, name, final, charges);
}

bool deliver(place *p, const char *name, bool final, const char *charges)
{
    return deliver_in(p, JUNE, name, final, charges);
}

void refresh(place *p)
{
    int built;
    MUST(cm_store_statements_refresh_all(p->pg, p->now, NULL, NULL, &built, &p->err));
}

const char *id_of(place *p, const char *where)
{
    static char id[CM_ID_HEX];
    char sql[512];
    snprintf(sql, sizeof sql, "SELECT count(*) FROM statement WHERE %s", where);
    EXPECT(sql, "1");
    snprintf(sql, sizeof sql, "SELECT id FROM statement WHERE %s", where);
    snprintf(id, sizeof id, "%s", ask(p, sql));
    return id;
}

const char *change_id(place *p, enum cm_document_change what, const char *id, const char *override)
{
    json_t *shut = NULL;
    const cm_document_order order = {id, what, "maria", "because", &override, override ? 1 : 0};
    cm_error_clear(&p->err);
    if (cm_store_document_change(p->pg, p->now, &order, &shut, &p->err))
        return "";
    if (shut) { /* every closed gate is named with what would open it */
        size_t i;
        json_t *gate;
        cr_assert_gt(json_array_size(shut), 0);
        json_array_foreach (shut, i, gate) {
            cr_assert(strstr(p->err.text, json_string_value(json_object_get(gate, "code"))), "%s", p->err.text);
            cr_assert_gt(json_string_length(json_object_get(gate, "detail")), 10);
        }
    }
    cr_assert_eq(shut != NULL, strcmp(p->err.code, "GATES_SHUT") == 0, "%s", p->err.text);
    json_decref(shut);
    return p->err.code;
}

const char *change(place *p, enum cm_document_change what, const char *customer, const char *override)
{
    char where[128];
    snprintf(where, sizeof where, "customer = '%s' AND kind = 'statement'", customer);
    return change_id(p, what, id_of(p, where), override);
}
