/* SupportPlanGroup, SupportPlan, FxRate, LineItemType, SupportProduct. */
#include "billing/catalog/model/plans.h"
#include "billing/catalog/parse/parse.h"

static bool parse_plan_type(cm_json_reader *reader, enum cm_plan_type *ret, bool *has)
{
    cm_slice text;
    if (!cm_json_text(reader, &text))
        return false;
    *has = cm_plan_type_parse(text, ret);
    return *has || cm_json_fail(reader, "an unknown plan type");
}

bool cm_parse_base(cm_json_reader *reader, enum cm_layer *layer, bool *classes)
{
    cm_slice key;
    enum cm_class class;
    cm_json_enter(reader, '{');
    while (cm_json_key(reader, &key)) {
        if (cm_slice_is(key, "layer")) {
            cm_parse_layer(reader, layer);
        } else if (cm_slice_is(key, "classes")) {
            cm_json_enter(reader, '[');
            while (cm_json_item(reader))
                if (cm_parse_class(reader, &class))
                    classes[class] = true;
        } else {
            return cm_json_fail(reader, "an unknown key");
        }
    }
    return !reader->failed;
}

static bool parse_group(cm_parser *parser, cm_json_reader *reader, void *element)
{
    cm_support_group *group = element;
    (void)parser;
    cm_slice key;
    bool has_type = false, has_base = false;
    group->base_layer = CM_LAYER_SELL;
    cm_json_enter(reader, '{');
    while (cm_json_key(reader, &key)) {
        if (cm_slice_is(key, "type"))
            parse_plan_type(reader, &group->type, &has_type);
        else if (cm_slice_is(key, "label"))
            cm_parse_label(reader);
        else if (cm_slice_is(key, "percent"))
            group->has_percent = cm_parse_decimal(reader, &group->percent);
        else if (cm_slice_is(key, "minimum"))
            group->has_minimum = cm_parse_decimal(reader, &group->minimum);
        else if (cm_slice_is(key, "buy_percent"))
            group->has_buy_percent = cm_parse_decimal(reader, &group->buy_percent);
        else if (cm_slice_is(key, "base"))
            has_base = cm_parse_base(reader, &group->base_layer, group->base_class);
        else
            return cm_json_fail(reader, "an unknown key");
    }
    if (!reader->failed && (!has_type || !has_base))
        return cm_json_fail(reader, "a support plan group needs type and base");
    return !reader->failed;
}

bool cm_parse_groups(cm_parser *parser, cm_json_reader *reader)
{
    cm_catalog *catalog = parser->catalog;
    return (catalog->groups =
                cm_parse_documents(parser, reader, sizeof *catalog->groups, parse_group, &catalog->group_count));
}

static bool parse_bands(cm_parser *parser, cm_json_reader *reader, cm_support_plan *plan)
{
    size_t room = cm_parse_count(reader);
    cm_plan_band *bands = cm_arena_zalloc(parser->arena, room * sizeof *bands);
    cm_slice key;
    if (plan->bands)
        return cm_json_fail(reader, "a key that comes twice");
    cm_json_enter(reader, '[');
    while (cm_json_item(reader)) {
        if (plan->count >= room)
            return cm_json_fail(reader, "brackets that do not match");
        cm_plan_band *band = &bands[plan->count++];
        bool has_percent = false;
        band->unbounded = true;
        cm_json_enter(reader, '{');
        while (cm_json_key(reader, &key)) {
            if (cm_slice_is(key, "up_to"))
                band->unbounded = !cm_parse_decimal(reader, &band->up_to);
            else if (cm_slice_is(key, "percent"))
                has_percent = cm_parse_decimal(reader, &band->percent);
            else
                return cm_json_fail(reader, "an unknown key");
        }
        if (!reader->failed &&
            (!has_percent ||
             (plan->count > 1 &&
              (band[-1].unbounded || (!band->unbounded && cm_decimal_compare(band[-1].up_to, band->up_to) >= 0)))))
            return cm_json_fail(reader, "bands must have a percent and ascending borders");
    }
    if (!reader->failed && (plan->count == 0 || !bands[plan->count - 1].unbounded))
        return cm_json_fail(reader, "the last band must have no border");
    plan->bands = bands;
    return !reader->failed;
}

