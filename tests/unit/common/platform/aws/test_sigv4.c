/* Signature Version 4 against the published vectors (vectors/README.md), and the rules of encoding. */
#include "platform/aws/credentials/sigv4.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { HEADERS_MAX = 16 };

typedef struct raw_request {
    char *text, *method, *path, *query, *body;
    cm_http_header header[HEADERS_MAX + 2];
    size_t headers;
} raw_request;

static char *slurp(const char *name, const char *file)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s/%s", VECTORS, name, file);
    FILE *in = fopen(path, "rb");
    if (!in)
        return NULL;
    cm_buffer text = {0};
    char part[4096];
    for (size_t length; (length = fread(part, 1, sizeof part, in)) > 0;)
        cm_buffer_append(&text, part, length);
    fclose(in);
    cm_buffer_text(&text, "");
    return cm_buffer_take(&text);
}

static char *trim_end(char *text)
{
    for (size_t length = text ? strlen(text) : 0; length > 0 && strchr("\r\n", text[length - 1]); length--)
        text[length - 1] = '\0';
    return text;
}

/* "GET /a b HTTP/1.1", headers (a line that begins with white space continues the one before), empty line, body */
static void parse_request(raw_request *request, char *text)
{
    *request = (raw_request){.text = text, .method = text};
    char *end = strchr(text, '\n');
    *end = '\0';
    char *protocol = strstr(text, " HTTP/1.1");
    cr_assert(protocol);
    *protocol = '\0';
    request->path = strchr(text, ' ');
    *request->path++ = '\0';
    request->query = strchr(request->path, '?');
    if (request->query)
        *request->query++ = '\0';
    char *at = end + 1;
    request->body = at + strlen(at);
    while (*at) {
        if (*at == '\n') {
            request->body = at + 1;
            break;
        }
        char *stop = at;
        do
            stop = stop[strcspn(stop, "\n")] ? stop + strcspn(stop, "\n") + 1 : stop + strlen(stop);
        while (*stop == ' ' || *stop == '\t');
        char *next = stop;
        if (stop[-1] == '\n')
            stop[-1] = '\0';
        char *colon = strchr(at, ':');
        cr_assert(colon && request->headers < HEADERS_MAX);
        *colon = '\0';
        request->header[request->headers++] = (cm_http_header){at, colon + 1};
        at = next;
    }
}

/* Runs one case; returns how many of the three expected texts were compared. */
static int run_case(const char *name)
{
    char *text = slurp(name, "request.txt");
    cr_assert(text, "%s", name);
    raw_request request;
    parse_request(&request, text);
    char *context_text = slurp(name, "context.json");
    json_t *context = context_text ? json_loads(context_text, 0, NULL) : NULL;
    json_t *keys = json_object_get(context, "credentials");
    cm_aws_credentials credentials = {(char *)json_string_value(json_object_get(keys, "access_key_id")),
                                      (char *)json_string_value(json_object_get(keys, "secret_access_key")),
                                      (char *)json_string_value(json_object_get(keys, "token")), INT64_MAX};
    bool alone = !context; /* double-encode-path */
    if (alone)
        credentials = (cm_aws_credentials){"ANOTREAL", "NOTREAL", NULL, INT64_MAX};
    uint8_t bytes[CM_SHA256_BYTES];
    char hash[CM_SHA256_HEX];
    bool sign_body = json_is_true(json_object_get(context, "sign_body"));
    cm_sha256(request.body, sign_body ? strlen(request.body) : 0, bytes);
    cm_hex(bytes, sizeof bytes, hash);
    if (credentials.session_token && !json_is_true(json_object_get(context, "omit_session_token")))
        request.header[request.headers++] = (cm_http_header){"X-Amz-Security-Token", credentials.session_token};
    if (sign_body)
        request.header[request.headers++] = (cm_http_header){"x-amz-content-sha256", hash};
    if (alone) /* its X-amz-date is what the signer adds */
        request.headers--;
    const char *stamp = alone ? "2021-05-11T15:40:45Z" : json_string_value(json_object_get(context, "timestamp"));
    cm_sigv4_request to_sign = {.method = request.method,
                                .path = request.path,
                                .query = request.query,
                                .headers = request.header,
                                .header_count = request.headers,
                                .payload_sha256 = hash,
                                .region = alone ? "us-east-1" : json_string_value(json_object_get(context, "region")),
                                .service =
                                    alone ? "execute-api" : json_string_value(json_object_get(context, "service")),
                                .normalise_path = alone || json_is_true(json_object_get(context, "normalize")),
                                .encode_path_again = alone};
    cr_assert(cm_instant_parse(cm_slice_of(stamp), &to_sign.at));
    cm_sigv4_signature got;
    cm_sigv4_sign(&to_sign, &credentials, &got);
    const char *files[] = {"header-canonical-request.txt", "header-string-to-sign.txt", "header-signature.txt"};
    const char *ours[] = {got.canonical_request.data, got.string_to_sign.data, got.signature};
    int compared = 0;
    for (size_t i = 0; i < (alone ? 1 : 3); i++) {
        char *expected = trim_end(slurp(name, files[i]));
        cr_assert(expected, "%s/%s", name, files[i]);
        cr_expect(strcmp(expected, ours[i]) == 0, "%s/%s:\nexpected:\n%s\ngot:\n%s", name, files[i], expected, ours[i]);
        compared++;
        free(expected);
    }
    cm_sigv4_signature_free(&got);
    json_decref(context);
    free(context_text);
    free(text);
    return compared;
}

