/*
 * AWS credentials for signing. A provider hands out copies, fetches again before they expire, and may be shared by
 * threads. The function that fetches them is a parameter (see chain/chain.h), so this folder depends on no AWS service.
 */
#ifndef CM_AWS_CREDENTIALS_H
#define CM_AWS_CREDENTIALS_H

#include "base/base/error.h"
#include "platform/aws/credentials/options.h"
#include "platform/aws/credentials/sigv4.h"

typedef struct cm_aws_provider cm_aws_provider;

/* How a provider gets credentials: called under its lock, by one thread at a time. */
typedef struct cm_aws_fetcher {
    bool (*fetch)(void *opaque, const cm_aws_options *options, cm_aws_credentials *ret, cm_error *err);
    void (*renew)(void *opaque); /* the underlying provider has expired too; NULL: there is none */
    void (*free)(void *opaque);
    void *opaque;
} cm_aws_fetcher;
/* `options` is copied; NULL: the defaults. Takes the fetcher's `opaque`. */
cm_aws_provider *cm_aws_provider_new(const cm_aws_options *options, const cm_aws_fetcher *fetcher);

cm_aws_provider *cm_aws_provider_keep(cm_aws_provider *provider); /* another reference */
void cm_aws_provider_free(cm_aws_provider *provider);             /* gives a reference back; NULL is allowed */

/*
 * A copy that the caller frees. All errors are RETRY, since a person or a platform can fix them while the program runs.
 * NO_CREDENTIALS: none configured; the text says what was checked. DENIED: the role cannot be assumed. UNAVAILABLE: STS
 * or an endpoint is.
 */
CM_NODISCARD bool cm_aws_provider_get(cm_aws_provider *provider, cm_aws_credentials *ret, cm_error *err);
/* The service said that they have expired: fetch again at the next get. */
void cm_aws_provider_renew(cm_aws_provider *provider);

void cm_aws_credentials_free(cm_aws_credentials *credentials); /* wipes, back to {0} */
cm_aws_credentials cm_aws_credentials_copy(const cm_aws_credentials *credentials);

#endif
