/* Two real reports, where they are present: exact sums from their README. */
#include "support.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *samples(void)
{
    const char *folder = getenv("CURMILL_SAMPLES");
    return folder ? folder : SOURCE_DIR "/../shared/samples";
}

static bool load(const char *name, cm_buffer *ret)
{
    char path[1024], piece[65536];
    snprintf(path, sizeof path, "%s/%s", samples(), name);
    int fd = open(path, O_RDONLY);
    if (fd < 0)
        return false;
    for (ssize_t n; (n = read(fd, piece, sizeof piece)) > 0;)
        cm_buffer_append(ret, piece, (size_t)n);
    close(fd);
    return true;
}

struct expected {
    const char *file, *payer;
    cm_period period;
    int columns;
    uint64_t rows;
    const char *sum;
    struct {
        const char *type, *sum;
    } by_type[3];
};

static void check(const struct expected *expected)
{
    cm_buffer bytes = {0};
    cm_place place;
    cm_error err = {0};
    const cm_line *line;
    cm_decimal sum = {0}, by_type[3] = {0};
    char text[CM_DECIMAL_TEXT];
    uint64_t rows = 0;
    if (!load(expected->file, &bytes))
        cr_skip_test("no sample %s in %s", expected->file, samples());
    cm_reader *reader =
        cm_reader_new(test_stream(bytes.data, bytes.length, 0, 0), cm_compression_of_name(expected->file),
                      expected->payer, expected->period, &place, &err);
    cr_assert_not_null(reader, "%s", err.text);
    cr_assert_eq(cm_reader_column_count(reader), expected->columns);
    for (;;) {
        cr_assert(cm_reader_next(reader, &line, &place, &err), "row %lu, %s: %s", place.row, place.column, err.text);
        if (!line)
            break;
        rows++;
        cr_assert_eq(line->row, rows);
        cr_assert_eq(line->rounded, 0);
        cr_assert_eq(line->kind.flags & CM_KIND_FINAL, 0, "both samples were delivered before the month was final");
        cr_assert(cm_slice_is(line->kind.currency, "USD"));
        cr_assert(cm_decimal_accumulate(&sum, line->cost));
        for (int i = 0; i < 3; i++)
            if (expected->by_type[i].type && cm_slice_is(line->kind.line_item_type, expected->by_type[i].type))
                cr_assert(cm_decimal_accumulate(&by_type[i], line->cost));
    }
    cr_assert_eq(rows, expected->rows);
    cm_decimal_print(sum, text);
    cr_assert_str_eq(text, expected->sum);
    for (int i = 0; i < 3; i++) {
        if (!expected->by_type[i].type)
            continue;
        cm_decimal_print(by_type[i], text);
        cr_assert_str_eq(text, expected->by_type[i].sum);
    }
    cm_reader_free(reader);
    cm_buffer_free(&bytes);
}

Test(samples, legacy_daily)
{
    static const struct expected expected = {
        "cur-legacy-daily/sample-00001.csv.gz",      "123412340534", {2023, 11}, 94, 1281, "1.6823086974",
        {{"Usage", "1.6023086974"}, {"Tax", "0.08"}}};
    check(&expected);
}

Test(samples, cur2_daily)
{
    static const struct expected expected = {
        "cur-2.0-daily/ha-project-CUR-daily-1/data/BILLING_PERIOD=2026-04/ha-project-CUR-daily-1-00001.csv.gz",
        "012345678917",
        {2026, 4},
        127,
        1882,
        "-0.0000000676",
        {{"Usage", "47.6816938322"}, {"Credit", "-47.6816938998"}, {"Tax", "0"}}};
    check(&expected);
}
