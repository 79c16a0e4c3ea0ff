/* Settling is a promise (statements.md section 1): what forbids it, the unbilled ledger, taking it back, closing. */
#include "place.h"

#include "store/ledgers/unbilled_store.h"

#define STATE "SELECT state FROM billing_period WHERE payer = '" TDS "' AND period = '" JUNE "'"
#define ACME  "('acme', '" ACCOUNT "', 'usage', 'AmazonEC2', 1, 10)"
/* An account of nobody: 7 and 5.5 of one reason, and a line that costs nothing, which is no money. */
#define NOBODY                                                                                                         \
    "('', '999900001111', 'suspended', 'AmazonEC2', 1, 7), ('', '999900001111', 'suspended', 'AmazonS3', 1, 5.5),"     \
    "('', '999900002222', 'suspended', 'AmazonS3', 1, 0)"

static const cm_period june = {2025, 6};

/* Codes of the reasons, "" if it was done. Static. */
static const char *settle(place *p, bool acknowledge)
{
    static char codes[256];
    const cm_period_order order = {TDS, june, "maria", "the mail of the 12th", acknowledge};
    json_t *reasons, *reason;
    size_t i;
    codes[0] = '\0';
    cm_error_clear(&p->err);
    if (cm_store_period_settle_order(p->pg, p->now, &order, &reasons, &p->err))
        return codes;
    if (!reasons)
        return p->err.code;
    json_array_foreach (reasons, i, reason) {
        const char *code = json_string_value(json_object_get(reason, "code"));
        snprintf(codes + strlen(codes), sizeof codes - strlen(codes), "%s%s", i ? " " : "", code);
        cr_assert(strstr(p->err.text, code), "%s", p->err.text);
    }
    json_decref(reasons);
    return codes;
}

static const char *reopen(place *p)
{
    const cm_period_order order = {TDS, june, "maria", "settled by mistake", false};
    cm_error_clear(&p->err);
    return cm_store_period_reopen(p->pg, p->now, &order, &p->err) ? "" : p->err.code;
}

static void newer_delivery(place *p, const char *state)
{
    char sql[512];
    snprintf(sql, sizeof sql,
             "INSERT INTO delivery (id, payer, lane, period, report, assembly, format, source, manifest, "
             "manifest_digest, immutable_keys, state, discovered_at, error_file, error_text) VALUES ('newer', '" TDS
             "', 'tdsynnex', '" JUNE "', 'r', 'x', 'legacy', '{}', '', '', true, '%s', now(), 'a.csv', 'cut off')",
             state);
    MUST(cm_pg_execute(p->pg, "DELETE FROM delivery WHERE id = 'newer'", &p->err));
    MUST(cm_pg_execute(p->pg, sql, &p->err));
}

Test(settling, not_while_the_month_runs)
{
    place *p = place_open();
    deliver(p, "v1", true, ACME);
    p->now = at("2025-06-30T23:59:59Z");
    cr_assert_str_eq(settle(p, true), "PERIOD_RUNNING");
    cr_assert(strstr(p->err.text, "2025-07-01T00:00:00Z"), "%s", p->err.text);
    EXPECT(STATE, "final");
    p->now = at("2025-07-01T00:00:00Z");
    cr_assert_str_eq(settle(p, false), "");
    place_close(p);
}

Test(settling, not_while_the_newest_delivery_failed_or_is_being_read)
{
    place *p = place_open();
    deliver(p, "v1", true, ACME);
    newer_delivery(p, "failed");
    cr_assert_str_eq(settle(p, true), "DELIVERY_FAILED");
    cr_assert(strstr(p->err.text, "a.csv") && strstr(p->err.text, "cut off"), "%s", p->err.text);
    newer_delivery(p, "planned");
    cr_assert_str_eq(settle(p, true), "DELIVERY_UNREAD");
    newer_delivery(p, "superseded"); /* it was older when it came */
    cr_assert_str_eq(settle(p, false), "");
    place_close(p);
}

