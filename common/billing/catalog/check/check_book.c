/* PriceBook: versions, rules, what they match and what they cost. */
#include "billing/catalog/check/check.h"

#include <stdlib.h>

struct checked_rule {
    const char *id;
    int64_t priority;
    const cm_yaml_node *node, *id_node, *priority_node;
    bool catches_all;
    json_t *json;
};

struct checked_version {
    cm_instant from;
    const cm_yaml_node *node;
    json_t *json;
};

/* ---- match ---- */

static bool check_match_value(cm_checker *checker, enum cm_match_key key, const cm_yaml_node *node, const char **ret)
{
    const char *name = cm_match_key_names[key];
    enum cm_class class;
    if (key == CM_MATCH_ACCOUNT || key == CM_MATCH_PAYER)
        return cm_read_account(checker, node, name, ret);
    if (key == CM_MATCH_CLASS) {
        const char *names[CM_CLASS_COUNT + 1] = {0};
        int which;
        for (int i = 0; i < CM_CLASS_COUNT; i++)
            names[i] = cm_class_name((enum cm_class)i);
        if (!cm_read_one_of(checker, node, name, names, &which))
            return false;
        *ret = cm_class_name((enum cm_class)which);
        return cm_class_parse(cm_slice_of(*ret), &class);
    }
    if (!cm_read_text(checker, node, name, ret))
        return false;
    if (key != CM_MATCH_USAGE_TYPE && key != CM_MATCH_OPERATION && strpbrk(*ret, "*?")) {
        cm_wrong(checker, node,
                 "%s \"%s\" is compared as it is written; * and ? have a meaning in usage_type and operation only",
                 name, *ret);
        return false;
    }
    return true;
}

static json_t *check_match_list(cm_checker *checker, enum cm_match_key key, const cm_yaml_node *node)
{
    const cm_yaml_node *const *items;
    const char *name = cm_match_key_names[key];
    size_t count, good = 0;
    if (!cm_read_list(checker, node, name, true, CM_MATCH_LIMIT, &items, &count))
        return NULL;
    if (count == 0) {
        cm_wrong(checker, node, "%s is an empty list, which would match nothing: leave the key out to match everything",
                 name);
        return NULL;
    }
    const char **texts = cm_alloc(count * sizeof *texts);
    for (size_t i = 0; i < count; i++)
        good += check_match_value(checker, key, items[i], &texts[i]);
    json_t *list = good == count ? cm_json_sorted_texts(checker, texts, items, count, name) : NULL;
    free(texts);
    return list;
}

/* *ret_all: nothing is asked for, every line fits. */
static json_t *check_match(cm_checker *checker, const cm_yaml_node *node, const char *rule, bool *ret_all)
{
    cm_field fields[CM_KEY_MATCH_COUNT];
    json_t *match = json_object();
    bool marketplace;
    *ret_all = true;
    if (!node)
        return match;
    *ret_all = node->kind == CM_YAML_MAPPING && node->count == 0;
    if (!cm_read_mapping(checker, node, cm_arena_printf(checker->arena, "match of rule %s", rule), &cm_match_keys,
                         fields))
        return match;
    for (size_t i = 0; i < node->count; i++)
        if (cm_yaml_is_null(node->items[2 * i + 1]))
            cm_wrong(checker, node->items[2 * i + 1],
                     "a match key without a value: leave the key out to match everything");
    for (int i = 0; i < CM_MATCH_KEYS; i++)
        if (fields[i].value)
            json_object_set_new(match, fields[i].name,
                                check_match_list(checker, (enum cm_match_key)i, fields[i].value));
    if (fields[CM_KEY_MATCH_MARKETPLACE].value &&
        cm_read_bool(checker, fields[CM_KEY_MATCH_MARKETPLACE].value, "marketplace", &marketplace))
        json_object_set_new(match, "marketplace", json_boolean(marketplace));
    return match;
}

/* ---- price ---- */

static void note_buy_reader(cm_checker *checker, const cm_document *book, const char *rule, const cm_yaml_node *node,
                            bool tiers)
{
    checker->buy_readers = cm_room(checker->buy_readers, checker->buy_reader_count, &checker->buy_reader_capacity,
                                   sizeof *checker->buy_readers);
    checker->buy_readers[checker->buy_reader_count++] = (cm_buy_reader){book->id, rule, node, tiers};
}

