/* SupportPlanGroup, SupportPlan. */
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

/* A month; a date that begins one will do. */
static bool read_month_start(cm_checker *checker, const cm_yaml_node *node, const char *field, cm_instant *ret)
{
    cm_period period;
    if (node->kind == CM_YAML_SCALAR && cm_period_parse(node->text, &period)) {
        *ret = cm_period_start(period);
        return true;
    }
    if (!cm_read_instant(checker, node, field, ret))
        return false;
    if (cm_period_start(cm_period_of(*ret)) == *ret)
        return true;
    cm_wrong(checker, node, "%s must be a month, like 2027-01: a plan holds for whole months", field);
    return false;
}

typedef struct percents {
    bool has_percent;
    cm_decimal percent;
} percents;

/* percent, minimum and buy_percent of a group or of one of its versions; `now` is what held before. */
static void put_percents(cm_checker *checker, const cm_yaml_node *percent, const cm_yaml_node *minimum,
                         const cm_yaml_node *buy_percent, const char *title, json_t *json, percents *now)
{
    cm_decimal number;
    if (percent && cm_read_decimal(checker, percent, "percent", "0", "100", &number)) {
        *now = (percents){true, number};
        json_object_set_new(json, "percent", cm_json_decimal(number));
    }
    if (minimum && cm_read_decimal(checker, minimum, "minimum", "0", "1000000000", &number))
        json_object_set_new(json, "minimum", cm_json_decimal(number));
    if (!buy_percent || !cm_read_decimal(checker, buy_percent, "buy_percent", "0", "100", &number))
        return;
    json_object_set_new(json, "buy_percent", cm_json_decimal(number));
    if (now->has_percent && cm_decimal_compare(number, now->percent) > 0)
        cm_warn(checker, buy_percent, "buy_percent is above percent: every account of %s makes a loss (N05)", title);
}

/* `versions`: what changes with a month; by ascending month. */
static void check_versions(cm_checker *checker, const cm_yaml_node *node, cm_document *document, percents now)
{
    const cm_yaml_node *const *items;
    size_t count;
    cm_instant last = INT64_MIN;
    json_t *versions = json_array();
    if (!cm_read_list(checker, node, "versions", false, 1000, &items, &count))
        count = 0;
    for (size_t i = 0; i < count; i++) {
        cm_field fields[CM_KEY_GROUP_VERSION_COUNT];
        cm_period from;
        char text[CM_PERIOD_TEXT];
        json_t *json = json_object();
        json_array_append_new(versions, json);
        const char *title = cm_arena_printf(checker->arena, "a version of %s", document->title);
        if (!cm_read_mapping(checker, items[i], title, &cm_group_version_keys, fields))
            continue;
        const cm_yaml_node *month = fields[CM_KEY_GROUP_VERSION_FROM].value;
        put_percents(checker, fields[CM_KEY_GROUP_VERSION_PERCENT].value, fields[CM_KEY_GROUP_VERSION_MINIMUM].value,
                     fields[CM_KEY_GROUP_VERSION_BUY_PERCENT].value, document->title, json, &now);
        if (fields[CM_KEY_GROUP_VERSION_BASE].value)
            json_object_set_new(json, "base", cm_check_base(checker, fields[CM_KEY_GROUP_VERSION_BASE].value, title));
        if (!month)
            continue;
        if (month->kind != CM_YAML_SCALAR || !cm_period_parse(month->text, &from)) {
            cm_wrong(checker, month, "from must be a month, like 2026-07");
            continue;
        }
        json_object_set_new(json, "from", json_string(cm_period_print(from, text)));
        if (cm_period_start(from) <= last)
            cm_wrong(checker, month, "the versions of %s must be in the order of their months, each month once",
                     document->title);
        last = cm_period_start(from);
        document->from = last;
        document->version_node = month;
    }
    if (json_array_size(versions))
        json_object_set_new(document->json, "versions", versions);
    else
        json_decref(versions);
}

