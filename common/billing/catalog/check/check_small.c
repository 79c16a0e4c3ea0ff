/* FxRate, LineItemType, SupportProduct. */
#include "billing/catalog/check/check.h"

/* ---- FxRate (R06, R08) ---- */

void cm_check_fx_rate(cm_checker *checker, cm_document *document)
{
    cm_field fields[CM_KEY_FX_COUNT];
    const char *id, *from = NULL, *to = NULL;
    int set = -1;
    cm_period period = {0};
    cm_decimal rate;
    char text[CM_PERIOD_TEXT];
    json_t *json = document->json = json_object();
    if (!cm_read_mapping(checker, document->root, document->title, &cm_fx_keys, fields))
        return;
    if (fields[CM_KEY_FX_ID].value)
        cm_read_id(checker, fields[CM_KEY_FX_ID].value, "id", &id);
    if (fields[CM_KEY_FX_SET].value &&
        cm_read_one_of(checker, fields[CM_KEY_FX_SET].value, "set", cm_fx_set_names, &set))
        json_object_set_new(json, "set", json_string(cm_fx_set_names[set]));
    if (fields[CM_KEY_FX_FROM].value && cm_read_currency(checker, fields[CM_KEY_FX_FROM].value, "from", &from))
        json_object_set_new(json, "from", json_string(from));
    if (fields[CM_KEY_FX_TO].value && cm_read_currency(checker, fields[CM_KEY_FX_TO].value, "to", &to))
        json_object_set_new(json, "to", json_string(to));
    if (from && to && strcmp(from, to) == 0)
        cm_wrong(checker, fields[CM_KEY_FX_TO].value, "from and to are the same currency; no rate is needed for that");
    if (fields[CM_KEY_FX_PERIOD].value) {
        if (fields[CM_KEY_FX_PERIOD].value->kind == CM_YAML_SCALAR &&
            cm_period_parse(fields[CM_KEY_FX_PERIOD].value->text, &period))
            json_object_set_new(json, "period", json_string(cm_period_print(period, text)));
        else
            cm_wrong(checker, fields[CM_KEY_FX_PERIOD].value, "period must be a month, like 2025-06");
    }
    if (fields[CM_KEY_FX_RATE].value &&
        cm_read_decimal(checker, fields[CM_KEY_FX_RATE].value, "rate", "0", "1000000000000", &rate)) {
        if (cm_decimal_is_zero(rate))
            cm_wrong(checker, fields[CM_KEY_FX_RATE].value, "rate must be greater than 0");
        json_object_set_new(json, "rate", cm_json_decimal(rate));
    }
    if (set >= 0 && from && to && period.year)
        document->unique = cm_arena_printf(checker->arena, "%s %s %s %s", cm_fx_set_names[set], from, to, text);
}

/* ---- LineItemType ---- */

void cm_check_line_item_type(cm_checker *checker, cm_document *document)
{
    cm_field fields[CM_KEY_LINE_TYPE_COUNT];
    const char *name, *names[CM_CLASS_COUNT + 1] = {0};
    enum cm_class builtin;
    int class;
    document->json = json_object();
    if (!cm_read_mapping(checker, document->root, document->title, &cm_line_type_keys, fields))
        return;
    for (int i = 0; i < CM_CLASS_COUNT; i++)
        names[i] = cm_class_name((enum cm_class)i);
    const cm_yaml_node *type =
        fields[CM_KEY_LINE_TYPE_NAME].value ? fields[CM_KEY_LINE_TYPE_NAME].value : fields[CM_KEY_LINE_TYPE_ID].value;
    if (!type)
        cm_wrong(checker, document->root, "%s has no \"name\": the line item type as the report writes it",
                 document->title);
    if (type && cm_read_text(checker, type, "name", &name) && cm_class_of_builtin_type(cm_slice_of(name), &builtin))
        cm_wrong(checker, type, "line item type \"%s\" is built in (class %s) and cannot be redefined", name,
                 cm_class_name(builtin));
    if (fields[CM_KEY_LINE_TYPE_CLASS].value &&
        cm_read_one_of(checker, fields[CM_KEY_LINE_TYPE_CLASS].value, "class", names, &class))
        json_object_set_new(document->json, "class", json_string(names[class]));
}

/* ---- SupportProduct ---- */

void cm_check_support_product(cm_checker *checker, cm_document *document)
{
    cm_field fields[CM_KEY_SUPPORT_PRODUCT_COUNT];
    const char *product;
    document->json = json_object();
    if (cm_read_mapping(checker, document->root, document->title, &cm_support_product_keys, fields) &&
        fields[CM_KEY_SUPPORT_PRODUCT_ID].value)
        (void)cm_read_text(checker, fields[CM_KEY_SUPPORT_PRODUCT_ID].value, "id", &product);
}
