/* Slices in the database: runs are named by them, workers load them (rating.md section 8). */
#include "place.h"

#include "store/catalog/catalog_store.h"
#include "store/catalog/link_store.h"
#include "store/catalog/slice_store.h"

#include <stdlib.h>

#define CUSTOMER(id, account, payer, book, more)                                                                       \
    "kind: Customer\nid: " id "\nname: " id "\nreseller: northwind\nprice_book: " book "\n" more                       \
    "accounts: [{id: \"" account "\", payer: \"" payer "\", from: 2025-01-01}]\n---\n"
#define BOOK(percent)                                                                                                  \
    "kind: PriceBook\nid: other\ncurrency: USD\n"                                                                      \
    "versions: [{effective_from: 2025-01-01, rules: [{id: all, priority: 1, price: {percent: " percent                 \
    ", of: payer}}]}]\n"
#define CATALOG(percent, more)                                                                                         \
    CUSTOMER("acme", ACCOUNT, TDS, "standard", more) CUSTOMER("zenith", OTHER, ING, "other", "") BOOK(percent)

static void slice_of(place *p, const char *payer, char ret[static CM_ID_HEX])
{
    MUST(cm_store_slice_of(p->pg, p->catalog, payer, "", ret, &p->err));
}

/* `run start` with the catalog in force. */
static bool start(place *p, const char *payer, char ret[static CM_ID_HEX])
{
    const cm_run_settings settings = {.shards = 2, .partitions = 2};
    cm_catalog *catalog = NULL;
    bool new_run;
    MUST(cm_store_catalog_load(p->pg, p->catalog, &catalog, &p->err));
    MUST(cm_store_run_start(p->pg, catalog, payer, (cm_period){2025, 6}, &settings, p->now, "test", "test", ret,
                            &new_run, &p->err));
    cm_catalog_free(catalog);
    return new_run;
}

Test(slices, an_edit_leaves_the_runs_of_other_payers_as_they_are)
{
    place *p = place_open();
    char tds[2][CM_ID_HEX], ing[2][CM_ID_HEX], slice[CM_ID_HEX];
    place_catalog(p, CATALOG("1", ""));
    deliver_to(p, TDS, JUNE, "v1", true, "('acme', '" ACCOUNT "', 'usage', 'AmazonEC2', 1, 10)");
    deliver_to(p, ING, JUNE, "v2", true, "('zenith', '" OTHER "', 'usage', 'AmazonEC2', 1, 10)");
    cr_expect(start(p, TDS, tds[0]));
    cr_expect(start(p, ING, ing[0]));

    place_catalog(p, CATALOG("2", "")); /* zenith's book */
    cr_expect_not(start(p, TDS, tds[1]));
    cr_expect(start(p, ING, ing[1]));
    cr_expect_str_eq(tds[0], tds[1]);
    cr_expect_str_neq(ing[0], ing[1]);
    slice_of(p, ING, slice);
    EXPECT("SELECT slice_id FROM run WHERE payer = '" ING "' ORDER BY seq DESC LIMIT 1", slice);
    EXPECT("SELECT catalog_id FROM run WHERE payer = '" ING "' ORDER BY seq DESC LIMIT 1", p->catalog);
    EXPECT("SELECT count(DISTINCT slice_id) FROM payer_slice WHERE payer = '" TDS
           "' AND catalog_id IN (SELECT catalog_id "
           "FROM run WHERE slice_id <> '')",
           "1");
    place_close(p);
}

Test(slices, a_worker_loads_one_payers_part)
{
    place *p = place_open();
    char slice[CM_ID_HEX];
    cm_catalog *catalog;
    place_catalog(p, CATALOG("1.5", "tax: [{name: VAT, percent: 19}]\n"));
    slice_of(p, ING, slice);
    MUST(cm_store_slice_load(p->pg, slice, &catalog, &p->err));
    cr_expect_str_eq(catalog->id, slice);
    cr_expect_eq(catalog->payer_count, 1);
    cr_expect_eq(catalog->customer_count, 1);
    cr_expect_eq(catalog->book_count, 1);
    cr_expect_eq(catalog->links[0].customer->terms->price_book->versions[0].rules[0].percent.units,
                 (cm_i128)1500000000000000000);
    cm_catalog_free(catalog);
    slice_of(p, "999999999999", slice); /* the version does not have it */
    cr_expect_str_eq(slice, "");
    MUST(cm_pg_execute(p->pg, "DELETE FROM catalog_book", &p->err));
    slice_of(p, ING, slice);
    cr_expect_not(cm_store_slice_load(p->pg, slice, &catalog, &p->err));
    cr_expect_str_eq(p->err.code, "CATALOG_DAMAGED");
    place_close(p);
}

/* A version that was applied before there were slices, and a link set that came after it. */
Test(slices, what_is_missing_is_made_on_demand)
{
    place *p = place_open();
    char before[CM_ID_HEX], after[CM_ID_HEX], links[CM_ID_HEX];
    bool changed;
    cm_given_link link = {ING, ACCOUNT, "acme", "", "", 0, INT64_MAX};
    place_catalog(p, CATALOG("1", ""));
    slice_of(p, ING, before);
    MUST(cm_pg_execute(p->pg, "DELETE FROM payer_slice; DELETE FROM catalog_slice; DELETE FROM catalog_book", &p->err));
    slice_of(p, ING, after);
    cr_expect_str_eq(before, after);
    EXPECT("SELECT count(*) FROM catalog_book", "1");
    MUST(cm_store_links_set(p->pg, ING, "ingram", &link, 1, p->now, &changed, links, &p->err));
    MUST(cm_store_slices_ensure(p->pg, p->catalog, &p->err));
    EXPECT("SELECT count(DISTINCT slice_id) FROM payer_slice WHERE payer = '" ING "'", "2");
    place_close(p);
}
