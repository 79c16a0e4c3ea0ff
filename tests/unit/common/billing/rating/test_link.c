/* Who is the customer (rating.md section 3; S2, S3). */
#include "support.h"

#include <criterion/criterion.h>
#include <stdlib.h>

/* ACCOUNT moves from acme to bolt on the 15th; OTHER has a gap; 4444 begins in mid-month; 5555 ended with May. */
static const char moves[] = "{kind: Customer, id: acme, reseller: northwind, price_book: standard, accounts: [\n"
                            "  {id: '" ACCOUNT "', payer: '" TDS "', from: 2025-01-01, to: 2025-06-15},\n"
                            "  {id: '" OTHER "', payer: '" TDS "', from: 2025-01-01, to: 2025-06-05},\n"
                            "  {id: '000011114444', payer: '" TDS "', from: 2025-06-16},\n"
                            "  {id: '000011115555', payer: '" TDS "', from: 2025-01-01, to: 2025-06-01},\n"
                            "  {id: '000011116666', payer: '" TDS "', from: 2025-07-01},\n"
                            "  {id: '000011117777', payer: '" TDS "', from: 2025-06-01, to: 2025-07-01}]}\n---\n"
                            "{kind: Customer, id: bolt, reseller: northwind, price_book: standard, accounts: [\n"
                            "  {id: '" ACCOUNT "', payer: '" TDS "', from: 2025-06-15},\n"
                            "  {id: '" OTHER "', payer: '" TDS "', from: 2025-06-20},\n"
                            "  {id: '" ACCOUNT "', payer: '" ING "', from: 2025-01-01}]}\n";

static const struct {
    const char *account, *payer, *start, *customer, *reason;
} cells[] = {
    /* half-open: the first instant belongs to the next owner (N11) */
    {ACCOUNT, TDS, "2025-06-01T00:00:00Z", "acme", ""},
    {ACCOUNT, TDS, "2025-06-14T23:59:59.999999Z", "acme", ""},
    {ACCOUNT, TDS, "2025-06-15T00:00:00Z", "bolt", ""},
    {ACCOUNT, TDS, "2025-06-15T00:00:00.000001Z", "bolt", ""},
    {ACCOUNT, TDS, "2025-06-30T23:00:00Z", "bolt", ""},
    /* S2: clamped to the nearest instant of the period */
    {ACCOUNT, TDS, "2024-12-31T00:00:00Z", "acme", ""},
    {ACCOUNT, TDS, "2025-07-01T00:00:00Z", "bolt", ""},
    {ACCOUNT, TDS, "2099-01-01T00:00:00Z", "bolt", ""},
    {"000011117777", TDS, "2025-05-01T00:00:00Z", "acme", ""},
    {"000011117777", TDS, "2025-07-01T00:00:00Z", "acme", ""},            /* the last microsecond of June, not July */
    {"000011115555", TDS, "2025-05-31T00:00:00Z", "", "UNKNOWN_ACCOUNT"}, /* June begins after the link's end */
    /* under another payer another owner, or none (P14) */
    {ACCOUNT, ING, "2025-06-01T00:00:00Z", "bolt", ""},
    {ACCOUNT, ING_BUY, "2025-06-01T00:00:00Z", "", "UNKNOWN_ACCOUNT"},
    {OTHER, ING, "2025-06-01T00:00:00Z", "", "UNKNOWN_ACCOUNT"},
    /* a gap: some link begins later */
    {OTHER, TDS, "2025-06-04T23:59:59.999999Z", "acme", ""},
    {OTHER, TDS, "2025-06-05T00:00:00Z", "", "BEFORE_BILLED_FROM"},
    {OTHER, TDS, "2025-06-19T23:59:59.999999Z", "", "BEFORE_BILLED_FROM"},
    {OTHER, TDS, "2025-06-20T00:00:00Z", "bolt", ""},
    /* N11: effective in mid-month, no owner before */
    {"000011114444", TDS, "2025-06-15T23:59:59.999999Z", "", "BEFORE_BILLED_FROM"},
    {"000011114444", TDS, "2025-06-16T00:00:00Z", "acme", ""},
    {"000011116666", TDS, "2025-06-30T23:59:59.999999Z", "", "BEFORE_BILLED_FROM"},
    {"000011116666", TDS, "2025-07-02T00:00:00Z", "", "BEFORE_BILLED_FROM"},
    /* links that ended or never existed */
    {"000011115555", TDS, "2025-06-01T00:00:00Z", "", "UNKNOWN_ACCOUNT"},
    {NOBODYS, TDS, "2025-06-01T00:00:00Z", "", "UNKNOWN_ACCOUNT"},
    {"", TDS, "2025-06-01T00:00:00Z", "", "UNKNOWN_ACCOUNT"},
    {"00001111222", TDS, "2025-06-01T00:00:00Z", "", "UNKNOWN_ACCOUNT"}, /* N16: 12 digits, compared as they are */
    {"0000111122223", TDS, "2025-06-01T00:00:00Z", "", "UNKNOWN_ACCOUNT"},
};

