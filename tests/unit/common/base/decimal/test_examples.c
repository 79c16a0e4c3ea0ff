/* Amounts that can be checked by hand. */
#include "base/decimal/decimal.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

static cm_decimal d(const char *text)
{
    cm_decimal value;
    cr_assert(cm_decimal_parse_strict(cm_slice_of(text), &value), "\"%s\"", text);
    return value;
}

static void is(const char *what, bool good, cm_decimal value, const char *expected)
{
    char text[CM_DECIMAL_TEXT] = "overflow";
    if (good)
        cm_decimal_print(value, text);
    cr_expect_str_eq(text, expected, "%s: %s, expected %s", what, text, expected);
}

typedef bool binary(cm_decimal, cm_decimal, cm_decimal *);

struct binary_example {
    const char *a, *b, *expected;
};

static void check(const char *what, binary *function, const struct binary_example *examples)
{
    for (; examples->a; examples++) {
        cm_decimal value = {0};
        char label[160];
        snprintf(label, sizeof label, "%s of %s and %s", what, examples->a, examples->b);
        bool good = function(d(examples->a), d(examples->b), &value);
        is(label, good, value, examples->expected);
    }
}

#define LARGEST  "170141183460469231731.687303715884105727"
#define SMALLEST "-170141183460469231731.687303715884105728"
#define UNIT     "0.000000000000000001"

Test(examples, add)
{
    check("add", cm_decimal_add,
          (struct binary_example[]){{"0.1", "0.2", "0.3"},
                                    {LARGEST, "0", LARGEST},
                                    {LARGEST, UNIT, "overflow"},
                                    {SMALLEST, LARGEST, "-0.000000000000000001"},
                                    {SMALLEST, "-" UNIT, "overflow"},
                                    {0}});
    check("subtract", cm_decimal_subtract,
          (struct binary_example[]){{"0.3", "0.1", "0.2"},
                                    {"0", SMALLEST, "overflow"},
                                    {"-" UNIT, SMALLEST, LARGEST},
                                    {SMALLEST, UNIT, "overflow"},
                                    {0}});
    cm_decimal value = {0};
    cr_expect_not(cm_decimal_negate(d(SMALLEST), &value));
    is("negate", cm_decimal_negate(d(LARGEST), &value), value, "-170141183460469231731.687303715884105727");
}

Test(examples, multiply)
{
    check("multiply", cm_decimal_multiply_half_even,
          (struct binary_example[]){{"744", "0.0104", "7.7376"},
                                    {"-744", "0.0104", "-7.7376"},
                                    {"-2", "-3", "6"},
                                    {UNIT, "0.5", "0"},
                                    {UNIT, "1.5", "0.000000000000000002"},
                                    {UNIT, "2.5", "0.000000000000000002"},
                                    {"-" UNIT, "0.5", "0"},
                                    {"-" UNIT, "1.5", "-0.000000000000000002"},
                                    {"-" UNIT, "-2.5", "0.000000000000000002"},
                                    {"0.000000000000000003", "0.5", "0.000000000000000002"},
                                    {UNIT, UNIT, "0"},
                                    {SMALLEST, "1", SMALLEST},
                                    {"1", SMALLEST, SMALLEST},
                                    {SMALLEST, "-1", "overflow"},
                                    {LARGEST, "-1", "-170141183460469231731.687303715884105727"},
                                    {LARGEST, "1.000000000000000001", "overflow"},
                                    {SMALLEST, SMALLEST, "overflow"},
                                    /* the square root of the largest value, and one unit more */
                                    {"13043817825.332782212349571806", "13043817825.332782212349571806",
                                     "170141183460469231731.687303709296759402"},
                                    {"13043817825.332782212349571807", "13043817825.332782212349571807", "overflow"},
                                    {0}});
}

Test(examples, divide)
{
    check("divide", cm_decimal_divide_half_even,
          (struct binary_example[]){{"1", "3", "0.333333333333333333"},
                                    {"2", "3", "0.666666666666666667"},
                                    {"-2", "3", "-0.666666666666666667"},
                                    {"1", "0", "overflow"},
                                    {"0", "0", "overflow"},
                                    {"0", "7", "0"},
                                    {UNIT, "2", "0"},
                                    {"0.000000000000000003", "2", "0.000000000000000002"},
                                    {"-0.000000000000000003", "2", "-0.000000000000000002"},
                                    {SMALLEST, "1", SMALLEST},
                                    {SMALLEST, "-1", "overflow"},
                                    {SMALLEST, SMALLEST, "1"},
                                    {LARGEST, SMALLEST, "-1"},
                                    {LARGEST, "0.1", "overflow"},
                                    {UNIT, LARGEST, "0"},
                                    {0}});
}

Test(examples, percent)
{
    check("percent", cm_decimal_percent_half_even,
          (struct binary_example[]){{"200", "8.1", "16.2"},
                                    {"-200", "8.1", "-16.2"},
                                    {UNIT, "50", "0"},
                                    {"0.000000000000000003", "50", "0.000000000000000002"},
                                    {LARGEST, "100", LARGEST},
                                    {SMALLEST, "100", SMALLEST},
                                    {SMALLEST, "-100", "overflow"},
                                    {LARGEST, "100.000000000000000001", "overflow"},
                                    {0}});
    /* R: price rule `percent`, S7 */
    check("add percent", cm_decimal_add_percent_half_even,
          (struct binary_example[]){{"10", "-3", "9.7"},
                                    {"10", "12.5", "11.25"},
                                    {"10", "-100", "0"},
                                    {"10", "-150", "-5"},
                                    {"-10", "-3", "-9.7"},
                                    {UNIT, "-50", "0"},
                                    {"-" UNIT, "50", "-0.000000000000000002"},
                                    {LARGEST, "0", LARGEST},
                                    {SMALLEST, "0", SMALLEST},
                                    {SMALLEST, "-200", "overflow"},
                                    {LARGEST, UNIT, "overflow"},
                                    {"0", LARGEST, "0"},
                                    {UNIT, LARGEST, "1.701411834604692318"},
                                    {0}});
}

