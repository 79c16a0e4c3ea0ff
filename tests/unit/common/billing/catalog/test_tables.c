/* Classes, currencies, plans: the tables that are compiled in. */
#include "support.h"

#include "billing/catalog/model/currency.h"
#include "billing/catalog/model/plans.h"

#include <criterion/criterion.h>

static cm_instant at(int year, int month, int day)
{
    return cm_day_from_civil(year, month, day) * CM_DAY;
}

static void decimal_is(cm_decimal value, const char *expected)
{
    char text[CM_DECIMAL_TEXT];
    cm_decimal_print(value, text);
    cr_assert_str_eq(text, expected);
}

/* rating.md section 2: every type of formats.md section 1. */
Test(tables, class_of_every_builtin_type)
{
    static const struct {
        const char *type, *class;
    } rows[] = {
        {"Usage", "usage"},
        {"DiscountedUsage", "covered_usage"},
        {"RIFee", "commitment_fee"},
        {"Fee", "fee"},
        {"SavingsPlanCoveredUsage", "covered_usage"},
        {"SavingsPlanNegation", "commitment_offset"},
        {"SavingsPlanRecurringFee", "commitment_fee"},
        {"SavingsPlanUpfrontFee", "commitment_fee"},
        {"Tax", "tax"},
        {"Credit", "credit"},
        {"Refund", "refund"},
        {"BundledDiscount", "bundled_discount"},
        {"Discount", "provider_discount"},
        {"EdpDiscount", "provider_discount"},
        {"PrivateRateDiscount", "provider_discount"},
        {"RiVolumeDiscount", "provider_discount"},
        {"SppDiscount", "provider_discount"},
        {"DistributorDiscount", "provider_discount"},
        {"FlatRateSubscription", "fee"},
    };
    enum cm_class class;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cr_assert(cm_class_of_builtin_type(cm_slice_of(rows[i].type), &class), "%s", rows[i].type);
        cr_assert_str_eq(cm_class_name(class), rows[i].class, "%s", rows[i].type);
    }
    cr_assert_not(cm_class_of_builtin_type(cm_slice_of("usage"), &class));
    cr_assert_not(cm_class_of_builtin_type(cm_slice_of(""), &class));
}

Test(tables, class_names)
{
    enum cm_class class;
    for (int i = 0; i < CM_CLASS_COUNT; i++) {
        cr_assert(cm_class_parse(cm_slice_of(cm_class_name((enum cm_class)i)), &class));
        cr_assert_eq(class, (enum cm_class)i);
    }
    cr_assert_str_eq(cm_class_name(CM_CLASS_SUSPENDED), "suspended");
    cr_assert_not(cm_class_parse(cm_slice_of("suspended"), &class));
}

Test(tables, currencies)
{
    cr_assert_eq(cm_currency_minor_digits("USD"), 2);
    cr_assert_eq(cm_currency_minor_digits("EUR"), 2);
    cr_assert_eq(cm_currency_minor_digits("CNY"), 2);
    cr_assert_eq(cm_currency_minor_digits("JPY"), 0);
    cr_assert_eq(cm_currency_minor_digits("KRW"), 0);
    cr_assert_eq(cm_currency_minor_digits("KWD"), 3);
    cr_assert_eq(cm_currency_minor_digits("TND"), 3);
    static const char *const none[] = {"usd", "US", "USDX", "", "XXX", "SD ", "D A", "ED "};
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
        cr_assert_eq(cm_currency_minor_digits(none[i]), -1, "%s", none[i]);
    cr_assert_eq(cm_currency_minor_digits(NULL), -1);
}

/* N19: the two types of TD SYNNEX; N20: what an account can have; the public ones beside them. */
Test(tables, N19_N20_plan_types)
{
    static const char *const names[] = {"business",      "passthrough", "developer", "business_public",
                                        "business_plus", "enterprise",  "basic"};
    enum cm_plan_type type;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        cr_assert(cm_plan_type_parse(cm_slice_of(names[i]), &type));
        cr_assert_str_eq(cm_plan_type_name(type), names[i]);
        cr_assert_eq(cm_plan_type_is_public(type), i >= 2 && i <= 5);
    }
    cr_assert_not(cm_plan_type_parse(cm_slice_of("unified"), &type));
}

/* N02: 10 % when the group does not say; N03: no minimum. */
Test(tables, N02_N03_N19_groups_of_each_type)
{
    cm_catalog *catalog = catalog_of_text(
        "{kind: SupportPlanGroup, id: a, type: business}\n---\n{kind: SupportPlanGroup, id: b, type: "
        "passthrough}\n---\n"
        "{kind: SupportPlanGroup, id: c, type: enterprise, minimum: 12000, base: {layer: list, classes: usage}}\n---\n"
        "{kind: SupportPlanGroup, id: d, type: basic}\n");
    const cm_support_group *groups = catalog->groups;
    cr_assert(groups[0].type == CM_PLAN_BUSINESS && groups[0].terms->has_percent && !groups[0].terms->has_minimum);
    decimal_is(groups[0].terms->percent, "10");
    cr_assert(groups[1].type == CM_PLAN_PASSTHROUGH && !groups[1].terms->has_percent);
    cr_assert(groups[2].type == CM_PLAN_ENTERPRISE && !groups[2].terms->has_percent && groups[2].terms->has_minimum);
    cr_assert_eq(groups[2].terms->base_layer, CM_LAYER_LIST);
    for (int i = 0; i < CM_CLASS_COUNT; i++)
        cr_assert_eq(groups[2].terms->base_class[i], i == CM_CLASS_USAGE);
    cr_assert_eq(groups[3].type, CM_PLAN_BASIC);
    cm_catalog_free(catalog);
}

