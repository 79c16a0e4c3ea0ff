/* What settles stays (statements.md section 1): a later catalog moves no settled month and makes no document in it. */
#include "place.h"

#include <stdlib.h>

#define CUSTOMERS(vat, more)                                                                                           \
    "kind: Customer\nid: acme\nname: Acme GmbH\nreseller: northwind\nprice_book: standard\n"                           \
    "tax: [{name: VAT, percent: " vat "}]\naccounts:\n  - {id: \"" ACCOUNT "\", payer: \"" TDS                         \
    "\", from: 2025-01-01}\n" more "---\n"                                                                             \
    "kind: Customer\nid: zenith\nname: Zenith\nreseller: northwind\nprice_book: standard\n"                            \
    "tax: [{name: VAT, percent: " vat "}]\n"                                                                           \
    "accounts: [{id: \"" OTHER "\", payer: \"" TDS2 "\", from: 2025-01-01}]\n"
#define CHARGE(customer)                                                                                               \
    "---\nkind: CustomCharge\nid: fee-" customer "\ncustomer: " customer                                               \
    "\nlane: tdsynnex\nname: Fee\namount: 50\ncurrency: USD\nfrom: 2025-06\n"
#define ACME(sell)   "('acme', '" ACCOUNT "', 'usage', 'AmazonEC2', 1, " sell ")"
#define ZENITH(sell) "('zenith', '" OTHER "', 'usage', 'AmazonEC2', 1, " sell ")"
#define DOCUMENTS                                                                                                         \
    "SELECT coalesce(string_agg(customer || ' ' || kind || ' ' || trim_scale(total), ', ' ORDER BY customer, kind), '') " \
    "FROM statement WHERE period = '2025-06'"

static const cm_period june = {2025, 6};

static void settle(place *p, const char *payer)
{
    MUST(cm_store_period_settle(p->pg, payer, june, p->now, "maria", "x", &p->err));
}

/* Case: June settled with a draft of 100; a catalog that makes it 150, and a fee from June on, are applied. */
Test(settled_basis, a_late_catalog_leaves_a_settled_month_alone)
{
    place *p = place_open();
    char was[CM_ID_HEX];
    place_catalog(p, CUSTOMERS("0", ""));
    deliver(p, "v1", true, ACME("100"));
    settle(p, TDS);
    snprintf(was, sizeof was, "%s", p->catalog);
    EXPECT(DOCUMENTS, "acme statement 100");

    place_catalog(p, CUSTOMERS("50", "") CHARGE("acme") CHARGE("zenith"));
    refresh(p);
    EXPECT(DOCUMENTS, "acme statement 100");
    EXPECT("SELECT catalog_id FROM statement", was);
    EXPECT("SELECT catalog_id FROM billing_period", was);

    /* Issued and closed: still nothing. */
    cr_assert_str_eq(change(p, CM_DOCUMENT_APPROVE, "acme", NULL), "");
    cr_assert_str_eq(change(p, CM_DOCUMENT_ISSUE, "acme", NULL), "");
    EXPECT("SELECT state FROM billing_period", "closed");
    MUST(cm_pg_execute(p->pg, "INSERT INTO correction_due VALUES ('tdsynnex', '2025-06')", &p->err));
    refresh(p);
    EXPECT("SELECT count(*) FROM statement", "1");

    /* A delivery for it is corrected with the same version: 40 off, without the new VAT and fee. */
    deliver(p, "v2", true, ACME("60"));
    EXPECT("SELECT string_agg(trim_scale(total)::text, ' ' ORDER BY kind) FROM statement", "-40 100");
    place_close(p);
}

Test(settled_basis, an_open_month_follows_the_catalog)
{
    place *p = place_open();
    place_catalog(p, CUSTOMERS("0", ""));
    deliver(p, "v1", true, ACME("100"));
    place_catalog(p, CUSTOMERS("50", "") CHARGE("acme"));
    refresh(p);
    EXPECT(DOCUMENTS, "acme statement 225");
    EXPECT("SELECT count(catalog_id) FROM billing_period", "0");
    place_close(p);
}

/* One payer of the lane is settled, the other is not: each customer's document rests on its own payers'. */
Test(settled_basis, payers_of_a_lane_are_settled_one_by_one)
{
    place *p = place_open();
    place_catalog(p, CUSTOMERS("0", ""));
    deliver_to(p, TDS, JUNE, "v1", true, ACME("100"));
    deliver_to(p, TDS2, JUNE, "v2", true, ZENITH("100"));
    settle(p, TDS);
    place_catalog(p, CUSTOMERS("50", "") CHARGE("acme") CHARGE("zenith"));
    refresh(p);
    EXPECT(DOCUMENTS, "acme statement 100, zenith statement 225");
    settle(p, TDS2);
    place_catalog(p, CUSTOMERS("80", ""));
    refresh(p);
    EXPECT(DOCUMENTS, "acme statement 100, zenith statement 225");
    EXPECT("SELECT count(DISTINCT catalog_id) FROM statement", "2");

    /* Reopened, it follows again. */
    const cm_period_order order = {TDS2, june, "maria", "x", false};
    MUST(cm_store_period_reopen(p->pg, p->now, &order, &p->err));
    refresh(p);
    EXPECT(DOCUMENTS, "acme statement 100, zenith statement 180");
    place_close(p);
}

/* A customer with accounts under both rests on the version that was settled. */
Test(settled_basis, the_first_settlement_counts_for_a_customer_of_two_payers)
{
    place *p = place_open();
    place_catalog(p, CUSTOMERS("0", "  - {id: \"000000000077\", payer: \"" TDS2 "\", from: 2025-01-01}\n"));
    deliver_to(p, TDS, JUNE, "v1", true, ACME("100"));
    deliver_to(p, TDS2, JUNE, "v2", true, ZENITH("100") ", ('acme', '000000000077', 'usage', 'AmazonS3', 1, 10)");
    settle(p, TDS);
    place_catalog(p, CUSTOMERS("50", "  - {id: \"000000000077\", payer: \"" TDS2 "\", from: 2025-01-01}\n"));
    refresh(p);
    EXPECT(DOCUMENTS, "acme statement 110, zenith statement 150");
    place_close(p);
}
