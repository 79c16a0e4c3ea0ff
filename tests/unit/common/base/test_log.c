#include "base/log/log.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static char caught[4096];
static int lines;

static void sink(const char *line, void *opaque)
{
    (void)opaque;
    snprintf(caught, sizeof caught, "%s", line);
    lines++;
}

static void catch_lines(enum cm_log_level level, bool json)
{
    cm_log_setup("rate-engine", "tdsynnex", level, json);
    cm_log_capture(sink, NULL);
}

/* The line without its time, whose format is checked. */
static const char *without_time(const char *prefix)
{
    size_t before = strlen(prefix), length = strlen("2025-06-01T00:00:00.000Z");
    cr_assert_eq(strncmp(caught, prefix, before), 0, "%s", caught);
    const char *time = caught + before;
    cr_assert(time[10] == 'T' && time[19] == '.' && time[length - 1] == 'Z', "%s", caught);
    return time + length;
}

Test(log, logfmt)
{
    catch_lines(CM_INFO, false);
    cm_log(CM_INFO, "delivery registered", "payer", "111122223333", "note", "a \"b\" c=d\n\x01\\", "empty", "", "null",
           NULL, NULL);
    cr_assert_str_eq(without_time("time="),
                     " level=info worker=rate-engine lane=tdsynnex msg=\"delivery registered\" payer=111122223333 "
                     "note=\"a \\\"b\\\" c=d\\n\\u0001\\\\\" empty=\"\" null=\"\"");
    cm_log(CM_DEBUG, "not shown", NULL);
    cr_assert_eq(lines, 1);
    cm_log(CM_WARN, "shown", NULL);
    cr_assert_eq(lines, 2);
}

Test(log, json)
{
    catch_lines(CM_DEBUG, true);
    cm_log(CM_DEBUG, "x", "name", "M\xc3\xbcller \"&\" \xff\xe2\x82", "tab", "a\tb", NULL);
    cr_assert_str_eq(without_time("{\"time\":\""),
                     "\",\"level\":\"debug\",\"worker\":\"rate-engine\",\"lane\":\"tdsynnex\",\"msg\":\"x\","
                     "\"name\":\"M\xc3\xbcller \\\"&\\\" \\ufffd\\ufffd\\ufffd\",\"tab\":\"a\\u0009b\"}");
}

Test(log, errors)
{
    cm_error err;
    catch_lines(CM_ERROR, false);
    cm_fail(&err, CM_ERROR_POISON, "NOT_A_NUMBER", "row 7");
    cm_log_error(CM_ERROR, "batch set aside", &err, "topic", "t", NULL);
    cr_assert_str_eq(without_time("time="), " level=error worker=rate-engine lane=tdsynnex msg=\"batch set aside\" "
                                            "topic=t class=POISON code=NOT_A_NUMBER error=\"row 7\"");
}

Test(log, levels)
{
    enum cm_log_level level = CM_DEBUG;
    cr_assert(cm_log_level_parse("warn", &level) && level == CM_WARN);
    cr_assert_not(cm_log_level_parse("warning", &level));
    cr_assert_not(cm_log_level_parse("", &level));
}

Test(log, numbers_stay_valid_for_one_line)
{
    const char *texts[16];
    for (int i = 0; i < 16; i++)
        texts[i] = cm_log_i64(i - 8);
    for (int i = 0; i < 16; i++) {
        char expected[24];
        snprintf(expected, sizeof expected, "%d", i - 8);
        cr_expect_str_eq(texts[i], expected);
    }
    cr_expect_str_eq(cm_log_i64(-9223372036854775807LL - 1), "-9223372036854775808");
}
