#include "platform/aws/access/probe.h"

#include "platform/aws/access/operation.h"

#include <string.h>

typedef struct probe {
    const char *action;
    cm_aws_operation operation;
    const char *input; /* JSON; NULL: none */
} probe;

/* Each call only reads, is free and asks for one element if the service allows that. */
static const probe probes[] = {
    {"organizations:DescribeOrganization", {.service = CM_AWS_ORGANIZATIONS, .name = "DescribeOrganization"}, NULL},
    {"organizations:ListAccounts", {.service = CM_AWS_ORGANIZATIONS, .name = "ListAccounts"}, "{\"MaxResults\":1}"},
    {"organizations:ListHandshakesForOrganization",
     {.service = CM_AWS_ORGANIZATIONS, .name = "ListHandshakesForOrganization"},
     "{\"MaxResults\":1}"},
    {"organizations:ListInboundResponsibilityTransfers",
     {.service = CM_AWS_ORGANIZATIONS, .name = "ListInboundResponsibilityTransfers"},
     "{\"Type\":\"BILLING\",\"MaxResults\":1}"},
    {"tax:GetTaxInheritance", {.service = CM_AWS_TAX, .name = "GetTaxInheritance", .path = "/GetTaxInheritance"}, NULL},
    {"tax:ListTaxRegistrations",
     {.service = CM_AWS_TAX, .name = "ListTaxRegistrations", .path = "/ListTaxRegistrations"},
     "{\"maxResults\":1}"},
    {"account:GetAccountInformation",
     {.service = CM_AWS_ACCOUNT, .name = "GetAccountInformation", .path = "/getAccountInformation"},
     "{}"},
    {"account:GetContactInformation",
     {.service = CM_AWS_ACCOUNT, .name = "GetContactInformation", .path = "/getContactInformation"},
     "{}"},
    {"cur:DescribeReportDefinitions", {.service = CM_AWS_CUR, .name = "DescribeReportDefinitions"}, NULL},
    {"billing:ListBillingViews", {.service = CM_AWS_BILLING, .name = "ListBillingViews"}, "{\"maxResults\":1}"},
    {"support:DescribeSeverityLevels", {.service = CM_AWS_SUPPORT, .name = "DescribeSeverityLevels"}, NULL},
};
enum { PROBES = sizeof probes / sizeof *probes };

const char *const cm_aws_probe_actions[] = {"organizations:DescribeOrganization",
                                            "organizations:ListAccounts",
                                            "organizations:ListHandshakesForOrganization",
                                            "organizations:ListInboundResponsibilityTransfers",
                                            "tax:GetTaxInheritance",
                                            "tax:ListTaxRegistrations",
                                            "account:GetAccountInformation",
                                            "account:GetContactInformation",
                                            "cur:DescribeReportDefinitions",
                                            "billing:ListBillingViews",
                                            "support:DescribeSeverityLevels",
                                            NULL};
_Static_assert(sizeof cm_aws_probe_actions / sizeof *cm_aws_probe_actions == PROBES + 1, "a probe is not listed");

static const probe *find(const char *action)
{
    for (size_t i = 0; i < PROBES; i++)
        if (strcmp(probes[i].action, action) == 0)
            return &probes[i];
    return NULL;
}

bool cm_aws_probe_known(const char *action)
{
    return find(action) != NULL;
}

enum cm_aws_verdict cm_aws_probe(cm_aws_access *access, const char *action, cm_error *err)
{
    const probe *p = find(action);
    if (!p) {
        cm_fail(err, CM_ERROR_INVALID, "INVALID", "there is no harmless call that tries %s", action);
        return CM_AWS_UNKNOWN;
    }
    cm_error why = {0};
    json_t *answer = cm_aws_call_json(access, &p->operation, p->input ? json_loads(p->input, 0, NULL) : NULL, &why);
    json_decref(answer);
    const cm_aws_failure *refusal = cm_aws_access_refusal(access);
    /* an account without a support plan may not call Support, whatever its role allows */
    bool subscription = strcmp(refusal->code, "SubscriptionRequiredException") == 0;
    if (answer || subscription || (refusal->status != 0 && why.class != CM_ERROR_RETRY))
        return CM_AWS_ALLOWED; /* whatever the error is, it is not a missing permission */
    if (err)
        *err = why;
    return refusal->status != 0 && strcmp(why.code, "DENIED") == 0 ? CM_AWS_REFUSED : CM_AWS_UNKNOWN;
}
