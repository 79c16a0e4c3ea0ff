/* Requests in the database: compare-and-set, history, automatic steps, what rating sees (O01-O24, N11). */
#include "desk.h"

#include <inttypes.h>
#include <stdio.h>

#define HISTORY                                                                                                        \
    "SELECT string_agg(version || ' ' || actor || ' ' || event || ' ' || from_state || '>' || to_state, ', ' ORDER "   \
    "BY version) FROM link_history"
#define LINKS                                                                                                          \
    "SELECT coalesce(string_agg(account || ' ' || customer || ' ' || to_char(billed_from, 'YYYY-MM-DD') || ' ' ||"     \
    " coalesce(to_char(billed_until, 'YYYY-MM-DD'), 'open') || ' ' || support_plan_group, ', ' ORDER BY "              \
    "billed_from), 'none') FROM effective_link"

static const bool yes = true;

/* The story of an account that turned up in a report. */
Test(requests, O19_an_account_under_the_payer_is_linked_and_billed)
{
    place *p = desk_open();
    cm_catalog *catalog = NULL;
    cm_request_order order = desk_order();
    desk_seen(p, TDS, NEW, "2025-03-18T14:00:00Z");
    int64_t id = desk_create(p, &order);
    EXPECT(LINKS, "none");
    cr_assert_str_eq(desk_cause(p, id, 1, (cm_link_cause){.event = CM_LINK_APPROVE}), "");
    STATE_IS(id, "role_pending");
    EXPECT(LINKS, "none");
    /* P11, O13: an operator declares that MFA is on and that the role is not needed, in one patch */
    MUST(cm_store_catalog_load(p->pg, p->catalog, &catalog, &p->err));
    const cm_request_patch patch = {.role_waived = &yes, .mfa_confirmed = &yes};
    cr_assert_not(cm_store_request_declare(p->pg, catalog, id, 3, &patch, p->now, "maria", "x", NULL, &p->err));
    cr_assert_str_eq(p->err.code, "VERSION_CHANGED");
    cm_error_clear(&p->err);
    MUST(cm_store_request_declare(p->pg, catalog, id, 4, &patch, p->now, "maria", "a sandbox", NULL, &p->err));
    STATE_IS(id, "active");
    EXPECT(LINKS, NEW " acme 2025-04-01 open "); /* N11: joined on March 18th */
    EXPECT(
        HISTORY,
        "1 maria request >requested, 2 maria approve requested>approved, 3 org-linker member_seen approved>accepted, 4 "
        "org-linker ask_role "
        "accepted>role_pending, 5 maria declare role_pending>role_pending, 6 org-linker activate role_pending>active");
    EXPECT("SELECT count(*) FROM audit WHERE object = 'request:1' AND reason <> ''", "6");
    EXPECT("SELECT to_char(liable_from, 'YYYY-MM-DD HH24:MI') FROM link_request", "2025-03-18 14:00");
    cm_catalog_free(catalog);
    place_close(p);
}

Test(requests, compare_and_set_on_the_version_that_was_seen)
{
    place *p = desk_open();
    cm_request_order order = desk_order();
    int64_t id = desk_create(p, &order);
    cr_assert_str_eq(desk_cause(p, id, 7, (cm_link_cause){.event = CM_LINK_APPROVE}), "VERSION_CHANGED");
    cr_assert_str_eq(desk_cause(p, id, 1, (cm_link_cause){.event = CM_LINK_APPROVE}), "");
    cr_assert_str_eq(desk_cause(p, id, 1, (cm_link_cause){.event = CM_LINK_CANCEL}), "VERSION_CHANGED");
    STATE_IS(id, "approved");
    cr_assert_str_eq(desk_cause(p, id, 2, (cm_link_cause){.event = CM_LINK_ACTIVATE}), "LINK_STATE");
    EXPECT("SELECT count(*) FROM link_history", "2");
    cr_assert_str_eq(desk_cause(p, 4711, 1, (cm_link_cause){.event = CM_LINK_APPROVE}), "NO_REQUEST");
    place_close(p);
}

