/* SupportPlanGroup, SupportPlan, FxRate, LineItemType, SupportProduct. */
#include "billing/catalog/check/check.h"
#include "billing/catalog/model/plans.h"

static bool read_plan_type(cm_checker *checker, const cm_yaml_node *node, bool public_only, enum cm_plan_type *ret)
{
    const char *names[CM_PLAN_BASIC + 2] = {0};
    size_t count = 0;
    int which;
    for (int i = 0; i <= CM_PLAN_BASIC; i++)
        if (!public_only || cm_plan_type_is_public((enum cm_plan_type)i))
            names[count++] = cm_plan_type_name((enum cm_plan_type)i);
    return cm_read_one_of(checker, node, "type", names, &which) && cm_plan_type_parse(cm_slice_of(names[which]), ret);
}

/* ---- SupportPlanGroup (O14, N19) ---- */

json_t *cm_check_base(cm_checker *checker, const cm_yaml_node *node, const char *title)
{
    cm_field fields[CM_KEY_BASE_COUNT] = {{0}};
    bool wanted[CM_CLASS_COUNT] = {
        [CM_CLASS_USAGE] = true, [CM_CLASS_COVERED_USAGE] = true, [CM_CLASS_BUNDLED_DISCOUNT] = true};
    int layer = CM_LAYER_SELL;
    json_t *base = json_object(), *classes = json_array();
    if (node)
        cm_read_mapping(checker, node, cm_arena_printf(checker->arena, "base of %s", title), &cm_base_keys, fields);
    if (fields[CM_KEY_BASE_LAYER].value)
        cm_read_one_of(checker, fields[CM_KEY_BASE_LAYER].value, "layer", cm_layer_names, &layer);
    const cm_yaml_node *const *items;
    size_t count;
    if (fields[CM_KEY_BASE_CLASSES].value &&
        cm_read_list(checker, fields[CM_KEY_BASE_CLASSES].value, "classes", true, 100, &items, &count)) {
        const char *names[CM_CLASS_COUNT + 1] = {0};
        int which;
        for (int i = 0; i < CM_CLASS_COUNT; i++) {
            names[i] = cm_class_name((enum cm_class)i);
            wanted[i] = false;
        }
        if (count == 0)
            cm_wrong(checker, fields[CM_KEY_BASE_CLASSES].value,
                     "classes is empty: it would be a percentage of nothing");
        for (size_t i = 0; i < count; i++)
            if (cm_read_one_of(checker, items[i], "classes", names, &which))
                wanted[which] = true;
    }
    for (int i = 0; i < CM_CLASS_COUNT; i++)
        if (wanted[i])
            json_array_append_new(classes, json_string(cm_class_name((enum cm_class)i)));
    json_object_set_new(base, "layer", json_string(cm_layer_names[layer]));
    json_object_set_new(base, "classes", classes);
    return base;
}

static void check_group_percents(cm_checker *checker, const cm_field *fields, cm_document *document,
                                 enum cm_plan_type type)
{
    cm_decimal percent = {0}, minimum, buy;
    bool has_percent = fields[CM_KEY_GROUP_PERCENT].value &&
                       cm_read_decimal(checker, fields[CM_KEY_GROUP_PERCENT].value, "percent", "0", "100", &percent);
    if (!fields[CM_KEY_GROUP_PERCENT].value && type == CM_PLAN_BUSINESS) {
        percent = cm_decimal_from_i64(10); /* N02 */
        has_percent = true;
    }
    if (has_percent)
        json_object_set_new(document->json, "percent", cm_json_decimal(percent));
    if (fields[CM_KEY_GROUP_MINIMUM].value &&
        cm_read_decimal(checker, fields[CM_KEY_GROUP_MINIMUM].value, "minimum", "0", "1000000000", &minimum))
        json_object_set_new(document->json, "minimum", cm_json_decimal(minimum));
    if (!fields[CM_KEY_GROUP_BUY_PERCENT].value ||
        !cm_read_decimal(checker, fields[CM_KEY_GROUP_BUY_PERCENT].value, "buy_percent", "0", "100", &buy))
        return;
    json_object_set_new(document->json, "buy_percent", cm_json_decimal(buy));
    if (has_percent && cm_decimal_compare(buy, percent) > 0)
        cm_warn(checker, fields[CM_KEY_GROUP_BUY_PERCENT].value,
                "buy_percent is above percent: every account of %s makes a loss (N05)", document->title);
}