Test(settling, every_reason_is_named)
{
    place *p = place_open();
    deliver(p, "v1", false, ACME ", " NOBODY);
    newer_delivery(p, "failed");
    MUST(cm_pg_execute(p->pg,
                       "INSERT INTO run (id, delivery_id, catalog_id, engine_version, attempt, payer, lane, period, "
                       "shards, partitions, chunks, state, started_at) SELECT 'under way', delivery_id, catalog_id, "
                       "'test', 1, payer, lane, period, 1, 1, 1, 'running', now() FROM run",
                       &p->err));
    p->now = at("2025-06-20T00:00:00Z");
    cr_assert_str_eq(settle(p, false), "PERIOD_RUNNING DELIVERY_FAILED RUN_INCOMPLETE UNBILLED");
    cr_assert(strstr(p->err.text, "999900001111: 2 lines, 12.5 USD, NO_PRICE"), "%s", p->err.text);
    cr_assert(strstr(p->err.text, "--acknowledge-unbilled"), "%s", p->err.text);
    cr_assert_not(strstr(p->err.text, "999900002222"));
    EXPECT("SELECT count(*) FROM unbilled", "0");
    place_close(p);
}

Test(settling, what_is_acknowledged_stays_in_the_ledger)
{
    place *p = place_open();
    deliver(p, "v1", true, ACME ", " NOBODY);
    cr_assert_str_eq(settle(p, false), "UNBILLED");
    cr_assert_str_eq(settle(p, true), "");
    EXPECT(STATE, "settled");
    EXPECT("SELECT string_agg(concat_ws(' ', payer, period, lane, account, reason, amount, currency, lines, state, "
           "acknowledged_by, acknowledged_reason), '; ') FROM unbilled",
           TDS " " JUNE " tdsynnex 999900001111 NO_PRICE 12.5 USD 2 open maria the mail of the 12th");
    EXPECT("SELECT detail -> 'amounts' -> 0 ->> 'amount' FROM audit WHERE action = 'unbilled.acknowledged'", "12.5");
    cr_assert_str_eq(settle(p, true), "PERIOD_STATE"); /* nothing new to acknowledge */

    char id[24];
    snprintf(id, sizeof id, "%s", ask(p, "SELECT id FROM unbilled"));
    MUST(cm_store_unbilled_write_off(p->pg, id, p->now, "paul", "below what billing it costs", &p->err));
    EXPECT("SELECT state || ' by ' || closed_by || ': ' || closed_reason FROM unbilled",
           "written_off by paul: below what billing it costs");
    EXPECT("SELECT actor || ' ' || object || ' ' || (detail ->> 'amount') FROM audit WHERE action = "
           "'unbilled.written_off'",
           "paul period:" TDS "/" JUNE " 12.5");
    cr_assert_not(cm_store_unbilled_write_off(p->pg, id, p->now, "paul", "again", &p->err));
    cr_assert_str_eq(p->err.code, "UNBILLED_STATE");
    cr_assert_not(cm_store_unbilled_write_off(p->pg, "99", p->now, "paul", "?", &p->err));
    cr_assert_eq(p->err.class, CM_ERROR_NOT_FOUND);
    place_close(p);
}

/* The account is given to a customer later: the adjustment that bills it closes the entry when it is issued. */
Test(settling, what_is_billed_later_leaves_the_ledger)
{
    place *p = place_open();
    deliver(p, "v1", true, ACME ", " NOBODY);
    cr_assert_str_eq(settle(p, true), "");
    deliver(p, "v2", true,
            ACME ", ('zenith', '999900001111', 'usage', 'AmazonEC2', 1, 7), ('zenith', '999900001111', 'usage', "
                 "'AmazonS3', 1, 5.5)");
    p->now = at("2025-08-20T00:00:00Z");
    cr_assert_str_eq(change_id(p, CM_DOCUMENT_APPROVE, id_of(p, "kind = 'adjustment'"), NULL), "");
    EXPECT("SELECT state FROM unbilled", "open"); /* a document that is not issued bills nothing */
    cr_assert_str_eq(change_id(p, CM_DOCUMENT_ISSUE, id_of(p, "kind = 'adjustment'"), NULL), "");
    EXPECT("SELECT u.state || ' ' || s.total FROM unbilled u JOIN statement s ON s.id = u.statement_id", "billed 12.5");
    place_close(p);
}

