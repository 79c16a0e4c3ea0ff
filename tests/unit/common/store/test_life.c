/* Life cycle of documents and gates (statements.md sections 4 and 5; I09, I11, I13, O15, R06). */
#include "place.h"

#include "store/documents/shown_store.h"

#include <stdlib.h>

#define ACME "('acme', '" ACCOUNT "', 'usage', 'AmazonEC2', 1, 10)"
#define TWO  ACME ", ('zenith', '" OTHER "', 'usage', 'AmazonEC2', 1, 20)"

static json_t *gates_of(place *p, const char *customer)
{
    char sql[256];
    snprintf(sql, sizeof sql, "SELECT document FROM statement WHERE customer = '%s' AND kind = 'statement'", customer);
    json_t *document = json_loads(ask(p, sql), 0, NULL);
    cr_assert(document);
    json_t *gates = cm_store_statement_gates(p->pg, p->now, document, &p->err);
    cr_assert(gates, "%s", p->err.text);
    json_decref(document);
    return gates;
}

static const char *shut_gates(place *p, const char *customer)
{
    static char text[512];
    size_t i;
    json_t *gate, *gates = gates_of(p, customer);
    cm_buffer codes = {0};
    json_array_foreach (gates, i, gate) {
        if (!json_is_true(json_object_get(gate, "open")))
            cm_buffer_printf(&codes, "%s%s", codes.length ? " " : "", json_string_value(json_object_get(gate, "code")));
    }
    snprintf(text, sizeof text, "%s", cm_buffer_string(&codes));
    cm_buffer_free(&codes);
    json_decref(gates);
    return text;
}

Test(life, a_document_is_approved_then_issued)
{
    place *p = place_open();
    deliver(p, "v1", true, TWO);
    EXPECT("SELECT string_agg(state, ' ') FROM statement", "draft draft");
    cr_assert_str_eq(change(p, CM_DOCUMENT_ISSUE, "acme", NULL), "DOCUMENT_STATE"); /* I11: a person approves first */
    cr_assert(strstr(p->err.text, "approve"), "%s", p->err.text);
    cr_assert_str_eq(change(p, CM_DOCUMENT_RETURN, "acme", NULL), "DOCUMENT_STATE");
    cr_assert_str_eq(change(p, CM_DOCUMENT_APPROVE, "acme", NULL), "");
    EXPECT("SELECT approved_by FROM statement WHERE customer = 'acme'", "maria");
    cr_assert_str_eq(change(p, CM_DOCUMENT_APPROVE, "acme", NULL), "DOCUMENT_STATE");
    cr_assert_str_eq(change(p, CM_DOCUMENT_VOID, "acme", NULL), "DOCUMENT_STATE");
    cr_assert_str_eq(change(p, CM_DOCUMENT_ISSUE, "acme", NULL), "");
    EXPECT("SELECT number FROM statement WHERE customer = 'acme'", "northwind/A/2025/000001");
    static const enum cm_document_change all[] = {CM_DOCUMENT_APPROVE, CM_DOCUMENT_RETURN, CM_DOCUMENT_ISSUE,
                                                  CM_DOCUMENT_VOID};
    for (size_t i = 0; i < 4; i++)
        cr_assert_str_eq(change(p, all[i], "acme", NULL), "DOCUMENT_STATE");
    cr_assert_str_eq(change(p, CM_DOCUMENT_VOID, "zenith", NULL), "");
    EXPECT("SELECT string_agg(action, ' ' ORDER BY id) FROM audit WHERE starts_with(action, 'statement.')",
           "statement.approved statement.issued statement.voided");
    EXPECT("SELECT state FROM billing_period", "closed");
    EXPECT("SELECT count(*) FROM statement_outbox", "1");
    place_close(p);
}

