#include "billing/payer_model/registry.h"

#include <stddef.h>

const cm_payer_model *const cm_payer_models[] = {
    &cm_payer_model_tdsynnex,
    &cm_payer_model_ingram,
    NULL,
};