static void check_percent(cm_checker *checker, const cm_field *fields, const cm_document *book, const char *rule,
                          json_t *price)
{
    cm_decimal percent;
    int layer;
    const cm_yaml_node *of = fields[CM_KEY_PRICE_OF].value;
    if (cm_read_decimal(checker, fields[CM_KEY_PRICE_PERCENT].value, "percent", "-100", "10000", &percent))
        json_object_set_new(price, "percent", cm_json_decimal(percent));
    if (!of) {
        cm_wrong(checker, fields[CM_KEY_PRICE_PERCENT].value, "percent of what? add of: list, payer or buy");
        return;
    }
    if (!cm_read_one_of(checker, of, "of", cm_layer_names, &layer))
        return;
    if (layer == CM_LAYER_SELL)
        cm_wrong(checker, of,
                 "of: sell is what this rule is to find; a rule may read list, payer and (in sell books) buy");
    if (layer == CM_LAYER_BUY)
        note_buy_reader(checker, book, rule, of, false);
    json_object_set_new(price, "of", json_string(cm_layer_names[layer]));
}

static void check_plain_price(cm_checker *checker, const cm_field *fields, json_t *price)
{
    cm_decimal rate;
    bool yes;
    const char *layer;
    if (fields[CM_KEY_PRICE_RATE].value &&
        cm_read_decimal(checker, fields[CM_KEY_PRICE_RATE].value, "rate", "0", "1000000000000", &rate))
        json_object_set_new(price, "rate", cm_json_decimal(rate));
    if (fields[CM_KEY_PRICE_PASS].value && cm_read_text(checker, fields[CM_KEY_PRICE_PASS].value, "pass", &layer)) {
        if (strcmp(layer, "payer") != 0)
            cm_wrong(checker, fields[CM_KEY_PRICE_PASS].value, "pass \"%s\": only pass: payer exists", layer);
        json_object_set_new(price, "pass", json_string("payer"));
    }
    if (fields[CM_KEY_PRICE_FREE].value && cm_read_bool(checker, fields[CM_KEY_PRICE_FREE].value, "free", &yes)) {
        if (!yes)
            cm_wrong(checker, fields[CM_KEY_PRICE_FREE].value,
                     "free: false says nothing; write the price, or free: true");
        json_object_set_new(price, "free", json_true());
    }
}

/* tiers: [{up_to, rate}, ...]: computed when statements are built, over the month's quantity (rating.md section 5). */
static json_t *check_tier_list(cm_checker *checker, const cm_yaml_node *node)
{
    json_t *array = json_array();
    const cm_yaml_node *const *items;
    size_t count;
    cm_decimal last = {0}, border, rate;
    if (!cm_read_list(checker, node, "tiers", false, 100, &items, &count))
        return array;
    if (count == 0)
        cm_wrong(checker, node, "tiers is empty; the last tier has a rate and no up_to");
    for (size_t i = 0; i < count; i++) {
        cm_field fields[CM_KEY_TIER_COUNT];
        json_t *tier = json_object();
        json_array_append_new(array, tier);
        if (!cm_read_mapping(checker, items[i], "a tier", &cm_tier_keys, fields))
            continue;
        if (fields[CM_KEY_TIER_RATE].value &&
            cm_read_decimal(checker, fields[CM_KEY_TIER_RATE].value, "rate", "0", "1000000000000", &rate))
            json_object_set_new(tier, "rate", cm_json_decimal(rate));
        if (!fields[CM_KEY_TIER_UP_TO].value != (i + 1 == count))
            cm_wrong(checker, items[i],
                     i + 1 == count ? "the last tier may have no up_to: it holds for everything above"
                                    : "only the last tier may be without up_to");
        if (!fields[CM_KEY_TIER_UP_TO].value ||
            !cm_read_decimal(checker, fields[CM_KEY_TIER_UP_TO].value, "up_to", "0", "1000000000000", &border))
            continue;
        if (cm_decimal_compare(border, last) <= 0)
            cm_wrong(checker, fields[CM_KEY_TIER_UP_TO].value, "up_to must grow from tier to tier");
        last = border;
        json_object_set_new(tier, "up_to", cm_json_decimal(border));
    }
    return array;
}

