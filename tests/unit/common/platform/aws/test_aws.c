/* Errors, retries, the clock, listing and reading against a scripted server on loopback. */
#include "fake_http.h"
#include "platform/aws/chain/chain.h"
#include "platform/aws/core/client.h"
#include "platform/aws/core/failure.h"
#include "platform/aws/core/xml.h"
#include "platform/aws/s3/s3.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SECRET "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"

/* --- the world of a test ----------------------------------------------------------------------------------------- */

static const char *variables[16]; /* "NAME=value" */
static cm_instant now;
static int64_t waits[64];
static size_t wait_count;

static const char *environment(void *opaque, const char *name)
{
    (void)opaque;
    for (size_t i = 0; i < 16 && variables[i]; i++)
        if (strncmp(variables[i], name, strlen(name)) == 0 && variables[i][strlen(name)] == '=')
            return variables[i] + strlen(name) + 1;
    return NULL;
}

static cm_instant clock_now(void *opaque)
{
    (void)opaque;
    return now;
}

static void no_wait(void *opaque, int64_t milliseconds)
{
    (void)opaque;
    if (wait_count < 64)
        waits[wait_count++] = milliseconds;
}

static const cm_aws_options options = {
    .environment = environment, .now = clock_now, .wait = no_wait, .seed = 7, .stall_milliseconds = 2000};

static void set_up(void)
{
    memset(variables, 0, sizeof variables);
    variables[0] = "AWS_ACCESS_KEY_ID=AKIDEXAMPLE";
    variables[1] = "AWS_SECRET_ACCESS_KEY=" SECRET;
    cr_assert(cm_instant_parse(cm_slice_of("2025-07-01T12:00:00Z"), &now));
    wait_count = 0;
}

static cm_s3 *open_bucket(const char *url, int page_size)
{
    cm_aws_provider *provider = cm_aws_provider_chain(&options);
    cm_s3_config config = {.bucket = "b",
                           .region = "eu-west-1",
                           .endpoint = url,
                           .provider = provider,
                           .options = &options,
                           .page_size = page_size};
    cm_error err;
    cm_s3 *s3 = cm_s3_new(&config, &err);
    cr_assert(s3);
    cm_aws_provider_free(provider);
    return s3;
}

static char *answer(const char *status, const char *headers, const char *body)
{
    cm_buffer text = {0};
    cm_buffer_printf(&text, "HTTP/1.1 %s\r\nContent-Length: %zu\r\nConnection: close\r\n%s\r\n%s", status, strlen(body),
                     headers, body);
    return cm_buffer_take(&text);
}

TestSuite(aws, .init = set_up, .timeout = 60);

/* --- errors ------------------------------------------------------------------------------------------------------ */

Test(aws, failure_is_read_from_every_protocol)
{
    cm_aws_failure f;
    const char *s3 =
        "<?xml version=\"1.0\"?>\n<Error><Code>NoSuchKey</Code><Message>The key &amp; more</Message></Error>";
    cm_aws_failure_parse(404, NULL, s3, strlen(s3), &f);
    cr_expect_str_eq(f.code, "NoSuchKey");
    cr_expect_str_eq(f.message, "The key & more");
    const char *sts = "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type>"
                      "<Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>";
    cm_aws_failure_parse(403, NULL, sts, strlen(sts), &f);
    cr_expect_str_eq(f.code, "AccessDenied");
    const char *json =
        "{\"__type\":\"com.amazonaws.organizations#TooManyRequestsException:http://x\",\"Message\":\"slow\"}";
    cm_aws_failure_parse(400, NULL, json, strlen(json), &f);
    cr_expect_str_eq(f.code, "TooManyRequestsException");
    cr_expect(cm_aws_failure_throttled(&f));
    cm_aws_failure_parse(400, "ValidationException:http://x", "{\"message\":\"bad\"}", 17, &f);
    cr_expect_str_eq(f.code, "ValidationException");
    cr_expect_str_eq(f.message, "bad");
    cm_aws_failure_parse(502, NULL, "<html><body><br>Bad Gateway", 27, &f);
    cr_expect_str_eq(f.code, "");
    cm_aws_failure_parse(500, NULL, "", 0, &f);
    cr_expect_str_eq(f.message, "");
}

