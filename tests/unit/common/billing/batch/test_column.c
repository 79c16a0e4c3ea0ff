/* DecimalColumn: the smallest scale at which all values are integers, else wide; nothing is lost. */
#include "billing/batch/column.h"
#include "billing/batch/wire.h"
#include "support.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static cm_decimal d(const char *text)
{
    cm_decimal v;
    cr_assert(cm_decimal_parse_strict(cm_slice_of(text), &v));
    return v;
}

/* By division, one scale after the other. */
static cm_column_form slow_choose(const cm_decimal *values, size_t count)
{
    for (int scale = 0; scale <= CM_DECIMAL_SCALE; scale++) {
        cm_i128 unit = 1;
        bool whole = true, fits = true;
        for (int i = scale; i < CM_DECIMAL_SCALE; i++)
            unit *= 10;
        for (size_t i = 0; i < count; i++) {
            cm_i128 q = values[i].units / unit;
            whole = whole && values[i].units % unit == 0;
            fits = fits && q >= INT64_MIN && q <= INT64_MAX;
        }
        if (whole)
            return fits ? (cm_column_form){scale, false} : (cm_column_form){CM_DECIMAL_SCALE, true};
    }
    abort();
}

static void round_trip(const cm_decimal *values, size_t count)
{
    cm_column_form form = cm_column_choose(values, count), expected = slow_choose(values, count);
    cr_assert_eq(form.scale, expected.scale);
    cr_assert_eq(form.wide, expected.wide);
    uint8_t *bytes = cm_alloc(64 + 16 * count);
    cm_decimal *got = cm_alloc(sizeof *got * (count + 1));
    uint8_t *end = cm_column_put(bytes, 5, values, count);
    cr_assert_leq((size_t)(end - bytes), 64 + 16 * count);
    cm_wire wire = {bytes, end};
    cm_wire_field field;
    cr_assert(cm_wire_next(&wire, &field) && field.number == 5 && wire.at == wire.end);
    size_t length = (size_t)(field.content.end - field.content.at);
    cr_assert(cm_column_get(field.content.at, length, got, count));
    for (size_t i = 0; i < count; i++)
        cr_assert(cm_decimal_equal(values[i], got[i]));
    cr_assert(!cm_column_get(field.content.at, length, got, count + 1));
    if (count > 1)
        cr_assert(!cm_column_get(field.content.at, length, got, count - 1));
    /* As a protobuf-c message: the same bytes both ways. */
    Curmill__V1__DecimalColumn *message = curmill__v1__decimal_column__unpack(NULL, length, field.content.at);
    cr_assert_not_null(message);
    cr_assert_eq(curmill__v1__decimal_column__get_packed_size(message), length);
    uint8_t *again = cm_alloc(length + 1);
    cr_assert_eq(curmill__v1__decimal_column__pack(message, again), length);
    cr_assert_eq(memcmp(again, field.content.at, length), 0);
    memset(got, 0, sizeof *got * count);
    cr_assert(cm_column_from_message(message, got, sizeof *got, count));
    cr_assert_eq(memcmp(got, values, sizeof *got * count), 0);
    curmill__v1__decimal_column__free_unpacked(message, NULL);
    cm_arena *arena = cm_arena_new(4096);
    message = cm_column_message(values, sizeof *values, count, arena);
    cr_assert_eq(curmill__v1__decimal_column__pack(message, again), length);
    cr_assert_eq(memcmp(again, field.content.at, length), 0);
    cm_arena_free(arena);
    free(again);
    free(bytes);
    free(got);
}

Test(column, examples)
{
    round_trip((cm_decimal[]){d("0"), d("0")}, 2);
    round_trip((cm_decimal[]){d("1"), d("-2.50")}, 2);
    round_trip((cm_decimal[]){d("9223372036854775807")}, 1);
    round_trip((cm_decimal[]){d("-9223372036854775808")}, 1);
    round_trip((cm_decimal[]){d("9223372036854775808")}, 1);
    round_trip((cm_decimal[]){d("0.000000000000000001"), d("9.223372036854775807")}, 2);
    round_trip((cm_decimal[]){d("0.000000000000000001"), d("9.223372036854775808")}, 2);
    round_trip((cm_decimal[]){{(cm_i128)((cm_u128)1 << 127)}, d("0.5")}, 2);
    round_trip((cm_decimal[]){{(cm_i128)(((cm_u128)1 << 127) - 1)}}, 1);
    cr_assert_eq(cm_column_choose((cm_decimal[]){d("0.25"), d("100")}, 2).scale, 2);
    cr_assert(cm_column_choose((cm_decimal[]){d("0.000000000000000001"), d("10")}, 2).wide);
}

Test(column, random_columns)
{
    enum { MOST = 40 };
    test_random random = {99};
    cm_decimal values[MOST];
    unsigned wide = 0;
    for (int i = 0; i < 4000; i++) {
        size_t count = 1 + test_below(&random, MOST);
        int scale = (int)test_below(&random, CM_DECIMAL_SCALE + 1);
        int bits = (int)test_below(&random, 128);
        for (size_t k = 0; k < count; k++) {
            values[k] = test_decimal(&random, scale);
            values[k].units = values[k].units / ((cm_i128)1 << (bits / 2));
            values[k].units -= values[k].units % (cm_i128)cm_column_unit(scale);
        }
        wide += cm_column_choose(values, count).wide;
        round_trip(values, count);
    }
    cr_assert(wide > 200 && wide < 3800, "%u of 4000 columns are wide", wide);
}

Test(column, damaged)
{
    cm_decimal got[2];
    cr_assert(!cm_column_get((const uint8_t *)"\x08\x13\x12\x01\x02", 5, got, 1), "scale 19");
    cr_assert(!cm_column_get((const uint8_t *)"\x12\x01\x82", 3, got, 1), "cut varint");
    cr_assert(!cm_column_get((const uint8_t *)"\x1a\x02xx", 4, got, 1), "wide of two bytes");
    cr_assert(!cm_column_get((const uint8_t *)"\x12\x01\x02\x1a\x10"
                                              "0123456789abcdef",
                             21, got, 1),
              "both");
    /* Not packed, and with a field of later versions: still read. */
    cr_assert(cm_column_get((const uint8_t *)"\x10\x02\x7a\x01x\x10\x01", 7, got, 2));
    cr_assert(got[0].units == CM_DECIMAL_ONE_UNITS && got[1].units == -CM_DECIMAL_ONE_UNITS);
}