Test(life, the_record_holds_figures_and_settings)
{
    place *p = place_open();
    char first[CM_ID_HEX];
    deliver(p, "v1", true, ACME);
    snprintf(first, sizeof first, "%s", p->catalog);
    change(p, CM_DOCUMENT_APPROVE, "acme", NULL);
    cr_assert_str_eq(change(p, CM_DOCUMENT_ISSUE, "acme", NULL), "");
    EXPECT("SELECT record::jsonb -> 'settings' ->> 'catalog' FROM statement", first);
    EXPECT("SELECT record::jsonb -> 'settings' -> 'runs' -> 0 ->> 'run' FROM statement", run_of("v1"));
    EXPECT("SELECT record::jsonb -> 'settings' -> 'parties' -> 'customers' -> 'acme' ->> 'name' FROM statement",
           "Acme GmbH");
    EXPECT("SELECT record::jsonb -> 'settings' -> 'parties' -> 'reseller' ->> 'name' FROM statement",
           "Northwind Cloud");
    EXPECT("SELECT record::jsonb -> 'issued' ->> 'by' FROM statement", "maria");
    EXPECT("SELECT record::jsonb -> 'document' ->> 'state' FROM statement", "issued");
    EXPECT("SELECT record::jsonb -> 'document' ->> 'total' FROM statement", "11.9"); /* 10 + 19 % */
    EXPECT("SELECT jsonb_array_length(record::jsonb -> 'document' -> 'gates') FROM statement", "10");

    /* No later change affects a byte of it. */
    char before[4096];
    snprintf(before, sizeof before, "%s", ask(p, "SELECT record FROM statement"));
    deliver(p, "v2", true, "('acme', '" ACCOUNT "', 'usage', 'AmazonEC2', 1, 77)");
    place_catalog(
        p,
        "kind: Customer\nid: acme\nname: Acme renamed\nreseller: northwind\ninvoice_currency: USD\nprice_book: standard\n"
        "accounts: [{id: \"" ACCOUNT "\", payer: \"" TDS "\", from: 2025-01-01}]\n");
    refresh(p);
    EXPECT("SELECT record FROM statement WHERE kind = 'statement'", before);
    json_t *again = NULL;
    MUST(cm_store_document_issued(p->pg, id_of(p, "kind = 'statement'"), &again, &p->err));
    cr_assert_str_eq(json_string_value(json_object_get(again, "total")), "11.9");
    json_decref(again);
    place_close(p);
}

Test(life, the_database_refuses_what_nobody_may_do)
{
    place *p = place_open();
    deliver(p, "v1", true, TWO);
    change(p, CM_DOCUMENT_APPROVE, "acme", NULL);
    cr_assert_not(cm_pg_execute(p->pg, "UPDATE statement SET subtotal = 0 WHERE customer = 'acme'", &p->err));
    cr_assert_not(cm_pg_execute(p->pg, "UPDATE statement SET document = '{}' WHERE customer = 'acme'", &p->err));
    cr_assert_not(cm_pg_execute(p->pg, "DELETE FROM statement WHERE customer = 'acme'", &p->err));
    change(p, CM_DOCUMENT_ISSUE, "acme", NULL);
    cr_assert_not(cm_pg_execute(p->pg, "UPDATE statement SET document = '{}' WHERE customer = 'acme'", &p->err));
    cr_assert_not(cm_pg_execute(p->pg, "UPDATE statement SET state = 'draft' WHERE customer = 'acme'", &p->err));
    cr_assert_not(cm_pg_execute(p->pg, "DELETE FROM statement WHERE customer = 'acme'", &p->err));
    cr_assert_not(cm_pg_execute(p->pg, "UPDATE statement SET state = 'issued' WHERE customer = 'zenith'", &p->err));
    cr_assert_not(cm_pg_execute(p->pg, "UPDATE audit SET reason = ''", &p->err));
    cr_assert_not(cm_pg_execute(p->pg, "DELETE FROM audit", &p->err));
    place_close(p);
}

Test(life, approved_is_frozen_until_its_figures_change)
{
    place *p = place_open();
    deliver(p, "v1", true, ACME);
    change(p, CM_DOCUMENT_APPROVE, "acme", NULL);
    cr_assert(deliver(p, "v2", true, "('acme', '" ACCOUNT "', 'usage', 'AmazonEC2', 1, 12)"));
    EXPECT("SELECT subtotal || ' ' || state || ' ' || coalesce(approved_by, '-') FROM statement", "12 draft -");
    EXPECT("SELECT actor || ': ' || (detail ->> 'total') || ' -> ' || (detail #>> '{now,total}') FROM audit WHERE "
           "action = 'statement.returned'",
           "statements: 11.9 -> 14.28");
    cr_assert_str_eq(change(p, CM_DOCUMENT_ISSUE, "acme", NULL), "DOCUMENT_STATE"); /* nobody has approved them */
    cr_assert_str_eq(change(p, CM_DOCUMENT_RETURN, "acme", NULL), "");              /* that is done already */
    change(p, CM_DOCUMENT_APPROVE, "acme", NULL);
    cr_assert_str_eq(change(p, CM_DOCUMENT_ISSUE, "acme", NULL), "");
    place_close(p);
}

