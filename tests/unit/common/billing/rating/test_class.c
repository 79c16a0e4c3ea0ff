/* Charge classes: every row of the table of rating.md section 2, in its order (S1). */
#include "support.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#define MARKET "AWS Marketplace"

enum { RI = CM_KIND_RESERVATION, SP = CM_KIND_SAVINGS_PLAN };

static const struct {
    const char *type, *product, *entity;
    uint32_t flags;
    const char *class; /* NULL: no row fits */
} cells[] = {
    {"Tax", "AmazonEC2", "AWS", 0, "tax"},
    {"EdpDiscount", "AmazonEC2", "AWS", 0, "provider_discount"},
    {"PrivateRateDiscount", "AmazonEC2", "AWS", 0, "provider_discount"},
    {"RiVolumeDiscount", "AmazonEC2", "AWS", 0, "provider_discount"},
    {"SppDiscount", "AmazonEC2", "AWS", 0, "provider_discount"},
    {"DistributorDiscount", "AmazonEC2", "AWS", 0, "provider_discount"},
    {"Discount", "AmazonEC2", "AWS", 0, "provider_discount"},
    {"BundledDiscount", "AmazonEC2", "AWS", 0, "bundled_discount"},
    {"Credit", "AmazonEC2", "AWS", 0, "credit"},
    {"Refund", "AmazonEC2", "AWS", 0, "refund"},
    /* support looks at the product code alone, without case, at its beginning */
    {"Usage", "AWSSupportBusiness", "AWS", 0, "support"},
    {"Fee", "awssupportenterprise", "AWS", 0, "support"},
    {"Usage", "AWSSUPPORT", "AWS", 0, "support"},
    {"Usage", "AWSDeveloperSupport", "AWS", 0, "support"},
    {"Fee", "awsdevelopersupport", "AWS", RI, "support"},
    {"Fee", "OCBPremiumSupport", "AWS", 0, "support"},
    {"Fee", "AWSEnterpriseOnRamp", "AWS", 0, "support"},
    {"Usage", "awsenterpriseonrampX", "AWS", 0, "support"},
    {"Usage", "AWSEnterpriseOn", "AWS", 0, "usage"},
    {"RIFee", "ocbpremiumsupportX", "AWS", 0, "support"},
    {"NewType", "AWSSupportBusiness", "AWS", 0, "support"},
    {"Usage", "AWSSuppor", "AWS", 0, "usage"},
    {"Usage", "MyAWSSupport", "AWS", 0, "usage"},
    /* its refunds too, and fees or refunds that name a commitment */
    {"Refund", "AWSSupportBusiness", "AWS", 0, "support"},
    {"Refund", "OCBPremiumSupport", MARKET, RI | SP, "support"},
    {"Fee", "AWSEnterpriseOnRamp", "AWS", SP, "support"},
    /* rows before it win */
    {"Tax", "AWSSupportBusiness", MARKET, 0, "tax"},
    {"SppDiscount", "AWSSupportBusiness", "AWS", 0, "provider_discount"},
    {"BundledDiscount", "AWSSupportBusiness", "AWS", 0, "bundled_discount"},
    {"Credit", "AWSSupportBusiness", "AWS", 0, "credit"},
    /* marketplace: exactly this billing entity */
    {"Usage", "AmazonEC2", MARKET, 0, "marketplace"},
    {"Refund", "AmazonEC2", MARKET, 0, "refund"},
    {"DiscountedUsage", "AmazonEC2", MARKET, 0, "marketplace"},
    {"NewType", "AmazonEC2", MARKET, 0, "marketplace"},
    {"Usage", "AWSSupportBusiness", MARKET, 0, "support"},
    {"Credit", "AmazonEC2", MARKET, 0, "credit"},
    {"Usage", "AmazonEC2", "aws marketplace", 0, "usage"},
    {"DiscountedUsage", "AmazonEC2", "AWS", RI, "covered_usage"},
    {"SavingsPlanCoveredUsage", "AmazonEC2", "AWS", 0, "covered_usage"},
    {"SavingsPlanNegation", "AmazonEC2", "AWS", 0, "commitment_offset"},
    {"RIFee", "AmazonEC2", "AWS", RI, "commitment_fee"},
    {"SavingsPlanRecurringFee", "ComputeSavingsPlans", "AWS", 0, "commitment_fee"},
    {"SavingsPlanUpfrontFee", "ComputeSavingsPlans", "AWS", 0, "commitment_fee"},
    {"Fee", "AmazonEC2", "AWS", RI, "commitment_fee"},
    {"Fee", "ComputeSavingsPlans", "AWS", SP, "commitment_fee"},
    /* what is given back for a commitment belongs to whoever paid for it; before refund and marketplace */
    {"Refund", "AmazonEC2", "AWS", RI, "commitment_fee"},
    {"Refund", "ComputeSavingsPlans", "AWS", SP, "commitment_fee"},
    {"Fee", "AmazonEC2", MARKET, RI, "commitment_fee"},
    {"Refund", "AmazonEC2", MARKET, SP, "commitment_fee"},
    {"RIFee", "AmazonEC2", MARKET, 0, "commitment_fee"},
    {"Credit", "ComputeSavingsPlans", "AWS", SP, "credit"},
    {"SavingsPlanCoveredUsage", "AmazonEC2", "AWS", SP, "covered_usage"},
    {"SavingsPlanNegation", "AmazonEC2", "AWS", SP, "commitment_offset"},
    {"Usage", "AmazonEC2", "AWS", 0, "usage"},
    {"Usage", "AmazonEC2", "AWS", RI, "usage"},
    {"Fee", "AmazonRegistrar", "AWS", 0, "fee"},
    {"FlatRateSubscription", "AmazonCloudFront", "AWS", 0, "fee"},
    {"FlatRateSubscription", "AmazonCloudFront", "AWS", RI, "fee"},
    /* no row fits */
    {"NewType", "AmazonEC2", "AWS", 0, NULL},
    {"usage", "AmazonEC2", "AWS", 0, NULL},
    {"Usage ", "AmazonEC2", "AWS", 0, NULL},
    {"", "AmazonEC2", "AWS", 0, NULL},
    {"", "", "", RI, NULL},
};

