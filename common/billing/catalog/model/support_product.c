/* AWS's own support lines, by their product code (rating.md section 2). */
#include "billing/catalog/model/plans.h"

#include <strings.h>

static const char *const support_products[] = {"AWSSupport", "AWSDeveloperSupport", "OCBPremiumSupport"};

bool cm_is_support_product(cm_slice product)
{
    for (size_t i = 0; i < sizeof support_products / sizeof support_products[0]; i++) {
        size_t length = strlen(support_products[i]);
        if (product.length >= length && strncasecmp(product.text, support_products[i], length) == 0)
            return true;
    }
    return false;
}

const char *cm_support_plan_observed(const char *product)
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
    return NULL;
}
