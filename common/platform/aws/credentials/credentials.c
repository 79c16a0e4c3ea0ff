#include "platform/aws/credentials/credentials.h"

#include "base/log/log.h"

#include <openssl/crypto.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static const cm_instant renew_before = 300 * CM_SECOND, try_again_after = 30 * CM_SECOND;

struct cm_aws_provider {
    atomic_int references;
    pthread_mutex_t lock; /* held while fetching, so that only one thread does */
    cm_aws_options options;
    cm_aws_fetcher fetcher;
    cm_aws_credentials kept;
    bool has, renew;
    cm_instant not_before; /* a refresh failed: do not try the next one before this */
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

cm_aws_provider *cm_aws_provider_new(const cm_aws_options *options, const cm_aws_fetcher *fetcher)
{
    cm_aws_provider *provider = cm_alloc(sizeof *provider);
    atomic_init(&provider->references, 1);
    pthread_mutex_init(&provider->lock, NULL);
    if (options)
        provider->options = *options;
    provider->fetcher = *fetcher;
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
    provider->fetcher.free(provider->fetcher.opaque);
    cm_aws_credentials_free(&provider->kept);
    pthread_mutex_destroy(&provider->lock);
    free(provider);
}

static bool refresh(cm_aws_provider *provider, cm_instant now, cm_error *err)
{
    bool valid = provider->has && !provider->renew && provider->kept.expires > now;
    if (valid && (provider->kept.expires - renew_before > now || provider->not_before > now))
        return true;
    cm_aws_fetcher *fetcher = &provider->fetcher;
    if (provider->renew && fetcher->renew)
        fetcher->renew(fetcher->opaque);
    cm_aws_credentials fresh = {0};
    cm_error why = {0};
    if (!fetcher->fetch(fetcher->opaque, &provider->options, &fresh, &why)) {
        cm_aws_credentials_free(&fresh);
        if (!valid) {
            if (err)
                *err = why;
            return false;
        }
        provider->not_before = now + try_again_after;
        cm_log_error(CM_WARN, "AWS credentials could not be renewed; the present ones are still valid", &why, NULL);
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
