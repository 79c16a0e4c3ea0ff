/* Which payers a document rests on (statements.md section 4), and that no other payer holds it. */
#include "place.h"

#define CUSTOMER(id, reseller)                                                                                         \
    "kind: Customer\nid: " id "\nname: " id "\nreseller: " reseller "\ninvoice_currency: USD\nprice_book: standard\n"
#define ACCOUNT_OF(account, payer) "  - {id: \"" account "\", payer: \"" payer "\", from: 2025-01-01}\n"
#define SOUTH                      "kind: Reseller\nid: south\nname: South\nconsolidation: end_customer\n---\n"
#define FEE                                                                                                            \
    "---\nkind: CustomCharge\nid: managed\nname: managed service\ncustomer: fees\nlane: tdsynnex\nfrom: 2025-06\n"     \
    "amount: 250\ncurrency: USD\n"

#define RESTS_ON(customer)                                                                                             \
    "SELECT array_to_string(payers, ' ') || ': ' || cardinality(runs) FROM statement WHERE customer = '" customer "'"

/* A customer with a link under payer TDS2 and a fixed charge, beside another one's unfinished payer TDS. */
Test(resting, a_document_of_fees_alone_rests_on_its_own_payers)
{
    place *p = place_open();
    place_catalog(p, SOUTH CUSTOMER("acme", "northwind") "accounts:\n" ACCOUNT_OF(ACCOUNT, TDS) "---\n" CUSTOMER(
                         "fees", "south") "accounts:\n" ACCOUNT_OF(OTHER, TDS2) FEE);
    deliver_to(p, TDS, JUNE, "north", false, "('acme', '" ACCOUNT "', 'usage', 'AmazonEC2', 1, 10)");
    deliver_to(p, TDS2, JUNE, "south", true, "('', '" TDS2 "', 'fee', 'AmazonEC2', 1, 0)");
    EXPECT(RESTS_ON("fees"), TDS2 ": 1");
    EXPECT(RESTS_ON("acme"), TDS ": 1");
    EXPECT("SELECT total FROM statement WHERE customer = 'fees'", "250");
    change(p, CM_DOCUMENT_APPROVE, "fees", NULL);
    cr_assert_str_eq(change(p, CM_DOCUMENT_ISSUE, "fees", NULL), ""); /* TDS has lines without an invoice id */
    EXPECT("SELECT string_agg(payer || ' ' || state, ', ' ORDER BY payer) FROM billing_period",
           TDS " estimated, " TDS2 " closed");
    place_close(p);
}

/* A customer without any account: no payer at all. */
Test(resting, fees_without_an_account_rest_on_no_payer)
{
    place *p = place_open();
    place_catalog(p, CUSTOMER("acme", "northwind") "accounts:\n" ACCOUNT_OF(ACCOUNT, TDS) "---\n" CUSTOMER(
                         "fees", "northwind") FEE);
    deliver_to(p, TDS, JUNE, "north", false, "('acme', '" ACCOUNT "', 'usage', 'AmazonEC2', 1, 10)");
    EXPECT(RESTS_ON("fees"), ": 0");
    change(p, CM_DOCUMENT_APPROVE, "fees", NULL);
    cr_assert_str_eq(change(p, CM_DOCUMENT_ISSUE, "fees", NULL), "");
    place_close(p);
}

/* Under two payers, with charges of one: the other's month counts for it too. */
Test(resting, a_linked_payer_counts_without_a_charge)
{
    place *p = place_open();
    place_catalog(p, CUSTOMER("acme", "northwind") "accounts:\n" ACCOUNT_OF(ACCOUNT, TDS) ACCOUNT_OF(OTHER, TDS2));
    deliver_to(p, TDS, JUNE, "one", true, "('acme', '" ACCOUNT "', 'usage', 'AmazonEC2', 1, 10)");
    deliver_to(p, TDS2, JUNE, "two", false, "('', '" TDS2 "', 'fee', 'AmazonEC2', 1, 0)");
    EXPECT(RESTS_ON("acme"), TDS " " TDS2 ": 2");
    change(p, CM_DOCUMENT_APPROVE, "acme", NULL);
    cr_assert_str_eq(change(p, CM_DOCUMENT_ISSUE, "acme", NULL), "GATES_SHUT");
    cr_assert(strstr(p->err.text, "NOT_FINAL"), "%s", p->err.text);
    place_close(p);
}

/* All of its charges are gone: the credit note rests on the document's payers, too. */
Test(resting, a_correction_of_a_document_without_charges)
{
    place *p = place_open();
    place_catalog(p, CUSTOMER("acme", "northwind") "accounts:\n" ACCOUNT_OF(ACCOUNT, TDS) "---\n" CUSTOMER(
                         "zenith", "northwind") "accounts:\n" ACCOUNT_OF(OTHER, TDS2));
    deliver_to(p, TDS, JUNE, "one", true, "('acme', '" ACCOUNT "', 'usage', 'AmazonEC2', 1, 10)");
    deliver_to(p, TDS2, JUNE, "two", false, "('zenith', '" OTHER "', 'usage', 'AmazonEC2', 1, 4)");
    change(p, CM_DOCUMENT_APPROVE, "acme", NULL);
    cr_assert_str_eq(change(p, CM_DOCUMENT_ISSUE, "acme", NULL), "");
    deliver_to(p, TDS, JUNE, "three", true, "('', '" TDS "', 'fee', 'AmazonEC2', 1, 0)");
    EXPECT("SELECT array_to_string(payers, ' ') || ' ' || trim_scale(total)::text || ' ' || (runs = (SELECT "
           "array_agg(run_id) FROM newest_run WHERE payer = '" TDS
           "'))::text FROM statement WHERE kind = 'credit_note'",
           TDS " -10 true");
    place_close(p);
}
