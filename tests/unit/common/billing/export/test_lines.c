#include "billing/export/invoice_ids.h"
#include "billing/export/lines.h"
#include "support.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

/* A report of four lines: the customer's usage, its discount without a price, another customer's, and one more of
 * usage. */
#define HEADER                                                                                                         \
    "bill/PayerAccountId,bill/BillingPeriodStartDate,bill/InvoiceId,lineItem/UsageAccountId,lineItem/LineItemType,"    \
    "lineItem/ProductCode,lineItem/UsageType,lineItem/UsageStartDate,lineItem/UsageAmount,lineItem/CurrencyCode,"      \
    "lineItem/UnblendedCost,pricing/publicOnDemandCost\n"
#define LINE(invoice, account, type, product, cost, list)                                                              \
    TDS ",2025-06-01T00:00:00Z," invoice "," account "," type "," product ",BoxUsage,2025-06-10T00:00:00Z,1,USD," cost \
        "," list "\n"
static const char report[] = HEADER LINE("INV1", ACCOUNT, "Usage", "AmazonEC2", "10", "20")
    LINE("INV1", ACCOUNT, "EdpDiscount", "AmazonEC2", "-1", "-1") LINE("INV2", OTHER, "Usage", "AmazonEC2", "3", "4")
        LINE("", ACCOUNT, "Usage", "\"Amazon,S3\"", "5", "10");

typedef struct text_stream {
    cm_stream stream;
    const char *at;
} text_stream;

static bool read_text(cm_stream *stream, void *into, size_t size, size_t *ret_read, cm_error *err)
{
    text_stream *s = (text_stream *)stream;
    (void)err;
    *ret_read = strnlen(s->at, size);
    memcpy(into, s->at, *ret_read);
    s->at += *ret_read;
    return true;
}

static void close_text(cm_stream *stream)
{
    free(stream);
}

static cm_reader *reader_of(const char *text)
{
    cm_place place;
    cm_error err = {0};
    text_stream *s = cm_alloc(sizeof *s);
    *s = (text_stream){{.read = read_text, .close = close_text}, text};
    cm_reader *reader = cm_reader_new(&s->stream, CM_COMPRESSION_NONE, TDS, june, &place, &err);
    cr_assert(reader, "%s", err.text);
    return reader;
}

typedef struct exported {
    cm_catalog *catalog;
    cm_rater *rater;
    cm_line_export_order order;
    char *text;
    size_t length;
} exported;

static bool run_export(exported *e, const char *text, cm_error *err)
{
    char *customers = customer_text("acme", "", ACCOUNT, TDS, NULL),
         *others = customer_text("globex", "", OTHER, TDS, NULL);
    char *both;
    cr_assert(asprintf(&both, "%s%s", customers, others) > 0);
    *e = (exported){.catalog = catalog_of(both)};
    free(customers);
    free(others);
    free(both);
    e->rater = cm_rater_new(e->catalog, TDS, june, err);
    cr_assert(e->rater, "%s", err->text);
    e->order = (cm_line_export_order){.customer = "acme", .currency = "USD", .sums = cm_export_sums_new()};
    e->order.out = open_memstream(&e->text, &e->length);
    cm_line_export *lines = cm_line_export_new(&e->order);
    const cm_export_file file = {
        .reader = reader_of(text), .rater = e->rater, .name = "june.csv", .run = "50926ac29f77", .chunk = 7};
    bool done = cm_line_export_file(lines, &file, err);
    cm_reader_free(file.reader);
    cm_line_export_free(lines);
    fflush(e->order.out);
    return done;
}

static void end(exported *e)
{
    fclose(e->order.out);
    free(e->text);
    cm_export_sums_free(e->order.sums);
    cm_rater_free(e->rater);
    cm_catalog_free(e->catalog);
}

/* P13: only the customer's own lines at its own price (list + 10 %); discounts that stay with the reseller are not
 * shown. */
