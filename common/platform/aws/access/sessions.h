/*
 * Sessions of roles, kept for the next use: at most `most` of them, and the least recently used one is evicted first,
 * so memory does not grow with the number of payers. Keyed by role, external id and region: the same role with another
 * external id is another session. Thread safe.
 */
#ifndef CM_AWS_SESSIONS_H
#define CM_AWS_SESSIONS_H

#include "platform/aws/credentials/credentials.h"

#include <stddef.h>

typedef struct cm_aws_sessions cm_aws_sessions;

/* `base` assumes the roles (a reference is taken). */
cm_aws_sessions *cm_aws_sessions_new(cm_aws_provider *base, const cm_aws_options *options, size_t most);
void cm_aws_sessions_free(cm_aws_sessions *sessions); /* NULL is allowed */
/* Returns a reference, never NULL; no role is assumed yet. `role_arn` NULL: the base's own credentials. */
cm_aws_provider *cm_aws_sessions_get(cm_aws_sessions *sessions, const char *role_arn, const char *external_id,
                                     const char *region);
size_t cm_aws_sessions_count(cm_aws_sessions *sessions);

#endif