Test(requests, O20_O21_O24_an_invitation_to_its_end)
{
    place *p = desk_open();
    cm_request_order order = desk_order();
    int64_t id = desk_create(p, &order);
    desk_step(p, id, CM_LINK_APPROVE);
    cm_instant expires = p->now + 15 * CM_DAY;
    cr_assert_str_eq(
        desk_cause(p, id, 2, (cm_link_cause){.event = CM_LINK_INVITE, .aws_at = expires, .handshake = "h-abcdefgh"}),
        "");
    EXPECT("SELECT state || ' ' || handshake || ' ' || to_char(remind_at, 'YYYY-MM-DD') || ' ' || to_char(expires_at, "
           "'YYYY-MM-DD') FROM link_request",
           "invited h-abcdefgh 2025-08-03 2025-08-04");
    EXPECT("SELECT recipient FROM notification WHERE code = 'INVITATION_SENT'", "customer");
    cr_assert_str_eq(desk_step(p, id, CM_LINK_EXPIRE), "NOT_EXPIRED");
    /* it has ended, and is requested again as a new request */
    cr_assert_str_eq(desk_refused(p, &order, "invited"), "OPEN_REQUEST");
    cr_assert_str_eq(desk_cause(p, id, 3, (cm_link_cause){.event = CM_LINK_EXPIRE, .at = expires}), "");
    int64_t again = desk_create(p, &order);
    cr_assert_neq(again, id);
    STATE_IS(id, "expired");
    cr_assert_str_eq(desk_step(p, id, CM_LINK_APPROVE), "LINK_STATE");
    place_close(p);
}

/* A new account, step by step (O07, O11, O12, O18). */
Test(requests, O07_O11_O12_O18_a_new_account)
{
    place *p = desk_open();
    cm_request_order order = desk_order();
    order.kind = CM_LINK_CREATE, order.account = NULL, order.root_email = "AWS-Root@Acme.example",
    order.nickname = "Acme production";
    int64_t id = desk_create(p, &order);
    EXPECT("SELECT root_email || ' ' || region FROM link_request", "aws-root@acme.example EMEA");
    EXPECT("SELECT recipient || ': ' || subject FROM notification",
           "reseller: Customer Account Provision Request Received\u2014Amazon Web Services (Acme GmbH)");
    cr_assert_str_eq(desk_step(p, id, CM_LINK_ASK_INFO), "");
    cr_assert_str_eq(desk_step(p, id, CM_LINK_GIVE_INFO), "");
    cr_assert_str_eq(desk_step(p, id, CM_LINK_APPROVE), "");
    cr_assert_str_eq(desk_step(p, id, CM_LINK_RESET_PASSWORD), "LINK_STATE");
    cr_assert_str_eq(
        desk_cause(
            p, id, CM_ANY_VERSION,
            (cm_link_cause){.event = CM_LINK_CREATE_ACCOUNT, .account = NEW, .aws_at = at("2025-07-18T09:00:00Z")}),
        "");
    EXPECT("SELECT string_agg(code || ' ' || recipient, ', ' ORDER BY code) FROM notification WHERE code LIKE "
           "'ACCOUNT_CREATED%'",
           "ACCOUNT_CREATED customer, ACCOUNT_CREATED_RESELLER reseller");
    cr_assert_str_eq(desk_step(p, id, CM_LINK_RESET_PASSWORD), "");
    STATE_IS(id, "role_pending");
    EXPECT("SELECT account || ' ' || to_char(billed_from, 'YYYY-MM-DD') FROM link_request",
           NEW " 2025-07-01"); /* nobody billed it before */
    place_close(p);
}

