#include "platform/aws/chain/chain.h"

#include "platform/aws/chain/sources.h"
#include "platform/aws/sts/sts.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SECRET_FILE_MAX = 64 * 1024 };
static const cm_aws_options defaults;

bool cm_aws_read_secret_file(const char *path, cm_buffer *into, cm_error *err)
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return cm_fail(err, CM_ERROR_RETRY, "NO_CREDENTIALS", "%s: %s", path, strerror(errno));
    char part[4096];
    ssize_t length;
    while ((length = read(file, part, sizeof part)) > 0 && into->length < SECRET_FILE_MAX)
        cm_buffer_append(into, part, (size_t)length);
    int problem = errno;
    OPENSSL_cleanse(part, sizeof part);
    close(file);
    if (length < 0)
        return cm_fail(err, CM_ERROR_RETRY, "NO_CREDENTIALS", "%s: %s", path, strerror(problem));
    if (length > 0)
        return cm_fail(err, CM_ERROR_RETRY, "NO_CREDENTIALS", "%s: larger than %d bytes", path, SECRET_FILE_MAX);
    while (into->length > 0 && strchr(" \t\r\n", into->data[into->length - 1]))
        into->data[--into->length] = '\0';
    return true;
}

/* --- the chain --------------------------------------------------------------------------------------------------- */

enum cm_aws_found cm_aws_from_environment(const cm_aws_options *options, cm_http *http, cm_aws_credentials *ret,
                                          cm_buffer *looked, cm_error *err)
{
    (void)http;
    const char *id = cm_aws_environment(options, "AWS_ACCESS_KEY_ID");
    const char *secret = cm_aws_environment(options, "AWS_SECRET_ACCESS_KEY");
    const char *token = cm_aws_environment(options, "AWS_SESSION_TOKEN");
    if (!id && !secret) {
        cm_buffer_text(looked, "environment (AWS_ACCESS_KEY_ID is not set)");
        return CM_AWS_NOT_THERE;
    }
    if (!id || !secret) {
        cm_fail(err, CM_ERROR_RETRY, "NO_CREDENTIALS", "environment: %s is set and %s is not",
                id ? "AWS_ACCESS_KEY_ID" : "AWS_SECRET_ACCESS_KEY", id ? "AWS_SECRET_ACCESS_KEY" : "AWS_ACCESS_KEY_ID");
        return CM_AWS_BROKEN;
    }
    *ret = (cm_aws_credentials){cm_strdup(id), cm_strdup(secret), token ? cm_strdup(token) : NULL, INT64_MAX};
    return CM_AWS_FOUND;
}

enum cm_aws_found cm_aws_from_web_identity(const cm_aws_options *options, cm_http *http, cm_aws_credentials *ret,
                                           cm_buffer *looked, cm_error *err)
{
    (void)http;
    const char *file = cm_aws_environment(options, "AWS_WEB_IDENTITY_TOKEN_FILE");
    const char *role = cm_aws_environment(options, "AWS_ROLE_ARN");
    if (!file) {
        cm_buffer_text(looked, "web identity (AWS_WEB_IDENTITY_TOKEN_FILE is not set)");
        return CM_AWS_NOT_THERE;
    }
    if (!role) {
        cm_fail(err, CM_ERROR_RETRY, "NO_CREDENTIALS",
                "web identity: AWS_WEB_IDENTITY_TOKEN_FILE is set and AWS_ROLE_ARN is not");
        return CM_AWS_BROKEN;
    }
    cm_buffer token = {0};
    bool done = cm_aws_read_secret_file(file, &token, err) &&
                cm_sts_assume_role_with_web_identity(options, cm_aws_region(options, NULL), role,
                                                     cm_aws_environment(options, "AWS_ROLE_SESSION_NAME"),
                                                     cm_buffer_string(&token), ret, err);
    if (token.data)
        OPENSSL_cleanse(token.data, token.length);
    cm_buffer_free(&token);
    if (!done)
        cm_fail_context(err, "web identity");
    return done ? CM_AWS_FOUND : CM_AWS_BROKEN;
}

/* --- the chain --------------------------------------------------------------------------------------------------- */

