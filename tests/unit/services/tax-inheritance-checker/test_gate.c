/* TAX_HOLD (T05): what closes it, with which amount, and what opens it. Amounts: acme 10, zenith 20 and 0.5 USD. */
#include "checked.h"

#include <stdlib.h>

#define CHARGES                                                                                                        \
    "('acme', '" ACCOUNT "', 'usage', 'AmazonEC2', 1, 10), ('acme', '" ACCOUNT "', 'tax', 'AmazonEC2', 1, 2),"         \
    " ('zenith', '" OTHER "', 'usage', 'AmazonEC2', 1, 20), ('zenith', '" OTHER "', 'usage', 'AmazonS3', 1, 0.5)"

/* The gate TAX_HOLD of the customer's statement: "open ..." or "shut ..."; static. */
static const char *hold(checked *c, const char *customer)
{
    static char text[2048];
    place *p = c->place;
    size_t i;
    json_t *gate;
    char sql[256];
    *text = 0;
    refresh(p);
    snprintf(sql, sizeof sql, "SELECT document FROM statement WHERE customer = '%s'", customer);
    json_t *document = json_loads(ask(p, sql), 0, NULL);
    cr_assert(document);
    json_t *gates = cm_store_statement_gates(p->pg, p->now, document, &p->err);
    cr_assert(gates, "%s", p->err.text);
    json_array_foreach (gates, i, gate) {
        if (strcmp(json_string_value(json_object_get(gate, "code")), "TAX_HOLD") == 0)
            snprintf(text, sizeof text, "%s %s", json_is_true(json_object_get(gate, "open")) ? "open" : "shut",
                     json_string_value(json_object_get(gate, "detail")));
    }
    json_decref(gates);
    json_decref(document);
    return text;
}

static void expect(checked *c, const char *customer, const char *state, const char *words)
{
    const char *text = hold(c, customer);
    cr_assert(strncmp(text, state, 4) == 0 && strstr(text, words), "%s: wanted %s with \"%s\": %s", customer, state,
              words, text);
}

static checked *open_with_charges(void)
{
    checked *c = checked_open();
    deliver_to(c->place, ING, JUNE, "v1", true, CHARGES);
    return c;
}

Test(tax_gate, T05_closed_until_checked_then_open)
{
    checked *c = open_with_charges();
    expect(c, "acme", "shut", "payer " ING ": NOT_CHECKED of account " ACCOUNT ", 10 USD of AWS charges at risk");
    checked_round(c);
    expect(c, "acme", "open", "as the distributor requires");
    expect(c, "zenith", "open", "as the distributor requires");
    checked_close(c);
}

/* T05: only the statement of the account's owner is blocked, with its charges (20 + 0.5; tax is not taxed). */
Test(tax_gate, T02_T05_a_payee_with_its_own_number_blocks_its_statement)
{
    checked *c = open_with_charges();
    snprintf(c->other_number, sizeof c->other_number, "555");
    checked_round(c);
    expect(c, "acme", "open", "");
    expect(c, "zenith", "shut", "PAYEE_TRN_OVERRIDE of account " OTHER ", 20.5 USD of AWS charges at risk");
    expect(c, "zenith", "shut", "`curmill tax check --payer P`");
    *c->other_number = 0;
    later(c, 3600);
    checked_round(c);
    expect(c, "zenith", "open", "");
    checked_close(c);
}

/* T01: a problem of the payer blocks every statement. */
Test(tax_gate, T01_the_payers_problem_blocks_all)
{
    checked *c = open_with_charges();
    checked_catalog(c, true, "999", "");
    checked_round(c);
    expect(c, "acme", "shut", "PAYER_TRN_WRONG of account " ACCOUNT ", 10 USD");
    expect(c, "zenith", "shut", "PAYER_TRN_WRONG of account " OTHER ", 20.5 USD");
    checked_close(c);
}

/* Even if no checker is running. */
Test(tax_gate, stale_and_not_readable)
{
    checked *c = open_with_charges();
    checked_round(c);
    later(c, 2 * 86400 - 1);
    expect(c, "acme", "open", "");
    later(c, 1);
    expect(c, "acme", "shut", "STALE of account " ACCOUNT);
    cm_fail(&c->fails, CM_ERROR_RETRY, "DENIED", "tax:ListTaxRegistrations: refused");
    checked_round(c);
    expect(c, "acme", "shut",
           "NOT_READABLE of account " ACCOUNT ", 10 USD of AWS charges at risk (tax:ListTaxRegistrations: refused)");
    checked_close(c);
}

Test(tax_gate, an_account_that_aws_does_not_list)
{
    checked *c = open_with_charges();
    checked_catalog(c, true, "100",
                    "---\nkind: Customer\nid: new\nreseller: northwind\nprice_book: standard\naccounts: [{id: \"" WILD
                    "\", payer: \"" ING "\", from: 2025-01-01}]\n");
    checked_round(c);
    deliver_to(c->place, ING, JUNE, "v2", true, CHARGES ", ('new', '" WILD "', 'usage', 'AmazonEC2', 1, 7)");
    expect(c, "new", "shut", "NOT_LISTED of account " WILD ", 7 USD of AWS charges at risk");
    c->lists_wild = true;
    later(c, 3600);
    checked_round(c);
    expect(c, "new", "open", "");
    checked_close(c);
}

Test(tax_gate, billing_transfer_opens_it)
{
    checked *c = open_with_charges();
    snprintf(c->inheritance, sizeof c->inheritance, "OptOut");
    snprintf(c->transfer_to, sizeof c->transfer_to, "999988887777");
    checked_round(c);
    expect(c, "acme", "open", "");
    checked_close(c);
}

/* No check is configured: open, and it says so. T07: a model without the rule. */
Test(tax_gate, T07_not_configured_and_not_applicable)
{
    checked *c = open_with_charges();
    checked_catalog(c, false, "", "");
    expect(c, "acme", "open", "tax settings of payer " ING " are not checked");
    checked_catalog(c, false, "",
                    "---\nkind: Customer\nid: tds\nreseller: northwind\nprice_book: standard\naccounts: [{id: \"" WILD
                    "\", payer: \"" TDS "\", from: 2025-01-01}]\n");
    deliver_to(c->place, TDS, JUNE, "t1", true, "('tds', '" WILD "', 'usage', 'AmazonEC2', 1, 7)");
    expect(c, "tds", "open", "not applicable");
    checked_close(c);
}

/* An operator may override it, which stays in the audit trail. */
Test(tax_gate, T06_overridable_and_audited)
{
    checked *c = open_with_charges();
    place *p = c->place;
    snprintf(c->other_number, sizeof c->other_number, "555");
    checked_round(c);
    refresh(p);
    cr_assert_str_eq(change(p, CM_DOCUMENT_APPROVE, "zenith", NULL), "");
    cr_assert_str_eq(change(p, CM_DOCUMENT_ISSUE, "zenith", NULL), "GATES_SHUT");
    EXPECT("SELECT count(*) FROM statement WHERE state = 'issued'", "0");
    cr_assert_str_eq(change(p, CM_DOCUMENT_ISSUE, "zenith", "TAX_HOLD"), "", "%s", p->err.text);
    EXPECT("SELECT actor || ' ' || reason FROM audit WHERE action = 'statement.gate_overridden'", "maria because");
    checked_close(c);
}
