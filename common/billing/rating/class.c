/* Charge classes: the table of rating.md section 2, first row that fits (S1). To add a class: enum in catalog.h, a row
 * here. */
#include "billing/catalog/model/plans.h"
#include "billing/rating/internal.h"

/* The rows of the table, in its order. */
static const enum cm_class rows[CM_CLASS_COUNT] = {
    CM_CLASS_TAX,
    CM_CLASS_PROVIDER_DISCOUNT,
    CM_CLASS_BUNDLED_DISCOUNT,
    CM_CLASS_CREDIT,
    CM_CLASS_SUPPORT,
    CM_CLASS_COMMITMENT_FEE,
    CM_CLASS_REFUND,
    CM_CLASS_MARKETPLACE,
    CM_CLASS_COVERED_USAGE,
    CM_CLASS_COMMITMENT_OFFSET,
    CM_CLASS_USAGE,
    CM_CLASS_FEE,
};

/* The upfront fee of a commitment, and what is given back for one: it belongs to whoever paid for it. */
static bool is_commitment_fee(const cm_kind *kind)
{
    return (kind->flags & (CM_KIND_RESERVATION | CM_KIND_SAVINGS_PLAN)) &&
           (cm_slice_is(kind->line_item_type, "Fee") || cm_slice_is(kind->line_item_type, "Refund"));
}

/* Conditions of a row other than the class of the line item type. */
static bool matches_condition(const cm_catalog *catalog, enum cm_class class, const cm_kind *kind)
{
    switch (class) {
    case CM_CLASS_SUPPORT:
        return cm_is_support_product(catalog, kind->product_code);
    case CM_CLASS_COMMITMENT_FEE:
        return is_commitment_fee(kind);
    case CM_CLASS_MARKETPLACE:
        return cm_slice_is(kind->billing_entity, "AWS Marketplace");
    default:
        return false;
    }
}

bool cm_classify(const cm_rater *rater, const cm_kind *kind, enum cm_class *ret)
{
    enum cm_class by_type = CM_CLASS_SUSPENDED;
    bool known = cm_class_of_type(rater->catalog, kind->line_item_type, &by_type);
    for (int i = 0; i < CM_CLASS_COUNT; i++) {
        if ((known && by_type == rows[i]) || matches_condition(rater->catalog, rows[i], kind)) {
            *ret = rows[i];
            return true;
        }
    }
    return false;
}
