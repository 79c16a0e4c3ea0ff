/* What changed between two versions of a catalog, for people and for the audit trail. */
#ifndef CM_CATALOG_DIFF_H
#define CM_CATALOG_DIFF_H

#include "base/base/buffer.h"

#include <jansson.h>

/*
 * Differences by document: "added Customer acme", "removed ...", "changed PriceBook standard:
 * versions[1].rules[0].price.percent -5 -> -4", one a line; what was not there is "(none)". Rules, versions and
 * accounts are recognised when they move. NULL: an empty catalog.
 */
void cm_catalog_diff(const json_t *old_canonical, const json_t *new_canonical, cm_buffer *ret);

#endif
