/*
 * statement-probe FOLDER LANE PERIOD: documents from charges on standard input, for comparison with the oracle.
 * In: {"charges": [{customer, payer, account, product, usage_type, unit, currency, class, rule, group, quantity,
 * payer_amount, list_amount, buy_amount, sell_amount}], "used": {credit: amount}, "discounts": [{customer, account,
 * product, currency, earned, amount}]}. Out: {"documents": [...], "used": {credit: amount}, "margins": [...]}.
 */
#include "billing/catalog/check/read.h"
#include "billing/catalog/parse/canonical.h"
#include "billing/statement/statement.h"

#include <stdio.h>
#include <stdlib.h>

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    if (!text) {
        fprintf(stderr, "a charge has no %s\n", key);
        exit(1);
    }
    return text;
}

static cm_decimal decimal_of(const json_t *object, const char *key)
{
    cm_decimal value;
    if (!cm_decimal_parse_strict(cm_slice_of(text_of(object, key)), &value)) {
        fprintf(stderr, "%s is no decimal\n", key);
        exit(1);
    }
    return value;
}

/* Since when a link with the charge's group holds in the month; "" if there is none, or no group is given. */
static const char *since(const cm_catalog *catalog, cm_period period, const json_t *in)
{
    static char texts[1024][CM_INSTANT_TEXT];
    static size_t used;
    const char *group = json_string_value(json_object_get(in, "group"));
    size_t count = 0;
    if (!group)
        return "";
    const cm_link *links = cm_catalog_links(catalog, text_of(in, "payer"), cm_slice_of(text_of(in, "account")), &count);
    cm_instant start = cm_period_start(period), end = cm_period_end(period);
    for (size_t i = 0; i < count; i++) {
        const cm_support_group *own = cm_link_group(&links[i], period);
        if (strcmp(own ? own->id : "", group) != 0 || links[i].from >= end || links[i].to <= start)
            continue;
        cm_assert(used < sizeof texts / sizeof *texts);
        return cm_instant_print(links[i].from > start ? links[i].from : start, texts[used++]);
    }
    return "";
}

static cm_statement_charge charge_of(const cm_catalog *catalog, cm_period period, const json_t *in)
{
    cm_statement_charge c = {.customer = text_of(in, "customer"),
                             .payer = text_of(in, "payer"),
                             .account = text_of(in, "account"),
                             .product = text_of(in, "product"),
                             .usage_type = text_of(in, "usage_type"),
                             .unit = text_of(in, "unit"),
                             .currency = text_of(in, "currency"),
                             .rule = text_of(in, "rule"),
                             .link_from = since(catalog, period, in),
                             .quantity = decimal_of(in, "quantity"),
                             .payer_amount = decimal_of(in, "payer_amount"),
                             .list_amount = decimal_of(in, "list_amount"),
                             .buy_amount = decimal_of(in, "buy_amount"),
                             .sell_amount = decimal_of(in, "sell_amount")};
    if (!cm_class_parse(cm_slice_of(text_of(in, "class")), &c.class)) {
        fprintf(stderr, "unknown class\n");
        exit(1);
    }
    return c;
}

static cm_catalog *load(const char *folder)
{
    cm_error err = {0};
    cm_catalog_problems problems = {0};
    json_t *canonical = cm_catalog_read(folder, &problems, &err);
    for (size_t i = 0; i < problems.count; i++)
        fprintf(stderr, "%s:%d: %s\n", problems.list[i].file, problems.list[i].line, problems.list[i].text);
    cm_catalog_problems_free(&problems);
    char *text = canonical ? cm_catalog_text(canonical) : NULL;
    cm_catalog *catalog = text ? cm_catalog_parse(text, &err) : NULL;
    if (!catalog)
        fprintf(stderr, "%s\n", err.text);
    free(text);
    json_decref(canonical);
    return catalog;
}

static cm_discount *discounts_of(const json_t *list, size_t *ret_count)
{
    *ret_count = json_array_size(list);
    cm_discount *discounts = cm_alloc((*ret_count + 1) * sizeof *discounts);
    for (size_t i = 0; i < *ret_count; i++) {
        const json_t *in = json_array_get(list, i);
        discounts[i] = (cm_discount){.customer = text_of(in, "customer"),
                                     .account = text_of(in, "account"),
                                     .product = text_of(in, "product"),
                                     .currency = text_of(in, "currency"),
                                     .earned = text_of(in, "earned"),
                                     .amount = decimal_of(in, "amount")};
    }
    return discounts;
}

static void print(const cm_statements *statements)
{
    json_t *documents = json_array(), *used = json_object(), *margins = json_array();
    char amount[CM_DECIMAL_TEXT];
    for (size_t i = 0; i < statements->count; i++) {
        const cm_statement *s = &statements->list[i];
        json_array_append(documents, s->document);
        json_array_append(margins, s->margin);
        for (size_t c = 0; c < s->credit_count; c++) {
            cm_decimal_print(s->credits[c].amount, amount);
            json_object_set_new(used, s->credits[c].credit, json_string(amount));
        }
    }
    json_t *answer = json_pack("{s:o, s:o, s:o}", "documents", documents, "used", used, "margins", margins);
    json_dumpf(answer, stdout, JSON_COMPACT);
    json_decref(answer);
}

int main(int argc, char **argv)
{
    cm_statement_input input = {0};
    cm_error err = {0};
    if (argc != 4 || !cm_period_parse(cm_slice_of(argv[3]), &input.period)) {
        fprintf(stderr, "usage: statement-probe FOLDER LANE PERIOD < charges.json\n");
        return 1;
    }
    json_t *in = json_loadf(stdin, 0, NULL), *used = json_object_get(in, "used"),
           *list = json_object_get(in, "charges");
    cm_catalog *catalog = load(argv[1]);
    if (!in || !catalog)
        return 1;
    input.discounts = discounts_of(json_object_get(in, "discounts"), &input.discount_count);
    cm_statement_charge *charges = cm_alloc((json_array_size(list) + 1) * sizeof *charges);
    cm_credit_use *uses = cm_alloc((json_object_size(used) + 1) * sizeof *uses);
    for (input.count = 0; input.count < json_array_size(list); input.count++)
        charges[input.count] = charge_of(catalog, input.period, json_array_get(list, input.count));
    const char *credit;
    json_t *value;
    json_object_foreach (used, credit, value)
        uses[input.used_count++] = (cm_credit_use){credit, decimal_of(used, credit)};
    input.catalog = catalog;
    input.lane = argv[2];
    input.charges = charges;
    input.used = uses;
    input.with_margin = true;
    cm_statements statements;
    bool done = cm_statements_build_month(&input, &statements, NULL, &err);
    if (done) {
        print(&statements);
        cm_statements_free(&statements);
    } else {
        fprintf(stderr, "%s\n", err.text);
    }
    free(charges);
    free(uses);
    free((void *)input.discounts);
    cm_catalog_free(catalog);
    json_decref(in);
    return done ? 0 : 1;
}
