/* The example of rating.md section 8, as it stands there, and what it means. */
#include "billing/catalog/check/read.h"
#include "billing/catalog/parse/canonical.h"
#include "support.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static json_t *read_good(void)
{
    cm_catalog_problems problems = {0};
    cm_error err = {0};
    json_t *canonical = cm_catalog_read(CATALOG_FIXTURES "/good", &problems, &err);
    cr_assert(canonical, "%s %s", err.text, problems.count ? problems.list[0].text : "");
    cr_assert_eq(problems.count, 0);
    return canonical;
}

static cm_catalog *load_good(void)
{
    json_t *canonical = read_good();
    char *text = cm_catalog_text(canonical);
    cm_error err = {0};
    cm_catalog *catalog = cm_catalog_parse(text, &err);
    cr_assert(catalog, "%s", err.text);
    free(text);
    json_decref(canonical);
    return catalog;
}

static void decimal_is(cm_decimal value, const char *expected)
{
    char text[CM_DECIMAL_TEXT];
    cm_decimal_print(value, text);
    cr_assert_str_eq(text, expected);
}

Test(good, canonical_text_of_the_example)
{
    json_t *canonical = read_good();
    char *text = cm_catalog_text(canonical);
    cr_assert_str_eq(
        text,
        "{\"Customer\":{\"acme\":{\"accounts\":[{\"from\":\"2025-06-01T00:00:00Z\",\"id\":\"000011112222\",\"payer\":"
        "\"111122223333\",\"support_plan_group\":\"tds-business\"}],\"commitment_policy\":\"on_demand\",\"credit_"
        "policy\":{"
        "\"mode\":\"keep\"},\"invoice_currency\":\"EUR\",\"name\":\"Acme "
        "GmbH\",\"price_book\":\"standard\",\"refund_policy\":"
        "\"price_book\",\"reseller\":\"northwind\",\"tax\":[{\"name\":\"VAT\",\"percent\":\"19\"}]}},"
        "\"FxRate\":{\"usd-eur-2025-06\":{\"from\":\"USD\",\"period\":\"2025-06\",\"rate\":\"0.92\",\"set\":"
        "\"reseller\",\"to\":"
        "\"EUR\"}},"
        "\"Payer\":{\"111122223333\":{\"buy_book\":\"tds-buy\",\"lane\":\"tdsynnex\",\"model\":\"tdsynnex\",\"payer_"
        "kind\":"
        "\"shared\",\"reports\":[\"synthetic-hourly\"],\"reseller\":\"northwind\",\"source\":{\"path\":\"/data/cur/"
        "tds-shared\","
        "\"type\":\"folder\"}}},"
        "\"PriceBook\":{\"standard\":{\"currency\":\"USD\",\"versions\":[{\"effective_from\":\"2025-01-01T00:00:00Z\","
        "\"rules\":[{"
        "\"id\":\"ec2-list-minus-5\",\"match\":{\"service\":[\"AmazonEC2\"]},\"price\":{\"of\":\"list\",\"percent\":\"-"
        "5\"},"
        "\"priority\":10},{\"id\":\"rest\",\"match\":{},\"price\":{\"of\":\"payer\",\"percent\":\"3\"},\"priority\":"
        "1000}]}]},"
        "\"tds-buy\":{\"currency\":\"USD\",\"versions\":[{\"effective_from\":\"2025-01-01T00:00:00Z\",\"rules\":[{"
        "\"id\":\"all\","
        "\"match\":{},\"price\":{\"of\":\"payer\",\"percent\":\"-8.5\"},\"priority\":1}]}]}},"
        "\"Reseller\":{\"northwind\":{\"consolidation\":\"end_customer\",\"name\":\"Northwind Cloud\"}},"
        "\"SupportPlanGroup\":{\"tds-business\":{\"base\":{\"classes\":[\"bundled_discount\",\"covered_usage\","
        "\"usage\"],"
        "\"layer\":\"sell\"},\"buy_percent\":\"9\",\"percent\":\"10\",\"type\":\"business\"}}}");
    free(text);
    json_decref(canonical);
}

Test(good, payer_reseller_and_source)
{
    cm_catalog *catalog = load_good();
    const cm_payer *payer = cm_catalog_payer(catalog, "111122223333");
    cr_assert_not_null(payer);
    cr_assert_str_eq(payer->lane, "tdsynnex");
    cr_assert_eq(payer->model, cm_payer_model_find("tdsynnex"));
    cr_assert_str_eq(payer->payer_kind, "shared");
    cr_assert_str_eq(payer->reseller->id, "northwind");
    cr_assert_str_eq(payer->reseller->name, "Northwind Cloud");
    cr_assert_str_eq(payer->reseller->consolidation, "end_customer");
    cr_assert_str_eq(payer->buy_book->id, "tds-buy");
    cr_assert_str_eq(payer->reports[0], "synthetic-hourly");
    cr_assert_null(payer->reports[1]);
    cr_assert_str_eq(json_string_value(json_object_get(payer->source, "type")), "folder");
    cr_assert_str_eq(json_string_value(json_object_get(payer->source, "path")), "/data/cur/tds-shared");
    cr_assert_null(cm_catalog_payer(catalog, "111122223334"));
    cr_assert_null(cm_catalog_payer(catalog, ""));
    cm_catalog_free(catalog);
}

