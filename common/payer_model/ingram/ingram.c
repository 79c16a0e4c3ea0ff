/*
 * Ingram Micro: the reseller holds a Master Payer, its linked accounts are Payee accounts (P14).
 */
#include "payer_model/registry.h"

#include <stddef.h>

static const char *const payer_kinds[] = {"master", NULL}; /* P14 */

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
};
