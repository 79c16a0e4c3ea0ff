/* Columns, oddities of the format and errors with their place (formats.md section 1). Rules: O14, N04. */
#include "support.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char many[64 * 1024];

#define READ(text, place, err) test_read_all(text, strlen(text), 0, place, err)

/* How reading `text` fails. */
static void expect_error(const char *text, const char *code, uint64_t row, uint64_t line, const char *column)
{
    /* Whole, and in reads of one byte. */
    for (size_t most = 0; most < 2; most++) {
        cm_place place;
        cm_error err = {0};
        cr_assert_eq(test_read_all(text, strlen(text), most, &place, &err), -1, "no error %s", code);
        cr_assert_str_eq(err.code, code, "%s, expected %s: %s", err.code, code, err.text);
        cr_assert_eq(err.class, CM_ERROR_POISON);
        cr_assert_eq(place.row, row, "row %lu, expected %lu: %s", place.row, row, err.text);
        cr_assert_eq(place.line, line, "line %lu, expected %lu: %s", place.line, line, err.text);
        cr_assert_str_eq(place.column, column, "column %s, expected %s: %s", place.column, column, err.text);
        cr_assert(strlen(err.text) > 10);
    }
    cr_assert_eq(test_open_streams(), 0);
}

static const cm_line *first_line(cm_reader **ret_reader, const char *text)
{
    cm_place place;
    cm_error err = {0};
    const cm_line *line;
    *ret_reader = test_reader(text, strlen(text), 0, &place, &err);
    cr_assert_not_null(*ret_reader, "%s", err.text);
    cr_assert(cm_reader_next(*ret_reader, &line, &place, &err), "%s: %s", err.code, err.text);
    cr_assert_not_null(line);
    return line;
}

static void expect_text(cm_slice got, const char *expected)
{
    cr_assert(cm_slice_is(got, expected), "\"%.*s\", expected \"%s\"", CM_SLICE(got), expected);
}

static void expect_decimal(cm_decimal got, const char *expected)
{
    char text[CM_DECIMAL_TEXT];
    cm_decimal_print(got, text);
    cr_assert_str_eq(text, expected);
}

Test(reader, every_value_of_a_line)
{
    cm_reader *reader;
    const char *text = HEADER "\n" ROW "\n";
    const cm_line *line = first_line(&reader, text);
    char at[CM_INSTANT_TEXT];
    cr_assert_eq(line->row, 1);
    expect_text(line->kind.usage_account, "444455556666");
    expect_text(line->kind.line_item_type, "Usage");
    expect_text(line->kind.product_code, "AmazonEC2");
    expect_text(line->kind.usage_type, "BoxUsage:m5.large");
    expect_text(line->kind.operation, "RunInstances");
    expect_text(line->kind.region, "eu-west-1");
    expect_text(line->kind.unit, "Hrs");
    expect_text(line->kind.sku, "ABC");
    expect_text(line->kind.billing_entity, "AWS");
    expect_text(line->kind.currency, "USD");
    cr_assert_eq(line->kind.flags, 0);
    cr_assert_str_eq(cm_instant_print(line->start, at), "2025-06-03T04:00:00Z");
    expect_decimal(line->quantity, "1");
    expect_decimal(line->cost, "0.096");
    expect_decimal(line->list_cost, "0.1");
    cr_assert_eq(line->rounded, 0);
    expect_text(cm_reader_raw_row(reader), ROW);
    cr_assert_eq(cm_reader_column_count(reader), 21);
    expect_text(cm_reader_column_name(reader, 14), "lineItem/LineItemDescription");
    expect_text(cm_reader_column_value(reader, 14), "$0.096 per, hour");
    expect_text(cm_reader_column_value(reader, 0), "id1");
    expect_text(cm_reader_column_value(reader, 21), "");
    cm_reader_free(reader);
}

Test(reader, cur2_names_in_another_order)
{
    cm_reader *reader;
    const cm_line *line = first_line(
        &reader, "line_item_unblended_cost,line_item_currency_code,reservation_reservation_a_r_n,bill_invoice_id,"
                 "product_region_code,"
                 "line_item_usage_start_date,line_item_usage_type,line_item_product_code,line_item_line_item_type,"
                 "line_item_usage_account_id,bill_billing_period_start_date,bill_payer_account_id,product\n"
                 "-7.0E-10,USD,arn:x,INV1,us-east-1,2025-06-30T23:59:59Z,u,AmazonS3,Credit,444455556666,2025-06-01T00:"
                 "00:00Z," PAYER ",\"{\"\"product_name\"\":\"\"S3, simple\"\"}\"\n");
    expect_decimal(line->cost, "-0.0000000007");
    expect_decimal(line->quantity, "0");
    expect_text(line->kind.region, "us-east-1");
    expect_text(line->kind.operation, "");
    cr_assert_eq(line->kind.flags, CM_KIND_RESERVATION | CM_KIND_FINAL);
    expect_text(cm_reader_column_value(reader, 12), "{\"product_name\":\"S3, simple\"}");
    expect_text(cm_reader_column_value(reader, 5), "2025-06-30T23:59:59Z");
    cm_reader_free(reader);
}