Test(export_lines, a_customer_sees_its_own_lines_and_price_P13)
{
    exported e;
    cm_error err = {0};
    char total[CM_DECIMAL_TEXT];
    cr_assert(run_export(&e, report, &err), "%s", err.text);
    cr_expect_str_eq(e.text, "line,50926ac29f77,7:1,2025-06-10T00:00:00Z," ACCOUNT
                             ",AmazonEC2,BoxUsage,,,,usage,Usage,1,USD,22,,,,22\r\n"
                             "line,50926ac29f77,7:4,2025-06-10T00:00:00Z," ACCOUNT
                             ",\"Amazon,S3\",BoxUsage,,,,usage,Usage,1,USD,11,,,,11\r\n");
    cr_expect_eq(e.order.lines, 2);
    cr_expect_eq(e.order.hidden, 1);
    cm_decimal_print(e.order.total, total);
    cr_expect_str_eq(total, "33");
    end(&e);
}

Test(export_lines, bad_input_names_file_and_row)
{
    exported e;
    cm_error err = {0};
    cr_assert_not(run_export(&e,
                             HEADER LINE("", ACCOUNT, "Usage", "AmazonEC2", "10", "20")
                                 LINE("", ACCOUNT, "Usage", "AmazonEC2", "ten", "20"),
                             &err));
    cr_expect_str_eq(err.code, "NOT_A_NUMBER");
    cr_expect(strstr(err.text, "june.csv, row 2"), "%s", err.text);
    end(&e);
}

/* Rows of the month: tiers belong to a line of the document, the others are lines of their own, converted. */
Test(export_lines, rows_of_the_month_are_added_to_their_sums)
{
    exported e;
    cm_error err = {0};
    cm_decimal rate, total;
    cr_assert(run_export(&e, report, &err), "%s", err.text);
    cr_assert(cm_decimal_parse_strict(cm_slice_of("0.5"), &rate));
    e.order.rate = &rate;
    e.order.number = "N-7";
    e.order.document_currency = "EUR";
    e.order.rate_text = "0.5";
    json_t *rows =
        json_pack("[{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}]", "step", "support", "account", ACCOUNT, "product",
                  "AWSSupport", "usage_type", "x", "unit", "", "class", "support", "quantity", "1", "amount", "4");
    cr_assert(cm_line_export_rows(&e.order, rows, &err), "%s", err.text);
    json_decref(rows);
    fflush(e.order.out);
    cr_expect(strstr(e.text, "support,,,," ACCOUNT ",AWSSupport,x,,,,support,,1,USD,4,N-7,EUR,0.5,2\r\n"), "%s",
              e.text);
    const cm_slice
        ec2[] = {cm_slice_of(ACCOUNT), cm_slice_of("AmazonEC2"), cm_slice_of("BoxUsage"), {0}, cm_slice_of("usage")},
        s3[] = {cm_slice_of(ACCOUNT), cm_slice_of("Amazon,S3"), cm_slice_of("BoxUsage"), {0}, cm_slice_of("usage")},
        support[] = {cm_slice_of(ACCOUNT), cm_slice_of("AWSSupport"), cm_slice_of("x"), {0}, cm_slice_of("support")};
    cm_export_sums_at(e.order.sums, ec2)->wanted = decimal_of("11");
    cm_export_sums_at(e.order.sums, s3)->wanted = decimal_of("5.5");
    cm_export_sums_at(e.order.sums, support)->wanted = decimal_of("2");
    cr_expect(cm_export_sums_compare(e.order.sums, &rate, false, &total, &err), "%s", err.text);
    end(&e);
}

/* In the document's currency: each part of a line is what it adds to the converted sum, so the parts are the line. */
Test(export_lines, parts_of_a_line_add_up_after_conversion)
{
    cm_export_sums *sums = cm_export_sums_new();
    const cm_slice key[CM_EXPORT_KEY] = {{0}, {0}, {0}, {0}, {0}};
    cm_export_sum *sum = cm_export_sums_at(sums, key);
    cm_decimal rate = decimal_of("0.333333333333333333"), part, total = CM_DECIMAL_ZERO, wanted;
    for (int i = 0; i < 1000; i++)
        cr_assert(cm_export_sum_add(sum, decimal_of("0.000000000000000001"), &rate, &part) &&
                  cm_decimal_accumulate(&total, part));
    cr_assert(cm_export_convert(decimal_of("0.000000000000001"), &rate, &wanted));
    cr_expect(cm_decimal_equal(total, wanted) && !cm_decimal_is_zero(total)); /* each alone would be 0 */
    cm_export_sums_free(sums);
}