/* More than was acknowledged, by a correction: the period stays open for the person who acknowledges that too. */
Test(settling, a_period_closes_when_nothing_unbilled_is_unacknowledged)
{
    place *p = place_open();
    deliver(p, "v1", true, ACME ", " NOBODY); /* final by its invoice ids, but not all of it is billed */
    change(p, CM_DOCUMENT_APPROVE, "acme", NULL);
    cr_assert_str_eq(change(p, CM_DOCUMENT_ISSUE, "acme", NULL), "");
    EXPECT(STATE, "final");
    cr_assert_str_eq(settle(p, true), "");
    EXPECT(STATE, "closed");
    EXPECT("SELECT string_agg(action, ' ' ORDER BY id) FROM audit WHERE action IN ('period.settled', "
           "'unbilled.acknowledged', 'period.closed')",
           "period.settled unbilled.acknowledged period.closed");
    deliver(p, "v2", true, ACME ", " NOBODY ", ('', '999900001111', 'suspended', 'AmazonRDS', 1, 2)");
    cr_assert_str_eq(settle(p, false), "PERIOD_STATE");
    cr_assert_str_eq(settle(p, true), "");
    EXPECT("SELECT string_agg(trim_scale(amount)::text, ' ' ORDER BY id) FROM unbilled", "12.5 2");
    place_close(p);
}

Test(settling, reopening_takes_all_of_it_back)
{
    place *p = place_open();
    cr_assert_str_eq(reopen(p), "PERIOD_STATE");
    deliver(p, "v1", true, ACME ", " NOBODY);
    cr_assert_str_eq(settle(p, true), "");
    change(p, CM_DOCUMENT_APPROVE, "acme", NULL);
    /* late: acme has 3 more, and zenith, which had no document, an adjustment */
    deliver(p, "v2", false,
            "('acme', '" ACCOUNT "', 'usage', 'AmazonEC2', 1, 13), ('zenith', '" OTHER "', 'usage', 'AmazonS3', 1, 4)");
    EXPECT("SELECT string_agg(kind || ' ' || state || ' ' || trim_scale(total)::text, ', ' ORDER BY kind) FROM "
           "statement",
           "adjustment draft 4, statement approved 11.9");
    cr_assert_str_eq(change_id(p, CM_DOCUMENT_APPROVE, id_of(p, "kind = 'adjustment'"), NULL), "");
    cr_assert_str_eq(reopen(p), "");
    EXPECT(STATE, "estimated"); /* of the newest run */
    EXPECT("SELECT run_id FROM current_run", run_of("v2"));
    EXPECT("SELECT count(*) FROM correction_run", "0");
    EXPECT("SELECT count(*) FROM unbilled", "0");
    EXPECT("SELECT detail #>> '{amounts,0,amount}' FROM audit WHERE action = 'unbilled.taken_back'", "12.5");
    EXPECT("SELECT actor || ': ' || reason || ', ' || (detail ->> 'from') FROM audit WHERE action = 'period.reopened'",
           "maria: settled by mistake, settled");
    change(p, CM_DOCUMENT_RETURN, "acme", NULL);
    refresh(p);
    /* acme's figures are the newest again; what was an adjustment is zenith's own document */
    EXPECT("SELECT string_agg(customer || ' ' || kind || ' ' || state || ' ' || trim_scale(total)::text, ', ' ORDER BY "
           "customer) FROM statement",
           "acme statement draft 15.47, zenith statement draft 4");
    deliver(p, "v3", true, ACME); /* current again, no correction */
    EXPECT("SELECT run_id FROM current_run", run_of("v3"));
    place_close(p);
}

Test(settling, what_is_issued_is_not_reopened)
{
    place *p = place_open();
    deliver(p, "v1", true, ACME ", ('zenith', '" OTHER "', 'usage', 'AmazonS3', 1, 4)");
    cr_assert_str_eq(settle(p, true), "");
    change(p, CM_DOCUMENT_APPROVE, "acme", NULL);
    change(p, CM_DOCUMENT_ISSUE, "acme", NULL);
    cr_assert_str_eq(reopen(p), "ISSUED");
    cr_assert(strstr(p->err.text, "northwind/A/2025/000001"), "%s", p->err.text);
    EXPECT(STATE, "settled");
    place_close(p);
}
