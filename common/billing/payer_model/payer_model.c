#include "billing/payer_model/payer_model.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

const cm_payer_model *cm_payer_model_find(const char *name)
{
    if (!name)
        return NULL;
    for (size_t i = 0; cm_payer_models[i]; i++)
        if (strcmp(cm_payer_models[i]->name, name) == 0)
            return cm_payer_models[i];
    return NULL;
}

bool cm_payer_model_has_kind(const cm_payer_model *model, const char *payer_kind)
{
    if (!model || !payer_kind)
        return false;
    for (size_t i = 0; model->payer_kinds[i]; i++)
        if (strcmp(model->payer_kinds[i], payer_kind) == 0)
            return true;
    return false;
}

static pthread_once_t version_once = PTHREAD_ONCE_INIT;
static char version_text[512];

static void write_version(void)
{
    size_t used = 0;
    for (size_t i = 0; cm_payer_models[i]; i++) {
        int wrote = snprintf(version_text + used, sizeof version_text - used, "%s%s %d", i ? ", " : "",
                             cm_payer_models[i]->name, cm_payer_models[i]->version);
        cm_assert(wrote > 0 && (size_t)wrote < sizeof version_text - used);
        used += (size_t)wrote;
    }
}

const char *cm_payer_models_version(void)
{
    cm_assert(pthread_once(&version_once, write_version) == 0);
    return version_text;
}
