#include "platform/aws/organizations/organizations.h"

#include "platform/aws/access/operation.h"

#include <stdio.h>
#include <string.h>

#define OPERATION(op)                                                                                                  \
    static const cm_aws_operation operation = {                                                                        \
        .service = CM_AWS_ORGANIZATIONS, .name = op, .token_in = "NextToken", .token_out = "NextToken"}

static void take_account(const json_t *from, cm_org_account *ret)
{
    *ret = (cm_org_account){0};
    cm_aws_take_text(from, "Id", ret->id, sizeof ret->id);
    cm_aws_take_text(from, "Email", ret->email, sizeof ret->email);
    cm_aws_take_text(from, "Name", ret->name, sizeof ret->name);
    cm_aws_take_text(from, "State", ret->state, sizeof ret->state);
    if (!ret->state[0]) /* AWS is replacing `Status` with `State` */
        cm_aws_take_text(from, "Status", ret->state, sizeof ret->state);
    cm_aws_take_text(from, "JoinedMethod", ret->joined_method, sizeof ret->joined_method);
    ret->joined_at = cm_aws_take_instant(from, "JoinedTimestamp");
}

static void take_handshake(const json_t *from, cm_org_handshake *ret)
{
    *ret = (cm_org_handshake){0};
    cm_aws_take_text(from, "Id", ret->id, sizeof ret->id);
    cm_aws_take_text(from, "Action", ret->action, sizeof ret->action);
    cm_aws_take_text(from, "State", ret->state, sizeof ret->state);
    ret->requested_at = cm_aws_take_instant(from, "RequestedTimestamp");
    ret->expires_at = cm_aws_take_instant(from, "ExpirationTimestamp");
    size_t index;
    json_t *party;
    json_array_foreach (json_object_get(from, "Parties"), index, party) {
        const char *kind = json_string_value(json_object_get(party, "Type"));
        if (kind && strcmp(kind, "ORGANIZATION") == 0)
            cm_aws_take_text(party, "Id", ret->organization, sizeof ret->organization);
        else if (kind && strcmp(kind, "ACCOUNT") == 0)
            cm_aws_take_text(party, "Id", ret->account, sizeof ret->account);
        else if (kind && strcmp(kind, "EMAIL") == 0)
            cm_aws_take_text(party, "Id", ret->email, sizeof ret->email);
    }
}

static void take_transfer(const json_t *from, cm_org_transfer *ret)
{
    *ret = (cm_org_transfer){0};
    cm_aws_take_text(from, "Id", ret->id, sizeof ret->id);
    cm_aws_take_text(from, "Name", ret->name, sizeof ret->name);
    cm_aws_take_text(from, "Status", ret->status, sizeof ret->status);
    cm_aws_take_text(json_object_get(from, "Source"), "ManagementAccountId", ret->source, sizeof ret->source);
    cm_aws_take_text(json_object_get(from, "Target"), "ManagementAccountId", ret->target, sizeof ret->target);
    cm_aws_take_text(from, "ActiveHandshakeId", ret->handshake, sizeof ret->handshake);
    ret->starts_at = cm_aws_take_instant(from, "StartTimestamp");
    ret->ends_at = cm_aws_take_instant(from, "EndTimestamp");
}

bool cm_org_handshake_pending(const cm_org_handshake *handshake)
{
    return strcmp(handshake->state, "REQUESTED") == 0 || strcmp(handshake->state, "OPEN") == 0;
}

/* An answer that must have `member`. */
static json_t *call_for(cm_aws_access *access, const cm_aws_operation *operation, json_t *input, const char *member,
                        json_t **ret_member, cm_error *err)
{
    json_t *answer = cm_aws_call_json(access, operation, input, err);
    if (!answer)
        return NULL;
    *ret_member = json_object_get(answer, member);
    if (json_is_object(*ret_member))
        return answer;
    json_decref(answer);
    cm_fail(err, CM_ERROR_RETRY, "UNAVAILABLE", "%s: the answer has no %s", operation->name, member);
    return NULL;
}

bool cm_org_describe(cm_aws_access *access, cm_org_organization *ret, cm_error *err)
{
    OPERATION("DescribeOrganization");
    json_t *from, *answer = call_for(access, &operation, NULL, "Organization", &from, err);
    if (!answer)
        return false;
    *ret = (cm_org_organization){0};
    cm_aws_take_text(from, "Id", ret->id, sizeof ret->id);
    cm_aws_take_text(from, "FeatureSet", ret->feature_set, sizeof ret->feature_set);
    cm_aws_take_text(from, "MasterAccountId", ret->management_account, sizeof ret->management_account);
    cm_aws_take_text(from, "MasterAccountEmail", ret->management_email, sizeof ret->management_email);
    json_decref(answer);
    return true;
}

/* --- lists ------------------------------------------------------------------------------------------------------- */

typedef struct list {
    const char *member;
    cm_org_on_account account;
    cm_org_on_handshake handshake;
    cm_org_on_transfer transfer;
    void *opaque;
} list;

static bool on_element(const list *l, const json_t *element, cm_error *err)
{
    if (l->account) {
        cm_org_account account;
        take_account(element, &account);
        return l->account(l->opaque, &account, err);
    }
    if (l->handshake) {
        cm_org_handshake handshake;
        take_handshake(element, &handshake);
        return l->handshake(l->opaque, &handshake, err);
    }
    cm_org_transfer transfer;
    take_transfer(element, &transfer);
    return l->transfer(l->opaque, &transfer, err);
}

static bool on_page(void *opaque, const json_t *page, cm_error *err)
{
    const list *l = opaque;
    size_t index;
    json_t *element;
    json_array_foreach (json_object_get(page, l->member), index, element) {
        if (!on_element(l, element, err))
            return false;
    }
    return true;
}

