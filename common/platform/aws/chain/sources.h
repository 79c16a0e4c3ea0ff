/* The sources of the credential chain. Internal to common/platform/aws. Each is called under the provider's lock. */
#ifndef CM_AWS_SOURCES_H
#define CM_AWS_SOURCES_H

#include "platform/aws/credentials/options.h"
#include "platform/aws/credentials/sigv4.h"
#include "platform/http/http.h"

enum cm_aws_found {
    CM_AWS_NOT_THERE, /* not configured: `looked` says what was checked */
    CM_AWS_FOUND,
    CM_AWS_BROKEN, /* configured, but failed: see `err` */
};

typedef enum cm_aws_found (*cm_aws_link)(const cm_aws_options *options, cm_http *http, cm_aws_credentials *ret,
                                         cm_buffer *looked, cm_error *err);

enum cm_aws_found cm_aws_from_environment(const cm_aws_options *options, cm_http *http, cm_aws_credentials *ret,
                                          cm_buffer *looked, cm_error *err);
enum cm_aws_found cm_aws_from_web_identity(const cm_aws_options *options, cm_http *http, cm_aws_credentials *ret,
                                           cm_buffer *looked, cm_error *err);
enum cm_aws_found cm_aws_from_container(const cm_aws_options *options, cm_http *http, cm_aws_credentials *ret,
                                        cm_buffer *looked, cm_error *err);
enum cm_aws_found cm_aws_from_profile(const cm_aws_options *options, cm_http *http, cm_aws_credentials *ret,
                                      cm_buffer *looked, cm_error *err);
enum cm_aws_found cm_aws_from_instance(const cm_aws_options *options, cm_http *http, cm_aws_credentials *ret,
                                       cm_buffer *looked, cm_error *err);

/* Reads a small file with credentials or a token, without trailing white space. The content never appears in an
 * error. */
CM_NODISCARD bool cm_aws_read_secret_file(const char *path, cm_buffer *into, cm_error *err);

#endif
