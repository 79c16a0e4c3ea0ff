/* Private to common/billing/print. */
#ifndef CM_PRINT_INTERNAL_H
#define CM_PRINT_INTERNAL_H

#include "billing/print/view.h"

/* The text of a key, "" if there is none. */
const char *cm_print_text(const json_t *object, const char *key);

#endif