Test(aws, failure_has_a_class)
{
    struct {
        int status;
        const char *aws;
        enum cm_error_class class;
        const char *code;
    } table[] = {
        {503, "SlowDown", CM_ERROR_RETRY, "THROTTLED"},
        {400, "ThrottlingException", CM_ERROR_RETRY, "THROTTLED"},
        {500, "InternalError", CM_ERROR_RETRY, "UNAVAILABLE"},
        {400, "RequestTimeout", CM_ERROR_RETRY, "UNAVAILABLE"},
        {403, "SignatureDoesNotMatch", CM_ERROR_RETRY, "DENIED"},
        {403, "", CM_ERROR_RETRY, "DENIED"},
        {400, "ExpiredToken", CM_ERROR_RETRY, "DENIED"},
        {404, "NoSuchBucket", CM_ERROR_NOT_FOUND, "NOT_FOUND"},
        {412, "PreconditionFailed", CM_ERROR_POISON, "CHANGED"},
        {400, "InvalidArgument", CM_ERROR_INVALID, "INVALID"},
        {400, "", CM_ERROR_INVALID, "INVALID"},
        {301, "PermanentRedirect", CM_ERROR_INVALID, "INVALID"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        cm_aws_failure failure = {.status = table[i].status};
        snprintf(failure.code, sizeof failure.code, "%s", table[i].aws);
        cm_error err = {0};
        cr_expect(!cm_aws_fail(&failure, "x", &err));
        cr_expect(err.class == table[i].class && strcmp(err.code, table[i].code) == 0, "%d %s gave %s", table[i].status,
                  table[i].aws, err.code);
    }
}

static void count_elements(void *opaque, const char *path, const char *text)
{
    (void)text;
    *(size_t *)opaque += strcmp(path, "r/a/b") == 0;
}

Test(aws, xml_refuses_what_is_no_answer)
{
    size_t seen = 0;
    cm_error err = {0};
    const char *good = "<x:r xmlns:x=\"u\"><a><b>1</b><b/></a><b>no</b></x:r>";
    cr_assert(cm_xml_read(good, strlen(good), count_elements, &seen, &err));
    cr_expect(seen == 2);
    const char *cut = "<r><a><b>1</b>";
    cr_expect(!cm_xml_read(cut, strlen(cut), count_elements, &seen, &err));
    cr_expect(err.class == CM_ERROR_RETRY);
    const char *bomb = "<!DOCTYPE r [<!ENTITY a \"aaaa\">]><r><a><b>&a;</b></a></r>";
    cr_expect(!cm_xml_read(bomb, strlen(bomb), count_elements, &seen, &err));
    cm_buffer deep = {0};
    for (int i = 0; i < 40; i++)
        cm_buffer_text(&deep, "<d>");
    cr_expect(!cm_xml_read(deep.data, deep.length, count_elements, &seen, &err));
    cm_buffer_free(&deep);
}

/* --- listing ----------------------------------------------------------------------------------------------------- */

Test(aws, list_pages_and_odd_keys)
{
    char *first = answer(
        "200 OK", "",
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><ListBucketResult xmlns=\"u\"><IsTruncated>true"
        "</IsTruncated><Contents><Key>z+a%2Bb%26c%3Dd%3Ae%2541%C3%A9.csv</Key><Size>5</Size><ETag>&quot;e1&quot;</ETag>"
        "<LastModified>2025-06-01T00:00:00.000Z</LastModified></Contents>"
        "<NextContinuationToken>a+b/c==</NextContinuationToken><EncodingType>url</EncodingType></ListBucketResult>");
    char *second = answer("200 OK", "",
                          "<ListBucketResult><EncodingType>url</EncodingType><IsTruncated>false</IsTruncated>"
                          "<Contents><Size>7</Size><ETag>\"e2\"</ETag><Key>a</Key></Contents></ListBucketResult>");
    fake_http server;
    fake_http_start(&server, (fake_answer[]){{first}, {second}}, 2);
    cm_s3 *s3 = open_bucket(server.url, 1);
    cm_arena *arena = cm_arena_new(4096);
    cm_s3_object *list;
    size_t count;
    cm_error err = {0};
    cr_assert(cm_s3_list(s3, "a b/", arena, &list, &count, &err), "%s", err.text);
    fake_http_stop(&server);
    cr_assert(count == 2);
    cr_expect_str_eq(list[0].key, "a");
    cr_expect_str_eq(list[0].etag, "e2");
    cr_expect_str_eq(list[1].key, "z a+b&c=d:e%41\xc3\xa9.csv");
    cr_expect_str_eq(list[1].etag, "e1");
    cr_expect(list[1].bytes == 5 && list[1].modified == cm_period_start((cm_period){2025, 6}));
    cr_expect(strstr(server.request[0], "GET /b?encoding-type=url&list-type=2&max-keys=1&prefix=a%20b%2F HTTP/1.1"),
              "%s", server.request[0]);
    cr_expect(strstr(server.request[1], "continuation-token=a%2Bb%2Fc%3D%3D&"), "%s", server.request[1]);
    cr_expect(strstr(server.request[0],
                     "Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20250701/eu-west-1/s3/aws4_request, "
                     "SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature="));
    cr_expect(!strstr(server.request[0], SECRET));
    cm_arena_free(arena);
    cm_s3_free(s3);
    free(first);
    free(second);
}

Test(aws, list_with_a_cycle_is_an_error)
{
    char *page = answer("200 OK", "",
                        "<ListBucketResult><IsTruncated>true</IsTruncated>"
                        "<NextContinuationToken>t</NextContinuationToken></ListBucketResult>");
    fake_http server;
    fake_http_start(&server, (fake_answer[]){{page}, {page}, {page}}, 3);
    cm_s3 *s3 = open_bucket(server.url, 0);
    cm_arena *arena = cm_arena_new(4096);
    cm_s3_object *list;
    size_t count;
    cm_error err = {0};
    cr_expect(!cm_s3_list(s3, "", arena, &list, &count, &err));
    cr_expect(strstr(err.text, "the list continues"), "%s", err.text);
    fake_http_stop(&server);
    cm_arena_free(arena);
    cm_s3_free(s3);
    free(page);
}

/* --- retries ----------------------------------------------------------------------------------------------------- */

static bool head(cm_s3 *s3, cm_error *err)
{
    cm_arena *arena = cm_arena_new(1024);
    cm_s3_object object;
    bool done = cm_s3_head(s3, "k", arena, &object, err);
    cm_arena_free(arena);
    return done;
}

Test(aws, throttling_and_5xx_are_tried_again_with_jitter)
{
    char *slow = answer("503 Slow Down", "", ""), *bad = answer("500 Oops", "", "");
    char *good = answer("200 OK", "ETag: \"e\"\r\n", "");
    fake_http server;
    fake_http_start(&server, (fake_answer[]){{slow}, {bad}, {slow}, {good}}, 4);
    cm_s3 *s3 = open_bucket(server.url, 0);
    cm_error err = {0};
    cr_expect(head(s3, &err), "%s", err.text);
    fake_http_stop(&server);
    cr_assert(server.requests == 4 && wait_count == 3);
    for (size_t i = 0; i < wait_count; i++)
        cr_expect(waits[i] >= 0 && waits[i] <= 100 << (i + 1), "wait %zu was %lld ms", i, (long long)waits[i]);
    cr_expect(waits[0] != waits[1] || waits[1] != waits[2]);
    cm_s3_free(s3);
    free(slow), free(bad), free(good);
}

Test(aws, attempts_end)
{
    char *slow = answer("503 Slow Down", "", "");
    fake_answer all[10];
    for (size_t i = 0; i < 10; i++)
        all[i].raw = slow;
    fake_http server;
    fake_http_start(&server, all, 10);
    variables[2] = "AWS_MAX_ATTEMPTS=3";
    cm_s3 *s3 = open_bucket(server.url, 0);
    cm_error err = {0};
    cr_expect(!head(s3, &err));
    cr_expect(err.class == CM_ERROR_RETRY && strstr(err.text, "tried 3 times"), "%s", err.text);
    fake_http_stop(&server);
    cr_expect(server.requests == 3);
    cm_s3_free(s3);
    free(slow);
}

Test(aws, refusals_are_not_tried_again)
{
    char *no = answer("403 Forbidden", "Date: Tue, 01 Jul 2025 12:00:30 GMT\r\n", "");
    fake_http server;
    fake_http_start(&server, (fake_answer[]){{no}, {no}}, 2);
    cm_s3 *s3 = open_bucket(server.url, 0);
    cm_error err = {0};
    cr_expect(!head(s3, &err));
    cr_expect(err.class == CM_ERROR_RETRY && strcmp(err.code, "DENIED") == 0, "%s", err.text);
    fake_http_stop(&server);
    cr_expect(server.requests == 1);
    cm_s3_free(s3);
    free(no);
}

Test(aws, nothing_listens)
{
    fake_http server;
    fake_http_start(&server, NULL, 0);
    fake_http_stop(&server); /* its port is free again */
    cm_s3 *s3 = open_bucket(server.url, 0);
    cm_error err = {0};
    cr_expect(!head(s3, &err));
    cr_expect(err.class == CM_ERROR_RETRY && strcmp(err.code, "UNAVAILABLE") == 0, "%s", err.text);
    cr_expect(wait_count == 5, "%zu waits", wait_count);
    cm_s3_free(s3);
}

Test(aws, clock_is_corrected_from_the_date_header)
{
    char *skewed = answer("403 Forbidden", "Date: Tue, 01 Jul 2025 13:30:00 GMT\r\n",
                          "<Error><Code>RequestTimeTooSkewed</Code><Message>m</Message></Error>");
    char *good = answer("200 OK", "", "<ListBucketResult></ListBucketResult>");
    fake_http server;
    fake_http_start(&server, (fake_answer[]){{skewed}, {good}, {good}}, 3);
    cm_s3 *s3 = open_bucket(server.url, 0);
    cm_arena *arena = cm_arena_new(1024);
    cm_s3_object *list;
    size_t count;
    cm_error err = {0};
    cr_expect(cm_s3_list(s3, "", arena, &list, &count, &err), "%s", err.text);
    cr_expect(cm_s3_list(s3, "", arena, &list, &count, &err), "%s", err.text);
    fake_http_stop(&server);
    cr_assert(server.requests == 3);
    cr_expect(strstr(server.request[0], "x-amz-date: 20250701T120000Z"));
    cr_expect(strstr(server.request[1], "x-amz-date: 20250701T133000Z"));
    cr_expect(strstr(server.request[2], "x-amz-date: 20250701T133000Z"), "the correction is kept");
    cm_arena_free(arena);
    cm_s3_free(s3);
    free(skewed), free(good);
}

Test(aws, secrets_stay_out_of_errors)
{
    char *echo = answer("400 Bad Request", "",
                        "<Error><Code>InvalidArgument</Code><Message>you sent " SECRET " and more</Message></Error>");
    fake_http server;
    fake_http_start(&server, (fake_answer[]){{echo}}, 1);
    cm_s3 *s3 = open_bucket(server.url, 0);
    cm_arena *arena = cm_arena_new(1024);
    cm_s3_object *list;
    size_t count;
    cm_error err = {0};
    cr_expect(!cm_s3_list(s3, "", arena, &list, &count, &err));
    cr_expect(strstr(err.text, "you sent ***") && !strstr(err.text, "wJalr"), "%s", err.text);
    fake_http_stop(&server);
    cm_arena_free(arena);
    cm_s3_free(s3);
    free(echo);
}

/* --- reading ----------------------------------------------------------------------------------------------------- */

static char *read_whole(cm_stream *stream, cm_error *err)
{
    cm_buffer text = {0};
    char part[3];
    for (size_t length;;) {
        if (!stream->read(stream, part, sizeof part, &length, err)) {
            cm_buffer_free(&text);
            return NULL;
        }
        if (length == 0)
            break;
        cm_buffer_append(&text, part, length);
    }
    cm_buffer_text(&text, "");
    return cm_buffer_take(&text);
}

Test(aws, read_goes_on_after_a_cut)
{
    fake_answer script[] = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\nETag: \"v1\"\r\n\r\n0123"},
        {"HTTP/1.1 503 Slow Down\r\nContent-Length: 0\r\n\r\n"},
        {"HTTP/1.1 206 Partial Content\r\nContent-Length: 6\r\nContent-Range: bytes 4-9/10\r\nETag: \"v1\"\r\n\r\n45"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\nETag: \"v1\"\r\n\r\n0123456789"}, /* a server that ignores Range */
    };
    fake_http server;
    fake_http_start(&server, script, 4);
    cm_s3 *s3 = open_bucket(server.url, 0);
    cm_error err = {0};
    cm_stream *stream = cm_s3_open(s3, "a b", NULL, -1, &err);
    cr_assert(stream, "%s", err.text);
    char *text = read_whole(stream, &err);
    cr_assert(text, "%s", err.text);
    cr_expect_str_eq(text, "0123456789");
    cm_stream_close(stream);
    fake_http_stop(&server);
    cr_assert(server.requests == 4);
    cr_expect(strstr(server.request[0], "GET /b/a%20b HTTP/1.1") && !strstr(server.request[0], "Range:"));
    cr_expect(strstr(server.request[2], "Range: bytes=4-\r\n") && strstr(server.request[2], "If-Match: \"v1\"\r\n"));
    cr_expect(strstr(server.request[3], "Range: bytes=6-\r\n"));
    cr_expect(strstr(server.request[3], "SignedHeaders=host;if-match;range;x-amz-content-sha256;x-amz-date"));
    cm_s3_free(s3);
    free(text);
}

