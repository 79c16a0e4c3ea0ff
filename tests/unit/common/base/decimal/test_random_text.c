/* Parsing and printing against GMP, a regular expression for the syntax, and a heap block that ends with the text. */
#include "oracle.h"

#include <criterion/criterion.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 1000000, TEXT_MAX = 160 };

/* The address sanitizer detects reading one byte beyond the text: the text is at the end of a block. */
static enum cm_decimal_parse_result parse(const char *text, size_t length, cm_decimal *ret)
{
    static char *block;
    if (!block)
        block = malloc(TEXT_MAX);
    char *at = block + TEXT_MAX - length;
    memcpy(at, text, length);
    return cm_decimal_parse((cm_slice){at, length}, ret);
}

static size_t random_digits(char *into, size_t count)
{
    /* Runs of one digit are common in reports (0.0000000000) and are the ties (5000). */
    unsigned style = (unsigned)oracle_below(4);
    for (size_t i = 0; i < count; i++)
        into[i] = style == 0 ? '0' : style == 1 ? (char)('0' + (i == 0) * 5) : (char)('0' + oracle_below(10));
    return count;
}

static size_t random_number(char *into)
{
    size_t length = 0;
    unsigned sign = (unsigned)oracle_below(8);
    if (sign < 2)
        into[length++] = sign ? '-' : '+';
    length += random_digits(into + length, oracle_below(3) ? oracle_below(4) : oracle_below(30));
    if (oracle_below(4))
        into[length++] = '.';
    length += random_digits(into + length, oracle_below(2) ? oracle_below(12) : oracle_below(60));
    if (oracle_below(3) == 0) {
        long range = oracle_below(8) ? 25 : 500;
        long exponent = (long)oracle_below((uint64_t)(2 * range)) - range;
        length += (size_t)sprintf(into + length, oracle_below(2) ? "E%ld" : "e%+ld", exponent);
    }
    return length;
}

/* By definition: digits without the point, times 10 to the exponent minus the number of decimals. */
static enum cm_decimal_parse_result expectation(const char *text, mpz_t scratch[3], cm_i128 *ret)
{
    char digits[TEXT_MAX];
    size_t count = 0;
    long decimals = 0, exponent = 0;
    bool negative = *text == '-', point = false;
    for (const char *c = text + (*text == '-' || *text == '+'); *c; c++) {
        if (*c == 'e' || *c == 'E') {
            exponent = strtol(c + 1, NULL, 10);
            break;
        }
        if (*c == '.') {
            point = true;
            continue;
        }
        digits[count++] = *c;
        decimals += point;
    }
    digits[count] = 0;
    mpz_set_str(scratch[0], digits, 10);
    mpz_set_ui(scratch[1], 1);
    long shift = 18 + exponent - decimals;
    oracle_power_of_ten(scratch[2], (unsigned long)labs(shift));
    if (shift >= 0)
        mpz_mul(scratch[0], scratch[0], scratch[2]);
    else
        mpz_set(scratch[1], scratch[2]);
    if (negative)
        mpz_neg(scratch[0], scratch[0]);
    bool exact = oracle_round(scratch[2], scratch[0], scratch[1], HALF_EVEN);
    if (!oracle_fits(scratch[2], ret))
        return CM_DECIMAL_OVERFLOW;
    return exact ? CM_DECIMAL_EXACT : CM_DECIMAL_ROUNDED;
}

Test(random_text, parse_agrees_with_gmp)
{
    char text[TEXT_MAX];
    mpz_t scratch[3];
    unsigned seen[CM_DECIMAL_OVERFLOW + 1] = {0};
    mpz_inits(scratch[0], scratch[1], scratch[2], NULL);
    oracle_random_seed(oracle_seed());
    for (int i = 0; i < ROUNDS; i++) {
        size_t length = random_number(text);
        text[length] = 0;
        cm_decimal got = {1};
        enum cm_decimal_parse_result result = parse(text, length, &got);
        cm_i128 want = 0;
        enum cm_decimal_parse_result expected;
        if (length == 0)
            expected = CM_DECIMAL_EMPTY;
        else if (strcspn(text, "0123456789") >= strcspn(text, "eE"))
            expected = CM_DECIMAL_NOT_A_NUMBER; /* no digit before the exponent */
        else
            expected = expectation(text, scratch, &want);
        seen[expected]++;
        if (result != expected || got.units != want)
            cr_assert(false, "seed %lu: parse \"%s\": got %d %s, expected %d %s", oracle_seed(), text, result,
                      oracle_text(got.units), expected, oracle_text(want));
    }
    for (int i = 0; i <= CM_DECIMAL_OVERFLOW; i++)
        cr_assert_gt(seen[i], 100, "result %d was met %u times only", i, seen[i]);
    mpz_clears(scratch[0], scratch[1], scratch[2], NULL);
}

/* What counts as a number: damaged texts against the grammar as a regular expression. */
Test(random_text, syntax_agrees_with_grammar)
{
    static const char bytes[] = "0123456789..eE+-  \tnaifx,_";
    regex_t grammar;
    char text[TEXT_MAX];
    cr_assert_eq(regcomp(&grammar, "^[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?$", REG_EXTENDED | REG_NOSUB),
                 0);
    oracle_random_seed(oracle_seed() + 1);
    for (int i = 0; i < 200000; i++) {
        size_t length = random_number(text);
        for (uint64_t damage = oracle_below(4); damage && length; damage--)
            text[oracle_below(length)] = bytes[oracle_below(sizeof bytes - 1)];
        text[length] = 0;
        cm_decimal got;
        enum cm_decimal_parse_result result = parse(text, length, &got);
        if (length == 0)
            continue;
        bool number = regexec(&grammar, text, 0, NULL, 0) == 0;
        if (number != (result != CM_DECIMAL_NOT_A_NUMBER))
            cr_assert(false, "seed %lu: \"%s\" gives %d", oracle_seed(), text, result);
    }
    regfree(&grammar);
}

/* The text of `value` from GMP's digits: point before the last 18, trailing zeros removed. */
static void expected_text(cm_i128 value, char *into)
{
    char digits[48], padded[80];
    const char *source = oracle_text(value);
    bool negative = *source == '-';
    snprintf(digits, sizeof digits, "%s", source + negative);
    int zeros = strlen(digits) < 19 ? 19 - (int)strlen(digits) : 0;
    snprintf(padded, sizeof padded, "%.*s%s", zeros, "0000000000000000000", digits);
    int whole = (int)strlen(padded) - 18;
    int length = sprintf(into, "%s%.*s.%s", negative ? "-" : "", whole, padded, padded + whole);
    while (into[length - 1] == '0')
        length--;
    if (into[length - 1] == '.')
        length--;
    into[length] = 0;
}

Test(random_text, print_agrees_with_gmp_and_parses_back)
{
    char got[CM_DECIMAL_TEXT], want[64];
    oracle_random_seed(oracle_seed() + 2);
    for (int i = 0; i < ROUNDS; i++) {
        cm_i128 value = oracle_random_value();
        cm_decimal back = {0};
        int length = cm_decimal_print((cm_decimal){value}, got);
        expected_text(value, want);
        bool parsed = cm_decimal_parse_strict(cm_slice_of(got), &back);
        if (strcmp(got, want) != 0 || length != (int)strlen(want) || !parsed || back.units != value)
            cr_assert(false, "seed %lu: units %s print as %s, expected %s, read back as %s", oracle_seed(),
                      oracle_text(value), got, want, oracle_text(back.units));
    }
}
