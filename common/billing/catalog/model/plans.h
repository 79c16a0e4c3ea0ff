/*
 * AWS's published support plans as dated data (rating.md section 6, S11): what holds is a question of time, not of
 * code. A catalog's SupportPlan replaces what is published under its name for its own months. A plan whose bands AWS
 * has not told (Unified Operations) is not here: the catalog must give them. May use: catalog.h, base/arena.h.
 */
#ifndef CM_CATALOG_PLANS_H
#define CM_CATALOG_PLANS_H

#include "base/base/arena.h"
#include "billing/catalog/model/catalog.h"

/* Changes with the compiled-in data; part of the engine version. Static. */
const char *cm_support_plans_version(void);

/* The plan types that have bands and a minimum; each is also the name of a plan. */
bool cm_plan_type_is_public(enum cm_plan_type type);
/* Is a plan of that name compiled in? */
bool cm_support_plan_is_published(const char *name);
CM_NODISCARD bool cm_plan_type_parse(cm_slice name, enum cm_plan_type *ret);

/*
 * Compiled-in data with `own` (any order, no overlaps within a name) laid over it: sorted by name and from, intervals
 * of a name never overlap. The list is in `arena`; bands are borrowed from `own` or static.
 */
const cm_support_plan *cm_support_plans_merge(cm_arena *arena, const cm_support_plan *own, size_t count,
                                              size_t *ret_count);

/* AWS's own support lines, by product code, compared without case (rating.md section 2): those that curmill knows, and
 * also those that the catalog names (SupportProduct). */
bool cm_is_known_support_product(cm_slice product);
bool cm_is_support_product(const cm_catalog *catalog, cm_slice product);
/* The plan that AWS charges for with such lines (O16): "business", "business_plus", "developer", "enterprise", or
 * CM_PLAN_PAID where the product only says that there is one: an out-of-cycle bill, a SupportProduct of the catalog
 * (which may be NULL); NULL: not one that tells. */
const char *cm_support_plan_observed(const cm_catalog *catalog, const char *product);
/* The plan that AWS itself names for an account (Billing API): the same words and "basic" for AWSSupportEssential;
 * NULL: a name that curmill does not know. */
const char *cm_support_plan_told(const char *name);
#define CM_PLAN_PAID "paid"

#endif