/* The row with its usage start and usage type replaced. */
#define WITH(start, usage_type, quantity, currency, cost, region, invoice)                                             \
    "i," invoice ",AWS," PAYER "," PERIOD_START ",444455556666,Usage," start ",P," usage_type ",o," quantity           \
    "," currency "," cost ",d," region ",,s,,u,\n"

Test(reader, forms_of_times_numbers_and_texts)
{
    static const struct {
        const char *row, *start, *quantity, *region, *usage_type;
        uint32_t rounded, flags;
    } cases[] = {
        {WITH("2025-06-01T00:00:00.000Z", "\"\"", "1.23456789E7", "USD", "1", "x", ""), "2025-06-01T00:00:00Z",
         "12345678.9", "x", "", 0, 0},
        {WITH("2025-06-02 01:00:00", "\"a\"\"b\"", "\"4.0E-7\"", "USD", "1", "\"\"", "\"\""), "2025-06-02T01:00:00Z",
         "0.0000004", "", "a\"b", 0, 0},
        {WITH("\"2025-06-30T23:59:59.000Z\"", "\"a,\nb\"", "", "USD", "1", "eu", "x"), "2025-06-30T23:59:59Z", "0",
         "eu", "a,\nb", 0, CM_KIND_FINAL},
        /* Before and after the period, with a fraction: some fees (formats.md section 1). */
        {WITH("2025-12-01T08:00:00.500Z", "t", "-0.0", "USD", "1", "eu", "x"), "2025-12-01T08:00:00.5Z", "0", "eu", "t",
         0, CM_KIND_FINAL},
        {WITH("2025-05-31T23:59:59Z", "t", "0.0000000000000000015", "USD", "1", "eu", "x"), "2025-05-31T23:59:59Z",
         "0.000000000000000002", "eu", "t", 1, CM_KIND_FINAL},
        {WITH("2025-06-10T00:00:00+00:00", "t\xc3\xa9", "5", "", "0.0", "eu", "x"), "2025-06-10T00:00:00Z", "5", "eu",
         "t\xc3\xa9", 0, CM_KIND_FINAL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cm_reader *reader;
        char at[CM_INSTANT_TEXT];
        snprintf(many, sizeof many, HEADER "\n%s", cases[i].row);
        const cm_line *line = first_line(&reader, many);
        cr_assert_str_eq(cm_instant_print(line->start, at), cases[i].start);
        expect_decimal(line->quantity, cases[i].quantity);
        expect_text(line->kind.region, cases[i].region); /* product/region where product/regionCode is empty */
        expect_text(line->kind.usage_type, cases[i].usage_type);
        cr_assert_eq(line->rounded, cases[i].rounded);
        cr_assert_eq(line->kind.flags, cases[i].flags);
        cm_reader_free(reader);
    }
}

/* O14: a chunk with a header only is a chunk without lines. */
Test(reader, O14_chunks_without_lines)
{
    static const char *const texts[] = {HEADER "\n", HEADER "\r\n", "\xef\xbb\xbf" HEADER "\n", HEADER "\n\n\n",
                                        HEADER "\n\r\n"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        for (size_t most = 0; most < 3; most++) {
            cm_place place;
            cm_error err = {0};
            cr_assert_eq(test_read_all(texts[i], strlen(texts[i]), most, &place, &err), 0, "case %zu: %s", i, err.text);
        }
}

Test(reader, line_ends_and_bom_change_nothing)
{
    static const char *const texts[] = {
        HEADER "\n" ROW "\n" ROW "\n",
        HEADER "\r\n" ROW "\r\n" ROW "\r\n",
        "\xef\xbb\xbf" HEADER "\n" ROW "\n" ROW "\n",
        HEADER "\n" ROW "\r\n" ROW "\n",
        HEADER "\n" ROW "\n" ROW "\n\n",
    };
    uint64_t checksum = 0;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        for (size_t most = 0; most < 4; most++) {
            cm_place place;
            cm_error err = {0};
            const cm_line *line;
            cm_reader *reader = test_reader(texts[i], strlen(texts[i]), most, &place, &err);
            cr_assert_not_null(reader);
            for (uint64_t row = 1; row <= 2; row++) {
                cr_assert(cm_reader_next(reader, &line, &place, &err), "%s", err.text);
                cr_assert_not_null(line);
                cr_assert_eq(line->row, row);
                expect_text(cm_reader_raw_row(reader), ROW);
                checksum = checksum ? checksum : line->checksum;
                cr_assert_eq(line->checksum, checksum);
            }
            cr_assert(cm_reader_next(reader, &line, &place, &err));
            cr_assert_null(line);
            cr_assert(cm_reader_next(reader, &line, &place, &err) && !line, "the end stays the end");
            cm_reader_free(reader);
        }
}

Test(reader, header_may_have_empty_and_unknown_names_twice)
{
    cm_place place;
    cm_error err = {0};
    cr_assert_eq(READ(HEADER ",,,resourceTags/user:a,resourceTags/user:a\n" ROW ",,,,\n", &place, &err), 1, "%s",
                 err.text);
    cr_assert_eq(READ(HEADER ",\"resourceTags/user:Team, \"\"A\"\"\n\"\n" ROW ",\"1\n2\"\n", &place, &err), 1, "%s",
                 err.text);
}

Test(reader, errors_of_the_header)
{
    expect_error("\n" ROW "\n", "EMPTY_HEADER", 0, 1, "");
    expect_error(",,\n" ROW "\n", "EMPTY_HEADER", 0, 1, "");
    expect_error(HEADER ",lineItem/UnblendedCost\n" ROW ",1\n", "COLUMN_TWICE", 0, 1, "lineItem/UnblendedCost");
    expect_error(HEADER ",line_item_usage_amount\n" ROW ",1\n", "COLUMN_TWICE", 0, 1, "line_item_usage_amount");
    expect_error("a,bill/InvoiceId\n1,2\n", "COLUMN_MISSING", 0, 1, "lineItem/UsageAccountId");
    expect_error("bill_invoice_id,b\n1,2\n", "COLUMN_MISSING", 0, 1, "line_item_usage_account_id");
    memset(many, ',', 5000);
    many[5000] = 0;
    many[5000] = '\n';
    many[5001] = 0;
    expect_error(many, "TOO_LONG", 0, 1, "");
    expect_error("a,b\"c\n", "QUOTE", 0, 1, "");
}

/* Every mandatory column, one after the other. */
Test(reader, mandatory_columns)
{
    static const char *const names[] = {
        "bill/PayerAccountId",   "bill/BillingPeriodStartDate", "lineItem/UsageAccountId",
        "lineItem/LineItemType", "lineItem/UsageStartDate",     "lineItem/ProductCode",
        "lineItem/UsageType",    "lineItem/CurrencyCode",       "lineItem/UnblendedCost"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char header[] = HEADER "\n";
        strstr(header, names[i])[2] = '_';
        expect_error(header, "COLUMN_MISSING", 0, 1, names[i]);
    }
    static const char *const optional[] = {
        "bill/InvoiceId",  "bill/BillingEntity",        "lineItem/Operation", "lineItem/UsageAmount",
        "product/region,", "product/regionCode",        "product/sku",        "pricing/publicOnDemandCost",
        "pricing/unit",    "reservation/ReservationARN"};
    for (size_t i = 0; i < sizeof optional / sizeof *optional; i++) {
        char text[] = HEADER "\n" ROW "\n" ROW "\n";
        cm_place place;
        cm_error err = {0};
        strstr(text, optional[i])[2] = '_';
        cr_assert_eq(READ(text, &place, &err), 2, "%s", err.text);
    }
}

#define BAD(fields) HEADER "\n" ROW "\n" ROW_START fields "\n"

Test(reader, errors_of_values_name_row_line_and_column)
{
    expect_error(BAD("x,P,u,o,1,USD,1,d,r,r,s,1,u,"), "NOT_A_TIME", 2, 3, "lineItem/UsageStartDate");
    expect_error(BAD("2025-06-31T00:00:00Z,P,u,o,1,USD,1,d,r,r,s,1,u,"), "NOT_A_TIME", 2, 3, "lineItem/UsageStartDate");
    expect_error(BAD("2025-06-01T24:00:00Z,P,u,o,1,USD,1,d,r,r,s,1,u,"), "NOT_A_TIME", 2, 3, "lineItem/UsageStartDate");
    expect_error(BAD("2025-06-01T00:00:00+02:00,P,u,o,1,USD,1,d,r,r,s,1,u,"), "NOT_A_TIME", 2, 3,
                 "lineItem/UsageStartDate");
    expect_error(BAD(",P,u,o,1,USD,1,d,r,r,s,1,u,"), "MISSING_VALUE", 2, 3, "lineItem/UsageStartDate");
    expect_error(BAD("2025-06-01,P,u,o,1x,USD,1,d,r,r,s,1,u,"), "NOT_A_NUMBER", 2, 3, "lineItem/UsageAmount");
    expect_error(BAD("2025-06-01,P,u,o,1,USD,NaN,d,r,r,s,1,u,"), "NOT_A_NUMBER", 2, 3, "lineItem/UnblendedCost");
    expect_error(BAD("2025-06-01,P,u,o,1,USD,\"1\"\"2\",d,r,r,s,1,u,"), "NOT_A_NUMBER", 2, 3, "lineItem/UnblendedCost");
    expect_error(BAD("2025-06-01,P,u,o,1,USD,1,d,r,r,s,1E300,u,"), "OVERFLOW", 2, 3, "pricing/publicOnDemandCost");
    expect_error(BAD("2025-06-01,P,u,o,1,,1,d,r,r,s,1,u,"), "MISSING_VALUE", 2, 3, "lineItem/CurrencyCode");
    expect_error(BAD("2025-06-01,P,u,o,1,DOLLARS!,1,d,r,r,s,1,u,"), "TOO_LONG", 2, 3, "lineItem/CurrencyCode");
    expect_error(BAD("2025-06-01,P\xff,u,o,1,USD,1,d,r,r,s,1,u,"), "NOT_UTF8", 2, 3, "lineItem/ProductCode");
    expect_error(BAD("2025-06-01,P,u,o,1,USD,1,d,r,r,s,1,u"), "RAGGED", 2, 3, "");
    expect_error(BAD("2025-06-01,P,u,o,1,USD,1,d,r,r,s,1,u,,"), "RAGGED", 2, 3, "");
    expect_error(BAD("2025-06-01,P,u,o,1,USD,1,d\"x,r,r,s,1,u,"), "QUOTE", 2, 3, "lineItem/LineItemDescription");
    expect_error(BAD("2025-06-01,P,u,o,1,USD,1,\"d\"x,r,r,s,1,u,"), "QUOTE", 2, 3, "lineItem/LineItemDescription");
    expect_error(BAD("2025-06-01,P,u,o,1,USD,1,\"d,r,r,s,1,u,"), "QUOTE", 2, 3, "lineItem/LineItemDescription");
    /* A blank line is allowed at the end only; a quoted newline moves the line, not the row. */
    expect_error(HEADER "\n" ROW "\n\n" ROW "\n", "RAGGED", 2, 3, "");
    expect_error(HEADER "\n" WITH("2025-06-01", "\"a\n\nb\"", "1", "USD", "1", "r", "")
                     WITH("2025-06-01", "t", "1", "USD", "?", "r", ""),
                 "NOT_A_NUMBER", 2, 5, "lineItem/UnblendedCost");
}

/* --- files that are not whole, or not what they say ------------------------------------------------------------ */

Test(reader, a_csv_that_is_not_compressed_must_end_with_a_line_end)
{
    static const char text[] =
        HEADER "\n" ROW "\n" ROW_START "2025-06-03T04:00:00Z,P,u,o,1.0,USD,123.45,d,r,r,s,1,Hrs,arn\n";
    /* Cut anywhere: inside the header, a row, its last field, or before the line end of the last row. */
    size_t first = sizeof HEADER, second = first + sizeof ROW;
    for (size_t length = 0; length < sizeof text - 1; length++) {
        cm_place place;
        cm_error err = {0};
        int64_t lines = test_read_all(text, length, 0, &place, &err);
        if (length == first || length == second) {
            cr_assert_eq(lines, length == second, "%zu bytes: %s", length, err.text);
            continue;
        }
        cr_assert_eq(lines, -1, "%zu bytes are not whole", length);
        cr_assert_eq(err.class, CM_ERROR_POISON);
        cr_assert_eq(place.row, length < first ? 0 : length < second ? 1 : 2, "%zu bytes: row %lu", length, place.row);
    }
    expect_error(HEADER "\n" ROW "\n" ROW_START "2025-06-03T04:00:00Z,P,u,o,1.0,USD,123.4", "CUT", 2, 3,
                 "lineItem/UnblendedCost");
    expect_error(HEADER "\n" ROW "\n" ROW, "CUT", 2, 3, "reservation/ReservationARN");
    expect_error(HEADER, "CUT", 0, 1, "");
    expect_error("", "EMPTY_FILE", 0, 0, "");
}

Test(reader, bare_carriage_returns_are_refused_with_their_place)
{
    expect_error(HEADER "\r" ROW "\r" ROW "\r", "BARE_CR", 0, 1, "reservation/ReservationARN");
    expect_error(HEADER "\r\r\n" ROW "\r\r\n", "BARE_CR", 0, 1, "reservation/ReservationARN");
    expect_error(HEADER "\n" ROW "\n" ROW "\r\r\n", "BARE_CR", 2, 3, "reservation/ReservationARN");
    expect_error(HEADER "\r\n" ROW "\r\n" ROW "\r", "BARE_CR", 2, 3, "reservation/ReservationARN");
    expect_error(HEADER "\n" ROW "\n" ROW_START "2025-06-03T04:00:00Z,P,u\r,o,1.0,USD,1,d,r,r,s,1,u,\n", "BARE_CR", 2,
                 3, "lineItem/UsageType");
    expect_error(HEADER "\n" ROW_START "2025-06-03T04:00:00Z,P,u,o,1.0,USD,1,\"d\"\r,r,r,s,1,u,\n", "BARE_CR", 1, 2,
                 "lineItem/LineItemDescription");
    /* Inside quotes it is text. */
    cm_place place;
    cm_error err = {0};
    cr_assert_eq(READ(HEADER "\n" ROW_START "2025-06-03T04:00:00Z,P,u,o,1.0,USD,1,\"a\rb\r\",r,r,s,1,u,\r\n" ROW "\r\n",
                      &place, &err),
                 2, "%s", err.text);
}

static void expect_format(const char *bytes, size_t length, const char *what)
{
    cm_place place;
    cm_error err = {0};
    cr_assert_eq(test_read_all(bytes, length, 0, &place, &err), -1, "%s was read", what);
    cr_assert_str_eq(err.code, "WRONG_FORMAT", "%s: %s", what, err.text);
    cr_assert_not_null(strstr(err.text, what), "%s: %s", what, err.text);
    cr_assert_not_null(strstr(err.text, "its name says csv"), "%s", err.text);
}

Test(reader, what_a_file_is_not_is_said_by_name)
{
#define FORMAT(bytes, what) expect_format(bytes, sizeof(bytes) - 1, what)
    FORMAT("PAR1\x15\x04\x15\x10", "Parquet");
    FORMAT("\x1f\x8b\x08\0\0\0\0\0", "a gzip file");
    FORMAT("PK\x03\x04\x14\0\0\0\x08\0[Content_Types].xml", "spreadsheet");
    FORMAT("PK\x03\x04\x14\0\0\0\x08\0report.csv", "a zip file");
    FORMAT("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "spreadsheet");
    FORMAT("\xff\xfei\0d\0", "UTF-16");
    FORMAT("\xfe\xff\0i\0d", "UTF-16");
    FORMAT("i\0d\0e\0n\0", "UTF-16");
    FORMAT("<!DOCTYPE html>\n<html>", "HTML");
    FORMAT("\xef\xbb\xbf\n <HTML><body>", "HTML");
    FORMAT("<?xml version=\"1.0\"?>\n<Error><Code>AccessDenied</Code></Error>", "reports an error");
    FORMAT("{\"reportKeys\": []}\n", "JSON");
    FORMAT("\0\0\0\0\0\0\0\0", "zero bytes");
}

/* D8: a spreadsheet turns account ids into numbers. */
Test(reader, account_ids_have_12_digits)
{
    static const char *const bad[] = {"1E+11",        "4.44456E+11", "44445555666",   "0444455556666",
                                      "44445555666x", "1",           "444455556666.0"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        snprintf(many, sizeof many,
                 HEADER "\n" ROW "\n"
                        "i,,AWS," PAYER "," PERIOD_START ",%s,Usage,2025-06-01,P,u,o,1,USD,1,d,r,r,s,1,u,\n",
                 bad[i]);
        expect_error(many, "BAD_ACCOUNT", 2, 3, "lineItem/UsageAccountId");
        snprintf(many, sizeof many,
                 HEADER "\n"
                        "i,,AWS,%s," PERIOD_START ",444455556666,Usage,2025-06-01,P,u,o,1,USD,1,d,r,r,s,1,u,\n",
                 bad[i]);
        expect_error(many, "BAD_ACCOUNT", 1, 2, "bill/PayerAccountId");
    }
    cm_place place;
    cm_error err = {0};
    cr_assert_eq(READ(many, &place, &err), -1);
    cr_assert_not_null(strstr(err.text, "spreadsheet"));
}

/* --- columns under other names, and columns that are missing --------------------------------------------------- */

Test(reader, aliases_of_one_column_are_one)
{
    static const struct {
        const char *name, *as;
    } names[] = {
        {"product/regionCode", "product_region_code"},
        {"product/regionCode", "product_regioncode"},
        {"product/regionCode", "product_region"},
        {"product/regionCode", "product/region"},
        {"product/regionCode", "Product/RegionCode"},
        {"lineItem/UsageAmount", "lineitem_usageamount"},
        {"lineItem/UsageAmount", "line_item_usage_amount"},
        {"pricing/unit", "pricing_unit"},
        {"lineItem/UnblendedCost", "line_item_unblendedcost"},
        {"bill/PayerAccountId", "bill_payeraccountid"},
        {"pricing/publicOnDemandCost", "pricing_publicondemandcost"},
        {"reservation/ReservationARN", "reservation_reservation_arn"},
        {"reservation/ReservationARN", "reservation_reservation_a_r_n"},
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        /* product/region is given up first, so that the region has one column. */
        char header[] = HEADER;
        strstr(header, "product/region,")[0] = 'x';
        char *at = strstr(header, names[i].name);
        snprintf(many, sizeof many,
                 "%.*s%s%s\n" ROW_START "2025-06-03T04:00:00Z,P,u,o,2,USD,3,d,,eu-central-1,s,4,GB,arn\n",
                 (int)(at - header), header, names[i].as, at + strlen(names[i].name));
        cm_reader *reader;
        const cm_line *line = first_line(&reader, many);
        expect_text(line->kind.region, "eu-central-1");
        expect_text(line->kind.unit, "GB");
        expect_decimal(line->quantity, "2");
        expect_decimal(line->cost, "3");
        expect_decimal(line->list_cost, "4");
        cr_assert_eq(line->kind.flags, CM_KIND_RESERVATION, "%s", names[i].as);
        for (int lack = 0; lack < CM_LACKS; lack++)
            cr_assert(!cm_reader_lacks(reader, (enum cm_lack)lack));
        cm_reader_free(reader);
    }
    expect_error(HEADER ",product_region\n" ROW ",x\n", "COLUMN_TWICE", 0, 1, "product_region");
}

Test(reader, what_a_projection_left_out_is_known)
{
    static const struct {
        enum cm_lack lack;
        const char *name;
    } lacks[] = {{CM_LACK_QUANTITY, "lineItem/UsageAmount"},
                 {CM_LACK_LIST_COST, "pricing/publicOnDemandCost"},
                 {CM_LACK_OPERATION, "lineItem/Operation"},
                 {CM_LACK_UNIT, "pricing/unit"},
                 {CM_LACK_SKU, "product/sku"},
                 {CM_LACK_BILLING_ENTITY, "bill/BillingEntity"},
                 {CM_LACK_RESERVATION, "reservation/ReservationARN"},
                 {CM_LACK_INVOICE, "bill/InvoiceId"}};
    for (size_t i = 0; i < sizeof lacks / sizeof *lacks; i++) {
        char text[] = HEADER "\n" ROW "\n";
        cm_place place;
        cm_error err = {0};
        strstr(text, lacks[i].name)[0] = 'x';
        cm_reader *reader = test_reader(text, strlen(text), 0, &place, &err);
        cr_assert_not_null(reader, "%s", err.text);
        for (int lack = 0; lack < CM_LACKS; lack++)
            cr_assert_eq(cm_reader_lacks(reader, (enum cm_lack)lack), lack == (int)lacks[i].lack);
        expect_text(cm_reader_lacking_name(reader, lacks[i].lack), lacks[i].name);
        cm_reader_free(reader);
    }
    char text[] = HEADER "\n" ROW "\n";
    cm_place place;
    cm_error err = {0};
    strstr(text, "product/regionCode")[0] = 'x';
    cm_reader *reader = test_reader(text, strlen(text), 0, &place, &err);
    cr_assert(!cm_reader_lacks(reader, CM_LACK_REGION), "product/region is there");
    cm_reader_free(reader);
    strstr(text, "product/region,")[0] = 'x';
    reader = test_reader(text, strlen(text), 0, &place, &err);
    cr_assert(cm_reader_lacks(reader, CM_LACK_REGION));
    expect_text(cm_reader_lacking_name(reader, CM_LACK_REGION), "product/regionCode");
    cm_reader_free(reader);
}

Test(reader, N04_lines_of_another_payer_or_period_are_refused)
{
#define LINE(payer, period, account, type)                                                                             \
    "i,,AWS," payer "," period "," account "," type ",2025-06-01,P,u,o,1,USD,1,d,r,r,s,1,u,\n"
    expect_error(HEADER "\n" ROW "\n" LINE("999922223333", PERIOD_START, "111111111111", "Usage"), "WRONG_PAYER", 2, 3,
                 "bill/PayerAccountId");
    expect_error(HEADER "\n" LINE("", PERIOD_START, "111111111111", "Usage"), "MISSING_VALUE", 1, 2,
                 "bill/PayerAccountId");
    expect_error(HEADER "\n" LINE("\"\"", PERIOD_START, "111111111111", "Usage"), "MISSING_VALUE", 1, 2,
                 "bill/PayerAccountId");
    expect_error(HEADER "\n" ROW "\n" LINE(PAYER, "2025-07-01T00:00:00Z", "111111111111", "Usage"), "WRONG_PERIOD", 2,
                 3, "bill/BillingPeriodStartDate");
    expect_error(HEADER "\n" LINE(PAYER, "2025-06-02T00:00:00Z", "111111111111", "Usage"), "WRONG_PERIOD", 1, 2,
                 "bill/BillingPeriodStartDate");
    expect_error(HEADER "\n" LINE(PAYER, "", "111111111111", "Usage"), "MISSING_VALUE", 1, 2,
                 "bill/BillingPeriodStartDate");
    expect_error(HEADER "\n" LINE(PAYER, "June", "111111111111", "Usage"), "NOT_A_TIME", 1, 2,
                 "bill/BillingPeriodStartDate");
    expect_error(HEADER "\n" LINE(PAYER, PERIOD_START, "", "Usage"), "MISSING_VALUE", 1, 2, "lineItem/UsageAccountId");
    expect_error(HEADER "\n" LINE(PAYER, PERIOD_START, "111111111111", "\"\""), "MISSING_VALUE", 1, 2,
                 "lineItem/LineItemType");
    /* The same value in other words is the same value. */
    cm_place place;
    cm_error err = {0};
    cr_assert_eq(READ(HEADER "\n" LINE("\"" PAYER "\"", "2025-06-01 00:00:00", "111111111111", "Usage")
                          LINE(PAYER, "\"2025-06-01\"", "111111111111", "Usage"),
                      &place, &err),
                 2, "%s", err.text);
}

Test(reader, messages_show_the_text_but_not_all_of_it)
{
    cm_place place;
    cm_error err = {0};
    memset(many, 0, sizeof many);
    size_t n = (size_t)snprintf(many, sizeof many, HEADER "\n" ROW_START "2025-06-01,P,u,o,\x01\xff");
    memset(many + n, '7', 500);
    strcat(many, "x,USD,1,d,r,r,s,1,u,\n");
    cr_assert_eq(READ(many, &place, &err), -1);
    cr_assert_not_null(strstr(err.text, "\"??77777"));
    cr_assert_not_null(strstr(err.text, "777...\""));
    cr_assert(strlen(err.text) < 200);
}

/* --- limits ------------------------------------------------------------------------------------------------------ */

/* A row whose description has `length` bytes. */
static cm_buffer long_row(size_t length, const char *mark)
{
    cm_buffer text = {0};
    char *filler = cm_alloc(length);
    memset(filler, 'x', length);
    cm_buffer_text(&text, HEADER "\n" ROW "\n" ROW_START "2025-06-01,P,u,o,1,USD,1,");
    cm_buffer_text(&text, mark);
    cm_buffer_append(&text, filler, length);
    cm_buffer_text(&text, mark);
    cm_buffer_text(&text, ",r,r,s,1,u,\n" ROW "\n");
    free(filler);
    return text;
}

Test(reader, limits_of_field_and_row)
{
    cm_place place;
    cm_error err = {0};
    cm_buffer text = long_row(CM_CUR_FIELD_MAX - 2, "\"");
    cr_assert_eq(test_read_all(text.data, text.length, 0, &place, &err), 3, "%s", err.text);
    cm_buffer_free(&text);
    text = long_row(CM_CUR_FIELD_MAX + 1, "");
    expect_error(text.data, "TOO_LONG", 2, 3, "lineItem/LineItemDescription");
    cm_buffer_free(&text);
    text = long_row(CM_CUR_ROW_MAX, "");
    expect_error(text.data, "TOO_LONG", 2, 3, "");
    /* An opening quote without an end swallows the rest: the error says so, even if the limit is reached first. */
    *strstr(text.data, "xxxx") = '"';
    expect_error(text.data, "QUOTE", 2, 3, "lineItem/LineItemDescription");
    cm_buffer_free(&text);
}

Test(reader, limit_of_texts_that_make_a_kind)
{
    cm_buffer text = {0};
    cm_place place;
    cm_error err = {0};
    for (size_t length = CM_KIND_TEXT_MAX; length < 3 * CM_KIND_TEXT_MAX;
         length += length == CM_KIND_TEXT_MAX ? 1 : 2000) {
        char *filler = cm_alloc(length + 1);
        memset(filler, 'x', length);
        cm_buffer_clear(&text);
        cm_buffer_printf(&text, HEADER "\n" ROW_START "2025-06-01,P,%s,o,1,USD,1,d,r,r,s,1,u,\n", filler);
        if (length == CM_KIND_TEXT_MAX)
            cr_assert_eq(test_read_all(text.data, text.length, 0, &place, &err), 1, "%s", err.text);
        else
            expect_error(text.data, "TOO_LONG", 1, 2, "lineItem/UsageType");
        free(filler);
    }
    cm_buffer_free(&text);
}

Test(reader, a_stream_that_fails_is_a_retry)
{
    cm_place place;
    cm_error err = {0};
    const cm_line *line;
    static const char text[] = HEADER "\n" ROW "\n" ROW;
    cr_assert_null(cm_reader_new(test_failing_stream(text, sizeof text - 1), CM_COMPRESSION_NONE, PAYER,
                                 (cm_period){2025, 6}, &place, &err));
    cr_assert_eq(err.class, CM_ERROR_RETRY);
    cm_buffer big = {0};
    cm_buffer_text(&big, HEADER "\n");
    while (big.length < 1 << 20)
        cm_buffer_text(&big, ROW "\n");
    cm_reader *reader = cm_reader_new(test_failing_stream(big.data, big.length), CM_COMPRESSION_NONE, PAYER,
                                      (cm_period){2025, 6}, &place, &err);
    cr_assert_not_null(reader);
    bool ok;
    while ((ok = cm_reader_next(reader, &line, &place, &err)) && line)
        ;
    cr_assert(!ok);
    cr_assert_eq(err.class, CM_ERROR_RETRY);
    cm_reader_free(reader);
    cm_buffer_free(&big);
    cr_assert_eq(test_open_streams(), 0);
}

/* --- kinds ------------------------------------------------------------------------------------------------------- */

/* More kinds and texts than the reader remembers, in an order that comes back to old ones: every value stays right. */
Test(reader, kinds_are_right_after_the_memory_was_full)
{
    enum { ROWS = 60000, KINDS = 40000 };
    cm_buffer text = {0};
    cm_place place;
    cm_error err = {0};
    test_random random = {11};
    uint32_t *wanted = cm_alloc(ROWS * sizeof *wanted);
    cm_buffer_text(&text, HEADER "\n");
    for (int i = 0; i < ROWS; i++) {
        wanted[i] = i < KINDS ? (uint32_t)i : test_below(&random, KINDS);
        cm_buffer_printf(&text, ROW_START "2025-06-03T04:00:00Z,P%u,%sU%u%s,o,1,USD,1,d,r,r,s%u,1,u,\n", wanted[i] % 7,
                         i % 5 ? "" : "\"", wanted[i], i % 5 ? "" : "\"", wanted[i] % 100);
    }
    cm_reader *reader = test_reader(text.data, text.length, 0, &place, &err);
    const cm_line *line;
    uint64_t source = 0, sources = 0;
    for (int i = 0; i < ROWS; i++) {
        char expected[32];
        cr_assert(cm_reader_next(reader, &line, &place, &err) && line, "%s", err.text);
        snprintf(expected, sizeof expected, "U%u", wanted[i]);
        expect_text(line->kind.usage_type, expected);
        snprintf(expected, sizeof expected, "P%u", wanted[i] % 7);
        expect_text(line->kind.product_code, expected);
        cr_assert(line->memo.kind < CM_MEMO_KINDS && line->memo.text[3] < CM_MEMO_TEXTS);
        sources += line->memo.source != source;
        source = line->memo.source;
    }
    cr_assert(sources > 2, "the memory was never full");
    cm_reader_free(reader);
    cm_buffer_free(&text);
    free(wanted);
}
