/*
 * Checks whether credentials have the permissions that the distributor's model requires, with a harmless call for each:
 * it only reads, is free, and asks for as little as the service allows.
 */
#ifndef CM_AWS_PROBE_H
#define CM_AWS_PROBE_H

#include "platform/aws/access/access.h"

enum cm_aws_verdict {
    CM_AWS_ALLOWED,
    CM_AWS_REFUSED, /* AWS says that the permission is missing */
    CM_AWS_UNKNOWN, /* throttled, unavailable: ask again later; `err` says why */
};

/* `action`: an IAM action such as "tax:GetTaxInheritance", one of cm_aws_probe_actions. `err` is filled unless allowed.
 */
enum cm_aws_verdict cm_aws_probe(cm_aws_access *access, const char *action, cm_error *err);
bool cm_aws_probe_known(const char *action);
extern const char *const cm_aws_probe_actions[]; /* NULL-ended: all actions that can be checked */

#endif
