/* The shared profile files of the AWS command line: ~/.aws/credentials and ~/.aws/config. */
#include "platform/aws/chain/sources.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct profile {
    const char *name;
    bool seen;
    char *id, *secret, *token;
    const char *unsupported; /* static name of a key that curmill does not support */
} profile;

static cm_slice trim(const char *text, size_t length)
{
    while (length > 0 && strchr(" \t\r", *text)) {
        text++;
        length--;
    }
    while (length > 0 && strchr(" \t\r", text[length - 1]))
        length--;
    return (cm_slice){text, length};
}

static void keep(char **into, cm_slice value)
{
    free(*into);
    *into = cm_alloc(value.length + 1);
    memcpy(*into, value.text, value.length);
}

static void take_key(profile *into, cm_slice key, cm_slice value)
{
    static const char *const foreign[] = {"role_arn", "credential_process", "sso_session", "sso_start_url", NULL};
    if (cm_slice_is(key, "aws_access_key_id"))
        keep(&into->id, value);
    else if (cm_slice_is(key, "aws_secret_access_key"))
        keep(&into->secret, value);
    else if (cm_slice_is(key, "aws_session_token"))
        keep(&into->token, value);
    for (size_t i = 0; foreign[i]; i++)
        if (cm_slice_is(key, foreign[i]))
            into->unsupported = foreign[i];
}

/* "[name]" in the credentials file, "[profile name]" or "[default]" in the config file. */
static bool section_is(cm_slice line, const char *name)
{
    cm_slice inside = trim(line.text + 1, line.length - (line.text[line.length - 1] == ']' ? 2 : 1));
    if (inside.length > 8 && memcmp(inside.text, "profile ", 8) == 0)
        inside = trim(inside.text + 8, inside.length - 8);
    return cm_slice_is(inside, name);
}

static void read_profile(const char *text, profile *into)
{
    bool mine = false;
    for (const char *at = text; *at;) {
        size_t length = strcspn(at, "\n");
        cm_slice line = trim(at, length);
        const char *equals = line.length ? memchr(line.text, '=', line.length) : NULL;
        if (line.length > 1 && line.text[0] == '[') {
            mine = section_is(line, into->name);
            into->seen = into->seen || mine;
        } else if (mine && equals && line.text[0] != '#' && line.text[0] != ';') {
            size_t key = (size_t)(equals - line.text);
            take_key(into, trim(line.text, key), trim(equals + 1, line.length - key - 1));
        }
        at += length + (at[length] == '\n');
    }
}

static char *file_path(const cm_aws_options *options, const char *variable, const char *below_home)
{
    const char *set = cm_aws_environment(options, variable);
    if (set)
        return cm_strdup(set);
    const char *home = cm_aws_environment(options, "HOME");
    cm_buffer path = {0};
    cm_buffer_printf(&path, "%s/%s", home ? home : "", below_home);
    return cm_buffer_take(&path);
}

static bool read_file(const char *path, profile *into, cm_error *err)
{
    if (access(path, F_OK) != 0)
        return true;
    cm_buffer text = {0};
    bool done = cm_aws_read_secret_file(path, &text, err);
    if (done)
        read_profile(cm_buffer_string(&text), into);
    if (text.data)
        OPENSSL_cleanse(text.data, text.length);
    cm_buffer_free(&text);
    return done;
}

enum cm_aws_found cm_aws_from_profile(const cm_aws_options *options, cm_http *http, cm_aws_credentials *ret,
                                      cm_buffer *looked, cm_error *err)
{
    (void)http;
    const char *named = cm_aws_environment(options, "AWS_PROFILE");
    profile found = {.name = named ? named : "default"};
    char *config = file_path(options, "AWS_CONFIG_FILE", ".aws/config");
    char *credentials = file_path(options, "AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials");
    enum cm_aws_found result = CM_AWS_BROKEN;
    if (!read_file(config, &found, err) || !read_file(credentials, &found, err)) {
        cm_fail_context(err, "profile");
    } else if (found.id && found.secret) {
        *ret = (cm_aws_credentials){found.id, found.secret, found.token, INT64_MAX};
        found.id = found.secret = found.token = NULL;
        result = CM_AWS_FOUND;
    } else if (found.unsupported) {
        cm_fail(err, CM_ERROR_RETRY, "NO_CREDENTIALS",
                "profile \"%s\" has no keys but `%s`, which curmill does not support: use keys, web identity, a "
                "container or instance "
                "role, and `role_arn` in the payer's source",
                found.name, found.unsupported);
    } else if (found.id || found.secret || named) {
        cm_fail(err, CM_ERROR_RETRY, "NO_CREDENTIALS", "profile \"%s\" %s in %s and %s", found.name,
                found.seen ? "lacks aws_access_key_id or aws_secret_access_key" : "is not", credentials, config);
    } else {
        cm_buffer_printf(looked, "profile \"%s\" in %s", found.name, credentials);
        result = CM_AWS_NOT_THERE;
    }
    free(config);
    free(credentials);
    free(found.id);
    if (found.secret)
        OPENSSL_cleanse(found.secret, strlen(found.secret));
    free(found.secret);
    free(found.token);
    return result;
}
