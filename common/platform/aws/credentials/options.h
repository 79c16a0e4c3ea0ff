/*
 * The environment of an AWS client: variables, clock, waiting, limits. A parameter, so that a test can provide its own.
 * All fields 0 or NULL: the process's environment, the machine's clock, real waiting, the limits named here.
 *
 * The clock signs requests, so it is the machine's even if CURMILL_CLOCK sets another one for billing.
 */
#ifndef CM_AWS_OPTIONS_H
#define CM_AWS_OPTIONS_H

#include "base/time/time.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct cm_aws_options {
    const char *(*environment)(void *opaque, const char *name); /* NULL if unset */
    cm_instant (*now)(void *opaque);
    void (*wait)(void *opaque, int64_t milliseconds);
    bool (*stopping)(void *opaque); /* the process is stopping: nothing is retried; NULL: never */
    void *opaque;                   /* passed to the four above */
    uint64_t seed;                  /* of the jitter; 0: random */

    int attempts;                  /* of one call; 0: AWS_MAX_ATTEMPTS, else 6 */
    int64_t wait_milliseconds;     /* between the attempts of one call, summed; 0: 30 s */
    int64_t connect_milliseconds;  /* 0: 5 s */
    int64_t stall_milliseconds;    /* no byte for this long: the connection is dropped; 0: 30 s */
    int64_t metadata_milliseconds; /* instance metadata, whole request; 0: 1 s */
} cm_aws_options;

/* Value of an environment variable, NULL if unset or empty. */
const char *cm_aws_environment(const cm_aws_options *options, const char *name);
cm_instant cm_aws_now(const cm_aws_options *options);
void cm_aws_wait(const cm_aws_options *options, int64_t milliseconds);

/* `source`, else AWS_REGION, AWS_DEFAULT_REGION, "us-east-1". Borrowed from wherever it was found. */
const char *cm_aws_region(const cm_aws_options *options, const char *source);

#endif