static bool parse_plan(cm_parser *parser, cm_json_reader *reader, cm_support_plan *plan)
{
    cm_slice key;
    bool has_type = false;
    plan->from = INT64_MIN;
    plan->to = INT64_MAX;
    cm_json_enter(reader, '{');
    while (cm_json_key(reader, &key)) {
        if (cm_slice_is(key, "type"))
            parse_plan_type(reader, &plan->type, &has_type);
        else if (cm_slice_is(key, "currency"))
            cm_parse_text(parser, reader, &plan->currency);
        else if (cm_slice_is(key, "from"))
            cm_parse_instant(reader, &plan->from);
        else if (cm_slice_is(key, "to"))
            cm_parse_instant(reader, &plan->to);
        else if (cm_slice_is(key, "minimum"))
            cm_parse_decimal(reader, &plan->minimum);
        else if (cm_slice_is(key, "bands"))
            parse_bands(parser, reader, plan);
        else
            return cm_json_fail(reader, "an unknown key");
    }
    if (!reader->failed && (!has_type || !plan->currency || plan->count == 0))
        return cm_json_fail(reader, "a support plan needs type, currency and bands");
    return !reader->failed;
}

bool cm_parse_plans(cm_parser *parser, cm_json_reader *reader)
{
    size_t room = cm_parse_count(reader), count = 0;
    cm_support_plan *own = cm_arena_zalloc(parser->arena, room * sizeof *own);
    const char *id = NULL;
    cm_json_enter(reader, '{');
    while (cm_parse_id(parser, reader, &id)) {
        if (count >= room)
            return cm_json_fail(reader, "brackets that do not match");
        if (!parse_plan(parser, reader, &own[count++]))
            return false;
    }
    parser->catalog->plans = cm_support_plans_merge(parser->arena, own, count, &parser->catalog->plan_count);
    return !reader->failed;
}

static bool parse_fx_rate(cm_parser *parser, cm_json_reader *reader, void *element)
{
    cm_fx_rate *rate = element;
    cm_slice key, text;
    int set = -1;
    cm_json_enter(reader, '{');
    while (cm_json_key(reader, &key)) {
        if (cm_slice_is(key, "set"))
            cm_parse_one_of(reader, cm_fx_set_names, &set);
        else if (cm_slice_is(key, "from"))
            cm_parse_text(parser, reader, &rate->from);
        else if (cm_slice_is(key, "to"))
            cm_parse_text(parser, reader, &rate->to);
        else if (cm_slice_is(key, "rate"))
            cm_parse_decimal(reader, &rate->rate);
        else if (!cm_slice_is(key, "period"))
            return cm_json_fail(reader, "an unknown key");
        else if (cm_json_text(reader, &text) && !cm_period_parse(text, &rate->period))
            return cm_json_fail(reader, "a period was expected");
    }
    if (!reader->failed &&
        (set < 0 || !rate->from || !rate->to || !rate->period.year || cm_decimal_is_zero(rate->rate)))
        return cm_json_fail(reader, "a rate needs set, from, to, period and rate");
    rate->set = set == 1 ? CM_FX_DISTRIBUTOR : CM_FX_RESELLER;
    return !reader->failed;
}

bool cm_parse_fx_rates(cm_parser *parser, cm_json_reader *reader)
{
    cm_catalog *catalog = parser->catalog;
    return (catalog->fx_rates =
                cm_parse_documents(parser, reader, sizeof *catalog->fx_rates, parse_fx_rate, &catalog->fx_rate_count));
}

static bool parse_line_type(cm_parser *parser, cm_json_reader *reader, void *element)
{
    struct cm_line_type *type = element;
    cm_slice key;
    bool has_class = false;
    (void)parser;
    cm_json_enter(reader, '{');
    while (cm_json_key(reader, &key)) {
        if (!cm_slice_is(key, "class"))
            return cm_json_fail(reader, "an unknown key");
        has_class = cm_parse_class(reader, &type->class);
    }
    return !reader->failed && (has_class || cm_json_fail(reader, "a line item type needs a class"));
}

bool cm_parse_line_types(cm_parser *parser, cm_json_reader *reader)
{
    cm_catalog *catalog = parser->catalog;
    return (catalog->line_types = cm_parse_documents(parser, reader, sizeof *catalog->line_types, parse_line_type,
                                                     &catalog->line_type_count));
}

static bool parse_support_product(cm_parser *parser, cm_json_reader *reader, void *element)
{
    cm_slice key;
    (void)parser, (void)element; /* the id says it all */
    cm_json_enter(reader, '{');
    if (cm_json_key(reader, &key))
        return cm_json_fail(reader, "an unknown key");
    return !reader->failed;
}

bool cm_parse_support_products(cm_parser *parser, cm_json_reader *reader)
{
    cm_catalog *catalog = parser->catalog;
    return (catalog->support_products = cm_parse_documents(parser, reader, sizeof *catalog->support_products,
                                                           parse_support_product, &catalog->support_product_count));
}
