/* SupportPlanGroup, SupportPlan. */
#include "billing/catalog/model/plans.h"
#include "billing/catalog/parse/parse.h"

#include <string.h>

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

static bool parse_month(cm_json_reader *reader, cm_instant *ret)
{
    cm_slice text;
    cm_period period;
    if (!cm_json_text(reader, &text))
        return false;
    if (!cm_period_parse(text, &period))
        return cm_json_fail(reader, "a month was expected");
    *ret = cm_period_start(period);
    return true;
}

/* A key of a group or of one of its versions. False: not such a key. */
static bool parse_group_terms_key(cm_json_reader *reader, cm_slice key, cm_group_terms *terms, bool *ret_base)
{
    if (cm_slice_is(key, "percent"))
        terms->has_percent = cm_parse_decimal(reader, &terms->percent);
    else if (cm_slice_is(key, "minimum"))
        terms->has_minimum = cm_parse_decimal(reader, &terms->minimum);
    else if (cm_slice_is(key, "buy_percent"))
        terms->has_buy_percent = cm_parse_decimal(reader, &terms->buy_percent);
    else if (cm_slice_is(key, "base"))
        *ret_base = cm_parse_base(reader, &terms->base_layer, terms->base_class);
    else
        return false;
    return true;
}

/* What a version does not name is as it was before. */
static void inherit(cm_group_terms *terms, const cm_group_terms *before, bool has_base)
{
    if (!terms->has_percent) {
        terms->has_percent = before->has_percent;
        terms->percent = before->percent;
    }
    if (!terms->has_minimum) {
        terms->has_minimum = before->has_minimum;
        terms->minimum = before->minimum;
    }
    if (!terms->has_buy_percent) {
        terms->has_buy_percent = before->has_buy_percent;
        terms->buy_percent = before->buy_percent;
    }
    if (!has_base) {
        terms->base_layer = before->base_layer;
        memcpy(terms->base_class, before->base_class, sizeof terms->base_class);
    }
}

/* `versions` comes after the group's own keys: the keys of the canonical text are in order. */
static bool parse_versions(cm_parser *parser, cm_json_reader *reader, const cm_group_terms *first,
                           cm_support_group *group)
{
    size_t room = cm_parse_count(reader) + 1;
    cm_group_terms *terms = cm_arena_zalloc(parser->arena, room * sizeof *terms);
    cm_slice key;
    terms[0] = *first;
    group->terms = terms;
    group->term_count = 1;
    cm_json_enter(reader, '[');
    while (cm_json_item(reader)) {
        if (group->term_count >= room)
            return cm_json_fail(reader, "brackets that do not match");
        cm_group_terms *version = &terms[group->term_count++];
        bool has_base = false;
        version->from = INT64_MIN;
        version->base_layer = CM_LAYER_SELL;
        cm_json_enter(reader, '{');
        while (cm_json_key(reader, &key)) {
            if (cm_slice_is(key, "from"))
                parse_month(reader, &version->from);
            else if (!parse_group_terms_key(reader, key, version, &has_base))
                return cm_json_fail(reader, "an unknown key");
        }
        if (!reader->failed && version->from <= version[-1].from)
            return cm_json_fail(reader, "the months of versions must ascend");
        inherit(version, version - 1, has_base);
    }
    return !reader->failed;
}

static bool parse_group(cm_parser *parser, cm_json_reader *reader, void *element)
{
    cm_support_group *group = element;
    cm_group_terms *first = cm_arena_zalloc(parser->arena, sizeof *first);
    cm_slice key, over;
    bool has_type = false, has_base = false;
    first->from = INT64_MIN;
    first->base_layer = CM_LAYER_SELL;
    group->terms = first;
    group->term_count = 1;
    cm_json_enter(reader, '{');
    while (cm_json_key(reader, &key)) {
        if (cm_slice_is(key, "type"))
            parse_plan_type(reader, &group->type, &has_type);
        else if (cm_slice_is(key, "label"))
            cm_parse_label(reader);
        else if (cm_slice_is(key, "plan"))
            cm_parse_text(parser, reader, &group->plan);
        else if (cm_slice_is(key, "over"))
            group->over_group = cm_json_text(reader, &over) && cm_slice_is(over, "group");
        else if (cm_slice_is(key, "versions"))
            parse_versions(parser, reader, first, group);
        else if (group->term_count > 1 || !parse_group_terms_key(reader, key, first, &has_base))
            return cm_json_fail(reader, "an unknown key");
    }
    if (!reader->failed && (has_type == (group->plan != NULL) || !has_base))
        return cm_json_fail(reader, "a support plan group needs base, and type or plan");
    if (!has_type)
        group->type = CM_PLAN_NAMED;
    else if (cm_plan_type_is_public(group->type))
        group->plan = cm_plan_type_name(group->type);
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
    enum cm_plan_type type;
    bool has_type = false;
    plan->from = INT64_MIN;
    plan->to = INT64_MAX;
    cm_json_enter(reader, '{');
    while (cm_json_key(reader, &key)) {
        if (cm_slice_is(key, "type"))
            parse_plan_type(reader, &type, &has_type);
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
    if (!reader->failed && (!plan->currency || plan->count == 0))
        return cm_json_fail(reader, "a support plan needs currency and bands");
    if (has_type)
        plan->name = cm_plan_type_name(type);
    return !reader->failed;
}

/* Data of one of AWS's plans holds under the name of its type, and under its own id. */
bool cm_parse_plans(cm_parser *parser, cm_json_reader *reader)
{
    size_t room = cm_parse_count(reader), documents = 0, count = 0;
    cm_support_plan *own = cm_arena_zalloc(parser->arena, 2 * room * sizeof *own);
    const char *id = NULL;
    cm_json_enter(reader, '{');
    while (cm_parse_id(parser, reader, &id)) {
        if (documents++ >= room)
            return cm_json_fail(reader, "brackets that do not match");
        cm_support_plan *plan = &own[count++];
        if (!parse_plan(parser, reader, plan))
            return false;
        if (plan->name && strcmp(plan->name, id) != 0)
            own[count++] = *plan;
        own[count - 1].name = id;
    }
    parser->catalog->plans = cm_support_plans_merge(parser->arena, own, count, &parser->catalog->plan_count);
    return !reader->failed;
}
