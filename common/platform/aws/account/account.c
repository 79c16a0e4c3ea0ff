#include "platform/aws/account/account.h"

#include "platform/aws/access/operation.h"

static json_t *input_of(const char *account)
{
    json_t *input = json_object();
    if (account)
        json_object_set_new(input, "AccountId", json_string(account));
    return input;
}

bool cm_account_information_of(cm_aws_access *access, const char *account, cm_account_information *ret, cm_error *err)
{
    static const cm_aws_operation operation = {
        .service = CM_AWS_ACCOUNT, .name = "GetAccountInformation", .path = "/getAccountInformation"};
    json_t *answer = cm_aws_call_json(access, &operation, input_of(account), err);
    if (!answer)
        return false;
    *ret = (cm_account_information){0};
    cm_aws_take_text(answer, "AccountId", ret->id, sizeof ret->id);
    cm_aws_take_text(answer, "AccountName", ret->name, sizeof ret->name);
    cm_aws_take_text(answer, "AccountState", ret->state, sizeof ret->state);
    ret->created_at = cm_aws_take_instant(answer, "AccountCreatedDate");
    json_decref(answer);
    return true;
}

bool cm_account_contact_of(cm_aws_access *access, const char *account, cm_account_contact *ret, cm_error *err)
{
    static const cm_aws_operation operation = {
        .service = CM_AWS_ACCOUNT, .name = "GetContactInformation", .path = "/getContactInformation"};
    json_t *answer = cm_aws_call_json(access, &operation, input_of(account), err);
    if (!answer)
        return false;
    const json_t *from = json_object_get(answer, "ContactInformation");
    *ret = (cm_account_contact){0};
    cm_aws_take_text(from, "CompanyName", ret->company, sizeof ret->company);
    cm_aws_take_text(from, "City", ret->city, sizeof ret->city);
    cm_aws_take_text(from, "StateOrRegion", ret->state, sizeof ret->state);
    cm_aws_take_text(from, "PostalCode", ret->postal_code, sizeof ret->postal_code);
    cm_aws_take_text(from, "CountryCode", ret->country, sizeof ret->country);
    json_decref(answer);
    return true;
}
