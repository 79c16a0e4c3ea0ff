/* Why a row of a document has its amount. Figures by hand, in the comments. */
#include "billing/explain/explain.h"
#include "catalog_fixture.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static const char yaml[] =
    "{kind: Customer, id: acme, name: Acme, reseller: northwind, price_book: tiered, invoice_currency: EUR, accounts: ["
    "{id: '" ACCOUNT "', payer: '" ING "', from: 2025-01-01, support_plan_group: plus}, "
    "{id: '" OTHER "', payer: '" ING "', from: 2025-01-01}]}\n---\n"
    "{kind: PriceBook, id: tiered, currency: USD, versions: [{effective_from: 2025-01-01, rules: [\n"
    "  {id: transfer, priority: 1, match: {service: AmazonS3}, price: {mode: graduated, over: customer, tiers: "
    "[{up_to: 100, rate: 0.5}, {rate: 0.25}]}},\n"
    "  {id: hours, priority: 2, match: {service: AmazonRDS}, price: {mode: volume, over: account, tiers: "
    "[{up_to: 10, rate: 2}, {rate: 1.5}]}},\n"
    "  {id: rest, priority: 9, price: {pass: payer}}]}]}\n---\n"
    "{kind: SupportPlanGroup, id: plus, type: business_public, minimum: 150}\n---\n"
    "{kind: SupportPlanGroup, id: flat, type: business, percent: 7}\n---\n"
    "{kind: CustomCharge, id: desk, customer: acme, lane: ingram, name: Service desk, amount: 50, currency: USD, period: "
    "2025-06}\n";

#define LINE(account, product, type, class, quantity, exact, amount)                                                   \
    "{\"customer\": \"acme\", \"account\": \"" account "\", \"product\": \"" product "\", \"usage_type\": \"" type     \
    "\", \"unit\": \"\", \"class\": \"" class "\", \"quantity\": \"" quantity "\", \"amount_exact\": \"" exact         \
                                              "\", \"amount\": \"" amount "\"}"
#define FX                                                                                                             \
    "{\"id\": \"june\", \"from\": \"USD\", \"to\": \"EUR\", \"rate\": \"0.9\", \"period\": \"2025-06\", \"set_by\": "  \
    "\"maria\", \"set_at\": \"2025-07-01T08:00:00Z\"}"
#define DOCUMENT(fx, corrects, rate)                                                                                                   \
    "{\"document\": {\"id\": \"d\", \"period\": \"2025-06\", \"currency\": \"EUR\", \"rate\": " rate                                   \
    ", \"lines\": [" LINE(ACCOUNT, "AmazonS3", "transfer", "usage", "120", "40.5", "40.5") ", " LINE(                                  \
        OTHER, "AmazonS3", "transfer", "usage", "80", "26.4",                                                                          \
        "26.4") ", " LINE(ACCOUNT, "AmazonRDS", "hours", "usage", "12", "16.2",                                                        \
                          "16.2") ", " LINE(ACCOUNT, "AWSSupport", "plus", "support", "1", "135",                                      \
                                            "135") ", " LINE("", "Service desk", "desk", "custom_charge", "1", "45",                   \
                                                             "45") ", " LINE(ACCOUNT, "AmazonEC2", "BoxUsage",                         \
                                                                             "usage", "3", "1.2345",                                   \
                                                                             "1.23") ", " LINE(OTHER, "AmazonEC2",                     \
                                                                                               "BoxUsage", "usage",                    \
                                                                                               "3", "1.2345",                          \
                                                                                               "1.24") "]" corrects                    \
                                                                                                       "}, \"settings\": {\"fx\": " fx \
                                                                                                       "}}"

/* All steps, "step: detail" a line. */
static char *steps_of(const char *record_text, size_t row)
{
    cm_error err = {0};
    json_error_t wrong;
    json_t *record = json_loads(record_text, 0, &wrong);
    cr_assert(record, "%s", wrong.text);
    cm_catalog *catalog = test_catalog(yaml);
    json_t *explained = cm_explain_row(record, catalog, row, &err);
    cr_assert(explained, "%s", err.text);
    cm_buffer all = {0};
    size_t i;
    const json_t *step;
    json_array_foreach (json_object_get(explained, "steps"), i, step)
        cm_buffer_printf(&all, "%s: %s\n", json_string_value(json_object_get(step, "step")),
                         json_string_value(json_object_get(step, "detail")));
    json_decref(explained);
    json_decref(record);
    cm_catalog_free(catalog);
    return cm_buffer_take(&all);
}

