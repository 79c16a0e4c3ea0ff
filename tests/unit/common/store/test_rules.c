/* Rules of documents (rules.md, N09) that no other test of the store names: when, how often, in which form, who may
 * see what was done. */
#include "place.h"

#include "store/documents/document_outbox.h"

#include "store/runs/run_store.h"

#include <stdlib.h>

#define JULY   "2025-07"
#define ACME   "('acme', '" ACCOUNT "', 'usage', 'AmazonEC2', 1, 10)"
#define ZENITH "('zenith', '" OTHER "', 'usage', 'AmazonEC2', 1, 20)"
#define PARTIES                                                                                                        \
    "kind: Customer\nid: acme\nname: Acme GmbH\nreseller: %s\ninvoice_currency: USD\nprice_book: standard\n"           \
    "accounts: [{id: \"" ACCOUNT "\", payer: \"" TDS "\", from: 2025-01-01}]\n---\n"                                   \
    "kind: Customer\nid: zenith\nname: Zenith\nreseller: %s\ninvoice_currency: USD\nprice_book: standard\n"            \
    "accounts: [{id: \"" OTHER "\", payer: \"" TDS "\", from: 2025-01-01}]\n"

static void issue(place *p, const char *customer)
{
    cr_assert_str_eq(change(p, CM_DOCUMENT_APPROVE, customer, NULL), "");
    cr_assert_str_eq(change(p, CM_DOCUMENT_ISSUE, customer, NULL), "", "%s", p->err.text);
}

/* N09, I13: all invoicing is issued after the 15th of the following month: not in its last microsecond, and at once
 * when it is over. It cannot be bypassed without an explicit override, and an override is recorded forever. */
Test(rules, N09_I13_issued_after_the_15th)
{
    place *p = place_open();
    deliver(p, "v1", true, ACME ", " ZENITH);
    cr_assert_str_eq(change(p, CM_DOCUMENT_APPROVE, "acme", NULL), "");
    p->now = at("2025-07-15T23:59:59.999999Z");
    cr_assert_str_eq(change(p, CM_DOCUMENT_ISSUE, "acme", NULL), "GATES_SHUT");
    cr_assert(strstr(p->err.text, "TOO_EARLY"), "%s", p->err.text);
    EXPECT("SELECT count(*) FROM statement WHERE number IS NOT NULL", "0");
    p->now = at("2025-07-16T00:00:00Z");
    cr_assert_str_eq(change(p, CM_DOCUMENT_ISSUE, "acme", NULL), "");
    p->now = at("2025-07-10T00:00:00Z");
    cr_assert_str_eq(change(p, CM_DOCUMENT_APPROVE, "zenith", NULL), "");
    cr_assert_str_eq(change(p, CM_DOCUMENT_ISSUE, "zenith", "TOO_EARLY"), "");
    EXPECT("SELECT actor || ' ' || reason FROM audit WHERE action = 'statement.gate_overridden' AND detail ->> 'gate' "
           "= 'TOO_EARLY'",
           "maria because");
    place_close(p);
}

/* I06: what is issued is a billing statement, not a demand for payment: it has exactly these keys, and none says how or
 * by when to pay. */
Test(rules, I06_a_statement_asks_for_no_payment)
{
    place *p = place_open();
    deliver(p, "june", true, ACME);
    issue(p, "acme");
    EXPECT("SELECT kind || ' ' || (record::jsonb -> 'document' ->> 'kind') FROM statement", "statement statement");
    EXPECT("SELECT string_agg(k, ' ' ORDER BY k) FROM statement, jsonb_object_keys(record::jsonb -> 'document') k",
           "currency customers gates id kind lane lines number period rate reseller state subtotal tax total");
    place_close(p);
}

/* I07, N13: each month one statement, on the usage of that month alone. */
Test(rules, I07_each_month_on_its_own_usage)
{
    place *p = place_open();
    deliver(p, "june", true, ACME);
    deliver_in(p, JULY, "july", true,
               "('acme', '" ACCOUNT "', 'usage', 'AmazonEC2', 1, 7), ('acme', '" ACCOUNT
               "', 'usage', 'AmazonS3', 1, 2)");
    EXPECT("SELECT string_agg(period || ' ' || subtotal, ', ' ORDER BY period) FROM statement",
           "2025-06 10, 2025-07 9");
    deliver(p, "june2", true, "('acme', '" ACCOUNT "', 'usage', 'AmazonEC2', 1, 11)");
    EXPECT("SELECT string_agg(period || ' ' || subtotal, ', ' ORDER BY period) FROM statement",
           "2025-06 11, 2025-07 9");
    p->now = at("2025-08-15T00:00:00Z"); /* July's is not made before July's time, June's is */
    issue(p, "acme' AND period = '2025-06");
    cr_assert_str_eq(change(p, CM_DOCUMENT_APPROVE, "acme' AND period = '2025-07", NULL), "");
    cr_assert_str_eq(change(p, CM_DOCUMENT_ISSUE, "acme' AND period = '2025-07", NULL), "GATES_SHUT");
    place_close(p);
}

