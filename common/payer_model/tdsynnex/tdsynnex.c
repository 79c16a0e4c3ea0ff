/*
 * TD SYNNEX (StreamOne Ion): End Customer Account Model (P01). The distributor owns the payer, the customer its
 * accounts.
 */
#include "payer_model/registry.h"

#include <stddef.h>

static const char *const payer_kinds[] = {"shared", "dedicated", NULL}; /* P08, P07 */

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
};