static void expect_changed(const fake_answer *script, size_t count, const char *etag, int64_t bytes)
{
    fake_http server;
    fake_http_start(&server, script, count);
    cm_s3 *s3 = open_bucket(server.url, 0);
    cm_error err = {0};
    cm_stream *stream = cm_s3_open(s3, "k", etag, bytes, &err);
    char *text = stream ? read_whole(stream, &err) : NULL;
    cr_expect(!text && err.class == CM_ERROR_POISON && strcmp(err.code, "CHANGED") == 0, "%s %s", err.code, err.text);
    free(text);
    cm_stream_close(stream);
    cm_s3_free(s3);
    fake_http_stop(&server);
}

Test(aws, read_notices_another_object)
{
    const char *cut = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\nETag: \"v1\"\r\n\r\n0123";
    expect_changed((fake_answer[]){{"HTTP/1.1 412 Precondition Failed\r\nContent-Length: 0\r\n\r\n"}}, 1, "v1", 10);
    expect_changed((fake_answer[]){{cut}, {"HTTP/1.1 412 Precondition Failed\r\nContent-Length: 0\r\n\r\n"}}, 2, "v1",
                   10);
    expect_changed((fake_answer[]){{cut}, {"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"}}, 2, "v1", 10);
    expect_changed((fake_answer[]){{cut}, {"HTTP/1.1 416 Range\r\nContent-Length: 0\r\n\r\n"}}, 2, "v1", 10);
    expect_changed((fake_answer[]){{cut}}, 1, "v0", 10); /* a server that ignores If-Match */
    expect_changed((fake_answer[]){{cut}}, 1, "v1", 11);
    expect_changed(
        (fake_answer[]){{cut}, {"HTTP/1.1 206 P\r\nContent-Length: 7\r\nContent-Range: bytes 4-10/11\r\n\r\n4567890"}},
        2, "v1", 10);
}

