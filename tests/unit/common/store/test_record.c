/* What an issued document stores is all that its outputs need (I09, I12, I14, R06): no later change affects a byte of
 * them. */
#include "billing/print/view.h"
#include "place.h"
#include "store/documents/document_record.h"

#include <stdlib.h>

#define CATALOG(name)                                                                                                  \
    "kind: Customer\nid: acme\nname: " name "\nreseller: northwind\ninvoice_currency: EUR\nprice_book: standard\n"     \
    "address: [Hauptstr. 1]\ncountry: DE\n"                                                                            \
    "accounts: [{id: \"" ACCOUNT "\", payer: \"" TDS "\", from: 2025-01-01, name: " name                               \
    " account, tags: {team: " name "}}]\n---\n"                                                                        \
    "kind: FxRate\nid: r\nset: reseller\nfrom: USD\nto: EUR\nperiod: 2025-06\nrate: 0.5\n---\n"                        \
    "kind: FxRate\nid: d\nset: distributor\nfrom: USD\nto: EUR\nperiod: 2025-06\nrate: 0.75\n"

#define ACME "('acme', '" ACCOUNT "', 'usage', 'AmazonEC2', 2, 10), ('acme', '" ACCOUNT "', 'tax', 'AmazonEC2', 1, 4)"

static json_t *record_of(place *p, const char *id)
{
    json_t *record = NULL;
    MUST(cm_store_document_record(p->pg, id, &record, &p->err));
    return record;
}

/* All outputs of a record, one after the other. */
static char *outputs_of(place *p, const char *id)
{
    cm_buffer all = {0};
    json_t *record = record_of(p, id);
    for (int view = 0; view < CM_VIEW_COUNT; view++) {
        json_t *made = cm_view_make(record, (enum cm_view)view, &p->err);
        cr_assert(made, "%s", p->err.text);
        char *text = json_dumps(made, JSON_INDENT(2));
        cm_buffer pdf = {0};
        cm_buffer_text(&all, text);
        MUST(cm_view_csv(made, NULL, &all, &p->err));
        MUST(cm_view_pdf(made, &pdf, &p->err));
        char hex[CM_SHA256_HEX];
        cm_digest *digest = cm_digest_new();
        cm_digest_raw(digest, pdf.data, pdf.length);
        cm_digest_finish_hex(digest, hex);
        cm_buffer_text(&all, hex);
        cm_buffer_free(&pdf);
        free(text);
        json_decref(made);
    }
    json_decref(record);
    return cm_buffer_take(&all);
}

static const char *text_at(const json_t *json, const char *const *path)
{
    for (; *path; path++)
        json = json_object_get(json, *path);
    const char *text = json_string_value(json);
    return text ? text : "";
}
#define AT(json, ...) text_at(json, (const char *const[]){__VA_ARGS__, NULL})

/* AWS's tax is bought, but not resold: the reseller's documents have their own. */
static void deliver_with_tax(place *p)
{
    bool built;
    deliver(p, "v1", true, ACME);
    MUST(cm_pg_execute(p->pg, "UPDATE charge SET sell_amount = 0 WHERE class = 'tax'", &p->err));
    MUST(cm_store_statements_refresh(p->pg, p->now, "tdsynnex", (cm_period){2025, 6}, true, &built, &p->err));
}

/* 10 USD of usage at 0.5: 5 EUR; bought for 10 USD and 4 USD of tax, paid at the distributor's 0.75: 7.5 and 3 EUR. */
Test(record, I12_R06_settings_and_margin)
{
    place *p = place_open();
    char id[CM_ID_HEX];
    place_catalog(p, CATALOG("Acme"));
    deliver_with_tax(p);
    snprintf(id, sizeof id, "%s", id_of(p, "customer = 'acme'"));
    for (int issued = 0; issued < 2; issued++) { /* as a draft, and as it is stored */
        json_t *record = record_of(p, id);
        cr_expect_str_eq(AT(record, "document", "state"), issued ? "issued" : "draft");
        cr_expect_str_eq(AT(record, "document", "total"), "5");
        cr_expect_str_eq(AT(record, "settings", "catalog"), p->catalog);
        cr_expect_str_eq(AT(record, "settings", "fx", "rate"), "0.5");
        cr_expect_str_eq(AT(record, "settings", "fx", "set_by"), "test");
        cr_expect_str_eq(AT(record, "settings", "fx", "set_at"), "2025-07-20T00:00:00Z");
        cr_expect_str_eq(AT(record, "settings", "parties", "customers", "acme", "country"), "DE");
        cr_expect_str_eq(AT(record, "settings", "accounts", ACCOUNT, "name"), "Acme account");
        cr_expect_str_eq(AT(record, "settings", "accounts", ACCOUNT, "tags", "team"), "Acme");
        cr_expect_str_eq(AT(record, "margin", "sell"), "5");
        cr_expect_str_eq(AT(record, "margin", "buy"), "5"); /* 10 USD at the reseller's rate, without tax */
        cr_expect_str_eq(AT(record, "margin", "fx"), "-2.5");
        cr_expect_str_eq(AT(record, "margin", "source_buy"), "14");
        cr_expect_str_eq(AT(record, "margin", "paid"), "10.5");
        cr_expect_eq(json_array_size(json_object_get(json_object_get(record, "margin"), "rows")), 1);
        cr_expect_eq(json_array_size(json_object_get(json_object_get(record, "margin"), "bought")), 2);
        cr_expect_str_eq(AT(record, "approved", "by"), issued ? "maria" : "");
        cr_expect_str_eq(AT(record, "issued", "by"), issued ? "maria" : "");
        json_decref(record);
        if (!issued) {
            cr_assert_str_eq(change_id(p, CM_DOCUMENT_APPROVE, id, NULL), "");
            cr_assert_not(
                cm_pg_execute(p->pg, "UPDATE statement SET margin = '{}'", &p->err)); /* frozen with its figures */
            cr_assert_str_eq(change_id(p, CM_DOCUMENT_ISSUE, id, NULL), "");
        }
    }
    place_close(p);
}

