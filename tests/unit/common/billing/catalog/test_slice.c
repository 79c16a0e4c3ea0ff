/* What a payer's slice holds: an edit changes the slices of the payers that it can influence, and no other (rating.md
 * section 8). */
#include "billing/catalog/parse/canonical.h"
#include "billing/catalog/slice/slicer.h"
#include "support.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#define ONE   "111122223333"
#define TWO   "222233334444"
#define THREE "333344445555"

/* acme has accounts under ONE and TWO, beta under THREE with a book and a group of its own. */
static const char parties[] =
    "kind: Customer\nid: acme\nname: Acme\nreseller: northwind\nprice_book: standard\naccounts:\n"
    "  - {id: '000000000001', payer: '" ONE "', from: 2025-01-01}\n"
    "  - {id: '000000000002', payer: '" TWO "', from: 2025-01-01}\n---\n"
    "kind: Customer\nid: beta\nname: Beta\nreseller: northwind\nprice_book: own\naccounts:\n"
    "  - {id: '000000000003', payer: '" THREE "', from: 2025-01-01, support_plan_group: managed}\n---\n"
    "kind: Customer\nid: idle\nname: Idle\nreseller: northwind\nprice_book: own\n---\n"
    "kind: PriceBook\nid: own\ncurrency: USD\n"
    "versions: [{effective_from: 2025-01-01, rules: [{id: all, priority: 1, price: {percent: 5, of: payer}}]}]\n---\n"
    "{kind: SupportPlanGroup, id: managed, type: enterprise}\n";

static void cut(const json_t *canonical, const char *payer, const cm_given_link *links, size_t count,
                char ret[static CM_ID_HEX])
{
    cm_slicer *slicer = cm_slicer_new(canonical);
    free(cm_slicer_cut(slicer, payer, links, count, ret));
    cm_slicer_free(slicer);
}

/* The slices that differ between the catalog and the one in which `from` became `to` (NULL: `to` is added). */
static void expect_touched(const char *from, const char *to, bool one, bool two, bool three)
{
    static const char *const payers[] = {ONE, TWO, THREE};
    const bool wanted[] = {one, two, three};
    const char *place = from ? strstr(parties, from) : NULL;
    cm_buffer edited = {0};
    cr_assert_eq(!from, !place, "%s", from);
    if (place)
        cm_buffer_printf(&edited, "%.*s%s%s", (int)(place - parties), parties, to, place + strlen(from));
    else
        cm_buffer_printf(&edited, "%s---\n%s", parties, to);
    json_t *before = canonical_of_text(parties), *after = canonical_of_text(edited.data);
    cr_assert_not(json_equal(before, after), "%s", to);
    for (int i = 0; i < 3; i++) {
        char was[CM_ID_HEX], is[CM_ID_HEX];
        cut(before, payers[i], NULL, 0, was);
        cut(after, payers[i], NULL, 0, is);
        cr_expect_eq(strcmp(was, is) != 0, wanted[i], "%s of payer %s", to, payers[i]);
    }
    json_decref(before);
    json_decref(after);
    cm_buffer_free(&edited);
}

Test(slice, an_edit_touches_the_payers_that_it_can_influence)
{
    expect_touched("id: '000000000002', payer", "id: '000000000022', payer", false, true, false);
    expect_touched("reseller: northwind\nprice_book: standard", "reseller: northwind\nprice_book: own", true, true,
                   false);
    expect_touched("percent: 5", "percent: 6", false, false, true);
    expect_touched("type: enterprise", "type: enterprise, percent: 9", false, false, true);
    expect_touched("price_book: own\naccounts",
                   "price_book: own\ncommitment_policy: on_demand\nrefund_policy: keep\naccounts", false, false, true);
    expect_touched("price_book: own\naccounts", "price_book: own\ncredit_policy: pass\naccounts", false, false, true);
    expect_touched(NULL, "{kind: LineItemType, id: OddFee, class: fee}\n", true, true, true);
    expect_touched(NULL, "kind: SupportPlan\nid: newer\ntype: enterprise\nfrom: 2027-01-01\nbands: [{percent: 3}]\n",
                   false, false, true);
}