/* What the group's fee is computed by: one of the types, or a plan by its name. */
static bool check_type(cm_checker *checker, const cm_field *fields, cm_document *document, enum cm_plan_type *ret)
{
    const cm_yaml_node *type = fields[CM_KEY_GROUP_TYPE].value, *plan = fields[CM_KEY_GROUP_PLAN].value;
    const char *name;
    *ret = CM_PLAN_NAMED;
    if (!type == !plan) {
        cm_wrong(checker, plan ? plan : document->root,
                 plan
                     ? "%s has a type and a plan; only one of them can say what its accounts pay"
                     : "%s has no \"type\" and no \"plan\": business, passthrough, basic or one of AWS's public plans; "
                       "or the id of a SupportPlan",
                 document->title);
        return false;
    }
    if (type) {
        if (!read_plan_type(checker, type, false, ret))
            return false;
        document->plan = cm_plan_type_is_public(*ret) ? cm_plan_type_name(*ret) : NULL;
        json_object_set_new(document->json, "type", json_string(cm_plan_type_name(*ret)));
    } else {
        if (!cm_read_id(checker, plan, "plan", &name) ||
            (!cm_support_plan_is_published(name) &&
             !cm_read_reference(checker, plan, "plan", CM_DOCUMENT_SUPPORT_PLAN, &name)))
            return false;
        document->plan = name;
        json_object_set_new(document->json, "plan", json_string(name));
    }
    document->plan_node = type ? type : plan;
    return true;
}

void cm_check_support_plan_group(cm_checker *checker, cm_document *document)
{
    static const char *const overs[] = {"account", "group", NULL};
    cm_field fields[CM_KEY_GROUP_COUNT];
    const char *text;
    enum cm_plan_type type;
    int over = 0;
    percents now = {0};
    document->json = json_object();
    document->from = INT64_MIN;
    if (!cm_read_mapping(checker, document->root, document->title, &cm_group_keys, fields))
        return;
    if (fields[CM_KEY_GROUP_ID].value)
        cm_read_id(checker, fields[CM_KEY_GROUP_ID].value, "id", &text);
    if (fields[CM_KEY_GROUP_LABEL].value)
        cm_put_text(checker, document->json, "label", fields[CM_KEY_GROUP_LABEL].value);
    if (check_type(checker, fields, document, &type)) {
        for (int i = CM_KEY_GROUP_OVER; i < CM_KEY_GROUP_COUNT; i++)
            if (fields[i].value && (type == CM_PLAN_BASIC || type == CM_PLAN_PASSTHROUGH))
                cm_warn(checker, fields[i].value, "%s has no effect on a group of type %s", fields[i].name,
                        cm_plan_type_name(type));
        if (type == CM_PLAN_BUSINESS && !fields[CM_KEY_GROUP_PERCENT].value) {
            now = (percents){true, cm_decimal_from_i64(10)}; /* N02 */
            json_object_set_new(document->json, "percent", cm_json_decimal(now.percent));
        }
    }
    if (fields[CM_KEY_GROUP_OVER].value &&
        cm_read_one_of(checker, fields[CM_KEY_GROUP_OVER].value, "over", overs, &over) && over)
        json_object_set_new(document->json, "over", json_string(overs[over]));
    put_percents(checker, fields[CM_KEY_GROUP_PERCENT].value, fields[CM_KEY_GROUP_MINIMUM].value,
                 fields[CM_KEY_GROUP_BUY_PERCENT].value, document->title, document->json, &now);
    json_object_set_new(document->json, "base",
                        cm_check_base(checker, fields[CM_KEY_GROUP_BASE].value, document->title));
    if (fields[CM_KEY_GROUP_VERSIONS].value)
        check_versions(checker, fields[CM_KEY_GROUP_VERSIONS].value, document, now);
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
    if (fields[CM_KEY_PLAN_ID].value && cm_read_id(checker, fields[CM_KEY_PLAN_ID].value, "id", &text))
        document->unique = text;
    if (fields[CM_KEY_PLAN_TYPE].value && read_plan_type(checker, fields[CM_KEY_PLAN_TYPE].value, true, &type)) {
        if (document->unique && cm_support_plan_is_published(document->unique) &&
            strcmp(document->unique, cm_plan_type_name(type)) != 0)
            cm_wrong(checker, fields[CM_KEY_PLAN_ID].value,
                     "%s is one of AWS's plans and cannot name data of the type %s: take another id", document->unique,
                     cm_plan_type_name(type));
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
        read_month_start(checker, fields[CM_KEY_PLAN_FROM].value, "from", &document->from))
        json_object_set_new(json, "from", cm_json_instant(document->from));
    if (fields[CM_KEY_PLAN_TO].value && read_month_start(checker, fields[CM_KEY_PLAN_TO].value, "to", &document->to)) {
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