static void check_tiers(cm_checker *checker, const cm_field *fields, const cm_document *book, const char *rule,
                        json_t *price)
{
    int which = 0;
    for (int i = CM_KEY_PRICE_MODE; i <= CM_KEY_PRICE_OVER; i++)
        if (fields[i].value && !fields[CM_KEY_PRICE_TIERS].value)
            cm_wrong(checker, fields[i].value, "%s belongs to tiers", fields[i].name);
    if (!fields[CM_KEY_PRICE_TIERS].value)
        return;
    note_buy_reader(checker, book, rule, fields[CM_KEY_PRICE_TIERS].value, true);
    json_object_set_new(price, "tiers", check_tier_list(checker, fields[CM_KEY_PRICE_TIERS].value));
    if (!fields[CM_KEY_PRICE_MODE].value)
        cm_wrong(checker, fields[CM_KEY_PRICE_TIERS].value, "tiers in which mode? add mode: graduated or volume");
    else if (cm_read_one_of(checker, fields[CM_KEY_PRICE_MODE].value, "mode", cm_tier_mode_names, &which))
        json_object_set_new(price, "mode", json_string(cm_tier_mode_names[which]));
    which = 0;
    if (!fields[CM_KEY_PRICE_OVER].value ||
        cm_read_one_of(checker, fields[CM_KEY_PRICE_OVER].value, "over", cm_tier_over_names, &which))
        json_object_set_new(price, "over", json_string(cm_tier_over_names[which]));
}

static json_t *check_price(cm_checker *checker, const cm_yaml_node *node, const cm_document *book, const char *rule,
                           bool *ret_reads_quantity)
{
    cm_field fields[CM_KEY_PRICE_COUNT];
    json_t *price = json_object();
    *ret_reads_quantity = false;
    if (!cm_read_mapping(checker, node, cm_arena_printf(checker->arena, "price of rule %s", rule), &cm_price_keys,
                         fields))
        return price;
    *ret_reads_quantity = fields[CM_KEY_PRICE_RATE].value || fields[CM_KEY_PRICE_TIERS].value;
    int forms = 0;
    for (int i = CM_KEY_PRICE_PERCENT; i <= CM_KEY_PRICE_TIERS; i++)
        forms += fields[i].value != NULL;
    if (forms != 1)
        cm_wrong(checker, node, "price of rule %s must have exactly one of percent, rate, pass, free, tiers; it has %s",
                 rule, forms ? "several" : "none");
    if (fields[CM_KEY_PRICE_OF].value && !fields[CM_KEY_PRICE_PERCENT].value)
        cm_wrong(checker, fields[CM_KEY_PRICE_OF].value, "of belongs to percent");
    if (fields[CM_KEY_PRICE_PERCENT].value)
        check_percent(checker, fields, book, rule, price);
    check_plain_price(checker, fields, price);
    check_tiers(checker, fields, book, rule, price);
    return price;
}

/* ---- rules ---- */

static void check_rule(cm_checker *checker, const cm_yaml_node *node, const cm_document *book,
                       struct checked_rule *rule)
{
    cm_field fields[CM_KEY_RULE_COUNT];
    bool all, reads_quantity = false;
    rule->node = node;
    rule->json = json_object();
    if (!cm_read_mapping(checker, node, cm_arena_printf(checker->arena, "a rule of %s", book->title), &cm_rule_keys,
                         fields))
        return;
    if (fields[CM_KEY_RULE_ID].value && cm_read_id(checker, fields[CM_KEY_RULE_ID].value, "id", &rule->id)) {
        rule->id_node = fields[CM_KEY_RULE_ID].value;
        json_object_set_new(rule->json, "id", json_string(rule->id));
    }
    if (fields[CM_KEY_RULE_LABEL].value)
        cm_put_text(checker, rule->json, "label", fields[CM_KEY_RULE_LABEL].value);
    if (fields[CM_KEY_RULE_PRIORITY].value &&
        cm_read_integer(checker, fields[CM_KEY_RULE_PRIORITY].value, "priority", 0, 1000000000, &rule->priority)) {
        rule->priority_node = fields[CM_KEY_RULE_PRIORITY].value;
        json_object_set_new(rule->json, "priority", json_integer(rule->priority));
    }
    const char *name = cm_arena_printf(checker->arena, "\"%s\" of %s", rule->id ? rule->id : "", book->title);
    json_object_set_new(rule->json, "match", check_match(checker, fields[CM_KEY_RULE_MATCH].value, name, &all));
    if (fields[CM_KEY_RULE_PRICE].value)
        json_object_set_new(rule->json, "price",
                            check_price(checker, fields[CM_KEY_RULE_PRICE].value, book, name, &reads_quantity));
    /* Rates and tiers do not match refunds and bundled discounts: their quantity is not usage (rating.md section 4). */
    rule->catches_all = all && fields[CM_KEY_RULE_PRICE].value && !reads_quantity;
}

