/* The canonical text of a catalog, which is what the database keeps, and the struct that it becomes. */
#ifndef CM_CATALOG_CANONICAL_H
#define CM_CATALOG_CANONICAL_H

#include "billing/catalog/model/catalog.h"

/* Canonical bytes: sorted keys, no spaces, decimals and times in canonical form. Caller frees. */
char *cm_catalog_text(const json_t *canonical);
/*
 * Builds the struct, without a second copy of the text in memory. Content that was checked cannot fail; a damaged text
 * is FATAL (CATALOG_DAMAGED). The id is the first 16 bytes of the text's SHA-256, as `sha256sum` prints them.
 */
CM_NODISCARD cm_catalog *cm_catalog_parse(const char *canonical_text, cm_error *err);

#endif
