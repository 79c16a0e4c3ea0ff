#include "month.h"

#include "base/base/buffer.h"

#include <criterion/criterion.h>
#include <stdlib.h>

month close_month(const char *yaml, const char *payer, const test_line *lines, size_t count)
{
    month m = {.catalog = catalog_of(yaml)};
    cm_statement_charge *charges = cm_alloc((count + 1) * sizeof *charges);
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        test_result r = rate(m.catalog, payer, lines[i]);
        cr_assert_str_eq(r.reason, "", "line %zu is suspended: %s", i, r.reason);
        if (!r.customer[0])
            continue;
        const test_line *line = &lines[i];
        charges[used++] = (cm_statement_charge){
            .payer = payer,
            .customer = r.customer,
            .account = line->account ? line->account : ACCOUNT,
            .product = line->product ? line->product : "AmazonEC2",
            .usage_type = "U",
            .unit = "Hrs",
            .currency = line->currency ? line->currency : "USD",
            .class = r.decision.class,
            .quantity = decimal_of(line->quantity ? line->quantity : "3"),
            .payer_amount = decimal_of(r.payer),
            .list_amount = decimal_of(r.list),
            .buy_amount = decimal_of(r.buy),
            .sell_amount = decimal_of(r.sell),
        };
    }
    cm_error err = {0};
    cr_assert(cm_statements_build(m.catalog, cm_catalog_payer(m.catalog, payer)->lane, june, charges, used,
                                  &m.statements, NULL, &err),
              "%s", err.text);
    free(charges);
    return m;
}

void month_free(month *m)
{
    cm_statements_free(&m->statements);
    cm_catalog_free(m->catalog);
}

const char *member(const month *m, size_t i, const char *key)
{
    cr_assert_lt(i, m->statements.count);
    const json_t *value = json_object_get(m->statements.list[i].document, key);
    return json_is_null(value) ? "null" : json_string_value(value);
}

const char *exact_of(const month *m, size_t i, const char *product, const char *class)
{
    cr_assert_lt(i, m->statements.count);
    const json_t *lines = json_object_get(m->statements.list[i].document, "lines");
    for (size_t n = 0; n < json_array_size(lines); n++) {
        const json_t *line = json_array_get(lines, n);
        if (strcmp(json_string_value(json_object_get(line, "product")), product) == 0 &&
            strcmp(json_string_value(json_object_get(line, "class")), class) == 0)
            return json_string_value(json_object_get(line, "amount_exact"));
    }
    return "";
}

char *with_group(const char *payer, const char *group)
{
    cm_buffer out = {0};
    cm_buffer_printf(&out,
                     "{kind: Customer, id: acme, reseller: northwind, price_book: own, accounts: ["
                     "{id: '" ACCOUNT "', payer: '%s', from: 2025-01-01%s}]}\n---\n"
                     "{kind: PriceBook, id: own, currency: USD, versions: [{effective_from: 2025-01-01, rules: ["
                     "{id: all, priority: 1, price: {pass: payer}}]}]}\n---\n%s\n",
                     payer, group ? ", support_plan_group: g" : "", group ? group : "");
    return cm_buffer_take(&out);
}

void expect_refused(const char *yaml, const char *words)
{
    char *problems = problems_of(yaml);
    cr_assert(strstr(problems, ": error: ") && strstr(problems, words), "an error with \"%s\" was expected, not:\n%s",
              words, problems);
    free(problems);
}

void expect_warned(const char *yaml, const char *words)
{
    char *problems = problems_of(yaml);
    cr_assert(!strstr(problems, ": error: ") && strstr(problems, ": warning: ") && strstr(problems, words),
              "a warning with \"%s\" was expected, not:\n%s", words, problems);
    free(problems);
}
