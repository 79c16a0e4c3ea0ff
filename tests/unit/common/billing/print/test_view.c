/* What each reader may know about a document (statements.md section 7; P13, I04, I06, I09-I12, I14, R04, R06). */
#include "record.h"

#include <criterion/criterion.h>
#include <ctype.h>
#include <stdlib.h>

static char *dumped(const json_t *view)
{
    char *text = json_dumps(view, JSON_INDENT(2));
    for (char *c = text; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    return text;
}

/* Words and figures that a customer must never see: every text of the margin that is not a figure of the document
 * itself. */
static const char *const secrets[] = {"buy",         "payer",      "margin",  "discount", "paid",    "111122223333",
                                      "secret-book", "price_book", "7.77123", "2.16279",  "0.93",    "9.931409",
                                      "10.27123",    "1.66879",    "policy",  "catalog",  "gates",   "remit",
                                      "distributor", "maria",      "omar",    "override", "arrears", "0.431409"};

static const char *first_secret(const char *text)
{
    for (size_t i = 0; i < sizeof secrets / sizeof *secrets; i++)
        if (strstr(text, secrets[i]))
            return secrets[i];
    return NULL;
}

Test(view, P13_the_customer_sees_no_buy_price)
{
    json_t *view = test_view(test_record(), CM_VIEW_CUSTOMER);
    json_object_del(json_object_get(view, "reseller"), "logo"); /* base64 may spell anything */
    char *text = dumped(view);
    cr_assert_null(first_secret(text), "%s in %s", first_secret(text), text);
    free(text);
    json_decref(view);
    /* The search finds them where they are. */
    view = test_view(test_record(), CM_VIEW_RESELLER);
    text = dumped(view);
    cr_assert_not_null(first_secret(text));
    free(text);
    json_decref(view);
}

Test(view, I11_customers_see_only_issued_documents)
{
    static const struct {
        const char *state, *words;
    } cases[] = {{"draft", "statement approve"}, {"approved", "statement issue"}, {"void", "will never be"}};
    for (size_t i = 0; i < 3; i++) {
        cm_error err = {0};
        json_t *record = test_record_in(cases[i].state);
        cr_assert_null(cm_view_make(record, CM_VIEW_CUSTOMER, &err));
        cr_assert_eq(err.class, CM_ERROR_REFUSED);
        cr_assert_str_eq(err.code, "NOT_ISSUED");
        cr_assert(strstr(err.text, cases[i].words) && strstr(err.text, "I11"), "%s", err.text);
        json_t *own = cm_view_make(record, CM_VIEW_RESELLER, &err);
        cr_assert_str_eq(test_text(own, "state"), cases[i].state);
        cr_assert(json_is_null(json_object_get(own, "issued_on")));
        json_decref(own);
        json_decref(record);
    }
}

Test(view, I12_parties_I06_title_I04_link)
{
    json_t *view = test_view(test_record(), CM_VIEW_CUSTOMER);
    const json_t *reseller = json_object_get(view, "reseller"),
                 *customer = json_array_get(json_object_get(view, "customers"), 0);
    cr_expect_str_eq(test_text(view, "title"), "Billing statement");
    cr_expect(json_is_false(json_object_get(view, "payable"))); /* I06 */
    cr_expect_str_eq(test_text(view, "id"), "00112233445566778899aabbccddeeff");
    cr_expect_str_eq(test_text(view, "link"),
                     "https://portal.example/statements/00112233445566778899aabbccddeeff?from=mail"); /* I04 */
    cr_expect_str_eq(test_text(view, "issued_on"), "2025-07-20");
    cr_expect_str_eq(test_text(json_object_get(view, "cycle"), "start"), "2025-06-01");
    cr_expect_str_eq(test_text(json_object_get(view, "cycle"), "end"), "2025-06-30");
    cr_expect_str_eq(test_text(reseller, "name"), "Northwind Cloud");
    cr_expect_str_eq(test_text(reseller, "profile"), "Your partner for AWS.");
    cr_expect(strncmp(test_text(reseller, "logo"), "data:image/png", 14) == 0);
    cr_expect_str_eq(test_text(customer, "tax_id"), "DE123456789");
    cr_expect_eq(json_array_size(json_object_get(customer, "address")), 2);
    cr_expect_str_eq(test_text(json_object_get(customer, "contact"), "title"), "CFO");
    const json_t *fx = json_object_get(view, "exchange_rate"),
                 *line = json_array_get(json_object_get(view, "lines"), 0);
    cr_expect_str_eq(test_text(fx, "rate"), "0.9217");
    cr_expect_str_eq(test_text(fx, "set_by"), "ines"); /* R06: with who and when */
    cr_expect_str_eq(test_text(fx, "set_at"), "2025-07-01T08:30:00Z");
    cr_expect_str_eq(test_text(line, "account_name"), "Production");
    cr_expect_str_eq(test_text(json_object_get(line, "tags"), "team"), "web");
    cr_expect_str_eq(test_text(view, "total"), "18.1");
    cr_expect_eq(json_integer_value(json_object_get(view, "minor_digits")), 2);
    json_decref(view);
}

/* R04: the reseller's purchase price and the customer's price side by side; nobody else sees them. */
Test(view, R04_the_reseller_sees_buy_and_margin)
{
    json_t *view = test_view(test_record(), CM_VIEW_RESELLER);
    const json_t *margin = json_object_get(view, "margin"), *row = json_array_get(json_object_get(margin, "rows"), 0);
    cr_expect_str_eq(test_text(row, "sell"), "10.004");
    cr_expect_str_eq(test_text(row, "buy"), "7.77123");
    cr_expect_str_eq(test_text(row, "fx"), "-0.06998");
    cr_expect_str_eq(test_text(margin, "margin"), "1.66879");
    cr_expect_str_eq(test_text(json_array_get(json_object_get(margin, "negative"), 0), "cause"), "PRICE_BELOW_BUY");
    cr_expect_str_eq(test_text(json_array_get(json_object_get(view, "overrides"), 0), "by"), "maria");
    cr_expect_str_eq(test_text(json_object_get(view, "approved"), "by"), "maria");
    cr_expect_str_eq(test_text(json_object_get(view, "issued"), "by"), "omar");
    cr_expect_str_eq(test_text(view, "catalog"), "c0ffee00c0ffee00c0ffee00c0ffee00");
    json_decref(view);
}

/* I14: the distributor's bill is paid to the address for the reseller's country. */
Test(view, I14_the_distributor_view)
{
    json_t *view = test_view(test_record(), CM_VIEW_DISTRIBUTOR);
    cr_expect_eq(json_array_size(json_object_get(view, "rows")), 2);
    cr_expect_str_eq(test_text(view, "source_currency"), "USD");
    cr_expect_str_eq(test_text(view, "source_buy"), "9.931409");
    cr_expect_str_eq(test_text(view, "paid"), "9.23621");
    cr_expect_str_eq(test_text(json_object_get(view, "remit_to"), "name"), "Distributor Ireland Ltd");
    cr_expect_str_eq(test_text(view, "source_net"), "9.5"); /* N12: 9.931409 minus 0.431409 of May */
    cr_expect_null(json_object_get(view, "lines"));
    cr_expect_null(json_object_get(view, "total"));
    json_decref(view);
}

Test(view, corrections_name_what_they_correct)
{
    cm_error err = {0};
    json_t *record = test_record(), *document = json_object_get(record, "document");
    json_object_set_new(document, "kind", json_string("credit_note"));
    json_object_set_new(
        document, "corrects",
        json_pack("{s:s, s:s, s:s}", "number", "northwind/tds/2025/000003", "id", "ff", "period", "2025-05"));
    json_object_del(record, "margin");
    cr_assert_null(cm_view_make(record, CM_VIEW_DISTRIBUTOR, &err));
    cr_assert_str_eq(err.code, "NOT_RECORDED");
    cr_assert(strstr(err.text, "the document that it corrects"), "%s", err.text);
    json_t *own = cm_view_make(record, CM_VIEW_RESELLER, &err);
    cr_assert(json_is_null(json_object_get(own, "margin")));
    json_decref(own);
    json_t *view = test_view(record, CM_VIEW_CUSTOMER);
    cr_expect_str_eq(test_text(view, "title"), "Credit note");
    cr_expect_str_eq(test_text(json_object_get(view, "corrects"), "number"), "northwind/tds/2025/000003");
    json_decref(view);
}

/* Older issued documents stay printable: what they do not store is left out. */
Test(view, records_of_older_versions)
{
    static const char *const absent[] = {"margin", "arrears", "overrides"};
    json_t *record = test_record(), *settings = json_object_get(record, "settings");
    for (size_t i = 0; i < 3; i++)
        json_object_del(record, absent[i]);
    json_object_del(settings, "accounts");
    json_object_del(settings, "remit_to");
    json_object_set_new(json_object_get(json_object_get(settings, "parties"), "reseller"), "logo",
                        json_string("logo.png"));
    json_object_set_new(json_object_get(json_object_get(settings, "parties"), "reseller"), "contact",
                        json_string("Marie"));
    json_t *view = test_view(json_incref(record), CM_VIEW_CUSTOMER);
    cr_expect_null(json_object_get(json_object_get(view, "reseller"), "logo"));
    cr_expect_str_eq(test_text(json_object_get(view, "reseller"), "contact"), "Marie");
    cr_expect_str_eq(test_text(json_array_get(json_object_get(view, "lines"), 0), "account_name"), "");
    for (int v = 0; v < CM_VIEW_DISTRIBUTOR; v++) {
        json_t *one = test_view(json_incref(record), (enum cm_view)v);
        cm_buffer pdf = {0}, csv = {0};
        cm_error err = {0};
        cr_assert(cm_view_pdf(one, &pdf, &err), "%s", err.text);
        cr_assert(cm_view_csv(one, NULL, &csv, &err), "%s", err.text);
        cm_buffer_free(&pdf);
        cm_buffer_free(&csv);
        json_decref(one);
    }
    json_decref(view);
    json_decref(record);
}
