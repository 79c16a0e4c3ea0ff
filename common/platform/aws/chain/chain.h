/*
 * Where AWS credentials come from.
 *
 * The chain; the first source that is configured is used: environment (AWS_ACCESS_KEY_ID ...), web identity
 * (AWS_WEB_IDENTITY_TOKEN_FILE, AWS_ROLE_ARN: a service account in Kubernetes), container endpoint
 * (AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or _FULL_URI: ECS, EKS pod identity), shared profile file (AWS_PROFILE),
 * instance metadata v2 (EC2). If it fails, that is an error: the next one is not tried instead.
 *
 * No text of any error holds a secret, a token or an external id.
 */
#ifndef CM_AWS_CHAIN_H
#define CM_AWS_CHAIN_H

#include "platform/aws/credentials/credentials.h"

/* `options` is copied; NULL: the defaults. */
cm_aws_provider *cm_aws_provider_chain(const cm_aws_options *options);
/* AssumeRole with the credentials of `base` (a reference is taken); the session is kept until shortly before it ends.
 */
cm_aws_provider *cm_aws_provider_role(cm_aws_provider *base, const char *role_arn, const char *external_id,
                                      const char *region, const cm_aws_options *options);
/* The process's provider for a role (NULL: the chain itself), with the default options: created once, so that reopening
 * a payer's source does not assume the role again. Returns a reference. */
cm_aws_provider *cm_aws_provider_shared(const char *role_arn, const char *external_id, const char *region);

#endif