/* Another delivery and another catalog with the same figures: only zenith's have changed. */
Test(life, the_same_figures_stay_approved)
{
    place *p = place_open();
    deliver(p, "v1", true, TWO);
    change(p, CM_DOCUMENT_APPROVE, "acme", NULL);
    change(p, CM_DOCUMENT_APPROVE, "zenith", NULL);
    cr_assert(deliver(p, "v2", true, ACME ", ('zenith', '" OTHER "', 'usage', 'AmazonEC2', 1, 21)"));
    EXPECT("SELECT string_agg(customer || ' ' || state || ' ' || trim_scale(total)::text, ', ' ORDER BY customer) FROM "
           "statement",
           "acme approved 11.9, zenith draft 21");
    EXPECT(
        "SELECT approved_by || ' ' || (runs = (SELECT array_agg(run_id) FROM current_run))::text FROM statement WHERE "
        "customer = 'acme'",
        "maria true");
    place_catalog(
        p,
        "kind: Customer\nid: acme\nname: Acme renamed\nreseller: northwind\ninvoice_currency: USD\nprice_book: standard\n"
        "tax: [{name: VAT, percent: 19}]\naccounts: [{id: \"" ACCOUNT "\", payer: \"" TDS
        "\", from: 2025-01-01}]\n---\n"
        "kind: Customer\nid: zenith\nname: Zenith\nreseller: northwind\ninvoice_currency: USD\nprice_book: standard\n"
        "accounts: [{id: \"" OTHER "\", payer: \"" TDS "\", from: 2025-01-01}]\n");
    refresh(p);
    EXPECT("SELECT state || ' ' || (document::jsonb #>> '{customers,0,name}') || ' ' || trim_scale(total)::text FROM "
           "statement WHERE customer = 'acme'",
           "approved Acme renamed 11.9");
    EXPECT("SELECT catalog_id FROM statement WHERE customer = 'acme'", p->catalog);
    cr_assert_str_eq(change(p, CM_DOCUMENT_ISSUE, "acme", NULL), "");
    place_close(p);
}

/* Charges that lead to another document: the approved one goes, the other is made in the same build. */
Test(life, an_approved_document_that_is_no_longer_made)
{
    place *p = place_open();
    deliver(p, "v1", true, TWO);
    change(p, CM_DOCUMENT_APPROVE, "acme", NULL);
    change(p, CM_DOCUMENT_APPROVE, "zenith", NULL);
    place_catalog(
        p, "kind: Customer\nid: acme\nname: Acme\nreseller: northwind\ninvoice_currency: EUR\nprice_book: standard\n"
           "accounts: [{id: \"" ACCOUNT "\", payer: \"" TDS "\", from: 2025-01-01}]\n---\nkind: FxRate\nid: june\nset: "
           "reseller\nfrom: USD\nto: EUR\nperiod: 2025-06\nrate: 0.9\n");
    refresh(p);
    EXPECT(
        "SELECT string_agg(customer || ' ' || state || ' ' || trim_scale(total)::text || ' ' || currency, ', ') FROM "
        "statement",
        "acme draft 9 EUR");
    place_close(p);
}

/* D9: an approval of figures that would change is worth nothing. */
Test(life, what_would_change_its_figures_forbids_to_approve)
{
    place *p = place_open();
    place_catalog(p, "kind: Customer\nid: acme\nname: Acme\nreseller: northwind\ninvoice_currency: EUR\nprice_book: "
                     "standard\naccounts: [{id: \"" ACCOUNT "\", payer: \"" TDS "\", from: 2025-01-01}]\n");
    deliver(p, "v1", false, ACME);
    cr_assert_str_eq(change(p, CM_DOCUMENT_APPROVE, "acme", NULL), "GATES_SHUT");
    cr_assert(strstr(p->err.text, "cannot be approved; blocked by: FX_MISSING"), "%s", p->err.text);
    cr_assert_not(strstr(p->err.text, "NOT_FINAL"), "%s", p->err.text);
    EXPECT("SELECT state FROM statement", "draft");
    place_close(p);
}