bool cm_org_list_accounts(cm_aws_access *access, cm_org_on_account each, void *opaque, cm_error *err)
{
    OPERATION("ListAccounts");
    list l = {.member = "Accounts", .account = each, .opaque = opaque};
    return cm_aws_each_page(access, &operation, NULL, on_page, &l, err);
}

bool cm_org_list_invitations(cm_aws_access *access, cm_org_on_handshake each, void *opaque, cm_error *err)
{
    OPERATION("ListHandshakesForOrganization");
    list l = {.member = "Handshakes", .handshake = each, .opaque = opaque};
    return cm_aws_each_page(access, &operation, json_pack("{s:{s:s}}", "Filter", "ActionType", "INVITE"), on_page, &l,
                            err);
}

bool cm_org_list_transfers(cm_aws_access *access, enum cm_org_direction direction, cm_org_on_transfer each,
                           void *opaque, cm_error *err)
{
    static const cm_aws_operation operations[] = {[CM_ORG_INBOUND] = {.service = CM_AWS_ORGANIZATIONS,
                                                                      .name = "ListInboundResponsibilityTransfers",
                                                                      .token_in = "NextToken",
                                                                      .token_out = "NextToken"},
                                                  [CM_ORG_OUTBOUND] = {.service = CM_AWS_ORGANIZATIONS,
                                                                       .name = "ListOutboundResponsibilityTransfers",
                                                                       .token_in = "NextToken",
                                                                       .token_out = "NextToken"}};
    list l = {.member = "ResponsibilityTransfers", .transfer = each, .opaque = opaque};
    return cm_aws_each_page(access, &operations[direction], json_pack("{s:s}", "Type", "BILLING"), on_page, &l, err);
}

/* --- single objects ---------------------------------------------------------------------------------------------- */

bool cm_org_describe_account(cm_aws_access *access, const char *account, cm_org_account *ret, cm_error *err)
{
    OPERATION("DescribeAccount");
    json_t *from,
        *answer = call_for(access, &operation, json_pack("{s:s}", "AccountId", account), "Account", &from, err);
    if (!answer)
        return cm_fail_context(err, "account %s", account);
    take_account(from, ret);
    json_decref(answer);
    return true;
}

static bool handshake_call(cm_aws_access *access, const cm_aws_operation *operation, json_t *input,
                           cm_org_handshake *ret, cm_error *err)
{
    json_t *from, *answer = call_for(access, operation, input, "Handshake", &from, err);
    if (!answer)
        return false;
    take_handshake(from, ret);
    json_decref(answer);
    return true;
}

bool cm_org_describe_handshake(cm_aws_access *access, const char *handshake, cm_org_handshake *ret, cm_error *err)
{
    OPERATION("DescribeHandshake");
    return handshake_call(access, &operation, json_pack("{s:s}", "HandshakeId", handshake), ret, err);
}

bool cm_org_cancel(cm_aws_access *access, const char *handshake, cm_org_handshake *ret, cm_error *err)
{
    OPERATION("CancelHandshake");
    return handshake_call(access, &operation, json_pack("{s:s}", "HandshakeId", handshake), ret, err);
}

bool cm_org_invite(cm_aws_access *access, const char *account, const char *notes, cm_org_handshake *ret, cm_error *err)
{
    static const cm_aws_operation operation = {
        .service = CM_AWS_ORGANIZATIONS, .name = "InviteAccountToOrganization", .once = true};
    json_t *input = json_pack("{s:{s:s,s:s}}", "Target", "Id", account, "Type", "ACCOUNT");
    if (notes && *notes)
        json_object_set_new(input, "Notes", json_string(notes));
    if (!handshake_call(access, &operation, input, ret, err))
        return cm_fail_context(err, "account %s", account);
    return true;
}

typedef struct first {
    const char *member;
    cm_org_parent *parent;
} first;

static bool on_first(void *opaque, const json_t *page, cm_error *err)
{
    (void)err;
    const first *f = opaque;
    const json_t *element = json_array_get(json_object_get(page, f->member), 0);
    if (element && !f->parent->id[0]) {
        cm_aws_take_text(element, "Id", f->parent->id, sizeof f->parent->id);
        cm_aws_take_text(element, "Type", f->parent->kind, sizeof f->parent->kind);
    }
    return true;
}

static bool take_first(cm_aws_access *access, const cm_aws_operation *operation, json_t *input, const char *member,
                       cm_org_parent *ret, cm_error *err)
{
    *ret = (cm_org_parent){0};
    first f = {member, ret};
    if (!cm_aws_each_page(access, operation, input, on_first, &f, err))
        return false;
    if (!ret->id[0])
        return cm_fail(err, CM_ERROR_NOT_FOUND, "NOT_FOUND", "%s: the answer has none", operation->name);
    return true;
}

bool cm_org_root(cm_aws_access *access, cm_org_parent *ret, cm_error *err)
{
    OPERATION("ListRoots");
    if (!take_first(access, &operation, NULL, "Roots", ret, err))
        return false;
    snprintf(ret->kind, sizeof ret->kind, "ROOT");
    return true;
}

bool cm_org_parent_of(cm_aws_access *access, const char *child, cm_org_parent *ret, cm_error *err)
{
    OPERATION("ListParents");
    return take_first(access, &operation, json_pack("{s:s}", "ChildId", child), "Parents", ret, err);
}

bool cm_org_move(cm_aws_access *access, const char *account, const char *from, const char *to, cm_error *err)
{
    OPERATION("MoveAccount");
    json_t *answer = cm_aws_call_json(
        access, &operation,
        json_pack("{s:s,s:s,s:s}", "AccountId", account, "SourceParentId", from, "DestinationParentId", to), err);
    json_decref(answer);
    return answer != NULL;
}
