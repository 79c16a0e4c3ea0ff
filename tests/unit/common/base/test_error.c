#include "base/base/error.h"

#include <criterion/criterion.h>
#include <string.h>

Test(error, fill_and_context)
{
    cm_error err;
    cr_assert_not(cm_fail(&err, CM_ERROR_POISON, "NOT_A_NUMBER", "row %d: %s", 7, "x"));
    cr_assert_eq(err.class, CM_ERROR_POISON);
    cr_assert_str_eq(err.code, "NOT_A_NUMBER");
    cr_assert_str_eq(err.text, "row 7: x");
    cr_assert_not(cm_fail_context(&err, "chunk %s", "c1"));
    cr_assert_str_eq(err.text, "chunk c1: row 7: x");
    cr_assert_not(cm_fail(&err, CM_ERROR_RETRY, err.code, "again: %s", err.text));
    cr_assert_str_eq(err.text, "again: chunk c1: row 7: x", "arguments may point into the error itself");
    cr_assert_str_eq(err.code, "NOT_A_NUMBER");
    cm_error_clear(&err);
    cr_assert(err.class == CM_ERROR_NONE && !*err.code && !*err.text);
    cr_assert_not(cm_fail(NULL, CM_ERROR_BUG, NULL, "nobody listens"));
    cr_assert_not(cm_fail_context(NULL, "nobody listens"));
}

Test(error, long_texts_are_cut)
{
    cm_error err;
    char longer[3 * CM_ERROR_TEXT_MAX];
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = 0;
    cm_fail(&err, CM_ERROR_FATAL, longer, "%s", longer);
    cr_assert_eq(strlen(err.text), CM_ERROR_TEXT_MAX - 1u);
    cr_assert_eq(strlen(err.code), sizeof err.code - 1);
    cm_fail_context(&err, "%s", "why");
    cr_assert_eq(strlen(err.text), CM_ERROR_TEXT_MAX - 1u);
    cr_assert_eq(strncmp(err.text, "why: xxx", 8), 0);
    cm_fail_context(&err, "%s", longer);
    cr_assert_eq(strlen(err.text), CM_ERROR_TEXT_MAX - 1u);
}

/* cli.md: exit codes */
Test(error, exit_codes)
{
    static const struct {
        enum cm_error_class class;
        int code;
        const char *name;
    } expected[] = {
        {CM_ERROR_NONE, 0, "NONE"},           {CM_ERROR_INVALID, 1, "INVALID"},
        {CM_ERROR_REFUSED, 2, "REFUSED"},     {CM_ERROR_POISON, 2, "POISON"},
        {CM_ERROR_NOT_FOUND, 3, "NOT_FOUND"}, {CM_ERROR_RETRY, 4, "RETRY"},
        {CM_ERROR_FENCED, 4, "FENCED"},       {CM_ERROR_BUG, 70, "BUG"},
        {CM_ERROR_FATAL, 71, "FATAL"},
    };
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        cm_error err = {.class = expected[i].class};
        cr_expect_eq(cm_error_exit_code(&err), expected[i].code);
        cr_expect_str_eq(cm_error_class_name(expected[i].class), expected[i].name);
    }
}

Test(error, a_bug_ends_the_process, .exit_code = 70)
{
    int one = 1;
    cm_assert(one == 2);
}
