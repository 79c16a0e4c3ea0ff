/* Ten deviations, one at a time and all at once: each gets its own cause, and nothing correct gets one (R11). */
#include "billing/reconcile/reconcile.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum { ACCOUNTS = 12 };
static const char *const accounts[ACCOUNTS] = {"000000000001", "000000000002", "000000000003", "000000000004",
                                               "000000000005", "000000000006", "000000000007", "000000000008",
                                               "000000000009", "000000000010", "000000000011", "000000000012"};

static cm_decimal amount(const char *text)
{
    cm_decimal value;
    cr_assert(cm_decimal_parse_strict(cm_slice_of(text), &value), "%s", text);
    return value;
}

/* What we expect of an account: 1000.004 by our buy book (payer 1100, list 1500), in the invoice's currency. */
static cm_expected expected_of(const char *account)
{
    return (cm_expected){.account = account,
                         .product = "AmazonEC2",
                         .customer = "acme",
                         .charges = 30,
                         .amount = amount("1000.004"),
                         .payer = amount("1100"),
                         .list = amount("1500"),
                         .at_reseller_rate = amount("1020.004"),
                         .at_former_rate = amount("990.004")};
}

typedef struct case_ {
    cm_expected expected[ACCOUNTS];
    size_t count;
    cm_invoice_row rows[ACCOUNTS * 2];
    cm_invoice invoice;
    cm_invoice_format format;
    cm_reconcile_input input;
} case_;

static void add_row(case_ *c, const char *account, const char *product, const char *value)
{
    c->rows[c->invoice.count] = (cm_invoice_row){c->invoice.count + 1, account, product, amount(value)};
    c->invoice.count++;
    c->invoice.rows = c->rows;
    c->invoice.currency = "EUR";
}

static cm_reconciliation solve(case_ *c)
{
    cm_reconciliation result;
    cm_error err = {0};
    c->input.format = &c->format;
    c->input.invoice = &c->invoice;
    c->input.expected = c->expected;
    c->input.count = c->count;
    c->input.places = 2;
    cr_assert(cm_reconcile(&c->input, &result, &err), "%s", err.text);
    return result;
}

static const cm_reconcile_item *find(const cm_reconciliation *result, const char *account, const char *product)
{
    for (size_t i = 0; i < result->count; i++)
        if (strcmp(result->items[i].account, account) == 0 &&
            (!product || strcmp(result->items[i].product, product) == 0))
            return &result->items[i];
    cr_assert_fail("%s is missing", account);
    return NULL;
}

static void check(const cm_reconciliation *result, const char *account, const char *product,
                  enum cm_reconcile_status status, enum cm_reconcile_cause cause)
{
    const cm_reconcile_item *item = find(result, account, product);
    cr_expect_eq(item->status, status, "%s: %s", account, cm_reconcile_status_name(item->status));
    cr_expect_eq(item->cause, cause, "%s: %s instead of %s", account, cm_reconcile_cause_name(item->cause),
                 cm_reconcile_cause_name(cause));
}

Test(causes, ten_deviations_at_once_none_invented)
{
    case_ *c = calloc(1, sizeof *c);
    for (size_t i = 0; i < ACCOUNTS - 1; i++)
        c->expected[c->count++] = expected_of(accounts[i]);
    c->input.converted = true;
    add_row(c, accounts[0], "AmazonEC2", "1000.00"); /* healthy: rounded */
    c->expected[1].late = amount("12.34");
    add_row(c, accounts[1], "AmazonEC2", "1012.34"); /* 1 a late line */
    c->expected[2].suspended = amount("55.5");
    add_row(c, accounts[2], "AmazonEC2", "1055.50"); /* 2 suspended money */
    c->expected[3].support = amount("100");
    add_row(c, accounts[3], "AmazonEC2", "1100.00"); /* 3 AWS's support minimum, which N03 does not allow; 1100 is the
                                                        payer amount too: the first cause that fits */
    add_row(c, accounts[4], "AmazonEC2", "1020.00"); /* 4 the reseller's rate instead of the distributor's (R08) */
    add_row(c, accounts[5], "AmazonEC2", "1000.11"); /* 5 every charge rounded by itself: at most 0.15 + 0.005 */
    add_row(c, accounts[6], "AmazonEC2", "1500.00"); /* 6 at list */
    add_row(c, accounts[7], "AmazonEC2", "1000.00"); /* 7 the same row twice */
    add_row(c, accounts[7], "AmazonEC2", "1000.00");
    add_row(c, accounts[11], "AmazonEC2", "77.00"); /* 8 an unknown account */
    c->expected[9].discount = amount("-30");
    add_row(c, accounts[9], "AmazonEC2", "970.00");   /* 9 the discount, a month too early (N12) */
    add_row(c, accounts[10], "AmazonEC2", "1000.00"); /* healthy */
    /* 10: accounts[8] is not billed */
    cm_reconciliation result = solve(c);
    check(&result, accounts[0], NULL, CM_RECONCILE_MATCHED, CM_CAUSE_NONE);
    check(&result, accounts[1], NULL, CM_RECONCILE_OVER, CM_CAUSE_LATE_LINE);
    check(&result, accounts[2], NULL, CM_RECONCILE_OVER, CM_CAUSE_SUSPENDED);
    check(&result, accounts[3], NULL, CM_RECONCILE_OVER, CM_CAUSE_SUPPORT);
    check(&result, accounts[4], NULL, CM_RECONCILE_OVER, CM_CAUSE_FX);
    check(&result, accounts[5], NULL, CM_RECONCILE_OVER, CM_CAUSE_ROUNDING);
    check(&result, accounts[6], NULL, CM_RECONCILE_OVER, CM_CAUSE_PRICE_BOOK);
    check(&result, accounts[7], NULL, CM_RECONCILE_OVER, CM_CAUSE_DUPLICATE);
    check(&result, accounts[8], NULL, CM_RECONCILE_SHORT, CM_CAUSE_NOT_BILLED);
    check(&result, accounts[9], NULL, CM_RECONCILE_SHORT, CM_CAUSE_DISCOUNT);
    check(&result, accounts[10], NULL, CM_RECONCILE_MATCHED, CM_CAUSE_NONE);
    check(&result, accounts[11], NULL, CM_RECONCILE_UNKNOWN, CM_CAUSE_UNKNOWN_ACCOUNT);
    cr_expect_eq(result.counts[CM_RECONCILE_MATCHED], 2);
    cr_expect_eq(result.count, 12);
    cr_expect_eq(find(&result, accounts[7], NULL)->row_count, 2);
    cr_expect_eq(find(&result, accounts[7], NULL)->rows[1], 9);
    cm_reconciliation_free(&result);
    free(c);
}

