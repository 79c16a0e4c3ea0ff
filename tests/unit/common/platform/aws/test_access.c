/* One payer's access against a scripted server: paging, allowance, slice, what is never sent twice, sessions, probes.
 */
#include "fake_http.h"
#include "platform/aws/access/probe.h"
#include "platform/aws/access/sessions.h"
#include "platform/aws/account/account.h"
#include "platform/aws/chain/chain.h"
#include "platform/aws/organizations/organizations.h"
#include "platform/aws/tax/tax_settings.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char endpoint[64];
static cm_instant now;
static int64_t waited;

static const char *environment(void *opaque, const char *name)
{
    (void)opaque;
    return strcmp(name, "AWS_ENDPOINT_URL") == 0        ? endpoint
           : strcmp(name, "AWS_ACCESS_KEY_ID") == 0     ? "AKIDEXAMPLE"
           : strcmp(name, "AWS_SECRET_ACCESS_KEY") == 0 ? "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
                                                        : NULL;
}

static cm_instant clock_now(void *opaque)
{
    (void)opaque;
    return now;
}

static void pass_time(void *opaque, int64_t milliseconds)
{
    (void)opaque;
    waited += milliseconds;
    now += milliseconds * 1000;
}

static const cm_aws_options options = {
    .environment = environment, .now = clock_now, .wait = pass_time, .seed = 7, .stall_milliseconds = 2000};

static void set_up(void)
{
    cr_assert(cm_instant_parse(cm_slice_of("2025-07-01T12:00:00Z"), &now));
    waited = 0;
}

TestSuite(aws_access, .init = set_up, .timeout = 60);

enum { ANSWERS_MAX = 8 };
static char *script[ANSWERS_MAX];
static fake_answer answers[ANSWERS_MAX];
static fake_http server;

/* "400 {...}": status and body, in order, ended by NULL */
static cm_aws_access *open_access(const char *const *lines, const cm_aws_access_config *given)
{
    size_t count = 0;
    for (; lines[count]; count++) {
        cm_buffer text = {0};
        cm_buffer_printf(&text, "HTTP/1.1 %.3s X\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%s", lines[count],
                         strlen(lines[count] + 4), lines[count] + 4);
        script[count] = cm_buffer_take(&text);
        answers[count].raw = script[count];
    }
    fake_http_start(&server, answers, count);
    snprintf(endpoint, sizeof endpoint, "%s", server.url);
    cm_aws_provider *provider = cm_aws_provider_chain(&options);
    cm_aws_access_config config = given ? *given : (cm_aws_access_config){0};
    config.name = "payer 111122223333";
    config.provider = provider;
    config.options = &options;
    cm_aws_access *access = cm_aws_access_new(&config);
    cm_aws_provider_free(provider);
    return access;
}

static void close_access(cm_aws_access *access)
{
    fake_http_stop(&server);
    cm_aws_access_free(access);
    for (size_t i = 0; i < ANSWERS_MAX; i++) {
        free(script[i]);
        script[i] = NULL;
    }
}

#define SCRIPT(...) ((const char *const[]){__VA_ARGS__, NULL})

typedef struct seen {
    size_t count;
    cm_org_account account[8];
} seen;

static bool keep_account(void *opaque, const cm_org_account *account, cm_error *err)
{
    (void)err;
    seen *s = opaque;
    cr_assert(s->count < 8);
    s->account[s->count++] = *account;
    return true;
}