void cm_check_support_plan_group(cm_checker *checker, cm_document *document)
{
    cm_field fields[CM_KEY_GROUP_COUNT];
    const char *text;
    enum cm_plan_type type = CM_PLAN_BASIC;
    document->json = json_object();
    if (!cm_read_mapping(checker, document->root, document->title, &cm_group_keys, fields))
        return;
    if (fields[CM_KEY_GROUP_ID].value)
        cm_read_id(checker, fields[CM_KEY_GROUP_ID].value, "id", &text);
    if (fields[CM_KEY_GROUP_LABEL].value)
        cm_put_text(checker, document->json, "label", fields[CM_KEY_GROUP_LABEL].value);
    bool has_type =
        fields[CM_KEY_GROUP_TYPE].value && read_plan_type(checker, fields[CM_KEY_GROUP_TYPE].value, false, &type);
    if (has_type) {
        json_object_set_new(document->json, "type", json_string(cm_plan_type_name(type)));
        for (int i = CM_KEY_GROUP_PERCENT; i < CM_KEY_GROUP_COUNT; i++)
            if (fields[i].value && (type == CM_PLAN_BASIC || type == CM_PLAN_PASSTHROUGH))
                cm_warn(checker, fields[i].value, "%s has no effect on a group of type %s", fields[i].name,
                        cm_plan_type_name(type));
    }
    check_group_percents(checker, fields, document, type);
    json_object_set_new(document->json, "base",
                        cm_check_base(checker, fields[CM_KEY_GROUP_BASE].value, document->title));
}

/* ---- SupportPlan: AWS's published data, where it is newer than curmill ---- */

static json_t *bands(cm_checker *checker, const cm_yaml_node *node)
{
    json_t *array = json_array();
    const cm_yaml_node *const *items;
    size_t count;
    cm_decimal last = {0}, border, percent;
    if (!cm_read_list(checker, node, "bands", false, 50, &items, &count))
        return array;
    if (count == 0)
        cm_wrong(checker, node, "bands is empty; the last band has a percent and no up_to");
    for (size_t i = 0; i < count; i++) {
        cm_field fields[CM_KEY_BAND_COUNT];
        json_t *band = json_object();
        json_array_append_new(array, band);
        if (!cm_read_mapping(checker, items[i], "a band", &cm_band_keys, fields))
            continue;
        if (fields[CM_KEY_BAND_PERCENT].value &&
            cm_read_decimal(checker, fields[CM_KEY_BAND_PERCENT].value, "percent", "0", "100", &percent))
            json_object_set_new(band, "percent", cm_json_decimal(percent));
        if (!fields[CM_KEY_BAND_UP_TO].value != (i + 1 == count))
            cm_wrong(checker, items[i],
                     i + 1 == count ? "the last band may have no up_to: it holds for everything above"
                                    : "only the last band may be without up_to");
        if (!fields[CM_KEY_BAND_UP_TO].value ||
            !cm_read_decimal(checker, fields[CM_KEY_BAND_UP_TO].value, "up_to", "0", "1000000000000", &border))
            continue;
        if (cm_decimal_compare(border, last) <= 0)
            cm_wrong(checker, fields[CM_KEY_BAND_UP_TO].value, "up_to must grow from band to band");
        last = border;
        json_object_set_new(band, "up_to", cm_json_decimal(border));
    }
    return array;
}

void cm_check_support_plan(cm_checker *checker, cm_document *document)
{
    cm_field fields[CM_KEY_PLAN_COUNT];
    const char *text = "USD";
    enum cm_plan_type type;
    cm_decimal minimum = {0};
    json_t *json = document->json = json_object();
    if (!cm_read_mapping(checker, document->root, document->title, &cm_plan_keys, fields))
        return;
    if (fields[CM_KEY_PLAN_ID].value)
        cm_read_id(checker, fields[CM_KEY_PLAN_ID].value, "id", &text);
    if (fields[CM_KEY_PLAN_TYPE].value && read_plan_type(checker, fields[CM_KEY_PLAN_TYPE].value, true, &type)) {
        document->unique = cm_plan_type_name(type);
        json_object_set_new(json, "type", json_string(document->unique));
    }
    text = "USD";
    if (!fields[CM_KEY_PLAN_CURRENCY].value ||
        cm_read_currency(checker, fields[CM_KEY_PLAN_CURRENCY].value, "currency", &text))
        json_object_set_new(json, "currency", json_string(text));
    document->from = INT64_MIN;
    document->to = INT64_MAX;
    if (fields[CM_KEY_PLAN_FROM].value &&
        cm_read_instant(checker, fields[CM_KEY_PLAN_FROM].value, "from", &document->from))
        json_object_set_new(json, "from", cm_json_instant(document->from));
    if (fields[CM_KEY_PLAN_TO].value && cm_read_instant(checker, fields[CM_KEY_PLAN_TO].value, "to", &document->to)) {
        json_object_set_new(json, "to", cm_json_instant(document->to));
        if (document->to <= document->from)
            cm_wrong(checker, fields[CM_KEY_PLAN_TO].value, "to must be after from");
    }
    if (!fields[CM_KEY_PLAN_MINIMUM].value ||
        cm_read_decimal(checker, fields[CM_KEY_PLAN_MINIMUM].value, "minimum", "0", "1000000000", &minimum))
        json_object_set_new(json, "minimum", cm_json_decimal(minimum));
    if (fields[CM_KEY_PLAN_BANDS].value)
        json_object_set_new(json, "bands", bands(checker, fields[CM_KEY_PLAN_BANDS].value));
}

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