Test(good, customer_and_its_account)
{
    cm_catalog *catalog = load_good();
    const cm_customer *acme = cm_catalog_customer(catalog, "acme");
    cr_assert_str_eq(acme->name, "Acme GmbH");
    cr_assert_str_eq(acme->terms->invoice_currency, "EUR");
    cr_assert_str_eq(acme->terms->price_book->id, "standard");
    cr_assert_eq(acme->terms->commitment_policy, CM_COMMITMENT_ON_DEMAND);
    cr_assert_eq(acme->terms->credit_mode, CM_CREDIT_KEEP);
    cr_assert_eq(acme->terms->refund_policy, CM_REFUND_PRICE_BOOK);
    cr_assert_eq(acme->terms->tax_count, 1);
    cr_assert_str_eq(acme->terms->taxes[0].name, "VAT");
    decimal_is(acme->terms->taxes[0].percent, "19");
    size_t count;
    const cm_link *link = cm_catalog_links(catalog, "111122223333", cm_slice_of("000011112222"), &count);
    cr_assert_eq(count, 1);
    cr_assert_eq(link->customer, acme);
    cr_assert_eq(link->from, cm_period_start((cm_period){2025, 6}));
    cr_assert_eq(link->to, INT64_MAX);
    cr_assert_str_eq(link->own_group->id, "tds-business");
    cr_assert_str_eq(link->declared_plan, "");
    cm_catalog_free(catalog);
}

Test(good, price_book)
{
    cm_catalog *catalog = load_good();
    const cm_price_book *book = cm_catalog_customer(catalog, "acme")->terms->price_book;
    cr_assert_str_eq(book->currency, "USD");
    cr_assert_eq(book->count, 1);
    cr_assert_eq(book->versions[0].effective_from, cm_period_start((cm_period){2025, 1}));
    cr_assert_eq(book->versions[0].count, 2);
    const cm_rule *first = &book->versions[0].rules[0], *rest = first + 1;
    cr_assert_str_eq(first->id, "ec2-list-minus-5");
    cr_assert_eq(first->priority, 10);
    cr_assert_eq(first->price, CM_PRICE_PERCENT);
    cr_assert_eq(first->of, CM_LAYER_LIST);
    decimal_is(first->percent, "-5");
    cr_assert_eq(first->marketplace, -1);
    cr_assert_eq(first->match[CM_MATCH_SERVICE].count, 1);
    cr_assert_str_eq(first->match[CM_MATCH_SERVICE].values[0], "AmazonEC2");
    for (int i = 0; i < CM_MATCH_KEYS; i++)
        cr_assert_eq(rest->match[i].count, 0);
    cr_assert_eq(rest->of, CM_LAYER_PAYER);
    decimal_is(catalog->books[1].versions[0].rules[0].percent, "-8.5");
    cm_catalog_free(catalog);
}

/* N02, N03, N05 */
Test(good, support_group)
{
    cm_catalog *catalog = load_good();
    cr_assert_eq(catalog->group_count, 1);
    const cm_support_group *group = &catalog->groups[0];
    cr_assert_eq(group->type, CM_PLAN_BUSINESS);
    const cm_group_terms *terms = group->terms;
    cr_assert(terms->has_percent && terms->has_buy_percent && !terms->has_minimum);
    decimal_is(terms->percent, "10");
    decimal_is(terms->buy_percent, "9");
    cr_assert_eq(terms->base_layer, CM_LAYER_SELL);
    for (int i = 0; i < CM_CLASS_COUNT; i++)
        cr_assert_eq(terms->base_class[i],
                     i == CM_CLASS_USAGE || i == CM_CLASS_COVERED_USAGE || i == CM_CLASS_BUNDLED_DISCOUNT);
    cm_catalog_free(catalog);
}

/* R06, R08: rates are data of a month, in two sets. */
Test(good, R06_R08_fx_rate)
{
    cm_catalog *catalog = load_good();
    const cm_fx_rate *rate = cm_catalog_fx(catalog, CM_FX_RESELLER, "USD", "EUR", (cm_period){2025, 6});
    cr_assert_not_null(rate);
    cr_assert_str_eq(rate->id, "usd-eur-2025-06");
    decimal_is(rate->rate, "0.92");
    cr_assert_null(cm_catalog_fx(catalog, CM_FX_DISTRIBUTOR, "USD", "EUR", (cm_period){2025, 6}));
    cr_assert_null(cm_catalog_fx(catalog, CM_FX_RESELLER, "USD", "EUR", (cm_period){2025, 7}));
    cr_assert_null(cm_catalog_fx(catalog, CM_FX_RESELLER, "EUR", "USD", (cm_period){2025, 6}));
    cm_catalog_free(catalog);
}