static bool fetch_chain(void *opaque, const cm_aws_options *options, cm_aws_credentials *ret, cm_error *err)
{
    static const cm_aws_link links[] = {cm_aws_from_environment, cm_aws_from_web_identity, cm_aws_from_container,
                                        cm_aws_from_profile, cm_aws_from_instance};
    cm_buffer looked = {0};
    for (size_t i = 0; i < sizeof links / sizeof *links; i++) {
        if (i > 0)
            cm_buffer_text(&looked, "; ");
        enum cm_aws_found found = links[i](options, opaque, ret, &looked, err);
        if (found == CM_AWS_NOT_THERE)
            continue;
        cm_buffer_free(&looked);
        return found == CM_AWS_FOUND;
    }
    cm_fail(err, CM_ERROR_RETRY, "NO_CREDENTIALS", "no AWS credentials. Looked at: %s", cm_buffer_string(&looked));
    cm_buffer_free(&looked);
    return false;
}

static void free_chain(void *opaque)
{
    cm_http_free(opaque);
}

cm_aws_provider *cm_aws_provider_chain(const cm_aws_options *options)
{
    const cm_aws_fetcher fetcher = {.fetch = fetch_chain, .free = free_chain, .opaque = cm_http_new()};
    return cm_aws_provider_new(options, &fetcher);
}

/* --- roles ------------------------------------------------------------------------------------------------------- */

struct role {
    cm_aws_provider *base;
    char *role_arn, *external_id, *region;
};

static bool assume(void *opaque, const cm_aws_options *options, cm_aws_credentials *ret, cm_error *err)
{
    const struct role *role = opaque;
    return cm_sts_assume_role(options, role->base, role->region, role->role_arn, role->external_id, "curmill", ret,
                              err);
}

static void renew_base(void *opaque)
{
    cm_aws_provider_renew(((struct role *)opaque)->base);
}

static void free_role(void *opaque)
{
    struct role *role = opaque;
    cm_aws_provider_free(role->base);
    free(role->role_arn);
    free(role->external_id);
    free(role->region);
    free(role);
}

cm_aws_provider *cm_aws_provider_role(cm_aws_provider *base, const char *role_arn, const char *external_id,
                                      const char *region, const cm_aws_options *options)
{
    struct role *role = cm_alloc(sizeof *role);
    role->base = cm_aws_provider_keep(base);
    role->role_arn = cm_strdup(role_arn);
    role->external_id = external_id ? cm_strdup(external_id) : NULL;
    role->region = cm_strdup(cm_aws_region(options ? options : &defaults, region));
    const cm_aws_fetcher fetcher = {.fetch = assume, .renew = renew_base, .free = free_role, .opaque = role};
    return cm_aws_provider_new(options, &fetcher);
}

/* --- shared providers -------------------------------------------------------------------------------------------- */

struct shared {
    char *role_arn, *external_id, *region;
    cm_aws_provider *provider;
    struct shared *next;
};

static bool same(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static cm_aws_provider *shared_role(cm_aws_provider *chain, const char *role_arn, const char *external_id,
                                    const char *region)
{
    static struct shared *roles; /* kept until the process ends: at most one for each role in the catalog */
    for (struct shared *s = roles; s; s = s->next)
        if (same(s->role_arn, role_arn) && same(s->external_id, external_id) && same(s->region, region))
            return s->provider;
    struct shared *s = cm_alloc(sizeof *s);
    s->role_arn = cm_strdup(role_arn);
    s->external_id = external_id ? cm_strdup(external_id) : NULL;
    s->region = cm_strdup(region);
    s->provider = cm_aws_provider_role(chain, role_arn, external_id, region, NULL);
    s->next = roles;
    roles = s;
    return s->provider;
}

cm_aws_provider *cm_aws_provider_shared(const char *role_arn, const char *external_id, const char *region)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static cm_aws_provider *chain;
    pthread_mutex_lock(&lock);
    if (!chain)
        chain = cm_aws_provider_chain(NULL);
    cm_aws_provider *found =
        role_arn ? shared_role(chain, role_arn, external_id, cm_aws_region(&defaults, region)) : chain;
    cm_aws_provider_keep(found);
    pthread_mutex_unlock(&lock);
    return found;
}
