/* What changes after issue (statements.md sections 1 and 4): adjustments and credit notes. Figures by hand. */
#include "place.h"

#include <stdlib.h>

static const cm_period june = {2025, 6};

#define V1         "('acme', '" ACCOUNT "', 'usage', 'AmazonEC2', 10, 100), ('acme', '" ACCOUNT "', 'usage', 'AmazonS3', 5, 20)"
#define CORRECTION "kind <> 'statement'"

static void issue_june(place *p)
{
    cr_assert_str_eq(change(p, CM_DOCUMENT_APPROVE, "acme", NULL), "");
    cr_assert_str_eq(change(p, CM_DOCUMENT_ISSUE, "acme", NULL), "");
}

/* v3 after issue: a late credit of 30 becomes a credit note in the next open period. */
Test(corrections, a_late_credit_becomes_a_credit_note)
{
    place *p = place_open();
    deliver(p, "v1", true, V1);
    issue_june(p);
    EXPECT("SELECT state FROM billing_period", "closed");
    cr_assert_not(deliver(p, "v3", true, V1 ", ('acme', '" ACCOUNT "', 'credit', 'AmazonEC2', 1, -30)"));
    EXPECT(
        "SELECT kind || ' ' || state || ' ' || period || ' ' || subtotal || ' ' || total FROM statement WHERE " CORRECTION,
        "credit_note draft 2025-07 -30 -35.7"); /* VAT 19 % of -30: -5.70 */
    EXPECT("SELECT document::jsonb -> 'corrects' ->> 'number' FROM statement WHERE " CORRECTION,
           "northwind/A/2025/000001");
    EXPECT("SELECT jsonb_array_length(document::jsonb -> 'lines') FROM statement WHERE " CORRECTION, "1");
    EXPECT(
        "SELECT (l ->> 'class') || ' ' || (l ->> 'amount_exact') || ' ' || (l ->> 'amount') || ' ' || (l ->> 'quantity')"
        " FROM statement, jsonb_array_elements(document::jsonb -> 'lines') l WHERE " CORRECTION,
        "credit -30 -30 1");
    EXPECT("SELECT total FROM statement WHERE kind = 'statement'", "142.8"); /* 120 + 22.80, as it was issued */

    /* It is issued like any document: after July's 16th of August, from the same series. */
    const char *id = id_of(p, CORRECTION);
    cr_assert_str_eq(change_id(p, CM_DOCUMENT_APPROVE, id, NULL), "");
    cr_assert_str_eq(change_id(p, CM_DOCUMENT_ISSUE, id, NULL), "GATES_SHUT");
    cr_assert(strstr(p->err.text, "TOO_EARLY"), "%s", p->err.text);
    p->now = at("2025-08-16T00:00:00Z");
    cr_assert_str_eq(change_id(p, CM_DOCUMENT_ISSUE, id, NULL), "");
    EXPECT("SELECT number FROM statement WHERE " CORRECTION, "northwind/A/2025/000002");
    refresh(p);
    EXPECT("SELECT count(*) FROM statement", "2"); /* nothing is left to correct */
    place_close(p);
}

