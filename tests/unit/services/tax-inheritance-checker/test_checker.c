/* Checks, history, outbox, requests: with a database and a scripted AWS. */
#include "checked.h"

#include "tax_verdict.pb-c.h"

#include <stdio.h>
#include <stdlib.h>

#define ALL_GOOD ING " OK, " ACCOUNT " OK, " OTHER " OK"
#define WAITING  "SELECT count(*) FROM tax_outbox"

Test(checker, verdicts_are_stored_and_stable_ones_send_no_message)
{
    checked *c = checked_open();
    place *p = c->place;
    checked_round(c);
    cr_assert_str_eq(verdicts(c), ALL_GOOD);
    EXPECT(WAITING, "3");
    EXPECT("SELECT count(*) FROM tax_history", "3");
    EXPECT("SELECT invoices FROM tax_payer", "1");
    EXPECT("SELECT seen -> 'registration' ->> 'id' FROM tax_verdict WHERE account = '" ING "'", "100");
    cr_assert_eq(c->reads, 1);
    checked_round(c); /* not due */
    cr_assert_eq(c->reads, 1);
    for (int i = 2; i < 5; i++) { /* checked, nothing changed: nothing is published */
        later(c, 3600);
        checked_round(c);
        cr_assert_eq(c->reads, i);
    }
    EXPECT(WAITING, "3");
    EXPECT("SELECT count(*) FROM tax_history", "3");
    EXPECT("SELECT read_at = '2025-07-20T03:00:00Z' FROM tax_payer", "t");
    EXPECT("SELECT since = '2025-07-20T00:00:00Z' FROM tax_verdict LIMIT 1", "t");
    checked_close(c);
}

/* T02: drift is found within one interval and reported once. */
Test(checker, T02_a_payee_with_its_own_number_and_back)
{
    checked *c = checked_open();
    place *p = c->place;
    checked_round(c);
    snprintf(c->other_number, sizeof c->other_number, "555");
    later(c, 3600);
    checked_round(c);
    cr_assert_str_eq(verdicts(c), ING " OK, " ACCOUNT " OK, " OTHER " PAYEE_TRN_OVERRIDE");
    EXPECT(WAITING, "4");
    EXPECT("SELECT invoices FROM tax_payer", "2");
    EXPECT("SELECT previous || ' ' || verdict || ' ' || (seen -> 'registration' ->> 'id') FROM tax_history ORDER BY id "
           "DESC",
           "OK PAYEE_TRN_OVERRIDE 555");
    *c->other_number = 0;
    later(c, 3600);
    checked_round(c);
    cr_assert_str_eq(verdicts(c), ALL_GOOD);
    EXPECT("SELECT count(*) FROM tax_history WHERE account = '" OTHER "'", "3");
    checked_close(c);
}

Test(checker, the_message_says_what_changed)
{
    checked *c = checked_open();
    place *p = c->place;
    cm_rows *rows = NULL;
    checked_round(c);
    MUST(cm_pg_begin(p->pg, &p->err) && cm_store_tax_outbox_take(p->pg, "ingram", 2, &rows, &p->err));
    cr_assert_eq(cm_rows_count(rows), 2);
    cr_assert_str_eq(cm_rows_text(rows, 0, 1), ACCOUNT);
    const char *hex = cm_rows_text(rows, 0, 2);
    uint8_t bytes[256];
    for (size_t i = 0; i < strlen(hex) / 2; i++) {
        const char pair[3] = {hex[2 * i], hex[2 * i + 1], 0};
        bytes[i] = (uint8_t)strtoul(pair, NULL, 16);
    }
    Curmill__V1__TaxVerdict *message = curmill__v1__tax_verdict__unpack(NULL, strlen(hex) / 2, bytes);
    cr_assert(message && message->schema_version == 1);
    cr_assert_str_eq(message->payer, ING);
    cr_assert_str_eq(message->account, ACCOUNT);
    cr_assert_str_eq(message->lane, "ingram");
    cr_assert_str_eq(message->verdict, "OK");
    cr_assert_str_eq(message->previous, "");
    curmill__v1__tax_verdict__free_unpacked(message, NULL);
    MUST(cm_store_tax_outbox_published(p->pg, rows, &p->err) && cm_pg_commit(p->pg, &p->err));
    cm_rows_free(rows);
    EXPECT(WAITING, "1");
    checked_close(c);
}