Test(requests, an_account_that_leaves_is_billed_to_the_end_of_its_month)
{
    place *p = desk_open();
    cm_request_order order = desk_order();
    cm_catalog *catalog = NULL;
    desk_seen(p, TDS, NEW, "2025-03-18T14:00:00Z");
    int64_t id = desk_create(p, &order);
    desk_step(p, id, CM_LINK_APPROVE);
    MUST(cm_store_catalog_load(p->pg, p->catalog, &catalog, &p->err));
    const cm_request_patch patch = {.role_waived = &yes, .mfa_confirmed = &yes};
    MUST(cm_store_request_declare(p->pg, catalog, id, 4, &patch, p->now, "maria", "a sandbox", NULL, &p->err));
    MUST(cm_pg_begin(p->pg, &p->err) &&
         cm_store_account_gone(p->pg, TDS, NEW, at("2025-07-12T08:00:00Z"), p->now, "org-linker", &p->err) &&
         cm_store_account_gone(p->pg, TDS, NEW, at("2025-07-13T08:00:00Z"), p->now, "org-linker", &p->err) &&
         cm_pg_commit(p->pg, &p->err));
    STATE_IS(id, "offboarding");
    EXPECT(LINKS, NEW " acme 2025-04-01 2025-08-01 ");
    cr_assert_str_eq(desk_step(p, id, CM_LINK_LEAVE), "GATE_SHUT");
    MUST(cm_pg_execute(p->pg,
                       "INSERT INTO offboarding_gate SELECT 1, unnest(ARRAY['BILLING_INFO_MOVED', 'BALANCE_ZERO']), "
                       "'', 'seen', now(), 'maria'",
                       &p->err));
    cr_assert_str_eq(desk_step(p, id, CM_LINK_LEAVE), "");
    STATE_IS(id, "left");
    EXPECT(LINKS, NEW " acme 2025-04-01 2025-08-01 "); /* for its past */
    /* O28: with another customer it is repurposed */
    order.customer = "zenith";
    EXPECT("SELECT repurposed FROM link_request", "f");
    int64_t next = desk_create(p, &order);
    cr_assert(desk_request(p, next).repurposed);
    cm_catalog_free(catalog);
    place_close(p);
}

Test(requests, repeated_observations_change_nothing)
{
    place *p = desk_open();
    MUST(cm_pg_listen(p->pg, "curmill_accounts", &p->err));
    desk_seen(p, TDS, NEW, "2025-03-18T14:00:00Z");
    cr_assert(cm_pg_notified(p->pg));
    const char *xmin = "SELECT xmin::text || ' ' || to_char(first_seen, 'MM-DD') FROM account";
    char before[64];
    snprintf(before, sizeof before, "%s", ask(p, xmin));
    desk_seen(p, TDS, NEW, "2025-03-18T14:00:00Z");
    EXPECT(xmin, before);
    cr_assert_not(cm_pg_notified(p->pg));
    /* a report without AWS's data removes nothing */
    const cm_account_seen report = {
        .payer = TDS, .lane = "tdsynnex", .account = NEW, .first = at("2025-03-01T00:00:00Z"), .last = p->now};
    MUST(cm_pg_begin(p->pg, &p->err) && cm_store_account_seen(p->pg, &report, p->now, "test", &p->err) &&
         cm_pg_commit(p->pg, &p->err));
    EXPECT("SELECT aws_state || ' ' || to_char(first_seen, 'MM-DD') || ' ' || to_char(joined_at, 'MM-DD') FROM account",
           "ACTIVE 03-01 03-18");
    place_close(p);
}

Test(requests, the_history_never_changes)
{
    place *p = desk_open();
    cm_request_order order = desk_order();
    desk_create(p, &order);
    static const char *const forbidden[] = {"UPDATE link_history SET reason = 'other'", "DELETE FROM link_history",
                                            "DELETE FROM link_request", "UPDATE link_request SET state = 'active'",
                                            "UPDATE link_request SET version = version + 2"};
    for (size_t i = 0; i < sizeof forbidden / sizeof *forbidden; i++) {
        cm_error_clear(&p->err);
        cr_assert_not(cm_pg_execute(p->pg, forbidden[i], &p->err), "%s", forbidden[i]);
    }
    place_close(p);
}