/* Approval and issue stand in the audit trail with their amounts, and with what was shown before if that was another.
 */
Test(life, amounts_in_the_audit_trail)
{
    place *p = place_open();
    deliver(p, "v1", true, ACME);
    cm_buffer id = {0};
    cm_buffer_printf(&id, "{%s}", id_of(p, "customer = 'acme'"));
    MUST(cm_store_documents_shown(p->pg, id.data, "{USD}", "{10}", "{11.90}", p->now, &p->err));
    deliver(p, "v2", true, "('acme', '" ACCOUNT "', 'usage', 'AmazonEC2', 1, 12)");
    change(p, CM_DOCUMENT_APPROVE, "acme", NULL);
    EXPECT("SELECT concat_ws(' ', detail ->> 'subtotal', detail ->> 'total', detail ->> 'currency', detail #>> "
           "'{shown_before,total}', detail #>> '{shown_before,at}') FROM audit WHERE action = 'statement.approved'",
           "12 14.28 USD 11.9 2025-07-20T00:00:00Z");
    MUST(cm_store_documents_shown(p->pg, id.data, "{USD}", "{12}", "{14.28}", p->now, &p->err));
    cr_assert_str_eq(change(p, CM_DOCUMENT_ISSUE, "acme", NULL), "");
    EXPECT("SELECT (detail ->> 'total') || ' ' || (detail ? 'shown_before')::text FROM audit WHERE action = "
           "'statement.issued'",
           "14.28 false");
    cm_buffer_free(&id);
    place_close(p);
}

Test(life, void_stays_void)
{
    place *p = place_open();
    deliver(p, "v1", true, ACME);
    change(p, CM_DOCUMENT_VOID, "acme", NULL);
    deliver(p, "v2", true, "('acme', '" ACCOUNT "', 'usage', 'AmazonEC2', 1, 12)");
    EXPECT("SELECT count(*) || ' ' || min(state) FROM statement", "1 void");
    place_close(p);
}

/* I13: "after the 15th" is the 16th, 00:00 UTC. */
Test(gates, too_early_until_the_16th)
{
    place *p = place_open();
    deliver(p, "v1", true, ACME);
    change(p, CM_DOCUMENT_APPROVE, "acme", NULL);
    p->now = at("2025-07-15T23:59:59Z");
    cr_assert_str_eq(change(p, CM_DOCUMENT_ISSUE, "acme", NULL), "GATES_SHUT");
    cr_assert(strstr(p->err.text, "TOO_EARLY"), "%s", p->err.text);
    EXPECT("SELECT count(*) FROM document_series", "0"); /* no number was taken */
    p->now = at("2025-07-16T00:00:00Z");
    cr_assert_str_eq(change(p, CM_DOCUMENT_ISSUE, "acme", NULL), "");
    place_close(p);
}

/* N10: settled by AWS or by an operator. */
Test(gates, not_final_opens_when_a_person_settles)
{
    place *p = place_open();
    deliver(p, "v1", false, ACME);
    cr_assert_str_eq(shut_gates(p, "acme"), "NOT_FINAL");
    MUST(cm_store_period_settle(p->pg, TDS, (cm_period){2025, 6}, p->now, "maria", "x", &p->err));
    cr_assert_str_eq(shut_gates(p, "acme"), "");
    place_close(p);
}

/* Every overridden gate stays in the audit trail, with who and why. */
Test(gates, overrides_are_audited)
{
    place *p = place_open();
    deliver(p, "v1", true, ACME ", ('', '" ACCOUNT "', 'suspended', 'Odd', 1, 3)");
    cr_assert_str_eq(shut_gates(p, "acme"), "SUSPENDED");
    change(p, CM_DOCUMENT_APPROVE, "acme", NULL);
    cr_assert_str_eq(change(p, CM_DOCUMENT_ISSUE, "acme", "TOO_EARLY"), "GATES_SHUT"); /* another gate does not help */
    cr_assert_str_eq(change(p, CM_DOCUMENT_ISSUE, "acme", "SUSPENDED"), "");
    EXPECT("SELECT count(*) FROM audit WHERE action = 'statement.gate_overridden'", "1");
    EXPECT(
        "SELECT actor || ' ' || reason || ' ' || (detail ->> 'gate') FROM audit WHERE action = 'statement.gate_overridden'",
        "maria because SUSPENDED");
    EXPECT("SELECT record::jsonb -> 'overrides' -> 0 ->> 'gate' FROM statement", "SUSPENDED");
    EXPECT(
        "SELECT g ->> 'open' FROM statement, jsonb_array_elements(record::jsonb -> 'document' -> 'gates') g WHERE g ->> 'code' = 'SUSPENDED'",
        "false");
    place_close(p);
}