static void place_format(place *p, const char *mode)
{
    cm_buffer yaml = {0};
    cm_buffer_printf(&yaml, "kind: Reseller\nid: south\nname: South\nconsolidation: %s\n---\n", mode);
    cm_buffer_printf(&yaml, PARTIES, "south", "south");
    place_catalog(p, yaml.data);
    cm_buffer_free(&yaml);
}

/* I05: the layout of a reseller's statements changes only with a catalog version, which records who, when, why and
 * what; existing statements do not change and are not billed again in the new layout; the next month uses it. */
Test(rules, I05_a_change_of_layout_is_audited_and_applies_from_then_on)
{
    place *p = place_open();
    place_format(p, "end_customer");
    deliver(p, "june", true, ACME ", " ZENITH);
    issue(p, "acme");
    issue(p, "zenith");
    char before[64];
    snprintf(before, sizeof before, "%s", ask(p, "SELECT md5(string_agg(record, ' ' ORDER BY id)) FROM statement"));
    place_format(p, "semi");
    refresh(p);
    EXPECT("SELECT md5(string_agg(record, ' ' ORDER BY id)) FROM statement", before);
    EXPECT("SELECT count(*) FROM statement", "2");
    deliver_in(p, JULY, "july", true, ACME ", " ZENITH);
    EXPECT("SELECT string_agg(period || ' ' || cardinality(customers) || ' ' || subtotal, ', ' ORDER BY period, "
           "customer) FROM statement",
           "2025-06 1 10, 2025-06 1 20, 2025-07 2 30");
    EXPECT("SELECT actor || ' ' || reason FROM audit WHERE action = 'catalog.applied' ORDER BY id DESC LIMIT 1",
           "test test");
    EXPECT("SELECT applied_by || ' ' || (diff LIKE '%consolidation%end_customer%semi%') FROM catalog_activation ORDER "
           "BY seq DESC LIMIT 1",
           "test true");
    place_close(p);
}

/* I15: how a statement is delivered (by mail or e-mail) is for the reseller's own systems: every issued document is
 * published on the topic statement.issued, at least once: it waits until the broker has acknowledged it. */
Test(rules, I15_issued_documents_are_handed_over)
{
    place *p = place_open();
    cm_rows *rows = NULL;
    deliver(p, "june", true, ACME ", " ZENITH);
    issue(p, "acme");
    for (int round = 0; round < 2; round++) { /* the first publisher dies before the broker has answered */
        MUST(cm_pg_begin(p->pg, &p->err) && cm_store_outbox_take(p->pg, "tdsynnex", 10, &rows, &p->err));
        cr_assert_eq(cm_rows_count(rows), 1);
        cr_assert_str_eq(cm_rows_text(rows, 0, 1), id_of(p, "customer = 'acme'"));
        cr_assert_gt(strlen(cm_rows_text(rows, 0, 2)), 100);
        if (round == 0)
            cm_pg_rollback(p->pg);
        else
            MUST(cm_store_outbox_published(p->pg, rows, p->now, &p->err) && cm_pg_commit(p->pg, &p->err));
        cm_rows_free(rows);
    }
    issue(p, "zenith");
    MUST(cm_pg_begin(p->pg, &p->err) && cm_store_outbox_take(p->pg, "tdsynnex", 10, &rows, &p->err));
    cr_assert_eq(cm_rows_count(rows), 1);
    cr_assert_str_eq(cm_rows_text(rows, 0, 1), id_of(p, "customer = 'zenith'"));
    cm_rows_free(rows);
    cm_pg_rollback(p->pg);
    place_close(p);
}

/* I17, I18: what was done to a document and to a period is kept forever, with who and why, and its present state is
 * visible. */
