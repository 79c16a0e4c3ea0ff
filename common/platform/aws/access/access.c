#include "platform/aws/access/operation.h"
#include "platform/aws/core/client.h"
#include "platform/aws/core/xml.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ANSWER_MAX = 16 * 1024 * 1024, ACCOUNT_DIGITS = 12, PER_MINUTE = 120, BURST = 20 };
static const int64_t minute = 60 * CM_SECOND;

typedef struct service {
    const char *environment; /* of AWS_ENDPOINT_URL_<...>: the service id in the models */
    const char *signs_as;
    const char *host;   /* "%s" is the region */
    const char *domain; /* NULL: the partition's */
    const char *target; /* prefix of X-Amz-Target; NULL: not JSON 1.x */
    const char *content_type;
    bool regional; /* available in the requested region; otherwise only in the partition's */
} service;

/* Source: the endpoint rules and metadata of the service models. */
static const service services[CM_AWS_SERVICES] = {
    [CM_AWS_ORGANIZATIONS] = {"organizations", "organizations", "organizations.%s", NULL, "AWSOrganizationsV20161128",
                              "application/x-amz-json-1.1", false},
    [CM_AWS_TAX] = {"taxsettings", "tax", "tax.%s", NULL, NULL, "application/json", false},
    [CM_AWS_ACCOUNT] = {"account", "account", "account.%s", NULL, NULL, "application/json", false},
    [CM_AWS_STS] = {"sts", "sts", "sts.%s", NULL, NULL, "application/x-www-form-urlencoded; charset=utf-8", true},
    [CM_AWS_CUR] = {"cost_and_usage_report_service", "cur", "cur.%s", NULL, "AWSOrigamiServiceGatewayService",
                    "application/x-amz-json-1.1", false},
    [CM_AWS_SUPPORT] = {"support", "support", "support.%s", NULL, "AWSSupport_20130415", "application/x-amz-json-1.1",
                        false},
    [CM_AWS_BILLING] = {"billing", "billing", "billing.%s", "api.aws", "AWSBilling", "application/x-amz-json-1.0",
                        false},
};

struct cm_aws_access {
    char *name, *region;
    const char *home; /* region of the services that exist in only one */
    cm_aws_provider *provider;
    cm_aws_options options;
    cm_aws_client *client[CM_AWS_SERVICES]; /* opened when first needed */
    size_t calls;
    cm_aws_failure refusal;
    /* the token bucket: in calls x microseconds of a minute, so that it stays an integer */
    int64_t tokens, tokens_most, per_minute;
    cm_instant filled_at;
    int64_t slice_ends; /* monotonic milliseconds; 0: no limit */
};

const char *cm_aws_partition_of(const char *arn)
{
    static const char *const others[] = {"aws-cn", "aws-us-gov"};
    for (size_t i = 0; arn && i < sizeof others / sizeof *others; i++) {
        size_t length = strlen(others[i]);
        if (strncmp(arn, "arn:", 4) == 0 && strncmp(arn + 4, others[i], length) == 0 && arn[4 + length] == ':')
            return others[i];
    }
    return "aws";
}

bool cm_aws_account_of(const char *arn, char ret[static CM_AWS_ACCOUNT_ID])
{
    const char *at = arn;
    for (int colons = 0; at && colons < 4; colons++) {
        at = strchr(at, ':');
        at = at ? at + 1 : NULL;
    }
    if (!at || strspn(at, "0123456789") != ACCOUNT_DIGITS || at[ACCOUNT_DIGITS] != ':')
        return false;
    memcpy(ret, at, ACCOUNT_DIGITS);
    ret[ACCOUNT_DIGITS] = '\0';
    return true;
}

cm_aws_access *cm_aws_access_new(const cm_aws_access_config *config)
{
    cm_aws_access *access = cm_alloc(sizeof *access);
    if (config->options)
        access->options = *config->options;
    const char *partition = config->partition ? config->partition : "aws";
    access->home = strcmp(partition, "aws-cn") == 0       ? "cn-northwest-1"
                   : strcmp(partition, "aws-us-gov") == 0 ? "us-gov-west-1"
                                                          : "us-east-1";
    access->name = cm_strdup(config->name);
    access->region = cm_strdup(cm_aws_region(&access->options, config->region));
    access->provider = cm_aws_provider_keep(config->provider);
    access->per_minute = config->per_minute > 0 ? config->per_minute : PER_MINUTE;
    access->tokens_most = (config->burst > 0 ? config->burst : BURST) * minute;
    access->tokens = access->tokens_most;
    access->filled_at = cm_aws_now(&access->options);
    access->slice_ends = config->slice_milliseconds > 0 ? cm_monotonic_milliseconds() + config->slice_milliseconds : 0;
    return access;
}

void cm_aws_access_free(cm_aws_access *access)
{
    if (!access)
        return;
    for (size_t i = 0; i < CM_AWS_SERVICES; i++)
        cm_aws_client_free(access->client[i]);
    cm_aws_provider_free(access->provider);
    free(access->name);
    free(access->region);
    free(access);
}