/* More to pay is an adjustment; a second change is computed against what has already been corrected. */
Test(corrections, each_correction_has_only_what_is_new)
{
    place *p = place_open();
    deliver(p, "v1", true, V1);
    issue_june(p);
    deliver(p, "v2", true,
            "('acme', '" ACCOUNT "', 'usage', 'AmazonEC2', 10.5, 105.005), ('acme', '" ACCOUNT
            "', 'usage', 'AmazonS3', 5, 20)");
    EXPECT("SELECT kind || ' ' || subtotal || ' ' || total FROM statement WHERE " CORRECTION,
           "adjustment 5.01 5.96"); /* 0.9519 -> 0.95 */
    EXPECT(
        "SELECT (l ->> 'quantity') || ' ' || (l ->> 'amount_exact') FROM statement, jsonb_array_elements(document::jsonb -> 'lines') l WHERE " CORRECTION,
        "0.5 5.005");
    char first[CM_ID_HEX];
    snprintf(first, sizeof first, "%s", id_of(p, CORRECTION));

    /* A draft is replaced by the next delivery, not added to. */
    deliver(p, "v3", true,
            "('acme', '" ACCOUNT "', 'usage', 'AmazonEC2', 11, 110), ('acme', '" ACCOUNT
            "', 'usage', 'AmazonS3', 5, 20)");
    EXPECT("SELECT count(*) || ' ' || min(subtotal) FROM statement WHERE " CORRECTION, "1 10");
    cr_assert_str_eq(id_of(p, CORRECTION), first);

    /* Once approved it is fixed; later changes become another one. */
    cr_assert_str_eq(change_id(p, CM_DOCUMENT_APPROVE, first, NULL), "");
    deliver(p, "v4", true,
            "('acme', '" ACCOUNT "', 'usage', 'AmazonEC2', 9, 90)"); /* S3 is gone: -20; EC2 90 - 100 - 10 = -20 */
    EXPECT("SELECT kind || ' ' || subtotal FROM statement WHERE " CORRECTION " AND state = 'draft'", "credit_note -40");
    EXPECT("SELECT sum(subtotal) FROM statement", "90");

    /* Everything is as issued and approved: no draft. */
    deliver(p, "v5", true,
            "('acme', '" ACCOUNT "', 'usage', 'AmazonEC2', 11, 110), ('acme', '" ACCOUNT
            "', 'usage', 'AmazonS3', 5, 20)");
    EXPECT("SELECT count(*) FROM statement WHERE " CORRECTION " AND state = 'draft'", "0");

    /* A returned one is rebuilt. */
    deliver(p, "v6", true, V1);
    EXPECT("SELECT subtotal FROM statement WHERE " CORRECTION " AND state = 'draft'", "-10");
    cr_assert_str_eq(change_id(p, CM_DOCUMENT_RETURN, first, NULL), "");
    refresh(p);
    EXPECT("SELECT count(*) FROM statement WHERE " CORRECTION, "0"); /* v6 is what was issued */
    place_close(p);
}

/* A correction that is void does not come back while the newest run says the same; another difference is computed from
 * what was issued, and after it the first one counts again. */
Test(corrections, void_is_waived)
{
    place *p = place_open();
    deliver(p, "v1", true, V1);
    issue_june(p);
    deliver(p, "v2", true, V1 ", ('acme', '" ACCOUNT "', 'usage', 'AmazonRDS', 1, 7)");
    cr_assert_str_eq(change_id(p, CM_DOCUMENT_VOID, id_of(p, CORRECTION), NULL), "");
    deliver(p, "v3", true, V1 ", ('acme', '" ACCOUNT "', 'usage', 'AmazonRDS', 1, 7)");
    EXPECT("SELECT count(*) || ' ' || min(state) FROM statement WHERE " CORRECTION, "1 void");
    deliver(p, "v4", true, V1 ", ('acme', '" ACCOUNT "', 'usage', 'AmazonRDS', 1, 9)");
    EXPECT("SELECT subtotal FROM statement WHERE " CORRECTION " AND state = 'draft'", "9");
    deliver(p, "v5", true, V1 ", ('acme', '" ACCOUNT "', 'usage', 'AmazonRDS', 1, 7)");
    EXPECT("SELECT subtotal FROM statement WHERE " CORRECTION " AND state = 'draft'", "7");
    place_close(p);
}

#define SAYS(figure) deliver(p, "says " figure, true, "('acme', '" ACCOUNT "', 'usage', 'AmazonEC2', 10, " figure ")")
#define VOID_IT(first, what, as_issued)                                                                                \
    do {                                                                                                               \
        SAYS(first);                                                                                                   \
        EXPECT("SELECT kind || ' ' || subtotal || ' ' || total FROM statement WHERE state = 'draft'", what);           \
        cr_assert_str_eq(change_id(p, CM_DOCUMENT_VOID, id_of(p, CORRECTION " AND state = 'draft'"), NULL), "");       \
        SAYS(as_issued);                                                                                               \
        EXPECT("SELECT count(*) FROM statement WHERE state = 'draft'", "0");                                           \
    } while (0)

/* A void credit note told nobody anything: when the month is as it was issued, there is nothing to pay. */
Test(corrections, a_void_one_was_not_told)
{
    place *p = place_open();
    SAYS("100");
    issue_june(p);
    VOID_IT("40", "credit_note -60 -71.4", "100.0");
    VOID_IT("160", "adjustment 60 71.4", "100.00");
    SAYS("300"); /* 200 off, void; then 100 off: 100 more than issued is told, not 100 less */
    cr_assert_str_eq(change_id(p, CM_DOCUMENT_VOID, id_of(p, CORRECTION " AND state = 'draft'"), NULL), "");
    SAYS("200");
    EXPECT("SELECT kind || ' ' || subtotal FROM statement WHERE state = 'draft'", "adjustment 100");
    place_close(p);
}

static void issue_correction(place *p)
{
    const char *id = id_of(p, CORRECTION " AND state = 'draft'");
    cr_assert_str_eq(change_id(p, CM_DOCUMENT_APPROVE, id, NULL), "");
    cr_assert_str_eq(change_id(p, CM_DOCUMENT_ISSUE, id, NULL), "");
}

