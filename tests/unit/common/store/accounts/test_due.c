/* What the calendar and the payer model require: reminders, gates, duties, the gap (N01, N07, N11, N23, O05,
 * O28-O34). */
#include "desk.h"

#include "store/accounts/offboarding_store.h"

#include <stdio.h>

static int due(place *p)
{
    int done;
    cm_error_clear(&p->err);
    MUST(cm_store_requests_due(p->pg, "tdsynnex", p->now, "org-linker", &done, &p->err));
    return done;
}

static int64_t invited(place *p)
{
    cm_request_order order = desk_order();
    int64_t id = desk_create(p, &order);
    p->now = at("2024-02-15T10:00:00Z");
    cr_assert_str_eq(desk_step(p, id, CM_LINK_APPROVE), "");
    cr_assert_str_eq(
        desk_cause(
            p, id, 2,
            (cm_link_cause){.event = CM_LINK_INVITE, .aws_at = at("2024-03-01T10:00:00Z"), .handshake = "h-abcdefgh"}),
        "");
    return id;
}

/* The vector of a leap year: sent on February 15th, 10:00, reminder on the 29th, 10:00, expired when AWS says. */
Test(due, N01_O21_one_reminder_then_the_end_by_aws)
{
    place *p = desk_open();
    int64_t id = invited(p);
    p->now = at("2024-02-29T09:59:59Z");
    cr_assert_eq(due(p), 0);
    p->now = at("2024-02-29T10:00:00Z");
    cr_assert_eq(due(p), 1);
    cr_assert_eq(due(p), 0);
    EXPECT("SELECT count(*) || ' ' || min(recipient) FROM notification WHERE code = 'INVITATION_REMINDER'",
           "1 reseller");
    STATE_IS(id, "invited");
    p->now = at("2024-03-01T09:59:59Z");
    cr_assert_eq(due(p), 0);
    p->now = at("2024-03-01T10:00:00Z");
    cr_assert_eq(due(p), 1);
    STATE_IS(id, "expired");
    EXPECT("SELECT actor || ' ' || event || ' ' || reason FROM link_history ORDER BY id DESC LIMIT 1",
           "org-linker expire AWS's ExpirationTimestamp has passed");
    p->now = at("2025-03-01T10:00:00Z");
    cr_assert_eq(due(p), 0);
    place_close(p);
}

Test(due, another_lane_is_left_alone)
{
    place *p = desk_open();
    int done;
    invited(p);
    p->now = at("2024-03-05T00:00:00Z");
    MUST(cm_store_requests_due(p->pg, "ingram", p->now, "org-linker", &done, &p->err));
    cr_assert_eq(done, 0);
    cr_assert_eq(due(p), 1);
    place_close(p);
}

static const char *open_gate(place *p, int64_t id, const char *gate, const char *item, const char *evidence,
                             const char *amount)
{
    static char code[64];
    cm_decimal value;
    cm_error_clear(&p->err);
    cr_assert(!amount || cm_decimal_parse_strict(cm_slice_of(amount), &value));
    const cm_gate_order order = {gate, item, evidence, amount ? &value : NULL};
    bool done = cm_store_gate_open(p->pg, id, desk_request(p, id).link.version, &order, p->now, "maria", &p->err);
    snprintf(code, sizeof code, "%s", p->err.code);
    cr_assert_eq(done, code[0] == '\0');
    return code;
}

static int64_t leaving(place *p)
{
    static const bool yes = true;
    cm_catalog *catalog = NULL;
    cm_request_order order = desk_order();
    order.payer = ING, order.country = "AE";
    int64_t id = desk_create(p, &order);
    desk_step(p, id, CM_LINK_APPROVE);
    desk_cause(p, id, 2, (cm_link_cause){.event = CM_LINK_MEMBER_SEEN, .aws_at = at("2025-06-18T00:00:00Z")});
    MUST(cm_store_catalog_load(p->pg, p->catalog, &catalog, &p->err));
    const cm_request_patch patch = {
        .mfa_confirmed = &yes, .portal_enabled = &yes, .role_arn = "arn:aws:iam::" NEW ":role/IMBillingRole"};
    MUST(cm_store_request_declare(p->pg, catalog, id, desk_request(p, id).link.version, &patch, p->now, "maria", "x",
                                  NULL, &p->err));
    cm_catalog_free(catalog);
    EXPECT("SELECT state || ' ' || portal_enabled FROM link_request", "active true"); /* O05 */
    cr_assert_str_eq(open_gate(p, id, "BILLING_INFO_MOVED", "", "x", NULL), "LINK_STATE");
    cr_assert_str_eq(desk_step(p, id, CM_LINK_OFFBOARD), "");
    return id;
}