size_t cm_aws_access_calls(const cm_aws_access *access)
{
    return access->calls;
}

const cm_aws_failure *cm_aws_access_refusal(const cm_aws_access *access)
{
    return &access->refusal;
}

/* Takes one call of the allowance; waits if there is none. */
static void take_token(cm_aws_access *access)
{
    cm_instant now = cm_aws_now(&access->options);
    int64_t passed = now > access->filled_at ? now - access->filled_at : 0;
    if (passed > access->tokens_most / access->per_minute)
        passed = access->tokens_most / access->per_minute;
    access->tokens += passed * access->per_minute;
    if (access->tokens > access->tokens_most)
        access->tokens = access->tokens_most;
    access->filled_at = now;
    if (access->tokens < minute) {
        int64_t microseconds = (minute - access->tokens + access->per_minute - 1) / access->per_minute;
        cm_aws_wait(&access->options, (microseconds + 999) / 1000);
        access->tokens = minute;
        access->filled_at = cm_aws_now(&access->options);
    }
    access->tokens -= minute;
}

static cm_aws_client *client_of(cm_aws_access *access, enum cm_aws_service which, cm_error *err)
{
    if (access->client[which])
        return access->client[which];
    const service *s = &services[which];
    const char *region = s->regional ? access->region : access->home;
    cm_buffer endpoint = {0};
    const char *override = cm_aws_endpoint_override(&access->options, s->environment);
    if (override) {
        cm_buffer_text(&endpoint, override);
    } else {
        const char *rest = strchr(s->host, '%');
        cm_buffer_text(&endpoint, "https://");
        cm_buffer_append(&endpoint, s->host, (size_t)(rest - s->host));
        cm_buffer_printf(&endpoint, "%s.%s", region, s->domain ? s->domain : cm_aws_domain(region));
    }
    cm_aws_client_config config = {s->signs_as, region, endpoint.data, access->provider, &access->options};
    access->client[which] = cm_aws_client_new(&config, err);
    cm_buffer_free(&endpoint);
    return access->client[which];
}

static bool perform(cm_aws_access *access, const cm_aws_operation *operation, cm_aws_call *call, cm_buffer *answer,
                    cm_error *err)
{
    access->refusal = (cm_aws_failure){0};
    cm_buffer what = {0};
    cm_buffer_printf(&what, "%s: %s", access->name, operation->name);
    cm_aws_client *client = client_of(access, operation->service, err);
    bool done = false;
    bool stopping = access->options.stopping && access->options.stopping(access->options.opaque);
    if (client && (stopping || (access->slice_ends && cm_monotonic_milliseconds() >= access->slice_ends))) {
        cm_fail(err, CM_ERROR_RETRY, "SLICE_SPENT",
                "%s: not called, because this turn's time is used up; the next turn continues", what.data);
    } else if (client) {
        take_token(access);
        access->calls++;
        call->what = what.data;
        call->once = operation->once;
        call->whole_is_short = true;
        done = cm_aws_perform(client, call, ANSWER_MAX, answer, err);
        access->refusal = *cm_aws_client_refusal(client);
    }
    cm_buffer_free(&what);
    return done;
}

json_t *cm_aws_call_json(cm_aws_access *access, const cm_aws_operation *operation, json_t *input, cm_error *err)
{
    const service *s = &services[operation->service];
    cm_buffer target = {0}, answer = {0};
    char *body = input ? json_dumps(input, JSON_COMPACT) : operation->path ? NULL : cm_strdup("{}");
    json_decref(input);
    cm_http_header header[2] = {{"Content-Type", s->content_type}};
    size_t headers = body ? 1 : 0;
    if (!operation->path) {
        cm_buffer_printf(&target, "%s.%s", s->target, operation->name);
        header[headers++] = (cm_http_header){"X-Amz-Target", target.data};
    }
    cm_aws_call call = {.method = "POST",
                        .path = operation->path ? operation->path : "/",
                        .headers = header,
                        .header_count = headers,
                        .body = body,
                        .body_length = body ? strlen(body) : 0};
    json_t *root = NULL;
    if (perform(access, operation, &call, &answer, err)) {
        size_t blank = strspn(cm_buffer_string(&answer), " \t\r\n");
        root = answer.length == blank ? json_object() : json_loadb(answer.data, answer.length, 0, NULL);
        if (!json_is_object(root)) { /* HTML from a proxy, a truncated answer */
            json_decref(root);
            root = NULL;
            cm_fail(err, CM_ERROR_RETRY, "UNAVAILABLE", "%s: %s: the answer is not a JSON object", access->name,
                    operation->name);
        }
    }
    free(body);
    cm_buffer_free(&target);
    cm_buffer_free(&answer);
    return root;
}

