/* Credentials from a local HTTP endpoint: a container's, or the instance metadata service v2. */
#include "platform/aws/chain/sources.h"

#include <jansson.h>
#include <openssl/crypto.h>
#include <string.h>

enum { ANSWER_MAX = 64 * 1024, TRIES = 3 };

/* One request with a short timeout; true if the status is 200. */
static bool ask(const cm_aws_options *options, cm_http *http, const char *method, const char *url,
                const cm_http_header *header, cm_buffer *into, cm_error *err)
{
    int64_t limit = options->metadata_milliseconds > 0 ? options->metadata_milliseconds : 1000;
    cm_http_request request = {.method = method,
                               .url = url,
                               .headers = header,
                               .header_count = header ? 1 : 0,
                               .connect_milliseconds = limit,
                               .stall_milliseconds = limit,
                               .total_milliseconds = limit,
                               .no_proxy = true};
    for (int tried = 1;; tried++) {
        cm_buffer_clear(into);
        cm_error why = {0};
        cm_http_exchange *exchange = cm_http_begin(http, &request, &why);
        int status = exchange ? cm_http_status(exchange) : 0;
        bool whole = exchange && cm_http_read_all(exchange, ANSWER_MAX, into, &why);
        cm_http_end(exchange);
        if (whole && status == 200)
            return true;
        if (whole)
            cm_fail(&why, CM_ERROR_RETRY, status >= 500 || status == 429 ? "UNAVAILABLE" : "DENIED", "%s: HTTP %d", url,
                    status);
        if (strcmp(why.code, "UNAVAILABLE") != 0 || status == 0 || tried == TRIES) {
            if (err)
                *err = why;
            return false;
        }
        cm_aws_wait(options, 100 * tried);
    }
}

static bool read_answer(const char *url, const cm_buffer *answer, cm_aws_credentials *ret, cm_error *err)
{
    json_t *root = json_loadb(cm_buffer_string(answer), answer->length, 0, NULL);
    const char *id = json_string_value(json_object_get(root, "AccessKeyId"));
    const char *secret = json_string_value(json_object_get(root, "SecretAccessKey"));
    const char *token = json_string_value(json_object_get(root, "Token"));
    const char *expires = json_string_value(json_object_get(root, "Expiration"));
    cm_instant at = INT64_MAX;
    bool done = id && secret && (!expires || cm_instant_parse(cm_slice_of(expires), &at));
    if (done)
        *ret = (cm_aws_credentials){cm_strdup(id), cm_strdup(secret), token ? cm_strdup(token) : NULL, at};
    else
        cm_fail(err, CM_ERROR_RETRY, "UNAVAILABLE", "%s: the answer has no credentials", url);
    json_decref(root);
    return done;
}

static void forget(cm_buffer *answer)
{
    if (answer->data)
        OPENSSL_cleanse(answer->data, answer->length);
    cm_buffer_free(answer);
}

/* https anywhere; plain http only to this machine and to the addresses of ECS and EKS, so that a token cannot leak. */
static bool address_allowed(const char *url)
{
    static const char *const hosts[] = {"169.254.170.2", "169.254.170.23", "127.0.0.1", "localhost",
                                        "[::1]",         "[fd00:ec2::23]", NULL};
    if (strncmp(url, "https://", 8) == 0)
        return true;
    if (strncmp(url, "http://", 7) != 0 || strchr(url, '@'))
        return false;
    for (size_t i = 0; hosts[i]; i++) {
        size_t length = strlen(hosts[i]);
        if (strncmp(url + 7, hosts[i], length) == 0 && strchr(":/", url[7 + length]))
            return true; /* true at the end of the text, too: strchr finds the NUL */
    }
    return false;
}

