#include "billing/export/sums.h"

#include <criterion/criterion.h>
#include <stdio.h>

static cm_decimal number(const char *text)
{
    cm_decimal value;
    cr_assert(cm_decimal_parse_strict(cm_slice_of(text), &value));
    return value;
}

static cm_export_sum *sum_of(cm_export_sums *sums, const char *account, const char *product)
{
    const cm_slice key[CM_EXPORT_KEY] = {cm_slice_of(account), cm_slice_of(product), cm_slice_of("BoxUsage"),
                                         cm_slice_of("Hrs"), cm_slice_of("usage")};
    return cm_export_sums_at(sums, key);
}

Test(export_sums, a_key_has_one_sum_however_many_there_are)
{
    enum { KEYS = 2000 };
    cm_export_sums *sums = cm_export_sums_new();
    cm_export_sum *first[KEYS];
    char account[16];
    for (int i = 0; i < KEYS; i++) {
        snprintf(account, sizeof account, "%012d", i);
        first[i] = sum_of(sums, account, "AmazonEC2");
        cr_assert(cm_slice_is(first[i]->key[0], account));
    }
    for (int i = 0; i < KEYS; i++) {
        snprintf(account, sizeof account, "%012d", i);
        cr_assert_eq(sum_of(sums, account, "AmazonEC2"), first[i]);
    }
    cm_export_sums_free(sums);
}

Test(export_sums, equal_to_the_last_digit_or_the_line_is_named)
{
    cm_export_sums *sums = cm_export_sums_new();
    cm_decimal rate = number("0.5"), total;
    cm_error err = {0};
    cm_export_sum *sum = sum_of(sums, "000011112222", "AmazonEC2");
    sum->lines = number("2.000000000000000002");
    sum->rows = number("1");
    sum->wanted = number("2.000000000000000001"); /* 2.000000000000000002 x 0.5 + 1 */
    cr_expect(cm_export_sums_compare(sums, &rate, false, &total, &err), "%s", err.text);
    cr_expect(cm_decimal_equal(total, sum->wanted));
    sum->wanted = number("2.000000000000000002");
    cr_expect_not(cm_export_sums_compare(sums, &rate, false, &total, &err));
    cr_expect_str_eq(err.code, "SUMS_DIFFER");
    cr_expect(strstr(err.text, "000011112222") && strstr(err.text, "AmazonEC2"), "%s", err.text);
    cm_export_sums_free(sums);
}

/* I03: the document has no accounts; its lines were converted by account first. */
Test(export_sums, accounts_are_added_up_after_they_were_converted)
{
    cm_export_sums *sums = cm_export_sums_new();
    cm_decimal total;
    cm_error err = {0};
    sum_of(sums, "000011112222", "AmazonS3")->lines = number("1");
    sum_of(sums, "000011113333", "AmazonS3")->lines = number("2");
    sum_of(sums, "", "AmazonS3")->wanted = number("3");
    cr_expect(cm_export_sums_compare(sums, NULL, true, &total, &err), "%s", err.text);
    cr_expect_not(cm_export_sums_compare(sums, NULL, false, &total, &err));
    cm_export_sums_free(sums);
}

Test(export_sums, what_does_not_fit_is_an_error)
{
    cm_export_sums *sums = cm_export_sums_new();
    cm_decimal rate = number("100000000000000000000"), total;
    cm_error err = {0};
    sum_of(sums, "000011112222", "AmazonS3")->lines = number("100000000000000000000");
    cr_expect_not(cm_export_sums_compare(sums, &rate, false, &total, &err));
    cr_expect_str_eq(err.code, "OVERFLOW");
    cm_export_sums_free(sums);
}
