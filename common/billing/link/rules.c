/* Validations of a request, what AWS allows, support plans, duties. */
#include "billing/link/rules.h"

#include "billing/catalog/model/plans.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

bool cm_rule_account_id(const char *account, cm_error *err)
{
    if (account && strlen(account) == 12 && strspn(account, "0123456789") == 12)
        return true;
    return cm_fail(err, CM_ERROR_REFUSED, "BAD_ACCOUNT",
                   "\"%.40s\" is not an AWS account id: write its 12 digits, with leading zeros (N16)",
                   account ? account : "");
}

bool cm_rule_nickname(const char *nickname, cm_error *err)
{
    size_t length = nickname ? strlen(nickname) : 0;
    if (length >= 1 && length <= 50)
        return true;
    return cm_fail(err, CM_ERROR_REFUSED, "BAD_NICKNAME",
                   "an account needs a nickname of 1 to 50 characters (O09): --nickname");
}

/* --- root mail --------------------------------------------------------------------------------------------------- */

const char *cm_email_domain(const char *email)
{
    const char *at = email ? strrchr(email, '@') : NULL;
    return at ? at + 1 : "";
}

bool cm_email_normal(const char *email, char *into, size_t size)
{
    size_t length = strlen(email);
    if (length >= size)
        return false;
    for (size_t i = 0; i <= length; i++)
        into[i] = (char)(email[i] >= 'A' && email[i] <= 'Z' ? email[i] - 'A' + 'a' : email[i]);
    return true;
}

static bool is_domain(const char *domain)
{
    size_t length = strlen(domain);
    if (!strchr(domain, '.') || domain[0] == '.' || domain[0] == '-' || domain[length - 1] == '.' ||
        strstr(domain, ".."))
        return false;
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)domain[i];
        if (!isalnum(c) && c != '.' && c != '-')
            return false;
    }
    return true;
}

bool cm_rule_root_email(const char *email, cm_error *err)
{
    size_t length = email ? strlen(email) : 0;
    const char *at = email ? strchr(email, '@') : NULL;
    bool good = length >= 6 && length <= 64 && at && at != email && !strchr(at + 1, '@') && is_domain(at + 1);
    for (size_t i = 0; good && i < length; i++)
        good = (unsigned char)email[i] > ' ' && (unsigned char)email[i] < 127 && !strchr(",;<>()[]\\\"", email[i]);
    if (good)
        return true;
    return cm_fail(
        err, CM_ERROR_REFUSED, "BAD_ROOT_EMAIL",
        "\"%.80s\" is not a valid root mail address (O08): use an active mailbox of 6 to 64 characters, such as aws-root@customer.example",
        email ? email : "");
}

bool cm_domain_is_within(const char *domain, const char *parent)
{
    size_t length = strlen(domain), tail = strlen(parent);
    if (tail == 0 || length < tail || strcasecmp(domain + length - tail, parent) != 0)
        return false;
    return length == tail || domain[length - tail - 1] == '.';
}

bool cm_rule_root_domain(const cm_payer_model *model, bool is_payer, const char *email,
                         const cm_distributor *distributor, bool *ret_checked, cm_error *err)
{
    const char *owner = is_payer ? model->payer_root_owner : model->member_root_owner, *domain = cm_email_domain(email);
    bool wants_distributor = strcmp(owner, "distributor") == 0, wants_customer = strcmp(owner, "customer") == 0,
         within = false;
    *ret_checked =
        distributor && distributor->email_domain_count > 0 && *domain && (wants_distributor || wants_customer);
    for (size_t i = 0; *ret_checked && i < distributor->email_domain_count && !within; i++)
        within = cm_domain_is_within(domain, distributor->email_domains[i]);
    if (!*ret_checked || within == wants_distributor)
        return true;
    if (is_payer)
        return cm_fail(err, CM_ERROR_REFUSED, "ROOT_DOMAIN",
                       "the root mail address of a payer must be in a domain of the distributor (P02); %s is not",
                       domain);
    return cm_fail(
        err, CM_ERROR_REFUSED, "ROOT_DOMAIN",
        "the root mail address of a member account must be in the end customer's own domain (P03); %s is in the distributor's",
        domain);
}

/* --- support, role, territory ------------------------------------------------------------------------------------ */

bool cm_rule_support_plan(const char *plan, const char *sales_reference, cm_error *err)
{
    static const char *const plans[] = {"basic", "developer", "business", "business_plus"};
    for (size_t i = 0; plan && i < sizeof plans / sizeof *plans; i++) {
        if (strcmp(plan, plans[i]) == 0)
            return true;
    }
    if (plan && strcmp(plan, "enterprise") == 0) {
        if (sales_reference && *sales_reference)
            return true;
        return cm_fail(
            err, CM_ERROR_REFUSED, "ENTERPRISE_SUPPORT",
            "Enterprise Support is not self-service (O17, N20): it is ordered through the sales representative; give --sales-reference TEXT");
    }
    return cm_fail(err, CM_ERROR_REFUSED, "BAD_SUPPORT_PLAN",
                   "\"%.40s\" is not a support type (O10, N20); use basic (none), developer, business, business_plus; "
                   "enterprise with --sales-reference",
                   plan ? plan : "");
}

