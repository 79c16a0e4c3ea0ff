/* `explain` says why an amount is what it is, above all why it is 0. */
#include "support.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static void collect(void *opaque, const char *step, const char *detail)
{
    cm_buffer_printf(opaque, "%s: %s\n", step, detail);
}

static void expect(const char *settings, const char *payer, test_line line, const char *wanted, const char *not_wanted)
{
    char *customer = customer_text("acme", settings, ACCOUNT, TDS, ING, NULL);
    cm_buffer text = {0};
    cm_buffer_printf(&text,
                     "%s{kind: SupportPlanGroup, id: tds, type: business}\n---\n"
                     "{kind: SupportPlanGroup, id: through, type: passthrough}\n",
                     customer);
    cm_catalog *catalog = catalog_of(text.data);
    cm_error err = {0};
    cm_rater *rater = cm_rater_new(catalog, payer, june, &err);
    cm_kind kind = kind_of_line(&line);
    cm_decision decision;
    cm_buffer said = {0};
    cm_decide(rater, &kind, instant_of("2025-06-10T00:00:00Z"), &decision, collect, &said);
    cr_assert(strstr(said.data, wanted), "\"%s\" is missing in:\n%s", wanted, said.data);
    cr_assert(!not_wanted || !strstr(said.data, not_wanted), "\"%s\" is in:\n%s", not_wanted, said.data);
    cm_buffer_free(&said);
    cm_rater_free(rater);
    cm_catalog_free(catalog);
    cm_buffer_free(&text);
    free(customer);
}

#define CREDIT ((test_line){.type = "Credit", .cost = "-10"})

Test(trace, why_a_credit_changes_nothing)
{
    static const char kept[] = "credit policy keep: the reseller keeps credits, so this line changes nothing";
    expect("", TDS, CREDIT, kept, NULL); /* the default */
    expect("credit_policy: keep", TDS, CREDIT, kept, NULL);
    expect("credit_policy: pass", TDS, CREDIT, "credit policy pass: the customer gets the credit", "keeps");
    expect("credit_policy: {mode: split, percent: 40}", TDS, CREDIT, "the customer gets 40 percent of the credit",
           "keeps");
}

Test(trace, why_a_refund_changes_nothing)
{
    test_line refund = {.type = "Refund", .cost = "-10"};
    expect("refund_policy: keep", TDS, refund, "sell: refund policy keep: the reseller keeps refunds", NULL);
    expect("refund_policy: price_book", TDS, refund, "sell: book standard", "keeps refunds");
}

Test(trace, why_support_is_zero)
{
    test_line support = {.type = "Fee", .product = "AWSSupportBusiness", .cost = "100"};
    expect("", TDS, support, "buy: suppressed: the distributor charges the fee of the support plan group", NULL);
    expect("", TDS, support, "sell: support of AWS is not passed on, and the account has no support plan group", NULL);
    expect("support_plan_group: tds", TDS, support,
           "sell: suppressed: 0 here; the support row of group tds on the statement replaces it", NULL);
    expect("support_plan_group: through", ING, support, "sell: support plan group through passes on what AWS charges",
           "suppressed");
}

Test(trace, which_terms_applied)
{
    expect("", TDS, (test_line){0}, "terms: terms of customer acme from the beginning on: price book standard", NULL);
    expect("terms: [{from: 2025-06, price_book: buy}]", TDS, (test_line){0},
           "terms: terms of customer acme from 2025-06 on: price book buy", "from the beginning");
}

Test(trace, tax_and_provider_discounts)
{
    expect("", TDS, (test_line){.type = "Tax"}, "sell: tax of AWS is not passed on", NULL);
    expect("", TDS, (test_line){.type = "EdpDiscount", .cost = "-1"},
           "buy: the distributor credits provider discounts one month later", NULL);
    expect("", ING, (test_line){.type = "EdpDiscount", .cost = "-1"}, "sell: provider discounts stay with the reseller",
           "one month later");
}