#define PENNY(product) "('acme', '" ACCOUNT "', 'usage', '" product "', 1, 0.03)"
#define SUMS(where)    "SELECT sum(subtotal) || ' ' || sum(total) FROM statement WHERE state = 'issued'" where
#define TAX                                                                                                            \
    "SELECT sum((t ->> 'amount')::numeric) FROM statement, jsonb_array_elements(document::jsonb -> 'tax') t"           \
    " WHERE state = 'issued'"

/* 19 % of 0.03 is 0.0057, of 0.12 it is 0.0228: four times a cent given back would be more than was asked for. */
Test(corrections, taxes_add_up_to_the_month)
{
    place *p = place_open();
    p->now = at("2025-09-01T00:00:00Z");
    deliver(p, "v1", true, PENNY("A") "," PENNY("B") "," PENNY("C") "," PENNY("D"));
    issue_june(p);
    EXPECT(SUMS(), "0.12 0.14");
    deliver(p, "v2", true, PENNY("B") "," PENNY("C") "," PENNY("D"));
    issue_correction(p);
    deliver(p, "v3", true, PENNY("C") "," PENNY("D"));
    issue_correction(p);
    EXPECT(SUMS(), "0.06 0.07"); /* 0.0114 */
    deliver(p, "v4", true, PENNY("D"));
    issue_correction(p);
    deliver(p, "v5", true, "('acme', '" ACCOUNT "', 'usage', 'A', 1, 0)");
    issue_correction(p);
    EXPECT("SELECT count(*) FROM statement", "5");
    EXPECT(SUMS(), "0.00 0.00");
    EXPECT(TAX, "0.00");
    place_close(p);
}

/* Six times 0.006 more is 0.036, not six cents; a delivery that moves the month by less than a cent waits. */
Test(corrections, subtotals_add_up_to_the_month)
{
    static const struct {
        const char *figure, *drafts, *sum;
    } steps[] = {{"10.006", "1", "10.01"}, {"10.012", "0", "10.01"}, {"10.018", "1", "10.02"},
                 {"10.024", "0", "10.02"}, {"10.030", "1", "10.03"}, {"10.036", "1", "10.04"}};
    place *p = place_open();
    p->now = at("2025-09-01T00:00:00Z");
    SAYS("10");
    issue_june(p);
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        char charges[200];
        snprintf(charges, sizeof charges, "('acme', '" ACCOUNT "', 'usage', 'AmazonEC2', 10, %s)", steps[i].figure);
        deliver(p, steps[i].figure, true, charges);
        EXPECT("SELECT count(*) FROM statement WHERE state = 'draft'", steps[i].drafts);
        if (*steps[i].drafts == '1')
            issue_correction(p);
        EXPECT("SELECT sum(subtotal) FROM statement WHERE state = 'issued'", steps[i].sum);
    }
    EXPECT("SELECT count(*) FROM statement, jsonb_array_elements(document::jsonb -> 'lines') l WHERE " CORRECTION
           " GROUP BY id, subtotal HAVING sum((l ->> 'amount')::numeric) <> subtotal",
           "(no row)");
    place_close(p);
}

/* Settled, not yet issued: the settled figures are issued, then corrected. */
Test(corrections, settled_figures_are_issued_first)
{
    place *p = place_open();
    deliver(p, "v1", false, V1);
    MUST(cm_store_period_settle(p->pg, TDS, june, p->now, "maria", "x", &p->err));
    deliver(p, "v2", true,
            "('acme', '" ACCOUNT "', 'usage', 'AmazonEC2', 10, 101), ('acme', '" ACCOUNT
            "', 'usage', 'AmazonS3', 5, 20)");
    EXPECT("SELECT string_agg(kind || ' ' || subtotal, ', ') FROM statement", "statement 120");
    issue_june(p);
    refresh(p);
    EXPECT("SELECT string_agg(kind || ' ' || subtotal, ', ' ORDER BY kind DESC) FROM statement",
           "statement 120, adjustment 1");
    place_close(p);
}

/* A month of which a document is issued but others are not: its new current run corrects the issued ones and rebuilds
 * the others. */
