/* Reading invoices: what is accepted, and bad input with file, row and column. */
#include "billing/reconcile/invoice.h"
#include "catalog_fixture.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define FORMATS                                                                                                        \
    "kind: InvoiceFormat\nid: plain\ncolumns: {account: Account, product: Service, amount: Net, currency: Cur}\n"      \
    "products: {Elastic Compute Cloud: AmazonEC2}\nleave: {Service: [Total, \"\"]}\n---\n"                             \
    "kind: InvoiceFormat\nid: european\nlevel: account\ndelimiter: \";\"\ndecimal: \",\"\ncurrency: EUR\n"             \
    "columns: {account: Konto, amount: Betrag}\ntake: {Art: Verbrauch}\n"

static cm_catalog *catalog;
static cm_arena *arena;

static void setup(void)
{
    catalog = test_catalog(FORMATS);
    arena = cm_arena_new(4096);
}

static void teardown(void)
{
    cm_catalog_free(catalog);
    cm_arena_free(arena);
}
TestSuite(invoice, .init = setup, .fini = teardown);

static bool read_text(const char *format, const char *text, cm_invoice *ret, cm_error *err)
{
    char path[] = "/tmp/curmill-invoice-XXXXXX";
    int file = mkstemp(path);
    cr_assert(file >= 0);
    cr_assert_eq(write(file, text, strlen(text)), (ssize_t)strlen(text));
    close(file);
    bool done = cm_invoice_read(path, cm_catalog_invoice_format(catalog, format), arena, ret, err);
    unlink(path);
    return done;
}

static void expect_row(const cm_invoice *invoice, size_t i, uint64_t row, const char *account, const char *product,
                       const char *amount)
{
    char text[CM_DECIMAL_TEXT];
    cm_decimal_print(invoice->rows[i].amount, text);
    cr_expect_eq(invoice->rows[i].row, row);
    cr_expect_str_eq(invoice->rows[i].account, account);
    cr_expect_str_eq(invoice->rows[i].product, product);
    cr_expect_str_eq(text, amount);
}

/* N16: zeros that a spreadsheet dropped are restored; names become product codes; totals are left out. */
Test(invoice, plain)
{
    cm_invoice invoice;
    cm_error err = {0};
    cr_assert(read_text("plain",
                        "\xEF\xBB\xBF"
                        "Net,Account,Service,Cur\r\n\"1,234.50\",11112222,Elastic Compute "
                        "Cloud,USD\r\n-0.5,0000-1111-2222,AmazonS3,USD\r\n"
                        "1234.00,,Total,USD\r\n(2.25),000011112222,AmazonS3,USD",
                        &invoice, &err),
              "%s", err.text);
    cr_assert_eq(invoice.count, 3);
    cr_expect_eq(invoice.left_out, 1);
    cr_expect_str_eq(invoice.currency, "USD");
    expect_row(&invoice, 0, 1, "000011112222", "AmazonEC2", "1234.5");
    expect_row(&invoice, 1, 2, "000011112222", "AmazonS3", "-0.5");
    expect_row(&invoice, 2, 4, "000011112222", "AmazonS3", "-2.25");
    cm_invoice_free(&invoice);
}

Test(invoice, european)
{
    cm_invoice invoice;
    cm_error err = {0};
    cr_assert(read_text("european", "Konto;Art;Betrag\n000011112222;Verbrauch;1.234,56\n000011112222;Summe;9\n",
                        &invoice, &err),
              "%s", err.text);
    cr_assert_eq(invoice.count, 1);
    cr_expect_str_eq(invoice.currency, "EUR");
    expect_row(&invoice, 0, 1, "000011112222", "", "1234.56");
    cm_invoice_free(&invoice);
}

