/* Varints: every length, against the definition. */
#include "billing/batch/wire.h"
#include "support.h"

#include <criterion/criterion.h>

static size_t plain_varint(uint8_t *at, uint64_t v)
{
    size_t n = 0;
    for (; v >= 0x80; v >>= 7)
        at[n++] = (uint8_t)(v | 0x80);
    at[n++] = (uint8_t)v;
    return n;
}

static void check(uint64_t v)
{
    uint8_t fast[CM_WIRE_VARINT_MAX + CM_WIRE_SLACK], plain[CM_WIRE_VARINT_MAX];
    size_t length = plain_varint(plain, v);
    cr_assert_eq((size_t)(cm_wire_put_varint(fast, v) - fast), length);
    cr_assert_eq(memcmp(fast, plain, length), 0);
    /* With and without bytes after it, and truncated. */
    for (size_t room = 0; room <= sizeof fast; room++) {
        uint64_t got = 0;
        uint8_t exact[sizeof fast];
        memset(exact, 0xff, sizeof exact);
        memcpy(exact, plain, length);
        cm_wire wire = {exact, exact + room};
        bool ok = cm_wire_varint(&wire, &got);
        cr_assert_eq(ok, room >= length);
        if (ok)
            cr_assert(got == v && wire.at == exact + length);
    }
}

Test(wire, varints_of_every_length)
{
    test_random random = {3};
    for (int bits = 0; bits < 64; bits++) {
        uint64_t top = UINT64_C(1) << bits;
        check(top);
        check(top - 1);
        check(top + 1);
        for (int i = 0; i < 200; i++)
            check(test_next(&random) >> bits);
    }
}

Test(wire, zigzag)
{
    cr_assert_eq(cm_wire_zigzag(0), 0);
    cr_assert_eq(cm_wire_zigzag(-1), 1);
    cr_assert_eq(cm_wire_zigzag(1), 2);
    cr_assert_eq(cm_wire_zigzag(INT64_MIN), UINT64_MAX);
    test_random random = {4};
    for (int i = 0; i < 10000; i++) {
        int64_t v = (int64_t)test_next(&random) >> test_below(&random, 64);
        cr_assert_eq(cm_wire_unzigzag(cm_wire_zigzag(v)), v);
    }
}

Test(wire, invalid_messages)
{
    static const struct {
        const char *bytes;
        size_t length;
    } bad[] = {{"\x08", 1},
               {"\x0b\x0c", 2},
               {"\x0e\x01", 2},
               {"\x0a\x05"
                "ab",
                4},
               {"\x09"
                "1234567",
                8},
               {"\x0d"
                "123",
                4},
               {"\x00\x01", 2},
               {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        cm_wire wire = {(const uint8_t *)bad[i].bytes, (const uint8_t *)bad[i].bytes + bad[i].length};
        cm_wire_field field;
        while (cm_wire_next(&wire, &field))
            ;
        cr_assert_null(wire.at, "case %zu", i);
    }
}