Test(due, N23_O30_O31_O32_O33_O34_P18_gates)
{
    place *p = desk_open();
    int64_t id = leaving(p);
    static const struct {
        const char *gate, *item, *amount;
    } gates[] = {{"DISTRIBUTOR_INFORMED", "", NULL},
                 {"BILLING_INFO_MOVED", "", NULL},
                 {"ROLES_REMOVED", "IMBillingRole", NULL},
                 {"ROLES_REMOVED", "CloudCheckr", NULL},
                 {"BALANCE_ZERO", "", "0"},
                 {"CONSENT_TO_ASSIGNMENT", "", NULL}};
    cr_assert_str_eq(open_gate(p, id, "NONSENSE", "", "x", NULL), "NO_GATE");
    cr_assert_str_eq(open_gate(p, id, "ROLES_REMOVED", "", "x", NULL), "NO_GATE");
    cr_assert_str_eq(open_gate(p, id, "BILLING_INFO_MOVED", "", "", NULL), "NO_EVIDENCE");
    cr_assert_str_eq(open_gate(p, id, "BALANCE_ZERO", "", "x", "-0.01"), "BALANCE_NOT_ZERO");
    cr_assert_str_eq(open_gate(p, id, "BALANCE_ZERO", "", "x", NULL), "BALANCE_NOT_ZERO");
    for (size_t i = 0; i < sizeof gates / sizeof *gates; i++) {
        cr_assert_str_eq(desk_step(p, id, CM_LINK_LEAVE), "GATE_SHUT");
        cr_assert(strstr(p->err.text, gates[i].gate) && strstr(p->err.text, gates[i].item), "%s", p->err.text);
        cr_assert_str_eq(open_gate(p, id, gates[i].gate, gates[i].item, "ticket", gates[i].amount), "");
    }
    const cm_gate_order stale = {"BILLING_INFO_MOVED", "", "again", NULL};
    cr_assert_not(cm_store_gate_open(p->pg, id, 1, &stale, p->now, "maria", &p->err));
    cr_assert_str_eq(p->err.code, "VERSION_CHANGED");
    cr_assert_str_eq(desk_step(p, id, CM_LINK_LEAVE), "");
    EXPECT("SELECT count(*) FROM link_history WHERE event = 'gate' AND actor = 'maria'", "6");
    place_close(p);
}

/* O32: a role that still works has not been removed. */
Test(due, O32_a_working_role_still_exists)
{
    place *p = desk_open();
    int64_t id = leaving(p);
    MUST(cm_pg_execute(p->pg, "UPDATE link_request SET role_verdict = 'valid', version = version + 1", &p->err));
    cr_assert_str_eq(open_gate(p, id, "ROLES_REMOVED", "IMBillingRole", "removed", NULL), "ROLE_STILL_THERE");
    cr_assert_str_eq(open_gate(p, id, "ROLES_REMOVED", "CloudCheckr", "removed", NULL), "");
    MUST(cm_pg_execute(p->pg, "UPDATE link_request SET role_verdict = 'invalid', version = version + 1", &p->err));
    cr_assert_str_eq(open_gate(p, id, "ROLES_REMOVED", "IMBillingRole", "removed", NULL), "");
    place_close(p);
}

/* N11: 18 June to 1 July. What nobody is billed for, by currency, exactly; other customers' charges and later months
 * are not included. */
Test(due, N11_the_gap)
{
    place *p = desk_open();
    cm_request_order order = desk_order();
    cm_rows *rows = NULL;
    cm_decimal expected;
    desk_seen(p, TDS, NEW, "2025-06-18T14:30:00Z");
    desk_step(p, desk_create(p, &order), CM_LINK_APPROVE);
    deliver(p, "v1", false,
            "('', '" NEW "', 'suspended', 'AmazonEC2', 1, 12.5), ('', '" NEW
            "', 'suspended', 'AmazonS3', 1, 0.000000000000000001),"
            " ('', '" NEW2 "', 'suspended', 'AmazonS3', 1, 99), ('acme', '" ACCOUNT "', 'usage', 'AmazonEC2', 1, 7)");
    MUST(cm_store_link_gaps(p->pg, NULL, NULL, &rows, &p->err));
    cr_assert_eq(cm_rows_count(rows), 1);
    cr_assert_str_eq(cm_rows_text(rows, 0, 2), NEW);
    cr_assert_str_eq(cm_rows_text(rows, 0, 6), "2025-06");
    cr_assert_str_eq(cm_rows_text(rows, 0, 7), "USD");
    cr_assert(cm_decimal_parse_strict(cm_slice_of("12.500000000000000001"), &expected));
    cr_assert(cm_decimal_equal(cm_rows_decimal(rows, 0, 9), expected));
    cm_rows_free(rows);
    place_close(p);
}

/* N07, O28: accounts that joined in the month, once each; what was submitted stays as it was. */
Test(due, N07_O28_new_accounts_of_a_month)
{
    place *p = desk_open();
    const cm_period june = {2025, 6}, july = {2025, 7};
    const cm_payer_duty *duty = cm_payer_model_find("ingram")->duties;
    cm_rows *rows = NULL;
    leaving(p);
    MUST(cm_store_new_accounts(p->pg, p->catalog, ING, june, &rows, &p->err));
    cr_assert_eq(cm_rows_count(rows), 1);
    cr_assert_str_eq(cm_rows_text(rows, 0, 2), NEW);
    cr_assert_str_eq(cm_rows_text(rows, 0, 4), "new");
    cr_assert_str_eq(cm_rows_text(rows, 0, 5), "2025-06-18T00:00:00Z");
    cr_assert_str_eq(cm_rows_text(rows, 0, 7), "Acme GmbH");
    cr_assert_str_eq(cm_rows_text(rows, 0, 9), "1 Main Street; Springfield");
    cr_assert_str_eq(cm_rows_text(rows, 0, 10), "AE");
    cm_rows_free(rows);
    MUST(cm_store_new_accounts(p->pg, p->catalog, ING, july, &rows, &p->err));
    cr_assert_eq(cm_rows_count(rows), 0);
    cm_rows_free(rows);
    MUST(cm_store_duty_submitted(p->pg, ING, june, duty, "a,b\r\n", 1, p->now, "maria", "by mail", &p->err));
    cr_assert_not(cm_store_duty_submitted(p->pg, ING, june, duty, "other", 2, p->now, "maria", "", &p->err));
    cr_assert_str_eq(p->err.code, "ALREADY_SUBMITTED");
    EXPECT("SELECT content || accounts || submitted_by FROM end_user_report", "a,b\r\n1maria");
    EXPECT("SELECT count(*) FROM audit WHERE action = 'end_user_report.submitted' AND object = 'payer:" ING "/2025-06'",
           "1");
    place_close(p);
}
