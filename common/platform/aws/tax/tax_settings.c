#include "platform/aws/tax/tax_settings.h"

#include "platform/aws/access/operation.h"

#include <string.h>

enum { PAGE_SIZE = 100 };

static bool take_address(const json_t *from, cm_tax_address *ret)
{
    cm_aws_take_text(from, "addressLine1", ret->line1, sizeof ret->line1);
    cm_aws_take_text(from, "addressLine2", ret->line2, sizeof ret->line2);
    cm_aws_take_text(from, "addressLine3", ret->line3, sizeof ret->line3);
    cm_aws_take_text(from, "districtOrCounty", ret->district, sizeof ret->district);
    cm_aws_take_text(from, "city", ret->city, sizeof ret->city);
    cm_aws_take_text(from, "stateOrRegion", ret->state, sizeof ret->state);
    cm_aws_take_text(from, "postalCode", ret->postal_code, sizeof ret->postal_code);
    cm_aws_take_text(from, "countryCode", ret->country, sizeof ret->country);
    return json_is_object(from);
}

static void take_registration(const json_t *from, cm_tax_registration *ret)
{
    *ret = (cm_tax_registration){0};
    cm_aws_take_text(from, "registrationId", ret->id, sizeof ret->id);
    ret->there = ret->id[0] != '\0';
    cm_aws_take_text(from, "registrationType", ret->type, sizeof ret->type);
    cm_aws_take_text(from, "legalName", ret->legal_name, sizeof ret->legal_name);
    cm_aws_take_text(from, "status", ret->status, sizeof ret->status);
    cm_aws_take_text(json_object_get(from, "statusReason"), "code", ret->status_reason, sizeof ret->status_reason);
    const json_t *jurisdiction = json_object_get(from, "jurisdiction"), *legal = json_object_get(from, "legalAddress");
    const json_t *place = jurisdiction ? jurisdiction : legal;
    cm_aws_take_text(place, "countryCode", ret->country, sizeof ret->country);
    cm_aws_take_text(place, "stateOrRegion", ret->state, sizeof ret->state);
    ret->has_address = take_address(legal, &ret->address);
}

static void take_account(const json_t *from, cm_tax_account *ret)
{
    *ret = (cm_tax_account){0};
    cm_aws_take_text(from, "accountId", ret->id, sizeof ret->id);
    take_registration(json_object_get(from, "taxRegistration"), &ret->registration);
    const json_t *inheritance = json_object_get(from, "taxInheritanceDetails");
    ret->inherits = json_is_object(inheritance);
    cm_aws_take_text(inheritance, "parentEntityId", ret->inherits_from, sizeof ret->inherits_from);
    cm_aws_take_text(inheritance, "inheritanceObtainedReason", ret->inherits_why, sizeof ret->inherits_why);
    const json_t *meta = json_object_get(from, "accountMetaData");
    cm_aws_take_text(meta, "accountName", ret->name, sizeof ret->name);
    cm_aws_take_text(meta, "addressType", ret->address_type, sizeof ret->address_type);
    ret->has_address = take_address(json_object_get(meta, "address"), &ret->address);
}

bool cm_tax_inheritance(cm_aws_access *access, char ret[static CM_TAX_WORD], cm_error *err)
{
    static const cm_aws_operation operation = {
        .service = CM_AWS_TAX, .name = "GetTaxInheritance", .path = "/GetTaxInheritance"};
    json_t *answer = cm_aws_call_json(access, &operation, NULL, err);
    if (!answer)
        return false;
    cm_aws_take_text(answer, "heritageStatus", ret, CM_TAX_WORD);
    json_decref(answer);
    return true;
}

bool cm_tax_set_inheritance(cm_aws_access *access, const char *status, cm_error *err)
{
    static const cm_aws_operation operation = {
        .service = CM_AWS_TAX, .name = "PutTaxInheritance", .path = "/PutTaxInheritance"};
    json_t *answer = cm_aws_call_json(access, &operation, json_pack("{s:s}", "heritageStatus", status), err);
    json_decref(answer);
    return answer != NULL;
}

typedef struct list {
    cm_tax_on_account each;
    void *opaque;
} list;

static bool on_page(void *opaque, const json_t *page, cm_error *err)
{
    const list *l = opaque;
    size_t index;
    json_t *element;
    json_array_foreach (json_object_get(page, "accountDetails"), index, element) {
        cm_tax_account account;
        take_account(element, &account);
        if (!l->each(l->opaque, &account, err))
            return false;
    }
    return true;
}

bool cm_tax_list_registrations(cm_aws_access *access, cm_tax_on_account each, void *opaque, cm_error *err)
{
    static const cm_aws_operation operation = {.service = CM_AWS_TAX,
                                               .name = "ListTaxRegistrations",
                                               .path = "/ListTaxRegistrations",
                                               .token_in = "nextToken",
                                               .token_out = "nextToken"};
    list l = {each, opaque};
    return cm_aws_each_page(access, &operation, json_pack("{s:i}", "maxResults", PAGE_SIZE), on_page, &l, err);
}

bool cm_tax_registration_of(cm_aws_access *access, const char *account, cm_tax_registration *ret, cm_error *err)
{
    static const cm_aws_operation operation = {
        .service = CM_AWS_TAX, .name = "GetTaxRegistration", .path = "/GetTaxRegistration"};
    *ret = (cm_tax_registration){0};
    json_t *input = json_object();
    if (account)
        json_object_set_new(input, "accountId", json_string(account));
    cm_error why = {0};
    json_t *answer = cm_aws_call_json(access, &operation, input, &why);
    if (!answer && strcmp(cm_aws_access_refusal(access)->code, "ResourceNotFoundException") == 0)
        return true;
    if (!answer) {
        if (err)
            *err = why;
        return false;
    }
    take_registration(json_object_get(answer, "taxRegistration"), ret);
    json_decref(answer);
    return true;
}
