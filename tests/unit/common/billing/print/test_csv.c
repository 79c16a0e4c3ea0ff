/* CSV of the views: R10's columns, RFC 4180, safe in spreadsheets, sums that can be checked (I10). */
#include "record.h"

#include <criterion/criterion.h>

static char *csv_of(json_t *record, enum cm_view view, const char *const *columns)
{
    cm_error err = {0};
    cm_buffer out = {0};
    json_t *made = test_view(record, view);
    cr_assert(cm_view_csv(made, columns, &out, &err), "%s", err.text);
    json_decref(made);
    return cm_buffer_take(&out);
}

/* The whole file, written out by hand from the fixture. */
Test(csv, R10_columns_I10_detail)
{
#define DOCUMENT "00112233445566778899aabbccddeeff,northwind/tds/2025/000007,statement,2025-06,2025-06-01,2025-06-30,"
#define ACME     "acme,\"Ácme, \"\"GmbH\"\"\","
    char *text = csv_of(test_record(), CM_VIEW_CUSTOMER, NULL);
    cr_assert_str_eq(
        text,
        "row,document,number,kind,period,cycle_start,cycle_end,customer,customer_name,account,account_name,product,"
        "usage_type,class,quantity,unit,currency,"
        "amount_exact,amount,source_currency,exchange_rate,tags\r\n"
        "line," DOCUMENT ACME "000011112222,Production,AmazonEC2,EUC1-BoxUsage:c5.large,usage,730,Hrs,EUR,10.004,10,"
        "USD,0.9217,cost\\;centre=a\\=b\\\\c;team=web\r\n"
        "line," DOCUMENT ACME
        "000033334444,,AmazonS3,EUC1-Requests-Tier1,usage,1234567.5,Requests,EUR,2.006,2.01,USD,0.9217,'-team=x\r\n"
        "line," DOCUMENT ACME "000011112222,Production,AWSSupport,business,support,1,,EUR,1.2,1.2,USD,0.9217,cost\\;"
        "centre=a\\=b\\\\c;team=web\r\n"
        "line," DOCUMENT ACME ",,\"'=HYPERLINK(\"\"https://"
        "evil.example\"\",\"\"click\"\")\",acme-managed,custom_charge,1,,EUR,5,5,USD,0.9217,\r\n"
        "line," DOCUMENT ACME ",,Welcome,acme-welcome,reseller_credit,1,,EUR,-3,-3,USD,0.9217,\r\n"
        "subtotal," DOCUMENT ",,,,,,,,,EUR,,15.21,USD,0.9217,\r\n"
        "tax," DOCUMENT ",,,,VAT,,,19,%,EUR,,2.89,USD,0.9217,\r\n"
        "total," DOCUMENT ",,,,,,,,,EUR,,18.1,USD,0.9217,\r\n");
    free(text);
}

/* R09 as far as it is built: columns and their order, views, currency of the customer, filters of the command. */
Test(csv, R09_columns_are_chosen)
{
    static const char *const some[] = {"amount", "row", "customer", NULL}, *const wrong[] = {"amount", "buy", NULL};
    char *text = csv_of(test_record(), CM_VIEW_CUSTOMER, some);
    cr_assert_str_eq(text, "amount,row,customer\r\n10,line,acme\r\n2.01,line,acme\r\n1.2,line,acme\r\n5,line,acme\r\n-"
                           "3,line,acme\r\n15.21,subtotal,\r\n2.89,tax,\r\n"
                           "18.1,total,\r\n");
    free(text);
    cm_error err = {0};
    cm_buffer out = {0};
    json_t *view = test_view(test_record(), CM_VIEW_CUSTOMER);
    cr_assert_not(cm_view_csv(view, wrong, &out, &err)); /* P13: not even by asking for it */
    cr_assert_eq(err.class, CM_ERROR_INVALID);
    cr_assert(strstr(err.text, "\"buy\" is not a column") && strstr(err.text, "row, document, number"), "%s", err.text);
    json_decref(view);
    cm_buffer_free(&out);
}

Test(csv, reseller_and_distributor)
{
    static const char *const own[] = {"row", "account", "class", "sell", "buy", "fx_margin", "margin", NULL};
    static const char *const bought[] = {
        "row", "account", "class", "source_currency", "buy", "currency", "distributor_rate", "paid", NULL};
    char *text = csv_of(test_record(), CM_VIEW_RESELLER, own);
    cr_assert(strstr(text, "\r\ntotal,,,,,,\r\nmargin,000011112222,usage,10.004,7.77123,-0.06998,2.16279\r\nmargin,"
                           "000033334444,usage,2.006,2.5,0,-0.494\r\n"
                           "margin_total,,,12.01,10.27123,-0.06998,1.66879\r\n"),
              "%s", text);
    free(text);
    text = csv_of(test_record(), CM_VIEW_DISTRIBUTOR, bought);
    cr_assert_str_eq(text, "row,account,class,source_currency,buy,currency,distributor_rate,paid\r\nline,000011112222,"
                           "usage,USD,8.431409,EUR,0.93,7.84121\r\n"
                           "line,000033334444,tax,USD,1.5,EUR,0.93,1.395\r\ntotal,,,USD,9.931409,EUR,0.93,9.23621\r\n"
                           "arrears,000011112222,,USD,-0.431409,EUR,0.93,\r\nnet,,,USD,9.5,EUR,0.93,\r\n");
    free(text);
}

/* Text that begins like a formula gets an apostrophe; negative amounts stay numbers. */
Test(csv, formulas)
{
    static const char *const names[] = {"=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "＝1", "＋1", "－1", "＠1"},
                             *const columns[] = {"product", "amount", NULL};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        json_t *record = test_record(),
               *line = json_array_get(json_object_get(json_object_get(record, "document"), "lines"), 4);
        cm_buffer wanted = {0};
        json_object_set_new(line, "product", json_string(names[i]));
        char *text = csv_of(record, CM_VIEW_CUSTOMER, columns);
        cm_buffer_printf(&wanted, "\r\n'%s,-3\r\n", names[i]);
        cr_assert(strstr(text, wanted.data), "%s in %s", wanted.data, text);
        cm_buffer_free(&wanted);
        free(text);
    }
}

/* A draft without a rate is in its source currency and shows no rate. */
Test(csv, without_a_rate)
{
    static const char *const columns[] = {"currency", "source_currency", "exchange_rate", NULL};
    json_t *record = test_record_in("draft");
    json_object_set_new(json_object_get(record, "document"), "rate", json_null());
    json_object_set_new(json_object_get(record, "document"), "currency", json_string("USD"));
    json_object_set_new(json_object_get(record, "settings"), "fx", json_null());
    char *text = csv_of(record, CM_VIEW_RESELLER, columns);
    cr_assert(strstr(text, "\r\nUSD,USD,\r\n"), "%s", text);
    free(text);
}
