/* Generic calls of the control plane: JSON 1.0 and 1.1, rest-json, query. Internal to common/platform/aws. */
#ifndef CM_AWS_OPERATION_H
#define CM_AWS_OPERATION_H

#include "base/base/buffer.h"
#include "platform/aws/access/access.h"

#include <jansson.h>

enum cm_aws_service {
    CM_AWS_ORGANIZATIONS,
    CM_AWS_TAX,
    CM_AWS_ACCOUNT,
    CM_AWS_STS,
    CM_AWS_CUR,
    CM_AWS_SUPPORT,
    CM_AWS_BILLING
};
enum { CM_AWS_SERVICES = CM_AWS_BILLING + 1 };

typedef struct cm_aws_operation {
    enum cm_aws_service service;
    const char *name;                 /* "ListAccounts" */
    const char *path;                 /* rest-json: "/ListTaxRegistrations"; NULL otherwise */
    const char *token_in, *token_out; /* of paging, NULL: the answer is one page */
    bool once;                        /* never retried once AWS may have carried it out */
} cm_aws_operation;

/* `input` is taken (also on failure); NULL: none ("{}" for JSON 1.x, no body and no content type for rest-json).
 * Returns an object, an empty one for an empty answer; the caller gives it back with json_decref. */
CM_NODISCARD json_t *cm_aws_call_json(cm_aws_access *access, const cm_aws_operation *operation, json_t *input,
                                      cm_error *err);
/* Query protocol: `form` is "Action=...&Version=..."; the answer is XML. */
CM_NODISCARD bool cm_aws_call_query(cm_aws_access *access, const cm_aws_operation *operation, const char *form,
                                    cm_buffer *answer, cm_error *err);

/* False stops the paging with `err`. */
typedef bool (*cm_aws_page)(void *opaque, const json_t *page, cm_error *err);
/*
 * Every page of a list. Ends only when the token is absent, null or ""; an empty page with a token goes on. A repeated
 * token (the same page again, or a cycle of pages) gives PAGE_REPEATS, never an endless loop.
 */
CM_NODISCARD bool cm_aws_each_page(cm_aws_access *access, const cm_aws_operation *operation, json_t *input,
                                   cm_aws_page page, void *opaque, cm_error *err);

/* Members of an answer; absent, null or of another type: "" or 0. Text that does not fit is truncated. */
void cm_aws_take_text(const json_t *object, const char *key, char *into, size_t size);
/* Epoch seconds with or without a fraction, or ISO 8601 text. */
cm_instant cm_aws_take_instant(const json_t *object, const char *key);

#endif