Test(gates, three_gates_cannot_be_overridden)
{
    static const char *const never[] = {"RUN_INCOMPLETE", "PRICES_STALE", "FX_MISSING"};
    static const char *const may[] = {"DELIVERY_MISSING",           "NOT_FINAL",          "TOO_EARLY", "SUSPENDED",
                                      "SUPPORT_PLAN_GROUP_MISSING", "SUPPORT_PLAN_ENDED", "TAX_HOLD"};
    bool known;
    for (size_t i = 0; i < 3; i++)
        cr_assert(!cm_gate_can_be_overridden(never[i], &known) && known);
    for (size_t i = 0; i < sizeof may / sizeof *may; i++)
        cr_assert(cm_gate_can_be_overridden(may[i], &known) && known);
    cr_assert(!cm_gate_can_be_overridden("NO_SUCH", &known) && !known);

    place *p = place_open(); /* R06: without a rate the document stays in the source currency */
    place_catalog(
        p, "kind: Customer\nid: acme\nname: Acme\nreseller: northwind\ninvoice_currency: EUR\nprice_book: standard\n"
           "accounts: [{id: \"" ACCOUNT "\", payer: \"" TDS "\", from: 2025-01-01}]\n");
    deliver(p, "v1", true, ACME);
    cr_assert_str_eq(shut_gates(p, "acme"), "FX_MISSING");
    cr_assert_str_eq(change(p, CM_DOCUMENT_APPROVE, "acme", "FX_MISSING"), "GATES_SHUT");

    place_catalog(p, "kind: Customer\nid: acme\nname: Acme\nreseller: northwind\ninvoice_currency: USD\nprice_book: "
                     "standard\naccounts: [{id: \"" ACCOUNT "\", payer: \"" TDS "\", from: 2025-01-01}]\n");
    refresh(p);
    cr_assert_str_eq(change(p, CM_DOCUMENT_APPROVE, "acme", NULL), "");
    MUST(cm_pg_execute(p->pg,
                       "INSERT INTO run (id, delivery_id, catalog_id, engine_version, attempt, payer, lane, period, "
                       "shards, partitions, chunks, state, started_at) SELECT 'under way', delivery_id, catalog_id, "
                       "'test', 1, payer, lane, period, 1, 1, 1, 'running', now() FROM run",
                       &p->err));
    cr_assert_str_eq(change(p, CM_DOCUMENT_ISSUE, "acme", "RUN_INCOMPLETE"), "GATES_SHUT");
    place_close(p);
}

/* O15 */
Test(gates, support_without_a_group)
{
    place *p = place_open();
    deliver(p, "v1", true, ACME ", ('acme', '" ACCOUNT "', 'support', 'AWSSupportBusiness', 1, 5)");
    cr_assert_str_eq(shut_gates(p, "acme"), "SUPPORT_PLAN_GROUP_MISSING");
    place_close(p);
}

/* The same charges are not billed twice: another invoice currency would be a document of another id. */
Test(life, no_second_document_for_billed_charges)
{
    place *p = place_open();
    deliver(p, "v1", true, ACME);
    change(p, CM_DOCUMENT_APPROVE, "acme", NULL);
    cr_assert_str_eq(change(p, CM_DOCUMENT_ISSUE, "acme", NULL), "");
    place_catalog(
        p, "kind: Customer\nid: acme\nname: Acme\nreseller: northwind\ninvoice_currency: EUR\nprice_book: standard\n"
           "accounts: [{id: \"" ACCOUNT "\", payer: \"" TDS "\", from: 2025-01-01}]\n---\n"
           "kind: FxRate\nid: fx\nset: reseller\nfrom: USD\nto: EUR\nperiod: 2025-06\nrate: 0.9\n");
    refresh(p);
    EXPECT("SELECT string_agg(state || ' ' || currency, ', ') FROM statement", "issued USD");
    place_close(p);
}
