#include "platform/aws/sts/sts.h"

#include "platform/aws/core/client.h"
#include "platform/aws/core/xml.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

enum { ANSWER_MAX = 1024 * 1024 };

static void add(cm_buffer *form, const char *name, const char *value)
{
    cm_buffer_printf(form, "&%s=", name);
    cm_aws_encode(form, value, strlen(value), false);
}

static void keep(char **into, const char *text)
{
    free(*into);
    *into = cm_strdup(text);
}

static void on_element(void *opaque, const char *path, const char *text)
{
    cm_aws_credentials *ret = opaque;
    const char *credentials = strstr(path, "Result/Credentials/");
    if (!credentials)
        return;
    const char *name = credentials + strlen("Result/Credentials/");
    if (strcmp(name, "AccessKeyId") == 0)
        keep(&ret->access_key_id, text);
    else if (strcmp(name, "SecretAccessKey") == 0)
        keep(&ret->secret_access_key, text);
    else if (strcmp(name, "SessionToken") == 0)
        keep(&ret->session_token, text);
    else if (strcmp(name, "Expiration") == 0 && !cm_instant_parse(cm_slice_of(text), &ret->expires))
        ret->expires = 0;
}

static bool call_sts(const cm_aws_options *options, cm_aws_provider *provider, const char *region, const char *what,
                     const cm_buffer *form, const char *secret, cm_aws_credentials *ret, cm_error *err)
{
    cm_buffer endpoint = {0}, answer = {0};
    const char *override = cm_aws_endpoint_override(options, "sts");
    if (override)
        cm_buffer_text(&endpoint, override);
    else
        cm_buffer_printf(&endpoint, "https://sts.%s.%s", region, cm_aws_domain(region));
    cm_aws_client_config config = {"sts", region, endpoint.data, provider, options};
    cm_aws_client *client = cm_aws_client_new(&config, err);
    cm_http_header type = {"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"};
    cm_aws_call call = {.what = what,
                        .method = "POST",
                        .path = "/",
                        .headers = &type,
                        .header_count = 1,
                        .body = form->data,
                        .body_length = form->length,
                        .secret = secret,
                        .whole_is_short = true};
    *ret = (cm_aws_credentials){0};
    bool done = client && cm_aws_perform(client, &call, ANSWER_MAX, &answer, err) &&
                cm_xml_read(cm_buffer_string(&answer), answer.length, on_element, ret, err);
    if (done && (!ret->access_key_id || !ret->secret_access_key || !ret->session_token || ret->expires == 0))
        done = cm_fail(err, CM_ERROR_RETRY, "UNAVAILABLE", "%s: the answer lacks part of the credentials", what);
    if (!done)
        cm_aws_credentials_free(ret);
    if (answer.data)
        OPENSSL_cleanse(answer.data, answer.length);
    cm_buffer_free(&answer);
    cm_buffer_free(&endpoint);
    cm_aws_client_free(client);
    return done;
}

bool cm_sts_assume_role(const cm_aws_options *options, cm_aws_provider *provider, const char *region,
                        const char *role_arn, const char *external_id, const char *session_name,
                        cm_aws_credentials *ret, cm_error *err)
{
    cm_buffer form = {0}, what = {0};
    cm_buffer_text(&form, "Action=AssumeRole&Version=2011-06-15");
    add(&form, "RoleArn", role_arn);
    add(&form, "RoleSessionName", session_name);
    if (external_id)
        add(&form, "ExternalId", external_id);
    cm_buffer_printf(&what, "assuming role %s", role_arn);
    bool done = call_sts(options, provider, region, what.data, &form, external_id, ret, err);
    cm_buffer_free(&form);
    cm_buffer_free(&what);
    return done;
}

bool cm_sts_assume_role_with_web_identity(const cm_aws_options *options, const char *region, const char *role_arn,
                                          const char *session_name, const char *token, cm_aws_credentials *ret,
                                          cm_error *err)
{
    cm_buffer form = {0}, what = {0};
    cm_buffer_text(&form, "Action=AssumeRoleWithWebIdentity&Version=2011-06-15");
    add(&form, "RoleArn", role_arn);
    add(&form, "RoleSessionName", session_name ? session_name : "curmill");
    add(&form, "WebIdentityToken", token);
    cm_buffer_printf(&what, "assuming role %s with a web identity", role_arn);
    bool done = call_sts(options, NULL, region, what.data, &form, token, ret, err);
    OPENSSL_cleanse(form.data, form.length);
    cm_buffer_free(&form);
    cm_buffer_free(&what);
    return done;
}
