/*
 * AWS Security Token Service (query protocol, Version 2011-06-15): sessions of a role. Endpoint: AWS_ENDPOINT_URL_STS,
 * AWS_ENDPOINT_URL, else the region's. Retries as in aws/client.h. Errors name the role, but never the external id or a
 * token.
 */
#ifndef CM_AWS_STS_H
#define CM_AWS_STS_H

#include "platform/aws/credentials/credentials.h"

/* `external_id` NULL: none. Code DENIED looks the same for a wrong id, a wrong principal and a missing role. */
CM_NODISCARD bool cm_sts_assume_role(const cm_aws_options *options, cm_aws_provider *provider, const char *region,
                                     const char *role_arn, const char *external_id, const char *session_name,
                                     cm_aws_credentials *ret, cm_error *err);
/* Not signed: `token` proves the identity. `session_name` NULL: "curmill". */
CM_NODISCARD bool cm_sts_assume_role_with_web_identity(const cm_aws_options *options, const char *region,
                                                       const char *role_arn, const char *session_name,
                                                       const char *token, cm_aws_credentials *ret, cm_error *err);

#endif
