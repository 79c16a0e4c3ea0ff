#include "platform/aws/credentials/credentials.h"

#include "base/log/log.h"
#include "platform/aws/credentials/sources.h"
#include "platform/aws/sts/sts.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SECRET_FILE_MAX = 64 * 1024 };
static const cm_instant renew_before = 300 * CM_SECOND, try_again_after = 30 * CM_SECOND;

struct cm_aws_provider {
    atomic_int references;
    pthread_mutex_t lock; /* held while fetching, so that only one thread does */
    cm_aws_options options;
    cm_http *http;
    cm_aws_credentials kept;
    bool has, renew;
    cm_instant not_before; /* a refresh failed: the next one not before */
    /* of a role */
    cm_aws_provider *base;
    char *role_arn, *external_id, *region;
    /* in the list of shared ones */
    cm_aws_provider *next;
};

static void wipe(char **secret)
{
    if (*secret)
        OPENSSL_cleanse(*secret, strlen(*secret));
    free(*secret);
    *secret = NULL;
}

void cm_aws_credentials_free(cm_aws_credentials *credentials)
{
    wipe(&credentials->access_key_id);
    wipe(&credentials->secret_access_key);
    wipe(&credentials->session_token);
    *credentials = (cm_aws_credentials){0};
}

cm_aws_credentials cm_aws_credentials_copy(const cm_aws_credentials *credentials)
{
    return (cm_aws_credentials){
        .access_key_id = cm_strdup(credentials->access_key_id),
        .secret_access_key = cm_strdup(credentials->secret_access_key),
        .session_token = credentials->session_token ? cm_strdup(credentials->session_token) : NULL,
        .expires = credentials->expires,
    };
}

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

/* --- the chain ----------------------------------------------------------------------------------------------- */

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

static bool fetch_chain(cm_aws_provider *provider, cm_aws_credentials *ret, cm_error *err)
{
    static const cm_aws_link links[] = {cm_aws_from_environment, cm_aws_from_web_identity, cm_aws_from_container,
                                        cm_aws_from_profile, cm_aws_from_instance};
    cm_buffer looked = {0};
    for (size_t i = 0; i < sizeof links / sizeof *links; i++) {
        if (i > 0)
            cm_buffer_text(&looked, "; ");
        enum cm_aws_found found = links[i](&provider->options, provider->http, ret, &looked, err);
        if (found == CM_AWS_NOT_THERE)
            continue;
        cm_buffer_free(&looked);
        return found == CM_AWS_FOUND;
    }
    cm_fail(err, CM_ERROR_RETRY, "NO_CREDENTIALS", "no AWS credentials. Looked at: %s", cm_buffer_string(&looked));
    cm_buffer_free(&looked);
    return false;
}

/* --- providers ----------------------------------------------------------------------------------------------- */

cm_aws_provider *cm_aws_provider_chain(const cm_aws_options *options)
{
    cm_aws_provider *provider = cm_alloc(sizeof *provider);
    atomic_init(&provider->references, 1);
    pthread_mutex_init(&provider->lock, NULL);
    if (options)
        provider->options = *options;
    provider->http = cm_http_new();
    return provider;
}

cm_aws_provider *cm_aws_provider_role(cm_aws_provider *base, const char *role_arn, const char *external_id,
                                      const char *region, const cm_aws_options *options)
{
    cm_aws_provider *provider = cm_aws_provider_chain(options);
    provider->base = cm_aws_provider_keep(base);
    provider->role_arn = cm_strdup(role_arn);
    provider->external_id = external_id ? cm_strdup(external_id) : NULL;
    provider->region = cm_strdup(cm_aws_region(&provider->options, region));
    return provider;
}

cm_aws_provider *cm_aws_provider_keep(cm_aws_provider *provider)
{
    atomic_fetch_add(&provider->references, 1);
    return provider;
}

void cm_aws_provider_free(cm_aws_provider *provider)
{
    if (!provider || atomic_fetch_sub(&provider->references, 1) != 1)
        return;
    cm_aws_provider_free(provider->base);
    cm_aws_credentials_free(&provider->kept);
    cm_http_free(provider->http);
    pthread_mutex_destroy(&provider->lock);
    free(provider->role_arn);
    free(provider->external_id);
    free(provider->region);
    free(provider);
}

static bool same(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

cm_aws_provider *cm_aws_provider_shared(const char *role_arn, const char *external_id, const char *region)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static cm_aws_provider *chain, *roles; /* kept until the process ends: as many as there are roles in the catalog */
    pthread_mutex_lock(&lock);
    if (!chain)
        chain = cm_aws_provider_chain(NULL);
    cm_aws_provider *found = role_arn ? roles : chain;
    while (role_arn && found &&
           !(same(found->role_arn, role_arn) && same(found->external_id, external_id) &&
             same(found->region, cm_aws_region(&found->options, region))))
        found = found->next;
    if (!found) {
        found = cm_aws_provider_role(chain, role_arn, external_id, region, NULL);
        found->next = roles;
        roles = found;
    }
    cm_aws_provider_keep(found);
    pthread_mutex_unlock(&lock);
    return found;
}

static bool fetch(cm_aws_provider *provider, cm_aws_credentials *ret, cm_error *err)
{
    if (!provider->role_arn)
        return fetch_chain(provider, ret, err);
    return cm_sts_assume_role(&provider->options, provider->base, provider->region, provider->role_arn,
                              provider->external_id, "curmill", ret, err);
}

static bool refresh(cm_aws_provider *provider, cm_instant now, cm_error *err)
{
    bool valid = provider->has && !provider->renew && provider->kept.expires > now;
    if (valid && (provider->kept.expires - renew_before > now || provider->not_before > now))
        return true;
    if (provider->renew && provider->base)
        cm_aws_provider_renew(provider->base);
    cm_aws_credentials fresh = {0};
    cm_error why = {0};
    if (!fetch(provider, &fresh, &why)) {
        cm_aws_credentials_free(&fresh);
        if (!valid) {
            if (err)
                *err = why;
            return false;
        }
        provider->not_before = now + try_again_after;
        cm_log_error(CM_WARN, "AWS credentials could not be renewed, the old ones are still valid", &why, NULL);
        return true;
    }
    cm_aws_credentials_free(&provider->kept);
    provider->kept = fresh;
    provider->has = true;
    provider->renew = false;
    return true;
}

bool cm_aws_provider_get(cm_aws_provider *provider, cm_aws_credentials *ret, cm_error *err)
{
    *ret = (cm_aws_credentials){0};
    pthread_mutex_lock(&provider->lock);
    bool done = refresh(provider, cm_aws_now(&provider->options), err);
    if (done)
        *ret = cm_aws_credentials_copy(&provider->kept);
    pthread_mutex_unlock(&provider->lock);
    return done;
}

void cm_aws_provider_renew(cm_aws_provider *provider)
{
    pthread_mutex_lock(&provider->lock);
    provider->renew = true;
    pthread_mutex_unlock(&provider->lock);
}