Test(aws, read_without_etag_does_not_guess)
{
    fake_http server;
    fake_http_start(&server, (fake_answer[]){{"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123"}}, 1);
    cm_s3 *s3 = open_bucket(server.url, 0);
    cm_error err = {0};
    cm_stream *stream = cm_s3_open(s3, "k", NULL, -1, &err);
    cr_assert(stream);
    cr_expect(read_whole(stream, &err) == NULL);
    cr_expect(err.class == CM_ERROR_RETRY, "%s", err.text);
    char more[4];
    size_t length;
    cr_expect(!stream->read(stream, more, sizeof more, &length, &err), "an ended stream stays ended");
    cm_stream_close(stream);
    fake_http_stop(&server);
    cr_expect(server.requests == 1);
    cm_s3_free(s3);
}

/* More than the buffer holds, taken slowly: the transfer is paused and resumed, and no byte is lost or duplicated. */
Test(aws, read_pauses_when_the_reader_is_slow)
{
    enum { BYTES = 3 * 1024 * 1024 };
    char *body = malloc(BYTES + 1);
    for (size_t i = 0; i < BYTES; i++)
        body[i] = (char)('a' + (i * 7 + i / 1000) % 26);
    body[BYTES] = '\0';
    char *whole = answer("200 OK", "ETag: \"e\"\r\n", body);
    fake_http server;
    fake_http_start(&server, (fake_answer[]){{whole}}, 1);
    cm_s3 *s3 = open_bucket(server.url, 0);
    cm_error err = {0};
    cm_stream *stream = cm_s3_open(s3, "k", NULL, -1, &err);
    cr_assert(stream, "%s", err.text);
    size_t at = 0, length;
    char part[5000];
    for (int n = 0;; n++) {
        if (n % 100 == 0)
            usleep(20000);
        cr_assert(stream->read(stream, part, sizeof part, &length, &err), "%s", err.text);
        if (length == 0)
            break;
        cr_assert(at + length <= BYTES && memcmp(part, body + at, length) == 0, "at byte %zu", at);
        at += length;
    }
    cr_expect(at == BYTES, "%zu", at);
    cm_stream_close(stream);
    fake_http_stop(&server);
    cr_expect(server.requests == 1);
    cm_s3_free(s3);
    free(whole), free(body);
}

