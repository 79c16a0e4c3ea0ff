/* Gates of a draft (statements.md section 5; I13, O03, O15, R06-R08). */
#include "world.h"

#include "store/documents/document_store.h"

static const hand_charge final_[] = {
    {.customer = "acme", .account = ACCOUNT, .class = "usage", .product = "EC2", .payer = "10", .sell = "10"}};

static json_t *gates;

static void look(world *w, const char *customer)
{
    char sql[128];
    int built;
    must(w, cm_store_statements_refresh_all(w->pg, w->clock.now(&w->clock), NULL, NULL, &built, &w->err));
    snprintf(sql, sizeof sql, "SELECT document FROM statement WHERE customer = '%s'", customer);
    json_t *document = json_loads(text_of(w, sql), 0, NULL);
    cr_assert_not_null(document);
    json_decref(gates);
    gates = cm_store_statement_gates(w->pg, w->clock.now(&w->clock), document, &w->err);
    must(w, gates != NULL);
    json_decref(document);
}

static const json_t *gate(const char *code)
{
    size_t i;
    json_t *each;
    json_array_foreach (gates, i, each) {
        if (strcmp(json_string_value(json_object_get(each, "code")), code) == 0)
            return each;
    }
    cr_assert_fail("no gate %s", code);
    return NULL;
}

static bool open_(const char *code)
{
    return json_is_true(json_object_get(gate(code), "open"));
}

static const char *detail(const char *code)
{
    return json_string_value(json_object_get(gate(code), "detail"));
}

/* Codes of the closed gates, joined. */
static const char *shut(void)
{
    static char codes[256];
    size_t i;
    json_t *each;
    codes[0] = '\0';
    json_array_foreach (gates, i, each) {
        if (!json_is_true(json_object_get(each, "open")))
            snprintf(codes + strlen(codes), sizeof codes - strlen(codes), "%s%s", *codes ? " " : "",
                     json_string_value(json_object_get(each, "code")));
    }
    return codes;
}

static void rate(world *w, char digit, const hand_charge *charges, size_t count)
{
    add_delivery(w, TDS, digit);
    run_through(w, add_run(w, TDS, digit, 1), charges, count);
}

static void set_clock(world *w, const char *at)
{
    cm_instant instant;
    cr_assert(cm_instant_parse(cm_slice_of(at), &instant));
    w->clock = cm_clock_fixed(instant);
}

/* I13: open from the 16th 00:00 UTC, to the microsecond. */
Test(gates, too_early)
{
    world *w = world_new(NULL);
    rate(w, 'a', final_, 1);
    set_clock(w, "2025-07-15T23:59:59.999999Z");
    look(w, "acme");
    cr_expect_str_eq(shut(), "TOO_EARLY");
    cr_expect_str_eq(detail("TOO_EARLY"), "opens at 2025-07-16T00:00:00Z");
    set_clock(w, "2025-07-16T00:00:00Z");
    look(w, "acme");
    cr_expect_str_eq(shut(), "");
    static const char *const codes[] = {
        "RUN_INCOMPLETE", "DELIVERY_MISSING",           "PRICES_STALE",       "NOT_FINAL", "TOO_EARLY",
        "SUSPENDED",      "SUPPORT_PLAN_GROUP_MISSING", "SUPPORT_PLAN_ENDED", "TAX_HOLD",  "FX_MISSING"};
    cr_expect_eq(json_array_size(gates), sizeof codes / sizeof *codes);
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        cr_expect_str_eq(json_string_value(json_object_get(json_array_get(gates, i), "code")), codes[i]);
    world_free(w);
}

Test(gates, not_final)
{
    world *w = world_new(NULL);
    hand_charge charges[] = {
        final_[0],
        {.customer = "bolt", .account = OTHER, .class = "usage", .product = "x", .payer = "1", .not_final = true}};
    set_clock(w, "2025-08-01");
    rate(w, 'a', charges, 2);
    look(w, "acme"); /* a payer's bill becomes final as a whole */
    cr_expect_str_eq(shut(), "NOT_FINAL");
    cr_expect(strstr(detail("NOT_FINAL"), "payer " TDS ": 1 lines without an invoice id"), "%s", detail("NOT_FINAL"));
    rate(w, 'b', final_, 1);
    look(w, "acme");
    cr_expect_str_eq(shut(), "");
    world_free(w);
}