/* An account that AWS no longer lists has no verdict; a record without value says so. */
Test(checker, accounts_come_and_go)
{
    checked *c = checked_open();
    place *p = c->place;
    c->lists_wild = true;
    checked_round(c);
    cr_assert_str_eq(verdicts(c), ALL_GOOD ", " WILD " OK");
    c->lists_wild = false;
    later(c, 3600);
    checked_round(c);
    cr_assert_str_eq(verdicts(c), ALL_GOOD);
    EXPECT("SELECT account || ' ' || (payload IS NULL) FROM tax_outbox ORDER BY id DESC", WILD " true");
    EXPECT("SELECT previous || '>' || verdict FROM tax_history WHERE account = '" WILD "' ORDER BY id DESC", "OK>");
    checked_close(c);
}

Test(checker, another_profile_link_or_catalog_is_checked_at_once)
{
    checked *c = checked_open();
    place *p = c->place;
    checked_round(c);
    checked_catalog(c, true, "999", ""); /* T01 */
    checked_round(c);
    cr_assert_eq(c->reads, 2);
    cr_assert_str_eq(verdicts(c), ING " PAYER_TRN_WRONG, " ACCOUNT " PAYER_TRN_WRONG, " OTHER " PAYER_TRN_WRONG");
    checked_catalog(c, true, "999",
                    "---\nkind: Customer\nid: new\nreseller: northwind\nprice_book: standard\naccounts: [{id: \"" WILD
                    "\", payer: \"" ING "\", from: 2025-01-01}]\n");
    checked_round(c);
    cr_assert_eq(c->reads, 3, "a newly linked account");
    checked_catalog(c, false, "", ""); /* it is no longer checked */
    checked_round(c);
    cr_assert_eq(c->reads, 3);
    EXPECT("SELECT count(*) FROM tax_verdict WHERE payer = '" ING "'", "0");
    EXPECT("SELECT count(*) FROM tax_payer WHERE payer = '" ING "'", "0");
    EXPECT("SELECT count(*) FROM tax_outbox WHERE payload IS NULL", "3");
    checked_close(c);
}

/* The role is gone: reported at once, for every account, and cleared automatically once it works again. */
Test(checker, not_readable_and_back)
{
    checked *c = checked_open();
    place *p = c->place;
    checked_round(c);
    cm_fail(&c->fails, CM_ERROR_RETRY, "DENIED", "tax:GetTaxInheritance: refused");
    later(c, 3600);
    checked_round(c);
    cr_assert_str_eq(verdicts(c), ING " NOT_READABLE, " ACCOUNT " NOT_READABLE, " OTHER " NOT_READABLE");
    EXPECT("SELECT detail FROM tax_verdict WHERE account = '" OTHER "'", "tax:GetTaxInheritance: refused");
    EXPECT("SELECT seen -> 'registration' ->> 'id' FROM tax_verdict WHERE account = '" ING "'", "100");
    cm_error_clear(&c->fails);
    later(c, 59);
    checked_round(c);
    cr_assert_eq(c->reads, 2, "not before retry_after");
    later(c, 1);
    checked_round(c);
    cr_assert_str_eq(verdicts(c), ALL_GOOD);
    checked_close(c);
}

/* AWS is unavailable: earlier verdicts stay; two days later they are stale. */
Test(checker, stale_after_the_allowed_age)
{
    checked *c = checked_open();
    place *p = c->place;
    checked_round(c);
    cm_fail(&c->fails, CM_ERROR_RETRY, "UNAVAILABLE", "no answer");
    later(c, 2 * 86400 - 1);
    checked_round(c);
    cr_assert_str_eq(verdicts(c), ALL_GOOD);
    EXPECT("SELECT problem FROM tax_payer WHERE payer = '" ING "'", "no answer");
    later(c, 60);
    checked_round(c);
    cr_assert_str_eq(verdicts(c), ING " STALE, " ACCOUNT " STALE, " OTHER " STALE");
    EXPECT(WAITING, "6");
    cm_error_clear(&c->fails);
    later(c, 60);
    checked_round(c);
    cr_assert_str_eq(verdicts(c), ALL_GOOD);
    checked_close(c);
}