Test(aws_access, accounts_of_all_pages_in_every_format)
{
    cm_aws_access *access = open_access(
        SCRIPT(
            "200 "
            "{\"Accounts\":[{\"Id\":\"111111111111\",\"Email\":\"a@b.example\",\"Name\":\"one\",\"State\":\"ACTIVE\","
            "\"Status\":\"SUSPENDED\",\"JoinedMethod\":\"INVITED\",\"JoinedTimestamp\":1757894400.123}],\"NextToken\":"
            "\"t1\"}",
            "200 {\"Accounts\":[],\"NextToken\":\"t2\"}",
            "200 {\"Accounts\":[{\"Id\":\"222222222222\",\"Status\":\"PENDING_CLOSURE\",\"JoinedTimestamp\":"
            "\"2025-09-15T00:00:00Z\"},{\"Id\":\"333333333333\",\"State\":\"SOMETHING_NEW\"}],\"NextToken\":null}"),
        NULL);
    seen s = {0};
    cm_error err = {0};
    cr_assert(cm_org_list_accounts(access, keep_account, &s, &err), "%s", err.text);
    cr_expect(cm_aws_access_calls(access) == 3);
    close_access(access);
    cr_assert(s.count == 3);
    cr_expect_str_eq(s.account[0].state, "ACTIVE"); /* State wins over Status */
    cm_instant joined;
    cr_assert(cm_instant_parse(cm_slice_of("2025-09-15T00:00:00.123Z"), &joined));
    cr_expect(s.account[0].joined_at == joined);
    cr_expect_str_eq(s.account[1].state, "PENDING_CLOSURE");
    cr_expect(s.account[1].joined_at == joined - 123000);
    cr_expect_str_eq(s.account[2].state, "SOMETHING_NEW"); /* kept as text */
    cr_expect(s.account[2].joined_at == 0 && s.account[2].email[0] == '\0');
    cr_expect(strstr(server.request[0], "X-Amz-Target: AWSOrganizationsV20161128.ListAccounts\r\n"));
    cr_expect(strstr(server.request[0], "/us-east-1/organizations/aws4_request"));
    cr_expect(strstr(server.request[0], "\r\n\r\n{}"));
    cr_expect(strstr(server.request[2], "{\"NextToken\":\"t2\"}"));
}

Test(aws_access, neither_state_nor_status)
{
    cm_aws_access *access = open_access(SCRIPT("200 {\"Account\":{\"Id\":\"111111111111\"}}"), NULL);
    cm_org_account account;
    cm_error err = {0};
    cr_expect(cm_org_describe_account(access, "111111111111", &account, &err), "%s", err.text);
    cr_expect_str_eq(account.state, "");
    close_access(access);
}

Test(aws_access, a_page_that_repeats_is_an_error)
{
    const char *a = "200 {\"Accounts\":[],\"NextToken\":\"a\"}", *b = "200 {\"Accounts\":[],\"NextToken\":\"b\"}";
    const char *c = "200 {\"Accounts\":[],\"NextToken\":\"c\"}";
    const char *const same[] = {a, a, NULL}, *const round[] = {a, b, c, a, b, c, a, NULL};
    for (int i = 0; i < 2; i++) {
        cm_aws_access *access = open_access(i ? round : same, NULL);
        seen s = {0};
        cm_error err = {0};
        cr_expect(!cm_org_list_accounts(access, keep_account, &s, &err));
        cr_expect_str_eq(err.code, "PAGE_REPEATS");
        cr_expect(err.class == CM_ERROR_RETRY);
        close_access(access);
    }
}

Test(aws_access, an_invitation_is_never_sent_twice)
{
    static const struct {
        const char *first;
        size_t requests;
        const char *code;
    } table[] = {
        {"500 {\"__type\":\"ServiceException\"}", 1, "UNAVAILABLE"}, /* it may have been carried out */
        {"503 <html>busy</html>", 1, "UNAVAILABLE"},
        {"200 {\"Handshake\":", 1, "UNAVAILABLE"},
        {"400 {\"__type\":\"TooManyRequestsException\"}", 2, ""}, /* this one was not */
        {"400 {\"__type\":\"DuplicateHandshakeException\"}", 1, "CONFLICT"},
        {"400 {\"__type\":\"HandshakeConstraintViolationException\",\"Reason\":\"ALREADY_IN_AN_ORGANIZATION\"}", 1,
         "CONSTRAINT"},
    };
    const char *good =
        "200 {\"Handshake\":{\"Id\":\"h-1\",\"State\":\"OPEN\",\"ExpirationTimestamp\":1757894400,\"Parties\":"
        "[{\"Id\":\"o-1\",\"Type\":\"ORGANIZATION\"},{\"Id\":\"111111111111\",\"Type\":\"ACCOUNT\"}]}}";
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        cm_aws_access *access = open_access(SCRIPT(table[i].first, good), NULL);
        cm_org_handshake handshake = {0};
        cm_error err = {0};
        bool done = cm_org_invite(access, "111111111111", NULL, &handshake, &err);
        cr_expect(done == !table[i].code[0], "%s: %s", table[i].first, err.text);
        cr_expect_str_eq(err.code, table[i].code);
        if (strcmp(table[i].code, "CONSTRAINT") == 0)
            cr_expect_str_eq(cm_aws_access_refusal(access)->reason, "ALREADY_IN_AN_ORGANIZATION");
        if (done)
            cr_expect(cm_org_handshake_pending(&handshake) && strcmp(handshake.account, "111111111111") == 0 &&
                      strcmp(handshake.organization, "o-1") == 0 && handshake.expires_at == 1757894400 * CM_SECOND);
        close_access(access);
        cr_expect(server.requests == table[i].requests, "%s: %zu requests", table[i].first, server.requests);
    }
}