/* Two operators who saw the same version: one wins, the other gets an error (rules.md, "The last absolute value
 * wins"). */
Test(requests, two_desks_at_once)
{
    place *p = desk_open();
    cm_error err = {0};
    cm_request_order order = desk_order();
    int64_t id = desk_create(p, &order);
    cm_pg *other = cm_pg_open(p->conninfo, "other", &err);
    cr_assert(other, "%s", err.text);
    const cm_link_cause approve = {.event = CM_LINK_APPROVE, .at = p->now, .by = "maria"},
                        reject = {.event = CM_LINK_REJECT, .at = p->now, .by = "sven", .reason = "no"};
    MUST(cm_pg_begin(p->pg, &p->err) && cm_store_request_change_locked(p->pg, id, 1, &approve, NULL, &p->err));
    cr_assert(cm_pg_execute(other, "SET lock_timeout = '200ms'", &err));
    cr_assert_not(
        cm_store_request_change(other, id, 1, &reject, NULL, &err)); /* waits for the row, does not overtake */
    MUST(cm_pg_commit(p->pg, &p->err));
    cm_error_clear(&err);
    cr_assert_not(cm_store_request_change(other, id, 1, &reject, NULL, &err));
    cr_assert_str_eq(err.code, "VERSION_CHANGED");
    STATE_IS(id, "approved");
    cm_pg_close(other);
    place_close(p);
}

/* O08 also applies to patches. */
Test(requests, O08_an_address_is_not_taken_by_a_patch)
{
    place *p = desk_open();
    cm_catalog *catalog = NULL;
    cm_request_order order = desk_order();
    order.root_email = "first@acme.example";
    desk_create(p, &order);
    order.account = NEW2, order.root_email = "second@acme.example";
    int64_t id = desk_create(p, &order);
    MUST(cm_store_catalog_load(p->pg, p->catalog, &catalog, &p->err));
    cm_request_patch patch = {.root_email = "FIRST@acme.example"};
    cr_assert_not(cm_store_request_declare(p->pg, catalog, id, 1, &patch, p->now, "maria", "x", NULL, &p->err));
    cr_assert_str_eq(p->err.code, "ROOT_EMAIL_USED");
    patch.root_email = "Second@acme.example"; /* its own, as it is: nothing changes */
    cm_error_clear(&p->err);
    MUST(cm_store_request_declare(p->pg, catalog, id, 1, &patch, p->now, "maria", "x", NULL, &p->err));
    cr_assert_eq(desk_request(p, id).link.version, 1);
    cm_catalog_free(catalog);
    place_close(p);
}

/* Random events against the database: whatever happens, the history explains the state, version by version, and every
 * row has who and why. */
