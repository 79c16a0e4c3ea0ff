#include "platform/aws/core/client.h"

#include "base/log/log.h"
#include "platform/aws/core/failure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum { RETRIES_TO_SPEND = 100, CALL_HEADERS_MAX = 16, SHORT_MILLISECONDS = 60000 };
static const int64_t wait_first = 100, wait_longest = 5000;
static const cm_instant skew_least = 240 * CM_SECOND;

struct cm_aws_client {
    cm_http *http;
    cm_aws_provider *provider;
    cm_aws_options options;
    char *service, *region;
    char *origin; /* scheme://authority */
    char *host;   /* value of the Host header */
    char *base;   /* prefix of every path, usually "" */
    char *ca_bundle;
    cm_instant clock_offset; /* server - ours */
    uint64_t random;
    int retries_left;
    cm_aws_failure refusal;
};

const char *cm_aws_domain(const char *region)
{
    return strncmp(region, "cn-", 3) == 0 ? "amazonaws.com.cn" : "amazonaws.com";
}

const char *cm_aws_endpoint_override(const cm_aws_options *options, const char *service)
{
    char name[64];
    snprintf(name, sizeof name, "AWS_ENDPOINT_URL_%s", service);
    for (char *c = name; *c; c++)
        *c = (char)(*c >= 'a' && *c <= 'z' ? *c - 32 : *c);
    const char *endpoint = cm_aws_environment(options, name);
    return endpoint ? endpoint : cm_aws_environment(options, "AWS_ENDPOINT_URL");
}

static char *copy(const char *text, size_t length)
{
    char *result = cm_alloc(length + 1);
    memcpy(result, text, length);
    return result;
}

static bool take_endpoint(cm_aws_client *client, const char *endpoint, cm_error *err)
{
    size_t scheme = strncmp(endpoint, "https://", 8) == 0 ? 8 : strncmp(endpoint, "http://", 7) == 0 ? 7 : 0;
    size_t authority = scheme ? strcspn(endpoint + scheme, "/?#") : 0;
    if (authority == 0 || strpbrk(endpoint, "?#@ "))
        return cm_fail(
            err, CM_ERROR_INVALID, "INVALID",
            "the endpoint \"%s\" is not an address such as https://host:port (without user, query or fragment)",
            strchr(endpoint, '@') ? "(not shown)" : endpoint);
    client->origin = copy(endpoint, scheme + authority);
    client->host = copy(endpoint + scheme, authority);
    const char *standard = scheme == 8 ? ":443" : ":80";
    size_t cut = strlen(standard);
    if (authority > cut && strcmp(client->host + authority - cut, standard) == 0)
        client->host[authority - cut] = '\0';
    const char *path = endpoint + scheme + authority;
    size_t length = strlen(path);
    while (length > 0 && path[length - 1] == '/')
        length--;
    client->base = copy(path, length);
    return true;
}

static int attempts_of(const cm_aws_options *options)
{
    if (options->attempts > 0)
        return options->attempts;
    const char *text = cm_aws_environment(options, "AWS_MAX_ATTEMPTS");
    char *end = NULL;
    long value = text ? strtol(text, &end, 10) : 0;
    return text && !*end && value >= 1 && value <= 100 ? (int)value : 6;
}

cm_aws_client *cm_aws_client_new(const cm_aws_client_config *config, cm_error *err)
{
    cm_aws_client *client = cm_alloc(sizeof *client);
    if (!take_endpoint(client, config->endpoint, err)) {
        free(client);
        return NULL;
    }
    if (config->options)
        client->options = *config->options;
    cm_aws_options *options = &client->options;
    options->attempts = attempts_of(options);
    if (options->wait_milliseconds == 0)
        options->wait_milliseconds = 30000;
    if (options->connect_milliseconds == 0)
        options->connect_milliseconds = 5000;
    if (options->stall_milliseconds == 0)
        options->stall_milliseconds = 30000;
    const char *bundle = cm_aws_environment(options, "AWS_CA_BUNDLE");
    client->ca_bundle = bundle ? cm_strdup(bundle) : NULL;
    client->service = cm_strdup(config->service);
    client->region = cm_strdup(config->region);
    client->provider = config->provider ? cm_aws_provider_keep(config->provider) : NULL;
    client->http = cm_http_new();
    client->random = options->seed;
    if (client->random == 0 && getrandom(&client->random, sizeof client->random, 0) != sizeof client->random)
        client->random = (uint64_t)cm_aws_now(options);
    client->retries_left = RETRIES_TO_SPEND;
    return client;
}

