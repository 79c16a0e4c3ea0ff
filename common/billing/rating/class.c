/* Charge classes: the table of rating.md section 2, first row that fits (S1). To add a class: enum in catalog.h, a row
 * here. */
#include "billing/catalog/model/plans.h"
#include "billing/rating/internal.h"

/* The class of a line item type by its name: AWS's own, or defined in the catalog. */
static bool class_of_type(const cm_catalog *catalog, cm_slice type, enum cm_class *ret)
{
    if (cm_class_of_builtin_type(type, ret))
        return true;
    for (size_t i = 0; i < catalog->line_type_count; i++) {
        if (cm_slice_is(type, catalog->line_types[i].name)) {
            *ret = catalog->line_types[i].class;
            return true;
        }
    }
    return false;
}

/* Conditions of a row other than the line item type. */
static bool matches_condition(enum cm_class class, const cm_kind *kind)
{
    if (class == CM_CLASS_SUPPORT)
        return cm_is_support_product(kind->product_code);
    if (class == CM_CLASS_MARKETPLACE)
        return cm_slice_is(kind->billing_entity, "AWS Marketplace");
    return false;
}

bool cm_classify(const cm_rater *rater, const cm_kind *kind, enum cm_class *ret)
{
    enum cm_class by_type = CM_CLASS_SUSPENDED;
    bool known = class_of_type(rater->catalog, kind->line_item_type, &by_type);
    if (known && by_type == CM_CLASS_FEE && cm_slice_is(kind->line_item_type, "Fee") &&
        (kind->flags & CM_KIND_RESERVATION))
        by_type = CM_CLASS_COMMITMENT_FEE; /* the upfront fee of a reservation */

    for (int row = 0; row < CM_CLASS_COUNT; row++) {
        if ((known && by_type == (enum cm_class)row) || matches_condition((enum cm_class)row, kind)) {
            *ret = (enum cm_class)row;
            return true;
        }
    }
    return false;
}
