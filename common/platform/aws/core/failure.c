#include "platform/aws/core/failure.h"

#include "platform/aws/core/xml.h"

#include <curl/curl.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

enum { FAILURE_BYTES_MAX = 64 * 1024 };

/* Printable, one line, cut to the size. */
static void put(char *into, size_t size, const char *text, size_t length)
{
    size_t at = 0;
    for (size_t i = 0; i < length && at + 1 < size; i++)
        into[at++] = (unsigned char)text[i] < 0x20 || text[i] == 0x7f ? ' ' : text[i];
    into[at] = '\0';
}

/* "com.amazon#Name:http://..." -> "Name" */
static void put_type(cm_aws_failure *ret, const char *type)
{
    const char *hash = strchr(type, '#');
    if (hash)
        type = hash + 1;
    put(ret->code, sizeof ret->code, type, strcspn(type, ":"));
}

static bool ends_with(const char *path, const char *end)
{
    size_t a = strlen(path), b = strlen(end);
    return a >= b && strcmp(path + a - b, end) == 0;
}

static void on_element(void *opaque, const char *path, const char *text)
{
    cm_aws_failure *ret = opaque;
    if (strcmp(path, "Error/Code") == 0 || ends_with(path, "/Error/Code"))
        put(ret->code, sizeof ret->code, text, strlen(text));
    else if (strcmp(path, "Error/Message") == 0 || ends_with(path, "/Error/Message"))
        put(ret->message, sizeof ret->message, text, strlen(text));
    else if (strcmp(path, "Error/Region") == 0)
        put(ret->region, sizeof ret->region, text, strlen(text));
}

static void parse_json(const char *body, size_t length, cm_aws_failure *ret)
{
    json_t *root = json_loadb(body, length, 0, NULL);
    const char *type = json_string_value(json_object_get(root, "__type"));
    if (!type)
        type = json_string_value(json_object_get(root, "code"));
    const char *message = json_string_value(json_object_get(root, "message"));
    if (!message)
        message = json_string_value(json_object_get(root, "Message"));
    const char *reason = json_string_value(json_object_get(root, "Reason"));
    if (!reason)
        reason = json_string_value(json_object_get(root, "errorCode"));
    if (type && !ret->code[0])
        put_type(ret, type);
    if (reason)
        put(ret->reason, sizeof ret->reason, reason, strlen(reason));
    if (message)
        put(ret->message, sizeof ret->message, message, strlen(message));
    json_decref(root);
}

void cm_aws_failure_parse(int status, const char *type_header, const char *body, size_t length, cm_aws_failure *ret)
{
    *ret = (cm_aws_failure){.status = status};
    if (type_header)
        put_type(ret, type_header);
    size_t start = 0;
    while (start < length && strchr(" \t\r\n", body[start]))
        start++;
    if (start == length)
        return;
    cm_error ignored;
    if (body[start] == '{')
        parse_json(body + start, length - start, ret);
    else if (body[start] == '<' && !cm_xml_read(body + start, length - start, on_element, ret, &ignored))
        return; /* HTML from a proxy: only the status is usable */
}

/* A service that repeats our secrets must not bring them into a log. */
static void redact(char *text, const char *secret)
{
    size_t length = secret ? strlen(secret) : 0;
    if (length < 2)
        return;
    for (char *at = text; (at = strstr(at, secret)); at += length)
        memset(at, '*', length);
}

void cm_aws_failure_redact(cm_aws_failure *failure, const char *secret)
{
    redact(failure->message, secret);
    redact(failure->reason, secret);
}

void cm_aws_failure_read(cm_http_exchange *exchange, const cm_aws_credentials *used, cm_aws_failure *ret)
{
    cm_buffer body = {0};
    cm_error ignored;
    bool whole = cm_http_read_all(exchange, FAILURE_BYTES_MAX, &body, &ignored);
    cm_aws_failure_parse(cm_http_status(exchange), cm_http_reply_header(exchange, "x-amzn-errortype"),
                         cm_buffer_string(&body), whole ? body.length : 0, ret);
    cm_buffer_free(&body);
    const char *region = cm_http_reply_header(exchange, "x-amz-bucket-region");
    if (region)
        put(ret->region, sizeof ret->region, region, strlen(region));
    const char *date = cm_http_reply_header(exchange, "date");
    time_t server = date ? curl_getdate(date, NULL) : -1;
    ret->server = server > 0 ? (cm_instant)server * CM_SECOND : 0;
    if (used) {
        redact(ret->message, used->secret_access_key);
        redact(ret->message, used->session_token);
    }
}

static bool among(const char *code, const char *const *list)
{
    for (; *list; list++)
        if (strcmp(code, *list) == 0)
            return true;
    return false;
}

bool cm_aws_failure_throttled(const cm_aws_failure *failure)
{
    static const char *const codes[] = {"Throttling",
                                        "ThrottlingException",
                                        "ThrottledException",
                                        "RequestThrottled",
                                        "RequestThrottledException",
                                        "TooManyRequestsException",
                                        "RequestLimitExceeded",
                                        "BandwidthLimitExceeded",
                                        "LimitExceededException",
                                        "SlowDown",
                                        "PriorRequestNotComplete",
                                        "ProvisionedThroughputExceededException",
                                        NULL};
    return failure->status == 429 || among(failure->code, codes);
}