static void expect(const char *record, size_t row, const char *wanted)
{
    char *said = steps_of(record, row);
    cr_assert_str_eq(said, wanted, "row %zu:\n%s\n  is not\n%s", row, said, wanted);
    free(said);
}

static const char record[] = DOCUMENT(FX, "", "\"0.9\"");

#define TERMS    "terms: terms of customer acme from the beginning on: price book tiered, invoiced in EUR\n"
#define EXCHANGE "exchange: from USD to EUR at 0.9, FxRate june, set by maria at 2025-07-01T08:00:00Z\n"

/* 200 in all: 100 x 0.5 + 100 x 0.25 = 75; 120 of 200 of it is 45, x 0.9 = 40.5 ... the row's own figures are stored.
 */
Test(explain, graduated_tiers_over_the_customer)
{
    expect(record, 1,
           TERMS "tiers: rule transfer of price book tiered, graduated (each part at its own rate), over the month's "
                 "quantity of the customer: 200\n"
                 "tiers: above 0 up to 100: 100 x 0.5 = 50 USD\n"
                 "tiers: above 100: 100 x 0.25 = 25 USD\n"
                 "tiers: of that, this row has its share by quantity: 120 of 200\n" EXCHANGE
                 "rounding: 40.5 to 40.5 EUR (2 decimals): nothing to round\n");
}

/* 12 reaches the second tier: all of it at 1.5 = 18, x 0.9 = 16.2 */
Test(explain, volume_tiers_over_the_account)
{
    expect(record, 3,
           TERMS "tiers: rule hours of price book tiered, volume (all of it at the rate of the tier that it reaches), "
                 "over the month's quantity of the account: 12\n"
                 "tiers: above 10: 12 x 1.5 = 18 USD\n" EXCHANGE
                 "rounding: 16.2 to 16.2 EUR (2 decimals): nothing to round\n");
}

/* The group's minimum of 150 x 0.9 = 135 */
Test(explain, bands_and_minimum_of_support)
{
    char *said = steps_of(record, 4);
    static const char *const wanted[] = {
        "support: support plan group plus of the account, plan business_public; it replaces AWS's own support lines",
        "support: base: sell of the account's bundled_discount, covered_usage, usage, while the group held",
        "support: of the base above 0 up to 10000: 10 percent",
        "support: at least 150 USD (the minimum of the group, for the days held)", "exchange: from USD to EUR at 0.9"};
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        cr_assert(strstr(said, wanted[i]), "%s\n  is missing in\n%s", wanted[i], said);
    free(said);
}

Test(explain, custom_charges_and_plain_rows)
{
    expect(record, 5,
           TERMS "custom_charge: CustomCharge desk: 50 USD in this month\n" EXCHANGE
                 "rounding: 45 to 45 EUR (2 decimals): nothing to round\n");
    char *plain = steps_of(record, 6), *beside = steps_of(record, 7);
    cr_assert(strstr(plain, "`curmill export lines --customer acme --period 2025-06` prints them"), "%s", plain);
    cr_assert(strstr(plain, "rounding: 1.2345 to 1.23 EUR (2 decimals): rounded to the nearest\n"), "%s", plain);
    cr_assert(strstr(beside, "one unit beside the nearest, so that the rows add up to the subtotal"), "%s", beside);
    free(plain);
    free(beside);
}

Test(explain, without_a_rate_and_corrections)
{
    char *same = steps_of(DOCUMENT("null", "", "\"1\""), 6), *none = steps_of(DOCUMENT("null", "", "null"), 6);
    cr_assert(strstr(same, "exchange: none: the charges are in EUR as well"), "%s", same);
    cr_assert(strstr(none, "exchange: there is no rate yet: amounts are still in EUR"), "%s", none);
    free(same);
    free(none);
    expect(
        DOCUMENT(FX, ", \"corrects\": {\"number\": \"northwind/A/2025/000001\", \"id\": \"x\"}", "\"0.9\""), 1,
        "what: a difference: what the month costs now, minus what document northwind/A/2025/000001 said about it\n" EXCHANGE
        "rounding: 40.5 to 40.5 EUR (2 decimals): nothing to round\n");
}

Test(explain, a_row_that_is_not_there)
{
    cm_error err = {0};
    json_t *loaded = json_loads(record, 0, NULL);
    cm_catalog *catalog = test_catalog(yaml);
    cr_assert_null(cm_explain_row(loaded, catalog, 8, &err));
    cr_assert_str_eq(err.code, "NO_ROW");
    cr_assert_eq(err.class, CM_ERROR_NOT_FOUND);
    cm_error_clear(&err);
    cr_assert_null(cm_explain_row(loaded, catalog, 0, &err));
    json_decref(loaded);
    cm_catalog_free(catalog);
}
