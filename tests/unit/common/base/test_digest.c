#include "base/digest/digest.h"

#include <criterion/criterion.h>
#include <string.h>

/* FIPS 180-2, appendix B */
Test(digest, known_values)
{
    static const char *const examples[][2] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    };
    for (size_t i = 0; i < 3; i++) {
        uint8_t bytes[CM_SHA256_BYTES];
        char hex[CM_SHA256_HEX];
        cm_sha256(examples[i][0], strlen(examples[i][0]), bytes);
        cm_hex(bytes, sizeof bytes, hex);
        cr_expect_str_eq(hex, examples[i][1]);
        cm_digest *digest = cm_digest_new();
        for (const char *c = examples[i][0]; *c; c++)
            cm_digest_raw(digest, c, 1);
        cm_digest_finish_hex(digest, hex);
        cr_expect_str_eq(hex, examples[i][1]);
    }
}

static void id_of(const char *first, const char *second, char id[static CM_ID_HEX])
{
    cm_digest *digest = cm_digest_new();
    cm_digest_text(digest, first);
    cm_digest_field(digest, second, strlen(second));
    cm_digest_finish_id(digest, id);
}

Test(digest, fields_do_not_run_into_each_other)
{
    char a[CM_ID_HEX], b[CM_ID_HEX];
    id_of("ab", "c", a);
    id_of("a", "bc", b);
    cr_assert_str_neq(a, b);
    id_of("ab", "c", b);
    cr_assert_str_eq(a, b);
    /* sha256 of 02 00.. "ab" 01 00.. "c": identities in a database must not change with a version */
    uint8_t bytes[CM_SHA256_BYTES];
    cm_sha256("\2\0\0\0\0\0\0\0ab\1\0\0\0\0\0\0\0c", 19, bytes);
    cm_hex(bytes, CM_ID_BYTES, b);
    cr_assert_str_eq(a, b);
}

Test(digest, identity_and_bytes)
{
    uint8_t bytes[CM_ID_BYTES];
    char hex[CM_ID_HEX];
    cr_assert(cm_id_bytes("00ff10aB00000000000000000000007f", bytes));
    cm_hex(bytes, sizeof bytes, hex);
    cr_assert_str_eq(hex, "00ff10ab00000000000000000000007f");
    cr_assert_not(cm_id_bytes("", bytes));
    cr_assert_not(cm_id_bytes("00ff", bytes));
    cr_assert_not(cm_id_bytes("00ff10ab00000000000000000000007", bytes));
    cr_assert_not(cm_id_bytes("00ff10ab00000000000000000000007f0", bytes));
    cr_assert_not(cm_id_bytes("00ff10ag00000000000000000000007f", bytes));
}
