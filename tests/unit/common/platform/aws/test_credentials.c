/* The credential chain, refreshing, and roles, against a scripted server on loopback and files made here. */
#include "fake_http.h"
#include "platform/aws/credentials/credentials.h"

#include "base/base/buffer.h"
#include "platform/aws/chain/chain.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EXTERNAL_ID "external-id-that-is-private"
#define TOKEN_FILE  "header.payload.signature-of-a-web-token"

static char variables[16][512];
static size_t variable_count;
static cm_instant now;
static char folder[64];

static const char *environment(void *opaque, const char *name)
{
    (void)opaque;
    for (size_t i = 0; i < variable_count; i++)
        if (strncmp(variables[i], name, strlen(name)) == 0 && variables[i][strlen(name)] == '=')
            return variables[i] + strlen(name) + 1;
    return NULL;
}

static void set(const char *name, const char *value)
{
    cr_assert(variable_count < 16);
    snprintf(variables[variable_count++], sizeof variables[0], "%s=%s", name, value);
}

static cm_instant clock_now(void *opaque)
{
    (void)opaque;
    return now;
}

static void no_wait(void *opaque, int64_t milliseconds)
{
    (void)opaque, (void)milliseconds;
}

static const cm_aws_options options = {
    .environment = environment, .now = clock_now, .wait = no_wait, .seed = 7, .attempts = 2};

static void set_up(void)
{
    variable_count = 0;
    cr_assert(cm_instant_parse(cm_slice_of("2025-07-01T12:00:00Z"), &now));
    snprintf(folder, sizeof folder, "/tmp/curmill-credentials-XXXXXX");
    cr_assert(mkdtemp(folder));
    set("HOME", folder);
}

static const char *file(const char *name, const char *content)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *out = fopen(path, "w");
    cr_assert(out);
    fputs(content, out);
    fclose(out);
    return path;
}

static void tear_down(void)
{
    const char *names[] = {"token", "credentials", "config", "web"};
    char path[128];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        unlink(path);
    }
    rmdir(folder);
}

TestSuite(credentials, .init = set_up, .fini = tear_down, .timeout = 60);

static char *answer(const char *status, const char *body)
{
    cm_buffer text = {0};
    cm_buffer_printf(&text, "HTTP/1.1 %s\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%s", status, strlen(body),
                     body);
    return cm_buffer_take(&text);
}

static char *sts_answer(const char *operation, const char *id, const char *expires)
{
    cm_buffer text = {0};
    cm_buffer_printf(
        &text,
        "<%sResponse "
        "xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><%sResult><Credentials><AccessKeyId>%s</AccessKeyId>"
        "<SecretAccessKey>role-secret</SecretAccessKey><SessionToken>role-token</SessionToken><Expiration>%s</"
        "Expiration>"
        "</Credentials></%sResult></%sResponse>",
        operation, operation, id, expires, operation, operation);
    char *whole = answer("200 OK", text.data);
    cm_buffer_free(&text);
    return whole;
}

static void expect_id(cm_aws_provider *provider, const char *id)
{
    cm_aws_credentials got;
    cm_error err = {0};
    cr_assert(cm_aws_provider_get(provider, &got, &err), "%s", err.text);
    cr_expect_str_eq(got.access_key_id, id);
    cm_aws_credentials_free(&got);
}

Test(credentials, environment_comes_first)
{
    set("AWS_ACCESS_KEY_ID", "ENV");
    set("AWS_SECRET_ACCESS_KEY", "s");
    set("AWS_SESSION_TOKEN", "t");
    set("AWS_WEB_IDENTITY_TOKEN_FILE", "/nowhere");
    cm_aws_provider *provider = cm_aws_provider_chain(&options);
    cm_aws_credentials got;
    cm_error err = {0};
    cr_assert(cm_aws_provider_get(provider, &got, &err), "%s", err.text);
    cr_expect_str_eq(got.access_key_id, "ENV");
    cr_expect_str_eq(got.session_token, "t");
    cr_expect(got.expires == INT64_MAX);
    cm_aws_credentials_free(&got);
    cm_aws_provider_free(provider);
}