Test(gates, run_incomplete)
{
    world *w = world_new(NULL);
    set_clock(w, "2025-08-01");
    rate(w, 'a', final_, 1);
    add_delivery(w, TDS, 'b');
    const char *newer = add_run(w, TDS, 'b', 1);
    look(w, "acme");
    cr_expect_str_eq(shut(), "RUN_INCOMPLETE");
    cr_expect(strstr(detail("RUN_INCOMPLETE"), "is running"), "%s", detail("RUN_INCOMPLETE"));
    bool stopped;
    must(w, cm_store_run_stop(w->pg, newer, "CONTROL_TOTALS", "x", NULL, 0, "test", &stopped, &w->err));
    look(w, "acme");
    cr_expect(strstr(detail("RUN_INCOMPLETE"), "is stopped"), "%s", detail("RUN_INCOMPLETE"));
    must(w, cm_pg_execute(w->pg, "UPDATE run SET state = 'failed' WHERE state = 'stopped'",
                          &w->err)); /* a bad delivery: the previous one counts */
    look(w, "acme");
    cr_expect_str_eq(shut(), "");
    /* the customer's other payer: first without any delivery, then with one that was not rated; another lane belongs to
     * another document */
    add_delivery(w, ING, 'c');
    look(w, "acme");
    cr_expect_str_eq(shut(), "");
    world_free(w);
}

static const char two_payers[] =
    "kind: Customer\nid: acme\nname: A\nreseller: northwind\nprice_book: standard\naccounts:\n"
    "  - {id: \"" ACCOUNT "\", payer: \"" TDS "\", from: 2025-01-01}\n  - {id: \"" ACCOUNT "\", payer: \"" TDS2
    "\", from: 2025-01-01}\n";

Test(gates, payer_without_a_complete_run)
{
    world *w = world_new(two_payers);
    set_clock(w, "2025-08-01");
    rate(w, 'a', final_, 1);
    look(w, "acme");
    cr_expect_str_eq(shut(), "DELIVERY_MISSING");
    cr_expect(strstr(detail("DELIVERY_MISSING"), "payer " TDS2), "%s", detail("DELIVERY_MISSING"));
    add_delivery(w, TDS2, 'b');
    look(w, "acme");
    cr_expect_str_eq(shut(), "RUN_INCOMPLETE DELIVERY_MISSING");
    cr_expect(strstr(detail("RUN_INCOMPLETE"), "payer " TDS2 " has no complete run"), "%s", detail("RUN_INCOMPLETE"));
    run_through(w, add_run(w, TDS2, 'b', 1), final_, 1);
    look(w, "acme");
    cr_expect_str_eq(shut(), "");
    world_free(w);
}

/* A payer may say from which month on its reports come, or that none comes. */
Test(gates, payer_that_reports_nothing)
{
    static const struct {
        const char *reports, *shut;
    } says[] = {{"reports: {from: 2025-06}", "DELIVERY_MISSING"},
                {"reports: {from: 2025-07}", ""},
                {"reports: {none: true}", ""},
                {"none: true", ""}};
    world *w = world_new(two_payers);
    set_clock(w, "2025-08-01");
    rate(w, 'a', final_, 1);
    for (size_t i = 0; i < sizeof says / sizeof *says; i++) {
        cm_buffer yaml = {0};
        cm_buffer_printf(&yaml,
                         "%s---\nkind: Payer\nid: \"999900001111\"\nlane: tdsynnex\nmodel: tdsynnex\npayer_kind: "
                         "shared\nreseller: northwind\n%s\n",
                         two_payers, says[i].reports);
        cm_buffer_text(&yaml,
                       "---\nkind: Customer\nid: bolt\nname: B\nreseller: northwind\nprice_book: standard\n"
                       "accounts:\n  - {id: \"" OTHER "\", payer: \"" TDS "\", from: 2025-01-01}\n  - {id: \"" OTHER
                       "\", payer: \"999900001111\", from: 2025-06-20}\n");
        world_catalog(w, yaml.data);
        cm_buffer_free(&yaml);
        hand_charge of_bolt[] = {
            {.customer = "bolt", .account = OTHER, .class = "usage", .product = "x", .payer = "1", .sell = "1"}};
        rate(w, (char)('b' + i), of_bolt, 1);
        look(w, "bolt");
        cr_expect_str_eq(shut(), says[i].shut, "%s: %s", says[i].reports, shut());
    }
    world_free(w);
}