bool cm_aws_call_query(cm_aws_access *access, const cm_aws_operation *operation, const char *form, cm_buffer *answer,
                       cm_error *err)
{
    cm_http_header type = {"Content-Type", services[operation->service].content_type};
    cm_aws_call call = {
        .method = "POST", .path = "/", .headers = &type, .header_count = 1, .body = form, .body_length = strlen(form)};
    return perform(access, operation, &call, answer, err);
}

/* --- paging ------------------------------------------------------------------------------------------------------ */

/* Brent: a token is compared with a saved one, which is replaced at every power of two, so cycles of any length are
 * found. */
typedef struct circle {
    char *kept;
    size_t steps, next;
} circle;

static bool is_cycle(circle *c, const char *token)
{
    if (c->kept && strcmp(c->kept, token) == 0)
        return true;
    if (c->steps++ == c->next) {
        free(c->kept);
        c->kept = cm_strdup(token);
        c->next = c->next * 2 + 1;
    }
    return false;
}

bool cm_aws_each_page(cm_aws_access *access, const cm_aws_operation *operation, json_t *input, cm_aws_page page,
                      void *opaque, cm_error *err)
{
    if (!input)
        input = json_object();
    circle seen = {0};
    char *token = NULL;
    bool done = false;
    for (;;) {
        json_t *answer = cm_aws_call_json(access, operation, json_deep_copy(input), err);
        if (!answer)
            break;
        const char *next =
            operation->token_out ? json_string_value(json_object_get(answer, operation->token_out)) : NULL;
        bool more = next && *next;
        bool same = more && ((token && strcmp(token, next) == 0) || is_cycle(&seen, next));
        if (same)
            cm_fail(err, CM_ERROR_RETRY, "PAGE_REPEATS",
                    "%s: %s: a page points back to one that was already read; the whole list is discarded",
                    access->name, operation->name);
        bool good = !same && page(opaque, answer, err);
        if (good && more) {
            free(token);
            token = cm_strdup(next);
            json_object_set_new(input, operation->token_in, json_string(next));
        }
        json_decref(answer);
        if (!good || !more) {
            done = good;
            break;
        }
    }
    free(token);
    free(seen.kept);
    json_decref(input);
    return done;
}

/* --- members of an answer ---------------------------------------------------------------------------------------- */

void cm_aws_take_text(const json_t *object, const char *key, char *into, size_t size)
{
    const char *text = json_string_value(json_object_get(object, key));
    size_t length = text ? strlen(text) : 0;
    if (length >= size)
        length = size - 1;
    while (text && length > 0 && text[length] && ((unsigned char)text[length] & 0xC0) == 0x80)
        length--; /* not in the middle of a character */
    memcpy(into, text ? text : "", length);
    into[length] = '\0';
}

/* "1757894400.123" without binary floating point of our own. */
static cm_instant epoch_of(const char *text)
{
    bool negative = *text == '-';
    text += negative;
    int64_t seconds = 0, fraction = 0;
    for (; *text >= '0' && *text <= '9' && seconds < INT64_C(100000000000); text++)
        seconds = seconds * 10 + (*text - '0');
    int64_t unit = CM_SECOND / 10;
    if (*text == '.')
        for (text++; *text >= '0' && *text <= '9' && unit > 0; text++, unit /= 10)
            fraction += (*text - '0') * unit;
    cm_instant at = seconds * CM_SECOND + fraction;
    return negative ? -at : at;
}

cm_instant cm_aws_take_instant(const json_t *object, const char *key)
{
    json_t *value = json_object_get(object, key);
    cm_instant at = 0;
    if (json_is_string(value))
        return cm_instant_parse(cm_slice_of(json_string_value(value)), &at) ? at : 0;
    if (!json_is_number(value))
        return 0;
    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(16));
    at = text ? epoch_of(text) : 0;
    free(text);
    return at;
}

/* --- who we are -------------------------------------------------------------------------------------------------- */

static void on_identity(void *opaque, const char *path, const char *text)
{
    if (strcmp(path, "GetCallerIdentityResponse/GetCallerIdentityResult/Account") == 0)
        snprintf(opaque, CM_AWS_ACCOUNT_ID, "%s", text);
}

bool cm_aws_identity(cm_aws_access *access, char ret[static CM_AWS_ACCOUNT_ID], cm_error *err)
{
    static const cm_aws_operation operation = {.service = CM_AWS_STS, .name = "GetCallerIdentity"};
    cm_buffer answer = {0};
    ret[0] = '\0';
    bool done = cm_aws_call_query(access, &operation, "Action=GetCallerIdentity&Version=2011-06-15", &answer, err) &&
                cm_xml_read(cm_buffer_string(&answer), answer.length, on_identity, ret, err);
    if (done && strspn(ret, "0123456789") != ACCOUNT_DIGITS)
        done = cm_fail(err, CM_ERROR_RETRY, "UNAVAILABLE", "%s: GetCallerIdentity: the answer does not name an account",
                       access->name);
    cm_buffer_free(&answer);
    return done;
}
