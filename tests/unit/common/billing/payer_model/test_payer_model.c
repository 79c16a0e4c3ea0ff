#include "billing/payer_model/payer_model.h"

#include <criterion/criterion.h>
#include <stddef.h>

Test(payer_model, registry_lists_both_models_once)
{
    cr_assert_not_null(cm_payer_model_find("tdsynnex"));
    cr_assert_not_null(cm_payer_model_find("ingram"));
    cr_assert_null(cm_payer_model_find("TDSynnex"));
    cr_assert_null(cm_payer_model_find(""));
    cr_assert_null(cm_payer_model_find(NULL));
    for (size_t i = 0; cm_payer_models[i]; i++)
        cr_assert_eq(cm_payer_model_find(cm_payer_models[i]->name), cm_payer_models[i], "name listed twice");
}

/* P07, P08, P14 */
Test(payer_model, P07_P08_P14_payer_kinds)
{
    const cm_payer_model *tdsynnex = cm_payer_model_find("tdsynnex"), *ingram = cm_payer_model_find("ingram");
    cr_assert(cm_payer_model_has_kind(tdsynnex, "shared"));
    cr_assert(cm_payer_model_has_kind(tdsynnex, "dedicated"));
    cr_assert_not(cm_payer_model_has_kind(tdsynnex, "master"));
    cr_assert(cm_payer_model_has_kind(ingram, "master"));
    cr_assert_not(cm_payer_model_has_kind(ingram, "shared"));
    cr_assert_not(cm_payer_model_has_kind(ingram, ""));
}

Test(payer_model, N04_N12_O06_constants)
{
    const cm_payer_model *tdsynnex = cm_payer_model_find("tdsynnex"), *ingram = cm_payer_model_find("ingram");
    cr_assert(tdsynnex->suppresses_support_lines);
    cr_assert_not(ingram->suppresses_support_lines);
    cr_assert_not(tdsynnex->provider_discount_is_resellers);
    cr_assert(ingram->provider_discount_is_resellers);
    cr_assert_eq(tdsynnex->provider_discount_arrears, 1); /* applied in the following month */
    cr_assert_eq(ingram->provider_discount_arrears, 0);
    cr_assert_not(tdsynnex->allows_pass_through);
    cr_assert(ingram->allows_pass_through);
}

Test(payer_model, P02_P03_root_owners)
{
    cr_assert_str_eq(cm_payer_model_find("tdsynnex")->payer_root_owner, "distributor");
    cr_assert_str_eq(cm_payer_model_find("tdsynnex")->member_root_owner, "customer");
    cr_assert_str_eq(cm_payer_model_find("ingram")->payer_root_owner, "reseller");
    cr_assert_str_eq(cm_payer_model_find("ingram")->member_root_owner, "payee");
}

Test(payer_model, a_model_that_forbids_pass_through_says_why)
{
    for (size_t i = 0; cm_payer_models[i]; i++)
        cr_assert(cm_payer_models[i]->allows_pass_through || cm_payer_models[i]->pass_through_refusal);
}

Test(payer_model, version_names_every_model)
{
    cr_assert_str_eq(cm_payer_models_version(), "tdsynnex 1, ingram 1");
}