Test(aws, silence_ends)
{
    int listener = socket(AF_INET, SOCK_STREAM, 0); /* takes connections and never answers */
    struct sockaddr_in place = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof place;
    cr_assert(bind(listener, (struct sockaddr *)&place, size) == 0 && listen(listener, 8) == 0 &&
              getsockname(listener, (struct sockaddr *)&place, &size) == 0);
    char url[64];
    snprintf(url, sizeof url, "http://127.0.0.1:%d", ntohs(place.sin_port));
    variables[2] = "AWS_MAX_ATTEMPTS=2";
    cm_s3 *s3 = open_bucket(url, 0);
    cm_error err = {0};
    int64_t began = cm_monotonic_milliseconds();
    cr_expect(!head(s3, &err));
    int64_t took = cm_monotonic_milliseconds() - began;
    cr_expect(strcmp(err.code, "UNAVAILABLE") == 0 && strstr(err.text, "nothing received for 2000 ms"), "%s", err.text);
    cr_expect(took >= 4000 && took < 8000, "%lld ms", (long long)took);
    close(listener);
    cm_s3_free(s3);
}

Test(aws, addresses)
{
    cm_error err = {0};
    const char *bad[] = {"ftp://x", "http://", "host:1", "http://user@host", "http://h/?q"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        cm_s3_config config = {.bucket = "b", .endpoint = bad[i], .options = &options};
        cr_expect(!cm_s3_new(&config, &err) && err.class == CM_ERROR_INVALID, "%s", bad[i]);
    }
    fake_http server;
    char *good = answer("200 OK", "", "");
    fake_http_start(&server, (fake_answer[]){{good}, {good}}, 2);
    char s3_variable[96];
    snprintf(s3_variable, sizeof s3_variable, "AWS_ENDPOINT_URL_S3=%s/base/", server.url);
    variables[2] = "AWS_ENDPOINT_URL=http://127.0.0.1:1";
    variables[3] = s3_variable;
    cm_s3 *s3 = open_bucket(NULL, 0);
    cr_expect(head(s3, &err), "%s", err.text);
    cm_s3_free(s3);
    variables[3] = NULL;
    s3 = open_bucket(server.url, 0); /* the source's endpoint wins */
    cr_expect(head(s3, &err), "%s", err.text);
    cm_s3_free(s3);
    fake_http_stop(&server);
    cr_expect(strstr(server.request[0], "HEAD /base/b/k HTTP/1.1"), "%s", server.request[0]);
    cr_expect(strstr(server.request[1], "HEAD /b/k HTTP/1.1"), "%s", server.request[1]);
    free(good);
}
