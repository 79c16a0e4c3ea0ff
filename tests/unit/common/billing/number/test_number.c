/* How the numbers of documents are written. */
#include "billing/number/number.h"

#include <criterion/criterion.h>

static void expect(const char *pattern, const char *wanted)
{
    cm_buffer number = {0};
    cr_expect(cm_number_is_pattern(pattern), "%s", pattern);
    cm_number_print(pattern, "northwind", "A", 2025, 7, &number);
    cr_expect_str_eq(number.data, wanted);
    cm_buffer_free(&number);
}

Test(number, as_the_reseller_wants_it)
{
    expect(CM_NUMBER_PATTERN, "northwind/A/2025/000007");
    expect("NW-{series}{year}-{number}", "NW-A2025-000007");
    expect("{number}.{year}.{series}", "000007.2025.A");
}

Test(number, a_pattern_without_which_two_documents_would_have_one_number)
{
    static const char *const wrong[] = {"",
                                        "{series}-{year}",
                                        "{series}{number}",
                                        "{year}{number}",
                                        "{series}{year}{number}{number}",
                                        "{reseller}{reseller}{series}{year}{number}",
                                        "{lane}{series}{year}{number}",
                                        "=cmd {series}{year}{number}",
                                        "{series}{year}{number}\n"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        cr_expect_not(cm_number_is_pattern(wrong[i]), "%s", wrong[i]);
}

Test(number, series_are_short_words)
{
    cr_expect(cm_number_is_series("A") && cm_number_is_series("2025B"));
    cr_expect_not(cm_number_is_series("") || cm_number_is_series("A-1") || cm_number_is_series("12345678901234567"));
    char series[CM_NUMBER_SERIES_MAX + 1];
    cm_number_series(0, series);
    cr_expect_str_eq(series, "A");
    cm_number_series(25, series);
    cr_expect_str_eq(series, "Z");
    cm_number_series(26, series);
    cr_expect_str_eq(series, "S27");
}