Test(requests, random_walks_leave_a_whole_history)
{
    enum { STEPS = 150, REQUESTS = 3 };
    place *p = desk_open();
    static const char *const accounts[REQUESTS] = {NEW, NEW2, "000012341234"};
    int64_t id[REQUESTS];
    unsigned long random = 20250610;
    int done = 0;
    const cm_request_patch patch = {.role_waived = &yes, .mfa_confirmed = &yes};
    cm_catalog *catalog = NULL;
    MUST(cm_store_catalog_load(p->pg, p->catalog, &catalog, &p->err));
    for (int i = 0; i < REQUESTS; i++) {
        cm_request_order order = desk_order();
        order.account = accounts[i];
        id[i] = desk_create(p, &order);
    }
    for (int n = 0; n < STEPS; n++) {
        enum cm_link_event event;
        enum cm_link_state to;
        int which = n % REQUESTS, tries = 0;
        const cm_account_link link = desk_request(p, id[which]).link;
        do { /* mostly one that is taken */
            random = random * 6364136223846793005UL + 1442695040888963407UL;
            event = (enum cm_link_event)((random >> 40) % CM_LINK_EVENTS);
        } while (!cm_link_next(link.kind, link.state, event, &to) && tries++ < 12);
        p->now += 3600 * CM_SECOND;
        MUST(cm_pg_execute(p->pg,
                           "INSERT INTO offboarding_gate SELECT id, unnest(ARRAY['BILLING_INFO_MOVED', "
                           "'BALANCE_ZERO']), '', 'seen', now(), 'maria'"
                           " FROM link_request WHERE state = 'offboarding' ON CONFLICT DO NOTHING",
                           &p->err));
        if (link.state == CM_LINK_ROLE_PENDING && n % 2)
            MUST(cm_store_request_declare(p->pg, catalog, id[which], link.version, &patch, p->now, "maria", "seen",
                                          NULL, &p->err));
        done += *desk_cause(p, id[which], CM_ANY_VERSION,
                            (cm_link_cause){.event = event,
                                            .account = accounts[which],
                                            .aws_at = p->now + (event == CM_LINK_INVITE ? CM_DAY : 0)}) == '\0';
        if (cm_link_state_is_final(desk_request(p, id[which]).link.state)) {
            cm_request_order order = desk_order();
            order.account = accounts[which];
            id[which] = desk_create(p, &order);
        }
    }
    cr_assert_gt(done, 40);
    EXPECT("SELECT count(*) FROM (SELECT from_state, lag(to_state, 1, '') OVER w AS before, version, row_number() OVER "
           "w AS n FROM link_history"
           " WINDOW w AS (PARTITION BY request_id ORDER BY version)) h WHERE from_state <> before OR version <> n",
           "0");
    EXPECT("SELECT count(*) FROM link_request r JOIN LATERAL (SELECT to_state, version FROM link_history WHERE "
           "request_id = r.id ORDER BY version DESC LIMIT 1) h"
           " ON true WHERE r.state <> h.to_state OR r.version <> h.version",
           "0");
    EXPECT("SELECT count(*) FROM link_history WHERE actor = '' OR reason = ''", "0");
    EXPECT("SELECT (SELECT count(*) FROM link_history) - (SELECT count(*) FROM audit WHERE starts_with(action, "
           "'request.'))",
           "0");
    cm_catalog_free(catalog);
    place_close(p);
}

/* N11: a report shows usage since June 5th, AWS says later that the account joined on May 20th: liable from then,
 * billed from June. */
Test(requests, N11_the_moment_of_joining_is_aws_own)
{
    place *p = desk_open();
    cm_request_order order = desk_order();
    const cm_account_seen report = {
        .payer = TDS, .lane = "tdsynnex", .account = NEW, .first = at("2025-06-05T03:00:00Z"), .last = p->now};
    MUST(cm_pg_begin(p->pg, &p->err) && cm_store_account_seen(p->pg, &report, p->now, "test", &p->err) &&
         cm_pg_commit(p->pg, &p->err));
    int64_t id = desk_create(p, &order);
    desk_step(p, id, CM_LINK_APPROVE);
    const char *dates = "SELECT to_char(liable_from, 'YYYY-MM-DD') || ' ' || to_char(billed_from, 'YYYY-MM-DD') || ' ' "
                        "|| version FROM link_request";
    EXPECT(dates, "2025-06-05 2025-07-01 4");
    desk_seen(p, TDS, NEW, "2025-05-20T10:00:00Z");
    EXPECT(dates, "2025-05-20 2025-06-01 5");
    EXPECT("SELECT event || ' ' || actor FROM link_history ORDER BY id DESC LIMIT 1", "joined test");
    desk_seen(p, TDS, NEW, "2025-05-20T10:00:00Z"); /* said already */
    EXPECT(dates, "2025-05-20 2025-06-01 5");
    place_close(p);
}
