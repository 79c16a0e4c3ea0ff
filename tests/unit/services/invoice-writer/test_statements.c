/* Draft statements: rebuilt when stale, unchanged otherwise, never touched once they are no longer drafts
 * (statements.md section 4). */
#include "world.h"

static const hand_charge june[] = {
    {.customer = "acme", .account = ACCOUNT, .class = "usage", .product = "EC2", .payer = "10", .sell = "11.004"},
    {.customer = "acme", .account = ACCOUNT, .class = "usage", .product = "S3", .payer = "10", .sell = "0.004"},
    {.customer = "bolt", .account = OTHER, .class = "usage", .product = "EC2", .payer = "1", .sell = "2"},
    {.customer = "", .account = TDS, .class = "usage", .product = "EC2", .payer = "1", .sell = "0"},
    {.customer = "bolt", .account = OTHER, .class = "suspended", .product = "EC2", .payer = "7", .reason = "NO_PRICE"},
};
enum { JUNE = sizeof june / sizeof *june };

static void june_of(world *w, const char *payer, char digit)
{
    add_delivery(w, payer, digit);
    run_through(w, add_run(w, payer, digit, 1), june, JUNE);
}

static int refresh(world *w, const char *lane)
{
    int built;
    must(w, cm_store_statements_refresh_all(w->pg, w->clock.now(&w->clock), lane, NULL, &built, &w->err));
    return built;
}

static const char *drafts(world *w)
{
    return text_of(w, "SELECT string_agg(concat_ws('/', lane, customer, currency, source_currency, "
                      "trim_scale(subtotal), state), ' ' ORDER BY lane, customer,"
                      " source_currency) FROM statement");
}

Test(statements, built_once_per_basis)
{
    world *w = world_new(NULL);
    june_of(w, TDS, 'a');
    cr_expect_eq(refresh(w, "ingram"), 0); /* not its lane */
    cr_expect_eq(refresh(w, "tdsynnex"), 1);
    cr_expect_str_eq(drafts(w), "tdsynnex/acme/USD/USD/11.01/draft tdsynnex/bolt/USD/USD/2/draft");
    const char *before = text_of(w, "SELECT md5(string_agg(id || document || xmin, '' ORDER BY id)) FROM statement");
    cr_expect_eq(refresh(w, NULL), 0);
    bool built;
    must(w, cm_store_statements_refresh(w->pg, 0, "tdsynnex", (cm_period){2025, 6}, false, &built, &w->err) ||
                w->err.class == CM_ERROR_NOT_FOUND);
    must(w, cm_store_statements_refresh(w->pg, w->clock.now(&w->clock), "tdsynnex", (cm_period){2025, 6}, true, &built,
                                        &w->err));
    cr_expect(built);
    cr_expect_str_eq(text_of(w, "SELECT md5(string_agg(id || document || xmin, '' ORDER BY id)) FROM statement"),
                     before); /* not even written */
    cr_expect_str_eq(text_of(w, "SELECT document::json #>> '{lines,0,amount}' FROM statement WHERE customer = 'acme'"),
                     "11.01");
    world_free(w);
}

/* All payers of the lane are one document (R03); the other lane has its own. */
Test(statements, lanes_and_payers)
{
    world *w = world_new(NULL);
    june_of(w, TDS, 'a');
    june_of(w, TDS2, 'b');
    june_of(w, ING, 'c');
    cr_expect_eq(refresh(w, NULL), 2);
    cr_expect_str_eq(drafts(w), "ingram/acme/USD/USD/11.01/draft ingram/bolt/USD/USD/2/draft "
                                "tdsynnex/acme/USD/USD/22.02/draft tdsynnex/bolt/USD/USD/4/draft");
    world_free(w);
}

Test(statements, follow_the_current_run_and_the_catalog)
{
    world *w = world_new(NULL);
    june_of(w, TDS, 'a');
    refresh(w, NULL);
    const char *id = text_of(w, "SELECT id FROM statement WHERE customer = 'acme'");
    add_delivery(w, TDS, 'b');
    must(w, cm_pg_execute(w->pg, "UPDATE delivery SET accepted = true", &w->err)); /* DELIVERY_SHRANK: it is small */
    run_through(w, add_run(w, TDS, 'b', 1), june, 1);
    cr_expect_eq(refresh(w, NULL), 1);
    cr_expect_str_eq(drafts(w), "tdsynnex/acme/USD/USD/11/draft"); /* bolt has no charge any more */
    cr_expect_str_eq(text_of(w, "SELECT id FROM statement"), id);
    world_catalog(w, "kind: Customer\nid: acme\nname: A\nreseller: northwind\nprice_book: standard\ninvoice_currency: "
                     "EUR\naccounts: []\n---\n"
                     "kind: FxRate\nid: f\nset: reseller\nfrom: USD\nto: EUR\nperiod: 2025-06\nrate: 0.5\n");
    cr_expect_eq(refresh(w, NULL), 1);
    cr_expect_str_eq(drafts(w), "tdsynnex/acme/EUR/USD/5.5/draft");
    cr_expect_str_eq(text_of(w, "SELECT fx_id || catalog_id FROM statement"),
                     text_of(w, "SELECT 'f' || catalog_id FROM catalog_activation ORDER BY seq DESC LIMIT 1"));
    world_free(w);
}