/* Suspended lines of the document's accounts, also where the amount is zero; those of others do not matter. */
Test(gates, suspended)
{
    world *w = world_new(NULL);
    const hand_charge charges[] = {
        final_[0],
        {.customer = "bolt", .account = OTHER, .class = "usage", .product = "EC2", .payer = "10", .sell = "10"},
        {.customer = "",
         .account = ACCOUNT,
         .class = "suspended",
         .product = "a",
         .payer = "2.5",
         .reason = "UNKNOWN_LINE_TYPE"},
        {.customer = "",
         .account = ACCOUNT,
         .class = "suspended",
         .product = "b",
         .payer = "0",
         .reason = "NO_LIST_PRICE"},
        {.customer = "",
         .account = "999999999999",
         .class = "suspended",
         .product = "a",
         .payer = "7",
         .reason = "UNKNOWN_ACCOUNT"},
    };
    set_clock(w, "2025-08-01");
    rate(w, 'a', charges, 5);
    look(w, "acme");
    cr_expect_str_eq(shut(), "SUSPENDED");
    cr_expect_str_eq(detail("SUSPENDED"),
                     "account " ACCOUNT ": 1 lines, 0 USD, NO_LIST_PRICE; account " ACCOUNT
                     ": 1 lines, 2.5 USD, UNKNOWN_LINE_TYPE; fix the cause, see `curmill suspended list`");
    look(w, "bolt");
    cr_expect_str_eq(shut(), "");
    world_free(w);
}

/* An account that is linked to the customer and has only suspended lines. */
Test(gates, suspended_account_without_charges)
{
    world *w = world_new("kind: Customer\nid: acme\nname: A\nreseller: northwind\nprice_book: standard\naccounts:\n"
                         "  - {id: \"" ACCOUNT "\", payer: \"" TDS "\", from: 2025-01-01}\n  - {id: \"" OTHER
                         "\", payer: \"" TDS "\", from: 2025-06-20}\n");
    const hand_charge charges[] = {final_[0],
                                   {.customer = "",
                                    .account = OTHER,
                                    .class = "suspended",
                                    .product = "a",
                                    .payer = "2",
                                    .reason = "BEFORE_BILLED_FROM"}};
    set_clock(w, "2025-08-01");
    rate(w, 'a', charges, 2);
    look(w, "acme");
    cr_expect_str_eq(shut(), "SUSPENDED");
    world_free(w);
}

/* O15. */
Test(gates, support_plan_group_missing)
{
    world *w = world_new(NULL);
    const hand_charge charges[] = {
        final_[0],
        {.customer = "acme", .account = ACCOUNT, .class = "support", .product = "AWSSupportBusiness", .payer = "9"}};
    set_clock(w, "2025-08-01");
    rate(w, 'a', charges, 2);
    look(w, "acme");
    cr_expect_str_eq(shut(), "SUPPORT_PLAN_GROUP_MISSING");
    cr_expect(strstr(detail("SUPPORT_PLAN_GROUP_MISSING"), ACCOUNT));
    world_catalog(w,
                  "kind: Customer\nid: acme\nname: A\nreseller: northwind\nprice_book: standard\naccounts:\n"
                  "  - {id: \"" ACCOUNT "\", payer: \"" TDS
                  "\", from: 2025-01-01, support_plan_group: g}\n---\nkind: SupportPlanGroup\nid: g\ntype: business\n");
    look(w, "acme");
    cr_expect_str_eq(shut(), "PRICES_STALE");
    rate(w, 'b', charges, 2);
    look(w, "acme");
    cr_expect_str_eq(shut(), "");
    world_free(w);
}

/* rating.md section 6: a plan that has ended is no silent 0, in whatever part of the month its group held; other groups
 * are not concerned. */