Test(examples, round_half_away)
{
    static const struct {
        const char *value;
        int places;
        const char *rounded, *floor;
    } examples[] = {
        {"0.005", 2, "0.01", "0"},
        {"-0.005", 2, "-0.01", "-0.01"},
        {"0.015", 2, "0.02", "0.01"},
        {"0.025", 2, "0.03", "0.02"},
        {"-0.025", 2, "-0.03", "-0.03"},
        {"0.024999999999999999", 2, "0.02", "0.02"},
        {"1.5", 0, "2", "1"},
        {"-1.5", 0, "-2", "-2"},
        {"-1.2", 0, "-1", "-2"},
        {"12.34", 2, "12.34", "12.34"},
        {"-12.34", 2, "-12.34", "-12.34"},
        {UNIT, 18, UNIT, UNIT},
        {LARGEST, 18, LARGEST, LARGEST},
        {LARGEST, 2, "overflow", "170141183460469231731.68"},
        {LARGEST, 1, "overflow", "170141183460469231731.6"},
        {LARGEST, 5, "170141183460469231731.6873", "170141183460469231731.6873"},
        {LARGEST, 0, "overflow", "170141183460469231731"},
        {SMALLEST, 18, SMALLEST, SMALLEST},
        {SMALLEST, 0, "overflow", "overflow"},
    };
    for (size_t i = 0; i < sizeof examples / sizeof examples[0]; i++) {
        cm_decimal value = {0};
        bool good = cm_decimal_round_half_away(d(examples[i].value), examples[i].places, &value);
        is(examples[i].value, good, value, examples[i].rounded);
        good = cm_decimal_floor(d(examples[i].value), examples[i].places, &value);
        is(examples[i].value, good, value, examples[i].floor);
    }
}

/* One rounding: rounded at 10^-18 first, the first tax would be 0.005 and then 0.01. */
Test(examples, tax_is_rounded_once)
{
    cm_decimal value = {0};
    bool good = cm_decimal_percent_round_half_away(d("0.099999999999999999"), d("5"), 2, &value);
    is("5 % of 0.099999999999999999", good, value, "0");
    good = cm_decimal_percent_round_half_away(d("0.49999999999999999"), d("1"), 2, &value);
    is("1 % of 0.49999999999999999", good, value, "0");
    good = cm_decimal_percent_round_half_away(d("0.499999999999999999"), d("1"), 2, &value);
    is("1 % of 0.499999999999999999", good, value, "0");
    good = cm_decimal_percent_round_half_away(d("0.5"), d("1"), 2, &value);
    is("1 % of 0.5", good, value, "0.01");
    good = cm_decimal_percent_round_half_away(d("-0.5"), d("1"), 2, &value);
    is("1 % of -0.5", good, value, "-0.01");
    good = cm_decimal_percent_round_half_away(d("1234.56"), d("20"), 0, &value);
    is("20 % of 1234.56", good, value, "247");
    good = cm_decimal_percent_round_half_away(d(LARGEST), d("100"), 0, &value);
    is("100 % of the largest", good, value, "overflow");
    good = cm_decimal_percent_round_half_away(d(SMALLEST), d(SMALLEST), 0, &value);
    is("smallest % of the smallest", good, value, "overflow");
}

Test(examples, whole_numbers)
{
    cm_decimal value = cm_decimal_from_i64(INT64_MIN);
    is("smallest i64", true, value, "-9223372036854775808");
    is("largest i64", true, cm_decimal_from_i64(INT64_MAX), "9223372036854775807");
}

Test(examples, compare)
{
    cr_assert_eq(cm_decimal_compare(d("1"), d("2")), -1);
    cr_assert_eq(cm_decimal_compare(d("2"), d("-2")), 1);
    cr_assert_eq(cm_decimal_compare(d("-0.0"), d("0")), 0);
    cr_assert(cm_decimal_equal(d("1.50"), d("1.5")) && !cm_decimal_equal(d("1.5"), d(UNIT)));
    cr_assert(cm_decimal_is_zero(d("-0")) && !cm_decimal_is_zero(d(UNIT)));
}

Test(examples, print_fixed)
{
    static const struct {
        const char *value;
        int places;
        const char *text;
    } examples[] = {
        {"0", 0, "0"},         {"0", 2, "0.00"},         {"12.5", 2, "12.50"},
        {"-0.01", 2, "-0.01"}, {"-12", 0, "-12"},        {"1234567890123456789", 2, "1234567890123456789.00"},
        {UNIT, 18, UNIT},      {SMALLEST, 18, SMALLEST}, {"100000000000000000005", 1, "100000000000000000005.0"},
        {"0.1", 3, "0.100"},
    };
    for (size_t i = 0; i < sizeof examples / sizeof examples[0]; i++) {
        char text[CM_DECIMAL_TEXT];
        int length = cm_decimal_print_fixed(d(examples[i].value), examples[i].places, text);
        cr_expect_str_eq(text, examples[i].text);
        cr_expect_eq(length, (int)strlen(text));
    }
}

Test(examples, print_fixed_refuses_to_round, .exit_code = 70)
{
    char text[CM_DECIMAL_TEXT];
    cm_decimal_print_fixed(d("0.005"), 2, text);
}
