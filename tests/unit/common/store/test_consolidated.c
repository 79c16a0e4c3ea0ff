/* One document for all customers of a reseller (N18, I02, I03) from charges to a credit note. Figures by hand. */
#include "place.h"

#include <stdlib.h>

#define SOUTH(mode)                                                                                                    \
    "kind: Reseller\nid: south\nname: South\nconsolidation: " mode "\n---\n"                                           \
    "kind: Customer\nid: acme\nname: Acme\nreseller: south\ninvoice_currency: USD\nprice_book: standard\n"             \
    "tax: [{name: VAT, percent: 19}]\naccounts: [{id: \"" ACCOUNT "\", payer: \"" TDS "\", from: 2025-01-01}]\n---\n"  \
    "kind: Customer\nid: zenith\nname: Zenith\nreseller: south\ninvoice_currency: USD\nprice_book: standard\n"         \
    "accounts: [{id: \"" OTHER "\", payer: \"" TDS "\", from: 2025-01-01}]\n"

#define BOTH                                                                                                           \
    "('acme', '" ACCOUNT "', 'usage', 'AmazonEC2', 1, 100), ('zenith', '" OTHER "', 'usage', 'AmazonEC2', 2, 50)"

static void life_of(const char *catalog, const char *lines, const char *correction_line)
{
    place *p = place_open();
    place_catalog(p, catalog);
    deliver(p, "v1", true, BOTH);
    EXPECT("SELECT count(*) || ' ' || min(customer) || ' ' || min(customers::text) FROM statement", "1  {acme,zenith}");
    EXPECT("SELECT count(*) FROM statement WHERE customers @> ARRAY['zenith']", "1"); /* statement list --customer */
    EXPECT("SELECT subtotal || ' ' || total FROM statement", "150 169");              /* VAT only on acme's 100 */
    EXPECT("SELECT jsonb_array_length(document::jsonb -> 'lines') FROM statement", lines);

    /* A suspended amount of either customer's account blocks the document. */
    deliver(p, "v2", true, BOTH ", ('', '" OTHER "', 'suspended', 'Odd', 1, 3)");
    cr_assert_str_eq(change(p, CM_DOCUMENT_APPROVE, "", NULL), "");
    cr_assert_str_eq(change(p, CM_DOCUMENT_ISSUE, "", NULL), "GATES_SHUT");
    cr_assert(strstr(p->err.text, "SUSPENDED"), "%s", p->err.text);
    cr_assert_str_eq(change(p, CM_DOCUMENT_ISSUE, "", "SUSPENDED"), "");
    EXPECT("SELECT number FROM statement", "south/A/2025/000001");
    EXPECT("SELECT record::jsonb -> 'settings' -> 'parties' -> 'customers' -> 'zenith' ->> 'name' FROM statement",
           "Zenith");
    EXPECT("SELECT state FROM billing_period", "final"); /* the suspended money is not acknowledged */
    json_t *reasons;
    const cm_period_order order = {TDS, {2025, 6}, "maria", "x", true};
    MUST(cm_store_period_settle_order(p->pg, p->now, &order, &reasons, &p->err));
    EXPECT("SELECT state FROM billing_period", "closed");

    /* acme's usage becomes 90: -10 and 19 % of it; zenith pays no tax. */
    deliver(p, "v3", true,
            "('acme', '" ACCOUNT "', 'usage', 'AmazonEC2', 1, 90), ('zenith', '" OTHER
            "', 'usage', 'AmazonEC2', 2, 50)");
    EXPECT(
        "SELECT kind || ' ' || subtotal || ' ' || total || ' ' || customers::text FROM statement WHERE kind <> 'statement'",
        "credit_note -10 -11.9 {acme,zenith}");
    EXPECT(
        "SELECT (l ->> 'customer') || '/' || (l ->> 'account') || '/' || (l ->> 'amount') FROM statement, jsonb_array_elements(document::jsonb -> 'lines') l"
        " WHERE kind <> 'statement'",
        correction_line);
    place_close(p);
}

Test(consolidated, semi)
{
    life_of(SOUTH("semi"), "2", "acme/" ACCOUNT "/-10");
}

Test(consolidated, full)
{
    life_of(SOUTH("full"), "1", "//-10");
}

/* Another consolidation after issue gives documents with other ids: nothing is billed twice. */
Test(consolidated, mode_changed_after_issue)
{
    place *p = place_open();
    place_catalog(p, SOUTH("end_customer"));
    deliver(p, "v1", true, BOTH);
    change(p, CM_DOCUMENT_APPROVE, "acme", NULL);
    cr_assert_str_eq(change(p, CM_DOCUMENT_ISSUE, "acme", NULL), "");
    place_catalog(p, SOUTH("full"));
    refresh(p);
    EXPECT("SELECT string_agg(state || ' ' || customer, ', ') FROM statement", "issued acme");
    place_close(p);
}
