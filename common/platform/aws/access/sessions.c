#include "platform/aws/access/sessions.h"
#include "platform/aws/chain/chain.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

typedef struct session {
    char *role_arn, *external_id, *region;
    cm_aws_provider *provider;
    struct session *next;
} session;

struct cm_aws_sessions {
    pthread_mutex_t lock;
    cm_aws_provider *base;
    cm_aws_options options;
    size_t most, count;
    session *newest; /* most recently used first */
};

cm_aws_sessions *cm_aws_sessions_new(cm_aws_provider *base, const cm_aws_options *options, size_t most)
{
    cm_aws_sessions *sessions = cm_alloc(sizeof *sessions);
    pthread_mutex_init(&sessions->lock, NULL);
    sessions->base = cm_aws_provider_keep(base);
    if (options)
        sessions->options = *options;
    sessions->most = most > 0 ? most : 1;
    return sessions;
}

static void session_free(session *s)
{
    cm_aws_provider_free(s->provider);
    free(s->role_arn);
    free(s->external_id);
    free(s->region);
    free(s);
}

void cm_aws_sessions_free(cm_aws_sessions *sessions)
{
    if (!sessions)
        return;
    for (session *s = sessions->newest, *next; s; s = next) {
        next = s->next;
        session_free(s);
    }
    cm_aws_provider_free(sessions->base);
    pthread_mutex_destroy(&sessions->lock);
    free(sessions);
}

static bool same(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static session *open_session(cm_aws_sessions *sessions, const char *role_arn, const char *external_id,
                             const char *region)
{
    session *s = cm_alloc(sizeof *s);
    s->role_arn = cm_strdup(role_arn);
    s->external_id = external_id ? cm_strdup(external_id) : NULL;
    s->region = region ? cm_strdup(region) : NULL;
    s->provider = cm_aws_provider_role(sessions->base, role_arn, external_id, region, &sessions->options);
    sessions->count++;
    return s;
}

static void drop_oldest(cm_aws_sessions *sessions)
{
    session **at = &sessions->newest;
    while ((*at)->next)
        at = &(*at)->next;
    session_free(*at);
    *at = NULL;
    sessions->count--;
}

cm_aws_provider *cm_aws_sessions_get(cm_aws_sessions *sessions, const char *role_arn, const char *external_id,
                                     const char *region)
{
    if (!role_arn)
        return cm_aws_provider_keep(sessions->base);
    pthread_mutex_lock(&sessions->lock);
    session **at = &sessions->newest;
    while (*at && !(strcmp((*at)->role_arn, role_arn) == 0 && same((*at)->external_id, external_id) &&
                    same((*at)->region, region)))
        at = &(*at)->next;
    session *found = *at;
    if (found)
        *at = found->next;
    else
        found = open_session(sessions, role_arn, external_id, region);
    found->next = sessions->newest;
    sessions->newest = found;
    if (sessions->count > sessions->most)
        drop_oldest(sessions);
    cm_aws_provider *provider = cm_aws_provider_keep(found->provider);
    pthread_mutex_unlock(&sessions->lock);
    return provider;
}

size_t cm_aws_sessions_count(cm_aws_sessions *sessions)
{
    pthread_mutex_lock(&sessions->lock);
    size_t count = sessions->count;
    pthread_mutex_unlock(&sessions->lock);
    return count;
}