static void check_class(const cm_catalog *catalog, const char *payer, test_line line, const char *class)
{
    test_result result = rate(catalog, payer, line);
    if (class) {
        cr_assert_str_eq(result.reason, "", "%s of %s (%s): %s", line.type, line.product, line.entity, result.reason);
        cr_assert_str_eq(result.class, class, "%s of %s (%s): %s, not %s", line.type, line.product, line.entity,
                         result.class, class);
        cr_assert_eq(result.decision.class_before, result.decision.class);
    } else {
        cr_assert_str_eq(result.reason, "UNKNOWN_LINE_TYPE");
        cr_assert_str_eq(result.class, "suspended");
        cr_assert_eq(result.decision.class_before, CM_CLASS_SUSPENDED);
    }
}

Test(class, first_row_that_fits_under_every_payer_model)
{
    char *text = customer_text("acme", "", ACCOUNT, TDS, ING, TDS_BUY, ING_BUY, NULL);
    cm_catalog *catalog = catalog_of(text);
    static const char *const payers[] = {TDS, TDS_BUY, ING, ING_BUY};
    for (int p = 0; p < 4; p++)
        for (size_t i = 0; i < sizeof cells / sizeof *cells; i++)
            check_class(catalog, payers[p],
                        (test_line){.type = cells[i].type,
                                    .product = cells[i].product,
                                    .entity = cells[i].entity,
                                    .flags = cells[i].flags},
                        cells[i].class);
    cm_catalog_free(catalog);
    free(text);
}

/* A type defined in the catalog takes its class's place in the table; conditions of rows before it still win. */
Test(class, types_taught_by_the_catalog)
{
    /* in the order of the table */
    static const char *const classes[] = {
        "tax",         "provider_discount", "bundled_discount",  "credit", "support", "commitment_fee", "refund",
        "marketplace", "covered_usage",     "commitment_offset", "usage",  "fee"};
    enum { SUPPORT_ROW = 4, MARKETPLACE_ROW = 7 };
    cm_buffer text = {0};
    for (int i = 0; i < CM_CLASS_COUNT; i++)
        cm_buffer_printf(&text, "{kind: LineItemType, id: t%d, name: New-%s, class: %s}\n---\n", i, classes[i],
                         classes[i]);
    char *customer = customer_text("acme", "", ACCOUNT, TDS, NULL);
    cm_buffer_text(&text, customer);
    cm_catalog *catalog = catalog_of(text.data);
    for (int i = 0; i < CM_CLASS_COUNT; i++) {
        char name[64];
        snprintf(name, sizeof name, "New-%s", classes[i]);
        check_class(catalog, TDS, (test_line){.type = name}, classes[i]);
        /* "Fee or Refund with an ARN" means the types Fee and Refund, not all of their classes */
        check_class(catalog, TDS, (test_line){.type = name, .flags = RI | SP}, classes[i]);
        check_class(catalog, TDS, (test_line){.type = name, .product = "AWSSupportX"},
                    i < SUPPORT_ROW ? classes[i] : "support");
        check_class(catalog, TDS, (test_line){.type = name, .entity = MARKET},
                    i < MARKETPLACE_ROW ? classes[i] : "marketplace");
    }
    check_class(catalog, TDS, (test_line){.type = "New-Usage"}, NULL);
    cm_catalog_free(catalog);
    cm_buffer_free(&text);
    free(customer);
}

/* A SupportProduct names a whole product code, without case. */
Test(class, support_products_of_the_catalog)
{
    cm_buffer text = {0};
    char *customer = customer_text("acme", "", ACCOUNT, TDS, NULL);
    cm_buffer_printf(&text, "{kind: SupportProduct, id: AWSPremiumCare}\n---\n%s", customer);
    cm_catalog *catalog = catalog_of(text.data);
    check_class(catalog, TDS, (test_line){.product = "AWSPremiumCare"}, "support");
    check_class(catalog, TDS, (test_line){.type = "Refund", .product = "awspremiumcare"}, "support");
    check_class(catalog, TDS, (test_line){.type = "Tax", .product = "AWSPremiumCare"}, "tax");
    check_class(catalog, TDS, (test_line){.product = "AWSPremiumCar"}, "usage");
    check_class(catalog, TDS, (test_line){.product = "AWSPremiumCare2"}, "usage");
    cm_catalog_free(catalog);
    cm_buffer_free(&text);
    free(customer);
}

Test(class, built_in_types_cannot_be_taught_otherwise)
{
    char *problems = problems_of("{kind: LineItemType, id: t, name: Usage, class: fee}");
    cr_assert(strstr(problems, "test.yaml:1:") && strstr(problems, "error"), "%s", problems);
    free(problems);
}
