/* Formats that occur in reports and formats that are invalid (formats.md section 1; C01). */
#include "base/decimal/decimal.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

struct example {
    const char *text;
    enum cm_decimal_parse_result result;
    const char *value; /* as printed */
};

static const struct example examples[] = {
    {"0", CM_DECIMAL_EXACT, "0"},
    {"12", CM_DECIMAL_EXACT, "12"},
    {"+1.5", CM_DECIMAL_EXACT, "1.5"},
    {"-1.5", CM_DECIMAL_EXACT, "-1.5"},
    {".5", CM_DECIMAL_EXACT, "0.5"},
    {"-.5", CM_DECIMAL_EXACT, "-0.5"},
    {"5.", CM_DECIMAL_EXACT, "5"},
    {"007", CM_DECIMAL_EXACT, "7"},
    {"0.0010569617", CM_DECIMAL_EXACT, "0.0010569617"},
    {"-0.0", CM_DECIMAL_EXACT, "0"},
    {"0.0000000000", CM_DECIMAL_EXACT, "0"},
    {"0E-10", CM_DECIMAL_EXACT, "0"},
    {"-0E-10", CM_DECIMAL_EXACT, "0"},
    {"0E+400", CM_DECIMAL_EXACT, "0"},
    {"0e-99999999999999999999999999", CM_DECIMAL_EXACT, "0"},
    {"4.0E-7", CM_DECIMAL_EXACT, "0.0000004"},
    {"-4.0e-7", CM_DECIMAL_EXACT, "-0.0000004"},
    {"1.23456789E7", CM_DECIMAL_EXACT, "12345678.9"},
    {"1.23456789e+7", CM_DECIMAL_EXACT, "12345678.9"},
    {"1e5", CM_DECIMAL_EXACT, "100000"},
    {"1E-18", CM_DECIMAL_EXACT, "0.000000000000000001"},
    {"1.0E20", CM_DECIMAL_EXACT, "100000000000000000000"},
    {"1000000000000000000000000000000E-18", CM_DECIMAL_EXACT, "1000000000000"},
    {"0.000000000000000000000000000001E+30", CM_DECIMAL_EXACT, "1"},
    /* zeros after the 18th decimal lose nothing */
    {"0.1000000000000000000000", CM_DECIMAL_EXACT, "0.1"},
    {"0.123456789012345678", CM_DECIMAL_EXACT, "0.123456789012345678"},
    /* half-even at 10^-18, once */
    {"0.1234567890123456785", CM_DECIMAL_ROUNDED, "0.123456789012345678"},
    {"0.1234567890123456775", CM_DECIMAL_ROUNDED, "0.123456789012345678"},
    {"-0.1234567890123456785", CM_DECIMAL_ROUNDED, "-0.123456789012345678"},
    {"-0.1234567890123456775", CM_DECIMAL_ROUNDED, "-0.123456789012345678"},
    {"0.12345678901234567850000000000000000000000000000001", CM_DECIMAL_ROUNDED, "0.123456789012345679"},
    {"0.12345678901234567849999999999999999999999999999999", CM_DECIMAL_ROUNDED, "0.123456789012345678"},
    {"5E-19", CM_DECIMAL_ROUNDED, "0"},
    {"15E-19", CM_DECIMAL_ROUNDED, "0.000000000000000002"},
    {"5.0000000001E-19", CM_DECIMAL_ROUNDED, "0.000000000000000001"},
    {"1E-400", CM_DECIMAL_ROUNDED, "0"},
    {"-1E-99999999999999999999999", CM_DECIMAL_ROUNDED, "0"},
    /* the whole range */
    {"170141183460469231731.687303715884105727", CM_DECIMAL_EXACT, "170141183460469231731.687303715884105727"},
    {"-170141183460469231731.687303715884105728", CM_DECIMAL_EXACT, "-170141183460469231731.687303715884105728"},
    {"170141183460469231731.6873037158841057274", CM_DECIMAL_ROUNDED, "170141183460469231731.687303715884105727"},
    {"170141183460469231731.6873037158841057275", CM_DECIMAL_OVERFLOW, "0"},
    {"170141183460469231731.687303715884105728", CM_DECIMAL_OVERFLOW, "0"},
    {"-170141183460469231731.687303715884105729", CM_DECIMAL_OVERFLOW, "0"},
    {"123456789012345678901", CM_DECIMAL_EXACT, "123456789012345678901"},
    {"999999999999999999999", CM_DECIMAL_OVERFLOW, "0"},
    {"1E21", CM_DECIMAL_OVERFLOW, "0"},
    {"1E+400", CM_DECIMAL_OVERFLOW, "0"},
    {"-1E+400", CM_DECIMAL_OVERFLOW, "0"},
    {"1E99999999999999999999999", CM_DECIMAL_OVERFLOW, "0"},
    {"340282366920938463463374607431768211455", CM_DECIMAL_OVERFLOW, "0"},
    {"340282366920938463463374607431768211456", CM_DECIMAL_OVERFLOW, "0"},
    {"", CM_DECIMAL_EMPTY, "0"},
    {".", CM_DECIMAL_NOT_A_NUMBER, "0"},
    {"+", CM_DECIMAL_NOT_A_NUMBER, "0"},
    {"-", CM_DECIMAL_NOT_A_NUMBER, "0"},
    {"-.", CM_DECIMAL_NOT_A_NUMBER, "0"},
    {"1e", CM_DECIMAL_NOT_A_NUMBER, "0"},
    {"1E+", CM_DECIMAL_NOT_A_NUMBER, "0"},
    {"1E-", CM_DECIMAL_NOT_A_NUMBER, "0"},
    {"E5", CM_DECIMAL_NOT_A_NUMBER, "0"},
    {".E5", CM_DECIMAL_NOT_A_NUMBER, "0"},
    {"1E5.0", CM_DECIMAL_NOT_A_NUMBER, "0"},
    {"1.2.3", CM_DECIMAL_NOT_A_NUMBER, "0"},
    {"1,5", CM_DECIMAL_NOT_A_NUMBER, "0"},
    {"1_000", CM_DECIMAL_NOT_A_NUMBER, "0"},
    {" 1", CM_DECIMAL_NOT_A_NUMBER, "0"},
    {"1 ", CM_DECIMAL_NOT_A_NUMBER, "0"},
    {" ", CM_DECIMAL_NOT_A_NUMBER, "0"},
    {"--1", CM_DECIMAL_NOT_A_NUMBER, "0"},
    {"+-1", CM_DECIMAL_NOT_A_NUMBER, "0"},
    {"0x10", CM_DECIMAL_NOT_A_NUMBER, "0"},
    {"NaN", CM_DECIMAL_NOT_A_NUMBER, "0"},
    {"nan", CM_DECIMAL_NOT_A_NUMBER, "0"},
    {"inf", CM_DECIMAL_NOT_A_NUMBER, "0"},
    {"-Infinity", CM_DECIMAL_NOT_A_NUMBER, "0"},
    {"12345678901234567890123456789x", CM_DECIMAL_NOT_A_NUMBER, "0"},
    {"\xd9\xa1", CM_DECIMAL_NOT_A_NUMBER, "0"}, /* ARABIC-INDIC DIGIT ONE */
};

