/* The models that exist: each is defined in its own folder and listed in registry.c. Internal to payer_model/. */
#ifndef CM_PAYER_MODEL_REGISTRY_H
#define CM_PAYER_MODEL_REGISTRY_H

#include "billing/payer_model/payer_model.h"

extern const cm_payer_model cm_payer_model_tdsynnex;
extern const cm_payer_model cm_payer_model_ingram;

#endif
