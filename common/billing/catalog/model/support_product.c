/* AWS's own support lines, by their product code (rating.md section 2). */
#include "billing/catalog/model/plans.h"

#include <strings.h>

static const char *const beginnings[] = {"AWSSupport", "AWSDeveloperSupport", "AWSEnterpriseOnRamp",
                                         "OCBPremiumSupport"};

bool cm_is_known_support_product(cm_slice product)
{
    for (size_t i = 0; i < sizeof beginnings / sizeof beginnings[0]; i++) {
        size_t length = strlen(beginnings[i]);
        if (product.length >= length && strncasecmp(product.text, beginnings[i], length) == 0)
            return true;
    }
    return false;
}

static bool is_named(const cm_catalog *catalog, cm_slice product)
{
    for (size_t i = 0; i < catalog->support_product_count; i++) {
        const char *name = catalog->support_products[i];
        if (product.length == strlen(name) && strncasecmp(product.text, name, product.length) == 0)
            return true;
    }
    return false;
}

bool cm_is_support_product(const cm_catalog *catalog, cm_slice product)
{
    return cm_is_known_support_product(product) || is_named(catalog, product);
}

const char *cm_support_plan_told(const char *name)
{
    return strcasestr(name, "Essential") ? "basic" : cm_support_plan_observed(NULL, name);
}

const char *cm_support_plan_observed(const cm_catalog *catalog, const char *product)
{
    static const struct {
        const char *part, *plan;
    } parts[] = {{"BusinessPlus", "business_plus"},
                 {"Business", "business"},
                 {"Developer", "developer"},
                 {"Enterprise", "enterprise"},
                 {"OCBPremiumSupport", CM_PLAN_PAID}};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (strcasestr(product, parts[i].part))
            return parts[i].plan;
    }
    return catalog && is_named(catalog, cm_slice_of(product)) ? CM_PLAN_PAID : NULL;
}