void cm_aws_client_free(cm_aws_client *client)
{
    if (!client)
        return;
    cm_http_free(client->http);
    cm_aws_provider_free(client->provider);
    free(client->service);
    free(client->region);
    free(client->origin);
    free(client->host);
    free(client->base);
    free(client->ca_bundle);
    free(client);
}

const cm_aws_failure *cm_aws_client_refusal(const cm_aws_client *client)
{
    return &client->refusal;
}

/* --- waiting ----------------------------------------------------------------------------------------------------- */

/* splitmix64: spreading waits needs no better randomness */
static uint64_t next_random(cm_aws_client *client)
{
    uint64_t z = client->random += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

bool cm_aws_again(cm_aws_client *client, cm_aws_attempts *attempts, const cm_error *why)
{
    bool worth_it =
        why->class == CM_ERROR_RETRY && strcmp(why->code, "DENIED") != 0 && strcmp(why->code, "NO_CREDENTIALS") != 0;
    bool stopping = client->options.stopping && client->options.stopping(client->options.opaque);
    if (!worth_it || stopping || attempts->made >= client->options.attempts || client->retries_left == 0)
        return false;
    int64_t most = wait_first << (attempts->made < 10 ? attempts->made : 10);
    if (most > wait_longest)
        most = wait_longest;
    int64_t wait = (int64_t)(next_random(client) % (uint64_t)(most + 1)); /* full jitter */
    if (attempts->waited + wait > client->options.wait_milliseconds)
        return false;
    attempts->waited += wait;
    client->retries_left--;
    cm_log_error(CM_DEBUG, "AWS call is tried again", why, "service", client->service, "attempt",
                 cm_log_i64(attempts->made), "wait_ms", cm_log_i64(wait), NULL);
    cm_aws_wait(&client->options, wait);
    return true;
}

/* --- one attempt ------------------------------------------------------------------------------------------------- */

static void payload_hash(const cm_aws_call *call, char ret[static CM_SHA256_HEX])
{
    uint8_t bytes[CM_SHA256_BYTES];
    cm_sha256(call->body ? call->body : "", call->body ? call->body_length : 0, bytes);
    cm_hex(bytes, sizeof bytes, ret);
}

static cm_http_exchange *send_signed(cm_aws_client *client, const cm_aws_call *call,
                                     const cm_aws_credentials *credentials, cm_error *err)
{
    bool s3 = strcmp(client->service, "s3") == 0;
    char hash[CM_SHA256_HEX];
    cm_http_header header[CALL_HEADERS_MAX + 6];
    size_t count = 0;
    header[count++] = (cm_http_header){"Host", client->host};
    cm_assert(call->header_count <= CALL_HEADERS_MAX);
    for (size_t i = 0; i < call->header_count; i++)
        header[count++] = call->headers[i];
    cm_buffer url = {0}, path = {0};
    cm_buffer_printf(&path, "%s%s", client->base, call->path);
    bool query = call->query && *call->query;
    cm_buffer_printf(&url, "%s%s%s%s", client->origin, path.data, query ? "?" : "", query ? call->query : "");
    cm_sigv4_signature signature = {0};
    if (credentials) {
        payload_hash(call, hash);
        if (s3)
            header[count++] = (cm_http_header){"x-amz-content-sha256", hash};
        if (credentials->session_token)
            header[count++] = (cm_http_header){"x-amz-security-token", credentials->session_token};
        cm_sigv4_request request = {.method = call->method,
                                    .path = path.data,
                                    .query = call->query,
                                    .headers = header,
                                    .header_count = count,
                                    .payload_sha256 = hash,
                                    .region = client->region,
                                    .service = client->service,
                                    .at = cm_aws_now(&client->options) + client->clock_offset,
                                    .normalise_path = !s3,
                                    .encode_path_again = !s3};
        cm_sigv4_sign(&request, credentials, &signature);
        header[count++] = (cm_http_header){"x-amz-date", signature.date};
        header[count++] = (cm_http_header){"Authorization", signature.authorization.data};
    }
    cm_http_request request = {.method = call->method,
                               .url = url.data,
                               .headers = header,
                               .header_count = count,
                               .body = call->body,
                               .body_length = call->body_length,
                               .connect_milliseconds = client->options.connect_milliseconds,
                               .stall_milliseconds = client->options.stall_milliseconds,
                               .total_milliseconds = call->whole_is_short ? SHORT_MILLISECONDS : 0,
                               .ca_bundle = client->ca_bundle};
    cm_http_exchange *exchange = cm_http_begin(client->http, &request, err);
    cm_sigv4_signature_free(&signature);
    cm_buffer_free(&url);
    cm_buffer_free(&path);
    return exchange;
}

/* False: the service may have carried out the call, which must not happen twice. */
static bool may_retry(const cm_aws_call *call, const cm_error *why)
{
    return !call->once || strcmp(why->code, "THROTTLED") == 0;
}

/* True: the cause was fixed (clock, credentials), so the same request can be sent again at once. */
static bool fix_cause(cm_aws_client *client, cm_aws_attempts *attempts, const cm_aws_failure *failure)
{
    if (cm_aws_failure_skew(failure) && failure->server && !attempts->clock_corrected) {
        cm_instant offset = failure->server - cm_aws_now(&client->options);
        cm_instant change = offset - client->clock_offset;
        if (change >= skew_least || change <= -skew_least) {
            attempts->clock_corrected = true;
            client->clock_offset = offset;
            cm_log(CM_WARN, "this machine's clock differs from AWS's; corrected for signing", "service",
                   client->service, "seconds", cm_log_i64(offset / CM_SECOND), NULL);
            return true;
        }
    }
    if (cm_aws_failure_expired(failure) && client->provider && !attempts->credentials_renewed) {
        attempts->credentials_renewed = true;
        cm_aws_provider_renew(client->provider);
        return true;
    }
    return false;
}

cm_http_exchange *cm_aws_begin(cm_aws_client *client, const cm_aws_call *call, cm_aws_attempts *attempts, cm_error *err)
{
    for (;;) {
        client->refusal = (cm_aws_failure){0};
        cm_aws_credentials credentials = {0};
        if (client->provider && !cm_aws_provider_get(client->provider, &credentials, err))
            return NULL;
        attempts->made++;
        cm_error why = {0};
        cm_http_exchange *exchange = send_signed(client, call, client->provider ? &credentials : NULL, &why);
        bool again = false;
        if (exchange && cm_http_status(exchange) / 100 == 2) {
            if (attempts->made == 1 && client->retries_left < RETRIES_TO_SPEND)
                client->retries_left++;
            cm_aws_credentials_free(&credentials);
            return exchange;
        }
        if (exchange) {
            cm_aws_failure failure;
            cm_aws_failure_read(exchange, &credentials, &failure);
            cm_aws_failure_redact(&failure, call->secret);
            cm_http_end(exchange);
            again = fix_cause(client, attempts, &failure); /* refused before anything was done */
            client->refusal = failure;
            cm_aws_fail(&failure, call->what, &why);
        } else {
            cm_fail_context(&why, "%s", call->what);
        }
        cm_aws_credentials_free(&credentials);
        if (!again && !(may_retry(call, &why) && cm_aws_again(client, attempts, &why))) {
            if (why.class == CM_ERROR_RETRY && attempts->made > 1 && strcmp(why.code, "DENIED") != 0)
                cm_fail(err, why.class, why.code, "%s (tried %d times)", why.text, attempts->made);
            else if (err)
                *err = why;
            return NULL;
        }
    }
}

bool cm_aws_perform(cm_aws_client *client, const cm_aws_call *call, size_t limit, cm_buffer *into, cm_error *err)
{
    cm_aws_attempts attempts = {0};
    for (;;) {
        cm_http_exchange *exchange = cm_aws_begin(client, call, &attempts, err);
        if (!exchange)
            return false;
        cm_buffer_clear(into);
        cm_error why = {0};
        bool whole = cm_http_read_all(exchange, limit, into, &why);
        cm_http_end(exchange);
        if (whole)
            return true;
        cm_fail_context(&why, "%s", call->what);
        if (!may_retry(call, &why) || !cm_aws_again(client, &attempts, &why)) {
            if (err)
                *err = why;
            return false;
        }
    }
}
