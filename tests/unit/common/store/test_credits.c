/* Reseller credits over months, custom charges without usage, consolidation from the database (rating.md section 5;
 * I01-I03). */
#include "place.h"

#include "store/reports/margin_store.h"

#include <stdio.h>

static const char acme[] =
    "kind: Customer\nid: acme\nname: Acme GmbH\nreseller: northwind\nprice_book: standard\n"
    "accounts: [{id: \"" ACCOUNT "\", payer: \"" TDS "\", from: 2025-01-01}]\n---\n"
    "kind: Credit\nid: welcome\ncustomer: acme\namount: 150\ncurrency: USD\nfrom: 2025-06\n---\n";

#define USE(month)                                                                                                                              \
    "SELECT coalesce(string_agg(credit || ' ' || trim_scale(amount), ','), 'none') FROM credit_use u JOIN statement s ON s.id = u.statement_id" \
    " WHERE s.period = '" month "'"
#define CHARGE(sell) "('acme', '" ACCOUNT "', 'usage', 'AmazonEC2', 1, " sell ")"

static place *with_credit(void)
{
    place *p = place_open();
    place_catalog(p, acme);
    return p;
}

/* What June uses is no longer available in July; when June's figures change, July's draft follows. */
Test(credits, balance_is_carried_over)
{
    place *p = with_credit();
    deliver_in(p, "2025-06", "june", true, CHARGE("100"));
    deliver_in(p, "2025-07", "july", true, CHARGE("100"));
    EXPECT(USE("2025-06"), "welcome 100");
    EXPECT(USE("2025-07"), "welcome 50");
    EXPECT("SELECT subtotal FROM statement WHERE period = '2025-07'", "50");
    deliver_in(p, "2025-06", "june again", true, CHARGE("30"));
    refresh(p);
    EXPECT(USE("2025-06"), "welcome 30");
    EXPECT(USE("2025-07"), "welcome 100");
    EXPECT("SELECT subtotal FROM statement WHERE period = '2025-07'", "0");
    place_close(p);
}

/* A void document uses nothing; an issued one is fixed, also for the months before it. */
Test(credits, states)
{
    place *p = with_credit();
    p->now = at("2025-08-20T00:00:00Z");
    deliver_in(p, "2025-07", "july", true, CHARGE("120"));
    EXPECT(USE("2025-07"), "welcome 120");
    const char *july = id_of(p, "period = '2025-07'");
    cr_assert_str_eq(change_id(p, CM_DOCUMENT_APPROVE, july, NULL), "");
    cr_assert_str_eq(change_id(p, CM_DOCUMENT_ISSUE, july, NULL), "");
    deliver_in(p, "2025-06", "june", true, CHARGE("100")); /* late: what July has used cannot be used again */
    EXPECT(USE("2025-06"), "welcome 30");
    EXPECT(USE("2025-07"), "welcome 120");
    cr_assert_str_eq(change_id(p, CM_DOCUMENT_VOID, id_of(p, "period = '2025-06'"), NULL), "");
    deliver_in(p, "2025-08", "august", true, CHARGE("100"));
    refresh(p);
    EXPECT(USE("2025-08"), "welcome 30");
    place_close(p);
}

/* A correction of June uses what is left of the credit, which is then used up too. */
Test(credits, corrections_use_the_balance)
{
    place *p = with_credit();
    deliver_in(p, "2025-06", "june", true, CHARGE("100"));
    cr_assert_str_eq(change(p, CM_DOCUMENT_APPROVE, "acme", NULL), "");
    cr_assert_str_eq(change(p, CM_DOCUMENT_ISSUE, "acme", NULL), "");
    cr_assert_not(deliver_in(p, "2025-06", "june late", true, CHARGE("180")));
    EXPECT("SELECT kind || ' ' || subtotal FROM statement WHERE kind <> 'statement'", "adjustment 30");
    EXPECT(
        "SELECT trim_scale(amount) FROM credit_use u JOIN statement s ON s.id = u.statement_id WHERE s.kind = 'adjustment' AND u.period = '2025-06'",
        "50");
    deliver_in(p, "2025-07", "july", true, CHARGE("10"));
    refresh(p);
    EXPECT("SELECT subtotal FROM statement WHERE period = '2025-07' AND kind = 'statement'", "10");
    place_close(p);
}

