/* Dates of a link: N01, N11, O21, O22, with Feb 29 and year ends. The vectors are those of rules.md, "Worked examples"
 * or counted on a calendar. */
#include "billing/link/link.h"

#include <criterion/criterion.h>

static const char *text(cm_instant when)
{
    static char into[4][CM_INSTANT_TEXT];
    static int next;
    return cm_instant_print(when, into[next++ % 4]);
}

static cm_instant at(const char *written)
{
    cm_instant ret;
    cr_assert(cm_instant_parse(cm_slice_of(written), &ret), "%s", written);
    return ret;
}

Test(dates, N01_O21_reminder_after_two_weeks)
{
    cr_assert_str_eq(text(cm_link_reminder(at("2024-02-15T10:00:00Z"))), "2024-02-29T10:00:00Z"); /* leap year */
    cr_assert_str_eq(text(cm_link_reminder(at("2023-02-15T10:00:00Z"))), "2023-03-01T10:00:00Z");
    cr_assert_str_eq(text(cm_link_reminder(at("2024-02-29T00:00:00Z"))), "2024-03-14T00:00:00Z");
    cr_assert_str_eq(text(cm_link_reminder(at("2024-12-20T23:59:59Z"))), "2025-01-03T23:59:59Z");
}

Test(dates, N11_billed_from_the_first_of_the_next_month)
{
    static const char *const vectors[][2] = {
        {"2024-03-18T00:00:00Z", "2024-04-01T00:00:00Z"},
        {"2024-03-31T23:59:59.999999Z", "2024-04-01T00:00:00Z"},
        {"2024-02-29T12:00:00Z", "2024-03-01T00:00:00Z"},
        {"2024-12-31T23:59:59Z", "2025-01-01T00:00:00Z"},
        {"2024-04-01T00:00:00.000001Z", "2024-05-01T00:00:00Z"},
        {"2024-04-01T00:00:00Z", "2024-04-01T00:00:00Z"},
    };
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++)
        cr_assert_str_eq(text(cm_link_billed_from(CM_LINK_EXISTING, at(vectors[i][0]))), vectors[i][1]);
    /* N11 is about moved accounts: a new one was never billed by anybody else */
    cr_assert_str_eq(text(cm_link_billed_from(CM_LINK_CREATE, at("2024-03-18T00:00:00Z"))), "2024-03-01T00:00:00Z");
}

Test(dates, the_month_of_leaving_is_billed)
{
    cr_assert_str_eq(text(cm_link_billed_until(at("2024-02-29T08:00:00Z"))), "2024-03-01T00:00:00Z");
    cr_assert_str_eq(text(cm_link_billed_until(at("2024-12-31T23:59:59Z"))), "2025-01-01T00:00:00Z");
    cr_assert_str_eq(text(cm_link_billed_until(at("2025-07-01T00:00:00Z"))), "2025-07-01T00:00:00Z");
}

/* 1.11 of the rules: two weeks are the operator's reminder, AWS's ExpirationTimestamp decides. */
Test(dates, N01_O21_the_reminder_is_not_the_end)
{
    cm_account_link link = {.kind = CM_LINK_EXISTING,
                            .state = CM_LINK_APPROVED,
                            .version = 1,
                            .account = "000011112222",
                            .support_plan = "basic"};
    cm_instant sent = at("2024-02-15T10:00:00Z"), expires = at("2024-03-01T10:00:00Z"); /* AWS: 15 days */
    cm_link_cause invite = {.event = CM_LINK_INVITE, .at = sent, .by = "org-linker", .aws_at = sent};
    cm_error err = {0};
    cr_assert_not(cm_link_change(&link, &invite, &err), "an expiry that is not in the future");
    cr_assert_str_eq(err.code, "NO_EXPIRY");
    invite.aws_at = expires;
    cr_assert(cm_link_change(&link, &invite, &err));
    cr_assert_str_eq(text(link.remind_at), "2024-02-29T10:00:00Z");
    cr_assert_str_eq(text(link.expires_at), "2024-03-01T10:00:00Z");
    cm_link_cause expire = {.event = CM_LINK_EXPIRE, .at = at("2024-02-29T10:00:00Z"), .by = "org-linker"};
    cr_assert_not(cm_link_change(&link, &expire, &err));
    cr_assert_str_eq(err.code, "NOT_EXPIRED");
    expire.at = expires - 1;
    cr_assert_not(cm_link_change(&link, &expire, &err));
    expire.at = expires;
    cr_assert(cm_link_change(&link, &expire, &err));
    cr_assert_eq(link.state, CM_LINK_EXPIRED);
}