bool cm_rule_role(const char *role_arn, const char *external_id, const char *account, cm_error *err)
{
    char prefix[64];
    if (!*role_arn && !*external_id)
        return true;
    int length = snprintf(prefix, sizeof prefix, "arn:aws:iam::%s:role/", account);
    bool other_partition = strncmp(role_arn, "arn:aws-", 8) == 0;
    const char *rest = other_partition ? strstr(role_arn, ":iam::") : NULL;
    bool good = other_partition
                    ? rest && strncmp(rest + 6, account, 12) == 0 && strncmp(rest + 18, ":role/", 6) == 0 && rest[24]
                    : strncmp(role_arn, prefix, (size_t)length) == 0 && role_arn[length];
    if (!good)
        return cm_fail(err, CM_ERROR_REFUSED, "BAD_ROLE",
                       "role \"%.150s\" is none of account %s itself (O13, P04): arn:aws:iam::%s:role/NAME", role_arn,
                       account, account);
    size_t id = strlen(external_id);
    if (id == 1 || id > 1224 ||
        strspn(external_id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+=,.@:/-") != id)
        return cm_fail(err, CM_ERROR_REFUSED, "BAD_EXTERNAL_ID",
                       "an external id has 2 to 1224 letters, digits and _+=,.@:/- (O13)");
    return true;
}

const char *cm_territory_verdict_name(enum cm_territory_verdict verdict)
{
    static const char *const names[] = {[CM_TERRITORY_NO_RULE] = "no_rule",
                                        [CM_TERRITORY_OK] = "ok",
                                        [CM_TERRITORY_UNKNOWN] = "unknown",
                                        [CM_TERRITORY_OUTSIDE] = "outside"};
    return names[verdict];
}

enum cm_territory_verdict cm_rule_territory(const cm_payer_model *model, const cm_distributor *distributor,
                                            const char *country, cm_instant at)
{
    if (!model->checks_territory)
        return CM_TERRITORY_NO_RULE;
    if (!country || !*country || !distributor || distributor->territory_count == 0)
        return CM_TERRITORY_UNKNOWN;
    return cm_distributor_has_territory(distributor, country, at) ? CM_TERRITORY_OK : CM_TERRITORY_OUTSIDE;
}

bool cm_rule_role_required(const cm_payer_model *model, bool transferred_in)
{
    return transferred_in || !model->role_only_if_transferred_in;
}

/* --- budget, plans, duties --------------------------------------------------------------------------------------- */

void cm_invitation_budget_count(cm_invitation_budget *budget)
{
    int today = budget->per_day - budget->sent, room = budget->quota - budget->members - budget->open;
    bool by_quota = budget->quota >= 0 && room < today;
    budget->left = by_quota ? room : today;
    if (budget->left < 0)
        budget->left = 0;
    budget->bound_by = budget->left > 0 ? "" : by_quota ? "account_quota" : "invitations_per_day";
}

const char *cm_plan_of_group(const cm_support_group *group)
{
    if (!group)
        return NULL;
    switch (group->type) {
    case CM_PLAN_BUSINESS:
    case CM_PLAN_BUSINESS_PUBLIC:
        return "business";
    case CM_PLAN_BUSINESS_PLUS:
        return "business_plus";
    case CM_PLAN_DEVELOPER:
        return "developer";
    case CM_PLAN_ENTERPRISE:
        return "enterprise";
    case CM_PLAN_BASIC:
        return "basic";
    case CM_PLAN_NAMED:
        if (strcmp(group->plan, "enterprise_on_ramp") == 0 || strcmp(group->plan, "enterprise_2026") == 0)
            return "enterprise";
        break;
    case CM_PLAN_PASSTHROUGH:
        break;
    }
    return NULL;
}

/* Does AWS charge for a different plan? An out-of-cycle bill shows only that there is a paid one. */
static bool is_other(const char *observed, const char *plan)
{
    return strcmp(observed, CM_PLAN_PAID) == 0 ? strcmp(plan, "basic") == 0 : strcmp(observed, plan) != 0;
}

bool cm_plan_drifts(const char *declared, const char *assigned, const char *observed)
{
    bool d = declared && *declared, a = assigned && *assigned, o = observed && *observed;
    return (o && a && is_other(observed, assigned)) || (o && d && is_other(observed, declared)) ||
           (!o && d && a && strcmp(declared, assigned) != 0);
}

const char *cm_duty_state_name(enum cm_duty_state state)
{
    static const char *const names[] = {[CM_DUTY_NOT_DUE] = "NOT_DUE",
                                        [CM_DUTY_DUE] = "DUE",
                                        [CM_DUTY_LATE] = "LATE",
                                        [CM_DUTY_DONE] = "DONE",
                                        [CM_DUTY_DONE_LATE] = "DONE_LATE"};
    return names[state];
}

cm_instant cm_duty_due(const cm_payer_duty *duty, cm_period period)
{
    return cm_period_end(period) + duty->day * CM_DAY;
}

enum cm_duty_state cm_duty_state_of(const cm_payer_duty *duty, cm_period period, cm_instant submitted_at,
                                    cm_instant now)
{
    cm_instant late = cm_duty_due(duty, period);
    if (submitted_at)
        return submitted_at < late ? CM_DUTY_DONE : CM_DUTY_DONE_LATE;
    return now >= late ? CM_DUTY_LATE : now >= cm_period_end(period) ? CM_DUTY_DUE : CM_DUTY_NOT_DUE;
}
