/* PDF: the same bytes for the same record, whenever it is printed (I09). The content of the pages is checked in
 * tests/integration/test_print.py. */
#include "base/decimal/decimal.h"
#include "billing/print/paper.h"
#include "record.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static cm_buffer pdf_of(json_t *record, enum cm_view view)
{
    cm_error err = {0};
    cm_buffer out = {0};
    json_t *made = test_view(record, view);
    cr_assert(cm_view_pdf(made, &out, &err), "%s", err.text);
    json_decref(made);
    cr_assert(out.length > 1000 && memcmp(out.data, "%PDF-1.", 7) == 0);
    return out;
}

/* What pdfinfo says of the file: newer versions of cairo compress the dates. */
static bool info_holds(const cm_buffer *bytes, const char *text)
{
    char path[] = "/tmp/curmill-pdf-XXXXXX", command[100], said[4096];
    int file = mkstemp(path);
    cr_assert(file >= 0 && write(file, bytes->data, bytes->length) == (ssize_t)bytes->length);
    close(file);
    snprintf(command, sizeof command, "pdfinfo -rawdates %s", path);
    FILE *pipe = popen(command, "r");
    said[fread(said, 1, sizeof said - 1, pipe)] = 0;
    cr_assert_eq(pclose(pipe), 0, "%s", command);
    unlink(path);
    return strstr(said, text) != NULL;
}

Test(pdf, I09_a_reprint_is_the_same_bytes)
{
    for (int view = 0; view < CM_VIEW_COUNT; view++) {
        cm_buffer first = pdf_of(test_record(), (enum cm_view)view);
        struct timespec second = {1, 100000000};
        nanosleep(&second, NULL); /* another second of the clock */
        cm_buffer again = pdf_of(test_record(), (enum cm_view)view);
        cr_assert(first.length == again.length && memcmp(first.data, again.data, first.length) == 0);
        cr_assert(info_holds(&first, "20250720000000Z\n") && !info_holds(&first, "20250720112131"));
        cm_buffer_free(&first);
        cm_buffer_free(&again);
    }
}

/* The uncompressed parts contain nothing that the customer may not know; the rest is read in test_print.py. */
Test(pdf, P13_the_same_view_creates_it)
{
    json_t *record = test_record();
    cm_buffer with = pdf_of(json_incref(record), CM_VIEW_CUSTOMER);
    json_object_del(record, "margin");
    json_object_del(record, "overrides");
    json_object_del(json_object_get(record, "settings"), "remit_to");
    cm_buffer without = pdf_of(record, CM_VIEW_CUSTOMER);
    cr_assert(with.length == without.length && memcmp(with.data, without.data, with.length) == 0);
    cm_buffer_free(&with);
    cm_buffer_free(&without);
}

Test(pdf, a_logo_that_cannot_be_read_is_left_out)
{
    static const char *const logos[] = {"data:image/png;base64,AAAA", "data:image/png;base64,???",
                                        "data:image/png;base64,", "logo.png"};
    for (size_t i = 0; i < 4; i++) {
        json_t *record = test_record();
        json_object_set_new(
            json_object_get(json_object_get(json_object_get(record, "settings"), "parties"), "reseller"), "logo",
            json_string(logos[i]));
        cm_buffer pdf = pdf_of(record, CM_VIEW_CUSTOMER);
        cm_buffer_free(&pdf);
    }
}

/* Thousands separators, as many decimals as the currency has, half away from zero. */
Test(pdf, figures_as_people_read_them)
{
    static const struct {
        const char *amount;
        int digits;
        const char *money;
    } cases[] = {{"0", 2, "0.00"},
                 {"12.5", 2, "12.50"},
                 {"-3", 2, "-3.00"},
                 {"1234567.1", 3, "1,234,567.100"},
                 {"-1234", 0, "-1,234"},
                 {"-123", 0, "-123"},
                 {"999", 0, "999"},
                 {"1000", 0, "1,000"},
                 {"-0.0000001", 6, "0.000000"},
                 {"0.0000005", 6, "0.000001"},
                 {"100000.005", 2, "100,000.01"}};
    char text[CM_MONEY_TEXT];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        cr_expect_str_eq(cm_money(cases[i].amount, cases[i].digits, text), cases[i].money);
    cr_expect_str_eq(cm_quantity("1234567.1234567", text), "1,234,567.123457");
    cr_expect_str_eq(cm_quantity("730", text), "730");
    cr_expect_str_eq(cm_class_label("covered_usage", text), "Covered usage");
    cr_expect_str_eq(cm_class_label("reseller_credit", text), "Credit");
}
