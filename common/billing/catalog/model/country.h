/* Countries of ISO 3166-1 alpha-2: which codes there are. Internal to catalog/. */
#ifndef CM_CATALOG_COUNTRY_H
#define CM_CATALOG_COUNTRY_H

#include <stdbool.h>

/* "AE", in upper case. */
bool cm_country_is_known(const char *code);

#endif