/* A credit note: its differences, as they stand on it, in the document's currency. */
Test(export_lines, a_credit_note)
{
    char *text = NULL;
    size_t length = 0;
    cm_error err = {0};
    cm_line_export_order order = {.customer = "acme",
                                  .currency = "USD",
                                  .number = "N-8",
                                  .document_currency = "EUR",
                                  .rate_text = "0.5",
                                  .out = open_memstream(&text, &length)};
    json_t *lines =
        json_pack("[{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}, {s:s, s:s}]", "customer", "acme", "account", ACCOUNT,
                  "product", "AmazonEC2", "usage_type", "BoxUsage", "unit", "Hrs", "class", "usage", "quantity", "-1",
                  "amount_exact", "-2.5", "customer", "globex", "amount_exact", "7");
    cr_assert(cm_line_export_correction(&order, "credit_note", lines, &err), "%s", err.text);
    fclose(order.out);
    cr_expect_str_eq(text, "credit_note,,,," ACCOUNT ",AmazonEC2,BoxUsage,,,Hrs,usage,,-1,,,N-8,EUR,0.5,-2.5\r\n");
    cr_expect_eq(order.lines, 1);
    json_decref(lines);
    free(text);
}

Test(export_lines, a_full_disk_is_told)
{
    exported e;
    cm_error err = {0};
    cr_assert(run_export(&e, report, &err), "%s", err.text);
    FILE *full = fopen("/dev/full", "w");
    cr_assert(full);
    setvbuf(full, NULL, _IONBF, 0);
    FILE *kept = e.order.out;
    e.order.out = full;
    cm_line_export *lines = cm_line_export_new(&e.order);
    const cm_export_file file = {
        .reader = reader_of(report), .rater = e.rater, .name = "june.csv", .run = "r", .chunk = 1};
    cr_expect_not(cm_line_export_file(lines, &file, &err));
    cr_expect(err.class == CM_ERROR_RETRY && strcmp(err.code, "OUTPUT") == 0, "%s", err.text);
    cm_reader_free(file.reader);
    cm_line_export_free(lines);
    e.order.out = kept;
    fclose(full);
    end(&e);
}

/* R11: an invoice of AWS is compared by InvoiceId. */
Test(invoice_ids, charges_are_added_up_by_invoice_R11)
{
    cm_arena *arena = cm_arena_new(4096);
    cm_invoice_format format = {0};
    cm_invoice_sums sums = {.format = &format, .currency = "USD", .arena = arena};
    cm_error err = {0};
    cm_reader *reader = reader_of(report);
    cr_assert(cm_invoice_sums_file(&sums, reader, "june.csv", &err), "%s", err.text);
    cm_reader_free(reader);
    cr_assert_eq(sums.count, 2);
    cr_expect_str_eq(sums.list[0].account, "INV1");
    cr_expect(cm_decimal_equal(sums.list[0].amount, decimal_of("9")));
    cr_expect_str_eq(sums.list[1].account, "INV2");
    cr_expect(cm_decimal_equal(sums.list[1].amount, decimal_of("3")));
    cr_expect_eq(sums.without, 1);
    sums.currency = "EUR";
    reader = reader_of(report);
    cr_expect_not(cm_invoice_sums_file(&sums, reader, "june.csv", &err));
    cr_expect(strcmp(err.code, "CURRENCY") == 0 && strstr(err.text, "june.csv, row"), "%s", err.text);
    cm_reader_free(reader);
    free(sums.list);
    cm_arena_free(arena);
}