/* A credit note that gives some of the credit back is a draft, then approved, then void: until it is issued July cannot
 * use what it would give back. 150 and 30 were billed, less the credit of 150 once. */
Test(credits, what_a_draft_gives_back)
{
    place *p = with_credit();
    p->now = at("2025-09-01T00:00:00Z");
    deliver_in(p, "2025-06", "june", true, CHARGE("160"));
    cr_assert_str_eq(change(p, CM_DOCUMENT_APPROVE, "acme", NULL), "");
    cr_assert_str_eq(change(p, CM_DOCUMENT_ISSUE, "acme", NULL), "");
    EXPECT("SELECT subtotal FROM statement", "10");
    deliver_in(p, "2025-06", "june less", true, CHARGE("90"));
    EXPECT(
        "SELECT s.state || ' ' || s.subtotal || ' ' || trim_scale(u.amount) FROM statement s JOIN credit_use u ON u.statement_id = s.id"
        " WHERE s.kind <> 'statement'",
        "draft -10 -60");
    deliver_in(p, "2025-07", "july", true, CHARGE("30"));
    refresh(p);
    EXPECT("SELECT subtotal FROM statement WHERE period = '2025-07' AND kind = 'statement'", "30");
    const char *note = id_of(p, "kind <> 'statement'");
    cr_assert_str_eq(change_id(p, CM_DOCUMENT_APPROVE, note, NULL), "");
    refresh(p);
    EXPECT("SELECT subtotal FROM statement WHERE period = '2025-07' AND kind = 'statement'", "30");
    cr_assert_str_eq(change_id(p, CM_DOCUMENT_RETURN, note, NULL), "");
    refresh(p);
    const char *july = id_of(p, "period = '2025-07' AND kind = 'statement'");
    cr_assert_str_eq(change_id(p, CM_DOCUMENT_APPROVE, july, NULL), "");
    cr_assert_str_eq(change_id(p, CM_DOCUMENT_ISSUE, july, NULL), "");
    cr_assert_str_eq(change_id(p, CM_DOCUMENT_VOID, id_of(p, "kind <> 'statement'"), NULL), "");
    deliver_in(p, "2025-06", "june as before", true, CHARGE("160"));
    EXPECT("SELECT count(*) FROM statement WHERE state = 'draft'", "0");
    EXPECT("SELECT sum(subtotal) FROM statement WHERE state = 'issued'", "40");
    EXPECT(
        "SELECT trim_scale(sum(u.amount)) FROM credit_use u JOIN statement s ON s.id = u.statement_id WHERE s.state = 'issued'",
        "150");
    place_close(p);
}

/* Once it is issued, what it gave back is there for the next month. */
Test(credits, what_an_issued_correction_gives_back)
{
    place *p = with_credit();
    p->now = at("2025-09-01T00:00:00Z");
    deliver_in(p, "2025-06", "june", true, CHARGE("160"));
    cr_assert_str_eq(change(p, CM_DOCUMENT_APPROVE, "acme", NULL), "");
    cr_assert_str_eq(change(p, CM_DOCUMENT_ISSUE, "acme", NULL), "");
    deliver_in(p, "2025-06", "june less", true, CHARGE("90"));
    const char *note = id_of(p, "kind <> 'statement'");
    cr_assert_str_eq(change_id(p, CM_DOCUMENT_APPROVE, note, NULL), "");
    cr_assert_str_eq(change_id(p, CM_DOCUMENT_ISSUE, note, NULL), "");
    deliver_in(p, "2025-07", "july", true, CHARGE("100"));
    refresh(p);
    EXPECT("SELECT subtotal FROM statement WHERE period = '2025-07' AND kind = 'statement'", "40");
    place_close(p);
}

/* A customer without usage still owes its set-up fee; it is on one document, with the lane's runs. */
Test(credits, custom_charge_without_usage)
{
    place *p = place_open();
    char yaml[2000];
    snprintf(yaml, sizeof yaml,
             "%skind: Customer\nid: quiet\nreseller: northwind\nprice_book: standard\naccounts: [{id: \"" OTHER
             "\", payer: \"" TDS "\", from: 2025-01-01}]\n---\n"
             "kind: CustomCharge\nid: setup\ncustomer: quiet\namount: 12.5\ncurrency: USD\nperiod: 2025-06\n",
             acme);
    place_catalog(p, yaml);
    deliver(p, "june", true, CHARGE("100"));
    EXPECT("SELECT count(*) FROM statement", "2");
    EXPECT("SELECT subtotal || ' ' || cardinality(runs) FROM statement WHERE customer = 'quiet'", "12.5 1");
    place_close(p);
}