static int by_priority(const void *a, const void *b)
{
    const struct checked_rule *x = a, *y = b;
    int order = (x->priority > y->priority) - (x->priority < y->priority);
    if (!order)
        order = (x->node->line > y->node->line) - (x->node->line < y->node->line);
    return order ? order : (x->node->column > y->node->column) - (x->node->column < y->node->column);
}

static int by_rule_id(const void *a, const void *b)
{
    const struct checked_rule *x = a, *y = b;
    int order = strcmp(x->id ? x->id : "", y->id ? y->id : "");
    return order ? order : by_priority(a, b);
}

static void check_rules_together(cm_checker *checker, struct checked_rule *rules, size_t count,
                                 const cm_yaml_node *version, const cm_document *book)
{
    const struct checked_rule *catcher = NULL;
    if (count)
        qsort(rules, count, sizeof *rules, by_rule_id);
    for (size_t i = 1; i < count; i++)
        if (rules[i].id && rules[i - 1].id && strcmp(rules[i].id, rules[i - 1].id) == 0)
            cm_wrong(checker, rules[i].id_node, "rule id \"%s\" comes twice in one version; the other is at %s",
                     rules[i].id, cm_place(checker, rules[i - 1].id_node));
    if (count)
        qsort(rules, count, sizeof *rules, by_priority);
    for (size_t i = 0; i < count; i++) {
        const struct checked_rule *last = i ? &rules[i - 1] : NULL;
        if (last && last->priority_node && rules[i].priority_node && last->priority == rules[i].priority)
            cm_wrong(checker, rules[i].priority_node, "priority %lld comes twice in one version; the other is at %s",
                     (long long)rules[i].priority, cm_place(checker, last->priority_node));
        else if (catcher && rules[i].priority_node)
            cm_warn(checker, rules[i].node,
                    "this rule is never reached: the rule at %s has a lower priority number and matches "
                    "everything",
                    cm_place(checker, catcher->node));
        if (!catcher && rules[i].catches_all && rules[i].priority_node)
            catcher = &rules[i];
    }
    if (!catcher)
        cm_wrong(checker, version,
                 "a version of %s has no catch-all rule: end it with a rule with match: {} and a price of "
                 "percent, pass or free (rates and tiers do not match refunds and bundled discounts)",
                 book->title);
}

static json_t *check_rules(cm_checker *checker, const cm_yaml_node *node, const cm_yaml_node *version,
                           const cm_document *book)
{
    json_t *array = json_array();
    const cm_yaml_node *const *items;
    size_t count;
    if (!cm_read_list(checker, node, "rules", false, CM_RULE_LIMIT, &items, &count))
        return array;
    checker->rule_count += count;
    if (checker->rule_count > CM_ALL_RULES_LIMIT) {
        cm_wrong(checker, node, "more than %d rules in the catalog", CM_ALL_RULES_LIMIT);
        return array;
    }
    struct checked_rule *rules = cm_alloc((count + 1) * sizeof *rules);
    for (size_t i = 0; i < count; i++)
        check_rule(checker, items[i], book, &rules[i]);
    check_rules_together(checker, rules, count, version, book);
    for (size_t i = 0; i < count; i++)
        json_array_append_new(array, rules[i].json);
    free(rules);
    return array;
}

/* ---- versions ---- */

/* R02: prices by date. */
static void check_version(cm_checker *checker, const cm_yaml_node *node, const cm_document *book,
                          struct checked_version *version)
{
    cm_field fields[CM_KEY_VERSION_COUNT];
    version->json = json_object();
    if (!cm_read_mapping(checker, node, cm_arena_printf(checker->arena, "a version of %s", book->title),
                         &cm_version_keys, fields))
        return;
    if (fields[CM_KEY_VERSION_FROM].value &&
        cm_read_instant(checker, fields[CM_KEY_VERSION_FROM].value, "effective_from", &version->from)) {
        version->node = fields[CM_KEY_VERSION_FROM].value;
        json_object_set_new(version->json, "effective_from", cm_json_instant(version->from));
    }
    if (fields[CM_KEY_VERSION_RULES].value)
        json_object_set_new(version->json, "rules",
                            check_rules(checker, fields[CM_KEY_VERSION_RULES].value, node, book));
}

