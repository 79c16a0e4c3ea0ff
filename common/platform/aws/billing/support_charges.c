#include "platform/aws/billing/support_charges.h"

#include "platform/aws/access/operation.h"

#include <string.h>

enum { PAGE_SIZE = 100 };

/* A number that AWS left out is zero. */
static bool take_number(const json_t *from, const char *key, cm_decimal *ret, cm_error *err)
{
    const json_t *value = json_object_get(from, key);
    *ret = CM_DECIMAL_ZERO;
    if (!value || json_is_null(value))
        return true;
    if (!json_is_string(value))
        return cm_fail(err, CM_ERROR_RETRY, "BAD_AMOUNT", "%s is not text", key);
    cm_slice text = {json_string_value(value), json_string_length(value)};
    enum cm_decimal_parse_result result = cm_decimal_parse(text, ret);
    if (result == CM_DECIMAL_EXACT || result == CM_DECIMAL_ROUNDED)
        return true;
    return cm_fail(err, CM_ERROR_RETRY, "BAD_AMOUNT", "%s is \"%.40s\", which is not a number that fits", key,
                   json_string_value(value));
}

static json_t *month_of(cm_period month)
{
    char text[CM_PERIOD_TEXT];
    return json_pack("{s:s}", "billingMonth", cm_period_print(month, text));
}

/* --- Developer and Business, account by account ------------------------------------------------------------------ */

typedef struct list {
    cm_on_support_charge each;
    void *opaque;
    size_t count;
    bool estimated;
} list;

static bool take_charge(const json_t *from, bool estimated, cm_support_charge *ret, cm_error *err)
{
    const json_t *discount = json_object_get(from, "supportDiscount");
    *ret = (cm_support_charge){.estimated = estimated};
    cm_aws_take_text(from, "accountId", ret->account, sizeof ret->account);
    cm_aws_take_text(from, "supportPlanName", ret->plan, sizeof ret->plan);
    cm_aws_take_text(discount, "discountType", ret->discount_type, sizeof ret->discount_type);
    return (take_number(from, "totalCharge", &ret->charge, err) &&
            take_number(from, "totalUsageBasis", &ret->usage_basis, err) &&
            take_number(discount, "discountAmount", &ret->discount, err)) ||
           cm_fail_context(err, "support charge of account %s", ret->account);
}

static bool on_page(void *opaque, const json_t *page, cm_error *err)
{
    list *l = opaque;
    size_t index;
    json_t *element;
    l->estimated = !json_is_false(json_object_get(page, "isEstimated"));
    json_array_foreach (json_object_get(page, "accountCharges"), index, element) {
        cm_support_charge charge;
        if (++l->count > CM_BILLING_ACCOUNTS_MAX)
            return cm_fail(err, CM_ERROR_RETRY, "TOO_MANY", "AWS lists support charges of more than %d accounts",
                           CM_BILLING_ACCOUNTS_MAX);
        if (!take_charge(element, l->estimated, &charge, err) || !l->each(l->opaque, &charge, err))
            return false;
    }
    return true;
}

bool cm_billing_support_charges(cm_aws_access *access, cm_period month, cm_on_support_charge each, void *opaque,
                                bool *ret_estimated, cm_error *err)
{
    static const cm_aws_operation operation = {.service = CM_AWS_BILLING,
                                               .name = "ListBusinessSupportAccountCharges",
                                               .token_in = "nextToken",
                                               .token_out = "nextToken"};
    list l = {.each = each, .opaque = opaque, .estimated = true};
    json_t *input = month_of(month);
    json_object_set_new(input, "maxResults", json_integer(PAGE_SIZE));
    bool done = cm_aws_each_page(access, &operation, input, on_page, &l, err);
    *ret_estimated = l.estimated;
    return done;
}

/* --- Enterprise, all enrolled accounts together ------------------------------------------------------------------ */

static bool take_enterprise(const json_t *from, cm_enterprise_support *ret, cm_error *err)
{
    const json_t *plan = json_object_get(from, "supportEffectivePricingPlan");
    ret->there = true;
    ret->estimated = !json_is_false(json_object_get(from, "isEstimated"));
    cm_aws_take_text(plan, "name", ret->plan, sizeof ret->plan);
    return take_number(from, "totalSupportCharge", &ret->charge, err) &&
           take_number(from, "totalSupportEligibleSpend", &ret->usage_basis, err) &&
           take_number(from, "supportDiscount", &ret->discount, err) &&
           take_number(from, "supportChargePercentage", &ret->percentage, err) &&
           take_number(plan, "minimumCharge", &ret->minimum, err);
}

bool cm_billing_enterprise_support(cm_aws_access *access, cm_period month, cm_enterprise_support *ret, cm_error *err)
{
    static const cm_aws_operation operation = {.service = CM_AWS_BILLING, .name = "GetEnterpriseSupportChargeSummary"};
    cm_error why = {0};
    *ret = (cm_enterprise_support){0};
    json_t *answer = cm_aws_call_json(access, &operation, month_of(month), &why);
    if (!answer && strcmp(cm_aws_access_refusal(access)->code, "ResourceNotFoundException") == 0)
        return true;
    bool done = answer && take_enterprise(answer, ret, &why);
    json_decref(answer);
    if (!done && err)
        *err = why;
    return done;
}