Test(link, intervals_gaps_and_payers)
{
    cm_catalog *catalog = catalog_of(moves);
    for (size_t i = 0; i < sizeof cells / sizeof *cells; i++) {
        test_result result = RATE(catalog, cells[i].payer, .account = cells[i].account, .start = cells[i].start);
        cr_assert_str_eq(result.reason, cells[i].reason, "cell %zu: %s at %s: %s", i, cells[i].account, cells[i].start,
                         result.reason);
        cr_assert_str_eq(result.customer, cells[i].customer, "cell %zu: %s at %s: %s", i, cells[i].account,
                         cells[i].start, result.customer);
    }
    cm_catalog_free(catalog);
}

/* S3: tax and credit lines of unknown accounts too; payer and list are kept (section 4.8). */
Test(link, every_class_is_suspended_without_a_link)
{
    static const char *const types[] = {"Tax",
                                        "SppDiscount",
                                        "BundledDiscount",
                                        "Credit",
                                        "Refund",
                                        "DiscountedUsage",
                                        "SavingsPlanNegation",
                                        "RIFee",
                                        "Usage",
                                        "Fee"};
    cm_catalog *catalog = catalog_of(moves);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        static const char *const payers[] = {TDS, TDS_BUY, ING, ING_BUY};
        for (int p = 0; p < 4; p++) {
            test_result result = RATE(catalog, payers[p], .type = types[i], .account = NOBODYS);
            cr_assert_str_eq(result.reason, "UNKNOWN_ACCOUNT");
            cr_assert_str_eq(result.class, "suspended");
            cr_assert_str_eq(result.rule, "");
            cr_assert_str_eq(result.payer, "10");
            cr_assert_str_eq(result.list, "20");
            cr_assert_str_eq(result.buy, "0");
            cr_assert_str_eq(result.sell, "0");
        }
    }
    EXPECT(catalog, TDS, "UNKNOWN_ACCOUNT -", .product = "AWSSupportBusiness", .account = NOBODYS);
    EXPECT(catalog, TDS, "UNKNOWN_ACCOUNT -", .entity = "AWS Marketplace", .account = NOBODYS);
    cm_catalog_free(catalog);
}

/* P06: no workload belongs in a management account, but its lines are not lost: payer, list, buy stay, nobody is
 * charged. */
Test(link, lines_of_the_payer_itself)
{
    cm_catalog *catalog = catalog_of(moves);
    EXPECT(catalog, TDS, "usage - 10 0", .account = TDS);
    EXPECT(catalog, TDS_BUY, "usage - 9 0", .account = TDS_BUY);
    EXPECT(catalog, ING_BUY, "usage - 9 0", .account = ING_BUY);
    EXPECT(catalog, TDS, "tax - 10 0", .account = TDS, .type = "Tax");
    EXPECT(catalog, TDS, "credit - 10 0", .account = TDS, .type = "Credit");
    EXPECT(catalog, TDS, "provider_discount - 0 0", .account = TDS, .type = "SppDiscount");
    EXPECT(catalog, ING, "provider_discount - 10 0", .account = ING, .type = "SppDiscount");
    EXPECT(catalog, TDS, "support - 0 0", .account = TDS, .product = "AWSSupportBusiness");
    EXPECT(catalog, ING, "support - 10 0", .account = ING, .product = "AWSSupportBusiness");
    EXPECT(catalog, TDS_BUY, "covered_usage - 9 0", .account = TDS_BUY, .type = "DiscountedUsage", .list = "0");
    EXPECT(catalog, TDS, "UNKNOWN_LINE_TYPE -", .account = TDS, .type = "NewType");
    EXPECT(catalog, TDS_BUY, "CURRENCY -", .account = TDS_BUY, .currency = "CNY");
    /* another payer's account is an account like any other */
    EXPECT(catalog, TDS, "UNKNOWN_ACCOUNT -", .account = ING);
    cm_catalog_free(catalog);
}