static int by_effective_from(const void *a, const void *b)
{
    const struct checked_version *x = a, *y = b;
    int order = (x->from > y->from) - (x->from < y->from);
    return order || !x->node || !y->node ? order : (x->node->line > y->node->line) - (x->node->line < y->node->line);
}

/* The rule `id` of a version in canonical form, or NULL. */
static const json_t *rule_of(const json_t *version, const char *id)
{
    size_t i;
    const json_t *rule;
    json_array_foreach (json_object_get(version, "rules"), i, rule) {
        const char *other = json_string_value(json_object_get(rule, "id"));
        if (other && strcmp(other, id) == 0)
            return rule;
    }
    return NULL;
}

/*
 * Tiers count the month's quantity by rule id: where a version begins inside a month, a rule with tiers that stands in
 * both versions of that month must say the same in both.
 */
static void check_tiers_of_month(cm_checker *checker, const cm_document *book, const struct checked_version *tiered,
                                 const struct checked_version *other, const cm_yaml_node *place)
{
    size_t i;
    const json_t *rule;
    json_array_foreach (json_object_get(tiered->json, "rules"), i, rule) {
        const json_t *price = json_object_get(rule, "price");
        const char *id = json_string_value(json_object_get(rule, "id"));
        const json_t *same = id && json_object_get(price, "tiers") ? rule_of(other->json, id) : NULL;
        if (same && !json_equal(price, json_object_get(same, "price")))
            cm_wrong(
                checker, place,
                "rule \"%s\" has tiers, which count a whole month, and its price changes inside a month in %s: begin the "
                "version on the 1st, or give the rule another id",
                id, book->title);
    }
}

static void check_tiers_over_versions(cm_checker *checker, const cm_document *book,
                                      const struct checked_version *versions, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        if (!versions[i].node)
            continue;
        cm_instant month = cm_period_start(cm_period_of(versions[i].from));
        for (size_t j = i; j > 0 && (!versions[j].node || versions[j].from > month);
             j--) { /* to the one in force on the 1st */
            if (!versions[j - 1].node)
                continue;
            check_tiers_of_month(checker, book, &versions[j - 1], &versions[i], versions[i].node);
            check_tiers_of_month(checker, book, &versions[i], &versions[j - 1], versions[i].node);
        }
    }
}

static json_t *check_versions(cm_checker *checker, const cm_yaml_node *node, const cm_document *book)
{
    json_t *array = json_array();
    const cm_yaml_node *const *items;
    size_t count;
    if (!cm_read_list(checker, node, "versions", false, CM_MATCH_LIMIT, &items, &count))
        return array;
    if (count == 0)
        cm_wrong(checker, node, "%s has no version", book->title);
    struct checked_version *versions = cm_alloc((count + 1) * sizeof *versions);
    for (size_t i = 0; i < count; i++)
        check_version(checker, items[i], book, &versions[i]);
    if (count)
        qsort(versions, count, sizeof *versions, by_effective_from);
    for (size_t i = 0; i < count; i++) {
        if (i && versions[i].node && versions[i - 1].node && versions[i].from == versions[i - 1].from)
            cm_wrong(checker, versions[i].node, "two versions of %s have this effective_from; the other is at %s",
                     book->title, cm_place(checker, versions[i - 1].node));
        json_array_append_new(array, versions[i].json);
    }
    check_tiers_over_versions(checker, book, versions, count);
    free(versions);
    return array;
}

void cm_check_price_book(cm_checker *checker, cm_document *document)
{
    cm_field fields[CM_KEY_BOOK_COUNT];
    const char *text;
    document->json = json_object();
    if (!cm_read_mapping(checker, document->root, document->title, &cm_book_keys, fields))
        return;
    if (fields[CM_KEY_BOOK_ID].value)
        cm_read_id(checker, fields[CM_KEY_BOOK_ID].value, "id", &text);
    if (fields[CM_KEY_BOOK_CURRENCY].value &&
        cm_read_currency(checker, fields[CM_KEY_BOOK_CURRENCY].value, "currency", &text))
        json_object_set_new(document->json, "currency", json_string(text));
    if (fields[CM_KEY_BOOK_VERSIONS].value)
        json_object_set_new(document->json, "versions",
                            check_versions(checker, fields[CM_KEY_BOOK_VERSIONS].value, document));
}