/* Liable from AWS's time of joining, billed from the 1st; leaving, then staying after all. */
Test(dates, N11_liable_and_billed_are_kept_both)
{
    cm_account_link link = {.kind = CM_LINK_EXISTING,
                            .state = CM_LINK_INVITED,
                            .version = 2,
                            .account = "000011112222",
                            .support_plan = "basic",
                            .mfa_confirmed = true,
                            .expires_at = at("2024-04-01T00:00:00Z")};
    cm_error err = {0};
    cm_link_cause accept = {.event = CM_LINK_ACCEPT,
                            .at = at("2024-03-19T07:00:00Z"),
                            .by = "org-linker",
                            .aws_at = at("2024-03-18T14:30:00Z")};
    cr_assert(cm_link_change(&link, &accept, &err));
    cr_assert_str_eq(text(link.liable_from), "2024-03-18T14:30:00Z");
    cr_assert_str_eq(text(link.billed_from), "2024-04-01T00:00:00Z");
    cm_link_cause gone = {.event = CM_LINK_GONE,
                          .at = at("2025-01-05T00:00:00Z"),
                          .by = "org-linker",
                          .aws_at = at("2024-12-30T00:00:00Z")};
    cr_assert(cm_link_change(&link, &gone, &err));
    cr_assert_str_eq(text(link.billed_until), "2025-01-01T00:00:00Z");
    cm_link_cause keep = {
        .event = CM_LINK_KEEP, .at = at("2025-01-06T00:00:00Z"), .by = "maria", .reason = "it came back"};
    cr_assert(cm_link_change(&link, &keep, &err));
    cr_assert(link.state == CM_LINK_ACTIVE && link.billed_until == 0 && link.left_at == 0);
    /* a month chosen by an operator is kept */
    cm_account_link wanted = {.kind = CM_LINK_EXISTING,
                              .state = CM_LINK_APPROVED,
                              .version = 1,
                              .account = "000011112222",
                              .support_plan = "basic",
                              .billed_from_wanted = at("2024-03-01T00:00:00Z")};
    cm_link_cause seen = {.event = CM_LINK_MEMBER_SEEN,
                          .at = at("2024-03-19T07:00:00Z"),
                          .by = "org-linker",
                          .aws_at = at("2024-03-18T14:30:00Z")};
    cr_assert(cm_link_change(&wanted, &seen, &err));
    cr_assert_str_eq(text(wanted.billed_from), "2024-03-01T00:00:00Z");
    cr_assert_str_eq(text(wanted.liable_from), "2024-03-18T14:30:00Z");
}

Test(dates, O22_roles_are_tried_again)
{
    cm_instant now = at("2024-02-28T23:30:00Z");
    cr_assert_eq(cm_role_next_check(CM_ROLE_UNCHECKED, 0, now), now);
    cr_assert_str_eq(text(cm_role_next_check(CM_ROLE_VALID, 0, now)), "2024-02-29T23:30:00Z");
    static const int hours[] = {1, 2, 4, 8, 16, 24, 24};
    for (int failures = 1; failures <= 7; failures++)
        cr_assert_eq(cm_role_next_check(CM_ROLE_INVALID, failures, now),
                     now + hours[failures - 1] * (3600 * CM_SECOND));
    cr_assert_eq(cm_role_next_check(CM_ROLE_INVALID, 1000000, now), now + CM_DAY);
}