Test(record, I09_outputs_never_change)
{
    place *p = place_open();
    char id[CM_ID_HEX];
    place_catalog(p, CATALOG("Acme"));
    deliver(p, "v1", true, ACME);
    snprintf(id, sizeof id, "%s", id_of(p, "customer = 'acme'"));
    change_id(p, CM_DOCUMENT_APPROVE, id, NULL);
    cr_assert_str_eq(change_id(p, CM_DOCUMENT_ISSUE, id, NULL), "");
    char *before = outputs_of(p, id);
    cr_assert(strstr(before, "\"team\": \"Acme\""));
    p->now += 40 * CM_DAY;
    place_catalog(p, CATALOG("Renamed"));
    deliver(p, "v2", true, "('acme', '" ACCOUNT "', 'usage', 'AmazonEC2', 1, 77)");
    refresh(p);
    char *after = outputs_of(p, id);
    cr_assert_str_eq(before, after);
    free(before);
    free(after);
    place_close(p);
}

/* I14: by the reseller's country, of the distributor of the document's lane. The version is written as it would be
 * stored. */
Test(record, I14_remit_to_by_country)
{
    place *p = place_open();
    char id[CM_ID_HEX];
    place_catalog(p, CATALOG("Acme"));
    deliver(p, "v1", true, ACME);
    snprintf(id, sizeof id, "%s", id_of(p, "customer = 'acme'"));
    MUST(cm_pg_execute(p->pg,
                       "UPDATE catalog_version SET content = (content::jsonb || '{\"Distributor\": {\"a\": {\"lane\": "
                       "\"ingram\", \"remit_to\": [{\"country\": \"CA\","
                       " \"name\": \"Other\"}]}, \"b\": {\"lane\": \"tdsynnex\", \"remit_to\": [{\"country\": \"US\", "
                       "\"name\": \"In the US\"}, {\"country\": \"CA\","
                       " \"name\": \"In Canada\", \"address\": [\"PO Box 1\"]}]}}}'::jsonb || "
                       "jsonb_build_object('Reseller', jsonb_set(content::jsonb -> 'Reseller',"
                       " '{northwind,country}', '\"CA\"')))::text",
                       &p->err));
    json_t *record = record_of(p, id);
    cr_expect_str_eq(AT(record, "settings", "remit_to", "name"), "In Canada");
    json_t *view = cm_view_make(record, CM_VIEW_DISTRIBUTOR, &p->err);
    cr_expect_str_eq(AT(view, "remit_to", "name"), "In Canada");
    json_decref(view);
    json_decref(record);
    place_close(p);
}

/* Labels of the catalog become part of what an issued document stores. */
Test(record, labels_of_the_catalog_version)
{
    place *p = place_open();
    char id[CM_ID_HEX];
    place_catalog(p, CATALOG("Acme") "---\nkind: CustomCharge\nid: desk\nname: Service desk\nlabel: Your desk\n"
                                     "customer: acme\nfrom: 2025-01\namount: 7\ncurrency: USD\n---\n"
                                     "kind: CustomCharge\nid: bare\ncustomer: acme\nfrom: 2025-01\namount: 1\n"
                                     "currency: USD\n---\n"
                                     "kind: Credit\nid: hello\nname: Welcome\ncustomer: acme\nfrom: 2025-01\n"
                                     "amount: 3\ncurrency: USD\n");
    deliver(p, "v1", true, ACME);
    snprintf(id, sizeof id, "%s", id_of(p, "customer = 'acme'"));
    json_t *record = record_of(p, id);
    cr_expect_str_eq(AT(record, "settings", "labels", "charges", "desk"), "Your desk");
    cr_expect_not_null(json_object_get(
        json_object_get(json_object_get(json_object_get(record, "settings"), "labels"), "charges"), "bare"));
    cr_expect_str_eq(AT(record, "settings", "labels", "charges", "bare"), "");
    cr_expect_str_eq(AT(record, "settings", "labels", "credits", "hello"), "Welcome");
    json_decref(record);
    place_close(p);
}

Test(record, a_document_that_does_not_exist)
{
    place *p = place_open();
    json_t *record = NULL;
    cr_assert_not(cm_store_document_record(p->pg, "00000000000000000000000000000000", &record, &p->err));
    cr_assert_eq(p->err.class, CM_ERROR_NOT_FOUND);
    place_close(p);
}