Test(credentials, none_says_where_it_looked)
{
    set("AWS_EC2_METADATA_DISABLED", "true");
    cm_aws_provider *provider = cm_aws_provider_chain(&options);
    cm_aws_credentials got;
    cm_error err = {0};
    cr_assert(!cm_aws_provider_get(provider, &got, &err));
    cr_expect(err.class == CM_ERROR_RETRY && strcmp(err.code, "NO_CREDENTIALS") == 0);
    const char *words[] = {"AWS_ACCESS_KEY_ID", "web identity", "container", ".aws/credentials", "instance metadata"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        cr_expect(strstr(err.text, words[i]), "%s: %s", words[i], err.text);
    cm_aws_provider_free(provider);
}

Test(credentials, half_an_environment_is_an_error)
{
    set("AWS_ACCESS_KEY_ID", "ENV");
    cm_aws_provider *provider = cm_aws_provider_chain(&options);
    cm_aws_credentials got;
    cm_error err = {0};
    cr_expect(!cm_aws_provider_get(provider, &got, &err) && strstr(err.text, "AWS_SECRET_ACCESS_KEY is not"), "%s",
              err.text);
    cm_aws_provider_free(provider);
}

Test(credentials, profile_files)
{
    set("AWS_SHARED_CREDENTIALS_FILE",
        file("credentials", "# comment\n[default]\naws_access_key_id = DEFAULT\naws_secret_access_key=d/d+=\n\n[ "
                            "second ]\n  aws_access_key_id=SECOND\r\n"
                            "aws_secret_access_key = s\naws_session_token = t\n"));
    set("AWS_CONFIG_FILE",
        file("config",
             "[profile third]\naws_access_key_id=THIRD\naws_secret_access_key=x\n[profile role]\nrole_arn=arn\n"));
    cm_aws_provider *provider = cm_aws_provider_chain(&options);
    cm_aws_credentials got;
    cm_error err = {0};
    cr_assert(cm_aws_provider_get(provider, &got, &err), "%s", err.text);
    cr_expect_str_eq(got.access_key_id, "DEFAULT");
    cr_expect_str_eq(got.secret_access_key, "d/d+=");
    cm_aws_credentials_free(&got);
    cm_aws_provider_free(provider);
    const char *named[][2] = {{"second", "SECOND"}, {"third", "THIRD"}};
    for (size_t i = 0; i < 2; i++) {
        set("AWS_PROFILE", named[i][0]);
        provider = cm_aws_provider_chain(&options);
        expect_id(provider, named[i][1]);
        cm_aws_provider_free(provider);
        variable_count--;
    }
    const char *wrong[][2] = {{"role", "does not support"}, {"nobody", "is not in"}};
    for (size_t i = 0; i < 2; i++) {
        set("AWS_PROFILE", wrong[i][0]);
        provider = cm_aws_provider_chain(&options);
        cr_expect(!cm_aws_provider_get(provider, &got, &err) && strstr(err.text, wrong[i][1]), "%s", err.text);
        cm_aws_provider_free(provider);
        variable_count--;
    }
}

Test(credentials, container_is_asked_again_before_the_end)
{
    char *first = answer(
        "200 OK",
        "{\"AccessKeyId\":\"C1\",\"SecretAccessKey\":\"s\",\"Token\":\"t\",\"Expiration\":\"2025-07-01T13:00:00Z\"}");
    char *second = answer(
        "200 OK",
        "{\"AccessKeyId\":\"C2\",\"SecretAccessKey\":\"s\",\"Token\":\"t\",\"Expiration\":\"2025-07-01T14:00:00Z\"}");
    char *busy = answer("500 Busy", "");
    fake_http server;
    fake_http_start(&server, (fake_answer[]){{first}, {busy}, {busy}, {busy}, {second}}, 5);
    char url[128];
    snprintf(url, sizeof url, "%s/v2/credentials", server.url);
    set("AWS_CONTAINER_CREDENTIALS_FULL_URI", url);
    set("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", file("token", "secret-token\n"));
    cm_aws_provider *provider = cm_aws_provider_chain(&options);
    expect_id(provider, "C1");
    now += 3000 * CM_SECOND; /* ten minutes before the end: kept */
    expect_id(provider, "C1");
    now += 400 * CM_SECOND; /* three minutes before: refreshed, busy, the old ones are still valid */
    expect_id(provider, "C1");
    expect_id(provider, "C1"); /* and not refreshed again at once */
    now += 60 * CM_SECOND;
    expect_id(provider, "C2");
    cm_aws_provider_free(provider);
    fake_http_stop(&server);
    cr_expect(server.requests == 5, "%zu", server.requests);
    cr_expect(strstr(server.request[0], "GET /v2/credentials") &&
              strstr(server.request[0], "Authorization: secret-token\r\n"));
    free(first), free(second), free(busy);
}

Test(credentials, container_address_must_be_near)
{
    const char *bad[] = {"http://example.com/x", "http://127.0.0.1.example.com/", "http://127.0.0.1@example.com/",
                         "ftp://localhost/"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        set("AWS_CONTAINER_CREDENTIALS_FULL_URI", bad[i]);
        cm_aws_provider *provider = cm_aws_provider_chain(&options);
        cm_aws_credentials got;
        cm_error err = {0};
        cr_expect(!cm_aws_provider_get(provider, &got, &err) && strstr(err.text, "must be https"), "%s: %s", bad[i],
                  err.text);
        cm_aws_provider_free(provider);
        variable_count--;
    }
}

Test(credentials, instance_metadata_v2)
{
    char *session = answer("200 OK", "SESSION"), *role = answer("200 OK", "my-role\n");
    char *keys = answer("200 OK", "{\"Code\":\"Success\",\"AccessKeyId\":\"I\",\"SecretAccessKey\":\"s\",\"Token\":"
                                  "\"t\",\"Expiration\":\"2025-07-01T18:00:00Z\"}");
    fake_http server;
    fake_http_start(&server, (fake_answer[]){{session}, {role}, {keys}}, 3);
    set("AWS_EC2_METADATA_SERVICE_ENDPOINT", server.url);
    cm_aws_provider *provider = cm_aws_provider_chain(&options);
    expect_id(provider, "I");
    cm_aws_provider_free(provider);
    fake_http_stop(&server);
    cr_assert(server.requests == 3);
    cr_expect(strstr(server.request[0], "PUT /latest/api/token HTTP/1.1") &&
              strstr(server.request[0], "ttl-seconds: 21600"));
    cr_expect(strstr(server.request[1], "X-aws-ec2-metadata-token: SESSION"));
    cr_expect(strstr(server.request[2], "GET /latest/meta-data/iam/security-credentials/my-role HTTP/1.1"));
    free(session), free(role), free(keys);
}

Test(credentials, web_identity)
{
    char *good = sts_answer("AssumeRoleWithWebIdentity", "WEB", "2025-07-01T13:00:00Z");
    fake_http server;
    fake_http_start(&server, (fake_answer[]){{good}}, 1);
    set("AWS_ENDPOINT_URL", "http://127.0.0.1:1");
    set("AWS_ENDPOINT_URL_STS", server.url);
    set("AWS_WEB_IDENTITY_TOKEN_FILE", file("web", TOKEN_FILE));
    set("AWS_ROLE_ARN", "arn:aws:iam::111122223333:role/web");
    cm_aws_provider *provider = cm_aws_provider_chain(&options);
    expect_id(provider, "WEB");
    cm_aws_provider_free(provider);
    fake_http_stop(&server);
    cr_expect(
        strstr(
            server.request[0],
            "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A111122223333%3Arole%2Fweb"
            "&RoleSessionName=curmill&WebIdentityToken=" TOKEN_FILE),
        "%s", server.request[0]);
    cr_expect(!strstr(server.request[0], "Authorization"), "it is not signed");
    free(good);
}

Test(credentials, role_session_is_kept_and_renewed)
{
    char *first = sts_answer("AssumeRole", "ROLE1", "2025-07-01T13:00:00Z");
    char *second = sts_answer("AssumeRole", "ROLE2", "2025-07-01T14:00:00Z");
    char *third = sts_answer("AssumeRole", "ROLE3", "2025-07-01T15:00:00Z");
    fake_http server;
    fake_http_start(&server, (fake_answer[]){{first}, {second}, {third}}, 3);
    set("AWS_ACCESS_KEY_ID", "BASE");
    set("AWS_SECRET_ACCESS_KEY", "s");
    set("AWS_ENDPOINT_URL_STS", server.url);
    cm_aws_provider *base = cm_aws_provider_chain(&options);
    cm_aws_provider *role =
        cm_aws_provider_role(base, "arn:aws:iam::111122223333:role/r", EXTERNAL_ID, "eu-west-1", &options);
    expect_id(role, "ROLE1");
    expect_id(role, "ROLE1");
    now += 3400 * CM_SECOND;
    expect_id(role, "ROLE2");
    cm_aws_provider_renew(role); /* the service said ExpiredToken */
    expect_id(role, "ROLE3");
    cm_aws_provider_free(role);
    cm_aws_provider_free(base);
    fake_http_stop(&server);
    cr_assert(server.requests == 3);
    cr_expect(strstr(server.request[0], "ExternalId=" EXTERNAL_ID), "%s", server.request[0]);
    cr_expect(strstr(server.request[0], "Credential=BASE/20250701/eu-west-1/sts/aws4_request"));
    free(first), free(second), free(third);
}

Test(credentials, refused_role_is_named_and_nothing_else)
{
    char *no = answer("403 Forbidden",
                      "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>not authorized"
                      "</Message></Error></ErrorResponse>");
    fake_http server;
    fake_http_start(&server, (fake_answer[]){{no}}, 1);
    set("AWS_ACCESS_KEY_ID", "BASE");
    set("AWS_SECRET_ACCESS_KEY", "base-secret");
    set("AWS_ENDPOINT_URL_STS", server.url);
    cm_aws_provider *base = cm_aws_provider_chain(&options);
    cm_aws_provider *role = cm_aws_provider_role(base, "arn:aws:iam::111122223333:role/r", EXTERNAL_ID, NULL, &options);
    cm_aws_credentials got;
    cm_error err = {0};
    cr_expect(!cm_aws_provider_get(role, &got, &err));
    cr_expect(err.class == CM_ERROR_RETRY && strcmp(err.code, "DENIED") == 0);
    cr_expect(strstr(err.text, "role/r") && !strstr(err.text, EXTERNAL_ID) && !strstr(err.text, "base-secret"), "%s",
              err.text);
    cm_aws_provider_free(role);
    cm_aws_provider_free(base);
    fake_http_stop(&server);
    free(no);
}

Test(credentials, the_process_has_one_provider_for_a_role)
{
    cm_aws_provider *a = cm_aws_provider_shared("arn:a", "x", "eu-west-1"),
                    *b = cm_aws_provider_shared("arn:a", "x", "eu-west-1");
    cm_aws_provider *c = cm_aws_provider_shared("arn:a", "y", "eu-west-1"),
                    *d = cm_aws_provider_shared(NULL, NULL, NULL);
    cr_expect(a == b && a != c && d != a && d == cm_aws_provider_shared(NULL, NULL, NULL));
}