Test(sigv4, published_vectors)
{
    DIR *folder = opendir(VECTORS);
    cr_assert(folder);
    int cases = 0, compared = 0;
    for (struct dirent *entry; (entry = readdir(folder));) {
        if (entry->d_name[0] == '.' || !strchr(entry->d_name, '-'))
            continue;
        cases++;
        compared += run_case(entry->d_name);
    }
    closedir(folder);
    cr_assert(cases == 39 && compared == 38 * 3 + 1, "%d cases, %d texts", cases, compared);
}

static char *canonical_path_of(const char *path, bool s3)
{
    cm_aws_credentials credentials = {"A", "S", NULL, INT64_MAX};
    cm_sigv4_request request = {.method = "GET",
                                .path = path,
                                .payload_sha256 = "x",
                                .region = "r",
                                .service = "s",
                                .normalise_path = !s3,
                                .encode_path_again = !s3};
    cm_sigv4_signature got;
    cm_sigv4_sign(&request, &credentials, &got);
    char *line = strdup(got.canonical_request.data + 4);
    line[strcspn(line, "\n")] = '\0';
    cm_sigv4_signature_free(&got);
    return line;
}

/* S3 signs the path as sent; all other services normalise and encode it again. */
Test(sigv4, path_rules)
{
    struct {
        const char *path, *s3, *other;
    } table[] = {
        {"/a%20b/c%2Bd", "/a%20b/c%2Bd", "/a%2520b/c%252Bd"},
        {"/x/../y//z/./", "/x/../y//z/./", "/y/z/"},
        {"/a%3Ab%3Dc", "/a%3Ab%3Dc", "/a%253Ab%253Dc"},
        {"/", "/", "/"},
        {"/..", "/..", "/"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        char *s3 = canonical_path_of(table[i].path, true), *other = canonical_path_of(table[i].path, false);
        cr_expect_str_eq(s3, table[i].s3);
        cr_expect_str_eq(other, table[i].other);
        free(s3);
        free(other);
    }
}

Test(sigv4, encoding_and_back)
{
    const char *text = "a b+c&d=e%41/\xc3\xa9:~_-.";
    cm_buffer encoded = {0}, plain = {0};
    cm_aws_encode(&encoded, text, strlen(text), true);
    cr_expect_str_eq(encoded.data, "a%20b%2Bc%26d%3De%2541/%C3%A9%3A~_-.");
    cm_aws_decode(&plain, encoded.data, encoded.length, true);
    cr_expect_str_eq(plain.data, text);
    cm_buffer_clear(&plain);
    cm_aws_decode(&plain, "a+b%2Bc%zz%4", 12, true);
    cr_expect_str_eq(plain.data, "a b+c%zz%4");
    cm_buffer_clear(&plain);
    cm_aws_decode(&plain, "a+b", 3, false);
    cr_expect_str_eq(plain.data, "a+b");
    cm_buffer_free(&encoded);
    cm_buffer_free(&plain);
}