Test(corrections, a_period_that_is_not_settled)
{
    place *p = place_open();
    deliver(p, "v1", true, V1 ", ('zenith', '" OTHER "', 'usage', 'AmazonEC2', 1, 50)");
    issue_june(p);
    EXPECT("SELECT state FROM billing_period", "final");
    cr_assert(deliver(p, "v2", true,
                      V1 ", ('acme', '" ACCOUNT "', 'credit', 'AmazonEC2', 1, -1), ('zenith', '" OTHER
                         "', 'usage', 'AmazonEC2', 1, 60)"));
    EXPECT(
        "SELECT string_agg(kind || ' ' || customer || ' ' || subtotal, ', ' ORDER BY kind DESC, customer) FROM statement",
        "statement acme 120, statement zenith 60, credit_note acme -1");
    place_close(p);
}

/* A customer whose charges come when the month is closed: all of it is an adjustment, nothing is lost. */
Test(corrections, a_new_customer)
{
    place *p = place_open();
    deliver(p, "v1", true, V1);
    issue_june(p);
    deliver(p, "v2", true, V1 ", ('zenith', '" OTHER "', 'usage', 'AmazonEC2', 1, 50)");
    EXPECT(
        "SELECT kind || ' ' || customer || ' ' || period || ' ' || subtotal || ' ' || total FROM statement WHERE " CORRECTION,
        "adjustment zenith 2025-07 50 50");
    deliver(p, "v3", true, V1 ", ('zenith', '" OTHER "', 'usage', 'AmazonEC2', 1, 51)");
    EXPECT("SELECT string_agg(kind || ' ' || subtotal, ', ') FROM statement WHERE " CORRECTION, "adjustment 51");
    deliver(p, "v4", true, V1); /* gone again: so is the draft */
    EXPECT("SELECT count(*) FROM statement WHERE " CORRECTION, "0");
    deliver(p, "v5", true, V1 ", ('zenith', '" OTHER "', 'usage', 'AmazonEC2', 1, 50)");
    cr_assert_str_eq(change_id(p, CM_DOCUMENT_APPROVE, id_of(p, CORRECTION), NULL), "");
    deliver(p, "v6", true, V1); /* approved, then gone: it is credited back */
    EXPECT("SELECT string_agg(kind || ' ' || subtotal, ', ' ORDER BY correction) FROM statement WHERE " CORRECTION,
           "adjustment 50, credit_note -50");
    deliver(p, "v7", true, V1 ", ('zenith', '" OTHER "', 'usage', 'AmazonEC2', 1, 50)");
    EXPECT("SELECT string_agg(kind || ' ' || subtotal, ', ' ORDER BY correction) FROM statement WHERE " CORRECTION,
           "adjustment 50");
    EXPECT("SELECT jsonb_typeof(document::jsonb -> 'corrects' -> 'number') FROM statement WHERE " CORRECTION, "null");
    place_close(p);
}

/* The next open period is one that is not settled. */
Test(corrections, the_next_open_period)
{
    place *p = place_open();
    deliver(p, "v1", true, V1);
    issue_june(p);
    MUST(cm_pg_execute(p->pg,
                       "INSERT INTO billing_period VALUES ('" TDS "', '2025-07', 'tdsynnex', 'settled', now(), 'x'),"
                       " ('" TDS "', '2025-08', 'tdsynnex', 'final', now(), 'x')",
                       &p->err));
    deliver(p, "v2", true, "('acme', '" ACCOUNT "', 'usage', 'AmazonEC2', 10, 100)");
    EXPECT("SELECT kind || ' ' || period FROM statement WHERE " CORRECTION, "credit_note 2025-08");
    place_close(p);
}

/* Less than a unit of the currency gives no document; nothing is lost. */
Test(corrections, less_than_a_unit_waits)
{
    place *p = place_open();
    deliver(p, "v1", true, V1);
    issue_june(p);
    deliver(p, "v2", true,
            "('acme', '" ACCOUNT "', 'usage', 'AmazonEC2', 10, 99.996), ('acme', '" ACCOUNT
            "', 'usage', 'AmazonS3', 5, 20)");
    EXPECT("SELECT count(*) FROM statement WHERE " CORRECTION, "0");
    deliver(p, "v3", true,
            "('acme', '" ACCOUNT "', 'usage', 'AmazonEC2', 10, 99.992), ('acme', '" ACCOUNT
            "', 'usage', 'AmazonS3', 5, 20)");
    EXPECT("SELECT subtotal FROM statement WHERE " CORRECTION, "-0.01");
    deliver(p, "v4", true,
            "('acme', '" ACCOUNT "', 'usage', 'AmazonEC2', 10, 99.996), ('acme', '" ACCOUNT
            "', 'usage', 'AmazonS3', 5, 20)");
    EXPECT("SELECT count(*) FROM statement WHERE " CORRECTION, "0");
    place_close(p);
}
