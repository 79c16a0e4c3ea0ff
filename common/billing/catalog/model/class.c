#include "billing/catalog/model/catalog.h"

static const char *const names[CM_CLASS_COUNT + 1] = {
    [CM_CLASS_TAX] = "tax",
    [CM_CLASS_PROVIDER_DISCOUNT] = "provider_discount",
    [CM_CLASS_BUNDLED_DISCOUNT] = "bundled_discount",
    [CM_CLASS_CREDIT] = "credit",
    [CM_CLASS_REFUND] = "refund",
    [CM_CLASS_SUPPORT] = "support",
    [CM_CLASS_MARKETPLACE] = "marketplace",
    [CM_CLASS_COVERED_USAGE] = "covered_usage",
    [CM_CLASS_COMMITMENT_OFFSET] = "commitment_offset",
    [CM_CLASS_COMMITMENT_FEE] = "commitment_fee",
    [CM_CLASS_USAGE] = "usage",
    [CM_CLASS_FEE] = "fee",
    [CM_CLASS_SUSPENDED] = "suspended",
};

const char *cm_class_name(enum cm_class class)
{
    cm_assert((int)class >= 0 && class <= CM_CLASS_SUSPENDED);
    return names[class];
}

bool cm_class_parse(cm_slice name, enum cm_class *ret)
{
    for (int i = 0; i < CM_CLASS_COUNT; i++)
        if (cm_slice_is(name, names[i])) {
            *ret = (enum cm_class)i;
            return true;
        }
    return false;
}

/* rating.md section 2; the types are those of formats.md section 1. */
static const struct {
    const char *type;
    enum cm_class class;
} builtin[] = {
    {"Usage", CM_CLASS_USAGE},
    {"Tax", CM_CLASS_TAX},
    {"DiscountedUsage", CM_CLASS_COVERED_USAGE},
    {"SavingsPlanCoveredUsage", CM_CLASS_COVERED_USAGE},
    {"SavingsPlanNegation", CM_CLASS_COMMITMENT_OFFSET},
    {"SavingsPlanRecurringFee", CM_CLASS_COMMITMENT_FEE},
    {"SavingsPlanUpfrontFee", CM_CLASS_COMMITMENT_FEE},
    {"RIFee", CM_CLASS_COMMITMENT_FEE},
    {"Fee", CM_CLASS_FEE},
    {"FlatRateSubscription", CM_CLASS_FEE},
    {"Credit", CM_CLASS_CREDIT},
    {"Refund", CM_CLASS_REFUND},
    {"BundledDiscount", CM_CLASS_BUNDLED_DISCOUNT},
    {"EdpDiscount", CM_CLASS_PROVIDER_DISCOUNT},
    {"PrivateRateDiscount", CM_CLASS_PROVIDER_DISCOUNT},
    {"RiVolumeDiscount", CM_CLASS_PROVIDER_DISCOUNT},
    {"SppDiscount", CM_CLASS_PROVIDER_DISCOUNT},
    {"DistributorDiscount", CM_CLASS_PROVIDER_DISCOUNT},
    {"Discount", CM_CLASS_PROVIDER_DISCOUNT},
};

bool cm_class_of_builtin_type(cm_slice line_item_type, enum cm_class *ret)
{
    for (size_t i = 0; i < sizeof builtin / sizeof builtin[0]; i++)
        if (cm_slice_is(line_item_type, builtin[i].type)) {
            *ret = builtin[i].class;
            return true;
        }
    return false;
}

bool cm_class_of_type(const cm_catalog *catalog, cm_slice line_item_type, enum cm_class *ret)
{
    if (cm_class_of_builtin_type(line_item_type, ret))
        return true;
    for (size_t i = 0; i < catalog->line_type_count; i++)
        if (cm_slice_is(line_item_type, catalog->line_types[i].name)) {
            *ret = catalog->line_types[i].class;
            return true;
        }
    return false;
}