Test(aws_access, names_of_json_services_decide)
{
    static const struct {
        int status;
        const char *aws;
        enum cm_error_class class;
        const char *code;
    } table[] = {
        {400, "AccessDeniedException", CM_ERROR_RETRY, "DENIED"},
        {400, "UnrecognizedClientException", CM_ERROR_RETRY, "DENIED"},
        {400, "ExpiredTokenException", CM_ERROR_RETRY, "DENIED"},
        {400, "TooManyRequestsException", CM_ERROR_RETRY, "THROTTLED"},
        {400, "ConcurrentModificationException", CM_ERROR_RETRY, "CONFLICT"},
        {400, "HandshakeNotFoundException", CM_ERROR_NOT_FOUND, "NOT_FOUND"},
        {400, "AWSOrganizationsNotInUseException", CM_ERROR_NOT_FOUND, "NOT_FOUND"},
        {409, "ConflictException", CM_ERROR_REFUSED, "CONFLICT"},
        {400, "HandshakeAlreadyInStateException", CM_ERROR_REFUSED, "CONFLICT"},
        {400, "ConstraintViolationException", CM_ERROR_REFUSED, "CONSTRAINT"},
        {400, "InvalidInputException", CM_ERROR_INVALID, "INVALID"},
        {500, "InternalServerException", CM_ERROR_RETRY, "UNAVAILABLE"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        cm_aws_failure failure = {.status = table[i].status};
        snprintf(failure.code, sizeof failure.code, "%s", table[i].aws);
        cm_error err = {0};
        cr_expect(!cm_aws_fail(&failure, "x", &err));
        cr_expect(err.class == table[i].class && strcmp(err.code, table[i].code) == 0, "%s gave %s", table[i].aws,
                  err.code);
    }
}

/* 120 calls a minute, 3 at once: the 4th to 6th wait half a second each. */
Test(aws_access, calls_of_a_payer_are_limited)
{
    const char *page = "200 {\"heritageStatus\":\"OptIn\"}";
    cm_aws_access *access =
        open_access(SCRIPT(page, page, page, page, page, page), &(cm_aws_access_config){.per_minute = 120, .burst = 3});
    char status[CM_TAX_WORD];
    cm_error err = {0};
    for (int i = 0; i < 6; i++) {
        cr_assert(cm_tax_inheritance(access, status, &err), "%s", err.text);
        cr_expect(waited == (i < 3 ? 0 : (i - 2) * 500), "after call %d: %lld ms", i, (long long)waited);
    }
    cr_expect_str_eq(status, "OptIn");
    close_access(access);
    cr_expect(strstr(server.request[0], "POST /GetTaxInheritance HTTP/1.1"));
    cr_expect(!strcasestr(server.request[0], "content-type"), "%s", server.request[0]);
    cr_expect(strstr(server.request[0], "/us-east-1/tax/aws4_request"));
}

Test(aws_access, a_slice_ends)
{
    cm_aws_access *access = open_access(SCRIPT("200 {}"), &(cm_aws_access_config){.slice_milliseconds = 1});
    int64_t begun = cm_monotonic_milliseconds();
    while (cm_monotonic_milliseconds() < begun + 3)
        ;
    cm_org_organization organization;
    cm_error err = {0};
    cr_expect(!cm_org_describe(access, &organization, &err));
    cr_expect_str_eq(err.code, "SLICE_SPENT");
    cr_expect(cm_aws_access_calls(access) == 0);
    close_access(access);
    cr_expect(server.requests == 0);
}

Test(aws_access, a_permission_that_is_missing_is_named_by_the_probe_alone)
{
    cm_aws_access *access = open_access(SCRIPT("400 {\"__type\":\"AccessDeniedException\",\"Message\":\"no\"}",
                                               "400 {\"__type\":\"InvalidInputException\"}", "200 {}",
                                               "400 {\"__type\":\"SubscriptionRequiredException\"}"),
                                        NULL);
    cm_error err = {0};
    cr_expect(cm_aws_probe(access, "organizations:ListAccounts", &err) == CM_AWS_REFUSED);
    cr_expect(cm_aws_probe(access, "organizations:DescribeOrganization", &err) == CM_AWS_ALLOWED);
    cr_expect(cm_aws_probe(access, "billing:ListBillingViews", &err) == CM_AWS_ALLOWED);
    cr_expect(cm_aws_probe(access, "support:DescribeSeverityLevels", &err) == CM_AWS_ALLOWED); /* Basic support */
    cr_expect(cm_aws_probe(access, "s3:DeleteBucket", &err) == CM_AWS_UNKNOWN);
    cr_expect(!cm_aws_probe_known("s3:DeleteBucket") && cm_aws_probe_known("tax:GetTaxInheritance"));
    close_access(access);
}

Test(aws_access, a_repeated_secret_is_redacted)
{
    const char *id = "my-external-id";
    fake_http_start(&server,
                    (fake_answer[]){{"HTTP/1.1 403 X\r\nContent-Length: 97\r\nConnection: close\r\n\r\n<ErrorResponse>"
                                     "<Error><Code>AccessDenied</Code><Message>my-external-id is wrong</Message>"
                                     "</Error></ErrorResponse>"}},
                    1);
    snprintf(endpoint, sizeof endpoint, "%s", server.url);
    cm_aws_provider *chain = cm_aws_provider_chain(&options);
    cm_aws_sessions *sessions = cm_aws_sessions_new(chain, &options, 2);
    cm_aws_provider *role = cm_aws_sessions_get(sessions, "arn:aws:iam::111122223333:role/r", id, NULL);
    cm_aws_credentials credentials;
    cm_error err = {0};
    cr_expect(!cm_aws_provider_get(role, &credentials, &err));
    fake_http_stop(&server);
    cr_expect_str_eq(err.code, "DENIED");
    cr_expect(!strstr(err.text, id) && strstr(err.text, "************** is wrong"), "%s", err.text);
    cm_aws_provider_free(role);
    cm_aws_provider_free(chain);
    cm_aws_sessions_free(sessions);
}

Test(aws_access, sessions_are_kept_and_bounded)
{
    cm_aws_provider *chain = cm_aws_provider_chain(&options);
    cm_aws_sessions *sessions = cm_aws_sessions_new(chain, &options, 2);
    cm_aws_provider *a = cm_aws_sessions_get(sessions, "arn:a", "x", NULL);
    cm_aws_provider *again = cm_aws_sessions_get(sessions, "arn:a", "x", NULL);
    cm_aws_provider *other =
        cm_aws_sessions_get(sessions, "arn:a", "y", NULL); /* another external id: another session */
    cr_expect(a == again && a != other);
    cm_aws_provider_free(cm_aws_sessions_get(sessions, "arn:a", "x", NULL)); /* used last */
    for (int i = 0; i < 50; i++) {
        char arn[16];
        snprintf(arn, sizeof arn, "arn:%d", i);
        cm_aws_provider_free(cm_aws_sessions_get(sessions, arn, NULL, NULL));
        cm_aws_provider *kept = cm_aws_sessions_get(sessions, "arn:a", "x", NULL);
        cr_expect(kept == a, "what is used stays");
        cm_aws_provider_free(kept);
    }
    cr_expect(cm_aws_sessions_count(sessions) == 2);
    cm_aws_provider_free(a);
    cm_aws_provider_free(again);
    cm_aws_provider_free(other); /* in use: lives although it was dropped */
    cm_aws_provider_free(chain);
    cm_aws_sessions_free(sessions);
}

Test(aws_access, arns)
{
    char account[CM_AWS_ACCOUNT_ID] = "";
    cr_expect(cm_aws_account_of("arn:aws:iam::111122223333:role/x", account));
    cr_expect_str_eq(account, "111122223333");
    cr_expect(!cm_aws_account_of("arn:aws:s3:::bucket", account) && !cm_aws_account_of("nonsense", account));
    cr_expect_str_eq(cm_aws_partition_of("arn:aws-cn:iam::1:role/x"), "aws-cn");
    cr_expect_str_eq(cm_aws_partition_of("arn:aws-us-gov:iam::1:role/x"), "aws-us-gov");
    cr_expect_str_eq(cm_aws_partition_of("arn:aws:iam::1:role/x"), "aws");
    cr_expect_str_eq(cm_aws_partition_of(NULL), "aws");
}