Test(statements, what_is_issued_is_not_touched)
{
    world *w = world_new(NULL);
    june_of(w, TDS, 'a');
    refresh(w, NULL);
    must(w, cm_pg_execute(
                w->pg,
                "UPDATE statement SET state = 'approved', document = document || ' ';" /* JSON, and to be reported */
                "UPDATE statement SET state = 'issued', number = 'n/1', record = '{}' WHERE customer = 'acme'",
                &w->err));
    add_delivery(w, TDS, 'b');
    must(w, cm_pg_execute(w->pg, "UPDATE delivery SET accepted = true", &w->err)); /* DELIVERY_SHRANK: it is small */
    run_through(w, add_run(w, TDS, 'b', 1), june, 1);
    cr_expect_eq(refresh(w, NULL), 2); /* the drafts, and the comparison with what is issued */
    /* bolt, approved, has no charge any more; acme's S3 is gone, a cent of what was issued */
    cr_expect_str_eq(drafts(w), "tdsynnex/acme/USD/USD/11.01/issued tdsynnex/acme/USD/USD/-0.01/draft");
    cr_expect_eq(number(w, "SELECT count(*) FROM statement WHERE document LIKE '% '"), 1);
    cr_expect_eq(number(w, "SELECT count(*) FROM audit WHERE action = 'statement.returned' AND actor = 'statements'"),
                 1);
    world_free(w);
}

Test(statements, customer_that_is_gone)
{
    world *w = world_new(NULL);
    june_of(w, TDS, 'a');
    world_catalog(w, "kind: Customer\nid: acme\nname: A\nreseller: northwind\nprice_book: standard\naccounts: []\n");
    cr_expect_eq(refresh(w, NULL), 1);
    cr_expect_str_eq(drafts(w), "tdsynnex/acme/USD/USD/11.01/draft");
    cr_expect_str_eq(
        text_of(w, "SELECT object || ' ' || right(reason, 4) FROM audit WHERE action = 'statement.customer_missing'"),
        "lane:tdsynnex/2025-06 bolt");
    world_free(w);
}

Test(statements, no_current_run_any_more)
{
    world *w = world_new(NULL);
    june_of(w, TDS, 'a');
    refresh(w, NULL);
    must(w, cm_pg_execute(w->pg, "DELETE FROM current_run", &w->err));
    cr_expect_eq(refresh(w, "tdsynnex"), 1);
    cr_expect_str_eq(drafts(w), "");
    cr_expect_eq(number(w, "SELECT count(*) FROM statement_build"), 0);
    cr_expect_eq(refresh(w, NULL), 0);
    world_free(w);
}

/* Customers beyond one fetch of the cursor, many lines each: the same documents as from one small run. */
Test(statements, many_rows)
{
    world *w = world_new(NULL);
    add_delivery(w, TDS, 'a');
    const char *run = add_run(w, TDS, 'a', 1);
    run_through(w, run, june, 1);
    must(w, cm_pg_execute(
                w->pg,
                "INSERT INTO charge SELECT period, run_id, c, account, line_item_type, class, 'P' || n, usage_type, "
                "operation, region, unit, rule,"
                " currency, reason, lines, final_lines, example_chunk, example_row, quantity, payer_amount, "
                "list_amount, buy_amount, 0.1"
                " FROM charge, generate_series(1, 4500) n, unnest(ARRAY['acme', 'bolt']) c WHERE product = 'EC2'",
                &w->err));
    cr_expect_eq(refresh(w, NULL), 1);
    cr_expect_str_eq(drafts(w), "tdsynnex/acme/USD/USD/461/draft tdsynnex/bolt/USD/USD/450/draft");
    cr_expect_eq(
        number(w, "SELECT json_array_length(document::json -> 'lines') FROM statement WHERE customer = 'acme'"), 4501);
    world_free(w);
}
