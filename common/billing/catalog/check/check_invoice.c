/* InvoiceFormat: which column of an invoice says what (R11). */
#include "billing/catalog/check/check.h"

#include <string.h>

enum { PAIRS_MAX = 5000 };

static const char *const tax_words[] = {"excluded", "included", NULL};

/* The value of `columns`, and which of them there are. */
static void check_columns(cm_checker *checker, cm_document *document, const cm_yaml_node *node,
                          bool has[static CM_INVOICE_COLUMNS])
{
    cm_field fields[CM_INVOICE_COLUMNS];
    json_t *columns = json_object();
    if (cm_read_mapping(checker, node, cm_arena_printf(checker->arena, "columns of %s", document->title),
                        &cm_invoice_column_keys, fields)) {
        for (int i = 0; i < CM_INVOICE_COLUMNS; i++) {
            has[i] = fields[i].value;
            cm_put_text(checker, columns, fields[i].name, fields[i].value);
        }
    }
    json_object_set_new(document->json, "columns", columns);
}

/* Every level needs its own columns; the currency comes from a column or is the same for all rows. */
static void check_level(cm_checker *checker, const cm_document *document, const cm_field *fields, int level,
                        const bool *has)
{
    static const enum cm_invoice_column needs[][2] = {
        [CM_INVOICE_BY_PRODUCT] = {CM_INVOICE_ACCOUNT, CM_INVOICE_PRODUCT},
        [CM_INVOICE_BY_ACCOUNT] = {CM_INVOICE_ACCOUNT, CM_INVOICE_ACCOUNT},
        [CM_INVOICE_BY_ID] = {CM_INVOICE_ID, CM_INVOICE_ID}};
    for (int i = 0; i < 2; i++)
        if (!has[needs[level][i]] && (i == 0 || needs[level][1] != needs[level][0]))
            cm_wrong(checker, fields[CM_KEY_INVOICE_COLUMNS].value,
                     "columns of %s has no \"%s\", which level %s compares by", document->title,
                     cm_invoice_column_names[needs[level][i]], cm_invoice_level_names[level]);
    if (has[CM_INVOICE_CURRENCY] == (fields[CM_KEY_INVOICE_CURRENCY].value != NULL))
        cm_wrong(checker, document->root,
                 "%s needs either columns.currency or one currency for all rows: an amount without its currency says "
                 "nothing",
                 document->title);
    if (fields[CM_KEY_INVOICE_PRODUCTS].value && level != CM_INVOICE_BY_PRODUCT)
        cm_wrong(checker, fields[CM_KEY_INVOICE_PRODUCTS].value, "products belongs to level %s",
                 cm_invoice_level_names[CM_INVOICE_BY_PRODUCT]);
}

static void check_character(cm_checker *checker, json_t *json, const char *name, const cm_yaml_node *node,
                            const char *allowed, const char *words)
{
    char text[2] = {0};
    if (node->kind == CM_YAML_SCALAR && node->text.length == 1 && strchr(allowed, node->text.text[0])) {
        text[0] = node->text.text[0];
        json_object_set_new(json, name, json_string(text));
        return;
    }
    cm_wrong(checker, node, "%s must be one of %s", name, words);
}

/* {name: code} */
static void check_products(cm_checker *checker, cm_document *document, const cm_yaml_node *node)
{
    json_t *products = json_object();
    if (node->kind != CM_YAML_MAPPING || node->count > PAIRS_MAX) {
        cm_wrong(checker, node, "products of %s must be a mapping (name on the invoice: product code) of at most %d",
                 document->title, PAIRS_MAX);
    } else {
        for (size_t i = 0; i < node->count; i++) {
            const char *name, *code;
            if (!cm_read_text(checker, node->items[2 * i], "a name of products", &name) ||
                !cm_read_text(checker, node->items[2 * i + 1], "a product code", &code))
                continue;
            if (json_object_get(products, name))
                cm_wrong(checker, node->items[2 * i], "products of %s names \"%s\" twice", document->title, name);
            json_object_set_new(products, name, json_string(code));
        }
    }
    json_object_set_new(document->json, "products", products);
}