Test(gates, support_plan_ended)
{
    static const char plans[] = "---\nkind: SupportPlan\nid: gold\nto: 2025-06\nbands: [{percent: 5}]\n"
                                "---\nkind: SupportPlanGroup\nid: old\nplan: gold\n"
                                "---\nkind: SupportPlanGroup\nid: new\ntype: business\n";
    world *w = world_new(NULL);
    set_clock(w, "2025-08-01");
    cm_buffer yaml = {0};
    cm_buffer_printf(&yaml,
                     "kind: Customer\nid: acme\nname: A\nreseller: northwind\nprice_book: standard\naccounts:\n"
                     "  - {id: \"" ACCOUNT "\", payer: \"" TDS "\", from: 2025-01-01, support_plan_group: old}\n%s",
                     plans);
    world_catalog(w, yaml.data);
    rate(w, 'a', final_, 1);
    look(w, "acme");
    cr_expect_str_eq(shut(), "SUPPORT_PLAN_ENDED");
    cr_expect_str_eq(detail("SUPPORT_PLAN_ENDED"),
                     "account " ACCOUNT ", support plan group old: plan gold ended with 2025-05 and is not in force in "
                     "2025-06; give it a group whose plan has a price in 2025-06, or add a SupportPlan for gold, and "
                     "apply the catalog");
    bool known;
    cr_expect(cm_gate_can_be_overridden("SUPPORT_PLAN_ENDED", &known) && known);
    cm_buffer_free(&yaml);
    cm_buffer_printf(&yaml,
                     "kind: Customer\nid: acme\nname: A\nreseller: northwind\nprice_book: standard\naccounts:\n"
                     "  - {id: \"" ACCOUNT "\", payer: \"" TDS
                     "\", from: 2025-01-01, to: 2025-06-01, support_plan_group: old}\n"
                     "  - {id: \"" ACCOUNT "\", payer: \"" TDS "\", from: 2025-06-01, support_plan_group: new}\n%s",
                     plans);
    world_catalog(w, yaml.data);
    rate(w, 'b', final_, 1);
    look(w, "acme");
    cr_expect_str_eq(shut(), "");
    cm_buffer_free(&yaml);
    world_free(w);
}

/* O03, R06-R08: a missing rate blocks; a rate that was used is named with who set it first, and when. */
Test(gates, fx)
{
    world *w = world_new(NULL);
    set_clock(w, "2025-08-01");
    rate(w, 'a', final_, 1);
    look(w, "acme");
    cr_expect(open_("FX_MISSING"));
    const char *customer = "kind: Customer\nid: acme\nname: A\nreseller: northwind\nprice_book: "
                           "standard\ninvoice_currency: EUR\naccounts:\n"
                           "  - {id: \"" ACCOUNT "\", payer: \"" TDS "\", from: 2025-01-01}\n";
    world_catalog(w, customer);
    rate(w, 'b', final_, 1);
    look(w, "acme");
    cr_expect_str_eq(shut(), "FX_MISSING");
    cr_expect_str_eq(detail("FX_MISSING"), "add an FxRate (set: reseller) from USD to EUR for 2025-06 to the catalog");
    must(w, cm_pg_execute(w->pg, "UPDATE billing_period SET state = 'settled'", &w->err));
    look(w, "acme");
    cr_expect(strstr(detail("FX_MISSING"), "curmill period reopen --payer " TDS " --period 2025-06"));
    must(w, cm_pg_execute(w->pg, "UPDATE billing_period SET state = 'final'", &w->err));
    cm_buffer yaml = {0};
    cm_buffer_printf(&yaml,
                     "%s---\nkind: FxRate\nid: june\nset: reseller\nfrom: USD\nto: EUR\nperiod: 2025-06\nrate: 0.92\n",
                     customer);
    world_catalog(w, yaml.data);
    set_clock(w, "2025-08-02");
    world_catalog(w, yaml.data); /* again: the first one set it */
    cm_buffer_free(&yaml);
    look(w, "acme");
    cr_expect_str_eq(shut(), "");
    cr_expect_str_eq(detail("FX_MISSING"), "1 USD = 0.92 EUR, rate june, set by test at 2025-08-01T00:00:00Z");
    world_free(w);
}

/* A document that is past its gates has none. */
Test(gates, not_a_draft)
{
    world *w = world_new(NULL);
    json_t *document = json_pack("{s:s}", "state", "issued");
    json_t *none = cm_store_statement_gates(w->pg, 0, document, &w->err);
    cr_expect_eq(json_array_size(none), 0);
    json_decref(none);
    json_decref(document);
    world_free(w);
}