Test(slice, what_only_documents_say_touches_none)
{
    expect_touched("name: Acme", "name: Acme GmbH", false, false, false);
    expect_touched("name: Acme\n",
                   "name: Acme\naddress: [Hauptstr. 1]\nemail: a@example.com\ntax_id: DE1\ncountry: DE\n", false, false,
                   false);
    expect_touched("name: Acme\n", "name: Acme\ntax: [{name: VAT, percent: 19}]\n", false, false, false);
    expect_touched("{id: all, priority", "{id: all, label: Everything, priority", false, false, false);
    expect_touched("id: managed, type", "id: managed, label: Managed support, type", false, false, false);
    expect_touched("name: Acme\n", "name: Acme\ninvoice_currency: EUR\n", false, false, false);
    expect_touched("from: 2025-01-01, support", "from: 2025-01-01, name: Production, support", false, false, false);
    expect_touched("id: idle\nname: Idle\nreseller: northwind\nprice_book: own",
                   "id: idle\nname: Idle\nreseller: northwind\nprice_book: standard", false, false, false);
    expect_touched(NULL, "{kind: FxRate, id: r, set: reseller, from: USD, to: EUR, period: 2025-06, rate: 0.9}\n",
                   false, false, false);
    expect_touched(
        NULL,
        "{kind: CustomCharge, id: c, customer: acme, lane: tdsynnex, from: 2025-06, amount: 5, currency: USD, name: C}\n",
        false, false, false);
    expect_touched(NULL, "{kind: SupportPlanGroup, id: unused, type: business}\n", false, false, false);
}

/* A slice is a catalog; org-linker's customers are in it, whom the catalog links elsewhere or not at all. */
Test(slice, is_a_catalog_with_the_customers_of_the_link_set)
{
    json_t *canonical = canonical_of_text(parties);
    char without[CM_ID_HEX], with[CM_ID_HEX], own[CM_ID_HEX];
    const cm_given_link links[] = {{ONE, "000000000009", "idle", "managed", "", 0, INT64_MAX},
                                   {ONE, "000000000010", "nobody", "", "", 0, INT64_MAX},
                                   {THREE, "000000000011", "acme", "", "", 0, INT64_MAX}};
    cut(canonical, ONE, NULL, 0, without);
    cm_slicer *slicer = cm_slicer_new(canonical);
    char *text = cm_slicer_cut(slicer, ONE, links, 3, with);
    cr_expect_str_neq(with, without);
    cr_expect_null(cm_slicer_cut(slicer, "999999999999", NULL, 0, own));
    cr_expect_str_eq(own, "");
    cr_expect_not_null(strstr(text, "\"idle\""));
    cr_expect_not_null(strstr(text, "\"managed\""));
    cr_expect_null(strstr(text, "nobody"));
    cr_expect_null(strstr(text, "000000000002")); /* acme's account under TWO */
    cr_expect_null(strstr(text, TWO));

    /* Books stand in it as their digests. */
    json_t *slice = json_loads(text, 0, NULL);
    cm_slice_book book;
    int books = 0;
    for (; cm_slicer_next_book(slicer, &book); books++) {
        const char *id = strstr(book.text, "\"percent\"") ? "own" : "standard";
        json_t *books_of_slice = json_object_get(slice, "PriceBook");
        cr_expect_str_eq(json_string_value(json_object_get(books_of_slice, id)), book.id);
        json_object_set_new(books_of_slice, id, json_loads(book.text, 0, NULL));
    }
    cr_expect_eq(books, 2);
    char *whole = cm_catalog_text(slice);
    cm_error err = {0};
    cm_catalog *catalog = cm_catalog_parse(whole, &err);
    cr_assert_not_null(catalog, "%s", err.text);
    cr_expect_eq(catalog->customer_count, 2);
    cr_expect_eq(catalog->link_count, 1);
    cr_expect_str_eq(cm_catalog_customer(catalog, "idle")->terms->price_book->id, "own");
    cm_catalog_free(catalog);
    free(whole);
    free(text);
    json_decref(slice);
    cm_slicer_free(slicer);
    json_decref(canonical);
}
