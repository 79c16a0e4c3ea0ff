/* Charge classes: every row of the table of rating.md section 2, in its order (S1). */
#include "support.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#define MARKET "AWS Marketplace"

static const struct {
    const char *type, *product, *entity;
    bool reservation;
    const char *class; /* NULL: no row fits */
} cells[] = {
    {"Tax", "AmazonEC2", "AWS", false, "tax"},
    {"EdpDiscount", "AmazonEC2", "AWS", false, "provider_discount"},
    {"PrivateRateDiscount", "AmazonEC2", "AWS", false, "provider_discount"},
    {"RiVolumeDiscount", "AmazonEC2", "AWS", false, "provider_discount"},
    {"SppDiscount", "AmazonEC2", "AWS", false, "provider_discount"},
    {"DistributorDiscount", "AmazonEC2", "AWS", false, "provider_discount"},
    {"Discount", "AmazonEC2", "AWS", false, "provider_discount"},
    {"BundledDiscount", "AmazonEC2", "AWS", false, "bundled_discount"},
    {"Credit", "AmazonEC2", "AWS", false, "credit"},
    {"Refund", "AmazonEC2", "AWS", false, "refund"},
    /* support looks at the product code alone, without case, at its beginning */
    {"Usage", "AWSSupportBusiness", "AWS", false, "support"},
    {"Fee", "awssupportenterprise", "AWS", false, "support"},
    {"Usage", "AWSSUPPORT", "AWS", false, "support"},
    {"Usage", "AWSDeveloperSupport", "AWS", false, "support"},
    {"Fee", "awsdevelopersupport", "AWS", true, "support"},
    {"Fee", "OCBPremiumSupport", "AWS", false, "support"},
    {"RIFee", "ocbpremiumsupportX", "AWS", false, "support"},
    {"NewType", "AWSSupportBusiness", "AWS", false, "support"},
    {"Usage", "AWSSuppor", "AWS", false, "usage"},
    {"Usage", "MyAWSSupport", "AWS", false, "usage"},
    /* rows before it win */
    {"Tax", "AWSSupportBusiness", MARKET, false, "tax"},
    {"SppDiscount", "AWSSupportBusiness", "AWS", false, "provider_discount"},
    {"BundledDiscount", "AWSSupportBusiness", "AWS", false, "bundled_discount"},
    {"Credit", "AWSSupportBusiness", "AWS", false, "credit"},
    {"Refund", "AWSSupportBusiness", "AWS", false, "refund"},
    /* marketplace: exactly this billing entity */
    {"Usage", "AmazonEC2", MARKET, false, "marketplace"},
    {"Fee", "AmazonEC2", MARKET, true, "marketplace"},
    {"DiscountedUsage", "AmazonEC2", MARKET, false, "marketplace"},
    {"NewType", "AmazonEC2", MARKET, false, "marketplace"},
    {"Usage", "AWSSupportBusiness", MARKET, false, "support"},
    {"Credit", "AmazonEC2", MARKET, false, "credit"},
    {"Usage", "AmazonEC2", "aws marketplace", false, "usage"},
    {"DiscountedUsage", "AmazonEC2", "AWS", true, "covered_usage"},
    {"SavingsPlanCoveredUsage", "AmazonEC2", "AWS", false, "covered_usage"},
    {"SavingsPlanNegation", "AmazonEC2", "AWS", false, "commitment_offset"},
    {"RIFee", "AmazonEC2", "AWS", true, "commitment_fee"},
    {"SavingsPlanRecurringFee", "ComputeSavingsPlans", "AWS", false, "commitment_fee"},
    {"SavingsPlanUpfrontFee", "ComputeSavingsPlans", "AWS", false, "commitment_fee"},
    {"Fee", "AmazonEC2", "AWS", true, "commitment_fee"},
    {"Usage", "AmazonEC2", "AWS", false, "usage"},
    {"Usage", "AmazonEC2", "AWS", true, "usage"},
    {"Fee", "AmazonRegistrar", "AWS", false, "fee"},
    {"FlatRateSubscription", "AmazonCloudFront", "AWS", false, "fee"},
    {"FlatRateSubscription", "AmazonCloudFront", "AWS", true, "fee"},
    /* no row fits */
    {"NewType", "AmazonEC2", "AWS", false, NULL},
    {"usage", "AmazonEC2", "AWS", false, NULL},
    {"Usage ", "AmazonEC2", "AWS", false, NULL},
    {"", "AmazonEC2", "AWS", false, NULL},
    {"", "", "", true, NULL},
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
                                    .flags = cells[i].reservation ? CM_KIND_RESERVATION : 0},
                        cells[i].class);
    cm_catalog_free(catalog);
    free(text);
}

/* A type defined in the catalog takes its class's place in the table; conditions of rows before it still win. */
Test(class, types_taught_by_the_catalog)
{
    static const char *const classes[] = {
        "tax",         "provider_discount", "bundled_discount",  "credit",         "refund", "support",
        "marketplace", "covered_usage",     "commitment_offset", "commitment_fee", "usage",  "fee"};
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
        /* "Fee with reservation" means the type Fee, not all of its class */
        check_class(catalog, TDS, (test_line){.type = name, .flags = CM_KIND_RESERVATION}, classes[i]);
        check_class(catalog, TDS, (test_line){.type = name, .product = "AWSSupportX"},
                    i < CM_CLASS_SUPPORT ? classes[i] : "support");
        check_class(catalog, TDS, (test_line){.type = name, .entity = MARKET},
                    i < CM_CLASS_MARKETPLACE ? classes[i] : "marketplace");
    }
    check_class(catalog, TDS, (test_line){.type = "New-Usage"}, NULL);
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
