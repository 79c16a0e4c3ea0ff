#include "documents.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

char *customer(const char *id, const char *fields, const char *payer, const char *account, const char *group)
{
    cm_buffer yaml = {0};
    cm_buffer_printf(&yaml,
                     "kind: Customer\nid: %s\nname: The %s\nreseller: northwind\nprice_book: standard\n%saccounts:\n"
                     "  - {id: \"%s\", payer: \"%s\", from: 2025-01-01%s%s}\n---\n",
                     id, id, fields, account, payer, group ? ", support_plan_group: " : "", group ? group : "");
    return cm_buffer_take(&yaml);
}

cm_decimal amount(const char *text)
{
    cm_decimal value;
    cr_assert(cm_decimal_parse_strict(cm_slice_of(text), &value), "%s", text);
    return value;
}

cm_statement_charge charge(enum cm_class class, const char *product, const char *sell)
{
    cm_decimal value = amount(sell);
    return (cm_statement_charge){.payer = TDS,
                                 .customer = "acme",
                                 .account = ACCOUNT,
                                 .product = product,
                                 .usage_type = "BoxUsage",
                                 .unit = "Hrs",
                                 .currency = "USD",
                                 .class = class,
                                 .quantity = cm_decimal_from_i64(1),
                                 .payer_amount = value,
                                 .list_amount = value,
                                 .buy_amount = value,
                                 .sell_amount = value};
}

built build_in(const char *yaml, const char *lane, const char *period, const cm_statement_charge *charges, size_t count)
{
    built b = {.catalog = test_catalog(yaml)};
    cm_error err = {0};
    cm_period month;
    cr_assert(cm_period_parse(cm_slice_of(period), &month));
    cr_assert(cm_statements_build(b.catalog, lane, month, charges, count, &b.statements, &b.missing, &err), "%s",
              err.text);
    return b;
}

built build(const char *yaml, const cm_statement_charge *charges, size_t count)
{
    return build_in(yaml, "tdsynnex", "2025-06", charges, count);
}

void built_free(built *b)
{
    cm_statements_free(&b->statements);
    cm_buffer_free(&b->missing);
    cm_catalog_free(b->catalog);
}

static const json_t *document(const built *b, size_t i)
{
    cr_assert_lt(i, b->statements.count);
    return b->statements.list[i].document;
}

static const char *member(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    cr_assert_not_null(value, "no %s", key);
    return json_is_null(value) ? "null" : json_string_value(value);
}

const char *text(const built *b, size_t i, const char *key)
{
    return member(document(b, i), key);
}

const json_t *line(const built *b, size_t i, size_t n)
{
    const json_t *found = json_array_get(json_object_get(document(b, i), "lines"), n);
    cr_assert_not_null(found, "no line %zu", n);
    return found;
}

const char *line_text(const built *b, size_t i, size_t n, const char *key)
{
    return member(line(b, i, n), key);
}

size_t lines(const built *b, size_t i)
{
    return json_array_size(json_object_get(document(b, i), "lines"));
}

const char *support_rows(const built *b, size_t i)
{
    static char joined[1024];
    int length = 0;
    joined[0] = '\0';
    for (size_t n = 0; n < lines(b, i); n++) {
        if (strcmp(line_text(b, i, n, "product"), "AWSSupport") == 0)
            length += snprintf(joined + length, sizeof joined - (size_t)length, "%s%s", length ? " " : "",
                               line_text(b, i, n, "amount_exact"));
    }
    return joined;
}

const char *all_lines(const built *b, size_t i)
{
    static char joined[4096];
    int length = 0;
    joined[0] = '\0';
    for (size_t n = 0; n < lines(b, i); n++)
        length += snprintf(joined + length, sizeof joined - (size_t)length, "%s%s/%s=%s", length ? " " : "",
                           line_text(b, i, n, "product"), line_text(b, i, n, "class"), line_text(b, i, n, "amount"));
    return joined;
}