/* {column: value or [values]} */
static void check_filter(cm_checker *checker, cm_document *document, const char *name, const cm_yaml_node *node)
{
    json_t *filter = json_object();
    if (node->kind != CM_YAML_MAPPING)
        cm_wrong(checker, node, "%s of %s must be a mapping (column: value, or a list of values)", name,
                 document->title);
    for (size_t i = 0; node->kind == CM_YAML_MAPPING && i < node->count; i++) {
        const char *column, *texts[100];
        const cm_yaml_node *const *items;
        size_t count, kept = 0;
        if (!cm_read_text(checker, node->items[2 * i], "a column", &column) ||
            !cm_read_list(checker, node->items[2 * i + 1], column, true, 100, &items, &count))
            continue;
        for (size_t k = 0; k < count; k++)
            if (items[k]->kind == CM_YAML_SCALAR && items[k]->text.length == 0)
                texts[kept++] = "";
            else if (cm_read_text(checker, items[k], column, &texts[kept]))
                kept++;
        if (json_object_get(filter, column))
            cm_wrong(checker, node->items[2 * i], "%s of %s names column \"%s\" twice", name, document->title, column);
        json_object_set_new(filter, column, cm_json_sorted_texts(checker, texts, items, kept, column));
    }
    json_object_set_new(document->json, name, filter);
}

void cm_check_invoice_format(cm_checker *checker, cm_document *document)
{
    cm_field fields[CM_KEY_INVOICE_COUNT];
    const char *text;
    int level = CM_INVOICE_BY_PRODUCT, tax;
    bool has[CM_INVOICE_COLUMNS] = {0};
    document->json = json_object();
    if (!cm_read_mapping(checker, document->root, document->title, &cm_invoice_keys, fields))
        return;
    if (fields[CM_KEY_INVOICE_ID].value)
        cm_read_id(checker, fields[CM_KEY_INVOICE_ID].value, "id", &text);
    if (fields[CM_KEY_INVOICE_LEVEL].value &&
        !cm_read_one_of(checker, fields[CM_KEY_INVOICE_LEVEL].value, "level", cm_invoice_level_names, &level))
        return;
    json_object_set_new(document->json, "level", json_string(cm_invoice_level_names[level]));
    if (fields[CM_KEY_INVOICE_COLUMNS].value) {
        check_columns(checker, document, fields[CM_KEY_INVOICE_COLUMNS].value, has);
        check_level(checker, document, fields, level, has);
    }
    if (fields[CM_KEY_INVOICE_DELIMITER].value)
        check_character(checker, document->json, "delimiter", fields[CM_KEY_INVOICE_DELIMITER].value, ",;|\t",
                        "\",\" \";\" \"|\" \"\\t\"");
    if (fields[CM_KEY_INVOICE_DECIMAL].value)
        check_character(checker, document->json, "decimal", fields[CM_KEY_INVOICE_DECIMAL].value, ".,", "\".\" \",\"");
    const char *delimiter = json_string_value(json_object_get(document->json, "delimiter"));
    const char *decimal = json_string_value(json_object_get(document->json, "decimal"));
    if (strcmp(delimiter ? delimiter : ",", decimal ? decimal : ".") == 0)
        cm_wrong(checker, fields[CM_KEY_INVOICE_DECIMAL].value,
                 "decimal and delimiter of %s are the same character: say which delimiter parts its columns",
                 document->title);
    if (fields[CM_KEY_INVOICE_CURRENCY].value &&
        cm_read_currency(checker, fields[CM_KEY_INVOICE_CURRENCY].value, "currency", &text))
        json_object_set_new(document->json, "currency", json_string(text));
    if (fields[CM_KEY_INVOICE_TAX].value &&
        cm_read_one_of(checker, fields[CM_KEY_INVOICE_TAX].value, "tax", tax_words, &tax) && tax == 1)
        json_object_set_new(document->json, "tax", json_string(tax_words[tax]));
    if (fields[CM_KEY_INVOICE_PRODUCTS].value)
        check_products(checker, document, fields[CM_KEY_INVOICE_PRODUCTS].value);
    if (fields[CM_KEY_INVOICE_TAKE].value)
        check_filter(checker, document, "take", fields[CM_KEY_INVOICE_TAKE].value);
    if (fields[CM_KEY_INVOICE_LEAVE].value)
        check_filter(checker, document, "leave", fields[CM_KEY_INVOICE_LEAVE].value);
}