Test(parse, examples)
{
    for (size_t i = 0; i < sizeof examples / sizeof examples[0]; i++) {
        const struct example *e = &examples[i];
        cm_decimal value = {77};
        char text[CM_DECIMAL_TEXT];
        enum cm_decimal_parse_result result = cm_decimal_parse(cm_slice_of(e->text), &value);
        cm_decimal_print(value, text);
        cr_expect(result == e->result && strcmp(text, e->value) == 0, "\"%s\" gives %d \"%s\"", e->text, result, text);
    }
}

Test(parse, strict_takes_exact_values_only)
{
    for (size_t i = 0; i < sizeof examples / sizeof examples[0]; i++) {
        cm_decimal value = {77};
        bool good = cm_decimal_parse_strict(cm_slice_of(examples[i].text), &value);
        cr_expect_eq(good, examples[i].result == CM_DECIMAL_EXACT, "\"%s\"", examples[i].text);
        cr_expect(good || value.units == 77, "\"%s\" was refused, but the result was changed", examples[i].text);
    }
}

Test(parse, stops_at_the_end_of_the_slice)
{
    cm_decimal value;
    cr_assert_eq(cm_decimal_parse((cm_slice){"12.5E3", 4}, &value), CM_DECIMAL_EXACT);
    cr_assert(value.units == CM_DECIMAL_ONE_UNITS * 25 / 2);
    cr_assert_eq(cm_decimal_parse((cm_slice){"1\0002", 3}, &value), CM_DECIMAL_NOT_A_NUMBER);
    cr_assert_eq(cm_decimal_parse((cm_slice){NULL, 0}, &value), CM_DECIMAL_EMPTY);
}

Test(parse, very_long_texts)
{
    enum { ZEROS = 1000000 };
    char *text = malloc(ZEROS + 32);
    cm_decimal value;
    memset(text, '0', ZEROS);
    strcpy(text + ZEROS, "12.5");
    cr_assert_eq(cm_decimal_parse(cm_slice_of(text), &value), CM_DECIMAL_EXACT);
    cr_assert(value.units == CM_DECIMAL_ONE_UNITS * 25 / 2);
    text[0] = '.';
    strcpy(text + ZEROS, "125E1000001"); /* ZEROS - 1 zeros, so 0.125 * 10^-999999 * 10^1000001 */
    cr_assert_eq(cm_decimal_parse(cm_slice_of(text), &value), CM_DECIMAL_EXACT);
    cr_assert(value.units == CM_DECIMAL_ONE_UNITS * 25 / 2);
    strcpy(text + ZEROS, "1");
    cr_assert_eq(cm_decimal_parse(cm_slice_of(text), &value), CM_DECIMAL_ROUNDED);
    cr_assert(value.units == 0);
    free(text);
}