/* The same amounts with other data: the cause changes. */
Test(causes, unknown_rows)
{
    case_ *c = calloc(1, sizeof *c);
    static const char *const elsewhere[] = {"000000000003"};
    c->expected[c->count++] = expected_of(accounts[0]);
    add_row(c, accounts[0], "AmazonEC2", "1000");
    add_row(c, accounts[0], "AmazonS3", "5");
    add_row(c, accounts[1], "AmazonS3", "5");
    add_row(c, accounts[2], "AmazonS3", "5");
    c->input.elsewhere = elsewhere;
    c->input.elsewhere_count = 1;
    cm_reconciliation result = solve(c);
    check(&result, accounts[0], "AmazonS3", CM_RECONCILE_UNKNOWN, CM_CAUSE_UNKNOWN_PRODUCT);
    check(&result, accounts[1], NULL, CM_RECONCILE_UNKNOWN, CM_CAUSE_UNKNOWN_ACCOUNT);
    check(&result, accounts[2], NULL, CM_RECONCILE_UNKNOWN, CM_CAUSE_OTHER_PAYER);
    cm_reconciliation_free(&result);
    c->input.missing = "the newest delivery is not in it";
    result = solve(c);
    check(&result, accounts[0], "AmazonS3", CM_RECONCILE_UNKNOWN, CM_CAUSE_MISSING_DELIVERY);
    check(&result, accounts[1], NULL, CM_RECONCILE_UNKNOWN, CM_CAUSE_MISSING_DELIVERY);
    check(&result, accounts[2], NULL, CM_RECONCILE_UNKNOWN, CM_CAUSE_OTHER_PAYER);
    cm_reconciliation_free(&result);
    free(c);
}

/* One ratio over the whole invoice: another rate if it was converted, else another price book. A single odd group keeps
 * its own cause. */
Test(causes, one_ratio_for_all)
{
    for (int converted = 0; converted < 2; converted++) {
        case_ *c = calloc(1, sizeof *c);
        c->input.converted = converted;
        for (size_t i = 0; i < 6; i++) {
            c->expected[c->count++] = expected_of(accounts[i]);
            add_row(c, accounts[i], "AmazonEC2", i == 5 ? "1000" : "1013.70");
        }
        cm_reconciliation result = solve(c);
        for (size_t i = 0; i < 5; i++)
            check(&result, accounts[i], NULL, CM_RECONCILE_OVER, converted ? CM_CAUSE_FX : CM_CAUSE_PRICE_BOOK);
        check(&result, accounts[5], NULL, CM_RECONCILE_MATCHED, CM_CAUSE_NONE);
        cm_reconciliation_free(&result);
        free(c);
    }
}

/* A difference without a cause is reported as unexplained. */
Test(causes, nothing_is_invented)
{
    case_ *c = calloc(1, sizeof *c);
    c->expected[c->count++] = expected_of(accounts[0]);
    c->expected[0].late = amount("3");
    c->expected[0].credit = amount("-8");
    c->expected[0].tax = amount("19");
    add_row(c, accounts[0], "AmazonEC2", "1013.77");
    cm_reconciliation result = solve(c);
    check(&result, accounts[0], NULL, CM_RECONCILE_OVER, CM_CAUSE_UNEXPLAINED);
    cm_reconciliation_free(&result);
    c->rows[0].amount = amount("1019.00");
    result = solve(c);
    check(&result, accounts[0], NULL, CM_RECONCILE_OVER, CM_CAUSE_TAX);
    cm_reconciliation_free(&result);
    c->rows[0].amount = amount("1008.00");
    result = solve(c);
    check(&result, accounts[0], NULL, CM_RECONCILE_OVER, CM_CAUSE_CREDIT);
    cm_reconciliation_free(&result);
    c->rows[0].amount = amount("1045.00"); /* payer 1100 minus 5 %: a round percentage, and not ours */
    result = solve(c);
    check(&result, accounts[0], NULL, CM_RECONCILE_OVER, CM_CAUSE_PRICE_BOOK);
    cm_reconciliation_free(&result);
    free(c);
}