/* A management account may have a link; before it begins its lines are still its own. */
Test(link, payer_account_with_a_customer)
{
    cm_catalog *catalog =
        catalog_of("{kind: Customer, id: acme, reseller: northwind, price_book: standard, accounts: [\n"
                   "  {id: '" TDS "', payer: '" TDS "', from: 2025-06-11}]}\n");
    EXPECT(catalog, TDS, "usage rest 10 22", .account = TDS, .start = "2025-06-11T00:00:00Z");
    EXPECT(catalog, TDS, "usage - 10 0", .account = TDS, .start = "2025-06-10T23:59:59.999999Z");
    cm_catalog_free(catalog);
}

/* S4, first step: the type is unknown before anything else, but it is known whose statement it blocks. */
Test(link, unknown_type_keeps_its_customer)
{
    cm_catalog *catalog = catalog_of(moves);
    EXPECT(catalog, TDS, "UNKNOWN_LINE_TYPE acme", .type = "NewType");
    EXPECT(catalog, TDS, "UNKNOWN_LINE_TYPE bolt", .type = "NewType", .start = "2025-06-15T00:00:00Z");
    EXPECT(catalog, TDS, "UNKNOWN_LINE_TYPE -", .type = "NewType", .account = NOBODYS);
    EXPECT(catalog, TDS, "UNKNOWN_LINE_TYPE -", .type = "NewType", .account = OTHER);
    cm_catalog_free(catalog);
}

/* N13: a period is a calendar month, whatever its length; S2: never the first instant of the next. */
Test(link, time_is_clamped_into_the_month)
{
    static const struct {
        int year, month;
        const char *last;
    } months[] = {{2025, 6, "2025-06-30T23:59:59.999999Z"},
                  {2024, 2, "2024-02-29T23:59:59.999999Z"},
                  {2025, 2, "2025-02-28T23:59:59.999999Z"},
                  {2025, 12, "2025-12-31T23:59:59.999999Z"}};
    cm_catalog *catalog = catalog_of(moves);
    for (size_t i = 0; i < sizeof months / sizeof *months; i++) {
        cm_error err = {0};
        cm_period period = {months[i].year, months[i].month};
        cm_rater *rater = cm_rater_new(catalog, TDS, period, &err);
        cr_assert(rater, "%s", err.text);
        cm_instant first = cm_period_start(period), last = instant_of(months[i].last);
        cr_assert_eq(cm_rater_time(rater, first), first);
        cr_assert_eq(cm_rater_time(rater, first - 1), first);
        cr_assert_eq(cm_rater_time(rater, INT64_MIN), first);
        cr_assert_eq(cm_rater_time(rater, first + 1), first + 1);
        cr_assert_eq(cm_rater_time(rater, last), last);
        cr_assert_eq(cm_rater_time(rater, last + 1), last);
        cr_assert_eq(cm_rater_time(rater, INT64_MAX), last);
        cm_rater_free(rater);
    }
    cm_catalog_free(catalog);
}

Test(link, a_payer_that_is_not_in_the_catalog)
{
    cm_catalog *catalog = catalog_of(moves);
    cm_error err = {0};
    cr_assert_null(cm_rater_new(catalog, NOBODYS, june, &err));
    cr_assert_eq(err.class, CM_ERROR_NOT_FOUND);
    cr_assert_str_eq(err.code, "UNKNOWN_PAYER");
    cr_assert(strstr(err.text, NOBODYS) && strstr(err.text, catalog->id), "%s", err.text);
    cm_catalog_free(catalog);
}