enum cm_aws_found cm_aws_from_container(const cm_aws_options *options, cm_http *http, cm_aws_credentials *ret,
                                        cm_buffer *looked, cm_error *err)
{
    const char *relative = cm_aws_environment(options, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    const char *full = cm_aws_environment(options, "AWS_CONTAINER_CREDENTIALS_FULL_URI");
    if (!relative && !full) {
        cm_buffer_text(looked, "container endpoint (AWS_CONTAINER_CREDENTIALS_*_URI is not set)");
        return CM_AWS_NOT_THERE;
    }
    cm_buffer url = {0}, token = {0}, answer = {0};
    if (relative)
        cm_buffer_printf(&url, "http://169.254.170.2%s", relative);
    else
        cm_buffer_text(&url, full);
    const char *file = cm_aws_environment(options, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
    const char *given = cm_aws_environment(options, "AWS_CONTAINER_AUTHORIZATION_TOKEN");
    bool done = true;
    if (!relative && !address_allowed(url.data))
        done = cm_fail(err, CM_ERROR_RETRY, "NO_CREDENTIALS",
                       "AWS_CONTAINER_CREDENTIALS_FULL_URI must be https, or http to this machine or to ECS or EKS");
    if (done && file)
        done = cm_aws_read_secret_file(file, &token, err);
    else if (done && given)
        cm_buffer_text(&token, given);
    if (done && strpbrk(cm_buffer_string(&token), "\r\n"))
        done = cm_fail(err, CM_ERROR_RETRY, "NO_CREDENTIALS", "the authorization token has more than one line");
    cm_http_header header = {"Authorization", cm_buffer_string(&token)};
    done = done && ask(options, http, "GET", url.data, token.length ? &header : NULL, &answer, err) &&
           read_answer(url.data, &answer, ret, err);
    if (!done)
        cm_fail_context(err, "container endpoint");
    forget(&answer);
    forget(&token);
    cm_buffer_free(&url);
    return done ? CM_AWS_FOUND : CM_AWS_BROKEN;
}

/* The role's name, then its credentials, both with a session token of the service (IMDS v2). */
static bool ask_instance(const cm_aws_options *options, cm_http *http, const char *endpoint, const char *session,
                         cm_aws_credentials *ret, cm_error *err)
{
    cm_http_header header = {"X-aws-ec2-metadata-token", session};
    cm_buffer url = {0}, role = {0}, answer = {0};
    cm_buffer_printf(&url, "%s/latest/meta-data/iam/security-credentials/", endpoint);
    bool done = ask(options, http, "GET", url.data, &header, &role, err);
    if (done) {
        size_t length = strcspn(cm_buffer_string(&role), "\r\n");
        cm_aws_encode(&url, cm_buffer_string(&role), length, false);
        done = ask(options, http, "GET", url.data, &header, &answer, err) && read_answer(url.data, &answer, ret, err);
    }
    forget(&answer);
    cm_buffer_free(&role);
    cm_buffer_free(&url);
    return done;
}

enum cm_aws_found cm_aws_from_instance(const cm_aws_options *options, cm_http *http, cm_aws_credentials *ret,
                                       cm_buffer *looked, cm_error *err)
{
    const char *disabled = cm_aws_environment(options, "AWS_EC2_METADATA_DISABLED");
    if (disabled && strcmp(disabled, "true") == 0) {
        cm_buffer_text(looked, "instance metadata (AWS_EC2_METADATA_DISABLED)");
        return CM_AWS_NOT_THERE;
    }
    const char *set = cm_aws_environment(options, "AWS_EC2_METADATA_SERVICE_ENDPOINT");
    const char *endpoint = set ? set : "http://169.254.169.254";
    cm_buffer url = {0}, session = {0};
    cm_buffer_printf(&url, "%s/latest/api/token", endpoint);
    cm_http_header lifetime = {"X-aws-ec2-metadata-token-ttl-seconds", "21600"};
    enum cm_aws_found result = CM_AWS_BROKEN;
    cm_error why = {0};
    if (!ask(options, http, "PUT", url.data, &lifetime, &session, &why) ||
        strpbrk(cm_buffer_string(&session), "\r\n")) {
        cm_buffer_printf(looked, "instance metadata (%s)", why.text[0] ? why.text : "no session");
        result = CM_AWS_NOT_THERE;
    } else if (ask_instance(options, http, endpoint, cm_buffer_string(&session), ret, err)) {
        result = CM_AWS_FOUND;
    } else {
        cm_fail_context(err, "instance metadata");
    }
    forget(&session);
    cm_buffer_free(&url);
    return result;
}