/* Charges of a rule with tiers are counted over the month, from the stored charges. */
Test(credits, tiers)
{
    place *p = place_open();
    place_catalog(
        p,
        "kind: Customer\nid: acme\nreseller: northwind\nprice_book: t\naccounts: [{id: \"" ACCOUNT "\", payer: \"" TDS
        "\", from: 2025-01-01}]\n---\n"
        "kind: PriceBook\nid: t\ncurrency: USD\nversions: [{effective_from: 2025-01-01, rules: ["
        "{id: rest, priority: 1, match: {class: usage}, price: {tiers: [{up_to: 10, rate: 2}, {rate: 1}], mode: graduated}},"
        "{id: all, priority: 2, match: {}, price: {pass: payer}}]}]\n");
    deliver(p, "june", true,
            "('acme', '" ACCOUNT "', 'usage', 'AmazonS3', 8, 0), ('acme', '" ACCOUNT "', 'usage', 'AmazonS3', 7, 0)");
    EXPECT("SELECT subtotal FROM statement", "25");
    place_close(p);
}

/* I01-I03: one document for each customer, or one for the reseller. */
Test(credits, consolidation)
{
    static const char *const modes[][2] = {{"end_customer", "2 15"}, {"semi", "1 15"}, {"full", "1 15"}};
    place *p = place_open();
    for (size_t m = 0; m < 3; m++) {
        char yaml[2000];
        snprintf(yaml, sizeof yaml,
                 "kind: Reseller\nid: south\nconsolidation: %s\n---\n"
                 "kind: Customer\nid: acme\nreseller: south\nprice_book: standard\naccounts: [{id: \"" ACCOUNT
                 "\", payer: \"" TDS "\", from: 2025-01-01}]\n---\n"
                 "kind: Customer\nid: bolt\nreseller: south\nprice_book: standard\naccounts: [{id: \"" OTHER
                 "\", payer: \"" TDS "\", from: 2025-01-01}]\n",
                 modes[m][0]);
        place_catalog(p, yaml);
        if (m == 0)
            deliver(p, "june", true, CHARGE("10") ", ('bolt', '" OTHER "', 'usage', 'AmazonEC2', 1, 5)");
        refresh(p);
        EXPECT("SELECT count(*) || ' ' || sum(subtotal) FROM statement", modes[m][1]);
    }
    place_close(p);
}

/* rating.md section 7: the margin of a stored document, from the runs and catalog that it was made with; not of
 * corrections. */
Test(credits, margin_of_a_document)
{
    place *p = with_credit();
    json_t *margin = NULL;
    deliver(p, "june", true, CHARGE("100"));
    MUST(cm_store_statement_margin(p->pg, id_of(p, "kind = 'statement'"), &margin, &p->err));
    cr_expect_str_eq(json_string_value(json_object_get(margin, "sell")), "0"); /* 100 and the credit */
    cr_expect_str_eq(json_string_value(json_object_get(margin, "buy")), "100");
    cr_expect_eq(json_array_size(json_object_get(margin, "rows")), 2);
    json_decref(margin);
    cr_assert_str_eq(change(p, CM_DOCUMENT_APPROVE, "acme", NULL), "");
    cr_assert_str_eq(change(p, CM_DOCUMENT_ISSUE, "acme", NULL), "");
    deliver(p, "june late", true, CHARGE("180"));
    cr_assert_not(cm_store_statement_margin(p->pg, id_of(p, "kind <> 'statement'"), &margin, &p->err));
    cr_assert_str_eq(p->err.code, "CORRECTION");
    cm_error_clear(&p->err);
    MUST(cm_store_statement_margin(p->pg, id_of(p, "kind = 'statement'"), &margin, &p->err)); /* as it was issued */
    cr_expect_str_eq(json_string_value(json_object_get(margin, "buy")), "100");
    json_decref(margin);
    place_close(p);
}
