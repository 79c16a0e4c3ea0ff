/*
 * Makes one call through common/platform/aws, for the tests against fakes of AWS:
 *
 *   aws-probe [--role ARN] [--external-id ID] [--stall MS] [--per-minute N] [--burst N] [--log] COMMAND [ARGUMENT...]
 *
 * COMMAND: identity, organization, accounts, account ID, root, parent ID, move ID FROM TO, invite ID, invitations,
 * handshake ID, cancel ID, inbound, outbound, inheritance, set-inheritance STATUS, registrations, registration [ID],
 * information [ID], contact [ID], support MONTH, enterprise MONTH, probe ACTION. Credentials and endpoints as in every
 * program. One JSON object a line; an error goes to standard error as {"class", "code", "text", "aws", "reason"}, exit
 * code 1. --log: log lines of level debug too.
 */
#include "base/log/log.h"
#include "platform/aws/access/probe.h"
#include "platform/aws/access/sessions.h"
#include "platform/aws/account/account.h"
#include "platform/aws/billing/support_charges.h"
#include "platform/aws/chain/chain.h"
#include "platform/aws/organizations/organizations.h"
#include "platform/aws/tax/tax_settings.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void print(json_t *value)
{
    json_dumpf(value, stdout, JSON_COMPACT | JSON_SORT_KEYS);
    fputc('\n', stdout);
    json_decref(value);
}

static json_t *instant(cm_instant at)
{
    char text[CM_INSTANT_TEXT];
    return at ? json_string(cm_instant_print(at, text)) : json_null();
}

static bool on_account(void *opaque, const cm_org_account *a, cm_error *err)
{
    (void)opaque, (void)err;
    print(json_pack("{s:s, s:s, s:s, s:s, s:s, s:o}", "id", a->id, "email", a->email, "name", a->name, "state",
                    a->state, "method", a->joined_method, "joined", instant(a->joined_at)));
    return true;
}

static bool on_handshake(void *opaque, const cm_org_handshake *h, cm_error *err)
{
    (void)opaque, (void)err;
    print(json_pack("{s:s, s:s, s:s, s:s, s:s, s:b, s:o, s:o}", "id", h->id, "action", h->action, "state", h->state,
                    "organization", h->organization, "account", h->account, "pending", cm_org_handshake_pending(h),
                    "requested", instant(h->requested_at), "expires", instant(h->expires_at)));
    return true;
}

static bool on_transfer(void *opaque, const cm_org_transfer *t, cm_error *err)
{
    (void)opaque, (void)err;
    print(json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:o}", "id", t->id, "name", t->name, "status", t->status, "source",
                    t->source, "target", t->target, "starts", instant(t->starts_at), "ends", instant(t->ends_at)));
    return true;
}

static json_t *address(bool there, const cm_tax_address *a)
{
    return there ? json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "line1", a->line1, "line2", a->line2, "city", a->city,
                             "state", a->state, "postal_code", a->postal_code, "country", a->country)
                 : json_null();
}

static json_t *registration(const cm_tax_registration *r)
{
    return r->there
               ? json_pack("{s:s, s:s, s:s, s:s, s:s, s:o}", "id", r->id, "type", r->type, "legal_name", r->legal_name,
                           "status", r->status, "country", r->country, "address", address(r->has_address, &r->address))
               : json_null();
}

static bool on_tax(void *opaque, const cm_tax_account *a, cm_error *err)
{
    (void)opaque, (void)err;
    print(json_pack("{s:s, s:s, s:o, s:b, s:s, s:o}", "id", a->id, "name", a->name, "registration",
                    registration(&a->registration), "inherits", a->inherits, "inherits_from", a->inherits_from,
                    "address", address(a->has_address, &a->address)));
    return true;
}

static json_t *number(cm_decimal value)
{
    char text[CM_DECIMAL_TEXT];
    cm_decimal_print(value, text);
    return json_string(text);
}