/* The decimal sign decides: an amount in the other notation is an error with its place, never another amount. */
Test(invoice, decimal_sign)
{
    static const struct {
        const char *format, *text, *amount; /* NULL: refused */
    } amounts[] = {
        {"plain", "1,234.56", "1234.56"},
        {"plain", "1,234,567", "1234567"},
        {"plain", "1 234.5", "1234.5"},
        {"plain", "1'234'567.5", "1234567.5"},
        {"plain", " 12.50 ", "12.5"},
        {"plain", "- 3", "-3"},
        {"plain", "-1,234.5", "-1234.5"},
        {"plain", "(1,234.56)", "-1234.56"},
        {"plain", ".5", "0.5"},
        {"plain", "1.5E-3", "0.0015"},
        {"plain", "1234,56", NULL},
        {"plain", "1,2,3,4.56", NULL},
        {"plain", "12,34", NULL},
        {"plain", "1,2345", NULL},
        {"plain", "1234,567", NULL},
        {"plain", "1,234.56,7", NULL},
        {"plain", "1.234.567", NULL},
        {"plain", "1'234 567", NULL},
        {"plain", ",123", NULL},
        {"plain", "1,", NULL},
        {"plain", "(-1)", NULL},
        {"plain", "-", NULL},
        {"plain", "()", NULL},
        {"european", "1.234,56", "1234.56"},
        {"european", "1234,56", "1234.56"},
        {"european", "1234.56", NULL},
        {"european", "1,234.56", NULL},
        {"european", "0.5", NULL},
    };
    for (size_t i = 0; i < sizeof amounts / sizeof *amounts; i++) {
        char text[200];
        cm_invoice invoice;
        cm_error err = {0};
        bool plain = strcmp(amounts[i].format, "plain") == 0;
        snprintf(text, sizeof text,
                 plain ? "Account,Service,Net,Cur\n000011112222,S3,\"%s\",USD\n"
                       : "Konto;Art;Betrag\n000011112222;Verbrauch;\"%s\"\n",
                 amounts[i].text);
        bool done = read_text(amounts[i].format, text, &invoice, &err);
        cr_expect_eq(done, amounts[i].amount != NULL, "%s: %s", amounts[i].text, err.text);
        if (done && amounts[i].amount)
            expect_row(&invoice, 0, 1, "000011112222", plain ? "S3" : "", amounts[i].amount);
        if (!done) {
            cr_expect_str_eq(err.code, "INVOICE_AMOUNT", "%s", amounts[i].text);
            cr_expect(strstr(err.text, plain ? "row 1, column \"Net\"" : "row 1, column \"Betrag\""), "%s", err.text);
        }
        cm_invoice_free(&invoice);
    }
}

/* A byte order mark before a quote belongs to neither. */
Test(invoice, byte_order_mark)
{
    cm_invoice invoice;
    cm_error err = {0};
    cr_assert(read_text("plain",
                        "\xEF\xBB\xBF\"Account\",\"Service\",\"Net\",\"Cur\"\n\"000011112222\",\"S3\",\"1\",\"USD\"\n",
                        &invoice, &err),
              "%s", err.text);
    expect_row(&invoice, 0, 1, "000011112222", "S3", "1");
    cm_invoice_free(&invoice);
}

typedef struct bad {
    const char *text, *code, *says;
} bad;

static const bad bads[] = {
    {"Account,Service,Net\n", "INVOICE_COLUMN", "no column \"Cur\""},
    {"Account,Service,Net,Cur,Net\n", "INVOICE_COLUMN", "\"Net\" twice"},
    {"Account,Service,Net,Cur\n000011112222,S3,1,USD\n000011112222,S3,1\n", "INVOICE_ROW",
     "row 2: the row has 3 columns, the header has 4"},
    {"Account,Service,Net,Cur\n000011112222,S3,12x,USD\n", "INVOICE_AMOUNT", "row 1, column \"Net\": \"12x\""},
    {"Account,Service,Net,Cur\n000011112222,S3,,USD\n", "INVOICE_AMOUNT", "row 1, column \"Net\""},
    {"Account,Service,Net,Cur\n0000111122223,S3,1,USD\n", "INVOICE_ACCOUNT", "column \"Account\": \"0000111122223\""},
    {"Account,Service,Net,Cur\n,S3,1,USD\n", "INVOICE_ACCOUNT", "leave out such rows"},
    {"Account,Service,Net,Cur\n000011112222,S3,1,USD\n000011112222,S3,1,EUR\n", "INVOICE_CURRENCY",
     "row 2, column \"Cur\""},
    {"Account,Service,Net,Cur\n000011112222,S3,1,Dollar\n", "INVOICE_CURRENCY", "not a currency"},
    {"Account,Service,Net,Cur\n000011112222,\"S3,1,USD\n", "INVOICE_CSV", "quote"},
    {"Account,Service,Net,Cur\n", "INVOICE_EMPTY", "no row"},
    {"", "INVOICE_EMPTY", "no row"},
};

Test(invoice, bad_input_names_row_and_column)
{
    for (size_t i = 0; i < sizeof bads / sizeof *bads; i++) {
        cm_invoice invoice;
        cm_error err = {0};
        cr_assert_not(read_text("plain", bads[i].text, &invoice, &err), "%s", bads[i].text);
        cr_expect_str_eq(err.code, bads[i].code, "%s: %s", bads[i].text, err.text);
        cr_expect(strstr(err.text, bads[i].says), "%s: %s", bads[i].text, err.text);
        cr_expect(strstr(err.text, "/tmp/curmill-invoice-"), "%s", err.text);
        cr_expect_eq(invoice.count, 0);
    }
}
