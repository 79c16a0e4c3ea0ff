/*
 * Where AWS credentials come from. A provider hands out copies, fetches again before they expire, and may be shared by
 * threads.
 *
 * The chain, first that is configured: environment (AWS_ACCESS_KEY_ID ...), web identity (AWS_WEB_IDENTITY_TOKEN_FILE,
 * AWS_ROLE_ARN: a service account in Kubernetes), container endpoint (AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or
 * _FULL_URI: ECS, EKS pod identity), shared profile file (AWS_PROFILE), instance metadata v2 (EC2). One that is
 * configured and fails is an error: the next is not tried in its place.
 *
 * No text of any error holds a secret, a token or an external id. May use: base, the rest of aws, jansson.
 */
#ifndef CM_AWS_CREDENTIALS_H
#define CM_AWS_CREDENTIALS_H

#include "base/base/error.h"
#include "platform/aws/credentials/options.h"
#include "platform/aws/credentials/sigv4.h"

typedef struct cm_aws_provider cm_aws_provider;

/* `options` is copied; NULL: the defaults. */
cm_aws_provider *cm_aws_provider_chain(const cm_aws_options *options);
/* AssumeRole with the credentials of `base` (a reference is taken); the session is kept until shortly before it ends.
 */
cm_aws_provider *cm_aws_provider_role(cm_aws_provider *base, const char *role_arn, const char *external_id,
                                      const char *region, const cm_aws_options *options);
/* The process's provider for a role (NULL: the chain itself), with the default options: made once, so that opening a
 * payer's source again does not assume the role again. Returns a reference. */
cm_aws_provider *cm_aws_provider_shared(const char *role_arn, const char *external_id, const char *region);

cm_aws_provider *cm_aws_provider_keep(cm_aws_provider *provider); /* another reference */
void cm_aws_provider_free(cm_aws_provider *provider);             /* gives a reference back; NULL is allowed */

/*
 * A copy that the caller frees. All errors are RETRY, since a person or a platform can mend them while the program
 * runs. NO_CREDENTIALS: none configured, with what was looked at. DENIED: the role cannot be assumed. UNAVAILABLE: STS
 * or an endpoint is.
 */
CM_NODISCARD bool cm_aws_provider_get(cm_aws_provider *provider, cm_aws_credentials *ret, cm_error *err);
/* The service said that they have expired: fetch again at the next get. */
void cm_aws_provider_renew(cm_aws_provider *provider);

void cm_aws_credentials_free(cm_aws_credentials *credentials); /* wipes, back to {0} */
cm_aws_credentials cm_aws_credentials_copy(const cm_aws_credentials *credentials);

#endif