static bool on_support(void *opaque, const cm_support_charge *s, cm_error *err)
{
    (void)opaque, (void)err;
    print(json_pack("{s:s, s:s, s:o, s:o, s:o, s:s, s:b}", "id", s->account, "plan", s->plan, "charge",
                    number(s->charge), "basis", number(s->usage_basis), "discount", number(s->discount), "type",
                    s->discount_type, "estimated", s->estimated));
    return true;
}

static bool billing(cm_aws_access *access, const char *command, const char *month, bool *ret_known, cm_error *err)
{
    cm_period period;
    bool estimated;
    cm_enterprise_support e;
    *ret_known = month && cm_period_parse(cm_slice_of(month), &period);
    if (*ret_known && strcmp(command, "support") == 0) {
        bool done = cm_billing_support_charges(access, period, on_support, NULL, &estimated, err);
        if (done)
            print(json_pack("{s:b}", "estimated", estimated));
        return done;
    }
    if (*ret_known && strcmp(command, "enterprise") == 0) {
        bool done = cm_billing_enterprise_support(access, period, &e, err);
        if (done)
            print(json_pack("{s:b, s:s, s:o, s:o, s:o, s:o, s:o, s:b}", "there", e.there, "plan", e.plan, "charge",
                            number(e.charge), "basis", number(e.usage_basis), "discount", number(e.discount),
                            "percentage", number(e.percentage), "minimum", number(e.minimum), "estimated",
                            e.estimated));
        return done;
    }
    *ret_known = false;
    return true;
}

static bool parent(bool done, const cm_org_parent *p)
{
    if (done)
        print(json_pack("{s:s, s:s}", "id", p->id, "kind", p->kind));
    return done;
}

static bool organizations(cm_aws_access *access, const char *command, char **argument, bool *ret_known, cm_error *err)
{
    cm_org_organization o;
    cm_org_account a;
    cm_org_handshake h;
    cm_org_parent p;
    const char *first = argument[0];
    if (strcmp(command, "organization") == 0) {
        bool done = cm_org_describe(access, &o, err);
        if (done)
            print(json_pack("{s:s, s:s, s:s}", "id", o.id, "features", o.feature_set, "management",
                            o.management_account));
        return done;
    }
    if (strcmp(command, "accounts") == 0)
        return cm_org_list_accounts(access, on_account, NULL, err);
    if (strcmp(command, "invitations") == 0)
        return cm_org_list_invitations(access, on_handshake, NULL, err);
    if (strcmp(command, "inbound") == 0 || strcmp(command, "outbound") == 0)
        return cm_org_list_transfers(access, command[0] == 'i' ? CM_ORG_INBOUND : CM_ORG_OUTBOUND, on_transfer, NULL,
                                     err);
    if (strcmp(command, "root") == 0)
        return parent(cm_org_root(access, &p, err), &p);
    if (first && strcmp(command, "account") == 0)
        return cm_org_describe_account(access, first, &a, err) && on_account(NULL, &a, err);
    if (first && strcmp(command, "parent") == 0)
        return parent(cm_org_parent_of(access, first, &p, err), &p);
    if (first && strcmp(command, "move") == 0)
        return cm_org_move(access, first, argument[1], argument[2], err);
    if (first && strcmp(command, "invite") == 0)
        return cm_org_invite(access, first, "from a test", &h, err) && on_handshake(NULL, &h, err);
    if (first && strcmp(command, "handshake") == 0)
        return cm_org_describe_handshake(access, first, &h, err) && on_handshake(NULL, &h, err);
    if (first && strcmp(command, "cancel") == 0)
        return cm_org_cancel(access, first, &h, err) && on_handshake(NULL, &h, err);
    *ret_known = false;
    return true;
}

