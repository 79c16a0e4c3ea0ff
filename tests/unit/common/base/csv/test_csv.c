/* The one CSV writer: RFC 4180, and nothing that a spreadsheet would run. */
#include "base/csv/csv.h"

#include <criterion/criterion.h>

typedef struct vector {
    const char *text, *cell;
} vector;

static void check(void (*write)(cm_buffer *, cm_slice), const vector *v)
{
    cm_buffer row = {0};
    write(&row, cm_slice_of(v->text));
    cr_expect_str_eq(cm_buffer_string(&row), v->cell, "%s", v->text);
    cm_buffer_free(&row);
}

Test(csv, text)
{
    static const vector vectors[] = {
        {"", ""},
        {"Acme GmbH", "Acme GmbH"},
        {"a, b", "\"a, b\""},
        {"say \"x\"", "\"say \"\"x\"\"\""},
        {"two\r\nlines", "\"two\r\nlines\""},
        {"=1+1 managed", "'=1+1 managed"},
        {"@evil", "'@evil"},
        {"-GB", "'-GB"},
        {"+49 30 1", "'+49 30 1"},
        {"-5", "'-5"}, /* a column of text */
        {"=HYPERLINK(\"http://x\",\"y\")", "\"'=HYPERLINK(\"\"http://x\"\",\"\"y\"\")\""},
        {"\t=1", "'\t=1"},
        {"\r=1", "\"'\r=1\""},
        {"\n=1", "\"'\n=1\""},
        {"\xef\xbc\x9d"
         "1",
         "'\xef\xbc\x9d"
         "1"},
        {"\xef\xbc\xa0x", "'\xef\xbc\xa0x"},
        {"\xef\xbc\xa1x", "\xef\xbc\xa1x"}, /* a wide A */
        {"1-2", "1-2"},
    };
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++)
        check(cm_csv_text, &vectors[i]);
}

Test(csv, number)
{
    static const vector vectors[] = {
        {"", ""},        {"0", "0"},      {"-12.5", "-12.5"},    {"1e5", "1e5"}, {"-1+1", "'-1+1"},  {"-", "'-"},
        {"-.5", "'-.5"}, {"-1.", "'-1."}, {"-1.2.3", "'-1.2.3"}, {"=5", "'=5"},  {"1,5", "\"1,5\""},
    };
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++)
        check(cm_csv_number, &vectors[i]);
}

Test(csv, row)
{
    cm_buffer row = {0};
    cm_csv_text(&row, cm_slice_of("a"));
    cm_csv_next(&row);
    cm_csv_number(&row, cm_slice_of("-1"));
    cm_csv_end(&row);
    cr_expect_str_eq(cm_buffer_string(&row), "a,-1\r\n");
    cm_buffer_free(&row);
}