/* The legacy plans end 2027-01-01; Business Support+ begins 2026-01-01 (S11). */
Test(plans, dates)
{
    static const char *const legacies[] = {"business_public", "developer", "enterprise_on_ramp"};
    cm_catalog *catalog = catalog_of_text("# base\n");
    for (size_t i = 0; i < sizeof legacies / sizeof *legacies; i++) {
        const char *legacy = legacies[i];
        cr_assert_not_null(cm_catalog_plan(catalog, legacy, at(2020, 1, 1)));
        cr_assert_not_null(cm_catalog_plan(catalog, legacy, at(2027, 1, 1) - 1));
        cr_assert_null(cm_catalog_plan(catalog, legacy, at(2027, 1, 1)));
    }
    cr_assert_null(cm_catalog_plan(catalog, "business_plus", at(2026, 1, 1) - 1));
    cr_assert_not_null(cm_catalog_plan(catalog, "business_plus", at(2026, 1, 1)));
    cr_assert_not_null(cm_catalog_plan(catalog, "business_plus", at(2040, 1, 1)));
    cr_assert_not_null(cm_catalog_plan(catalog, "enterprise", at(2040, 1, 1)));
    cr_assert_null(cm_catalog_plan(catalog, "business", at(2025, 1, 1)));
    cr_assert_null(cm_catalog_plan(catalog, "passthrough", at(2025, 1, 1)));
    cm_catalog_free(catalog);
}

static void plan_is(const cm_catalog *catalog, const char *name, const char *minimum, const char *const *bands)
{
    const cm_support_plan *plan = cm_catalog_plan(catalog, name, at(2026, 6, 1));
    cr_assert_not_null(plan);
    cr_assert_str_eq(plan->currency, "USD");
    decimal_is(plan->minimum, minimum);
    for (size_t i = 0; i < plan->count; i++) {
        cr_assert_eq(plan->bands[i].unbounded, i + 1 == plan->count);
        if (!plan->bands[i].unbounded)
            decimal_is(plan->bands[i].up_to, bands[2 * i]);
        decimal_is(plan->bands[i].percent, bands[2 * i + 1]);
    }
    cr_assert_null(bands[2 * plan->count]);
}

/* rating.md section 6 */
Test(plans, published_figures)
{
    cm_catalog *catalog = catalog_of_text("# base\n");
    plan_is(catalog, "developer", "29", (const char *[]){"-", "3", NULL});
    plan_is(catalog, "business_public", "100",
            (const char *[]){"10000", "10", "80000", "7", "250000", "5", "-", "3", NULL});
    plan_is(catalog, "business_plus", "29",
            (const char *[]){"10000", "9", "80000", "7", "250000", "5", "-", "3", NULL});
    plan_is(catalog, "enterprise_on_ramp", "5500", (const char *[]){"-", "10", NULL});
    static const char *const wide[] = {"150000", "10", "500000", "7", "1000000", "5", "-", "3", NULL};
    plan_is(catalog, "enterprise_2026", "5000", wide);
    plan_is(catalog, "partner_led", "7500", wide);
    cr_assert_null(cm_catalog_plan(catalog, "unified_operations", at(2026, 6, 1))); /* its bands are not known */
    plan_is(catalog, "enterprise", "15000",
            (const char *[]){"150000", "10", "500000", "7", "1000000", "5", "-", "3", NULL});
    cr_assert(strlen(cm_support_plans_version()) > 0);
    cm_catalog_free(catalog);
}

/* A catalog's own data replaces the published for its time only. */
Test(plans, own_data_overrides_the_published)
{
    cm_catalog *catalog =
        catalog_of_text("kind: SupportPlan\nid: p\ntype: developer\ncurrency: EUR\nfrom: 2026-03-01\nto: "
                        "2026-04-01\nminimum: 25.5\nbands: [{up_to: 100, percent: 4}, {percent: 2}]\n---\n"
                        "kind: SupportPlan\nid: q\ntype: developer\nfrom: 2027-02-01\nbands: [{percent: 1}]\n");
    const cm_support_plan *own = cm_catalog_plan(catalog, "developer", at(2026, 3, 15));
    cr_assert_str_eq(own->currency, "EUR");
    decimal_is(own->minimum, "25.5");
    cr_assert_eq(own->count, 2);
    decimal_is(own->bands[0].up_to, "100");
    decimal_is(cm_catalog_plan(catalog, "developer", at(2026, 3, 1) - 1)->minimum, "29");
    decimal_is(cm_catalog_plan(catalog, "developer", at(2026, 4, 1))->minimum, "29");
    cr_assert_null(cm_catalog_plan(catalog, "developer", at(2027, 1, 15)));
    decimal_is(cm_catalog_plan(catalog, "developer", at(2027, 2, 1))->minimum, "0");
    cr_assert_not_null(cm_catalog_plan(catalog, "enterprise", at(2026, 3, 15)));
    for (size_t i = 1; i < catalog->plan_count; i++)
        cr_assert(strcmp(catalog->plans[i - 1].name, catalog->plans[i].name) < 0 ||
                  catalog->plans[i - 1].to <= catalog->plans[i].from);
    cm_catalog_free(catalog);
}