static bool others(cm_aws_access *access, const char *command, char **argument, cm_error *err)
{
    char id[CM_AWS_ACCOUNT_ID], status[CM_TAX_WORD];
    cm_tax_registration r;
    cm_account_information i;
    cm_account_contact c;
    bool done;
    if (strcmp(command, "identity") == 0) {
        if ((done = cm_aws_identity(access, id, err)))
            print(json_pack("{s:s}", "account", id));
    } else if (strcmp(command, "inheritance") == 0) {
        if ((done = cm_tax_inheritance(access, status, err)))
            print(json_pack("{s:s}", "status", status));
    } else if (strcmp(command, "set-inheritance") == 0) {
        done = cm_tax_set_inheritance(access, argument[0], err);
    } else if (strcmp(command, "registrations") == 0) {
        done = cm_tax_list_registrations(access, on_tax, NULL, err);
    } else if (strcmp(command, "registration") == 0) {
        if ((done = cm_tax_registration_of(access, argument[0], &r, err)))
            print(json_pack("{s:o}", "registration", registration(&r)));
    } else if (strcmp(command, "information") == 0) {
        if ((done = cm_account_information_of(access, argument[0], &i, err)))
            print(json_pack("{s:s, s:s, s:s, s:o}", "id", i.id, "name", i.name, "state", i.state, "created",
                            instant(i.created_at)));
    } else if (strcmp(command, "contact") == 0) {
        if ((done = cm_account_contact_of(access, argument[0], &c, err)))
            print(json_pack("{s:s, s:s}", "company", c.company, "country", c.country));
    } else if (argument[0] && strcmp(command, "probe") == 0) {
        static const char *const words[] = {"allowed", "refused", "unknown"};
        print(json_pack("{s:s}", "verdict", words[cm_aws_probe(access, argument[0], err)]));
        done = true;
    } else {
        done = cm_fail(err, CM_ERROR_INVALID, "USAGE", "unknown command %s", command);
    }
    return done;
}

int main(int argc, char **argv)
{
    const char *role = NULL, *external_id = NULL;
    cm_aws_options options = {0};
    cm_aws_access_config config = {.name = "probe", .options = &options};
    enum cm_log_level level = CM_ERROR;
    int at = 1;
    for (; at + 1 < argc && strncmp(argv[at], "--", 2) == 0; at++) {
        if (strcmp(argv[at], "--log") == 0)
            level = CM_DEBUG;
        else if (strcmp(argv[at], "--role") == 0)
            role = argv[++at];
        else if (strcmp(argv[at], "--external-id") == 0)
            external_id = argv[++at];
        else if (strcmp(argv[at], "--stall") == 0)
            options.stall_milliseconds = strtol(argv[++at], NULL, 10);
        else if (strcmp(argv[at], "--per-minute") == 0)
            config.per_minute = (int)strtol(argv[++at], NULL, 10);
        else if (strcmp(argv[at], "--burst") == 0)
            config.burst = (int)strtol(argv[++at], NULL, 10);
    }
    if (at >= argc)
        return 2;
    cm_log_setup("aws-probe", "test", level, false);
    cm_aws_provider *chain = cm_aws_provider_chain(&options);
    cm_aws_sessions *sessions = cm_aws_sessions_new(chain, &options, 4);
    config.provider = cm_aws_sessions_get(sessions, role, external_id, NULL);
    cm_aws_access *access = cm_aws_access_new(&config);
    cm_error err = {0};
    bool known = true;
    bool done = organizations(access, argv[at], argv + at + 1, &known, &err);
    if (done && !known)
        done = billing(access, argv[at], argv[at + 1], &known, &err);
    if (done && !known)
        done = others(access, argv[at], argv + at + 1, &err);
    if (!done) {
        const cm_aws_failure *refusal = cm_aws_access_refusal(access);
        json_t *text = json_pack("{s:s, s:s, s:s, s:s, s:s}", "class", cm_error_class_name(err.class), "code", err.code,
                                 "text", err.text, "aws", refusal->code, "reason", refusal->reason);
        json_dumpf(text, stderr, JSON_COMPACT);
        fputc('\n', stderr);
        json_decref(text);
    }
    cm_aws_access_free(access);
    cm_aws_provider_free(config.provider);
    cm_aws_sessions_free(sessions);
    cm_aws_provider_free(chain);
    return done ? 0 : 1;
}
