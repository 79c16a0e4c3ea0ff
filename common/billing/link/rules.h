/*
 * What a request must satisfy before anybody reviews it (rules.md). Each function returns true, or REFUSED with the
 * rule's id in the text. Pure. What differs between distributors comes from the payer model's table.
 */
#ifndef CM_LINK_RULES_H
#define CM_LINK_RULES_H

#include "billing/catalog/model/catalog.h"

#include <stddef.h>

CM_NODISCARD bool cm_rule_account_id(const char *account, cm_error *err); /* N16: 12 digits */
CM_NODISCARD bool cm_rule_nickname(const char *nickname,
                                   cm_error *err); /* O09: not empty, at most 50 characters (AWS's account name) */

/* O08: an address as AWS takes it (6 to 64 characters, one @, a domain with a dot). Unique and never used: the store.
 */
CM_NODISCARD bool cm_rule_root_email(const char *email, cm_error *err);
/* "Root@Example.COM" in lower case, for comparing; never truncated: false if it does not fit. */
CM_NODISCARD bool cm_email_normal(const char *email, char *into, size_t size);
const char *cm_email_domain(const char *email); /* after the @; "" without one */
/* example.com holds example.com and aws.example.com, not badexample.com. */
bool cm_domain_is_within(const char *domain, const char *parent);

/*
 * P02 (the payer's root domain is the distributor's), P03 (a member's is not), depending on the payer model.
 * *ret_checked false: it could not be checked (distributor NULL or without domains, no address, or the model has no
 * such rule).
 */
CM_NODISCARD bool cm_rule_root_domain(const cm_payer_model *model, bool is_payer, const char *email,
                                      const cm_distributor *distributor, bool *ret_checked, cm_error *err);

/* O10, N20: a plan that an account can have; O17: enterprise only with the sales representative's reference. */
CM_NODISCARD bool cm_rule_support_plan(const char *plan, const char *sales_reference, cm_error *err);

/* arn:aws:iam::<the account itself>:role/<name> (P04: not another account's), and its own external id in AWS's format.
 * Both empty: accepted. */
CM_NODISCARD bool cm_rule_role(const char *role_arn, const char *external_id, const char *account, cm_error *err);

/* P17 */
enum cm_territory_verdict { CM_TERRITORY_NO_RULE, CM_TERRITORY_OK, CM_TERRITORY_UNKNOWN, CM_TERRITORY_OUTSIDE };
const char *cm_territory_verdict_name(enum cm_territory_verdict verdict);
/* NO_RULE: the model has none; UNKNOWN: no country, or the distributor's list is not known. */
enum cm_territory_verdict cm_rule_territory(const cm_payer_model *model, const cm_distributor *distributor,
                                            const char *country, cm_instant at);

/* P16: a role must be made where the payer existed before and was transferred in; or always, depending on the model. */
bool cm_rule_role_required(const cm_payer_model *model, bool transferred_in);

/* --- what AWS allows (accounts-and-taxes.md section 3): shown and respected --- */

typedef struct cm_invitation_budget {
    int sent, per_day;        /* within the last 24 hours; accepted ones do not count */
    int members, open, quota; /* accounts, open invitations; quota < 0: not known, AWS's own answer decides */
    int left;                 /* how many may be sent now */
    const char *bound_by;     /* "invitations_per_day", "account_quota" or "" */
} cm_invitation_budget;
/* Computes left and bound_by from the other members. */
void cm_invitation_budget_count(cm_invitation_budget *budget);

/* --- support plans: declared, assigned, observed (O16, P12) ------------------------------------------------------ */

/* Observed: cm_support_plan_observed of catalog/plans.h. The plan that a group's type stands for; NULL: it passes
 * through whatever there is, or there is no group. */
const char *cm_plan_of_group(const cm_support_group *group);
/* O16, N06: all must be the same plan; NULL or "": not known. `assigned`: the plan that the group's type stands for;
 * NULL also for passthrough. */
bool cm_plan_drifts(const char *declared, const char *assigned, const char *observed);

/* --- monthly duties (N07, N08, O28): due at the end of a day of the next month, UTC --- */

enum cm_duty_state { CM_DUTY_NOT_DUE, CM_DUTY_DUE, CM_DUTY_LATE, CM_DUTY_DONE, CM_DUTY_DONE_LATE };
const char *cm_duty_state_name(enum cm_duty_state state);
cm_instant cm_duty_due(const cm_payer_duty *duty,
                       cm_period period); /* first instant at which it is late: the 22nd, 00:00 */
/* `submitted_at` 0: not yet. NOT_DUE until the month is over. */
enum cm_duty_state cm_duty_state_of(const cm_payer_duty *duty, cm_period period, cm_instant submitted_at,
                                    cm_instant now);

#endif
