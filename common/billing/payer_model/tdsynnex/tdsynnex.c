/*
 * TD SYNNEX (StreamOne Ion): End Customer Account Model (P01). The distributor owns the payer, the customer its
 * accounts.
 */
#include "billing/payer_model/registry.h"

#include <stddef.h>

static const char *const payer_kinds[] = {"shared", "dedicated", NULL}; /* P08, P07 */

/* P09, P10: what the customer's own organization opens. */
static const cm_payer_capability capabilities[] = {{"control_tower", "dedicated", "P09"},
                                                   {"identity_center", "dedicated", "P09"},
                                                   {"security_hub", "dedicated", "P09"},
                                                   {"config", "dedicated", "P09"},
                                                   {"service_catalog", "dedicated", "P09"},
                                                   {"organizational_units", "dedicated", "P09"},
                                                   {"tag_policies", "dedicated", "P09"},
                                                   {"service_control_policies", "dedicated", "P09"},
                                                   {"techcare_break_fix", "dedicated", "P10"},
                                                   {"dashboards_as_a_service", "dedicated", "P10"},
                                                   {0}};

/* The platform's role is read-only; it is checked with a call that shows nothing of the customer's workloads (P04). */
static const cm_payer_permission permissions[] = {{"account:GetContactInformation", "read access"}, {0}};

/* AWS's own conditions for leaving an organization and for assigning an account. */
static const cm_payer_gate offboarding_gates[] = {
    {"BILLING_INFO_MOVED", "O31", "billing information names the new responsible party", false, false},
    {"BALANCE_ZERO", "O33", "nothing is owed to the distributor for this account", false, true},
    {0}};
static const char *const roles_to_remove[] = {NULL};
static const cm_payer_duty duties[] = {{0}};

const cm_payer_model cm_payer_model_tdsynnex = {
    .name = "tdsynnex",
    .version = 1,
    .payer_kinds = payer_kinds,
    .suppresses_support_lines = true,        /* N04: "disregard what the AWS console shows"; N02, N03 replace them */
    .provider_discount_is_resellers = false, /* N12: the distributor credits them in the following month */
    .provider_discount_arrears = 1,
    .allows_pass_through = false, /* O06 */
    .pass_through_refusal = "with TD SYNNEX the Reserved Instance and Savings Plan benefit stays with the payer; "
                            "\"Pass RI optimization to customer\" is not available",
    .payer_root_owner = "distributor", /* P02 */
    .member_root_owner = "customer",   /* P03 */
    .payees_inherit_tax = false,       /* T07: the customer profile has a tax section of its own */
    .standalone_kind = "shared",
    .standalone_why =
        "P08: an account without an organization joins the shared payer as a member (N22: one organization for it)",
    .organization_kind = "dedicated",
    .organization_why = "P07: a customer with an organization of its own gets a dedicated payer",
    .capabilities = capabilities,
    .permissions = permissions,
    .offboarding_gates = offboarding_gates,
    .roles_to_remove = roles_to_remove,
    .duties = duties,
    .request_subject = "Customer Account Provision Request Received\u2014Amazon Web Services (%s)", /* O11 */
};
