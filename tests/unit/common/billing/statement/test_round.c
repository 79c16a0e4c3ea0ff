/* Rounding by the largest remainder method (statements.md section 3; S12). Golden values by hand, and a property over
 * random documents. */
#include "documents.h"

#include <criterion/criterion.h>
#include <stdlib.h>

typedef struct vector {
    int places;
    const char *exact, *rounded, *total;
} vector;

/* Ties go to the first line; the remainder is exact - floor, also below zero. */
static const vector vectors[] = {
    {2, "0.004 0.004 0.004", "0.01 0 0", "0.01"},
    {2, "0.005", "0.01", "0.01"},
    {2, "-0.005", "-0.01", "-0.01"},
    {2, "0.0049999", "0", "0"},
    {2, "10.333 10.333 10.334", "10.33 10.33 10.34", "31"},
    {2, "1.999 -0.999", "2 -1", "1"},
    {2, "-1.005 -2.005", "-1 -2.01", "-3.01"},
    {2, "-0.004 0.004", "0 0", "0"},
    {2, "-3.333 -3.333 -3.334", "-3.33 -3.33 -3.34", "-10"},
    {0, "100.5 100.4 0.6", "101 100 1", "202"}, /* JPY */
    {0, "0.5", "1", "1"},
    {0, "-0.5", "-1", "-1"},
    {0, "-0.4", "0", "0"},
    {3, "1.0004 1.0004", "1.001 1", "2.001"}, /* KWD */
    {3, "0.0005", "0.001", "0.001"},
    {18, "0.000000000000000001 -1", "0.000000000000000001 -1", "-0.999999999999999999"},
    {2, "", "", "0"},
};

static size_t parse_list(const char *from, cm_decimal *into)
{
    size_t count = 0;
    char copy[256], *state = NULL;
    snprintf(copy, sizeof copy, "%s", from);
    for (char *word = strtok_r(copy, " ", &state); word; word = strtok_r(NULL, " ", &state))
        into[count++] = amount(word);
    return count;
}

Test(round, golden)
{
    for (size_t v = 0; v < sizeof vectors / sizeof *vectors; v++) {
        cm_decimal exact[8], rounded[8], expected[8], total;
        size_t count = parse_list(vectors[v].exact, exact);
        cr_assert_eq(parse_list(vectors[v].rounded, expected), count);
        cr_assert(cm_round_lines_largest_remainder(exact, count, vectors[v].places, rounded, &total));
        for (size_t i = 0; i < count; i++)
            cr_expect(cm_decimal_equal(rounded[i], expected[i]), "%s: line %zu", vectors[v].exact, i);
        cr_expect(cm_decimal_equal(total, amount(vectors[v].total)), "%s", vectors[v].exact);
    }
}

/* To a total that is units away from the sum: every line gets its share first. */
Test(round, to_a_total)
{
    static const vector given[] = {
        {2, "0.006", "0", "0"},
        {2, "0.004", "0.01", "0.01"},
        {2, "1 1 1.009", "1.01 1 1.01", "3.02"},
        {2, "1.001 1.002", "1.02 1.03", "2.05"},
        {2, "1.001 1.002", "0.97 0.98", "1.95"},
        {0, "-0.5", "-2", "-2"},
    };
    for (size_t v = 0; v < sizeof given / sizeof *given; v++) {
        cm_decimal exact[8], rounded[8], expected[8];
        size_t count = parse_list(given[v].exact, exact);
        parse_list(given[v].rounded, expected);
        cr_assert(cm_round_lines_to_total(exact, count, given[v].places, amount(given[v].total), rounded));
        for (size_t i = 0; i < count; i++)
            cr_expect(cm_decimal_equal(rounded[i], expected[i]), "%s: line %zu", given[v].exact, i);
    }
    cm_decimal none;
    cr_expect(cm_round_lines_to_total(NULL, 0, 2, CM_DECIMAL_ZERO, &none));
    cr_expect_not(cm_round_lines_to_total(NULL, 0, 2, amount("0.01"), &none));
    cr_expect_not(cm_round_lines_to_total((cm_decimal[]){amount("1")}, 1, 2, amount("1.001"), &none));
}

static uint64_t state = 42;

static uint64_t next_random(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

enum { LINES_MOST = 300 };

static cm_i128 floor_div(cm_i128 a, cm_i128 b)
{
    cm_i128 q = a / b;
    return q - (a % b < 0);
}

/* Amounts of a kind: cents, long fractions, tiny, large, near one half of the unit. */
static cm_i128 random_units(cm_i128 unit, int kind)
{
    cm_i128 wide = ((cm_i128)(next_random() >> 2) << 32) ^ (cm_i128)next_random();
    bool negative = next_random() % 3 == 0;
    cm_i128 value;
    switch (kind) {
    case 0:
        value = (cm_i128)(next_random() % 100000) * (CM_DECIMAL_ONE_UNITS / 100);
        break;
    case 1:
        value = wide % ((cm_i128)1000000 * CM_DECIMAL_ONE_UNITS);
        break;
    case 2:
        value = wide % unit;
        break;
    case 3:
        value = (cm_i128)(next_random() % 1000) * unit + unit / 2 + (cm_i128)(next_random() % 3) - 1;
        break;
    default:
        value = wide % ((cm_i128)1000000000000 * CM_DECIMAL_ONE_UNITS);
        break;
    }
    return negative ? -value : value;
}

/* sum(lines) = subtotal = half away(sum of exact); every line is its floor or one unit more; larger remainders are
 * served first. */
Test(round, property_of_1000000_random_documents, .timeout = 120)
{
    static const int places[] = {0, 2, 2, 3}; /* JPY, USD, EUR, KWD */
    for (int n = 0; n < 1000000; n++) {
        cm_decimal exact[LINES_MOST], rounded[LINES_MOST], total;
        int place = places[next_random() % 4];
        size_t size = next_random() % 64, count = next_random() % (size == 0 ? LINES_MOST : size < 6 ? 24 : 6);
        cm_i128 unit = CM_DECIMAL_ONE_UNITS, sum = 0, lines_sum = 0, smallest_served = -1, largest_left = -1;
        for (int i = 0; i < place; i++)
            unit /= 10;
        for (size_t i = 0; i < count; i++) {
            exact[i].units = random_units(unit, (int)(next_random() % 5));
            sum += exact[i].units;
        }
        cr_assert(cm_round_lines_largest_remainder(exact, count, place, rounded, &total));
        cm_i128 magnitude = sum < 0 ? -sum : sum, half_away = (magnitude + unit / 2) / unit * unit;
        cr_assert(total.units == (sum < 0 ? -half_away : half_away),
                  "document %d: the total is not half away from zero", n);
        for (size_t i = 0; i < count; i++) {
            cm_i128 floor = floor_div(exact[i].units, unit) * unit, rest = exact[i].units - floor;
            lines_sum += rounded[i].units;
            cr_assert(rounded[i].units == floor || rounded[i].units == floor + unit,
                      "document %d: line %zu moved too far", n, i);
            if (rounded[i].units != floor)
                smallest_served = smallest_served < 0 || rest < smallest_served ? rest : smallest_served;
            else
                largest_left = rest > largest_left ? rest : largest_left;
        }
        cr_assert(lines_sum == total.units, "document %d: the lines do not add up to the total", n);
        cr_assert(smallest_served < 0 || largest_left <= smallest_served, "document %d: a smaller remainder was served",
                  n);
    }
}