static bool unavailable(const cm_aws_failure *failure)
{
    static const char *const codes[] = {"RequestTimeout", "RequestTimeoutException", "TransactionInProgressException",
                                        "IDPCommunicationError", NULL};
    return failure->status >= 500 || among(failure->code, codes);
}

bool cm_aws_failure_expired(const cm_aws_failure *failure)
{
    static const char *const codes[] = {"ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired", NULL};
    /* the answer to HEAD has no body and so no code: AWS gives 400 for an expired token */
    return among(failure->code, codes) || (failure->status == 400 && !failure->code[0]);
}

bool cm_aws_failure_skew(const cm_aws_failure *failure)
{
    static const char *const codes[] = {"RequestTimeTooSkewed",
                                        "RequestExpired",
                                        "RequestInTheFuture",
                                        "InvalidSignatureException",
                                        "SignatureDoesNotMatch",
                                        "AuthFailure",
                                        NULL};
    /* the answer to HEAD has no body and so no code */
    return among(failure->code, codes) || (failure->status == 403 && !failure->code[0]);
}

static const char *advice(const cm_aws_failure *failure)
{
    if (strcmp(failure->code, "SignatureDoesNotMatch") == 0)
        return "; the secret access key does not belong to the access key id, or something rewrites requests on the "
               "way";
    if (strcmp(failure->code, "RequestTimeTooSkewed") == 0)
        return "; set this machine's clock";
    if (failure->code[0] && cm_aws_failure_expired(failure))
        return "; the session token has expired; get new credentials";
    if (failure->status == 401 || failure->status == 403)
        return "; check the credentials and the policy of the role or bucket";
    return "";
}

/* JSON services answer 400 to all errors: the name decides. */
static bool denied(const cm_aws_failure *failure)
{
    static const char *const codes[] = {"AccessDenied",
                                        "AccessDeniedException",
                                        "AccessDeniedForDependencyException",
                                        "InvalidAccessKeyId",
                                        "InvalidClientTokenId",
                                        "UnrecognizedClientException",
                                        "IncompleteSignature",
                                        "IncompleteSignatureException",
                                        "InvalidSignatureException",
                                        "MissingAuthenticationToken",
                                        "MissingAuthenticationTokenException",
                                        "OptInRequired",
                                        "SubscriptionRequiredException",
                                        "UnauthorizedOperation",
                                        NULL};
    return failure->status == 401 || failure->status == 403 || among(failure->code, codes) ||
           (failure->code[0] && cm_aws_failure_expired(failure));
}

static bool conflict(const cm_aws_failure *failure)
{
    static const char *const codes[] = {"ConflictException",
                                        "DuplicateHandshakeException",
                                        "DuplicateAccountException",
                                        "HandshakeAlreadyInStateException",
                                        "InvalidHandshakeTransitionException",
                                        NULL};
    return among(failure->code, codes);
}

static enum cm_error_class classify(const cm_aws_failure *failure, const char **ret_code)
{
    struct {
        bool fits;
        enum cm_error_class class;
        const char *code;
    } table[] = {
        {cm_aws_failure_throttled(failure), CM_ERROR_RETRY, "THROTTLED"},
        {unavailable(failure), CM_ERROR_RETRY, "UNAVAILABLE"},
        /* access must be fixed, not the input: then the same call may work */
        {denied(failure), CM_ERROR_RETRY, "DENIED"},
        {strcmp(failure->code, "ConcurrentModificationException") == 0, CM_ERROR_RETRY, "CONFLICT"},
        {failure->status == 404 || ends_with(failure->code, "NotFoundException") ||
             strcmp(failure->code, "AWSOrganizationsNotInUseException") == 0,
         CM_ERROR_NOT_FOUND, "NOT_FOUND"},
        {failure->status == 412, CM_ERROR_POISON, "CHANGED"},
        {conflict(failure), CM_ERROR_REFUSED, "CONFLICT"},
        {ends_with(failure->code, "ConstraintViolationException"), CM_ERROR_REFUSED, "CONSTRAINT"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (table[i].fits) {
            *ret_code = table[i].code;
            return table[i].class;
        }
    *ret_code = "INVALID";
    return CM_ERROR_INVALID;
}

bool cm_aws_fail(const cm_aws_failure *failure, const char *what, cm_error *err)
{
    const char *code;
    enum cm_error_class class = classify(failure, &code);
    char hint[96] = "";
    if (failure->region[0] && class == CM_ERROR_INVALID)
        snprintf(hint, sizeof hint, "; the bucket is in region %s: set `region` to it", failure->region);
    return cm_fail(err, class, code, "%s: HTTP %d%s%s%s%s%s%s%s%s", what, failure->status, failure->code[0] ? " " : "",
                   failure->code, failure->reason[0] ? " " : "", failure->reason, failure->message[0] ? ": " : "",
                   failure->message, advice(failure), hint);
}