Test(checker, never_answered)
{
    checked *c = checked_open();
    cm_fail(&c->fails, CM_ERROR_RETRY, "THROTTLED", "slow down");
    checked_round(c);
    cr_assert_str_eq(verdicts(c), ING " NOT_READABLE");
    checked_close(c);
}

Test(checker, billing_transfer)
{
    checked *c = checked_open();
    checked_round(c);
    snprintf(c->transfer_to, sizeof c->transfer_to, "999988887777");
    later(c, 3600);
    checked_round(c);
    cr_assert_str_eq(verdicts(c), ING " NOT_APPLICABLE, " ACCOUNT " NOT_APPLICABLE, " OTHER " NOT_APPLICABLE");
    checked_close(c);
}

/* T07: payers of the other model are never checked. */
Test(checker, T07_model_without_the_rule)
{
    checked *c = checked_open();
    place *p = c->place;
    c->core.lane = "tdsynnex";
    checked_round(c);
    later(c, 86400 * 10);
    checked_round(c);
    cr_assert_eq(c->reads, 0);
    EXPECT("SELECT DISTINCT verdict FROM tax_verdict", "NOT_APPLICABLE");
    EXPECT("SELECT count(*) > 0 AND count(*) = count(*) FILTER (WHERE account = payer) FROM tax_verdict", "t");
    checked_close(c);
}

/* --- orders ------------------------------------------------------------------------------------------------------ */

static const char *order(checked *c, bool fix)
{
    place *p = c->place;
    int64_t id;
    char sql[128];
    MUST(cm_store_tax_ask(p->pg, ING, "ingram", fix, "maria", "ticket 7", p->now, &id, &p->err));
    MUST(cm_checker_orders(&c->core, &p->err));
    snprintf(sql, sizeof sql,
             "SELECT state || ' ' || coalesce(result ->> 'error', '') FROM tax_request WHERE id = %lld", (long long)id);
    return ask(p, sql);
}

/* T04: an operator switches it on; the audit trail has before and after. */
Test(checker, T04_fix_is_audited)
{
    checked *c = checked_open();
    place *p = c->place;
    snprintf(c->inheritance, sizeof c->inheritance, "OptOut");
    checked_round(c);
    cr_assert_str_eq(verdicts(c), ING " INHERITANCE_OFF, " ACCOUNT " PAYEE_TRN_MISSING, " OTHER " PAYEE_TRN_MISSING");
    cr_assert_eq(c->switched, 0, "nothing is changed unless an operator asks");
    cr_assert_str_eq(order(c, false), "done ");
    cr_assert_eq(c->switched, 0);
    cr_assert_str_eq(order(c, true), "done ");
    cr_assert_eq(c->switched, 1);
    cr_assert_str_eq(verdicts(c), ALL_GOOD);
    EXPECT("SELECT string_agg(action || ' ' || actor || ' ' || reason, ', ' ORDER BY id) FROM audit WHERE object = "
           "'tax:" ING "'",
           "tax.fix_asked maria ticket 7, tax.inheritance_switched_on maria ticket 7");
    EXPECT("SELECT detail -> 'before' ->> 'inheritance' FROM audit WHERE action = 'tax.inheritance_switched_on'",
           "OptOut");
    EXPECT("SELECT (detail -> 'after' ->> 'inheritance') || ' ' || (detail -> 'after' ->> 'verdict') FROM audit WHERE "
           "action = "
           "'tax.inheritance_switched_on'",
           "OptIn OK");
    cr_assert(strstr(order(c, true), "failed payer " ING ": --fix can only fix INHERITANCE_OFF, and this payer is OK"));
    cr_assert_eq(c->switched, 1);
    checked_close(c);
}

/* Payees would inherit a wrong number. */
Test(checker, fix_is_refused_while_the_payer_is_wrong)
{
    checked *c = checked_open();
    snprintf(c->inheritance, sizeof c->inheritance, "OptOut");
    checked_catalog(c, true, "999", "");
    cr_assert(strstr(order(c, true), "this payer is PAYER_TRN_WRONG"));
    cm_fail(&c->fails, CM_ERROR_RETRY, "UNAVAILABLE", "no answer");
    cr_assert(strstr(order(c, true), "not readable now: no answer"));
    cr_assert_eq(c->switched, 0);
    checked_catalog(c, false, "", "");
    cr_assert(strstr(order(c, false), "cannot be checked: the catalog needs"));
    checked_close(c);
}
