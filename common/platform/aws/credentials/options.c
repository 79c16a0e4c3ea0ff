#include "platform/aws/credentials/options.h"

#include <stdlib.h>
#include <time.h>

const char *cm_aws_environment(const cm_aws_options *options, const char *name)
{
    const char *value = options->environment ? options->environment(options->opaque, name) : getenv(name);
    return value && *value ? value : NULL;
}

cm_instant cm_aws_now(const cm_aws_options *options)
{
    return options->now ? options->now(options->opaque) : cm_clock_system.now(&cm_clock_system);
}

void cm_aws_wait(const cm_aws_options *options, int64_t milliseconds)
{
    if (options->wait) {
        options->wait(options->opaque, milliseconds);
        return;
    }
    struct timespec rest = {milliseconds / 1000, (milliseconds % 1000) * 1000000};
    nanosleep(&rest, NULL); /* a signal ends the wait early, so that a worker can stop */
}

const char *cm_aws_region(const cm_aws_options *options, const char *source)
{
    if (source && *source)
        return source;
    const char *region = cm_aws_environment(options, "AWS_REGION");
    if (!region)
        region = cm_aws_environment(options, "AWS_DEFAULT_REGION");
    return region ? region : "us-east-1";
}