Test(rules, I17_I18_history_and_state)
{
    place *p = place_open();
    deliver(p, "june", false, ACME);
    char object[64];
    snprintf(object, sizeof object, "statement:%s", id_of(p, "customer = 'acme'"));
    cr_assert_str_eq(change(p, CM_DOCUMENT_APPROVE, "acme", NULL), "");
    cr_assert_str_eq(change(p, CM_DOCUMENT_RETURN, "acme", NULL), "");
    cr_assert_str_eq(change(p, CM_DOCUMENT_APPROVE, "acme", NULL), "");
    cr_assert_str_eq(change(p, CM_DOCUMENT_ISSUE, "acme", "NOT_FINAL"), "");
    char sql[512];
    snprintf(sql, sizeof sql,
             "SELECT string_agg(actor || ' ' || action, ', ' ORDER BY id) FROM audit WHERE object = '%s'", object);
    EXPECT(sql, "maria statement.approved, maria statement.returned, maria statement.approved, maria "
                "statement.gate_overridden, maria statement.issued");
    snprintf(sql, sizeof sql,
             "SELECT string_agg((detail ->> 'from') || '>' || (detail ->> 'to'), ' ' ORDER BY id) FROM audit WHERE "
             "object = '%s' AND detail ? 'to'",
             object);
    EXPECT(sql, "draft>approved approved>draft draft>approved approved>issued");
    MUST(cm_store_period_settle(p->pg, TDS, (cm_period){2025, 6}, p->now, "maria", "mail of July 12th", &p->err));
    EXPECT("SELECT state || ' ' || changed_by || ', ' || reason FROM billing_period",
           "closed maria, all of its documents are issued or void");
    EXPECT(
        "SELECT string_agg((detail ->> 'from') || '>' || (detail ->> 'to') || ' ' || reason, ', ' ORDER BY id) FROM "
        "audit WHERE starts_with(object, 'period:')",
        "open>estimated , estimated>settled mail of July 12th, settled>closed all of its documents are issued or void");
    cr_assert_not(cm_pg_execute(p->pg, "UPDATE audit SET actor = 'nobody'", &p->err));
    cm_error_clear(&p->err);
    cr_assert_not(cm_pg_execute(p->pg, "DELETE FROM audit", &p->err));
    place_close(p);
}

/* R06: a rate is entered by a person for one month: who set it and when is recorded, and last month's is never used for
 * this one. */
Test(rules, R06_who_set_the_rate_and_none_that_is_stale)
{
    place *p = place_open();
    cm_buffer yaml = {0};
    cm_buffer_text(
        &yaml,
        "kind: FxRate\nid: may\nset: reseller\nfrom: USD\nto: EUR\nperiod: 2025-05\nrate: 0.8\n---\n"
        "kind: Customer\nid: acme\nname: Acme GmbH\nreseller: northwind\ninvoice_currency: EUR\nprice_book: standard\n"
        "accounts: [{id: \"" ACCOUNT "\", payer: \"" TDS "\", from: 2025-01-01}]\n");
    place_catalog(p, yaml.data);
    deliver(p, "june", true, ACME);
    cr_assert_str_eq(change(p, CM_DOCUMENT_APPROVE, "acme", NULL), "GATES_SHUT");
    cr_assert(strstr(p->err.text, "FX_MISSING"), "%s", p->err.text);
    EXPECT("SELECT currency || ' ' || subtotal || ' ' || state FROM statement", "USD 10 draft");
    cm_buffer_text(&yaml,
                   "---\nkind: FxRate\nid: june\nset: reseller\nfrom: USD\nto: EUR\nperiod: 2025-06\nrate: 0.9\n");
    p->now = at("2025-07-21T08:00:00Z");
    place_catalog(p, yaml.data);
    refresh(p);
    issue(p, "acme");
    EXPECT("SELECT string_agg(fx_id || ' ' || rate || ' ' || set_by || ' ' || to_char(set_at, 'MM-DD HH24'), ', ' "
           "ORDER BY fx_id) FROM fx_rate_set",
           "june 0.9 test 07-21 08, may 0.8 test 07-20 00");
    EXPECT("SELECT (f ->> 'rate') || ' ' || (f ->> 'set_by') || ' ' || (f ->> 'set_at') FROM statement, LATERAL "
           "(SELECT record::jsonb -> 'settings' -> 'fx') x (f)",
           "0.9 test 2025-07-21T08:00:00Z");
    cm_buffer_free(&yaml);
    place_close(p);
}
