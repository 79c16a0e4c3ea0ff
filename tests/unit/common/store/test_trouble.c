/* One customer's trouble stops that customer's document, with its reason; everything else goes on (statements.md 4). */
#include "place.h"

#define BIG          "170000000000000000000" /* two of them are more than an amount can hold */
#define ZENITH(sell) "('zenith', '" OTHER "', 'usage', 'AmazonEC2', 1, " sell ")"
#define ACME(sell)   "('acme', '" ACCOUNT "', 'usage', 'AmazonEC2', 1, " sell ")"
#define TROUBLE                                                                                                        \
    "SELECT string_agg(period || ' ' || reseller || ' ' || customer || ' ' || code, ', ' ORDER BY period, customer)"   \
    " FROM statement_trouble"

Test(trouble, stops_one_document_only)
{
    place *p = place_open();
    p->now = at("2025-09-01T00:00:00Z");
    deliver_in(p, "2025-06", "june", true, ACME("10"));
    cr_assert_str_eq(change(p, CM_DOCUMENT_APPROVE, "acme", NULL), "");
    cr_assert_str_eq(change(p, CM_DOCUMENT_ISSUE, "acme", NULL), "");
    deliver_in(p, "2025-07", "july", true, ACME(BIG) "," ACME(BIG) "," ZENITH("12.34"));
    EXPECT("SELECT string_agg(customer || ' ' || subtotal, ', ') FROM statement WHERE period = '2025-07'",
           "zenith 12.34");
    EXPECT(TROUBLE, "2025-07 northwind acme OVERFLOW");
    cr_assert(strstr(ask(p, "SELECT reason FROM statement_trouble"), "AmazonEC2"));
    const char *zenith = id_of(p, "customer = 'zenith'");
    cr_assert_str_eq(change_id(p, CM_DOCUMENT_APPROVE, zenith, NULL), "");
    cr_assert_str_eq(change_id(p, CM_DOCUMENT_ISSUE, zenith, NULL), "");
    EXPECT("SELECT state FROM billing_period WHERE period = '2025-07'", "final"); /* acme's document is not there yet */
    deliver_in(p, "2025-07", "july good", true, ACME("20") "," ZENITH("12.34"));
    EXPECT("SELECT count(*) FROM statement_trouble", "0");
    EXPECT(
        "SELECT string_agg(customer || ' ' || subtotal, ', ' ORDER BY customer) FROM statement WHERE period = '2025-07'",
        "acme 20, zenith 12.34");
    place_close(p);
}

/* The sums are not known: nothing is given back. Others are corrected. */
Test(trouble, is_no_reason_for_a_credit_note)
{
    place *p = place_open();
    deliver(p, "june", true, ACME("10") "," ZENITH("10"));
    static const char *const customers[] = {"acme", "zenith"};
    for (int i = 0; i < 2; i++) {
        cr_assert_str_eq(change(p, CM_DOCUMENT_APPROVE, customers[i], NULL), "");
        cr_assert_str_eq(change(p, CM_DOCUMENT_ISSUE, customers[i], NULL), "");
    }
    deliver(p, "june late", true, ACME(BIG) "," ACME(BIG) "," ZENITH("12"));
    EXPECT("SELECT string_agg(customer || ' ' || subtotal, ', ') FROM statement WHERE kind <> 'statement'", "zenith 2");
    EXPECT(TROUBLE, "2025-06 northwind acme OVERFLOW");
    deliver(p, "june good", true, ACME("11") "," ZENITH("12"));
    EXPECT(
        "SELECT string_agg(customer || ' ' || subtotal, ', ' ORDER BY customer) FROM statement WHERE kind <> 'statement'",
        "acme 1, zenith 2");
    EXPECT("SELECT count(*) FROM statement_trouble", "0");
    place_close(p);
}

/* Two accounts whose quantities nearly cancel: the shares fit, so nothing is refused. */
Test(trouble, tiers_that_nearly_cancel)
{
    place *p = place_open();
    place_catalog(
        p,
        "kind: Customer\nid: acme\nreseller: northwind\nprice_book: t\naccounts: [{id: \"" ACCOUNT "\", payer: \"" TDS
        "\", from: 2025-01-01}, {id: \"" OTHER "\", payer: \"" TDS "\", from: 2025-01-01}]\n---\n"
        "kind: PriceBook\nid: t\ncurrency: USD\nversions: [{effective_from: 2025-01-01, rules: ["
        "{id: rest, priority: 1, match: {class: usage}, price: {tiers: [{up_to: 10, rate: 2}, {rate: 1}], mode: graduated, over: customer}},"
        "{id: all, priority: 2, match: {}, price: {pass: payer}}]}]\n");
    deliver(p, "june", true,
            "('acme', '" ACCOUNT "', 'usage', 'AmazonS3', 20000000000, 0), ('acme', '" OTHER
            "', 'usage', 'AmazonS3', -19999999999.9999999999, 0)");
    EXPECT("SELECT count(*) FROM statement_trouble", "0");
    /* 0.0000000001 at 2: of it the first account has 20,000,000,000 / 0.0000000001 times as much */
    EXPECT(
        "SELECT string_agg(l ->> 'amount_exact', ' ' ORDER BY l ->> 'account') FROM statement, jsonb_array_elements(document::jsonb -> 'lines') l",
        "40000000000 -39999999999.9999999998");
    EXPECT("SELECT subtotal FROM statement", "0");
    place_close(p);
}
