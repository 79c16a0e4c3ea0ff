/*
 * Ingram Micro: the reseller holds a Master Payer, its linked accounts are Payee accounts (P14).
 */
#include "billing/payer_model/registry.h"

#include <stddef.h>

static const char *const payer_kinds[] = {"master", NULL}; /* P14 */

static const cm_payer_capability capabilities[] = {{0}};

/* O26, O27: billing console and CUR, support tickets. Cost Explorer cannot be checked: each of its calls costs
 * money. */
static const cm_payer_permission permissions[] = {
    {"billing:ListBillingViews", "billing console (O26)"},
    {"account:GetContactInformation", "help with billing: the account's data (O26)"},
    {"tax:GetTaxInheritance", "help with billing: tax settings (O26, T04)"},
    {"cur:DescribeReportDefinitions", "Cost and Usage Reports (O27)"},
    {"support:DescribeSeverityLevels", "AWS Support, tickets (O26, O27)"},
    {0}};

/* N23: three items and the consent to assignment; the distributor is informed first (O30). */
static const cm_payer_gate offboarding_gates[] = {
    {"DISTRIBUTOR_INFORMED", "O30", "the distributor's IaaS sales were informed", false, false},
    {"BILLING_INFO_MOVED", "O31", "billing information names the new responsible party", false, false},
    {"ROLES_REMOVED", "O32", "all policies and cross-account roles are removed", true, false},
    {"BALANCE_ZERO", "O33", "payments to the distributor are up to date", false, true},
    {"CONSENT_TO_ASSIGNMENT", "O34", "the consent to assignment (CTA) is recorded", false, false},
    {0}};
static const char *const roles_to_remove[] = {"IMBillingRole", "CloudCheckr", NULL}; /* O32, P18 */

static const cm_payer_duty duties[] = {
    {"end_user_report", "N07", "End User Reporting for Master Payer Accounts: all new and repurposed accounts (O28)",
     21, true},
    {"apn_update", "N08", "APN updated, so that discounts and credits are assigned correctly (O29)", 21, false},
    {0}};

const cm_payer_model cm_payer_model_ingram = {
    .name = "ingram",
    .version = 1,
    .payer_kinds = payer_kinds,
    .suppresses_support_lines = false,      /* support is charged as AWS charges it */
    .provider_discount_is_resellers = true, /* O29: discounts reach the reseller's own payer */
    .provider_discount_arrears = 0,
    .allows_pass_through = true,
    .pass_through_refusal = NULL,
    .payer_root_owner = "reseller",
    .member_root_owner = "payee",
    .payees_inherit_tax = true, /* T01-T04 */
    .standalone_kind = "master",
    .standalone_why = "P14: the reseller's own master payer; the account becomes a payee account of it",
    .organization_kind = "master",
    .organization_why = "P14: the reseller's own master payer; the organization's accounts become payee accounts of it",
    .capabilities = capabilities,
    .role_only_if_transferred_in = true, /* P16 */
    .role_name = "IMBillingRole",        /* P15, O25 */
    .permissions = permissions,
    .offboarding_gates = offboarding_gates,
    .roles_to_remove = roles_to_remove,
    .duties = duties,
    .checks_territory = true, /* P17 */
    .request_subject = "Account request received: Amazon Web Services (%s)",
};
